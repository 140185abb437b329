"""The calendar of a month: which days have lines, and how much was said on them. And days in words."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from datetime import date
from math import ceil, sqrt

import msgspec

from plugins.logs.archive.records import MonthDays

LEVELS = 5


class Cell(msgspec.Struct, frozen=True):
    """A day of the calendar. `level`: 1 to 5; 0 where there are no lines; `talk` is None then."""

    day: date
    talk: int | None
    level: int


class Month(msgspec.Struct, frozen=True):
    """`weeks`: from Monday to Sunday, None for days of other months. `previous` and `next`: the nearest days
    with lines in months before and after."""

    first: date
    weeks: list[list[Cell | None]]
    previous: date | None
    next: date | None


def month_of(day: date, days: MonthDays) -> Month:
    """The month that a day is in."""
    talk = days.talk
    top = _busy(talk)

    def cell(one: date) -> Cell:
        said = talk.get(one)
        return Cell(one, said, 0 if said is None else level(said, top))

    weeks = [
        [cell(date(*numbers)) if numbers[1] == day.month else None for numbers in week]
        for week in _weeks(day.year, day.month)
    ]
    return Month(
        first=day.replace(day=1),
        weeks=weeks,
        previous=days.previous,
        next=days.next,
    )


def spoken(day: date, *, weekday: bool = True) -> str:
    """ "Saturday, 21 November 2026"."""
    return f"{day:%A}, {day.day} {day:%B} {day.year}" if weekday else f"{day.day} {day:%B} {day.year}"


def _busy(talk: Mapping[date, int]) -> int:
    """How much is said on a busy day: one day in twenty has more: a flood is not to pale the rest."""
    counts = sorted(talk.values())
    return counts[(len(counts) - 1) * 19 // 20] if counts else 0


def level(said: int, top: int) -> int:
    """How dark `said` is shown where the most is `top`: 1 to 5. By its root, since few days are very busy."""
    return max(1, min(LEVELS, ceil(LEVELS * sqrt(said / top)))) if top else 1


def _weeks(year: int, month: int) -> Iterable[list[tuple[int, int, int]]]:
    """Years, months and days of the weeks: plain numbers, since the first and the last month of time touch
    years that are no dates."""
    days = list(calendar.Calendar().itermonthdays3(year, month))
    return (days[at : at + 7] for at in range(0, len(days), 7))
