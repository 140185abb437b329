"""What is new on PyPI is announced in the channels that want it, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from plugins.pypi.filters import check, wanted_by
from pynfo import IOperator, IStorage
from pynfo.config import Config
from pynfo.irc.settings import ChannelSettings
from pynfo.testing.bot import Bot, config_for
from tests.feeds_bot import NEVER, announced, ask, poll
from tests.pypi_index import PackageIndex, vulnerability

FIRST = [("2.31.0", 1), ("2.30.0", 0)]


@pytest.fixture
def index(httpserver: HTTPServer) -> PackageIndex:
    index = PackageIndex(httpserver)
    index.put("requests", FIRST)
    return index


def config(folder: Path, index: PackageIndex, **settings: Any) -> Config:
    """alice, whom a test's bot is talked to by, is an operator of #pynfo, and no more."""
    pypi = {"url": index.url, "poll": NEVER, "advisories": NEVER} | settings
    return config_for(folder, plugins={"pypi": pypi})


@pytest.fixture
async def bot(tmp_path: Path, index: PackageIndex) -> AsyncIterator[Bot]:
    async with Bot.running(config(tmp_path, index)) as bot:
        yield bot


# -- releases


async def test_a_release_is_announced_once_where_it_is_watched(bot: Bot, index: PackageIndex) -> None:
    answer = await ask(bot, "!pypi watch Requests")
    await poll(bot)
    index.put("requests", [("2.32.0", 2), *FIRST])
    await poll(bot)
    await poll(bot)

    assert answer == "watching requests for test/#pynfo; the newest release is 2.31.0"
    assert await announced(bot) == [
        "requests 2.32.0 is out: What requests does https://index.example/project/requests/2.32.0/"
    ]


async def test_releases_between_the_command_and_the_first_poll_are_announced(
    bot: Bot, index: PackageIndex
) -> None:
    await ask(bot, "!pypi watch requests")
    index.put("requests", [("2.32.0", 2), *FIRST])
    await poll(bot)

    assert len(await announced(bot)) == 1


async def test_several_releases_at_once_are_one_line_in_order(bot: Bot, index: PackageIndex) -> None:
    await ask(bot, "!pypi watch requests")
    new = [(f"2.32.{number}", 10 + number) for number in range(8)]
    index.put("requests", [*new[::-1], *FIRST])
    await poll(bot)

    assert await announced(bot) == [
        "requests 2.32.0, 2.32.1, 2.32.2, 2.32.3, 2.32.4 and 3 more are out: "
        "https://index.example/project/requests/"
    ]


async def test_a_feed_that_is_reordered_announces_nothing(bot: Bot, index: PackageIndex) -> None:
    await ask(bot, "!pypi watch requests")
    index.put("requests", FIRST[::-1])
    await poll(bot)

    assert await announced(bot) == []


async def test_prereleases_are_announced_where_they_are_wanted(tmp_path: Path, index: PackageIndex) -> None:
    two = config(tmp_path, index)
    two.networks[0].channels.append(ChannelSettings("#edge"))
    async with Bot.running(two) as bot:
        bot.user.join("#edge")
        await ask(bot, "!pypi watch requests")
        await ask(bot, "!pypi watch requests test/#edge --prereleases")
        index.put("requests", [("3.0.0rc1", 5), *FIRST])
        await poll(bot)
        line = await bot.user.hears("*3.0.0rc1*")

        assert line.params[0] == "#edge"
        assert line.params[1].startswith("requests 3.0.0rc1 (pre-release) is out: ")
        assert [text for text in await announced(bot) if "rc1" in text] == [line.params[1]]


async def test_one_package_in_two_channels_is_asked_for_once(tmp_path: Path, index: PackageIndex) -> None:
    two = config(tmp_path, index)
    two.networks[0].channels.append(ChannelSettings("#edge"))
    async with Bot.running(two) as bot:
        bot.user.join("#edge")
        await ask(bot, "!pypi watch requests here test/#edge")
        before = index.count("/rss/project/requests/releases.xml")
        index.put("requests", [("2.32.0", 2), *FIRST])
        await poll(bot)

        assert index.count("/rss/project/requests/releases.xml") == before + 1
        assert len(await announced(bot)) == 2


