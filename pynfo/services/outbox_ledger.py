"""What was said for sure: by key and target, with the ids that the networks gave to it.

Bounded: past `KEPT` keys the oldest are forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from pynfo.services.outbox_store import KEPT


class _Entry:
    __slots__ = ("about", "ids", "msgids")

    def __init__(self, about: bytes) -> None:
        self.about = about
        self.ids: list[int] = []  # of its items, one a target
        self.msgids: dict[str, list[str | None]] = {}  # by target; none yet: []


class Ledger:
    """Of one queue."""

    def __init__(self, limit: int = KEPT) -> None:
        self._limit = limit
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._keys: dict[tuple[str, str], str] = {}  # (target, msgid) -> key

    def __len__(self) -> int:
        return len(self._entries)

    def knows(self, key: str, target: str) -> bool:
        """Whether something is, or is to be, said to that target under that key."""
        entry = self._entries.get(key)
        return entry is not None and target in entry.msgids

    def add(self, key: str, target: str, item_id: int, about: bytes) -> None:
        """Something is to be said."""
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(about)
            if len(self._entries) > self._limit:
                self._forget_oldest()
        entry.ids.append(item_id)
        entry.msgids[target] = []

    def confirm(self, key: str, target: str, msgids: Sequence[str | None]) -> None:
        """It was said, in lines of these ids."""
        entry = self._entries.get(key)
        if entry is None:
            return
        entry.msgids[target] = list(msgids)
        for msgid in msgids:
            if msgid is not None:
                self._keys[target, msgid] = key

    def key_of(self, target: str, msgid: str) -> str | None:
        """Under which key that message was said."""
        return self._keys.get((target, msgid))

    def copies(self, key: str) -> Mapping[str, Sequence[str | None]]:
        """The msgids of what was said under a key, by target."""
        entry = self._entries.get(key)
        return entry.msgids if entry is not None else {}

    def about(self, key: str) -> bytes:
        entry = self._entries.get(key)
        return entry.about if entry is not None else b""

    def forget(self, unwanted: Callable[[bytes], bool]) -> list[int]:
        """Forget what is known about those keys of which `unwanted` says so; gives the ids of their items."""
        gone: list[int] = []
        for entry in self._entries.values():
            if entry.about and unwanted(entry.about):
                entry.about = b""
                gone += entry.ids
        return gone

    def _forget_oldest(self) -> None:
        _, entry = self._entries.popitem(last=False)
        for target, msgids in entry.msgids.items():
            for msgid in msgids:
                if msgid is not None:
                    self._keys.pop((target, msgid), None)
