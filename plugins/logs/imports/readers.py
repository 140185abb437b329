"""What the readers of all formats share: a reader is given the lines of one file, one after another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from plugins.logs.imports.times import Times, Unread
from plugins.logs.line import Kind, Line
from pynfo.irc.formatting import clean, plain

PREFIXES = " @+%&~!"  # of a nick: its mode in the channel
NICK_LENGTH = 64

Sentences = Sequence[tuple[Kind, re.Pattern[str]]]  # with groups `nick`, and perhaps `text` and `target`


class Reader:
    """Reads one file of a format. A subclass says how its lines look, and what one means."""

    name: ClassVar[str]
    looks: ClassVar[re.Pattern[str]]  # matches the beginning of most lines of the format
    file_name: ClassVar[str] = ""  # how names of such files end

    def __init__(self, network: str, channel: str, times: Times) -> None:
        self.network = network
        self.channel = channel
        self.times = times

    @classmethod
    def recognise(cls, lines: Sequence[str], name: str) -> float:
        """How much some lines of a file of that name look like this format: 0 to 1, and a bit by the name."""
        if not lines:
            return 0.0
        share = sum(cls.looks.match(line) is not None for line in lines) / len(lines)
        return share + 0.1 if share and cls.file_name and name.endswith(cls.file_name) else share

    def parse(self, text: str) -> list[Line]:
        """The lines of the log that a line of the file stands for; none where nobody said or did anything.

        Raises `Unread`.
        """
        raise NotImplementedError

    def line(self, time: float, kind: Kind, nick: str, text: str = "", target: str = "") -> Line:
        return Line(
            network=self.network,
            channel=self.channel,
            time=time,
            kind=kind,
            nick=bare_nick(nick),
            text=text,
            target=target,
            fetched=True,
        )

    def angled(self, time: float, rest: str) -> Line:
        """`<@alice> hi`."""
        nick, angle, text = rest[1:].partition(">")
        if not angle:
            raise Unread("it has no nick")
        return self.line(time, "message", nick, text[1:])

    def sentence(self, time: float, text: str, sentences: Sentences) -> Line | None:
        """The line that a sentence tells of; None where it fits none of them."""
        for kind, pattern in sentences:
            if found := pattern.fullmatch(text):
                groups = found.groupdict()
                return self.line(
                    time, kind, groups["nick"], groups.get("text") or "", groups.get("target") or ""
                )
        return None


def bare_nick(nick: str) -> str:
    """A nick without its mode. Raises `Unread` for what is none."""
    bare = nick.lstrip(PREFIXES)
    if not bare.isascii() or not bare.isprintable():
        bare = clean(plain(bare))
    if not bare or len(bare) > NICK_LENGTH or " " in bare:
        raise Unread("it has no nick")
    return bare


def compiled(*sentences: tuple[Kind, str]) -> Sentences:
    return [(kind, re.compile(pattern)) for kind, pattern in sentences]


def words_of(text: str) -> tuple[str, str]:
    """`alice waves` as nick and the rest."""
    nick, _, rest = text.partition(" ")
    return nick, rest
