"""The log site for tests: over a real archive, asked without a socket or over one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvicorn

from plugins.logs.archive.service import Archive
from plugins.logs.settings import ChannelSettings, Settings
from plugins.logs.site.app import make_site
from plugins.logs.site.context import Site
from tests.logs_archive import NOON

ADDRESS = "https://logs.test"
PUBLIC, UNLISTED, PRIVATE, HIDDEN = "libera/#pynfo", "libera/#hushed", "oftc/#walled", "oftc/#buried"
PLACES = {
    PUBLIC: ChannelSettings(publish="public"),
    UNLISTED: ChannelSettings(publish="unlisted"),
    PRIVATE: ChannelSettings(publish="private"),
    HIDDEN: ChannelSettings(),
}


class Running(msgspec.Struct):
    """A site, its archive, and who asks it."""

    archive: Any
    app: Any
    client: httpx.AsyncClient

    @property
    def site(self) -> Site:
        site: Site = self.app.state.site
        return site

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    async def keep(self, *lines: Any) -> None:
        for line in lines:
            self.archive.append(line)
        await self.archive.flush()


@asynccontextmanager
async def site_in(
    folder: Path,
    *,
    places: dict[str, ChannelSettings] | None = None,
    clock: Callable[[], float] = lambda: NOON + 3600,
    url: Callable[[str], str | None] = lambda path: f"{ADDRESS}{path}",
    title: str = "Channel logs",
) -> AsyncIterator[Running]:
    """A site over an archive in `folder`; it is 13:00 on 2026-11-21 there."""
    settings = Settings(channels=PLACES if places is None else places, title=title)
    archive = Archive(folder, places=settings.channels, clock=clock)
    app = make_site(archive, settings, key=archive.key, url=url, clock=clock)
    transport = httpx.ASGITransport(app=app)
    await archive.flush()  # it knows its channels from here on, as the plugin has it
    try:
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
            yield Running(archive, app, client)
    finally:
        await app.state.site.stop()
        await archive.stop()


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The address of an application on a real socket."""
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
