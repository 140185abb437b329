"""How a person looks on the other side of a wire: nobody can look like anybody else, or like the bot."""

import re
from calendar import timegm
from unicodedata import category, normalize

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from plugins.logs.relayed import spoken
from plugins.relay.appearance import (
    JOINER,
    answer_mark,
    frame,
    late_mark,
    parse,
    pieces,
    relaymsg_nick,
    said,
    shown_nick,
)
from plugins.relay.formats import mistakable, read
from plugins.relay.settings import Settings, WireSettings
from plugins.relay.utterance import Utterance
from plugins.relay.wires import wires_of
from pynfo.irc.formatting import PLAIN, clean, plain, style_after
from pynfo.irc.formatting import parse as runs_of

NETWORKS = ("libera", "oftc", "oftc-x", "a", "a-x", "14", "local.net")
ROOM = 400


def port_of(**choices):
    settings = Settings([WireSettings(name="dev", ports=["libera/#there", "oftc/#here"], **choices)])
    return wires_of(settings)[0].ports[1]


PORT = port_of()


def by(nick="alice", text="hi", kind="message", place="libera/#there", **more):
    return Utterance(kind=kind, place=place, time=0, nick=nick, text=text, **more)


def seen(text):
    return text.replace(JOINER, "")


def styled(text):
    """Every character but spaces, with its style."""
    return [
        (character, msgspec.structs.replace(run, text=""))
        for run in runs_of(text)
        for character in run.text
        if not character.isspace()
    ]


# --- what people may send, and what the config allows

CODES = [
    "\x02",
    "\x03",
    "\x034",
    "\x0304",
    "\x0304,05",
    "\x0399",
    "\x04ff8800",
    "\x04ff",
    "\x0f",
    "\x16",
    "\x1d",
]
BITS = [
    "<alice@libera> ",
    "(relay) ",
    "(libera) ",
    "* alice@libera ",
    "-alice@libera- ",
    "[14:02] ",
    "alice",
    "> ",
]
BITS += [
    "[20 Nov 23:58] ",
    "alice: ",
    "libera",
    "@",
    "\r",
    "\x00",
    "\x01",
    "\t",
    "\u2028",
    "\u202e",
    JOINER,
    "\ud800",
]
LETTERS = [*"ab 1,zé漢😀[]<>()*@:|-_/.", "e\u0301", "\u0338", "👩‍👩‍👧"]
PIECES = st.sampled_from([*CODES, *BITS, *LETTERS])
TEXTS = st.lists(st.one_of(PIECES, PIECES, st.just("\n"), st.text(max_size=4)), max_size=120).map("".join)
HOSTILE_NICKS = st.lists(st.one_of(PIECES, st.characters()), min_size=1, max_size=20).map("".join)
NICKS = st.one_of(
    st.from_regex(r"[a-z\[\]\\`_^{|}][a-z0-9\[\]\\`_^{|}-]{0,15}", fullmatch=True), HOSTILE_NICKS
)
KINDS = st.sampled_from(["message", "action", "notice"])
LATE = st.sampled_from(["", "", "[14:02] ", "[20 Nov 23:58] "])
PREFIXES = st.sampled_from(["", "@", "+", "~", "<@"])
ROOMS = st.integers(300, 450)

SIGNS = st.lists(st.sampled_from([*" <>[]@:-*|/!,x1", "{{", "}}", "→ ", *CODES]), max_size=3).map("".join)
ENDS = st.sampled_from([*" >]@:-|/,.!→", "- ", "\x03 ", "\x02: ", "", "x"])
USUAL = ["<{nick}@{network}> {text}", "* {nick}@{network} {text}", "-{nick}@{network}- {text}"]


@st.composite
def formats(draw):
    """What passes for a format, with names in any order."""
    names = draw(st.permutations(["{nick}", "{network}", "{channel}"]))
    names = [name for name in names if name == "{nick}" or draw(st.booleans())]
    names = ["{prefix}{nick}" if name == "{nick}" and draw(st.booleans()) else name for name in names]
    text = "".join(draw(SIGNS) + name + draw(ENDS) for name in names) + draw(SIGNS) + "{text}" + draw(SIGNS)
    try:
        read(text)
    except ValueError:
        return draw(
            st.sampled_from(["{nick}: {text}", "[{network}] <{prefix}{nick}> {text}", "{nick} {text} |1"])
        )
    return text


