"""What becomes of what was said."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any


class Undelivered(Exception):
    """It was not said. The message is one sentence that tells why."""


class Delivery:
    """What becomes of what was said. `await delivery` gives its `msgids`, or raises `Undelivered`.

    Done at once where there was nothing to say.
    """

    __slots__ = ("_future", "_left", "msgids", "reason")

    def __init__(self, lines: int) -> None:
        self.msgids: list[str | None] = [None] * lines  # one a line; None where the network gives no id
        self.reason: str | None = None  # why a line was not said
        self._left = lines
        self._future: asyncio.Future[None] | None = None

    @property
    def done(self) -> bool:
        """Whether it is known of every line what became of it."""
        return self._left <= 0

    def __await__(self) -> Generator[Any, None, list[str | None]]:
        if not self.done:
            if self._future is None:
                self._future = asyncio.get_running_loop().create_future()
            yield from asyncio.shield(self._future).__await__()
        if self.reason is not None:
            raise Undelivered(self.reason)
        return self.msgids

    def settle(self, index: int, msgid: str | None, reason: str | None) -> None:
        """It is known what became of one line."""
        self.msgids[index] = msgid
        self.reason = self.reason or reason
        self._left -= 1
        if self._left == 0 and self._future is not None and not self._future.done():
            self._future.set_result(None)
