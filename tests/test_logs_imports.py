"""Old logs of other programs: what their lines become. `tests/logs/` has a file of each format."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.logs.exports import as_ndjson
from plugins.logs.imports.formats import FORMATS, recognise
from plugins.logs.line import KINDS, Line
from tests.log_files import HERE, LOGS, NOW, read, read_batches, write


def test_irssi() -> None:
    lines, outcome = read(LOGS / "irssi/libera/#pynfo.log")

    assert (outcome.format, outcome.places, outcome.unread) == ("irssi", {"libera/#pynfo"}, 0)
    assert lines == [
        "[2026-11-20 23:58:00] *** alice joined",
        "[2026-11-20 23:58:00] <carol> does anybody know why the tests fail?",
        "[2026-11-20 23:59:00] <alice> no idea",
        "[2026-11-20 23:59:00] * alice looks",
        "[2026-11-21 00:01:00] *** bob joined",
        "[2026-11-21 00:01:00] <bob> they pass here",
        "[2026-11-21 00:02:00] -carol- lunch in ten minutes",
        "[2026-11-21 00:03:00] *** carol set mode +ov bob alice",
        "[2026-11-21 00:03:00] *** carol set mode +b *!*@…",
        "[2026-11-21 00:04:00] *** carol changed the topic to: Pynfo | tests pass",
        "[2026-11-21 00:05:00] *** bob is now known as robert",
        "[2026-11-21 00:06:00] *** carol kicked spammer (no spam)",
        "[2026-11-21 00:07:00] *** robert left (bye)",
        "[2026-11-21 00:08:00] *** dave quit (one.example two.example)",
        "[2026-11-21 00:08:00] *** erin quit (one.example two.example)",
        "[2026-11-21 00:09:00] *** dave joined",
        "[2026-11-21 00:10:00] *** alice quit (Ping timeout: 240 seconds)",
    ]


def test_weechat() -> None:
    lines, outcome = read(LOGS / "weechat/irc.libera.#pynfo.weechatlog")

    assert (outcome.format, outcome.places, outcome.unread) == ("weechat", {"libera/#pynfo"}, 0)
    assert lines == [
        "[2026-11-21 10:00:00] *** alice joined",
        "[2026-11-21 10:02:03] <carol> does anybody know why the tests fail?",
        "[2026-11-21 10:02:04] <alice> a tab stands here",
        "[2026-11-21 10:02:05] * alice looks",
        "[2026-11-21 10:02:06] -carol- lunch in ten minutes",
        "[2026-11-21 10:03:00] *** carol set mode +ov bob alice",
        '[2026-11-21 10:04:00] *** carol changed the topic to: Pynfo | "tests" pass',
        "[2026-11-21 10:04:01] *** carol removed the topic",
        "[2026-11-21 10:05:00] *** bob is now known as robert",
        "[2026-11-21 10:06:00] *** carol kicked spammer (no spam)",
        "[2026-11-21 10:07:00] *** robert left (bye)",
        "[2026-11-21 10:08:00] *** alice quit (Ping timeout: 240 seconds)",
    ]


def test_znc() -> None:
    lines, outcome = read(LOGS / "znc/users/alice/networks/libera/moddata/log/#pynfo/2026-11-21.log")

    assert (outcome.format, outcome.places, outcome.unread) == ("znc", {"libera/#pynfo"}, 0)
    assert lines == [
        "[2026-11-21 00:01:00] *** bob joined",
        "[2026-11-21 10:02:03] <carol> does anybody know why the tests fail?",
        "[2026-11-21 10:02:05] * alice looks",
        "[2026-11-21 10:02:06] -carol- lunch in ten minutes",
        "[2026-11-21 10:03:00] *** carol set mode +ov bob alice",
        "[2026-11-21 10:03:01] *** carol set mode -b *!*@…",
        "[2026-11-21 10:04:00] *** carol changed the topic to: Pynfo | it's fine",
        "[2026-11-21 10:05:00] *** bob is now known as robert",
        "[2026-11-21 10:06:00] *** carol kicked spammer (no spam)",
        "[2026-11-21 10:07:00] *** robert left",
        "[2026-11-21 23:59:59] *** alice quit (Quit: (o: bye)",
    ]


def test_hexchat_goes_on_over_new_year() -> None:
    lines, outcome = read(LOGS / "hexchat/libera/#pynfo.log")

    assert (outcome.format, outcome.places, outcome.unread) == ("hexchat", {"libera/#pynfo"}, 0)
    assert lines == [
        "[2025-12-31 23:58:30] *** bob joined",
        "[2025-12-31 23:59:59] <carol> happy new year, soon",
        "[2026-01-01 00:00:01] * alice waves",
        "[2026-01-01 00:00:02] -carol- lunch in ten minutes",
        "[2026-01-01 00:01:00] *** carol set mode +o bob",
        "[2026-01-01 00:01:01] *** carol set mode -v alice",
        "[2026-01-01 00:01:02] *** carol set mode +b *!*@…",
        "[2026-01-01 00:01:03] *** carol set mode +im",
        "[2026-01-01 00:01:04] *** carol set mode +l 20",
        "[2026-01-01 00:02:00] *** carol changed the topic to: Pynfo | 2026",
        "[2026-01-01 00:03:00] *** bob is now known as robert",
        "[2026-01-01 00:04:00] *** carol kicked spammer (no spam)",
        "[2026-01-01 00:05:00] *** robert left (bye)",
        "[2026-01-01 00:06:00] *** alice quit (Ping timeout: 240 seconds)",
    ]


def test_limnoria() -> None:
    lines, outcome = read(LOGS / "ChannelLogger/libera/#pynfo/#pynfo.2026-11-21.log")

    assert (outcome.format, outcome.places, outcome.unread) == ("limnoria", {"libera/#pynfo"}, 0)
    assert lines == [
        "[2026-11-21 00:01:00] *** bob joined",
        "[2026-11-21 10:02:03] <carol> does anybody know why the tests fail?",
        "[2026-11-21 10:02:05] * alice looks",
        "[2026-11-21 10:02:06] -carol- lunch in ten minutes",
        "[2026-11-21 10:03:00] *** carol set mode +ov bob alice",
        '[2026-11-21 10:04:00] *** carol changed the topic to: Pynfo | "tests" pass',
        "[2026-11-21 10:05:00] *** bob is now known as robert",
        "[2026-11-21 10:06:00] *** carol kicked spammer (no spam)",
        "[2026-11-21 10:07:00] *** robert left (bye)",
        "[2026-11-21 10:08:00] *** alice quit (Ping timeout: 240 seconds)",
    ]


def test_energymech() -> None:
    lines, outcome = read(LOGS / "energymech/pynfo_20261121.log", **HERE)

    assert outcome.unread == 0
    assert lines == [
        "[2026-11-21 00:01:00] *** bob joined",
        "[2026-11-21 10:02:03] <carol> does anybody know why the tests fail?",
        "[2026-11-21 10:02:05] * alice looks",
        "[2026-11-21 10:03:00] *** carol set mode +o bob",
        "[2026-11-21 10:04:00] *** carol changed the topic to: Pynfo",
        "[2026-11-21 10:05:00] *** bob is now known as robert",
        "[2026-11-21 10:06:00] *** carol kicked spammer (no spam)",
        "[2026-11-21 10:07:00] *** robert left (bye)",
        "[2026-11-21 10:08:00] *** alice quit (Ping timeout)",
    ]


def test_eggdrop_with_its_days_and_what_was_repeated() -> None:
    lines, outcome = read(LOGS / "eggdrop/pynfo.log.20Nov2026", **HERE)

    assert (outcome.format, outcome.unread) == ("energymech", 0)
    assert lines == [
        "[2026-11-20 23:58:00] *** bob joined",
        "[2026-11-20 23:59:00] <carol> does anybody know why the tests fail?",
        "[2026-11-20 23:59:00] <alice> no",
        "[2026-11-20 23:59:00] <alice> no",
        "[2026-11-20 23:59:00] <alice> no",
        "[2026-11-21 00:01:00] * alice looks",
        "[2026-11-21 00:02:00] -carol- lunch in ten minutes",
        "[2026-11-21 00:03:00] *** carol set mode +o bob",
        "[2026-11-21 00:04:00] *** carol changed the topic to: Pynfo | tests pass",
        "[2026-11-21 00:05:00] *** bob is now known as robert",
        "[2026-11-21 00:06:00] *** carol kicked spammer (no spam)",
        "[2026-11-21 00:07:00] *** robert left (bye)",
        "[2026-11-21 00:08:00] *** alice quit (Ping timeout: 240 seconds)",
    ]


@pytest.mark.parametrize(
    "stamp", ["10:02:03", "[10:02:03]", "2026-11-21 10:02:03", "2026-11-21T10:02:03+0000", "[10:02:03.5]"]
)
def test_irssi_with_other_stamps(tmp_path: Path, stamp: str) -> None:
    log = write(
        tmp_path / "any.log",
        "--- Log opened Sat Nov 21 00:00:00 2026",
        f"{stamp} < alice> hi",
        f"{stamp}  * bob up",
    )

    lines, outcome = read(log, **HERE)

    assert outcome.format == "irssi"
    assert lines == ["[2026-11-21 10:02:03] <alice> hi", "[2026-11-21 10:02:03] * bob up"]


def test_text_keeps_its_colours_and_loses_no_brackets(tmp_path: Path) -> None:
    log = write(tmp_path / "2026-11-21.log", "[10:02:03] <alice> \x02\x0304<b>\x0f> * -x- ")

    batches, _ = read_batches(log, **HERE)

    assert batches[0][0].text == "\x02\x0304<b>\x0f> * -x- "


line = st.builds(
    Line,
    network=st.just("libera"),
    channel=st.just("#pynfo"),
    time=st.integers(0, int(NOW * 1000)).map(lambda milliseconds: milliseconds / 1000),
    kind=st.sampled_from(KINDS).filter(lambda kind: kind != "mode"),
    nick=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20),
    account=st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
    text=st.text(st.characters(codec="utf-8", exclude_characters="\0")).map(lambda text: f"x{text}"),
    target=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    msgid=st.none() | st.text(st.characters(codec="ascii"), min_size=1, max_size=20),
    reply_to=st.none() | st.text(st.characters(codec="ascii"), min_size=1, max_size=20),
    origin=st.none() | st.text(st.characters(codec="ascii"), min_size=1, max_size=20),
    redacted=st.booleans(),
    identity=st.binary(),
    host=st.text(max_size=5),
)


@given(st.lists(line, min_size=1, max_size=5))
def test_what_is_exported_is_imported_again_without_hosts(
    tmp_path_factory: pytest.TempPathFactory, lines: list[Line]
) -> None:
    log = tmp_path_factory.mktemp("export") / "any"
    log.write_bytes(b"".join(map(as_ndjson, lines)))

    batches, outcome = read_batches(log, format="ndjson")

    assert outcome.unread == 0
    assert [line for batch in batches for line in batch] == [
        msgspec.structs.replace(
            line, text="" if line.redacted else line.text, fetched=True, identity=b"", host=""
        )
        for line in lines
    ]


BEGINNINGS = [
    b"[10:02:03] <",
    b"10:02 -!- ",
    b"{",
    b"--- ",
    b"[10:02:03] *** a",
    b"2026-11-21 10:02:03\t--\t",
]


@pytest.mark.parametrize("format", FORMATS)
@given(data=st.lists(st.binary(max_size=60) | st.sampled_from(BEGINNINGS)))
def test_nothing_in_a_file_ends_the_reading(
    tmp_path_factory: pytest.TempPathFactory, format: str, data: list[bytes]
) -> None:
    log = tmp_path_factory.mktemp("hostile") / "2026-11-21.log"
    log.write_bytes(b"\n".join([b"first line", *data]))

    _, outcome = read(log, format=format, **HERE)

    assert outcome.unread >= 1
    assert not outcome.broken


def test_a_file_of_no_known_format_is_refused(tmp_path: Path) -> None:
    _, outcome = read(write(tmp_path / "#pynfo.log", "Dear diary,", "today I wrote no tests."), **HERE)

    assert "--format" in outcome.refused
    assert recognise([], "any") is None
