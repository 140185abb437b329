"""The plugins' pages as an ASGI application, for any ASGI server: `uvicorn pynfo.asgi:application`.

The environment says which config: `PYNFO_CONFIG`, ./config.py if not said. `host` and `port` of its `http`
are then the server's affair; its limits hold in each process of the server by itself.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from pynfo.__main__ import CONFIG
from pynfo.config import load
from pynfo.interfaces import IWeb
from pynfo.services.web_exchange import Receive, Scope, Send
from pynfo.web_factory import NoPages, WebFactory

VARIABLE = "PYNFO_CONFIG"


class CannotStart(Exception):
    """The pages cannot be served: every reason, one a line."""


class Application:
    """The pages of one config, loaded at the server's start, or at the first request."""

    def __init__(self) -> None:
        self._factory: WebFactory | None = None
        self._guard: Any = None
        self._starting: asyncio.Lock | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if self._guard is None:
            await self._start()
        await self._guard(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except CannotStart as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def stop(self) -> None:
        """End all requests, and let the plugins go."""
        factory, self._factory = self._factory, None
        if factory is not None:
            await self._guard.end()
            await factory.stop()

    async def _start(self) -> None:
        """Load the pages, once. Raises `CannotStart`."""
        self._starting = self._starting or asyncio.Lock()
        async with self._starting:
            if self._guard is not None:
                return
            path = os.environ.get(VARIABLE) or CONFIG
            loaded = await asyncio.to_thread(load, path, networks_needed=False)
            if loaded.config is None:
                raise CannotStart("\n".join(map(str, loaded.mistakes)))
            factory = WebFactory(loaded.config, in_bot=False)
            try:
                await factory.start()
            except NoPages as error:
                await factory.stop()
                raise CannotStart(f"{path}: {error}") from None
            self._factory = factory
            self._guard = IWeb(factory).guard(factory.config.http)


application = Application()
