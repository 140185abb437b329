"""The site as an ASGI application, with all its addresses.

Routes are matched against the path as it was sent, still percent-encoded: `%2F` in a name is a part of the
name. Segments reach the handlers raw, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from plugins.logs.archive.query import QueryError
from plugins.logs.interfaces import ArchiveBusy
from plugins.logs.settings import Settings
from plugins.logs.site import addresses, api, feed, live, pages, robots, text
from plugins.logs.site.access import Instead
from plugins.logs.site.context import Site, site_of

RETRY_AFTER = "5"  # seconds
FOREVER = "public, max-age=31536000, immutable"
NO_PAGE = "There is no such page."
NO_ANSWER = "There is nothing at this address: /openapi.json tells what there is."


def make_site(
    archive: Any,
    settings: Settings,
    *,
    key: bytes,
    url: Callable[[str], str | None],
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """The site of an `IArchive`. `await app.state.site.stop()` ends its streams and threads."""
    app = Starlette(
        routes=routes(),
        middleware=[Middleware(RawPaths)],
        exception_handlers={
            HTTPException: _refused,
            ArchiveBusy: _busy,
            QueryError: _not_understood,
            Instead: _instead,
            Exception: _failed,
        },
    )
    app.router.redirect_slashes = False
    app.state.site = Site(archive, settings, key=key, url=url, clock=clock)
    return app


def routes() -> list[Route]:
    """Every address there is."""
    return [
        Route("/", pages.index),
        Route("/search", pages.search),
        Route("/search/counts", pages.counts),
        Route("/L/{id}", text.line),
        Route("/L/{id}/around", pages.around),
        Route("/static/{name}", static),
        Route("/favicon.ico", icon),
        Route("/healthz", robots.healthz),
        Route("/robots.txt", robots.robots),
        Route("/sitemap.xml", robots.sitemap),
        Route("/openapi.json", api.description),
        *api.routes(),
        Route("/{network}", network),
        Route("/{network}/", network),
        Route("/{network}/{channel}", with_slash),
        Route("/{network}/{channel}/", pages.latest),
        Route("/{network}/{channel}/about", pages.about),
        Route("/{network}/{channel}/search", pages.search),
        Route("/{network}/{channel}/search/counts", pages.counts),
        Route("/{network}/{channel}/feed.atom", feed.feed),
        Route("/{network}/{channel}/live", live.live),
        *[Route("/{network}/{channel}/{day}." + form, partial(text.day, form=form)) for form in text.FORMS],
        Route("/{network}/{channel}/{day}", pages.day),
    ]


class RawPaths:
    """Lets routes see the path as it was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw: bytes | None = scope.get("raw_path")
        if scope["type"] == "http" and raw is not None:
            scope = {**scope, "path": raw.partition(b"?")[0].decode("latin-1")}
        await self._app(scope, receive, send)


async def static(request: Request) -> Response:
    asset = site_of(request).assets.find(request.path_params["name"])
    if asset is None:
        raise HTTPException(404, NO_PAGE)
    headers = {"cache-control": FOREVER, "vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(asset.content, headers=headers, media_type=asset.media_type)
    headers["content-encoding"] = "gzip"
    return Response(asset.compressed, headers=headers, media_type=asset.media_type)


async def icon(request: Request) -> Response:
    """For those who ask without having read the page."""
    return RedirectResponse(site_of(request).assets.address("icon.svg"), 302)


async def network(request: Request) -> Response:
    """`/libera/` leads to its channels in the list."""
    name = unquote(request.path_params["network"])
    if all(view.info.network != name for view in await site_of(request).listed()):
        raise HTTPException(404)
    return RedirectResponse(f"/#{quote(name)}", 302)


async def with_slash(request: Request) -> Response:
    """`/libera/pynfo` leads to `/libera/pynfo/`, whether that is there or not."""
    if request.path_params["network"] in addresses.RESERVED:
        raise HTTPException(404, NO_PAGE)
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{request.scope['path']}/{query}", 301)


async def refusal(request: Request, status: int, sentence: str) -> Response:
    """One sentence: as JSON to whoever asks for JSON, and as a page to a person."""
    sentence = sentence[:1].upper() + sentence[1:] + ("" if sentence.endswith((".", "?", "!")) else ".")
    path: str = request.scope["path"]
    if path.startswith("/api/") or path == "/openapi.json":
        response: Response = JSONResponse({"error": sentence}, status)
    else:
        response = pages.error(request, status, sentence)
    response.headers.setdefault("cache-control", "no-store")
    response.headers.setdefault("x-robots-tag", "noindex")
    return response


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = error.detail
    if error.status_code == 404 and sentence == "Not Found":  # as Starlette says it
        sentence = NO_ANSWER if request.scope["path"].startswith("/api/") else NO_PAGE
    response = await refusal(request, error.status_code, sentence)
    response.headers.update(error.headers or {})
    return response


async def _busy(request: Request, error: Exception) -> Response:
    response = await refusal(request, 503, str(error))
    response.headers["retry-after"] = RETRY_AFTER
    return response


async def _not_understood(request: Request, error: Exception) -> Response:
    return await refusal(request, 400, str(error))


async def _failed(request: Request, error: Exception) -> Response:
    """The listener writes the traceback to the log."""
    return await refusal(request, 500, "Something went wrong here; it has been noted.")


async def _instead(request: Request, error: Exception) -> Response:
    assert isinstance(error, Instead)
    return error.response
