"""Filling the gap before we came into a channel, by what the network can tell.

With CHATHISTORY forward from what is known, page by page, so that each page that is kept moves it on. History
is complete where it reaches back to what we know: servers forget the oldest first. Where it does not, or ends
too early, the rest is a gap. Everything is bounded: the lines of one gap, its pages and its time; what
a server tells of other times than it was asked for is left out.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Any

import msgspec

from plugins.ignore import IDiscriminating
from plugins.logs.asking import CHATHISTORY, PLAYBACK, NoAnswer, Questions, Refused, timestamp
from plugins.logs.line import Gap, Line
from plugins.logs.places import Kept
from pynfo.irc.client import Client
from pynfo.irc.events import Event, HistoryReceived, MessageReceived, MessageRedacted

log = logging.getLogger(__name__)

OVERLAP = 30.0  # seconds before what is known that are fetched again: clocks of servers differ
FUZZ = 10.0  # seconds behind our coming that may still be from before it, for the same reason
SHORTEST = 2.0  # seconds of a gap that is worth showing
LINES_LIMIT = 50_000  # lines fetched for one gap
PAGES_LIMIT = 1000
FILL_LIMIT = 900.0  # seconds for one gap
TRIES = 2  # of a question that is not answered
OLDEST_UNASKED = 366 * 86400.0  # seconds: older lines are believed of nobody who was not asked for them
ECHO_SLACK = 60.0  # seconds between what we said and when a server says that we said it


class Presence(msgspec.Struct, eq=False, kw_only=True):
    """We are in a kept channel since `joined` (the log's time). `complete`: up to there nothing is missing,
    or the gaps are known. `arrived`: history that came unasked and waits for its turn."""

    client: Client
    kept: Kept
    joined: float
    begun: bool = False
    complete: bool = False
    task: asyncio.Task[None] | None = None
    arrived: list[HistoryReceived] = []


class _Page(msgspec.Struct):
    """What an answer tells: its lines in the asked range, and its oldest and newest event of all."""

    lines: list[Line]
    redacted: list[str]
    oldest: float | None = None
    newest: float | None = None
    msgid: str | None = None  # of the newest


class Filling:
    """Fills one gap after another, of many channels at a time."""

    def __init__(self, factory: Any, archive: Any, recorder: Any, questions: Questions) -> None:
        self._factory = factory
        self._archive = archive
        self._recorder = recorder
        self._lines = recorder.lines
        self._clocks = recorder.lines.clocks
        self._questions = questions

    async def fill(self, presence: Presence) -> None:
        """Make the channel complete up to `presence.joined`. Raises `ArchiveBusy`: try again."""
        place, joined = presence.kept.place, presence.joined
        known = await self._archive.known_until(place)
        if not known:  # nothing from before we were told to keep it
            await self._archive.know(place, joined)
            return
        capabilities = presence.client.capabilities
        try:
            async with asyncio.timeout(FILL_LIMIT):
                if CHATHISTORY & capabilities:
                    await self._by_chathistory(presence, known)
                else:
                    await self._by_playback(presence, known, ask=PLAYBACK in capabilities)
        except (NoAnswer, Refused, TimeoutError) as error:
            log.warning("%s: not all that was missed can be fetched: %s", place, error or "it takes too long")
            reached = await self._archive.known_until(place)
            await self._know(place, joined, Gap(reached, joined))

    async def keep_unasked(self, kept: Kept, event: HistoryReceived) -> None:
        """Keep what a server played of itself. Raises `ArchiveBusy`."""
        now = self._clocks.now(kept.network)
        await self._keep(kept, self._page(kept, event, now - OLDEST_UNASKED, now))

    # -- CHATHISTORY

    async def _by_chathistory(self, presence: Presence, known: float) -> None:
        kept, client, joined = presence.kept, presence.client, presence.joined
        since = min(known, joined) - OVERLAP
        selector, reached, first, count = self._stamp(client, since), since, True, 0
        by_msgid = "msgid" in client.isupport.msgreftypes
        for _ in range(PAGES_LIMIT):
            try:
                answer = await self._ask(presence, "AFTER", selector)
            except Refused:
                if not selector.startswith("msgid="):
                    raise
                by_msgid = False  # it knows that message no more
                selector = self._stamp(client, reached - 0.001)
                answer = await self._ask(presence, "AFTER", selector)
            page = self._page(kept, answer, since, joined + FUZZ)
            if first:
                await self._begin(presence, page, known)
                first = False
            await self._keep(kept, page)
            count += len(answer.events)
            following = f"msgid={page.msgid}" if page.msgid and by_msgid else ""
            stays = page.newest == reached and following in ("", selector)
            if page.newest is None or page.newest < reached or stays or page.newest >= joined:
                break  # there is nothing more, or the server goes round in circles
            reached = page.newest
            await self._archive.know(kept.place, reached)
            if count >= LINES_LIMIT:
                raise NoAnswer(f"there are more than {LINES_LIMIT:,} lines")
            selector = following or self._stamp(client, reached - 0.001)
        else:
            raise NoAnswer(f"there are more than {PAGES_LIMIT:,} pages")
        await self._archive.know(kept.place, joined)

    async def _begin(self, presence: Presence, page: _Page, known: float) -> None:
        """Find out whether history reaches back to what is known; else a gap is before its first line."""
        enough = known + SHORTEST
        if page.oldest is not None and page.oldest <= enough:
            return
        try:
            older = await self._ask(presence, "BEFORE", self._stamp(presence.client, enough), 1)
        except (NoAnswer, Refused):
            older = None  # it cannot tell
        if older is not None and any(self._clocks.told(event) <= enough for event in older.events):
            return
        end = presence.joined if page.oldest is None else min(page.oldest, presence.joined)
        await self._know(presence.kept.place, end, Gap(known, end))

    async def _ask(self, presence: Presence, subcommand: str, selector: str, *limit: int) -> HistoryReceived:
        channel = self._name(presence)
        for attempt in range(TRIES):
            try:
                return await self._questions.chathistory(
                    presence.client, subcommand, channel, selector, *limit
                )
            except NoAnswer:
                if attempt == TRIES - 1:
                    raise
        raise AssertionError("TRIES is at least 1")

    def _stamp(self, client: Client, when: float) -> str:
        return timestamp(self._clocks.stamp(client.name, when))

    # -- ZNC's buffers, and what is played unasked

    async def _by_playback(self, presence: Presence, known: float, *, ask: bool) -> None:
        """`ask`: the network is a ZNC with its module "playback"; else there is only what came of itself."""
        kept, joined = presence.kept, presence.joined
        start = known
        async for line in self._archive.export(kept.place, known, joined):
            if line.time < joined and not line.fetched:  # said between the last heartbeat and our end
                start = max(start, line.time)
        since = min(known, joined) - OVERLAP if ask else joined - OLDEST_UNASKED
        if ask:
            self._questions.play_back(presence.client, self._name(presence), since, joined + FUZZ)
        page = await self._arrived(presence, since)
        for line in page.lines:
            if line.time.is_integer() and line.time <= start < line.time + 1:
                line.time = (
                    start  # InspIRCd remembers seconds: what we have not seen was said after what we have
                )
        await self._keep(kept, page)
        oldest = page.oldest
        if ask and (oldest is None or oldest > start):
            self._questions.play_back(presence.client, self._name(presence), 0.0, start)
            older = await self._arrived(presence, since)
            oldest = older.oldest if older.oldest is not None else oldest
        gap = Gap(start, joined if oldest is None else min(oldest, joined))
        await self._know(kept.place, joined, gap if oldest is None or oldest > start else None)

    async def _arrived(self, presence: Presence, since: float) -> _Page:
        """What comes of itself, or because we asked ZNC, until the server has dealt with all before."""
        await self._questions.dealt_with(presence.client)
        whole = _Page([], [])
        while presence.arrived:
            page = self._page(presence.kept, presence.arrived.pop(0), since, presence.joined + FUZZ)
            whole.lines += page.lines
            whole.redacted += page.redacted
            if page.oldest is not None and (whole.oldest is None or page.oldest < whole.oldest):
                whole.oldest = page.oldest
        return whole

    # -- what history tells

    def _page(self, kept: Kept, history: HistoryReceived, since: float, until: float) -> _Page:
        page = _Page([], [])
        for event in history.events:
            message = event.message
            if message is None or "time" not in message.tags or message.nick.startswith("*"):
                continue  # it cannot be placed, or is ZNC itself that speaks
            when = self._clocks.told(event)
            if when > until:
                continue
            if page.oldest is None or when < page.oldest:
                page.oldest = when
            if page.newest is None or when >= page.newest:
                page.newest, page.msgid = when, message.tags.get("msgid")
            if isinstance(event, MessageRedacted):
                page.redacted.append(event.msgid)
            elif when >= since and not self._is_ignored(event):
                line = self._lines.fetched(kept, event)
                if line is not None and not self._recorder.is_redacted(kept.network, line.msgid):
                    page.lines.append(line)
        return page

    def _is_ignored(self, event: Event) -> bool:
        ignoring = IDiscriminating(self._factory, None)
        return (
            ignoring is not None
            and isinstance(event, MessageReceived)
            and not event.own
            and ignoring.discriminates(event.user, event.network, event.channel)
        )

    async def _keep(self, kept: Kept, page: _Page) -> None:
        lines = await self._without_own_words(kept, page.lines)
        if lines:
            await self._archive.add(lines)
        for msgid in page.redacted:
            self._recorder.redact(kept.network, msgid)

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

    async def _know(self, place: str, until: float, gap: Gap | None) -> None:
        shown = gap if gap is not None and gap.end - gap.start >= SHORTEST else None
        await self._archive.know(place, until, shown)

    def _name(self, presence: Presence) -> str:
        """What the network calls the channel now."""
        for channel in presence.client.state.channels.values():
            if self._lines.places.of(presence.kept.network, channel.name) == presence.kept:
                return str(channel.name)
        return presence.kept.channel
