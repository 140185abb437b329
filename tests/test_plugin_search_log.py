"""`!log` of the plugin `search`: what was said in the channel, told to nobody who was not to hear it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from plugins.logs.archive.records import Found
from plugins.logs.interfaces import IArchive
from plugins.logs.line import Line
from plugins.search.channel_log import LINES, line_of
from pynfo.config_http import HttpSettings
from pynfo.interfaces import IEvents
from pynfo.irc.events import ChannelSynced
from pynfo.testing import Puppet
from pynfo.testing.bot import Bot, config_for
from pynfo.testing.puppet import said

WEB = HttpSettings(public_url="https://logs.example.org", in_bot=False)
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC).timestamp()
MINUTE = 60.0


@asynccontextmanager
async def archiving(folder: Path, *channels: str, **settings: Any) -> AsyncIterator[Bot]:
    """A bot that keeps the log of #pynfo with these settings, and of other channels."""
    kept = {"test/#pynfo": settings} | {f"test/{channel}": {} for channel in channels}
    plugins = {"logs": {"channels": kept}, "search": {}, "admin": {}}
    async with Bot.running(config_for(folder, http=WEB, plugins=plugins)) as bot:
        for channel in channels:
            await enter(bot, channel)
        yield bot


async def enter(bot: Bot, channel: str) -> None:
    """Have the bot in one more channel."""
    joined = asyncio.Event()
    handle = IEvents(bot.factory).subscribe(ChannelSynced, lambda event: joined.set())
    bot.factory.clients["test"].join(channel)
    await asyncio.wait_for(joined.wait(), 5)
    handle.cancel()


def line(text: str, minute: float = 0, *, channel: str = "#pynfo", nick: str = "bob", **fields: Any) -> Line:
    fields = {"kind": "message", **fields}
    return Line(network="test", channel=channel, time=NOON + minute * MINUTE, nick=nick, text=text, **fields)


async def keep(bot: Bot, *lines: Line) -> None:
    await IArchive(bot.factory).add(lines)


async def answer(person: Puppet, text: str, target: str = "#pynfo") -> str:
    """Say something, and *await* what the bot says to it."""
    person.say(target, text)
    while True:
        message = await person.hears("*")
        if message.source and message.source.startswith("pynfo!"):
            return message.params[1]


async def test_the_newest_line_comes_first_with_time_and_nick_and_more_gives_the_older(
    tmp_path: Path,
) -> None:
    async with archiving(tmp_path) as bot:
        await keep(bot, line("zope is old"), line("\x02zope\x02 is new", 3), line("nothing", 4))

        newest = await bot.ask("!log zope")
        older = await bot.ask("!more")

    assert newest == "2026-11-20 12:03 UTC <bob> zope is new … (1 more: !more)"
    assert older == "2026-11-20 12:00 UTC <bob> zope is old"


async def test_the_query_language_of_the_log_is_understood(tmp_path: Path) -> None:
    async with archiving(tmp_path) as bot:
        await keep(bot, line("zope one"), line("zope two", 1, nick="carol"), line("zope three", 2))

        assert "one" in await bot.ask("!log nick:bob zope -three")
        assert await bot.ask("!log nick:b*") != "nobody said that here"
        assert await bot.ask("!log on:2026-11-19 zope") == "nobody said that here"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("!log is:nothing", "log: is: wants one of "),
        ("!log ???", 'log: there is no letter and no digit in "???"'),
        ("!log", "WORDS is missing"),
    ],
)
async def test_a_query_that_makes_no_sense_is_answered_in_a_sentence(
    tmp_path: Path, text: str, told: str
) -> None:
    async with archiving(tmp_path) as bot:
        assert (await bot.ask(text)).startswith(told)


async def test_neither_the_question_nor_the_answers_are_found(tmp_path: Path) -> None:
    async with archiving(tmp_path) as bot:
        await keep(bot, line("zope is old"))
        for question in ("!log zope", "pynfo: log zope", "!search.log zope"):
            assert await bot.ask(question) == "2026-11-20 12:00 UTC <bob> zope is old"
            await IArchive(bot.factory).flush()
        kept = [found.text async for found in IArchive(bot.factory).export("test/#pynfo")]

    assert [text for text in kept if "zope" in text][1:3] == [
        "!log zope",
        "2026-11-20 12:00 UTC <bob> zope is old",
    ]


@pytest.mark.parametrize(
    ("publish", "link"),
    [("public", True), ("unlisted", True), ("private", False), ("no", False)],
)
async def test_a_line_that_everybody_may_read_comes_with_its_address(
    tmp_path: Path, publish: str, link: bool
) -> None:
    async with archiving(tmp_path, publish=publish) as bot:
        await keep(bot, line("zope"))
        told = await bot.ask("!log zope")

    assert (f" — https://logs.example.org/L/{int(NOON)}000000" in told) == link


async def test_in_a_channel_no_line_of_another_is_found(tmp_path: Path) -> None:
    async with archiving(tmp_path, "#den") as bot:
        await keep(bot, line("zope in the den", channel="#den"))
        alice = bot.user
        alice.join("#den")
        await bot.settle()

        assert await bot.ask("!log zope") == "nobody said that here"
        assert await bot.ask("!log channel:#den zope") == "nobody said that here"
        assert await answer(alice, "!log zope", "#den") == "2026-11-20 12:00 UTC <bob> zope in the den"


