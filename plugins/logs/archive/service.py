"""`IArchive` on SQLite: one thread that writes (`writing_thread.py`), and a few that read (`readers.py`)."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from zope.interface import implementer

from plugins.logs.archive import reading, searching
from plugins.logs.archive.consents import Consents, keyed_hash
from plugins.logs.archive.database import load_key, open_archive
from plugins.logs.archive.erasing import Eraser
from plugins.logs.archive.query import Query
from plugins.logs.archive.readers import Readers
from plugins.logs.archive.records import (
    Change,
    ChannelInfo,
    Counts,
    DayPage,
    Found,
    MonthDays,
    Person,
    Talker,
)
from plugins.logs.archive.writing import Writer, storable
from plugins.logs.archive.writing_thread import WritingThread
from plugins.logs.interfaces import ArchiveBusy, IArchive
from plugins.logs.line import MICROSECONDS, Gap, Line
from plugins.logs.settings import ChannelSettings
from pynfo.irc.events import User
from pynfo.off_the_record import off_the_record

log = logging.getLogger(__name__)

SEARCH_LIMIT = 1.5  # seconds of a search, of which it then tells what it has found
POLL = 0.5  # seconds between two looks at an archive that another process writes
FOLLOW_LIMIT = 15.0  # seconds that `changed` waits
PEOPLE_AGE = 600.0  # seconds
PEOPLE_KNOWN = 200  # channels whose people are remembered
PEOPLE_COUNTED = 200  # of each, at least
EXPORTED = 1000  # lines read at once
TIDY_TRIES = 20  # to leave nothing of what was removed in the files, while somebody reads them

T = TypeVar("T")
Tell = Callable[[str | None], object]  # what the operator should know; None: it is over


class _Counted(NamedTuple):
    """The most active people of a place, and the version that it had then. `until`: of the loop's clock."""

    limit: int
    until: float
    counting: asyncio.Future[tuple[int, list[Talker]]]