@st.composite
def ports(draw):
    """A port with formats that `pynfo check` finds nothing wrong with."""
    chosen = [draw(st.one_of(st.just(format), formats())) for format in USUAL]
    for index in (1, 2):
        if any(mistakable(read(format), read(chosen[index])) for format in chosen[:index]):
            chosen[index] = chosen[0]
    return port_of(
        format=chosen[0],
        action_format=chosen[1],
        notice_format=chosen[2],
        colours=draw(st.booleans()),
        formatting=draw(st.sampled_from(["keep", "strip"])),
    )


@st.composite
def utterances(draw):
    place = (
        draw(st.sampled_from(NETWORKS))
        + "/"
        + draw(st.sampled_from(["#there", "#a>b:c]@", "&x|" + "y" * 60]))
    )
    text = draw(TEXTS) * draw(st.sampled_from([1, 1, 9]))
    return by(draw(NICKS), text, draw(KINDS), place, prefix=draw(PREFIXES))


def format_of(utterance, port):
    return {"message": port.format, "action": port.action_format, "notice": port.notice_format}[
        utterance.kind
    ]


# --- every piece of what anybody says, in any format


@given(ports(), utterances(), LATE, ROOMS, st.booleans())
def test_every_piece_is_read_back_as_the_words_of_who_said_it(port, utterance, late, room, joiner):
    for piece in pieces(utterance, port, room, late=late, joiner=joiner):
        nick, network, _ = parse(piece, port, NETWORKS)
        whole = shown_nick(utterance.nick, joiner=False)
        assert nick == whole or (nick.endswith("…") and whole.startswith(nick[:-1]))
        assert network == (utterance.network if "{network}" in format_of(utterance, port) else "")


@given(ports(), utterances(), LATE, ROOMS)
def test_no_piece_begins_as_what_somebody_else_says(port, utterance, late, room):
    others = [by("alice", kind=kind, place=f"{network}/#there") for kind in ("message", "action", "notice")
              for network in NETWORKS]  # fmt: skip
    assume(shown_nick(utterance.nick, joiner=False) != "alice")
    frames = [seen(plain(late + frame(other, port)[0])) for other in others for late in ("", "[14:02] ")]
    for piece in pieces(utterance, port, room, late=late):
        assert not any(seen(plain(piece)).startswith(begin) for begin in frames)


@given(ports(), utterances(), LATE, ROOMS)
def test_no_piece_begins_as_the_words_of_the_bot(port, utterance, late, room):
    for piece in pieces(utterance, port, room, late=late):
        assert piece.startswith(late)
        rest = normalize("NFKC", seen(plain(piece.removeprefix(late)))).lstrip()
        assert not rest.startswith("(")
        assert not re.match(r"\[[0-9A-Za-z ]*[0-9]+:[0-9]+\]", rest)


@given(ports(), utterances(), LATE, ROOMS)
def test_no_piece_is_longer_than_the_room_or_has_a_control_character(port, utterance, late, room):
    for piece in pieces(utterance, port, room, late=late):
        assert len(piece.encode()) <= room
        assert clean(piece) == piece


@given(ports(), utterances(), LATE, ROOMS)
def test_nothing_of_the_text_is_lost_nor_its_formatting(port, utterance, late, room):
    port = msgspec.structs.replace(port, action_format=port.format, notice_format=port.format)
    kept = "\x0f\n".join(map(clean, utterance.text.split("\n")))
    kept = plain(kept) if port.formatting == "strip" else kept
    found = [parse(piece, port, NETWORKS)[2] for piece in pieces(utterance, port, room, late=late)]
    assert styled("\x0f".join(found)) == styled(kept)


