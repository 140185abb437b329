"""Names of channels and people compare without regard to case, the way the network says it does.

Source: Modern IRC, "CASEMAPPING parameter"; RFC 1459 section 2.2 (`{}|~` are the lower case of `[]\\^`).
This is the one place that folds names. Only ASCII is folded: `Ä` and `ä` are two names on every network.
"""

from __future__ import annotations

from collections.abc import Callable

_UPPER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = b"abcdefghijklmnopqrstuvwxyz"
_RFC1459 = bytes.maketrans(_UPPER + b"[]\\^", _LOWER + b"{}|~")
_RFC1459_STRICT = bytes.maketrans(_UPPER + b"[]\\", _LOWER + b"{}|")


def fold(name: str, casemapping: str) -> str:
    """The form of `name` that all its spellings share; see `folder`."""
    return folder(casemapping)(name)


def folder(casemapping: str) -> Callable[[str], str]:
    """The function that folds names for "ascii", "rfc1459" or "rfc1459-strict"; any other is as "ascii"."""
    return FOLDERS.get(casemapping, _fold_ascii)


# Tables of bytes, because str.translate takes several times as long. Every byte of a character that is not
# ASCII is above 0x7F in UTF-8, so none of them is in a table.


def _fold_ascii(name: str) -> str:
    if name.isascii():
        return name.lower()
    return name.encode(errors="surrogatepass").lower().decode(errors="surrogatepass")


def _fold_rfc1459(name: str) -> str:
    return name.encode(errors="surrogatepass").translate(_RFC1459).decode(errors="surrogatepass")


def _fold_rfc1459_strict(name: str) -> str:
    return name.encode(errors="surrogatepass").translate(_RFC1459_STRICT).decode(errors="surrogatepass")


FOLDERS: dict[str, Callable[[str], str]] = {
    "ascii": _fold_ascii,
    "rfc1459": _fold_rfc1459,
    "rfc1459-strict": _fold_rfc1459_strict,
}
