"""One entry of a channel log, and the words for where and when it stands.

A *place* is `network/#channel`, as the config writes it. A line's *id* is its time in microseconds since the
epoch, moved on to the next free one: ids are unique in an archive, and their order is the order of time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Literal

import msgspec

Kind = Literal["message", "notice", "action", "join", "part", "quit", "kick", "nick", "topic", "mode"]
KINDS: tuple[Kind, ...] = (
    "message", "notice", "action", "join", "part", "quit", "kick", "nick", "topic", "mode",
)  # fmt: skip  # a kind's place in it is how the archive stores it: only ever add at the end
TALK: frozenset[str] = frozenset({"message", "notice", "action"})

MICROSECONDS = 1_000_000
DAY = 86400 * MICROSECONDS


class Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What was said or done. `text` is as it came, with its mIRC formatting; of a kick, part or quit it is
    the reason, of a topic the topic, of a mode `+o alice`."""

    id: int = 0  # 0: not kept yet
    network: str
    channel: str  # with its "#", as the config writes it
    time: float  # UTC epoch seconds: the server's where it tells
    kind: Kind
    nick: str  # who did it; the person who spoke, where a bot relayed it
    account: str | None = None  # the services login; None: none, or not told
    text: str = ""
    target: str = ""  # of a kick who was kicked, of a nick change the new nick
    msgid: str | None = None
    reply_to: str | None = None  # the msgid that this answers
    origin: str | None = None  # the network that a relayed line was spoken on, shown as a badge
    home: str = ""  # of what our own relay carried: the network that account and identity are of
    fetched: bool = False  # it came from the network's history afterwards, or from an imported file
    redacted: bool = False  # the text was removed, and is ""
    identity: bytes = b""  # keyed hash of who it was, where there is no account; never shown
    host: str = ""  # username@host, only where the config asks for it; never shown

    @property
    def place(self) -> str:
        return f"{self.network}/{self.channel}"

    @property
    def author_network(self) -> str:
        """The network that whoever did it is known on: an account of one is not that of another."""
        return self.home or self.network


class Gap(msgspec.Struct, frozen=True):
    """Nothing is known of a channel between two times (UTC epoch seconds)."""

    start: float
    end: float


def time_of(line_id: int) -> float:
    """UTC epoch seconds of a line id."""
    return line_id / MICROSECONDS


def day_of(line_id: int) -> date:
    """The UTC day of a line id."""
    return datetime.fromtimestamp(line_id // MICROSECONDS, UTC).date()


def ids_of(day: date) -> tuple[int, int]:
    """The first id of a UTC day, and the first of the next."""
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * MICROSECONDS
    return start, start + DAY
