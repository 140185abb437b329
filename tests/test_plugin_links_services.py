"""The services that `links` knows: which addresses are theirs, what they are asked, and how it is told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT
from pytest_httpserver import HTTPServer

from plugins.links import services
from plugins.links.addresses import find, key, split
from plugins.links.settings import Settings
from plugins.links.wording import says
from tests.test_plugin_links import page, server, talking, titled, web

__all__ = ["server", "web"]

PYPI = f"https://{urlsplit(PYPI_SIMPLE_ENDPOINT).hostname}"

VIDEO = {
    "type": "video", "version": "1.0", "title": "A talk about sockets", "author_name": "PyConf",
    "author_url": "https://www.youtube.com/@pyconf", "provider_name": "YouTube", "height": 113, "width": 200,
    "html": "<iframe></iframe>",
}  # fmt: skip
REPOSITORY = {
    "id": 1, "name": "click", "full_name": "pallets/click", "private": False, "owner": {"login": "pallets"},
    "description": "Command lines", "fork": False, "language": "Python", "stargazers_count": 15310,
    "archived": False, "open_issues_count": 80,
}  # fmt: skip
ISSUE = {
    "number": 7, "title": "It breaks", "state": "open", "state_reason": None, "user": {"login": "octocat"},
    "comments": 1, "labels": [],
}  # fmt: skip
PULL = {"number": 8, "title": "Mend it", "state": "closed", "merged": True, "draft": False, "comments": 0}
SUMMARY = {
    "type": "standard", "title": "Ada Lovelace", "description": "English mathematician (1815-1852)",
    "extract": "Augusta Ada King was an English mathematician.", "content_urls": {},
}  # fmt: skip
PROJECT = {
    "info": {"name": "requests", "version": "2.32.3", "summary": "Python HTTP for Humans.", "author": "K"},
    "last_serial": 1, "releases": {}, "urls": [], "vulnerabilities": [],
}  # fmt: skip


@pytest.fixture
def bases(web: HTTPServer) -> dict[str, str]:
    """The settings that have every service stood in for."""
    base = web.url_for("").rstrip("/")
    return {
        "youtube_url": f"{base}/youtube/oembed",
        "vimeo_url": f"{base}/vimeo/oembed.json",
        "github_url": f"{base}/github/",
        "wikipedia_url": f"{base}/{{language}}",
        "pypi_url": base,
    }


# -- what is told


@pytest.mark.parametrize(
    ("address", "path", "answer", "told"),
    [
        (
            "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=4s",
            "/youtube/oembed",
            VIDEO,
            "↳ A talk about sockets · PyConf (YouTube)",
        ),
        (
            "https://youtu.be/dQw4w9WgXcQ?si=x",
            "/youtube/oembed",
            VIDEO | {"author_name": None},
            "↳ A talk about sockets (YouTube)",
        ),
        (
            "https://vimeo.com/76979871",
            "/vimeo/oembed.json",
            VIDEO | {"duration": 3723, "provider_name": "Vimeo"},
            "↳ A talk about sockets · PyConf · 1:02:03 (Vimeo)",
        ),
        (
            "https://github.com/pallets/click",
            "/github/repos/pallets/click",
            REPOSITORY,
            "↳ pallets/click: Command lines · Python · ★ 15,310 (GitHub)",
        ),
        (
            "https://github.com/pallets/click.git",
            "/github/repos/pallets/click",
            REPOSITORY | {"description": None, "language": None, "stargazers_count": 0, "archived": True},
            "↳ pallets/click · archived (GitHub)",
        ),
        (
            "https://github.com/pallets/click/issues/7#issuecomment-1",
            "/github/repos/pallets/click/issues/7",
            ISSUE,
            "↳ pallets/click#7: It breaks · open · 1 comment (GitHub)",
        ),
        (
            "https://github.com/pallets/click/pull/8/files",
            "/github/repos/pallets/click/pulls/8",
            PULL,
            "↳ pallets/click#8: Mend it · merged (GitHub)",
        ),
        (
            "https://en.m.wikipedia.org/wiki/Ada_Lovelace#Work",
            "/en/api/rest_v1/page/summary/Ada_Lovelace",
            SUMMARY,
            "↳ Ada Lovelace: English mathematician (1815-1852) (Wikipedia)",
        ),
        (
            "https://de.wikipedia.org/wiki/AC/DC_(M%C3%BCnchen)",
            "/de/api/rest_v1/page/summary/AC/DC_(München)",
            SUMMARY | {"title": "AC/DC", "description": None, "extract": "Eine Band."},
            "↳ AC/DC: Eine Band. (Wikipedia)",
        ),
        (
            f"{PYPI}/project/requests/",
            "/pypi/requests/json",
            PROJECT,
            "↳ requests 2.32.3: Python HTTP for Humans. (PyPI)",
        ),
        (
            f"{PYPI}/project/requests/1.0.0/#files",
            "/pypi/requests/1.0.0/json",
            {"info": PROJECT["info"] | {"version": "1.0.0", "summary": None}},
            "↳ requests 1.0.0 (PyPI)",
        ),
    ],
)  # fmt: skip
async def test_a_service_tells_more_than_its_page(
    tmp_path: Path, web: HTTPServer, bases: dict[str, str], address: str, path: str, answer: Any, told: str
) -> None:
    web.expect_request(path).respond_with_json(answer)
    async with talking(tmp_path, **bases) as room:
        assert await room.told(address) == told

    assert [request.path for request, _ in web.log] == [path]


async def test_youtube_is_asked_about_the_video_alone(
    tmp_path: Path, web: HTTPServer, bases: dict[str, str]
) -> None:
    query = {"url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ", "format": "json"}
    web.expect_request("/youtube/oembed", query_string=query).respond_with_json(VIDEO)
    async with talking(tmp_path, **bases) as room:
        assert await room.told("https://m.youtube.com/shorts/dQw4w9WgXcQ?list=private") is not None


async def test_a_package_is_looked_up_where_the_plugin_pypi_asks(tmp_path: Path, web: HTTPServer) -> None:
    web.expect_request("/pypi/requests/json").respond_with_json(PROJECT)
    async with talking(tmp_path) as room:
        room.watch._titles._url_of_pypi = lambda: web.url_for("")
        assert "requests 2.32.3" in (await room.told(f"{PYPI}/project/requests") or "")


# -- oEmbed of others


async def test_a_page_that_names_its_oembed_is_told_by_it(tmp_path: Path, web: HTTPServer) -> None:
    link = '<link rel="alternate" type="application/json+oembed" href="/oembed?url=x&amp;format=json">'
    address = page(web, "/w/1", titled("Our tube", link))
    web.expect_request("/oembed", query_string={"url": "x", "format": "json"}).respond_with_json(
        VIDEO | {"duration": 61}
    )
    async with talking(tmp_path) as room:
        assert await room.told(address) == "↳ A talk about sockets · PyConf · 1:01 (127.0.0.1)"


@pytest.mark.parametrize(
    "answer",
    [
        "no JSON",
        "[]",
        "{}",
        '{"title": 7}',
        '{"title": null}',
        "[" * 100_000,
        '{"title": "\\ud800"}',
        "\udcff",
    ],
    ids=["text", "list", "empty", "number", "null", "deep", "surrogate", "utf-8"],
)
async def test_an_oembed_that_makes_no_sense_leaves_it_to_the_page(
    tmp_path: Path, web: HTTPServer, answer: str
) -> None:
    link = '<link rel="alternate" type="application/json+oembed" href="/oembed">'
    address = page(web, "/w/1", titled("Our tube", link))
    page(web, "/oembed", answer.encode(errors="surrogateescape"), "application/json")
    async with talking(tmp_path) as room:
        assert await room.told(address) == "↳ Our tube (127.0.0.1)"


async def test_a_page_cannot_have_its_oembed_asked_inside_our_network(
    tmp_path: Path, web: HTTPServer
) -> None:
    with HTTPServer("127.0.0.2", threaded=True) as inside:
        inside.expect_request("/secret").respond_with_json(VIDEO)
        link = f'<link rel="alternate" type="application/json+oembed" href="{inside.url_for("/secret")}">'
        address = page(web, "/w/1", titled("Our tube", link))
        async with talking(tmp_path) as room:
            assert await room.told(address) == "↳ Our tube (127.0.0.1)"
        assert inside.log == []


# -- other bots


async def test_another_bot_that_says_the_title_proper_is_enough(
    tmp_path: Path, web: HTTPServer, bases: dict[str, str]
) -> None:
    web.expect_request("/youtube/oembed").respond_with_json(
        VIDEO | {"author_name": "Some Long Conference Of Ours"}
    )
    async with talking(tmp_path, **bases) as room:
        over = asyncio.Event()
        room.watch._sleep = lambda seconds: over.wait()
        before = len(room.bot.user.heard)
        room.bob.say("#pynfo", "https://youtu.be/dQw4w9WgXcQ")
        room.bot.user.say("#pynfo", "YouTube: A talk about sockets")
        await room.bot.settle()
        over.set()
        await room.settle()

        assert room.line_after(before) is None


# -- which addresses are whose


@pytest.mark.parametrize(
    "address",
    [
        "https://www.youtube.com/", "https://www.youtube.com/watch?v=../../x", "https://youtu.be/",
        "https://youtube.com.example.org/watch?v=dQw4w9WgXcQ", "https://vimeo.com/about",
        "https://github.com/pallets", "https://github.com/pallets/..", "https://github.com/../x",
        "https://github.com/pallets/click/blob/main/README.md", "https://github.com/a/b/issues/new",
        "https://gist.github.com/a/b", "https://en.wikipedia.org/", "https://en.wikipedia.org/w/index.php?title=X",
        "https://example.org/wiki/Ada", "https://a.b.wikipedia.org/wiki/Ada",
    ],
)  # fmt: skip
def test_other_pages_of_a_service_are_pages_like_others(address: str) -> None:
    parts = split(address)
    assert parts is not None
    assert [service(parts, Settings()) for service in services.SERVICES] == [None] * len(services.SERVICES)


def test_what_stands_in_an_address_cannot_leave_its_place_in_the_question() -> None:
    parts = split("https://en.wikipedia.org/wiki/..%2F..%2Fx%3Fy%23z")
    assert parts is not None
    question = services.wikipedia(parts, Settings())
    assert question is not None
    assert question.url == "https://en.wikipedia.org/api/rest_v1/page/summary/..%2F..%2Fx%3Fy%23z"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://example.org/a.", ["https://example.org/a"]),
        ("(https://example.org/a_(b)), ok", ["https://example.org/a_(b)"]),
        ("<HTTPS://Example.org>", ["HTTPS://Example.org"]),
        ("\x02https://example.org/\x02x", ["https://example.org/x"]),
        ("https://example.org/?q=1&r=2#top!", ["https://example.org/?q=1&r=2#top"]),
        ("http://münchen.example/ü", ["http://münchen.example/ü"]),
        ("「https://example.org/日本」です", ["https://example.org/日本"]),
        ("https://a.example https://a.example/ http://www.a.example https://b.example", ["https://a.example", "https://b.example"]),
        ("ftp://example.org http:// https:// xhttps://example.org", []),
        ("https://user:word@example.org/ https://[::1 http://a:99999/ http://a:0/", []),
    ],
)  # fmt: skip
def test_addresses_are_found_as_people_write_them(text: str, found: list[str]) -> None:
    assert find(text, 3) == found


def test_finding_addresses_takes_no_time_that_grows_with_the_square_of_the_text() -> None:
    for text in ("https://" * 5000, "https://a" + ")" * 50_000, "http" * 20_000, "https://a/" + "(" * 50_000):
        assert len(find(text, 3)) <= 3


def test_addresses_of_the_same_page_are_the_same() -> None:
    def of(address: str) -> str:
        parts = split(address)
        assert parts is not None
        return key(parts)

    assert of("https://www.example.org/a/#b") == of("http://EXAMPLE.org/a")
    assert of("https://example.org/a?b") != of("https://example.org/a")
    assert of("https://example.org:8443/") != of("https://example.org/")


@pytest.mark.parametrize(
    ("text", "title", "said"),
    [
        ("YouTube: A talk about sockets (PyConf)", "A talk about sockets", True),
        ("a TALK about sockets", "A talk, about sockets!", True),
        ("a talk", "A talk about sockets", False),
        ("", "A talk", False),
        ("anything", "", False),
        ("日本のニュース", "日本のニュース", True),
    ],
)
def test_a_title_is_said_where_most_of_its_words_are(text: str, title: str, said: bool) -> None:
    assert says(text, title) == said


def test_the_shapes_of_the_services_need_no_more_than_is_told() -> None:
    assert services.oembed(json.dumps({"title": "T"}).encode()) == "T"
    assert services._repository(b'{"full_name": "a/b"}') == "a/b"
    assert services._summary(b'{"title": "T"}') == "T"
