"""What to mark in a line that was found, as a regular expression."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from functools import lru_cache
from itertools import chain, pairwise

from plugins.logs.archive.query import ACCENTS, SEARCHABLE, Query
from plugins.logs.archive.words import CJK_RUN

BETWEEN = 16  # characters between two words of a phrase at most

# Where letters stand that have several forms: in upper case, with accents, of full width.
_VARIED = (range(0x30, 0x250), range(0x370, 0x590), range(0x1E00, 0x2000), range(0xFF10, 0xFF5B))

# A word begins and ends where no other letter is, or one of those that have no words: what is from U+2E80 on
# stands for Chinese, Japanese and Korean here. Their full class takes `re` ten milliseconds to compile.
_LETTER = r"(?=[\0-\u2e7f])[^\W_]"
_START = r"(?:(?<![^\W_])|(?<=[^\0-\u2e7f]))"
_END = f"(?!{_LETTER})"
_REST = f"(?:{_LETTER}|{ACCENTS})*"


@lru_cache(64)
def highlight(query: Query) -> re.Pattern[str] | None:
    """Finds, in a text without formatting, each word and phrase that was searched for; None where there was
    none. It has no groups, and takes time in proportion to the text."""
    return _compiled(query, "(?:{})")


@lru_cache(64)
def by_term(query: Query) -> re.Pattern[str] | None:
    """The same, with a group for each term: `lastindex` tells which one was found."""
    return _compiled(query, "({})")


def _compiled(query: Query, group: str) -> re.Pattern[str] | None:
    """What is between words, and costs most, stands once for all the terms that are made of words alone."""
    terms = sorted(set(query.wanted.terms), key=lambda term: (-len(term.text), term.text))
    ordinary, others = [], []
    for term in terms:
        pieces = term.pieces
        starts, ends = not _is_cjk(pieces[0]), not _is_cjk(pieces[-1])
        found = group.format(_phrase(pieces) + _REST * term.beginning)
        if starts and ends:
            ordinary.append(found)
        else:
            others.append(_START * starts + found + _END * ends)
    if ordinary:
        others.append(f"{_START}(?:{'|'.join(ordinary)}){_END}")
    return re.compile("|".join(others)) if others else None


def _phrase(pieces: list[str]) -> str:
    """Accents belong to the word before them, and to it alone: if what is between two words could begin with
    one as well, a text full of accents would be gone through in all the ways in which it can be cut."""
    parts = [_piece(pieces[0])]
    for piece, following in pairwise(pieces):
        least = 0 if _is_cjk(piece) or _is_cjk(following) else 1
        parts += (rf"(?!{ACCENTS})[\W_]{{{least},{BETWEEN}}}", _piece(following))
    return "".join(parts)


def _is_cjk(piece: str) -> bool:
    return CJK_RUN.match(piece) is not None


def _piece(piece: str) -> str:
    if _is_cjk(piece):
        return re.escape(piece)
    return "".join(f"{_forms(character)}{ACCENTS}*" for character in piece if SEARCHABLE.match(character))


@lru_cache(1024)
def _forms(character: str) -> str:
    """A class of all the forms of a letter: `[aAäÄ…]`."""
    base = _base(character)
    forms = {character, base, base.upper(), *_variants().get(base, ())}
    return f"[{''.join(sorted(re.escape(form) for form in forms if len(form) == 1))}]"


@lru_cache(1)
def _variants() -> dict[str, list[str]]:
    variants = defaultdict(list)
    for character in map(chr, chain.from_iterable(_VARIED)):
        variants[_base(character)].append(character)
    return dict(variants)


def _base(character: str) -> str:
    """A letter as the index has it: small, and without its accents."""
    plain = "".join(
        part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part)
    )
    folded = plain.casefold()
    return folded if len(folded) == 1 else character.lower()
