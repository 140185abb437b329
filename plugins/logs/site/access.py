"""Who may read which channel: the one place of the site that decides it.

- `public`: everybody.
- `unlisted`: whoever has the address; it stands in no list, and is not searched with the others.
- `private`: whoever opened a signed link, `<channel>?key=…`, that the bot gave them. The key becomes a cookie
  for the channel's addresses, and for those of its lines and its JSON, and works until its time is over.
- `no`: nobody. What is not open to a reader is answered exactly as what does not exist.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlencode

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from plugins.logs.archive.records import ChannelInfo
from plugins.logs.links import read
from plugins.logs.publishing import effective
from plugins.logs.settings import ChannelSettings, Publish
from plugins.logs.site.addresses import place_path
from pynfo.irc.casemap import fold

if TYPE_CHECKING:
    from plugins.logs.site.context import Site

NOT_HERE = (
    "There is no log at this address, or it is not open to you. "
    "A link to a private log works for some time only: ask for a new one with !logs link in the channel."
)
HOUR = 3600


class ChannelView(msgspec.Struct, frozen=True):
    """A channel that may be read, by everybody or by whoever asks now."""

    info: ChannelInfo
    settings: ChannelSettings
    publish: Publish
    path: str  # "/libera/pynfo/"


class Instead(Exception):
    """Answer with this instead: a redirect to where the page really is."""

    def __init__(self, response: Response) -> None:
        self.response = response


def not_here() -> NoReturn:
    """What is absent and what is hidden are told in the same words."""
    raise HTTPException(404, NOT_HERE)


def folded(place: str) -> str:
    """The form that all spellings of a place share."""
    return fold(place, "rfc1459")


def view_of(site: Site, info: ChannelInfo) -> ChannelView | None:
    """A channel with what is in force there; None where it is not published at all."""
    settings = site.places.get(folded(info.place))
    publish = effective(settings, info.publish)
    if settings is None or publish == "no":
        return None
    return ChannelView(info, settings, publish, place_path(info.place))


async def listed(site: Site) -> list[ChannelView]:
    """The public channels, by place."""
    views = [view_of(site, info) for info in await site.archive.channels()]
    return [view for view in views if view is not None and view.publish == "public"]


async def readable(site: Site, request: Request, place: str) -> ChannelView | None:
    """The channel of a place, where whoever asks may read it."""
    info = await site.archive.channel(place)
    view = view_of(site, info) if info is not None else None
    if view is None or (view.publish == "private" and not _has_key(site, request, view)):
        return None
    return view


async def of_path(site: Site, request: Request, place: str, rest: str) -> ChannelView:
    """The channel that a page stands under, `rest` being what follows of its raw path.

    Raises 404; or `Instead`, which leads to the address in its right spelling, and where there is a `?key=`
    that fits turns it into a cookie.
    """
    view = await readable(site, request, place)
    if view is None:
        not_here()
    if view.publish == "private" and _fits(site, view, request.query_params.get("key", "")):
        raise Instead(_unlocked(site, request, view, rest))
    raw_path: str = request.scope["path"]
    if raw_path != view.path + rest:
        raise Instead(RedirectResponse(_with_query(view.path + rest, request.url.query), 301))
    return view


def still_open(site: Site, request: Request, info: ChannelInfo | None) -> bool:
    """Whether a stream that was opened by `request` may go on."""
    view = view_of(site, info) if info is not None else None
    return view is not None and (view.publish != "private" or _has_key(site, request, view))


def cookie_name(place: str) -> str:
    """The cookie that opens a private channel."""
    return f"log-{sha256(folded(place).encode(errors='surrogatepass')).hexdigest()[:16]}"


def _has_key(site: Site, request: Request, view: ChannelView) -> bool:
    keys = (request.cookies.get(cookie_name(view.info.place), ""), request.query_params.get("key", ""))
    return any(_fits(site, view, key) for key in keys)


def _fits(site: Site, view: ChannelView, key: str) -> bool:
    place = read(site.key, key, now=site.clock()) if key else None
    return place is not None and folded(place) == folded(view.info.place)


def _unlocked(site: Site, request: Request, view: ChannelView, rest: str) -> Response:
    """To the address without its key, which is in a cookie from now on."""
    query = urlencode([one for one in request.query_params.multi_items() if one[0] != "key"])
    response = RedirectResponse(_with_query(view.path + rest, query), 303)
    for path in (view.path, "/L/", "/api/"):
        response.set_cookie(
            cookie_name(view.info.place),
            request.query_params["key"],
            max_age=view.settings.link_hours * HOUR,  # at most: what is signed in it is what counts
            path=path,
            secure=(site.url("/") or "").startswith("https:"),
            httponly=True,
            samesite="lax",
        )
    response.headers["cache-control"] = "private, no-store"
    return response


def _with_query(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
