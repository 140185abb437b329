"""What the config says of the relay: `plugins["relay"] = {"wires": [{"name": "dev", "ports": […]}]}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal, get_args

import msgspec

from plugins.relay.formats import read
from pynfo.arguments import parse_duration
from pynfo.usermask import parse
from pynfo.validation import shown, unknown

Direction = Literal["both", "send", "receive"]
EventName = Literal[
    "messages",
    "actions",
    "notices",
    "answers",  # what the bot itself answers to commands there
    "joins",
    "parts",
    "quits",
    "kicks",
    "nicks",
    "topics",
    "modes",
    "membership",  # joins, parts, quits, kicks and changes of nicks, summarised
]
Formatting = Literal["keep", "strip"]
Delivery = Literal["at-least-once", "at-most-once"]

SHORTEST_HOLD, LONGEST_HOLD = 60.0, 7 * 86400.0  # seconds
PATTERN_LENGTH = 500  # characters of a regular expression

_WIRE_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}").fullmatch


class Choices(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What can be said of a wire, and of a port for itself, which then goes first. None: not said.

    Of what is said at the port: `events` that are carried, and what is not: of whom (`ignore`, masks as in
    `pynfo.usermask`) and with what in it (`ignore_text`, regular expressions). Of what comes to the port: how
    it looks (`format` and its like, `formatting`, `colours` of nicks, `relaymsg` where the network has it),
    for how long it is kept for the port (`hold`), whether it may come twice or be lost when that cannot be
    known (`delivery`), and of how many lines one message may be there (`lines_limit`).

    `direction` of a port: "send": what is said there is carried, and nothing comes; "receive": the other way
    round. Of a wire it is that of its first port; the others have the opposite.
    """

    direction: str | None = None
    format: str | None = None
    action_format: str | None = None
    notice_format: str | None = None
    events: list[EventName] | None = None
    formatting: str | None = None
    colours: bool | None = None
    ignore: list[str] | None = None
    ignore_text: list[str] | None = None
    relaymsg: bool | None = None
    hold: str | None = None
    delivery: str | None = None
    lines_limit: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None

    def __post_init__(self) -> None:
        if mistakes := list(self._mistakes()):
            raise ValueError("; ".join(mistakes))

    def _mistakes(self) -> Iterator[str]:
        yield from _wrong_word("direction", self.direction, get_args(Direction))
        yield from _wrong_word("formatting", self.formatting, get_args(Formatting))
        yield from _wrong_word("delivery", self.delivery, get_args(Delivery))
        for name in ("format", "action_format", "notice_format"):
            yield from _wrong_format(name, getattr(self, name))
        for mask in self.ignore or ():
            try:
                parse(mask)
            except ValueError as error:
                yield f"ignore: {error}"
        for pattern in self.ignore_text or ():
            yield from _wrong_pattern(pattern)
        if self.hold is not None:
            yield from _wrong_hold(self.hold)


class PortSettings(Choices, kw_only=True, forbid_unknown_fields=True):
    """One end of a wire: `port` is `network/#channel`."""

    port: str


class WireSettings(Choices, kw_only=True, forbid_unknown_fields=True):
    """Channels that hear of each other. A port is `network/#channel`, or has settings of its own."""

    name: str
    ports: list[str | PortSettings]

    def _mistakes(self) -> Iterator[str]:
        if not _WIRE_NAME(self.name):
            yield f"{shown(self.name)} is no name of a wire: write 1 to 32 letters, digits, - and _"
        yield from super()._mistakes()


class Settings(msgspec.Struct):
    """`wires`: which channels hear of each other."""

    wires: list[WireSettings] = []


def _wrong_word(name: str, word: str | None, words: tuple[str, ...]) -> Iterator[str]:
    if word is not None and word not in words:
        yield unknown(name, word, words)


def _wrong_format(name: str, text: str | None) -> Iterator[str]:
    if text is None:
        return
    try:
        read(text)
    except ValueError as error:
        yield f"{name}={shown(text)}: {error}"


def _wrong_pattern(pattern: str) -> Iterator[str]:
    import regex  # large, and few bots ignore text

    if len(pattern) > PATTERN_LENGTH:
        yield f"ignore_text: an expression has at most {PATTERN_LENGTH} characters"
        return
    try:
        if regex.search(pattern, "", timeout=1) is not None:
            yield f"ignore_text: {shown(pattern)} is found in every text: nothing would be carried"
    except regex.error as error:
        yield f"ignore_text: {shown(pattern)} is no regular expression: {error}"


def _wrong_hold(hold: str) -> Iterator[str]:
    try:
        seconds = parse_duration(hold)
    except ValueError:
        yield f'hold="{hold}" is no length of time: write such as "1 hour"'
        return
    if not SHORTEST_HOLD <= seconds <= LONGEST_HOLD:
        yield f'hold="{hold}" is not between "1 minute" and "7 days"'