async def test_what_is_watched_and_known_outlives_a_restart(tmp_path: Path, index: PackageIndex) -> None:
    async with Bot.running(config(tmp_path, index)) as bot:
        await ask(bot, "!pypi watch requests")
        index.put("requests", [("2.32.0", 2), *FIRST])
        await poll(bot)
        assert len(await announced(bot)) == 1
    index.put("requests", [("2.32.1", 3), ("2.32.0", 2), *FIRST])
    async with Bot.running(config(tmp_path, index)) as bot:
        await poll(bot)
        await poll(bot)

        assert [line[:22] for line in await announced(bot)] == ["requests 2.32.1 is out"]


async def test_a_reload_of_the_plugin_repeats_and_loses_nothing(bot: Bot, index: PackageIndex) -> None:
    await ask(bot, "!pypi watch requests")
    index.put("requests", [("2.32.0", 2), *FIRST])
    await poll(bot)
    assert len(await announced(bot)) == 1
    await bot.factory.plugins.reload("pypi")
    index.put("requests", [("2.32.1", 3), ("2.32.0", 2), *FIRST])
    await poll(bot)

    assert [line[:22] for line in await announced(bot)] == ["requests 2.32.1 is out"]


async def test_a_feed_that_breaks_is_told_to_the_operator_and_goes_on_when_it_is_back(
    bot: Bot, index: PackageIndex
) -> None:
    await ask(bot, "!pypi watch requests")
    index.failing["/rss/project/requests/releases.xml"] = 500
    await poll(bot)
    broken = IOperator(bot.factory).matters()
    index.failing.clear()
    index.put("requests", [("2.32.0", 2), *FIRST])
    await poll(bot)

    assert list(broken.values()) == [
        "feeds: PyPI answers with an error (500); what is watched there is tried again"
    ]
    assert IOperator(bot.factory).matters() == {}
    assert len(await announced(bot)) == 1


# -- advisories


async def test_a_new_advisory_is_announced_and_an_old_one_is_not(bot: Bot, index: PackageIndex) -> None:
    old = vulnerability("PYSEC-1", "CVE-1", fixed_in=["2.32.0"])
    index.put("requests", FIRST, vulnerabilities=[old])
    await ask(bot, "!pypi watch requests")
    new = vulnerability("GHSA-2", "CVE-2", fixed_in=["2.32.0"], summary="Passwords leak")
    index.put("requests", FIRST, vulnerabilities=[old, new])
    await poll(bot)
    known_elsewhere = vulnerability("PYSEC-2", "CVE-2", fixed_in=["2.32.0"])
    index.put("requests", FIRST, vulnerabilities=[known_elsewhere, old])
    await poll(bot)

    assert await announced(bot) == [
        "security advisory for requests 2.31.0: GHSA-2 (fixed in 2.32.0): Passwords leak "
        "https://osv.example/vulnerability/GHSA-2"
    ]


async def test_a_release_without_the_hole_and_one_with_it_again_announce_no_advisory(
    bot: Bot, index: PackageIndex
) -> None:
    index.put("requests", FIRST, vulnerabilities=[vulnerability("PYSEC-1")])
    await ask(bot, "!pypi watch requests")
    for known in ([], [vulnerability("PYSEC-1")]):
        index.put("requests", FIRST, vulnerabilities=known)
        await poll(bot)

    assert await announced(bot) == []


# -- the firehoses


async def test_the_newest_packages_are_announced(bot: Bot, index: PackageIndex) -> None:
    index.newest("old")
    answer = await ask(bot, "!pypi watch newest")
    index.newest("shiny", "old")
    await poll(bot)
    index.newest("three", "two", "one", "shiny", "old")
    await poll(bot)

    assert answer == "watching newest packages for test/#pynfo"
    assert await announced(bot) == [
        "new on PyPI: shiny: What shiny does https://index.example/project/shiny/",
        "new on PyPI: one, two and three",
    ]