@given(ports(), utterances(), LATE)
@example(port_of(format="<{nick}> {text} 5 |"), by(text="red \x03"), "")
@example(port_of(format="<{nick}>\x03{text}"), by(text="5 apples"), "")
def test_formatting_in_the_text_stays_in_the_text(port, utterance, late):
    utterance = msgspec.structs.replace(utterance, nick="bob")
    before, after = frame(utterance, port, late=late)
    assert style_after(before) == PLAIN
    for piece in pieces(utterance, port, 450, late=late):
        assert piece.startswith(before)
        assert styled(piece)[: len(styled(before))] == styled(before)
        assert styled(piece)[len(styled(piece)) - len(styled(after)) :] == styled(after)


@given(HOSTILE_NICKS)
def test_a_shown_nick_is_one_word_that_is_seen_and_has_no_sign_of_a_frame(nick):
    shown = shown_nick(nick, joiner=False)
    assert 1 <= len(shown) <= 64
    assert not set(normalize("NFKC", shown)) & set('<>()*@:,~&%+!" ')
    assert all(category(character)[0] not in "CZ" for character in shown)
    assert category(shown[0])[0] != "M"


@pytest.mark.parametrize(
    ("nick", "shown"),
    [
        ("[alice]", "[alice]"),
        ("alice|away", "alice|away"),
        ("zoë", "zoë"),
        ("алиса", "алиса"),
        ("a<b", "a\ufffdb"),
        ("al\u200bice", "al\ufffdice"),  # not the same as "alice"
        ("al\u00adice", "al\ufffdice"),
        ("alice\uff20libera", "alice\ufffdlibera"),
        ("\u0338alice", "\ufffdalice"),  # would strike out the sign before it
        ("a\u3164", "a\ufffd"),
        ("", "\ufffd"),
        ("x" * 70, "x" * 63 + "…"),
    ],
)
def test_a_nick_is_shown_as_it_is_but_for_what_could_deceive(nick, shown):
    assert shown_nick(nick, joiner=False) == shown


# --- frames


def test_shows_who_said_it_where_with_a_joiner_in_the_nick():
    assert pieces(by(), PORT, ROOM) == ["<a⁠lice@libera> hi"]
    assert pieces(by(kind="action", text="waves"), PORT, ROOM) == ["* a⁠lice@libera waves"]
    assert pieces(by(kind="notice"), PORT, ROOM) == ["-a⁠lice@libera- hi"]


def test_the_joiner_comes_after_what_is_seen_as_the_first_character():
    assert shown_nick("e\u0301ve") == f"e\u0301{JOINER}ve"
    assert shown_nick("🇩🇪x") == f"🇩🇪{JOINER}x"
    assert shown_nick("a") == f"a{JOINER}"


def test_what_is_late_says_first_when_it_was_said():
    assert pieces(by(), PORT, ROOM, late="[14:02] ") == ["[14:02] <a⁠lice@libera> hi"]


def test_shows_the_prefix_and_the_channel_where_the_format_asks_for_them():
    port = port_of(format="{channel} <{prefix}{nick}> {text}")
    assert pieces(by(prefix="@"), port, ROOM) == ["#there <@a⁠lice> hi"]


def test_a_sign_that_ends_the_nick_is_not_in_it():
    port = port_of(format="{nick}|{network}: {text}")
    [piece] = pieces(by("alice|away"), port, ROOM)
    assert seen(piece) == "alice\uff5caway|libera: hi"
    assert parse(piece, port, NETWORKS) == ("alice|away", "libera", "hi")


def test_a_nick_at_the_beginning_does_not_begin_like_a_time_or_another_format():
    port = port_of(format="{nick} {text}")
    [piece] = pieces(by("[20", "Nov 23:58] alice hi"), port, ROOM)
    assert seen(piece) == "\uff3b20 Nov 23:58] alice hi"


def test_a_colour_is_the_same_for_a_nick_and_ends_with_it():
    port = port_of(colours=True)
    [first], [second] = (pieces(by(nick), port, ROOM) for nick in ("alice", "Alice"))
    assert re.match(r"<\x03([0-9]{2})a\u2060lice\x03@libera> ", first)
    assert first[:4] == second[:4]
    assert pieces(by("bob"), port, ROOM)[0][:4] != first[:4]


