"""Long text into pieces that fit a line: nothing is cut off, words and graphemes stay whole, styles go on.

Limits are in bytes of UTF-8. Between two pieces the space between two words may go; nothing else is lost. A
grapheme (UAX #29) is cut, between two code points, only where it is too big for a piece of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from pynfo.irc.formatting import CODE, PLAIN, plain, style_after
from pynfo.irc.message import encode

LEAST = 64  # bytes: less has no room for re-opened formatting (29 at most) and a grapheme
CODE_LENGTH = 14  # characters of the longest formatting code: two colours in hex

_ASCII_TOKEN = re.compile(f"{CODE.pattern}|.", re.DOTALL)


def split(text: str, limit: int) -> list[str]:
    """Pieces of at most `limit` bytes; none for an empty text. `ValueError` for a limit below `LEAST`.

    A piece in which nothing would be seen, because it is formatting codes alone, is left out.
    """
    if limit < LEAST:
        raise ValueError(f"{limit} bytes are too few to say anything in")
    if len(text) * 4 <= limit or len(encode(text)) <= limit:
        return [text] if text else []
    pieces = []
    style = PLAIN
    start = 0
    while start < len(text):
        codes = style.codes()
        fitting = start + _fitting(text[start : start + limit], limit - len(codes))
        end, next_start = _break(text, start, fitting)
        piece = text[start:end]
        if plain(piece):
            pieces.append(codes + piece)
        style = style_after(piece, style)
        start = next_start
    return pieces


def _fitting(text: str, room: int) -> int:
    """How many characters of the text fit into `room` bytes."""
    return len(encode(text)[:room].decode(errors="ignore"))


def _break(text: str, start: int, fitting: int) -> tuple[int, int]:
    """Where the piece from `start` ends, at `fitting` or before it, and where the next one starts."""
    if fitting == len(text):
        return fitting, fitting
    space = whole = start
    for token in _tokens(text, start, fitting + CODE_LENGTH):
        if token.start() > fitting:
            break
        whole = token.start()
        if token[0] == " ":
            space = whole
    if space > start:
        return space, space + 1
    end = whole if whole > start else fitting
    return end, end


def _tokens(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """What must stay whole from `start` to `end`: formatting codes and graphemes."""
    if text[start:end].isascii():
        return _ASCII_TOKEN.finditer(text, start, end)
    return _token().finditer(text, start, end)


@cache
def _token() -> re.Pattern[str]:
    import regex  # large, and few bots ever split a line that is not ASCII

    pattern: re.Pattern[str] = regex.compile(rf"{CODE.pattern}|\X")
    return pattern
