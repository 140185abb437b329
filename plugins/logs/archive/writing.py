"""Lines into the archive: one transaction for each batch, their words indexed with them.

`Writer` works on one connection, on one thread. What it needs for a line but the inserts themselves is kept
in memory, since thousands of lines come in a second when files are read.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter, itemgetter

from plugins.logs.archive.consents import Consents
from plugins.logs.archive.database import transaction
from plugins.logs.archive.words import CREATE, indexed, table_of
from plugins.logs.line import DAY, KINDS, MICROSECONDS, TALK, Line
from pynfo.irc.casemap import fold
from pynfo.irc.formatting import plain
from pynfo.off_the_record import off_the_record

FETCHED, REDACTED = 1, 2  # flags of a line
NEW, REDACTION, REMOVAL = 0, 1, 2  # kinds of changes
CHANGES_KEPT = 50_000
AUTHORS_KNOWN = 50_000  # ids kept in memory
HOUR = 3600 * MICROSECONDS
MINUTE = 60 * MICROSECONDS
SAME = MICROSECONDS  # lines that are alike and nearer than this are one, told twice
RECENT = 86400.0  # seconds: older lines are nothing new to whoever watches a live page

INSERT_LINE = (
    "INSERT INTO lines (id, channel, kind, author, text, target, msgid, reply_to, origin, flags) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
INSERT_HOUR = (
    "INSERT INTO hours (channel, hour, lines, talk, version) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET lines = lines + excluded.lines, talk = talk + excluded.talk, "
    "version = excluded.version"
)
INSERT_CHANGE = "INSERT INTO changes (channel, line, what) VALUES (?, ?, ?)"

_time = attrgetter("time")
_KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}

_There = defaultdict[tuple[str, str, str, str], list[tuple[int, str | None]]]
Row = tuple[int, int, int, int, str, str | None, str | None, str | None, str | None, int]
Author = tuple[str, str, str, bytes, str]  # their own network, nick, account, identity, host


class Writer:
    """Writes on `connection`. `consents`: who is left out; None: nobody is."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        consents: Consents | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.connection = connection
        self._consents = consents
        self._clock = clock
        self._channels: dict[tuple[str, str], int] = {}
        self._authors: dict[Author, int] = {}
        self._tables: set[str] = set()
        self._version = 0
        self._seen = -1  # of what other connections wrote: SQLite's `data_version`
        self._path: str = connection.execute("PRAGMA database_list").fetchone()[2]  # "": in memory
        self._file = _file_at(self._path)

    def insert(self, lines: Iterable[Line]) -> list[int]:
        """Keep lines that were just said; gives their ids, in order of time.

        Those whose msgid is there already are left out.
        """
        with self.writing():
            return self._insert(self._unknown(sorted(lines, key=_time)), since=0)

    def add(self, lines: Iterable[Line]) -> int:
        """Keep older lines that are not there yet: see `IArchive.add`. Gives how many were new."""
        with self.writing():
            wanted = [line for line in sorted(lines, key=_time) if self._may_come_back(line)]
            new = self._unknown(self._missing(wanted))
            self._insert(new, since=int((self._clock() - RECENT) * MICROSECONDS))
        return len(new)

    def channel(self, network: str, name: str) -> int:
        """The id of a channel, made where there is none."""
        known = self._channels.get((network, name))
        if known is None:
            execute = self.connection.execute
            execute("INSERT OR IGNORE INTO channels (network, name) VALUES (?, ?)", (network, name))
            found = execute("SELECT id FROM channels WHERE network = ? AND name = ?", (network, name))
            known = self._channels[network, name] = found.fetchone()[0]
        return known

    def next_version(self) -> int:
        """A number that no hour had before."""
        self._version = max(self._version + 1, time.time_ns() // 1000)
        return self._version

    def forget_table(self, table: str) -> None:
        """A table of words was dropped."""
        self._tables.discard(table)

    def forget_authors(self) -> None:
        """Authors were removed: look their ids up again."""
        self._authors.clear()

    # -- inserting

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction. Where it is taken back, so are the ids and tables that were made in it."""
        if _file_at(self._path) != self._file:  # SQLite would write on into a file that nobody finds any more
            raise sqlite3.OperationalError(
                f"{self._path} was removed or replaced while it was open: load the plugin logs anew"
            )
        try:
            with transaction(self.connection):
                self._learn()
                yield
        except BaseException:
            self._channels.clear()
            self._authors.clear()
            self._tables.clear()
            raise

    def _learn(self) -> None:
        """Where another process has written, as `pynfo logs import` and the bot do beside each other, nothing
        that is remembered may be true any more: authors may be gone, and people may have opted out."""
        version: int = self.connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._seen:
            self._seen = version
            self._channels.clear()
            self._authors.clear()
            self._tables.clear()
            if self._consents is not None:
                self._consents.load(self.connection)

    def _insert(self, lines: Sequence[Line], since: int) -> list[int]:
        """Keep lines, which are in order of time; those with ids from `since` on are news."""
        rows: list[Row] = []
        index: list[tuple[str, int, str, str]] = []
        hours: defaultdict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
        author_of, free = self._author, self._free_ids(lines)
        channel_key, channel = None, 0
        table, table_end = "", 0
        for line, line_id in zip(lines, free, strict=True):
            key = (line.network, line.channel)
            if key != channel_key:
                channel_key, channel = key, self.channel(*key)
            kind, text = line.kind, storable(line.text)
            rows.append(
                (
                    line_id,
                    channel,
                    _KIND_NUMBERS[kind],
                    author_of(line),
                    text,
                    _maybe(line.target),
                    _maybe(line.msgid),
                    _maybe(line.reply_to),
                    _maybe(line.origin),
                    line.fetched | line.redacted << 1,
                )
            )
            if line_id >= table_end:
                table, table_end = table_of(line_id), (line_id // DAY + 1) * DAY
            index.append((table, line_id, *indexed(text, kind, line.nick, channel)))
            hour = hours[channel, line_id // HOUR]
            hour[0] += 1
            hour[1] += kind in TALK
        executemany = self.connection.executemany
        executemany(INSERT_LINE, rows)
        for table, entries in groupby(index, key=itemgetter(0)):
            self._make_table(table)
            executemany(
                f"INSERT INTO {table} (rowid, text, marks) VALUES (?, ?, ?)",
                (entry[1:] for entry in entries),
            )
        version = self.next_version()
        executemany(INSERT_HOUR, ((*key, *counts, version) for key, counts in hours.items()))
        self._count(hours)
        executemany(INSERT_CHANGE, ((row[1], row[0], NEW) for row in rows if row[0] >= since))
        self._trim_changes()
        return free

    def _author(self, line: Line) -> int:
        author = (line.author_network, line.nick, line.account or "", line.identity, line.host)
        known = self._authors.get(author)
        if known is None:
            if len(self._authors) >= AUTHORS_KNOWN:
                self._authors.clear()
            execute = self.connection.execute
            row = [part if isinstance(part, bytes) else storable(part) for part in author]
            execute(
                "INSERT OR IGNORE INTO authors (network, nick, account, identity, host) "
                "VALUES (?, ?, ?, ?, ?)",
                row,
            )
            found = execute(
                "SELECT id FROM authors "
                "WHERE network = ? AND nick = ? AND account = ? AND identity = ? AND host = ?",
                row,
            )
            known = self._authors[author] = found.fetchone()[0]
        return known

    def _free_ids(self, lines: Sequence[Line]) -> list[int]:
        """An id for each line, in order: its time, or the next that is free."""
        newest = self.connection.execute("SELECT max(id) FROM lines").fetchone()[0] or 0
        ids, last = [], 0
        for line in lines:
            wanted = max(round(line.time * MICROSECONDS), last + 1, 1)
            last = wanted if wanted > newest else self._next_free(wanted)
            ids.append(last)
        return ids

    def _next_free(self, wanted: int) -> int:
        execute = self.connection.execute
        if execute("SELECT 1 FROM lines WHERE id = ?", (wanted,)).fetchone() is None:
            return wanted
        found = execute(
            "SELECT id + 1 FROM lines AS line WHERE id >= ? "
            "AND NOT EXISTS (SELECT 1 FROM lines WHERE id = line.id + 1) ORDER BY id LIMIT 1",
            (wanted,),
        )
        free: int = found.fetchone()[0]
        return free

    def _make_table(self, table: str) -> None:
        if table not in self._tables:
            self.connection.execute(CREATE.format(table))
            self._tables.add(table)

    def _count(self, hours: dict[tuple[int, int], list[int]]) -> None:
        channels: defaultdict[int, int] = defaultdict(int)
        for (channel, _), (lines, _) in hours.items():
            channels[channel] += lines
        self.connection.executemany(
            "UPDATE channels SET lines = lines + ? WHERE id = ?",
            ((count, channel) for channel, count in channels.items()),
        )

    def _trim_changes(self) -> None:
        self.connection.execute(
            "DELETE FROM changes WHERE seq <= (SELECT max(seq) FROM changes) - ?", (CHANGES_KEPT,)
        )

    # -- what is there already, and what is not wanted

    def _unknown(self, lines: Iterable[Line]) -> list[Line]:
        """Without those whose msgid the channel has already."""
        execute = self.connection.execute
        seen: set[tuple[str, str, str]] = set()
        unknown = []
        for line in lines:
            if line.msgid:
                key = (line.network, line.channel, line.msgid)
                channel = self.channel(line.network, line.channel)
                msgid = storable(line.msgid)
                found = execute("SELECT 1 FROM lines WHERE msgid = ? AND channel = ?", (msgid, channel))
                if key in seen or found.fetchone() is not None:
                    continue
                seen.add(key)
            unknown.append(line)
        return unknown

    def _may_come_back(self, line: Line) -> bool:
        if off_the_record(line.text):
            return False
        consents = self._consents
        return consents is None or not (consents.leaves_out(line) or consents.is_forgotten(line))

    def _missing(self, lines: Sequence[Line]) -> list[Line]:
        """Those that no line of the archive is the same as. Each line there stands for one of them."""
        if not lines:
            return []
        whole_minutes = all(line.time % 60 == 0 for line in lines)
        by_channel: defaultdict[int, list[Line]] = defaultdict(list)
        for line in lines:
            by_channel[self.channel(line.network, line.channel)].append(line)
        missing = []
        for channel, some in by_channel.items():
            there = self._there(channel, some, MINUTE if whole_minutes else SAME)
            missing += [line for line in some if not _take(there, line, whole_minutes)]
        return sorted(missing, key=_time)

    def _there(self, channel: int, lines: Sequence[Line], slack: int) -> _There:
        """The lines of the archive in the time of `lines`, by kind, nick and text."""
        first = round(lines[0].time * MICROSECONDS) - slack
        last = round(lines[-1].time * MICROSECONDS) + slack
        there: _There = defaultdict(list)
        for line_id, kind, nick, text, target, msgid in self.connection.execute(
            "SELECT lines.id, kind, nick, text, target, msgid FROM lines JOIN authors ON authors.id = author "
            "WHERE channel = ? AND lines.id BETWEEN ? AND ? ORDER BY lines.id",
            (channel, first, last),
        ):
            there[_sameness(KINDS[kind], nick, text, target or "")].append((line_id, msgid))
        return there


def _file_at(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def storable(text: str) -> str:
    """Without what no database takes: lone surrogates and NUL are replaced."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")


def _maybe(text: str | None) -> str | None:
    return storable(text) if text else None


def _take(there: _There, line: Line, whole_minutes: bool) -> bool:
    """Whether a line of the archive is the same, which then stands for no other."""
    alike = there.get(_sameness(line.kind, line.nick, line.text, line.target))
    if not alike:
        return False
    wanted = round(line.time * MICROSECONDS)
    for index, (line_id, msgid) in enumerate(alike):
        near = line_id // MINUTE == wanted // MINUTE if whole_minutes else abs(line_id - wanted) < SAME
        if near and (not msgid or not line.msgid or msgid == line.msgid):
            del alike[index]
            return True
    return False


def _sameness(kind: str, nick: str, text: str, target: str) -> tuple[str, str, str, str]:
    """What two tellings of one line have in common: files may have lost the formatting."""
    return kind, fold(nick, "rfc1459"), plain(text).strip(), fold(target, "rfc1459")
