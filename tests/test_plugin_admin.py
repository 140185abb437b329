"""The plugin `admin`: what it tells of the robot, and the channels that it remembers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

import pynfo
from plugins.admin.rooms import MOST, Rooms
from plugins.admin.wording import count, describe, gather, network_line, resident_memory
from pynfo.interfaces import IOperator
from pynfo.irc.settings import ChannelSettings
from pynfo.testing import Server
from pynfo.testing.bot import Bot, config_for

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


def test_a_command_is_told_on_one_line_with_its_example_last() -> None:
    command = a_command(help="Roll one die.\n\nExample: roll 6", aliases=("dice",), role="operator")

    assert describe(a_command(), "!") == "!roll [SIDES]: Roll one die."
    assert describe(command, "!") == (
        "!roll [SIDES]: Roll one die. Also: dice. For channel operators. Example: !roll 6"
    )


def test_subcommands_stand_under_their_word() -> None:
    assert gather(["help", "plugin list", "plugin load", "seen"]) == "help, plugin list|load, seen"
    assert gather(["ignore", "ignore add", "ignore drop"]) == "ignore [add|drop]"


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


# -- help


async def test_help_lists_the_commands_that_the_asker_may_use(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#pynfo"])

    as_operator = await bot.ask("!help")
    await bob.hears("I know*")
    bob.say("#pynfo", "!help")
    as_anyone = (await bob.hears("I know*")).params[1]

    assert as_operator == (
        "I know command off|on, help, ignore, ignores, more, ping, prefix, seen, unignore. "
        "!help COMMAND tells more"
    )
    assert as_anyone == "I know help, more, ping, seen. !help COMMAND tells more"


async def test_help_of_a_command_tells_its_usage_what_it_does_and_for_whom(bot: Bot) -> None:
    assert await bot.ask("!help ping") == "!ping: Answer, to show that I am there."
    assert (await bot.ask("!help plugin load")).endswith("For owners.")
    assert (await bot.ask("!help !seen")).startswith("!seen NICK: Tell when NICK was last seen")


async def test_help_of_a_word_or_a_plugin_lists_what_is_under_it(bot: Bot) -> None:
    assert await bot.ask("!help plugin") == "plugin: plugin list|load|reload|unload"
    assert await bot.ask("!help nonsense") == 'there is no command "nonsense": !help lists them'


# -- plugins


@pytest.mark.pynfo(owner=True)
async def test_an_owner_unloads_and_loads_a_plugin(bot: Bot) -> None:
    assert await bot.ask("!plugin unload seen") == "seen is unloaded"
    assert await bot.ignores("!seen bob")
    assert "not loaded: " in (listing := await bot.ask("!plugin list"))
    assert "seen" in listing.partition("not loaded: ")[2]
    assert await bot.ask("!plugin load seen") == "seen is loaded"
    assert await bot.ask("!seen bob") == "I have not seen bob"


@pytest.mark.pynfo(owner=True)
async def test_admin_can_reload_itself_but_not_go(bot: Bot) -> None:
    assert await bot.ask("!plugin reload admin") == "admin is loaded anew"
    assert await bot.ask("!ping") == "pong"
    assert (await bot.ask("!plugin unload admin")).startswith("without admin")


@pytest.mark.pynfo(owner=True)
async def test_a_plugin_that_is_not_there_is_told(bot: Bot) -> None:
    assert "nonsense" in await bot.ask("!plugin load nonsense")


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        ("plugin list", "owner"),
        ("plugin unload seen", "owner"),
        ("nick other", "owner"),
        ("status", "owner"),
        ("quit", "owner"),
        ("join #talk", "admin"),
        ("part #pynfo", "admin"),
        ("say #pynfo hello", "admin"),
        ("networks", "admin"),
    ],
)
async def test_each_command_has_its_role(bot: Bot, command: str, needed: str) -> None:
    answer = await bot.ask(f"!{command}")

    assert " needs " in answer
    assert needed in answer


# -- channels


async def test_a_channel_joined_by_command_is_joined_again_after_a_restart(tmp_path: Path) -> None:
    async with Bot.running(config_for(tmp_path, owner="alice")) as bot:
        assert await bot.ask("!join #talk") == "I am in #talk"

    async with Server() as server:
        carol = await server.user("carol", channels=["#talk"])
        async with Bot.running(config_for(tmp_path, owner="alice"), server=server) as bot:
            await carol.expect("JOIN #talk")
            assert await bot.ask("!part #talk") == "I leave #talk"
            await carol.expect("PART #talk")

    async with Bot.running(config_for(tmp_path, owner="alice")) as bot:
        assert list(bot.factory.clients["test"].session.membership.wanted) == ["#pynfo"]


async def test_a_channel_of_the_config_that_was_left_stays_left_after_a_restart(tmp_path: Path) -> None:
    config = config_for(tmp_path, owner="alice")
    config.networks[0].channels.append(ChannelSettings("#talk"))
    async with Bot.running(config) as bot:
        await bot.ask("!part #talk")

    async with Server() as server:
        carol = await server.user("carol", channels=["#talk"])
        async with Bot.running(config, server=server) as bot:
            assert await bot.ask("!ping") == "pong"
            assert "#talk" not in bot.factory.clients["test"].state.channels
        assert not [line for line in carol.heard if "JOIN" in line and "pynfo" in line]


async def test_a_network_that_a_new_config_connects_anew_has_its_chosen_channels(tmp_path: Path) -> None:
    config = config_for(tmp_path, owner="alice")
    async with Bot.running(config) as bot:
        carol = await bot.server.user("carol", channels=["#talk"])
        await bot.ask("!join #talk")
        await carol.expect("JOIN #talk")
        network = replace(config.networks[0], realname="another")

        await bot.factory.reload(replace(config, networks=[network]))

        await carol.expect("QUIT")
        await carol.expect("JOIN #talk")


@pytest.mark.pynfo(owner=True)
async def test_why_a_channel_cannot_be_joined_is_told(bot: Bot) -> None:
    carol = await bot.server.user("carol", channels=["#closed"])
    carol.mode("#closed", "+k", "sesame")

    bot.user.say("#pynfo", "!join #closed")

    await bot.user.hears("I cannot join #closed yet, and keep trying: *")
    assert await bot.ask("!join #closed sesame") == "I am in #closed"


@pytest.mark.pynfo(owner=True)
@pytest.mark.parametrize("name", ["talk", "#a,#b", "#a\x07b", "nowhere/#talk"])
async def test_what_is_no_channel_is_not_joined(bot: Bot, name: str) -> None:
    assert "is not the name of a channel" in await bot.ask(f"!join {name}")


@pytest.mark.pynfo(owner=True)
async def test_the_bot_says_what_it_is_told_to(bot: Bot) -> None:
    bob = await bot.server.user("bob")

    assert await bot.ask("!say #pynfo good morning") == "good morning"
    assert await bot.ask("!say test/bob hello") == "said to bob"
    await bob.hears("hello")
    assert await bot.ask("!say #elsewhere hello") == "I am not in #elsewhere"


# -- networks


@pytest.mark.pynfo(owner=True)
async def test_another_nick_is_taken_or_waited_for(bot: Bot) -> None:
    assert await bot.ask("!nick infobot") == "on test I am infobot now"
    assert "no nick for test" in await bot.ask("!nick #bad")
    bot.user.say("#pynfo", "!nick alice")
    await bot.user.hears("alice is not to be had on test now, and I keep trying: Nickname is already in use")


async def test_what_is_on_another_network_is_told_with_its_name(tmp_path: Path) -> None:
    config = config_for(tmp_path, owner="alice")
    other = replace(config.networks[0], name="other", nick="otherbot", channels=[ChannelSettings("#other")])

    async with Bot.running(replace(config, networks=[*config.networks, other])) as bot:
        await bot.server.user("bob", channels=["#other"])
        await bot.user.expect("JOIN #pynfo")
        assert await bot.ask("!join other/#talk") == "I am in other/#talk"
        assert await bot.ask("!say other/#talk hello") == "said to other/#talk"
        assert await bot.ask("!part other/#talk") == "I leave other/#talk"
        assert await bot.ask("!say other/#talk hello") == "I am not in other/#talk"


@pytest.mark.pynfo(owner=True)
async def test_a_plugin_whose_end_fails_is_unloaded_and_that_is_told(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = bot.factory.plugins.loaded["seen"].module
    monkeypatch.setattr(seen, "fini", lambda factory: 1 / 0, raising=False)

    answer = await bot.ask("!plugin unload seen")

    assert answer.startswith("seen is unloaded, but its end failed: ")
    assert answer.endswith("division by zero")


@pytest.mark.pynfo(owner=True)
async def test_status_and_networks_are_told_in_a_line_each(bot: Bot) -> None:
    status = await bot.ask("!status")
    networks = await bot.ask("!networks")

    assert status.startswith(f"Pynfo {pynfo.__version__}, up ")
    assert "; on 1 of 1 network; plugins: admin, ignore, seen; nothing is wrong" in status
    assert status.endswith("nothing is wrong")
    assert networks.startswith("test: in-process:6667 for ")


@pytest.mark.pynfo(owner=True)
async def test_what_is_wrong_is_told_in_private_only(bot: Bot) -> None:
    IOperator(bot.factory).tell("storage", "the disk is full")

    bot.user.say("#pynfo", "!status")
    await bot.user.hears("Pynfo *; 1 open matter: ask me in private")
    bot.user.say("pynfo", "status")
    await bot.user.hears("Pynfo *; 1 open matter: the disk is full")


@pytest.mark.pynfo(owner=True)
async def test_an_owner_ends_the_bot_with_a_reason(bot: Bot) -> None:
    assert await bot.ask("!quit back in an hour") == "good bye"
    assert await asyncio.wait_for(bot.factory.wait_quit(), 1) == "back in an hour"


# -- channel by channel


async def test_an_operator_changes_the_prefix_and_back(bot: Bot) -> None:
    assert await bot.ask("!prefix ?") == "commands begin with ? in #pynfo"
    assert await bot.ignores("!ping")
    assert await bot.ask("?ping") == "pong"
    assert "ends with a sign" in await bot.ask("?prefix bot")
    assert await bot.ask("?prefix default") == "commands begin with ! in #pynfo"


async def test_an_operator_switches_a_command_off_and_on(bot: Bot) -> None:
    assert await bot.ask("!command off seen") == "seen is off in #pynfo"
    assert await bot.ignores("!seen bob")
    assert "seen" not in await bot.ask("!help")
    assert await bot.ask("!command on seen") == "seen is on in #pynfo"
    assert await bot.ask("!seen bob") == "I have not seen bob"


async def test_what_switches_commands_on_stays_on(bot: Bot) -> None:
    assert "stays on" in await bot.ask("!command off command on")
    assert "stays on" in await bot.ask("!command off status")
    assert "own channel" in await bot.ask("!command off ping --everywhere")
    assert "there is no command" in await bot.ask("!command off nonsense")


@pytest.mark.pynfo(owner=True)
async def test_an_owner_switches_a_command_off_everywhere(bot: Bot) -> None:
    assert await bot.ask("!command off --everywhere seen") == "seen is off everywhere"
    assert await bot.ignores("!seen bob")
