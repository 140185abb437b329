"""What was chosen for a channel: which commands are off there, and the prefix. Kept over restarts."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pynfo.interfaces import IStorage, RetrievalError
from pynfo.services.command_table import Place, Switches

KEY, VERSION = "commands", "1"  # where it is stored
ENTRIES = 5000  # switches and prefixes, of all channels
PREFIX_LENGTH = 10  # characters


class CommandSwitches:
    """Stored on every change. A command is known by its `plugin.name`: it may be unloaded meanwhile."""

    def __init__(self, factory: Any) -> None:
        self._storage = IStorage(factory)
        self._switches: dict[str, Switches] = {}
        self.prefixes: dict[Place, str] = {}
        with suppress(RetrievalError):
            self._switches, self.prefixes = self._storage.retrieve(KEY, VERSION)

    def of(self, qualified: str) -> Switches:
        """The switches of one command: the same dict each time, which changes with them."""
        return self._switches.setdefault(qualified, {})

    def switch(self, qualified: str, on: bool, place: Place | None) -> None:
        """Raises `ValueError` where there are too many."""
        self._check_room()
        self.of(qualified)[place] = on
        self._store()

    def set_prefix(self, prefix: str | None, place: Place) -> None:
        """None: as the config says. Raises `ValueError` for a prefix that would be met in ordinary talk."""
        if prefix is None:
            self.prefixes.pop(place, None)
        else:
            self._check_room()
            self.prefixes[place] = check_prefix(prefix)
        self._store()

    def _check_room(self) -> None:
        if len(self.prefixes) + sum(map(len, self._switches.values())) >= ENTRIES:
            raise ValueError(f"there are {ENTRIES} switches and prefixes already")

    def _store(self) -> None:
        switches = {qualified: kept for qualified, kept in self._switches.items() if kept}
        self._storage.store(KEY, VERSION, (switches, self.prefixes))


def check_prefix(prefix: str) -> str:
    """Give the prefix, or raise `ValueError` with one sentence."""
    if not prefix or len(prefix) > PREFIX_LENGTH or not prefix.isprintable() or " " in prefix:
        raise ValueError(f"a prefix has 1 to {PREFIX_LENGTH} characters, without spaces")
    if prefix[-1].isalnum():
        raise ValueError("a prefix ends with a sign, such as ! or ., so that no word begins with it")
    return prefix
