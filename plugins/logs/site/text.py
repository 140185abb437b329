"""Days as files (`.txt`, `.json`, `.ndjson`), and addresses of single lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from plugins.logs.exports import as_dict, as_ndjson, as_text
from plugins.logs.line import Line
from plugins.logs.site.addresses import day_path
from plugins.logs.site.context import Site, requested_day, requested_line, site_of
from plugins.logs.site.responses import tagged

CHUNK = 64 * 1024  # bytes, about, that are sent at once

_json = msgspec.json.Encoder().encode


def _text(line: Line) -> bytes:
    return f"{as_text(line)}\n".encode(errors="replace")


def _object(line: Line) -> bytes:
    return _json(as_dict(line))


class Form(msgspec.Struct, frozen=True):
    """How a day is written: what stands before, between and after its lines."""

    media_type: str
    write: Callable[[Line], bytes]
    before: Callable[[str, date], bytes] = lambda place, day: b""
    between: bytes = b""
    after: bytes = b""


def _head(place: str, day: date) -> bytes:
    return _json({"place": place, "day": day.isoformat()})[:-1] + b',"lines":['


FORMS = {
    "txt": Form("text/plain; charset=utf-8", _text),
    "json": Form("application/json", _object, _head, b",\n", b"]}\n"),
    "ndjson": Form("application/x-ndjson; charset=utf-8", as_ndjson),
}


async def day(request: Request, *, form: str) -> Response:
    """All lines of a day, whole and in order, however many there are."""
    site = site_of(request)
    view = await site.channel(request)
    wanted = requested_day(request)
    version = await site.archive.day_version(view.info.place, wanted)
    headers, known = tagged(request, f"{version} {form}", view)
    if known:
        return Response(status_code=304, headers=headers)
    media_type = FORMS[form].media_type
    if request.method == "HEAD":
        return Response(headers=headers, media_type=media_type)
    chunks = _chunks(site, view.info.place, wanted, FORMS[form])
    first = await anext(chunks)  # what fails does so before the answer has begun
    return StreamingResponse(_after(first, chunks), headers=headers, media_type=media_type)


async def line(request: Request) -> Response:
    """To the page that holds a line, with the line marked; `?to=` marks all lines up to another one."""
    site = site_of(request)
    line_id = requested_line(request)
    view, when, page = await site.holding(request, line_id)
    to = request.query_params.get("to", "")
    fragment = f"L{line_id}" + (f"-L{to}" if to.isascii() and to.isdecimal() and len(to) < 20 else "")
    address = f"{day_path(view.info.place, when, page if page > 1 else None)}#{fragment}"
    headers, _ = tagged(request, address, view)
    return RedirectResponse(address, 302, {**headers, "cache-control": "no-store"})


async def _chunks(site: Site, place: str, when: date, form: Form) -> AsyncIterator[bytes]:
    since = datetime(when.year, when.month, when.day, tzinfo=UTC)
    lines: Any = site.archive.export(place, since.timestamp(), (since + timedelta(days=1)).timestamp())
    chunk = bytearray(form.before(place, when))
    between = b""
    async for one in lines:
        chunk += between + form.write(one)
        between = form.between
        if len(chunk) >= CHUNK:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk) + form.after


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk
