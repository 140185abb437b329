"""One target of a durable queue: it says what waits, in order, as the network takes it.

An item is marked on disk before it is given to a connection, so that after a crash it is known of which ones
it is in doubt whether they were said (`outbox_tail.py` finds out). What a lost connection leaves in doubt is
looked at in the same way when we are back, before anything else is said.

What the network refuses waits and is tried again, ever more rarely, as long as it refuses everything; where
it takes what comes behind, the refused one is given up.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pynfo.irc.client import Client
from pynfo.irc.pacing import QueueFull
from pynfo.services.outbox_flight import Fate, Flight, Line
from pynfo.services.outbox_item import Item
from pynfo.services.outbox_lanes import Lanes

if TYPE_CHECKING:
    from pynfo.services.outbox_queue import Queue

log = logging.getLogger(__name__)

WINDOW = 128  # items on their way at once
AHEAD = 8  # of their lines, those that wait for their turn with the client
LINED_UP = 16  # items that are marked on disk and not with the client yet
TRIED = 2  # items on their way at once while the network refuses them
UNANSWERED = 3  # times that an item is said to a network that then says nothing of it
WAITS = (2.0, 10.0, 30.0, 60.0)  # seconds between tries while it refuses; the last is repeated
FULL_WAIT = 1.0  # seconds to the next try where the client's own queue is full

TOO_LONG = "they waited for too long"
NO_ANSWER = "the network does not confirm them"
UNSAYABLE = "they cannot be said there"

FindOut = Callable[["Port", Client], Awaitable[None]]


class Port:
    """`target` of a `queue`. `find_out(port, client)` empties `tail`: it settles what is in doubt, or puts it
    back. Where it cannot ask, it leaves it."""

    def __init__(self, queue: Queue, target: str, find_out: FindOut) -> None:
        self.target = target
        self.network, _, self.name = target.partition("/")
        self.waiting = Lanes()
        self.tail: list[Item] = []  # in doubt whether they were said, oldest first
        self.said = 0  # items since the start
        self.lost = 0
        self.noise_dropped = 0
        self.problem = ""  # why nothing is said now, where the network refuses
        self._queue = queue
        self._find_out = find_out
        self._loop = asyncio.get_running_loop()
        self.unwritten = 0  # lines that are with the client, and wait there
        self._next: deque[Item] = deque()  # to be said as soon as they are marked on disk
        self._unmarked: set[int] = set()  # of them, those that are not yet
        self._flying: dict[int, Flight] = {}
        self._refused: list[Item] = []
        self._refusals = 0  # in a row
        self._not_before = 0.0  # monotonic seconds
        self._timer: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._finding_out = False
        self._feeding = False
        self._soon = False  # it is planned to feed

    @property
    def queued(self) -> int:
        """Items that are not said yet."""
        return len(self.waiting) + len(self._next) + len(self._flying) + len(self._refused) + len(self.tail)

    @property
    def oldest(self) -> float | None:
        """Seconds since the oldest of what waits was put; None where nothing waits."""
        first = min((item.time for item in (*self.waiting, *self.tail, *self._refused)), default=None)
        return None if first is None else max(time.time() - first, 0.0)

    @property
    def client(self) -> Client | None:
        """The network's client, where something can be said to the target now."""
        client = self._queue.clients.get(self.network)
        if client is None or not client.up:
            return None
        if client.isupport.is_channel(self.name):
            channel = client.state.channel(self.name)
            return client if channel is not None and channel.synced else None
        return client

    @property
    def prompt(self) -> bool:
        """Whether what comes now is said at once."""
        behind = self.waiting or self.tail or self._refused or self._not_before
        return not behind and self.client is not None

    # -- in

    def push(self, items: Sequence[Item]) -> None:
        """They are on disk, and wait to be said."""
        for item in items:
            if not item.removed:
                self.waiting.push(item)
        noise, oldest = self.waiting.overflow()
        self.noise_dropped += len(noise)
        for item in noise:
            self._queue.settle(item)
        if oldest:
            self.give_up(oldest, "too many waited")
        self._arm_expiry()

    def withdraw(self, unwanted: Callable[[Item], bool]) -> list[Item]:
        """Take out what waits and is unwanted; what is on its way is left to itself."""
        gone = self.waiting.remove(unwanted)
        for group in (self.tail, self._refused, self._next):
            out = [item for item in group if unwanted(item)]
            for item in out:
                group.remove(item)
            gone += out
        for item in gone:
            item.removed = True
            self._queue.settle(item)
        return gone

    def give_up(self, items: Sequence[Item], reason: str) -> None:
        """They are not said any more, and that is told."""
        self.lost += len(items)
        for item in items:
            self._queue.settle(item)
        log.warning("%s: %d messages are lost: %s", self.target, len(items), reason)
        self._queue.tell_lost(self.target, items, reason)

    def hold_back(self, lane: str) -> None:
        """What is next of a lane waits again."""
        if any(item.lane == lane for item in self._next):
            self._put_back([])

    # -- out

    def feed(self) -> None:
        """Say what can be said now."""
        if self._feeding or self._finding_out:
            return
        client = self.client
        if client is None or not self._queue.owned:
            return
        if self.tail:
            if not self._flying:  # else more may come to it
                self._queue.spawn(self._settle_tail(client))
                self._finding_out = True
            return
        wait = self._not_before - self._loop.time()
        if wait > 0:
            self._feed_later(wait)
            return
        self._not_before = 0.0
        self._feeding = True
        try:
            self._feed(client)
        finally:
            self._feeding = False

    def stop(self) -> None:
        """No timer goes off any more."""
        for timer in (self._timer, self._expiry):
            if timer is not None:
                timer.cancel()

    def _feed(self, client: Client) -> None:
        now = time.time()
        while self.unwritten < AHEAD:
            self._line_up(now)
            if not self._next or self._next[0].id in self._unmarked:
                return
            if not self._say(client, self._next.popleft(), now):
                return

    def _line_up(self, now: float) -> None:
        """Take what is next, and have it marked on disk."""
        on_their_way = len(self._next) + len(self._flying)
        room = min((TRIED if self._refusals else WINDOW) - on_their_way, LINED_UP - len(self._next))
        unmarked = []
        while room > 0 and (item := self._take(now)) is not None:
            room -= 1
            self._next.append(item)
            if not item.written:
                item.written = self._queue.clock(self.network)
                unmarked.append(item)
        if unmarked:
            self._unmarked.update(item.id for item in unmarked)
            self._queue.store.mark(unmarked, partial(self._marked, unmarked))

    def _marked(self, items: list[Item]) -> None:
        self._unmarked.difference_update(item.id for item in items)
        self.feed()

    def _take(self, now: float) -> Item | None:
        while (item := self.waiting.take(self._queue.held)) is not None:
            if item.expires > now:
                return item
            self.give_up([item, *self.waiting.remove(lambda item: item.expires <= now)], TOO_LONG)
        return None

    def _say(self, client: Client, item: Item, now: float) -> bool:
        """Give its lines to the client. False where that takes no more."""
        lines = self._queue.render(item, client, now)
        if lines is None:
            self.give_up([item], UNSAYABLE)
            return True
        messages = list(lines[item.said :])
        if not messages:
            self._queue.settle(item, ())
            return True
        flight = self._flying[item.id] = Flight(item, messages, self)
        target = client.state.fold(self.name)
        for index in range(len(messages)):
            try:
                client.put(Line(flight, index, target, lambda: client.up))
            except QueueFull:
                self._wait(FULL_WAIT)
                for rest in range(index, len(messages)):
                    flight.settle(rest, Fate.UNSENT)
                return False
        return True

    # -- what became of it (see `Carrier`)

    def wrote(self, line: Line, *, echoes: bool) -> None:
        if not echoes:
            self._queue.confirming(self.network).wrote(line)
        elif self.unwritten < AHEAD:
            self._feed_soon()

    def ended(self, flight: Flight) -> None:
        item = flight.item
        del self._flying[item.id]
        said = flight.said
        item.said += said
        if said == len(flight.messages):
            self._confirmed(item, flight.msgids)
        elif Fate.REFUSED in flight.fates:
            self._was_refused(flight)
        elif Fate.DOUBTFUL in flight.fates:
            self._is_in_doubt(item)
        else:
            self._put_back([item])
        self._feed_soon()

    def _confirmed(self, item: Item, msgids: Sequence[str | None]) -> None:
        self.said += 1
        self._queue.settle(item, msgids)
        if self._refusals:
            self._refusals = 0
            self._not_before = 0.0
            self.problem = ""
            self._queue.tell_refused(self.target, None)
        if self._refused:  # it takes what came behind them
            refused = [other for other in self._refused if other.id < item.id]
            if refused:
                self._refused = [other for other in self._refused if other.id > item.id]
                self.give_up(refused, f"{self.network} refuses them")

    def _was_refused(self, flight: Flight) -> None:
        item = flight.item
        message = flight.messages[flight.fates.index(Fate.REFUSED)]
        if self._queue.render_again(item, message, flight.reason):
            self._put_back([item])
            return
        self.problem = flight.reason
        self._refused.append(item)
        if self._flying:
            return
        # All of them were refused: that is not for what they say.
        self._put_back(self._refused)
        self._refused = []
        wait = WAITS[min(self._refusals, len(WAITS) - 1)]
        self._refusals += 1
        self._wait(wait)
        self._queue.tell_refused(self.target, flight.reason)

    def _is_in_doubt(self, item: Item) -> None:
        item.unanswered += self.client is not None
        if item.unanswered < UNANSWERED:
            self.tail.append(item)
        else:
            self.give_up([item], NO_ANSWER)

    def _put_back(self, items: Sequence[Item]) -> None:
        """They wait again, before whatever is next."""
        for item in (*items, *self._next):
            item.written = 0.0
            self.waiting.push(item)
        self._next.clear()

    async def _settle_tail(self, client: Client) -> None:
        self.tail.sort(key=lambda item: item.id)
        self._put_back([])
        try:
            await self._find_out(self, client)
        finally:
            self._finding_out = False
        self._feed_soon()

    # -- time

    def expire(self) -> None:
        """Give up what has waited for too long."""
        now = time.time()
        gone = self.waiting.remove(lambda item: item.expires <= now)
        if gone:
            self.give_up(gone, TOO_LONG)
        self._expiry = None
        self._arm_expiry()

    def _arm_expiry(self) -> None:
        if self._expiry is None and self.waiting:
            first = min(item.expires for item in self.waiting)
            self._expiry = self._loop.call_later(max(first - time.time(), 1.0), self.expire)

    def _wait(self, seconds: float) -> None:
        self._not_before = self._loop.time() + seconds
        self._feed_later(seconds)

    def _feed_later(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(seconds, self._feed_now)

    def _feed_now(self) -> None:
        self._timer = None
        self.feed()

    def _feed_soon(self) -> None:
        """When what is told at this moment has been told of all."""
        if not self._soon:
            self._soon = True
            self._loop.call_soon(self._feed_at_last)

    def _feed_at_last(self) -> None:
        self._soon = False
        self.feed()
