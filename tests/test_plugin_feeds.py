"""Any feed can be followed in a channel: people add it, and what comes after that is announced."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from plugins.feeds import Settings, check
from plugins.feeds.formats import announce, check_format
from plugins.feeds.settings import FeedSettings
from plugins.feeds.subscriptions import IN_CHANNEL
from pynfo import IFeeds, IStorage
from pynfo.config import Config
from pynfo.irc.settings import ChannelSettings
from pynfo.services.feeds_news import News
from pynfo.services.feeds_reading import Entry, Feed
from pynfo.testing.bot import Bot, config_for
from tests.feeds_bot import HERE, NEVER, announced, ask, poll
from tests.feeds_site import NOON, Site, item, rss


@pytest.fixture
def site(httpserver: HTTPServer) -> Site:
    return Site(httpserver)


def config(folder: Path, site: Site, *, allow: bool = True, **settings: Any) -> Config:
    """`allow`: people may add feeds of this machine."""
    feeds = {"period": NEVER} | settings
    return config_for(folder, plugins={"feeds": feeds}, fetch_allow=["127.0.0.1/32"] if allow else [])


@pytest.fixture
async def bot(tmp_path: Path, site: Site) -> AsyncIterator[Bot]:
    async with Bot.running(config(tmp_path, site)) as bot:
        yield bot


# -- adding


async def test_a_feed_is_looked_at_when_it_is_added_and_what_comes_later_is_announced(
    bot: Bot, site: Site
) -> None:
    answer = await ask(bot, f"!feed add {site.serve('/feed', rss([2, 1]))} as blog")
    site.serve("/feed", rss([3, 2, 1]))
    await poll(bot)
    await poll(bot)

    assert answer == 'following blog ("The Blog", 2 entries) for test/#pynfo'
    assert await announced(bot) == ["The Blog: Post 3 https://blog.example/3"]


async def test_several_entries_at_once_are_one_line(bot: Bot, site: Site) -> None:
    await ask(bot, f"!feed add {site.serve('/feed', rss([1]))} as blog")
    site.serve("/feed", rss(range(9, 0, -1)))
    await poll(bot)

    assert await announced(bot) == [
        "The Blog: Post 2; Post 3; Post 4; Post 5; Post 6 and 3 more https://blog.example/"
    ]


async def test_what_is_no_feed_is_said_so_and_not_followed(bot: Bot, site: Site) -> None:
    site.serve("/page", "<html><title>Hello</title></html>")

    assert await bot.ask(f"!feed add {site.url}/page") == "feeds: what 127.0.0.1 sends is no feed"
    assert await bot.ask(f"!feed add {site.url}/nothing") == "feeds: 127.0.0.1 does not have that (404)"
    assert await bot.ask("!feed list") == "no feed is followed here"
    assert IFeeds(bot.factory)._watches == {}


async def test_an_address_that_is_not_public_is_refused(tmp_path: Path, site: Site) -> None:
    async with Bot.running(config(tmp_path, site, allow=False)) as bot:
        answer = await bot.ask(f"!feed add {site.serve('/feed', rss([1]))}")

        assert answer.startswith("feeds: ")
        assert site.asked == []


async def test_without_a_name_it_is_that_of_the_host(bot: Bot, site: Site) -> None:
    first = await bot.ask(f"!feed add {site.serve('/a', rss([1], title=''))}")
    second = await bot.ask(f"!feed add {site.serve('/b', rss())}")
    third = await bot.ask(f"!feed add {site.serve('/c', rss())}")

    assert first == 'following 127.0.0.1 ("127.0.0.1", 1 entry) for test/#pynfo'
    assert second == 'following 127.0.0.1-2 ("The Blog", 0 entries) for test/#pynfo'
    assert third == 'following 127.0.0.1-3 ("The Blog", 0 entries) for test/#pynfo'


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("ftp://x.example/feed", '"ftp://x.example/feed" is no address on the web'),
        ("http://x.example/feed now", "write it so: feed add URL as NAME"),
        (
            "http://x.example/feed as a/b",
            '"a/b" is no name for a feed: write up to 32 letters, digits, . _ and -',
        ),
        (
            "http://x.example/feed as list",
            '"list" is no name for a feed: write up to 32 letters, digits, . _ and -',
        ),
        (
            "http://x.example/f as b #other",
            "what is announced in #other is for the operators of #other to say",
        ),
    ],
)
async def test_mistakes_are_one_sentence_each(bot: Bot, site: Site, typed: str, answer: str) -> None:
    assert await bot.ask(f"!feed add {typed}") == answer
    assert site.asked == []


async def test_an_address_and_a_name_are_followed_once_in_a_channel(bot: Bot, site: Site) -> None:
    await bot.ask(f"!feed add {site.serve('/feed', rss())} as blog")

    again = await bot.ask(f"!feed add {site.url}/feed as other")
    taken = await bot.ask(f"!feed add {site.serve('/other', rss())} as BLOG")

    assert again == "test/#pynfo follows that already, as blog"
    assert taken == "there is a feed BLOG here already: give another name, as in feed add URL as NAME"


async def test_a_channel_follows_so_many_feeds(bot: Bot, site: Site) -> None:
    for number in range(IN_CHANNEL):
        await bot.ask(f"!feed add {site.serve(f'/{number}', rss())}")

    answer = await bot.ask(f"!feed add {site.serve('/more', rss())}")

    assert answer == "test/#pynfo follows 20 feeds already: remove one first"


async def test_only_operators_say_what_is_followed(bot: Bot, site: Site) -> None:
    await bot.ask(f"!feed add {site.serve('/feed', rss())} as blog")
    bob = await bot.server.user("bob", channels=["#pynfo"])
    for text in (f"add {site.url}/feed", "remove blog", "format blog {title}"):
        bob.say("#pynfo", f"!feed {text}")
        await bob.hears("*what is announced in #pynfo is for the operators of #pynfo to say*")


# -- over time


async def test_feeds_and_what_is_known_of_them_outlive_a_restart(tmp_path: Path, site: Site) -> None:
    async with Bot.running(config(tmp_path, site)) as bot:
        await bot.ask(f"!feed add {site.serve('/feed', rss([1]))} as blog")
    site.serve("/feed", rss([2, 1]))
    async with Bot.running(config(tmp_path, site)) as bot:
        await poll(bot)
        await bot.factory.plugins.reload("feeds")
        await poll(bot)

        assert await announced(bot) == ["The Blog: Post 2 https://blog.example/2"]


async def test_a_feed_that_is_removed_is_forgotten(bot: Bot, site: Site) -> None:
    await ask(bot, f"!feed add {site.serve('/feed', rss([1]))} as blog")
    answer = await ask(bot, "!feed remove BLOG")
    site.serve("/feed", rss([2, 1]))
    await poll(bot)

    assert answer == "blog is no longer followed for test/#pynfo"
    assert IStorage(bot.factory).versions("feeds/added/test/#pynfo/blog") == []
    assert await announced(bot) == []


async def test_a_feed_that_is_not_there_cannot_be_removed(bot: Bot) -> None:
    assert await bot.ask("!feed remove blog") == 'no feed "blog" is followed for test/#pynfo'


async def test_the_list_tells_what_is_followed_and_what_is_broken(bot: Bot, site: Site) -> None:
    url = site.serve("/feed", rss([1]))
    await ask(bot, f"!feed add {url} as blog")
    site.serve("/feed", "gone")
    await poll(bot)

    assert await bot.ask("!feed list") == f"blog ({url}, broken now: what 127.0.0.1 sends is no feed)"
    assert (await bot.ask("feed list", private=True)).endswith(") for test/#pynfo")


# -- looking


async def test_the_newest_entries_are_told_to_whoever_asks(bot: Bot, site: Site) -> None:
    undated = item(9, dated=False)
    await ask(bot, f"!feed add {site.serve('/feed', rss(items=undated))} as blog")
    told = await ask(bot, "!feed Blog")
    await ask(bot, f"!feed add {site.serve('/other', rss([4, 3, 2, 1]))} as other")
    answer = await ask(bot, "!feed other")

    assert told == "The Blog: Post 9 https://blog.example/9"
    assert answer.startswith("The Blog: Post 4 (")
    assert " ago) https://blog.example/4 | Post 3 (" in answer
    assert "Post 1" not in answer


async def test_a_feed_of_another_channel_is_not_told(bot: Bot, site: Site) -> None:
    await bot.ask(f"!feed add {site.serve('/feed', rss([1]))} as blog")
    carol = await bot.server.user("carol", channels=["#else"])

    carol.say("pynfo", "feed blog")

    await carol.hears("*there is no feed 'blog'*")


async def test_ten_people_who_ask_make_one_request(bot: Bot, site: Site) -> None:
    await ask(bot, f"!feed add {site.serve('/feed', rss([1]))} as blog")
    before = site.count("/feed")
    for _ in range(10):
        await bot.ask("!feed blog")

    assert site.count("/feed") - before <= 1


async def test_a_feed_that_is_down_is_one_clear_sentence(tmp_path: Path, site: Site) -> None:
    blog = {"url": site.url + "/feed", "outputs": [HERE]}
    site.failing["/feed"] = 500
    async with Bot.running(config(tmp_path, site, feeds={"blog": blog})) as bot:
        answer = await bot.ask("!feed blog")

        assert answer == "feeds: 127.0.0.1 answers with an error (500); try again later"


# -- formats


async def test_a_format_of_ones_own_is_used_from_then_on(bot: Bot, site: Site) -> None:
    await ask(bot, f"!feed add {site.serve('/feed', rss([1]))} as blog")
    before = await ask(bot, "!feed format blog")
    changed = await ask(bot, "!feed format blog [{name}] {title} ({date})")
    site.serve("/feed", rss([2, 1]))
    await poll(bot)
    own = await announced(bot)
    await ask(bot, "!feed format blog default")
    site.serve("/feed", rss([3, 2, 1]))
    await poll(bot)

    assert before == "blog is announced as {feed}: {title} {link}"
    assert changed == "blog is announced as [{name}] {title} ({date}) from now on"
    assert own == ["[blog] Post 2 (2023-11-15)"]
    assert await announced(bot) == ["The Blog: Post 3 https://blog.example/3"]


@pytest.mark.parametrize(
    ("format", "problem"),
    [
        ("{titel}", "there is no field 'titel': did you mean 'title'?"),
        ("{title.__class__}", "there is no field"),
        ("something new", "a format needs"),
        ("{title}" + "x" * 200, "at most 200 characters"),
        ("{title}\nQUIT", "one line"),
        (" ", "one line"),
    ],
)
def test_a_format_that_cannot_be_used_is_refused(format: str, problem: str) -> None:
    with pytest.raises(ValueError) as refused:
        check_format(format)

    assert problem in str(refused.value)


def test_what_an_entry_has_not_leaves_no_gap() -> None:
    entry = Entry(identities=("1",), title="A {link} in braces", time=NOON)
    news = News(feed=Feed(title=""), entries=[entry])

    assert announce("{feed}:  {title} {link} {author}", "blog", news) == "blog: A {link} in braces"


@pytest.mark.parametrize(
    ("format", "line"),
    [("{feed}: {title}", "\u2060!op eve: New"), ("{title}!", "New!"), ("!news {title}", "!news New")],
)
def test_a_feed_gives_no_commands_to_other_bots(format: str, line: str) -> None:
    entry = Entry(identities=("1",), title="New", time=NOON)
    news = News(feed=Feed(title="!op eve"), entries=[entry])

    assert announce(format, "blog", news) == line


# -- the config


async def test_feeds_of_the_config_are_trusted_and_announced_in_all_their_channels(
    tmp_path: Path, site: Site
) -> None:
    blog = {
        "url": site.serve("/feed", rss([1])),
        "outputs": ["test/#pynfo", "test/#edge"],
        "format": "news: {title}",
    }
    settings = config(tmp_path, site, allow=False, feeds={"blog": blog})
    settings.networks[0].channels.append(ChannelSettings("#edge"))
    async with Bot.running(settings) as bot:
        bot.user.join("#edge")
        await poll(bot)
        site.serve("/feed", rss([2, 1]))
        await poll(bot)

        assert await announced(bot) == ["news: Post 2", "news: Post 2"]
        assert await bot.ask("!feed list") == "blog (127.0.0.1)"
        assert await bot.ask("!feed remove blog") == (
            "blog stands in the config: who runs the bot can change it there"
        )


async def test_a_feed_that_left_the_config_is_forgotten(tmp_path: Path, site: Site) -> None:
    blog = {"url": site.serve("/feed", rss([1])), "outputs": [HERE]}
    async with Bot.running(config(tmp_path, site, feeds={"blog": blog})) as bot:
        await poll(bot)
        assert IStorage(bot.factory).versions("feeds/configured/blog") == ["1"]
    async with Bot.running(config(tmp_path, site)) as bot:
        assert IStorage(bot.factory).versions("feeds/configured/blog") == []


def test_mistakes_in_the_config_are_told_with_what_to_write(tmp_path: Path, site: Site) -> None:
    feeds = {
        "a b": FeedSettings("https://x.example/f", ["test/#pynfo"]),
        "one": FeedSettings("x.example/feed", ["#pynfo"]),
        "two": FeedSettings("https://x.example/f", ["tets/#pynfo"], format="{nothing}"),
        "three": FeedSettings("https://x.example/f", [], format="{title"),
    }
    assert list(check(Settings(feeds=feeds, format="new!"), config(tmp_path, site))) == [
        "format: a format needs {title}, {link} or {summary}, or all entries would look the same",
        "'a b' is no name for a feed: write up to 32 letters, digits, and . _ -",
        'one: url is no address: write such as "https://blog.example.org/feed.xml"',
        "one: '#pynfo' is no output: write such as \"test/#channel\"",
        "two: format: there is no field 'nothing': there are author, date, feed, link, name, summary, title",
        "two: there is no network 'tets': did you mean 'test'?",
        "three: format: a field stands between { and }, such as {title}",
        'three: outputs is empty: write who hears of it, such as ["test/#channel"]',
    ]
