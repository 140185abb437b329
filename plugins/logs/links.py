"""Links to private logs: a signed token that names one place, and works for so many hours.

The token is not encrypted: whoever has it may read that log, and may know its name.
"""

from __future__ import annotations

import time
from hashlib import sha256

from itsdangerous import BadData, URLSafeSerializer

LONGEST = 2048  # characters of a token; what is longer was not made here
HOUR = 3600


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


def _serializer(key: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(
        key,
        salt="pynfo.logs.private",
        signer_kwargs={"key_derivation": "hmac", "digest_method": sha256},
    )
