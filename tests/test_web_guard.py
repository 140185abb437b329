"""What every request meets before it comes to a plugin's pages, and every answer after."""

from __future__ import annotations

import asyncio
import gzip
import logging
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pynfo.ownership import Owner
from pynfo.services import web_admission, web_exchange, web_guard
from tests.web_run import WAIT, Gate, Served, Stream, page, serving


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path) as served:
        yield served


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks too often is told at once."""
    monkeypatch.setattr(web_guard, "REFUSAL_DELAY", 0.0)


def failing(error: Exception, *, after: bytes = b"") -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if after:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": after, "more_body": True})
        raise error

    return app


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """An application that wants a body."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await page(f"{scope['method']} {len(body)}")(scope, receive, send)


# -- headers


async def test_every_answer_has_headers_that_keep_browsers_strict(served: Served) -> None:
    served.web.mount("/page", page())

    for path in ("/page", "/nothing"):
        headers = (await served.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "date" in headers
        assert "server" not in headers


async def test_what_the_application_says_of_them_counts(served: Served) -> None:
    served.web.mount("/", page(content_security_policy="default-src 'self'", referrer_policy="origin"))

    headers = (await served.get()).headers

    assert headers.get_list("content-security-policy") == ["default-src 'self'"]
    assert headers.get_list("referrer-policy") == ["origin"]


# -- methods and bodies


async def test_head_has_the_headers_of_get_and_no_body(served: Served) -> None:
    served.web.mount("/", page("x" * 5000))

    got, headed = await served.get(), await served.reader.head(served.web.url())

    assert headed.content == b""
    assert got.headers.multi_items()[1:] == headed.headers.multi_items()[1:]  # the date comes first


async def test_other_methods_are_for_the_application_to_judge_and_strange_ones_are_refused(
    served: Served,
) -> None:
    served.web.mount("/", echo)

    assert (await served.reader.post(served.web.url(), content=b"abc")).text == "POST 3"
    refused = await served.reader.request("TRACE", served.web.url())
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


async def test_a_body_that_is_too_long_is_refused_however_it_comes(served: Served) -> None:
    served.web.mount("/", echo)

    async def in_chunks() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"x" * 8192

    allowed = await served.reader.post(served.web.url(), content=b"x" * web_guard.BODY_BYTES)
    announced = await served.reader.post(served.web.url(), content=b"x" * (web_guard.BODY_BYTES + 1))
    chunked = await served.reader.post(served.web.url(), content=in_chunks())

    assert allowed.text == "POST 65536"
    assert [announced.status_code, chunked.status_code] == [413, 413]
    assert announced.headers["connection"] == "close"


async def test_a_body_that_does_not_come_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_guard, "BODY_LIMIT", 0.01)
    served.web.mount("/", echo)
    reader, writer = await served.connect()

    writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nabc")

    answer = await asyncio.wait_for(reader.read(), WAIT)  # until the connection is closed
    assert answer.startswith(b"HTTP/1.1 408 ")
    writer.close()


# -- the rate


async def test_who_asks_too_often_is_told_when_to_come_again(tmp_path: Path, at_once: None) -> None:
    async with serving(tmp_path, requests_per_second=0.1, burst=2) as served:
        served.web.mount("/", page())

        answers = [await served.get() for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "10"
    assert answers[2].text == "You ask too often. Try again in 10 seconds.\n"


async def test_only_so_many_refusals_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_guard, "REFUSAL_DELAY", WAIT * 2)
    monkeypatch.setattr(web_guard, "REFUSALS", 1)
    async with serving(tmp_path, requests_per_second=0.001, burst=1) as served:
        await served.get()
        refusals = [asyncio.create_task(served.get()) for _ in range(2)]

        done, waiting = await asyncio.wait(
            refusals, timeout=WAIT, return_when=asyncio.FIRST_COMPLETED
        )  # the second is told at once

        assert (len(done), len(waiting)) == (1, 1)
        assert done.pop().result().status_code == 429
        for refusal in waiting:
            refusal.cancel()


async def test_the_word_of_a_trusted_proxy_about_its_readers_counts(tmp_path: Path, at_once: None) -> None:
    http = {"requests_per_second": 0.001, "burst": 1, "trusted_proxies": ["127.0.0.0/8", "10.0.0.9"]}
    async with serving(tmp_path, **http) as served:

        async def status(*forwarded: str) -> int:
            headers = [("x-forwarded-for", line) for line in forwarded]
            return (await served.get(headers=headers)).status_code

        assert await status("192.0.2.1") == 503
        assert await status("192.0.2.1") == 429
        assert await status("192.0.2.2") == 503
        assert await status("192.0.2.99, 192.0.2.1") == 429  # only what our proxy has added is believed
        assert await status("192.0.2.99", "192.0.2.1, 10.0.0.9") == 429
        assert await status("2001:db8::1") == 503
        assert await status("2001:db8::2") == 429


async def test_the_word_of_anybody_else_does_not(tmp_path: Path, at_once: None) -> None:
    async with serving(tmp_path, requests_per_second=0.001, burst=1, trusted_proxies=["10.0.0.9"]) as served:
        first = await served.get(headers={"x-forwarded-for": "192.0.2.1"})
        second = await served.get(headers={"x-forwarded-for": "192.0.2.2"})

    assert (first.status_code, second.status_code) == (503, 429)


