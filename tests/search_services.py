"""Services that search the web, as far as a bot sees them, and bots that ask them.

The shapes are those of SearXNG's search API, of Brave's Web Search API, of Google's Custom Search JSON API
and of MediaWiki's Action API with the extension TextExtracts.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from pynfo.testing.bot import Bot, config_for

Page = tuple[str, str, str]  # title, address, snippet

ZOPE: Page = ("Zope", "https://www.zope.dev/", "Zope is an application server")
KEY, ENGINE = "the-key", "the-engine"
SEARXNG, BRAVE, GOOGLE, WIKIPEDIA = "/search", "/res/v1/web/search", "/customsearch/v1", "/w/api.php"


class Services:
    """All of them on one server, each at its own path. What is not told to answer answers with 500."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.url = server.url_for("").rstrip("/")
        self.reached = threading.Event()  # a request has come that is left to hang
        self._held = threading.Event()

    def settings(self, *providers: str, **settings: Any) -> dict[str, Any]:
        """Settings of the plugin that lead here."""
        here = {f"{name}_url": self.url for name in ("searxng", "brave", "google", "wikipedia")}
        keys = {"brave_key": KEY, "google_key": KEY, "google_cx": ENGINE}
        return {"providers": list(providers), **here, **keys, **settings}

    def asked(self, path: str = "") -> list[Request]:
        """The requests that came, of one path or of all."""
        return [request for request, _ in self.server.log if path in ("", request.path)]

    # -- what they answer

    def searxng(self, *pages: Page, **more: Any) -> None:
        answer = {
            "query": "zope",
            "number_of_results": 0,
            "results": [
                {
                    "url": address,
                    "title": title,
                    "content": content,
                    "publishedDate": None,
                    "engine": "mojeek",
                    "template": "default.html",
                    "parsed_url": ["https", "www.zope.dev", "/", "", "", ""],
                    "engines": ["mojeek"],
                    "positions": [1],
                    "score": 1.0,
                    "category": "general",
                }
                for title, address, content in pages
            ],
            "answers": [],
            "corrections": [],
            "infoboxes": [],
            "suggestions": [],
            "unresponsive_engines": [],
        }
        self.json(SEARXNG, answer | more)

    def brave(self, *pages: Page) -> None:
        answer: dict[str, Any] = {
            "type": "search",
            "query": {"original": "zope", "more_results_available": False},
        }
        if pages:
            found = [
                {
                    "type": "search_result",
                    "title": title,
                    "url": address,
                    "description": text,
                    "language": "en",
                }
                for title, address, text in pages
            ]
            answer["web"] = {"type": "search", "results": found, "family_friendly": True}
        self.json(BRAVE, answer)

    def google(self, *pages: Page) -> None:
        answer: dict[str, Any] = {
            "kind": "customsearch#search",
            "searchInformation": {"searchTime": 0.2, "totalResults": str(len(pages))},
        }
        if pages:
            answer["items"] = [
                {
                    "kind": "customsearch#result",
                    "title": title,
                    "htmlTitle": f"<b>{title}</b>",
                    "link": address,
                    "displayLink": "www.zope.dev",
                    "snippet": text,
                    "htmlSnippet": f"<b>{text}</b>",
                }
                for title, address, text in pages
            ]
        self.json(GOOGLE, answer)

    def wikipedia(self, *pages: Page, meanings: str = "") -> None:
        """Pages come in no order, with their place in `index`; `meanings`: the title that lists them."""
        answer: dict[str, Any] = {"batchcomplete": True}
        if pages:
            found = [
                {
                    "pageid": 100 + index,
                    "ns": 0,
                    "title": title,
                    "index": index,
                    "fullurl": address,
                    "editurl": f"{address}?action=edit",
                    "extract": text,
                }
                | ({"pageprops": {"disambiguation": ""}} if title == meanings else {})
                for index, (title, address, text) in enumerate(pages, 1)
            ]
            answer["query"] = {"pages": found[::-1]}
        self.json(WIKIPEDIA, answer)

    def json(self, path: str, answer: Any, status: int = 200) -> None:
        self.server.expect_request(path).respond_with_json(answer, status=status)

    # -- how they misbehave

    def fails(self, path: str, status: int = 500) -> None:
        self.server.expect_request(path).respond_with_data("", status=status)

    def says(self, path: str, content: bytes) -> None:
        """Something that was not asked for."""
        self.server.expect_request(path).respond_with_data(content, content_type="application/json")

    def hangs(self, path: str) -> None:
        """It answers nothing, until the end of the test."""

        def hold(request: Request) -> Response:
            self.reached.set()
            self._held.wait()
            return Response("")

        self.server.expect_request(path).respond_with_handler(hold)

    def let_go(self) -> None:
        self._held.set()


@asynccontextmanager
async def searching(folder: Path, settings: dict[str, Any]) -> AsyncIterator[Bot]:
    """A bot that searches with these settings."""
    async with Bot.running(config_for(folder, plugins={"search": settings, "admin": {}})) as bot:
        yield bot


async def asked(folder: Path, settings: dict[str, Any], text: str = "!search zope") -> str:
    """What a bot with these settings answers."""
    async with searching(folder, settings) as bot:
        return await bot.ask(text)
