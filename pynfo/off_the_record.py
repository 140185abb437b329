"""What people mark as not for the record.

A line that begins with `[off]` or `[nolog]` is kept nowhere. A mark counts however it is dressed up: in any
case, behind or between formatting codes, spaces and characters that nobody sees, and in the full-width
letters of an East Asian keyboard. In doubt a line is not kept.
"""

from __future__ import annotations

import unicodedata

from pynfo.irc.formatting import plain

MARKS = ("[off]", "[nolog]")
_LONGEST = max(map(len, MARKS))
# Controls, formats, lone surrogates, unassigned, and all that is a space.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Zs", "Zl", "Zp"})
# Letters and marks by their category, which show nothing: Unicode's Default_Ignorable_Code_Point, and the
# empty pattern of Braille.
_BLANK = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800),
        (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)  # fmt: skip


def off_the_record(text: str) -> bool:
    """Whether a line of that text, formatting and all, is not to be kept. Fast for ordinary lines."""
    if "\n" in text:  # a message of several lines goes whole
        return any(off_the_record(line) for line in text.split("\n"))
    if not text or ("!" <= text[0] <= "~" and text[0] != "["):
        return False
    head = ""
    for character in plain(text):
        if character in _BLANK or unicodedata.category(character) in _UNSEEN:
            continue
        head += character
        if len(head) == _LONGEST:
            break
    return unicodedata.normalize("NFKC", head).casefold().startswith(MARKS)
