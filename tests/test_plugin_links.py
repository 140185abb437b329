"""The plugin `links`: whose addresses count, what is told of them, and when it stays silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from plugins.links import ILinks, Settings, check, watch
from pynfo.interfaces import FetchFailed, IEvents, IWeb
from pynfo.irc.events import Batch, MessageReceived, User
from pynfo.irc.message import Message
from pynfo.services.fetcher_answer import Fetched, Headers
from pynfo.testing.bot import Bot, config_for
from pynfo.testing.puppet import Puppet, said

HTML = "text/html; charset=utf-8"


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    with HTTPServer("127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def web(server: HTTPServer) -> Iterator[HTTPServer]:
    yield server
    server.clear()


class Room:
    """A channel with a bot that tells titles, alice, who is its operator, and bob, who pastes addresses."""

    def __init__(self, bot: Bot, bob: Puppet) -> None:
        self.bot = bot
        self.bob = bob
        self.watch = ILinks(bot.factory)

    async def settle(self) -> None:
        """*await* the end of all that comes of what was said."""
        await self.bot.settle()
        await self.watch.idle()
        await self.bot.settle()

    async def told(self, text: str, by: Puppet | None = None) -> str | None:
        """What the bot says after somebody has said `text`: at most one line."""
        before = len(self.bot.user.heard)
        (by or self.bob).say(self.bot.channel, text)
        await self.settle()
        return self.line_after(before)

    def line_after(self, before: int) -> str | None:
        messages = [Message.parse(line.encode()) for line in self.bot.user.heard[before:]]
        lines = [said(message) for message in messages if (message.source or "").startswith("pynfo!")]
        assert len(lines) <= 1, lines
        return lines[0] if lines else None


@asynccontextmanager
async def talking(folder: Path, *, open_to: str = "127.0.0.1/32", **settings: Any) -> AsyncIterator[Room]:
    config = config_for(
        folder,
        plugins={
            "links": {"channels": ["test/#pynfo"], "wait": 0.0, "person_limit": (99, 60.0)}
            | {"channel_limit": (99, 60.0)}
            | settings,
            "ignore": {},
        },
        fetch_allow=[open_to],
        owner="alice",
    )
    async with Bot.running(config) as bot:
        yield Room(bot, await bot.server.user("bob", channels=[bot.channel]))


def titled(title: str, head: str = "") -> str:
    return f"<!doctype html><html><head>{head}<title>{title}</title></head><body>text</body></html>"


def page(web: HTTPServer, path: str, body: str | bytes, content_type: str = HTML, **more: Any) -> str:
    """Serve a page, and give its address."""
    web.expect_request(path).respond_with_data(body, content_type=content_type, **more)
    return web.url_for(path)


# -- whose addresses count


async def test_channels_are_off_until_an_operator_switches_them_on(tmp_path: Path, web: HTTPServer) -> None:
    first, second = (page(web, f"/{number}", titled(f"Page {number}")) for number in (1, 2))
    async with talking(tmp_path, channels=[]) as room:
        assert await room.told(first) is None
        assert await room.told("!links on") == "switching links on and off in #pynfo is for its operators"
        assert await room.told("!links") == "titles of addresses in #pynfo are not told"
        assert await room.told("!links on", by=room.bot.user) == "titles of addresses in #pynfo are told"
        assert await room.told(first) == "↳ Page 1 (127.0.0.1)"
    async with talking(tmp_path, channels=[]) as room:  # kept over a restart
        assert await room.told(second) == "↳ Page 2 (127.0.0.1)"


async def test_operators_switch_off_what_the_config_has_switched_on(tmp_path: Path, web: HTTPServer) -> None:
    address = page(web, "/", titled("A page"))
    async with talking(tmp_path) as room:
        room.bot.user.mode("#pynfo", "+o", "bob")
        assert await room.told("!links #PYNFO off") == "titles of addresses in #PYNFO are not told"
        assert await room.told(address) is None


async def test_in_private_a_channel_has_to_be_named(tmp_path: Path) -> None:
    async with talking(tmp_path) as room:
        assert await room.bot.ask("links on", private=True) == (
            "say it in the channel that it is for, or name the channel"
        )
        assert await room.bot.ask("links #other on", private=True) == "titles of addresses in #other are told"


@pytest.mark.parametrize("text", ["!dns {}", "pynfo: what is {}", "PYNFO, {}", "[off] {}", "\x02[OFF] {}"])
async def test_addresses_in_commands_and_off_the_record_do_not_count(
    tmp_path: Path, web: HTTPServer, text: str
) -> None:
    address = page(web, "/", titled("A page"))
    async with talking(tmp_path) as room:
        assert await room.told(text.format(address)) is None
    assert web.log == []


async def test_addresses_in_notices_of_bots_and_of_ignored_people_do_not_count(
    tmp_path: Path, web: HTTPServer
) -> None:
    address = page(web, "/", titled("A page"))
    async with talking(tmp_path) as room:
        bot = await room.bot.server.user("robot", channels=["#pynfo"])
        bot.mode("robot", f"+{room.bot.server.isupport.bot}")
        assert await room.told(address, by=bot) is None
        before = len(room.bot.user.heard)
        room.bob.notice("#pynfo", address)
        await room.settle()
        assert room.line_after(before) is None
        assert "ignoring bob" in (await room.told("!ignore bob!*@*", by=room.bot.user) or "")
        assert await room.told(address) is None
    assert web.log == []


async def test_lines_of_our_own_relay_do_not_count(tmp_path: Path, web: HTTPServer) -> None:
    from zope.interface import implementer

    from plugins.relay.interfaces import IRelaying

    @implementer(IRelaying)
    class Relaying:
        def __init__(self, factory: Any) -> None: ...

        def is_ours(self, event: Any) -> bool:
            return "<carol@other>" in event.text

    address = page(web, "/", titled("A page"))
    async with talking(tmp_path) as room:
        room.bot.factory.register_adapter(IRelaying, Relaying)
        assert await room.told(f"<carol@other> {address}") is None
        assert await room.told(f"<dave@other> {address}") == "↳ A page (127.0.0.1)"


async def test_what_operators_say_among_themselves_and_what_was_said_earlier_does_not_count(
    tmp_path: Path, web: HTTPServer
) -> None:
    address = page(web, "/", titled("A page"))
    playback = Batch("1", "znc.in/playback", [])

    def event(**more: Any) -> MessageReceived:
        user = User("bob", "bob", "bob.test")
        return MessageReceived(
            network="test", time=0.0, user=user, target="#pynfo", channel="#pynfo", text=address, **more
        )

    async with talking(tmp_path) as room:
        before = len(room.bot.user.heard)
        publish = IEvents(room.bot.factory).publish
        publish(event(statusmsg="@"))
        publish(event(batch=playback))
        publish(event(batch=Batch("2", "draft/multiline", [], parent=playback)))
        publish(event(own=True))
        await room.settle()
        assert room.line_after(before) is None
        publish(event())
        await room.settle()
        assert room.line_after(before) == "↳ A page (127.0.0.1)"


async def test_pages_of_the_bot_itself_do_not_count(
    tmp_path: Path, web: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = page(web, "/log", titled("The log"))
    async with talking(tmp_path) as room:
        monkeypatch.setattr(IWeb(room.bot.factory), "url", lambda path: web.url_for(path))
        assert await room.told(address) is None
    assert web.log == []


async def test_what_is_remembered_and_what_is_under_way_is_bounded(
    tmp_path: Path, web: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = [page(web, f"/{number}", titled(f"Page {number}")) for number in range(4)]
    monkeypatch.setattr(watch, "TOLD", 2)
    monkeypatch.setattr(watch, "UNDER_WAY", 1)
    async with talking(tmp_path) as room:
        over = asyncio.Event()
        room.watch._sleep = lambda seconds: over.wait()
        before = len(room.bot.user.heard)
        room.bob.say("#pynfo", addresses[0])
        room.bob.say("#pynfo", addresses[1])
        await room.bot.settle()
        over.set()
        await room.settle()
        assert room.line_after(before) == "↳ Page 0 (127.0.0.1)"
        for address in addresses[1:]:
            assert await room.told(address) is not None
        assert len(room.watch._told) == 2


async def test_the_same_address_is_not_told_again_for_a_while(tmp_path: Path, web: HTTPServer) -> None:
    address = page(web, "/a", titled("A page"))
    async with talking(tmp_path, again=900.0) as room:
        now = 0.0
        room.watch._clock = lambda: now
        assert await room.told(address) == "↳ A page (127.0.0.1)"
        now = 899.0
        assert await room.told(f"{address}#fragment") is None
        now = 901.0
        assert await room.told(f"({address})") == "↳ A page (127.0.0.1)"


async def test_one_person_and_one_channel_get_so_many_titles_in_a_while(
    tmp_path: Path, web: HTTPServer
) -> None:
    addresses = [page(web, f"/{number}", titled(f"Page {number}")) for number in range(6)]
    async with talking(tmp_path, person_limit=(2, 60.0), channel_limit=(3, 60.0)) as room:
        now = 0.0
        room.watch._clock = lambda: now
        told = [await room.told(address) is not None for address in addresses[:3]]
        by_others = [await room.told(address, by=room.bot.user) is not None for address in addresses[3:5]]
        now = 61.0
        assert told == [True, True, False]
        assert by_others == [True, False]
        assert await room.told(addresses[5]) is not None


# -- other bots


@pytest.mark.parametrize(
    ("other", "silent"),
    [
        ("Title: The quick brown fox - Example (at 127.0.0.1)", True),
        ("[ \x02The Quick Brown Fox\x02 - Exam… ]", True),
        ("I have seen a fox", False),
    ],
)
async def test_nothing_is_told_where_somebody_was_first(
    tmp_path: Path, web: HTTPServer, other: str, silent: bool
) -> None:
    address = page(web, "/", titled("The quick brown fox - Example"))
    async with talking(tmp_path, wait=3.0) as room:
        over = asyncio.Event()
        waited: list[float] = []

        async def wait(seconds: float) -> None:
            waited.append(seconds)
            await over.wait()

        room.watch._sleep = wait
        robot = await room.bot.server.user("robot", channels=["#pynfo"])
        before = len(room.bot.user.heard)
        room.bob.say("#pynfo", address)
        room.bob.say("#pynfo", "The quick brown fox - Example, that is what I mean")  # whose address it is
        await room.bot.settle()
        robot.notice("#pynfo", other)
        await room.bot.settle()
        assert room.line_after(before) is None
        over.set()
        await room.settle()

        assert waited == [3.0]
        assert (room.line_after(before) is None) == silent


async def test_nothing_is_told_where_it_was_switched_off_meanwhile(tmp_path: Path, web: HTTPServer) -> None:
    address = page(web, "/", titled("A page"))
    async with talking(tmp_path) as room:
        over = asyncio.Event()
        room.watch._sleep = lambda seconds: over.wait()
        room.bob.say("#pynfo", address)
        await room.bot.settle()
        room.bot.user.say("#pynfo", "!links off")
        await room.bot.user.hears("titles of addresses in #pynfo are not told")
        over.set()
        before = len(room.bot.user.heard)
        await room.settle()

        assert room.line_after(before) is None


async def test_unloading_ends_what_is_being_looked_at(tmp_path: Path, web: HTTPServer) -> None:
    address = page(web, "/", titled("A page"))
    async with talking(tmp_path) as room:
        asleep = asyncio.Event()

        async def wait(seconds: float) -> None:
            asleep.set()
            await asyncio.Event().wait()

        room.watch._sleep = wait
        room.bob.say("#pynfo", address)
        await asyncio.wait_for(asleep.wait(), 5)
        before = len(room.bot.user.heard)
        await room.bot.factory.plugins.unload("links")
        await room.settle()

        assert room.line_after(before) is None


# -- the settings


def test_mistakes_in_the_settings_are_told(tmp_path: Path) -> None:
    settings = Settings(
        channels=["#pynfo", "other/#pynfo", "test/#pynfo", "test/pynfo"],
        github_url="api.example.org",
        wikipedia_url="https://{lang}.wiki.example",
        pypi_url="https://[x",
    )

    assert list(check(settings, config_for(tmp_path))) == [
        "'#pynfo' is no channel: write \"network/#channel\"",
        "other/#pynfo: there is no network 'other': there is only test",
        "'test/pynfo' is no channel: write \"network/#channel\"",
        "github_url: 'api.example.org' is no address: write such as \"https://mirror.example.org\"",
        "wikipedia_url: 'https://{lang}.wiki.example' is no address: write such as \"https://mirror.example.org\"",
        "pypi_url: 'https://[x' is no address: write such as \"https://mirror.example.org\"",
    ]


class Answers:
    """In place of the fetcher: what it is asked for is in `asked`, and answered from `bodies`."""

    def __init__(self, bodies: dict[str, bytes]) -> None:
        self.bodies = bodies
        self.asked: list[str] = []

    async def get(self, url: str, **_: Any) -> Fetched:
        self.asked.append(url)
        if url not in self.bodies:
            raise FetchFailed(f"{url} cannot be reached", "refused")
        return Fetched(200, Headers([("content-type", HTML)]), url, self.bodies[url], service="")


async def test_a_service_that_fails_leaves_it_to_the_page(tmp_path: Path) -> None:
    address = "https://github.com/pallets/click"
    async with talking(tmp_path, github_url="http://127.0.0.1:1") as room:
        answers = Answers({address: titled("GitHub - pallets/click").encode()})
        room.watch._titles._fetcher = answers

        assert await room.told(address) == "↳ GitHub - pallets/click (github.com)"
        assert answers.asked == ["http://127.0.0.1:1/repos/pallets/click", address]
