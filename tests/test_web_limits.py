"""How many requests one address may make, and who counts as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from pynfo.services.web_limits import RateLimit, reader


def test_a_burst_is_let_through_and_then_the_rate() -> None:
    limit = RateLimit(2.0, 3)

    assert [limit.wait("alice", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert limit.wait("alice", 0.5) == 0
    assert limit.wait("alice", 0.5) == 0.5


def test_what_was_refused_is_not_held_against_anybody() -> None:
    limit = RateLimit(1.0, 1)
    limit.wait("alice", 0.0)

    for _ in range(100):
        limit.wait("alice", 0.5)

    assert limit.wait("alice", 1.0) == 0


def test_addresses_have_nothing_to_do_with_one_another() -> None:
    limit = RateLimit(1.0, 1)

    assert limit.wait("alice", 0.0) == 0
    assert limit.wait("bob", 0.0) == 0
    assert limit.wait("alice", 0.0) == 1


def test_only_so_many_addresses_are_remembered_and_the_quiet_ones_go_first() -> None:
    limit = RateLimit(0.001, 1, addresses=2)
    for name in ("alice", "bob", "carol"):
        limit.wait(name, 0.0)

    assert len(limit) == 2
    assert limit.wait("carol", 0.0) > 0
    assert limit.wait("alice", 0.0) == 0


@given(gaps=some.lists(some.floats(0, 3), max_size=60), rate=some.floats(0.2, 50), burst=some.integers(1, 20))
def test_nobody_gets_more_than_the_burst_and_the_rate(gaps: list[float], rate: float, burst: int) -> None:
    limit, now, passed = RateLimit(rate, burst), 0.0, []

    for gap in gaps:
        now += gap
        if limit.wait("alice", now) == 0:
            passed.append(now)

    for first in range(len(passed)):
        for last in range(first, len(passed)):
            most = burst + rate * (passed[last] - passed[first])
            assert last - first + 1 <= most + 0.001


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_a_reader_is_an_address_or_an_ipv6_network(host: str, counted: str) -> None:
    assert reader(host) == counted
