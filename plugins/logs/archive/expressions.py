"""A `Query` as the full-text index wants it. Only words of ours stand outside quotation marks in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator

import msgspec

from plugins.logs.archive.query import Part, Query, Term
from plugins.logs.archive.words import CJK_RUN, nick_mark, words
from plugins.logs.line import KINDS
from pynfo.irc.casemap import fold

SIGNS = tuple("#&+!")  # that names of channels begin with: RFC 2811 section 2.1
WITHOUT_IS = ("t", f"k{KINDS.index('topic')}")  # what is searched where no kind is asked for


class Expressions(msgspec.Struct, frozen=True):
    """`loose` finds all that is wanted, and more: lines of other channels and kinds. `strict` does not, but
    takes longer where a month has few such lines: it goes through those of the channels as well."""

    loose: str
    strict: str


def expressions(query: Query, channels: Collection[int], hidden: Collection[int]) -> Expressions:
    """All of a query but its dates, its channels and its networks; only in `channels`, which are all but the
    `hidden` ones."""
    required = [*map(_phrase, query.wanted.terms), *_filters(query.wanted)]
    refused = [*map(_phrase, query.unwanted.terms), *_filters(query.unwanted)]
    kinds = [] if query.wanted.terms or query.wanted.kinds else [_marks(WITHOUT_IS)]
    only, but = [], []
    if len(channels) <= len(hidden):
        only = [_marks(f"c{channel}" for channel in sorted(channels))]
    elif hidden:
        but = [_marks(f"c{channel}" for channel in sorted(hidden))]
    strict = _both(required + kinds + only, refused + but)
    return Expressions(_both(required, refused) if required else strict, strict)


def is_named(query: Query, place: str) -> bool:
    """Whether a query's filters for channels and networks let a place through."""
    network, _, name = _fold(place).partition("/")
    bare = name[1:]
    names = {name, f"{network}/{name}"}
    if name[:1] == "#" and not bare.startswith(SIGNS):
        names |= {bare, f"{network}/{bare}"}

    def fits(part: Part) -> list[bool]:
        """Which of the filters that are there fit."""
        channels, networks = {*map(_fold, part.channels)}, {*map(_fold, part.networks)}
        return [
            *([not names.isdisjoint(channels)] if channels else []),
            *([network in networks] if networks else []),
        ]

    return all(fits(query.wanted)) and not any(fits(query.unwanted))


def _both(required: list[str], refused: list[str]) -> str:
    found = " AND ".join(required)
    return f"({found}) NOT ({' OR '.join(refused)})" if refused else found


def _phrase(term: Term) -> str:
    said = words(term.text).rstrip()
    beginning = term.beginning
    if CJK_RUN.match(term.text[-1]):
        if CJK_RUN.match(term.text[-2:-1]):
            said = said[:-1]  # further characters may follow it
        else:
            beginning = True
    return 'text:"{}"{}'.format(said.replace('"', '""'), " *" if beginning else "")


def _filters(part: Part) -> Iterator[str]:
    if part.nicks:
        yield _marks(nick_mark(nick.rstrip("*")) + " *" * nick.endswith("*") for nick in part.nicks)
    if part.kinds:
        yield _marks(f"k{KINDS.index(kind)}" for kind in part.kinds)
    if part.link:
        yield "marks:l"


def _marks(alternatives: Iterable[str]) -> str:
    return f"marks:({' OR '.join(alternatives)})"


def _fold(name: str) -> str:
    return fold(unicodedata.normalize("NFKC", name), "rfc1459")
