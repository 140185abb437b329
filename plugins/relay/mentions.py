"""Mentions of people on the other side of a wire: "alice@libera" is "alice" in what is said on libera."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from pynfo.irc.formatting import CODE

LONGEST = 130  # characters of a nick, with all that is not seen in it

# What a relay puts into a nick so that nobody is pinged, and what may be copied with it.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_OPENING = "[{`_|"  # may be the beginning of a nick, or stand before one
# A mention begins after a space, a code, or what opens a phrase: not within an address, nor in a frame.
_BEFORE = "(?<![^\\s\x02-\x1f(\"'\u201c\u2018\xab,;])"
_NICK = "[^\\s\x00-\x1f@/<>()\"'\u201c\u201d\u2018\u2019\xab\xbb,;:!?*=&#%+~$]"
_BEHIND = r"(?![\w@/-]|\.\w|:[0-9/])"  # the name goes on: a host, a path, another network


def localise(text: str, network: str, members: Callable[[str], bool]) -> str:
    """A text as it goes to `network`: whoever is named there as "alice@network" or "alice/network", with or
    without an @ before it, is "alice", where `members` says that alice is in the channel.

    All else stays, such as addresses of mail and of pages. The time is in proportion to the text.
    """
    if "@" not in text and "/" not in text:
        return text

    def named(found: re.Match[str]) -> str:
        nick = _member(found["nick"], members)
        return found[0] if nick is None else found["codes"] + nick

    return _mentions(network).sub(named, text)


def _member(written: str, members: Callable[[str], bool]) -> str | None:
    """The nick of a member that is written so, with a bracket before it where that is none of the nick."""
    visible = _INVISIBLE.sub("", written)
    opened = len(visible) - len(visible.lstrip(_OPENING))
    for start in range(min(opened, 3) + 1):
        if visible[start:] and members(visible[start:]):
            return visible
    return None


@lru_cache(64)
def _mentions(network: str) -> re.Pattern[str]:
    """Every repetition has a limit, and none can begin within another: no text takes long."""
    codes = f"(?P<codes>(?:{CODE.pattern}){{0,3}})"
    name = f"(?P<nick>{_NICK}{{1,{LONGEST}}})"
    return re.compile(f"{_BEFORE}{codes}@?{name}[@/](?i:{re.escape(network)}){_BEHIND}")
