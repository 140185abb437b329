"""HTTP for plugins: what it gives, to how many, for how long, and that nothing of it holds up the bot."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from pynfo import FetchFailed, IFetcher, __version__
from pynfo.ownership import Owner, Unloaded
from pynfo.services import fetcher as module
from pynfo.services import fetcher_guard as guard
from pynfo.services.fetcher import Fetcher
from pynfo.services.fetcher_answer import Fetched, Headers
from pynfo.testing.bot import Bot, config_for
from tests.fetcher_world import SHORT, WAIT, answer, fetching, says, silence, stranger


@pytest.fixture
async def fetcher(tmp_path: Path) -> AsyncIterator[Fetcher]:
    async with fetching(tmp_path) as fetcher:
        yield fetcher


def fetched(content: bytes, content_type: str = "") -> Fetched:
    return Fetched(200, Headers([("Content-Type", content_type)]), "http://x/", content, service="Open-Meteo")


# -- what it gives


async def test_an_answer_has_status_headers_text_and_json(fetcher: Fetcher, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a", query_string={"q": "ü ", "many": "1"}).respond_with_json({"name": "ü"})

    fetched = await fetcher.get(httpserver.url_for("/a"), {"q": "ü ", "many": [1]})

    assert (fetched.status, fetched.ok, fetched.json()) == (200, True, {"name": "ü"})
    assert fetched.headers["Content-Type"] == fetched.headers["content-type"] == "application/json"
    assert (fetched.from_cache, fetched.not_modified) == (False, False)
    assert fetched.url == httpserver.url_for("/a") + "?q=%C3%BC+&many=1"
    fetched.raise_for_status()


async def test_a_query_is_added_to_one_that_is_there(fetcher: Fetcher) -> None:
    async with stranger(says(answer("here"))) as server:
        await fetcher.get(server.url("/a?b=c"), [("d", "e"), ("d", "f")])

    assert server.asked[0].startswith("GET /a?b=c&d=e&d=f HTTP/1.1\r\n")


async def test_what_is_compressed_is_given_as_it_was(fetcher: Fetcher) -> None:
    async with stranger(says(answer(gzip.compress(b"here"), Content_Encoding="gzip"))) as server:
        assert (await fetcher.get(server.url())).text == "here"

    assert "Accept-Encoding: gzip, deflate\r\n" in server.asked[0]


async def test_the_bot_says_who_it_is_and_whom_to_ask_about_it(tmp_path: Path) -> None:
    async with (
        stranger(says(answer())) as server,
        fetching(tmp_path, fetch_contact="me@example.org") as fetcher,
    ):
        await fetcher.get(server.url(), headers={"X-Own": "1"})

    assert f"User-Agent: Pynfo/{__version__} (me@example.org)\r\n" in server.asked[0]
    assert "X-Own: 1\r\n" in server.asked[0]


async def test_the_environment_has_no_say(
    tmp_path: Path, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login bot password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with stranger(says(answer("here"))) as server:
        assert (await fetcher.get(server.url())).text == "here"

    assert "Authorization" not in server.asked[0]


async def test_no_cookie_is_kept(fetcher: Fetcher) -> None:
    async with stranger(says(answer(Set_Cookie="who=you; Path=/"))) as server:
        await fetcher.get(server.url("/a"))
        await fetcher.get(server.url("/b"))

    assert "Cookie" not in server.asked[1]


async def test_a_connection_is_used_again(fetcher: Fetcher) -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        for number in range(3):
            assert (await fetcher.get(f"{url}{number}")).text == "here"
        await fetcher.stop()

    assert connections == 1


@pytest.mark.parametrize(
    ("content", "content_type", "text"),
    [
        ("ü".encode(), "text/html", "ü"),
        ("ü".encode("latin-1"), "text/html; charset=ISO-8859-1", "ü"),
        ("ü".encode("latin-1"), 'text/html; charset="iso-8859-1"', "ü"),
        (b"\xef\xbb\xbfhere", "", "here"),
        ("here".encode("utf-16"), "text/html; charset=latin-1", "here"),
        (b"a\xff\xfeb", "text/html; charset=utf-8", "a\ufffd\ufffdb"),
        (b"here", "text/html; charset=klingon", "here"),
        (b"here", "text/html; charset=rot13", "here"),
        ("xn--ü".encode(), "text/html; charset=idna", "xn--ü"),
        ("a-ü".encode(), "text/html; charset=punycode", "a-ü"),
        (b"here", "text/html; charset=undefined", "here"),
        (b"here", "text/html; charset=", "here"),
        (b"", "", ""),
    ],
)
def test_text_is_decoded_by_what_the_answer_says(content: bytes, content_type: str, text: str) -> None:
    assert fetched(content, content_type).text == text


def test_json_is_read_whatever_its_content_type_says() -> None:
    assert fetched(b'\xef\xbb\xbf{"a": 1}', "text/html").json() == {"a": 1}
    assert fetched(b'{"a": "\xff"}', "application/json").json() == {"a": "\ufffd"}


@pytest.mark.parametrize("content", [b"", b"<html>", b"{", b"[" * 100_000, b'"\\ud800"x'])
def test_what_is_no_json_is_told_in_one_clause(content: bytes) -> None:
    with pytest.raises(FetchFailed, match=r"^Open-Meteo answers with something that is no JSON$") as raised:
        fetched(content).json()
    assert raised.value.reason == "broken"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (404, "PyPI does not have that (404)"),
        (429, "PyPI is asked too often (429)"),
        (403, "PyPI does not let us ask (403)"),
        (500, "PyPI answers with an error (500)"),
        (304, "PyPI answers with an error (304)"),
    ],
)
def test_a_status_that_is_no_success_has_its_words(status: int, told: str) -> None:
    with pytest.raises(FetchFailed) as raised:
        Fetched(status, Headers(), "http://x/", b"", service="PyPI").raise_for_status()
    assert (str(raised.value), raised.value.reason, raised.value.status) == (told, "status", status)


async def test_a_header_that_cannot_be_sent_is_refused(fetcher: Fetcher) -> None:
    async with stranger(says(answer())) as server:
        with pytest.raises(ValueError, match="header"):
            await fetcher.get(server.url(), headers={"X-Own": "1\r\nX-Evil: 1"})

    assert server.asked == []


@pytest.mark.parametrize(
    "url", ["", "/etc/passwd", "file:///etc/passwd", "ftp://x/", "http://", "http://[x/"]
)
async def test_what_is_no_address_of_the_web_is_not_asked(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(FetchFailed) as raised:
        await fetcher.get(url)
    assert raised.value.reason == "not allowed"


# -- to how many


async def test_who_asks_for_the_same_at_the_same_time_shares_one_request(fetcher: Fetcher) -> None:
    async with stranger(says(answer("here"))) as server:
        many = await asyncio.gather(*(fetcher.get(server.url()) for _ in range(10)))

    assert [fetched.text for fetched in many] == ["here"] * 10
    assert len(server.asked) == 1


async def test_who_asks_for_something_else_does_not(fetcher: Fetcher) -> None:
    async with stranger(says(answer("here"))) as server:
        await asyncio.gather(
            fetcher.get(server.url("/a")),
            fetcher.get(server.url("/b")),
            fetcher.get(server.url("/a"), headers={"Accept": "text/html"}),
        )

    assert len(server.asked) == 3


async def test_a_failure_is_told_to_all_who_share_it(fetcher: Fetcher) -> None:
    async with stranger(silence) as server:
        waits = [fetcher.get(server.url(), timeout=SHORT) for _ in range(3)]
        failures = await asyncio.gather(*waits, return_exceptions=True)

    assert [type(failure) for failure in failures] == [FetchFailed] * 3
    assert len({id(failure) for failure in failures}) == 3
    assert len(server.asked) == 1


async def test_one_who_waits_no_more_leaves_the_others_their_answer(fetcher: Fetcher) -> None:
    go_on = asyncio.Event()

    async def script(head: str, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        writer.write(answer("here"))

    async with stranger(script) as server:
        first = asyncio.create_task(fetcher.get(server.url()))
        second = asyncio.create_task(fetcher.get(server.url()))
        await server.was_asked()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        go_on.set()
        assert (await second).text == "here"


async def test_when_nobody_waits_any_more_the_connection_is_cut(fetcher: Fetcher) -> None:
    async with stranger(silence) as server:
        waits = [asyncio.create_task(fetcher.get(server.url(), timeout=600)) for _ in range(2)]
        await server.was_asked()
        for wait in waits:
            wait.cancel()
        await server.was_left()
        again = asyncio.create_task(fetcher.get(server.url(), timeout=600))
        await server.was_asked(2)
        again.cancel()


async def test_unloading_a_plugin_cancels_what_it_waits_for(fetcher: Fetcher) -> None:
    plugin, other = Owner("weather"), Owner("pypi")
    async with stranger(silence) as server:
        with plugin.active():
            wait = asyncio.create_task(fetcher.get(server.url("/weather"), timeout=600))
        with other.active():
            others = asyncio.create_task(fetcher.get(server.url("/pypi"), timeout=600))
        await server.was_asked(2)

        await plugin.close()

        with pytest.raises(asyncio.CancelledError):
            await wait
        await server.was_left()
        assert (server.left, others.done()) == (1, False)
        with plugin.active(), pytest.raises(Unloaded):
            await fetcher.get(server.url("/new"))
        others.cancel()
        await server.was_left(2)
        assert len(server.asked) == 2


async def test_a_bot_that_stops_asks_nothing_more(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetcher:
        await fetcher.stop()
        with pytest.raises(FetchFailed, match=r"^the bot is stopping$"):
            await fetcher.get("http://127.0.0.1:1/")


async def test_past_the_bound_it_is_busy(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 3)
    async with stranger(silence) as server:
        waits = [asyncio.create_task(fetcher.get(server.url())) for _ in range(3)]
        await server.was_asked()
        with pytest.raises(FetchFailed, match=r"^too much is being fetched already$") as raised:
            await fetcher.get(server.url())
        assert raised.value.reason == "busy"
        for wait in waits:
            wait.cancel()


async def test_what_strangers_name_leaves_threads_to_our_services(tmp_path: Path) -> None:
    async with (
        stranger(silence, address="0.0.0.0") as slow,
        stranger(says(answer("sunny"))) as service,
        fetching(tmp_path, fetch_allow=["127.0.0.0/8"]) as fetcher,
    ):
        urls = [slow.url(host=f"127.0.0.{number + 1}") for number in range(module.THREADS * 2)]
        waits = [asyncio.create_task(fetcher.get(url, guarded=True)) for url in urls]
        await slow.was_asked(module.STRANGERS_AT_ONCE)

        assert (await fetcher.get(service.url())).text == "sunny"

        assert len(slow.asked) == module.STRANGERS_AT_ONCE
        for wait in waits:
            wait.cancel()


async def test_names_that_nobody_ever_finds_leave_threads_to_our_services_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, look_up = Event(), guard.socket.getaddrinfo

    def slow(host: str, *arguments: Any, **keywords: Any) -> Any:
        if host.endswith(".example"):
            found.wait(WAIT)
        return look_up(host.replace("slow.example", "127.0.0.1"), *arguments, **keywords)

    monkeypatch.setattr(guard.socket, "getaddrinfo", slow)
    async with stranger(says(answer("sunny"))) as service, fetching(tmp_path) as fetcher:
        for start in range(0, 2 * module.THREADS, module.STRANGERS_AT_ONCE):
            urls = [f"http://{start + number}.slow.example" for number in range(module.STRANGERS_AT_ONCE)]
            asked = [fetcher.get(url, guarded=True, timeout=0.1) for url in urls]
            await asyncio.gather(*asked, return_exceptions=True)

        try:
            assert (await fetcher.get(service.url(), timeout=2)).text == "sunny"
        finally:
            found.set()


async def test_what_waits_for_a_thread_too_long_is_not_the_fault_of_its_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "THREADS", 1)
    async with (
        stranger(silence) as slow,
        stranger(says(answer("sunny"))) as service,
        fetching(tmp_path) as fetcher,
    ):
        wait = asyncio.create_task(fetcher.get(slow.url()))
        await slow.was_asked()
        late = [fetcher.get(service.url(f"/{number}"), timeout=SHORT, service="PyPI") for number in range(5)]
        for failed in await asyncio.gather(*late, return_exceptions=True):
            assert isinstance(failed, FetchFailed)
            assert (str(failed), failed.reason) == ("PyPI could not be asked in time", "busy")
        wait.cancel()

        assert (await fetcher.get(service.url())).text == "sunny"

    assert len(service.asked) == 1


# -- the bot meanwhile

PLUGIN = """
from pynfo import FetchFailed, IFetcher, command

