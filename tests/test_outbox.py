"""What the bot says becomes lines that are safe, whole and in order."""

from __future__ import annotations

import asyncio

import pytest

from pynfo.interfaces import IEvents, IOutbox
from pynfo.irc.events import NetworkDown
from pynfo.irc.message import Message
from pynfo.irc.pacing import QueueFull
from pynfo.services.outbox import Undelivered
from pynfo.services.outbox_text import LINES_LIMIT
from pynfo.testing import Server
from pynfo.testing.bot import Bot, config_for


@pytest.fixture
def outbox(bot):
    return IOutbox(bot.factory)


def lines(bot):
    """What alice heard the bot say, without what came before."""
    heard = [Message.parse(line.encode()) for line in bot.user.heard.unread]
    return [message for message in heard if message.command in ("PRIVMSG", "NOTICE", "TAGMSG")]


async def said(bot):
    await bot.settle()
    return [message.params[-1] for message in lines(bot)]


async def test_says_a_line_to_a_channel_and_tells_its_id(bot, outbox):
    [msgid] = await outbox.say("test/#pynfo", "hello")
    [message] = lines(bot)
    assert (message.command, message.params) == ("PRIVMSG", ["#pynfo", "hello"])
    assert message.tags["msgid"] == msgid


async def test_says_it_in_private_as_a_notice_or_as_an_action(bot, outbox):
    await outbox.say("test/alice", "psst", kind="notice")
    await outbox.say("test/#pynfo", "waves", kind="action")
    notice, action = lines(bot)
    assert (notice.command, notice.params) == ("NOTICE", ["alice", "psst"])
    assert action.params[1] == "\x01ACTION waves\x01"


async def test_makes_a_line_of_each_line(bot, outbox):
    await outbox.say("test/#pynfo", "one\r\ntwo\n\n three")
    assert await said(bot) == ["one", "two", " three"]


async def test_lets_no_text_become_another_command(bot, outbox):
    await outbox.say("test/#pynfo", "a\r\nQUIT :gone\0\x07\x1b[2J")
    assert await said(bot) == ["a", "QUIT :gone[2J"]
    assert bot.factory.clients["test"].up


async def test_keeps_formatting(bot, outbox):
    await outbox.say("test/#pynfo", "\x02bold\x02 and \x0304red\x03")
    assert await said(bot) == ["\x02bold\x02 and \x0304red\x03"]


@pytest.mark.parametrize("kind", ["message", "notice", "action"])
async def test_loses_nothing_of_a_long_text(bot, outbox, kind):
    text = " ".join(f"wörd{number}" for number in range(500))
    msgids = await outbox.say("test/#pynfo", text, kind=kind)
    pieces = [line.removeprefix("\x01ACTION ").rstrip("\x01") for line in await said(bot)]
    assert " ".join(pieces) == text
    assert len(msgids) == len(pieces) > 5


async def test_tells_how_much_of_an_endless_text_is_left_out(bot, outbox):
    await outbox.say("test/#pynfo", "\n".join(f"line {number}" for number in range(500)))
    heard = await said(bot)
    assert len(heard) == LINES_LIMIT
    assert heard[-1] == f"({500 - LINES_LIMIT + 1} more lines are left out)"


@pytest.mark.parametrize("nothing", ["", "\n", " \n ", "\x07"])
async def test_says_nothing_where_nothing_is_to_be_said(bot, outbox, nothing):
    assert await outbox.say("test/#pynfo", nothing, tags={"+draft/reply": "x"}) == []
    assert await said(bot) == []


@pytest.mark.parametrize(
    "target",
    [
        "nowhere/#pynfo",
        "#pynfo",
        "test/",
        "test/#a,#b",
        "test/#a b",
        "test/#a\r\nQUIT",
        "test/:a",
        "test/" + "x" * 99,
    ],
)
async def test_refuses_what_is_no_place(outbox, target):
    with pytest.raises(LookupError):
        outbox.say(target, "hello")


async def test_tells_why_the_network_did_not_take_it(bot, outbox):
    bot.server.channel("#closed")
    bot.server.mode("#closed", "+n")
    with pytest.raises(Undelivered, match="refused"):
        await outbox.say("test/#closed", "hello")


async def test_tells_who_speaks_when_there_is_no_more_room(bot, outbox):
    bot.server.accepting = False
    down = asyncio.Event()
    IEvents(bot.factory).subscribe(NetworkDown, lambda event: down.set())
    (await bot.server.connection(1)).abort()
    await asyncio.wait_for(down.wait(), 5)
    with pytest.raises(QueueFull):
        for _ in range(2000):
            outbox.say("test/#pynfo", "hello")


async def test_sends_tags_where_the_network_has_them(bot, outbox):
    await outbox.say("test/#pynfo", "yes", tags={"+draft/reply": "abc"})
    await outbox.say_tags("test/#pynfo", {"+draft/react": "👍"})
    reply, reaction = lines(bot)
    assert reply.tags["+draft/reply"] == "abc"
    assert (reaction.command, reaction.tags["+draft/react"]) == ("TAGMSG", "👍")


async def test_sends_no_tags_that_the_network_denies_or_does_not_know(tmp_path):
    denying = Server(isupport={"CLIENTTAGDENY": "draft/reply"})
    async with Bot.running(config_for(tmp_path / "denying"), server=denying) as bot:
        await IOutbox(bot.factory).say("test/#pynfo", "yes", tags={"+draft/reply": "abc"})
        assert "+draft/reply" not in lines(bot)[0].tags
    old = Server(capabilities={})
    async with Bot.running(config_for(tmp_path / "old"), server=old) as bot:
        assert await IOutbox(bot.factory).say("test/#pynfo", "yes", tags={"+draft/reply": "abc"}) == [None]
        with pytest.raises(Undelivered, match="no message tags"):
            await IOutbox(bot.factory).say_tags("test/#pynfo", {"+draft/react": "x"})
