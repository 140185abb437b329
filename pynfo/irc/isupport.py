"""What a server says of itself in RPL_ISUPPORT (005), read once and kept as attributes.

Sources: Modern IRC, "RPL_ISUPPORT (005)" and "RPL_ISUPPORT Parameters"; IRCv3 "Message Tags"
(CLIENTTAGDENY), "Monitor", "WHOX", "Bot Mode", "UTF8ONLY", "chathistory" (CHATHISTORY, MSGREFTYPES).

A token this file knows is one line of `_READERS`: the attribute it fills, and the function that reads its
value. A reader is given None for a token that the server has not sent or has taken back, and never raises:
a value that makes no sense counts as not sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from pynfo.irc.casemap import folder
from pynfo.irc.events import ModeChange
from pynfo.irc.message import LINELEN

MAX_TOKENS = 256  # remembered of one server; real ones send about 50
MAX_LINELEN = 8192  # bytes; what we believe of LINELEN at most

_ESCAPED = re.compile(r"\\x([0-9A-Fa-f]{2})")


class ISupport:
    """The features of one connection; the attributes are always current, with the defaults of the RFCs.

    Lengths are in bytes. None stands for "the server does not say", but for `monitor` and `chathistory`,
    where it means "not offered" (and 0 "no limit"), and for `modes` and the values of `targmax`, where it
    means "no limit".
    """

    raw: dict[str, str]  # every token, "" for one without a value
    casemapping: str  # as sent; one that `casemap.FOLDERS` does not know folds as "ascii"
    prefix: dict[str, str]  # mode letter -> symbol, highest first
    chanmodes: tuple[str, str, str, str]  # the mode letters of types A, B, C and D
    chantypes: str
    statusmsg: str
    linelen: int
    modes: int | None  # changes with a parameter in one MODE
    targmax: dict[str, int | None]  # a command that is not there takes one target
    nicklen: int | None
    channellen: int | None
    topiclen: int | None
    monitor: int | None
    whox: bool
    bot: str | None  # the user mode that marks a bot
    utf8only: bool
    network: str | None
    chathistory: int | None  # messages
    msgreftypes: list[str]
    clienttagdeny: list[str]

    def __init__(self) -> None:
        self.raw = {}
        for token in _READERS:
            self._read(token)

    def update(self, params: Iterable[str]) -> None:
        """Take the tokens of one 005: its parameters without our nick and without the text at the end.

        `TOKEN`, `TOKEN=value` with `\\x20` escapes, or `-TOKEN`, which takes the token back.
        """
        for param in params:
            token, _, value = param.partition("=")
            if token.startswith("-"):
                token = token[1:]
                self.raw.pop(token, None)
            elif token in self.raw or len(self.raw) < MAX_TOKENS:
                self.raw[token] = _unescape(value)
            if token in _READERS:
                self._read(token)

    def fold(self, name: str) -> str:
        """The form of a channel's or a person's name that all its spellings share."""
        return self._fold(name)

    def is_channel(self, target: str) -> bool:
        return target != "" and target[0] in self.chantypes

    def strip_statusmsg(self, target: str) -> tuple[str, str]:
        """Take `@#channel` apart into `@` and `#channel`; `""` and the target where it has no such prefix.

        A `+` may be both a prefix and the first character of a channel, so a prefix counts only before
        a channel.
        """
        symbols = self.statusmsg
        if not symbols or target[:1] not in symbols:
            return "", target
        start = len(target) - len(target.lstrip(symbols))
        while start and not self.is_channel(target[start:]):
            start -= 1
        return target[:start], target[start:]

    def client_tag_allowed(self, tag: str) -> bool:
        """Whether the server passes a client-only tag on; its name with or without the `+`."""
        tag = tag.removeprefix("+")
        if "*" in self.clienttagdeny:
            return "-" + tag in self.clienttagdeny
        return tag not in self.clienttagdeny

    def prefix_modes(self, symbols: str) -> str:
        """The mode letters of a member's symbols, highest first: `@+` is `ov`."""
        if not symbols:
            return ""
        return "".join(mode for mode, symbol in self.prefix.items() if symbol in symbols)

    def parse_modes(self, modestring: str, params: list[str]) -> list[ModeChange]:
        """Read a channel's mode changes, each with its parameter (Modern IRC, "CHANMODES parameter").

        A mode of types A and B, and one of PREFIX, takes a parameter; one of type C when it is set; one of
        type D, or that the server has not told of, never. None where the line had too few of them.
        """
        lists, always, when_set, _ = self.chanmodes
        always_with_param = {*lists, *always, *self.prefix}
        changes = []
        remaining = iter(params)
        adding = True
        for mode in modestring:
            if mode in "+-":
                adding = mode == "+"
                continue
            takes_param = mode in always_with_param or (adding and mode in when_set)
            changes.append(ModeChange(adding, mode, next(remaining, None) if takes_param else None))
        return changes

    def _read(self, name: str) -> None:
        attribute, read = _READERS[name]
        setattr(self, attribute, read(self.raw.get(name)))
        if name == "CASEMAPPING":
            self._fold = folder(self.casemapping)


