"""When the lines of old logs were said: time zones, days, years and hours that came twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from plugins.logs.imports.times import Times, Unread
from tests.log_files import HERE, read, write


def times_of(texts: Sequence[str], times: Times) -> list[str]:
    return [datetime.fromtimestamp(times.read(text)[0], UTC).strftime("%d %H:%M") for text in texts]


def test_a_time_that_a_clock_shows_twice_goes_forward(tmp_path: Path) -> None:
    log = write(
        tmp_path / "2026-10-25.log",
        "[01:59:00] <alice> summer",
        "[02:30:00] <alice> summer still",
        "[02:00:10] <alice> winter",
        "[02:30:00] <alice> winter too",
        "[03:00:00] <alice> morning",
    )
    lines, _ = read(log, zone=ZoneInfo("Europe/Berlin"), **HERE)

    assert [text[12:17] for text in lines] == ["23:59", "00:30", "01:00", "01:30", "02:00"]


def test_lines_a_moment_out_of_order_are_of_the_same_hour() -> None:
    times = Times(ZoneInfo("Europe/Berlin"), datetime(2026, 10, 25).date())

    assert times_of(["02:30:03 a", "02:30:01 b"], times) == ["25 00:30", "25 00:30"]


def test_a_file_that_goes_on_past_midnight_is_of_the_next_day() -> None:
    times = Times(UTC)
    times.on(datetime(2026, 11, 20).date())

    assert times_of(["23:59 a", "00:01 b", "23:00 c", "22:55 d"], times) == [
        "20 23:59",
        "21 00:01",
        "21 23:00",
        "21 22:55",
    ]


def test_a_file_whose_name_tells_its_day_is_of_no_other() -> None:
    times = Times(UTC, datetime(2026, 11, 20).date())

    assert times_of(["23:59 a", "00:01 b"], times) == ["20 23:59", "20 00:01"]


def test_before_a_file_tells_the_day_its_lines_cannot_be_read(tmp_path: Path) -> None:
    log = write(
        tmp_path / "any.log",
        "10:02 < alice> of which day?",
        "--- Day changed Sa Mär 21 2026",
        "10:02 < alice> and this?",
        "--- Day changed Sun Mar 22 2026",
        "10:02 < alice> now I know",
    )

    lines, outcome = read(log, format="irssi", **HERE)

    assert lines == ["[2026-03-22 10:02:00] <alice> now I know"]
    assert outcome.unread == 3
    assert outcome.shown[0] == "line 1: nothing before it tells the day: 10:02 < alice> of which day?"


def test_months_are_of_the_nearest_year() -> None:
    times = Times(UTC)
    times.on(datetime(2024, 2, 28).date())

    stamps = ["Feb 29", "Dec 31", "Jan 01", "Dec 30", "Jan 02", "Jun 30", "Dec 01", "Jan 15"]
    days = [times.read_month(f"{stamp} 10:00:00 x")[0] for stamp in stamps]

    assert [datetime.fromtimestamp(day, UTC).strftime("%Y-%m-%d") for day in days] == [
        "2024-02-29",
        "2023-12-31",
        "2024-01-01",
        "2023-12-30",
        "2024-01-02",
        "2024-06-30",
        "2024-12-01",
        "2025-01-15",
    ]


@pytest.mark.parametrize("text", ["25:00 x", "10:61 x", "2026-02-30 10:00 x", "1066-10-14 10:00 x", "noon"])
def test_a_time_that_there_was_not_cannot_be_read(text: str) -> None:
    times = Times(UTC, datetime(2026, 11, 20).date())

    with pytest.raises(Unread):
        times.read(text)


def test_a_time_to_come_cannot_be_read(tmp_path: Path) -> None:
    log = write(tmp_path / "2027-11-21.log", "[10:02:03] <alice> hi")

    lines, outcome = read(log, **HERE)

    assert (lines, outcome.unread) == ([], 1)
