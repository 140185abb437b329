"""Keeping what a channel's network tells of the time before we came into it.

`IHistory` asks the network; each page of what it tells is kept, and then the archive is told how far all is
known, so that a bot that dies begins again from there.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from typing import Any

import msgspec

from plugins.ignore import IDiscriminating
from plugins.logs.line import Gap, Line
from plugins.logs.places import Kept
from pynfo import IHistory
from pynfo.irc.client import Client
from pynfo.irc.events import Event, MessageReceived, MessageRedacted

HEARTBEAT = 30.0  # seconds between two times that the archive is told how far all is known
SHORTEST = 2.0  # seconds of a gap that is worth showing to readers
ECHO_SLACK = 60.0  # seconds between what we said and when a server says that we said it


class Presence(msgspec.Struct, eq=False, kw_only=True):
    """We are in a kept channel since `joined` (the log's time), and have heard all until `heard` before.
    `complete`: up to `joined` nothing is missing, or the gaps are known. `arrived`: what came unasked and
    waits for its turn."""

    client: Client
    kept: Kept
    joined: float
    heard: float = 0.0  # 0: nothing
    begun: bool = False
    complete: bool = False
    task: asyncio.Task[None] | None = None
    arrived: list[list[Event]] = []


class Filling:
    """Fills one gap after another, of many channels at a time."""

    def __init__(self, factory: Any, archive: Any, recorder: Any) -> None:
        self._factory = factory
        self._archive = archive
        self._recorder = recorder
        self._lines = recorder.lines
        self._history = IHistory(factory)

    async def fill(self, presence: Presence) -> None:
        """Make the channel complete up to `presence.joined`. Raises `ArchiveBusy`: try again."""
        place, joined = presence.kept.place, presence.joined
        known = await self._archive.known_until(place)
        if not known:  # nothing from before we were told to keep it
            await self._archive.know(place, joined)
            return
        presence.heard = known = await self._heard_since(presence, known)
        missed = self._history.missed(presence.kept.network, self._name(presence), known, joined)
        async with aclosing(missed) as pages:
            async for page in pages:
                await self.keep(presence.kept, page.events, presence.heard)
                gap = Gap(*page.gap) if page.gap is not None else None
                shown = gap if gap is not None and gap.end - gap.start >= SHORTEST else None
                await self._archive.know(place, page.until, shown)

    async def keep(self, kept: Kept, events: list[Event], heard: float) -> None:
        """Keep what history tells, all but what is there already. Raises `ArchiveBusy`."""
        lines = []
        for event in events:
            if not isinstance(event, MessageRedacted) and not self._is_ignored(event):
                line = self._lines.fetched(kept, event)
                if line is not None and not self._recorder.is_redacted(kept.network, line.msgid):
                    lines.append(line)
        if all(line.time.is_integer() for line in lines):
            _after(lines, heard)
        lines = await self._without_own_words(kept, lines)
        if lines:
            await self._archive.add(lines)
        for event in events:
            if isinstance(event, MessageRedacted):
                self._recorder.redact(kept.network, event.msgid)

    async def _heard_since(self, presence: Presence, known: float) -> float:
        """When the last line was heard between the last heartbeat and our end.

        Later lines may be of another presence, which ended before all of that time was there.
        """
        until, heard = min(known + HEARTBEAT, presence.joined), known
        async for line in self._archive.export(presence.kept.place, known, until):
            if line.time < until and not line.fetched:
                heard = max(heard, line.time)
        return heard

    def _is_ignored(self, event: Event) -> bool:
        ignoring = IDiscriminating(self._factory, None)
        return (
            ignoring is not None
            and isinstance(event, MessageReceived)
            and not event.own
            and ignoring.discriminates(event.user, event.network, event.channel)
        )

    async def _without_own_words(self, kept: Kept, lines: list[Line]) -> list[Line]:
        """Without what we said, of our own or for the relay, and have kept already, where the network does
        not echo it: then it was kept with no id, at a time of our clock."""
        client: Client | None = self._factory.clients.get(kept.network)
        if client is None or "echo-message" in client.capabilities:
            return lines
        is_me = client.state.is_me

        def words_of(line: Line) -> tuple[str, str, str]:
            """What two tellings have in common: we may have said it under another nick."""
            return "" if is_me(line.nick) else line.nick, line.kind, line.text

        times = [line.time for line in lines if line.home or is_me(line.nick)]
        if not times:
            return lines
        said: Counter[tuple[str, str, str]] = Counter()
        async for line in self._archive.export(kept.place, min(times) - ECHO_SLACK, max(times) + ECHO_SLACK):
            if line.msgid is None and not line.fetched and (line.origin or is_me(line.nick)):
                said[words_of(line)] += 1
        wanted = []
        for line in lines:
            if (line.home or is_me(line.nick)) and said[words_of(line)]:
                said[words_of(line)] -= 1
            else:
                wanted.append(line)
        return wanted

    def _name(self, presence: Presence) -> str:
        """What the network calls the channel now."""
        for channel in presence.client.state.channels.values():
            if self._lines.places.of(presence.kept.network, channel.name) == presence.kept:
                return str(channel.name)
        return presence.kept.channel


def _after(lines: list[Line], heard: float) -> None:
    """InspIRCd remembers whole seconds: what we have not heard was said after what we have."""
    for line in lines:
        if line.time <= heard < line.time + 1:
            line.time = heard
