"""What stands between strangers and the pages of plugins: an ASGI application, the same behind every server.

In this order: methods, the rate of requests, the size of their bodies, which mount they are for, admission,
and then the application, whose answer is compressed and gets the headers that keep browsers strict. What it
raises is one plain sentence for the reader, and a traceback in the log.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from starlette.middleware.gzip import GZipMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from pynfo.config_http import HttpSettings
from pynfo.ownership import report, running_owner
from pynfo.services.web_admission import Admission, Overloaded
from pynfo.services.web_exchange import (
    BUSY,
    END_LIMIT,
    LATE,
    RENEWED,
    RETRY,
    WORK_LIMIT,
    CutShort,
    Exchange,
    Header,
    Message,
    Receive,
    Scope,
    Send,
    cut_streams,
    end,
    refuse,
)
from pynfo.services.web_limits import RateLimit, reader

if TYPE_CHECKING:
    from pynfo.services.web import Mount

log = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})  # an application may want
BODY_BYTES = 64 * 1024  # of a request
BODY_LIMIT = 10.0  # seconds for it to come
REFUSAL_DELAY = 1.0  # seconds that somebody who asks too often waits to be told
REFUSALS = 100  # that wait at one time; past it they are told at once
COMPRESSED_BYTES = 500  # of an answer; what is shorter is sent as it is
COMPRESSION_LEVEL = 1  # a page takes a fifth of its size; more effort saves little more
COMPRESSED_ON_THREAD = 96 * 1024  # bytes, from which on it takes about 2 ms


class Guard:
    """See the top of the file. `mount_of(path)` gives the mount that a path belongs to; `is_empty()` is
    whether there is none at all."""

    def __init__(
        self, settings: HttpSettings, mount_of: Callable[[str], Mount | None], is_empty: Callable[[], bool]
    ) -> None:
        rate = settings.requests_per_second
        self._rate = RateLimit(rate, settings.burst) if rate is not None else None
        self._mount_of = mount_of
        self._is_empty = is_empty
        self._admission = Admission()
        self._requests: set[Exchange] = set()
        self._waiting_refusals = 0
        self._compressed = GZipMiddleware(
            _mounted,
            minimum_size=COMPRESSED_BYTES,
            compresslevel=COMPRESSION_LEVEL,
            thread_minimum_size=COMPRESSED_ON_THREAD,
        )
        self._entrance: Any = self._serve
        if settings.trusted_proxies:
            self._entrance = ProxyHeadersMiddleware(self._serve, settings.trusted_proxies)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._entrance(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def end(self, limit: float = END_LIMIT) -> None:
        """Cut the streams, and *await* the end of all requests; what takes longer is cut as well."""
        cut_streams(self._requests)
        await end(self._requests, limit)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in METHODS:
            await refuse(send, 405, "Pages can only be read here.", (b"allow", b"GET, HEAD"))
            return
        client = scope.get("client")
        who = reader(client[0]) if client else ""
        early = self._rate.wait(who, time.monotonic()) if self._rate is not None else 0.0
        if early:
            await self._refuse_after_a_while(send, early)
            return
        headers = scope["headers"]
        if any(name in (b"content-length", b"transfer-encoding") for name, _ in headers):
            status, body = await _body(headers, receive)
            if status != 200:
                text = "That is too much." if status == 413 else "The rest of it did not come in time."
                await refuse(send, status, text, (b"connection", b"close"))
                return
            receive = _replay(body, receive)
        mount = self._mount_of(scope["path"].removeprefix(scope.get("root_path", "")))
        if mount is None and self._is_empty():  # plugins are loading, or one is reloaded
            await refuse(send, 503, RENEWED, RETRY)
            return
        if mount is None:
            await refuse(send, 404, "There is nothing here.")
            return
        try:
            await self._admission.enter(who)
        except Overloaded:
            await refuse(send, 503, BUSY, RETRY)
            return
        exchange = Exchange(send, self._admission, who)
        self._requests.add(exchange)
        mount.requests.add(exchange)
        try:
            await self._answer(exchange, mount, scope, receive, send)
        finally:
            exchange.leave()
            self._requests.discard(exchange)
            mount.requests.discard(exchange)

    async def _answer(
        self, exchange: Exchange, mount: Mount, scope: Scope, receive: Receive, send: Send
    ) -> None:
        scope["root_path"] = scope.get("root_path", "") + mount.prefix
        scope["pynfo.mount"] = mount
        status, text = 500, "Something went wrong here. It has been noted."
        token = running_owner.set(mount.owner)
        try:
            if not mount.cancelled:
                await self._compressed(scope, receive, exchange.send)
                return
            status, text = 503, RENEWED
        except asyncio.CancelledError:
            if exchange.cut_for is None:
                raise
            exchange.task.uncancel()
            status, text = 503, exchange.cut_for
            if text is LATE:
                log.warning("%s: %s took over %g s", mount, scope["path"], WORK_LIMIT)
        except Exception as error:  # noqa: BLE001 - the edge of a plugin
            report(mount.owner, f"the page {scope['path']}", error)
        finally:
            running_owner.reset(token)
        exchange.leave()
        if not exchange.begun:
            await refuse(send, status, text, *([RETRY] if status == 503 else []))
        elif exchange.stream:
            await send({"type": "http.response.body", "body": b""})
        else:
            raise CutShort(text)

    async def _refuse_after_a_while(self, send: Send, early: float) -> None:
        """Tell a reader who asks too often. That each time takes them a while is what slows them down."""
        if self._waiting_refusals < REFUSALS:
            self._waiting_refusals += 1
            try:
                await asyncio.sleep(REFUSAL_DELAY)
            finally:
                self._waiting_refusals -= 1
        seconds = max(1, math.ceil(early - REFUSAL_DELAY))
        text = f"You ask too often. Try again in {seconds} {'second' if seconds == 1 else 'seconds'}."
        await refuse(send, 429, text, (b"retry-after", str(seconds).encode()))


async def _mounted(scope: Scope, receive: Receive, send: Send) -> None:
    await scope.pop("pynfo.mount").app(scope, receive, send)


async def _body(headers: Iterable[Header], receive: Receive) -> tuple[int, bytes]:
    """What comes with a request, and 200, or the status that refuses it."""
    for name, value in headers:
        if name == b"content-length" and (not value.isdigit() or int(value[:9]) > BODY_BYTES):
            return 413, b""
    body = b""
    try:
        async with asyncio.timeout(BODY_LIMIT):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > BODY_BYTES:
                    return 413, b""
                if not message.get("more_body"):
                    return 200, body
    except TimeoutError:
        return 408, b""


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
