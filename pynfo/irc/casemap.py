"""Which names are the same: the one place that folds the case of nicks and channels.

Sources: Modern IRC, "CASEMAPPING Parameter"; RFC 2812 section 2.2: `{}|^` are the lower case of `[]\\~`. Only
ASCII letters have a case here; every other character is itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase

CACHED = 2048  # folded names kept for each casemapping: as many as talk at the same time


def fold(name: str, casemapping: str) -> str:
    """The form of a name that all its spellings share. An unknown casemapping counts as "ascii"."""
    return folder(casemapping)(name)


def folder(casemapping: str) -> Callable[[str], str]:
    """The function that folds names by one casemapping."""
    return FOLDERS.get(casemapping, FOLDERS["ascii"])


def _make_folder(upper: str, lower: str) -> Callable[[str], str]:
    # Bytes, because `str.translate` takes three times as long; UTF-8 has ASCII's bytes for ASCII alone.
    table = bytes.maketrans(upper.encode(), lower.encode())

    @lru_cache(CACHED)
    def folded(name: str) -> str:
        return name.encode(errors="surrogatepass").translate(table).decode(errors="surrogatepass")

    return folded


FOLDERS = {
    "ascii": _make_folder(ascii_uppercase, ascii_lowercase),
    "rfc1459": _make_folder(ascii_uppercase + "[]\\~", ascii_lowercase + "{}|^"),
    "rfc1459-strict": _make_folder(ascii_uppercase + "[]\\", ascii_lowercase + "{}|"),
}
