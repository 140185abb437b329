"""Which requests are worked on now, so that readers of pages do not keep people in channels waiting.

A few at one time; the rest wait in a bounded line. When the web has had its share of the event loop, the loop
turns a few times before the next request begins: in these turns a command is answered from end to end.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

AT_ONCE = 2  # requests that are worked on at one time
WAITING = 256  # requests that wait for that; past it they are refused
PATIENCE = 10.0  # seconds that one waits; then it is refused
SHARE = 0.003  # seconds after which the rest of the bot has its turn
TURNS = 10  # of the event loop that it has then, before a pause and after it
PAUSE = 0.001  # seconds, in which functions on threads have their turn


class Overloaded(Exception):
    """There is too much to do to take one more request."""


class Admission:
    """`enter`, work, `leave`. Used on one event loop."""

    def __init__(self, *, at_once: int = AT_ONCE, waiting: int = WAITING, patience: float = PATIENCE) -> None:
        self._loop = asyncio.get_running_loop()
        self._free = at_once
        self._limit = waiting
        self._patience = patience
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._resting = False
        self._rested = self._loop.time()  # when the rest of the bot last had its turn

    async def enter(self) -> None:
        """*await* a place to work. Raises `Overloaded`."""
        if self._take():
            return
        if len(self._waiting) >= self._limit:
            raise Overloaded
        try:
            async with asyncio.timeout(self._patience):
                await self._wait()
        except TimeoutError:
            raise Overloaded from None

    async def enter_again(self) -> None:
        """The same for a request that has begun already: it is never refused."""
        if not self._take():
            await self._wait()

    def _take(self) -> bool:
        if self._resting or self._waiting or not self._free:
            return False
        self._free -= 1
        return True

    async def _wait(self) -> None:
        place = self._loop.create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._waiting.remove(place)
            else:
                self.leave()
            raise

    def leave(self) -> None:
        """The work is done, or waits for the reader."""
        self._free += 1
        if not self._resting and self._loop.time() - self._rested > SHARE:
            self._resting = True
            self._rest(TURNS, self._pause)
        else:
            self._call_next()

    def _rest(self, turns: int, then: Callable[[], object]) -> None:
        if turns:
            self._loop.call_soon(self._rest, turns - 1, then)
        else:
            then()

    def _pause(self) -> None:
        self._loop.call_later(PAUSE, self._rest, TURNS, self._end_rest)

    def _end_rest(self) -> None:
        self._resting = False
        self._rested = self._loop.time()
        self._call_next()

    def _call_next(self) -> None:
        while self._free and not self._resting and self._waiting:
            self._free -= 1
            self._waiting.popleft().set_result(None)
