"""Who came and who went, told in few words: joins, parts, quits and new nicks in a row become one line.

"5 joined, 3 left". Quits whose reason names two servers are a netsplit: "netsplit: 43 people left", and when
they return "netsplit over: 43 people came back".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from plugins.logs.line import Line

COMINGS = frozenset({"join", "part", "quit", "nick"})

_SERVER = r"(?:\*|[A-Za-z0-9*][A-Za-z0-9*-]*)(?:\.[A-Za-z0-9*-]+)+"
_SPLIT = re.compile(f"{_SERVER} {_SERVER}")


class Folded(msgspec.Struct, frozen=True):
    """Lines in a row, and what they come to."""

    lines: list[Line]
    summary: str
    netsplit: bool = False


def fold(lines: Iterable[Line]) -> list[Line | Folded]:
    """The lines, with comings and goings in a row made into one; one alone stays what it is."""
    entries: list[Line | Folded] = []
    row: list[Line] = []
    away: set[str] = set()  # who went in a netsplit and is not back
    for line in lines:
        if line.kind in COMINGS:
            row.append(line)
        else:
            if row:
                entries += _folded(row, away)
                row = []
            entries.append(line)
    if row:
        entries += _folded(row, away)
    return entries


def is_netsplit(line: Line) -> bool:
    """Whether somebody went because servers lost each other: the reason is `one.example two.example`."""
    return line.kind == "quit" and _SPLIT.fullmatch(line.text) is not None


def _folded(row: list[Line], away: set[str]) -> list[Line | Folded]:
    counts = dict.fromkeys(("split", "back", "joined", "left", "renamed"), 0)
    for line in row:
        counts[_what(line, away)] += 1
    if len(row) == 1:
        return list(row)
    parts = []
    if counts["split"]:
        parts.append(f"netsplit: {_people(counts['split'])} left")
    if counts["back"]:
        parts.append(f"{'' if parts else 'netsplit over: '}{_people(counts['back'])} came back")
    parts += [f"{counts[what]} {what}" for what in ("joined", "left", "renamed") if counts[what]]
    return [Folded(list(row), ", ".join(parts), bool(counts["split"] or counts["back"]))]


def _what(line: Line, away: set[str]) -> str:
    if line.kind == "join":
        if line.nick in away:
            away.remove(line.nick)
            return "back"
        return "joined"
    if line.kind == "nick":
        return "renamed"
    if is_netsplit(line):
        away.add(line.nick)
        return "split"
    return "left"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