@command
def ping(request) -> str:
    '''Answer.'''
    return "pong"

@command
async def ask(request, url: str) -> str:
    '''Ask URL for its text.'''
    try:
        return (await IFetcher(request.factory).get(url, service="Open-Meteo", timeout=5)).text
    except FetchFailed as failed:
        raise request.error(f"{failed}; try again later")
"""


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "asking.py").write_text(PLUGIN)
    (tmp_path / "plugins.tml").write_text('register("asking", "plugins.asking")')
    config = config_for(tmp_path / "state", plugins={"asking": {}}, plugin_path=[tmp_path])
    async with Bot.running(config) as bot:
        yield bot


async def test_a_plugin_asks_with_the_interface(bot: Bot) -> None:
    async with stranger(says(answer("sunny"), answer(status="500 Oh"))) as server:
        assert await bot.ask(f"!ask {server.url()}") == "sunny"


async def test_the_bot_answers_while_two_hundred_requests_hang(bot: Bot) -> None:
    let_go = asyncio.Event()

    async def script(head: str, writer: asyncio.StreamWriter) -> None:
        await let_go.wait()
        writer.write(answer("at last"))

    async with stranger(script, address="0.0.0.0") as server:
        fetcher = IFetcher(bot.factory)
        waits = [
            asyncio.create_task(fetcher.get(server.url(f"/{number}", host=f"127.0.0.{number % 50 + 1}")))
            for number in range(200)
        ]
        await server.was_asked(module.THREADS)  # every thread is busy, and the others wait

        assert await bot.ask("!ping") == "pong"

        assert not any(wait.done() for wait in waits)
        let_go.set()
        assert [fetched.text for fetched in await asyncio.gather(*waits)] == ["at last"] * 200


async def test_the_bot_stops_within_its_limits_while_requests_hang(tmp_path: Path) -> None:
    async with stranger(silence, address="0.0.0.0") as server:
        async with asyncio.timeout(WAIT):
            async with Bot.running(config_for(tmp_path)) as bot:
                fetcher = IFetcher(bot.factory)
                urls = [server.url(f"/{number}", host=f"127.0.0.{number + 1}") for number in range(50)]
                waits = [asyncio.create_task(fetcher.get(url, timeout=600)) for url in urls]
                await server.was_asked(module.THREADS)
        await server.was_left(module.THREADS)
        assert all(wait.cancelled() for wait in waits)
