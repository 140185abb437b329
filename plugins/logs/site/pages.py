"""The pages that people read. Each handler asks the archive, and a template shows it.

What makes lines into HTML, and templates, run on the thread that renders; handlers only await.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import partial
from itertools import groupby
from math import inf
from typing import Any
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from plugins.logs.archive.highlighting import highlight
from plugins.logs.archive.query import Query, QueryError, parse
from plugins.logs.archive.records import Counts, DayPage, Found
from plugins.logs.line import Line, day_of
from plugins.logs.site import charts
from plugins.logs.site.addresses import day_path, line_path, place_path
from plugins.logs.site.calendars import month_of, spoken
from plugins.logs.site.context import (
    ChannelView,
    Site,
    channel_version,
    requested_day,
    requested_line,
    requested_page,
    site_of,
)
from plugins.logs.site.folding import fold, with_gaps
from plugins.logs.site.render import lines_html, nick_html, plain_text, text_html, time_html
from plugins.logs.site.responses import POLICY, page

AROUND = 5  # lines before and after
FOUND = 50  # lines on a page of a search
PEOPLE = 25
MENTIONED = 10
TOPICS = 50
TEXT_SHOWN = 400  # characters of a query that are shown again

NO_SUCH_PAGE = "That day does not have so many pages."
NO_LINE = "There is no such line, or it is not open to you."
ERRORS = {
    400: "That was not understood",
    404: "Nothing is here",
    429: "A little slower, please",
    500: "Something went wrong here",
    503: "Too much is going on",
}


# -- pages


async def index(request: Request) -> Response:
    """The networks and their public channels."""
    site = site_of(request)
    views = await site.listed()

    async def make() -> str:
        networks = [(name, list(some)) for name, some in groupby(views, lambda view: view.info.network)]
        busiest = max((view.info.today for view in views), default=0)
        return await _render(site, "index.html", networks=networks, busiest=busiest)

    return await page(request, await channel_version(site, views), make)


async def latest(request: Request) -> Response:
    """The newest day of a channel, at its end."""
    site = site_of(request)
    view = await site.channel(request)
    today = site.today()
    newest = today if view.info.last is None else datetime.fromtimestamp(view.info.last, UTC).date()
    return await _day(request, site, view, min(newest, today), None)


async def day(request: Request) -> Response:
    """A page of a day."""
    site = site_of(request)
    view = await site.channel(request)
    return await _day(request, site, view, requested_day(request), requested_page(request))


async def about(request: Request) -> Response:
    """A channel's topics, people and statistics."""
    site = site_of(request)
    view = await site.channel(request)
    place = view.info.place

    async def make() -> str:
        archive = site.archive
        people = await archive.people(place, PEOPLE)
        topics = await archive.topics(place, TOPICS)
        activity = await archive.activity(place)
        return await _render(
            site,
            "about.html",
            view=view,
            here="about",
            topics=topics,
            statistics=partial(charts.statistics, activity),
            active=charts.most_active(people, PEOPLE),
            mentioned=charts.most_mentioned(people, MENTIONED),
        )

    return await page(request, await channel_version(site, [view]), make, view=view)


async def search(request: Request) -> Response:
    """What a search finds, with its form; the form alone where nothing is asked."""
    site = site_of(request)
    view, views = await site.searched(request)
    asked = _Asked.of(request, view)
    version = await channel_version(site, views)
    render = partial(
        _render, site, "search.html", view=view, here="search", asked=asked, channels=len(views), shown=None
    )
    try:
        query = parse(asked.text, now=site.today()) if asked.text else None
        if query is None:
            return await page(request, version, render, view=view, cached=False)
        found: Found = await site.archive.search(
            query,
            [one.info.place for one in views],
            before=request.query_params.get("before"),
            limit=FOUND,
            best_first=asked.best,
        )
    except QueryError as error:
        refused = partial(render, refused=str(error))
        return await page(request, f"{version} {error}", refused, view=view, cached=False)
    made = partial(render, shown=found, groups=partial(_groups, found.lines, query))
    return await page(request, f"{version} {found.reached}", made, view=view, cached=False)


async def counts(request: Request) -> Response:
    """How much a search finds by channel, nick and month: a piece of a page (`?fragment=1`), or a page."""
    site = site_of(request)
    view, views = await site.searched(request)
    asked = _Asked.of(request, view)
    query = parse(asked.text, now=site.today())

    async def make() -> str:
        counted: Counts = await site.archive.counts(query, [one.info.place for one in views])
        template = "counts_fragment.html" if _is_fragment(request) else "counts.html"
        sides = _sides(counted, asked)
        return await _render(
            site, template, view=view, here="search", asked=asked, counted=counted, sides=sides
        )

    return await page(request, await channel_version(site, views), make, view=view, cached=False)


async def around(request: Request) -> Response:
    """A line with those around it: a piece of a page (`?fragment=1`), or a page."""
    site = site_of(request)
    line_id = requested_line(request)
    lines: list[Line] = await site.archive.around(line_id, AROUND, AROUND)
    if not lines:
        raise HTTPException(404, NO_LINE)
    view = await site.readable(request, lines[0].place)

    async def make() -> str:
        return await _render(
            site,
            "around_fragment.html" if _is_fragment(request) else "around.html",
            view=view,
            here="around",
            line_id=line_id,
            day=day_of(line_id),
            lines=partial(lines_html, lines, parents={}, shown="context", asked=line_id),
        )

    return await page(request, await channel_version(site, [view]), make, view=view, cached=False)


