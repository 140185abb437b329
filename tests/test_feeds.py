"""Each entry of a feed is announced once, in order, whatever happens to the feed, the disk and the bot."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from pynfo import FetchFailed, IFeeds, IOperator, IOutbox, IScheduler, IStorage
from pynfo.config import Config
from pynfo.services import feeds as engine
from pynfo.services.feeds_news import News
from pynfo.services.feeds_reading import Entry, Feed, NotAFeed
from pynfo.testing.bot import Bot, config_for
from tests.feeds_bot import HERE, NEVER, announced
from tests.feeds_site import Site, rss


@pytest.fixture
def site(httpserver: HTTPServer) -> Site:
    return Site(httpserver)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_for(tmp_path / "state", plugins={})


@pytest.fixture
async def bot(config: Config) -> AsyncIterator[Bot]:
    async with Bot.running(config) as bot:
        yield bot


def titles(news: News) -> Iterable[tuple[str, str]]:
    missed = " and perhaps more" if news.missed else ""
    return [(HERE, ", ".join(entry.title for entry in news.entries) + missed)]


def watch(bot: Bot, url: str, tell: Any = titles, *, name: str = "blog", **options: Any) -> Any:
    return IFeeds(bot.factory).watch(name, url, tell, **{"period": NEVER} | options)


# -- once, and in order


async def test_what_is_there_at_the_first_look_is_old_and_what_comes_later_is_said_once(
    bot: Bot, site: Site
) -> None:
    blog = watch(bot, site.serve("/feed", rss([2, 1])))
    await blog.poll()
    site.serve("/feed", rss([4, 3, 2, 1]))
    await blog.poll()
    await blog.poll()

    assert await announced(bot) == ["Post 3, Post 4"]


async def test_a_feed_that_was_empty_at_first_has_its_first_entry_announced(bot: Bot, site: Site) -> None:
    blog = watch(bot, site.serve("/feed", rss()))
    await blog.poll()
    site.serve("/feed", rss([1]))
    await blog.poll()

    assert await announced(bot) == ["Post 1"]


async def test_an_order_that_changes_makes_nothing_new(bot: Bot, site: Site) -> None:
    blog = watch(bot, site.serve("/feed", rss([3, 2, 1])))
    await blog.poll()
    for order in ([1, 2, 3], [2, 4, 1, 3, 5], [5, 4, 3, 2, 1]):
        site.serve("/feed", rss(order))
        await blog.poll()

    assert await announced(bot) == ["Post 4, Post 5"]


async def test_entries_that_go_and_come_again_are_old(bot: Bot, site: Site) -> None:
    blog = watch(bot, site.serve("/feed", rss([2, 1])))
    for numbers in ([2, 1], [], [2, 1], [1], [2, 1]):
        site.serve("/feed", rss(numbers))
        await blog.poll()

    assert await announced(bot) == []


async def test_undated_entries_without_ids_are_announced_oldest_first(bot: Bot, site: Site) -> None:
    blog = watch(bot, site.serve("/feed", rss([1], dated=False, ids=False)))
    await blog.poll()
    site.serve("/feed", rss([3, 2, 1], dated=False, ids=False))
    await blog.poll()

    assert await announced(bot) == ["Post 2, Post 3"]


async def test_where_all_that_is_there_is_new_more_may_have_been_missed(bot: Bot, site: Site) -> None:
    blog = watch(bot, site.serve("/feed", rss([2, 1])))
    await blog.poll()
    site.serve("/feed", rss([4, 3]))
    await blog.poll()

    assert await announced(bot) == ["Post 3, Post 4 and perhaps more"]


async def test_every_output_hears_it(bot: Bot, site: Site) -> None:
    def both(news: News) -> Iterable[tuple[str, str]]:
        return [(target, news.entries[0].title) for target in (HERE, "test/alice", "nowhere/#x")]

    blog = watch(bot, site.serve("/feed", rss([1])), both)
    await blog.poll()
    site.serve("/feed", rss([2, 1]))
    await blog.poll()

    assert await announced(bot) == ["Post 2", "Post 2"]


async def test_what_is_said_may_be_found_on_another_thread(bot: Bot, site: Site) -> None:
    async def slowly(news: News) -> Iterable[tuple[str, str]]:
        return await IScheduler(bot.factory).in_thread(titles, news)

    blog = watch(bot, site.serve("/feed", rss([1])), slowly)
    await blog.poll()
    site.serve("/feed", rss([2, 1]))
    await blog.poll()

    assert await announced(bot) == ["Post 2"]


async def test_what_could_not_be_worded_is_new_at_the_next_look_too(bot: Bot, site: Site) -> None:
    def fails(news: News) -> Iterable[tuple[str, str]]:
        raise RuntimeError("no words")

    blog = watch(bot, site.serve("/feed", rss([1])), fails)
    await blog.poll()
    site.serve("/feed", rss([2, 1]))
    with pytest.raises(RuntimeError):
        await blog.poll()
    blog.cancel()
    await watch(bot, site.url + "/feed").poll()

    assert await announced(bot) == ["Post 2"]


# -- over restarts


async def test_a_restart_repeats_nothing_and_what_came_meanwhile_is_said(config: Config, site: Site) -> None:
    url = site.serve("/feed", rss([1]))
    async with Bot.running(config) as bot:
        blog = watch(bot, url)
        await blog.poll()
        site.serve("/feed", rss([2, 1]))
        await blog.poll()
        assert await announced(bot) == ["Post 2"]
    site.serve("/feed", rss([2, 4, 1, 3]))
    async with Bot.running(config) as bot:
        await watch(bot, url).poll()

        assert await announced(bot) == ["Post 3, Post 4"]


async def test_a_feed_at_another_address_is_old_at_first(config: Config, site: Site) -> None:
    async with Bot.running(config) as bot:
        await watch(bot, site.serve("/feed", rss([1]))).poll()
    async with Bot.running(config) as bot:
        await watch(bot, site.serve("/moved", rss([9, 8]))).poll()

        assert await announced(bot) == []


async def crash(
    config: Config, site: Site, monkeypatch: pytest.MonkeyPatch, of: Callable[[Bot], Any], name: str
) -> Config:
    """Announce something, but keep the disk as it was when a certain function was called: the next config."""
    after = config.state_dir.with_name("after")
    url = site.serve("/feed", rss([1]))
    async with Bot.running(config) as bot:
        blog = watch(bot, url)
        await blog.poll()
        original = getattr(of(bot), name)

        def killed(*args: Any, **kw: Any) -> Any:
            if not after.exists():
                shutil.copytree(config.state_dir, after)
            return original(*args, **kw)

        monkeypatch.setattr(of(bot), name, killed)
        site.serve("/feed", rss([2, 1]))
        await blog.poll()
        assert await announced(bot) == ["Post 2"]
        monkeypatch.undo()
    assert after.exists()
    return config_for(after, plugins={})


async def test_a_crash_between_storing_and_saying_loses_nothing(
    config: Config, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = await crash(config, site, monkeypatch, lambda bot: IOutbox(bot.factory), "say")
    async with Bot.running(after) as bot:
        blog = watch(bot, site.url + "/feed")
        await bot.user.hears("Post 2")
        await blog.poll()

        assert await announced(bot) == ["Post 2"]


async def test_a_crash_between_saying_and_storing_repeats_nothing(
    config: Config, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.Watch, "_kept", lambda self, key: None)  # the end of the promise is not stored
    url = site.serve("/feed", rss([1]))
    async with Bot.running(config) as bot:
        blog = watch(bot, url)
        await blog.poll()
        site.serve("/feed", rss([2, 1]))
        await blog.poll()
        assert await announced(bot) == ["Post 2"]
    monkeypatch.undo()
    async with Bot.running(config) as bot:
        stored = IStorage(bot.factory).retrieve("feeds/blog", "1")["pending"]
        blog = watch(bot, url)
        await blog.poll()

        assert [promise["text"] for promise in stored] == ["Post 2"]
        assert await announced(bot) == []
        assert IStorage(bot.factory).retrieve("feeds/blog", "1")["pending"] == []


async def test_a_crash_before_anything_was_stored_finds_it_new_again(
    config: Config, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = await crash(config, site, monkeypatch, lambda bot: engine.Watch, "_announcements")
    async with Bot.running(after) as bot:
        await watch(bot, site.url + "/feed").poll()

        assert await announced(bot) == ["Post 2"]


async def test_nothing_is_said_before_it_is_on_disk(
    bot: Bot, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(timeout: float = 5.0) -> bool:
        return False

    blog = watch(bot, site.serve("/feed", rss([1])))
    await blog.poll()
    site.serve("/feed", rss([2, 1]))
    with monkeypatch.context() as patched:
        patched.setattr(IStorage(bot.factory), "flush", full)
        await blog.poll()
        assert await announced(bot) == []
    await blog.poll()

    assert await announced(bot) == ["Post 2"]


async def test_a_promise_that_is_too_old_is_not_kept(
    config: Config, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.serve("/feed", rss([1]))
    async with Bot.running(config) as bot:
        blog = watch(bot, url)
        await blog.poll()
        stored = IStorage(bot.factory).retrieve("feeds/blog", "1")
        old = {"key": "k", "target": HERE, "text": "long ago", "time": 1_600_000_000.0}
        IStorage(bot.factory).store("feeds/blog", "1", stored | {"pending": [old]})
    async with Bot.running(config) as bot:
        await watch(bot, url).poll()

        assert await announced(bot) == []
        assert IStorage(bot.factory).retrieve("feeds/blog", "1")["pending"] == []


async def test_what_is_forgotten_leaves_nothing_behind(bot: Bot, site: Site) -> None:
    blog = watch(bot, site.serve("/feed", rss([1])))
    await blog.poll()

    IFeeds(bot.factory).forget("blog")
    await blog.poll()

    assert IStorage(bot.factory).versions("feeds/blog") == []
    watch(bot, site.url + "/feed")  # and it can be watched anew


async def test_what_was_forgotten_is_not_stored_again_when_its_last_announcement_is_said(
    bot: Bot, site: Site
) -> None:
    def elsewhere(news: News) -> Iterable[tuple[str, str]]:
        return [("test/#nowhere", "it waits until we are there")]

    blog = watch(bot, site.serve("/feed", rss([1])), elsewhere)
    await blog.poll()
    site.serve("/feed", rss([2, 1]))
    await blog.poll()
    (waiting,) = blog._memory.pending

    IFeeds(bot.factory).forget("blog")
    blog._kept(waiting)

    assert IStorage(bot.factory).versions("feeds/blog") == []


async def test_a_name_is_watched_once(bot: Bot, site: Site) -> None:
    watch(bot, site.serve("/feed", rss()))

    with pytest.raises(ValueError, match="blog is watched already"):
        watch(bot, site.url + "/feed")


# -- asking


async def test_it_looks_after_every_period_with_jitter(
    bot: Bot, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    blog = watch(bot, site.serve("/feed", rss()), period=300.0)
    job = next(job for job in IScheduler(bot.factory).jobs if "poll" in job.name)

    assert job.period == 300
    assert job.jitter == 75
    blog.cancel()
    assert job.cancelled


async def test_what_did_not_change_is_not_sent_again(bot: Bot, site: Site) -> None:
    blog = watch(bot, site.serve("/feed", rss([1])))
    await blog.poll()
    await blog.poll()

    assert site.count("/feed") == 2
    assert site.unchanged == 1


async def test_what_did_not_change_is_not_read_again(bot: Bot, site: Site) -> None:
    reads = []

    def read(content: bytes, headers: Any, url: str) -> Feed:
        reads.append(url)
        return Feed(title="numbers", entries=[Entry(identities=(content.decode(),), title="a number")])

    numbers = watch(bot, site.serve("/n", "1"), read=read)
    await numbers.poll()
    await numbers.poll()
    site.serve("/n", "2")
    await numbers.poll()

    assert len(reads) == 2
    assert await announced(bot) == ["a number and perhaps more"]


# -- trouble


async def test_a_feed_that_breaks_is_told_once_and_is_over_when_it_works_again(bot: Bot, site: Site) -> None:
    told: list[str] = []
    operator = IOperator(bot.factory)
    blog = watch(bot, site.serve("/feed", "this is no feed"))
    for _ in range(3):
        await blog.poll()
        told.append(operator.matters().get("feeds/blog", ""))
    site.serve("/feed", rss([1]))
    await blog.look()

    assert set(told) == {"feed blog: what 127.0.0.1 sends is no feed; it is tried again"}
    assert blog.problem == ""
    assert operator.matters() == {}


async def test_a_host_that_is_down_is_one_matter_for_all_its_feeds(bot: Bot, site: Site) -> None:
    operator = IOperator(bot.factory)
    first, second = (watch(bot, site.serve(f"/{name}", rss([1])), name=name) for name in ("first", "second"))
    site.failing = {"/first": 500, "/second": 500}
    await first.poll()
    await second.poll()
    down = operator.matters()
    site.failing = {"/second": 500}
    await first.look()
    half = operator.matters()
    IFeeds(bot.factory).forget("second")

    told = "feeds: 127.0.0.1 answers with an error (500); what is watched there is tried again"
    assert down == {"feeds/host/127.0.0.1": told}
    assert half == down
    assert operator.matters() == {}


async def test_a_broken_feed_is_tried_ever_more_rarely(bot: Bot, site: Site) -> None:
    blog = watch(bot, site.url + "/gone", period=600.0)
    asked = []
    for _ in range(16):
        await blog.poll()
        asked.append(site.count("/gone"))

    # At once, after 1 period, after 2, after 4; and then every hour, which is 6 periods.
    assert [index for index in range(16) if index == 0 or asked[index] > asked[index - 1]] == [0, 1, 3, 7, 13]


async def test_a_feed_that_came_back_announces_what_it_had_meanwhile(bot: Bot, site: Site) -> None:
    blog = watch(bot, site.serve("/feed", rss([1])))
    await blog.poll()
    site.serve("/feed", "<html>we are moving</html>")
    await blog.poll()
    site.serve("/feed", rss([3, 2, 1]))
    await blog.poll()

    assert await announced(bot) == ["Post 2, Post 3"]


async def test_a_look_that_fails_is_no_first_look(bot: Bot, site: Site) -> None:
    blog = watch(bot, site.serve("/feed", "nothing yet"))
    await blog.poll()
    site.serve("/feed", rss([1]))
    await blog.poll()

    assert await announced(bot) == []


async def test_whoever_looks_is_told_what_is_wrong(bot: Bot, site: Site) -> None:
    with pytest.raises(FetchFailed, match=r"127\.0\.0\.1 does not have that \(404\)"):
        await IFeeds(bot.factory).look(site.url + "/nothing")
    with pytest.raises(FetchFailed, match=r"what 127\.0\.0\.1 sends is no feed"):
        await IFeeds(bot.factory).look(site.serve("/page", "<html><title>hi</title></html>"))


async def test_an_answer_of_another_kind_can_be_refused_by_its_reader(bot: Bot, site: Site) -> None:
    def picky(content: bytes, headers: Any, url: str) -> Feed:
        raise NotAFeed("is not what I like")

    with pytest.raises(FetchFailed, match="what The Blog sends is not what I like"):
        await watch(bot, site.serve("/feed", rss()), read=picky, service="The Blog").look()


async def test_an_address_that_a_stranger_gave_is_guarded(bot: Bot, site: Site) -> None:
    with pytest.raises(FetchFailed) as failed:
        await watch(bot, site.serve("/feed", rss()), guarded=True).look()

    assert failed.value.reason == "not allowed"
    assert site.asked == []


async def test_huge_feeds_are_refused(bot: Bot, site: Site) -> None:
    with pytest.raises(FetchFailed) as failed:
        await watch(bot, site.serve("/feed", b"<rss>" + b" " * (3 << 20))).look()

    assert failed.value.reason == "too large"
