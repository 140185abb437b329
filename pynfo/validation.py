"""From what a person wrote to typed structs, with every mistake in words.

msgspec decides what fits a type; here its errors become sentences for the person who wrote the value, and all
of them are collected instead of the first. A `Secret` is never shown, nor anything that should have been one.
"""

from __future__ import annotations

import os
import re
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pynfo.irc.settings import Secret

SHOWN = 60  # characters of a wrong value that a sentence repeats

_BACKTICKED = re.compile(r"`([^`]*)`")
_STEP = re.compile(r"\[(\d+)\]|\.(\w+)")
_TYPE_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "str": "text in quotes",
    "array": "a list",
    "object": "a dictionary",
    "null": "None",
}


class Problem(msgspec.Struct, frozen=True):
    """A mistake in a value: `keys` lead to the part that is wrong, from the outside in."""

    keys: tuple[object, ...]
    text: str


def convert_fields(
    given: Mapping[str, object], struct: type[msgspec.Struct], base: Path, *, kind: str = "setting"
) -> tuple[dict[str, Any], list[Problem]]:
    """Convert each of the `given` values to the type of its field in `struct`.

    Returns the values by attribute name, those that do not fit left out, and what is wrong: unknown names,
    wrong types, missing fields. `base` is where relative paths start; `kind` is what the names are names of.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    values: dict[str, Any] = {}
    problems = []
    for name, value in given.items():
        field = fields.get(name)
        if field is None:
            problems.append(Problem((name,), unknown(kind, name, fields)))
            continue
        try:
            values[field.name] = convert(value, field.type, base)
        except msgspec.ValidationError as error:
            problems += _mistakes(error, name, value, field.type, base)
    problems += [
        Problem((), f"{name} is missing: write {name}=…")
        for name, field in fields.items()
        if field.required and name not in given
    ]
    return values, problems


def convert_struct(
    given: Mapping[str, object], struct: type[msgspec.Struct], base: Path
) -> tuple[msgspec.Struct | None, list[Problem]]:
    """Convert a dictionary to a `struct`; None where there are problems."""
    _, problems = convert_fields(given, struct, base)
    if problems:
        return None, problems
    try:
        return convert(dict(given), struct, base), []
    except msgspec.ValidationError as error:  # raised by the struct's own __post_init__
        return None, [Problem((), str(error))]


def convert(value: object, wanted: Any, base: Path) -> Any:
    """`msgspec.convert` that also knows `Secret` (text is hidden too) and `Path` (relative to `base`)."""

    def custom(kind: type, value: object) -> object:
        if isinstance(value, kind):
            return base / value if isinstance(value, Path) else value
        if kind is Secret and isinstance(value, str):
            return Secret(value)
        if kind is Path and isinstance(value, str):
            return base / os.path.expanduser(value)
        expected = "str" if kind in (Secret, Path) else kind.__name__
        raise TypeError(f"Expected `{expected}`")

    return msgspec.convert(value, _supported(wanted), dec_hook=custom)


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """One sentence for a name that is not among `known`, with the nearest of them."""
    import difflib

    known = list(known)
    near = difflib.get_close_matches(str(name), known, n=1)
    if near:
        return f"there is no {kind} {name!r}: did you mean {near[0]!r}?"
    if len(known) == 1:
        return f"there is no {kind} {name!r}: there is only {known[0]}"
    if known and len(known) <= 12:
        return f"there is no {kind} {name!r}: there are {', '.join(sorted(known))}"
    return f"there is no {kind} {name!r}"


def is_web_address(text: str, *, base: bool = False) -> bool:
    """Whether it is an http or https address. `base`: one that a path can be added to."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return good and not re.search(r"\s", text) and not (base and (parts.query or parts.fragment))


def shown(value: object) -> str:
    """A wrong value, short enough for a sentence."""
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _supported(wanted: Any) -> Any:
    """`str | Secret` is a `Secret` to msgspec, which knows no unions of str and a class of ours."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union) and Secret in arguments:
        return Secret | None if types.NoneType in arguments else Secret
    if origin is list:
        return list[_supported(arguments[0])]  # type: ignore[misc]
    return wanted


def _mistakes(
    error: msgspec.ValidationError, name: str, value: object, wanted: Any, base: Path
) -> list[Problem]:
    """What is wrong with the field `name`: with each part of a list, of a dictionary and of a struct."""
    problems = []
    for kind in _alternatives(wanted):
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin is list and isinstance(value, list | tuple):
            for index, item in enumerate(value):
                problems += _mistakes_in(index, f"{name}[{index}]", item, arguments[0], base)
        elif origin is dict and isinstance(value, Mapping):
            for key, item in value.items():
                problems += _mistakes_in(key, f"{name}: {key}", item, arguments[1], base)
        elif _is_struct(kind) and isinstance(value, Mapping):
            _, found = convert_fields(value, kind, base)
            problems += [Problem(problem.keys, f"{name}: {problem.text}") for problem in found]
    if not problems:
        keys, text = _in_words(error, name, value, wanted)
        problems = [Problem(keys, text)]
    return [Problem((name, *problem.keys), problem.text) for problem in problems]


def _mistakes_in(key: object, name: str, value: object, wanted: Any, base: Path) -> list[Problem]:
    """What is wrong with the part `key` of a field; `name` is what the part is called."""
    try:
        convert(value, wanted, base)
    except msgspec.ValidationError as error:
        found = _mistakes(error, name, value, wanted, base)
        return [Problem((key, *problem.keys[1:]), problem.text) for problem in found]
    return []


def _alternatives(wanted: Any) -> tuple[Any, ...]:
    """The types of a union, or the one that it is."""
    if typing.get_origin(wanted) in (types.UnionType, typing.Union):
        return typing.get_args(wanted)
    return (wanted,)


def _is_struct(kind: Any) -> typing.TypeGuard[type[msgspec.Struct]]:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _in_words(
    error: msgspec.ValidationError, name: str, value: object, wanted: Any
) -> tuple[tuple[object, ...], str]:
    """What msgspec says of the field `name`: the keys below it that lead to the mistake, and a sentence."""
    message, _, path = str(error).partition(" - at `")
    path = path.removeprefix("$").rstrip("`")
    keys: list[object] = []
    exact = "..." not in path and "key" not in path
    if exact:
        for index, key in _STEP.findall(path):
            keys.append(int(index) if index else key)
            value = _part(value, keys[-1])
    where = name + (path if exact else "")
    if isinstance(value, Secret):
        return tuple(keys), f"{where} cannot be {value}: env(…) and file(…) are for secrets alone"
    if typing.get_origin(wanted) is typing.Literal:
        message = f"must be one of {', '.join(map(repr, typing.get_args(wanted)))}"
    elif message.startswith("Object contains unknown field "):
        return tuple(keys), f"{where}: there is no setting {_BACKTICKED.findall(message)[0]!r} there"
    elif message.startswith("Expected `array`") and typing.get_origin(wanted) is tuple:
        message = f"must be {len(typing.get_args(wanted))} values in brackets"
    elif message.startswith("Expected "):
        message = "must be " + _BACKTICKED.sub(_type_words, message[9:].partition(", got ")[0])
    else:
        return tuple(keys), f"{where}: {message.replace('`', '')}"
    if exact and "Secret" not in str(wanted):
        message += f", not {shown(value)}"
    return tuple(keys), f"{where} {message}"


def _type_words(found: re.Match[str]) -> str:
    return " or ".join(_TYPE_WORDS.get(kind, kind) for kind in found[1].split(" | "))


def _part(value: object, key: object) -> object:
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, list | tuple) and isinstance(key, int):
        return value[key]
    return value
