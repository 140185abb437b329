"""What people type to search the logs: what it means, and what is said where it means nothing."""

import re
import sqlite3
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plugins.logs.archive.expressions import expressions, is_named
from plugins.logs.archive.query import LENGTH, PIECES, TERMS, Part, Query, QueryError, Term, parse
from plugins.logs.archive.words import CREATE, indexed

TODAY = date(2026, 11, 21)  # a Saturday

PARTS = (
    *(
        "zope",
        "pyn*",
        '"',
        '"a b"',
        "-",
        "--help",
        "*",
        " ",
        "\u3000",
        "nick:",
        "nick:ali*",
        "channel:#pynfo",
    ),
    *(
        "network:libera",
        "is:",
        "is:action",
        "has:link",
        "on:today",
        "after:",
        "before:2026-11",
        "日本語",
        "語*",
    ),
    *(
        "(",
        ")",
        "^",
        "{",
        "}",
        ":",
        "+",
        "OR",
        "NOT",
        "AND",
        "NEAR(",
        "text:",
        "marks:c1",
        "'",
        ";",
        "\\",
        "!!!",
    ),
    *("\0", "\x034", "\ud800", "\uff02", "\uff0a", "é", "e\u0301", "\u0301", "😀", "・", "ﷺ"),
)
typed = st.one_of(st.lists(st.sampled_from(PARTS), max_size=12).map("".join), st.text(max_size=60))


def parsed(text: str) -> Query:
    return parse(text, now=TODAY)


def wanted(*terms: str) -> Query:
    return Query(Part(terms=tuple(Term(term.rstrip("*"), term.endswith("*")) for term in terms)))


def error_of(text: str) -> str:
    with pytest.raises(QueryError) as caught:
        parsed(text)
    return str(caught.value)


# -- words


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("zope interface", ["zope", "interface"]),
        ('"zope interface"', ["zope interface"]),
        ("“zope interface”", ["zope interface"]),
        ("ｚope\u3000\uff02a b\uff02", ["zope", "a b"]),  # noqa: RUF001
        ("zope.interface foo_bar", ["zope.interface", "foo_bar"]),
        ("pyn*", ["pyn*"]),
        ('"zope inter*"', ["zope inter*"]),
        ('"zope inter"*', ["zope inter*"]),
        ("zope.* (zope) zope!", ["zope", "zope", "zope"]),
        ("日本語 日本* pythonの本", ["日本語", "日本", "pythonの本"]),
        ("本pyn*", ["本pyn*"]),
        ("AND OR NOT NEAR", ["AND", "OR", "NOT", "NEAR"]),
        ('foo"bar baz"qux', ["foo", "bar baz", "qux"]),
        ('the "end is missing', ["the", "end is missing"]),
        ("zope:interface https://example.org/?q=1", ["zope:interface", "https://example.org/?q=1"]),
        ('foo:"bar baz"', ["foo:bar baz"]),
        ("--help 12:30 a-b", ["help", "12:30", "a-b"]),
        ("\x02bold\x02 \x0304,01red\x0f", ["bold", "red"]),
        ("zope \0!!! 😀", ["zope"]),
        ('"nick:alice"', ["nick:alice"]),
    ],
)
def test_words_and_phrases_are_looked_for(text, terms):
    assert parsed(text) == wanted(*terms)


def test_a_minus_leaves_lines_out():
    assert parsed('-foo -"a b" -https://x.org -py*') == Query(
        unwanted=Part(terms=(Term("foo"), Term("a b"), Term("https://x.org"), Term("py", beginning=True)))
    )


# -- filters


def test_filters_name_who_where_and_what():
    text = (
        'nick:Alice nick:bo* channel:#pynfo channel:oftc/x network:"libera" is:join is:ACTION Has:link NICK:c'
    )
    assert parsed(text) == Query(
        Part(
            nicks=("Alice", "bo*", "c"),
            channels=("#pynfo", "oftc/x"),
            networks=("libera",),
            kinds=("join", "action"),
            link=True,
        )
    )


