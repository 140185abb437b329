"""`IHistory`: what was said in a channel while nobody here heard it, and what time it is on a network.

With CHATHISTORY forward from what is known, page by page. History is complete where it reaches back to what
is known: servers forget the oldest first. Where it does not, or ends too early, the rest is a gap. A ZNC is
asked for its buffer. Of other networks there is what they play of themselves when we come into a channel
(InspIRCd's channel mode +H), which is kept for a while, because those who want it ask a moment later.
Everything is bounded; what a server tells of other times than it was asked for is left out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import msgspec
from zope.interface import implementer

from pynfo.interfaces import IEvents, IHistory, IScheduler
from pynfo.irc.client import Client
from pynfo.irc.clocks import Clocks
from pynfo.irc.events import (
    ChannelRenamed,
    Event,
    HistoryReceived,
    NetworkDown,
    NetworkUp,
    StandardReply,
    UserJoined,
)
from pynfo.services.history_asking import (
    CHATHISTORY,
    PLAYBACK,
    NoAnswer,
    Place,
    Questions,
    Refused,
    timestamp,
)

if TYPE_CHECKING:
    from pynfo.factory import Factory

log = logging.getLogger(__name__)

OVERLAP = 30.0  # seconds before what is known that are fetched again: clocks of servers differ
FUZZ = 10.0  # seconds behind our coming that may still be from before it, for the same reason
SHORTEST = 0.5  # seconds of a gap: less is what clocks differ
LINES_LIMIT = 50_000  # lines fetched for one gap
PAGES_LIMIT = 1000
TIME_LIMIT = 900.0  # seconds for one gap
TRIES = 2  # of a question that is not answered
OLDEST_UNASKED = 366 * 86400.0  # seconds: older lines are believed of nobody who was not asked for them
UNASKED_LIMIT = (
    20_000  # lines that came unasked and are kept, of all channels; past it those of one are let go
)
UNASKED_AGE = 900.0  # seconds after our coming that they are kept
FIRST = 1_000_000  # the priority of what must be known before any other subscriber asks for it

Gap = tuple[float, float]


class Page(msgspec.Struct):
    """See `IHistory.missed`. Times are UTC epoch seconds."""

    events: list[Event]
    until: float
    gap: Gap | None = None


class _Missed(msgspec.Struct):
    """What somebody asks for. `deadline`: monotonic seconds of the event loop."""

    client: Client
    channel: str
    known: float
    until: float
    deadline: float


class _Told(msgspec.Struct):
    """What an answer tells: its events in the asked range, and its oldest and newest of all."""

    events: list[Event]
    oldest: float | None = None
    newest: float | None = None
    msgid: str | None = None  # of the newest


class _Coming(msgspec.Struct):
    """When we last came into a channel (in the time of `time_of`), and what was played there since."""

    joined: float
    heard: float  # by our clock
    events: list[Event] = []


@implementer(IHistory)
class History:
    """See `IHistory`. `clock` gives UTC epoch seconds."""

    def __init__(self, factory: Factory, *, clock: Callable[[], float] = time.time) -> None:
        self._clients = factory.clients
        self._clock = clock
        self._clocks = Clocks(clock)
        self._questions = Questions(factory.clients)
        self._comings: dict[Place, _Coming] = {}
        self._asked: HistoryReceived | None = None  # the one that was published last
        subscribe = IEvents(factory).subscribe
        subscribe(NetworkUp, self._up, priority=FIRST)
        subscribe(NetworkDown, self._down)
        subscribe(UserJoined, self._joined, priority=FIRST)
        subscribe(ChannelRenamed, self._renamed)
        subscribe(HistoryReceived, self._received, priority=FIRST)
        subscribe(StandardReply, self._questions.replied)
        IScheduler(factory).schedule(60.0, self.let_go)

    def clock(self, network: str) -> float:
        return self._clocks.now(network)

    def time_of(self, event: Event) -> float:
        return self._clocks.time_of(event)

    def unasked(self, event: HistoryReceived) -> list[Event]:
        if event is self._asked:
            return []
        now = self.clock(event.network)
        return self._told(event.events, now - OLDEST_UNASKED, now).events

    async def missed(self, network: str, channel: str, known: float, until: float) -> AsyncIterator[Page]:
        client = self._clients.get(network)
        reached = known
        try:
            if client is None:
                raise NoAnswer(f"there is no network {network!r}")
            deadline = asyncio.get_running_loop().time() + TIME_LIMIT
            wanted = _Missed(client, channel, known, until, deadline)
            if CHATHISTORY & client.capabilities:
                pages = self._by_chathistory(wanted)
            elif PLAYBACK in client.capabilities:
                pages = self._by_playback(wanted)
            else:
                pages = self._by_itself(wanted)
            async for page in pages:
                yield page
                reached = page.until
        except (NoAnswer, Refused, TimeoutError) as error:
            told = error or "it takes too long"
            log.warning("%s/%s: not all that was missed can be fetched: %s", network, channel, told)
            yield Page([], until, _gap(reached, until))

    # -- CHATHISTORY

    async def _by_chathistory(self, wanted: _Missed) -> AsyncIterator[Page]:
        known, until, client = wanted.known, wanted.until, wanted.client
        since = min(known, until) - OVERLAP
        selector, reached, count = self._stamp(client, since), since, 0
        by_msgid = "msgid" in client.isupport.msgreftypes
        for number in range(PAGES_LIMIT):
            try:
                events = await self._ask(wanted, "AFTER", selector)
            except Refused:
                if not selector.startswith("msgid="):
                    raise
                by_msgid = False  # it knows that message no more
                selector = self._stamp(client, reached - 0.001)
                events = await self._ask(wanted, "AFTER", selector)
            told = self._told(events, since, until + FUZZ)
            gap = await self._gap_before(wanted, told) if number == 0 else None
            following = f"msgid={told.msgid}" if told.msgid and by_msgid else ""
            stays = told.newest == reached and following in ("", selector)
            if told.newest is None or told.newest < reached or stays or told.newest >= until:
                yield Page(told.events, until, gap)  # there is no more, or the server goes round in circles
                return
            reached = told.newest
            yield Page(told.events, max(known, reached), gap)
            count += len(events)
            if count >= LINES_LIMIT:
                raise NoAnswer(f"there are more than {LINES_LIMIT:,} lines")
            selector = following or self._stamp(client, reached - 0.001)
        raise NoAnswer(f"there are more than {PAGES_LIMIT:,} pages")

    async def _gap_before(self, wanted: _Missed, told: _Told) -> Gap | None:
        """Find out whether history reaches back to what is known; else a gap is before its first line."""
        enough = wanted.known + SHORTEST
        if told.oldest is not None and told.oldest <= enough:
            return None
        try:
            older = await self._ask(wanted, "BEFORE", self._stamp(wanted.client, enough), 1)
        except (NoAnswer, Refused):
            older = []  # it cannot tell
        if any(self._clocks.told(event) <= enough for event in older):
            return None
        return _gap(wanted.known, wanted.until if told.oldest is None else min(told.oldest, wanted.until))

    async def _ask(self, wanted: _Missed, subcommand: str, selector: str, *limit: int) -> list[Event]:
        for attempt in range(TRIES):
            try:
                async with asyncio.timeout_at(wanted.deadline):
                    answer = await self._questions.chathistory(
                        wanted.client, subcommand, wanted.channel, selector, *limit
                    )
                return answer.events
            except NoAnswer:
                if attempt == TRIES - 1:
                    raise
        raise AssertionError("TRIES is at least 1")

    def _stamp(self, client: Client, when: float) -> str:
        return timestamp(self._clocks.stamp(client.name, when))

    # -- ZNC's buffers

    async def _by_playback(self, wanted: _Missed) -> AsyncIterator[Page]:
        known, until = wanted.known, wanted.until
        since = min(known, until) - OVERLAP
        told = self._told(await self._play(wanted, since, until + FUZZ), since, until + FUZZ)
        if told.oldest is None or told.oldest > known:
            yield Page(told.events, known)
            told.events = []
            older = self._told(await self._play(wanted, 0.0, known), since, until)
            told.oldest = told.oldest if older.oldest is None else older.oldest
        yield Page(told.events, until, _gap_to(told, known, until))

    async def _play(self, wanted: _Missed, since: float, until: float) -> list[Event]:
        client, stamp = wanted.client, self._clocks.stamp
        since, until = max(stamp(client.name, since), 0.0), stamp(client.name, until)
        async with asyncio.timeout_at(wanted.deadline):
            return await self._questions.play_back(client, wanted.channel, since, until)

    # -- what comes of itself

    async def _by_itself(self, wanted: _Missed) -> AsyncIterator[Page]:
        """What a network plays when we come tells of the time before that: later it is a gap."""
        known, until = wanted.known, wanted.until
        await self._questions.dealt_with(wanted.client)
        coming = self._comings.get(self._questions.place(wanted.client.name, wanted.channel))
        if coming is None:
            yield Page([], until, _gap(known, until))
            return
        late = until > coming.joined + FUZZ
        joined = min(max(coming.joined, known), until) if late else until
        told = self._told(coming.events, min(known, until) - OVERLAP, joined + FUZZ)
        yield Page(told.events, joined, _gap_to(told, known, joined))
        if joined < until:
            yield Page([], until, _gap(joined, until))

    def _received(self, event: HistoryReceived) -> None:
        self._asked = event if self._questions.received(event) else None
        place = self._questions.place(event.network, event.target)
        coming = self._comings.get(place)
        if coming is None or self._asked is not None:
            return
        if sum(len(one.events) for one in self._comings.values()) + len(event.events) > UNASKED_LIMIT:
            log.warning("%s/%s: too much is played unasked: nobody who asks later has it", *place)
            del self._comings[place]  # then it is a gap
            return
        coming.events += event.events

    async def let_go(self) -> None:
        """Forget what came unasked so long ago that nobody asks for it any more."""
        oldest = self._clock() - UNASKED_AGE
        self._comings = {place: one for place, one in self._comings.items() if one.heard >= oldest}

    # -- coming and going

    def _up(self, event: NetworkUp) -> None:
        self._clocks.connected(event.network)

    def _down(self, event: NetworkDown) -> None:
        self._questions.lost(event.network)

    def _joined(self, event: UserJoined) -> None:
        if event.own:
            self._clocks.compare(event)
            place = self._questions.place(event.network, event.channel)
            self._comings[place] = _Coming(self.time_of(event), self._clock())

    def _renamed(self, event: ChannelRenamed) -> None:
        coming = self._comings.pop(self._questions.place(event.network, event.old_channel), None)
        if coming is not None:
            self._comings[self._questions.place(event.network, event.channel)] = coming

    # -- what history tells

    def _told(self, events: list[Event], since: float, until: float) -> _Told:
        """What can be believed of these events, and is between these times."""
        told = _Told([])
        for event in events:
            message = event.message
            if message is None or "time" not in message.tags or message.nick.startswith("*"):
                continue  # it cannot be placed, or is ZNC itself that speaks
            when = self._clocks.told(event)
            if when > until:
                continue
            if told.oldest is None or when < told.oldest:
                told.oldest = when
            if told.newest is None or when >= told.newest:
                told.newest, told.msgid = when, message.tags.get("msgid")
            if when >= since:
                told.events.append(event)
        told.events.sort(key=self._clocks.told)
        return told


def _gap_to(told: _Told, known: float, until: float) -> Gap | None:
    """What is between what is known and the oldest that was told."""
    if told.oldest is None:
        return _gap(known, until)
    return _gap(known, min(told.oldest, until))


def _gap(start: float, end: float) -> Gap | None:
    return (start, end) if end - start >= SHORTEST else None
