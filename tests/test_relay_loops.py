"""Loops with other people's relays are found, and people are left in peace."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.relay.chains import CHAINS
from plugins.relay.cores import core_of, stem_of
from plugins.relay.loops import HELD, LoopDetector
from tests.relay_world import JOINER, LINE, Wire, World, foreign

REPEATS = 5
HEAD = re.compile(r"^(?:<[^<>]*> )+")
LONG = " ".join(
    f"{word} is number {number}" for number, word in enumerate(["one", "two", "three", "four"] * 8)
)


def speaker(nick: str, text: str) -> str:
    """Who spoke, by our prefix."""
    found = re.match(r"<([^@<>]+)@", text)
    return found[1].replace(JOINER, "") if found else nick


Bring = Callable[[str, str], tuple[str, str]]
BOTS: dict[str, Bring] = {
    "as it came": lambda nick, text: ("x", text),
    "with a prefix": lambda nick, text: ("x", f"<{nick}> {text}"),
    "with nick and network": lambda nick, text: ("x", f"<{nick[:1]}{JOINER}{nick[1:]}@b> {text}"),
    "with the network in brackets": lambda nick, text: ("x", f"[b] <{nick}> {text}"),
    "with a prefix in colours": lambda nick, text: ("x", f"\x0304<\x02{nick}\x0f> \x0312{text}\x03"),
    "as an address": lambda nick, text: ("x", f"{nick}: {text}"),
    "in a form that nobody knows": lambda nick, text: ("x", f"% {nick} % {text}"),
    "with words around it": lambda nick, text: ("x", f"{nick} said {text} over there"),
    "without our prefix": lambda nick, text: ("x", HEAD.sub("", text)),
    "without our prefix, with a suffix": lambda nick, text: ("x", HEAD.sub("", text) + " [via x]"),
    "with a suffix": lambda nick, text: ("x", f"{text} [via x]"),
    "with a suffix without brackets": lambda nick, text: ("x", f"{text} via x"),
    "without our prefix, growing": lambda nick, text: ("x", HEAD.sub("", text) + " ~ x"),
    "with puppets": lambda nick, text: (f"{nick}|b", text),
    "with puppets, without our prefix": lambda nick, text: (f"{nick}|b", HEAD.sub("", text)),
    "with puppets of the speaker": lambda nick, text: (f"{speaker(nick, text)}|b", HEAD.sub("", text)),
    "with short puppets": lambda nick, text: (f"{nick}|b"[:12], text),
    "with puppets that have the network first": lambda nick, text: (f"b/{nick}", text),
    "by RELAYMSG": lambda nick, text: (f"{nick.replace('/', '_')}/b", text),
    "cut": lambda nick, text: ("x", f"<{nick}> {text}"[:LINE]),
    "cut and marked": lambda nick, text: ("x", f"<{nick}> {text}"[: LINE - 20] + "… [cut by x]"),
    "in capitals": lambda nick, text: ("x", text.upper()),
    "without what is not ASCII": lambda nick, text: ("x", text.encode("ascii", "ignore").decode()),
}
DELAYS: dict[str, Callable[[random.Random], Callable[[], float]]] = {
    "at once": lambda chance: lambda: 0.01,
    "in a second": lambda chance: lambda: chance.uniform(0.3, 1.0),
    "now and then slow": lambda chance: lambda: chance.choice([0.1, 0.2, 0.3, 1.5]),
    "slow": lambda chance: lambda: chance.uniform(2.0, 6.0),
}
TEXTS = {"short": "hi", "a smile": ":)", "a sentence": "Shall we meet at eight?", "long": LONG[:350]}


def repeats(wire: Wire, text: str) -> int:
    """How often what was said once was carried again before the wire was paused."""
    assert wire.pauses, "the loop was never found"
    start = text[:20].lower()
    return sum(time < wire.pauses[0][0] and start in line[2].lower() for time, line in wire.carried) - 1


def loop(
    bot: str, text: str, *, relaymsg: bool = False, delay: Callable[[], float] = lambda: 0.5
) -> tuple[World, Wire]:
    """A wire between a and b, a relay that brings to a what is said in b, and `text` about to be said."""
    world = World()
    wire = Wire(world, "a/#c", "b/#c", relaymsg=relaymsg)
    foreign(world, "b/#c", "a/#c", BOTS[bot], delay)
    world.say("a/#c", "alice", text)
    return world, wire


@pytest.mark.parametrize("relaymsg", [False, True], ids=["format", "relaymsg"])
@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("bot", BOTS)
@pytest.mark.parametrize("text", TEXTS)
def test_a_loop_is_paused_within_five_repeats(text: str, bot: str, delay: str, relaymsg: bool):
    world, wire = loop(bot, TEXTS[text], relaymsg=relaymsg, delay=DELAYS[delay](random.Random(1)))
    world.run()

    assert repeats(wire, TEXTS[text]) <= REPEATS


@pytest.mark.parametrize("other", BOTS)
@pytest.mark.parametrize("bot", BOTS)
def test_a_loop_of_two_relays_at_once_is_paused_as_soon(bot: str, other: str):
    world, wire = loop(bot, "hi", delay=lambda: 0.3)
    foreign(world, "b/#c", "a/#c", lambda nick, text: ("y", BOTS[other](nick, text)[1]), lambda: 0.4)
    world.run()

    assert repeats(wire, "hi") <= REPEATS


@pytest.mark.parametrize("bot", BOTS)
def test_a_loop_through_two_wires_is_paused_as_soon(bot: str):
    world = World()
    one = Wire(world, "a/#c", "b/#c")
    two = Wire(world, "c/#c", "d/#c", me="pynfo2")
    foreign(world, "b/#c", "c/#c", BOTS[bot], lambda: 0.3)
    foreign(world, "d/#c", "a/#c", BOTS[bot], lambda: 0.3)
    world.say("a/#c", "alice", "hi")
    world.run()

    assert min(repeats(wire, "hi") for wire in (one, two) if wire.pauses) <= REPEATS


@pytest.mark.parametrize("bot", BOTS)
def test_a_loop_among_three_channels_is_paused_as_soon(bot: str):
    world = World()
    wire = Wire(world, "a/#c", "b/#c", "d/#c")
    foreign(world, "b/#c", "a/#c", BOTS[bot], lambda: 0.3)
    foreign(world, "d/#c", "a/#c", BOTS[bot], lambda: 0.3)
    world.say("a/#c", "alice", "hi")
    world.run()

    assert repeats(wire, "hi") <= REPEATS


@pytest.mark.parametrize("bot", BOTS)
def test_a_loop_is_found_amid_talk_on_the_other_side_that_the_relay_brings_too(bot: str):
    world = World()
    wire = Wire(world, "a/#c", "b/#c")
    own: set = set()
    foreign(world, "b/#c", "a/#c", BOTS[bot], lambda: 0.3, own)
    foreign(world, "a/#c", "b/#c", BOTS[bot], lambda: 0.3, own)
    world.say("b/#c", "bob", "good morning")
    world.say("a/#c", "alice", "hello you", at=1.0)
    world.run()

    assert repeats(wire, "good morning") <= REPEATS


@pytest.mark.parametrize("bot", BOTS)
def test_what_a_relay_says_itself_goes_round_no_longer(bot: str):
    world = World()
    wire = Wire(world, "a/#c", "b/#c")
    foreign(world, "b/#c", "a/#c", BOTS[bot], lambda: 0.3)
    world.say("a/#c", BOTS[bot]("x", "")[0], "Welcome to the channel")
    world.run()

    assert repeats(wire, "Welcome to the channel") <= REPEATS


# -- people


def channel(*places: str, relaymsg: bool = False) -> tuple[World, Wire]:
    world = World()
    world.limit = 5_000
    return world, Wire(world, *(places or ("a/#c", "b/#c")), relaymsg=relaymsg)


def all_carried(wire: Wire) -> bool:
    """Every message that was said, once, with each speaker's in their order; and nothing was paused."""
    said = [line for _, line in wire.world.lines if line[0] in wire.places and line not in wire.own]
    carried = [line for _, line in wire.carried]
    speakers = {line[:2] for line in said}
    in_order = all(
        [line for line in carried if line[:2] == speaker] == [line for line in said if line[:2] == speaker]
        for speaker in speakers
    )
    assert (wire.pauses, wire.held, wire.dropped) == ([], [], [])
    return in_order


