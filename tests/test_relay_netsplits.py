"""Netsplits in the middle of other comings and goings, as the other ends of a wire read them."""

from __future__ import annotations

from tests.test_relay_comings import SPLIT, Channel


def test_who_quits_in_the_middle_of_a_netsplit_does_not_make_many_lines_of_it():
    channel = Channel("membership")
    channel.join("early")
    for number in range(5):
        channel.quit(f"split{number}", reason=SPLIT)
        channel.quit(f"tired{number}", reason="good night")

    assert channel.lines == [
        ".early joined",
        "netsplit: .split0, .split1, .split2, .split3 and .split4 left",
        ".tired0, .tired1, .tired2, .tired3 and .tired4 left",
    ]
