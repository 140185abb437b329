"""Strict Transport Security: once a host has said over TLS that it wants TLS only, it gets TLS only.

Source: IRCv3 "Strict Transport Security". This decides; the client acts: it asks `lookup` before every
connection, closes and reconnects over TLS on an upgrade, and never falls back, whatever the reason the secure
connection could not be made. Pre-load lists and hosts given as IP addresses are not taken part in.

Times are in seconds since the epoch, since policies outlive the process.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Literal

import msgspec

MAXIMUM_DURATION = 10 * 365 * 86_400  # seconds; a longer promise is kept for so long


class StsValue(msgspec.Struct, frozen=True):
    """The value of the `sts` capability; None for a part that is missing or no number in its range."""

    port: int | None = None
    duration: int | None = None  # seconds; 0 withdraws the policy
    preload: bool = False


class StsAction(msgspec.Struct, frozen=True):
    """What a received value led to. `port`: where to connect with TLS, for "upgrade" and "stored"."""

    kind: Literal["upgrade", "stored", "removed", "none"]
    port: int | None = None


def parse(value: str) -> StsValue | None:
    """Read the value of the `sts` capability; None where it holds neither a port nor a duration.

    Unknown keys are ignored, and of a repeated key all but the first.
    """
    parts: dict[str, str] = {}
    for token in value.split(","):
        key, _, text = token.partition("=")
        parts.setdefault(key, text)
    port = _number(parts.get("port", ""))
    duration = _number(parts.get("duration", ""))
    if port is not None and not 1 <= port <= 65_535:
        port = None
    if port is None and duration is None:
        return None
    return StsValue(port, None if duration is None else min(duration, MAXIMUM_DURATION), "preload" in parts)


class PolicyStore:
    """The policies of all hosts.

    `entries` maps a host's name to the port for TLS and the time its policy expires, and is whatever keeps
    that over restarts: it is changed only when a policy is.
    """

    def __init__(self, entries: MutableMapping[str, tuple[int, float]]) -> None:
        self._entries = entries
        self._durations: dict[str, int] = {}  # as last advertised to this process

    def lookup(self, host: str, now_epoch: float) -> int | None:
        """The port on which `host` must be reached with TLS; None where no policy binds us."""
        host = _normal(host)
        entry = self._entries.get(host)
        if entry is None:
            return None
        port, expires = entry
        if now_epoch >= expires:
            del self._entries[host]
            return None
        return port

    def received(self, host: str, value: str, secure: bool, port: int, now_epoch: float) -> StsAction:
        """Take in the value that `host`, as we asked for it, advertised on a connection to `port`.

        `secure`: over TLS with a certificate that was verified or pinned. A value that came over TLS without
        either is not to be handed in: it can neither upgrade the connection nor be believed.
        """
        advertised = parse(value)
        host = _normal(host)
        if advertised is None or _is_address(host):
            return StsAction("none")
        if not secure:
            return StsAction("upgrade", advertised.port) if advertised.port else StsAction("none")
        if advertised.duration is None:
            return StsAction("none")
        if advertised.duration == 0:
            return StsAction("none" if self._entries.pop(host, None) is None else "removed")
        self._durations[host] = advertised.duration
        self._entries[host] = (port, now_epoch + advertised.duration)
        return StsAction("stored", port)

    def disconnected(self, host: str, now_epoch: float) -> None:
        """Count the policy's time from the end of a connection, which may have outlasted it.

        For secure connections to `host` only ("Rescheduling expiry on disconnect").
        """
        host = _normal(host)
        duration = self._durations.get(host)
        entry = self._entries.get(host)
        if duration is not None and entry is not None:
            self._entries[host] = (entry[0], now_epoch + duration)


def _number(text: str) -> int | None:
    """A plain decimal number; of one with more than 18 digits the first 18, still beyond any bound here."""
    return int(text[:18]) if text.isascii() and text.isdigit() else None


def _normal(host: str) -> str:
    return host.rstrip(".").lower()


def _is_address(host: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
