"""What was said while the bot was away: fetched back where the network can tell, else shown as a gap.

Of each kept channel the archive knows up to when it is complete. While we are in the channel and hear the
network, that moves on with every heartbeat; when we come into it, what is missing before is filled first
(`filling.py`), and until that is done it stays where it is, so that a bot that dies begins again from there.
History that a server plays unasked is kept too.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from contextlib import suppress
from typing import Any

from plugins.logs.filling import HEARTBEAT, Filling, Presence
from plugins.logs.interfaces import ArchiveBusy
from plugins.logs.places import Kept
from plugins.logs.recorder import IRecorder
from plugins.logs.settings import Settings
from pynfo import IEvents, IHistory, IScheduler
from pynfo.interfaces import Interface
from pynfo.irc.client import Client
from pynfo.irc.events import (
    ChannelSynced,
    Event,
    HistoryReceived,
    NetworkDown,
    UserJoined,
    UserKicked,
    UserParted,
)
from pynfo.irc.message import Message
from pynfo.irc.pacing import QueueFull

# mypy: disable-error-code="misc, empty-body"

log = logging.getLogger(__name__)

QUIET = 10.0  # seconds without a word of the network, after which a heartbeat asks for one
PONG_WAIT = 5.0  # seconds that it waits for it
BRIEF = 0.5  # seconds without a word, after which one is asked for before the plugin goes
LAST_WAIT = 1.0  # seconds that it waits for it
AT_ONCE = 3  # channels of one network that are filled at a time
RETRIES = (5.0, 30.0, 120.0)  # seconds between tries where the archive is busy; the last is repeated
UNASKED_LIMIT = 100_000  # lines that came unasked and wait for the archive; past it what comes is left out


class IFilling(Interface):
    """The fetching of what was said while the bot was away."""

    async def idle() -> None:
        """*await* until every channel that the bot is in is complete, or has its gaps."""

    async def hear() -> None:
        """*await* a word of each network, so that nothing which it says by now is unheard."""


class History:
    """Subscribes when it is made, after the `Recorder`; what is subscribed belongs to the plugin."""

    def __init__(self, factory: Any, archive: Any, settings: Settings) -> None:
        recorder = IRecorder(factory)
        self._factory = factory
        self._archive = archive
        self._places = recorder.lines.places
        self._history = IHistory(factory)
        self._filling = Filling(factory, archive, recorder)
        self._here: dict[str, Presence] = {}  # by place: the kept channels that we are in
        self._at_once: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self._unasked: deque[tuple[Kept, list[Event], float]] = deque()
        self._ended: dict[str, float] = {}  # by place: up to when it is known, to be told to the archive
        self._telling = asyncio.Lock()
        factory.register_adapter(IFilling, lambda factory: self)
        IFilling(factory)  # made now, so that it is stopped with the plugin
        subscribe = IEvents(factory).subscribe
        subscribe(UserJoined, self._joined)
        subscribe(ChannelSynced, self._synced)
        subscribe(UserParted, self._parted)
        subscribe(UserKicked, self._parted)
        subscribe(NetworkDown, self._down)
        subscribe(HistoryReceived, self._received)
        self._scheduler = IScheduler(factory)
        self._scheduler.schedule(HEARTBEAT, self.beat)
        for client in factory.clients.values():  # the plugin was loaded while the bot was in channels
            for channel in client.state.channels.values() if client.up else ():
                kept = self._places.of(client.name, channel.name)
                if kept is not None:
                    self._begin(self._come(client, kept, self._history.clock(client.name)))

    async def stop(self) -> None:
        """Tell the archive up to when all is known."""
        for presence in list(self._here.values()):
            self._go(presence, self._heard(presence))
        await self._tell_ends()

    async def idle(self) -> None:
        """See `IFilling`."""
        while tasks := [presence.task for presence in self._here.values() if presence.task is not None]:
            await asyncio.wait(tasks)
            await asyncio.sleep(0)  # they are forgotten by then

    async def hear(self) -> None:
        """See `IFilling`. Where a network is silent, what it may have said is a gap."""
        quiet = {
            presence.client.name: presence.client
            for presence in self._here.values()
            if presence.client.up and presence.client.silence > BRIEF
        }
        asked = [client.synchronise(LAST_WAIT) for client in quiet.values()]
        await asyncio.gather(*asked, return_exceptions=True)

    # -- coming and going

    def _joined(self, event: UserJoined) -> None:
        if event.own and (kept := self._places.of(event.network, event.channel)) is not None:
            client = self._factory.clients[event.network]
            self._come(client, kept, self._history.time_of(event))

    def _synced(self, event: ChannelSynced) -> None:
        kept = self._places.of(event.network, event.channel)
        presence = self._here.get(kept.place) if kept is not None else None
        if presence is not None and not presence.begun:
            self._begin(presence)

    def _parted(self, event: UserParted | UserKicked) -> None:
        if event.own and (kept := self._places.of(event.network, event.channel)) is not None:
            presence = self._here.get(kept.place)
            if presence is not None:
                self._go(presence, self._history.time_of(event))
                self._scheduler.spawn(self._tell_ends())

    def _down(self, event: NetworkDown) -> None:
        gone = [presence for presence in self._here.values() if presence.kept.network == event.network]
        for presence in gone:
            self._go(presence, self._heard(presence))
        if gone:
            self._scheduler.spawn(self._tell_ends())

    def _come(self, client: Client, kept: Kept, joined: float) -> Presence:
        """We are in a channel since `joined`."""
        before = self._here.get(kept.place)
        if before is not None:
            self._go(before, min(joined, self._heard(before)))
        presence = self._here[kept.place] = Presence(client=client, kept=kept, joined=joined)
        return presence

    def _begin(self, presence: Presence) -> None:
        presence.begun = True
        presence.task = self._scheduler.spawn(self._fill(presence))

    def _go(self, presence: Presence, until: float) -> None:
        """We are out of a channel, and have heard all that was said there until `until`."""
        del self._here[presence.kept.place]
        if presence.complete:
            self._ended[presence.kept.place] = max(until, presence.joined)
        if presence.task is not None:
            presence.task.cancel()

    def _heard(self, presence: Presence) -> float:
        """Up to when we have heard what was said: when the network last said anything."""
        return float(self._history.clock(presence.kept.network)) - presence.client.silence

    # -- filling

    async def _fill(self, presence: Presence) -> None:
        retries = iter(RETRIES)
        wait = 0.0
        try:
            async with self._at_once[presence.kept.network]:
                while True:
                    try:
                        await self._tell_ends()
                        await self._filling.fill(presence)
                        break
                    except ArchiveBusy as busy:
                        wait = next(retries, wait)
                        log.info("%s: fetching later what was missed: %s", presence.kept.place, busy)
                    await asyncio.sleep(wait)
        finally:
            presence.task = None
        presence.complete = True
        self._unasked.extend((presence.kept, events, presence.heard) for events in presence.arrived)
        presence.arrived.clear()
        await self._keep_unasked()

    def _received(self, event: HistoryReceived) -> None:
        events = self._history.unasked(event)
        kept = self._places.of(event.network, event.target)
        if kept is None or not events:
            return
        waiting = sum(len(some) for _, some, _ in self._unasked)
        waiting += sum(len(some) for here in self._here.values() for some in here.arrived)
        if waiting + len(events) > UNASKED_LIMIT:
            log.warning("%s: %d old lines are left out: too many wait", kept.place, len(events))
            return
        presence = self._here.get(kept.place)
        if presence is not None and not presence.complete:
            presence.arrived.append(events)
        else:
            self._unasked.append((kept, events, 0.0))
            self._scheduler.spawn(self._keep_unasked())

    async def _keep_unasked(self) -> None:
        while self._unasked:
            kept, events, heard = self._unasked.popleft()
            try:
                await self._filling.keep(kept, events, heard)
            except ArchiveBusy as busy:
                log.warning("%s: %d old lines are lost: %s", kept.place, len(events), busy)

    # -- what the archive is told

    async def beat(self) -> None:
        """Tell the archive that the channels we are in are complete up to now."""
        for presence in self._here.values():
            here_for = self._history.clock(presence.kept.network) - presence.joined
            if not presence.begun and here_for > HEARTBEAT:
                self._begin(presence)  # the end of NAMES never came
        here = [presence for presence in self._here.values() if presence.complete and presence.client.up]
        quiet = {
            presence.client.name: presence.client for presence in here if presence.client.silence > QUIET
        }
        for client in quiet.values():
            with suppress(QueueFull):
                client.send(Message("PING", ["pynfo"]))
        if quiet:
            await asyncio.sleep(PONG_WAIT)
        for presence in here:
            if self._here.get(presence.kept.place) is presence:
                self._ended[presence.kept.place] = max(self._heard(presence), presence.joined)
        await self._tell_ends()

    async def _tell_ends(self) -> None:
        """Where the archive is busy it is told with the next heartbeat."""
        async with self._telling:
            ended, self._ended = self._ended, {}
            try:
                await self._archive.flush()
                for place, until in list(ended.items()):
                    await self._archive.know(place, until)
                    del ended[place]
            except ArchiveBusy as busy:
                log.info("the archive is told later what is complete: %s", busy)
            finally:
                self._ended = ended | self._ended
