"""The channels that people told the bot to join or to leave, over restarts.

Only what differs from the config is kept: a channel of the config that was left, another that was joined.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from pynfo import IStorage, RetrievalError

KEY, VERSION = "admin", "1"  # where it is stored
MOST = 200  # channels of one network that are remembered

Fold = Callable[[str], str]


class Rooms(msgspec.Struct):
    """By network: `joined` has the channels' keys, None where there is none; `parted` the channels left."""

    joined: dict[str, dict[str, str | None]] = {}
    parted: dict[str, list[str]] = {}

    def chosen(
        self, network: str, channel: str, key: str | None, *, stay: bool, usual: bool, fold: Fold
    ) -> None:
        """Somebody chose to `stay` in a channel, or to be out of it; `usual`: the config has it.

        Raises `ValueError` where too many are remembered.
        """
        name = fold(channel)
        joined = {old: its for old, its in self.joined.get(network, {}).items() if fold(old) != name}
        parted = [old for old in self.parted.get(network, []) if fold(old) != name]
        if stay and not usual:
            joined[channel] = key
        if not stay and usual:
            parted.append(channel)
        if len(joined) + len(parted) > MOST:
            raise ValueError(f"I remember at most {MOST} channels of a network")
        self.joined[network] = joined
        self.parted[network] = parted


def read(factory: Any) -> Rooms:
    """What is remembered."""
    try:
        return msgspec.convert(IStorage(factory).retrieve(KEY, VERSION), Rooms)
    except RetrievalError:
        return Rooms()


def choose(factory: Any, client: Any, channel: str, key: str | None = None, *, stay: bool) -> None:
    """Remember that somebody wants us in a channel, or out of it. Raises `ValueError` where too many are."""
    rooms = read(factory)
    fold = client.state.fold
    usual = any(fold(setting.name) == fold(channel) for setting in client.settings.channels)
    rooms.chosen(client.name, channel, key, stay=stay, usual=usual, fold=fold)
    IStorage(factory).store(KEY, VERSION, msgspec.to_builtins(rooms))


def enter(factory: Any, client: Any) -> None:
    """Have the client of a network be where people chose, and not elsewhere."""
    rooms = read(factory)
    for channel, key in rooms.joined.get(client.name, {}).items():
        client.join(channel, key)
    for channel in rooms.parted.get(client.name, []):
        client.part(channel)
