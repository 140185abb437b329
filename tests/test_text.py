"""What came from outside, in one line: whatever it was, it is safe to say."""

from __future__ import annotations

import unicodedata
from time import process_time

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from pynfo.text import ELLIPSIS, READ_LEAST, one_line, uncommanding


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Pynfo 2.0", "Pynfo 2.0"),
        ("", ""),
        ("  a \t b\r\n\r\nc\v\f\x1c\x85\u2028\u2029\u00a0\u3000d  ", "a b c d"),
        ("\x02bold\x0f \x0304,12red\x03 \x1ditalic\x04ff0000hex", "bold red italichex"),
        ("\x1b[31mred\x1b[0m\x07\x00", "[31mred[0m"),
        ("\x01ACTION waves\x01", "ACTION waves"),
        ("a\r\nQUIT :b", "a QUIT :b"),
        ("\u202eevil\u202c \u2066live\u2069 \u200fhere\u061c", "evil live here"),
        ("pa\u200byp\u2060al\u00ad.\ufeffcom", "paypal.com"),
        ("\u2800\u3164\u115f\uffa0\u180e", ""),
        ("\ud800a\udfff\ue000\U000f0000\u0378", "a"),
        ("e\u0301", "\u00e9"),
        ("Z" + "\u0300" * 100 + "algo", "Z" + "\u0300" * 4 + "algo"),
        ("\u200da\u200d b \u200d\ufe0f", "a b"),
        ("❤\ufe0f 👩\u200d💻 \u0645\u06cc\u200c\u062e", "❤\ufe0f 👩\u200d💻 \u0645\u06cc\u200c\u062e"),
    ],
)
def test_text_becomes_one_clean_line(text: str, line: str) -> None:
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("text", "limit", "line"),
    [
        ("abcde", 5, "abcde"),
        ("abcdef", 5, "abcd…"),
        ("abc def", 5, "abc…"),
        ("éééé", 3, "éé…"),
        ("🏳\ufe0f\u200d🌈" * 3, 2, "🏳\ufe0f\u200d🌈…"),
        ("🇩🇪🇫🇷🇮🇹", 3, "🇩🇪🇫🇷🇮🇹"),
        ("नमस्ते", 2, "न…"),
        ("abc", 1, "…"),
    ],
)
def test_a_long_one_is_cut_between_two_graphemes(text: str, limit: int, line: str) -> None:
    assert one_line(text, limit) == line


def test_a_grapheme_without_end_has_one() -> None:
    assert len(one_line("👩" + "\u200d👩" * 10_000, 10)) < 100


def test_what_is_far_behind_is_not_even_read() -> None:
    assert one_line(" " * READ_LEAST * 1000 + "a", 10) == ""


@given(st.text(), st.integers(1, 40))
def test_whatever_it_was_it_is_safe_to_say(text: str, limit: int) -> None:
    line = one_line(text, limit)

    assert len(regex.findall(r"\X", line)) <= limit
    assert not {unicodedata.category(character) for character in line} & {"Cc", "Cs", "Co", "Zl", "Zp"}
    assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f")
    assert line == line.strip()
    assert "  " not in line
    assert one_line(line, limit) == line
    assert ELLIPSIS in line or ELLIPSIS in text or len(line) <= limit * 16


@pytest.mark.parametrize(
    "text",
    [
        "a" + "\u200c" * 19_000 + "b",  # joiners that join nothing
        "a" + "\u0301" * 9500 + "\u0316" * 9500,  # marks that are to be put in another order
        "\U0001f1e6" * 19_000,  # a flag, or half of one: that depends on all before it
        "a " * 9500,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    one_line("a")  # what it needs is imported
    began = process_time()
    one_line(text)
    assert process_time() - began < 0.2  # seconds; a hundredth of it is enough


@pytest.mark.parametrize(
    ("line", "told"), [("Blog: a", "Blog: a"), ("日本", "日本"), ("", ""), ("!op eve", "\u2060!op eve")]
)
def test_no_line_begins_as_commands_of_other_bots_do(line: str, told: str) -> None:
    assert uncommanding(line) == told
