"""Links to private logs, and which lines a link names.

A private log is opened by a signed token that names one place, and works for so many hours. The token is not
encrypted: whoever has it may read that log, and may know its name.
"""

from __future__ import annotations

import re
import time
from hashlib import sha256

from itsdangerous import BadData, URLSafeSerializer

LONGEST = 2048  # characters of a token; what is longer was not made here
HOUR = 3600
GREATEST = 2**63  # ids are below it

_NAMED = re.compile(
    r"(?:#L([0-9]{1,19})(?:-L?([0-9]{1,19}))?|/L/([0-9]{1,19})(?:/around|\?to=([0-9]{1,19}))?)$"
)


def sign(key: bytes, place: str, hours: int, *, now: float | None = None) -> str:
    """A token for `place` that works for `hours` from `now` (UTC epoch seconds) on; its letters fit a URL."""
    until = int((time.time() if now is None else now) + hours * HOUR)
    return str(_serializer(key).dumps([place, until]))


def read(key: bytes, token: str, *, now: float | None = None) -> str | None:
    """The place that a token is for; None where it was not made with this key, or its time is over."""
    if len(token) > LONGEST or not token.isascii():
        return None
    try:
        place, until = _serializer(key).loads(token)
    except BadData:
        return None
    return str(place) if (time.time() if now is None else now) < until else None


def lines_named(address: str) -> tuple[int, int] | None:
    """The first and the last id of the lines that an address of the site ends with; None where it names none.

    `https://host/libera/pynfo/2026-11-21#L17`, `…#L17-L19`, `/L/17`, `/L/17?to=19`, and `#L17` alone.
    """
    found = _NAMED.search(address.strip("<>"))
    if found is None:
        return None
    first = int(found[1] or found[3])
    last = int(found[2] or found[4] or first)
    return (min(first, last), max(first, last)) if max(first, last) < GREATEST else None


def _serializer(key: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(
        key,
        salt="pynfo.logs.private",
        signer_kwargs={"key_derivation": "hmac", "digest_method": sha256},
    )