async def test_updates_are_announced_that_a_filter_lets_through(bot: Bot, index: PackageIndex) -> None:
    index.updates(("old 1.0", 0))
    answer = await ask(bot, "!pypi watch updates django /^aio.*http/")
    updates = [("requests 2.32.0", 1), ("Django-filter 24.1", 2), ("aiohttp 3.9", 3), ("aio 1", 4)]
    index.updates(*updates[::-1], ("django 5.1rc1", 5), ("old 1.0", 0))
    await poll(bot)

    assert answer == "watching latest updates (django, /^aio.*http/) for test/#pynfo"
    assert await announced(bot) == ["updated on PyPI: Django-filter 24.1 and aiohttp 3.9"]


async def test_where_more_came_than_the_feed_holds_it_is_said(bot: Bot, index: PackageIndex) -> None:
    index.updates(("a 1", 1), ("b 1", 0))
    await ask(bot, "!pypi watch updates")
    index.updates(("d 1", 3), ("c 1", 2))
    await poll(bot)

    assert await announced(bot) == [
        "updated on PyPI: c 1 and d 1 (more came than the feed holds, some may have been missed)"
    ]


async def test_who_filters_hears_once_that_something_may_have_been_missed(
    bot: Bot, index: PackageIndex
) -> None:
    index.updates(("a 1", 1))
    await ask(bot, "!pypi watch updates django")
    for number in range(2, 5):
        index.updates((f"a {number}", number))
        await poll(bot)

    assert await announced(bot) == [
        "latest updates of PyPI: more came than the feed holds, some may have been missed"
    ]


@pytest.mark.parametrize(
    ("filters", "text", "wanted"),
    [
        ([], "anything", True),
        (["Django"], "wagtail for django", True),
        (["django"], "flask", False),
        (["django", "flask"], "Flask-Login 1.0", True),
        (["/^flask/"], "Flask-Login 1.0", True),
        (["/^flask/"], "my-flask 1.0", False),
        (["/"], "a/b", True),
    ],
)
def test_filters_are_words_or_expressions(filters: Sequence[str], text: str, wanted: bool) -> None:
    assert wanted_by(filters)(text) is wanted


def test_an_expression_that_takes_for_ever_is_given_up() -> None:
    wanted = wanted_by(["/(a|a)*$/", "word"])

    assert not wanted("a" * 60 + "b")
    assert wanted("a word")


def test_filters_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(ValueError, match=r"/\(/ is no regular expression"):
        check(["/(/"])
    with pytest.raises(ValueError, match="may take all memory"):
        check(["/((((((a{1000}){1000}){1000}){1000}){1000}){1000})/"])
    with pytest.raises(ValueError, match="at most 10 filters"):
        check(["x"] * 11)
    with pytest.raises(ValueError, match="at most 100 characters"):
        check(["x" * 101])


# -- who may, and where


async def test_what_is_watched_is_listed_and_taken_back(bot: Bot, index: PackageIndex) -> None:
    index.newest("a")
    await ask(bot, "!pypi watch requests --pre")
    await ask(bot, "!pypi watch newest flask")
    listed = await ask(bot, "!pypi watches")
    private = await bot.ask("pypi watches", private=True)
    gone = await ask(bot, "!pypi unwatch REQUESTS")
    again = await ask(bot, "!pypi unwatch requests")
    never = await ask(bot, "!pypi unwatch updates")
    index.put("requests", [("2.32.0", 2), *FIRST])
    await poll(bot)

    assert listed == "test/#pynfo hears of newest packages (flask), requests (pre-releases too)"
    assert private == "test/#pynfo: newest packages (flask), requests (pre-releases too)"
    assert gone == "requests is no longer watched for test/#pynfo"
    assert await announced(bot) == []
    assert IStorage(bot.factory).versions("feeds/pypi/releases/requests") == []
    assert again == "requests is not watched for test/#pynfo"
    assert never == "latest updates are not watched for test/#pynfo"


