"""What the answers of `/api/…` are made of. `/openapi.json` describes them from these types."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from plugins.logs.exports import as_dict, iso
from plugins.logs.line import Kind, Line
from plugins.logs.settings import Publish

Time = Annotated[str, Meta(description="UTC, with milliseconds", extra_json_schema={"format": "date-time"})]
Day = Annotated[str, Meta(description="A UTC day", extra_json_schema={"format": "date"})]


class Record(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """With exactly these fields."""


class LineRecord(Record, omit_defaults=True):
    """One entry of a log. `text` has its mIRC formatting; `plain` is there where it differs without."""

    id: Annotated[int, Meta(description="Its time in microseconds since the epoch, moved on to a free one")]
    time: Time
    network: str
    channel: str
    kind: Kind
    nick: Annotated[str, Meta(description="Who did it: the person who spoke, where a bot relayed it")]
    text: str
    plain: str | None = None
    account: str | None = None
    target: Annotated[str, Meta(description="Who was kicked; of a nick change, the new nick")] | None = None
    msgid: str | None = None
    reply_to: Annotated[str, Meta(description="The msgid that it answers")] | None = None
    origin: Annotated[str, Meta(description="The network that a relayed line was spoken on")] | None = None
    home: Annotated[str, Meta(description="The network of the account, where it is another")] | None = None
    fetched: Annotated[bool, Meta(description="It came from a network's history, or from a file")] = False
    redacted: Annotated[bool, Meta(description="Its text was removed")] = False


class ChannelRecord(Record):
    """A channel whose log may be read."""

    place: Annotated[str, Meta(examples=["libera/#pynfo"])]
    network: str
    channel: str
    topic: str
    publish: Publish
    lines: int
    last: Annotated[Time | None, Meta(description="Of the newest line")]
    today: Annotated[int, Meta(description="What was said on the current UTC day, in lines")]
    address: Annotated[str, Meta(description="Of its newest page")]


class Channels(Record):
    channels: list[ChannelRecord]


class DayTalk(Record):
    day: Day
    talk: Annotated[int, Meta(description="What was said, in lines: no joins and the like")]


class Days(Record):
    days: Annotated[list[DayTalk], Meta(description="Those that have lines, oldest first")]


class GapRecord(Record):
    """Nothing is known of what was said between two times."""

    start: Time
    end: Time


class DayLines(Record):
    """A page of a day."""

    place: str
    day: Day
    page: int
    pages: int
    count: Annotated[int, Meta(description="Lines of the whole day")]
    previous: Annotated[Day | None, Meta(description="The nearest day before that has lines")]
    next: Annotated[Day | None, Meta(description="The nearest day after that has lines")]
    gaps: list[GapRecord]
    lines: list[LineRecord]


class TalkerRecord(Record):
    nick: str
    lines: int
    first: Time
    last: Time
    mentions: Annotated[int, Meta(description="How often others said the nick, in the last twelve months")]


class People(Record):
    people: Annotated[list[TalkerRecord], Meta(description="Those who said most first")]


class HourTalk(Record):
    hour: Time
    talk: int


class Activity(Record):
    hours: Annotated[list[HourTalk], Meta(description="Those in which something was said, oldest first")]


class Topics(Record):
    topics: Annotated[list[LineRecord], Meta(description="Newest first")]


class OneLine(Record):
    line: LineRecord
    address: Annotated[str, Meta(description="That leads to the line for good")]
    page: Annotated[str, Meta(description="The path of the page that it stands on now")]


class Lines(Record):
    lines: list[LineRecord]


class FoundLines(Record):
    """What a search found."""

    lines: list[LineRecord]
    cursor: Annotated[str | None, Meta(description="`before` of the next page; null: that was all")]
    reached: Annotated[Time | None, Meta(description="How far back was looked, where time did not suffice")]


class Counted(Record):
    name: str
    count: int


class FoundCounts(Record):
    """What a search finds, of the newest lines."""

    total: int
    capped: Annotated[bool, Meta(description="There are more than were counted")]
    places: list[Counted]
    nicks: list[Counted]
    months: list[Counted]


class Refusal(Record):
    error: Annotated[str, Meta(description="One sentence for a person")]


def line_record(line: Line) -> LineRecord:
    """What is public of a line."""
    return msgspec.convert(as_dict(line), LineRecord)


def line_records(lines: list[Line]) -> list[LineRecord]:
    return [line_record(line) for line in lines]


def time_or_none(time: float | None) -> str | None:
    return None if time is None else iso(time)
