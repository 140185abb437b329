"""The addresses of the site. Fixed: links to them stand in people's notes.

A channel `#pynfo` of `libera` is `/libera/pynfo/`: one leading `#` is dropped where the next character is not
one of `#&+!`; otherwise the whole name is percent-encoded (`##c` is `%23%23c`, `&x` is `%26x`), as are `#.`
and `#..`, which would climb.
"""

from __future__ import annotations

from datetime import date
from urllib.parse import quote, unquote

RESERVED = frozenset(
    {"api", "search", "static", "L", "healthz", "robots.txt", "sitemap.xml", "openapi.json", "favicon.ico"}
)  # first segments that are no networks
PREFIXES = tuple("#&+!")


def channel_path(network: str, channel: str) -> str:
    """`/libera/pynfo/`."""
    bare = channel[1:]
    short = channel[:1] == "#" and bare and not bare.startswith(PREFIXES) and bare not in (".", "..")
    return f"/{quote(network, safe='')}/{quote(bare if short else channel, safe='')}/"


def place_path(place: str) -> str:
    """`/libera/pynfo/` for `libera/#pynfo`."""
    return channel_path(*place.split("/", 1))


def channel_name(segment: str) -> str:
    """The channel that a raw (percent-encoded) segment of a path stands for."""
    name = unquote(segment)
    return name if name.startswith(PREFIXES) else f"#{name}"


def day_path(place: str, day: date, page: int | None = None) -> str:
    """`/libera/pynfo/2026-11-21`, with `?page=2` where there is more than one."""
    return f"{place_path(place)}{day.isoformat()}" + (f"?page={page}" if page else "")


def line_path(line_id: int) -> str:
    """`/L/1795245600000000`: leads on to the page that holds the line."""
    return f"/L/{line_id}"
