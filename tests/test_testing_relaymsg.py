"""RELAYMSG through the server in `pynfo.testing` (IRCv3 draft "relaymsg")."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pynfo.testing import EXTENSIONS, Server
from tests.irc_client import RawClient, registered

RELAYMSG = "draft/relaymsg"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(extensions=EXTENSIONS, history=5) as server:
        yield server


async def relay_bot(server: Server, *capabilities: str) -> RawClient:
    """A client that is an operator of #a."""
    server.channel("#a")  # where coming first makes nobody an operator
    bot = await registered(server, "bot", RELAYMSG, "message-tags", *capabilities)
    bot.say("JOIN #a")
    await bot.hears("366")
    server.mode("#a", "+o", "bot")
    await bot.hears("MODE")
    return bot


async def test_what_is_relayed_is_said_by_the_nick_given(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    bot = await relay_bot(server)

    bot.say("@+draft/reply=m0 RELAYMSG #A zoe/libera :hello there")

    said = await alice.hears("hello there")
    assert said.source == "zoe/libera!~u@memory"
    assert said.params == ["#a", "hello there"]
    assert said.tags[RELAYMSG] == "bot"
    assert said.tags["+draft/reply"] == "m0"
    assert said.tags["msgid"]


async def test_who_relays_hears_it_too_under_the_label(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    bot = await relay_bot(server, "labeled-response", "batch")

    bot.say("@label=L1 RELAYMSG #a zoe/libera :hello")

    msgid = (await alice.hears("hello")).tags["msgid"]
    echo = await bot.hears("PRIVMSG #a hello")
    assert echo == f"@label=L1;draft/relaymsg=bot;msgid={msgid} :zoe/libera!~u@memory PRIVMSG #a hello"


async def test_the_tag_is_only_for_those_who_know_it(server: Server) -> None:
    bot = await relay_bot(server)
    carol = await registered(server, "carol", "message-tags")
    carol.say("JOIN #a")
    await carol.hears("366")

    bot.say("RELAYMSG #a zoe/libera :hello")

    assert RELAYMSG not in await carol.hears("@*PRIVMSG")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("RELAYMSG #a zoe/libera :   ", "FAIL RELAYMSG BLANK_MSG"),
        ("RELAYMSG #a zoe :hello", "FAIL RELAYMSG INVALID_NICK :Relayed nicknames MUST contain"),
        ("RELAYMSG #a zo!e/libera :hello", "FAIL RELAYMSG INVALID_NICK Invalid nickname"),
        ("RELAYMSG #a eve/libera :hello", "FAIL RELAYMSG BANNED"),
        ("RELAYMSG #b zoe/libera :hello", "403 bot #b"),
        ("RELAYMSG #a zoe/libera", "461 bot RELAYMSG"),
    ],
)
async def test_what_cannot_be_relayed_is_refused(server: Server, line: str, answer: str) -> None:
    alice = await server.user("alice", channels=["#a"])
    bot = await relay_bot(server)
    server.mode("#a", "+b", "eve/libera!*@*")

    bot.say(line)

    await bot.hears(answer)
    assert not [line for line in alice.heard if "PRIVMSG" in line]


async def test_only_operators_relay_unless_the_server_lets_everybody(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    carol = await server.user("carol", channels=["#a"])

    carol.relay("#a", "zoe/libera", "one")
    await carol.expect("FAIL RELAYMSG PRIVS_NEEDED :You cannot relay messages to this channel")
    server.anyone_relays = True
    carol.relay("#a", "zoe/libera", "two")

    assert (await alice.hears("*")).params == ["#a", "two"]


async def test_the_command_is_unknown_to_those_without_the_capability(server: Server) -> None:
    carol = await registered(server, "carol")

    carol.say("RELAYMSG #a zoe/libera :hello")

    await carol.hears("421 carol RELAYMSG")


async def test_the_history_has_it_without_the_tag(server: Server) -> None:
    bot = await relay_bot(server, "batch", "draft/chathistory")
    bot.say("RELAYMSG #a zoe/libera :hello")
    await bot.hears("@draft/relaymsg=bot*PRIVMSG")

    bot.say("CHATHISTORY LATEST #a * 5")

    line = await bot.hears("@*PRIVMSG")
    assert RELAYMSG not in line
    assert line.endswith(":zoe/libera!~u@memory PRIVMSG #a hello")
