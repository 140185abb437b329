"""The plugin `admin`: what it tells of the robot, and the channels that it remembers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from plugins.admin.rooms import MOST, Rooms
from plugins.admin.wording import count, describe, gather, network_line, resident_memory

# -- the channels that people chose


def chosen(rooms: Rooms, channel: str, *, stay: bool, usual: bool = False, key: str | None = None) -> None:
    rooms.chosen("libera", channel, key, stay=stay, usual=usual, fold=str.lower)


def test_a_channel_that_the_config_has_not_is_remembered_with_its_key() -> None:
    rooms = Rooms()

    chosen(rooms, "#talk", stay=True, key="sesame")

    assert rooms.joined == {"libera": {"#talk": "sesame"}}


def test_leaving_a_channel_again_leaves_nothing_to_remember() -> None:
    rooms = Rooms()
    chosen(rooms, "#talk", stay=True)

    chosen(rooms, "#TALK", stay=False)

    assert rooms == Rooms({"libera": {}}, {"libera": []})


def test_a_channel_of_the_config_that_was_left_is_remembered_until_it_is_joined_again() -> None:
    rooms = Rooms()

    chosen(rooms, "#pynfo", stay=False, usual=True)
    left = rooms.parted.copy()
    chosen(rooms, "#Pynfo", stay=True, usual=True)

    assert left == {"libera": ["#pynfo"]}
    assert rooms == Rooms({"libera": {}}, {"libera": []})


def test_so_many_channels_are_remembered_and_no_more() -> None:
    rooms = Rooms()
    for number in range(MOST):
        chosen(rooms, f"#c{number}", stay=True)

    with pytest.raises(ValueError, match="at most"):
        chosen(rooms, "#one-more", stay=True)

    assert len(rooms.joined["libera"]) == MOST


# -- how things are told


def a_command(**fields: Any) -> Any:
    return SimpleNamespace(
        **{"usage": "roll [SIDES]", "help": "Roll one die.", "aliases": (), "role": "anyone"} | fields
    )


def test_a_command_is_told_on_one_line() -> None:
    assert describe(a_command(help="Roll one die.\n\nExample: roll 6")) == (
        "roll [SIDES]: Roll one die. Example: roll 6"
    )
    assert describe(a_command(aliases=("dice",), role="operator")) == (
        "roll [SIDES]: Roll one die. Also: dice. For channel operators."
    )


def test_subcommands_stand_under_their_word() -> None:
    assert gather(["help", "plugin list", "plugin load", "seen"]) == "help, plugin list|load, seen"
    assert gather(["ignore", "ignore add"]) == "ignore add"


def a_network(**fields: Any) -> Any:
    known = {
        "name": "libera",
        "server": "irc.libera.chat:6697",
        "status": "connected to irc.libera.chat:6697",
        "up": True,
        "since": 1000.0,
        "lag": 0.0512,
        "state": SimpleNamespace(nick="pynfo", channels={"#pynfo": None}),
    }
    return SimpleNamespace(**known | fields)


def test_a_network_that_is_up_is_told_with_its_lag_and_since_when() -> None:
    assert network_line(a_network(), 8200.0) == (
        "libera: irc.libera.chat:6697 for 2 hours as pynfo, lag 0.05 s, 1 channel"
    )
    assert "lag not measured yet" in network_line(a_network(lag=None), 8200.0)


def test_a_network_that_is_down_is_told_with_what_is_done_about_it() -> None:
    down = a_network(up=False, since=None, status="down: connection refused; next try in 4 s")

    assert network_line(down, 8200.0) == "libera: down: connection refused; next try in 4 s"


def test_one_thing_has_no_s() -> None:
    assert [count(number, "line") for number in (0, 1, 2000)] == ["0 lines", "1 line", "2,000 lines"]


def test_the_memory_in_use_is_that_of_a_python_process() -> None:
    assert 5 << 20 < resident_memory() < 4 << 30
