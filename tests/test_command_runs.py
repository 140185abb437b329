"""Commands run in turn, within a time limit, whatever they raise."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from pynfo.command import Request, command
from pynfo.irc.events import User
from pynfo.ownership import Owner, current_owner
from pynfo.services.command_runs import LATE, WAITING, WORKERS
from tests.command_bot import (
    ALICE,
    BOB,
    Bot,
    Gate,
    ping,
)


@pytest_asyncio.fixture
async def bot() -> AsyncIterator[Bot]:
    async with Bot() as bot:
        yield bot


# -- in turn


async def test_answers_leave_in_the_order_of_the_questions_and_others_do_not_wait(bot: Bot) -> None:
    gate = Gate()
    bot.offer(gate.command, ping)
    bot.hears("!wait")
    bot.hears("!ping")

    assert bot.answer("!ping", BOB) == "pong"
    gate.open.set()

    assert await bot.says(3) == ["pong", "waited", "pong"]


async def test_the_commands_are_idle_when_everybody_has_an_answer(bot: Bot) -> None:
    gate = Gate()
    bot.offer(gate.command, ping)
    bot.hears("!wait")
    bot.hears("!ping")
    idle = asyncio.create_task(bot.commands.idle())
    await gate.entered.wait()
    assert not idle.done()

    gate.open.set()
    await idle

    assert [said.text for said in bot.said] == ["waited", "pong"]


async def test_where_nobody_is_limited_a_flood_is_answered_whole_and_in_order(bot: Bot) -> None:
    gate = Gate()

    @command
    async def count(request: Request, number: int) -> str:
        await asyncio.sleep(0)
        return str(number)

    bot.offer(gate.command, count)
    bot.hears("!wait")
    for number in range(1000):
        bot.hears(f"!count {number}")
    gate.open.set()

    assert await bot.says(1001) == ["waited", *map(str, range(1000))]


async def test_more_than_so_many_waiting_commands_are_left_out_and_the_person_told_once(bot: Bot) -> None:
    bot.config.command_limits = {"user": (1000, 30), "channel": None}
    gate = Gate()
    bot.offer(gate.command, ping)
    bot.hears("!wait")
    await gate.entered.wait()

    for _ in range(WAITING + 3):
        bot.hears("!ping")
    gate.open.set()

    said = await bot.says(WAITING + 2)
    assert said[0] == f"{WAITING} of your commands wait already: this one is left out"
    assert said[1:] == ["waited"] + ["pong"] * WAITING


async def test_commands_of_so_many_people_run_and_past_that_the_operator_is_told(bot: Bot) -> None:
    gate = Gate()
    bot.offer(gate.command)
    for number in range(WORKERS + 1):
        bot.hears("!wait", User(f"user{number}", "u", "h"))

    assert list(bot.matters) == ["commands/crowded"]
    gate.open.set()
    await bot.says(WORKERS)
    bot.hears("!wait", ALICE)
    await bot.says(WORKERS + 1)

    assert bot.matters == {}


async def test_a_command_past_its_time_limit_is_stopped_and_says_nothing_more(bot: Bot) -> None:
    ended = asyncio.Event()

    @command(time_limit=0.01)
    async def slow(request: Request) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            request.reply("too late")
            ended.set()

    bot.offer(slow, ping)
    bot.hears("!slow")
    bot.hears("!ping")
    await ended.wait()

    assert await bot.says(2) == ["slow took longer than 0.01 seconds and was stopped", "pong"]


async def test_a_handler_that_does_not_let_itself_be_stopped_holds_up_nobody_and_is_bounded(bot: Bot) -> None:
    release = asyncio.Event()

    @command(time_limit=0.001)
    async def stubborn(request: Request) -> None:
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()

    bot.offer(stubborn)
    for _ in range(LATE + 1):
        bot.hears("!stubborn")
    try:
        said = await bot.says(LATE + 1)
    finally:
        release.set()

    assert said[0] == "stubborn took longer than 0.001 seconds and was stopped"
    assert said[-1] == f"stubborn is stuck: {LATE} earlier uses of it do not end"


async def test_a_plain_function_runs_on_a_thread_and_its_replies_keep_their_order(bot: Bot) -> None:
    threads = []

    @command
    def compute(request: Request) -> list[str]:
        threads.append(threading.get_ident())
        request.reply("one")
        request.reply("two", private=True)
        return ["three"]

    bot.offer(compute)
    bot.hears("!compute")

    assert await bot.says(3) == ["one", "two", "three"]
    assert [said.target for said in bot.said] == ["net/#here", "net/alice", "net/#here"]
    assert threads != [threading.get_ident()]


async def test_who_comes_when_all_threads_work_is_asked_to_come_again(bot: Bot) -> None:
    @command
    def compute(request: Request) -> str:
        return "done"

    bot.offer(compute)
    bot.busy = True
    bot.hears("!compute")

    assert await bot.says(1) == ["I have too much to do just now, please try again later"]


# -- what handlers raise


async def failing(request: Request) -> str:
    raise RuntimeError("the plugin's secret trouble")


async def failing_later(request: Request) -> str:
    await asyncio.sleep(0)
    raise RuntimeError("the plugin's secret trouble")


def failing_on_a_thread(request: Request) -> str:
    raise RuntimeError("the plugin's secret trouble")


async def leaving(request: Request) -> str:
    raise SystemExit("the plugin's secret trouble")


def leaving_on_a_thread(request: Request) -> str:
    raise SystemExit("the plugin's secret trouble")


async def cancelling(request: Request) -> str:
    raise asyncio.CancelledError("the plugin's secret trouble")


@pytest.mark.parametrize(
    "handler", [failing, failing_later, failing_on_a_thread, leaving, leaving_on_a_thread, cancelling]
)
async def test_an_exception_gives_an_apology_with_an_id_and_the_log_has_the_rest(
    bot: Bot, handler: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    with Owner("games").active():
        bot.commands.register(handler, "fail")
    bot.hears("!fail")

    [apology] = await bot.says(1)
    assert "secret trouble" not in apology
    number = apology.partition("(error ")[2].rstrip(")")
    [record] = [record for record in caplog.records if number in record.getMessage()]
    assert number
    assert "secret trouble" in str(record.exc_info)


async def test_what_an_error_says_to_the_user_is_the_answer(bot: Bot) -> None:
    @command
    async def roll(request: Request, sides: int) -> str:
        raise request.error("a die has 2 to 1000 sides")

    bot.offer(roll)

    assert bot.answer("!roll 1") == "a die has 2 to 1000 sides"
    assert bot.answer("!roll x") == '"x" is not a whole number. Usage: roll SIDES'


async def test_a_handler_that_returns_something_else_is_reported_as_broken(bot: Bot) -> None:
    @command
    async def count(request: Request) -> Any:
        return 3

    bot.offer(count)

    assert "something went wrong with count" in str(bot.answer("!count"))


async def test_an_outbox_that_is_full_is_logged_and_commands_go_on(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    bot.offer(ping)
    bot.full = True
    assert bot.answer("!ping") is None
    bot.full = False

    assert bot.answer("!ping") == "pong"
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_a_command_whose_plugin_goes_is_stopped_and_so_are_those_that_wait(bot: Bot) -> None:
    gate = Gate()
    owner = bot.offer(gate.command, ping)
    bot.hears("!wait")
    bot.hears("!ping")
    await gate.entered.wait()

    await owner.close()

    assert await bot.says(2) == [
        "wait was stopped: its plugin, games, was unloaded",
        "ping was stopped: its plugin, games, was unloaded",
    ]
    assert gate.ended


async def test_what_a_handler_registers_belongs_to_its_plugin(bot: Bot) -> None:
    @command
    async def now(request: Request) -> str:
        return str(current_owner())

    @command
    async def later(request: Request) -> str:
        await asyncio.sleep(0)
        return str(current_owner())

    bot.offer(now, later)
    bot.hears("!now")
    bot.hears("!later")

    assert await bot.says(2) == ["<Owner games>", "<Owner games>"]
    assert current_owner() is None
