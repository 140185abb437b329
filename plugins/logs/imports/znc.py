"""ZNC's log module: `[10:02:03] <alice> hi`, a file for each day. Source: modules/log.cpp of ZNC 1.9."""

from __future__ import annotations

import re

from plugins.logs.imports.readers import Reader, compiled, words_of
from plugins.logs.imports.times import Unread
from plugins.logs.line import Line

SENTENCES = compiled(
    ("join", r"Joins: (?P<nick>\S+)(?: \(\S*\))?"),
    ("quit", r"Quits: (?P<nick>\S+) \(\S*\)(?: \((?P<text>.*)\))?"),
    ("part", r"Parts: (?P<nick>\S+) \(\S*\)(?: \((?P<text>.*)\))?"),
    ("nick", r"(?P<nick>\S+) is now known as (?P<target>\S+)"),
    ("mode", r"(?P<nick>\S+) sets mode: (?P<text>.*?) *"),
    ("kick", r"(?P<target>\S+) was kicked by (?P<nick>\S+)(?: \((?P<text>.*)\))?"),
    ("topic", r"(?P<nick>\S+) changes topic to '(?P<text>.*)'"),
)
TALK = r"<[^>\s]+> |\* \S+ |\*\*\* |-[^\s!-]\S*- "


class Znc(Reader):
    name = "znc"
    looks = re.compile(rf"\[[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}\] (?:{TALK})")

    def parse(self, text: str) -> list[Line]:
        time, rest = self.times.read(text)
        line = self.bracketed(time, rest)
        if line is None:
            raise Unread("it is nothing that ZNC writes")
        return [line]

    def bracketed(self, time: float, rest: str) -> Line | None:
        """What stands after the time, as several bots write it."""
        if rest.startswith("<"):
            return self.angled(time, rest)
        if rest.startswith("*** "):
            return self.sentence(time, rest[4:], SENTENCES)
        if rest.startswith("* "):
            return self.line(time, "action", *words_of(rest[2:]))
        nick, dash, said = rest[1:].partition("- ")
        if rest.startswith("-") and dash:
            return self.line(time, "notice", nick, said)
        return None
