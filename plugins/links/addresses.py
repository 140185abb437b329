"""Finds the addresses of pages in what somebody says."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from pynfo.irc.formatting import plain

LENGTH = 2000  # characters of an address

_ADDRESS = re.compile(  # up to what stands in no address: also the marks of languages that need no spaces
    rf"\bhttps?://[^\s<>\"`{{}}|\\^\x00-\x20\x7f「」『』【】《》、。，！？]{{1,{LENGTH}}}",  # noqa: RUF001
    re.IGNORECASE,
)
_AFTER = ".,;:!?'*_~…"  # what stands behind an address, and hardly ever at its end
_BRACKETS = {")": "(", "]": "[", "）": "（"}  # noqa: RUF001


def find(text: str, most: int) -> list[str]:
    """The first addresses in a text, formatting and all, each once; none with a name or a password in it."""
    found: dict[str, str] = {}
    for match in _ADDRESS.finditer(plain(text)):
        address = _trimmed(match[0])
        parts = split(address)
        if parts is not None:
            found.setdefault(key(parts), address)
            if len(found) == most:
                break
    return list(found.values())


def split(address: str) -> SplitResult | None:
    """The parts of an address; None where it is none, or has a name or a password in it."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    return parts if parts.hostname and "@" not in parts.netloc and port != 0 else None


def key(parts: SplitResult) -> str:
    """What is the same for addresses of the same page."""
    path = parts.path.rstrip("/")
    return f"{(parts.hostname or '').removeprefix('www.')}:{parts.port or ''}{path}?{parts.query}"


def _trimmed(address: str) -> str:
    """Without what belongs to the sentence around it: points, and brackets that it does not open."""
    while address:
        last = address[-1]
        opening = _BRACKETS.get(last)
        if last not in _AFTER and (opening is None or address.count(opening) >= address.count(last)):
            break
        address = address[:-1]
    return address
