"""Which channels are kept, found by what a network calls them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from plugins.logs.settings import Settings
from pynfo.irc.casemap import fold as fold_by


class Kept(msgspec.Struct, frozen=True):
    """A channel that is kept. `channel` is its name in the config; `relays`: folded nicks of relay bots."""

    network: str
    channel: str
    relays: frozenset[str]

    @property
    def place(self) -> str:
        return f"{self.network}/{self.channel}"


class _Names(msgspec.Struct):
    """The kept channels of one network by folded name, while one casemapping is in force."""

    fold: Callable[[str], str]
    kept: dict[str, Kept]


class Places:
    """The kept channels of all networks. `clients`: the factory's, by network."""

    def __init__(self, clients: Mapping[str, Any], settings: Settings) -> None:
        self.clients = clients
        self._settings = settings
        self._names: dict[str, _Names] = {}
        self._renamed: dict[str, dict[str, str]] = {}  # by network: what a channel is called now, to before

    def of(self, network: str, channel: str) -> Kept | None:
        """The kept channel that a network calls `channel`."""
        client = self.clients.get(network)
        if client is None:
            return None
        fold = client.state.fold
        names = self._names.get(network)
        if names is None or names.fold is not fold:
            names = self._names[network] = self._fold_all(network, fold)
        return names.kept.get(fold(channel))

    def fold(self, network: str, name: str) -> str:
        """A nick or a channel's name as all its spellings on that network are."""
        client = self.clients.get(network)
        return client.state.fold(name) if client is not None else fold_by(name, "rfc1459")

    def rename(self, network: str, old: str, new: str) -> Kept | None:
        """A channel has another name, for as long as the bot runs: it is the same channel to the log.

        Gives it where it is kept, and the new name is not that of another one.
        """
        kept = self.of(network, old)
        if kept is None or self.of(network, new) not in (None, kept):
            return None
        renamed = self._renamed.setdefault(network, {})
        for name in [name for name, channel in renamed.items() if channel == kept.channel]:
            del renamed[name]
        renamed[new] = kept.channel
        self._names.pop(network, None)
        return kept

    def _fold_all(self, network: str, fold: Callable[[str], str]) -> _Names:
        kept = {}
        for place, settings in self._settings.channels.items():
            name, _, channel = place.partition("/")
            if name == network:
                relays = frozenset(fold(nick) for nick in settings.relays)
                kept[fold(channel)] = Kept(network, channel, relays)
        for now, before in self._renamed.get(network, {}).items():
            kept.setdefault(fold(now), kept[fold(before)])
        return _Names(fold, kept)
