"""Times as people say them."""

from __future__ import annotations

import pytest

from pynfo.human_time import DAY, HOUR, MINUTE, ago, duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "just now"),
        (5, "5 seconds ago"),
        (3 * HOUR + 100, "3 hours ago"),
        (2 * DAY, "2 days ago"),
    ],
)
def test_what_is_past_is_told_in_one_unit(seconds: float, words: str) -> None:
    assert ago(seconds) == words


def test_a_clock_that_is_behind_makes_no_future() -> None:
    assert ago(-30) == "just now"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (45.9, "45 seconds"),
        (90, "1 minute and 30 seconds"),
        (2 * HOUR, "2 hours"),
        (2 * HOUR + 5 * MINUTE + 20, "2 hours and 5 minutes"),
        (2 * HOUR - 0.5, "2 hours"),
        (2 * DAY + 4 * HOUR + 20 * MINUTE, "2 days and 4 hours"),
        (33 * DAY + HOUR, "33 days and 1 hour"),
        (70 * DAY, "2 months"),
        (400 * DAY, "1 year and 1 month"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_time_beyond_all_reason_still_has_words() -> None:
    assert ago(1e300).endswith("years ago")
    assert duration(1e300).endswith("years")
