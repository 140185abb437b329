"""Wires made of settings: what holds at each port, and which wires cannot be."""

import logging
from pathlib import Path

import pytest

from plugins.relay.settings import Settings
from plugins.relay.wires import check, wires_of
from pynfo.config import Config
from pynfo.irc.casemap import folder
from pynfo.irc.events import User
from pynfo.irc.settings import ChannelSettings, NetworkSettings
from pynfo.validation import convert_struct

CHANNELS = [ChannelSettings(name) for name in ("#a", "#b", "#c", "#[x]")]
CONFIG = Config(
    networks=[NetworkSettings(name=name, servers=[], channels=CHANNELS) for name in ("libera", "oftc")]
)
FOLD = folder("rfc1459")


def settings_of(*wires):
    settings, problems = convert_struct({"wires": list(wires)}, Settings, Path())
    assert problems == []
    return settings


def wire(*ports, name="dev", **choices):
    return {"name": name, "ports": list(ports), **choices}


def made(*ports, **choices):
    [only] = wires_of(settings_of(wire(*ports, **choices)))
    return only.ports


def mistakes(*wires):
    return list(check(settings_of(*wires), CONFIG))


def directions(ports):
    return [(port.sends, port.receives) for port in ports]


def test_a_port_has_what_is_said_of_it_then_of_its_wire_then_what_is_usual():
    first, second = made(
        "libera/#a",
        {"port": "oftc/#b", "hold": "2 hours", "events": []},
        hold="30 minutes",
        formatting="strip",
        events=["messages"],
    )
    assert (first.hold, second.hold) == (1800, 7200)
    assert (first.formatting, second.formatting) == ("strip", "strip")
    assert (first.events, second.events) == ({"messages"}, frozenset())
    assert (second.place, second.network, second.channel) == ("oftc/#b", "oftc", "#b")
    assert second.format == "<{nick}@{network}> {text}"
    assert second.delivery == "at-least-once"
    assert second.relaymsg
    assert not second.colours


def test_false_is_said_too():
    first, second = made("libera/#a", {"port": "oftc/#b", "relaymsg": False}, relaymsg=True)
    assert (first.relaymsg, second.relaymsg) == (True, False)


def test_carries_both_ways_where_nothing_else_is_said():
    assert directions(made("libera/#a", "oftc/#b")) == [(True, True), (True, True)]


def test_the_direction_of_a_wire_is_that_of_its_first_port():
    sends, receives = (True, False), (False, True)
    assert directions(made("libera/#a", "oftc/#b", "oftc/#c", direction="send")) == [
        sends,
        receives,
        receives,
    ]
    assert directions(made("libera/#a", "oftc/#b", direction="receive")) == [receives, sends]


def test_the_direction_of_a_port_goes_first():
    ports = made("libera/#a", {"port": "oftc/#b", "direction": "both"}, "oftc/#c", direction="send")
    assert directions(ports) == [(True, False), (True, True), (False, True)]


def test_finds_nothing_wrong_with_channels_that_share_no_two_wires():
    hub = wire("libera/#a", "oftc/#b", "oftc/#c"), wire("oftc/#c", "libera/#[x]", name="more")
    assert mistakes(*hub) == []


