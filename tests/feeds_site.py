"""A site with feeds, on 127.0.0.1: what it serves can change between two looks, and it fails on demand."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from email.utils import formatdate
from typing import Any
from xml.sax.saxutils import escape

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
NOON = 1_700_000_000.0  # a time in UTC epoch seconds; the entry number n is n hours later


class Site:
    """Serves what stands in `pages` (path to body), with an ETag, and 404 for the rest.

    `failing`: paths with the status that they are answered with. `asked`: the requests so far.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.pages: dict[str, bytes] = {}
        self.failing: dict[str, int] = {}
        self.asked: list[Request] = []
        self.unchanged = 0  # answers of 304
        self.url = f"http://127.0.0.1:{server.port}"
        server.expect_request(re.compile(".*")).respond_with_handler(self._answer)

    def serve(self, path: str, body: str | bytes) -> str:
        """Serve it from now on; gives its address."""
        self.pages[path] = body.encode() if isinstance(body, str) else body
        return self.url + path

    def count(self, path: str) -> int:
        """How often it was asked for."""
        return sum(request.path == path for request in self.asked)

    def _answer(self, request: Request) -> Response:
        self.asked.append(request)
        if request.path in self.failing:
            return Response("out of order", self.failing[request.path])
        body = self.pages.get(request.path)
        if body is None:
            return Response("not here", 404)
        etag = hashlib.sha256(body).hexdigest()
        if etag in request.if_none_match:
            self.unchanged += 1
            return Response(status=304, headers={"ETag": f'"{etag}"'})
        kind = "application/json" if request.path.endswith("/json") else "text/xml; charset=UTF-8"
        return Response(body, headers={"Content-Type": kind, "ETag": f'"{etag}"'})


def rss(
    numbers: Sequence[int] = (),
    items: str = "",
    *,
    title: str = "The Blog",
    dated: bool = True,
    ids: bool = True,
) -> str:
    """RSS 2.0 with entries of these numbers, in this order, and with these items after them."""
    items = "".join(item(number, dated=dated, ids=ids) for number in numbers) + items
    return (
        f'{XML}<rss version="2.0"><channel><title>{escape(title)}</title><link>https://blog.example/</link>'
        f"<description>Posts</description>{items}</channel></rss>"
    )


def item(number: int, *, dated: bool = True, ids: bool = True, **more: Any) -> str:
    """One item; `more` are elements of it, None: leave it out."""
    parts = {"title": f"Post {number}", "link": f"https://blog.example/{number}"} | more
    if ids:
        parts.setdefault("guid", f"tag:blog.example,{number}")
    if dated:
        parts.setdefault("pubDate", formatdate(NOON + number * 3600, usegmt=True))
    given = {name: escape(str(text)) for name, text in parts.items() if text is not None}
    return "<item>" + "".join(f"<{name}>{text}</{name}>" for name, text in given.items()) + "</item>"
