"""What the archive is asked, one function each, on a connection that reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

from plugins.logs.archive.records import Change, ChannelInfo, DayPage, MonthDays, Talker
from plugins.logs.archive.words import ids_of_month, nick_mark, table_of, words
from plugins.logs.archive.writing import FETCHED, HOUR, REDACTED
from plugins.logs.line import DAY, KINDS, MICROSECONDS, TALK, Gap, Line, day_of, ids_of, time_of
from pynfo.irc.casemap import fold

PAGE = 1000  # lines
AT_ONCE = 500  # ids in one query
MENTIONED = 25  # people whose mentions are counted
MENTION_MONTHS = 12
HOURS_A_DAY = DAY // HOUR
WHAT = ("new", "redacted", "removed")

_TALK = ", ".join(str(number) for number, kind in enumerate(KINDS) if kind in TALK)
_LINE = (
    "SELECT lines.id, channels.network, name, kind, nick, account, text, target, msgid, reply_to, origin, "
    "flags, identity, host, authors.network FROM lines JOIN channels ON channels.id = channel "
    "JOIN authors ON authors.id = author "
)

LineRow = tuple[
    int, str, str, int, str, str, str, str | None, str | None, str | None, str | None, int, bytes, str, str
]


def channels(connection: sqlite3.Connection, today: date) -> list[ChannelInfo]:
    """Every channel, by place."""
    found = connection.execute("SELECT id, network, name, topic, publish, version, lines FROM channels")
    some = [_channel_info(connection, today, *row) for row in found.fetchall()]
    return sorted(some, key=lambda info: info.place)


def channel(connection: sqlite3.Connection, place: str, today: date) -> ChannelInfo | None:
    """One channel; its name may be in another case."""
    channel_id = channel_of(connection, place)
    found = connection.execute(
        "SELECT id, network, name, topic, publish, version, lines FROM channels WHERE id = ?", (channel_id,)
    ).fetchone()
    return None if found is None else _channel_info(connection, today, *found)


def channel_of(connection: sqlite3.Connection, place: str) -> int:
    """The id of a channel, by its exact name, else by its name in any case; 0 where there is none."""
    network, _, name = place.partition("/")
    exact = connection.execute("SELECT id FROM channels WHERE network = ? AND name = ?", (network, name))
    if (found := exact.fetchone()) is not None:
        channel_id: int = found[0]
        return channel_id
    wanted = fold(network, "ascii"), fold(name, "rfc1459")
    for channel_id, network, name in connection.execute("SELECT id, network, name FROM channels"):
        if (fold(network, "ascii"), fold(name, "rfc1459")) == wanted:
            return channel_id
    return 0


def lines_by_ids(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Line]:
    """Lines in the order of `ids`; those that are not there are left out."""
    found: dict[int, Line] = {}
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        marks = ", ".join("?" * len(some))
        for row in connection.execute(f"{_LINE} WHERE lines.id IN ({marks})", some):
            found[row[0]] = line_of(row)
    return [found[line_id] for line_id in ids if line_id in found]


def line_by_msgid(connection: sqlite3.Connection, network: str, msgid: str) -> Line | None:
    """The line of a message; the first, where it stands in several channels."""
    found = connection.execute(
        f"{_LINE} WHERE msgid = ? AND channels.network = ? ORDER BY lines.id LIMIT 1", (msgid, network)
    ).fetchone()
    return None if found is None else line_of(found)


def line_of(row: LineRow) -> Line:
    """A row of the query that all lines are read with."""
    (
        line_id,
        network,
        name,
        kind,
        nick,
        account,
        text,
        target,
        msgid,
        reply_to,
        origin,
        flags,
        identity,
        host,
        home,
    ) = row
    return Line(
        id=line_id,
        network=network,
        channel=name,
        time=line_id / MICROSECONDS,
        kind=KINDS[kind],
        nick=nick,
        account=account or None,
        text=text,
        target=target or "",
        msgid=msgid,
        reply_to=reply_to,
        origin=origin,
        home="" if home == network else home,
        fetched=bool(flags & FETCHED),
        redacted=bool(flags & REDACTED),
        identity=identity,
        host=host,
    )


# -- days


def day_page(connection: sqlite3.Connection, place: str, day: date, page: int | None) -> DayPage | None:
    """A page of a day, counted from 1; None: its last. None where there is no such channel or page."""
    channel_id = channel_of(connection, place)
    if not channel_id:
        return None
    start, end = ids_of(day)
    count = _lines_between(connection, channel_id, start, end)
    pages = max(1, -(-count // PAGE))
    page = pages if page is None else page
    if not 1 <= page <= pages:
        return None
    found = connection.execute(
        f"{_LINE} WHERE channel = ? AND lines.id >= ? AND lines.id < ? ORDER BY lines.id LIMIT ? OFFSET ?",
        (channel_id, start, end, PAGE, (page - 1) * PAGE),
    )
    lines = [line_of(row) for row in found]
    previous, following = _days_beside(connection, channel_id, start, end)
    return DayPage(
        day=day,
        lines=lines,
        page=page,
        pages=pages,
        count=count,
        previous=previous,
        next=following,
        gaps=_gaps(connection, channel_id, start, end),
        parents=_parents(connection, channel_id, lines),
    )


def day_version(connection: sqlite3.Connection, place: str, day: date) -> str:
    """Another text whenever anything that a page of the day shows is another: its lines, the calendar of its
    month, the days beside it, gaps, the topic."""
    channel_id = channel_of(connection, place)
    start, end = ids_of(day)
    first, last = _month_around(day)
    version, lines = connection.execute(
        "SELECT max(version), sum(lines) FROM hours WHERE channel = ? AND hour >= ? AND hour < ?",
        (channel_id, first // HOUR, last // HOUR),
    ).fetchone()
    of_channel = connection.execute("SELECT version FROM channels WHERE id = ?", (channel_id,)).fetchone()
    days = _days_beside(connection, channel_id, start, end)
    months = _days_beside(connection, channel_id, first, last)
    parts = (channel_id, *(of_channel or (0,)), version or 0, lines or 0, *days, *months)
    return "-".join("" if part is None else str(part) for part in parts)


def page_of(connection: sqlite3.Connection, line_id: int) -> tuple[str, date, int] | None:
    """Place, day and page of a line."""
    found = connection.execute(
        "SELECT channel, network, name FROM lines JOIN channels ON channels.id = channel WHERE lines.id = ?",
        (line_id,),
    ).fetchone()
    if found is None:
        return None
    channel_id, network, name = found
    day = day_of(line_id)
    before = connection.execute(
        "SELECT count(*) FROM lines WHERE channel = ? AND id >= ? AND id < ?",
        (channel_id, ids_of(day)[0], line_id),
    ).fetchone()[0]
    return f"{network}/{name}", day, before // PAGE + 1


def calendar(connection: sqlite3.Connection, place: str) -> dict[date, int]:
    """How much was said on each day that has lines."""
    found = connection.execute(
        "SELECT hour / ? AS day, sum(talk) FROM hours WHERE channel = ? GROUP BY day",
        (HOURS_A_DAY, channel_of(connection, place)),
    )
    return {_date(day): talk for day, talk in found}


def month(connection: sqlite3.Connection, place: str, day: date) -> MonthDays:
    """The days of the month that a day is in."""
    channel_id = channel_of(connection, place)
    first, last = _month_around(day)
    found = connection.execute(
        "SELECT hour / ? AS day, sum(talk) FROM hours WHERE channel = ? AND hour >= ? AND hour < ? "
        "GROUP BY day",
        (HOURS_A_DAY, channel_id, first // HOUR, last // HOUR),
    )
    talk = {_date(day): said for day, said in found}
    return MonthDays(talk, *_days_beside(connection, channel_id, first, last))


def activity(connection: sqlite3.Connection, place: str) -> list[tuple[int, int]]:
    """Hours since the epoch, and how much was said in them."""
    return connection.execute(
        "SELECT hour, talk FROM hours WHERE channel = ? AND talk > 0 ORDER BY hour",
        (channel_of(connection, place),),
    ).fetchall()


# -- lines, and who said them


def around(connection: sqlite3.Connection, line_id: int, before: int, after: int) -> list[Line]:
    """A line with those around it in its channel."""
    found = connection.execute("SELECT channel FROM lines WHERE id = ?", (line_id,)).fetchone()
    if found is None:
        return []
    older = connection.execute(
        f"{_LINE} WHERE channel = ? AND lines.id < ? ORDER BY lines.id DESC LIMIT ?",
        (*found, line_id, before),
    ).fetchall()
    newer = connection.execute(
        f"{_LINE} WHERE channel = ? AND lines.id >= ? ORDER BY lines.id LIMIT ?",
        (*found, line_id, after + 1),
    )
    return [line_of(row) for row in (*reversed(older), *newer)]


def last(connection: sqlite3.Connection, place: str) -> Line | None:
    """The newest line of a place."""
    found = connection.execute(
        f"{_LINE} WHERE channel = ? ORDER BY lines.id DESC LIMIT 1", (channel_of(connection, place),)
    ).fetchone()
    return None if found is None else line_of(found)


def last_by(connection: sqlite3.Connection, nick: str, places: Iterable[str]) -> Line | None:
    """The newest line that a nick said in one of the places."""
    ids = [channel_id for place in places if (channel_id := channel_of(connection, place))]
    if not ids:
        return None
    marks = f"marks: {nick_mark(nick)} AND t AND ({' OR '.join(f'c{channel_id}' for channel_id in ids)})"
    for table in months(connection):
        found = connection.execute(
            f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rowid DESC LIMIT 1",
            (_in_column(marks),),
        ).fetchone()
        if found is not None:
            return lines_by_ids(connection, found)[0]
    return None


def people(connection: sqlite3.Connection, place: str, limit: int) -> list[Talker]:
    """Who said most, by nick in any case, and how often others said their nick in the last twelve months."""
    channel_id = channel_of(connection, place)
    talkers: dict[str, Talker] = {}
    for nick, lines, first, newest in connection.execute(
        "SELECT nick, count(*), min(lines.id), max(lines.id) FROM lines JOIN authors ON authors.id = author "
        f"WHERE channel = ? AND kind IN ({_TALK}) GROUP BY author ORDER BY max(lines.id)",
        (channel_id,),
    ):
        known = talkers.get(key := fold(nick, "rfc1459"))
        if known is not None:
            lines += known.lines
            first = min(first, round(known.first * MICROSECONDS))
        talkers[key] = Talker(nick, lines, time_of(first), time_of(newest), 0)
    most = sorted(talkers.values(), key=lambda talker: -talker.lines)[:limit]
    tables = list(months(connection))[:MENTION_MONTHS]
    return [
        Talker(one.nick, one.lines, one.first, one.last, _mentions(connection, tables, channel_id, one.nick))
        if place_in_list < MENTIONED
        else one
        for place_in_list, one in enumerate(most)
    ]


def version_of(connection: sqlite3.Connection, place: str) -> int:
    """Another number whenever anything is removed from a place."""
    found = connection.execute(
        "SELECT version FROM channels WHERE id = ?", (channel_of(connection, place),)
    ).fetchone()
    return found[0] if found else 0


def topics(connection: sqlite3.Connection, place: str, limit: int) -> list[Line]:
    """The newest topics, newest first."""
    marks = f"k{KINDS.index('topic')} AND c{channel_of(connection, place)}"
    ids: list[int] = []
    for table in months(connection):
        if len(ids) >= limit:
            break
        ids += (
            row[0]
            for row in connection.execute(
                f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rowid DESC LIMIT ?",
                (_in_column(f"marks: {marks}"), limit - len(ids)),
            )
        )
    return lines_by_ids(connection, ids)


def months(connection: sqlite3.Connection) -> list[str]:
    """The tables of words, the newest month first."""
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' "
        "AND name GLOB 'words_[0-9][0-9][0-9][0-9][0-9][0-9]' ORDER BY name DESC"
    )
    return [name for (name,) in found]


def warm(connection: sqlite3.Connection) -> None:
    """Open the index of every month, so that the first search need not."""
    for table in months(connection):
        connection.execute(f"SELECT rowid FROM {table} WHERE {table} MATCH 'marks: none' LIMIT 1").fetchone()


def export(connection: sqlite3.Connection, place: str, after: int, end: int, limit: int) -> list[Line]:
    """The first lines of a place with ids above `after` and below `end`."""
    found = connection.execute(
        f"{_LINE} WHERE channel = ? AND lines.id > ? AND lines.id < ? ORDER BY lines.id LIMIT ?",
        (channel_of(connection, place), after, end, limit),
    )
    return [line_of(row) for row in found]


def visible(connection: sqlite3.Connection, places: Iterable[str]) -> dict[int, str]:
    """Places by the ids of their channels; those that are not there are left out."""
    wanted = set(places)
    found = connection.execute("SELECT id, network || '/' || name FROM channels")
    return {channel_id: place for channel_id, place in found if place in wanted}


def known_until(connection: sqlite3.Connection, place: str) -> float:
    """Up to when what was said is kept, or a gap; 0: nothing yet."""
    found = connection.execute(
        "SELECT known_until FROM channels WHERE id = ?", (channel_of(connection, place),)
    ).fetchone()
    return time_of(found[0]) if found else 0.0


# -- following


def latest_of(connection: sqlite3.Connection, place: str) -> int:
    """The sequence number of the last change of a place; of all, where its own is not known any more."""
    found = connection.execute(
        "SELECT max(seq) FROM changes WHERE channel = ?", (channel_of(connection, place),)
    ).fetchone()
    return found[0] or latest(connection)


def latest(connection: sqlite3.Connection) -> int:
    """The sequence number of the last change."""
    found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
    return found[0] if found else 0


def changes(connection: sqlite3.Connection, place: str, after: int, limit: int) -> list[Change] | None:
    """What changed after a sequence number, in the order of commits; None where it is not all known."""
    oldest = connection.execute("SELECT min(seq) FROM changes").fetchone()[0]
    newest = latest(connection)
    if after > newest or (after < newest and (oldest is None or after < oldest - 1)):
        return None
    rows = connection.execute(
        "SELECT seq, what, line FROM changes WHERE seq > ? AND channel = ? ORDER BY seq LIMIT ?",
        (after, channel_of(connection, place), limit),
    ).fetchall()
    lines = {line.id: line for line in lines_by_ids(connection, [row[2] for row in rows])}
    return [Change(seq, WHAT[what], line_id, lines.get(line_id)) for seq, what, line_id in rows]  # type: ignore[arg-type]


# -- parts of the above


def _channel_info(
    connection: sqlite3.Connection,
    today: date,
    channel_id: int,
    network: str,
    name: str,
    topic: str,
    publish: str | None,
    version: int,
    lines: int,
) -> ChannelInfo:
    newest = connection.execute("SELECT max(id) FROM lines WHERE channel = ?", (channel_id,)).fetchone()[0]
    talk = connection.execute(
        "SELECT sum(talk) FROM hours WHERE channel = ? AND hour >= ? AND hour < ?",
        (channel_id, *(line_id // HOUR for line_id in ids_of(today))),
    ).fetchone()[0]
    return ChannelInfo(
        place=f"{network}/{name}",
        network=network,
        name=name,
        topic=topic,
        publish=None if publish is None else publish == "on",
        version=version,
        lines=lines,
        last=None if newest is None else time_of(newest),
        today=talk or 0,
    )


def _lines_between(connection: sqlite3.Connection, channel_id: int, start: int, end: int) -> int:
    """How many lines there are, from one full hour to another."""
    found = connection.execute(
        "SELECT sum(lines) FROM hours WHERE channel = ? AND hour >= ? AND hour < ?",
        (channel_id, start // HOUR, end // HOUR),
    )
    return found.fetchone()[0] or 0


def _month_around(day: date) -> tuple[int, int]:
    """The first id of the month that a day is in, and of the next."""
    return ids_of_month(table_of(ids_of(day)[0]))


def _days_beside(
    connection: sqlite3.Connection, channel_id: int, start: int, end: int
) -> tuple[date | None, date | None]:
    before = connection.execute(
        "SELECT max(hour) FROM hours WHERE channel = ? AND hour < ?", (channel_id, start // HOUR)
    ).fetchone()[0]
    after = connection.execute(
        "SELECT min(hour) FROM hours WHERE channel = ? AND hour >= ?", (channel_id, end // HOUR)
    ).fetchone()[0]
    return (
        None if before is None else _date(before // HOURS_A_DAY),
        None if after is None else _date(after // HOURS_A_DAY),
    )


def _gaps(connection: sqlite3.Connection, channel_id: int, start: int, end: int) -> list[Gap]:
    found = connection.execute(
        "SELECT since, until FROM gaps WHERE channel = ? AND since < ? AND until > ? ORDER BY since",
        (channel_id, end, start),
    )
    return [Gap(time_of(first), time_of(last)) for first, last in found]


def _parents(connection: sqlite3.Connection, channel_id: int, lines: Iterable[Line]) -> dict[str, Line]:
    """By msgid, the lines of the channel that some lines answer."""
    msgids = list({line.reply_to for line in lines if line.reply_to})
    parents: dict[str, Line] = {}
    for start in range(0, len(msgids), AT_ONCE):
        some = msgids[start : start + AT_ONCE]
        marks = ", ".join("?" * len(some))
        for row in connection.execute(
            f"{_LINE} WHERE msgid IN ({marks}) AND channel = ?", (*some, channel_id)
        ):
            line = line_of(row)
            parents[line.msgid or ""] = line
    return parents


def _mentions(connection: sqlite3.Connection, tables: Iterable[str], channel_id: int, nick: str) -> int:
    said = words(nick).replace('"', "")
    marks = _in_column(f"marks: (c{channel_id} AND t) NOT {nick_mark(nick)}")
    count = 0
    for table in tables:
        count += connection.execute(
            f"SELECT count(*) FROM {table} WHERE {table} MATCH ?",
            (f'(text: "{said}") AND {marks}',),
        ).fetchone()[0]
    return count


def _in_column(marks: str) -> str:
    """`marks: a AND b` as FTS5 wants it: a column filter holds for what is in brackets."""
    column, _, expression = marks.partition(": ")
    return f"{{{column}}} : ({expression})"


def _date(days: int) -> date:
    return datetime.fromtimestamp(days * DAY // MICROSECONDS, UTC).date()
