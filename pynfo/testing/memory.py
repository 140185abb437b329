"""Two asyncio transports joined in memory: what one writes, the other's protocol receives.

Bytes arrive in order and never inside the `write` that sent them: on a later turn of the event loop, joined
where several writes came before it, as on a socket. `close` lets what was written arrive first; `abort` does
not, and the other side sees a connection that was reset.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import TypeVar

HIGH_WATER = 64 * 1024  # bytes not yet received, past which the writer is told to pause (asyncio's default)
BUFFER_LIMIT = 16 * 1024 * 1024  # bytes not yet received, past which the connection breaks

P = TypeVar("P", bound=asyncio.Protocol)

_ports = count(1)


class MemoryTransport(asyncio.Transport):
    """One end of a connection made by `connect`.

    `get_extra_info` knows "peername", "sockname" and "ssl_object" (None). The bound on what the other side
    has not read yet is `BUFFER_LIMIT`; past it both ends lose the connection with `ConnectionAbortedError`.
    """

    def __init__(
        self, protocol: asyncio.Protocol, sockname: tuple[str, int], peername: tuple[str, int]
    ) -> None:
        super().__init__({"sockname": sockname, "peername": peername, "ssl_object": None})
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._peer: MemoryTransport | None = None
        self._inbox = bytearray()  # written by the peer, and not yet received
        self._inbox_ended = False  # the peer has said that nothing will follow
        self._reading = True
        self._scheduled = False
        self._closing = False
        self._wrote_eof = False
        self._lost = False
        self._high = HIGH_WATER
        self._low = HIGH_WATER // 4
        self._writing_paused = False

    def __repr__(self) -> str:
        return f"<MemoryTransport {self.get_extra_info('sockname')}{' closing' if self._closing else ''}>"

    # -- writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._wrote_eof:
            raise RuntimeError("write() after write_eof()")
        peer = self._peer
        if self._closing or peer is None or peer._closing:
            return
        if len(peer._inbox) + len(data) > BUFFER_LIMIT:
            reason = ConnectionAbortedError(f"{BUFFER_LIMIT} bytes were written and not read")
            peer._break(reason)
            self._break(reason)
            return
        peer._inbox += data
        peer._wake()
        if not self._writing_paused and len(peer._inbox) > self._high:
            self._writing_paused = True
            self._protocol.pause_writing()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if self._closing or self._wrote_eof:
            return
        self._wrote_eof = True
        self._hang_up()

    def get_write_buffer_size(self) -> int:
        return len(self._peer._inbox) if self._peer is not None else 0

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None:
            high = HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high}) must be at least low ({low}), and low at least 0")
        self._high, self._low = high, low

    def _read_by_peer(self) -> None:
        if self._writing_paused and not self._lost and self.get_write_buffer_size() <= self._low:
            self._writing_paused = False
            self._protocol.resume_writing()

    # -- reading

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._wake()

    def _wake(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._receive)

    def _receive(self) -> None:
        self._scheduled = False
        if not self._reading or self._closing:
            return
        try:
            if self._inbox:
                data = bytes(self._inbox)
                self._inbox.clear()
                self._protocol.data_received(data)
                if self._peer is not None:
                    self._peer._read_by_peer()
                if self._inbox or self._inbox_ended:
                    self._wake()
            elif self._inbox_ended:
                self._inbox_ended = False
                stay_open = self._protocol.eof_received()
                if not stay_open or self._peer is None or self._peer._closing:
                    self.close()
        except Exception as error:  # noqa: BLE001 - as the transports of asyncio do: report, and break off
            self._loop.call_exception_handler(
                {"message": "a protocol failed to receive", "exception": error, "protocol": self._protocol}
            )
            self.abort()

    # -- the end

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._loop.call_soon(self._lose, None)
        self._hang_up()

    def abort(self) -> None:
        if self._peer is not None:
            self._peer._break(ConnectionResetError("connection reset by peer"))
        self._break(None)

    def _hang_up(self) -> None:
        if self._peer is not None:
            self._peer._inbox_ended = True
            self._peer._wake()

    def _break(self, error: Exception | None) -> None:
        self._inbox.clear()
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._lose, error)

    def _lose(self, error: Exception | None) -> None:
        if not self._lost:
            self._lost = True
            self._inbox.clear()
            self._protocol.connection_lost(error)

    # -- the protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        if not isinstance(protocol, asyncio.Protocol):
            raise TypeError(f"{protocol!r} is not an asyncio.Protocol")
        self._protocol = protocol


def connect(protocol_factory: Callable[[], P], peer: asyncio.Protocol) -> tuple[MemoryTransport, P]:
    """Join a new protocol to `peer`; gives the new one's transport and itself, as `create_connection` does.

    Both have been told `connection_made` on return, `peer` first. Needs a running event loop.
    """
    protocol = protocol_factory()
    ours, theirs = ("memory", next(_ports)), ("memory", 0)
    transport = MemoryTransport(protocol, sockname=ours, peername=theirs)
    transport._peer = MemoryTransport(peer, sockname=theirs, peername=ours)
    transport._peer._peer = transport
    peer.connection_made(transport._peer)
    protocol.connection_made(transport)
    return transport, protocol
