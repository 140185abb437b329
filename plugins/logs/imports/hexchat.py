"""HexChat and XChat: `Nov 21 10:02:03 <alice><tab>hi`, with the year where the log begins. Source:
textevents.in of HexChat 2.16, and its text.c."""

from __future__ import annotations

import re

from plugins.logs.imports.readers import Reader, compiled, words_of
from plugins.logs.imports.times import Unread
from plugins.logs.line import Line

SENTENCES = compiled(
    ("join", r"(?P<nick>\S+) \(\S*\) has joined(?: [#&+!]\S*)?"),
    ("quit", r"(?P<nick>\S+) has quit \((?P<text>.*)\)"),
    ("part", r"(?P<nick>\S+) \(\S*\) has left(?: [#&+!]\S*)?(?: \((?P<text>.*)\))?"),
    ("nick", r"(?P<nick>\S+) is now known as (?P<target>\S+)"),
    ("kick", r"(?P<nick>\S+) has kicked (?P<target>\S+) from \S+ \((?P<text>.*)\)"),
    ("topic", r"(?P<nick>\S+) has changed the topic to: (?P<text>.*)"),
)
MODES = [
    (sign + letter, re.compile(rf"(\S+) {words}"))
    for sign, letter, words in (
        ("+", "o", "gives channel operator status to (.+)"),
        ("-", "o", "removes channel operator status from (.+)"),
        ("+", "h", "gives channel half-operator status to (.+)"),
        ("-", "h", "removes channel half-operator status from (.+)"),
        ("+", "v", "gives voice to (.+)"),
        ("-", "v", "removes voice from (.+)"),
        ("+", "b", r"sets ban on (\S+)"),
        ("-", "b", r"removes ban on (\S+)"),
        ("+", "e", r"sets exempt on (\S+)"),
        ("-", "e", r"removes exempt on (\S+)"),
        ("+", "I", r"sets invite(?: exempt)? on (\S+)"),
        ("-", "I", r"removes invite(?: exempt)? on (\S+)"),
        ("+", "k", r"sets channel keyword to (\S+)"),
        ("-", "k", "removes channel keyword()"),
        ("+", "l", r"sets channel limit to (\S+)"),
        ("-", "l", "removes user limit()"),
    )
]
MODE = re.compile(r"(\S+) sets modes? ([+-]\S+)(?: [#&+!]\S*)?((?: \S+)*)")
NOTICE = re.compile(r"-([^\s/]+)/([#&+!]\S*)-[\t ](.*)")
PRIVATE = re.compile(r"-\S+-[\t ]|\*\S+\*[\t ]|>\S+<[\t ]")
# HexChat talks to its user.
REMARKS = re.compile(
    r"(?:You are now |Now talking |You have |Topic for |Topic of |Channel \S+ |Connect(?:ed|ing|ion)\b|"
    r"Looking up |Disconnected |Stopped |Cannot join|Users on |Received a CTCP |Attempting |Ping |No ping |"
    r"DCC |\[\S+\] |Notify: |Unknown |Error|MOTD|You've |You're )"
)


class HexChat(Reader):
    name = "hexchat"
    looks = re.compile(r"\*\*\*\* (?:BEGIN|ENDING) LOGGING AT |\w{3} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} ")

    def parse(self, text: str) -> list[Line]:
        if text.startswith("**** "):
            _, begin, words = text.partition("BEGIN LOGGING AT ")
            if begin:
                self.times.on_words(words)
            return []
        time, rest = self.times.read_month(text)
        if rest.startswith("<") and not rest.startswith("<--"):
            return [self.angled(time, rest)]
        for mark in ("*\t", "* ", "-->", "<--", "---"):
            if rest.startswith(mark):
                line = self._told(time, rest[len(mark) :].lstrip("\t "), may_act=mark[0] == "*")
                return [line] if line else []
        if found := NOTICE.fullmatch(rest):
            return [self.line(time, "notice", found[1], found[3])]
        if PRIVATE.match(rest):
            return []
        raise Unread("it is nothing that HexChat writes")

    def _told(self, time: float, text: str, *, may_act: bool) -> Line | None:
        if line := self.sentence(time, text, SENTENCES):
            return line
        for change, pattern in MODES:
            if found := pattern.fullmatch(text):
                names = found[2].split()
                letters = change[0] + change[1] * max(1, len(names))
                return self.line(time, "mode", found[1], " ".join([letters, *names]))
        if found := MODE.fullmatch(text):
            return self.line(time, "mode", found[1], found[2] + found[3])
        if not may_act or REMARKS.match(text):
            return None
        return self.line(time, "action", *words_of(text))
