"""Resolvers as the config and people write them: an address, with a port where it is not 53."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

import msgspec

from plugins.dns.addresses import is_public
from pynfo.command import quoted

PORT = 53


class Server(msgspec.Struct, frozen=True):
    """Where a resolver listens."""

    address: str
    port: int = PORT


def read(text: str) -> Server:
    """Read `9.9.9.9`, `127.0.0.1:5353`, `2620:fe::fe` or `[::1]:5353`.

    Raises `ValueError`, with one sentence.
    """
    try:
        return Server(str(ipaddress.ip_address(text)))
    except ValueError:
        pass
    try:
        parts = urlsplit(f"//{text}")
        address = str(ipaddress.ip_address(parts.hostname or ""))
        if parts.netloc != text or "@" in text or parts.port is None:
            raise ValueError
    except ValueError:
        raise ValueError(
            f"{quoted(text)} is no address: write such as 9.9.9.9, 127.0.0.1:5353 or [::1]:5353"
        ) from None
    return Server(address, parts.port)


def choose(text: str, own: Collection[Server], named: Mapping[str, Server], *, any_public: bool) -> Server:
    """The resolver that somebody asks for, by a name or an address that the config has.

    `any_public`: it may be any public address, on port 53. Raises `ValueError`, with one sentence.
    """
    if text.lower() in named:
        return named[text.lower()]
    try:
        server = read(text)
    except ValueError:
        server = None
    if server is not None:
        if server in own or server in named.values():
            return server
        if any_public and server.port == PORT and is_public(server.address):
            return server
    if any_public:
        raise ValueError(f"{quoted(text)} is no resolver that I may ask: write a public address")
    names = ", ".join(f"@{name}" for name in sorted(named))
    advice = f"choose one of {names}" if names else "ask without one"
    raise ValueError(f"{quoted(text)} is no resolver that I may ask: {advice}")
