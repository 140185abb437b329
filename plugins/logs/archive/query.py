"""What people type to search the logs, and what it means.

    zope interface        lines with both words, in any order; upper case and accents do not matter
    "zope interface"      these words, one after the other
    zope.interface        the same: an identifier or an address is a phrase of its pieces
    pyn*                  words that begin so
    日本語                Chinese, Japanese and Korean are found wherever they stand
    -word -"two words"    lines without it
    nick:alice nick:ali*  said by one of them          channel:pynfo channel:libera/#pynfo network:libera
    after:2026-11         from the 1st of November on  before:2026-11-21 on:yesterday after:7d
    is:action is:join     of one of these kinds; without it only what was said, and topics, are searched
    has:link              with an address of the web

A minus before a filter turns it round. A word before a colon that is no filter is text, as in
`https://example.org`; so is what begins with two minuses, as in `--help`. Whatever is typed, `parse` gives a
`Query` or raises `QueryError`.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta

import msgspec

from plugins.logs.archive.words import CJK_RUN, WORDED
from plugins.logs.line import KINDS
from pynfo.command import quoted
from pynfo.irc.formatting import plain

LENGTH = 300  # characters of a query
TERMS = 20  # words, phrases and filters
PIECES = 60  # words in all the phrases; of Chinese, Japanese and Korean each character counts
SHORTEST_BEGINNING = 2  # characters before a star
LAST_YEAR = 9000

_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_QUOTES = str.maketrans("“”„‟", '""""')
_ELEMENT = re.compile(
    r"(?=\S)(?P<minus>-?)(?:(?P<name>[A-Za-z]+):)?"
    r'(?:"(?P<phrase>[^"]*)(?:"(?P<star>\*?)|\Z)|(?P<word>[^\s"]*))'
)

# What unicode61 makes words of: letters, digits, private use. Accents that stand apart belong to the word.
SEARCHABLE = re.compile("[^\\W_]|[\ue000-\uf8ff]")
ACCENTS = "[\u0300-\u0331]"
_NEXT = f"(?!{CJK_RUN.pattern})(?:{SEARCHABLE.pattern})"
_PIECE = re.compile(f"{CJK_RUN.pattern}|{_NEXT}(?:{_NEXT}|{ACCENTS})*")
_ONLY_ACCENTS = re.compile(f"{ACCENTS}*")
_TERM = re.compile(f"(?:{SEARCHABLE.pattern})(?:.*(?:{SEARCHABLE.pattern}))?")

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?")
_AGO = re.compile(r"([0-9]{1,4})([dwmy])")
_UNIT_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_EXAMPLES = {
    "nick": "a nick such as nick:alice",
    "channel": "a channel such as channel:#pynfo",
    "network": "a network such as network:libera",
    "is": f"one of {', '.join(KINDS)}",
    "has": "the word link: has:link",
    "after": "a date such as 2026-11-21, 2026-11, 2026, yesterday or 7d",
}
_EXAMPLES["before"] = _EXAMPLES["on"] = _EXAMPLES["after"]
_DATES = frozenset({"after", "before", "on"})


class QueryError(ValueError):
    """What was typed makes no sense. One sentence for the person."""


class Term(msgspec.Struct, frozen=True):
    """A word or a phrase, in NFKC; its first and its last character are searchable. `beginning`: its last
    word may go on."""

    text: str
    beginning: bool = False

    @property
    def pieces(self) -> list[str]:
        """Its words, and its runs of Chinese, Japanese or Korean."""
        return [piece for piece in _PIECE.findall(self.text) if SEARCHABLE.search(piece)]


class Part(msgspec.Struct, frozen=True):
    """What is wanted, or what is not. `nicks` may end in a star."""

    terms: tuple[Term, ...] = ()
    nicks: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    link: bool = False


class Query(msgspec.Struct, frozen=True):
    """Lines with every term that is wanted, and one of the nicks, of the channels and so on where any are
    named; with nothing of what is unwanted; from the day `since` until the day before `until`."""

    wanted: Part = msgspec.field(default_factory=Part)
    unwanted: Part = msgspec.field(default_factory=Part)
    since: date | None = None
    until: date | None = None


def parse(text: str, *, now: date) -> Query:
    """What a person typed. `now`: the UTC day that "today" is. Raises `QueryError`."""
    reader = _Reader(now)
    for count, element in enumerate(_ELEMENT.finditer(_clean(text))):
        if count == TERMS:
            raise QueryError(f"that is too much at once: search for at most {TERMS} words and filters")
        reader.read(element)
    return reader.query()


def _clean(text: str) -> str:
    if len(text) <= LENGTH:
        text = unicodedata.normalize("NFKC", _UNWANTED.sub(" ", plain(text))).translate(_QUOTES)
    if len(text) > LENGTH:
        raise QueryError(f"that is too long: search for at most {LENGTH} characters")
    return text


