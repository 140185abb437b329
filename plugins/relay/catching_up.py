"""What was said while the bot was away: fetched where the network can tell, else told as a gap.

Of each channel that sends the queue knows up to when all that was said there is in it: by the last message,
and by when the network was last heard. When we come into the channel, what its history tells of the time
since then is carried first; what is said meanwhile waits behind it. Those times are by our clock: the next
server of a network may have another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from time import time
from typing import Any

import msgspec

from plugins.relay.carrier import Carrier
from plugins.relay.ends import End, Ends
from pynfo import IEvents, IHistory, IScheduler
from pynfo.irc.client import Client
from pynfo.irc.events import (
    ChannelRenamed,
    ChannelSynced,
    Event,
    MessageReceived,
    MessageRedacted,
    NetworkDown,
    TagsReceived,
    UserJoined,
    UserKicked,
    UserParted,
)

log = logging.getLogger(__name__)

HEARTBEAT = 15.0  # seconds
BRIEF = 0.2  # seconds without a word, after which one is asked for before the plugin goes
HEAR_LIMIT = 1.0  # seconds that it waits for it
SHORTEST = 0.5  # seconds of a gap: less is what clocks differ
LIMIT = 60.0  # seconds for the history of one channel: what is said there now waits so long at most
OVERLAP = 30.0  # seconds before what is known that are carried again, if they were not: clocks differ
WHY = "catching up"  # the lanes are held


class _Coming(msgspec.Struct, eq=False):
    """We are in a channel: since when (its network's time), and ids set aside for what was said before."""

    joined: float
    block: Any
    task: asyncio.Task[None] | None = None
    caught_up: bool = False


_Missing = tuple[End, float]  # an end, and since when it misses what was said (its network's time)


class CatchingUp:
    """Subscribes when it is made; what is subscribed belongs to the plugin."""

    def __init__(self, factory: Any, ends: Ends, carrier: Carrier, queue: Any) -> None:
        self._factory = factory
        self._ends = ends
        self._carrier = carrier
        self._queue = queue
        self._history = IHistory(factory)
        self._joined: dict[str, _Coming] = {}  # by place
        subscribe = IEvents(factory).subscribe
        subscribe(UserJoined, self._on_join, priority=1000)
        subscribe(ChannelSynced, self._synced)
        subscribe(NetworkDown, self._down)
        subscribe((UserParted, UserKicked), self._on_part)
        subscribe(ChannelRenamed, self._renamed)
        IScheduler(factory).schedule(HEARTBEAT, self.beat)
        for client in factory.clients.values():  # the plugin was loaded while the bot was in channels
            for channel in client.state.channels.values() if client.up else ():
                if channel.synced and self._come(client.name, channel.name, self._history.clock(client.name)):
                    self._begin(client.name, channel.name)

    def beat(self) -> None:
        """Note that all was heard until now."""
        for place in self._joined:
            self._note(place)

    async def hear(self) -> None:
        """*await* a word of each network that is silent, so that what it has said by now is not unheard."""
        networks = {place.partition("/")[0] for place in self._joined}
        clients = [self._factory.clients[name] for name in networks if name in self._factory.clients]
        asked = [client.synchronise(HEAR_LIMIT) for client in clients if client.up and client.silence > BRIEF]
        await asyncio.gather(*asked, return_exceptions=True)

    async def idle(self) -> None:
        """*await* until every channel that the bot is in has been caught up with."""
        while tasks := [one.task for one in self._joined.values() if one.task and not one.task.done()]:
            await asyncio.wait(tasks)

    # -- coming and going

    def _on_join(self, event: UserJoined) -> None:
        if event.own:
            self._come(event.network, event.channel, self._history.time_of(event))

    def _synced(self, event: ChannelSynced) -> None:
        self._begin(event.network, event.channel)

    def _on_part(self, event: UserParted | UserKicked) -> None:
        if event.own:
            self._left(event.network, event.channel, self._when(event))

    def _renamed(self, event: ChannelRenamed) -> None:
        """To the config it is another channel now."""
        self._left(event.network, event.old_channel, self._when(event))
        if self._come(event.network, event.channel, self._history.time_of(event)):
            self._begin(event.network, event.channel)

    def _down(self, event: NetworkDown) -> None:
        client = self._factory.clients.get(event.network)
        until = time() - (client.silence if client is not None else 0.0)
        for end in self._ends.all:
            if end.port.network == event.network:
                self._left(event.network, end.port.channel, until)

    def _come(self, network: str, channel: str, joined: float) -> bool:
        """We are in a channel: what is said there now waits until we have caught up."""
        ends = self._sending_ends(network, channel)
        for end in ends:
            self._queue.hold(end.lane, WHY)
            reached = self._queue.reached(end.lane) or joined - self._ahead(network)
            self._queue.reach(end.lane, reached, open=True)
        if ends:
            self._joined[ends[0].port.place] = _Coming(joined, self._queue.block())
        return bool(ends)

    def _begin(self, network: str, channel: str) -> None:
        ends = self._sending_ends(network, channel)
        coming = self._joined.get(ends[0].port.place) if ends else None
        if coming is not None and coming.task is None:
            coming.task = IScheduler(self._factory).spawn(self._catch_up(ends, coming))

    def _left(self, network: str, channel: str, until: float) -> None:
        ends = self._sending_ends(network, channel)
        coming = self._joined.pop(ends[0].port.place, None) if ends else None
        if coming is None:
            return
        if coming.task is not None:
            coming.task.cancel()
        for end in ends:
            if coming.caught_up:  # else what was missed is asked for again
                self._queue.reach(end.lane, max(until, self._queue.reached(end.lane)))
            self._queue.release(end.lane, WHY)

    def _sending_ends(self, network: str, channel: str) -> list[End]:
        return [end for end in self._ends.at(network, channel) if end.port.sends]

    # -- what was missed

    async def _catch_up(self, ends: list[End], coming: _Coming) -> None:
        place = ends[0].port.place
        ahead = self._ahead(ends[0].port.network)
        missing = [(end, min(self._queue.reached(end.lane) + ahead, coming.joined)) for end in ends]
        try:
            await self._fetch(missing, coming)
            for end in ends:
                self._queue.reach(end.lane, coming.joined - ahead)
            await self._queue.flush()  # what is said now waits on disk already, and is let go next
            coming.caught_up = True
        finally:
            if self._joined.get(place) is coming:  # else it is not ours any more to let them go
                for end in ends:
                    self._queue.release(end.lane, WHY)

    async def _fetch(self, missing: Sequence[_Missing], coming: _Coming) -> None:
        """Carry what history tells, for each end from when it misses it."""
        network, _, channel = missing[0][0].port.place.partition("/")
        joined, block = coming.joined, coming.block
        reached = known = min(since for _, since in missing)
        try:
            async with asyncio.timeout(LIMIT):
                async for page in self._history.missed(network, channel, known, joined):
                    if page.gap is not None:
                        self._tell_gap(missing, page.gap[0], page.gap[1], block)
                    for event in page.events:
                        when = self._history.time_of(event)
                        self._carry([end for end, since in missing if when >= since - OVERLAP], event, block)
                    reached = page.until
        except TimeoutError:
            self._tell_gap(missing, reached, joined, block)

    def _carry(self, ends: list[End], event: Event, block: Any) -> None:
        for end in ends:
            match event:
                case MessageReceived() if not self._is_ours(end, event):
                    self._carrier.carry(end, event, block=block)
                case TagsReceived() if not event.own:
                    self._carrier.carry_reaction(end, event, block=block)
                case MessageRedacted():
                    self._carrier.carry_redaction(end, event, block=block)

    def _is_ours(self, end: End, event: MessageReceived) -> bool:
        """Whether we said it, perhaps under a nick that we had then; or it was for a part of the channel."""
        client: Client = self._factory.clients[event.network]
        if event.own or event.statusmsg or event.channel is None:
            return True
        if event.msgid is not None and self._queue.key_of(end.port.place, event.msgid) is not None:
            return True
        # Of RELAYMSG a history may tell no more than the nick.
        if event.user.nick.endswith(tuple(f"/{other.network}" for other in end.wire.ports)):
            return True
        fold = client.state.fold
        return fold(event.user.nick) in map(fold, (client.settings.nick, *client.settings.alternate_nicks))

    def _tell_gap(self, missing: Sequence[_Missing], start: float, end: float, block: Any) -> None:
        for one, since in missing:
            begin = max(start, since)
            if end - begin >= SHORTEST:
                first, last = _between(begin, end)
                text = f"{one.port.place}: nothing could be carried from {first} to {last} UTC"
                log.warning("%s", text)
                self._carrier.tell(one, text, key=f"gap {begin:.3f} {end:.3f}", block=block)

    def _note(self, place: str) -> None:
        """All that was said there until now has been heard, where we are there and have caught up."""
        network, _, channel = place.partition("/")
        client = self._factory.clients.get(network)
        if self._joined[place].caught_up and client is not None and client.up:
            heard = time() - client.silence
            for end in self._sending_ends(network, channel):
                self._queue.reach(end.lane, max(heard, self._queue.reached(end.lane)))

    def _when(self, event: Event) -> float:
        """The time of an event by our clock."""
        when: float = self._history.time_of(event)
        return min(when - self._ahead(event.network), time())

    def _ahead(self, network: str) -> float:
        """Seconds that a network's time is before ours."""
        ahead: float = self._history.clock(network) - time()
        return ahead


def _between(start: float, end: float) -> tuple[str, str]:
    """Two times as people read them; with the day where it is not the same."""
    first, last = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    pattern = "%H:%M:%S" if first.date() == last.date() else "%d %b %H:%M:%S"
    return first.strftime(pattern), last.strftime(pattern)
