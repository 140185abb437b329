"""Transports joined in memory: what asyncio promises of a socket holds for them."""

from __future__ import annotations

import asyncio

import pytest

from pynfo.testing import MemoryTransport, connect


class Witness(asyncio.Protocol):
    """Writes down what happens to it."""

    def __init__(self, *, stay_open: bool = False) -> None:
        self.happened: list[str | bytes] = []
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.stay_open = stay_open
        self.transport: MemoryTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, MemoryTransport)
        self.transport = transport
        self.happened.append("made")

    def data_received(self, data: bytes) -> None:
        self.happened.append(data)

    def eof_received(self) -> bool:
        self.happened.append("eof")
        return self.stay_open

    def pause_writing(self) -> None:
        self.happened.append("pause")

    def resume_writing(self) -> None:
        self.happened.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.happened.append("lost")
        self.lost.set_result(exc)


def pair(*, stay_open: bool = False) -> tuple[MemoryTransport, Witness, MemoryTransport, Witness]:
    theirs = Witness(stay_open=stay_open)
    our_transport, ours = connect(Witness, theirs)
    assert theirs.transport is not None
    return our_transport, ours, theirs.transport, theirs


async def turns(count: int = 4) -> None:
    """Let the event loop work off what is planned."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_bytes_arrive_in_order_and_never_inside_the_write() -> None:
    transport, _, _, theirs = pair()

    transport.write(b"one ")
    transport.writelines([b"two ", bytearray(b"three")])
    assert theirs.happened == ["made"]
    await turns()

    assert theirs.happened == ["made", b"one two three"]


async def test_close_lets_what_was_written_arrive_and_ends_both_sides() -> None:
    transport, ours, _, theirs = pair()

    transport.write(b"last words")
    transport.close()
    transport.write(b"too late")

    assert transport.is_closing()
    assert await theirs.lost is None
    assert await ours.lost is None
    assert theirs.happened == ["made", b"last words", "eof", "lost"]


async def test_abort_loses_what_was_on_its_way_and_resets_the_other_side() -> None:
    transport, ours, _, theirs = pair()

    transport.write(b"last words")
    transport.abort()

    assert await ours.lost is None
    assert isinstance(await theirs.lost, ConnectionResetError)
    assert theirs.happened == ["made", "lost"]


async def test_a_side_that_stays_open_after_the_end_of_the_other_can_still_write() -> None:
    transport, ours, their_transport, theirs = pair(stay_open=True)

    transport.write_eof()
    await turns()
    their_transport.write(b"an answer")
    await turns()

    assert theirs.happened == ["made", "eof"]
    assert ours.happened == ["made", b"an answer"]
    with pytest.raises(RuntimeError):
        transport.write(b"more")


async def test_the_end_of_the_other_side_closes_one_that_does_not_stay_open() -> None:
    transport, ours, _, theirs = pair()

    transport.write_eof()

    assert await theirs.lost is None
    assert await ours.lost is None


async def test_a_side_that_pauses_reads_nothing_until_it_resumes() -> None:
    transport, _, their_transport, theirs = pair()

    their_transport.pause_reading()
    transport.write(b"hello")
    await turns()
    assert theirs.happened == ["made"]
    assert not their_transport.is_reading()
    their_transport.resume_reading()
    await turns()

    assert theirs.happened == ["made", b"hello"]


async def test_a_writer_is_told_to_pause_and_to_go_on() -> None:
    transport, ours, their_transport, _ = pair()
    transport.set_write_buffer_limits(high=10, low=4)

    their_transport.pause_reading()
    transport.write(b"x" * 10)
    assert ours.happened == ["made"]
    transport.write(b"x")
    assert ours.happened == ["made", "pause"]
    assert transport.get_write_buffer_size() == 11
    their_transport.resume_reading()
    await turns()

    assert ours.happened == ["made", "pause", "resume"]


async def test_what_is_never_read_breaks_the_connection_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pynfo.testing.memory.BUFFER_LIMIT", 100)
    transport, ours, their_transport, theirs = pair()

    their_transport.pause_reading()
    transport.write(b"x" * 100)
    assert not transport.is_closing()
    transport.write(b"x")

    assert isinstance(await ours.lost, ConnectionAbortedError)
    assert isinstance(await theirs.lost, ConnectionAbortedError)


async def test_a_protocol_that_raises_is_reported_and_loses_its_connection() -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
    transport, ours, _, theirs = pair()
    fault = ValueError("a fault in the protocol")

    def fail(data: bytes) -> None:
        raise fault

    theirs.data_received = fail  # type: ignore[method-assign]
    transport.write(b"hello")

    assert await theirs.lost is None
    assert isinstance(await ours.lost, ConnectionResetError)
    assert reported == [fault]


async def test_a_transport_says_who_is_at_the_other_end_and_that_there_is_no_tls() -> None:
    transport, _, their_transport, _ = pair()

    assert transport.get_extra_info("peername") == their_transport.get_extra_info("sockname")
    assert transport.get_extra_info("ssl_object", "unknown") is None
    assert transport.get_extra_info("socket", "none") == "none"


async def test_streams_of_asyncio_work_over_it() -> None:
    reader = asyncio.StreamReader()
    theirs = Witness()
    transport, protocol = connect(lambda: asyncio.StreamReaderProtocol(reader), theirs)
    writer = asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())
    assert theirs.transport is not None

    writer.write(b"ping\n")
    await writer.drain()
    await turns()
    theirs.transport.write(b"pong\n")
    theirs.transport.close()

    assert await reader.readline() == b"pong\n"
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    assert theirs.happened == ["made", b"ping\n", "lost"]