def _unescape(value: str) -> str:
    if "\\" not in value:
        return value
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)


def _number(value: str | None) -> int | None:
    if not value or len(value) > 9 or not value.isascii() or not value.isdigit():
        return None
    return int(value)


def _number_or_no_limit(value: str | None) -> int | None:
    return 0 if value == "" else _number(value)


def _flag(value: str | None) -> bool:
    return value is not None


def _text(value: str | None) -> str | None:
    return value or None


def _text_or_nothing(value: str | None) -> str:
    return value or ""


def _words(value: str | None) -> list[str]:
    return [word for word in (value or "").split(",") if word]


def _casemapping(value: str | None) -> str:
    return value or "rfc1459"


def _prefix(value: str | None) -> dict[str, str]:
    if value == "":
        return {}
    modes, closing, symbols = (value or "")[1:].partition(")")
    if not (value and value[0] == "(" and closing and len(modes) == len(symbols)):
        return {"o": "@", "v": "+"}
    return dict(zip(modes, symbols, strict=True))


def _chanmodes(value: str | None) -> tuple[str, str, str, str]:
    types = (value or "").split(",")
    if len(types) < 4:
        return "beI", "k", "l", "aimnpqrst"  # RFC 2811 section 4
    return types[0], types[1], types[2], types[3]


def _chantypes(value: str | None) -> str:
    return "#&" if value is None else value


def _linelen(value: str | None) -> int:
    return min(max(_number(value) or LINELEN, LINELEN), MAX_LINELEN)


def _modes(value: str | None) -> int | None:
    return None if value == "" else _number(value) or 3  # RFC 1459 section 4.2.3


def _targmax(value: str | None) -> dict[str, int | None]:
    limits = {}
    for word in _words(value):
        command, _, number = word.partition(":")
        limit = _number(number)
        if limit or not number:
            limits[command.upper()] = limit
    return limits


_READERS: dict[str, tuple[str, Callable[[str | None], object]]] = {
    "CASEMAPPING": ("casemapping", _casemapping),
    "PREFIX": ("prefix", _prefix),
    "CHANMODES": ("chanmodes", _chanmodes),
    "CHANTYPES": ("chantypes", _chantypes),
    "STATUSMSG": ("statusmsg", _text_or_nothing),
    "LINELEN": ("linelen", _linelen),
    "MODES": ("modes", _modes),
    "TARGMAX": ("targmax", _targmax),
    "NICKLEN": ("nicklen", _number),
    "CHANNELLEN": ("channellen", _number),
    "TOPICLEN": ("topiclen", _number),
    "MONITOR": ("monitor", _number_or_no_limit),
    "WHOX": ("whox", _flag),
    "BOT": ("bot", _text),
    "UTF8ONLY": ("utf8only", _flag),
    "NETWORK": ("network", _text),
    "CHATHISTORY": ("chathistory", _number_or_no_limit),
    "MSGREFTYPES": ("msgreftypes", _words),
    "CLIENTTAGDENY": ("clienttagdeny", _words),
}
