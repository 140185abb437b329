"""Confirmation on a network that does not echo: a line was written, and the network still answers after it.

RFC 2812 section 3.7.2: the PONG to a PING behind a line tells that the server has read the line.
"""

from __future__ import annotations

import asyncio

from pynfo.irc.barrier import Barrier
from pynfo.irc.client import Client
from pynfo.irc.echoes import UNCONFIRMED
from pynfo.irc.pacing import QueueFull
from pynfo.services.outbox_flight import Line

AFTER = 1.0  # seconds from a line to the PING behind it, where lines are paced
LONGEST = 30.0  # seconds, where other lines wait: the PING would go in place of one of them
ENOUGH = 16  # lines that do not wait for that
AGAIN = 1.0  # seconds to the next try where no PING can be sent


class Confirming:
    """The lines of one network that are written and not confirmed."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._lines: list[Line] = []  # since the last PING
        self._asked = False
        self._first = 0.0  # when the first of them was written (monotonic seconds)
        self._timer: asyncio.TimerHandle | None = None

    def wrote(self, line: Line) -> None:
        """A line is written that will not be echoed."""
        self._lines.append(line)
        if len(self._lines) == 1:
            self._first = self.client.time()
        if not self._asked:
            self._ask_soon()

    def broken(self) -> None:
        """The connection is gone: nothing of it will be confirmed."""
        self._asked = False
        self._stop_timer()
        lines, self._lines = self._lines, []
        for line in lines:
            line.failed(UNCONFIRMED)

    def begun(self) -> list[Line]:
        """The PING is written: these lines it will be about."""
        lines, self._lines = self._lines, []
        return lines

    def passed(self, lines: list[Line]) -> None:
        """The PONG has come."""
        self._asked = False
        for line in lines:
            line.confirmed(None)
        if self._lines and not self._asked:
            self._ask_soon()

    def _ask_soon(self) -> None:
        if self.client.settings.messages_per_second is None or len(self._lines) >= ENOUGH:
            self._ask()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(AFTER, self._ask_unless_others_wait)

    def _ask_unless_others_wait(self) -> None:
        self._timer = None
        if self.client.queued and self.client.time() - self._first < LONGEST:
            self._ask_soon()
        else:
            self._ask()

    def _ask(self) -> None:
        self._stop_timer()
        if self._asked or not self._lines:
            return
        self._asked = True
        try:
            self.client.put_barrier(lambda token: _Probe(token, self))
        except QueueFull:
            self._asked = False
            self._timer = asyncio.get_running_loop().call_later(AGAIN, self._ask)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Probe(Barrier):
    __slots__ = ("_confirming", "_lines")

    def __init__(self, token: str, confirming: Confirming) -> None:
        super().__init__(token)
        self._confirming = confirming
        self._lines: list[Line] = []

    def written(self, *, echoes: bool) -> None:
        self._lines = self._confirming.begun()

    def confirmed(self, msgid: str | None) -> None:
        self._confirming.passed(self._lines)

    def failed(self, reason: str) -> None:
        lines, self._lines = self._lines, []
        for line in lines:
            line.failed(UNCONFIRMED)
        self._confirming.broken()