def error(request: Request, status: int, sentence: str) -> Response:
    """What went wrong, in one sentence, and a way on."""
    site = site_of(request)
    html = site.templates.get_template("error.html").render(
        **_common(), view=None, here="", status=status, title=ERRORS.get(status, "That did not work"),
        sentence=sentence,
    )  # fmt: skip
    return HTMLResponse(html, status, {"content-security-policy": POLICY})


# -- parts of pages


class _Asked(msgspec.Struct, frozen=True):
    """What a search was asked. `path`: of the page that answers it."""

    text: str
    best: bool
    path: str

    @classmethod
    def of(cls, request: Request, view: ChannelView | None) -> _Asked:
        parameters = request.query_params
        path = f"{view.path if view else '/'}search"
        return cls(parameters.get("q", "").strip(), parameters.get("sort") == "best", path)

    def address(self, **other: str) -> str:
        """The same search, with other parameters."""
        return (
            f"{self.path}?{urlencode({'q': self.text, **({'sort': 'best'} if self.best else {}), **other})}"
        )

    def sorted(self, *, best: bool) -> str:
        """The same search in another order."""
        return msgspec.structs.replace(self, best=best).address()

    def narrowed(self, text: str) -> str:
        """The same search with one more filter."""
        return msgspec.structs.replace(self, text=f"{self.text} {text}").address()

    @property
    def counts(self) -> str:
        """Where the counts are."""
        return f"{self.path}/counts?{urlencode({'q': self.text})}"


class _Empty(Exception):
    """There is nothing of a day that is over; `html` says so, and where there is more."""

    def __init__(self, html: str) -> None:
        self.html = html


async def _day(request: Request, site: Site, view: ChannelView, wanted: date, number: int | None) -> Response:
    """A page of a day; `number` None: its last, which is the newest day's, and follows what is said."""
    archive, place, today = site.archive, view.info.place, site.today()
    latest = number is None
    sequence = await archive.latest(place) if latest or wanted == today else 0
    version = f"{await archive.day_version(place, wanted)} {wanted} {today} {view.publish} {sequence}"

    async def make() -> str:
        shown: DayPage | None = await archive.day(place, wanted, number)
        if shown is None:
            raise HTTPException(404, NO_SUCH_PAGE)
        after = -inf
        if shown.page > 1 and shown.gaps and shown.lines:
            after = (await archive.around(shown.lines[0].id, 1, 0))[0].time
        days = await archive.month(place, wanted)
        follows = shown.page == shown.pages and (latest or wanted == today)
        html = await _render(
            site,
            "day.html",
            view=view,
            here="day",
            shown=shown,
            today=today,
            latest=latest,
            live=f"live?after={sequence}" if follows else None,
            lines=partial(_day_lines, shown, after),
            month=partial(month_of, wanted, days),
            fetched=any(line.fetched for line in shown.lines),
        )
        if not shown.count and not shown.gaps and not follows:
            raise _Empty(html)
        return html

    try:
        return await page(request, version, make, view=view)
    except _Empty as empty:
        html = empty.html

    async def made() -> str:
        return html

    return await page(request, version, made, view=view, status=404, cached=False)


def _day_lines(of_day: DayPage, after: float) -> Markup:
    """`after`: when the last line was said that stands on the page before."""
    until = inf if of_day.page == of_day.pages or not of_day.lines else of_day.lines[-1].time
    entries = with_gaps(of_day.lines, of_day.gaps, after=after, until=until)
    return lines_html(fold(entries), parents=of_day.parents)


def _groups(lines: Sequence[Line], query: Query) -> list[tuple[str, date, Markup]]:
    """What was found by place and day: those of one day that follow each other stand together."""
    pattern = highlight(query)
    return [
        (place, when, lines_html(list(some), parents={}, highlight=pattern, shown="found"))
        for (place, when), some in groupby(lines, lambda line: (line.place, day_of(line.id)))
    ]


def _sides(counted: Counts, asked: _Asked) -> list[tuple[str, list[tuple[str, charts.Bar]]]]:
    """What the counts are of, and each with where the search goes on."""
    sides = [
        ("Channels", "channel", counted.places if len(counted.places) > 1 else []),
        ("Nicks", "nick", counted.nicks),
        ("Months", "on", counted.months),
    ]
    return [
        (title, [(asked.narrowed(f"{name}:{bar.label}"), bar) for bar in charts.bars(some)])
        for title, name, some in sides
        if some
    ]


def _is_fragment(request: Request) -> bool:
    return request.query_params.get("fragment") == "1"


# -- templates


async def _render(site: Site, template: str, **values: Any) -> str:
    return await site.render(template, **_common(), **({"view": None, "here": "", "refused": ""} | values))


def _common() -> dict[str, Any]:
    """What templates write dates, nicks and texts with."""
    return {
        "spoken": spoken,
        "moment": moment,
        "date_of": lambda time: datetime.fromtimestamp(time, UTC).date(),
        "nick_html": lambda nick: Markup(nick_html(nick)),  # noqa: S704 - escaped there
        "text_html": lambda text: Markup(text_html(text)),  # noqa: S704
        "time_html": lambda time: Markup(time_html(time)),  # noqa: S704
        "plain_text": plain_text,
        "day_of": day_of,
        "day_path": day_path,
        "line_path": line_path,
        "place_path": place_path,
        "longest": TEXT_SHOWN,
    }


def moment(time: float, today: date) -> Markup:
    """When something was, as a `<time>`: its hour where it was today, else its day."""
    when = datetime.fromtimestamp(time, UTC)
    shown = f"{when:%H:%M}" if when.date() == today else spoken(when.date(), weekday=False)
    return Markup('<time datetime="{}">{}</time>').format(f"{when:%Y-%m-%dT%H:%M:%SZ}", shown)
