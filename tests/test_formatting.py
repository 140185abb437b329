"""mIRC formatting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynfo.irc.formatting import COLOURS, Run, Style, ansi, clean, parse, plain, style_after


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("\x02", "bold"),
        ("\x1d", "italic"),
        ("\x1f", "underline"),
        ("\x1e", "strike"),
        ("\x11", "monospace"),
        ("\x16", "reverse"),
    ],
)
def test_a_toggle_opens_and_closes(code, name):
    assert parse(f"a{code}b{code}c") == [Run(text="a"), Run(text="b", **{name: True}), Run(text="c")]


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("\x034red", [Run(text="red", foreground=4)]),
        ("\x0304,12red", [Run(text="red", foreground=4, background=12)]),
        ("\x03041", [Run(text="1", foreground=4)]),
        ("\x034,x", [Run(text=",x", foreground=4)]),
        ("\x0398x", [Run(text="x", foreground=98)]),
        ("\x034a\x03b", [Run(text="a", foreground=4), Run(text="b")]),
        ("\x034,5a\x0399b", [Run(text="a", foreground=4, background=5), Run(text="b", background=5)]),
        ("\x04ff8800x", [Run(text="x", foreground="ff8800")]),
        ("\x04ff8800,001122x", [Run(text="x", foreground="ff8800", background="001122")]),
        ("\x02\x034a\x0fb", [Run(text="a", bold=True, foreground=4), Run(text="b")]),
        ("\x03", []),
    ],
)
def test_colours_and_resets(text, runs):
    assert parse(text) == runs


def test_plain_text_has_no_codes():
    assert plain("\x02bold\x02 \x0304,01red\x03 \x04abcdefhex\x04 \x1dit\x0f") == "bold red hex it"


def test_ansi_shows_each_run_and_resets():
    assert ansi("a\x02b\x02\x0304c") == "a\x1b[1mb\x1b[0m\x1b[38;2;255;0;0mc\x1b[0m"


def test_ansi_lets_no_escape_of_others_through():
    assert ansi("a\x1b[2Jb\x9b2J") == "a[2Jb2J"


def test_there_are_99_colours():
    assert len(COLOURS) == 99


@pytest.mark.parametrize(
    "character", ["\0", "\r", "\n", "\x01", "\x07", "\x1b", "\x7f", "\x85", "\u202e", "\ud800"]
)
def test_clean_takes_out_what_nobody_should_say(character):
    assert clean(f"a{character}b") == "ab"


@pytest.mark.parametrize("text", ["plain", "\x02bold\x0f", "\x0304,05red", "naïve 漢字 👩‍👩‍👧"])
def test_clean_leaves_the_rest(text):
    assert clean(text) == text


def test_clean_leaves_a_space_for_a_tab():
    assert clean("a\tb") == "a b"


COLOUR = st.none() | st.integers(0, 98) | st.from_regex("[0-9A-F]{6}", fullmatch=True)
STYLE = st.builds(Style, *[st.booleans()] * 6, COLOUR, COLOUR)


@given(STYLE, st.sampled_from(["x", "1", ",", ",5", "abcdef"]))
def test_a_style_is_opened_by_its_codes_whatever_text_follows(style, text):
    assert plain(style.codes() + text) == text
    assert style_after(style.codes() + text) == style
    assert len(style.codes()) <= 29


CODES = st.sampled_from([*"\x02\x03\x04\x0f\x11\x16\x1d\x1e\x1f,0459af", "ff8800"])


@given(st.lists(CODES | st.characters(), max_size=40).map("".join))
def test_runs_hold_all_the_text_and_no_codes(text):
    runs = parse(text)
    assert "".join(run.text for run in runs) == plain(text)
    assert all(run.text for run in runs)
