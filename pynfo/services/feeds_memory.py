"""What is remembered of one feed: which entries were there, and what is still to be said of them.

Plain values go in and out, so that it outlives every reload. It is bounded: the entries that have not been in
the feed for the longest time are forgotten first, and of a feed no more is looked at than fits here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from pynfo.services.feeds_reading import Entry

IDENTITIES = 2000  # of one feed; a document has at most 500 entries, with few identities each
PENDING = 5000  # announcements of one feed; past that the oldest are left to the outbox, which has them


class Announcement(msgspec.Struct, frozen=True):
    """What is to be said to a target (`network/#channel`). Under its key it is said there once.

    `time`: since when, in UTC epoch seconds.
    """

    key: str
    target: str
    text: str
    time: float


class _Dump(msgspec.Struct):
    """A memory as it is stored, as a dictionary."""

    address: str
    looked: bool = False
    seen: list[str] = []
    pending: list[Announcement] = []


class Memory:
    """Of the feed at `address`. `looked`: it was read once at least, and what it had then is old."""

    def __init__(self, address: str, stored: Any = None) -> None:
        self.address = address
        dump = _Dump(address)
        if stored is not None:
            try:
                dump = msgspec.convert(stored, _Dump)
            except msgspec.ValidationError:
                dump = _Dump(address)  # of no version that we know: begin anew, and announce nothing old
        moved = dump.address != address  # entries may look otherwise there: what it has now is old
        self.looked = dump.looked and not moved
        self._seen = dict.fromkeys([] if moved else dump.seen)
        self.pending = {(waiting.key, waiting.target): waiting for waiting in dump.pending}

    @property
    def empty(self) -> bool:
        """Whether no entry is known."""
        return not self._seen

    def dump(self) -> Any:
        """Plain values, for `IStorage`."""
        dump = _Dump(self.address, self.looked, list(self._seen), list(self.pending.values()))
        return msgspec.to_builtins(dump)

    def fresh(self, entries: Iterable[Entry]) -> list[Entry]:
        """Those that were never there before."""
        return [entry for entry in entries if self._seen.keys().isdisjoint(entry.identities)]

    def note(self, entries: Iterable[Entry]) -> bool:
        """They are there. Whether anything is known now that was not before."""
        before = len(self._seen)
        known = self._seen.keys()
        new = not self.looked
        self.looked = True
        for identity in [identity for entry in entries for identity in entry.identities]:
            new = new or identity not in known
            self._seen.pop(identity, None)
            self._seen[identity] = None
        for identity in list(self._seen)[: max(0, len(self._seen) - IDENTITIES)]:
            del self._seen[identity]
        return new or len(self._seen) != before

    def promise(self, announcements: Iterable[Announcement]) -> None:
        """They are to be said."""
        for announcement in announcements:
            self.pending[announcement.key, announcement.target] = announcement
        for key in list(self.pending)[: max(0, len(self.pending) - PENDING)]:
            del self.pending[key]
