"""What people mark as not for the log, and how they say that they really want to be forgotten.

A line that begins with `[off]` or `[nolog]` is not kept. A mark counts however it is dressed up: in any case,
behind or between formatting codes, spaces and characters that nobody sees, and in the full-width letters of
an East Asian keyboard. In doubt a line is not kept.

To be forgotten cannot be undone, so it is said twice, the second time with a code. The code is made of who
asks and when: nothing of it is kept, and to anybody else it means nothing.
"""

from __future__ import annotations

import hmac
import unicodedata

from pynfo.irc.formatting import plain

MARKS = ("[off]", "[nolog]")

CODE_LENGTH = 4
CODE_MINUTES = 5  # for which a code works at least
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # 32, none of which looks like another

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


def code_of(key: bytes, who: str, now: float) -> str:
    """What `who` has to say to confirm, made at `now` (UTC epoch seconds) with a secret `key`."""
    return _code(key, who, int(now // 60))


def confirms(key: bytes, who: str, code: str, now: float) -> bool:
    """Whether it is a code of `who` that is not too old."""
    minute = int(now // 60)
    return code.lower() in {_code(key, who, minute - age) for age in range(CODE_MINUTES + 1)}


def _code(key: bytes, who: str, minute: int) -> str:
    digest = hmac.digest(key, f"confirm\0{minute}\0{who}".encode(errors="replace"), "sha256")
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:CODE_LENGTH])
