"""When to connect again."""

from itertools import pairwise
from random import Random

import pytest

from pynfo.irc.backoff import CAP, Backoff


def live_through(backoff, seconds, *, held=0.0, unwelcome=False):
    """Connect, and be thrown out after `held` seconds, again and again. Gives the times of connecting."""
    now, times = 0.0, []
    while now < seconds:
        now += backoff.allowed(now)
        backoff.opened(now)
        times.append(now)
        now += held
        backoff.closed(held)
        now += backoff.delay(now, unwelcome=unwelcome)
    return times


@pytest.mark.parametrize("seed", range(20))
def test_comes_back_within_five_seconds_the_first_time(seed):
    backoff = Backoff(Random(seed))
    backoff.opened(0)
    backoff.closed(held=3600)
    assert 0 <= backoff.delay(3600) <= 5


@pytest.mark.parametrize("seed", range(20))
def test_opens_at_most_six_connections_in_any_ninety_seconds(seed):
    times = live_through(Backoff(Random(seed)), 3600)
    for start in times:
        assert sum(start <= time < start + 90 for time in times) <= 6


def test_waits_longer_and_longer_up_to_the_cap():
    source = Random(1)
    source.uniform = lambda low, high: high
    backoff = Backoff(source)
    waits = []
    for _ in range(12):
        backoff.closed(held=0)
        waits.append(backoff.delay(1e9))
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == CAP


def test_starts_over_only_after_a_registration_that_held_for_a_minute():
    source = Random(1)
    source.uniform = lambda low, high: high
    backoff = Backoff(source)
    for _ in range(5):
        backoff.closed(held=59)
    assert backoff.delay(1e9) == 80
    backoff.closed(held=60)
    assert backoff.delay(1e9) == 5


def test_stays_away_for_a_minute_at_least_where_it_is_not_welcome():
    times = live_through(Backoff(Random(3)), 3600, unwelcome=True)
    assert min(later - earlier for earlier, later in pairwise(times)) >= 60
