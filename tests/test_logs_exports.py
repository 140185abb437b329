"""Lines of a log as text and as JSON: for files, and for whoever asks the site for them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.logs.exports import as_dict, as_ndjson, as_text
from plugins.logs.line import Line

TIME = 1795245600.9996


def line(kind: Any = "message", **more: Any) -> Line:
    return Line(network="libera", channel="#pynfo", time=TIME, kind=kind, nick="alice", **more)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (line(text="hi"), "<alice> hi"),
        (line(text="hi", origin="oftc"), "<alice@oftc> hi"),
        (line("notice", text="hi"), "-alice- hi"),
        (line("action", text="waves"), "* alice waves"),
        (line("join"), "*** alice joined"),
        (line("part"), "*** alice left"),
        (line("part", text="bye"), "*** alice left (bye)"),
        (line("quit", text="bye"), "*** alice quit (bye)"),
        (line("kick", text="no spam", target="bob"), "*** alice kicked bob (no spam)"),
        (line("kick"), "*** alice kicked somebody"),
        (line("nick", target="bob"), "*** alice is now known as bob"),
        (line("topic", text="Pynfo"), "*** alice changed the topic to: Pynfo"),
        (line("topic"), "*** alice removed the topic"),
        (line("mode", text="+o bob"), "*** alice set mode +o bob"),
        (line(redacted=True), "<alice> (message removed)"),
        (line("topic", redacted=True), "*** alice changed the topic to: (message removed)"),
        (line("quit", redacted=True), "*** alice quit (message removed)"),
    ],
)
def test_text_is_readable(given: Line, text: str) -> None:
    assert as_text(given) == f"[2026-11-21 07:20:00] {text}"


def test_text_does_nothing_to_a_terminal() -> None:
    given = line(text="\x1b[2J\x02\x0304,01red\x0f\r\u202eover", target="\x07")

    assert as_text(given) == "[2026-11-21 07:20:00] <alice> [2Jredover"


def test_of_a_message_of_several_lines_each_begins_with_its_time() -> None:
    given = line(text="one\n[2026-11-21 07:20:00] <bob> I said this")

    assert as_text(given).splitlines() == [
        "[2026-11-21 07:20:00] <alice> one",
        "[2026-11-21 07:20:00] <alice> [2026-11-21 07:20:00] <bob> I said this",
    ]


def test_json_has_what_is_public_and_nothing_else() -> None:
    given = line(
        id=5,
        text="hi",
        account="alice",
        msgid="m1",
        reply_to="m0",
        identity=b"secret",
        host="~a@home.example",
    )

    assert as_dict(given) == {
        "id": 5,
        "time": "2026-11-21T07:20:00.999Z",
        "network": "libera",
        "channel": "#pynfo",
        "kind": "message",
        "nick": "alice",
        "account": "alice",
        "msgid": "m1",
        "reply_to": "m0",
        "text": "hi",
    }


def test_formatting_stays_in_json_with_the_plain_text_beside_it() -> None:
    found = json.loads(as_ndjson(line(text="\x02bold\x02 move")))

    assert (found["text"], found["plain"]) == ("\x02bold\x02 move", "bold move")


def test_a_removed_text_is_not_in_json_even_where_a_line_still_had_it() -> None:
    found = as_dict(line(text="\x02secret", redacted=True))

    assert (found["text"], found["redacted"]) == ("", True)
    assert "plain" not in found