async def test_watching_again_changes_what_is_wanted(bot: Bot, index: PackageIndex) -> None:
    await ask(bot, "!pypi watch requests --pre")
    await ask(bot, "!pypi watch requests")

    assert await bot.ask("!pypi watches") == "test/#pynfo hears of requests"


async def test_only_operators_say_what_is_announced_in_a_channel(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#pynfo"])
    refusal = "what is announced in #pynfo is for the operators of #pynfo to say"
    for text in ("watch requests", "unwatch requests", "watches", "watch requests test/#pynfo"):
        bob.say("#pynfo", f"!pypi {text}")
        line = await bob.hears(f"*{refusal}*")
        assert line.params[0] == "#pynfo"


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("requests #other", "what is announced in #other is for the operators of #other to say"),
        ("requests nowhere/#x", "there is no network 'nowhere': there is only test"),
        ("requests django", '"django" is no channel: write such as test/#channel'),
        ("nosuch", 'there is no package "nosuch" on PyPI'),
        ("newest /(/", "/(/ is no regular expression: missing ) at position 1"),
        ("a/b", '"a/b" cannot be the name of a package'),
    ],
)
async def test_mistakes_are_one_sentence_each(bot: Bot, typed: str, answer: str) -> None:
    assert await bot.ask(f"!pypi watch {typed}") == answer
    assert await bot.ask("!pypi watches") == "nothing is watched for test/#pynfo"


async def test_an_admin_rules_every_channel_that_the_bot_is_in(tmp_path: Path, index: PackageIndex) -> None:
    settings = config_for(
        tmp_path, owner="alice", plugins={"pypi": {"url": index.url, "poll": NEVER, "advisories": NEVER}}
    )
    async with Bot.running(settings) as bot:
        assert await bot.ask("pypi watch requests", private=True) == "name a channel, such as test/#channel"
        assert await bot.ask("pypi watch requests #else", private=True) == "I am not in test/#else"
        assert (await bot.ask("pypi watch requests #PYNFO", private=True)).startswith(
            "watching requests for test/#pynfo;"
        )


async def test_an_index_that_is_down_watches_nothing(bot: Bot, index: PackageIndex) -> None:
    index.failing["/pypi/requests/json"] = 500

    answer = await bot.ask("!pypi watch requests")

    assert answer == "pypi: PyPI answers with an error (500); try again later"
    assert await bot.ask("!pypi watches") == "nothing is watched for test/#pynfo"


async def test_a_feed_that_cannot_be_read_at_first_is_told_of_and_what_it_has_later_is_old(
    bot: Bot, index: PackageIndex
) -> None:
    answer = await ask(bot, "!pypi watch newest")
    index.newest("b", "a")
    await poll(bot)
    index.newest("c", "b", "a")
    await poll(bot)

    assert answer == (
        "watching newest packages for test/#pynfo; but PyPI does not have that (404): it is tried again"
    )
    assert [line[:14] for line in await announced(bot)] == ["new on PyPI: c"]


# -- what was stored by the version before


async def test_the_list_of_the_version_before_is_taken_over(tmp_path: Path, index: PackageIndex) -> None:
    async with Bot.running(config_for(tmp_path, plugins={})) as bot:
        pairs = [("Requests", "test/#pynfo"), ["flask", "test/#edge"], "nonsense", (1, 2, 3)]
        IStorage(bot.factory).store("pypi", "1", pairs)
    async with Bot.running(config(tmp_path, index)) as bot:
        listed = await bot.ask("!pypi watches")
        storage = IStorage(bot.factory)

        assert listed == "test/#pynfo hears of requests"
        assert storage.versions("pypi") == ["2"]
        assert [(each["subject"], each["place"]) for each in storage.retrieve("pypi", "2")] == [
            ("requests", "test/#pynfo"),
            ("flask", "test/#edge"),
        ]


async def test_what_is_watched_is_stored_at_once_as_plain_values(bot: Bot) -> None:
    await ask(bot, "!pypi watch requests")

    assert IStorage(bot.factory).retrieve("pypi", "2") == [
        {"subject": "requests", "place": "test/#pynfo", "prereleases": False, "filters": ()}
    ]
