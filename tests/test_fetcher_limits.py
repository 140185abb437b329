"""Servers that are slow, huge, hostile, wrong or down: each ends within its limits, in one clause."""

from __future__ import annotations

import asyncio
import gzip
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from pynfo import FetchFailed
from pynfo.services import fetcher_session
from pynfo.services.fetcher import Fetcher
from pynfo.services.fetcher_answer import Headers
from pynfo.services.fetcher_flight import ATTEMPTS, BACKOFF, retry_after
from pynfo.services.fetcher_guard import parse
from pynfo.services.fetcher_watched import Exchange
from tests.fetcher_world import SHORT, WAIT, Time, answer, fetching, says, silence, stranger


async def failure(fetcher: Fetcher, url: str, **wishes: object) -> FetchFailed:
    """How a fetch fails."""
    with pytest.raises(FetchFailed) as raised:
        await asyncio.wait_for(fetcher.get(url, **wishes), WAIT)  # type: ignore[arg-type]
    return raised.value


# -- slow


async def test_a_server_that_never_answers_is_left_at_the_limit(tmp_path: Path) -> None:
    async with stranger(silence) as server, fetching(tmp_path) as fetcher:
        failed = await failure(fetcher, server.url(), timeout=SHORT, service="Open-Meteo")

        assert (str(failed), failed.reason) == (
            "Open-Meteo does not answer (timed out after 0.4 s)",
            "timeout",
        )
        await server.was_left()


