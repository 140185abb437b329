"""What the logs make of lines that another Pynfo relays into a channel."""

from __future__ import annotations

import pytest

from plugins.logs.relayed import Spoken, spoken


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("[14:02] <al\u2060ice@libera> hi", Spoken("alice", "libera", "hi")),
        ("[20 Nov 23:58] <alice@libera> hi", Spoken("alice", "libera", "hi")),
        ("[14:02] [libera] <alice> hi", Spoken("alice", "libera", "hi")),
        ("[14:02] * alice@libera waves", Spoken("alice", "libera", "waves", action=True)),
        ("[14:02] -al\u2060ice@libera- mind the gap", Spoken("alice", "libera", "mind the gap")),
        ("-alice@libera- mind the gap", Spoken("alice", "libera", "mind the gap")),
        ("-al-ice-@libera.chat- a - b", Spoken("al-ice-", "libera.chat", "a - b")),
    ],
)
def test_a_late_line_and_a_notice_are_of_the_person_who_spoke(line, meant):
    assert spoken(line) == meant


@pytest.mark.parametrize(
    "line",
    [
        "[14:02] alice joined",
        "(libera) alice joined",
        "-alice- is no sign of a relay",
        "-- see a@b- there",
        "-",
    ],
)
def test_what_is_like_it_is_the_line_of_the_bot_itself(line):
    assert spoken(line) is None
