"""Which lines are commands, which command they mean, and who may use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from pynfo.arguments import Rest
from pynfo.command import Request, command
from pynfo.irc.events import Batch, User
from tests.command_bot import (
    ADMIN,
    ALICE,
    LONG,
    OPERATOR,
    OWNER,
    Bot,
    Gate,
    Said,
    echo,
    ping,
    plugin_list,
    role_commands,
)


@pytest_asyncio.fixture
async def bot() -> AsyncIterator[Bot]:
    async with Bot() as bot:
        yield bot


# -- which lines are commands


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("!ping", "#here"),
        ("!PING", "#here"),
        ("!games.ping", "#here"),
        ("pynfo: ping", "#here"),
        ("PYNFO, ping", "#here"),
        ("pynfo: !ping", "#here"),
        ("ping", None),
        ("!ping", None),
        ("pynfo: ping", None),
    ],
)
async def test_a_command_is_known_by_the_prefix_by_our_nick_and_in_private(
    bot: Bot, text: str, channel: str | None
) -> None:
    bot.offer(ping)

    assert bot.answer(text, channel=channel) == "pong"


@pytest.mark.parametrize(
    "text",
    [
        "ping",
        "!",
        "!!!",
        "! ping",
        "!!ping",
        "",
        "pynfo ping",
        "pynfo:",
        "pynf: ping",
        "pynfoo: ping",
        "!pong",
    ],
)
async def test_ordinary_talk_and_what_is_unknown_is_left_alone_in_channels(bot: Bot, text: str) -> None:
    bot.offer(ping)

    assert bot.answer(text) is None


@pytest.mark.parametrize("text", ["!", "!!!", "?", ""])
async def test_a_prefix_alone_is_left_alone_in_private_too(bot: Bot, text: str) -> None:
    assert bot.answer(text, channel=None) is None


NESTED = Batch("2", "netsplit", parent=Batch("1", "chathistory"))


@pytest.mark.parametrize(
    "unwanted",
    [
        {"own": True},
        {"kind": "notice"},
        {"kind": "action"},
        {"batch": NESTED},
        {"tags": {"bot": ""}},
        {"user": User("other", "o", "h", bot=True)},
    ],
)
async def test_notices_history_bots_and_ourselves_never_use_commands(
    bot: Bot, unwanted: dict[str, Any]
) -> None:
    bot.offer(ping)

    assert bot.answer("!ping", **unwanted) is None


async def test_bots_may_use_commands_where_the_config_says_so(bot: Bot) -> None:
    bot.offer(ping)
    bot.config.answer_bots = True

    assert bot.answer("!ping", tags={"bot": ""}) == "pong"


@given(st.text(max_size=80).map(lambda text: text.replace("\0", "")), st.sampled_from(["#here", None]))
@settings(max_examples=200)
def test_whatever_people_type_gets_at_most_one_line_back_and_no_error(text: str, channel: str | None) -> None:
    async def hear() -> list[Said]:
        bot = Bot()
        bot.offer(ping, echo)
        said = bot.hears("!echo " + text, channel=channel)
        return said or bot.hears(text, channel=channel)

    assert len(asyncio.run(hear())) <= (1 if channel else 3)


# -- subcommands and names


@command("plugin load")
async def plugin_load(request: Request, name: str) -> str:
    return f"loaded {name}"


async def test_the_longest_name_wins_and_the_first_word_alone_lists_the_others(bot: Bot) -> None:
    @command("plugin secret", hidden=True)
    async def plugin_secret(request: Request) -> str:
        return "hush"

    bot.offer(plugin_list, plugin_load, plugin_secret, plugin="admin")

    assert bot.answer("!plugin load seen") == "loaded seen"
    assert bot.answer("!plugin secret") == "hush"
    assert bot.answer("!admin.plugin  LIST") == "a, b"
    assert bot.answer("!plugin") == "Usage: plugin list|load"
    assert bot.answer("!plugin lost") == "Usage: plugin list|load"


async def test_a_word_with_subcommands_may_be_a_command_too(bot: Bot) -> None:
    @command("plugin")
    async def plugin(request: Request, text: Rest = "") -> str:
        return f"plugin itself, {text!r}"

    bot.offer(plugin_list, plugin)

    assert bot.answer("!plugin list") == "a, b"
    assert bot.answer("!plugin other") == "plugin itself, 'other'"


async def test_the_plugin_that_came_first_keeps_the_short_name_until_it_goes(bot: Bot) -> None:
    @command("PING", aliases=("p",))
    async def other_ping(request: Request) -> str:
        return "other"

    first = bot.offer(ping, plugin="first")
    bot.offer(other_ping, plugin="second")

    assert bot.commands.collisions() == [
        "first and second both have a command ping: it is first's, the other one is second.ping"
    ]
    assert [bot.answer(text) for text in ("!ping", "!second.ping", "!p")] == ["pong", "other", "other"]
    await first.close()
    assert bot.answer("!ping") == "other"
    assert bot.commands.collisions() == []


async def test_a_plugin_with_two_commands_of_one_name_is_refused_and_keeps_the_first(bot: Bot) -> None:
    @command("ping")
    async def second(request: Request) -> str:
        return "second"

    owner = bot.offer(ping)
    with owner.active(), pytest.raises(ValueError, match="two commands named 'ping'"):
        bot.commands.register(second)

    assert bot.answer("!ping") == "pong"
    await owner.close()
    assert owner.failures == 0


async def test_nothing_is_left_of_a_plugins_commands_when_it_is_gone(bot: Bot) -> None:
    before = bot.commands.commands()
    owner = bot.offer(ping, plugin_list)

    await owner.close()

    assert bot.answer("!ping") is None
    assert bot.answer("!plugin") is None
    assert bot.commands.find("games.ping") is None
    assert bot.commands.commands() == before


async def test_a_command_can_be_taken_back_before_its_plugin_goes(bot: Bot) -> None:
    owner = bot.offer(ping)

    bot.commands.unregister(bot.commands.find("ping"))

    assert bot.answer("!ping") is None
    await owner.close()


@pytest.mark.parametrize("name", ["", "a.b", "three word name", "!ping", "\x02bold"])
def test_a_name_that_nobody_can_type_is_refused_where_it_is_written(name: str) -> None:
    with pytest.raises(ValueError, match="is no name for a command"):
        command(name or " ")(ping)


# -- who may


@pytest.mark.parametrize(
    ("user", "answers"),
    [
        (OWNER, ["owner", "owner", "owner"]),
        (ADMIN, ["admin", "admin", "quit needs an owner"]),
        (OPERATOR, ["operator", "load needs an admin", "quit needs an owner"]),
        (ALICE, ["kick needs an operator", "load needs an admin", "quit needs an owner"]),
    ],
)
async def test_a_command_is_for_its_role_and_those_above(bot: Bot, user: User, answers: list[str]) -> None:
    bot.offer(*role_commands())

    for text, answer in zip(("!kick", "!load", "!quit"), answers, strict=True):
        assert (bot.answer(text, user) or "").startswith(answer)


async def test_a_role_is_checked_when_the_command_is_run_not_when_it_was_asked_for(bot: Bot) -> None:
    gate = Gate()
    bot.offer(gate.command, *role_commands())
    assert bot.answer("!load", ADMIN) == "admin"
    bot.hears("!wait", ADMIN)
    bot.hears("!load", ADMIN)

    bot.config.admins = []
    gate.open.set()

    assert (await bot.says(3))[2].startswith("load needs an admin")


async def test_a_mask_that_cannot_be_read_is_logged_once_and_the_others_count(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    bot.config.owners = ["a b", "net/$a:olga"]

    assert [bot.commands.role("net", OWNER), bot.commands.role("net", ALICE)] == ["owner", "anyone"]
    assert len(caplog.records) == 1


async def test_nobody_has_a_role_on_a_network_that_there_is_not(bot: Bot) -> None:
    bot.config.owners = ["olga"]

    assert bot.commands.role("lost", OWNER, "#here") == "anyone"


# -- near misses, switches, prefixes


async def test_a_near_miss_is_told_in_private_by_a_notice(bot: Bot) -> None:
    bot.offer(ping, *role_commands())

    [said] = bot.hears("pong please", channel=None)
    assert (said.text, said.kind) == ('I do not know "pong": did you mean ping?', "notice")
    assert bot.answer("lod", channel=None) == 'I do not know "lod"'
    assert bot.answer("lod", ADMIN, channel=None) == 'I do not know "lod": did you mean load?'


async def test_unknown_commands_in_private_count_towards_the_limit(bot: Bot) -> None:
    bot.config.command_limits = {"user": (1, 30), "channel": None}
    bot.hears("hello", channel=None)

    assert "please wait" in str(bot.answer("hello", channel=None))
    assert bot.answer("hello", channel=None) is None


async def test_a_command_is_switched_off_in_one_channel_or_everywhere_but_one(bot: Bot) -> None:
    bot.offer(ping)

    bot.commands.switch("ping", False, "#Here", "net")
    assert bot.answer("!ping") is None
    assert bot.answer("!ping", channel="#there") == "pong"

    bot.commands.switch("ping", False)
    bot.commands.switch("ping", True, "#here", "net")
    assert bot.answer("!ping") == "pong"
    assert bot.answer("!ping", channel="#there") is None
    assert bot.answer("ping", channel=None) == "ping is switched off"

    bot.commands.switch("ping", True)
    assert bot.answer("!ping", channel="#there") == "pong"


async def test_a_command_that_could_not_be_switched_on_again_stays_on(bot: Bot) -> None:
    bot.offer(*role_commands())

    with pytest.raises(ValueError, match="stays on"):
        bot.commands.switch("load", False)
    with pytest.raises(LookupError):
        bot.commands.switch("nothing", False)


async def test_a_channel_may_have_a_prefix_of_its_own(bot: Bot) -> None:
    bot.offer(ping, echo)

    bot.commands.set_prefix(".", "net", "#Here")

    assert bot.answer(".ping") == "pong"
    assert bot.answer("!ping") is None
    assert bot.answer("!ping", channel="#there") == "pong"
    assert str(bot.answer(f".echo {LONG}")).endswith("more: .more)")
    bot.commands.set_prefix(None, "net", "#here")
    assert bot.answer("!ping") == "pong"


@pytest.mark.parametrize("prefix", ["", " ", "a", "bot ", "!!!!!!!!!!!", "\x02"])
async def test_a_prefix_that_would_be_met_in_ordinary_talk_is_refused(bot: Bot, prefix: str) -> None:
    with pytest.raises(ValueError, match="a prefix "):
        bot.commands.set_prefix(prefix, "net", "#here")


async def test_switches_and_prefixes_are_kept_over_a_restart(bot: Bot) -> None:
    bot.offer(ping)
    bot.commands.set_prefix(".", "net", "#here")
    prefixed = Bot(bot.stored)
    prefixed.offer(ping)
    prefixed.commands.switch("ping", False, "#there", "net")
    switched = Bot(prefixed.stored)
    switched.offer(ping)

    assert switched.answer(".ping") == "pong"
    assert switched.answer("!ping", channel="#there") is None


async def test_switches_and_prefixes_have_a_bound(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pynfo.services.command_switches.ENTRIES", 2)
    bot.offer(ping)
    bot.commands.set_prefix(".", "net", "#one")
    bot.commands.switch("ping", False)

    with pytest.raises(ValueError, match="already"):
        bot.commands.set_prefix(".", "net", "#two")
    with pytest.raises(ValueError, match="already"):
        bot.commands.switch("ping", False, "#two", "net")