async def test_pages_are_told_the_scheme_and_the_address_that_a_trusted_proxy_tells(tmp_path: Path) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await page(f"{scope['scheme']} {scope['client'][0]}")(scope, receive, send)

    async with serving(tmp_path, trusted_proxies=["127.0.0.1"]) as served:
        served.web.mount("/", app)
        told = {"x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "https"}

        assert (await served.get(headers=told)).text == "https 192.0.2.1"
        assert (await served.get()).text == "http 127.0.0.1"


# -- compression


async def test_text_is_compressed_for_who_takes_it(served: Served) -> None:
    served.web.mount("/", page("words " * 1000))

    async with served.reader.stream("GET", served.web.url()) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    plain = await served.get(headers={"accept-encoding": "identity"})

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(raw) == b"words " * 1000
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "Accept-Encoding"
    assert plain.text == "words " * 1000


@pytest.mark.parametrize(
    "app",
    [
        page("short"),
        page("x" * 5000, content_type="image/png"),
        page("x" * 5000, content_encoding="br"),
    ],
)
async def test_what_is_short_or_compressed_already_is_left_alone(served: Served, app: Any) -> None:
    served.web.mount("/", app)

    async with served.reader.stream("GET", served.web.url()) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])

    assert raw in (b"short", b"x" * 5000)


async def test_a_long_page_is_compressed_off_the_event_loop(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.web.mount("/", page("words " * 100_000))
    loops: list[bool] = []
    original = zlib.compressobj

    def watched(*arguments: Any) -> Any:
        try:
            asyncio.get_running_loop()
            loops.append(True)
        except RuntimeError:
            loops.append(False)
        return original(*arguments)

    monkeypatch.setattr(zlib, "compressobj", watched)

    assert len((await served.get()).text) == 600_000
    assert loops == [False]


async def test_event_streams_come_at_once_and_as_they_are(served: Served) -> None:
    stream = Stream()
    served.web.mount("/", stream)

    async with served.reader.stream("GET", served.web.url()) as answer:
        assert "content-encoding" not in answer.headers
        stream.events.put_nowait("data: " + "x" * 5000 + "\n\n")
        assert (await anext(answer.aiter_raw())).startswith(b"data: xxx")


# -- errors


async def test_what_an_application_raises_is_one_sentence_for_the_reader_and_a_traceback_in_the_log(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    owner = Owner("logs")
    with owner.active():
        served.web.mount("/", failing(RuntimeError("a secret")))

    answer = await served.get("/x")

    assert (answer.status_code, answer.text) == (500, "Something went wrong here. It has been noted.\n")
    assert "plugin logs: the page /x failed" in caplog.text
    assert "RuntimeError: a secret" in caplog.text
    assert owner.failures == 1


async def test_an_answer_that_breaks_off_is_not_passed_off_as_whole(served: Served) -> None:
    served.web.mount("/", failing(RuntimeError(), after=b"half"))
    reader, writer = await served.connect()

    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")

    answer = await asyncio.wait_for(reader.read(), WAIT)
    assert answer.endswith(b"\r\n4\r\nhalf\r\n")  # and no chunk of length 0, which would end it
    writer.close()


async def test_an_application_that_takes_too_long_is_ended(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(web_exchange, "WORK_LIMIT", 0.01)
    gate = Gate()
    served.web.mount("/", gate)

    answer = await served.get()

    assert (answer.status_code, answer.text) == (503, "That took too long. Try again in a few seconds.\n")
    assert gate.working == 0
    assert "<Mount />: / took over" in caplog.text


async def test_a_time_limit_of_the_applications_own_is_its_own_failure(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    served.web.mount("/", failing(TimeoutError()))

    assert (await served.get()).status_code == 500
    assert "TimeoutError" in caplog.text


async def test_nothing_that_strangers_send_is_logged(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.clear()
    reader, writer = await served.connect()

    writer.write(b"NONSENSE\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), WAIT)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert caplog.records == []
    writer.close()


# -- admission


async def test_only_a_few_requests_are_worked_on_at_once(served: Served) -> None:
    gate = Gate()
    served.web.mount("/", gate)
    asking = [asyncio.create_task(served.get()) for _ in range(10)]
    await gate.asked.wait()

    gate.opened.set()

    assert [answer.status_code for answer in await asyncio.gather(*asking)] == [200] * 10
    assert gate.most <= web_admission.AT_ONCE


async def test_past_those_that_may_wait_requests_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_guard, "Admission", lambda: web_admission.Admission(at_once=1, waiting=0))
    gate = Gate()
    async with serving(tmp_path) as served:
        served.web.mount("/", gate)
        asking = asyncio.create_task(served.get())
        await gate.asked.wait()

        refused = await served.get()

        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        gate.opened.set()
        assert (await asking).status_code == 200


async def test_who_follows_a_stream_or_reads_slowly_holds_up_nobody(served: Served) -> None:
    many = web_admission.AT_ONCE + 1
    stream = Stream()
    served.web.mount("/stream", stream)
    served.web.mount("/long", page("x" * 20_000_000))
    served.web.mount("/", page("quick"))
    connections = []
    for path in ("stream", "long"):
        for _ in range(many):
            reader, writer = await served.connect()
            writer.write(f"GET /{path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            await asyncio.wait_for(reader.readline(), WAIT)  # it has begun, and the rest is not read
            connections.append(writer)

    assert (await served.get()).text == "quick"
    for writer in connections:
        writer.transport.abort()


async def test_an_answer_in_parts_takes_turns_with_others(served: Served) -> None:
    parts, many = 50, web_admission.AT_ONCE + 2
    working = most = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal working, most
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(parts):
            working += 1
            most = max(most, working)
            await asyncio.sleep(0)
            working -= 1
            await send({"type": "http.response.body", "body": b"part", "more_body": True})
        await send({"type": "http.response.body", "body": b"."})

    served.web.mount("/", app)

    answers = await asyncio.gather(*(served.get() for _ in range(many)))

    assert [answer.text for answer in answers] == ["part" * parts + "."] * many
    assert most <= web_admission.AT_ONCE