async def test_a_slow_drip_is_cut_at_the_limit_however_much_still_comes(tmp_path: Path) -> None:
    async def drip(head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(SHORT / 20)

    async with stranger(drip) as server, fetching(tmp_path) as fetcher:
        failed = await failure(fetcher, server.url(), timeout=SHORT)

        assert failed.reason == "timeout"
        await server.was_left()


async def test_headers_that_drip_are_cut_as_well(tmp_path: Path) -> None:
    async def drip(head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-Drip: 1\r\n")
            await writer.drain()
            await asyncio.sleep(SHORT / 20)

    async with stranger(drip) as server, fetching(tmp_path) as fetcher:
        assert (await failure(fetcher, server.url(), timeout=SHORT)).reason == "timeout"
        await server.was_left()


async def test_a_connection_that_was_used_before_is_cut_as_well(tmp_path: Path) -> None:
    cut = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        with suppress(OSError):
            while not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(SHORT / 20)
        cut.set()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, fetching(tmp_path) as fetcher:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        assert (await fetcher.get(url)).text == "here"
        assert (await failure(fetcher, url, timeout=SHORT)).reason == "timeout"
        await asyncio.wait_for(cut.wait(), WAIT)


def test_a_connection_that_comes_too_late_is_cut_at_once() -> None:
    address = parse("http://127.0.0.1/", guarded=False)
    exchange = Exchange(address, {}, service="", deadline=0.0, limit=0, proxy=None, allowed=None)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(WAIT)
        exchange.abort()
        exchange.watch(ours)
        assert theirs.recv(1) == b""


async def test_silence_within_an_answer_has_a_limit_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher_session, "READ_LIMIT", 0.05)
    async with stranger(silence) as server, fetching(tmp_path) as fetcher:
        failed = await failure(fetcher, server.url(), timeout=WAIT)

        assert str(failed) == "127.0.0.1 does not answer (nothing came in time)"
        assert len(server.asked) == ATTEMPTS


# -- huge


async def test_an_endless_body_is_cut_at_the_limit_of_its_size(tmp_path: Path) -> None:
    async def endless(head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")
            await writer.drain()

    async with stranger(endless) as server, fetching(tmp_path) as fetcher:
        failed = await failure(fetcher, server.url(), service="PyPI")

        assert (str(failed), failed.reason) == ("PyPI sends too much (over 2 MiB)", "too large")
        await server.was_left()
        assert len(server.asked) == 1


async def test_what_says_that_it_is_too_large_is_not_read(tmp_path: Path) -> None:
    async def boast(head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n")
        await silence(head, writer)

    async with stranger(boast) as server, fetching(tmp_path) as fetcher:
        assert (await failure(fetcher, server.url(), limit=1024)).reason == "too large"


@pytest.mark.parametrize(("name", "value"), [("X", "x" * 10_000), ("X" * 10_000, "x")])
async def test_headers_without_measure_are_refused(tmp_path: Path, name: str, value: str) -> None:
    huge = {f"{name}_{number}": value for number in range(10)}
    async with stranger(says(answer(**huge))) as server, fetching(tmp_path) as fetcher:
        failed = await failure(fetcher, server.url())

    assert (str(failed), failed.reason) == ("127.0.0.1 sends too much in its headers", "too large")


async def test_a_gzip_bomb_is_measured_as_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(bytes(64 << 20))  # 64 KiB that become 64 MiB
    pieces: list[int] = []
    read = fetcher_session.HTTPResponse.stream

    def watched(self: object, *arguments: object, **keywords: object) -> object:
        for piece in read(self, *arguments, **keywords):  # type: ignore[arg-type]
            pieces.append(len(piece))
            yield piece

    monkeypatch.setattr(fetcher_session.HTTPResponse, "stream", watched)
    async with stranger(says(answer(bomb, Content_Encoding="gzip"))) as server, fetching(tmp_path) as fetcher:
        assert (await failure(fetcher, server.url())).reason == "too large"

    assert max(pieces) <= fetcher_session.CHUNK
    assert sum(pieces) <= (2 << 20) + fetcher_session.CHUNK


async def test_an_answer_of_just_the_limit_is_given(tmp_path: Path) -> None:
    packed = answer(gzip.compress(b"x" * 1000), Content_Encoding="gzip")
    async with stranger(says(packed)) as server, fetching(tmp_path) as fetcher:
        assert (await fetcher.get(server.url(), limit=1000)).content == b"x" * 1000
        assert (await failure(fetcher, server.url(), limit=999)).reason == "too large"


# -- wrong


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "127.0.0.1 ends the connection without a whole answer"),
        (b"", "127.0.0.1 ends the connection without a whole answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "127.0.0.1 ends its answer too early"),
        (
            answer(b"no gzip", Content_Encoding="gzip"),
            "127.0.0.1 sends something that cannot be decompressed",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "127.0.0.1 ends the connection without a whole answer",
        ),
        (
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
            "127.0.0.1 ends the connection without a whole answer",
        ),
    ],
)
async def test_what_is_no_http_is_told_as_broken(tmp_path: Path, sent: bytes, told: str) -> None:
    async with stranger(says(sent)) as server, fetching(tmp_path) as fetcher:
        failed = await failure(fetcher, server.url())

    assert (str(failed), failed.reason) == (told, "broken")


async def test_a_server_that_is_down_is_told_as_such(tmp_path: Path) -> None:
    async with stranger(silence) as server:
        url = server.url()
    time = Time()
    async with fetching(tmp_path, time) as fetcher:
        failed = await failure(fetcher, url, service="Open-Meteo")

    assert (str(failed), failed.reason) == ("Open-Meteo cannot be reached (connection refused)", "refused")
    assert len(time.slept) == ATTEMPTS - 1


async def test_a_name_that_there_is_not_is_told_as_such(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetcher:
        failed = await failure(fetcher, "http://nothing.invalid/")

    assert failed.reason == "dns"
    assert "nothing.invalid " in str(failed)


# -- redirects


async def test_a_redirect_is_followed_and_the_last_address_told(tmp_path: Path) -> None:
    script = says(answer(status="302 Found", Location="/b?q=1#part"), answer("here"))
    async with stranger(script) as server, fetching(tmp_path) as fetcher:
        fetched = await fetcher.get(server.url("/a"))

    assert (fetched.text, fetched.url) == ("here", server.url("/b?q=1"))
    assert server.asked[1].startswith("GET /b?q=1 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("location", "path"),
    [("/a b", "/a%20b"), ("/\u00c3\u00bc", "/%C3%BC"), ("?q", "/start?q"), (" /c ", "/c"), ("", "/start")],
)
async def test_a_redirect_that_is_written_badly_is_understood(
    tmp_path: Path, location: str, path: str
) -> None:
    script = says(answer(status="302 Found", Location=location), answer("here"))
    async with stranger(script) as server, fetching(tmp_path, fetch_allow=["127.0.0.1/32"]) as fetcher:
        with suppress(FetchFailed):
            await fetcher.get(server.url("/start"), guarded=True)

    assert server.asked[-1].startswith(f"GET {path} HTTP/1.1\r\n")


async def test_a_circle_of_redirects_is_found(tmp_path: Path) -> None:
    script = says(answer(status="302 Found", Location="/b"), answer(status="302 Found", Location="/a"))
    async with stranger(script) as server, fetching(tmp_path) as fetcher:
        failed = await failure(fetcher, server.url("/a"), service="PyPI")

    assert (str(failed), failed.reason) == ("PyPI redirects in a circle", "redirects")
    assert len(server.asked) == 2


async def test_redirects_have_an_end(tmp_path: Path) -> None:
    script = says(*[answer(status="301 Moved", Location=f"/{number}") for number in range(20)])
    async with stranger(script) as server, fetching(tmp_path) as fetcher:
        failed = await failure(fetcher, server.url("/a"))

    assert (str(failed), failed.reason) == ("127.0.0.1 redirects more than 5 times", "redirects")
    assert len(server.asked) == 6


async def test_the_body_of_a_redirect_is_not_read_without_end(tmp_path: Path) -> None:
    async def endless(head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n")
        while True:
            writer.write(bytes(8192))
            await writer.drain()

    async with stranger(endless) as server, fetching(tmp_path) as fetcher:
        assert (await failure(fetcher, server.url("/a"), limit=100_000)).reason == "too large"


async def test_a_secret_header_stays_with_the_host_it_was_meant_for(tmp_path: Path) -> None:
    async with stranger(says(answer("there"))) as other:
        here = says(answer(status="302 Found", Location=other.url("/there")))
        async with stranger(here) as server, fetching(tmp_path) as fetcher:
            headers = {"X-Subscription-Token": "secret", "Accept": "application/json"}
            assert (await fetcher.get(server.url(), headers=headers)).text == "there"

    assert "X-Subscription-Token: secret" in server.asked[0]
    assert "secret" not in other.asked[0]
    assert "Accept: application/json" in other.asked[0]


# -- asked again


@pytest.mark.parametrize("status", ["429 Too Many Requests", "502 Bad", "503 Unavailable", "504 Late"])
async def test_what_may_be_over_soon_is_asked_again_after_a_while(tmp_path: Path, status: str) -> None:
    time = Time()
    script = says(answer(status=status), answer(status=status), answer("here"))
    async with stranger(script) as server, fetching(tmp_path, time) as fetcher:
        assert (await fetcher.get(server.url())).text == "here"

    first, second = time.slept
    assert BACKOFF / 2 <= first <= BACKOFF <= second <= BACKOFF * 2


async def test_a_connection_that_breaks_is_tried_again(tmp_path: Path) -> None:
    async with stranger(says(b"", answer("here"))) as server, fetching(tmp_path) as fetcher:
        assert (await fetcher.get(server.url())).text == "here"


async def test_an_error_that_stays_is_an_answer(tmp_path: Path) -> None:
    async with stranger(says(answer("busy", "503 Busy"))) as server, fetching(tmp_path) as fetcher:
        fetched = await fetcher.get(server.url(), service="PyPI")

    assert len(server.asked) == ATTEMPTS
    assert (fetched.status, fetched.ok, fetched.text) == (503, False, "busy")
    with pytest.raises(FetchFailed, match=r"^PyPI answers with an error \(503\)$") as raised:
        fetched.raise_for_status()
    assert (raised.value.reason, raised.value.status) == ("status", 503)


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_an_error_that_will_stay_is_not_asked_for_again(tmp_path: Path, status: int) -> None:
    async with stranger(says(answer(status=f"{status} No"))) as server, fetching(tmp_path) as fetcher:
        assert (await fetcher.get(server.url())).status == status

    assert len(server.asked) == 1


async def test_retry_after_is_waited_for(tmp_path: Path) -> None:
    time = Time()
    script = says(answer(status="429 Slowly", Retry_After=7), answer("here"))
    async with stranger(script) as server, fetching(tmp_path, time) as fetcher:
        assert (await fetcher.get(server.url(), timeout=WAIT)).text == "here"

    assert 7 < sum(time.slept) < 8


async def test_a_retry_after_beside_success_means_nothing(tmp_path: Path) -> None:
    async with stranger(says(answer("here", Retry_After=60))) as server, fetching(tmp_path) as fetcher:
        for _ in range(2):
            assert (await fetcher.get(server.url())).text == "here"


async def test_a_retry_after_beyond_the_limit_is_not_and_the_host_has_its_rest(tmp_path: Path) -> None:
    time = Time()
    async with (
        stranger(says(answer(status="429 Slowly", Retry_After=60), answer("here"))) as server,
        fetching(tmp_path, time) as fetcher,
    ):
        assert (await fetcher.get(server.url("/a"), timeout=WAIT)).status == 429
        assert time.slept == []
        failed = await failure(fetcher, server.url("/b"), service="Open-Meteo")
        assert (str(failed), failed.reason) == ("Open-Meteo asks to be left alone for another 60 s", "busy")
        time.now += 60
        assert (await fetcher.get(server.url("/b"))).text == "here"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("120", 120.0), ("0", 0.0), ("", 0.0), ("soon", 0.0), ("-5", 0.0), ("9" * 5000, 999_999_999.0)]
    + [(f"Mon, 01 Jan {9**99} 00:00:00 GMT", 0.0), (f"Mon, 01 Jan 2030 00:00:00 +{9**99}", 0.0)],
)
def test_retry_after_is_read_in_seconds(written: str, seconds: float) -> None:
    assert retry_after(Headers([("Retry-After", written)]), datetime.now(UTC)) == seconds


def test_retry_after_is_read_as_a_date() -> None:
    now = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)

    def wait(date: datetime) -> float:
        return retry_after(Headers([("retry-after", format_datetime(date, usegmt=True))]), now)

    assert wait(now + timedelta(seconds=90)) == 90.0
    assert wait(now - timedelta(days=1)) == 0.0


