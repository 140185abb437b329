"""What a connection may be like: how much may come on it, how slowly, and how many there may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from pynfo.services import web_listener
from tests.web_run import WAIT, Gate, Served, Stream, page, serving

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path) as served:
        served.web.mount("/", page("hello"))
        yield served


async def answer_to(served: Served, sent: bytes) -> bytes:
    """Everything that comes until the connection is closed."""
    reader, writer = await served.connect()
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.read(), WAIT)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


# -- sizes


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"x" * 8192 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414),
        (b"GET /?" + b"x" * 8192, 414),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\na: " + b"x" * 33_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\na: " + b"x" * 40_000, 431),
        (b"GET / HTTP/1.1\r\n" + b"x" * 40_000, 431),
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400),
        (b"GET \xff HTTP/1.1\r\nhost: x\r\n\r\n", 400),
    ],
)
async def test_what_is_too_long_or_no_request_is_refused_in_one_sentence(
    served: Served, sent: bytes, status: int
) -> None:
    answer = await answer_to(served, sent)

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.endswith(web_listener.REFUSALS[status].encode() + b"\n")
    assert b"connection: close\r\n" in answer


async def test_a_target_of_8_kib_is_let_through(served: Served) -> None:
    answer = await answer_to(
        served, b"GET /" + b"x" * 8191 + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_requests_sent_in_advance_are_answered_in_order_up_to_a_bound(served: Served) -> None:
    last = GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")

    answered = await answer_to(served, GET * web_listener.PIPELINED + last)
    too_many = await answer_to(served, GET * 100)

    assert answered.count(b"hello") == web_listener.PIPELINED + 1
    assert too_many.count(b"hello") < 100


# -- slow ones


@pytest.mark.parametrize("sent", [b"", b"GET", b"GET / HTTP/1.1\r\nhost: x\r\n"])
async def test_a_request_that_does_not_come_in_time_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(web_listener, "REQUEST_LIMIT", 0.05)

    answer = await answer_to(served, sent)

    assert answer.startswith(b"HTTP/1.1 408 ") if sent else answer == b""


async def test_that_something_comes_now_and_then_gives_no_more_time(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_listener, "REQUEST_LIMIT", 0.2)
    reader, writer = await served.connect()

    async def drip() -> None:
        writer.write(b"GET / HTTP/1.1\r\n")
        while not reader.at_eof():
            writer.write(b"a: b\r\n")
            await asyncio.sleep(0.01)

    dripping = asyncio.create_task(drip())

    with suppress(ConnectionResetError):  # a drop has come after the end
        await asyncio.wait_for(reader.read(), WAIT)
    dripping.cancel()
    writer.transport.abort()


async def test_the_second_request_of_a_connection_has_no_more_time_than_the_first(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_listener, "REQUEST_LIMIT", 0.05)
    reader, writer = await served.connect()
    writer.write(GET)
    await reader.readuntil(b"hello")

    writer.write(b"GET / HT")

    assert (await asyncio.wait_for(reader.read(), WAIT)).startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_the_rest_of_a_body_that_nobody_wants_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_listener, "REQUEST_LIMIT", 0.05)

    answer = await answer_to(served, b"TRACE / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999\r\n\r\nab")

    assert answer.startswith(b"HTTP/1.1 405 ")


async def test_a_connection_is_kept_for_the_next_request_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_listener, "KEEP_ALIVE", 0.05)
    async with serving(tmp_path) as served:
        served.web.mount("/", page("hello"))

        answer = await answer_to(served, GET)

        assert answer.endswith(b"hello")


async def test_who_does_not_take_what_was_written_is_let_go(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_listener, "WRITE_LIMIT", 0.05)
    stream = Stream()
    served.web.mount("/stream", stream)
    _, writer = await served.connect()
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(GET.replace(b"/ ", b"/stream ", 1))
    for _ in range(100):
        stream.events.put_nowait("x" * 1_000_000)

    await asyncio.wait_for(stream.ended.wait(), WAIT)

    writer.transport.abort()


# -- how many


async def test_only_so_many_connections_of_one_address_are_taken(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_listener, "CONNECTIONS_OF_ONE", 2)
    held = [await served.connect() for _ in range(2)]
    for reader, writer in held:
        writer.write(GET)
        await reader.readuntil(b"hello")

    refused = await answer_to(served, b"")
    assert refused.startswith(b"HTTP/1.1 503 ")

    held[0][1].close()
    while b" 503 " in await answer_to(served, GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")):
        pass
    held[1][1].close()


async def test_a_trusted_proxy_may_have_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_listener, "CONNECTIONS_OF_ONE", 1)
    async with serving(tmp_path, trusted_proxies=["127.0.0.1"]) as served:
        for reader, writer in [await served.connect() for _ in range(3)]:
            writer.write(GET)
            assert (await reader.readline()).startswith(b"HTTP/1.1 503")
            writer.close()


async def test_only_so_many_connections_are_taken_in_all(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_listener, "CONNECTIONS", 0)

    assert (await answer_to(served, b"")).startswith(b"HTTP/1.1 503 ")


# -- the end


async def test_a_request_under_way_is_answered_when_the_listener_ends_and_then_closed(
    tmp_path: Path,
) -> None:
    gate = Gate()
    async with serving(tmp_path) as served:
        served.web.mount("/", gate)
        answering = asyncio.create_task(answer_to(served, GET))
        idle_reader, idle_writer = await served.connect()
        await gate.asked.wait()

        stopping = asyncio.create_task(served.web.stop())
        assert await asyncio.wait_for(idle_reader.read(), WAIT) == b""
        gate.opened.set()

        answer = await answering
        assert answer.endswith(b"open")
        assert b"connection: close\r\n" in answer
        await stopping
        idle_writer.close()