def test_one_who_quotes_ten_times_quickly_is_left_in_peace():
    world, wire = channel()
    world.say("a/#c", "alice", "hi")
    for number in range(10):
        world.say("b/#c", "bob", "<alice@a> hi", at=1 + number / 2)
    world.run()

    assert all_carried(wire)
    assert wire.waited < 3


def test_five_people_may_quote_the_same_line():
    world, wire = channel()
    world.say("a/#c", "alice", "hi")
    for number, nick in enumerate(["bob", "carol", "dave", "erin", "frank"]):
        world.say("b/#c", nick, "<alice@a> hi", at=2 + 2 * number)
    world.run()

    assert all_carried(wire)
    assert wire.waited == 0


@pytest.mark.parametrize("gap", [0.2, 0.5, 1, 1.5, 2.5, 4, 5.5, 6, 8, 10, 14, 16, 30])
@pytest.mark.parametrize("places", [("a/#c", "b/#c"), ("a/#c", "b/#c", "c/#c", "d/#c")])
@pytest.mark.parametrize("text", ["lol", "<alice@a> lol", "!next"])
def test_one_who_says_what_another_said_again_and_again_is_left_in_peace(
    text: str, places: tuple[str, ...], gap: float
):
    world, wire = channel(*places)
    world.say("a/#c", "alice", text)
    for number in range(30):
        world.say("b/#c", "bob", text, at=gap * (1 + number))
    world.run()

    assert all_carried(wire)
    assert wire.waited <= 13 + 3 * gap  # a test ends when they say it again


