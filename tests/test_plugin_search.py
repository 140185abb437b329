"""The plugin `search`: who is asked, what is told of it, and what nobody gets to see."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from plugins.search import Settings, check
from plugins.search.addresses import LONGEST, shown
from plugins.search.asking import REMEMBERED_FOR, ISearch, Search
from plugins.search.duckduckgo import DuckDuckGo
from plugins.search.providers import NoAnswer
from plugins.search.results import Result, line_of, presentable
from pynfo.config import Config, env
from pynfo.interfaces import IOperator, IScheduler
from pynfo.irc.settings import Secret
from pynfo.testing.bot import Bot, config_for
from tests.search_services import ENGINE, KEY, ZOPE, Page, Services

SEARXNG, BRAVE, GOOGLE, WIKIPEDIA = "/search", "/res/v1/web/search", "/customsearch/v1", "/w/api.php"
DOCS: Page = ("Zope docs", "https://zope.readthedocs.io/", "How to")


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    with HTTPServer("127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def services(server: HTTPServer) -> Iterator[Services]:
    yield Services(server)
    server.clear()


@pytest.fixture
def hanging() -> Iterator[Services]:
    """On a server of their own: what hangs there ends after the test."""
    with HTTPServer("127.0.0.1", threaded=True) as server:
        services = Services(server)
        yield services
        services.let_go()


@asynccontextmanager
async def searching(folder: Path, settings: dict[str, Any]) -> AsyncIterator[Bot]:
    async with Bot.running(config_for(folder, plugins={"search": settings, "admin": {}})) as bot:
        yield bot


async def asked(folder: Path, settings: dict[str, Any], text: str = "!search zope") -> str:
    """What a bot with these settings answers."""
    async with searching(folder, settings) as bot:
        return await bot.ask(text)


# -- the answer


async def test_the_first_result_comes_with_title_address_snippet_and_who_gave_it(
    tmp_path: Path, services: Services
) -> None:
    services.searxng(ZOPE)

    answer = await asked(tmp_path, services.settings("searxng"))

    assert answer == "Zope — https://www.zope.dev/ — Zope is an application server (SearXNG)"


async def test_more_gives_the_next_result(tmp_path: Path, services: Services) -> None:
    services.searxng(ZOPE, DOCS)

    async with searching(tmp_path, services.settings("searxng")) as bot:
        first = await bot.ask("!g zope")
        second = await bot.ask("!more")
        third = await bot.ask("!more")

    assert first.endswith("(SearXNG) … (1 more: !more)")
    assert second == "Zope docs — https://zope.readthedocs.io/ — How to (SearXNG)"
    assert third == "there is no more"


async def test_long_results_are_cut_so_that_more_gives_the_next_and_not_the_rest(
    tmp_path: Path, services: Services
) -> None:
    long = ("Zöpe " * 60, "https://zope.example/" + "a" * 150, "日本語 " * 300)
    services.searxng(long, ZOPE)

    async with searching(tmp_path, services.settings("searxng")) as bot:
        first = await bot.ask("!search zope")
        second = await bot.ask("!more")

    assert long[1] in first
    assert "…" in first
    assert first.endswith("(SearXNG) … (1 more: !more)")
    assert second.startswith("Zope — https://www.zope.dev/")


async def test_formatting_controls_and_markup_from_outside_are_gone(
    tmp_path: Path, services: Services
) -> None:
    services.brave(
        ("\x02Zo\x0304pe\x03 &amp; co", "https://www.zope.dev/", "<strong>Zope</strong> is\r\nQUIT :a\u202eb")
    )

    answer = await asked(tmp_path, services.settings("brave"))

    assert answer == "Zope & co — https://www.zope.dev/ — Zope is QUIT :ab (Brave)"


async def test_results_without_an_address_to_paste_are_left_out(tmp_path: Path, services: Services) -> None:
    services.searxng(("Bad", "javascript:alert(1)", ""), ("Worse", "https://a.example/\x03", ""), ZOPE, ZOPE)

    answer = await asked(tmp_path, services.settings("searxng"))

    assert answer == "Zope — https://www.zope.dev/ — Zope is an application server (SearXNG)"


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


# -- one after the other


async def test_where_one_fails_the_next_is_asked_and_the_answer_says_which(
    tmp_path: Path, services: Services
) -> None:
    services.fails(SEARXNG)
    services.brave()
    services.google(ZOPE)

    answer = await asked(tmp_path, services.settings("searxng", "brave", "google", "wikipedia"))

    assert answer.endswith("(Google)")
    assert [request.path for request in services.asked()] == [SEARXNG, BRAVE, GOOGLE]


async def test_what_cannot_work_is_skipped(tmp_path: Path, services: Services) -> None:
    services.wikipedia(ZOPE)

    answer = await asked(
        tmp_path, {"providers": ["searxng", "brave", "google", "wikipedia"], "wikipedia_url": services.url}
    )

    assert answer.endswith("(Wikipedia)")
    assert [request.path for request in services.asked()] == [WIKIPEDIA]


async def test_where_nobody_can_be_asked_the_sentence_says_so(tmp_path: Path) -> None:
    answer = await asked(tmp_path, {"providers": ["searxng", "brave"]})

    assert answer == "search: there is nobody to ask: the operator has to set a provider up"


async def test_without_a_list_everybody_is_asked_who_can_be(tmp_path: Path, services: Services) -> None:
    services.searxng(ZOPE)

    assert (await asked(tmp_path, {"searxng_url": services.url})).endswith("(SearXNG)")


async def test_nothing_found_says_who_found_nothing_and_who_did_not_answer(
    tmp_path: Path, services: Services
) -> None:
    services.searxng()
    services.fails(BRAVE)
    services.wikipedia()

    answer = await asked(tmp_path, services.settings("searxng", "brave", "wikipedia"), "!search xyzzy")

    assert answer == 'nothing found for "xyzzy" (SearXNG, Wikipedia; Brave answers with an error (500))'


async def test_nobody_answers_is_one_sentence(tmp_path: Path, hanging: Services) -> None:
    hanging.hangs(SEARXNG)
    hanging.fails(WIKIPEDIA)

    answer = await asked(tmp_path, hanging.settings("searxng", "wikipedia", timeout=1.0))

    assert answer == (
        "search: nobody answers (SearXNG timed out after 1 s; Wikipedia answers with an error (500)); "
        "try again later"
    )


async def test_one_that_does_not_answer_is_named(tmp_path: Path, services: Services) -> None:
    services.fails(WIKIPEDIA)

    answer = await asked(tmp_path, services.settings("searxng"), "!wikipedia zope")

    assert answer == "wikipedia: Wikipedia answers with an error (500); try again later"


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


async def test_the_operator_hears_once_what_can_be_mended_and_the_channel_does_not(
    tmp_path: Path, services: Services
) -> None:
    services.fails(BRAVE, 401)
    services.wikipedia(ZOPE)

    async with searching(tmp_path, services.settings("brave", "wikipedia")) as bot:
        answer = await bot.ask("!search zope")
        matters = IOperator(bot.factory).matters()
        services.server.clear()
        services.brave(ZOPE)
        await bot.ask("!search interface")
        mended = IOperator(bot.factory).matters()

    assert answer.endswith("(Wikipedia)")
    assert "is brave_key a valid key" in matters["search/brave"]
    assert KEY not in matters["search/brave"]
    assert mended == {}


async def test_the_time_of_a_whole_search_is_bounded(tmp_path: Path, services: Services) -> None:
    """Each provider takes so long that only the first two can be asked."""
    now = 0.0

    class Slow:
        def __init__(self, name: str) -> None:
            self.name = name

        async def ask(self, factory: Any, words: str, timeout: float) -> list[Result]:
            nonlocal now
            times.append(timeout)
            now += 15.0
            return []

    times: list[float] = []
    async with searching(tmp_path, services.settings("searxng", "brave", "google", timeout=15.0)) as bot:
        search = Search(bot.factory, clock=lambda: now)
        with pytest.MonkeyPatch.context() as patch:
            providers = {
                name: lambda settings, name=name: Slow(name) for name in ("searxng", "brave", "google")
            }
            patch.setattr("plugins.search.asking.PROVIDERS", providers)
            answer = await search.find("zope")

    assert times == [15.0, 9.0]
    assert answer.asked == ["searxng", "brave"]


# -- one request for all


async def test_ten_people_who_ask_the_same_at_once_make_one_request(
    tmp_path: Path, services: Services
) -> None:
    services.searxng(ZOPE)

    async with searching(tmp_path, services.settings("searxng")) as bot:
        find = ISearch(bot.factory).find
        answers = await asyncio.gather(*(find(words) for words in ["zope", "Zope"] * 5))

    assert len(services.asked()) == 1
    assert {answer.results[0].title for answer in answers} == {"Zope"}


async def test_whoever_gives_up_does_not_end_the_search_of_the_others(
    tmp_path: Path, services: Services
) -> None:
    services.searxng(ZOPE)

    async with searching(tmp_path, services.settings("searxng")) as bot:
        first = asyncio.ensure_future(ISearch(bot.factory).find("zope"))
        second = asyncio.ensure_future(ISearch(bot.factory).find("zope"))
        await asyncio.sleep(0)
        first.cancel()
        answer = await second

    assert answer.provider == "SearXNG"


async def test_unloading_the_plugin_ends_what_is_under_way(tmp_path: Path, hanging: Services) -> None:
    hanging.hangs(SEARXNG)

    async with searching(tmp_path, hanging.settings("searxng")) as bot:
        bot.user.say(bot.channel, "!search zope")
        await asyncio.to_thread(hanging.reached.wait, 5)
        asking = asyncio.ensure_future(ISearch(bot.factory).find("zope"))
        await asyncio.sleep(0)
        await bot.factory.plugins.unload("search")
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_what_was_found_is_remembered_for_some_minutes(tmp_path: Path, services: Services) -> None:
    services.searxng(ZOPE)
    now = 1000.0
    requests = []

    async with searching(tmp_path, services.settings("searxng")) as bot:
        search = Search(bot.factory, clock=lambda: now)
        for now in (1000.0, 1000.0 + REMEMBERED_FOR - 1, 1000.0 + REMEMBERED_FOR):  # noqa: B007
            await search.find("zope")
            requests.append(len(services.asked()))

    assert requests == [1, 1, 2]


async def test_of_all_that_was_found_the_oldest_is_forgotten_first(
    tmp_path: Path, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.search.asking.REMEMBERED", 2)
    services.searxng(ZOPE)

    async with searching(tmp_path, services.settings("searxng")) as bot:
        for words in ("one", "two", "three", "two", "one"):
            await ISearch(bot.factory).find(words)

    assert [request.args["q"] for request in services.asked()] == ["one", "two", "three", "one"]


async def test_a_failure_is_not_remembered(tmp_path: Path, services: Services) -> None:
    services.server.expect_ordered_request(SEARXNG).respond_with_data("", status=500)
    services.server.expect_ordered_request(SEARXNG).respond_with_json(
        {"results": [{"url": ZOPE[1], "title": ZOPE[0], "content": ""}]}
    )

    async with searching(tmp_path, services.settings("searxng")) as bot:
        failed = await bot.ask("!search zope")
        found = await bot.ask("!search zope")

    assert failed == "search: SearXNG answers with an error (500); try again later"
    assert found.endswith("(SearXNG)")


# -- what is asked


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("!search", "WORDS is missing. Usage: search WORDS..."),
        ("!search " + "a" * 201, "that is too long: search for at most 200 characters"),
        ("!search \x02\u200b", "there is nothing to search for"),
    ],
)
async def test_mistakes_are_told_without_asking_anybody(
    tmp_path: Path, services: Services, text: str, told: str
) -> None:
    assert await asked(tmp_path, services.settings("searxng"), text) == told
    assert services.asked() == []


# -- addresses


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://www.zope.dev/", "https://www.zope.dev/"),
        ("HTTP://Zope.Example:8080/a?b=c#d", "http://zope.example:8080/a?b=c#d"),
        ("https://de.wikipedia.org/wiki/Käse", "https://de.wikipedia.org/wiki/K%C3%A4se"),
        ("https://a.example/%E6%97%A5?q=<x>", "https://a.example/%E6%97%A5?q=%3Cx%3E"),
        ("https://[::1]:8080/", "https://[::1]:8080/"),
        ("https://münchen.example/", "https://münchen.example/"),
        ("https://xn--mnchen-3ya.example/", "https://münchen.example/"),
        ("https://日本語.jp/", "https://日本語.jp/"),
        ("https://пример.рф/", "https://пример.рф/"),
        ("https://p\u0430ypal.com/", "https://xn--pypal-4ve.com/"),  # Cyrillic a
        ("https://\u0430\u0440\u0440\u04cf\u0435.com/", "https://xn--80ak6aa92e.com/"),  # but for ".com"
    ],
)
def test_addresses_are_shown_so_that_they_are_what_they_look_like(address: str, told: str) -> None:
    assert shown(address) == told


@pytest.mark.parametrize(
    "address",
    [
        "",
        "zope.dev",
        "//zope.dev/",
        "ftp://zope.dev/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https:///path",
        "https://good.example@evil.example/",
        "https://good.example\\@evil.example/",
        "https://a b.example/",
        "https://exa%6dple.com/",
        'https://a"b.example/',
        "https://a.example/\x02bold",
        "https://a.example/\u202egpj.exe",
        "https://a.example/\nQUIT",
        "https://a.example:99999/",
        "https://[::1",
        "https://" + "ü" * 100 + ".example/",
        "https://a.example/" + "a" * LONGEST,
        "https://a.example/" + "日" * (LONGEST // 9),
    ],
)
def test_addresses_that_are_not_safe_to_paste_are_not_shown(address: str) -> None:
    assert shown(address) is None


def test_a_line_holds_the_whole_address_whatever_else_there_is() -> None:
    (result,) = presentable([Result("日" * 200, "https://a.example/" + "a" * 200, "snippet " * 90)])

    line = line_of(result, "SearXNG", 330)

    assert len(line.encode()) <= 330
    assert line.startswith("日")
    assert line.endswith(f"… — {result.address} (SearXNG)")


# -- settings


def test_the_config_is_told_of_providers_that_cannot_work() -> None:
    settings = Settings(providers=["searxng", "google", "duckduckgo"], google_cx=Secret("x"))

    assert list(check(settings, Config())) == [
        'providers lists "searxng", which cannot work so: add "searxng_url": "https://…", or leave it out',
        'providers lists "google", which cannot work so: add "google_key": env("GOOGLE_KEY"), '
        "or leave it out",
    ]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Settings(), []),
        (Settings(providers=["brave"], brave_key=Secret("x")), []),
        (
            Settings(providers=[]),
            ['providers is empty, so that nobody would answer: write such as ["duckduckgo", "wikipedia"]'],
        ),
        (
            Settings(searxng_url="searx.example.org"),
            ['searxng_url is no address: write such as "https://search.example.org"'],
        ),
        (
            Settings(language="EN/../"),
            ['language is the short name of a Wikipedia: write such as "en" or "pt"'],
        ),
    ],
)
def test_the_config_is_told_what_is_wrong(settings: Settings, told: list[str]) -> None:
    assert list(check(settings, Config())) == told


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


def test_only_what_has_its_key_and_its_address_is_asked() -> None:
    assert Settings().working == ["duckduckgo", "wikipedia"]
    assert Settings(providers=["google", "wikipedia", "brave"], brave_key=Secret("x")).working == [
        "wikipedia",
        "brave",
    ]


def test_a_key_from_the_environment_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAVE_KEY", KEY)

    settings = Settings(brave_key=env("BRAVE_KEY"))

    assert KEY not in repr(settings)
    assert "brave" in settings.working
