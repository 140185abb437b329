"""Messages of several lines: what the server allows, and how a text becomes one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynfo.irc import Message
from pynfo.irc.batches import Batches
from pynfo.irc.capabilities import Capabilities
from pynfo.irc.formatting import plain
from pynfo.irc.message import encode
from pynfo.irc.multiline import CONCAT, LINES_LIMIT, NEEDED, Limits, compose, in_force, join, limits_of

LIMITS = Limits(4096, 24)
ROOM = 100


def texts(multiline):
    return [line.params[1] for line in multiline.lines]


def heard(multiline):
    """The text that others see."""
    batches = Batches()
    opening, *lines, closing = (Message.parse(line.format()) for line in multiline.whole)
    batch = batches.open(opening)
    for line in lines:
        batches.keep(batch, line)
    return join(batches.close(closing)).params[1]


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        ("max-bytes=4096,max-lines=24", Limits(4096, 24)),
        ("max-lines=5,later=1,max-bytes=40000", Limits(40000, 5)),
        ("max-bytes=4096", Limits(4096, LINES_LIMIT)),
        ("max-bytes=" + "9" * 5000, Limits(999_999_999, LINES_LIMIT)),
        ("max-lines=5", None),
        ("max-bytes=many", None),
        ("", None),
    ],
)
def test_the_value_of_the_capability_tells_the_limits(value, limits):
    assert limits_of(value) == limits


def test_all_that_is_needed_must_be_in_force():
    capabilities = Capabilities(lambda message: None)
    capabilities.available = {"draft/multiline": "max-bytes=4096,max-lines=24"}
    capabilities.enabled = set(NEEDED)
    assert in_force(capabilities) == LIMITS
    for name in NEEDED:
        capabilities.enabled = set(NEEDED - {name})
        assert in_force(capabilities) is None


def test_a_batch_has_a_line_for_each_and_the_tags_on_the_first():
    multiline = compose("#a", "one\n\ntwo", ROOM, LIMITS, {"+draft/reply": "m1"})
    assert [line.format().decode() for line in multiline.whole] == [
        "@+draft/reply=m1 BATCH +pynfo draft/multiline #a\r\n",
        "@batch=pynfo PRIVMSG #a one\r\n",
        "@batch=pynfo PRIVMSG #a :\r\n",
        "@batch=pynfo PRIVMSG #a two\r\n",
        "BATCH -pynfo\r\n",
    ]


def test_a_long_line_is_split_and_joined_again_with_every_space():
    long = "words  and   more words, " * 20
    multiline = compose("#a", f"first\n{long}end", ROOM, LIMITS)
    assert max(len(encode(text)) for text in texts(multiline)) <= ROOM
    assert heard(multiline) == f"first\n{long}end"


@given(st.text("ab \n\x02\x03é👍", min_size=ROOM, max_size=600))
def test_what_is_seen_is_the_same_whatever_is_said(text):
    multiline = compose("#a", text, ROOM, LIMITS)
    if multiline is not None:
        assert all(len(encode(line)) <= ROOM for line in texts(multiline))
        assert squeezed(heard(multiline)) == squeezed(text)


def squeezed(text):
    """What is seen, where it counts: no codes, no run of spaces, no blank lines around."""
    return [" ".join(plain(line).split()) for line in text.strip("\n").split("\n")]


@pytest.mark.parametrize(
    "text",
    [
        "one line",
        "",
        "\n\n",
        "\n".join("x" * 25),  # lines
        "\n".join(["x" * 1000] * 5),  # bytes
        "x\n" * 13 + "x" * 1200,  # lines, of which some are pieces of one
    ],
)
def test_what_needs_no_batch_or_does_not_fit_one_becomes_none(text):
    assert compose("#a", text, ROOM, LIMITS) is None


def test_what_just_fits_is_taken():
    assert compose("#a", "\n".join("x" * 24), ROOM, LIMITS) is not None
    assert compose("#a", "xx\nxxx", ROOM, Limits(6, 2)) is not None
    assert compose("#a", "xx\nxxx", ROOM, Limits(5, 2)) is None
    assert compose("#a", "xx\nxxx", ROOM, Limits(6, 1)) is None


def test_only_concatenated_lines_have_the_tag():
    multiline = compose("#a", f"one\n{'x' * 150}\ntwo", ROOM, LIMITS)
    assert [CONCAT in line.tags for line in multiline.lines] == [False, False, True, False]
