"""Search: from a `Query` to the lines, month by month, the newest first.

Each month has a table of words (see words.py). They are gone through until there are enough lines, or the
time is over; that is looked at after each hit, and between months. One month is all that a query can take
beyond its time, since SQLite does not stop within a step of its full-text index.

Which channels may be seen is decided by a look at each line that was found, and by that alone. Where too many
are thrown away, the index is told the channels, too. The caller's transaction makes all that is read
that of one moment.
"""

from __future__ import annotations

import math
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import islice
from typing import NamedTuple

from plugins.logs.archive.expressions import expressions, is_named
from plugins.logs.archive.highlighting import by_term
from plugins.logs.archive.query import Query, QueryError
from plugins.logs.archive.reading import AT_ONCE, lines_by_ids, months
from plugins.logs.archive.records import Counts, Found
from plugins.logs.archive.words import WORDED
from plugins.logs.archive.writing import REDACTED
from plugins.logs.line import DAY, KINDS, ids_of, time_of
from pynfo.irc.casemap import fold
from pynfo.irc.formatting import plain

RANKED = 2_000  # the newest hits that "best first" puts in order
COUNTED = 10_000  # the newest hits that are counted
PATIENCE = 40  # hits of a month that are not wanted, until the index is asked for those alone that are
MOST_COUNTS = 20  # of channels, of nicks, of months
LAST_ID = 2**63 - 1
NEWEST, BEST = "n", "b"  # what a cursor begins with
_NUMBER = re.compile("[0-9a-f]{1,15}")  # that fits into 63 bits

# Okapi BM25's usual constants, and how long an ordinary line is. How rare a word is plays no part: every line
# that is found has them all.
SATURATION, BY_LENGTH, USUAL_LENGTH = 1.2, 0.75, 60


class Hit(NamedTuple):
    """A line that was found."""

    id: int
    channel: int
    author: int
    text: str


def search(
    connection: sqlite3.Connection,
    query: Query,
    visible: Mapping[int, str],
    *,
    before: str | None = None,
    limit: int = 50,
    best_first: bool = False,
    deadline: float = math.inf,
) -> Found:
    """The lines of the `visible` channels (ids to places) that a query finds, newest first or best first.

    `before` is the cursor of the page before; `QueryError` where it is none. When `deadline` (of
    `time.monotonic`) is over, what was found so far; `reached` then says how far back was looked, and the
    cursor goes on there. Best first puts the newest 2,000 in order, and its pages end with these: where there
    are more, `reached` is the time of the last of them.
    """
    pages = _best if best_first and query.wanted.terms else _newest
    return pages(connection, query, visible, before, limit, deadline)


