"""Durable sending: what is put into a queue is said once, over lost connections and restarts."""

from __future__ import annotations

import asyncio
import sqlite3
import time

import pytest
from msgspec.structs import replace

from pynfo.interfaces import IEvents, IOperator, IOutbox
from pynfo.irc.events import NetworkDown
from pynfo.irc.message import Message
from pynfo.services.outbox_item import Item
from pynfo.services.outbox_lanes import Lanes
from pynfo.services.outbox_ledger import Ledger
from pynfo.services.state_database import StorageError
from pynfo.testing import Server
from pynfo.testing.bot import Bot, config_for
from pynfo.testing.puppet import said

TARGET = "test/#pynfo"
WAIT = 10.0  # seconds for anything that a test waits for


class Texts:
    """The owner of a queue whose data is the text, and what it was told."""

    def __init__(self):
        self.told = []
        self.news = asyncio.Event()

    def render(self, item, client, now):
        return [Message("PRIVMSG", ["#pynfo", line]) for line in item.data.decode().split("\n")]

    def confirmed(self, item, msgids):
        self.tell("confirmed", item.key, list(msgids))

    def refused(self, item, message, reason):
        return False

    def blocked(self, target, reason):
        self.tell("blocked", target, reason)

    def lost(self, target, items, reason):
        self.tell("lost", [item.key for item in items], reason)

    def tell(self, *what):
        self.told.append(what)
        self.news.set()

    async def hears(self, what, count=1):
        async with asyncio.timeout(WAIT):
            while len(found := [told for told in self.told if told[0] == what]) < count:
                self.news.clear()
                await self.news.wait()
        return found


def item(text, *, key=None, target=TARGET, hold=3600.0, **fields):
    now = time.time()
    return Item(target=target, key=key or text, data=text.encode(), time=now, expires=now + hold, **fields)


def rows(tmp_path, what="data, written, settled"):
    with sqlite3.connect(tmp_path / "outbox.sqlite") as connection:
        return connection.execute(f"SELECT {what} FROM item ORDER BY id").fetchall()


def heard(bot):
    return [said(Message.parse(line.encode())) for line in bot.user.heard if " PRIVMSG #pynfo " in line]


async def until(condition):
    async with asyncio.timeout(WAIT):
        while not condition():
            await asyncio.sleep(0)


