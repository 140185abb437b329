"""What people type after a command, read by the annotations of its handler."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynfo.arguments import (
    ChannelName,
    Duration,
    Flag,
    Parser,
    Rest,
    UsageError,
    UserName,
    parse_duration,
)

if TYPE_CHECKING:
    from pynfo.command import Request

REQUEST: Any = SimpleNamespace(
    client=SimpleNamespace(isupport=SimpleNamespace(is_channel=lambda name: name[:1] == "#"))
)


def parse(function: Any, text: str) -> dict[str, Any]:
    return Parser(function).parse(text, REQUEST)


def refusal(function: Any, text: str) -> str:
    with pytest.raises(UsageError) as error:
        parse(function, text)
    return str(error.value)


async def nothing(request: Request) -> None: ...
async def roll(request: Request, sides: int = 6) -> None: ...
async def scale(request: Request, factor: float) -> None: ...
async def echo(request: Request, text: Rest) -> None: ...
async def switch(request: Request, name: str, state: Literal["on", "Off", 3]) -> None: ...
async def topic(request: Request, channel: ChannelName | None, text: Rest) -> None: ...
async def part(request: Request, channel: ChannelName | None = None, sides: int = 1) -> None: ...
async def op(request: Request, who: UserName) -> None: ...
async def ignore(
    request: Request,
    mask: str,
    time: Duration | None = None,
    reason: Rest = "",
    *,
    every_where: Flag = False,
) -> None: ...


@pytest.mark.parametrize(
    ("function", "usage"),
    [
        (nothing, "nothing"),
        (roll, "roll [SIDES]"),
        (echo, "echo TEXT..."),
        (switch, "switch NAME on|off|3"),
        (topic, "topic [CHANNEL] TEXT..."),
        (ignore, "ignore [--every-where] MASK [TIME] [REASON...]"),
    ],
)
def test_the_usage_line_shows_what_may_be_typed(function: Any, usage: str) -> None:
    assert Parser(function).usage == usage


def test_the_usage_line_has_the_name_that_the_command_was_given() -> None:
    assert Parser(roll, "dice roll").usage == "dice roll [SIDES]"


@pytest.mark.parametrize(
    ("function", "text", "arguments"),
    [
        (nothing, "", {}),
        (roll, "", {"sides": 6}),
        (roll, " 20 ", {"sides": 20}),
        (scale, "-1.5", {"factor": -1.5}),
        (echo, "  a  b ", {"text": "a  b"}),
        (switch, "relay OFF", {"name": "relay", "state": "Off"}),
        (switch, '"two words" 3', {"name": "two words", "state": 3}),
        (switch, '"un quoted" on', {"name": "un quoted", "state": "on"}),
        (op, "alice", {"who": "alice"}),
        (op, "alice:", {"who": "alice"}),
        (op, "alice,", {"who": "alice"}),
    ],
)
def test_words_become_what_the_annotations_say(function: Any, text: str, arguments: dict[str, Any]) -> None:
    assert parse(function, text) == arguments


def test_a_quotation_mark_that_nobody_closes_is_an_ordinary_letter() -> None:
    assert parse(switch, '"relay on') == {"name": '"relay', "state": "on"}


def test_an_optional_word_that_does_not_fit_is_left_to_the_next_parameter() -> None:
    assert parse(topic, "#here hello") == {"channel": "#here", "text": "hello"}
    assert parse(topic, "hello #here") == {"channel": None, "text": "hello #here"}
    assert parse(part, "4") == {"channel": None, "sides": 4}


def test_a_word_that_fits_no_optional_parameter_is_told_by_the_first_of_them() -> None:
    assert refusal(part, "x").startswith('"x" is not the name of a channel')


@pytest.mark.parametrize(
    ("text", "time", "reason", "everywhere"),
    [
        ("bob", None, "", False),
        ("bob 2 days for spam", 172800.0, "for spam", False),
        ("bob 1h30m", 5400.0, "", False),
        ("bob spam 2 days", None, "spam 2 days", False),
        ("--every-where bob 1h", 3600.0, "", True),
        ("bob --EVERY-where 1h flood", 3600.0, "flood", True),
        ("bob flood --every-where", None, "flood --every-where", False),
    ],
)
def test_flags_durations_and_the_rest_of_the_line_go_together(
    text: str, time: float | None, reason: str, everywhere: bool
) -> None:
    arguments = parse(ignore, text)

    assert arguments == {"mask": "bob", "time": time, "reason": reason, "every_where": everywhere}


@pytest.mark.parametrize(
    ("function", "text", "problem"),
    [
        (nothing, "x", '"x" is too much'),
        (roll, "six", '"six" is not a whole number'),
        (roll, "2 x", '"x" is too much'),
        (roll, "9" * 5000, "is not a whole number"),
        (scale, "", "FACTOR is missing"),
        (scale, "nan", '"nan" is not a number'),
        (scale, "1e999", '"1e999" is not a number'),
        (echo, "", "TEXT is missing"),
        (switch, "relay maybe", '"maybe" is not one of on, off, 3'),
        (op, "#channel", '"#channel" is not a nick'),
        (op, "*!*@*", '"*!*@*" is not a nick'),
    ],
)
def test_what_does_not_fit_is_refused_with_the_usage_line(function: Any, text: str, problem: str) -> None:
    sentence = refusal(function, text)

    assert problem in sentence
    assert sentence.endswith(f". Usage: {Parser(function).usage}")


@given(st.text(max_size=3000))
def test_a_refusal_never_repeats_more_than_a_little_of_what_was_typed(text: str) -> None:
    sentence = refusal(roll, "x" + text)

    assert len(sentence) < 150
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("1h30m", 5400),
        ("2 days", 172800),
        ("1.5 H", 5400),
        ("1w 1d", 691200),
        ("3 months", 7776000),
    ],
)
def test_a_duration_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "h", "1x", "0s", "-1h", "1h30", "999999999 years", "1 h x"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


def test_a_duration_ends_where_the_next_word_is_no_unit() -> None:
    assert parse(ignore, "bob 1h 3 men")["reason"] == "3 men"


def test_annotations_with_notes_of_others_are_read_by_their_type() -> None:
    async def noted(request: Request, count: Annotated[int, "a note"]) -> None: ...

    assert parse(noted, "3") == {"count": 3}


def test_a_parameter_without_annotation_is_a_word() -> None:
    async def plain(request, name): ...  # type: ignore[no-untyped-def]

    assert parse(plain, "alice") == {"name": "alice"}


async def taking_a_list(request: Request, names: list[str]) -> None: ...
async def taking_either(request: Request, name: int | str) -> None: ...
async def taking_many(request: Request, *names: str) -> None: ...
async def taking_nothing() -> None: ...
async def taking_a_stranger(request: Request, name: Stranger) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    "function", [taking_a_list, taking_either, taking_many, taking_nothing, taking_a_stranger]
)
def test_a_handler_that_cannot_be_typed_is_refused_with_its_place(function: Any) -> None:
    with pytest.raises(TypeError, match=rf"test_arguments\.py:\d+: {function.__name__}: "):
        Parser(function)