def test_a_minus_turns_a_filter_round():
    assert parsed("-nick:bob -channel:x -network:y -is:topic -has:link") == Query(
        unwanted=Part(nicks=("bob",), channels=("x",), networks=("y",), kinds=("topic",), link=True)
    )


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("on:2026", date(2026, 1, 1), date(2027, 1, 1)),
        ("on:2026-12", date(2026, 12, 1), date(2027, 1, 1)),
        ("on:2024-02", date(2024, 2, 1), date(2024, 3, 1)),
        ("on:2026-11-30", date(2026, 11, 30), date(2026, 12, 1)),
        ("on:2026-1-5", date(2026, 1, 5), date(2026, 1, 6)),
        ("on:today", TODAY, date(2026, 11, 22)),
        ("on:Yesterday", date(2026, 11, 20), TODAY),
        ("on:7d", date(2026, 11, 14), date(2026, 11, 15)),
        ("after:2026-11", date(2026, 11, 1), None),
        ("after:2w", date(2026, 11, 7), None),
        ("before:2026-11", None, date(2026, 11, 1)),
        ("before:today", None, TODAY),
        ("after:2025 before:2026-02 after:2024 before:2027", date(2025, 1, 1), date(2026, 2, 1)),
    ],
)
def test_dates_bound_the_days(text, since, until):
    assert parsed(text) == Query(since=since, until=until)


@pytest.mark.parametrize(
    ("text", "place", "fits"),
    [
        ("channel:pynfo", "libera/#pynfo", True),
        ("channel:#PYNFO", "libera/#pynfo", True),
        ("channel:Libera/pynfo", "libera/#pynfo", True),
        ("channel:libera/#pynfo", "libera/#pynfo", True),
        ("channel:libera/#pynfo", "oftc/#pynfo", False),
        ("channel:pyn", "libera/#pynfo", False),
        ("channel:#c", "libera/#c", True),
        ("channel:#c", "libera/##c", False),
        ("channel:##c", "libera/##c", True),
        ("channel:a channel:b", "libera/#b", True),
        ("network:oftc channel:b", "libera/#b", False),
        ("network:LIBERA", "libera/#b", True),
        ("-channel:b", "libera/#b", False),
        ("-channel:b", "libera/#c", True),
        ("-network:libera", "libera/#c", False),
        ("zope", "libera/#c", True),
    ],
)
def test_channels_are_named_with_or_without_their_network_and_sign(text, place, fits):
    assert is_named(parsed(text), place) is fits


# -- mistakes


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "there is nothing to search for"),
        (' "" \x0f\0 ', "there is nothing to search for"),
        ("!!! 😀", 'there is no letter and no digit in "!!!"'),
        ("-!!!", 'there is no letter and no digit in "!!!"'),
        ("*", 'there is no letter and no digit in "*"'),
        ("foo - bar", "a minus wants the word that must not be there right after it: -word"),
        ("p*", '"p*" is too short: a star wants 2 characters before it'),
        ("zope.i*", '"zope.i*" is too short: a star wants 2 characters before it'),
        ("e\u0301*", '"é*" is too short: a star wants 2 characters before it'),
        ("nick: alice", "nick: wants a nick such as nick:alice"),
        ("nick:*", "nick: wants a nick such as nick:alice"),
        ("nick:a*", "nick: wants 2 characters before the star"),
        ("channel:", "channel: wants a channel such as channel:#pynfo"),
        ("has:cheese", "has: wants the word link: has:link"),
        (
            "is:loud",
            "is: wants one of message, notice, action, join, part, quit, kick, nick, topic, mode",
        ),
        ("after:2026-11-21 before:2026-11-21", "there is no day that lies within these dates"),
        ("-on:today", "a date takes no minus: write after:, before: or on: without it"),
        (
            "is:join zope",
            "only what was said, and topics, can be searched for words: is:join goes with nick:, channel: "
            "and dates",
        ),
        ("x" * (LENGTH + 1), f"that is too long: search for at most {LENGTH} characters"),
        ("ﷺ" * 100, f"that is too long: search for at most {LENGTH} characters"),
        ("x " * (TERMS + 1), f"that is too much at once: search for at most {TERMS} words and filters"),
        ('"' + "x " * (PIECES + 1), f"that is too much at once: search for at most {PIECES} words"),
        ("語" * (PIECES + 1), f"that is too much at once: search for at most {PIECES} words"),
    ],
)
def test_a_mistake_gets_a_sentence(text, sentence):
    assert error_of(text) == sentence


