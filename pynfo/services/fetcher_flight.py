"""One answer on its way: from what is kept, or from the web, over redirects and attempts that fail.

Everything runs on the event loop but the requests themselves, which are `Exchange`s on threads. The total
limit of time cancels the flight; that cuts the connection, so that a server which sends one byte a second
holds no thread for longer than that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import msgspec

from pynfo.interfaces import FetchFailed
from pynfo.services.fetcher_answer import Ask, Fetched, Headers
from pynfo.services.fetcher_cache import Cache, validators
from pynfo.services.fetcher_hosts import Hosts, Resting
from pynfo.services.fetcher_store import Kept

if TYPE_CHECKING:
    from pynfo.services.fetcher_guard import Address, Network
    from pynfo.services.fetcher_watched import Answer, Exchange

REDIRECTS = 5
ATTEMPTS = 3
BACKOFF = 0.4  # seconds before the second attempt, at most; twice as many before the next
RETRIED = frozenset({429, 502, 503, 504})
FAILED = frozenset({"timeout", "refused", "broken"})  # reasons for another attempt, and against a host

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OWN_CONDITIONS = frozenset({"if-none-match", "if-modified-since", "range"})
_FOR_ANY_HOST = frozenset({"accept", "accept-language"})


class Web(msgspec.Struct):
    """What all flights go by.

    `send` has an exchange done on a thread, after `ready`; `RuntimeError` where too many wait for one.
    `strangers` leaves some threads to those addresses that no stranger gave.
    """

    ready: Callable[[], Awaitable[object]]
    send: Callable[[Exchange], Future[Answer]]
    cache: Cache
    hosts: Hosts
    strangers: asyncio.Semaphore
    user_agent: Callable[[], str]
    proxy: Callable[[], str | None]
    allowed: Callable[[], Sequence[Network]]
    random: Random
    sleep: Callable[[float], Awaitable[object]]


class Flight:
    """`run` gives the answer, once."""

    def __init__(self, ask: Ask, web: Web) -> None:
        self._ask = ask
        self._web = web
        self._service = ask.service  # or the host, when it is known
        self._deadline = time.monotonic() + ask.timeout
        self._silent: str | None = None  # the host that we waited for when the time was over, by its key
        self._thread: Future[Answer] | None = None  # that is asked on, or will be

    async def run(self) -> Fetched:
        """*await* it, within its limit of time. Raises `FetchFailed`."""
        try:
            async with asyncio.timeout(self._ask.timeout):
                return await self._find()
        except TimeoutError as late:
            if self._silent is None:
                text = f"{self._service or 'that address'} could not be asked in time"
                raise FetchFailed(text, "busy") from late
            self._web.hosts.failed(self._silent)
            text = f"{self._service} does not answer (timed out after {self._ask.timeout:g} s)"
            raise FetchFailed(text, "timeout") from late

    async def _find(self) -> Fetched:
        ask, cache = self._ask, self._web.cache
        await self._web.ready()
        start = self._parse(ask.url, guarded=ask.guarded)
        if _OWN_CONDITIONS & {name.lower() for name, _ in ask.headers}:
            return await self._follow(start, None)
        ask = msgspec.structs.replace(ask, url=start.url)  # however it was written
        kept = await cache.find(ask)
        if kept is not None and cache.age(kept) < ask.max_age:
            return self._kept(kept)
        fetched = await self._follow(start, kept)
        if fetched.status == 304 and kept is not None:
            return self._kept(cache.renew(ask, kept, fetched.headers), not_modified=True)
        cache.keep(ask, fetched)
        return fetched

    def _kept(self, kept: Kept, *, not_modified: bool = False) -> Fetched:
        return Fetched(
            kept.status,
            Headers(kept.headers.items()),
            kept.url,
            kept.content,
            service=self._service,
            from_cache=True,
            not_modified=not_modified,
        )

    # -- redirects

    async def _follow(self, address: Address, kept: Kept | None) -> Fetched:
        """Ask, and again where it redirects to. The trust in an address ends where another host begins."""
        guarded = self._ask.guarded
        headers = dict(self._ask.headers)
        visited = {address.url}
        while True:
            conditions = validators(kept) if kept is not None and kept.url == address.url else {}
            answer = await self._ask_again(address, headers | conditions, guarded=guarded)
            location = answer.headers.get("location") if answer.status in _REDIRECTS else None
            if location is None:
                break
            following, guarded = self._redirected(address, location, guarded=guarded)
            if following.url in visited:
                raise FetchFailed(f"{self._service} redirects in a circle", "redirects")
            visited.add(following.url)
            if len(visited) > REDIRECTS + 1:
                raise FetchFailed(f"{self._service} redirects more than {REDIRECTS} times", "redirects")
            if following.key != address.key:  # nothing that only the first is to know
                headers = {name: value for name, value in headers.items() if name.lower() in _FOR_ANY_HOST}
            address = following
        unchanged = answer.status == 304
        return Fetched(
            answer.status,
            answer.headers,
            address.url,
            answer.content,
            service=self._service,
            not_modified=unchanged,
        )

    def _redirected(self, address: Address, location: str, *, guarded: bool) -> tuple[Address, bool]:
        """Where it leads to, and whether that is to be guarded."""
        with suppress(UnicodeError):
            location = location.encode("latin-1").decode()  # as servers mean it; http.client knows no UTF-8
        try:
            url = urljoin(address.url, location.strip().replace(" ", "%20"))
            following = self._parse(url, guarded=guarded)
            if following.host != address.host and not guarded:
                guarded, following = True, self._parse(url, guarded=True)
        except (FetchFailed, ValueError) as wrong:
            raise FetchFailed(f"{self._service} redirects to what cannot be asked", "not allowed") from wrong
        if guarded and address.scheme == "https" and following.scheme == "http":
            raise FetchFailed(f"{self._service} redirects from https:// to http://", "not allowed")
        return following, guarded

    def _parse(self, url: str, *, guarded: bool) -> Address:
        from pynfo.services.fetcher_guard import Refused, parse

        try:
            address = parse(url, guarded=guarded)
        except Refused as refused:
            raise FetchFailed(str(refused), "not allowed") from refused
        self._service = self._service or address.host
        return address

    # -- attempts

    async def _ask_again(self, address: Address, headers: dict[str, str], *, guarded: bool) -> Answer:
        """Ask one address, and again where that may help and there is time."""
        hosts = self._web.hosts
        host = f"{'?' if guarded else ''}{address.key}"  # strangers cannot have our services left alone
        for attempt in range(ATTEMPTS):
            outcome = await self._ask_once(address, headers, host, guarded=guarded)
            wait = self._web.random.uniform(0.5, 1) * BACKOFF * 2**attempt
            if isinstance(outcome, FetchFailed):
                again = outcome.reason in FAILED
            elif again := outcome.status in RETRIED:
                asked = retry_after(outcome.headers, datetime.now(UTC))
                hosts.asked_to_wait(host, asked)
                wait += asked
            if not again or attempt + 1 == ATTEMPTS or time.monotonic() + wait > self._deadline:
                break
            await self._web.sleep(wait)
        if isinstance(outcome, FetchFailed):
            if outcome.reason in FAILED:
                hosts.failed(host)
            raise outcome
        if outcome.status >= 500:
            hosts.failed(host)
        else:
            hosts.answered(host)
        return outcome

    async def _ask_once(
        self, address: Address, headers: dict[str, str], host: str, *, guarded: bool
    ) -> Answer | FetchFailed:
        """What comes of it. Raises `FetchFailed` where it is not even asked."""
        from pynfo.services.fetcher_watched import Exchange

        web = self._web
        exchange = Exchange(
            address,
            {"User-Agent": web.user_agent(), "Accept-Encoding": "gzip, deflate", **headers},
            service=self._service,
            deadline=self._deadline,
            limit=self._ask.limit,
            proxy=None if address.local else web.proxy(),
            allowed=web.allowed() if guarded else None,
        )
        try:
            async with self._among_strangers() if guarded else nullcontext(), web.hosts.turn(host):
                return await self._exchange(exchange, host)
        except Resting as resting:
            raise FetchFailed(f"{self._service} {resting}", "busy") from resting

    @asynccontextmanager
    async def _among_strangers(self) -> AsyncIterator[None]:
        """One of their places, for as long as the thread is taken: a name may be looked up for longer than
        anybody waits for it, and nothing ends that."""
        self._thread = None
        await self._web.strangers.acquire()
        try:
            yield
        finally:
            self._leave_strangers()

    def _leave_strangers(self) -> None:
        leave, loop = self._web.strangers.release, asyncio.get_running_loop()
        if self._thread is None:
            leave()
        else:
            self._thread.add_done_callback(lambda _: _on(loop, leave))

    async def _exchange(self, exchange: Exchange, host: str) -> Answer | FetchFailed:
        try:
            future = self._thread = self._web.send(exchange)
        except RuntimeError as full:
            raise FetchFailed("too much is being fetched already", "busy") from full
        try:
            return await asyncio.wrap_future(future)
        except FetchFailed as failed:
            return failed
        except asyncio.CancelledError:
            if future.running():  # else it still waits for a thread, which is not the host's fault
                self._silent = host
            exchange.abort()
            raise


def _on(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
    """Call it there, from any thread."""
    with suppress(RuntimeError):  # the loop is closed: the bot has stopped
        loop.call_soon_threadsafe(function)


def retry_after(headers: Headers, now: datetime) -> float:
    """How many seconds a server wants to be left alone (RFC 9110 section 10.2.3); 0 where it does not say."""
    from email.utils import parsedate_to_datetime

    written = headers.get("retry-after", "").strip()
    if written.isdecimal():
        return float(written[:9])
    try:
        return max(0.0, (parsedate_to_datetime(written) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):  # no date, or one of no time, or one without a zone
        return 0.0
