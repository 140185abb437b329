"""What `links` tells of pages, and what it makes of those that go wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from plugins.links.page import read
from plugins.links.titles import Title, _content_type
from plugins.links.wording import UNSEEN, line
from tests.test_plugin_links import HTML, page, server, talking, titled, web

__all__ = ["server", "web"]


# -- what is told


async def test_the_title_of_a_page_is_told_with_its_host(tmp_path: Path, web: HTTPServer) -> None:
    address = page(web, "/", titled("\n  A  <b>page</b> &amp; its\ttitle "))
    async with talking(tmp_path) as room:
        assert await room.told(f"look at {address}, it is good") == "↳ A <b>page</b> & its title (127.0.0.1)"


async def test_what_a_page_says_for_the_purpose_goes_before_its_title(
    tmp_path: Path, web: HTTPServer
) -> None:
    address = page(
        web, "/", titled("Shop | Home", '<meta property="og:title" content="The &quot;chair&quot;">')
    )
    async with talking(tmp_path) as room:
        assert await room.told(address) == '↳ The "chair" (127.0.0.1)'


async def test_the_host_is_that_where_redirects_lead_to(tmp_path: Path, web: HTTPServer) -> None:
    page(web, "/there", titled("Here"))
    page(web, "/moved", "", status=302, headers={"Location": f"http://127.0.0.1:{web.port}/there"})
    async with talking(tmp_path) as room:
        assert await room.told(f"http://localhost:{web.port}/moved") == "↳ Here (127.0.0.1)"


async def test_all_titles_of_a_message_are_one_line_of_at_most_three(tmp_path: Path, web: HTTPServer) -> None:
    addresses = [page(web, f"/{number}", titled(f"Page {number}")) for number in range(5)]
    async with talking(tmp_path) as room:
        told = await room.told(
            f"{addresses[0]} <{addresses[1]}> {addresses[0]}#top ({addresses[2]}) {addresses[3]}"
        )

    assert told == "↳ Page 0 (127.0.0.1) · Page 1 (127.0.0.1) · Page 2 (127.0.0.1)"


async def test_long_titles_are_cut_so_that_all_fit_one_line(tmp_path: Path, web: HTTPServer) -> None:
    addresses = [page(web, f"/{number}", titled(f"{number}" + "長い題" * 200)) for number in range(3)]
    async with talking(tmp_path) as room:
        told = await room.told(" ".join(addresses))

    assert told is not None
    assert told.count("… (127.0.0.1)") == 3
    assert 250 < len(told.encode()) < 480


async def test_a_title_is_text_of_strangers(tmp_path: Path, web: HTTPServer) -> None:
    address = page(web, "/", titled("\x02\x0304red\r\nQUIT :\u202eexe\u200b\x01 ok" + "e" + "\u0301" * 99))
    async with talking(tmp_path) as room:
        told = await room.told(address)

    assert told is not None
    assert told.startswith("↳ red QUIT :exe ok")
    assert told.count("\u0301") < 5


async def test_nobody_is_pinged_by_a_title(tmp_path: Path, web: HTTPServer) -> None:
    address = page(web, "/", titled("alice, Bob and @carol's aliceandbob"))
    async with talking(tmp_path) as room:
        told = await room.told(address)

    assert told == f"↳ a{UNSEEN}lice, B{UNSEEN}ob and @carol's aliceandbob (127.0.0.1)"


def test_nobody_is_pinged_by_a_host() -> None:
    told = line([Title("Here", "alice.bob.example")], 400, lambda word: word in ("alice", "bob"))

    assert told == f"↳ Here (a{UNSEEN}lice.b{UNSEEN}ob.example)"


def test_no_page_takes_long_for_its_charset() -> None:
    read(b"", "", "")  # what it needs is imported
    began = process_time()
    read(b"<meta charset" * 20_000, "", "http://page.example/")
    assert process_time() - began < 0.08  # seconds; a tenth of it is enough


def test_no_content_type_takes_long() -> None:
    began = process_time()
    assert _content_type('text/html; charset=utf-8; a="' + ";" * 60_000) == ("text/html", "utf-8")
    assert process_time() - began < 0.2


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (titled("日本").encode("shift_jis"), "text/html; charset=Shift_JIS"),
        (titled("日本", '<meta charset="euc-jp">').encode("euc-jp"), "text/html"),
        (titled("日本").encode(), "text/html"),
        (titled("日本").encode() + "本".encode() * 200_000, "application/xhtml+xml"),
        (titled("日本").encode("utf-8") + b"\xff\xfe\xfd", "text/html; charset=utf-8"),
        (titled("日本").encode("utf-16"), "text/html; charset=utf-16"),
        (titled("日本").encode(), "text/html; charset=no-such-thing"),
        (titled("&#26085;&#26412;").encode(), "text/html; charset=punycode"),
        (titled("日\0本"), HTML),
        ("<?xml version='1.0' encoding='utf-8'?>" + titled("日本"), "application/xhtml+xml"),
    ],
    ids=["header", "document", "nothing", "cut", "broken", "utf-16", "unknown", "punycode", "nul", "xml"],
)
async def test_titles_of_every_charset_are_read(
    tmp_path: Path, web: HTTPServer, body: bytes, content_type: str
) -> None:
    address = page(web, "/", body, content_type)
    async with talking(tmp_path) as room:
        assert await room.told(address) == "↳ 日本 (127.0.0.1)"


async def test_a_title_far_down_in_a_page_is_not_looked_for(tmp_path: Path, web: HTTPServer) -> None:
    address = page(web, "/", "<html><head><!--" + "x" * (300 << 10) + "-->" + titled("Late"))
    async with talking(tmp_path) as room:
        assert await room.told(address) is None


async def test_a_page_of_the_west_that_says_nothing_of_its_charset_is_read(
    tmp_path: Path, web: HTTPServer
) -> None:
    body = titled("Käse - “gut”").encode("cp1252")
    silent = page(web, "/silent", body, "text/html")
    wrong = page(web, "/wrong", body, "text/html; charset=iso-8859-1")  # which means the other since HTML 5
    async with talking(tmp_path) as room:
        assert await room.told(silent) == "↳ Käse - “gut” (127.0.0.1)"
        assert await room.told(wrong) == "↳ Käse - “gut” (127.0.0.1)"


async def test_of_what_is_no_page_nothing_is_told_unless_it_is_wanted(
    tmp_path: Path, web: HTTPServer
) -> None:
    def image(request: Request) -> Response:
        assert request.headers["Range"].startswith("bytes=0-")
        headers = {"Content-Range": "bytes 0-999/5300000"}
        return Response(b"\x89PNG" + bytes(996), 206, headers, content_type="image/png")

    web.expect_request("/large.png").respond_with_handler(image)
    small = page(web, "/small.pdf", b"%PDF" + bytes(2996), "application/pdf")
    async with talking(tmp_path) as room:
        assert await room.told(small) is None
    async with talking(tmp_path, files=True) as room:
        assert await room.told(small) == "↳ application/pdf, 3.0 kB (127.0.0.1)"
        assert await room.told(web.url_for("/large.png")) == "↳ image/png, 5.3 MB (127.0.0.1)"


# -- pages that go wrong


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (titled("404 Not Found"), {"status": 404}),
        (titled("Forbidden"), {"status": 403}),
        (titled("A picture?"), {"content_type": "image/png"}),
        (titled(""), {}),
        (titled(" \u202e\u200b\x02 "), {}),
        (titled("---"), {}),
        (titled("127.0.0.1"), {}),
        ("", {}),
        (bytes(range(256)) * 100, {}),
        ("<!--" * 50_000, {}),
        ("https://example.org/", {}),
        (titled("Too much") + "x" * (3 << 20), {}),
        ("", {"status": 302, "headers": {"Location": "/"}}),
        ("", {"status": 302, "headers": {"Location": "http://127.0.0.2/"}}),
        ("", {"status": 302, "headers": {"Location": "file:///etc/passwd"}}),
    ],
    ids=["404", "403", "type", "empty title", "invisible title", "no words", "host", "nothing", "binary",
         "comments", "address", "huge", "loop", "private", "file"],
)  # fmt: skip
async def test_what_goes_wrong_out_there_is_not_heard_of_in_the_channel(
    tmp_path: Path, web: HTTPServer, body: str | bytes, more: dict[str, Any]
) -> None:
    address = page(web, "/", body, **more)
    async with talking(tmp_path) as room:
        assert await room.told(address) is None


async def test_an_address_inside_our_network_is_not_asked(tmp_path: Path, web: HTTPServer) -> None:
    address = page(web, "/", titled("Internal"))
    async with talking(tmp_path, open_to="192.0.2.1/32") as room:
        assert await room.told(address) is None
    assert web.log == []


async def test_a_page_that_is_not_there_in_time_is_given_up(tmp_path: Path, web: HTTPServer) -> None:
    never = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(request: Request) -> Response:
        asyncio.run_coroutine_threadsafe(never.wait(), loop).result(10)
        return Response(titled("Late"))

    web.expect_request("/slow").respond_with_handler(hang)
    quick = page(web, "/quick", titled("Quick"))
    async with talking(tmp_path, timeout=0.3) as room:
        assert await room.told(f"{web.url_for('/slow')} {quick}") == "↳ Quick (127.0.0.1)"
        never.set()
