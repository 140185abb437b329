"""`!log`: search what was said here, where the plugin `logs` keeps it.

In a channel its own lines are searched, and no other's; in private, those of the channels that the asker is
in at this moment. Nobody is told of what was said in a channel that they are not in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from plugins.search.results import BETWEEN, fitted
from plugins.search.room import room_of
from pynfo import ICommands, Request, Rest, command
from pynfo.text import one_line

LINES = 6  # told in one answer
PAGE = 30  # lines looked for at once
PAGES = 4
TEXT = 300  # graphemes of a line; a line of IRC has room for fewer, mostly

DONE = {
    "join": "joined",
    "part": "left",
    "quit": "quit",
    "kick": "kicked",
    "nick": "is now",
    "topic": "set the topic:",
    "mode": "set mode",
}


@command
async def log(request: Request, words: Rest) -> list[str]:
    """Search what was said in this channel, newest first; in private, in all channels that you are in.

    WORDS are as in the log's own search: "a phrase", pyn*, -without, nick:alice, after:2026-11, has:link.
    Example: log nick:alice zope
    """
    factory = request.factory
    if "logs" not in factory.plugins.loaded:  # then not even its code is
        raise request.error("log: nothing that is said is kept here")
    from plugins.logs.archive.query import QueryError
    from plugins.logs.interfaces import ArchiveBusy, IArchive, ILinks

    places = _places(request)
    archive, links, room = IArchive(factory), ILinks(factory, None), room_of(request)
    try:
        lines, reached = await _search(request, archive, words, places)
        said = []
        for line in lines:
            address = await links.address_of(line) if links is not None else None
            said.append(line_of(line, room, address=address, place=request.channel is None))
    except (QueryError, ArchiveBusy) as error:
        raise request.error(f"log: {error}") from None
    if not said:
        far = f" since {_time(reached)} (it takes too long to look further back)" if reached else ""
        raise request.error(f"nobody said that here{far}")
    return said


async def _search(
    request: Request, archive: Any, words: str, places: list[str]
) -> tuple[list[Any], float | None]:
    """The newest lines that fit, and how far back was looked where it was not all. Raises `QueryError`.

    Questions like this one, and what the bot has said, are left out: they would be found first each time.
    """
    from plugins.logs.archive.query import parse

    query = parse(words, now=datetime.now(UTC).date())
    if not query.wanted.nicks:
        nicks = (*query.unwanted.nicks, request.client.state.nick)
        query = replace(query, unwanted=replace(query.unwanted, nicks=nicks))
    is_question = _questions(request)
    lines: list[Any] = []
    cursor = reached = None
    for _ in range(PAGES):
        found = await archive.search(query, places, before=cursor, limit=PAGE)
        lines += [line for line in found.lines if not is_question.match(line.text)]
        cursor, reached = found.cursor, found.reached
        if cursor is None or len(lines) >= LINES:
            break
    return lines[:LINES], reached


def _places(request: Request) -> list[str]:
    """What may be searched. Raises `CommandError` where that is nothing."""
    state = request.client.state
    shared = state.shared_channels(request.user.nick)
    if request.channel is not None:
        shared = [name for name in shared if state.fold(name) == state.fold(request.channel)]
        if not shared:
            raise request.error(f"log: what was said in {request.channel} is for the people in it")
    places = _kept(request, shared)
    if not places and request.channel is None:
        raise request.error("log: we share no channel whose lines are kept")
    if not places:
        raise request.error(f"log: what is said in {request.channel} is not kept")
    return places


def _kept(request: Request, channels: Iterable[str]) -> list[str]:
    """The places of those channels whose lines are kept, as the config writes them."""
    fold = request.client.state.fold
    names = {fold(channel) for channel in channels}
    return [
        place
        for place in request.factory.settings("logs").channels
        if place.partition("/")[0] == request.network and fold(place.partition("/")[2]) in names
    ]


def _questions(request: Request) -> re.Pattern[str]:
    """What a line begins with that asks this."""
    prefix = re.escape(ICommands(request.factory).prefix(request.network, request.channel))
    nick = re.escape(request.client.state.nick)
    return re.compile(rf"\s*(?:{prefix}|{nick}[:,]?\s+)(?:search\.)?log\s", re.IGNORECASE)


def line_of(line: Any, room: int, *, address: str | None, place: bool) -> str:
    """A line of a log in at most `room` bytes: when, (where `place`) in which channel, who, what, address."""
    begin = f"{_time(line.time)} {line.channel + ' ' if place else ''}{_who(line)}"
    end = f"{BETWEEN}{address}" if address else ""
    text = one_line(f"{line.target} {line.text}" if line.target else line.text, TEXT)
    text = fitted(text, room - len(f"{begin} {end}".encode()))
    return f"{begin} {text}{end}" if text else begin + end


def _who(line: Any) -> str:
    nick = f"{line.nick}@{line.origin}" if line.origin else line.nick
    if line.kind == "message":
        return f"<{nick}>"
    if line.kind == "notice":
        return f"-{nick}-"
    if line.kind == "action":
        return f"* {nick}"
    return f"{nick} {DONE[line.kind]}"


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
