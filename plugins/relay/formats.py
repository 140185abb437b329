"""How the config lets a person look: `<{nick}@{network}> {text}` is read here, once, and refused where
somebody could look like somebody else with it.

All that names a person stands before {text}: the *head*. Whoever reads a line has to see where the head ends
and whom it names, whatever nick and text are. So each name ends at a sign that is not in it, no format looks
like the relay's own words, and no two formats of a port can be taken for each other (`mistakable`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from string import Formatter, punctuation
from unicodedata import category

import msgspec

from pynfo.irc.formatting import BOLD, clean, plain
from pynfo.irc.message import encode
from pynfo.validation import unknown

LONGEST = 100  # bytes
FIELDS = ("prefix", "nick", "network", "channel", "text")
UNSHOWN = "\ufffd"  # for what cannot be shown in a nick: no real nick has it
OWN_WORDS = "("  # what the relay's own lines begin with: "(relay) …", "(libera) alice joined"

NICK_SIGNS = "-_[]\\`^{|}/."  # ASCII signs that a shown nick may have; "/" and "." are those of bridges

# ASCII signs that no name begins with, at the beginning of a line and elsewhere: not those of channels and of
# prefixes, and those of nicks only where the shown nick has not got them.
_NEVER_FIRST = frozenset(punctuation) - frozenset("_#&+!~@%")
_NEVER_LATER = _NEVER_FIRST - frozenset(NICK_SIGNS) | {" "}
_NOT_IN_NETWORKS = re.compile(r"[^A-Za-z0-9_.-]").search
# A colour that digits and commas which come next would belong to.
_OPEN_COLOUR = re.compile("[\x03\x04][0-9A-Fa-f,]*$").search


class Name(msgspec.Struct, frozen=True):
    """A field of a head. `stop` is what ends it, the first that comes after it; "" after a prefix.

    Of a nick and a channel it is one character, which the name as it is shown has not in it. Of a network it
    goes up to the first character that no network has in its name.
    """

    field: str
    stop: str


class Format(msgspec.Struct, frozen=True):
    """`head`: what stands before the text, in order; `tail`: what stands after it."""

    head: tuple[str | Name, ...]
    tail: str


@lru_cache(256)
def read(text: str) -> Format:
    """The format that is written so. Raises `ValueError` with one sentence."""
    if clean(text) != text or len(encode(text)) > LONGEST:
        raise ValueError(f"a format is one line of at most {LONGEST} bytes")
    literals, fields = _take_apart(text)
    _check_fields(fields)
    head: list[str | Name] = []
    for index, field in enumerate(fields):
        literal, after = literals[index], plain(literals[index + 1])
        if literal:
            head.append(literal + BOLD * 2 if _OPEN_COLOUR(literal) else literal)
        if field == "prefix":
            if after or fields[index + 1] != "nick":
                raise ValueError("{prefix} must stand right before {nick}")
            head.append(Name(field, ""))
        elif field != "text":
            head.append(Name(field, _stop(field, after)))
    _check_beginning(plain(literals[0]), plain("".join(literals[:-1])))
    return Format(tuple(head), literals[-1])


def shape(format: Format) -> tuple[str | Name, ...]:
    """A head as single characters and names, without formatting and prefix."""
    shape: list[str | Name] = []
    for part in format.head:
        if isinstance(part, str):
            shape += plain(part)
        elif part.field != "prefix":
            shape.append(part)
    return tuple(shape)


def mistakable(first: Format, second: Format) -> bool:
    """Whether somebody's line in one of two formats could name somebody else when it is read in the other.

    It could not where both go on in the same way up to signs that differ, or where one names nobody more than
    the other does, as "<{nick}> " and "<{nick}> * ".
    """
    shorter, longer = sorted((shape(first), shape(second)), key=len)
    for index, (one, other) in enumerate(zip(shorter, longer, strict=False)):
        if one == other:
            continue
        if isinstance(one, str) and isinstance(other, str):
            return False
        apart = _NEVER_LATER if index else _NEVER_FIRST
        return one not in apart and other not in apart
    return any(isinstance(part, Name) for part in longer[len(shorter) :])


def _take_apart(text: str) -> tuple[list[str], list[str]]:
    """The literals of a format, and the fields between them: one fewer."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        raise ValueError("a brace is alone: write {{ or }} for one that is to be shown") from None
    literals, fields = [""], []
    for literal, field, specification, conversion in parts:
        literals[-1] += literal
        if field is None:
            continue
        if field not in FIELDS or specification or conversion:
            raise ValueError(unknown("field", text[text.index("{" + field) + 1 :].partition("}")[0], FIELDS))
        fields.append(field)
        literals.append("")
    return literals, fields


def _check_fields(fields: list[str]) -> None:
    for field in ("nick", "text"):
        if fields.count(field) != 1:
            raise ValueError(f"{{{field}}} must stand in it, once")
    if len(set(fields)) < len(fields):
        raise ValueError("a field may stand in it only once")
    if fields[-1] != "text":
        raise ValueError("{text} must come after all names: people can write one behind what they say")


def _stop(field: str, after: str) -> str:
    """What ends a name, of what comes `after` it (see `Name`)."""
    if field == "network":
        found = _NOT_IN_NETWORKS(after)
        stop = after[: found.end()] if found else ""
    else:
        stop = after[:1]
        if stop in ("_", UNSHOWN) or (stop and not stop.isspace() and category(stop)[0] not in "PS"):
            stop = ""
    if not stop:
        example = "<{nick}@{network}> {text}"
        raise ValueError(f'a space or a sign must end {{{field}}}, as in "{example}"')
    return stop


def _check_beginning(begin: str, signs: str) -> None:
    """`begin` is the literal that a format begins with, `signs` are all literals of its head."""
    if begin[:1].isspace():
        raise ValueError("it begins with a space: leave that out")
    if begin.startswith(OWN_WORDS):
        raise ValueError("lines that begin with ( are the relay's own: begin with another sign")
    if begin.startswith("[") and ":" in signs:
        raise ValueError("with [ and : it could look like the time of a late message: leave the : out")
