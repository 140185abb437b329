"""Follows the archive for all streams of the site together: each change is read and rendered once.

Time goes in turns: a turn begins when something may have changed. What is read in one is shared by all
streams, and forgotten with the next, so that nobody is sent from memory what was removed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

from plugins.logs.archive.records import Change, ChannelInfo
from plugins.logs.interfaces import ArchiveBusy
from plugins.logs.line import Line, day_of
from plugins.logs.site.access import still_open
from plugins.logs.site.render import line_html

if TYPE_CHECKING:
    from plugins.logs.site.context import Site

log = logging.getLogger(__name__)

STREAMS = 300  # at one time
STREAMS_OF_ONE = 12  # of one address; of IPv6, of one /64
HEARTBEAT = 15.0  # seconds of silence at the most
RETRY = 3000  # milliseconds until a reader comes back
AT_ONCE = 500  # changes
BUSY_PAUSE = 1.0  # seconds
TOO_MANY = "Too many people follow the logs just now; the pages themselves work as ever."
EVENTS = {"new": b"line", "redacted": b"redacted", "removed": b"removed"}

_json = msgspec.json.Encoder().encode


class Batch(msgspec.Struct, frozen=True):
    """Events, as they are sent, and the sequence number up to which they tell everything.

    `info`: the channel as it was afterwards, so that nothing is sent that was said after it was closed.
    `more`: there are more already.
    """

    upto: int
    events: bytes
    info: ChannelInfo | None
    more: bool = False


class Followers:
    """All streams of a site, and the one task that follows the archive for them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._of_one: Counter[str] = Counter()
        self._streams: set[asyncio.Task[None]] = set()
        self._following: asyncio.Task[None] | None = None
        self._turn = asyncio.Event()  # set when something may have changed, and replaced
        self._known: dict[object, asyncio.Task[Any]] = {}  # read in this turn
        self._stopped = False

    def stop(self) -> None:
        """End all streams, and take no more."""
        self._stopped = True
        for stream in self._streams:
            stream.cancel()

    def enter(self, client: str, stream: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a stream of `client`, until `leave`. Raises 503 where there are too many."""
        if self._stopped or len(self._streams) >= STREAMS or self._of_one[client] >= STREAMS_OF_ONE:
            stream.close()
            raise HTTPException(503, TOO_MANY, headers={"retry-after": "60"})
        task = asyncio.create_task(stream)
        self._streams.add(task)
        self._of_one[client] += 1
        if self._following is None:
            self._following = asyncio.create_task(self._follow())
            self._following.add_done_callback(self._has_ended)
        return task

    def leave(self, client: str, stream: asyncio.Task[None]) -> None:
        self._streams.discard(stream)
        self._of_one[client] -= 1
        if not self._of_one[client]:
            del self._of_one[client]
        if not self._streams and self._following is not None:
            self._following.cancel()
            self._following = None

    async def events(self, request: Request, place: str, after: int | None) -> AsyncGenerator[bytes]:
        """What is sent to one reader; ends when the channel is not open to them any more."""
        clock = asyncio.get_running_loop().time
        if after is None:
            after = int(await self._site.archive.latest(place))
        yield b"retry: %d\nid: %d\n\n" % (RETRY, after)
        due = clock() + HEARTBEAT
        while True:
            turn = self._turn
            batch: Batch = await self._once((place, after), self._read, place, after)
            if not still_open(self._site, request, batch.info):
                return
            after = batch.upto
            if batch.events:
                yield batch.events
                due = clock() + HEARTBEAT
            if batch.more:
                continue
            try:
                async with asyncio.timeout_at(due):
                    await turn.wait()
            except TimeoutError:
                yield b": still here\nid: %d\n\n" % after
                due = clock() + HEARTBEAT

    async def _once(self, key: object, read: Callable[..., Awaitable[Any]], *arguments: object) -> Any:
        """What `read(*arguments)` gives, for all who ask in this turn."""
        reading = self._known.get(key)
        if reading is None:
            reading = self._known[key] = asyncio.ensure_future(read(*arguments))
            reading.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(reading)

    async def _read(self, place: str, after: int) -> Batch:
        archive = self._site.archive
        latest: int = await archive.latest(place)  # first: what comes now is told in the next turn
        changes: list[Change] | None = await archive.changes(place, after, AT_ONCE)
        upto, more = latest, False
        if changes is None:
            events = b"id: %d\nevent: reload\ndata: {}\n\n" % latest
        elif changes:
            events = await self._site.renderer.run(_events, changes, await self._parents(place, changes))
            more = len(changes) == AT_ONCE
            upto = changes[-1].seq if more else max(changes[-1].seq, latest)
        else:
            events = b""
            upto = max(after, latest)
        return Batch(upto, events, await archive.channel(place), more)

    async def _parents(self, place: str, changes: Iterable[Change]) -> dict[str, Line]:
        """By msgid, the lines that others answer, as far as the last pages of their days know them."""
        days = {day_of(one.line_id) for one in changes if one.line is not None and one.line.reply_to}
        parents: dict[str, Line] = {}
        for day in days:
            page = await self._site.archive.day(place, day)
            if page is not None:
                parents |= page.parents
        return parents

    # -- following

    async def _follow(self) -> None:
        """Begin a turn with each change, and at least every 15 seconds."""
        archive = self._site.archive
        seen = 0
        while True:
            try:
                await archive.changed(seen)
                seen = await archive.latest("")  # before the turn: what comes later makes another one
            except ArchiveBusy:
                await asyncio.sleep(BUSY_PAUSE)
            self._known.clear()
            turn, self._turn = self._turn, asyncio.Event()
            turn.set()

    def _has_ended(self, following: asyncio.Task[None]) -> None:
        if following.cancelled():
            self._known.clear()
            return
        log.error("the live pages cannot follow the archive any more", exc_info=following.exception())
        self._following = None
        for stream in self._streams:
            stream.cancel()


def _events(changes: Iterable[Change], parents: dict[str, Line]) -> bytes:
    """Changes as events. What was said and is gone already is left out: its removal comes, too."""
    out = []
    for one in changes:
        told: dict[str, Any] = {"id": one.line_id}
        if one.line is not None and one.what != "removed":
            told["html"] = str(line_html(one.line, parents=parents))
        elif one.what != "removed":
            continue
        out.append(b"id: %d\nevent: %b\ndata: %b\n\n" % (one.seq, EVENTS[one.what], _json(told)))
    return b"".join(out)
