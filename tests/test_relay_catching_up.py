"""What was said while the bot was away, over all that may happen while it is being fetched."""

from __future__ import annotations

import asyncio
import time

import pytest

from plugins.ignore import IDiscriminating
from pynfo.interfaces import IEvents
from pynfo.irc.events import ChannelSynced, MessageReceived, NetworkDown, User, UserJoined
from pynfo.irc.message import Message
from pynfo.testing import Server
from tests.relay_bot import WIRE, relaying


class Away:
    """Takes the bot off network a; what is said until it is back is what it misses."""

    def __init__(self, bot):
        self.bot = bot
        self.server = bot.servers["a"]
        self.down = asyncio.Event()
        self.news = asyncio.Event()
        self.seen = []
        events = IEvents(bot.factory)
        events.subscribe(NetworkDown, lambda event: self.down.set())
        events.subscribe((UserJoined, ChannelSynced), self._came)

    def _came(self, event):
        if event.network == "a" and getattr(event, "own", True):
            self.seen.append(type(event))
            self.news.set()

    async def saying(self, *texts):
        self.down.clear()
        (await self.server.connection(1)).abort()
        for text in texts:
            self.bot.alice.say("#dev", text)
        await self.down.wait()

    async def sees(self, kind, count=1):
        async with asyncio.timeout(10):
            while self.seen.count(kind) < count:
                self.news.clear()
                await self.news.wait()


@pytest.fixture
def exact(monkeypatch):
    """Nothing is asked for twice: what is not asked for is missing."""
    monkeypatch.setattr("plugins.relay.catching_up.OVERLAP", 0.0, raising=False)
    monkeypatch.setattr("pynfo.services.history.OVERLAP", 0.0)


async def test_ignored_people_are_not_carried_from_history_either(tmp_path):
    async with relaying(tmp_path, a=Server(history=100)) as bot:
        IDiscriminating(bot.factory).add("mallory!*@*")
        mallory = await bot.servers["a"].user("mallory", channels=["#dev"])
        away = Away(bot)
        mallory.say("#dev", "spam")
        await away.saying("one")
        await bot.bob.hears("*one")
        await bot.settle()
        assert bot.hears(bot.bob) == ["<alice@a> one"]


async def test_a_connection_that_ends_before_we_are_quite_in_the_channel_hides_nothing(tmp_path, exact):
    async with relaying(tmp_path, a=Server(history=100)) as bot:
        await bot.says(bot.alice, "before")
        away = Away(bot)

        def join_and_die(connection, message):
            connection.send(":pynfo!pynfo@host JOIN #dev")
            connection.close()

        away.server.handle("JOIN", join_and_die)
        await away.saying("missed")
        await away.sees(UserJoined)
        away.server.handle("JOIN", None)
        await away.sees(ChannelSynced)
        await bot.bob.hears("*missed")
        assert bot.hears(bot.bob) == ["<alice@a> before", "<alice@a> missed"]


async def test_being_moved_out_and_in_at_once_keeps_the_order(tmp_path):
    async with relaying(tmp_path, a=Server(history=100)) as bot:
        away = Away(bot)
        asked = []
        away.server.handle(
            "CHATHISTORY", lambda connection, message: asked.append((connection, message)) or []
        )
        await away.saying("missed")
        await away.sees(ChannelSynced)
        async with asyncio.timeout(10):
            while not asked:
                await asyncio.sleep(0)
        connection, _ = asked.pop()
        # As SAPART and SAJOIN do: all of it arrives in one piece.
        me = bot.factory.clients["a"].state.me.mask
        names = ":irc.test 353 pynfo = #dev :pynfo alice\r\n:irc.test 366 pynfo #dev :End"
        connection.send(f":{me} PART #dev\r\n:{me} JOIN #dev\r\n{names}")
        await away.sees(ChannelSynced, 2)
        await bot.servers["a"].user("carol", channels=["#dev"])
        for _ in range(50):
            await asyncio.sleep(0)
        bot.alice.say("#dev", "after")
        for _ in range(200):
            await asyncio.sleep(0)
        assert bot.hears(bot.bob) == []
        away.server.handle("CHATHISTORY", None)
        for connection, message in asked:
            connection.answer(message)
        await bot.bob.hears("*after")
        assert bot.hears(bot.bob) == ["<alice@a> missed", "<alice@a> after"]


async def test_a_new_wire_does_not_hide_what_an_old_one_has_missed(tmp_path, exact):
    a, b = Server(history=100), Server()
    new = {"name": "new", "ports": ["a/#dev", "b/#other"]}
    async with relaying(tmp_path, a=a, b=b) as bot:
        await bot.says(bot.alice, "before")
        a.channels["#dev"].kept = True
    alice = await a.user("alice2", channels=["#dev"])
    await asyncio.sleep(0)
    alice.say("#dev", "missed")
    async with relaying(tmp_path, a=a, b=b, wires=[WIRE, new]) as bot:
        bob = bot.bob
        await bob.hears("*missed")
        assert bot.hears(bob) == ["<alice2@a> missed"]