def test_formatting_is_stripped_where_the_config_says_so():
    assert pieces(by(text="\x02bold\x02"), port_of(formatting="strip"), ROOM) == ["<a⁠lice@libera> bold"]
    assert pieces(by(text="\x02bold\x02"), PORT, ROOM) == ["<a⁠lice@libera> \x02bold\x02"]


def test_every_line_of_a_paste_has_its_frame_and_empty_ones_are_left_out():
    assert pieces(by(text="one\r\n\n \n\x02\x02\ntwo"), PORT, ROOM) == [
        "<a⁠lice@libera> one",
        "<a⁠lice@libera> two",
    ]
    assert pieces(by(text=""), PORT, ROOM) == []
    assert pieces(by(text=" \x02"), PORT, ROOM, opening=answer_mark("bob")) == []


def test_says_another_text_in_place_of_the_utterances():
    assert pieces(by(), PORT, ROOM, text="hello") == ["<a⁠lice@libera> hello"]


def test_an_answer_says_whom_it_answers_once():
    mark = answer_mark("bob")
    assert pieces(by(text="yes\nno"), PORT, ROOM, opening=mark) == [
        f"<a⁠lice@libera> ↪ b{JOINER}ob: yes",
        "<a⁠lice@libera> no",
    ]
    assert answer_mark("bob", joiner=False) == "↪ bob: "
    assert answer_mark("b: ob", joiner=False) == "↪ b\ufffd\ufffdob: "


def test_a_long_text_fills_its_pieces_with_all_that_stands_around_it():
    port = port_of(format="<{nick}> {text} |")
    texts = pieces(by(text="\x02" + "x" * 1000), port, ROOM, late="[14:02] ")
    assert [len(text.encode()) for text in texts[:-1]] == [ROOM, ROOM]
    assert all(text.startswith(f"[14:02] <a{JOINER}lice> ") and text.endswith("\x0f |") for text in texts)


def test_a_long_nick_leaves_room_for_the_text():
    [piece] = pieces(by("漢" * 64), PORT, 200)
    assert piece.endswith("…@libera> hi")
    rest = "-" * 67
    port = port_of(format="{network} {channel} {nick} " + rest + "{text}", colours=True)
    assert pieces(by("😀" * 64, place="x" * 50 + "/#" + "漢" * 60), port, 300, late="[20 Nov 23:58] ")
    with pytest.raises(ValueError, match="100 bytes are too few"):
        pieces(by(), port_of(format="<{nick}> " + "-" * 60 + "{text}"), 100)


# --- the way back


