"""Which entries of a firehose are wanted: those with a word in them, or that a /regular expression/ finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

MOST = 10  # filters of one output
LENGTH = 100  # characters of one
TIME = 0.05  # seconds that one expression may search one text

Wanted = Callable[[str], bool]


def check(filters: Sequence[str]) -> None:
    """Raise `ValueError`, with one sentence, where filters cannot be used."""
    if len(filters) > MOST:
        raise ValueError(f"at most {MOST} filters, please")
    for text in filters:
        if len(text) > LENGTH:
            raise ValueError(f"a filter has at most {LENGTH} characters")
        if (pattern := _pattern(text)) is not None:
            _compiled(pattern)


def wanted_by(filters: Sequence[str]) -> Wanted:
    """Whether one of the filters fits a text; without filters every one does. It may take time.

    An expression that takes too long is not asked again by this function.
    """
    words = [text.casefold() for text in filters if _pattern(text) is None]
    expressions = [_compiled(pattern) for text in filters if (pattern := _pattern(text)) is not None]

    def wanted(text: str) -> bool:
        if not filters:
            return True
        folded = text.casefold()
        return any(word in folded for word in words) or any(
            _finds(one, expressions, text) for one in [*expressions]
        )

    return wanted


def _finds(expression: Any, expressions: list[Any], text: str) -> bool:
    try:
        return expression.search(text, timeout=TIME, concurrent=True) is not None
    except TimeoutError:
        expressions.remove(expression)
        return False


def _pattern(text: str) -> str | None:
    """The regular expression between two slashes; None: it is a word."""
    return text[1:-1] if len(text) > 2 and text.startswith("/") and text.endswith("/") else None


def _compiled(pattern: str) -> Any:
    import regex  # large, and few bots filter

    if "{" in pattern:  # a{1000} is written out when it is compiled, and ((a{1000}){1000}){1000} has no end
        raise ValueError(
            f"/{pattern}/ has {{ in it, and repeating things so may take all memory: write + or *"
        )
    try:
        return regex.compile(pattern, regex.IGNORECASE)
    except regex.error as error:
        raise ValueError(f"/{pattern}/ is no regular expression: {error}") from None