async def test_each_absence_is_told_though_the_one_before_could_not_be_noted(tmp_path, monkeypatch):
    monkeypatch.setattr("plugins.relay.catching_up.SHORTEST", 0.0)
    monkeypatch.setattr("pynfo.services.history.SHORTEST", 0.0)
    async with relaying(tmp_path) as bot:
        away = Away(bot)
        flush = bot.relay.queue.flush
        never = asyncio.Event()
        bot.relay.queue.flush = never.wait  # the disk is slow
        await away.saying()
        await away.sees(ChannelSynced)
        async with asyncio.timeout(10):
            while "b/#dev" not in bot.relay.queue.ports() or not bot.relay.queue.ports()["b/#dev"].queued:
                await asyncio.sleep(0)
        (await away.server.connection(2)).abort()
        bot.relay.queue.flush = flush
        await away.sees(ChannelSynced, 2)
        await bot.settle()
        await bot.settle()
        assert len([text for text in bot.hears(bot.bob) if "could be carried" in text]) == 2


async def test_a_channel_that_gets_another_name_is_left_until_it_has_its_own_again(tmp_path):
    async with relaying(tmp_path) as bot:
        connection = await bot.servers["a"].connection(1)
        connection.send(":alice!alice@host RENAME #dev #new :why not")
        await bot.settle()
        assert "a/#dev" not in bot.relay.catching_up._joined
        await bot.says(bot.bob, "anybody?")
        connection.send(":alice!alice@host RENAME #new #dev :back")
        await bot.alice.hears("*anybody?")
        await bot.settle()
        assert bot.relay.catching_up._joined["a/#dev"].caught_up


async def test_what_happens_on_a_network_whose_clock_is_wrong_is_not_late(tmp_path):
    wire = WIRE | {"events": ["joins"]}
    behind = Server(clock=lambda: time.time() - 200.0)
    async with relaying(tmp_path, a=behind, wires=[wire]) as bot:
        carol = await bot.servers["a"].user("carol")
        carol.join("#dev")
        await bot.settle()
        assert bot.hears(bot.bob) == ["(a) carol joined"]


async def test_a_lane_never_reaches_into_the_future_of_a_wrong_clock(tmp_path):
    wire = WIRE | {"events": ["joins", "messages"]}
    async with relaying(tmp_path, a=Server(clock=lambda: time.time() + 200.0), wires=[wire]) as bot:
        carol = await bot.servers["a"].user("carol")
        carol.join("#dev")
        await bot.says(bot.alice, "hello")
        bot.relay.catching_up.beat()
        await bot.relay.queue.flush()
        past = bot.relay.queue.store.read()
        assert 0 < past.reached["relay", "dev a/#dev"] <= time.time() + 1.0


async def test_what_has_no_msgid_is_carried_once_though_clocks_are_compared_anew(tmp_path):
    async with relaying(tmp_path) as bot:
        (end,) = bot.relay.ends.at("a", "#dev")
        carrier, queue = bot.relay.carrier, bot.relay.queue
        clocks = carrier._history._clocks

        def heard(text, second):
            line = f"@time=2026-01-01T00:00:00.000Z :alice!alice@host PRIVMSG #dev :{text}"
            message = Message.parse(line.encode())
            return MessageReceived(
                network="a",
                time=time.time() // 60 * 60 - 60 + second,
                message=message,
                user=User("alice", "alice", "host"),
                target="#dev",
                channel="#dev",
                text=text,
            )

        lines = [heard("lol", 1.9), heard("lol", 1.95), heard("ok", 2.05), heard("lol", 2.1)]
        assert [carrier.carry(end, line) for line in lines] == [True] * 4
        for ahead in (0.3, -0.3):
            clocks._ahead["a"] = ahead
            block = queue.block()
            assert [carrier.carry(end, line, block=block) for line in lines] == [False] * 4


async def test_an_answer_to_what_has_no_msgid_there_is_one_in_words(tmp_path):
    async with relaying(tmp_path, plugins={"admin": {}}, b=Server(history=9)) as bot:
        await bot.says(bot.alice, "!ping")
        pong = await bot.bob.hears("*pong")
        await bot.says(bot.bob, "indeed", tags={"+draft/reply": pong.tags["msgid"]})
        answer = await bot.alice.hears("*indeed")
        assert "+draft/reply" not in answer.tags
        assert bot.hears(bot.alice)[-1] == "<bob@b> ↪ pynfo: indeed"


async def test_a_reaction_that_is_none_is_not_carried(tmp_path):
    async with relaying(tmp_path) as bot:
        await bot.says(bot.alice, "cake?")
        cake = await bot.bob.hears("*cake?")
        bot.bob.react("#dev", cake.tags["msgid"], "x" * 3000)
        bot.bob.react("#dev", cake.tags["msgid"], "🍰")
        line = await bot.alice.expect("*TAGMSG #dev")
        assert "+draft/react=🍰" in line
