"""Rules of a config that a type cannot say, one function each: what is wrong in one sentence, or None.

What a server may see differently, such as how long a nick is, is left to the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pynfo.config_terms import Unread
from pynfo.irc.settings import SaslSettings, Secret, reveal
from pynfo.validation import Problem, shown

MECHANISMS = ("PLAIN", "EXTERNAL", "SCRAM-SHA-256", "SCRAM-SHA-512", "ECDSA-NIST256P-CHALLENGE")
JOIN_AFTER = ("connect", "login", "cloak")
PROXIES = ("http", "socks5", "socks5h")  # for the bot's own requests
LINE_BYTES = 510  # of a raw line, without CR LF (RFC 1459 section 2.3)

_NETWORK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}").fullmatch
_NICK = re.compile(r"[^\s\x00-\x1f\x7f,*?!@.:#&$+%~0-9-][^\s\x00-\x1f\x7f,*?!@.:]*").fullmatch
_CHANNEL = re.compile(r"[#&+!][^\s\x00-\x1f\x7f,]{1,199}").fullmatch  # RFC 2811 section 2.1
_WORD = re.compile(r"[^\s\x00-\x1f\x7f]+").fullmatch
_USERNAME = re.compile(r"[^\s\x00-\x1f\x7f@!:][^\s\x00-\x1f\x7f@!]*").fullmatch
_FINGERPRINT = re.compile(r"[0-9a-f]{64}").fullmatch
_CONTACT = re.compile(r"[!-'*-\[\]-~]{3,200}").fullmatch  # stands in a comment of User-Agent (RFC 9110 5.6.5)
_LINE_END = re.compile(r"[\0\r\n]").search

Rule = Callable[[Any], str | None]


def network_name(name: str) -> str | None:
    if _NETWORK(name):
        return None
    return f"{shown(name)} is no short name: write up to 50 letters, digits, -, _ and ."


def nick(nick: str) -> str | None:
    if _NICK(nick):
        return None
    return f"{shown(nick)} is no nick: write letters, digits and []{{}}|\\^_`-, with no digit or - first"


def username(username: str) -> str | None:
    return None if _USERNAME(username) else f"{shown(username)} is no username: write one word without @ or !"


def host(host: str) -> str | None:
    if host.count(":") == 1:  # an IPv6 address has more
        return f'{shown(host)} has a port in it: write it apart, such as host="irc.example.org", port=6697'
    if _WORD(host) and "/" not in host:
        return None
    return f'{shown(host)} is no host: write a name or an address alone, such as "irc.example.org"'


def port(port: int) -> str | None:
    return None if 0 < port < 65536 else f"{port} is no port: write a number from 1 to 65535"


def address(address: str) -> str | None:
    from ipaddress import ip_address

    try:
        ip_address(address)
    except ValueError:
        return f"{shown(address)} is no address of this machine: write an IPv4 or IPv6 address"
    return None


def listening_host(host: str) -> str | None:
    if _WORD(host) and "/" not in host and host.count(":") != 1:
        return None
    return f'{shown(host)} is no address to listen at: write such as "127.0.0.1", or "0.0.0.0" for all'


def port_or_any(port: int) -> str | None:
    if 0 <= port < 65536:
        return None
    return f"{port} is no port: write a number from 1 to 65535, or 0 for any that is free"


def public_url(url: str) -> str | None:
    from urllib.parse import urlsplit

    wrong = f'{shown(url)} is no address of a site: write such as "https://logs.example.org"'
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return wrong
    if not named or not _WORD(url) or "@" in parts.netloc:
        return wrong
    if parts.path.strip("/") or "?" in url or "#" in url:
        root = f"{parts.scheme}://{parts.netloc}"
        return f"the pages begin at the root of a site: write {shown(root)}, not {shown(url)}"
    return None


def proxy(text: str) -> str | None:
    from ipaddress import ip_network

    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return f'{shown(text)} is no address: write such as "127.0.0.1", or a network such as "10.0.0.0/8"'
    if "/" in text and ip_network(text.partition("/")[0]).network_address != network.network_address:
        return f"{shown(text)} is an address within a network: did you mean {str(network)!r}?"
    return None


def contact(text: str) -> str | None:
    if _CONTACT(text):
        return None
    return f'{shown(text)} is no contact: write such as "https://example.org/bot" or "me@example.org"'


def fetch_proxy(url: str | Secret) -> str | None:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(reveal(url))
        right = parts.scheme in PROXIES and parts.hostname and parts.port and not parts.path.strip("/")
    except ValueError:
        right = False
    if right and _WORD(reveal(url)):
        return None
    return 'that is no proxy: write such as "http://127.0.0.1:3128" or "socks5h://127.0.0.1:9050"'


def channel(name: str) -> str | None:
    if _CHANNEL(name):
        return None
    if _CHANNEL("#" + name):
        return f"{shown(name)} is no channel: did you mean {'#' + name!r}?"
    return f"{shown(name)} is no channel: write # and a name without spaces and commas"


def channel_key(key: Secret) -> str | None:
    text = key.reveal()
    return None if _WORD(text) and "," not in text else "a channel's key is one word without commas"


def fingerprint(text: str) -> str | None:
    if _FINGERPRINT(hexadecimal(text)):
        return None
    return f"{shown(text)} is no SHA-256 fingerprint: write 64 hexadecimal digits"


def hexadecimal(fingerprint: str) -> str:
    """As `NetworkSettings` has it; people copy fingerprints with colons and in upper case."""
    return fingerprint.replace(":", "").lower()


def one_line(text: str | Secret) -> str | None:
    return "a line end would break the line: write one line" if _LINE_END(reveal(text)) else None


def password(text: Secret) -> str | None:
    return one_line(text) if text.reveal() else "it is empty: write a password, or leave it out"


def raw_line(line: Secret) -> str | None:
    text = line.reveal()
    if _LINE_END(text) or not text[:1].isalnum():
        return 'each item is one IRC line: write such as "MODE pynfo +x"'
    if len(text.encode(errors="replace")) > LINE_BYTES:
        return f"a line has at most {LINE_BYTES} bytes"
    return None


def rate(lines: float) -> str | None:
    return None if lines > 0 else f"{lines:g} lines a second say nothing: write more, or None for no limit"


def request_rate(requests: float) -> str | None:
    if requests > 0:
        return None
    return f"{requests:g} requests a second would show nobody anything: write more, or None for no limit"


def burst(lines: int) -> str | None:
    return None if lines >= 1 else f"{lines} is too few: write 1 or more"


def join_after(moment: str) -> str | None:
    if moment in JOIN_AFTER:
        return None
    return f"{shown(moment)} is not known: write one of {', '.join(map(repr, JOIN_AFTER))}"


def mechanism(name: str) -> str | None:
    if name.upper() in MECHANISMS:
        return None
    return f"{shown(name)} is not known: write one of {', '.join(MECHANISMS)}"


def command_prefix(prefix: str) -> str | None:
    if prefix and _WORD(prefix) and not prefix.isalnum():
        return None
    return f'{shown(prefix)} would be met in ordinary talk: write a sign such as "!"'


def time_limit(seconds: float) -> str | None:
    return None if seconds > 0 else f"{seconds:g} seconds are too few: write such as 20"


def directory(path: Path) -> str | None:
    return None if path.is_dir() else f"there is no directory {path}"


# The setting of a network: the rule for its value, or for each item of it.
NETWORK_RULES: Mapping[str, Rule] = {
    "name": network_name,
    "host": host,
    "port": port,
    "nick": nick,
    "alternate_nicks": nick,
    "username": username,
    "realname": one_line,
    "password": password,
    "bind": address,
    "tls_fingerprints": fingerprint,
    "messages_per_second": rate,
    "burst": burst,
    "on_connect": raw_line,
    "join_after": join_after,
    "quit_message": one_line,
}

HTTP_RULES: Mapping[str, Rule] = {
    "host": listening_host,
    "port": port_or_any,
    "public_url": public_url,
    "trusted_proxies": proxy,
    "requests_per_second": request_rate,
    "burst": burst,
}

CHANNEL_RULES: Mapping[str, Rule] = {"name": channel, "key": channel_key}
SASL_RULES: Mapping[str, Rule] = {"mechanism": mechanism, "username": one_line, "password": one_line}


def broken(values: Mapping[str, Any], rules: Mapping[str, Rule]) -> Iterator[Problem]:
    """Each value, and each item of a list, that its rule refuses. None is left alone, and so is a secret that
    could not be read, which has been told already."""
    for name, rule in rules.items():
        value = values.get(name)
        items = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, item in items:
            text = rule(item) if item is not None and not isinstance(item, Unread) else None
            if text is not None:
                yield Problem((name,) if index is None else (name, index), f"{name}: {text}")


def tls_settings(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Settings of TLS on a connection without it, and half a client certificate."""
    if values.get("client_key") and not values.get("client_cert"):
        yield Problem(("client_key",), "client_key is half of it: write client_cert=PATH too")
    if values.get("tls", True):
        return
    for name in ("tls_fingerprints", "client_cert"):
        if values.get(name):
            yield Problem((name,), f"{name} does nothing without TLS: write tls=True, or leave it out")