class _Gathered:
    """A `Part` while it is read."""

    def __init__(self) -> None:
        self.terms: list[Term] = []
        self.filters: dict[str, list[str]] = {name: [] for name in _EXAMPLES if name not in _DATES}

    def part(self) -> Part:
        filters = {name: tuple(values) for name, values in self.filters.items()}
        return Part(
            terms=tuple(self.terms),
            nicks=filters["nick"],
            channels=filters["channel"],
            networks=filters["network"],
            kinds=filters["is"],
            link=bool(filters["has"]),
        )


class _Reader:
    """Takes what was typed element by element."""

    def __init__(self, now: date) -> None:
        self._now = now
        self._wanted, self._unwanted = _Gathered(), _Gathered()
        self._since: date | None = None
        self._until: date | None = None
        self._pieces = 0
        self._unsearchable = ""

    def read(self, element: re.Match[str]) -> None:
        minus, name = bool(element["minus"]), element["name"] or ""
        is_phrase = element["phrase"] is not None
        value = element["phrase"] if is_phrase else element["word"]
        if name.lower() in _EXAMPLES:
            self._filter(name.lower(), value.strip() + (element["star"] or ""), minus)
            return
        if minus and not name and not is_phrase:
            if not value:
                raise QueryError("a minus wants the word that must not be there right after it: -word")
            minus = not value.startswith("-")
        self._text(f"{name}:{value}" if name else value, bool(element["star"]), minus)

    def query(self) -> Query:
        """All that was read."""
        query = Query(self._wanted.part(), self._unwanted.part(), self._since, self._until)
        if query == Query():
            if self._unsearchable:
                raise QueryError(f"there is no letter and no digit in {quoted(self._unsearchable)}")
            raise QueryError("there is nothing to search for")
        if self._since and self._until and self._since >= self._until:
            raise QueryError("there is no day that lies within these dates")
        kinds = query.wanted.kinds
        if query.wanted.terms and kinds and WORDED.isdisjoint(kinds):
            raise QueryError(
                f"only what was said, and topics, can be searched for words: is:{kinds[0]} goes with nick:, "
                "channel: and dates"
            )
        return query

    def _gathered(self, minus: bool) -> _Gathered:
        return self._unwanted if minus else self._wanted

    def _text(self, text: str, star: bool, minus: bool) -> None:
        body = text.rstrip("* ")
        star = star or "*" in text[len(body) :]
        found = _TERM.search(body)
        if found is None:
            self._unsearchable = self._unsearchable or text
            return
        # A star after a full stop begins another word: `zope.*` is "zope" and anything, and so is "zope".
        term = Term(found[0], star and _ONLY_ACCENTS.fullmatch(body, found.end()) is not None)
        pieces = term.pieces
        if term.beginning:
            last = pieces[-1]
            if CJK_RUN.match(last):
                term = Term(term.text)  # found wherever it stands
            elif len(SEARCHABLE.findall(last)) < SHORTEST_BEGINNING:
                raise QueryError(
                    f"{quoted(text)} is too short: a star wants {SHORTEST_BEGINNING} characters before it"
                )
        self._pieces += sum(len(piece) if CJK_RUN.match(piece) else 1 for piece in pieces)
        if self._pieces > PIECES:
            raise QueryError(f"that is too much at once: search for at most {PIECES} words")
        self._gathered(minus).terms.append(term)

    def _filter(self, name: str, value: str, minus: bool) -> None:
        if name in _DATES:
            if minus:
                raise QueryError("a date takes no minus: write after:, before: or on: without it")
            self._date(name, value)
            return
        if name in ("is", "has"):
            value = value.lower()
            if value not in (KINDS if name == "is" else ("link",)):
                raise QueryError(f"{name}: wants {_EXAMPLES[name]}")
        elif not value.rstrip("*"):
            raise QueryError(f"{name}: wants {_EXAMPLES[name]}")
        elif name == "nick" and value.endswith("*") and len(value.rstrip("*")) < SHORTEST_BEGINNING:
            raise QueryError(f"nick: wants {SHORTEST_BEGINNING} characters before the star")
        self._gathered(minus).filters[name].append(value)

    def _date(self, name: str, value: str) -> None:
        first, end = self._period(name, value.lower())
        if name != "before":
            self._since = max(self._since or first, first)
        if name != "after":
            last = first if name == "before" else end
            self._until = min(self._until or last, last)

    def _period(self, name: str, value: str) -> tuple[date, date]:
        """The first day of what is named, and the first after it."""
        day = timedelta(days=1)
        try:
            if value in ("today", "yesterday"):
                first = self._now - day * (value == "yesterday")
                return first, first + day
            if ago := _AGO.fullmatch(value):
                first = self._now - day * int(ago[1]) * _UNIT_DAYS[ago[2]]
                return first, first + day
            if (written := _DATE.fullmatch(value)) and int(written[1]) <= LAST_YEAR:
                year, month, number = (int(part) if part else None for part in written.groups())
                assert year is not None
                first = date(year, month or 1, number or 1)
                if number:
                    return first, first + day
                if month:
                    return first, (first.replace(day=28) + day * 4).replace(day=1)
                return first, first.replace(year=year + 1)
        except (ValueError, OverflowError):
            pass
        raise QueryError(f"{name}: wants {_EXAMPLES[name]}")
