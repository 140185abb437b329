"""What happens in the kept channels goes into the archive: every line that all who are in the channel see.

Our own lines too, echoed by the network or not. People on the ignore list are not heard here, so nothing they
say is kept. What the network redacts is removed from the archive.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from zope.interface import Attribute

from plugins.logs.interfaces import ArchiveBusy
from plugins.logs.line import Line
from plugins.logs.lines import Lines
from plugins.logs.places import Places
from plugins.logs.relayed import speaker_of
from plugins.logs.sessions import ISessions, Sessions
from plugins.logs.settings import Settings
from pynfo import IEvents, IHistory, IOperator, IScheduler
from pynfo.interfaces import Interface
from pynfo.irc.clocks import WRONG
from pynfo.irc.events import (
    ChannelRenamed,
    ChannelSynced,
    MessageReceived,
    MessageRedacted,
    ModeChanged,
    NetworkDown,
    TopicChanged,
    User,
    UserJoined,
    UserKicked,
    UserParted,
    UserQuit,
    UserRenamed,
)
from pynfo.irc.message import split_source

# mypy: disable-error-code="misc, empty-body"

log = logging.getLogger(__name__)

CHORES_LIMIT = 10_000  # redactions that wait for the archive, and old lines that do; past it the oldest go
REDACTED_LIMIT = 10_000  # msgids remembered, so that history does not bring back what is just redacted
RETRY = 5.0  # seconds
STOP_LIMIT = 1.0  # seconds for what waits to be done at the end


class IRecorder(Interface):
    """What the parts of this plugin share."""

    lines = Attribute("The `Lines` that make lines of events.")

    def redact(network: str, msgid: str) -> None:
        """Have a message removed, now or when it comes."""

    def is_redacted(network: str, msgid: str | None) -> bool:
        """Whether a message was redacted lately."""


class Recorder:
    """Subscribes when it is made; what is subscribed belongs to the plugin. `clock`: UTC epoch seconds."""

    def __init__(
        self, factory: Any, archive: Any, settings: Settings, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.places = Places(factory.clients, settings)
        time_of = IHistory(factory).time_of
        self.lines = Lines(archive, settings, self.places, time_of, partial(speaker_of, factory))
        self.sessions = Sessions(self.places.fold, archive.identity, clock)
        self._factory = factory
        self._archive = archive
        self._append = archive.append
        self._keeps_comings = settings.events
        self._clock = clock
        self._redacted: dict[tuple[str, str], None] = {}
        self._redactions: deque[tuple[str, str]] = deque(maxlen=CHORES_LIMIT)
        self._topics: dict[str, str] = {}  # of places; the latest waits to be kept
        self._late: deque[Line] = deque(maxlen=CHORES_LIMIT)
        self._chores: asyncio.Task[None] | None = None
        factory.register_adapter(IRecorder, lambda factory: self)
        factory.register_adapter(ISessions, lambda factory: self.sessions)
        IRecorder(factory)  # made now, so that it is stopped with the plugin
        subscribe = IEvents(factory).subscribe
        subscribe(MessageReceived, self._said)
        subscribe(UserJoined, self._joined)
        subscribe(UserParted, self._parted)
        subscribe(UserKicked, self._kicked)
        subscribe(UserQuit, self._quit)
        subscribe(UserRenamed, self._renamed)
        subscribe(TopicChanged, self._topic)
        subscribe(ModeChanged, self._modes)
        subscribe(MessageRedacted, self._redaction)
        subscribe(ChannelSynced, self._synced)
        subscribe(ChannelRenamed, self._channel_renamed)
        subscribe(NetworkDown, self._down)
        for client in factory.clients.values():  # the plugin was loaded while the bot was in channels
            for channel in client.state.channels.values():
                if channel.synced:
                    self._show_topic_of(client.name, channel.name)

    async def stop(self) -> None:
        """Do what still waits, if the archive can."""
        chores = self._chores
        if chores is not None:
            await asyncio.wait([chores], timeout=STOP_LIMIT)
            chores.cancel()

    def redact(self, network: str, msgid: str) -> None:
        """See `IRecorder`."""
        if len(self._redacted) >= REDACTED_LIMIT:
            del self._redacted[next(iter(self._redacted))]
        self._redacted[network, msgid] = None
        self._redactions.append((network, msgid))
        self._begin_chores()

    def is_redacted(self, network: str, msgid: str | None) -> bool:
        """See `IRecorder`."""
        return msgid is not None and (network, msgid) in self._redacted

    # -- talk: thousands of lines a second come through here

    def _said(self, event: MessageReceived) -> None:
        channel = event.channel
        if channel is None or event.statusmsg:
            return
        kept = self.places.of(event.network, channel)
        if kept is None:
            return
        line = self.lines.said(kept, event)
        if line is None:
            return
        self._keep(line)
        if line.account is None and line.origin is None:
            self.sessions.saw(event.network, line.nick, line.time)
        elif line.home and line.account is None:
            self._heard_elsewhere(line)

    def _heard_elsewhere(self, line: Line) -> None:
        """Somebody without an account spoke where we relay, which may be in a channel that is not kept."""
        client = self._factory.clients.get(line.home)
        if client is not None and client.state.user(line.nick) is not None:
            self.sessions.saw(line.home, line.nick, line.time)

    def _keep(self, line: Line) -> None:
        if line.time < self._clock() - WRONG:  # a bouncer's playback, which only looks as if it were said now
            line.fetched = True
            self._late.append(line)
            self._begin_chores()
        else:
            self._append(line)

    # -- coming and going

    def _joined(self, event: UserJoined) -> None:
        kept = self.places.of(event.network, event.channel)
        if kept is None:
            return
        if not event.user.account:
            self.sessions.saw(event.network, event.user.nick, self.lines.time_of(event))
        if self._keeps_comings:
            self._keep(self.lines.joined(kept, event))

    def _parted(self, event: UserParted) -> None:
        kept = self.places.of(event.network, event.channel)
        if kept is not None and self._keeps_comings:
            self._keep(self.lines.parted(kept, event))
        self._went(event.network, event.user.nick, own=event.own)

    def _kicked(self, event: UserKicked) -> None:
        kept = self.places.of(event.network, event.channel)
        if kept is not None:
            line = self.lines.kicked(kept, event)
            if self._archive.is_out(event.network, event.user):
                line.target = ""
            self._keep(line)
        self._went(event.network, event.user.nick, own=event.own)

    def _quit(self, event: UserQuit) -> None:
        if self._keeps_comings:
            for channel in event.channels:
                kept = self.places.of(event.network, channel)
                if kept is not None:
                    self._keep(self.lines.quit(kept, event))
        self.sessions.left(event.network, event.user.nick)

    def _renamed(self, event: UserRenamed) -> None:
        seen = self.sessions.knows(event.network, event.old_nick)
        for channel in event.channels:
            kept = self.places.of(event.network, channel)
            if kept is not None:
                seen = True
                if self._keeps_comings:
                    self._keep(self.lines.renamed(kept, event))
        if seen:
            when = self.lines.time_of(event)
            self.sessions.renamed(event.network, event.old_nick, event.user.nick, when)

    def _went(self, network: str, nick: str, *, own: bool) -> None:
        """Somebody left a channel; whoever shares none with us any more is out of sight."""
        client = self._factory.clients.get(network)
        if client is None:
            return
        user = client.state.user
        if own:
            self.sessions.keep(network, lambda nick: user(nick) is not None)
        elif user(nick) is None:
            self.sessions.left(network, nick)

    def _down(self, event: NetworkDown) -> None:
        self.sessions.keep(event.network, lambda nick: False)

    # -- the channel

    def _modes(self, event: ModeChanged) -> None:
        if event.channel is None or not self._keeps_comings:
            return
        kept = self.places.of(event.network, event.channel)
        line = self.lines.modes(kept, event) if kept is not None else None
        if line is not None:
            self._keep(line)

    def _topic(self, event: TopicChanged) -> None:
        kept = self.places.of(event.network, event.channel)
        if kept is not None:
            self._keep(self.lines.topic(kept, event))
            self._show_topic(kept.place, event.network, event.topic, event.by)

    def _synced(self, event: ChannelSynced) -> None:
        self._show_topic_of(event.network, event.channel)

    def _show_topic_of(self, network: str, name: str) -> None:
        """The topic that a channel has, where it is kept."""
        kept = self.places.of(network, name)
        if kept is not None:
            state = self._factory.clients[network].state
            channel = state.channel(name)
            by = User(*split_source(channel.topic_by))
            self._show_topic(kept.place, network, channel.topic, by, state.user(by.nick))

    def _channel_renamed(self, event: ChannelRenamed) -> None:
        kept = self.places.rename(event.network, event.old_channel, event.channel)
        if kept is not None:
            IOperator(self._factory).tell(
                f"logs/{kept.place}/renamed",
                f"{event.network}/{event.old_channel} is called {event.channel} now: until the bot is "
                f"restarted its log goes on as {kept.place}; after that it goes by the config",
            )

    # -- what takes its time

    def _redaction(self, event: MessageRedacted) -> None:
        if event.channel is not None and self.places.of(event.network, event.channel) is not None:
            self.redact(event.network, event.msgid)

    def _show_topic(self, place: str, network: str, topic: str, *by: User | None) -> None:
        """`by`: who may have set it."""
        is_out = any(self._archive.is_out(network, user) for user in by if user is not None)
        self._topics[place] = "" if is_out else topic
        self._begin_chores()

    def _begin_chores(self) -> None:
        if self._chores is None or self._chores.done():
            self._chores = IScheduler(self._factory).spawn(self._do_chores())

    async def _do_chores(self) -> None:
        """One after another; while the archive has too much to do, they wait."""
        while self._topics or self._redactions or self._late:
            try:
                await self._do_some()
            except ArchiveBusy as busy:
                log.info("later: %s", busy)
                await asyncio.sleep(RETRY)

    async def _do_some(self) -> None:
        if self._late:
            late = list(self._late)
            self._late.clear()
            try:
                await self._archive.add(late)
            except ArchiveBusy:
                self._late.extendleft(reversed(late))
                raise
        for place, topic in list(self._topics.items()):
            await self._archive.set_topic(place, topic)
            if self._topics.get(place) == topic:
                del self._topics[place]
        while self._redactions:
            network, msgid = redaction = self._redactions.popleft()
            try:
                await self._archive.redact(network=network, msgid=msgid)
            except ArchiveBusy:
                self._redactions.appendleft(redaction)
                raise