@pytest.mark.parametrize("gap", [0.3, 1, 2, 3, 6, 20])
def test_a_bot_that_says_the_same_again_and_again_is_left_in_peace(gap: float):
    world, wire = channel()
    for number in range(50):
        world.say("a/#c", "announcer", "Build failed: see the log", at=gap * number)
    world.run()

    assert all_carried(wire)


def test_two_bots_that_answer_the_same_question_are_left_in_peace():
    world, wire = channel()
    for number in range(20):
        world.say("a/#c", "alice", "!weather", at=9.0 * number)
        world.say("a/#c", "weatherbot", "It is sunny in Berlin", at=9.0 * number + 0.4)
        world.say("b/#c", "rainbot", "It is sunny in Berlin", at=9.0 * number + 0.8)
    world.run()

    assert all_carried(wire)


def test_whoever_goes_on_talking_is_not_kept_waiting():
    world, wire = channel()
    world.say("a/#c", "alice", "lol")
    for at in (8, 16, 24):
        world.say("b/#c", "bob", "lol", at=at)
    world.say("b/#c", "bob", "but tell me, how did you do it?", at=40)
    world.run()

    assert all_carried(wire)
    assert wire.waited < 20


@pytest.mark.parametrize("seed", range(300))
def test_whatever_people_repeat_is_carried_and_nothing_is_ever_paused(seed: int):
    """Crowds that say little else than "lol" and "yes", and quote one another, each in their own rhythm."""
    chance = random.Random(seed)
    world, wire = channel(*["a/#c", "b/#c", "d/#c"][: chance.choice([2, 3])], relaymsg=chance.random() < 0.3)
    words = chance.choice([["lol"], ["lol", "yes", "+1"], ["!roll", "<bob@a> !roll", "ok", "ok then"]])
    for nick in ["alice", "bob", "carol", "dave", "erin"][: chance.randint(2, 5)]:
        place, pace, at = chance.choice(wire.places), chance.choice([0.5, 2, 5, 10, 30]), 0.0
        for _ in range(chance.randint(5, 40)):
            at += chance.choice([chance.expovariate(1 / pace), chance.uniform(0, 2 * pace), pace])
            world.say(place, nick, chance.choice(words), at=at)
    world.run()

    assert all_carried(wire)


# -- what becomes of it


class Caller:
    """The relay in little, without any bot: what a detector told it."""

    def __init__(self) -> None:
        self.world = World()
        self.released: list[str] = []
        self.dropped: list[str] = []
        self.pauses: list[float] = []
        self.detector = LoopDetector[str](
            self.released.append,
            self.dropped.append,
            lambda seconds, place, nick: self.pauses.append(seconds),
            self.world.call_later,
        )

    def nest(self, text: str, now: float) -> str:
        """A text that comes back three times, each time with one more head before it."""
        self.detector.heard("first", "a/#c", "alice", text, now)
        for depth in range(1, 4):
            self.detector.said(text, now + depth)
            verdict = self.detector.heard("again", "a/#c", "x", "<x> " * depth + text, now + depth + 0.5)
        return verdict


