"""What the server says it supports (numeric 005), with the protocol's own defaults.

Source: Modern IRC, "RPL_ISUPPORT Parameters". Values are hostile: one that makes no sense leaves the default
in force.
"""

from __future__ import annotations

import re

from pynfo.irc.casemap import CASEMAPPINGS, folder
from pynfo.irc.events import ModeChange
from pynfo.irc.message import LINELEN

MAXIMUM_TOKENS = 256
MAXIMUM_LINELEN = 8192  # bytes
_ESCAPE = re.compile(r"\\x([0-9A-Fa-f]{2})")
_PREFIX = re.compile(r"\(([A-Za-z]*)\)([!-~]*)")


class ISupport:
    """The tokens of one connection. Attributes always hold what is in force now."""

    def __init__(self) -> None:
        self.raw: dict[str, str] = {}
        self._read()

    def update(self, params: list[str]) -> None:
        """Take in the tokens of one 005: without our nick and the words at its end."""
        for token in params:
            name, _, value = token.partition("=")
            if name.startswith("-"):
                self.raw.pop(name[1:], None)
            elif name and (name in self.raw or len(self.raw) < MAXIMUM_TOKENS):
                self.raw[name] = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), value)
        self._read()

    def _read(self) -> None:
        raw = self.raw
        casemapping = raw.get("CASEMAPPING", "rfc1459").lower()
        self.casemapping = casemapping if casemapping in CASEMAPPINGS else "ascii"
        self.fold = folder(self.casemapping)
        self.prefix = _prefix(raw.get("PREFIX", "(ov)@+"))  # mode letter to symbol, highest first
        self.chantypes = raw.get("CHANTYPES", "#&")
        self.statusmsg = raw.get("STATUSMSG", "")
        parts = raw.get("CHANMODES", "beI,k,l,imnpst").split(",") + [""] * 4
        self.chanmodes = (parts[0], parts[1], parts[2], parts[3])  # list, always, when set, never a parameter
        self.linelen = min(max(_number(raw.get("LINELEN")) or LINELEN, LINELEN), MAXIMUM_LINELEN)
        self.modes = _number(raw["MODES"]) if "MODES" in raw else 3
        self.targmax = _targmax(raw.get("TARGMAX", ""))
        self.nicklen = _number(raw.get("NICKLEN"))
        self.channellen = _number(raw.get("CHANNELLEN"))
        self.topiclen = _number(raw.get("TOPICLEN"))
        self.monitor = (_number(raw["MONITOR"]) or 0) if "MONITOR" in raw else None  # 0: no limit
        self.whox = "WHOX" in raw
        self.bot = raw.get("BOT") or None
        self.utf8only = "UTF8ONLY" in raw
        self.network = raw.get("NETWORK") or None
        self.chathistory = (_number(raw["CHATHISTORY"]) or 0) if "CHATHISTORY" in raw else None  # 0: no limit
        self.msgreftypes = [name for name in raw.get("MSGREFTYPES", "").split(",") if name]
        self.clienttagdeny = [name for name in raw.get("CLIENTTAGDENY", "").split(",") if name]

    def is_channel(self, target: str) -> bool:
        """Whether a target is a channel, by its first character."""
        return target[:1] in self.chantypes if target else False

    def strip_statusmsg(self, target: str) -> tuple[str, str]:
        """Take `@#channel` apart: its STATUSMSG prefix (`""` for none), and the rest."""
        if target[:1] and target[0] in self.statusmsg and target[1:2] and target[1] in self.chantypes:
            return target[0], target[1:]
        return "", target

    def client_tag_allowed(self, tag: str) -> bool:
        """Whether the server relays a client-only tag, such as `+draft/reply` (CLIENTTAGDENY)."""
        name = tag.removeprefix("+")
        if "*" in self.clienttagdeny:
            return "-" + name in self.clienttagdeny
        return name not in self.clienttagdeny

    def prefix_modes(self, symbols: str) -> str:
        """The mode letters of prefix symbols, highest first: `@+` gives `ov`."""
        return "".join(mode for mode, symbol in self.prefix.items() if symbol in symbols)

    def parse_modes(self, modestring: str, params: list[str]) -> list[ModeChange]:
        """Read `+ov-k alice bob key` (Modern IRC, "MODE message"). A parameter that is missing is None."""
        lists, always, when_set, _ = self.chanmodes
        changes = []
        adding = True
        rest = iter(params)
        for letter in modestring:
            if letter in "+-":
                adding = letter == "+"
                continue
            takes = (
                letter in self.prefix
                or letter in lists
                or letter in always
                or (adding and letter in when_set)
            )
            changes.append(ModeChange(adding, letter, next(rest, None) if takes else None))
        return changes


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _prefix(value: str) -> dict[str, str]:
    found = _PREFIX.fullmatch(value)
    if found is None:
        return {} if not value else {"o": "@", "v": "+"}
    return dict(zip(found[1], found[2], strict=False))


def _targmax(value: str) -> dict[str, int | None]:
    """`JOIN:4,WHOIS:` to a number for each command; None: no limit."""
    limits = {}
    for item in value.split(","):
        command, colon, number = item.partition(":")
        if command and colon:
            limits[command.upper()] = _number(number)
    return limits