# -- a host that fails


async def test_a_host_that_fails_five_times_in_a_row_is_left_alone_for_a_minute(tmp_path: Path) -> None:
    time = Time()
    async with (
        stranger(says(*[answer(status="500 Oh")] * 5, answer("well"))) as server,
        fetching(tmp_path, time) as fetcher,
    ):
        for _ in range(5):
            assert (await fetcher.get(server.url())).status == 500
        failed = await failure(fetcher, server.url(), service="Open-Meteo")
        told = "Open-Meteo has failed 5 times in a row, and is left alone for another 60 s"
        assert (str(failed), failed.reason) == (told, "busy")
        assert len(server.asked) == 5
        time.now += 60
        assert (await fetcher.get(server.url())).text == "well"


async def test_a_host_that_is_down_is_left_alone_too(tmp_path: Path) -> None:
    async with stranger(silence) as server:
        url = server.url()
    async with fetching(tmp_path) as fetcher:
        for _ in range(5):
            assert (await failure(fetcher, url)).reason == "refused"
        assert (await failure(fetcher, url)).reason == "busy"


async def test_what_strangers_name_cannot_have_a_service_left_alone(tmp_path: Path) -> None:
    async with (
        stranger(says(*[answer(status="500 Oh")] * 5, answer("well"))) as server,
        fetching(tmp_path, fetch_allow=["127.0.0.1/32"]) as fetcher,
    ):
        for _ in range(5):
            await fetcher.get(server.url(), guarded=True)
        assert (await failure(fetcher, server.url(), guarded=True)).reason == "busy"

        assert (await fetcher.get(server.url())).text == "well"


