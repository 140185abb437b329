"""Parsing what people type after a command, from the annotations of the handler.

    async def ignore(
        request, mask: str, time: Duration | None = None, reason: Rest = "", everywhere: Flag = False
    )

is typed as `ignore [--everywhere] MASK [TIME] [REASON...]`. Words come in the order of the parameters; flags
stand anywhere before the rest of the line. A parameter with a default, or `X | None`, may be left out; one
whose word does not fit is left out too where others follow, so `[CHANNEL] TEXT...` reads both ways. A word
may be "in quotation marks".

| annotation | what is typed | what the handler gets |
|---|---|---|
| `str`, or none | a word | `str` |
| `int`, `float` | a number | a finite number |
| `Literal["on", "off"]` | one of these, upper or lower case | the one in the annotation |
| `Rest` | all that is left of the line | `str` |
| `ChannelName` | `#channel` | the name, of a channel on the asker's network |
| `UserName` | a nick; `nick:` and `nick,` too | the nick |
| `Duration` | `90s`, `1h30m`, `2 days` | seconds, `float` |
| `Flag`, `bool` | `--name` or nothing | `bool` |
"""

from __future__ import annotations

import inspect
import math
import re
import types
from collections.abc import Callable
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from pynfo.command import CommandError, Request, quoted

NUMBER_LENGTH = 30  # characters of a number
NICK_LENGTH = 64  # characters; networks have at most 32
DURATION_LIMIT = 100 * 365 * 86400.0  # seconds

_UNIT_SECONDS = {
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600,
    "d": 86400, "day": 86400, "days": 86400,
    "w": 604800, "week": 604800, "weeks": 604800,
    "month": 30 * 86400, "months": 30 * 86400,
    "y": 365 * 86400, "year": 365 * 86400, "years": 365 * 86400,
}  # fmt: skip
_SPAN = r"[0-9]{1,9}(?:\.[0-9]{1,9})?\s*(?:" + "|".join(sorted(_UNIT_SECONDS, reverse=True)) + ")"
_DURATION = rf"(?i:{_SPAN}(?:\s*{_SPAN})*)(?=\s|$)"


class UsageError(CommandError):
    """What was typed does not fit the command. The message quotes the usage line."""


class Words:
    """What is left of the line; it has no space in front."""

    __slots__ = ("rest",)

    def __init__(self, text: str) -> None:
        self.rest = text.strip()

    def take(self) -> str:
        """The next word, without the quotation marks around it."""
        rest = self.rest
        if rest[:1] == '"':
            end = rest.find('"', 1)
            if end > 0 and rest[end + 1 : end + 2] in ("", " "):
                self.rest = rest[end + 1 :].lstrip()
                return rest[1:end]
        parts = rest.split(None, 1)
        self.rest = parts[1] if len(parts) > 1 else ""
        return parts[0]


class Kind(msgspec.Struct, frozen=True):
    """What an annotation stands for: `take` reads it, or raises `ValueError` with one sentence."""

    take: Callable[[Words, Request], Any]
    shown: str = "{}"  # how the usage line shows it, `{}` being the parameter's name
    is_flag: bool = False


def _word(words: Words, request: Request) -> str:
    return words.take()


def _rest(words: Words, request: Request) -> str:
    text, words.rest = words.rest, ""
    return text


def _int(words: Words, request: Request) -> int:
    word = words.take()
    try:
        if len(word) > NUMBER_LENGTH:
            raise ValueError
        return int(word)
    except ValueError:
        raise ValueError(f"{quoted(word)} is not a whole number") from None


def _float(words: Words, request: Request) -> float:
    word = words.take()
    try:
        number = float(word) if len(word) <= NUMBER_LENGTH else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{quoted(word)} is not a number")
    return number


def _channel(words: Words, request: Request) -> str:
    word = words.take()
    if not request.client.isupport.is_channel(word) or "," in word or " " in word:
        raise ValueError(f"{quoted(word)} is not the name of a channel")
    return word


def _user(words: Words, request: Request) -> str:
    word = words.take()
    nick = word[:-1] if word[-1:] in (":", ",") else word
    if not nick or len(nick) > NICK_LENGTH or nick[0] in "#&:$" or not set(nick).isdisjoint(" !@,*?."):
        raise ValueError(f"{quoted(word)} is not a nick")
    return nick


def _duration(words: Words, request: Request) -> float:
    found = re.match(_DURATION, words.rest)
    if not found:
        return parse_duration(words.take())
    words.rest = words.rest[found.end() :].lstrip()
    return parse_duration(found[0])


def parse_duration(text: str) -> float:
    """Seconds in a text such as `90s`, `1h30m` or `2 days`: above 0, at most 100 years.

    A month has 30 days, a year 365. Raises `ValueError` with one sentence.
    """
    if not re.fullmatch(_DURATION, text):
        raise ValueError(f"{quoted(text)} is not a duration: write 90s, 1h30m or 2 days")
    spans = re.findall(r"([0-9.]+)\s*([a-z]+)", text.lower())
    seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in spans)
    if not 0 < seconds <= DURATION_LIMIT:
        raise ValueError(f"{quoted(text)} is not a duration above nothing and below a hundred years")
    return seconds


def _literal(values: tuple[Any, ...]) -> Kind:
    choices = {str(value).lower(): value for value in values}

    def take(words: Words, request: Request) -> Any:
        word = words.take()
        try:
            return choices[word.lower()]
        except KeyError:
            raise ValueError(f"{quoted(word)} is not one of {', '.join(choices)}") from None

    return Kind(take, "|".join(choices))


