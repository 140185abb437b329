"""Manners with each host: few at once, not too fast, and rest for one that fails."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from pynfo.services import fetcher_hosts
from pynfo.services.fetcher_hosts import AT_ONCE, BURST, FAILURES, RATE, REST, REST_LONGEST, Hosts, Resting
from tests.fetcher_world import Time


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def hosts(time: Time) -> Hosts:
    return Hosts(clock=time.clock, sleep=time.sleep)


async def resting(hosts: Hosts, key: str = "a") -> str | None:
    """What is said of a host that is not asked now."""
    try:
        async with hosts.turn(key):
            return None
    except Resting as resting:
        return str(resting)


async def test_after_a_burst_the_requests_are_spread(hosts: Hosts, time: Time) -> None:
    for _ in range(BURST + 3):
        async with hosts.turn("a"):
            pass
    assert time.slept == pytest.approx([1 / RATE] * 3)

    async with hosts.turn("b"):
        pass
    assert len(time.slept) == 3


async def test_a_turn_waits_for_one_of_the_others_to_end(hosts: Hosts) -> None:
    async with AsyncExitStack() as turns:
        for _ in range(AT_ONCE):
            await turns.enter_async_context(hosts.turn("a"))
        fifth = asyncio.create_task(resting(hosts))
        async with hosts.turn("b"):
            await asyncio.sleep(0)
        assert not fifth.done()
    assert await fifth is None


async def test_a_host_rests_longer_each_time_until_it_answers(hosts: Hosts, time: Time) -> None:
    for _ in range(FAILURES - 1):
        hosts.failed("a")
        assert await resting(hosts) is None
    rests = []
    for _ in range(6):
        hosts.failed("a")
        rests.append(start := REST * 2 ** len(rests))
        start = min(start, REST_LONGEST)
        assert f"is left alone for another {start:g} s" in (await resting(hosts) or "")
        assert await resting(hosts, "b") is None
        time.now += start - 1
        assert "another 1 s" in (await resting(hosts) or "")
        time.now += 1
        assert await resting(hosts) is None

    hosts.answered("a")
    for _ in range(FAILURES):
        hosts.failed("a")
    assert await resting(hosts) == "has failed 5 times in a row, and is left alone for another 60 s"


async def test_what_fails_together_counts_as_one_rest(hosts: Hosts, time: Time) -> None:
    for _ in range(FAILURES * 4):
        hosts.failed("a")

    time.now += REST
    assert await resting(hosts) is None


async def test_an_answer_ends_the_rest(hosts: Hosts) -> None:
    for _ in range(FAILURES):
        hosts.failed("a")
    hosts.answered("a")

    assert await resting(hosts) is None


async def test_who_asks_for_rest_has_it_whatever_else_was_answered(hosts: Hosts, time: Time) -> None:
    hosts.asked_to_wait("a", 30)
    hosts.answered("a")
    assert await resting(hosts) == "asks to be left alone for another 30 s"

    hosts.asked_to_wait("a", 5)
    time.now += 29.5
    assert await resting(hosts) == "asks to be left alone for another 1 s"
    time.now += 0.5
    assert await resting(hosts) is None


async def test_nobody_has_us_rest_for_ever(hosts: Hosts, time: Time) -> None:
    hosts.asked_to_wait("a", 1e9)
    time.now += REST_LONGEST

    assert await resting(hosts) is None


async def test_only_so_many_hosts_are_remembered(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher_hosts, "HOSTS", 3)
    for _ in range(FAILURES):
        hosts.failed("a")
    async with hosts.turn("busy"):
        for name in "bcd":
            assert await resting(hosts, name) is None
        assert set(hosts._hosts) == {"busy", "c", "d"}
    assert await resting(hosts, "a") is None
