"""What every page has at hand: the `Site` of the application, and what a request asks for.

For pages: `site = site_of(request)`; `view = await site.channel(request)`; `requested_day(request)`. What is
wrong with an address raises `HTTPException(404, sentence)`, which becomes the site's own page.

Rules of pages: a day's address without `page` is its first page; `/N/C/` is the last page of the newest day.
The sequence number for `data-live` is read *before* the lines are, in `make`; it is no part of the ETag.
ETags of what shows more of a channel than days are made of `channel_version`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request

from plugins.logs.settings import Settings
from plugins.logs.site import access, addresses
from plugins.logs.site.access import ChannelView, Instead, not_here
from plugins.logs.site.assets import HERE, Assets, version
from plugins.logs.site.following import Followers
from plugins.logs.site.responses import Bodies, Renderer

__all__ = [
    "ChannelView", "Instead", "Site", "channel_version", "not_here", "requested_day", "requested_line",
    "requested_page", "site_of",
]  # fmt: skip

LARGEST_ID = 2**63 - 1  # what SQLite can hold
LARGEST_PAGE = 1_000_000
NO_LINE = "There is no such line, or it is not open to you."


class Site:
    """One site: `request.app.state.site`.

    `url` gives the public address of a path, or None where it is not known; `key` signs the links to private
    logs; `clock` gives UTC epoch seconds.
    """

    def __init__(
        self,
        archive: Any,
        settings: Settings,
        *,
        key: bytes,
        url: Callable[[str], str | None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.archive = archive
        self.settings = settings
        self.key = key
        self.url = url
        self.clock = clock
        self.places = {access.folded(place): channel for place, channel in settings.channels.items()}
        self.assets = Assets()
        self.version = version()
        self.bodies = Bodies()
        self.renderer = Renderer()
        self.followers = Followers(self)
        self.templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.templates.globals.update(
            asset=self.assets.address,
            site=self,
            channel_path=addresses.channel_path,
            place_path=addresses.place_path,
            day_path=addresses.day_path,
            line_path=addresses.line_path,
        )

    async def listed(self) -> list[ChannelView]:
        """The public channels, by place."""
        return await access.listed(self)

    async def channel(self, request: Request) -> ChannelView:
        """The channel of the path `/{network}/{channel}/…`.

        Raises 404 where there is none or it is not open to whoever asks, and `Instead` where its address is
        spelled otherwise.
        """
        network, channel = request.path_params["network"], request.path_params["channel"]
        raw_path: str = request.scope["path"]
        rest = raw_path.split("/", 3)[3]
        return await access.of_path(self, request, place_of(network, channel), rest)

    async def named(self, request: Request) -> ChannelView:
        """The same for machines, whom no spelling is redirected for."""
        network, channel = request.path_params["network"], request.path_params["channel"]
        return await access.readable(self, request, place_of(network, channel)) or not_here()

    async def readable(self, request: Request, place: str) -> ChannelView:
        """The channel that a line stands in, for addresses that name the line alone. Raises 404 as if there
        were no such line."""
        view = await access.readable(self, request, place)
        if view is None:
            raise HTTPException(404, NO_LINE)
        return view

    async def holding(self, request: Request, line_id: int) -> tuple[ChannelView, date, int]:
        """The channel, day and page of a line. Raises 404 where it is not there, or not open."""
        found = await self.archive.page_of(line_id)
        if found is None:
            raise HTTPException(404, NO_LINE)
        return await self.readable(request, found[0]), found[1], found[2]

    async def searched(self, request: Request) -> tuple[ChannelView | None, list[ChannelView]]:
        """The channel that a search stands under, if any, and all those that it looks into."""
        if "channel" not in request.path_params:
            return None, await self.listed()
        view = await self.channel(request)
        return view, [view]

    async def render(self, template: str, **values: Any) -> str:
        """A template, rendered on a thread: functions that it calls run there too.

        Raises `ArchiveBusy` where too many wait already.
        """
        return await self.renderer.run(self.templates.get_template(template).render, **values)

    def today(self) -> date:
        """The UTC day that it is."""
        return datetime.fromtimestamp(self.clock(), UTC).date()

    def absolute(self, request: Request, path: str) -> str:
        """The whole address of a path: the public one, or as whoever asks got here."""
        return self.url(path) or f"{request.url.scheme}://{request.url.netloc}{path}"

    async def stop(self) -> None:
        """End the streams and the threads."""
        self.followers.stop()
        self.renderer.stop()


async def channel_version(site: Site, views: Sequence[ChannelView]) -> str:
    """Another text whenever anything at all in some channels is another, or the day."""
    versions = [f"{view.info.place} {view.publish} {view.info.version}" for view in views]
    return f"{await site.archive.latest('')} {site.today()} {versions}"


def site_of(request: Request) -> Site:
    """The site that a request is made to."""
    site: Site = request.app.state.site
    return site


def place_of(network: str, channel: str) -> str:
    """The place of two raw segments of a path."""
    return f"{unquote(network)}/{addresses.channel_name(channel)}"


def requested_day(request: Request) -> date:
    """The day of the path. Raises 404 for what is no date, or is still to come."""
    raw: str = request.path_params["day"]
    try:
        day = datetime.strptime(raw, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise HTTPException(404, "There is no such page here; a day is written as 2026-11-21.") from None
    if day.isoformat() != raw:
        raise HTTPException(404, f"There is no such page here; that day is written as {day.isoformat()}.")
    if day > site_of(request).today():
        raise HTTPException(404, f"{day.isoformat()} is still to come.")
    return day


def requested_page(request: Request) -> int:
    """`?page=`, 1 where there is none. Raises 404 for what is no number from 1 on.

    That the day has so many pages is for whoever reads it to check (`DayPage.pages`).
    """
    raw = request.query_params.get("page", "1")
    if not (raw.isascii() and raw.isdecimal() and len(raw) < 8 and 1 <= int(raw) <= LARGEST_PAGE):
        raise HTTPException(404, "There is no such page: pages are numbered from 1.")
    return int(raw)


def requested_line(request: Request) -> int:
    """The id of a line in the path. Raises 404 for what cannot be one."""
    raw: str = request.path_params["id"]
    if not (raw.isascii() and raw.isdecimal() and len(raw) < 20 and 0 < int(raw) <= LARGEST_ID):
        raise HTTPException(404, NO_LINE)
    return int(raw)
