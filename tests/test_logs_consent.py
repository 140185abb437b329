"""What is off the record, codes that confirm, links to private logs, and links that name lines."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.logs.consent import CODE_LENGTH, CODE_MINUTES, code_of, confirms
from plugins.logs.links import HOUR, LONGEST, lines_named, read, sign
from pynfo.off_the_record import off_the_record

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
        "the first of two lines\n [off] the second",
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


def test_a_code_confirms_for_five_minutes_at_least() -> None:
    code = code_of(KEY, "libera/account/alice", 1000.0)

    assert len(code) == CODE_LENGTH
    assert confirms(KEY, "libera/account/alice", code, 1000.0)
    assert confirms(KEY, "libera/account/alice", code.upper(), 1000.0 + CODE_MINUTES * 60)
    assert not confirms(KEY, "libera/account/alice", code, 1000.0 + (CODE_MINUTES + 1) * 60)
    assert not confirms(KEY, "libera/account/alice", code, 1000.0 - 60)


@pytest.mark.parametrize("who", ["libera/account/bob", "oftc/account/alice", "libera/nick/alice/00"])
def test_a_code_confirms_nothing_for_anybody_else(who: str) -> None:
    code = code_of(KEY, "libera/account/alice", 1000.0)

    assert not confirms(KEY, who, code, 1000.0)
    assert not confirms(b"x" * 32, "libera/account/alice", code, 1000.0)


@pytest.mark.parametrize("code", ["", "yes", "\ud800", "\0", "x" * 1000])
def test_what_is_no_code_confirms_nothing(code: str) -> None:
    assert not confirms(KEY, "libera/account/\ud800", code, 1000.0)


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("https://logs.example.org/libera/pynfo/2026-11-21#L17", (17, 17)),
        ("https://logs.example.org/libera/pynfo/2026-11-21?page=2#L17-L19", (17, 19)),
        ("#L19-17", (17, 19)),
        ("<https://logs.example.org/L/17>", (17, 17)),
        ("/L/17/around", (17, 17)),
        ("/L/17?to=19", (17, 19)),
        ("/L/17?to=", None),
        ("/L/17#L18", (18, 18)),
        (f"#L{2**63 - 1}", (2**63 - 1, 2**63 - 1)),
        (f"#L{2**63}", None),
        ("#L" + "9" * 5000, None),
        ("#L\u0661", None),
        ("#L17-", None),
        ("https://logs.example.org/libera/pynfo/", None),
        ("", None),
    ],
)
def test_an_address_names_lines_by_its_end(address: str, named: tuple[int, int] | None) -> None:
    assert lines_named(address) == named
