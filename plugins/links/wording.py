"""Words titles: `↳ The title (example.org)`, all those of a message in one line, and nobody is pinged."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from plugins.links.titles import LENGTH, Title
from pynfo.text import UNSEEN as UNSEEN
from pynfo.text import one_line

SHORTEST = 16  # characters that are left of a title, however little room there is
PLACE = 60  # characters of a host

_WORD = re.compile(r"[\w\[\]\\`^{}|-]+")  # what a nick may be made of (RFC 2812 section 2.3.1), and UTF-8


def line(titles: Sequence[Title], room: int, is_nick: Callable[[str], bool]) -> str:
    """The titles in one line of at most `room` bytes, as long as that leaves something of them.

    `is_nick` tells whether somebody there would be pinged by a word.
    """
    length = LENGTH
    while True:
        told = (f"{one_line(title.text, length)} ({one_line(title.place, PLACE)})" for title in titles)
        text = unping("↳ " + " · ".join(told), is_nick)
        if len(text.encode()) <= room or length <= SHORTEST:
            return text
        length = max(SHORTEST, length * 4 // 5)


def unping(text: str, is_nick: Callable[[str], bool]) -> str:
    """A text in which no word is the nick of somebody, though it looks the same: with a joiner inside."""

    def hidden(found: re.Match[str]) -> str:
        word = found[0]
        return f"{word[0]}{UNSEEN}{word[1:]}" if is_nick(word) else word

    return _WORD.sub(hidden, text)


def says(text: str, title: str) -> bool:
    """Whether somebody's words say the title already, or most of what it begins with."""
    words = _words(title)[:12]
    said = set(_words(text))
    return bool(words) and sum(word in said for word in words) * 4 >= len(words) * 3


def _words(text: str) -> list[str]:
    """The words of a text, folded, each once."""
    return list(dict.fromkeys(re.findall(r"\w+", one_line(text, LENGTH).casefold())))