class TestSaying:
    async def test_a_durable_text_is_said_and_its_msgid_is_known(self, tmp_path):
        async with Bot.running(config_for(tmp_path)) as bot:
            msgids = await IOutbox(bot.factory).say(TARGET, "hello", durable=True)
            line = await bot.user.hears("hello")
            assert msgids == [line.tags["msgid"]]

    async def test_it_is_on_disk_before_it_is_said(self, tmp_path):
        async with Bot.running(config_for(tmp_path)) as bot:
            found = []
            bot.server.handle("PRIVMSG", lambda connection, message: found.append(rows(tmp_path)))
            IOutbox(bot.factory).say(TARGET, "hello", durable=True)
            await until(lambda: found)
            ((data, written, settled),) = found[0]
            assert b"hello" in data
            assert written > 0
            assert settled is None

    async def test_what_is_said_leaves_no_text_on_disk(self, tmp_path):
        async with Bot.running(config_for(tmp_path)) as bot:
            await IOutbox(bot.factory).say(TARGET, "hello", durable=True)
        assert [(data, settled is not None) for data, _, settled in rows(tmp_path)] == [(None, True)]

    async def test_a_key_is_said_once(self, tmp_path):
        async with Bot.running(config_for(tmp_path)) as bot:
            outbox = IOutbox(bot.factory)
            first = await outbox.say(TARGET, "hello", durable=True, key="greeting")
            assert await outbox.say(TARGET, "hello again", durable=True, key="greeting") == first
            await bot.settle()
            assert heard(bot) == ["hello"]
        async with Bot.running(config_for(tmp_path)) as bot:
            again = await IOutbox(bot.factory).say(TARGET, "hello", durable=True, key="greeting")
            assert again == first
            await bot.settle()
            assert heard(bot) == []

    async def test_without_echo_the_pong_to_a_ping_behind_it_confirms(self, tmp_path):
        async with Bot.running(config_for(tmp_path), server=Server(capabilities={})) as bot:
            pings = []
            bot.server.handle("PING", lambda connection, message: pings.append((connection, message)) or [])
            delivery = IOutbox(bot.factory).say(TARGET, "hello", durable=True)
            await bot.user.hears("hello")
            await until(lambda: pings)
            assert not delivery.done
            connection, ping = pings[0]
            connection.send(f":irc.test PONG irc.test {ping.params[0]}")
            assert await delivery == [None]

    async def test_where_lines_are_paced_a_ping_does_not_go_in_place_of_each_second_one(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.setattr("pynfo.services.outbox_confirming.AFTER", 0.01)
        config = config_for(tmp_path)
        config.networks[0] = replace(config.networks[0], messages_per_second=100.0, burst=1)
        owner = Texts()
        async with Bot.running(config, server=Server(capabilities={})) as bot:
            pings = []
            bot.server.handle("PING", lambda connection, ping: pings.append(ping) or connection.answer(ping))
            IOutbox(bot.factory).queue("test", owner).put([item(f"n{n}") for n in range(30)])
            await owner.hears("confirmed", 30)
            assert heard(bot) == [f"n{n}" for n in range(30)]
            assert len(pings) <= 5

    async def test_a_key_that_no_file_takes_is_refused_at_once(self, tmp_path):
        async with Bot.running(config_for(tmp_path)) as bot:
            with pytest.raises(ValueError):
                IOutbox(bot.factory).say(TARGET, "hello", durable=True, key="\ud800")
            await IOutbox(bot.factory).say(TARGET, "hello", durable=True)


class TestOutages:
    async def test_what_is_said_while_the_network_is_away_waits(self, tmp_path):
        async with Bot.running(config_for(tmp_path)) as bot:
            gone = asyncio.Event()
            IEvents(bot.factory).subscribe(NetworkDown, lambda event: gone.set())
            (await bot.server.connection(1)).close()
            await gone.wait()
            deliveries = [IOutbox(bot.factory).say(TARGET, f"n{n}", durable=True) for n in range(50)]
            async with asyncio.timeout(WAIT):
                for delivery in deliveries:
                    await delivery
            assert heard(bot) == [f"n{n}" for n in range(50)]

    async def test_what_waits_is_said_after_a_restart(self, tmp_path):
        owner = Texts()
        async with Bot.running(config_for(tmp_path)) as bot:
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.hold("lane", "for now")
            queue.put([item(f"n{n}", lane="lane") for n in range(3)])
            await queue.flush()
        async with Bot.running(config_for(tmp_path)) as bot:
            IOutbox(bot.factory).queue("test", owner)
            await owner.hears("confirmed", 3)
            assert heard(bot) == ["n0", "n1", "n2"]

    async def test_what_is_in_doubt_is_looked_up_in_the_history(self, tmp_path):
        owner = Texts()
        async with Bot.running(config_for(tmp_path), server=Server(history=50)) as bot:

            def broken_off(connection, message):
                if message.params[1] == "two":
                    connection.answer(message)  # others hear it, and its echo is lost
                if message.params[1] in ("two", "three"):
                    connection.abort()
                else:
                    connection.answer(message)

            bot.server.handle("PRIVMSG", broken_off)
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.put([item("one"), item("two"), item("three"), item("four")])
            await until(lambda: bot.server.open_connections == [])
            bot.server.handle("PRIVMSG", None)
            await owner.hears("confirmed", 4)
            await bot.settle()
            assert heard(bot) == ["one", "two", "three", "four"]
            assert all(msgids[0] for _, _, msgids in owner.told)

    @pytest.mark.parametrize("once", [False, True])
    async def test_where_nobody_can_tell_the_item_says_what_is_better(self, tmp_path, once):
        owner = Texts()
        async with Bot.running(config_for(tmp_path), server=Server(capabilities={})) as bot:
            bot.server.handle("PRIVMSG", lambda connection, message: connection.abort())
            IOutbox(bot.factory).queue("test", owner).put([item("one", once=once)])
            await until(lambda: bot.server.open_connections == [])
            bot.server.handle("PRIVMSG", None)
            if once:
                assert await owner.hears("lost") == [
                    ("lost", ["one"], "nobody can tell whether they were said")
                ]
                assert heard(bot) == []
            else:
                await bot.user.hears("one")
                await owner.hears("confirmed")

    async def test_after_a_restart_nothing_in_doubt_is_said_twice(self, tmp_path):
        owner = Texts()
        server = Server(history=50)
        async with Bot.running(config_for(tmp_path), server=server) as bot:
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.put([item("one")])
            await owner.hears("confirmed")
            queue.put([item("two")])
            await owner.hears("confirmed", 2)
            server.channels["#pynfo"].kept = True  # with its history
        with sqlite3.connect(tmp_path / "outbox.sqlite") as connection:  # as it was before the echo came
            connection.execute("UPDATE item SET settled = NULL, data = CAST('two' AS BLOB) WHERE key = 'two'")
            connection.execute("DELETE FROM copy WHERE item = (SELECT id FROM item WHERE key = 'two')")
        server.accepting = True
        async with Bot.running(config_for(tmp_path), server=server, nick="bob") as bot:
            IOutbox(bot.factory).queue("test", owner)
            await owner.hears("confirmed", 3)
            await bot.settle()
            assert heard(bot) == []

    async def test_what_a_network_that_hangs_has_said_is_not_said_twice(self, tmp_path):
        owner = Texts()
        async with Bot.running(config_for(tmp_path), server=Server(history=50)) as bot:

            def say_and_hang(connection, message):
                bot.server.handle("PRIVMSG", None)
                connection.answer(Message(message.command, message.params))  # without the label

            bot.server.handle("PRIVMSG", say_and_hang)
            IOutbox(bot.factory).queue("test", owner).put([item("one")])
            await bot.user.hears("one")
            client = bot.factory.clients["test"]
            client.session.labels.expire(client.time() + 61.0)  # a minute has passed
            await owner.hears("confirmed")
            await bot.settle()
            assert heard(bot) == ["one"]

    async def test_what_a_network_never_confirms_is_given_up_in_the_end(self, tmp_path):
        owner = Texts()
        server = Server(capabilities={"echo-message": "", "message-tags": ""})
        async with Bot.running(config_for(tmp_path), server=server) as bot:
            swallowed = []
            bot.server.handle("PRIVMSG", lambda connection, message: swallowed.append(message) or [])
            IOutbox(bot.factory).queue("test", owner).put([item("one")])
            client = bot.factory.clients["test"]
            for times in (1, 2, 3):
                await until(lambda times=times: len(swallowed) == times)
                client.sender.echoes.expire(client.time() + 61.0)
            assert await owner.hears("lost") == [("lost", ["one"], "the network does not confirm them")]
            await bot.settle()
            assert len(swallowed) == 3

    async def test_a_tail_is_not_settled_while_the_network_is_away_again(self, tmp_path):
        owner = Texts()
        async with Bot.running(config_for(tmp_path), server=Server(history=50)) as bot:

            def broken_off(connection, message):
                connection.answer(message)
                connection.abort()

            bot.server.handle("PRIVMSG", broken_off)
            asked = []

            def away_again(connection, message):
                asked.append(message)
                bot.server.handle("CHATHISTORY", None)
                connection.abort()

            bot.server.handle("CHATHISTORY", away_again)
            IOutbox(bot.factory).queue("test", owner).put([item("one")])
            await until(lambda: asked)
            bot.server.handle("PRIVMSG", None)
            await owner.hears("confirmed")
            await bot.settle()
            assert heard(bot) == ["one"]

    async def test_what_is_in_doubt_can_be_withdrawn_while_the_network_is_asked(self, tmp_path):
        owner = Texts()
        async with Bot.running(config_for(tmp_path), server=Server(history=50)) as bot:
            bot.server.handle("PRIVMSG", lambda connection, message: connection.abort())
            asked = []
            bot.server.handle(
                "CHATHISTORY", lambda connection, message: asked.append((connection, message)) or []
            )
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.put([item("mine"), item("yours")])
            await until(lambda: asked)
            bot.server.handle("PRIVMSG", None)
            assert queue.ports()[TARGET].queued == 2
            assert len(queue.withdraw(lambda item: item.data == b"mine")) == 1
            bot.server.handle("CHATHISTORY", None)
            connection, message = asked[0]
            connection.answer(message)
            await owner.hears("confirmed")
            await bot.settle()
            assert heard(bot) == ["yours"]

    async def test_a_plugin_that_goes_while_the_network_is_asked_loses_nothing(self, tmp_path):
        owner = Texts()
        async with Bot.running(config_for(tmp_path), server=Server(history=50)) as bot:
            bot.server.handle("PRIVMSG", lambda connection, message: connection.abort())
            asked = []
            bot.server.handle("CHATHISTORY", lambda connection, message: asked.append(message) or [])
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.put([item("one")])
            await until(lambda: asked)
            bot.server.handle("PRIVMSG", None)
            bot.server.handle("CHATHISTORY", None)
            queue.close()
            task = next(task for task in asyncio.all_tasks() if "settle_tail" in repr(task.get_coro()))
            task.cancel()  # as it is with what a plugin has begun
            await until(task.done)
            IOutbox(bot.factory).queue("test", owner)
            await owner.hears("confirmed")
            assert heard(bot) == ["one"]


class TestOrderAndBounds:
    async def test_a_block_goes_before_what_was_put_after_it(self, tmp_path):
        owner = Texts()
        async with Bot.running(config_for(tmp_path)) as bot:
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.hold("lane", "history comes")
            block = queue.block()
            queue.put([item("live", lane="lane")])
            queue.put([item("old 1", lane="lane"), item("old 2", lane="lane")], block=block)
            await queue.flush()
            queue.release("lane", "history comes")
            await owner.hears("confirmed", 3)
            assert heard(bot) == ["old 1", "old 2", "live"]

    async def test_a_lane_that_is_held_back_does_not_hold_back_another(self, tmp_path):
        owner = Texts()
        async with Bot.running(config_for(tmp_path)) as bot:
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.hold("slow", "paused")
            queue.put([item("slow", lane="slow"), item("quick", lane="quick")])
            await owner.hears("confirmed")
            assert heard(bot) == ["quick"]
            assert queue.ports()[TARGET].queued == 1
            queue.release("slow", "paused")
            await bot.user.hears("slow")

    async def test_people_go_before_noise_and_noise_is_dropped_where_much_waits(self, tmp_path):
        owner = Texts()
        async with Bot.running(config_for(tmp_path)) as bot:
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.hold("", "paused")
            queue.put([item("noise", noise=True), item("word")])
            await queue.flush()
            queue.release("", "paused")
            await owner.hears("confirmed", 2)
            assert heard(bot) == ["word", "noise"]
            queue.hold("", "paused")
            queue.put([item("more noise", noise=True)] + [item(f"n{n}") for n in range(30)])
            await queue.flush()
            queue.release("", "paused")
            await owner.hears("confirmed", 32)
            await bot.settle()
            assert "more noise" not in heard(bot)
            assert queue.ports()[TARGET].noise_dropped == 1

    async def test_past_the_bound_the_oldest_are_given_up_and_that_is_told(self, tmp_path, monkeypatch):
        monkeypatch.setattr("pynfo.services.outbox_lanes.LIMIT", 10)
        owner = Texts()
        async with Bot.running(config_for(tmp_path)) as bot:
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.hold("", "paused")
            queue.put([item(f"n{n}") for n in range(12)])
            assert await owner.hears("lost") == [("lost", ["n0", "n1"], "too many waited")]
            queue.release("", "paused")
            await owner.hears("confirmed", 10)
            assert heard(bot) == [f"n{n}" for n in range(2, 12)]
            assert queue.ports()[TARGET].lost == 2

    async def test_what_has_waited_for_too_long_is_given_up_and_that_is_told(self, tmp_path):
        owner = Texts()
        async with Bot.running(config_for(tmp_path)) as bot:
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.put([item("late", hold=-1), item("later", hold=-1), item("fresh")])
            assert await owner.hears("lost") == [("lost", ["late", "later"], "they waited for too long")]
            await owner.hears("confirmed")
            assert heard(bot) == ["fresh"]

    async def test_what_is_withdrawn_is_neither_said_nor_on_disk(self, tmp_path):
        owner = Texts()
        async with Bot.running(config_for(tmp_path)) as bot:
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.hold("", "paused")
            queue.put([item("mine 1", key="a", about=b"me"), item("yours")])
            await queue.flush()
            queue.put([item("mine 2", key="b", about=b"me")])  # on its way to the disk
            assert len(queue.withdraw(lambda item: b"mine" in item.data)) == 2
            await queue.forget(lambda about: about == b"me")
            content = b"".join(file.read_bytes() for file in tmp_path.glob("outbox.sqlite*"))
            assert b"yours" in content
            assert b"mine" not in content
            assert b"me" not in [about for _, about in rows(tmp_path, "key, about")]
            queue.release("", "paused")
            await owner.hears("confirmed")
            assert heard(bot) == ["yours"]

    async def test_what_was_given_up_is_not_kept_in_memory_while_nothing_can_be_said(self):
        lanes = Lanes()
        for number in range(50):
            lanes.push(item(f"n{number}", id=number, lane="dead", noise=bool(number % 2)))
        assert len(lanes.remove(lambda item: item.id != 7)) == 49
        (lane,) = lanes._lanes.values()
        assert lane.talk + lane.noise == [(7, next(iter(lanes)))]

    async def test_what_a_new_owner_holds_back_at_once_is_not_said(self, tmp_path):
        async with Bot.running(config_for(tmp_path)) as bot:
            outbox = IOutbox(bot.factory)
            queue = outbox.queue("test", Texts())
            queue.hold("lane", "paused")
            queue.put([item(f"n{n}", lane="lane") for n in range(3)])
            await queue.flush()
            queue.close()
            owner = Texts()
            outbox.queue("test", owner)  # as where a plugin is reloaded
            queue.hold("lane", "paused")
            queue.put([item("free")])
            await owner.hears("confirmed")
            assert heard(bot) == ["free"]
            assert queue.ports()[TARGET].queued == 3

    async def test_holding_a_lane_back_holds_for_what_was_next(self, tmp_path):
        owner = Texts()
        async with Bot.running(config_for(tmp_path)) as bot:
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.hold("lane", "for now")
            queue.put([item(f"n{n}", lane="lane") for n in range(3)])
            await queue.flush()
            queue.release("lane", "for now")  # they are being marked on disk
            queue.hold("lane", "paused")
            queue.put([item("free")])
            await bot.user.hears("free")
            assert heard(bot) == ["free"]
            queue.release("lane", "paused")
            await owner.hears("confirmed", 4)
            assert heard(bot) == ["free", "n0", "n1", "n2"]


class TestRefusals:
    async def test_what_the_network_refuses_alone_is_given_up(self, tmp_path):
        owner = Texts()
        async with Bot.running(config_for(tmp_path)) as bot:

            def censor(connection, message):
                if "bad" in message.params[1]:
                    return f"@label={message.tags['label']} :irc.test 404 pynfo #pynfo :It is blocked"
                return connection.answer(message)

            bot.server.handle("PRIVMSG", censor)
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.put([item("good 1"), item("bad"), item("good 2")])
            assert await owner.hears("lost") == [("lost", ["bad"], "test refuses them")]
            await owner.hears("confirmed", 2)
            assert heard(bot) == ["good 1", "good 2"]

    async def test_where_everything_is_refused_it_waits_in_order(self, tmp_path, monkeypatch):
        monkeypatch.setattr("pynfo.services.outbox_port.WAITS", (0.0,))
        owner = Texts()
        async with Bot.running(config_for(tmp_path)) as bot:
            bot.user.mode("#pynfo", "+m")
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.put([item(f"n{n}") for n in range(5)])
            await owner.hears("blocked", 3)
            assert queue.ports()[TARGET].queued == 5
            assert "Cannot send" in queue.ports()[TARGET].problem
            bot.user.mode("#pynfo", "-m")
            await owner.hears("confirmed", 5)
            assert heard(bot) == [f"n{n}" for n in range(5)]
            assert owner.told[-5][0:3] == ("blocked", TARGET, None) or ("blocked", TARGET, None) in owner.told


class TestDisk:
    async def test_while_the_file_is_locked_it_waits_and_the_operator_is_told(self, tmp_path, monkeypatch):
        monkeypatch.setattr("pynfo.services.outbox_store.LOCK_WAIT", 0.01)
        monkeypatch.setattr("pynfo.services.outbox_store.RETRY_LONGEST", 0.01)
        owner = Texts()
        async with Bot.running(config_for(tmp_path)) as bot:
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.put([item("before")])
            await owner.hears("confirmed")
            with sqlite3.connect(tmp_path / "outbox.sqlite", isolation_level=None) as other:
                other.execute("BEGIN IMMEDIATE")
                queue.put([item("meanwhile")])
                operator = IOperator(bot.factory)
                await until(lambda: "locked" in operator.matters().get("outbox", ""))
                assert heard(bot) == ["before"]
                other.execute("ROLLBACK")
            other.close()
            await owner.hears("confirmed", 2)
            await until(lambda: "outbox" not in operator.matters())
            assert heard(bot) == ["before", "meanwhile"]

    async def test_a_key_that_only_the_file_remembers_stops_nothing(self, tmp_path):
        owner = Texts()
        async with Bot.running(config_for(tmp_path)) as bot:
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.put([item("one")])
            await owner.hears("confirmed")
            queue.ledger = Ledger()  # so much was said since that it is forgotten
            queue.put([item("one")])
            await owner.hears("confirmed", 2)
            await queue.flush()
            assert [settled is not None for _, _, settled in rows(tmp_path)] == [True]
            assert rows(tmp_path, "(SELECT msgid FROM copy WHERE item = id)") == [(owner.told[1][2][0],)]

    async def test_a_file_that_is_none_is_one_sentence(self, tmp_path):
        (tmp_path / "outbox.sqlite").write_bytes(b"this is no database, but has many bytes " * 50)
        with pytest.raises(StorageError, match=r"outbox.sqlite cannot be read .* move the file away"):
            async with Bot.running(config_for(tmp_path)):
                pass

    async def test_another_owner_goes_on_with_what_the_last_one_left(self, tmp_path):
        async with Bot.running(config_for(tmp_path)) as bot:
            queue = IOutbox(bot.factory).queue("test", Texts())
            with pytest.raises(ValueError, match="has an owner already"):
                IOutbox(bot.factory).queue("test", Texts())
            queue.hold("", "paused")
            queue.put([item("left")])
            await queue.flush()
            queue.close()
            IOutbox(bot.factory).queue("test", Texts())
            await bot.user.hears("left")

    async def test_one_that_cannot_be_rendered_is_given_up_and_the_others_go_on(self, tmp_path):
        class Broken(Texts):
            def render(self, item, client, now):
                if item.key == "broken":
                    raise ValueError("no such thing")
                return super().render(item, client, now)

        async with Bot.running(config_for(tmp_path)) as bot:
            owner = Broken()
            IOutbox(bot.factory).queue("test", owner).put([item("broken"), item("whole")])
            await bot.user.hears("whole")
            assert heard(bot) == ["whole"]
            assert owner.told[0] == ("lost", ["broken"], "they cannot be said there")

    async def test_an_owner_that_fails_when_it_is_told_something_stops_nothing(self, tmp_path):
        class Broken(Texts):
            def tell(self, *what):
                super().tell(*what)
                raise ValueError("no such thing")

        async with Bot.running(config_for(tmp_path)) as bot:
            bot.server.handle(
                "PRIVMSG", lambda connection, message: f"@label={message.tags['label']} FAIL X Y :no"
            )
            owner = Broken()
            queue = IOutbox(bot.factory).queue("test", owner)
            queue.put([item("late", hold=-1), item("refused")])
            await owner.hears("blocked")
            bot.server.handle("PRIVMSG", None)
            queue.put([item("two")])
            await owner.hears("confirmed", 2)
            assert heard(bot) == ["refused", "two"]

    async def test_a_text_of_which_nothing_is_left_is_done(self, tmp_path):
        async with Bot.running(config_for(tmp_path)) as bot:
            async with asyncio.timeout(WAIT):
                assert await IOutbox(bot.factory).say(TARGET, "\n", durable=True) == [None]
