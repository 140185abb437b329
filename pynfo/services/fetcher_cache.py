"""Answers that are kept: for those who ask the same soon, and for the server to say that nothing has changed.

They are kept on disk by the hash of what was asked, since addresses may hold keys and what people look for.
What may not be stored (Cache-Control: no-store or private) stays in memory, and only where the same is to be
asked for once within a while. Where the file fails, it is as if nothing were kept.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pynfo.services.fetcher_answer import Ask, Fetched, Headers
from pynfo.services.fetcher_pool import DaemonExecutor
from pynfo.services.fetcher_store import CacheStore, Kept

log = logging.getLogger(__name__)

KEPT_FOR = 30 * 86400.0  # seconds since the server last said that it is so
PRIVATE_KEPT_FOR = 86400.0  # seconds, of an address with a query that a stranger gave
ENTRY_BYTES = 8 << 20  # of one answer; what is larger is not kept
MEMORY_BYTES, MEMORY_ENTRIES = 8 << 20, 200
STOP_LIMIT = 1.0  # seconds
WAITING = 200  # answers that wait to be written; past that they are not kept

WITH_VALIDATOR = frozenset({200})
FOR_A_WHILE = frozenset({200, 203, 204, 404, 410})  # what may be told again without asking
NOT_STORED = frozenset({"no-store", "private"})

_DIRECTIVE = re.compile(r"[\w-]+")
# Of what stood beside the old body, and goes with it, a 304 says nothing (RFC 9111 section 3.2).
OF_THE_BODY = ("content-length", "content-encoding", "content-range", "content-type", "transfer-encoding")

T = TypeVar("T")


class Cache:
    """`now` gives UTC epoch seconds."""

    def __init__(self, path: Path, *, now: Callable[[], float]) -> None:
        self._now = now
        self._store = CacheStore(path)
        self._thread = DaemonExecutor("pynfo-http-cache", 1, WAITING)
        self._memory: OrderedDict[bytes, tuple[Kept, float]] = OrderedDict()  # and until when
        self._memory_bytes = 0
        self._failed = False

    async def find(self, ask: Ask) -> Kept | None:
        """*await* what is kept of an answer, however old it is."""
        kept, until = self._memory.get(ask.key, (None, 0.0))
        if until <= self._now():
            kept = await self._try(self._store.find, ask.key, self._now())
        if kept is None or len(kept.content) > ask.limit:
            return None
        return kept if kept.url else msgspec.structs.replace(kept, url=ask.url)

    def age(self, kept: Kept) -> float:
        """How many seconds ago the server last said that it is so; infinite where clocks say nothing."""
        age = self._now() - kept.time
        return age if age >= 0 else float("inf")

    def keep(self, ask: Ask, fetched: Fetched) -> None:
        """Keep an answer, where that is of use and allowed."""
        self._forget(ask.key)
        validator = "etag" in fetched.headers or "last-modified" in fetched.headers
        for_a_while = fetched.status in FOR_A_WHILE and ask.max_age > 0
        useful = for_a_while or (fetched.status in WITH_VALIDATOR and validator)
        if not useful or "*" in fetched.headers.get("vary", "") or len(fetched.content) > ENTRY_BYTES:
            return
        kept = Kept(fetched.url, fetched.status, dict(fetched.headers), fetched.content, self._now())
        if not (_directives(fetched.headers) | _directives(Headers(ask.headers))) & NOT_STORED:
            self._submit(self._store.keep, ask.key, _hidden(ask, kept), _keep_for(ask))
        elif for_a_while:
            self._remember(ask, kept)

    def renew(self, ask: Ask, kept: Kept, headers: Mapping[str, str]) -> Kept:
        """The server says that it is still so, and in `headers` what else is to be known of it now."""
        news = {name: value for name, value in headers.items() if name not in OF_THE_BODY}
        kept = msgspec.structs.replace(kept, headers={**kept.headers, **news}, time=self._now())
        if ask.key in self._memory:
            self._forget(ask.key)
            self._remember(ask, kept)
        else:
            self._submit(self._store.renew, ask.key, _hidden(ask, kept), _keep_for(ask))
        return kept

    async def stop(self) -> None:
        """Write what waits, and close the file."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_LIMIT):
                await self._try(self._store.close)
        self._thread.shutdown()

    def _remember(self, ask: Ask, kept: Kept) -> None:
        self._memory[ask.key] = (kept, kept.time + ask.max_age)
        self._memory_bytes += len(kept.content)
        over = [key for key, (_, until) in self._memory.items() if until <= kept.time]
        for key in over:
            self._forget(key)
        while self._memory_bytes > MEMORY_BYTES or len(self._memory) > MEMORY_ENTRIES:
            self._forget(next(iter(self._memory)))

    def _forget(self, key: bytes) -> None:
        kept, _ = self._memory.pop(key, (None, 0.0))
        if kept is not None:
            self._memory_bytes -= len(kept.content)

    # -- the thread of the file

    def _submit(self, function: Callable[..., T], *arguments: Any) -> Future[T] | None:
        try:
            future = self._thread.submit(function, *arguments)
        except RuntimeError:  # too much waits already, or the bot stops
            return None
        future.add_done_callback(self._ended)
        return future

    async def _try(self, function: Callable[..., T], *arguments: Any) -> T | None:
        future = self._submit(function, *arguments)
        if future is None:
            return None
        try:
            return await asyncio.wrap_future(future)
        except Exception:  # noqa: BLE001 - `_ended` has told it
            return None

    def _ended(self, future: Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None and not self._failed:
            self._failed = True
            log.warning("%s cannot be used, and what is fetched is not kept: %s", self._store.path, error)
        elif error is None:
            self._failed = False


def validators(kept: Kept) -> dict[str, str]:
    """The headers that ask whether it is still so (RFC 9110 section 13.1)."""
    asked = {
        "If-None-Match": kept.headers.get("etag"),
        "If-Modified-Since": kept.headers.get("last-modified"),
    }
    return {name: value for name, value in asked.items() if value is not None}


def _hidden(ask: Ask, kept: Kept) -> Kept:
    """Without the address that was asked, which the key stands for."""
    return msgspec.structs.replace(kept, url="") if kept.url == ask.url else kept


def _keep_for(ask: Ask) -> float:
    return PRIVATE_KEPT_FOR if ask.guarded and "?" in ask.url else KEPT_FOR


def _directives(headers: Headers) -> set[str]:
    return set(_DIRECTIVE.findall(headers.get("cache-control", "").lower()))
