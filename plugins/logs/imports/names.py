"""What the path of a log file tells: network, channel, day.

    ~/irclogs/libera/#pynfo.log                                       irssi
    ~/.local/share/weechat/logs/irc.libera.#pynfo.weechatlog          WeeChat
    …/users/alice/networks/libera/moddata/log/#pynfo/2026-11-21.log   ZNC
    …/moddata/log/alice_libera_#pynfo_20261121.log                    ZNC before 1.6
    ~/.config/hexchat/logs/libera/#pynfo.log                          HexChat
    …/ChannelLogger/libera/#pynfo/#pynfo.2026-11-21.log               Limnoria
    …/pynfo_20261121.log                                              energymech: no network, no channel

A name without a `#` may be a person's: it is never taken for a channel.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import msgspec

from plugins.logs.imports.times import MONTHS, Unread, day_of
from pynfo.irc.casemap import fold

ENDINGS = (".gz", ".log", ".txt", ".weechatlog", ".ndjson", ".jsonl", ".json")

_WEECHAT = re.compile(r"irc\.(.+?)\.([#&+!].*)\.weechatlog")
_DATE = re.compile(r"(?<![0-9])([0-9]{4})([-_.]?)([0-9]{2})\2([0-9]{2})(?![0-9])")
_DATE_WORDS = re.compile(r"(?<![0-9])([0-9]{2})([A-Z][a-z]{2})([0-9]{4})(?![0-9])")  # eggdrop
_BEFORE_CHANNEL = re.compile(r"(?:(.*)_)?([#&+!].*)")
_DATED = re.compile(r"[0-9][0-9-]*")


class Told(msgspec.Struct, frozen=True):
    """None: it does not tell. `bare`: what the file is called where that is no channel."""

    network: str | None
    channel: str | None
    day: date | None
    bare: str = ""

    def may_be_of(self, channel: str) -> bool:
        """Whether that is the file's channel, or it is of one day and is called so without the `#`."""
        if self.channel is not None:
            return fold(self.channel, "rfc1459") == fold(channel, "rfc1459")
        return self.day is not None and fold(self.bare, "rfc1459") == fold(channel[1:], "rfc1459")


def told_by(path: Path) -> Told:
    """What a path tells. Names are as they stand there, some programs write them in lower case."""
    path = path.absolute()
    if found := _WEECHAT.fullmatch(path.name.removesuffix(".gz")):
        return Told(found[1], found[2], None)
    name, day = _without_date(_without_endings(path.name))
    network, channel = _named(name)
    folders = [folder for folder in path.parent.parts[:0:-1] if not _DATED.fullmatch(folder)]
    if folders and folders[0].startswith(("#", "&", "+", "!")):
        channel = channel or folders[0]
        folders = folders[1:]
    if channel is not None and network is None and folders:
        network = folders[2] if folders[:2] == ["log", "moddata"] and len(folders) > 2 else folders[0]
    return Told(network, channel, day, bare=name or (folders[0] if folders else ""))


def _without_endings(name: str) -> str:
    for _ in range(2):  # `.log.gz`
        for ending in ENDINGS:
            name = name.removesuffix(ending)
    return name


def _without_date(name: str) -> tuple[str, date | None]:
    for pattern in (_DATE, _DATE_WORDS):
        for found in reversed(list(pattern.finditer(name))):
            if day := _day(found):
                rest = f"{name[: found.start()].rstrip('._-')}{name[found.end() :]}"
                return _without_endings(rest), day
    return name, None


def _day(found: re.Match[str]) -> date | None:
    try:
        if found.re is _DATE:
            return day_of(int(found[1]), int(found[3]), int(found[4]))
        return day_of(int(found[3]), MONTHS[found[2].lower()], int(found[1]))
    except (Unread, KeyError):
        return None


def _named(name: str) -> tuple[str | None, str | None]:
    """`alice_libera_#pynfo` is a network and a channel, `#pynfo` a channel."""
    found = _BEFORE_CHANNEL.fullmatch(name)
    if found is None:
        return None, None
    return found[1].rpartition("_")[2] if found[1] else None, found[2]