def counts(
    connection: sqlite3.Connection,
    query: Query,
    visible: Mapping[int, str],
    *,
    deadline: float = math.inf,
) -> Counts:
    """How many lines a query finds, by channel, nick and month: of the newest 10,000, or of those that were
    found when the `deadline` was over."""
    channels: Counter[int] = Counter()
    authors: Counter[int] = Counter()  # whoever spoke last is its first
    days: Counter[int] = Counter()
    walk = _Walk(connection, query, visible, deadline)
    hits = iter(walk)
    for hit in islice(hits, COUNTED):
        channels[hit.channel] += 1
        authors[hit.author] += 1
        days[hit.id // DAY] += 1
    capped = next(hits, None) is not None or walk.stopped is not None
    by_month: Counter[str] = Counter()
    for day, count in days.items():
        by_month[f"{datetime.fromtimestamp(time_of(day * DAY), UTC):%Y-%m}"] += count
    return Counts(
        total=channels.total(),
        capped=capped,
        places=_most((visible[channel], count) for channel, count in channels.items()),
        nicks=_most(_by_nick(connection, authors)),
        months=sorted(by_month.items(), reverse=True)[:MOST_COUNTS],
    )


class _Walk:
    """The hits of a query from `last` back to `first`, newest first.

    `stopped`: all after this id was looked at, or it itself too; then the time was over. None: all was.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        query: Query,
        visible: Mapping[int, str],
        deadline: float,
        first: int = 0,
        last: int = LAST_ID,
    ) -> None:
        self.stopped: int | None = None
        self._connection = connection
        self._deadline = deadline
        self._first = max(first, ids_of(query.since)[0]) if query.since else first
        self._last = min(last, ids_of(query.until)[0] - 1) if query.until else last
        self._channels = {channel for channel, place in visible.items() if is_named(query, place)}
        others = {row[0] for row in connection.execute("SELECT id FROM channels")} - self._channels
        self._expressions = expressions(query, self._channels, others)
        self._kinds = {KINDS.index(kind) for kind in query.wanted.kinds or WORDED}

    def __iter__(self) -> Iterator[Hit]:
        tables = self._tables()
        for table in tables:
            yield from self._month(table)
            if self.stopped is None and self._is_over() and table != tables[-1]:
                self.stopped = _start_of(table)
            if self.stopped is not None:
                return

    def _tables(self) -> list[str]:
        """Those that have lines between the first and the last id, newest first."""
        if not self._channels:
            return []
        tables = []
        for table in months(self._connection):
            start = _start_of(table)
            if start <= self._last:
                tables.append(table)
            if start <= self._first:
                break
        return tables

    def _month(self, table: str) -> Iterator[Hit]:
        """The hits of a month. Where the loose expression finds too much, the strict one goes on."""
        expression, last, thrown_away = self._expressions.loose, self._last, 0
        while last >= self._first:
            # A left join, so that every hit comes back here, to look at the time.
            cursor = self._connection.execute(
                f"SELECT {table}.rowid, channel, kind, author, flags, lines.text FROM {table} "
                f"LEFT JOIN lines ON lines.id = {table}.rowid "
                f"WHERE {table} MATCH ? AND {table}.rowid BETWEEN ? AND ? ORDER BY {table}.rowid DESC",
                (expression, self._first, last),
            )
            last = self._first - 1
            with closing(cursor):
                for line_id, channel, kind, author, flags, text in cursor:
                    if channel in self._channels and kind in self._kinds and not flags & REDACTED:
                        yield Hit(line_id, channel, author, text)
                    else:
                        thrown_away += 1
                    if self._is_over():
                        self.stopped = line_id
                        return
                    if thrown_away == PATIENCE and expression != self._expressions.strict:
                        expression, last = self._expressions.strict, line_id - 1
                        break

    def _is_over(self) -> bool:
        return time.monotonic() > self._deadline


def _newest(
    connection: sqlite3.Connection,
    query: Query,
    visible: Mapping[int, str],
    before: str | None,
    limit: int,
    deadline: float,
) -> Found:
    last = LAST_ID if before is None else _read_cursor(before, NEWEST, 1)[0] - 1
    walk = _Walk(connection, query, visible, deadline, last=last)
    ids = [hit.id for hit in islice(walk, limit + 1)]
    lines = lines_by_ids(connection, ids[:limit])
    if len(ids) > limit:
        return Found(lines, _cursor(NEWEST, ids[limit - 1]))
    if walk.stopped is not None:
        return Found(lines, _cursor(NEWEST, walk.stopped), time_of(walk.stopped))
    return Found(lines, None)


def _best(
    connection: sqlite3.Connection,
    query: Query,
    visible: Mapping[int, str],
    before: str | None,
    limit: int,
    deadline: float,
) -> Found:
    # The cursor has the bounds of what was put in order, and the last line that was shown: its score
    # stays the same, whatever comes or goes.
    first, last, *shown = (0, LAST_ID) if before is None else _read_cursor(before, BEST, 4)
    walk = _Walk(connection, query, visible, deadline, first, last)
    hits = iter(walk)
    score = _scoring(query)
    scores = [(score(hit.text), hit.id) for hit in islice(hits, RANKED)]
    if next(hits, None) is not None:
        first = scores[-1][1]
    elif walk.stopped is not None:
        first = walk.stopped
    if before is None and scores:
        last = scores[0][1]
    further = sorted((one for one in scores if not shown or one < tuple(shown)), reverse=True)
    page = further[:limit]
    cursor = _cursor(BEST, first, last, *page[-1]) if len(further) > limit else None
    lines = lines_by_ids(connection, [line_id for _, line_id in page])
    return Found(lines, cursor, time_of(first) if first else None)


def _scoring(query: Query) -> Callable[[str], int]:
    """A function that tells how well a text fits: BM25, times a thousand."""
    pattern = by_term(query)
    assert pattern is not None  # there are terms

    def score(text: str) -> int:
        text = plain(text)
        length = SATURATION * (1 - BY_LENGTH + BY_LENGTH * len(text) / USUAL_LENGTH)
        often = Counter(found.lastindex for found in pattern.finditer(text))
        return round(1000 * sum(times * (SATURATION + 1) / (times + length) for times in often.values()))

    return score


def _by_nick(connection: sqlite3.Connection, authors: Counter[int]) -> Iterator[tuple[str, int]]:
    """How many lines each nick has, in its most recent spelling; `authors` have the most recent first."""
    nicks: dict[int, str] = {}
    ids = list(authors)
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        marks = ", ".join("?" * len(some))
        nicks.update(connection.execute(f"SELECT id, nick FROM authors WHERE id IN ({marks})", some))
    spelling: dict[str, str] = {}
    lines: Counter[str] = Counter()
    for author, count in authors.items():
        nick = nicks.get(author, "")
        folded = fold(nick, "rfc1459")
        spelling.setdefault(folded, nick)
        lines[folded] += count
    return ((spelling[folded], count) for folded, count in lines.items())


def _most(counted: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(counted, key=lambda one: (-one[1], one[0]))[:MOST_COUNTS]


def _start_of(table: str) -> int:
    """The first id of a month: `words_202611`."""
    year_and_month = table.removeprefix("words_")
    return ids_of(date(int(year_and_month[:4]), int(year_and_month[4:]), 1))[0]


def _cursor(kind: str, *numbers: int) -> str:
    return kind + ".".join(f"{number:x}" for number in numbers)


def _read_cursor(cursor: str, kind: str, count: int) -> list[int]:
    numbers = cursor[1:].split(".")
    if cursor[:1] != kind or len(numbers) != count or not all(map(_NUMBER.fullmatch, numbers)):
        raise QueryError("this page of the search is not there any more: search again from its first page")
    return [int(number, 16) for number in numbers]
