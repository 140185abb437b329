"""Which ends of which wires a channel is, found by what its network calls it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from plugins.relay.wires import Port, Wire
from pynfo.irc.casemap import fold as fold_by


class End(msgspec.Struct, frozen=True):
    """A port, and the wire that it is on."""

    wire: Wire
    port: Port

    @property
    def lane(self) -> str:
        """What comes from here is held back and let go together."""
        return f"{self.wire.name} {self.port.place}"

    @property
    def others(self) -> list[Port]:
        """Where what is said here is carried to."""
        return [port for port in self.wire.ports if port is not self.port and port.receives]


class _Names(msgspec.Struct):
    """The ends on one network by folded channel, while one casemapping is in force."""

    fold: Callable[[str], str]
    ends: dict[str, list[End]]


class Ends:
    """`clients`: the factory's, by network."""

    def __init__(self, clients: Mapping[str, Any], wires: Sequence[Wire]) -> None:
        self.all = [End(wire, port) for wire in wires for port in wire.ports]
        self._clients = clients
        self._names: dict[str, _Names] = {}

    def at(self, network: str, channel: str) -> Sequence[End]:
        """Those of the channel that a network calls `channel`."""
        client = self._clients.get(network)
        if client is None:
            return ()
        fold = client.state.fold
        names = self._names.get(network)
        if names is None or names.fold is not fold:
            names = self._names[network] = _Names(fold, {})
            for end in self.all:
                if end.port.network == network:
                    names.ends.setdefault(fold(end.port.channel), []).append(end)
        return names.ends.get(fold(channel), ())

    def port(self, wire: str, place: str) -> Port | None:
        """A port of a wire; of any where the wire is not there any more."""
        found = None
        for end in self.all:
            if end.port.place == place:
                found = end.port
                if end.wire.name == wire:
                    break
        return found

    def fold(self, network: str, name: str) -> str:
        """A nick or a channel's name as all its spellings on that network are."""
        client = self._clients.get(network)
        return client.state.fold(name) if client is not None else fold_by(name, "rfc1459")