async def test_a_timeout_counts_against_the_host_that_was_asked(tmp_path: Path) -> None:
    async with stranger(silence) as server, fetching(tmp_path) as fetcher:
        waits = [fetcher.get(server.url(f"/{number}"), timeout=SHORT) for number in range(4)]
        for failed in await asyncio.gather(*waits, return_exceptions=True):
            assert isinstance(failed, FetchFailed)
            assert failed.reason == "timeout"
        assert (await failure(fetcher, server.url(), timeout=SHORT)).reason == "timeout"
        assert (await failure(fetcher, server.url(), timeout=SHORT)).reason == "busy"


async def test_a_timeout_counts_against_no_host_that_has_answered(tmp_path: Path) -> None:
    async with stranger(silence) as slow:
        script = says(*[answer(status="302 Found", Location=slow.url())] * 5, answer("here"))
        async with stranger(script) as server, fetching(tmp_path) as fetcher:
            for _ in range(5):
                assert (await failure(fetcher, server.url(), timeout=SHORT)).reason == "timeout"
            assert (await fetcher.get(server.url())).text == "here"
            assert (await failure(fetcher, slow.url())).reason == "busy"


async def test_one_host_is_asked_four_things_at_once(tmp_path: Path) -> None:
    open_up = asyncio.Event()

    async def patient(head: str, writer: asyncio.StreamWriter) -> None:
        await open_up.wait()
        writer.write(answer("here"))

    async with (
        stranger(patient) as server,
        stranger(says(answer("other"))) as other,
        fetching(tmp_path) as fetcher,
    ):
        waits = [asyncio.create_task(fetcher.get(server.url(f"/{number}"))) for number in range(12)]
        await server.was_asked(4)
        # Somebody else has their turn meanwhile, and by then a fifth would have come.
        assert (await fetcher.get(other.url())).text == "other"
        assert len(server.asked) == 4
        open_up.set()
        assert [fetched.text for fetched in await asyncio.gather(*waits)] == ["here"] * 12
