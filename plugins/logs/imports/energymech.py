"""energymech, `[10:02] <alice> hi`, which writes as ZNC does, a file for each day; and eggdrop, whose events
are sentences. Source: the manual of pisg, and eggdrop's default messages."""

from __future__ import annotations

import re

from plugins.logs.imports.readers import bare_nick, compiled
from plugins.logs.imports.times import Unread
from plugins.logs.imports.znc import TALK, Znc
from plugins.logs.line import Line

SENTENCES = compiled(
    ("join", r"(?P<nick>\S+) \(\S*\) joined \S+\."),
    ("quit", r"(?P<nick>\S+) \(\S*\) left irc:(?: (?P<text>.*))?"),
    ("part", r"(?P<nick>\S+) \(\S*\) left \S+?(?: \((?P<text>.*)\))?\."),
    ("nick", r"Nick change: (?P<nick>\S+) -> (?P<target>\S+)"),
    ("mode", r"\S+: mode change '(?P<text>.*)' by (?P<nick>[^\s!]+)(?:!\S*)?"),
    ("kick", r"(?P<target>\S+) kicked from \S+ by (?P<nick>[^\s:!]+)(?:!\S*)?:(?: (?P<text>.*))?"),
    ("topic", r"Topic changed on \S+ by (?P<nick>[^\s!:]+)(?:!\S*)?:(?: (?P<text>.*))?"),
    ("action", r"Action: (?P<nick>\S+) (?P<text>.*)"),
)
DAY = re.compile(r"--- (\S+ \w+ +[0-9]+ [0-9]{4})")
AGAIN = re.compile(r"Last message repeated ([0-9]{1,4}) time\(s\)\.")
REMARKS = re.compile(r"\S+ \(\S*\) (?:got netsplit|got lost in the net-split|returned to \S+)\.")


class EnergyMech(Znc):
    name = "energymech"
    looks = re.compile(
        rf"\[[0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}})?\] (?:{TALK}|"
        r"--- |\S+ \(\S*\) (?:joined|left|got|returned) |"
        r"\S+ kicked from |\S+: mode change |Nick change: |Topic changed on |Action: |Last message repeated )"
    )
    _before: Line | None = None

    def parse(self, text: str) -> list[Line]:
        time, rest = self.times.read(text)
        if found := DAY.fullmatch(rest):
            self.times.on_words(found[1])
            return []
        if found := AGAIN.fullmatch(rest):
            return self._again(time, int(found[1]))
        line = self.bracketed(time, rest) or self.sentence(time, rest, SENTENCES)
        if line is None:
            if REMARKS.fullmatch(rest):
                return []
            raise Unread("it is nothing that energymech or eggdrop writes")
        if line.kind == "notice" and ":" in line.nick:  # eggdrop: `-alice:#pynfo- hi`
            line.nick = bare_nick(line.nick.partition(":")[0])
        self._before = line
        return [line]

    def _again(self, time: float, count: int) -> list[Line]:
        before = self._before
        if before is None:
            return []
        return [self.line(time, before.kind, before.nick, before.text, before.target) for _ in range(count)]
