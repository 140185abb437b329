"""What the config may say of the relay, and the sentences for what it may not."""

from pathlib import Path

import pytest

from plugins.relay.formats import mistakable, read
from plugins.relay.settings import Settings
from pynfo.validation import convert_struct

PORTS = ["libera/#a", "oftc/#b"]


def problems(**wire):
    written = {"wires": [{"name": "dev", "ports": PORTS} | wire]}
    return [problem.text for problem in convert_struct(written, Settings, Path())[1]]


def test_takes_all_that_can_be_said_of_a_wire_and_of_a_port():
    choices = {
        "direction": "send",
        "format": "[{network}] <{prefix}{nick}> {text}",
        "action_format": "[{network}] * {nick} {text}",
        "notice_format": "[{network}] -{nick}- {text}",
        "events": ["messages", "actions", "notices", "joins", "parts", "quits", "kicks", "nicks", "topics"]
        + ["modes", "membership", "answers"],
        "formatting": "strip",
        "colours": True,
        "ignore": ["libera/$a:spam", "*!*@example.org"],
        "ignore_text": ["^!", "(?i)secret"],
        "relaymsg": False,
        "hold": "2 hours",
        "delivery": "at-most-once",
        "lines_limit": 3,
    }
    assert problems(**choices, ports=["libera/#a", {"port": "oftc/#b", **choices}]) == []


@pytest.mark.parametrize(
    ("wire", "mistake"),
    [
        ({"name": "my wire"}, "'my wire' is no name of a wire: write 1 to 32 letters, digits, - and _"),
        ({"direction": "sideways"}, "there is no direction 'sideways': there are both, receive, send"),
        ({"delivery": "at-least"}, "there is no delivery 'at-least': did you mean 'at-least-once'?"),
        ({"formatting": "stripped"}, "there is no formatting 'stripped': did you mean 'strip'?"),
        ({"hold": "an hour"}, 'hold="an hour" is no length of time: write such as "1 hour"'),
        ({"hold": "30s"}, 'hold="30s" is not between "1 minute" and "7 days"'),
        ({"hold": "8 days"}, 'hold="8 days" is not between "1 minute" and "7 days"'),
        ({"ignore": ["a b"]}, "ignore: the mask 'a b' has a space or a control character in it"),
        ({"ignore_text": ["(a"]},
         "ignore_text: '(a' is no regular expression: missing ) at position 2"),
        ({"ignore_text": ["a*"]}, "ignore_text: 'a*' is found in every text: nothing would be carried"),
        ({"ignore_text": ["a" * 501]}, "ignore_text: an expression has at most 500 characters"),
        ({"format": "{nick} says"}, "format='{nick} says': {text} must stand in it, once"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_sentence(wire, mistake):
    assert problems(**wire) == [f"wires[0]: {mistake}"]
    if "name" not in wire:
        port = {"port": "oftc/#b", **wire}
        assert problems(ports=["libera/#a", port]) == [f"wires[0]: ports[1]: {mistake}"]


def test_a_mistake_of_type_is_found_in_a_port_as_on_a_wire():
    assert problems(lines_limit=0) == ["wires[0]: lines_limit must be a whole number >= 1, not 0"]
    mistakes = problems(events=["messages", "jions"], ports=["libera/#a", {"port": "oftc/#b", "fromat": ""}])
    assert mistakes[0].startswith("wires[0]: ports[1]: there is no setting 'fromat': did you mean 'format'?")
    assert mistakes[1].startswith("wires[0]: events[1] must be one of 'messages', 'actions'")


@pytest.mark.parametrize(
    "text",
    [
        "<{nick}@{network}> {text}",
        "* {nick}@{network} {text}",
        "-{nick}@{network}- {text}",
        "[{network}] <{prefix}{nick}> {text}",
        "{nick}: {text}",
        "\x02{nick}\x02, {text}",
        "{network}/{channel} {{{nick}}} {text} |",
    ],
)
def test_reads_formats_that_name_one_person(text):
    read(text)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{text}", "{nick} must stand in it, once"),
        ("<{nick}> {nick} {text}", "{nick} must stand in it, once"),
        ("<{nick}> {text} {text}", "{text} must stand in it, once"),
        ("{network} {network} <{nick}> {text}", "a field may stand in it only once"),
        ("<{nikc}> {text}", "there is no field 'nikc': did you mean 'nick'?"),
        ("<{nick!r}> {text}", "there is no field 'nick!r': did you mean 'nick'?"),
        ("<{nick:>20}> {text}", "there is no field 'nick:>20': did you mean 'nick'?"),
        ("<{nick.__class__}> {text}", "there is no field 'nick.__class__': there are"),
        ("<{nick> {text}", "a brace is alone: write {{ or }} for one that is to be shown"),
        ("{text} <{nick}>", "{text} must come after all names: people can write one behind what they say"),
        ("<{nick}> {text} ({network})", "{text} must come after all names"),
        ("<{nick}>\n{text}", "a format is one line of at most 100 bytes"),
        ("<{nick}> {text}" + "é" * 50, "a format is one line of at most 100 bytes"),
        ("{prefix}<{nick}> {text}", "{prefix} must stand right before {nick}"),
        ("{nick}{text}", "a space or a sign must end {nick}"),
        ("{nick}x {text}", "a space or a sign must end {nick}"),
        ("{nick}_{text}", "a space or a sign must end {nick}"),
        ("{nick}\u0301 {text}", "a space or a sign must end {nick}"),
        ("{network}-{nick}: {text}", "a space or a sign must end {network}"),
        ("({nick}) {text}", "lines that begin with ( are the relay's own: begin with another sign"),
        ("\x02({network}) {nick}: {text}", "lines that begin with ( are the relay's own"),
        (" ({network}) {nick}: {text}", "it begins with a space: leave that out"),
        ("[{nick}:{network}] {text}", "with [ and : it could look like the time of a late message"),
    ],
)
def test_refuses_a_format_in_which_somebody_could_look_like_somebody_else(text, mistake):
    with pytest.raises(ValueError) as refused:
        read(text)
    assert str(refused.value).startswith(mistake)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("<{nick}> {text}", "<{nick}> * {text}"),
        ("[{network}] <{nick}> {text}", "[{network}] * {nick} {text}"),
        ("{nick}: {text}", "-{nick}- {text}"),
        ("<{nick}> {text}", "\x02<{nick}>\x02 {text} !"),
    ],
)
def test_formats_may_stand_side_by_side_where_they_cannot_be_taken_for_each_other(first, second):
    assert not mistakable(read(first), read(second))
    assert not mistakable(read(second), read(first))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{nick} {text}", "{network} {nick} {text}"),  # a nick like a network, whose text begins with a nick
        ("<{nick}> {text}", "<{nick}> {network}: {text}"),
        ("{network}-x {nick} {text}", "{network}-x-x {nick} {text}"),  # networks "a" and "a-x"
        ("[{network}] [{nick}] {text}", "[{network}] {nick} {text}"),  # a nick such as [alice]
        ("{prefix}{nick}: {text}", "@{network}: {nick}: {text}"),
        ("\x02{nick}\x02 {text}", "b{nick} {text}"),
    ],
)
def test_knows_formats_that_can_be_taken_for_each_other(first, second):
    assert mistakable(read(first), read(second))
    assert mistakable(read(second), read(first))
