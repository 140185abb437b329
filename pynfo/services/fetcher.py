"""`IFetcher`: HTTP for plugins."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

from zope.interface import implementer

from pynfo.interfaces import FetchFailed, IFetcher
from pynfo.services.fetcher_answer import Fetched, Headers
from pynfo.services.fetcher_pool import DaemonExecutor

if TYPE_CHECKING:
    from pynfo.factory import Factory
    from pynfo.services.fetcher_session import Session

THREADS = 16
WAITING = 500
REDIRECTS = 5


@implementer(IFetcher)
class Fetcher:
    """See `IFetcher`."""

    def __init__(self, factory: Factory) -> None:
        self._factory = factory
        self._pool = DaemonExecutor("pynfo-fetch", THREADS, WAITING)
        self._session: Session | None = None

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
        service = service or urlsplit(url).hostname or url
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params, doseq=True)
        try:
            async with asyncio.timeout(timeout):
                return await self._follow(url, dict(headers or {}), limit, timeout, service)
        except TimeoutError as late:
            raise FetchFailed(
                f"{service} does not answer (timed out after {timeout:g} s)", "timeout"
            ) from late

    async def stop(self) -> None:
        self._pool.shutdown()

    async def _follow(
        self, url: str, headers: dict[str, str], limit: int, timeout: float, service: str
    ) -> Fetched:
        for _ in range(REDIRECTS + 1):
            fetched = await self._ask(url, headers, limit, timeout, service)
            if fetched.status not in (301, 302, 303, 307, 308) or "location" not in fetched.headers:
                return fetched
            url = urljoin(url, fetched.headers["location"])
        raise FetchFailed(f"{service} redirects too often", "redirects")

    async def _ask(
        self, url: str, headers: dict[str, str], limit: int, timeout: float, service: str
    ) -> Fetched:
        session = await asyncio.wrap_future(self._pool.submit(self._opened))

        from requests import RequestException

        from pynfo.services.fetcher_session import TooLarge, ask

        try:
            answer = await asyncio.wrap_future(ask(session, url, headers, limit, timeout))
        except TooLarge as error:
            raise FetchFailed(f"{service} sends too much", "too large") from error
        except RequestException as error:
            raise FetchFailed(f"{service} cannot be reached", "refused") from error
        return Fetched(
            answer.status_code, Headers(answer.headers.items()), url, answer.content, service=service
        )

    def _opened(self) -> Session:
        if self._session is None:
            from pynfo.services.fetcher_session import Session

            self._session = Session(self._pool)
        return self._session
