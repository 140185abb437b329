"""`/api/…`: the logs as JSON. Every operation stands once, in `OPERATIONS`: its route, its handler, and what
`/openapi.json` says of it. What answers are made of is in schemas.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from plugins.logs.archive.query import LENGTH, Query, parse
from plugins.logs.archive.records import Counts, DayPage, Found, Talker
from plugins.logs.exports import iso
from plugins.logs.line import Line
from plugins.logs.site import schemas
from plugins.logs.site.access import ChannelView
from plugins.logs.site.addresses import day_path, line_path
from plugins.logs.site.context import (
    NO_LINE,
    Site,
    channel_version,
    requested_day,
    requested_line,
    requested_page,
    site_of,
)
from plugins.logs.site.openapi import Operation, Parameter, describe
from plugins.logs.site.responses import answer

HOUR = 3600
USUAL = 50
MOST_AROUND = 50  # lines on each side
MOST = 200  # people, topics, lines that a search found
CURSOR_LENGTH = 200

_json = msgspec.json.Encoder().encode


async def _answer(
    request: Request,
    etag: str,
    make: Callable[[], Awaitable[msgspec.Struct]],
    view: ChannelView | None = None,
) -> Response:
    """JSON, encoded on a thread: a page of a day is large. `etag` need not have what is in the address."""
    site = site_of(request)

    async def encoded() -> bytes:
        return await site.renderer.run(_json, await make())

    etag = f"{request.scope['path']}?{request.url.query} {site.absolute(request, '/')} {etag}"
    return await answer(request, etag, encoded, media_type="application/json", view=view, cached=False)


# -- channels


async def channels(request: Request) -> Response:
    site = site_of(request)
    views = await site.listed()

    async def make() -> schemas.Channels:
        return schemas.Channels(channels=[_channel(site, request, view) for view in views])

    return await _answer(request, f"{views}", make)


async def channel(request: Request) -> Response:
    site = site_of(request)
    view = await site.named(request)

    async def make() -> schemas.ChannelRecord:
        return _channel(site, request, view)

    return await _answer(request, f"{view}", make, view)


async def days(request: Request) -> Response:
    site = site_of(request)
    view = await site.named(request)

    async def make() -> schemas.Days:
        talk = await site.archive.calendar(view.info.place)
        return schemas.Days(days=[schemas.DayTalk(day=f"{day}", talk=talk[day]) for day in sorted(talk)])

    return await _answer(request, await channel_version(site, [view]), make, view)


async def day(request: Request) -> Response:
    site = site_of(request)
    view = await site.named(request)
    wanted, number = requested_day(request), requested_page(request)
    version = await site.archive.day_version(view.info.place, wanted)

    async def make() -> schemas.DayLines:
        page: DayPage | None = await site.archive.day(view.info.place, wanted, number)
        if page is None:
            raise HTTPException(404, f"{wanted} has no page {number} there.")
        return await site.renderer.run(_day_lines, view.info.place, page)

    return await _answer(request, version, make, view)


async def people(request: Request) -> Response:
    site = site_of(request)
    view = await site.named(request)
    limit = _number(request, "limit", USUAL, MOST)

    async def make() -> schemas.People:
        talkers: list[Talker] = await site.archive.people(view.info.place, limit)
        return schemas.People(people=[_talker(one) for one in talkers])

    return await _answer(request, await channel_version(site, [view]), make, view)


async def activity(request: Request) -> Response:
    site = site_of(request)
    view = await site.named(request)

    async def make() -> schemas.Activity:
        hours = await site.archive.activity(view.info.place)
        return schemas.Activity(
            hours=[schemas.HourTalk(hour=iso(hour * HOUR), talk=talk) for hour, talk in hours]
        )

    return await _answer(request, await channel_version(site, [view]), make, view)


async def topics(request: Request) -> Response:
    site = site_of(request)
    view = await site.named(request)
    limit = _number(request, "limit", USUAL, MOST)

    async def make() -> schemas.Topics:
        lines = await site.archive.topics(view.info.place, limit)
        return schemas.Topics(topics=schemas.line_records(lines))

    return await _answer(request, await channel_version(site, [view]), make, view)


# -- lines


async def line(request: Request) -> Response:
    site = site_of(request)
    wanted = requested_line(request)
    view, page = await _holding(site, request, wanted)

    async def make() -> schemas.OneLine:
        found: Line | None = await site.archive.line(wanted)
        if found is None:
            raise HTTPException(404, NO_LINE)
        address = site.absolute(request, line_path(wanted))
        return schemas.OneLine(line=schemas.line_record(found), address=address, page=page)

    return await _answer(request, f"{page} {await channel_version(site, [view])}", make, view)


async def around(request: Request) -> Response:
    site = site_of(request)
    wanted = requested_line(request)
    before, after = (_number(request, name, 5, MOST_AROUND) for name in ("before", "after"))
    view, _ = await _holding(site, request, wanted)

    async def make() -> schemas.Lines:
        return schemas.Lines(lines=schemas.line_records(await site.archive.around(wanted, before, after)))

    return await _answer(request, await channel_version(site, [view]), make, view)


# -- search


async def search(request: Request) -> Response:
    site = site_of(request)
    view, views = await _searched(site, request)
    query = _query(site, request)
    limit = _number(request, "limit", USUAL, MOST)
    best_first = request.query_params.get("sort") == "best"
    cursor = request.query_params.get("before", "")[:CURSOR_LENGTH] or None

    async def make() -> schemas.FoundLines:
        places = [one.info.place for one in views]
        found: Found = await site.archive.search(
            query, places, before=cursor, limit=limit, best_first=best_first
        )
        return schemas.FoundLines(
            lines=schemas.line_records(found.lines),
            cursor=found.cursor,
            reached=schemas.time_or_none(found.reached),
        )

    return await _answer(request, await channel_version(site, views), make, view)


async def counts(request: Request) -> Response:
    site = site_of(request)
    view, views = await _searched(site, request)
    query = _query(site, request)

    async def make() -> schemas.FoundCounts:
        found: Counts = await site.archive.counts(query, [one.info.place for one in views])
        return schemas.FoundCounts(
            total=found.total,
            capped=found.capped,
            places=_counted(found.places),
            nicks=_counted(found.nicks),
            months=_counted(found.months),
        )

    return await _answer(request, await channel_version(site, views), make, view)


# -- all of them


def _whole(name: str, usual: int, most: int, description: str) -> Parameter:
    schema = {"type": "integer", "minimum": 0, "maximum": most, "default": usual}
    return Parameter(name, "query", description, schema)


_TEXT = {"type": "string"}
_CHANNEL = (
    Parameter("network", "path", "The network's short name", _TEXT),
    Parameter("channel", "path", 'The channel; the first "#" may be left out where a letter follows', _TEXT),
)
_DAY = Parameter("day", "path", "A UTC day such as 2026-11-21", {"type": "string", "format": "date"})
_PAGE = Parameter("page", "query", "A page of 1,000 lines", {"type": "integer", "minimum": 1, "default": 1})
_LINE = Parameter("id", "path", "The id of a line", {"type": "integer", "minimum": 1})
_LIMIT = _whole("limit", USUAL, MOST, "How many at most")
_Q = Parameter(
    "q", "query", "What to search for, as on the search page", {**_TEXT, "maxLength": LENGTH}, required=True
)
_SORT = Parameter("sort", "query", "Newest or best first", {"enum": ["newest", "best"], "default": "newest"})
_BEFORE = Parameter(
    "before", "query", "The `cursor` of the page before", {**_TEXT, "maxLength": CURSOR_LENGTH}
)
_SIDES = (
    _whole("before", 5, MOST_AROUND, "How many lines before it"),
    _whole("after", 5, MOST_AROUND, "How many lines after it"),
)
_ONE = "/channels/{network}/{channel}"

OPERATIONS = (
    Operation("/channels", channels, "The channels that everybody may read", schemas.Channels),
    Operation(_ONE, channel, "One channel", schemas.ChannelRecord, _CHANNEL),
    Operation(f"{_ONE}/days", days, "Its days", schemas.Days, _CHANNEL),
    Operation(f"{_ONE}/days/{{day}}", day, "The lines of a day", schemas.DayLines, (*_CHANNEL, _DAY, _PAGE)),
    Operation(f"{_ONE}/people", people, "Who speaks there", schemas.People, (*_CHANNEL, _LIMIT)),
    Operation(f"{_ONE}/activity", activity, "How much is said when", schemas.Activity, _CHANNEL),
    Operation(f"{_ONE}/topics", topics, "Its topics", schemas.Topics, (*_CHANNEL, _LIMIT)),
    Operation(
        f"{_ONE}/search", search, "Search it", schemas.FoundLines, (*_CHANNEL, _Q, _BEFORE, _LIMIT, _SORT)
    ),
    Operation(
        f"{_ONE}/search/counts", counts, "Count what a search finds", schemas.FoundCounts, (*_CHANNEL, _Q)
    ),
    Operation("/search", search, "Search all channels", schemas.FoundLines, (_Q, _BEFORE, _LIMIT, _SORT)),
    Operation("/search/counts", counts, "Count what a search finds", schemas.FoundCounts, (_Q,)),
    Operation("/lines/{id}", line, "One line", schemas.OneLine, (_LINE,)),
    Operation("/lines/{id}/around", around, "The lines around one", schemas.Lines, (_LINE, *_SIDES)),
)


def routes() -> list[Route]:
    return [Route(f"/api{operation.path}", operation.handler) for operation in OPERATIONS]


async def description(request: Request) -> Response:
    """`/openapi.json`."""
    site = site_of(request)
    server = site.absolute(request, "/").rstrip("/")

    async def make() -> bytes:
        return _json(describe(OPERATIONS, title=site.settings.title, server=server))

    return await answer(request, f"openapi {server}", make, media_type="application/json")


# -- parts of the above


async def _searched(site: Site, request: Request) -> tuple[ChannelView | None, list[ChannelView]]:
    if "channel" not in request.path_params:
        return None, await site.listed()
    view = await site.named(request)
    return view, [view]


async def _holding(site: Site, request: Request, line_id: int) -> tuple[ChannelView, str]:
    """The channel that a line stands in, and the path of its page."""
    view, when, page = await site.holding(request, line_id)
    return view, day_path(view.info.place, when, page if page > 1 else None)


def _query(site: Site, request: Request) -> Query:
    return parse(request.query_params.get("q", ""), now=site.today())


def _number(request: Request, name: str, usual: int, most: int) -> int:
    raw = request.query_params.get(name)
    if raw is None:
        return usual
    if not (raw.isascii() and raw.isdecimal() and len(raw) < 10 and int(raw) <= most):
        raise HTTPException(400, f"{name} is a number from 0 to {most}.")
    return int(raw)


def _channel(site: Site, request: Request, view: ChannelView) -> schemas.ChannelRecord:
    info = view.info
    return schemas.ChannelRecord(
        place=info.place,
        network=info.network,
        channel=info.name,
        topic=info.topic,
        publish=view.publish,
        lines=info.lines,
        last=schemas.time_or_none(info.last),
        today=info.today,
        address=site.absolute(request, view.path),
    )


def _day_lines(place: str, page: DayPage) -> schemas.DayLines:
    return schemas.DayLines(
        place=place,
        day=page.day.isoformat(),
        page=page.page,
        pages=page.pages,
        count=page.count,
        previous=page.previous.isoformat() if page.previous else None,
        next=page.next.isoformat() if page.next else None,
        gaps=[schemas.GapRecord(start=iso(gap.start), end=iso(gap.end)) for gap in page.gaps],
        lines=schemas.line_records(page.lines),
    )


def _talker(one: Talker) -> schemas.TalkerRecord:
    first, last = iso(one.first), iso(one.last)
    return schemas.TalkerRecord(nick=one.nick, lines=one.lines, first=first, last=last, mentions=one.mentions)


def _counted(some: list[tuple[str, int]]) -> list[schemas.Counted]:
    return [schemas.Counted(name=name, count=count) for name, count in some]
