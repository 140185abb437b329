"""The networks of a config file: each `Network(...)` checked whole and made into `NetworkSettings`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pynfo import config_rules as rules
from pynfo.config_places import Place, Source
from pynfo.config_reading import WrittenReader
from pynfo.config_terms import Channel, Network, Sasl
from pynfo.irc.settings import ChannelSettings, NetworkSettings, SaslSettings
from pynfo.validation import shown

TLS_PORT, PLAIN_PORT = 6697, 6667  # RFC 7194; the usual one (RFC 2812 section 1.1 leaves it open)


class _Form(NetworkSettings, frozen=True, kw_only=True):
    """What `Network(...)` takes: the settings, but the servers also as `host` and `port`."""

    host: str | None = None
    port: int | None = None
    servers: list[tuple[str, int]] | None = None  # type: ignore[assignment]
    channels: list[Any] = []
    sasl: Any = None


class NetworkReader(WrittenReader):
    """Reads the networks of one file.

    `common` are the settings that networks take from the file where they do not say them.
    """

    def __init__(self, source: Source, base: Path, common: Mapping[str, Any]) -> None:
        super().__init__(source, base)
        self._common = common

    def read(self, written: object, place: Place) -> NetworkSettings | None:
        """One item of `networks`; None where something in it is wrong."""
        if not isinstance(written, Network):
            self._tell(place, f'{shown(written)} is no network: write Network("NAME", host=…)')
            return None
        before = len(self.mistakes)
        place = self.place(written)
        values = self._values(written, place, _Form, ("name",), "setting of a network")
        self._tell_all(place, rules.broken(values, rules.NETWORK_RULES))
        self._tell_all(place, rules.tls_settings(values))
        for name in ("client_cert", "client_key"):
            self._resolve(values, name, place)
        values["servers"] = self._servers(values, written, place)
        values["tls_fingerprints"] = [rules.hexadecimal(text) for text in values.get("tls_fingerprints", [])]
        values["channels"] = self._channels(values.get("channels", []), place.part("channels"))
        values["sasl"] = self._sasl(values.get("sasl"), values, place.part("sasl"))
        if len(self.mistakes) > before:
            return None
        return NetworkSettings(**{**self._common, **values})

    def _servers(self, values: dict[str, Any], written: Network, place: Place) -> list[tuple[str, int]]:
        host, port = values.pop("host", None), values.pop("port", None)
        servers: list[tuple[str, int]] | None = values.get("servers")
        if servers is None:
            if written.keywords.keys().isdisjoint(("host", "servers")) and len(written.arguments) < 2:
                self._tell(place, 'a network needs a server: write host="irc.example.org"')
            return [(host or "", port or (TLS_PORT if values.get("tls", True) else PLAIN_PORT))]
        if host is not None or port is not None:
            self._tell(place, "host and port belong in servers here: leave them out", "servers")
        if not servers:
            self._tell(place, 'servers is empty: write servers=[("irc.example.org", 6697)]', "servers")
        for index, (name, number) in enumerate(servers):
            for wrong in filter(None, (rules.host(name), rules.port(number))):
                self._tell(place, f"servers: {wrong}", "servers", index)
        return servers

    def _channels(self, written: list[object], place: Place) -> list[ChannelSettings]:
        channels: dict[str, ChannelSettings] = {}
        for index, item in enumerate(written):
            at = self.place(item) if isinstance(item, Channel) else place.part(index)
            channel = self._channel(item, at)
            if channel is not None and channels.setdefault(channel.name.lower(), channel) is not channel:
                self._tell(at, f"{channel.name} is there twice: leave one out")
        return list(channels.values())

    def _channel(self, written: object, place: Place) -> ChannelSettings | None:
        if isinstance(written, str):
            written = Channel(written)
        if not isinstance(written, Channel):
            self._tell(place, f'{shown(written)} is no channel: write "#name" or Channel("#name", key=…)')
            return None
        before = len(self.mistakes)
        values = self._values(written, place, ChannelSettings, ("name", "key"), "setting of a channel")
        self._tell_all(place, rules.broken(values, rules.CHANNEL_RULES))
        return ChannelSettings(**values) if len(self.mistakes) == before else None

    def _sasl(self, written: object, network: Mapping[str, Any], place: Place) -> SaslSettings | None:
        if written is None:
            return None
        if not isinstance(written, Sasl):
            self._tell(place, f"{shown(written)} is no login: write sasl=Sasl(username=…, password=env(…))")
            return None
        before = len(self.mistakes)
        place = self.place(written)
        values = self._values(written, place, SaslSettings, ("mechanism",), "setting of Sasl")
        self._tell_all(place, rules.broken(values, rules.SASL_RULES))
        if values.get("mechanism") is not None:
            values["mechanism"] = values["mechanism"].upper()
        self._resolve(values, "ecdsa_key", place)
        settings = SaslSettings(**values)
        if len(self.mistakes) == before:
            self._tell_all(place, rules.login(settings, network))
        return settings

    def _resolve(self, values: dict[str, Any], name: str, place: Place) -> None:
        """Make the path of a file absolute, and see that it can be read."""
        path = values.get(name)
        if path is None:
            return
        values[name] = str(self._base / os.path.expanduser(path))
        try:
            with open(values[name], "rb"):
                pass
        except OSError as error:
            self._tell(place, f"{name}: {path} cannot be read: {error.strerror}", name)
