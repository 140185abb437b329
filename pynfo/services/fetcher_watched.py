"""Connections that can be cut from another thread: a thread that waits for a server cannot be told to stop.

Each connection has a second handle on its socket (`dup`), since the first is taken over by TLS. Shut down
through it, the connection is at its end for whoever reads or writes it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from threading import Lock
from typing import Any

import msgspec
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.contrib.socks import SOCKSConnection, SOCKSHTTPSConnection

from pynfo.services.fetcher_answer import Headers
from pynfo.services.fetcher_guard import Address, Network


class Answer(msgspec.Struct, frozen=True):
    """What a server has sent."""

    status: int
    headers: Headers
    content: bytes


class Exchange:
    """One request and its answer. `deadline` is in monotonic seconds, `limit` in bytes.

    `allowed`: it is guarded, and may go to these networks though they are not public; None: it is not.
    `pinned` is the numeric address that a guarded one is asked at, when that has been checked.
    """

    def __init__(
        self,
        address: Address,
        headers: Mapping[str, str],
        *,
        service: str,
        deadline: float,
        limit: int,
        proxy: str | None,
        allowed: Sequence[Network] | None,
    ) -> None:
        self.address = address
        self.headers = headers
        self.service = service
        self.deadline = deadline
        self.limit = limit
        self.proxy = proxy
        self.allowed = allowed
        self.pinned = ""
        self.cut = False
        self._lock = Lock()  # guards `cut` and the line
        self._line: socket.socket | None = None

    def watch(self, line: socket.socket | None) -> None:
        """It goes over this connection now; None: over none any more."""
        with self._lock:
            self._line = line
            if self.cut:
                self._shut_down()

    def abort(self) -> None:
        """Cut the connection. From any thread; does not block."""
        with self._lock:
            self.cut = True
            self._shut_down()

    def _shut_down(self) -> None:
        if self._line is not None:
            with suppress(OSError):  # it is closed already
                self._line.shutdown(socket.SHUT_RDWR)


exchange_here: ContextVar[Exchange] = ContextVar("exchange_here")  # of this thread


class _Watched:
    """A connection whose exchange knows it."""

    _line: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        connection: socket.socket = super()._new_conn()  # type: ignore[misc]
        self._line = socket.socket(fileno=os.dup(connection.fileno()))
        exchange_here.get().watch(self._line)
        return connection

    def request(self, *args: Any, **kwargs: Any) -> None:
        exchange_here.get().watch(self._line)  # one that was kept open
        super().request(*args, **kwargs)  # type: ignore[misc]

    def close(self) -> None:
        super().close()  # type: ignore[misc]
        if self._line is not None:
            self._line.close()
            self._line = None


class _Connection(_Watched, HTTPConnection):
    pass


class _TLSConnection(_Watched, HTTPSConnection):
    pass


class _SocksConnection(_Watched, SOCKSConnection):
    pass


class _SocksTLSConnection(_Watched, SOCKSHTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _SocksPool(HTTPConnectionPool):
    ConnectionCls = _SocksConnection


class _SocksTLSPool(HTTPSConnectionPool):
    ConnectionCls = _SocksTLSConnection


POOLS = {"http": _Pool, "https": _TLSPool}
SOCKS_POOLS = {"http": _SocksPool, "https": _SocksTLSPool}
