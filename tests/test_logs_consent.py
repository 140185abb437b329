"""What is off the record, and the links to private logs."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.logs.consent import off_the_record
from plugins.logs.links import HOUR, LONGEST, read, sign

KEY = b"k" * 32


@pytest.mark.parametrize(
    "text",
    [
        "[off] between us",
        "[nolog] between us",
        "[OFF]",
        "[NoLog]right away",
        "   [off] behind spaces",
        "\x0304,12[off] in red",
        "\x02[\x1foff\x0f]\x02 with styles inside",
        "\x04ff0000[off] in a hex colour",
        "\u200b\u2060\ufeff[off] behind what nobody sees",
        "[\u200doff] with a joiner inside",
        "\u3164\u2800[off] behind blank letters",
        "\u202e[off] turned around",
        "\x00\x01[off] behind controls",
        "\xa0\u3000[ off ] with wide spaces",
        "\uff3b\uff4f\uff46\uff46\uff3d full width",
    ],
)
def test_a_line_that_begins_with_the_mark_is_off_the_record(text: str) -> None:
    assert off_the_record(text)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "turn it [off]", "[offtopic] hello", "[of", "[off", "(off) hello", "[]", "[no log"],
)  # fmt: skip
def test_any_other_line_is_on_the_record(text: str) -> None:
    assert not off_the_record(text)


@given(st.text())
def test_no_text_is_too_strange_to_be_looked_at(text: str) -> None:
    assert off_the_record(text) in (True, False)
    assert off_the_record("[off]" + text)


def test_a_link_is_for_its_place_until_its_time_is_over() -> None:
    token = sign(KEY, "libera/#pynfo", 24, now=1000.0)

    assert read(KEY, token, now=1000.0) == "libera/#pynfo"
    assert read(KEY, token, now=999.0 + 24 * HOUR) == "libera/#pynfo"
    assert read(KEY, token, now=1000.0 + 24 * HOUR) is None


def test_a_link_works_by_the_clock_where_no_time_is_given() -> None:
    assert read(KEY, sign(KEY, "libera/##日本", 1)) == "libera/##日本"


def test_a_link_of_another_key_opens_nothing() -> None:
    assert read(b"x" * 32, sign(KEY, "libera/#pynfo", 24)) is None


@pytest.mark.parametrize(
    "token", ["", ".", "a.b", "\ud800", "é.é", "=" * LONGEST, "x" * (LONGEST + 1), "\x00"]
)
def test_what_is_no_token_opens_nothing(token: str) -> None:
    assert read(KEY, token) is None


def test_a_token_cannot_be_changed() -> None:
    token = sign(KEY, "libera/#pynfo", 24)
    changed = [
        token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token) - 1)
    ]

    assert {read(KEY, other) for other in changed} == {None}
    assert read(KEY, token + "é") is None


def test_a_token_fits_an_address_as_it_is() -> None:
    token = sign(KEY, "libera/#pynfo", 24)

    assert quote(token, safe="") == token
