"""WeeChat: `2026-11-21 10:02:03<tab>@alice<tab>hi`. Source: its logger and irc plugins, 4.3."""

from __future__ import annotations

import re

from plugins.logs.imports.readers import Reader, compiled, words_of
from plugins.logs.imports.times import STAMP, Unread
from plugins.logs.line import Line

SENTENCES = compiled(
    ("join", r"(?P<nick>\S+)(?: .*)? has joined \S+"),
    ("quit", r"(?P<nick>\S+)(?: \(\S*\))? has quit(?: \((?P<text>.*)\))?"),
    ("part", r"(?P<nick>\S+)(?: \(\S*\))? has left \S+(?: \((?P<text>.*)\))?"),
    ("nick", r"(?P<nick>\S+) is now known as (?P<target>\S+)"),
    ("mode", r"Mode \S+ \[(?P<text>.*)\] by (?P<nick>\S+)"),
    ("kick", r"(?P<nick>\S+) has kicked (?P<target>\S+)(?: \((?P<text>.*)\))?"),
    ("topic", r'(?P<nick>\S+) has changed topic for \S+(?: from ".*?")? to "(?P<text>.*)"'),
    ("topic", r"(?P<nick>\S+) has unset topic for .*"),
)
NOTICE = re.compile(r"Notice\((?P<nick>[^\s()]+)\)(?: -> (?P<channel>[^\s:]+))?: (?P<text>.*)")
EVENTS = ("-->", "<--", "--")
REMARKS = ("", "=!=", "=")  # WeeChat talks to its user


class WeeChat(Reader):
    name = "weechat"
    looks = re.compile(rf"{STAMP}\t[^\t]*\t")
    file_name = ".weechatlog"

    def parse(self, text: str) -> list[Line]:
        time, rest = self.times.read(text)
        who, tab, said = rest.partition("\t")
        if not tab:
            raise Unread("it has no two tabs")
        if who in EVENTS:
            return self._event(time, said)
        if who == " *":
            return [self.line(time, "action", *words_of(said))]
        if who.strip() in REMARKS:
            return []
        return [self.line(time, "message", who.strip("<>"), said)]

    def _event(self, time: float, text: str) -> list[Line]:
        if found := NOTICE.fullmatch(text):
            channel = found["channel"] or self.channel
            if channel.lower() != self.channel.lower():
                return []
            return [self.line(time, "notice", found["nick"], found["text"])]
        line = self.sentence(time, text, SENTENCES)
        return [line] if line else []
