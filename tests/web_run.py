"""What the tests of the web share: a bot without networks that serves pages, and pages for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from pynfo.config import Config
from pynfo.config_http import HttpSettings
from pynfo.factory import Factory
from pynfo.interfaces import IWeb

WAIT = 10.0  # seconds for anything to happen on a busy machine


class Served:
    """A running factory that serves, and a reader of its pages."""

    def __init__(self, factory: Factory, reader: httpx.AsyncClient) -> None:
        self.factory = factory
        self.web: Any = IWeb(factory)
        self.reader = reader

    @property
    def port(self) -> int:
        url = self.web.url()
        assert url is not None
        return int(url.rpartition(":")[2].rstrip("/"))

    async def get(self, path: str = "/", **more: Any) -> httpx.Response:
        return await self.reader.get(self.web.url(path), **more)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection."""
        return await asyncio.open_connection("127.0.0.1", self.port)


@asynccontextmanager
async def serving(folder: Path, **http: Any) -> AsyncIterator[Served]:
    """Serve on a free port, with no limit of the rate if not said; `http` are fields of `HttpSettings`."""
    settings = HttpSettings(**{"port": 0, "requests_per_second": None, **http})
    factory = Factory(Config(state_dir=folder, path=folder / "config.py", plugins={}, http=settings))
    await factory.start()
    try:
        async with httpx.AsyncClient(timeout=WAIT, trust_env=False) as reader:
            yield Served(factory, reader)
    finally:
        await factory.stop()


def page(text: str = "a page", status: int = 200, **headers: str) -> Any:
    """An application that answers every request with `text`."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        given = {"content-type": "text/html", "content-length": str(len(text))}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        encoded = [(name.encode(), value.encode()) for name, value in given.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": text.encode()})

    return app


class Gate:
    """An application whose answer waits until it is opened."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.opened = asyncio.Event()
        self.working = 0
        self.most = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.working += 1
        self.most = max(self.most, self.working)
        self.asked.set()
        try:
            await self.opened.wait()
            await page("open")(scope, receive, send)
        finally:
            self.working -= 1


class Stream:
    """An application that answers with an event stream, which says what it is told."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[str] = asyncio.Queue()
        self.followed = 0
        self.ended = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.followed += 1
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        speaking = asyncio.create_task(self._speak(send))
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            speaking.cancel()
            self.ended.set()

    async def _speak(self, send: Any) -> None:
        while True:
            event = (await self.events.get()).encode()
            await send({"type": "http.response.body", "body": event, "more_body": True})