def login(sasl: SaslSettings, network: Mapping[str, Any]) -> Iterator[Problem]:
    """What a login lacks, or must not do."""
    mechanism, certificate = sasl.mechanism, network.get("client_cert")
    has_password = isinstance(sasl.password, Unread) or bool(reveal(sasl.password))
    if mechanism == "EXTERNAL":
        if not certificate:
            yield Problem((), "EXTERNAL logs in by certificate: write client_cert=PATH in the network")
    elif mechanism is None and not sasl.username:
        if not certificate:
            yield Problem((), 'there is nothing to log in with: write username="…" and password=env("…")')
    elif not sasl.username:
        yield Problem((), 'a login needs a name: write username="…"')
    elif mechanism == "ECDSA-NIST256P-CHALLENGE":
        if not sasl.ecdsa_key:
            yield Problem((), f"{mechanism} needs a key: write ecdsa_key=PATH")
    elif not has_password and (mechanism or not sasl.ecdsa_key):
        yield Problem((), 'a login needs a password: write password=env("…") or file("…")')
    if mechanism == "PLAIN" and not network.get("tls", True) and not network.get("plain_without_tls"):
        yield Problem(
            ("mechanism",),
            "PLAIN without TLS lets anybody on the way read the password: write tls=True, SCRAM-SHA-256, or, "
            "where the way is safe, plain_without_tls=True in the network",
        )
