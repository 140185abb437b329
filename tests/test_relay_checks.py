"""What is told of mistakes in the relay's settings besides single ones, by `pynfo check` and at a start."""

from pathlib import Path

from plugins.relay.settings import Settings
from pynfo.interfaces import IOperator
from pynfo.validation import convert_struct
from tests.relay_bot import WIRE, relaying


def test_all_mistakes_of_a_wire_are_told_at_once():
    wire = {"name": "dev", "ports": ["libera/#a", "oftc/#b"], "direction": "sideways", "hold": "an hour"}
    wire |= {"format": "x", "ignore_text": ["(a", "b*"]}
    (problem,) = convert_struct({"wires": [wire]}, Settings, Path())[1]
    assert problem.text == (
        "wires[0]: there is no direction 'sideways': there are both, receive, send; "
        "format='x': {nick} must stand in it, once; "
        "ignore_text: '(a' is no regular expression: missing ) at position 2; "
        "ignore_text: 'b*' is found in every text: nothing would be carried; "
        'hold="an hour" is no length of time: write such as "1 hour"'
    )


async def test_mistakes_are_told_to_the_operator_at_a_start_too(tmp_path):
    wires = [
        WIRE,
        {"name": "back", "ports": ["b/#dev", "a/#dev"]},
        {"name": "x", "ports": ["a/#x", "b/#dev"]},
    ]
    async with relaying(tmp_path, wires=wires) as bot:
        told = IOperator(bot.factory).matters()["relay/settings"]
        assert told.startswith("the relay's settings have mistakes: wire 'x': a/#x is not among the channels")
        assert "wires 'dev' and 'back' carry what is said in a/#dev back to it" in told


async def test_nothing_is_told_in_a_console_which_has_other_networks(tmp_path):
    async with relaying(tmp_path, wires=[{"name": "dev", "ports": ["libera/#dev", "oftc/#dev"]}]) as bot:
        assert "relay/settings" not in IOperator(bot.factory).matters()
