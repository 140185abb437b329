"""Limnoria's (Supybot's) ChannelLogger: `2026-11-21T10:02:03  <alice> hi`. Source: its plugin.py."""

from __future__ import annotations

import re

from plugins.logs.imports.readers import Reader, compiled, words_of
from plugins.logs.imports.times import Unread
from plugins.logs.line import Line

SENTENCES = compiled(
    ("join", r"(?P<nick>\S+)(?: <\S*>)? has joined \S+"),
    ("quit", r"(?P<nick>\S+)(?: <\S*>)? has quit IRC(?: \((?P<text>.*)\))?"),
    ("part", r"(?P<nick>\S+)(?: <\S*>)? has left \S+(?: \((?P<text>.*)\))?"),
    ("nick", r"(?P<nick>\S+) is now known as (?P<target>\S+)"),
    ("mode", r"(?P<nick>[^\s!]+)(?:!\S+)? sets mode: (?P<text>.*?) *"),
    ("kick", r"(?P<target>\S+) was kicked by (?P<nick>\S+)(?: \((?P<text>.*)\))?"),
    ("topic", r'(?P<nick>\S+) changes topic to "(?P<text>.*)"'),
)
NOT_LOGGED = "-= THIS MESSAGE NOT LOGGED =-"


class Limnoria(Reader):
    name = "limnoria"
    looks = re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}  (?:<[^>\s]+> |\* \S+ |\*\*\* |-\S+- )"
    )

    def parse(self, text: str) -> list[Line]:
        time, rest = self.times.read(text)
        line = self._line(time, rest.removeprefix(" "))
        return [] if line is None or line.text == NOT_LOGGED else [line]

    def _line(self, time: float, rest: str) -> Line | None:
        if rest.startswith("<"):
            return self.angled(time, rest)
        if rest.startswith("*** "):
            return self.sentence(time, rest[4:], SENTENCES)  # an invitation is none
        if rest.startswith("* "):
            return self.line(time, "action", *words_of(rest[2:]))
        nick, dash, said = rest[1:].partition("- ")
        if rest.startswith("-") and dash:
            return self.line(time, "notice", nick, said)
        raise Unread("it is nothing that ChannelLogger writes")
