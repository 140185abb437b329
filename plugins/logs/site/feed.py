"""Atom feeds of a channel (RFC 4287): a digest of each of its last days, or the newest lines that a search
finds (`?q=`).

Text is given as `type="text"`: what somebody said on IRC is never markup to a feed reader.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from plugins.logs.archive.query import parse
from plugins.logs.archive.records import DayPage
from plugins.logs.exports import as_text
from plugins.logs.line import TALK, Line
from plugins.logs.site.access import ChannelView
from plugins.logs.site.addresses import day_path, line_path
from plugins.logs.site.context import Site, channel_version, site_of
from plugins.logs.site.responses import answer

ATOM = "http://www.w3.org/2005/Atom"
DAYS = 10
FIRST_LINES = 10  # of each day
NAMES = 8
MATCHES = 50
TITLE_LENGTH = 120

_NO_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


class Entry(msgspec.Struct, frozen=True):
    """`key` stands for it for ever."""

    key: str
    path: str
    title: str
    updated: float
    text: str
    author: str


async def feed(request: Request) -> Response:
    """The feed of a channel."""
    site = site_of(request)
    view = await site.channel(request)
    wanted = request.query_params.get("q", "").strip()
    version = await channel_version(site, [view])
    if wanted:
        parse(wanted, now=site.today())  # what makes no sense is told, whatever the reader has

    async def make() -> bytes:
        entries = await (_matches(site, view, wanted) if wanted else _digests(site, view))
        made: bytes = await site.renderer.run(_atom, site, request, view, wanted, entries)
        return made

    etag = f"feed {version} {wanted} {site.absolute(request, '/')}"
    media_type = "application/atom+xml; charset=utf-8"
    return await answer(request, etag, make, media_type=media_type, view=view, cached=not wanted)


async def _digests(site: Site, view: ChannelView) -> list[Entry]:
    talk: dict[date, int] = await site.archive.calendar(view.info.place)
    days = sorted((day for day, count in talk.items() if count), reverse=True)[:DAYS]
    pages = [await site.archive.day(view.info.place, day, 1) for day in days]
    return [_digest(view, page, talk[page.day]) for page in pages if page is not None and page.lines]


def _digest(view: ChannelView, page: DayPage, talk: int) -> Entry:
    """Of a long day the first page is looked at."""
    said = [line for line in page.lines if line.kind in TALK]
    talkers = [nick for nick, _ in Counter(line.nick for line in said).most_common()]
    more = page.pages > 1 or len(talkers) > NAMES
    who = ", ".join(talkers[:NAMES]) + (" and others" if more else "")
    summary = f"{talk:,} {'line' if talk == 1 else 'lines'}" + (f", by {who}" if said else "")
    text = [as_text(line) for line in (said or page.lines)[:FIRST_LINES]]
    if talk > len(text):
        text.append(f"… and {talk - len(text):,} more")
    return Entry(
        key=f"day/{view.info.place}/{page.day.isoformat()}",
        path=day_path(view.info.place, page.day),
        title=f"{view.info.name} on {page.day.isoformat()}: {summary}",
        updated=page.lines[-1].time,
        text="\n".join(text),
        author=view.info.name,
    )


async def _matches(site: Site, view: ChannelView, wanted: str) -> list[Entry]:
    query = parse(wanted, now=site.today())
    found = await site.archive.search(query, [view.info.place], limit=MATCHES)
    return [_match(line) for line in found.lines]


def _match(line: Line) -> Entry:
    text = as_text(line)
    title = text.split("] ", 1)[1]
    return Entry(
        key=f"line/{line.id}",
        path=line_path(line.id),
        title=title if len(title) <= TITLE_LENGTH else f"{title[: TITLE_LENGTH - 1]}…",
        updated=line.time,
        text=text,
        author=line.nick,
    )


def _atom(site: Site, request: Request, view: ChannelView, wanted: str, entries: Iterable[Entry]) -> bytes:
    """The document; every text in it is escaped by the library that writes it."""
    entries = list(entries)
    home = f"{view.path}search?{urlencode({'q': wanted})}" if wanted else view.path
    root = ElementTree.Element("feed", xmlns=ATOM)
    add = ElementTree.SubElement
    add(root, "id").text = _name(view, f"search/{wanted}" if wanted else "days")
    add(root, "title").text = _xml(f"{view.info.place}: {wanted}" if wanted else view.info.place)
    add(root, "subtitle").text = _xml(site.settings.title)
    add(root, "updated").text = _when(max((entry.updated for entry in entries), default=0.0))
    own = f"{view.path}feed.atom" + (f"?{request.url.query}" if request.url.query else "")
    add(root, "link", rel="self", type="application/atom+xml", href=site.absolute(request, own))
    add(root, "link", rel="alternate", type="text/html", href=site.absolute(request, home))
    for entry in entries:
        one = add(root, "entry")
        add(one, "id").text = _name(view, entry.key)
        add(one, "title", type="text").text = _xml(entry.title)
        add(one, "updated").text = _when(entry.updated)
        add(one, "link", rel="alternate", type="text/html", href=site.absolute(request, entry.path))
        add(add(one, "author"), "name").text = _xml(entry.author)
        add(one, "content", type="text").text = _xml(entry.text)
    made: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _name(view: ChannelView, key: str) -> str:
    """An id that never changes, wherever the site is."""
    return uuid5(NAMESPACE_URL, f"irc:{view.info.place} {key}").urn


def _when(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds")


def _xml(text: str) -> str:
    """Without what no XML document can hold, however it is escaped."""
    return _NO_XML.sub("", text)
