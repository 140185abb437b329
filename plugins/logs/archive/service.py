"""`IArchive` on SQLite: one thread that writes, a few that read, and a queue between IRC and the disk.

Lines are gathered for `GATHER` seconds and written together. Where the disk is full or the file is locked
they wait, the operator is told, and it is tried again; past `WAITING_LIMIT` what is lost becomes a gap that
is shown. Everything else that writes is a job of the same thread, done after the lines that came before it.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from zope.interface import implementer

from plugins.logs.archive import reading, searching
from plugins.logs.archive.consents import Consents, keyed_hash
from plugins.logs.archive.database import load_key, open_archive
from plugins.logs.archive.erasing import Eraser
from plugins.logs.archive.query import Query
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
from plugins.logs.consent import off_the_record
from plugins.logs.interfaces import ArchiveBusy, IArchive
from plugins.logs.line import MICROSECONDS, Gap, Line
from plugins.logs.settings import ChannelSettings
from pynfo.irc.events import User
from pynfo.services.threads import Busy, ThreadPool

log = logging.getLogger(__name__)

GATHER = 0.2  # seconds
BATCH = 2000  # lines in one transaction
WAITING_LIMIT = 10_000  # lines that wait to be written
JOBS_LIMIT = 1000
RETRY_FIRST, RETRY_MOST = 0.5, 10.0  # seconds
READERS = 3
READERS_WAITING = 64
READ_LIMIT = 5.0  # seconds for one answer
SEARCH_LIMIT = 1.5  # seconds of a search, of which it then tells what it has found
STOP_LIMIT = 2.0  # seconds to write what waits
POLL = 0.5  # seconds between two looks at an archive that another process writes
FOLLOW_LIMIT = 15.0  # seconds that `changed` waits
PEOPLE_AGE = 600.0  # seconds
PEOPLE_KNOWN = 200  # channels whose people are remembered
EXPORTED = 1000  # lines read at once
STEPS = 20_000  # of SQLite's machine between two looks at the clock

T = TypeVar("T")
Tell = Callable[[str | None], object]  # what the operator should know; None: it is over


@implementer(IArchive)
class Archive:
    """The archive in a folder. `places`: the channels that are kept.

    `tell` is called on the event loop with what keeps lines from being written, and with None when it is
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
        self._tell = tell
        self._clock = clock
        self._consents = Consents(self.key)
        self._loop = asyncio.get_running_loop()
        self._readers = ThreadPool(lambda stuck: None, size=READERS, waiting_limit=READERS_WAITING)
        self._connections = threading.local()
        self._reading = threading.Lock()  # guards the next three
        self._idle: set[sqlite3.Connection] = set()  # connections of readers
        self._busy: set[sqlite3.Connection] = set()
        self._closed = False
        self._seq = 0
        self._following: asyncio.Future[None] | None = None
        self._polling: asyncio.Task[None] | None = None
        self._people: dict[tuple[str, int], tuple[float, list[Talker]]] = {}
        self._told = False
        self._wake = threading.Condition()  # guards what is below
        self._pending: deque[Line] = deque()
        self._jobs: deque[_Job] = deque()
        self._lost: dict[str, Gap] = {}
        self._stopping = False
        self._written_all: asyncio.Future[None] = self._loop.create_future()
        self.identity = lru_cache(4096)(self._identity)
        connection = open_archive(self._path, read_only=read_only)  # one that cannot be used is told at once
        self._writer = Writer(connection, self._consents, clock)
        self._eraser = Eraser(self._writer, self._consents)
        self._consents.load(connection)
        self._seq = reading.latest(connection)
        if not read_only:
            self._submit(self._begin)
            threading.Thread(target=self._write_all, name="pynfo-archive", daemon=True).start()

    async def stop(self) -> None:
        """Write what waits, within `STOP_LIMIT`, and let go of the files."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._polling is not None:
            self._polling.cancel()
        self._notify()
        if not self.read_only:
            await asyncio.wait([self._written_all], timeout=STOP_LIMIT)
            if self._pending:
                log.error("%d lines could not be written to %s", len(self._pending), self._path)
        if self.read_only or self._written_all.done():
            self._writer.connection.close()
        self._readers.close()
        # A connection that is in use on a thread must not be closed by another: SQLite would crash.
        with self._reading:
            self._closed = True
            for connection in self._busy:
                connection.interrupt()
            for connection in self._idle:
                connection.close()

    # -- writing

    def append(self, line: Line) -> None:
        self._writable()
        if off_the_record(line.text) or self._consents.is_out(
            line.network, line.nick, line.account, line.identity
        ):
            return
        with self._wake:
            if len(self._pending) >= WAITING_LIMIT:
                lost = self._lost.get(line.place)
                self._lost[line.place] = Gap(lost.start if lost else line.time, line.time)
                return
            self._pending.append(line)
            if len(self._pending) in (1, BATCH):
                self._wake.notify()

    async def flush(self) -> None:
        await self._write(lambda: None)

    async def add(self, lines: Iterable[Line]) -> int:
        some = list(lines)
        return await self._write(lambda: self._writer.add(some))

    async def known_until(self, place: str) -> float:
        return await self._read(reading.known_until, place)

    async def know(self, place: str, until: float, gap: Gap | None = None) -> None:
        await self._write(lambda: self._know(place, until, gap))

    async def set_topic(self, place: str, topic: str) -> None:
        await self._write(lambda: self._change(place, "topic", storable(topic)))

    async def set_publish(self, place: str, on: bool | None) -> None:
        said = None if on is None else "on" if on else "off"
        await self._write(lambda: self._change(place, "publish", said))

    async def redact(
        self, line_id: int | None = None, *, network: str | None = None, msgid: str | None = None
    ) -> bool:
        def redact() -> bool:
            ids = [line_id] if line_id is not None else self._eraser.by_msgid(network or "", msgid or "")
            return sum(map(self._eraser.redact, ids)) > 0

        return await self._erase(redact)

    async def opt_out(self, network: str, person: Person, out: bool) -> None:
        await self._write(lambda: self._eraser.opt_out(network, person, out, self._clock()))

    def is_out(self, network: str, user: User) -> bool:
        return self._consents.is_out(network, user.nick, user.account, self.identity(user))

    async def count(self, network: str, person: Person) -> int:
        return await self._write(lambda: self._eraser.count(network, person))

    async def forget(self, network: str, person: Person) -> int:
        return await self._erase(lambda: self._eraser.forget(network, person, self._clock()))

    async def retain(self) -> int:
        def retain() -> int:
            count = 0
            for place, settings in self._places.items():
                if settings.keep_seconds is not None:
                    since = round((self._clock() - settings.keep_seconds) * MICROSECONDS)
                    count += self._eraser.retain(self._channel(place), since)
            return count

        return await self._erase(retain)

    # -- reading

    async def channels(self) -> list[ChannelInfo]:
        return await self._read(reading.channels, self._today())

    async def channel(self, place: str) -> ChannelInfo | None:
        return await self._read(reading.channel, place, self._today())

    async def day(self, place: str, day: date, page: int | None = None) -> DayPage | None:
        return await self._read(reading.day_page, place, day, page)

    async def day_version(self, place: str, day: date) -> str:
        return await self._read(reading.day_version, place, day)

    async def page_of(self, line_id: int) -> tuple[str, date, int] | None:
        return await self._read(reading.page_of, line_id)

    async def line(self, line_id: int) -> Line | None:
        found: list[Line] = await self._read(reading.lines_by_ids, [line_id])
        return found[0] if found else None

    async def around(self, line_id: int, before: int = 5, after: int = 5) -> list[Line]:
        return await self._read(reading.around, line_id, before, after)

    async def last(self, place: str) -> Line | None:
        return await self._read(reading.last, place)

    async def last_by(self, network: str, nick: str, places: Iterable[str]) -> Line | None:
        some = [place for place in places if place.startswith(f"{network}/")]
        return await self._read(reading.last_by, nick, some)

    async def calendar(self, place: str) -> dict[date, int]:
        return await self._read(reading.calendar, place)

    async def month(self, place: str, day: date) -> MonthDays:
        return await self._read(reading.month, place, day)

    async def activity(self, place: str) -> list[tuple[int, int]]:
        return await self._read(reading.activity, place)

    async def people(self, place: str, limit: int = 50) -> list[Talker]:
        """Counted anew every ten minutes at most: it takes a look at every line."""
        known = self._people.get((place, limit))
        if known is not None and known[0] > self._loop.time():
            return known[1]
        people = await self._read(reading.people, place, limit)
        if len(self._people) >= PEOPLE_KNOWN:
            self._people.clear()
        self._people[place, limit] = (self._loop.time() + PEOPLE_AGE, people)
        return people

    async def topics(self, place: str, limit: int = 50) -> list[Line]:
        return await self._read(reading.topics, place, limit)

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

        return await self._read(search, time.monotonic() + SEARCH_LIMIT)

    async def counts(self, query: Query, places: Sequence[str]) -> Counts:
        def counts(connection: sqlite3.Connection, deadline: float) -> Counts:
            return searching.counts(connection, query, reading.visible(connection, places), deadline=deadline)

        return await self._read(counts, time.monotonic() + SEARCH_LIMIT)

    async def export(
        self, place: str, since: float | None = None, until: float | None = None
    ) -> AsyncIterator[Line]:
        after = -1 if since is None else round(since * MICROSECONDS) - 1
        end = 2**62 if until is None else round(until * MICROSECONDS)
        while lines := await self._read(reading.export, place, after, end, EXPORTED):
            for line in lines:
                yield line
            after = lines[-1].id

    # -- following

    async def latest(self, place: str) -> int:
        return await self._read(reading.latest_of, place)

    async def changes(self, place: str, after: int, limit: int = 500) -> list[Change] | None:
        return await self._read(reading.changes, place, after, limit)

    async def changed(self, after: int) -> None:
        if self._seq > after or self._stopping:
            return
        if self.read_only and (self._polling is None or self._polling.done()):
            self._polling = asyncio.create_task(self._poll())
        if self._following is None or self._following.done():
            self._following = self._loop.create_future()
        with suppress(TimeoutError):
            async with asyncio.timeout(FOLLOW_LIMIT):
                await asyncio.shield(self._following)

    async def _poll(self) -> None:
        """Look whether another process has written, for as long as somebody waits for it."""
        while self._following is not None:
            await asyncio.sleep(POLL)
            with suppress(ArchiveBusy):
                seq = await self._read(reading.latest)
                if seq > self._seq:
                    self._committed(seq)

    def _committed(self, seq: int) -> None:
        self._seq = max(self._seq, seq)
        self._notify()

    def _notify(self) -> None:
        following, self._following = self._following, None
        if following is not None and not following.done():
            following.set_result(None)

    # -- on the thread that writes

    def _write_all(self) -> None:
        wait = 0.0
        while True:
            with self._wake:
                if wait:
                    self._wake.wait_for(lambda: self._stopping, timeout=wait)
                else:
                    self._wake.wait_for(lambda: self._pending or self._jobs or self._stopping)
                    if not self._jobs and not self._stopping:
                        self._wake.wait_for(self._enough, timeout=GATHER)
                lines = [self._pending[at] for at in range(min(BATCH, len(self._pending)))]
                jobs = len(self._jobs) if len(lines) == len(self._pending) else 0
            written = not lines or self._write_lines(lines)
            if written:
                wait = 0.0
                with self._wake:
                    for _ in lines:
                        self._pending.popleft()
                for _ in range(jobs):
                    self._jobs.popleft().run()
            else:
                wait = min(max(wait * 2, RETRY_FIRST), RETRY_MOST)
            if self._stopping and (not written or not (self._pending or self._jobs)):
                self._call(_settle, self._written_all, None, None)
                return

    def _enough(self) -> bool:
        return len(self._pending) >= BATCH or bool(self._jobs) or self._stopping

    def _write_lines(self, lines: list[Line]) -> bool:
        """Whether it could be done; the operator is told where it could not."""
        try:
            self._writer.insert(lines)
            with self._wake:
                lost, self._lost = self._lost, {}
            for place, gap in lost.items():
                self._know(place, 0.0, gap)
        except sqlite3.Error as error:
            if not self._told:
                self._told = True
                log.warning("%s cannot be written: %s", self._path, error)
            text = f"the archive cannot be written ({error}): lines wait, and it is tried again"
            self._call(self._tell, text)
            return False
        except Exception:
            if len(lines) == 1:
                log.exception("a line cannot be kept, and is left out: %r", lines[0])
                return True
            return sum(self._write_lines([line]) for line in lines) == len(lines)  # each by itself
        if self._told:
            self._told = False
            self._call(self._tell, None)
        self._call(self._committed, reading.latest(self._writer.connection))
        return True

    def _begin(self) -> None:
        """Channels of the config are there from the start, and what was left to tidy is done."""
        with self._writer.writing():
            for place in self._places:
                self._channel(place)
        self._eraser.tidy()

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

    async def _erase(self, function: Callable[[], T]) -> T:
        """Remove something, and leave no trace of it; where somebody reads just now, soon after."""
        outcome = await self._write(function)
        self._people.clear()
        for _ in range(20):
            if await self._write(self._eraser.tidy):
                return outcome
            await asyncio.sleep(POLL)
        log.warning(
            "%s: somebody reads all the time; what was removed is in a file until they end", self._path
        )
        return outcome

    async def _write(self, function: Callable[[], T]) -> T:
        """*await* a job on the thread that writes."""
        self._writable()
        future: asyncio.Future[T] = self._loop.create_future()
        self._submit(function, future)
        outcome = await future
        self._committed(self._seq)
        return outcome

    def _submit(self, function: Callable[[], T], future: asyncio.Future[T] | None = None) -> None:
        with self._wake:
            if len(self._jobs) >= JOBS_LIMIT or self._stopping:
                raise ArchiveBusy("the archive is stopping, or has too much to write now")
            self._jobs.append(_Job(self, function, future))
            self._wake.notify()

    async def _read(self, function: Callable[..., T], *arguments: Any) -> T:
        """*await* `function(connection, *arguments)` on a thread. Raises `ArchiveBusy`."""
        try:
            return await self._readers.run(self._read_now, function, arguments)
        except Busy as error:
            raise ArchiveBusy("the log is read by too many just now: try again soon") from error

    def _read_now(self, function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        connection = self._take_connection()
        deadline = time.monotonic() + READ_LIMIT
        try:
            connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
            connection.execute("BEGIN")  # all that one answer says is of one moment
            return function(connection, *arguments)
        except sqlite3.OperationalError as error:
            raise ArchiveBusy("the log takes too long to answer: ask for less") from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._give_back(connection)

    def _take_connection(self) -> sqlite3.Connection:
        """The connection of this thread. Raises `ArchiveBusy` once the archive has stopped."""
        connection: sqlite3.Connection | None = getattr(self._connections, "reader", None)
        if connection is None:
            connection = self._connections.reader = open_archive(self._path, read_only=True)
        with self._reading:
            if not self._closed:
                self._idle.discard(connection)
                self._busy.add(connection)
                return connection
            if connection not in self._idle:
                connection.close()
        raise ArchiveBusy("the archive has stopped")

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._reading:
            self._busy.discard(connection)
            if self._closed:
                connection.close()
            else:
                self._idle.add(connection)

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(function, *arguments)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock(), UTC).date()

    def _identity(self, user: User) -> bytes:
        if user.account or not user.host:
            return b""
        return keyed_hash(self.key, "identity", f"{user.username}@{user.host}")


class _Job:
    """Something to do on the thread that writes, and who waits for it."""

    __slots__ = ("_archive", "_function", "_future")

    def __init__(
        self, archive: Archive, function: Callable[[], Any], future: asyncio.Future[Any] | None
    ) -> None:
        self._archive = archive
        self._function = function
        self._future = future

    def run(self) -> None:
        outcome: Any = None
        failure: Exception | None = None
        try:
            outcome = self._function()
        except sqlite3.OperationalError as error:
            failure = ArchiveBusy(f"the archive cannot be written now ({error}): try again later")
        except Exception as error:  # noqa: BLE001 - whoever awaits it gets it
            failure = error
        if failure is not None and self._future is None:
            log.error("the archive could not be prepared: %s", failure)
        self._archive._call(self._archive._committed, _latest(self._archive._writer.connection))
        if self._future is not None:
            self._archive._call(_settle, self._future, outcome, failure)


def _latest(connection: sqlite3.Connection) -> int:
    try:
        return reading.latest(connection)
    except sqlite3.Error:
        return 0


def _settle(future: asyncio.Future[Any], outcome: object, failure: Exception | None) -> None:
    if future.done():
        return
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(outcome)