@implementer(IArchive)
class Archive:
    """The archive in a folder. `places`: the channels that are kept.

    `tell` is called, on the event loop, with what keeps lines from being written, and with None when it is
    over. `clock` gives UTC epoch seconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        places: Mapping[str, ChannelSettings],
        read_only: bool = False,
        tell: Tell = lambda text: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.key = load_key(folder)
        self.read_only = read_only
        self._path = folder / "archive.db"
        self._places = dict(places)
        self._clock = clock
        self._consents = Consents(self.key)
        self._loop = asyncio.get_running_loop()
        self._readers = Readers(self._path)
        self._thread = WritingThread(self._keep, tell, self._look)
        self._seq = 0
        self._following: asyncio.Future[None] | None = None
        self._polling: asyncio.Task[None] | None = None
        self._people: dict[str, _Counted] = {}
        self._erasing: set[asyncio.Task[int]] = set()
        self._stopped = False
        self.identity = lru_cache(4096)(self._identity)
        connection = open_archive(self._path, read_only=read_only)  # one that cannot be used is told at once
        self._writer = Writer(connection, self._consents, clock)
        self._eraser = Eraser(self._writer, self._consents)
        self._consents.load(connection)
        self._seq = reading.latest(connection)
        if not read_only:
            self._thread.start(self._begin)
            self._erase_apart(self._eraser.go_on())

    async def stop(self) -> None:
        """Write what waits, for a bounded time, and let go of the files."""
        self._stopped = True
        if self._polling is not None:
            self._polling.cancel()
        self._notify()
        if self.read_only or await self._thread.stop():
            self._writer.connection.close()
        for erasing in self._erasing:
            erasing.cancel()
        self._readers.stop()

    # -- writing

    def append(self, line: Line) -> None:
        self._writable()
        if not (off_the_record(line.text) or self._consents.leaves_out(line)):
            self._thread.append(line)

    async def flush(self) -> None:
        await self._write(lambda: None)

    async def add(self, lines: Iterable[Line]) -> int:
        some = list(lines)
        return await self._write(lambda: self._writer.add(some))

    async def known_until(self, place: str) -> float:
        return await self._readers.run(reading.known_until, place)

    async def know(self, place: str, until: float, gap: Gap | None = None) -> None:
        await self._write(lambda: self._know(place, until, gap))

    async def set_topic(self, place: str, topic: str) -> None:
        await self._write(lambda: self._change_topic(place, storable(topic)))

    async def set_publish(self, place: str, on: bool | None) -> None:
        said = None if on is None else "on" if on else "off"
        await self._write(lambda: self._change(place, "publish", said))

    async def redact(
        self, line_id: int | None = None, *, network: str | None = None, msgid: str | None = None
    ) -> bool:
        def redact() -> Iterator[int]:
            ids = [line_id] if line_id is not None else self._eraser.by_msgid(network or "", msgid or "")
            yield from map(self._eraser.redact, ids)

        return await self._erase(redact()) > 0

    async def opt_out(self, network: str, person: Person, out: bool) -> None:
        await self._write(lambda: self._eraser.opt_out(network, person, out, self._clock()))

    def is_out(self, network: str, user: User) -> bool:
        return self._consents.is_out(network, user.nick, user.account, self.identity(user))

    async def count(self, network: str, person: Person) -> int:
        return await self._write(lambda: self._eraser.count(network, person))

    async def forget(self, network: str, person: Person) -> int:
        return await self._erase(self._eraser.forget(network, person, self._clock()))

    async def retain(self) -> int:
        def retain() -> Iterator[int]:
            for place, settings in self._places.items():
                if settings.keep_seconds is not None:
                    since = round((self._clock() - settings.keep_seconds) * MICROSECONDS)
                    yield from self._eraser.retain(self._channel(place), since)

        return await self._erase(retain())

    # -- reading

    async def channels(self) -> list[ChannelInfo]:
        return await self._readers.run(reading.channels, self._today())

    async def channel(self, place: str) -> ChannelInfo | None:
        return await self._readers.run(reading.channel, place, self._today())

    async def day(self, place: str, day: date, page: int | None = None) -> DayPage | None:
        return await self._readers.run(reading.day_page, place, day, page)

    async def day_version(self, place: str, day: date) -> str:
        return await self._readers.run(reading.day_version, place, day)

    async def page_of(self, line_id: int) -> tuple[str, date, int] | None:
        return await self._readers.run(reading.page_of, line_id)

    async def line(self, line_id: int) -> Line | None:
        found: list[Line] = await self._readers.run(reading.lines_by_ids, [line_id])
        return found[0] if found else None

    async def line_of(self, network: str, msgid: str) -> Line | None:
        return await self._readers.run(reading.line_by_msgid, network, storable(msgid))

    async def around(self, line_id: int, before: int = 5, after: int = 5) -> list[Line]:
        return await self._readers.run(reading.around, line_id, before, after)

    async def last(self, place: str) -> Line | None:
        return await self._readers.run(reading.last, place)

    async def last_by(self, network: str, nick: str, places: Iterable[str]) -> Line | None:
        some = [place for place in places if place.startswith(f"{network}/")]
        return await self._readers.run(reading.last_by, nick, some)

    async def calendar(self, place: str) -> dict[date, int]:
        return await self._readers.run(reading.calendar, place)

    async def month(self, place: str, day: date) -> MonthDays:
        return await self._readers.run(reading.month, place, day)

    async def activity(self, place: str) -> list[tuple[int, int]]:
        return await self._readers.run(reading.activity, place)

    async def people(self, place: str, limit: int = 50) -> list[Talker]:
        """Counted anew every ten minutes at most, since it takes a look at every line; and whenever a line
        was removed, by this process or another."""
        known = self._people.get(place)
        if known is None or known.until < self._loop.time() or known.limit < limit:
            known = self._count_people(place, max(limit, PEOPLE_COUNTED))
        version, people = await asyncio.shield(known.counting)
        if version != await self._readers.run(reading.version_of, place):
            newer = self._people.get(place)
            if newer is None or newer is known:
                newer = self._count_people(place, known.limit)
            version, people = await asyncio.shield(newer.counting)
        return people[:limit]

    def _count_people(self, place: str, limit: int) -> _Counted:
        """Once for all who ask meanwhile."""

        def count(connection: sqlite3.Connection) -> tuple[int, list[Talker]]:
            return reading.version_of(connection, place), reading.people(connection, place, limit)

        if len(self._people) >= PEOPLE_KNOWN:
            self._people.clear()
        counting = asyncio.ensure_future(self._readers.run(count))
        counted = self._people[place] = _Counted(limit, self._loop.time() + PEOPLE_AGE, counting)
        counting.add_done_callback(lambda done: self._has_counted(place, counted))
        return counted

    def _has_counted(self, place: str, counted: _Counted) -> None:
        """What failed is tried again when it is asked for again."""
        failed = counted.counting.cancelled() or counted.counting.exception() is not None
        if failed and self._people.get(place) is counted:
            del self._people[place]

    async def topics(self, place: str, limit: int = 50) -> list[Line]:
        return await self._readers.run(reading.topics, place, limit)

    async def search(
        self,
        query: Query,
        places: Sequence[str],
        *,
        before: str | None = None,
        limit: int = 50,
        best_first: bool = False,
    ) -> Found:
        def search(connection: sqlite3.Connection, deadline: float) -> Found:
            return searching.search(
                connection,
                query,
                reading.visible(connection, places),
                before=before,
                limit=limit,
                best_first=best_first,
                deadline=deadline,
            )

        return await self._readers.run(search, time.monotonic() + SEARCH_LIMIT)

    async def counts(self, query: Query, places: Sequence[str]) -> Counts:
        def counts(connection: sqlite3.Connection, deadline: float) -> Counts:
            return searching.counts(connection, query, reading.visible(connection, places), deadline=deadline)

        return await self._readers.run(counts, time.monotonic() + SEARCH_LIMIT)

    async def export(
        self, place: str, since: float | None = None, until: float | None = None
    ) -> AsyncIterator[Line]:
        after = -1 if since is None else round(since * MICROSECONDS) - 1
        end = 2**62 if until is None else round(until * MICROSECONDS)
        while lines := await self._readers.run(reading.export, place, after, end, EXPORTED):
            for line in lines:
                yield line
            after = lines[-1].id

    # -- following

    async def latest(self, place: str) -> int:
        return await self._readers.run(reading.latest_of, place)

    async def changes(self, place: str, after: int, limit: int = 500) -> list[Change] | None:
        return await self._readers.run(reading.changes, place, after, limit)

    async def changed(self, after: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FOLLOW_LIMIT):
                while not (self._seq > after or self._stopped):
                    await self._next_commit()

    async def _next_commit(self) -> None:
        if self.read_only and (self._polling is None or self._polling.done()):
            self._polling = asyncio.create_task(self._poll())
        if self._following is None or self._following.done():
            self._following = self._loop.create_future()
        await asyncio.shield(self._following)

    async def _poll(self) -> None:
        """Look whether another process has written, for as long as somebody waits for it."""
        while self._following is not None:
            await asyncio.sleep(POLL)
            with suppress(ArchiveBusy):
                seq = await self._readers.run(reading.latest)
                if seq > self._seq:
                    self._committed(seq)

    def _committed(self, seq: int) -> None:
        self._seq = max(self._seq, seq)
        self._notify()

    def _notify(self) -> None:
        following, self._following = self._following, None
        if following is not None and not following.done():
            following.set_result(None)

    # -- jobs, on the thread that writes

    def _keep(self, lines: Sequence[Line], lost: dict[str, Gap]) -> None:
        self._writer.insert(lines)
        for place, gap in lost.items():
            self._know(place, 0.0, gap)

    def _look(self) -> None:
        """Wake those who follow, where something has changed."""
        with suppress(sqlite3.Error, RuntimeError):  # the next look will do; the loop is closed
            seq = reading.latest(self._writer.connection)
            self._loop.call_soon_threadsafe(self._committed, seq)

    def _begin(self) -> None:
        """Channels of the config are there from the start, and what was left to rewrite is done."""
        with self._writer.writing():
            for place in self._places:
                self._channel(place)
        for _ in self._eraser.rewrite():
            pass
        self._eraser.empty_log()

    def _channel(self, place: str) -> int:
        network, _, name = place.partition("/")
        return self._writer.channel(network, name)

    def _know(self, place: str, until: float, gap: Gap | None) -> None:
        with self._writer.writing():
            channel, execute = self._channel(place), self._writer.connection.execute
            execute(
                "UPDATE channels SET known_until = max(known_until, ?) WHERE id = ?",
                (round(until * MICROSECONDS), channel),
            )
            if gap is not None and gap.end > gap.start:
                execute(
                    "INSERT OR REPLACE INTO gaps (channel, since, until) VALUES (?, ?, ?)",
                    (channel, round(gap.start * MICROSECONDS), round(gap.end * MICROSECONDS)),
                )
                execute(
                    "UPDATE channels SET version = ? WHERE id = ?", (self._writer.next_version(), channel)
                )

    def _change_topic(self, place: str, topic: str) -> None:
        network, _, channel = place.partition("/")
        hidden = off_the_record(topic) or self._consents.is_removed_topic(network, channel, topic)
        self._change(place, "topic", "" if hidden else topic)

    def _change(self, place: str, column: str, value: str | None) -> None:
        with self._writer.writing():
            self._writer.connection.execute(
                f"UPDATE channels SET {column} = ?, version = ? WHERE id = ? AND {column} IS NOT ?",
                (value, self._writer.next_version(), self._channel(place), value),
            )

    # -- from the event loop to the threads

    def _writable(self) -> None:
        if self.read_only:
            raise PermissionError("this process only reads the archive: the bot writes it")

    async def _erase(self, steps: Iterator[int]) -> int:
        """Remove something step by step, and leave no trace of it; gives how much it was.

        It is done to its end though whoever awaits it may go.
        """
        self._writable()
        return await asyncio.shield(self._erase_apart(steps))

    def _erase_apart(self, steps: Iterator[int]) -> asyncio.Task[int]:
        erasing = asyncio.create_task(self._erase_all(steps))
        self._erasing.add(erasing)
        erasing.add_done_callback(self._has_erased)
        return erasing

    async def _erase_all(self, steps: Iterator[int]) -> int:
        """Lines that are said meanwhile are written between the steps."""
        count = await self._take(steps)
        for _ in range(TIDY_TRIES):
            await self._take(self._eraser.rewrite())
            if await self._write(self._eraser.empty_log):
                return count
            await asyncio.sleep(POLL)
        log.warning(
            "%s: somebody reads all the time; what was removed is in a file until they end", self._path
        )
        return count

    async def _take(self, steps: Iterator[int]) -> int:
        count = 0
        while (done := await self._write(lambda: next(steps, None))) is not None:
            count += done
        return count

    def _has_erased(self, erasing: asyncio.Task[int]) -> None:
        self._erasing.discard(erasing)
        if not erasing.cancelled():
            erasing.exception()  # whoever waits gets it; nobody may wait any more

    async def _write(self, function: Callable[[], T]) -> T:
        """*await* a job on the thread that writes."""
        self._writable()
        return await self._thread.do(function)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock(), UTC).date()

    def _identity(self, user: User) -> bytes:
        if user.account or not user.host:
            return b""
        return keyed_hash(self.key, "identity", f"{user.username}@{user.host}")
