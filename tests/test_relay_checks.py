"""What `pynfo check` tells of the relay besides single mistakes."""

from pathlib import Path

from plugins.relay.settings import Settings
from pynfo.validation import convert_struct


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
