"""Text that came from outside (a page, a feed, a search result), made into one line for people to read.

It is hostile until it has been here: it may hold IRC formatting, control characters, characters that turn a
line around or that nobody sees, letters under a tower of accents, and any length.
"""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import Any
from unicodedata import normalize

from pynfo.irc.formatting import plain

LINE = 300  # graphemes, if nothing else is asked for
READ = 64  # characters that are looked at, for each grapheme that is wanted; the rest is not even read
READ_LEAST = 16_384  # characters, however few graphemes are wanted
UNSEEN = "\u2060"  # the word joiner, which nobody sees
GRAPHEME = 16  # characters of one: a family of four, each with a colour of skin, has 11
ELLIPSIS = "…"


def one_line(text: str, limit: int = LINE) -> str:
    """`text` in one line of at most `limit` graphemes (UAX #29), the last of them "…" where something is cut.

    Spaces and line ends of every kind become one space each. What is gone: IRC formatting, controls, private
    and unassigned characters, what changes the direction of text, and what is not seen, but for the joiners
    and variation selectors that emoji and some scripts are written with. The rest is in Unicode's form NFC.
    Nothing but such characters gives "".
    """
    patterns = _patterns()
    read: str = text[: max(READ_LEAST, limit * READ)]
    read = patterns["unseen"].sub("", _spaced(plain(read)))
    read = normalize("NFC", patterns["tower"].sub(r"\1", read))
    read = _spaced(patterns["marks"].sub(r"\1", patterns["stray"].sub("", read)))
    if len(read) <= limit and read.isascii():
        return read
    found = islice(patterns["grapheme"].finditer(read), limit + 1)  # of flags, each looks at all before it
    graphemes = [grapheme[0][:GRAPHEME] for grapheme in found]
    if len(graphemes) <= limit:
        return "".join(graphemes)
    return "".join(graphemes[: limit - 1]).rstrip() + ELLIPSIS


def uncommanding(line: str) -> str:
    """A line that begins with text from outside, such that no bot takes it for a command: "!op eve"."""
    return line if line[:1].isalnum() or not line else UNSEEN + line


def _spaced(text: str) -> str:
    # The blank of Braille is a sign like others to Unicode, and a space to whoever looks at it.
    return " ".join(text.replace("\u2800", " ").split())


@cache
def _patterns() -> dict[str, Any]:
    import regex  # large, and a bot that asks nothing of the world needs none of it

    return {
        "unseen": regex.compile(
            r"[[\p{C}\p{Default_Ignorable_Code_Point}]--[\u200c\u200d\ufe0e\ufe0f]]", regex.V1
        ),
        # Possessive, and only from the beginning of a run, so that a long one takes no square of its length.
        "stray": regex.compile(
            r"(?<![^ ])[\u200c\u200d\ufe0e\ufe0f]+|(?<![\u200c\u200d])[\u200c\u200d]++(?![^ ])"
        ),
        "tower": regex.compile(r"(\p{M}{16})\p{M}+"),  # which it takes the square of its length to normalize
        "marks": regex.compile(r"(\p{M}{4})\p{M}+"),
        "grapheme": regex.compile(r"\X"),
    }