@pytest.mark.parametrize(
    "value", ["", "soon", "2026-13", "2026-02-30", "0000", "9999", "9999y", "٢٠٢٦", "7", "2026-11-21T10:00"]
)
@pytest.mark.parametrize("name", ["after", "before", "on"])
def test_what_is_no_date_gets_an_example(name, value):
    assert error_of(f"{name}:{value}") == (
        f"{name}: wants a date such as 2026-11-21, 2026-11, 2026, yesterday or 7d"
    )


# -- whatever is typed


@pytest.fixture(scope="module")
def index():
    """An index of what alice said, and of bob who joined."""
    connection = sqlite3.connect(":memory:")
    connection.execute(CREATE.format("words"))
    row = indexed("the zope interface https://example.org 日本語", "message", "alice", 1)
    connection.execute("INSERT INTO words (rowid, text, marks) VALUES (1, ?, ?)", row)
    row = indexed("", "join", "bob", 1)
    connection.execute("INSERT INTO words (rowid, text, marks) VALUES (2, ?, ?)", row)
    yield connection
    connection.close()


@settings(max_examples=500)
@given(typed)
@example('"')
@example('zope\0"')
@example("marks:c1")
@example("{text}: zope")
@example("\uff02 OR marks:(c1)")
def test_whatever_is_typed_is_a_query_that_runs_or_a_mistake(index, text):
    try:
        query = parsed(text)
    except QueryError as error:
        sentence = str(error)
        assert re.fullmatch(r"[^\n]{1,200}", sentence)
        return
    for channels, hidden in (({1}, set()), (set(range(1, 9)), set(range(9, 30))), (set(range(9)), {90})):
        both = expressions(query, channels, hidden)
        for match in (both.loose, both.strict):
            index.execute("SELECT rowid FROM words WHERE words MATCH ?", (match,)).fetchall()


@pytest.mark.parametrize("text", ["marks:c1", "n616c696365", '"marks : t"', "text:marks", "k0"])
def test_nobody_reaches_our_marks_by_typing_them(text, index):
    both = expressions(parsed(text), {1}, set())

    assert index.execute("SELECT rowid FROM words WHERE words MATCH ?", (both.strict,)).fetchall() == []


def test_quotation_marks_within_a_term_end_nothing(index):
    both = expressions(wanted('zope" OR marks:"c1'), {1}, set())

    assert index.execute("SELECT rowid FROM words WHERE words MATCH ?", (both.strict,)).fetchall() == []


@pytest.mark.parametrize(
    ("text", "seen", "loosely", "strictly"),
    [
        ("zope", range(1, 10), [1], [1]),
        ("zope", range(2, 10), [1], []),
        ("zope", range(2, 30), [1], []),
        ("zope", [2], [1], []),
        ("on:today", range(2, 30), [], []),
        ("nick:bob", range(1, 10), [2], []),
        ("is:join", range(1, 10), [2], [2]),
        ("is:join", range(2, 30), [2], []),
    ],
)
def test_the_strict_expression_finds_no_other_channels_and_kinds(index, text, seen, loosely, strictly):
    both = expressions(parsed(text), set(seen), set(range(1, 40)) - set(seen))

    def found(match):
        return [row for (row,) in index.execute("SELECT rowid FROM words WHERE words MATCH ?", (match,))]

    assert (found(both.loose), found(both.strict)) == (loosely, strictly)
