"""What is left of a line when all that relays put around it is taken off, so that its copies can be told.

Relays write `<nick> text`, `<nick@network> text`, `[network] <nick> text`, `* nick text`, `nick: text`, or
`text [via network]`; they change colours, and put invisible characters into nicks. How often a head stands
before a text is its depth: a line that goes in a circle gets one more each time round.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from pynfo.irc.formatting import plain

LENGTH = 60  # characters that tell a long text from others: of a line that is cut the start is left
HEADS = 40  # at most, which is more than a line has room for
TAILS, TAIL_LENGTH = 10, 70  # how many at most, and characters of each

# Soft hyphen, zero-width space and joiners, direction marks, word joiner, variation selectors, BOM.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]")
_HEAD = re.compile(
    r"\s*(?:<[^<>]{1,80}>|\[[^\[\]]{1,60}\]|\([^()]{1,60}\)|\*{1,3}\s\S{1,80}(?=\s)|-[^\s-]\S{0,80}-(?=\s))"
)
_ADDRESS = re.compile(r"\s*[^\s:]{1,64}[:>]\s")
_TAIL = re.compile(r"\s[\[(][^\[\]()]{1,60}[\])]\s*\Z")
_WORD = re.compile(r"\w+|[^\w\s]")
_SEPARATORS = re.compile(r"[/|\[\]{}()^_`\\~<>@-]+")


class Core(msgspec.Struct, frozen=True):
    """`words` stand between two spaces, so that one core is in another only where all its words are."""

    words: str
    depth: int

    @property
    def key(self) -> str:
        return self.words[:LENGTH]


@lru_cache(256)  # what is heard is soon said
def core_of(text: str) -> Core:
    text = plain(text)
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    bare, depth = _without_heads(text)
    for _ in range(TAILS):
        found = _TAIL.search(bare, max(0, len(bare) - TAIL_LENGTH))
        if found is None:
            break
        bare = bare[: found.start()]
    words = " ".join(_WORD.findall(bare)) or bare.strip() or text.strip()
    return Core(f" {words.lower()} ", depth)


def _without_heads(text: str) -> tuple[str, int]:
    at = depth = 0
    while depth < HEADS:
        if found := _HEAD.match(text, at):
            depth += 1
        elif not (found := _ADDRESS.match(text, at)):
            break
        at = found.end()
    return text[at:], depth


def stem_of(nick: str) -> str:
    """What the nick of a person and those of their puppets share: `alice`, `alice|b` and `alice/b|c`."""
    visible = _INVISIBLE.sub("", nick).lower()
    return next(filter(None, _SEPARATORS.split(visible)), visible)
