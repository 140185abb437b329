"""What is new in a feed, and how several things are told in one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from pynfo.services.feeds_reading import Entry, Feed

LISTED = 5  # entries that are named in one line
ROOM = 300  # characters for them


class News(msgspec.Struct, frozen=True):
    """`entries` are new in the `feed`, oldest first.

    `missed`: none of what the feed has was there before, so that more may have come and gone unseen.
    """

    feed: Feed
    entries: Sequence[Entry]
    missed: bool = False


def folded(names: Iterable[str], *, separator: str = ", ", listed: int = LISTED, room: int = ROOM) -> str:
    """Several names in one line: "a, b and c", "a, b, c, d, e and 12 more"."""
    every = list(names)
    shown = every[:listed]
    while len(shown) > 1 and len(separator.join(shown)) > room:
        shown.pop()
    rest = len(every) - len(shown)
    if rest:
        return f"{separator.join(shown)} and {rest} more"
    return " and ".join(filter(None, (separator.join(shown[:-1]), *shown[-1:])))
