"""`/N/C/live`: what happens in a channel, as server-sent events, in the order of commits.

    id: 812                         the sequence number of the change: a reader that lost its connection says
    event: line                     it in `Last-Event-ID`, and goes on where it was
    data: {"id": 1795…, "html": "<li …>"}

`line` is a new line, `redacted` one whose text is gone, `removed` (without `html`) one that is gone itself.
`reload`: what happened since is not all known any more; read the page anew, and go on. An id without an event
only moves a reader on over what happened elsewhere.
What the events are is in following.py; here is how one reader gets them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from plugins.logs.interfaces import ArchiveBusy
from plugins.logs.site.context import site_of
from plugins.logs.site.following import Followers
from plugins.logs.site.responses import headers_of
from pynfo.services.web_limits import reader

SLOW = 20.0  # seconds for a reader to take what was written; then the stream is cut off
ENDED = "The live pages are just being renewed."


class EventStream(Response):
    """Sends events until the reader goes, takes too long to take them, or there are no more."""

    media_type = "text/event-stream"

    def __init__(
        self, followers: Followers, client: str, events: AsyncGenerator[bytes], headers: dict[str, str]
    ) -> None:
        super().__init__(headers={"content-type": "text/event-stream; charset=utf-8", **headers})
        del self.headers["content-length"]
        self._followers = followers
        self._client = client
        self._events = events
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = self._followers.enter(self._client, self._send_all(send))
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait({stream, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._followers.leave(self._client, stream)
            ended = not gone.done()
            stream.cancel()
            gone.cancel()
            await asyncio.wait({stream, gone})
        if not stream.cancelled() and isinstance(stream.exception(), TimeoutError):
            return  # the server cuts the connection of an answer that does not end
        if not self._begun:
            raise HTTPException(503, ENDED)
        if ended:
            await send({"type": "http.response.body", "body": b""})
        if not stream.cancelled():
            stream.result()

    async def _send_all(self, send: Send) -> None:
        self._begun = True
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with aclosing(self._events) as batches:
            try:
                async for events in batches:
                    async with asyncio.timeout(SLOW):
                        await send({"type": "http.response.body", "body": events, "more_body": True})
            except ArchiveBusy:
                return  # the reader comes back


async def live(request: Request) -> Response:
    """The stream of a channel, from `Last-Event-ID` or `?after=` on; without either, from now on."""
    site = site_of(request)
    view = await site.channel(request)
    headers = {**headers_of(view), "x-accel-buffering": "no"}  # a proxy passes on each event at once
    if request.method == "HEAD":
        return Response(headers=headers, media_type=EventStream.media_type)
    wanted = request.headers.get("last-event-id") or request.query_params.get("after", "")
    after = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 19 else None
    events = site.followers.events(request, view.info.place, after)
    return EventStream(site.followers, reader(request.client.host if request.client else ""), events, headers)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
