"""Who came and who went, told in few words: joins, parts, quits and new nicks in a row become one line.

"5 joined, 3 left". Quits whose reason names two servers are a netsplit: "netsplit: 43 people left", and when
they return "netsplit over: 43 people came back". Gaps of the log stand between the lines, and end a row.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from math import inf

import msgspec

from plugins.logs.line import Gap, Line

COMINGS = frozenset({"join", "part", "quit", "nick"})

_SERVER = r"(?:\*|[A-Za-z0-9*][A-Za-z0-9*-]*)(?:\.[A-Za-z0-9*-]+)+"
_SPLIT = re.compile(f"{_SERVER} {_SERVER}")


class Folded(msgspec.Struct, frozen=True):
    """Lines in a row, and what they come to."""

    lines: list[Line]
    summary: str
    netsplit: bool = False


def fold(entries: Iterable[Line | Gap]) -> list[Line | Gap | Folded]:
    """The lines, with comings and goings in a row made into one; one alone stays what it is."""
    folded: list[Line | Gap | Folded] = []
    row: list[Line] = []
    away: set[str] = set()  # who went in a netsplit and is not back
    for entry in entries:
        if isinstance(entry, Line) and entry.kind in COMINGS:
            row.append(entry)
        else:
            if row:
                folded += _folded(row, away)
                row = []
            folded.append(entry)
    if row:
        folded += _folded(row, away)
    return folded


def with_gaps(
    lines: Iterable[Line], gaps: Iterable[Gap], *, after: float = -inf, until: float = inf
) -> list[Line | Gap]:
    """The lines of a page, with the gaps where they belong that begin from `after` on and before `until`."""
    entries: list[Line | Gap] = []
    waiting = deque(gap for gap in gaps if after <= gap.start < until)
    for line in lines:
        while waiting and waiting[0].start < line.time:
            entries.append(waiting.popleft())
        entries.append(line)
    return entries + list(waiting)


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
