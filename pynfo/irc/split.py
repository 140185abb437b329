"""Long text into pieces that fit a line: nothing is cut off, words and graphemes stay whole, styles go on.

Limits are in bytes of UTF-8. Between two pieces the space between two words may go; nothing else is lost.
"""

from __future__ import annotations

from pynfo.irc.formatting import CODE, PLAIN, style_after

LEAST = 64  # bytes: less has no room for re-opened formatting and a grapheme


def split(text: str, limit: int) -> list[str]:
    """Pieces of at most `limit` bytes; none for an empty text. `ValueError` for a limit below `LEAST`."""
    if limit < LEAST:
        raise ValueError(f"{limit} bytes are too few to say anything in")
    if len(text) * 4 <= limit or _size(text) <= limit:
        return [text] if text else []
    pieces = []
    style = PLAIN
    rest = text
    while rest:
        codes = style.codes()
        end = _fitting(rest, limit - len(codes))
        if end < len(rest):
            end = _boundary(rest, end)
        piece = rest[:end]
        pieces.append(codes + piece)
        style = style_after(piece, style)
        rest = rest[end:].removeprefix(" ")
    return pieces


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))


def _fitting(text: str, room: int) -> int:
    """How many characters of the text fit into `room` bytes; at least one."""
    head = text[:room].encode(errors="replace")[:room]
    return max(1, len(head.decode(errors="ignore")))


def _boundary(text: str, end: int) -> int:
    """The last place up to `end` where a word ends, or else a grapheme, or else `end`."""
    space = text.rfind(" ", 1, end + 1)
    if space > 0:
        return space
    for found in CODE.finditer(text, max(0, end - 16), end + 16):
        if found.start() < end < found.end() and found.start() > 0:
            return found.start()
    import regex  # graphemes are needed here alone, and by few lines

    last = 0
    for found in regex.finditer(r"\X", text[: end + 64]):
        if found.start() > end:
            break
        last = found.start()
    return last or end
