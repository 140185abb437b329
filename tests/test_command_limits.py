"""How many commands a person or a channel may have in a while."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from pynfo.irc.events import User
from pynfo.services.command_limits import WINDOWS, Limits, Verdict
from tests.command_bot import (
    ALICE,
    BOB,
    OWNER,
    Bot,
    ping,
)


@pytest_asyncio.fixture
async def bot() -> AsyncIterator[Bot]:
    async with Bot() as bot:
        yield bot


async def test_past_the_limit_a_person_is_told_once_and_then_nothing(bot: Bot) -> None:
    bot.offer(ping)
    bot.config.command_limits = {"user": (2, 30), "channel": None}

    answers = [bot.answer("!ping") for _ in range(5)]

    assert answers == ["pong", "pong", "I take 2 commands in 30 seconds from you: please wait", None, None]
    assert bot.said[2][:3:2] == ("net/alice", "notice")
    assert bot.answer("!ping", BOB) == "pong"


async def test_a_login_is_one_person_whatever_the_nick(bot: Bot) -> None:
    bot.offer(ping)
    bot.config.command_limits = {"user": (1, 30), "channel": None}

    bot.hears("!ping", User("one", "u", "h", account="alice"))

    assert "please wait" in str(bot.answer("!ping", User("two", "u", "h", account="alice")))


async def test_a_channel_has_a_limit_of_its_own_that_owners_pass(bot: Bot) -> None:
    bot.offer(ping)
    bot.config.command_limits = {"user": None, "channel": (1, 30)}
    bot.hears("!ping", OWNER)
    bot.hears("!ping", ALICE)

    assert bot.answer("!ping", BOB) == "I take 1 commands in 30 seconds in #here: please wait"
    assert bot.answer("!ping", OWNER) == "pong"
    assert bot.answer("!ping", BOB, channel="#there") == "pong"


def test_a_window_begins_anew_when_its_time_is_over() -> None:
    limits = Limits()

    verdicts = [limits.count(("user", "a"), (1, 30.0), now) for now in (0.0, 1.0, 29.9, 30.0, 31.0)]

    assert verdicts == [
        Verdict.WITHIN, Verdict.EXCEEDED, Verdict.SILENCED, Verdict.WITHIN, Verdict.EXCEEDED,
    ]  # fmt: skip


def test_only_so_many_people_are_remembered_and_the_oldest_is_forgotten() -> None:
    limits = Limits()
    for number in range(WINDOWS + 1):
        limits.count(("user", str(number)), (1, 30.0), 0.0)

    assert limits.count(("user", "1"), (1, 30.0), 1.0) is Verdict.EXCEEDED
    assert limits.count(("user", "0"), (1, 30.0), 1.0) is Verdict.WITHIN


def test_who_begins_a_new_window_is_not_the_oldest_any_more() -> None:
    limits = Limits()
    for key, now in (("renewed", 0.0), ("old", 20.0), ("renewed", 30.0)):
        limits.count(("user", key), (1, 30.0), now)
    for number in range(WINDOWS - 1):
        limits.count(("user", str(number)), (1, 30.0), 31.0)

    assert limits.count(("user", "renewed"), (1, 30.0), 32.0) is Verdict.EXCEEDED
    assert limits.count(("user", "old"), (1, 30.0), 32.0) is Verdict.WITHIN