@pytest.mark.parametrize(
    ("wires", "mistake"),
    [
        ([wire("libera/#a", "oftc/#b"), wire("libera/#c", "oftc/#c", name="DEV")],
         "there are two wires 'DEV': give one another name"),
        ([wire("libera/#a")], "wire 'dev': a wire has two ports or more"),
        ([wire("libera/#a", "#b")], "wire 'dev': '#b' is no channel: write \"network/#channel\""),
        ([wire("libera/#a", {"port": "oftc/"})],
         "wire 'dev': 'oftc/' is no channel: write \"network/#channel\""),
        ([wire("libera/#a", "otfc/#b")],
         "wire 'dev': otfc/#b: there is no network 'otfc': did you mean 'oftc'?"),
        ([wire("libera/#a", "oftc/b")], "wire 'dev': oftc/b: 'b' is no channel: did you mean '#b'?"),
        ([wire("libera/#a", "oftc/#b", "libera/#A")], "wire 'dev': libera/#A is on it twice: write it once"),
        ([wire("libera/#[x]", "oftc/#b", "libera/#{X}")],
         "wire 'dev': libera/#{X} is on it twice: write it once"),
        ([wire("libera/#new", "oftc/#b")],
         "wire 'dev': libera/#new is not among the channels of libera: add it there"),
        ([wire("libera/#a", {"port": "oftc/#b", "direction": "receive"}, direction="receive")],
         "wire 'dev': nothing would be carried: none of its ports has the direction \"send\" or \"both\""),
        ([wire("libera/#a", {"port": "oftc/#b", "direction": "send"}, direction="send")],
         "wire 'dev': nobody would hear anything: none of its ports has the direction "
         '"receive" or "both"'),
        ([wire("libera/#a", "oftc/#b", ignore=["lbera/spam"])],
         "wire 'dev': ignore: lbera/spam!*@*: there is no network 'lbera': did you mean 'libera'?"),
        ([wire("libera/#a", "oftc/#b", ignore=["$a:spam"])],
         "wire 'dev': ignore: $a:spam is a login on one network: write such as libera/$a:spam"),
        ([wire("libera/#a", {"port": "oftc/#b", "action_format": "{network} {nick} {text}"},
               format="{nick} {text}")],
         "wire 'dev': format '{nick} {text}' and action_format '{network} {nick} {text}' can be taken for "
         "each other: let them begin with different signs, or be alike up to what follows the names"),
    ],
)  # fmt: skip
def test_a_mistake_says_where_it_is_and_what_to_do(wires, mistake):
    assert mistakes(*wires) == [mistake]


ADVICE = 'take it off one of them, or let it only "send" or only "receive" there'


def test_two_wires_between_the_same_channels_feed_back():
    assert mistakes(wire("libera/#a", "oftc/#b"), wire("oftc/#B", "libera/#A", name="again")) == [
        f"wires 'dev' and 'again' carry what is said in libera/#a back to it: {ADVICE}"
    ]


def test_a_ring_of_wires_feeds_back():
    ring = (
        wire("libera/#a", "oftc/#b"),
        wire("oftc/#b", "oftc/#c", name="2"),
        wire("oftc/#c", "libera/#a", name="3"),
    )
    assert mistakes(*ring) == [
        f"wires 'dev' and '2' and '3' carry what is said in libera/#a back to it: {ADVICE}"
    ]


def test_one_way_out_and_another_back_feed_back():
    there = wire("libera/#a", "oftc/#b", direction="send")
    back = wire("oftc/#b", "libera/#a", name="back", direction="send")
    assert len(mistakes(there, back)) == 1


def test_a_ring_that_carries_nothing_all_the_way_does_not_feed_back():
    there = wire("libera/#a", "oftc/#b", direction="send")
    also = wire("libera/#a", "oftc/#c", name="also", direction="send")
    end = wire("oftc/#b", "oftc/#c", name="end", direction="send")
    assert mistakes(there, also, end) == []


def test_a_port_ignores_whom_its_masks_mean_on_its_network():
    _, port = made("libera/#a", {"port": "oftc/#b", "ignore": ["spam*", "libera/alice", "oftc/$a:bot"]})
    assert port.ignores(User("Spammer"), FOLD)
    assert port.ignores(User("x", account="BOT"), FOLD)
    assert not port.ignores(User("alice"), FOLD)


def test_a_port_ignores_text_in_which_an_expression_is_found():
    port, other = made({"port": "libera/#a", "ignore_text": ["^!", "(?i)secret"]}, "oftc/#b")
    assert port.ignores_text("!help")
    assert port.ignores_text("a SECRET")
    assert not port.ignores_text("oh!")
    assert not other.ignores_text("!help")


def test_an_expression_that_takes_too_long_finds_nothing_and_is_told_once(caplog):
    port, _ = made({"port": "libera/#a", "ignore_text": ["(a|aa)+$", "z"]}, "oftc/#b")
    with caplog.at_level(logging.WARNING):
        assert not port.ignores_text("a" * 400 + "b")
        assert port.ignores_text("a" * 400 + "bz")
    assert [record.getMessage() for record in caplog.records] == [
        "ignore_text: '(a|aa)+$' takes too long to look for: write a simpler one"
    ]
