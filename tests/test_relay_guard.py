"""Pausing a wire: by word of an operator, and for a loop with somebody else's relay."""

from __future__ import annotations

import asyncio

import pytest

from pynfo.interfaces import IOperator
from pynfo.irc.message import Message
from pynfo.testing import Server
from pynfo.testing.puppet import said
from tests.relay_bot import WIRE, relaying


class ForeignRelay:
    """Somebody else's bot between the same channels: what it hears on one side it says on the other."""

    def __init__(self, bot, here, there):
        self.bot = bot
        self.sides = [(here, there), (there, here)]
        self.said = 0
        self._read = {here: 0, there: 0}

    def work(self):
        """Carry over what was said since the last time."""
        for source, target in self.sides:
            lines = list(source.heard)[self._read[source] :]
            self._read[source] = len(source.heard)
            for line in lines:
                message = Message.parse(line.encode())
                if message.command == "PRIVMSG" and message.nick != source.nick:
                    target.say("#dev", f"<{message.nick}> {said(message)}"[:400])
                    self.said += 1


@pytest.fixture
def quick(monkeypatch):
    """The detector waits for nothing: here everything is said at once."""

    def apply(silence=0.0):
        monkeypatch.setattr("plugins.relay.loops.SHORTEST", silence)
        for name in ("PATIENCE", "IN_FLIGHT", "IN_FLIGHT_PATIENCE"):
            monkeypatch.setattr(f"plugins.relay.loops.{name}", 0.0)

    return apply


class TestLoops:
    async def test_a_loop_with_another_relay_pauses_the_wire_within_five_repeats(self, tmp_path, quick):
        async with relaying(tmp_path) as bot:
            quick()
            here = await bot.servers["a"].user("foreign", channels=["#dev"])
            there = await bot.servers["b"].user("foreign", channels=["#dev"])
            foreign = ForeignRelay(bot, here, there)
            await bot.says(bot.alice, "hello everybody")
            for _ in range(40):
                foreign.work()
                await bot.settle()
            repeats = [text for text in bot.hears(bot.alice) if text.count("hello everybody")]
            assert len([text for text in repeats if text.startswith("<foreign@b>")]) <= 5
            assert foreign.said < 20
            assert "loop" in bot.relay.guard.state("dev")
            assert "foreign" in IOperator(bot.factory).matters()["relay/dev/loop"]

    async def test_what_people_say_meanwhile_waits_and_is_carried_afterwards(self, tmp_path):
        async with relaying(tmp_path) as bot:
            bot.relay.guard._loop_found("dev", 60.0, "a/#dev", "foreign")
            await bot.says(bot.alice, "does anybody hear me?")
            (told,) = bot.hears(bot.bob)
            assert told == "(relay) dev rests for 1 minute, since another relay repeats what is said"
            assert bot.relay.guard.resume("dev")
            await bot.settle()
            assert bot.hears(bot.bob)[1:] == ["<alice@a> does anybody hear me?"]
            assert "relay/dev/loop" not in IOperator(bot.factory).matters()

    async def test_quoting_a_relayed_line_is_no_offence(self, tmp_path, quick):
        async with relaying(tmp_path) as bot:
            quick(silence=60.0)
            await bot.says(bot.alice, "hello")
            for number in range(10):
                await bot.says(bot.bob, "<alice@a> hello")
                await bot.says(bot.bob, f"that is what she said, number {number}")
            assert bot.relay.guard.state("dev") == ""
            assert len(bot.hears(bot.alice)) == 20


class TestPausing:
    async def test_a_pause_holds_over_a_restart_and_loses_nothing(self, tmp_path):
        a = Server()  # which never gives a msgid twice
        async with relaying(tmp_path, a=a) as bot:
            bot.relay.guard.pause("dev", "alice")
            await bot.says(bot.alice, "one")
        async with relaying(tmp_path, a=a) as bot:
            assert bot.relay.guard.state("dev") == "paused by alice"
            await bot.says(bot.alice, "two")
            assert bot.hears(bot.bob) == []
            bot.relay.guard.resume("dev")
            await bot.bob.hears("*two")
            assert bot.hears(bot.bob) == ["<alice@a> one", "<alice@a> two"]

    async def test_another_wire_goes_on(self, tmp_path):
        other = {"name": "news", "ports": ["a/#news", "b/#news"], "events": ["messages"]}
        async with relaying(tmp_path, wires=[WIRE, other]) as bot:
            bot.relay.guard.pause("dev", "alice")
            for server, person in (("a", bot.alice), ("b", bot.bob)):
                bot.factory.clients[server].join("#news")
                person.join("#news")
            async with asyncio.timeout(10):
                while len(bot.relay.catching_up._joined) < 4:
                    await bot.settle()
            bot.alice.say("#news", "news")
            await bot.bob.hears("*news")

    async def test_the_other_side_is_told_of_a_pause_and_of_its_end(self, tmp_path):
        async with relaying(tmp_path) as bot:
            await bot.says(bot.alice, "!relay pause")
            await bot.says(bot.alice, "!relay resume")
            told = [text for text in bot.hears(bot.bob) if text.startswith("(relay)")]
            assert told == ["(relay) dev is paused by alice@a: what is said waits", "(relay) dev goes on"]
            assert not [text for text in bot.hears(bot.alice) if text.startswith("(relay)")]
