"""The plugin `search`: who is asked, what is told of it, and what nobody gets to see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from plugins.search.asking import REMEMBERED_FOR, ISearch, Search
from plugins.search.results import Result
from pynfo.interfaces import IOperator
from tests.search_services import (
    BRAVE,
    GOOGLE,
    KEY,
    SEARXNG,
    WIKIPEDIA,
    ZOPE,
    Page,
    Services,
    asked,
    searching,
)

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
