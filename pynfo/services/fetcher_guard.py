"""Which addresses may be asked, when a stranger gave them: the web's, on this side of no firewall.

An address is taken apart once (`parse`). Its host is then looked up once (`resolve`), and the addresses found
are what is connected to; nobody looks up the name again, since another answer may come the second time.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import idna
import msgspec

URL_LENGTH = 4096  # characters
PORTS = {"http": 80, "https": 443}
TRIED = 3  # addresses of one host

Network = IPv4Network | IPv6Network
Numeric = IPv4Address | IPv6Address

_UNWANTED = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]").search
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*").fullmatch
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*").fullmatch

# What `ipaddress` takes for public, and is not, or leads elsewhere.
_CLOSED = [
    ip_network(text)
    for text in (
        "168.63.129.16/32",  # what Azure tells its machines about themselves
        "192.0.0.0/24",  # IETF protocols (RFC 6890), and what Oracle tells its machines about themselves
        "192.88.99.0/24",  # relays to 6to4 (RFC 7526)
        "2001::/23",  # Teredo, ORCHID and others of IETF protocols (RFC 2928)
        "2002::/16",  # 6to4: any IPv4 address is in there (RFC 3056)
        "3fff::/20",  # documentation (RFC 9637)
    )
]
_GLOBAL = IPv6Network("2000::/3")  # all that is public of IPv6 (RFC 4291 section 2.4)
_TRANSLATED = IPv6Network("64:ff9b::/96")  # an IPv4 address, reached through NAT64 (RFC 6052)


class Refused(Exception):
    """An address that is not asked. One clause."""


class Address(msgspec.Struct, frozen=True):
    """An address of the web, taken apart: `host` is in ASCII, without brackets and the dot at its end."""

    url: str  # without the fragment
    scheme: str
    host: str
    port: int

    @property
    def key(self) -> str:
        """The host and port, for the manners that are kept with each."""
        return f"{self.host}:{self.port}"

    @property
    def named(self) -> str:
        """As the Host header has it (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def local(self) -> bool:
        """Whether it names this machine, which no proxy needs to be asked for."""
        numeric = _numeric(self.host)
        return self.host == "localhost" if numeric is None else numeric.is_loopback


def parse(url: str, *, guarded: bool) -> Address:
    """Take an address apart. Raises `Refused`."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
    except ValueError as error:
        raise Refused("that is no address of a web page") from error
    if parts.scheme not in PORTS:
        raise Refused("only addresses that begin with http:// or https:// are asked")
    if guarded:
        if "@" in parts.netloc:
            raise Refused("an address with a name or a password in it is not asked")
        if _UNWANTED(url) or len(url) > URL_LENGTH:
            raise Refused("that is no address of a web page")
    if "[" in parts.netloc and not isinstance(_numeric(host), IPv6Address):
        raise Refused("that is no address of a web page")
    host = _ascii(host, guarded=guarded)
    port = PORTS[parts.scheme] if port is None else port
    written = f"[{host}]" if ":" in host else host
    credentials, at, _ = parts.netloc.rpartition("@")
    if port != PORTS[parts.scheme]:
        written += f":{port}"
    address = parts._replace(netloc=credentials + at + written, path=parts.path or "/", fragment="")
    return Address(address.geturl(), parts.scheme, host, port)


def resolve(address: Address, allowed: Iterable[Network]) -> list[str]:
    """The numeric addresses to connect to, at most `TRIED`. Blocks.

    Raises `Refused` where one of all is not public, and `OSError` where the name is not known.
    """
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    numbers = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    allowed = list(allowed)
    for number in numbers:
        numeric = _numeric(number)
        if numeric is not None and any(numeric in network for network in allowed):
            continue
        if numeric is None or not is_public(numeric):
            raise Refused(f"{address.host} is not at a public address")
        if address.port not in PORTS.values():
            raise Refused("only the ports 80 and 443 are asked")
    return numbers[:TRIED]


def is_public(address: Numeric) -> bool:
    """Whether everybody on the Internet means the same by it, and it leads to nothing that is not public."""
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return is_public(inner)
        if address not in _GLOBAL:
            return False
    return address.is_global and not address.is_multicast and not any(address in net for net in _CLOSED)


def networks(texts: Iterable[str]) -> list[Network]:
    """`fetch_allow` as networks."""
    return [ip_network(text) for text in texts]


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _TRANSLATED else None


def _ascii(host: str, *, guarded: bool) -> str:
    """A host as DNS knows it (UTS #46). Raises `Refused`.

    Where it is to be guarded, a number must look like one: "127.1", "0x7f000001" and "017700000001" are
    127.0.0.1 to some, and to others names.
    """
    wrong = "that is no address of a web page"
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except (idna.IDNAError, UnicodeError) as error:
            raise Refused(wrong) from error
    host = host.lower().removesuffix(".")
    if _numeric(host) is not None:
        return host
    if not _NAME(host) or (guarded and _NUMBER(host.rpartition(".")[2])):
        raise Refused(wrong)
    return host


def _numeric(host: str) -> Numeric | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
