"""When a line of a file was said: the one place that reads times.

Files hold local times of a zone, many without a day, some without a year. `Times` follows one file from its
beginning and completes each time from what came before:

- a time without a day is of the day that the file last told (in a line of its own, or in its name); where a
  file goes on past midnight without a word, a time over an hour before the last one is of the next day
- a month and a day without a year are of the year that brings them nearest to the line before
- a time that a clock showed twice, when summer ended, is the first of the two unless the file is past it
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}
FIRST_YEAR, LAST_YEAR = 1988, 2199  # IRC is of August 1988
JITTER = 5  # seconds that lines may stand in the wrong order
BACK = 3660  # seconds that a clock may be put back within a day: summer time, and a minute
AGAIN = 7200  # seconds within which a clock may show the same time twice

STAMP = (  # for patterns of whole lines; `_STAMP` is what times are read with
    r"\[?(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[ T])?[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?\]?"
)

_STAMP = re.compile(
    r"\[?(?:([0-9]{4}-[0-9]{2}-[0-9]{2})[ T])?([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?\]?[ \t]"
)
_MONTH_STAMP = re.compile(r"(\w{3}) ([ 0-9][0-9]) ([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?[ \t]")
_DAY_WORDS = re.compile(r"\S+ (\w{3})\S* +([0-9]{1,2})(?: [0-9]{2}:[0-9]{2}:[0-9]{2})? ([0-9]{4})\b")


class Unread(ValueError):
    """A line cannot be read; says why."""


class Times:
    """The times of one file, line by line. `zone` None: this machine's. `day`: what the file's name tells;
    such a file is of that one day."""

    def __init__(self, zone: tzinfo | None = UTC, day: date | None = None) -> None:
        self._zone = zone
        self._day = day
        self._one_day = day is not None
        self._written = ""  # the day as the line before wrote it
        self._clock = 0  # seconds of the day, of the line before
        self._last = float("-inf")  # UTC time of the line before
        self._minute: tuple[date, str, str] | None = None
        self._starts = (0.0, 0.0)  # of that minute: the first and the second time that a clock showed it

    def on(self, day: date | None) -> None:
        """What follows is of that day; None: nobody knows."""
        self._day = day
        self._one_day = False
        self._clock = 0
        self._written = ""

    def on_words(self, words: str) -> None:
        """What follows is of a day such as `Sat Nov 21 2026` or `Sat Nov 21 10:00:00 2026`."""
        self.on(None)
        found = _DAY_WORDS.match(words)
        month = MONTHS.get(found[1].lower()) if found else None
        if not found or not month:
            raise Unread("it tells a new day in words that are not English")
        self.on(day_of(int(found[3]), month, int(found[2])))

    def read(self, text: str) -> tuple[float, str]:
        """The UTC time at the beginning of a line, and what stands after it and one space or tab."""
        found = _STAMP.match(text)
        if found is None:
            raise Unread("it does not begin with a time")
        written, hour, minute, second, fraction, offset = found.groups()
        if written is not None and written != self._written:
            self._day, self._one_day = day_of(*map(int, written.split("-"))), False
            self._written = written
        time = self._local(hour, minute, second, offset, dated=written is not None)
        if fraction is not None:
            time += float(fraction)
        return time, text[found.end() :]

    def read_month(self, text: str) -> tuple[float, str]:
        """The same for times such as `Nov 21 10:02:03`."""
        found = _MONTH_STAMP.match(text)
        if found is None:
            raise Unread("it does not begin with a time")
        month, day, hour, minute, second = found.groups()
        written = month + day
        if written != self._written:
            if self._day is None:
                raise Unread("nothing before it tells the year")
            self._day = _nearest(month, int(day), self._day)
            self._written = written
        return self._local(hour, minute, second, None, dated=True), text[found.end() :]

    def _local(self, hour: str, minute: str, second: str | None, offset: str | None, *, dated: bool) -> float:
        day = self._day
        if day is None:
            raise Unread("nothing before it tells the day")
        seconds = int(second) if second else 0
        clock = int(hour) * 3600 + int(minute) * 60 + seconds
        if not dated and not self._one_day and clock < self._clock - BACK:
            day = self._day = _after(day)
        self._clock = clock
        key = (day, hour, minute)
        if offset is not None:
            first = second_time = _start(key, _zone(offset))[0]
        else:
            if key != self._minute:
                self._starts, self._minute = _start(key, self._zone), key
            first, second_time = self._starts
        time = first + seconds
        if first != second_time and JITTER < self._last - time < AGAIN:
            time = second_time + seconds
        self._last = time
        return time


def _start(key: tuple[date, str, str], zone: tzinfo | None) -> tuple[float, float]:
    """UTC times of a local minute, as the clock showed it first and second: mostly the same."""
    day, hour, minute = key
    try:
        local = datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=zone)
        first = local.timestamp()
        return first, max(first, local.replace(fold=1).timestamp())
    except (ValueError, OverflowError, OSError):
        raise Unread(f"there is no {hour}:{minute} on {day}") from None


def _zone(offset: str) -> tzinfo:
    if offset == "Z":
        return UTC
    ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
    if ahead >= timedelta(days=1):
        raise Unread(f"there is no offset {offset}")
    return timezone(-ahead if offset[0] == "-" else ahead)


def day_of(year: int, month: int, day: int) -> date:
    """A day on which somebody may have been on IRC. Raises `Unread`."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Unread(f"there was no IRC in the year {year}")
    try:
        return date(year, month, day)
    except ValueError:
        raise Unread(f"there is no day {year}-{month:02}-{day:02}") from None


def _after(day: date) -> date:
    tomorrow = day + timedelta(days=1)
    return day_of(tomorrow.year, tomorrow.month, tomorrow.day)


def _nearest(month: str, day: int, to: date) -> date:
    """The day of a month and day, in the year that brings it nearest."""
    number = MONTHS.get(month.lower())
    if number is None:
        raise Unread(f"{month!r} is no English month")
    found = []
    for year in (to.year - 1, to.year, to.year + 1):
        try:
            found.append(day_of(year, number, day))
        except Unread:  # a 29th of February
            continue
    if not found:
        raise Unread(f"there is no {month} {day} about {to.year}")
    return min(found, key=lambda candidate: abs(candidate - to))
