"""irssi: `10:02 <@alice> hi`, with the days in lines of their own. Source: default.theme and the formats of
fe-common in irssi 1.4; `log_timestamp` may have seconds, brackets or a date."""

from __future__ import annotations

import re

from plugins.logs.imports.readers import Reader, compiled, words_of
from plugins.logs.imports.times import STAMP, Unread
from plugins.logs.line import Line

SENTENCES = compiled(
    ("join", r"(?P<nick>\S+) \[\S*\](?: .*)? has joined \S+"),
    ("quit", r"(?P<nick>\S+) \[\S*\] has quit(?: \[(?P<text>.*)\])?"),
    ("part", r"(?P<nick>\S+) \[\S*\] has left \S+(?: \[(?P<text>.*)\])?"),
    ("nick", r"(?P<nick>\S+) is now known as (?P<target>\S+)"),
    ("mode", r"(?:mode|ServerMode)/\S+ \[(?P<text>.*)\] by (?P<nick>[^\s,]+)(?:,? .*)?"),
    ("kick", r"(?P<target>\S+) was kicked from \S+ by (?P<nick>\S+)(?: \[(?P<text>.*)\])?"),
    ("topic", r"(?P<nick>\S+) changed the topic of \S+ to: (?P<text>.*)"),
    ("topic", r"Topic unset by (?P<nick>\S+) on \S+"),
)
NETSPLIT = re.compile(r"Netsplit (\S+) <-> (\S+) quits: (.*)")
NETJOIN = re.compile(r"Netsplit over, joins: (.*)")
MORE = re.compile(r" \(\+[0-9]+ more.*\)$")
PRIVATE = re.compile(r"\[\S+\(\S*\)\] |-\S+\(\S*\)- |!\S+ |CTCP ")  # to or from one person, or a server


class Irssi(Reader):
    name = "irssi"
    looks = re.compile(
        rf"--- (?:Log (?:opened|closed)|Day changed) |{STAMP} (?:<[^>]?[^>\s]+> | \* \S|-!- |-\S+:\S+- )"
    )

    def parse(self, text: str) -> list[Line]:
        if text.startswith("--- "):
            return self._day(text[4:])
        time, rest = self.times.read(text)
        if rest.startswith("<"):
            return self._elsewhere(self.angled(time, rest))
        if rest.startswith("-!- "):
            return self._event(time, rest[4:])
        if rest.startswith((" * ", "* ")):
            return self._elsewhere(self.line(time, "action", *words_of(rest.lstrip(" *"))))
        if PRIVATE.match(rest):
            return []
        nick, dash, said = rest[1:].partition("- ")
        if rest.startswith("-") and dash:
            return self._elsewhere(self.line(time, "notice", nick, said))
        raise Unread("it is nothing that irssi writes")

    def _day(self, words: str) -> list[Line]:
        for opening in ("Log opened ", "Day changed "):
            if words.startswith(opening):
                self.times.on_words(words[len(opening) :])
                return []
        if words.startswith("Log closed "):
            return []
        raise Unread("it is nothing that irssi writes")

    def _elsewhere(self, line: Line) -> list[Line]:
        """Of what was said to another channel, or only to its operators, `<alice:@#pynfo>`, nothing."""
        line.nick, _, channel = line.nick.partition(":")
        return [] if channel and channel.lower() != self.channel.lower() else [line]

    def _event(self, time: float, text: str) -> list[Line]:
        if line := self.sentence(time, text, SENTENCES):
            return [line]
        if found := NETSPLIT.fullmatch(text):
            servers = f"{found[1]} {found[2]}"
            return [self.line(time, "quit", nick, servers) for nick in _nicks(found[3])]
        if found := NETJOIN.fullmatch(text):
            return [self.line(time, "join", nick) for nick in _nicks(found[1])]
        return []  # irssi talks to its user


def _nicks(text: str) -> list[str]:
    return [nick for nick in MORE.sub("", text).split(", ") if nick.strip()]
