"""The one HTTP listener: uvicorn's protocol on the bot's own event loop, with limits on connections.

uvicorn's server is left out: it takes over signals, and wakes up ten times a second. What a request may be
like is decided by `pynfo.services.web_guard`; what a connection may be like, here.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from email.utils import formatdate
from ipaddress import ip_address, ip_network

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from pynfo.config_http import HttpSettings
from pynfo.services.web_guard import Guard
from pynfo.services.web_limits import reader

CONNECTIONS = 1000  # at one time
CONNECTIONS_OF_ONE = 100  # of one address, but for a trusted proxy
TARGET_BYTES = 8 * 1024  # of a request: path and query
HEAD_BYTES = 32 * 1024  # of a request: target and headers
HEADERS = 100  # of a request
REQUEST_LIMIT = 15.0  # seconds for a whole request to come
KEEP_ALIVE = 15  # seconds that a connection waits for the next request
WRITE_LIMIT = 60.0  # seconds for a reader to take what was written
PIPELINED = 16  # requests sent before the first is answered
CLOSE_LIMIT = 0.5  # seconds for connections to close
BACKLOG = 512  # connections that the system takes before we do
SWITCH = 0.001  # seconds for which a thread that makes a page may keep the event loop waiting

REFUSALS = {
    400: "This is no request that can be understood.",
    408: "The request did not come in time.",
    414: "The address is too long.",
    431: "The request is too long.",
    503: "There are too many connections. Try again in a few seconds.",
}


class Listener:
    """Serves `guard` at one address. `open` before `close`, each once."""

    def __init__(self, settings: HttpSettings, guard: Guard) -> None:
        self.port = settings.port
        self.connections: set[Connection] = set()
        self.of_one: Counter[str] = Counter()
        self.config = uvicorn.Config(
            guard,
            http=Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="critical",  # what strangers send is no news
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            reset_contextvars=True,
        )
        self.state = ServerState()
        self._host = settings.host
        self._guard = guard
        self._proxies = [ip_network(proxy, strict=False) for proxy in settings.trusted_proxies]
        self._server: asyncio.Server | None = None
        self._dated = 0  # UTC epoch seconds

    async def open(self) -> None:
        """Listen. Raises `OSError`."""
        self.config.load()
        sys.setswitchinterval(min(SWITCH, sys.getswitchinterval()))
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self), self._host, self.port, backlog=BACKLOG
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Take no more connections, end the requests, close what is left: in about 2 s at the most."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.shutdown()  # at once where it waits for a request, else after the answer
        await self._guard.end()
        for connection in list(self.connections):
            connection.shutdown()
        if self.connections:
            await asyncio.wait([connection.closed for connection in self.connections], timeout=CLOSE_LIMIT)
        for connection in list(self.connections):
            connection.transport.abort()

    def is_proxy(self, host: str) -> bool:
        return bool(host) and any(ip_address(host.partition("%")[0]) in network for network in self._proxies)

    def keep_date(self) -> None:
        """Have every answer dated, to the second."""
        now = int(time.time())
        if now != self._dated:
            self._dated = now
            self.state.default_headers = [(b"date", formatdate(now, usegmt=True).encode())]


class Refused(Exception):
    """A request that is not looked at. Raised to the parser, which gives up then."""


class Connection(HttpToolsProtocol):
    """One connection. What is refused here gets one sentence, and the connection is closed."""

    def __init__(self, listener: Listener) -> None:
        super().__init__(listener.config, listener.state, {})
        self.closed: asyncio.Future[None] = self.loop.create_future()
        self._listener = listener
        self._counted = ""  # whose connection it is
        self._coming = 0  # bytes of a request whose head is not complete
        self._head_complete = False
        self._fields = 0  # bytes of its headers
        self._status = 400  # of the refusal
        self._request_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    # -- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        listener, host = self._listener, self.client[0] if self.client else ""
        listener.connections.add(self)
        self._counted = reader(host)
        listener.of_one[self._counted] += 1
        many = listener.of_one[self._counted] > CONNECTIONS_OF_ONE and not listener.is_proxy(host)
        if many or len(listener.connections) > CONNECTIONS:
            self._refuse(503)
        else:
            self._request_timer = self.loop.call_later(REQUEST_LIMIT, self._is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        listener = self._listener
        listener.connections.discard(self)
        listener.of_one[self._counted] -= 1
        if not listener.of_one[self._counted]:
            del listener.of_one[self._counted]
        self._request_has_come()
        self.resume_writing()
        self.closed.set_result(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if not self._head_complete and not self.transport.is_closing():
            self._coming += len(data)
            if self._coming > HEAD_BYTES:
                self._refuse(431)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._abort_later()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._abort_later()

    # -- the requests on it

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_complete, self._fields = False, 0
        if self._request_timer is None:
            self._request_timer = self.loop.call_later(REQUEST_LIMIT, self._is_late)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > TARGET_BYTES:
            self._give_up(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._fields += len(name) + len(value)
        if self._fields > HEAD_BYTES or len(self.headers) > HEADERS:
            self._give_up(431)

    def on_headers_complete(self) -> None:
        self._head_complete, self._coming = True, 0
        if len(self.pipeline) >= PIPELINED:
            self._give_up(400)
        self._listener.keep_date()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._request_has_come()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._abort_later()

    # -- what is refused

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls where the parser gave up."""
        self._refuse(self._status)

    def _give_up(self, status: int) -> None:
        self._status = status
        raise Refused

    def _refuse(self, status: int) -> None:
        """Answer with one sentence and close; where another answer is under way, only close."""
        if self.cycle is None or self.cycle.response_complete:
            body = f"{REFUSALS[status]}\n".encode()
            head = (
                f"content-type: text/plain; charset=utf-8\r\ncontent-length: {len(body)}\r\n"
                "x-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(STATUS_LINE[status] + head.encode() + body)
        self.transport.close()
        self._abort_later()

    def _is_late(self) -> None:
        self._request_timer = None
        if self._coming:
            self._refuse(408)
        else:  # nothing was asked, or the rest of a body does not come
            self.transport.close()
            self._abort_later()

    def _request_has_come(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _abort_later(self) -> None:
        """The reader has so long to take what was written."""
        if self._write_timer is None and not self.closed.done():
            self._write_timer = self.loop.call_later(WRITE_LIMIT, self.transport.abort)
