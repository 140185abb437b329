"""Who the plugin `search` asks: what each service is sent, and what is made of its answer, whatever it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from plugins.search import Settings
from plugins.search.duckduckgo import DuckDuckGo
from plugins.search.providers import NoAnswer
from pynfo.interfaces import IScheduler
from pynfo.irc.settings import Secret
from pynfo.testing.bot import Bot, config_for
from tests.search_services import (
    BRAVE,
    ENGINE,
    GOOGLE,
    KEY,
    SEARXNG,
    WIKIPEDIA,
    ZOPE,
    Services,
    asked,
    searching,
)


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    with HTTPServer("127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def services(server: HTTPServer) -> Iterator[Services]:
    yield Services(server)
    server.clear()


# -- what each service is asked, and how it is read


async def test_searxng_is_asked_for_json_and_for_safe_results(tmp_path: Path, services: Services) -> None:
    services.searxng(ZOPE)

    await asked(tmp_path, services.settings("searxng"), "!search zope  interface &c")

    (request,) = services.asked(SEARXNG)
    assert dict(request.args) == {"q": "zope interface &c", "format": "json", "safesearch": "2"}


async def test_brave_gets_its_key_in_a_header(tmp_path: Path, services: Services) -> None:
    services.brave(ZOPE)

    answer = await asked(tmp_path, services.settings("brave"))

    (request,) = services.asked(BRAVE)
    assert request.headers["X-Subscription-Token"] == KEY
    assert request.args["q"] == "zope"
    assert request.args["safesearch"] == "strict"
    assert KEY not in request.full_path
    assert answer.endswith("(Brave)")


async def test_google_gets_its_key_and_its_engine(tmp_path: Path, services: Services) -> None:
    services.google(ZOPE)

    answer = await asked(tmp_path, services.settings("google"))

    (request,) = services.asked(GOOGLE)
    wanted = {"cx": ENGINE, "q": "zope", "safe": "active"}
    assert wanted.items() <= dict(request.args).items()
    assert request.headers["X-Goog-Api-Key"] == KEY
    assert answer == "Zope — https://www.zope.dev/ — Zope is an application server (Google)"


async def test_wikipedia_gives_articles_in_the_order_of_its_search(
    tmp_path: Path, services: Services
) -> None:
    services.wikipedia(
        ("Mercury", "https://en.wikipedia.org/wiki/Mercury", "Mercury may refer to:"),
        ("Mercury (planet)", "https://en.wikipedia.org/wiki/Mercury_(planet)", "The first planet."),
        ("Mercury (element)", "https://en.wikipedia.org/wiki/Mercury_(element)", "A metal."),
        meanings="Mercury",
    )

    async with searching(tmp_path, services.settings("searxng")) as bot:
        first = await bot.ask("!wp mercury")
        second = await bot.ask("!more")

    (request,) = services.asked(WIKIPEDIA)
    assert {"action": "query", "gsrsearch": "mercury"}.items() <= dict(request.args).items()
    assert first.startswith(
        "Mercury (planet) — https://en.wikipedia.org/wiki/Mercury_(planet) — The first planet. (Wikipedia)"
    )
    assert second.startswith("Mercury (element) — ")


@pytest.mark.parametrize(
    ("provider", "path", "parameter", "off"),
    [
        ("searxng", SEARXNG, "safesearch", "0"),
        ("brave", BRAVE, "safesearch", "off"),
        ("google", GOOGLE, "safe", "off"),
    ],
)
async def test_safe_search_can_be_switched_off(
    tmp_path: Path, services: Services, provider: str, path: str, parameter: str, off: str
) -> None:
    getattr(services, provider)(ZOPE)

    await asked(tmp_path, services.settings(provider, safe=False))

    assert services.asked(path)[0].args[parameter] == off


# -- answers of another shape


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b"[]",
        b'{"results": {"url": "https://a.example"}}',
        b'{"results": "none"}',
        b'{"error": "bad"}',
        b"\xff\xfe\xff",
        b"",
        b"[" * 100_000,
    ],
)
async def test_answers_of_another_shape_are_one_sentence(
    tmp_path: Path, services: Services, content: bytes
) -> None:
    services.says(SEARXNG, content)

    answer = await asked(tmp_path, services.settings("searxng"))

    assert answer.startswith("search: SearXNG answers with something that is no ")
    assert answer.endswith("; try again later")


@pytest.mark.parametrize("path", ["", "/", "/search", "/search/"])
async def test_the_address_of_a_service_may_be_its_base_or_the_whole(
    tmp_path: Path, services: Services, path: str
) -> None:
    services.searxng(ZOPE)

    answer = await asked(tmp_path, {"providers": ["searxng"], "searxng_url": services.url + path})

    assert answer.endswith("(SearXNG)")


async def test_results_of_another_shape_are_left_out(tmp_path: Path, services: Services) -> None:
    good = {"url": ZOPE[1], "title": ZOPE[0], "content": None}
    services.json(SEARXNG, {"results": [7, None, {"title": "no address"}, {"url": 1, "title": []}, good]})

    assert await asked(tmp_path, services.settings("searxng")) == "Zope — https://www.zope.dev/ (SearXNG)"


async def test_a_searxng_whose_engines_are_down_has_not_found_nothing(
    tmp_path: Path, services: Services
) -> None:
    services.searxng(unresponsive_engines=[["mojeek", "timeout"]])

    answer = await asked(tmp_path, services.settings("searxng"))

    assert answer == "search: SearXNG gets no answer from its engines; try again later"


async def test_an_error_that_wikipedia_tells_with_status_200_is_one(
    tmp_path: Path, services: Services
) -> None:
    services.json(WIKIPEDIA, {"error": {"code": "ratelimited", "info": "You've exceeded your rate limit."}})

    answer = await asked(tmp_path, services.settings("wikipedia"))

    assert answer == "search: Wikipedia answers with an error (ratelimited); try again later"


# -- secrets


async def test_keys_stand_in_no_file_and_in_no_log(
    tmp_path: Path, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    """What has an ETag may be kept, with its address."""
    services.server.expect_request(GOOGLE).respond_with_json(
        {"items": [{"title": ZOPE[0], "link": ZOPE[1]}]}, headers={"ETag": '"1"'}
    )
    services.server.expect_request(BRAVE).respond_with_data("no", status=401)

    found = await asked(tmp_path, services.settings("brave", "google"))
    failed = await asked(
        tmp_path, services.settings("brave", "google", google_url="http://127.0.0.1:9"), "!g nothing"
    )

    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert found.endswith("(Google)")
    assert failed.startswith("search: nobody answers (")
    assert KEY.encode() not in written
    assert KEY not in caplog.text + found + failed


# -- the library for DuckDuckGo


class Library:
    """Stands in for `ddgs.DDGS`."""

    found: list[dict[str, str]] = []
    error: Exception | None = None
    asked: list[dict[str, Any]] = []

    def __init__(self, proxy: str | None, timeout: int) -> None:
        self.asked.append({"proxy": proxy, "timeout": timeout})

    def text(self, query: str, **options: Any) -> list[dict[str, str]]:
        self.asked.append({"query": query, **options})
        if self.error is not None:
            raise self.error
        return self.found


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> type[Library]:
    fresh = type("Fresh", (Library,), {"asked": []})
    monkeypatch.setattr("ddgs.DDGS", fresh)
    return fresh


async def test_duckduckgo_is_asked_through_its_library(tmp_path: Path, library: type[Library]) -> None:
    library.found = [{"title": ZOPE[0], "href": ZOPE[1], "body": ZOPE[2]}]

    answer = await asked(tmp_path, {"providers": ["duckduckgo"]})

    assert answer == "Zope — https://www.zope.dev/ — Zope is an application server (DuckDuckGo)"
    made, asked_for = library.asked
    assert made == {"proxy": None, "timeout": 8}
    assert asked_for["query"] == "zope"
    assert asked_for["backend"] == "duckduckgo"
    assert asked_for["safesearch"] == "on"


async def test_the_library_takes_the_way_that_the_fetcher_takes(
    tmp_path: Path, library: type[Library]
) -> None:
    proxy = Secret("socks5h://127.0.0.1:9050")
    async with Bot.running(config_for(tmp_path, plugins={"search": {}}, fetch_proxy=proxy)) as bot:
        await DuckDuckGo(Settings()).ask(bot.factory, "zope", 8.0)

    assert library.asked[0]["proxy"] == "socks5h://127.0.0.1:9050"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("TimeoutException", "search: DuckDuckGo does not answer (timed out after 8 s); try again later"),
        ("DDGSException", "search: DuckDuckGo does not answer as it should; try again later"),
    ],
)
async def test_a_library_that_fails_is_told_in_one_sentence(
    tmp_path: Path, library: type[Library], error: str, told: str
) -> None:
    import ddgs.exceptions

    library.error = getattr(ddgs.exceptions, error)("<html>captcha</html>")

    assert await asked(tmp_path, {"providers": ["duckduckgo"]}) == told


async def test_a_library_that_finds_nothing_is_no_failure(tmp_path: Path, library: type[Library]) -> None:
    from ddgs.exceptions import DDGSException

    library.error = DDGSException("No results found.")

    answer = await asked(tmp_path, {"providers": ["duckduckgo"]})

    assert answer == 'nothing found for "zope" (DuckDuckGo)'


async def test_where_no_thread_is_free_the_library_is_not_asked(
    tmp_path: Path, library: type[Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with searching(tmp_path, {"providers": ["duckduckgo"]}) as bot:
        monkeypatch.setattr(IScheduler(bot.factory).threads, "_stuck_limit", 0)
        answer = await bot.ask("!search zope")

    assert answer == "search: DuckDuckGo was not asked (the bot has too much to do); try again later"
    assert library.asked == []


async def test_a_library_that_does_not_return_is_not_waited_for(
    tmp_path: Path, library: type[Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    returns = threading.Event()
    monkeypatch.setattr(library, "__init__", lambda self, proxy, timeout: None)
    monkeypatch.setattr(library, "text", lambda self, query, **options: returns.wait() and [])
    monkeypatch.setattr("plugins.search.duckduckgo.GRACE", 0.0)
    async with searching(tmp_path, {"providers": ["duckduckgo"]}) as bot:
        with pytest.raises(NoAnswer, match=r"^DuckDuckGo does not answer \(timed out after 0.01 s\)$"):
            await DuckDuckGo(Settings()).ask(bot.factory, "zope", 0.01)
        returns.set()
