"""Mentions of people on the other side of a wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.relay.mentions import localise

MEMBERS = {"alice", "[bob]", "zoë", "a.b"}


def localised(text, network="libera"):
    return localise(text, network, lambda nick: nick.lower() in MEMBERS)


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("alice@libera: hi", "alice: hi"),
        ("alice/libera: hi", "alice: hi"),
        ("@alice@libera hi", "alice hi"),
        ("hi alice@libera", "hi alice"),
        ("hi alice@libera.", "hi alice."),
        ("hi alice@libera, [bob]@libera and Alice@LIBERA!", "hi alice, [bob] and Alice!"),
        ("a\u2060lice@libera: hi", "alice: hi"),
        ("al\u200bi\ufe0fce\u200d/libera hi", "alice hi"),
        ("(alice@libera) [alice@libera] 'alice@libera'", "(alice) [alice] 'alice'"),
        ("\x02alice@libera\x02 \x0304,05alice@libera", "\x02alice\x02 \x0304,05alice"),
        ("zoë@libera a.b@libera", "zoë a.b"),
        ("alice@libera:hi", "alice:hi"),
    ],
)
def test_a_mention_of_a_member_is_their_nick(text, there):
    assert localised(text) == there


@pytest.mark.parametrize(
    "text",
    [
        "alice: hi",
        "alice @ libera / libera",
        "carol@libera hi",  # not there
        "alice@oftc hi",  # of another network
        "alice@liberal",
        "alice@libera.chat",
        "alice@libera-x",
        "alice@libera@oftc",
        "alice/libera/log",
        "xalice@libera",
        "mailto:alice@libera",
        "https://example.org/alice/libera",
        "https://example.org/?who=alice@libera",
        "alice@libera:6697",
        "<alice@libera> is quoted",
        "#alice/libera",
        "@libera",
        "[@libera",
    ],
)
def test_all_else_stays_as_it_is(text):
    assert localised(text) == text


def test_a_network_is_named_exactly():
    assert localised("alice@local.net alice@localxnet", "local.net") == "alice alice@localxnet"


@given(st.text(st.sampled_from("ab@/ \x03\x0204,[.:\u2060"), max_size=60))
def test_whatever_is_written_only_names_of_members_change(text):
    assert localise(text, "a", lambda nick: False) == text
    shorter = localise(text, "a", lambda nick: True)
    assert len(shorter) <= len(text)
    assert localise(text, "x", lambda nick: True) == text


@pytest.mark.parametrize(
    "bit", ["\x03", "\x0304", "a", "@a", "/a", "[", " a@", "a@libera", "alice@libera ", "\u2060"]
)
def test_no_text_takes_long(bit):
    text = bit * 200_000  # would take an hour where the time went with the square
    assert len(localised(text)) <= len(text)
