"""Answers with an ETag: asked again for what has not changed, the site answers 304 before it makes anything.

An ETag is made of the versions that the archive gives of all that the page shows, and of the version of the
code. What was made is kept, as it was sent, in a bounded memory under its address and ETag: what was redacted
or forgotten is never answered from there, since its ETag is another.
"""

from __future__ import annotations

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from plugins.logs.interfaces import ArchiveBusy
from plugins.logs.site.access import ChannelView

if TYPE_CHECKING:
    from plugins.logs.site.context import Site

BYTES_KEPT = 24 * 2**20  # of bodies
LARGEST_KEPT = 2 * 2**20
COMPRESSED_FROM = 1000  # bytes
COMPRESSION = 3  # of 9: half the time of 5, for a tenth more bytes
THREADS = 1  # that render: more would only take the interpreter from each other and from the bot
WAITING = 64  # renderings that wait for a thread
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HTML = "text/html; charset=utf-8"

Made = TypeVar("Made")


class Body(msgspec.Struct, frozen=True):
    content: bytes
    compressed: bool


class Bodies:
    """What was sent lately, by address: the newest ETag of each only, up to so many bytes in all.

    What several ask for at once is made once.
    """

    def __init__(self, most: int = BYTES_KEPT) -> None:
        self._most = most
        self._bytes = 0
        self._kept: OrderedDict[str, tuple[str, Body]] = OrderedDict()
        self._making: dict[tuple[str, str], asyncio.Task[Body]] = {}

    async def get(self, address: str, etag: str, make: Callable[[], Awaitable[Body]]) -> Body:
        """The body of an address with that ETag; made where it is not kept."""
        kept = self._kept.get(address)
        if kept is not None and kept[0] == etag:
            self._kept.move_to_end(address)
            return kept[1]
        making = self._making.get((address, etag))
        if making is None:
            making = asyncio.ensure_future(self._make(address, etag, make))
            self._making[address, etag] = making
            making.add_done_callback(partial(self._made, (address, etag)))
        return await asyncio.shield(making)  # others may wait for it when this one goes

    def clear(self) -> None:
        """Forget them all."""
        self._kept.clear()
        self._bytes = 0

    async def _make(self, address: str, etag: str, make: Callable[[], Awaitable[Body]]) -> Body:
        body = await make()
        self._drop(address)
        if len(body.content) <= LARGEST_KEPT:
            self._kept[address] = (etag, body)
            self._bytes += len(body.content)
        while self._bytes > self._most:
            self._drop(next(iter(self._kept)))
        return body

    def _drop(self, address: str) -> None:
        kept = self._kept.pop(address, None)
        if kept is not None:
            self._bytes -= len(kept[1].content)

    def _made(self, key: tuple[str, str], making: asyncio.Task[Body]) -> None:
        self._making.pop(key, None)
        if not making.cancelled():
            making.exception()  # whoever waits gets it; nobody may wait any more


class Renderer:
    """Renders on a thread of its own, so that a page of a thousand lines does not hold up the bot."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="log-pages")
        self._waiting = 0

    async def run(self, function: Callable[..., Made], *args: Any, **kw: Any) -> Made:
        """Run a function there. Raises `ArchiveBusy` where too many wait already."""
        if self._waiting >= WAITING:
            raise ArchiveBusy("Too many pages are asked for at once; please try again in a moment.")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, partial(function, *args, **kw))
        finally:
            self._waiting -= 1

    def stop(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


async def page(
    request: Request,
    etag: str,
    make: Callable[[], Awaitable[str]],
    *,
    view: ChannelView | None = None,
    status: int = 200,
    cached: bool = True,
) -> Response:
    """An HTML page. `etag` holds the versions of all that it shows, of any length; `make` is only called
    where the reader does not have it, and awaits `site.render(…)`. `view`: the channel that it shows, if one.

    `cached` False: what is asked too rarely, or in too many ways, to be kept in memory.
    """
    response = await answer(request, etag, make, media_type=HTML, view=view, status=status, cached=cached)
    response.headers["content-security-policy"] = POLICY
    return response


async def answer(
    request: Request,
    etag: str,
    make: Callable[[], Awaitable[str | bytes]],
    *,
    media_type: str,
    view: ChannelView | None = None,
    status: int = 200,
    cached: bool = True,
) -> Response:
    """As `page`, of any type of text."""
    site: Site = request.app.state.site
    headers, known = tagged(request, etag, view)
    if status == 200 and known:
        return Response(status_code=304, headers=headers)
    compress = "gzip" in request.headers.get("accept-encoding", "")

    async def make_body() -> Body:
        made = await make()
        content = made.encode(errors="replace") if isinstance(made, str) else made
        if not compress or len(content) < COMPRESSED_FROM:
            return Body(content, compressed=False)
        return Body(await site.renderer.run(gzip.compress, content, COMPRESSION, mtime=0), compressed=True)

    if cached:
        address = f"{request.scope['path']}?{request.url.query} {compress}"
        body = await site.bodies.get(address, f"{headers['etag']} {status}", make_body)
    else:
        body = await make_body()
    if body.compressed:
        headers["content-encoding"] = "gzip"
    return Response(body.content, status, headers, media_type)


def tagged(request: Request, etag: str, view: ChannelView | None) -> tuple[dict[str, str], bool]:
    """The headers of an answer with that ETag, and whether whoever asks has it already."""
    site: Site = request.app.state.site
    tag = f'W/"{sha256(f"{etag} {site.version}".encode(errors="surrogatepass")).hexdigest()[:32]}"'
    return {"etag": tag, "vary": "Accept-Encoding", **headers_of(view)}, _has(request, tag)


def headers_of(view: ChannelView | None) -> dict[str, str]:
    """How long an answer may be kept and who may index it."""
    private = view is not None and view.publish == "private"
    headers = {"cache-control": "private, no-store" if private else "no-cache"}
    if view is not None and (tags := robots_tags(view)):
        headers["x-robots-tag"] = ", ".join(tags)
    return headers


def robots_tags(view: ChannelView) -> list[str]:
    """What robots are told of a channel."""
    tags = []
    if view.publish != "public" or not view.settings.robots.search:
        tags.append("noindex")
    if not view.settings.robots.ai:
        tags += ["noai", "noimageai"]
    return tags


def _has(request: Request, tag: str) -> bool:
    """Whether whoever asks has it already (RFC 9110 section 13.1.2: compared weakly)."""
    held = request.headers.get("if-none-match", "")
    return held.strip() == "*" or tag.removeprefix("W/") in (
        one.strip().removeprefix("W/") for one in held.split(",")
    )