_FLAG = Kind(_word, is_flag=True)
Rest = Annotated[str, Kind(_rest, "{}...")]
ChannelName = Annotated[str, Kind(_channel)]
UserName = Annotated[str, Kind(_user)]
Duration = Annotated[float, Kind(_duration)]
Flag = Annotated[bool, _FLAG]

_KINDS: dict[Any, Kind] = {
    str: Kind(_word),
    int: Kind(_int),
    float: Kind(_float),
    bool: _FLAG,
    inspect.Parameter.empty: Kind(_word),
}


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of a handler; `shown` is its place in the usage line."""

    name: str
    kind: Kind
    shown: str
    optional: bool
    default: Any = None


class Parser:
    """Reads what is typed after one command. Made once, when the command is registered.

    `usage` is the command as it is typed, such as `roll [SIDES]`. Raises `TypeError`, with the place of the
    function, where its parameters cannot be read from a line.
    """

    __slots__ = ("_defaults", "_flags", "_parameters", "usage")

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        parameters = _parameters(function)
        flags = [parameter for parameter in parameters if parameter.kind.is_flag]
        self._flags = {flag.shown: flag.name for flag in flags}
        self._parameters = [parameter for parameter in parameters if not parameter.kind.is_flag]
        self._defaults = {parameter.name: parameter.default for parameter in parameters}
        shown = [f"[{parameter.shown}]" for parameter in flags]
        shown += [
            f"[{parameter.shown}]" if parameter.optional else parameter.shown
            for parameter in self._parameters
        ]
        self.usage = " ".join([name or function.__name__, *shown])

    def parse(self, text: str, request: Request) -> dict[str, Any]:
        """The arguments for the handler, by name. Raises `UsageError`."""
        if not self._defaults:
            if text:
                raise self._refusal(f"{quoted(text)} is too much")
            return {}
        values = self._defaults.copy()
        words = Words(text)
        skipped = ""  # why an optional word did not fit: the error to give, if nothing else takes the word
        last = len(self._parameters) - 1
        for index, parameter in enumerate(self._parameters):
            if self._flags:
                self._take_flags(words, values)
            before = words.rest
            if not before:
                if parameter.optional:
                    continue
                raise self._refusal(skipped or f"{parameter.shown.removesuffix('...')} is missing")
            try:
                values[parameter.name] = parameter.kind.take(words, request)
            except ValueError as error:
                if not parameter.optional or index == last:
                    raise self._refusal(skipped or str(error)) from None
                skipped = skipped or str(error)
                words.rest = before
        if self._flags:
            self._take_flags(words, values)
        if words.rest:
            raise self._refusal(skipped or f"{quoted(words.rest)} is too much")
        return values

    def _take_flags(self, words: Words, values: dict[str, Any]) -> None:
        while words.rest[:2] == "--":
            word, _, rest = words.rest.partition(" ")
            name = self._flags.get(word.lower())
            if name is None:
                return
            values[name] = True
            words.rest = rest.lstrip()

    def _refusal(self, problem: str) -> UsageError:
        return UsageError(f"{problem}. Usage: {self.usage}")


def _parameters(function: Callable[..., Any]) -> list[Parameter]:
    """The parameters after the first, which is the request."""
    signature = list(inspect.signature(function).parameters.values())
    if not signature or signature[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        raise TypeError(f"{_place(function)}: the first parameter of a command is the request")
    return [_parameter(function, parameter) for parameter in signature[1:]]


def _parameter(function: Callable[..., Any], parameter: inspect.Parameter) -> Parameter:
    if parameter.kind not in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY):
        raise TypeError(f"{_place(function)}: {parameter} cannot be typed: write a parameter with a name")
    annotation = parameter.annotation
    if isinstance(annotation, str):
        annotation = _evaluate(function, annotation)
    kind, optional = _kind(annotation)
    if kind is None:
        raise TypeError(
            f"{_place(function)}: parameter {parameter.name!r} has an annotation that nobody can type: "
            f"{parameter.annotation}"
        )
    name = parameter.name.replace("_", "-")
    if kind.is_flag:
        return Parameter(parameter.name, kind, f"--{name.lower()}", optional=True, default=False)
    if parameter.default is parameter.empty:
        return Parameter(parameter.name, kind, kind.shown.format(name.upper()), optional)
    return Parameter(parameter.name, kind, kind.shown.format(name.upper()), True, parameter.default)


def _evaluate(function: Callable[..., Any], annotation: str) -> Any:
    """Each on its own: `request: Request` may be imported for type checkers only, and is never looked at."""
    names = inspect.unwrap(function).__globals__
    holder = types.SimpleNamespace(__annotations__={"parameter": annotation})
    try:
        return get_type_hints(holder, names, include_extras=True)["parameter"]
    except NameError as error:
        raise TypeError(f"{_place(function)}: the annotation {annotation!r} is not known: {error}") from None


def _kind(annotation: Any) -> tuple[Kind | None, bool]:
    """What an annotation stands for (None: nothing that can be typed), and whether it may be left out."""
    origin = get_origin(annotation)
    if origin is Union or origin is types.UnionType:
        choices = [choice for choice in get_args(annotation) if choice is not types.NoneType]
        kind = _kind(choices[0])[0] if len(choices) == 1 else None
        return kind, True
    if origin is Annotated:
        inner, *notes = get_args(annotation)
        kinds = [note for note in notes if isinstance(note, Kind)]
        return (kinds[0], False) if kinds else _kind(inner)
    if origin is Literal:
        return _literal(get_args(annotation)), False
    return _KINDS.get(annotation), False


def _place(function: Callable[..., Any]) -> str:
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}: {function.__name__}"
