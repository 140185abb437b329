"""Which names are the same: the one place that folds the case of nicks and channels.

Source: Modern IRC, "Casemapping"; RFC 1459 section 2.2: `{}|^` are the lower case of `[]\\~`. Only ASCII
letters have a case here; every other character is itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase

CASEMAPPINGS = {
    "ascii": str.maketrans(ascii_uppercase, ascii_lowercase),
    "rfc1459": str.maketrans(ascii_uppercase + "[]\\~", ascii_lowercase + "{}|^"),
    "rfc1459-strict": str.maketrans(ascii_uppercase + "[]\\", ascii_lowercase + "{}|"),
}
CACHED = 4096  # folded names kept for each casemapping: as many as talk at the same time


def fold(name: str, casemapping: str) -> str:
    """The name as it is compared. An unknown casemapping counts as "ascii"."""
    return folder(casemapping)(name)


@lru_cache
def folder(casemapping: str) -> Callable[[str], str]:
    """The function that folds names of one casemapping."""
    table = CASEMAPPINGS.get(casemapping, CASEMAPPINGS["ascii"])

    @lru_cache(CACHED)
    def folded(name: str) -> str:
        return name.translate(table)

    return folded
