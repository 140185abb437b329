"""The figures of a channel, worked out for pictures: templates draw them as SVG, and tell them in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import msgspec

from plugins.logs.archive.records import Talker
from plugins.logs.site.calendars import level

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = 240  # bars
WIDTH = 348  # of the picture of months, in its own units
FEWEST = 12  # months that it has room for
CHARACTER = 7  # of what stands below it, with some space
THURSDAY = 3  # the weekday of 1 January 1970
HOUR = 3600  # seconds


class HeatCell(msgspec.Struct, frozen=True):
    weekday: int  # 0: Monday
    hour: int
    talk: int
    level: int  # 0: nothing; 1 to 5


class Bar(msgspec.Struct, frozen=True):
    """`share`: of the largest, 0 to 100."""

    label: str
    talk: int
    share: int


class MonthBar(Bar, frozen=True):
    """`first`: of the month; `day`: the first on which something was said. `x`: where the bar begins; `mark`:
    what stands below it, mostly nothing."""

    first: date
    day: date | None
    x: float
    mark: str


class Statistics(msgspec.Struct, frozen=True):
    """`cells`: 7 rows of 24 hours, UTC. `busiest`: the hour in which most is said; None: nothing was.
    `years`: the months again, twelve in a row, the newest year first. `width`: of the bar of a month."""

    cells: list[list[HeatCell]]
    busiest: HeatCell | None
    months: list[MonthBar]
    years: list[list[MonthBar | None]]
    width: float
    total: int
    days: int  # on which something was said
    first: date | None


def statistics(activity: Sequence[tuple[int, int]]) -> Statistics:
    """Of `(hour, talk)`, in hours since the epoch, oldest first."""
    by_hour: Counter[tuple[int, int]] = Counter()
    by_day: Counter[int] = Counter()
    for hour, talk in activity:
        day, of_day = divmod(hour, 24)
        by_hour[(day + THURSDAY) % 7, of_day] += talk
        by_day[day] += talk
    top = max(by_hour.values(), default=0)
    cells = [
        [
            HeatCell(weekday, hour, talk, level(talk, top) if talk else 0)
            for hour in range(24)
            for talk in (by_hour[weekday, hour],)
        ]
        for weekday in range(7)
    ]
    busiest = max((cell for row in cells for cell in row), key=lambda cell: cell.talk)
    months = _months(by_day.items())
    return Statistics(
        cells=cells,
        busiest=busiest if busiest.talk else None,
        months=months,
        years=_years(months),
        width=_width(len(months)),
        total=by_day.total(),
        days=len(by_day),
        first=_date(min(by_day)) if by_day else None,
    )


def most_mentioned(people: Iterable[Talker], limit: int) -> list[Bar]:
    """Who others speak of, the most first."""
    talkers = sorted((one for one in people if one.mentions), key=lambda one: -one.mentions)[:limit]
    return bars([(one.nick, one.mentions) for one in talkers])


def most_active(people: Iterable[Talker], limit: int) -> list[Bar]:
    """Who says most."""
    return bars([(one.nick, one.lines) for one in people][:limit])


def bars(counts: Iterable[tuple[str, int]]) -> list[Bar]:
    """Counts with their shares of the largest."""
    counts = list(counts)
    top = max((count for _, count in counts), default=0)
    return [Bar(label, count, _share(count, top)) for label, count in counts]


def _months(by_day: Iterable[tuple[int, int]]) -> list[MonthBar]:
    """The newest months up to the last with talk, also those in between in which nothing was said."""
    counts: Counter[int] = Counter()
    days: dict[int, date] = {}
    for day, talk in sorted(by_day):
        moment = _date(day)
        month = moment.year * 12 + moment.month - 1
        counts[month] += talk
        days.setdefault(month, moment)
    if not counts:
        return []
    last = max(counts)
    shown = range(max(min(counts), last - MONTHS + 1), last + 1)
    top = max(counts[month] for month in shown)
    width = _width(len(shown))
    bars = []
    free = 0.0  # from where on there is room for a mark
    for number, month in enumerate(shown):
        first, x = date(month // 12, month % 12 + 1, 1), number * width
        mark = _mark(first, number, len(shown)) if x >= free else ""
        if mark:
            free = x + CHARACTER * len(mark)
        share = _share(counts[month], top)
        bars.append(MonthBar(f"{first:%B %Y}", counts[month], share, first, days.get(month), x, mark))
    return bars


def _mark(first: date, number: int, months: int) -> str:
    """What could stand below a month."""
    if number == 0 and months <= FEWEST * 3:
        return f"{first:%b %Y}"
    if first.month == 1:
        return f"{first:%b %Y}" if months <= FEWEST * 3 else f"{first.year}"
    return f"{first:%b}" if months <= FEWEST and number % 3 == 0 else ""


def _years(months: Sequence[MonthBar]) -> list[list[MonthBar | None]]:
    years: dict[int, list[MonthBar | None]] = {}
    for one in months:
        years.setdefault(one.first.year, [None] * 12)[one.first.month - 1] = one
    return [years[year] for year in sorted(years, reverse=True)]


def _width(months: int) -> float:
    return WIDTH / max(months, FEWEST)


def _share(count: int, top: int) -> int:
    return max(1, round(100 * count / top)) if count and top else 0


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * 24 * HOUR, UTC).date()