@given(st.from_regex(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]{0,20}", fullmatch=True), st.booleans())
def test_a_log_reads_what_the_bot_says_as_the_persons(nick, colours):
    port = port_of(colours=colours)
    for kind in ("message", "action"):
        [piece] = pieces(by(nick, "it \x02works\x02", kind), port, ROOM)
        found = spoken(piece)
        assert (found.nick, found.origin, found.action) == (nick, "libera", kind == "action")
        assert styled(found.text) == styled("it \x02works\x02")


def test_reads_lines_whose_formatting_the_network_took_away():
    port = port_of(format="\x02<{nick}@{network}>\x02 {text} \x02|", colours=True)
    [piece] = pieces(by(text="\x0304red"), port, ROOM)
    assert parse(plain(piece), port, NETWORKS) == ("alice", "libera", "red")
    assert styled(parse(piece, port, NETWORKS)[2]) == styled("\x0304red")


@pytest.mark.parametrize(
    "text", ["hi", "(libera) alice joined", "<alice@nowhere> hi", "<alice> hi", "x<alice@libera> hi"]
)
def test_what_nobodys_frame_is_before_is_nobodys(text):
    assert parse(text, PORT, NETWORKS) is None


def test_an_action_is_not_read_as_a_message_of_a_nick_that_is_a_sign():
    port = port_of(format="{prefix}{nick} {text}")
    [piece] = pieces(by("bob", "waves", "action"), port, ROOM)
    assert parse(piece, port, NETWORKS) == ("bob", "libera", "waves")
    port = port_of(format="{prefix}{nick} says: {text}", notice_format="-{nick}- {text}")
    assert parse("-bob- says: hi", port, NETWORKS) == ("bob", "", "says: hi")


def test_a_format_that_goes_on_as_another_begins_is_read_whole():
    port = port_of(format="<{nick}> {text}", action_format="<{nick}> * {text}")
    assert parse("<bob> * waves", port, NETWORKS) == ("bob", "", "waves")


# --- the bot's own words


def test_tells_what_happened_and_what_somebody_did():
    assert said(by("", "alice, bob joined", "event"), PORT) == "(libera) alice, bob joined"
    assert said(by("", "4 messages were lost", "told"), PORT) == "(relay) 4 messages were lost"
    assert (
        seen(said(by(text="👍", kind="reaction", about_nick="bob"), PORT))
        == "(libera) alice reacted with 👍 to bob"
    )
    assert seen(said(by(text="👍", kind="reaction"), PORT)) == "(libera) alice reacted with 👍"
    assert seen(said(by(kind="redaction", about_nick="alice"), PORT)) == "(libera) alice removed a message"
    assert (
        seen(said(by(kind="redaction", about_nick="bob"), PORT)) == "(libera) alice removed a message of bob"
    )
    assert JOINER in said(by(kind="redaction"), PORT)


def test_what_is_late_says_so_in_the_bots_words_too():
    assert said(by("", "alice joined", "event"), PORT, late="[14:02] ") == "[14:02] (libera) alice joined"


@given(HOSTILE_NICKS, TEXTS, st.sampled_from(["event", "told", "reaction", "redaction"]))
def test_the_bots_words_are_one_line_without_formatting(nick, text, kind):
    line = said(by(nick, text, kind, about_nick=nick), PORT)
    assert len(line.encode()) <= 400
    assert plain(clean(line)) == line
    assert not line or line.startswith("(relay) " if kind == "told" else "(libera) ")


def test_a_reaction_of_nothing_is_not_told_and_a_long_one_is_cut():
    assert said(by(text="\x02\n", kind="reaction"), PORT) == ""
    assert "x" * 39 + "…" in said(by(text="x" * 300, kind="reaction"), PORT)
    assert said(by("", "word " * 200, "event"), PORT).endswith("word…")


# --- times and RELAYMSG

NOW = timegm((2026, 11, 21, 15, 0, 0))


@pytest.mark.parametrize(
    ("seconds", "mark"),
    [
        (59, ""),
        (-5, ""),
        (60, "[14:59] "),
        (58 * 60, "[14:02] "),
        (15 * 3600 + 120, "[20 Nov 23:58] "),
        (20 * 86400, "[1 Nov 15:00] "),
    ],
)
def test_says_when_it_was_said_where_that_is_a_while_ago(seconds, mark):
    assert late_mark(NOW - seconds, NOW) == mark
    assert (parse(mark + "<alice@libera> hi", PORT, NETWORKS)) == ("alice", "libera", "hi")


def test_a_relaymsg_nick_tells_person_and_network():
    assert relaymsg_nick("alice", "libera", "/", 30) == "alice/libera"
    assert relaymsg_nick("alice", "libera", "|/", 30) == "alice|libera"
    assert relaymsg_nick("alice", "libera", "", 30) == "alice/libera"


@pytest.mark.parametrize(
    ("nick", "other"), [("a.b", "a_b"), ("alice12345678", "alice"), ("alice|x", "alice_x")]
)
def test_a_relaymsg_nick_that_had_to_be_changed_is_nobody_elses(nick, other):
    changed = relaymsg_nick(nick, "libera", "|", 16)
    assert changed != relaymsg_nick(other, "libera", "|", 16)
    assert re.search(r"~[0-9a-f]{4}\|libera\Z", changed)


@given(HOSTILE_NICKS, st.sampled_from(NETWORKS), st.sampled_from(["/", "|/", "", "+"]), st.integers(9, 40))
def test_a_relaymsg_nick_is_what_servers_take(nick, network, separators, limit):
    found = relaymsg_nick(nick, network, separators, limit)
    separator = (separators or "/")[0]
    assert len(found.encode()) <= limit
    assert found.count(separator) == 1
    assert not set(found.replace(separator, "")) & set("!+%@&#$:'\"?*,. ")
    assert found.isprintable()
