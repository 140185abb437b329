"""Which requests are worked on now, so that readers of pages do not keep people in channels waiting.

A few at one time; the rest wait, and readers take turns: however much one asks for, another waits for no more
than what is worked on now, and one request of every other reader. When the web has had its share of the event
loop, the loop turns a few times before the next request begins: in these turns a command is answered from end
to end.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple

AT_ONCE = 2  # requests that are worked on at one time
WAITING = 256  # requests that wait for that; past it those are refused whose reader has the most of them
PATIENCE = 10.0  # seconds that one waits; then it is refused
SHARE = 0.003  # seconds after which the rest of the bot has its turn
TURNS = 10  # of the event loop that it has then, before a pause and after it
PAUSE = 0.001  # seconds, in which functions on threads have their turn


class Overloaded(Exception):
    """There is too much to do to take one more request."""


class _Place(NamedTuple):
    """In the line of a reader. `new`: the request has not begun."""

    called: asyncio.Future[None]
    new: bool


class Admission:
    """`enter`, work, `leave`. `reader` is whose request it is. Used on one event loop."""

    def __init__(self, *, at_once: int = AT_ONCE, waiting: int = WAITING, patience: float = PATIENCE) -> None:
        self._loop = asyncio.get_running_loop()
        self._free = at_once
        self._limit = waiting
        self._patience = patience
        # By reader; whose turn is next is first.
        self._waiting: OrderedDict[str, deque[_Place]] = OrderedDict()
        self._lined_up = 0  # of all readers
        self._resting = False
        self._rested = self._loop.time()  # when the rest of the bot last had its turn

    async def enter(self, reader: str = "") -> None:
        """*await* a place to work. Raises `Overloaded`."""
        if self._take():
            return
        if self._lined_up >= self._limit:
            self._make_room(reader)
        try:
            async with asyncio.timeout(self._patience):
                await self._wait(reader, new=True)
        except TimeoutError:
            raise Overloaded from None

    async def enter_again(self, reader: str = "") -> None:
        """The same for a request that has begun already: it is never refused."""
        if not self._take():
            await self._wait(reader, new=False)

    def _take(self) -> bool:
        if self._resting or self._waiting or not self._free:
            return False
        self._free -= 1
        return True

    async def _wait(self, reader: str, *, new: bool) -> None:
        place = _Place(self._loop.create_future(), new)
        self._waiting.setdefault(reader, deque()).append(place)
        self._lined_up += 1
        try:
            await place.called
        except asyncio.CancelledError:
            if place.called.cancelled():
                self._leave_line(reader, place)
            elif place.called.exception() is None:
                self.leave()
            raise

    def _leave_line(self, reader: str, place: _Place) -> None:
        line = self._waiting.get(reader)
        if line is not None and place in line:
            line.remove(place)
            self._lined_up -= 1
            if not line:
                del self._waiting[reader]

    def _make_room(self, reader: str) -> None:
        """Refuse one of who has the most waiting; raises `Overloaded` where `reader` has as many."""
        most = max(self._waiting, key=lambda one: len(self._waiting[one]), default=reader)
        line = self._waiting.get(most, ())
        last = next((place for place in reversed(line) if place.new and not place.called.done()), None)
        if last is None or len(line) <= len(self._waiting.get(reader, ())) + 1:
            raise Overloaded
        self._leave_line(most, last)
        last.called.set_exception(Overloaded())

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
            reader, line = self._waiting.popitem(last=False)
            place = line.popleft()
            self._lined_up -= 1
            if line:
                self._waiting[reader] = line  # behind the others
            if not place.called.done():  # else whoever waits has just given up
                self._free -= 1
                place.called.set_result(None)
