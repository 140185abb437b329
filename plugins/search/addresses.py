"""Addresses from outside as they may be shown: safe to paste, and no other than they look.

Only http and https, without credentials; what is not plain ASCII is percent-encoded. A host is written in its
own letters where they can be confused with no others (one script, or Chinese, Japanese and Korean beside
Latin), else in punycode. Compare Unicode Technical Standard 39, section 5.2.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from urllib.parse import quote, urlsplit

LONGEST = 250  # characters: more leaves no room in a line of IRC

_KEPT = "/%:@!$&'()*+,;=~-._?"  # what stands for itself in a path, a query or a fragment (RFC 3986)
_HOST = re.compile(r"(?!-)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?")
_LATIN = "a-z0-9._ß-öø-ž-"
_UNAMBIGUOUS = re.compile(
    f"[{_LATIN}]+"
    f"|[{_LATIN}\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9fff]+"  # Hiragana, Katakana, Han
    f"|[{_LATIN}\uac00-\ud7a3]+"  # Hangul
    "|[0-9.\u0430-\u045f\u0491-]+"  # Cyrillic: the whole name, its top level too
    "|[0-9.\u03ac-\u03ce-]+"  # Greek
)


def shown(address: str) -> str | None:
    """The address as it may be shown; None where it is none of the web, or cannot be shown whole."""
    address = address.strip()
    if not address.isprintable() or " " in address:
        return None
    try:
        parts = urlsplit(address)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or parts.username is not None or not parts.hostname:
        return None
    host = _ipv6(parts.hostname) if ":" in parts.hostname else _name(parts.hostname)
    if host is None:
        return None
    path = quote(parts.path, safe=_KEPT)
    query = f"?{quote(parts.query, safe=_KEPT)}" if parts.query else ""
    fragment = f"#{quote(parts.fragment, safe=_KEPT)}" if parts.fragment else ""
    whole = f"{parts.scheme}://{host}{port}{path}{query}{fragment}"
    return whole if len(whole) <= LONGEST else None


def _name(host: str) -> str | None:
    """A host's name, in lower case."""
    if not host.isascii() or "xn--" in host.lower():
        import idna

        try:
            ascii_host = idna.encode(host, uts46=True).decode()
            own_letters = idna.decode(ascii_host)
        except (idna.IDNAError, UnicodeError):
            return None
        return own_letters if _UNAMBIGUOUS.fullmatch(own_letters) else ascii_host
    return host if _HOST.fullmatch(host) else None


def _ipv6(host: str) -> str | None:
    try:
        return f"[{IPv6Address(host)}]"
    except ValueError:
        return None
