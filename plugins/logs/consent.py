"""How people say that they really want to be forgotten.

It cannot be undone, so it is said twice, the second time with a code. The code is made of who asks and when:
nothing of it is kept, and to anybody else it means nothing.
"""

from __future__ import annotations

import hmac

CODE_LENGTH = 4
CODE_MINUTES = 5  # for which a code works at least
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # 32, none of which looks like another


def code_of(key: bytes, who: str, now: float) -> str:
    """What `who` has to say to confirm, made at `now` (UTC epoch seconds) with a secret `key`."""
    return _code(key, who, int(now // 60))


def confirms(key: bytes, who: str, code: str, now: float) -> bool:
    """Whether it is a code of `who` that is not too old."""
    minute = int(now // 60)
    return code.lower() in {_code(key, who, minute - age) for age in range(CODE_MINUTES + 1)}


def _code(key: bytes, who: str, minute: int) -> str:
    digest = hmac.digest(key, f"confirm\0{minute}\0{who}".encode(errors="replace"), "sha256")
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:CODE_LENGTH])
