"""What is marked in the lines that a search found."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.logs.archive.highlighting import by_term, highlight
from plugins.logs.archive.query import LENGTH, QueryError, parse

TODAY = date(2026, 11, 21)


def marked(query, text):
    """A text with signs around what is marked in it."""
    return highlight(parse(query, now=TODAY)).sub(lambda found: f"<{found[0]}>", text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("python", "<Python>, [<python>]! cpython pythonic <PYTHON>_3"),
        ("pyth*", "<Python3> <pyth> cpython <pythön>-x"),
        ("zope interface", "<zope>.<interface> and Interfaces"),
        ('"zope interface"', "<zope.interface> zope and interface <Zope  Interface>"),
        ("foo_bar", "<foo_bar> <foo bar> foobar foo"),
        ("zope.inter*", "<zope.interface> zope inner"),
        ("cafe", "<café> <CAFÉ> <cafe\u0301> cafes"),
        ("café", "<cafe> <café>"),
        ("ﾃｽﾄ", "<テスト>の<テスト>"),
        ("日本", "<日本>語と<日本>"),
        ("語", "日本<語>の<語>"),
        ("python", "私は<python>が好き <ｐython>"),  # noqa: RUF001
        ("pythonの本", "<pythonの本>と <pythonの本> pythonと本"),
        ("本pyn*", "日<本pynfo>"),
        ("москва", "<Москва> <МОСКВА>"),  # noqa: RUF001
        ("άλφα", "<ΑΛΦΑ> <αλφα>"),
        ("-python zope", "python <zope>"),
        ("https://example.org/a", "see <https://example.org/a>, https://example.org/b"),
        ("don't", "<don't> <don’t> dont"),  # noqa: RUF001
        ("c++ zope zope.interface", "<c>++ <zope.interface> <zope>"),
    ],
)
def test_what_was_searched_for_is_marked(query, text):
    assert marked(query, text.replace("<", "").replace(">", "")) == text


@pytest.mark.parametrize("query", ["nick:alice", "-python", "has:link on:today"])
def test_without_words_there_is_nothing_to_mark(query):
    assert highlight(parse(query, now=TODAY)) is None
    assert by_term(parse(query, now=TODAY)) is None


@pytest.mark.parametrize("unit", ["a", "a ", "a\u0301", "\u0301", " ", "_", "a_", "日", "日a", "."])
@pytest.mark.parametrize(
    "query", ['"a a a a a a b"', "aaaaaaab*", "aa* a.a.a.a.b", "日a日a日b", '"a 日 a 日 b"']
)
def test_a_long_line_takes_no_longer_than_its_length(query, unit):
    # Were it exponential, this would not end.
    text = unit * 20_000

    assert len(marked(query, text)) >= len(text)


def test_accents_between_words_take_no_longer_than_their_length():
    # Were there several ways to share them out, each word of the phrase would multiply them.
    query = f'"{" ".join("a" * 40)} b"'
    line = ("a" + "\u0301" * 4) * 60 + " a b"

    assert marked(query, line) == line


@settings(max_examples=300)
@given(typed=st.text(max_size=LENGTH), line=st.text(max_size=200))
def test_every_query_can_be_marked_in_every_line(typed, line):
    try:
        query = parse(typed, now=TODAY)
    except QueryError:
        return
    pattern = highlight(query)
    if pattern is not None:
        assert pattern.groups == 0
        assert all(found[0] for found in pattern.finditer(line))
