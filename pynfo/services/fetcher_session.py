"""HTTP itself, over requests-futures: one request, on a thread of the pool, its body read to a limit.

Imported on such a thread, since requests takes a third of a second to import. Nothing that the environment
says of proxies and passwords counts, no cookies are kept, and redirects are left to who asks.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests_futures.sessions import FuturesSession
from urllib3 import HTTPResponse
from urllib3.util.ssl_ import create_urllib3_context

from pynfo.interfaces import FetchFailed
from pynfo.services.fetcher_answer import Headers
from pynfo.services.fetcher_failures import NoConnection, in_words
from pynfo.services.fetcher_guard import Refused, resolve
from pynfo.services.fetcher_watched import POOLS, SOCKS_POOLS, Answer, Exchange, exchange_here

CONNECT_LIMIT = 5.0  # seconds, for each address that is tried
READ_LIMIT = 10.0  # seconds between two pieces of an answer
HEADER_BYTES = 64 * 1024  # of all headers of an answer
CHUNK = 16 * 1024  # bytes that are decompressed at a time
HOSTS_KEPT, CONNECTIONS_KEPT = 20, 4  # open, for the next request: of so many hosts, so many of each

# urllib3 warns of what a server does wrong, which whoever asked is told anyway.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class _Adapter(HTTPAdapter):
    """Connects to the address that an exchange is pinned to, where it is; its connections can be cut."""

    def __init__(self) -> None:
        self._tls = _tls()
        super().__init__(HOSTS_KEPT, CONNECTIONS_KEPT)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._tls)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs, ssl_context=self._tls)
        manager.pool_classes_by_scheme = SOCKS_POOLS if proxy.startswith("socks") else POOLS
        return manager

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host: Any
        pool: Any
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        exchange = exchange_here.get()
        if exchange.pinned:
            pool["server_hostname"] = exchange.address.host  # of the certificate
            host["host"] = exchange.pinned
        return host, pool

    def request_url(self, request: Any, proxies: Any) -> str:
        """What the first line of a request asks for: the whole address, where it goes to an HTTP proxy."""
        url = super().request_url(request, proxies)
        exchange = exchange_here.get()
        if not exchange.pinned or url.startswith("/"):
            return url
        host = f"[{exchange.pinned}]" if ":" in exchange.pinned else exchange.pinned
        return f"http://{host}:{exchange.address.port}{request.path_url}"

    def cert_verify(self, *_: Any) -> None:
        """Nothing: `_tls` verifies. requests would add its own authorities to those of the system."""


class Session(requests.Session):
    """The one session of a bot."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies = RequestsCookieJar(DefaultCookiePolicy(allowed_domains=[]))
        adapter = _Adapter()
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: each may lead elsewhere, which is looked at before it is followed."""

    def request(self, method: str, url: str, *, exchange: Exchange) -> Answer:  # type: ignore[override]
        """Do it, on this thread. Raises `FetchFailed`."""
        token = exchange_here.set(exchange)
        try:
            prepared = self.prepare_request(requests.Request(method, url, exchange.headers))
            if exchange.allowed is None:
                return self._ask(prepared, exchange)
            prepared.headers["Host"] = exchange.address.named
            return self._ask_each(prepared, exchange, resolve(exchange.address, exchange.allowed))
        except FetchFailed:
            raise
        except Refused as refused:
            raise FetchFailed(str(refused), "not allowed") from refused
        except requests.exceptions.InvalidHeader:
            raise
        except Exception as error:  # libraries raise all kinds at what servers send
            raise in_words(error, exchange.service) from error
        finally:
            exchange_here.reset(token)
            exchange.watch(None)

    def _ask_each(
        self, prepared: requests.PreparedRequest, exchange: Exchange, numbers: Sequence[str]
    ) -> Answer:
        """Ask at the first of the checked addresses that can be connected to."""
        *others, last = numbers
        for number in others:
            exchange.pinned = number
            try:
                return self._ask(prepared, exchange)
            except NoConnection:
                continue
        exchange.pinned = last
        return self._ask(prepared, exchange)

    def _ask(self, prepared: requests.PreparedRequest, exchange: Exchange) -> Answer:
        left = exchange.deadline - time.monotonic()
        if left <= 0 or exchange.cut:
            raise FetchFailed(f"{exchange.service} was not asked in time", "timeout")
        try:
            response = self.send(
                prepared,
                stream=True,
                allow_redirects=False,
                # What is over the time that is left, the watchdog ends before.
                timeout=(min(CONNECT_LIMIT, left + 1), min(READ_LIMIT, left + 1)),
                proxies={"http": exchange.proxy, "https": exchange.proxy} if exchange.proxy else {},
            )
        except requests.ConnectionError as error:
            raise in_words(error, exchange.service) from error
        with response:
            headers = Headers(response.headers.items())
            if sum(len(name) + len(value) for name, value in headers.items()) > HEADER_BYTES:
                raise FetchFailed(f"{exchange.service} sends too much in its headers", "too large")
            return Answer(response.status_code, headers, _body(response, headers, exchange))


class Futures(FuturesSession):  # type: ignore[misc]
    """`Session`, on the threads of `executor`."""

    def __init__(self, executor: Executor) -> None:
        super().__init__(executor=executor, session=Session())

    def ask(self, exchange: Exchange) -> Future[Answer]:
        future: Future[Answer] = self.request("GET", exchange.address.url, exchange=exchange)
        return future

    def end(self) -> None:
        """Close what is kept open. Whatever is under way closes its own."""
        self.session.close()


def _body(response: requests.Response, headers: Headers, exchange: Exchange) -> bytes:
    """The body, decompressed bit by bit, so that a small one that grows cannot fill the memory."""
    length = headers.get("content-length", "")
    body = bytearray()
    if not length.isdecimal() or int(length[:18]) <= exchange.limit:
        raw: HTTPResponse = response.raw
        for chunk in raw.stream(CHUNK, decode_content=True):
            body += chunk
            if len(body) > exchange.limit:
                break
        else:
            return bytes(body)
    raise FetchFailed(f"{exchange.service} sends too much (over {_size(exchange.limit)})", "too large")


def _size(limit: int) -> str:
    return f"{limit / (1 << 20):g} MiB" if limit >= 1 << 20 else f"{max(limit >> 10, 1)} KiB"


def _tls() -> ssl.SSLContext:
    """Certificates are checked against the authorities of the system, or certifi's where it has none."""
    context = create_urllib3_context()
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        context.load_default_certs()
    else:
        context.load_verify_locations(certifi.where())
    return context
