"""One result of a search, and the one line of IRC that it becomes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from plugins.search.addresses import shown
from pynfo.irc.split import LEAST, split
from pynfo.text import UNSEEN, one_line, uncommanding

TITLE = 100  # graphemes
SNIPPET = 300  # graphemes; a line has room for fewer, mostly
BETWEEN = " — "


class Result(msgspec.Struct, frozen=True):
    """What a provider found. `title` and `snippet` are text as it came, `address` may be anything."""

    title: str
    address: str
    snippet: str = ""


def presentable(results: Iterable[Result]) -> Iterator[Result]:
    """The results that may be shown: each address once and safe to paste, the texts of one line."""
    seen = set()
    for result in results:
        address = shown(result.address)
        if address is None or address in seen:
            continue
        seen.add(address)
        yield Result(one_line(result.title, TITLE), address, one_line(result.snippet, SNIPPET))


def line_of(result: Result, provider: str, room: int) -> str:
    """One presentable result. The address stays whole: what has no room is cut from the title and snippet."""
    end = f" ({provider})"
    room -= len(result.address.encode()) + len(end) + len(UNSEEN.encode())
    title = fitted(result.title, room - len(BETWEEN.encode()))
    line = f"{title}{BETWEEN}{result.address}" if title else result.address
    if title:
        room -= len((title + BETWEEN).encode())
    snippet = fitted(result.snippet, room - len(BETWEEN.encode()))
    return uncommanding(line + (BETWEEN + snippet if snippet else "") + end)


def fitted(text: str, room: int) -> str:
    """As much of the text as `room` bytes hold, cut between words; "" where that is very little."""
    if len(text.encode()) <= room:
        return text
    room -= len("…".encode())
    return split(text, room)[0].rstrip(" ,;:.-") + "…" if room >= LEAST else ""