def test_a_pause_is_twice_as_long_each_time_and_an_hour_at_most():
    caller = Caller()
    now = 0.0
    for number in range(9):
        assert caller.nest(f"text {number}", now) == "drop"
        now += caller.pauses[-1] + 3000

    assert caller.pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_after_an_hour_of_quiet_a_pause_is_short_again():
    caller = Caller()
    caller.nest("one", 0.0)
    caller.nest("two", 3.0 + 60 + 3600)

    assert caller.pauses == [60, 60]


def test_what_the_relay_still_brings_in_a_pause_is_dropped_and_people_are_heard():
    caller = Caller()
    caller.nest("one", 0.0)
    caller.detector.said("two", 3.6)

    assert caller.detector.heard("on its way", "a/#c", "x", "<x> two", 4.0) == "drop"
    assert caller.detector.heard("bob's", "a/#c", "bob", "two", 5.0) == "carry"
    assert caller.detector.heard("later", "a/#c", "x", "<x> two", 64.0) == "carry"
    assert caller.pauses == [60]


def test_what_is_held_back_is_released_when_the_relay_ends():
    caller = Caller()
    caller.detector.heard("first", "a/#c", "alice", "hi", 0.0)
    for number in range(1, 4):
        caller.detector.said("hi", float(number))
        verdict = caller.detector.heard(f"again {number}", "a/#c", "x", "hi", number + 0.5)
    assert verdict == "hold"
    caller.detector.close()

    assert caller.released == ["again 3"]
    caller.world.run()
    assert caller.released == ["again 3"]


def test_what_is_remembered_and_held_back_is_bounded():
    caller = Caller()
    for number in range(3 * CHAINS):
        caller.detector.heard("m", "a/#c", "alice", f"text {number}", 0.0)
    assert len(caller.detector._chains) == CHAINS

    caller.detector.heard("first", "a/#c", "alice", "hi", 0.0)
    for number in range(1, 4):
        caller.detector.said("hi", float(number))
        caller.detector.heard("m", "a/#c", "x", "hi", number + 0.5)
    verdicts = [caller.detector.heard("m", "a/#c", "x", "hi", 3.6) for _ in range(2 * HELD)]

    assert verdicts.count("hold") == HELD - 1


# -- cores


@pytest.mark.parametrize(
    "text",
    [
        "Hello there",
        "<alice> hello there",
        f"<a{JOINER}lice@libera> hello there",
        "\x0304<\x02alice\x02>\x03 hello there",
        "[libera] <alice> hello  there",
        "[14:02] <pynfo@a> <alice@b> hello there",
        "* alice hello there",
        "alice: hello there",
        "hello there [via x]",
        "(libera) hello there (from a) [b]",
    ],
)
def test_all_that_relays_make_of_a_text_has_one_core(text: str):
    assert core_of(text).words == " hello there "


@pytest.mark.parametrize(
    ("text", "depth"),
    [("hi", 0), ("bob: hi", 0), ("<x> hi", 1), ("[b] <x@y> <z> hi", 3), ("<x> " * 60 + "hi", 40)],
)
def test_the_depth_is_how_many_heads_there_are(text: str, depth: int):
    assert core_of(text).depth == depth


@pytest.mark.parametrize(
    "nick", ["alice", "Alice|b", "alice/b", "alice[b]", "alice_", f"a{JOINER}lice@b", "_alice"]
)
def test_a_person_and_their_puppets_share_a_stem(nick: str):
    assert stem_of(nick) == "alice"


@pytest.mark.parametrize("nick", ["", "|", "___"])
def test_a_nick_of_separators_alone_is_its_own_stem(nick: str):
    assert stem_of(nick) == nick


@given(st.text())
def test_no_text_is_too_strange_for_a_core(text: str):
    core = core_of(text)
    assert core.words == core_of(text).words
    assert core.words.startswith(" ")
    assert core.words.endswith(" ")