async def test_in_private_the_channels_of_the_asker_are_searched_and_no_others(tmp_path: Path) -> None:
    async with archiving(tmp_path, "#den") as bot:
        await keep(bot, line("zope here"), line("zope in the den", 1, channel="#den"))
        outside = await bot.ask("log zope", private=True)
        carol = await bot.server.user("carol", channels=["#pynfo", "#den"])
        inside = await answer(carol, "log zope", "pynfo")

    assert outside == "2026-11-20 12:00 UTC #pynfo <bob> zope here"
    assert inside == "2026-11-20 12:01 UTC #den <bob> zope in the den"


async def test_who_is_not_in_the_channel_is_told_nothing_of_it(tmp_path: Path) -> None:
    """Without mode n anybody may speak in a channel, and could have more of an answer in private."""
    async with archiving(tmp_path) as bot:
        await keep(bot, line("zope one"), line("zope two", 1))
        eve = await bot.server.user("eve")
        bot.user.mode("#pynfo", "-n")
        await bot.settle()
        eve.say("#pynfo", "!log zope")
        await bot.user.hears("!log zope")
        heard = await bot.user.hears("*")
        more = await answer(eve, "more", "pynfo")
        alone = await answer(eve, "log zope", "pynfo")

    assert said(heard) == "log: what was said in #pynfo is for the people in it"
    assert more == "there is no more"
    assert alone == "log: we share no channel whose lines are kept"


async def test_no_line_of_a_channel_of_that_name_elsewhere_is_found(tmp_path: Path) -> None:
    plugins = {"logs": {"channels": {"test/#pynfo": {}, "other/#pynfo": {}}}, "search": {}}
    async with Bot.running(config_for(tmp_path, plugins=plugins)) as bot:
        await keep(bot, replace(line("zope elsewhere"), network="other"))

        assert await bot.ask("!log zope") == "nobody said that here"


async def test_a_line_that_was_removed_is_not_told_of(tmp_path: Path) -> None:
    async with archiving(tmp_path) as bot:
        await keep(bot, line("zope one"), line("zope two", 1))
        await IArchive(bot.factory).redact(int(NOON + MINUTE) * 1_000_000)

        assert await bot.ask("!log nick:bob") == "2026-11-20 12:00 UTC <bob> zope one"


async def test_only_the_newest_lines_are_told(tmp_path: Path) -> None:
    async with archiving(tmp_path) as bot:
        await keep(bot, *(line(f"zope {minute}", minute) for minute in range(20)))

        assert await bot.ask("!log zope") == f"2026-11-20 12:19 UTC <bob> zope 19 … ({LINES - 1} more: !more)"


async def test_many_questions_do_not_hide_what_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.search.channel_log.PAGE", 2)
    async with archiving(tmp_path) as bot:
        await keep(bot, line("zope is old"), *(line("!log zope", minute) for minute in range(1, 6)))

        assert await bot.ask("!log zope") == "2026-11-20 12:00 UTC <bob> zope is old"


async def test_how_far_back_was_looked_is_told_where_it_was_not_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found(query: Any, places: Any, **options: Any) -> Found:
        return Found([], None, reached=NOON)

    async with archiving(tmp_path) as bot:
        monkeypatch.setattr(IArchive(bot.factory), "search", found)

        assert await bot.ask("!log zope") == (
            "nobody said that here since 2026-11-20 12:00 UTC (it takes too long to look further back)"
        )


async def test_what_is_not_kept_is_told(tmp_path: Path) -> None:
    async with archiving(tmp_path) as bot:
        await enter(bot, "#other")
        bot.user.join("#other")
        await bot.settle()

        told = await answer(bot.user, "!log zope", "#other")

    assert told == "log: what is said in #other is not kept"


async def test_without_the_plugin_logs_there_is_no_log(tmp_path: Path) -> None:
    async with Bot.running(config_for(tmp_path, plugins={"search": {}})) as bot:
        assert await bot.ask("!log zope") == "log: nothing that is said is kept here"


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (line("waves", kind="action"), "2026-11-20 12:00 UTC * bob waves"),
        (line("beep", kind="notice"), "2026-11-20 12:00 UTC -bob- beep"),
        (line("hello", origin="oftc"), "2026-11-20 12:00 UTC <bob@oftc> hello"),
        (line("", kind="join"), "2026-11-20 12:00 UTC bob joined"),
        (line("spam", kind="kick", target="eve"), "2026-11-20 12:00 UTC bob kicked eve spam"),
        (line("All of Zope", kind="topic"), "2026-11-20 12:00 UTC bob set the topic: All of Zope"),
    ],
)
def test_each_kind_of_line_has_its_words(kept: Line, told: str) -> None:
    assert line_of(kept, 400, address=None, place=False) == told


def test_a_long_line_is_shortened_and_its_address_is_not() -> None:
    told = line_of(line("日本語 " * 100), 300, address="https://logs.example.org/L/1", place=True)

    assert len(told.encode()) <= 300
    assert told.endswith("… — https://logs.example.org/L/1")
