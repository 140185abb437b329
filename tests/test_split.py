"""Long text into pieces that fit a line."""

import msgspec
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from pynfo.irc.formatting import clean, parse, plain
from pynfo.irc.split import split

CODES = ["\x02", "\x0304", "\x0304,05", "\x0399", "\x03", "\x04ff8800", "\x04ff8800,00ff00", "\x0f", "\x1d"]
LETTERS = st.sampled_from([*"ab zé漢😀,7", "👩‍👩‍👧", "🇩🇪", "e\u0301", " \u0301", *CODES])
TEXTS = st.lists(LETTERS, min_size=40, max_size=200).map("".join)
LIMITS = st.integers(64, 100)


def styled(text):
    """Every character but spaces, with its style."""
    return [
        (character, msgspec.structs.replace(run, text=""))
        for run in parse(text)
        for character in run.text
        if character != " "
    ]


def test_leaves_alone_what_fits():
    assert split("short", 400) == ["short"]
    assert split("", 400) == []


def test_breaks_between_words():
    assert split("one " * 40, 64) == [("one " * 16).rstrip(), ("one " * 16).rstrip(), "one " * 8]


def test_counts_bytes_and_not_characters():
    pieces = split("é" * 100, 64)
    assert [len(piece.encode()) for piece in pieces] == [64, 64, 64, 8]


def test_does_not_tear_a_family_apart():
    family = "👩‍👩‍👧"
    pieces = split(family * 10, 64)
    assert "".join(pieces) == family * 10
    assert all(piece.count("👧") * family == piece for piece in pieces)


def test_does_not_cut_into_the_number_of_a_colour():
    pieces = split("x" * 62 + "\x0304red", 64)
    assert pieces == ["x" * 62, "\x0304red"]


def test_cuts_into_a_grapheme_that_is_too_big_for_a_piece():
    text = "before a" + "\u0301" * 100 + " after"
    pieces = split(text, 64)
    assert pieces[0] == "before"
    assert "".join(pieces[1:]) == text.removeprefix("before ")
    assert all(len(piece.encode()) <= 64 for piece in pieces)


def test_says_nothing_for_formatting_that_is_left_over():
    assert split("x" * 64 + "\x0f", 64) == ["x" * 64]


def test_counts_a_lone_surrogate_as_what_is_sent_for_it():
    assert [len(piece) for piece in split("\ud800" * 42, 64)] == [21, 21]


def test_opens_the_formatting_again_on_the_next_piece():
    pieces = split("\x02\x0304" + "word " * 30, 64)
    assert len(pieces) > 1
    assert all(piece.startswith("\x02\x0304") for piece in pieces)


def test_does_not_let_a_comma_become_a_background():
    [_, second, *_] = split("\x0304" + "x" * 60 + " ,5 apples " + "y" * 60, 64)
    assert plain(second).startswith(",5 apples")


def test_refuses_a_limit_in_which_nothing_can_be_said():
    with pytest.raises(ValueError, match="too few"):
        split("x" * 100, 10)


@given(TEXTS, LIMITS)
def test_no_piece_is_over_the_limit_and_none_is_empty(text, limit):
    pieces = split(text, limit)
    assert all(0 < len(piece.encode()) <= limit for piece in pieces)


@given(TEXTS, LIMITS)
def test_every_character_is_said_in_its_style(text, limit):
    pieces = split(text, limit)
    assert [item for piece in pieces for item in styled(piece)] == styled(text)


@given(TEXTS, LIMITS)
def test_graphemes_stay_whole_and_only_a_space_goes_at_each_break(text, limit):
    text = plain(text)
    pieces = split(text, limit)
    said = [grapheme for piece in pieces for grapheme in regex.findall(r"\X", piece)]
    graphemes = regex.findall(r"\X", text)
    assert [g for g in said if g != " "] == [g for g in graphemes if g != " "]
    assert len(graphemes) - len(said) <= len(pieces)


@given(st.text(max_size=2000), LIMITS)
def test_anything_at_all_can_be_split_once_it_is_clean(text, limit):
    pieces = split(clean(text), limit)
    assert all(len(piece.encode()) <= limit for piece in pieces)
