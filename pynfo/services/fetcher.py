"""`IFetcher`: HTTP for plugins, from the event loop's side.

Who asks waits here, and whoever asks for the same meanwhile waits with them; `fetcher_flight.py` gets the
answer, and `fetcher_session.py` does the requests, on threads of its own. Beside them stand what is kept
(`fetcher_cache.py`), manners (`fetcher_hosts.py`) and the guard (`fetcher_guard.py`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from zope.interface import implementer

from pynfo import __version__
from pynfo.interfaces import FetchFailed, IFetcher
from pynfo.irc.settings import reveal
from pynfo.ownership import adopt, running_as
from pynfo.services.fetcher_answer import Ask, Fetched
from pynfo.services.fetcher_cache import Cache
from pynfo.services.fetcher_flight import Flight, Web
from pynfo.services.fetcher_hosts import Hosts
from pynfo.services.fetcher_pool import DaemonExecutor

if TYPE_CHECKING:
    from pynfo.factory import Factory
    from pynfo.services.fetcher_guard import Network
    from pynfo.services.fetcher_session import Futures
    from pynfo.services.fetcher_watched import Answer, Exchange

THREADS = 16
STRANGERS_AT_ONCE = 8  # requests to addresses that strangers gave
WAITING = 1000  # plugins' calls that wait for an answer
STOP_LIMIT = 1.0  # seconds for threads whose connections are cut

CACHE_FILE = "http-cache.sqlite"


class _Shared:
    """A flight, and those who wait for it. When nobody does any more it is cancelled."""

    def __init__(self, flight: Flight) -> None:
        self.waiting: set[asyncio.Future[Fetched]] = set()
        with running_as(None):  # it is not the first asker's alone
            self.task = asyncio.create_task(flight.run())
        self.task.add_done_callback(self._landed)

    async def wait(self, waiter: asyncio.Future[Fetched]) -> Fetched:
        self.waiting.add(waiter)
        try:
            return await waiter
        finally:
            self.waiting.discard(waiter)
            if not self.waiting:
                self.task.cancel()

    def _landed(self, task: asyncio.Task[Fetched]) -> None:
        error = None if task.cancelled() else task.exception()
        for waiter in self.waiting:
            if waiter.done():
                continue
            if task.cancelled():
                waiter.cancel()
            elif isinstance(error, FetchFailed):  # to each a traceback of their own
                failure = FetchFailed(str(error), error.reason, error.status)
                failure.__cause__ = error
                waiter.set_exception(failure)
            elif error is not None:
                waiter.set_exception(error)
            else:
                waiter.set_result(task.result())


@implementer(IFetcher)
class Fetcher:
    """See `IFetcher`. `clock` (monotonic seconds), `now` (UTC epoch seconds), `sleep` and `random` are for
    tests."""

    def __init__(
        self,
        factory: Factory,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        random: Random | None = None,
    ) -> None:
        self._factory = factory
        self._pool = DaemonExecutor("pynfo-fetch", THREADS, WAITING)
        self._futures: Futures | None = None
        self._opening: Future[Futures] | None = None
        self._asked: set[Future[Answer]] = set()
        self._shared: dict[Ask, _Shared] = {}
        self._stopped = False
        self._web = Web(
            ready=self._ready,
            send=self._send,
            cache=Cache(factory.state_dir / CACHE_FILE, now=now),
            hosts=Hosts(clock=clock, sleep=sleep),
            strangers=asyncio.Semaphore(STRANGERS_AT_ONCE),
            user_agent=self._user_agent,
            proxy=self._proxy,
            allowed=self._allowed,
            random=random or Random(),
            sleep=sleep,
        )

    async def get(
        self,
        url: str,
        params: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        guarded: bool = False,
        timeout: float = 20.0,
        limit: int = 2 << 20,
        max_age: float = 0.0,
        service: str = "",
    ) -> Fetched:
        if params:
            pairs = list(params.items() if isinstance(params, Mapping) else params)
            url += ("&" if "?" in url else "?") + urlencode(pairs, doseq=True, errors="replace")
        ask = Ask(
            url=url,
            headers=tuple(sorted((headers or {}).items())),
            guarded=guarded,
            timeout=timeout,
            limit=limit,
            max_age=max_age,
            service=service,
        )
        if self._stopped:
            raise FetchFailed("the bot is stopping", "busy")
        if sum(len(shared.waiting) for shared in self._shared.values()) >= WAITING:
            raise FetchFailed("too much is being fetched already", "busy")
        waiter: asyncio.Future[Fetched] = asyncio.get_running_loop().create_future()
        forget = adopt(lambda: _cancel(waiter))
        try:
            return await self._join(ask).wait(waiter)
        finally:
            forget()

    async def stop(self) -> None:
        """Cancel all that is under way."""
        self._stopped = True
        tasks = [shared.task for shared in self._shared.values()]
        for task in tasks:
            task.cancel()
        self._pool.shutdown()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_LIMIT)
        with suppress(TimeoutError):  # they are cut by now, but may look up a name
            async with asyncio.timeout(STOP_LIMIT):
                await asyncio.gather(*map(asyncio.wrap_future, list(self._asked)), return_exceptions=True)
        if self._futures is not None:
            self._futures.end()
        await self._web.cache.stop()

    def _join(self, ask: Ask) -> _Shared:
        """The flight that gets it, which may be under way."""
        shared = self._shared.get(ask)
        if shared is None or shared.task.cancelling():  # nobody waited for it any more
            shared = self._shared[ask] = _Shared(Flight(ask, self._web))
            shared.task.add_done_callback(lambda _: self._landed(ask, shared))
        return shared

    def _landed(self, ask: Ask, shared: _Shared) -> None:
        if self._shared.get(ask) is shared:
            del self._shared[ask]

    # -- what flights go by

    async def _ready(self) -> None:
        """*await* the libraries, which are imported on a thread when something is first asked."""
        if self._futures is None:
            if self._opening is None:
                self._opening = self._pool.submit(self._open)
            self._futures = await asyncio.shield(asyncio.wrap_future(self._opening))

    def _open(self) -> Futures:
        from pynfo.services.fetcher_session import Futures

        return Futures(self._pool)

    def _send(self, exchange: Exchange) -> Future[Answer]:
        assert self._futures is not None
        future = self._futures.ask(exchange)
        self._asked.add(future)
        future.add_done_callback(self._asked.discard)
        return future

    def _user_agent(self) -> str:
        """Such as "Pynfo/1.0 (me@example.org)" (RFC 9110 section 10.1.5)."""
        contact = self._factory.config.fetch_contact
        return f"Pynfo/{__version__}" + (f" ({contact})" if contact else "")

    def _proxy(self) -> str | None:
        proxy = self._factory.config.fetch_proxy
        return None if proxy is None else reveal(proxy)

    def _allowed(self) -> Sequence[Network]:
        from pynfo.services.fetcher_guard import networks

        return networks(self._factory.config.fetch_allow)


def _cancel(waiter: asyncio.Future[Fetched]) -> None:
    waiter.cancel()
