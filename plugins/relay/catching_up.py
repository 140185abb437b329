"""What was said while the bot was away: fetched where the network can tell, else told as a gap.

Of each channel that sends the queue knows up to when all that was said there is in it: by the last message,
and by when the network was last heard. When we come into the channel, what its history tells of the time
since then is carried first; what is said meanwhile waits behind it.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

from plugins.relay.carrier import Carrier
from plugins.relay.ends import End, Ends
from pynfo import IEvents, IHistory, IScheduler
from pynfo.irc.client import Client
from pynfo.irc.events import (
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
SHORTEST = 0.5  # seconds of a gap: less is what clocks differ
LIMIT = 60.0  # seconds for the history of one channel: what is said there now waits so long at most
WHY = "catching up"  # the lanes are held


class CatchingUp:
    """Subscribes when it is made; what is subscribed belongs to the plugin."""

    def __init__(self, factory: Any, ends: Ends, carrier: Carrier, queue: Any) -> None:
        self._factory = factory
        self._ends = ends
        self._carrier = carrier
        self._queue = queue
        self._history = IHistory(factory)
        self._tasks: dict[str, asyncio.Task[None]] = {}  # by place
        self._joined: dict[str, tuple[float, Any]] = {}  # by place: when, and the ids set aside
        subscribe = IEvents(factory).subscribe
        subscribe(UserJoined, self._on_join, priority=1000)
        subscribe(ChannelSynced, self._synced)
        subscribe(NetworkDown, self._down)
        subscribe((UserParted, UserKicked), self._on_part)
        IScheduler(factory).schedule(HEARTBEAT, self.beat)
        for client in factory.clients.values():  # the plugin was loaded while the bot was in channels
            for channel in client.state.channels.values() if client.up else ():
                if channel.synced and self._come(client.name, channel.name, self._history.clock(client.name)):
                    self._begin(client.name, channel.name)

    def beat(self) -> None:
        """Note that all was heard until now."""
        for place in self._joined:
            self._note(place)

    async def idle(self) -> None:
        """*await* until every channel that the bot is in has been caught up with."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    # -- coming and going

    def _on_join(self, event: UserJoined) -> None:
        if event.own:
            self._come(event.network, event.channel, self._history.time_of(event))

    def _synced(self, event: ChannelSynced) -> None:
        self._begin(event.network, event.channel)

    def _on_part(self, event: UserParted | UserKicked) -> None:
        if event.own:
            self._left(event.network, event.channel, self._history.time_of(event))

    def _down(self, event: NetworkDown) -> None:
        client = self._factory.clients.get(event.network)
        until = self._history.clock(event.network) - (client.silence if client is not None else 0.0)
        for end in self._ends.all:
            if end.port.network == event.network:
                self._left(event.network, end.port.channel, until)

    def _come(self, network: str, channel: str, joined: float) -> bool:
        """We are in a channel: what is said there now waits until we have caught up."""
        ends = self._sending_ends(network, channel)
        for end in ends:
            self._queue.hold(end.lane, WHY)
            self._queue.reach(end.lane, self._queue.reached(end.lane) or joined, open=True)
        if ends:
            self._joined[ends[0].port.place] = joined, self._queue.block()
        return bool(ends)

    def _begin(self, network: str, channel: str) -> None:
        ends = self._sending_ends(network, channel)
        if not ends or ends[0].port.place not in self._joined:
            return
        place = ends[0].port.place
        if place not in self._tasks:
            catching_up = self._catch_up(ends, *self._joined[place])
            task = self._tasks[place] = IScheduler(self._factory).spawn(catching_up)
            task.add_done_callback(lambda task: self._tasks.pop(place, None))

    def _left(self, network: str, channel: str, until: float) -> None:
        ends = self._sending_ends(network, channel)
        if not ends or ends[0].port.place not in self._joined:
            return
        place = ends[0].port.place
        del self._joined[place]
        task = self._tasks.pop(place, None)
        if task is not None:
            task.cancel()  # what it has not told is asked for again
        for end in ends:
            if task is None:
                self._queue.reach(end.lane, max(until, self._queue.reached(end.lane)))
            self._queue.release(end.lane, WHY)

    def _sending_ends(self, network: str, channel: str) -> list[End]:
        return [end for end in self._ends.at(network, channel) if end.port.sends]

    # -- what was missed

    async def _catch_up(self, ends: list[End], joined: float, block: Any) -> None:
        known = max(self._queue.reached(end.lane) for end in ends)
        try:
            await self._fetch(ends, min(known, joined), joined, block)
            for end in ends:
                self._queue.reach(end.lane, joined)
            await self._queue.flush()  # what is said now waits on disk already, and is let go next
        finally:
            for end in ends:
                self._queue.release(end.lane, WHY)

    async def _fetch(self, ends: list[End], known: float, joined: float, block: Any) -> None:
        network, _, channel = ends[0].port.place.partition("/")
        reached = known
        try:
            async with asyncio.timeout(LIMIT):
                async for page in self._history.missed(network, channel, known, joined):
                    if page.gap is not None:
                        self._tell_gap(ends, page.gap[0], page.gap[1], block)
                    for event in page.events:
                        self._carry(ends, event, block)
                    reached = page.until
        except TimeoutError:
            self._tell_gap(ends, reached, joined, block)

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

    def _tell_gap(self, ends: list[End], start: float, end: float, block: Any) -> None:
        if end - start < SHORTEST:
            return
        place = ends[0].port.place
        log.warning("%s: nothing could be carried from %s to %s UTC", place, *_between(start, end))
        for one in ends:
            first, last = _between(start, end)
            text = f"{place}: nothing could be carried from {first} to {last} UTC"
            self._carrier.tell(one, text, key=f"gap {start:.3f}", block=block)

    def _note(self, place: str) -> None:
        """All that was said there until now has been heard, where we are there and have caught up."""
        network, _, channel = place.partition("/")
        client = self._factory.clients.get(network)
        if place not in self._tasks and client is not None and client.up:
            heard = self._history.clock(network) - client.silence
            for end in self._sending_ends(network, channel):
                self._queue.reach(end.lane, max(heard, self._queue.reached(end.lane)))


def _between(start: float, end: float) -> tuple[str, str]:
    """Two times as people read them; with the day where it is not the same."""
    first, last = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    pattern = "%H:%M:%S" if first.date() == last.date() else "%d %b %H:%M:%S"
    return first.strftime(pattern), last.strftime(pattern)
