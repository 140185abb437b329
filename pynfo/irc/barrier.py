"""How to know that a server has read what was written to it: the PONG to a PING behind it.

Source: RFC 2812 section 3.7.2. A server deals with the lines of a connection one after another.
"""

from __future__ import annotations

import asyncio

from pynfo.irc.message import Message
from pynfo.irc.sender import OfConnection


class Barrier(OfConnection):
    """A PING, whose PONG tells that the server has dealt with all that was written to it before.

    It is `confirmed` by the PONG, and `failed` with the connection.
    """

    __slots__ = ()

    def __init__(self, token: str) -> None:
        super().__init__(Message("PING", [token]))

    def written(self, *, echoes: bool) -> None:
        """What was written so far is what the PONG will be about."""


class AwaitedBarrier(Barrier):
    """Settles a future; a lost connection is a `ConnectionError`."""

    __slots__ = ("_answer",)

    def __init__(self, token: str, answer: asyncio.Future[None]) -> None:
        super().__init__(token)
        self._answer = answer

    def confirmed(self, msgid: str | None) -> None:
        if not self._answer.done():
            self._answer.set_result(None)

    def failed(self, reason: str) -> None:
        if not self._answer.done():
            self._answer.set_exception(ConnectionError(reason))
