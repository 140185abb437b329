"""CTCP requests and our answers."""

from __future__ import annotations

import pytest

from pynfo.irc.ctcp import CtcpAnswers, parse


@pytest.fixture
def answers() -> CtcpAnswers:
    return CtcpAnswers("Pynfo 1.0", "https://example.org/pynfo", limit=2, period=20.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x01VERSION\x01", ("VERSION", "")),
        ("\x01version", ("VERSION", "")),
        ("\x01ACTION waves to  all \x01", ("ACTION", "waves to  all ")),
        ("\x01PING 12\x01 34\x01", ("PING", "12")),
        ("\x01\x01", None),
        ("\x01 VERSION\x01", None),
        ("VERSION", None),
        ("a \x01VERSION\x01", None),
        ("", None),
    ],
)
def test_a_request_is_taken_out_of_its_delimiters(text: str, expected: tuple[str, str] | None) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("command", "argument", "expected"),
    [
        ("VERSION", "", "\x01VERSION Pynfo 1.0\x01"),
        ("SOURCE", "", "\x01SOURCE https://example.org/pynfo\x01"),
        ("PING", "1700000000 123", "\x01PING 1700000000 123\x01"),
        ("PING", "", "\x01PING\x01"),
        ("TIME", "", "\x01TIME 2023-11-14T22:13:20Z\x01"),
        ("CLIENTINFO", "", "\x01CLIENTINFO ACTION CLIENTINFO PING SOURCE TIME VERSION\x01"),
        ("ACTION", "waves", None),
        ("DCC", "SEND file 1 2 3", None),
    ],
)
def test_each_request_gets_its_answer_or_none(
    answers: CtcpAnswers, command: str, argument: str, expected: str | None
) -> None:
    assert answers.answer(command, argument, now=0.0, wall=1_700_000_000.9) == expected


def test_a_ping_too_long_to_be_honest_is_not_sent_back(answers: CtcpAnswers) -> None:
    assert answers.answer("PING", "x" * 100, now=0.0, wall=0.0) == f"\x01PING {'x' * 100}\x01"
    assert answers.answer("PING", "é" * 51, now=0.0, wall=0.0) is None


def test_past_the_limit_there_is_silence_until_the_first_answer_is_old_enough(answers: CtcpAnswers) -> None:
    times = (0.0, 5.0, 19.9, 20.0, 21.0, 25.0)

    answered = [answers.answer("VERSION", "", now, wall=0.0) is not None for now in times]

    assert answered == [True, True, False, True, False, True]


def test_what_gets_no_answer_does_not_count(answers: CtcpAnswers) -> None:
    for _ in range(5):
        answers.answer("FINGER", "", now=0.0, wall=0.0)

    assert answers.answer("VERSION", "", now=0.0, wall=0.0) is not None
