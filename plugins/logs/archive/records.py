"""What the archive gives: plain records."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from plugins.logs.line import Gap, Line


class Person(msgspec.Struct, frozen=True):
    """Somebody, as consent knows them: by account; or, where there is none, by what they said since `since`
    (UTC epoch seconds, of this session of theirs) under these nicks with this identity."""

    account: str | None = None
    nicks: tuple[str, ...] = ()
    identity: bytes = b""
    since: float = 0.0


class ChannelInfo(msgspec.Struct, frozen=True):
    place: str
    network: str
    name: str  # with its "#"
    topic: str
    publish: bool | None  # what an operator of the channel said; None: nothing
    version: int
    lines: int
    last: float | None  # time of the newest line
    today: int  # talk lines of the current UTC day


class DayPage(msgspec.Struct, frozen=True):
    """A page of a day's lines. `parents`: by msgid, the lines of the same place that lines here answer."""

    day: date
    lines: list[Line]
    page: int
    pages: int  # at least 1
    count: int  # lines of the whole day
    previous: date | None  # the nearest days that have lines
    next: date | None
    gaps: list[Gap]  # those that touch the day
    parents: dict[str, Line]


class MonthDays(msgspec.Struct, frozen=True):
    """`talk`: how much was said on each day of a month that has lines. `previous`, `next`: the nearest days
    with lines before and after the month."""

    talk: dict[date, int]
    previous: date | None
    next: date | None


class Talker(msgspec.Struct, frozen=True):
    nick: str
    lines: int
    first: float
    last: float
    mentions: int


class Found(msgspec.Struct, frozen=True):
    """`cursor` None: that was all. `reached`: how far back was looked, where the time did not suffice."""

    lines: list[Line]
    cursor: str | None
    reached: float | None = None


class Counts(msgspec.Struct, frozen=True):
    total: int
    capped: bool  # there are more than were counted
    places: list[tuple[str, int]]  # most first, at most 20 of each
    nicks: list[tuple[str, int]]
    months: list[tuple[str, int]]  # "2026-11", newest first


class Change(msgspec.Struct, frozen=True):
    """`line` is the line as it is now; None where it was removed. `line_id` stands in any case."""

    seq: int
    what: Literal["new", "redacted", "removed"]
    line_id: int
    line: Line | None
