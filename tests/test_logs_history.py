"""What was said while the bot was away: fetched from the network, or shown as a gap."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import deque
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module

import pytest

from plugins.logs.history import IFilling
from plugins.logs.interfaces import IArchive
from pynfo.interfaces import IHistory, IOutbox
from pynfo.irc.message import Message
from pynfo.irc.settings import ChannelSettings, NetworkSettings
from pynfo.testing import Server
from pynfo.testing.bot import CHANNEL, NETWORK, config_for
from tests.logs_bot import PLACE, Synced, before, config, factory_on, filled, gaps, kept, line, settled, texts

NEAR = 2.0  # seconds between two readings of one moment

KEPT_BY_SERVER = 2000


def stamp(at):
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def told(text, at, msgid, *, nick="alice", command="PRIVMSG", channel=CHANNEL, **tags):
    """A line as a server remembers it."""
    params = [channel, text]
    return Message(command, params, f"{nick}!{nick}@{nick}.test", {"time": stamp(at), "msgid": msgid, **tags})


@asynccontextmanager
async def serving(*remembered, channel=CHANNEL, history=KEPT_BY_SERVER, **options):
    """A server that remembers these lines of the channel."""
    async with Server(history=history, **options) as server:
        server.channel(channel).history.extend(remembered)
        yield server


def asked(server, command="CHATHISTORY"):
    """What all connections so far have asked for."""
    lines = [text for connection in server._connections.values() for text in connection.received]
    return [text for text in lines if f"{command} " in text]


def near(gap, start, end):
    return abs(gap.start - start) < NEAR and abs(gap.end - end) < NEAR


# -- while the bot was away


async def test_what_was_said_while_the_bot_was_away_is_fetched_and_marked(tmp_path):
    now = time.time()
    known = told("known", now - 610, "m1")
    await before(tmp_path, line("known", now - 610, msgid="m1"), known=now - 600)
    missed = [told("missed", now - 500, "m2"), told("also missed", now - 100, "m3", account="Al")]
    async with serving(known, *missed) as server, factory_on(server, config(tmp_path)) as factory:
        lines = await kept(factory, "message")
        assert [(one.text, one.fetched) for one in lines] == [
            ("known", False),
            ("missed", True),
            ("also missed", True),
        ]
        assert [one.account for one in lines] == [None, None, "Al"]
        assert abs(lines[1].time - (now - 500)) < 0.01
        assert lines[1].identity
    assert gaps(tmp_path) == []


async def test_more_than_a_page_is_fetched_in_pages_without_doubles_and_in_order(tmp_path):
    now = time.time()
    await before(tmp_path, line("line 0", now - 1000, msgid="x0"), known=now - 1000)
    said = [told(f"line {number}", now - 1000 + number / 4, f"x{number}") for number in range(1205)]
    async with serving(*said) as server, factory_on(server, config(tmp_path)) as factory:
        assert await texts(factory) == [f"line {number}" for number in range(1205)]
        questions = asked(server)
    assert gaps(tmp_path) == []
    assert 12 <= len(questions) <= 15
    assert "msgid=" in questions[2]


@pytest.mark.parametrize("without", ["labeled-response", "msgid"])
async def test_neither_labels_nor_message_ids_are_needed(tmp_path, without):
    now = time.time()
    await before(tmp_path, line("line 0", now - 1000, msgid="x0"), known=now - 1000)
    said = [told(f"line {number // 2}", now - 1000 + number // 2, f"x{number}") for number in range(450)]
    async with serving(*said, isupport={"MSGREFTYPES": "timestamp"}) as server:
        server.capabilities.pop(without, None)
        async with factory_on(server, config(tmp_path)) as factory:
            lines = await texts(factory)
    assert lines == [f"line {number // 2}" for number in range(450)]
    assert gaps(tmp_path) == []


async def test_a_channel_that_was_quiet_for_days_has_no_gap(tmp_path):
    now = time.time()
    known = told("good night", now - 5 * 86400, "m1")
    await before(tmp_path, line("good night", now - 5 * 86400, msgid="m1"), known=now - 60)
    async with serving(known) as server, factory_on(server, config(tmp_path)) as factory:
        assert await texts(factory) == ["good night"]
    assert gaps(tmp_path) == []


async def test_what_the_server_has_forgotten_is_a_gap(tmp_path):
    now = time.time()
    await before(tmp_path, line("known", now - 610, msgid="m1"), known=now - 600)
    left = [told("later", now - 100, "m8"), told("last", now - 50, "m9")]
    async with serving(*left) as server, factory_on(server, config(tmp_path)) as factory:
        assert await texts(factory) == ["known", "later", "last"]
    [gap] = gaps(tmp_path)
    assert near(gap, now - 600, now - 100)


async def test_a_server_that_has_forgotten_everything_leaves_a_gap(tmp_path):
    now = time.time()
    await before(tmp_path, line("known", now - 610, msgid="m1"), known=now - 600)
    async with serving() as server, factory_on(server, config(tmp_path)):
        pass
    [gap] = gaps(tmp_path)
    assert near(gap, now - 600, now)


async def test_without_history_the_time_away_is_a_gap_that_begins_with_the_last_line(tmp_path):
    now = time.time()
    await before(tmp_path, line("known", now - 580, msgid="m1"), known=now - 600)
    async with serving(history=0) as server, factory_on(server, config(tmp_path)) as factory:
        assert await texts(factory) == ["known"]
        assert await IArchive(factory).known_until(PLACE) > now - NEAR
    [gap] = gaps(tmp_path)
    assert near(gap, now - 580, now)


async def test_what_was_heard_before_an_earlier_gap_was_filled_does_not_hide_it(tmp_path):
    now = time.time()
    heard = line("known", now - 580, msgid="m1"), line("of a bot that died at once", now - 100, msgid="m2")
    await before(tmp_path, *heard, known=now - 600)
    async with serving(history=0) as server, factory_on(server, config(tmp_path)):
        pass
    [gap] = gaps(tmp_path)
    assert near(gap, now - 580, now)


async def test_nothing_of_before_the_bot_was_told_to_keep_a_channel_is_fetched(tmp_path):
    now = time.time()
    async with (
        serving(told("long before", now - 600, "m1")) as server,
        factory_on(server, config(tmp_path)) as factory,
    ):
        assert await texts(factory) == []
        assert asked(server) == []
        assert await IArchive(factory).known_until(PLACE) > now - NEAR
    assert gaps(tmp_path) == []


async def test_history_of_two_networks_is_kept_apart(tmp_path):
    now = time.time()
    places = {"one/#pynfo": {}, "two/#pynfo": {}}
    networks = [
        NetworkSettings(
            name=name,
            servers=[("in-process", 6667)],
            tls=False,
            messages_per_second=None,
            channels=[ChannelSettings(CHANNEL)],
        )
        for name in ("one", "two")
    ]
    settings = config_for(tmp_path, networks=networks, plugins={"logs": {"channels": places}})
    for place in places:
        await before(
            tmp_path, line("known", now - 610, msgid="m1", place=place), known=now - 600, place=place
        )
    async with (
        serving(told("known", now - 610, "m1"), told("on one", now - 60, "m2")) as one,
        serving(told("known", now - 610, "m1"), told("on two", now - 60, "m2")) as two,
    ):
        servers = {"one": one, "two": two}

        class Both:
            async def connect(self, protocol_factory, settings, *arguments):
                return await servers[settings.name].connect(protocol_factory)

        async with factory_on(Both(), settings) as factory:
            await filled(factory)
            assert await texts(factory, place="one/#pynfo") == ["known", "on one"]
            assert await texts(factory, place="two/#pynfo") == ["known", "on two"]


# -- lost links, restarts, kills


async def test_after_a_lost_link_what_was_said_meanwhile_is_there(tmp_path):
    away = 0.0
    async with serving(clock=lambda: time.time() + away) as server:
        alice = await server.user("alice", channels=[CHANNEL])
        async with factory_on(server, config(tmp_path)) as factory:
            alice.say(CHANNEL, "one")
            assert await texts(factory) == ["one"]
            synced = Synced(factory)
            [connection] = server.open_connections
            connection.abort()
            await connection.wait_closed()
            away = 100.0
            alice.say(CHANNEL, "two")
            await synced.next()
            alice.say(CHANNEL, "three")
            await filled(factory)
            lines = await kept(factory, "message")
        assert [(one.text, one.fetched) for one in lines] == [
            ("one", False),
            ("two", True),
            ("three", False),
        ]
    assert gaps(tmp_path) == []


async def test_after_a_restart_what_was_said_meanwhile_is_there(tmp_path):
    async with serving() as server:
        alice = await server.user("alice", channels=[CHANNEL])
        async with factory_on(server, config(tmp_path)) as factory:
            alice.say(CHANNEL, "one")
            await settled(factory)
        alice.say(CHANNEL, "two")
        async with factory_on(server, config(tmp_path)) as factory:
            alice.say(CHANNEL, "three")
            assert await texts(factory) == ["one", "two", "three"]
    assert gaps(tmp_path) == []


async def test_lines_that_a_killed_bot_had_not_written_come_back_once(tmp_path):
    async with serving() as server:
        alice = await server.user("alice", channels=[CHANNEL])
        async with factory_on(server, config(tmp_path / "killed")) as factory:
            alice.say(CHANNEL, "one")
            assert await texts(factory) == ["one"]
            shutil.copytree(tmp_path / "killed", tmp_path / "left")  # what a kill leaves behind here
            alice.say(CHANNEL, "two")
            await settled(factory)
        async with factory_on(server, config(tmp_path / "left")) as factory:
            assert await texts(factory) == ["one", "two"]
    assert gaps(tmp_path / "left") == []


async def test_a_bot_that_dies_while_it_fetches_goes_on_from_there(tmp_path):
    now = time.time()
    await before(tmp_path, line("line 0", now - 1000, msgid="x0"), known=now - 1000)
    said = [told(f"line {number}", now - 1000 + number, f"x{number}") for number in range(500)]
    async with serving(*said) as server:
        pages = 0

        def twice(connection, message):
            nonlocal pages
            pages += 1
            if pages <= 2:
                connection.answer(message)

        server.handle("CHATHISTORY", twice)
        async with serving_bot(server, tmp_path) as factory:
            while pages < 3:
                await asyncio.sleep(0)
            alice = await server.user("alice", channels=[CHANNEL])
            alice.say(CHANNEL, "live")
            await settled(factory)
        server.handle("CHATHISTORY", None)
        questions = len(asked(server))
        async with factory_on(server, config(tmp_path)) as factory:
            assert await texts(factory) == [*(f"line {number}" for number in range(500)), "live"]
        assert stamp(now - 1030)[:-5] not in asked(server)[questions]
    assert gaps(tmp_path) == []


@asynccontextmanager
async def serving_bot(server, folder):
    """A bot in its channel, whose history has not all come."""
    from pynfo.factory import Factory

    factory = Factory(config(folder), connect=server.connect)
    synced = Synced(factory)
    await factory.start()
    try:
        await synced.next()
        yield factory
    finally:
        await factory.stop()


async def test_lines_said_while_history_is_fetched_are_there_once_and_in_order(tmp_path):
    now = time.time()
    await before(tmp_path, line("known", now - 610, msgid="k"), known=now - 600)
    async with serving(told("known", now - 610, "k"), told("missed", now - 300, "m")) as server:
        alice = await server.user("alice", channels=[CHANNEL])

        def slowly(connection, message):
            alice.say(CHANNEL, f"live {len(asked(server))}")
            connection.answer(message)

        server.handle("CHATHISTORY", slowly)
        async with factory_on(server, config(tmp_path)) as factory:
            lines = await texts(factory)
            count = len(asked(server))
    assert lines == ["known", "missed", *(f"live {number + 1}" for number in range(count))]
    assert gaps(tmp_path) == []


@pytest.mark.parametrize("how", ["parted", "kicked"])
async def test_the_time_out_of_the_channel_is_a_gap(tmp_path, how):
    away = 0.0
    async with serving(history=0, clock=lambda: time.time() + away) as server:
        alice = await server.user("alice", channels=[CHANNEL])
        async with factory_on(server, config(tmp_path)) as factory:
            server.mode(CHANNEL, "+o", "alice")
            alice.say(CHANNEL, "before")
            await settled(factory)
            synced = Synced(factory)
            client = factory.clients[NETWORK]
            if how == "parted":
                client.part(CHANNEL)
                await alice.expect(":pynfo!* PART *")
            else:
                alice.kick(CHANNEL, "pynfo", "out")
            alice.say(CHANNEL, "meanwhile")
            await settled(factory)
            out, away = time.time(), 100.0
            client.join(CHANNEL)
            await synced.next()
            await filled(factory)
            assert await texts(factory) == ["before"]
    [gap] = gaps(tmp_path)
    assert near(gap, out, out + 100)


async def test_a_gap_of_a_moment_is_not_shown(tmp_path):
    now = time.time()
    await before(tmp_path, line("known", now - 1, msgid="m1"), known=now - 0.5)
    async with serving(history=0) as server, factory_on(server, config(tmp_path)):
        pass
    assert gaps(tmp_path) == []


async def test_a_plugin_that_is_loaded_in_a_channel_fetches_what_it_missed(tmp_path):
    async with serving() as server:
        alice = await server.user("alice", channels=[CHANNEL])
        async with factory_on(server, config(tmp_path)) as factory:
            alice.say(CHANNEL, "one")
            await settled(factory)
            await factory.plugins.unload("logs")
            alice.say(CHANNEL, "two")
            await settled(factory)
            server.mode(CHANNEL, "+o", "alice")
            alice.topic(CHANNEL, "News")
            await settled(factory)
            await factory.plugins.load("logs")
            await filled(factory)
            alice.say(CHANNEL, "three")
            assert await texts(factory) == ["one", "two", "three"]
            async with asyncio.timeout(5):
                while (await IArchive(factory).channel(PLACE)).topic != "News":
                    await asyncio.sleep(0)
    assert gaps(tmp_path) == []


# -- how far it is known


async def test_a_heartbeat_tells_the_archive_how_far_all_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr("plugins.logs.history.QUIET", -1.0)
    async with serving() as server, factory_on(server, config(tmp_path)) as factory:
        first, pings = await IArchive(factory).known_until(PLACE), len(asked(server, "PING"))
        monkeypatch.setattr("plugins.logs.history.PONG_WAIT", 0.05)
        await IFilling(factory).beat()
        second = await IArchive(factory).known_until(PLACE)
        assert first < second <= time.time()
        assert len(asked(server, "PING")) == pings + 1


async def test_while_history_is_fetched_nothing_is_claimed_to_be_known(tmp_path):
    now = time.time()
    await before(tmp_path, known=now - 600)
    async with serving() as server:
        server.handle("CHATHISTORY", lambda connection, message: None)
        async with serving_bot(server, tmp_path) as factory:
            await IFilling(factory).beat()
            assert abs(await IArchive(factory).known_until(PLACE) - (now - 600)) < 0.001
    assert gaps(tmp_path) == []


async def test_a_dead_link_is_known_only_until_it_was_last_heard(tmp_path, monkeypatch):
    async with serving() as server, factory_on(server, config(tmp_path)) as factory:
        client = factory.clients[NETWORK]
        monkeypatch.setattr(client.session, "_heard", client.session.heard + 50)  # later than anything known
        silent_since = time.time() - client.silence
        connection = server.open_connections[0]
        server.accepting = False
        connection.abort()
        await connection.wait_closed()
        await settled(factory)
        await factory.plugins.unload("logs")
    await before(tmp_path, known=0.0)
    archive_knows = await known_in(tmp_path)
    assert abs(archive_knows - silent_since) < 1


@pytest.mark.parametrize("alive", [True, False])
async def test_a_plugin_that_goes_from_a_quiet_network_asks_whether_it_has_heard_all(
    tmp_path, monkeypatch, alive
):
    monkeypatch.setattr("plugins.logs.history.LAST_WAIT", 5.0 if alive else 0.05)
    async with serving() as server, factory_on(server, config(tmp_path)) as factory:
        if not alive:
            server.handle("PING", lambda connection, message: None)
        session, began = factory.clients[NETWORK].session, time.time()
        monkeypatch.setattr(IHistory(factory), "clock", lambda network: time.time() + 40)
        monkeypatch.setattr(session, "_heard", session.heard - 40)
        await factory.plugins.unload("logs")
    assert abs(await known_in(tmp_path) - (began + 40 * alive)) < 10


async def known_in(folder):
    from plugins.logs.archive.service import Archive

    archive = Archive(folder / "logs", places={})
    try:
        return await archive.known_until(PLACE)
    finally:
        await archive.stop()


async def test_an_archive_that_is_busy_is_tried_again(tmp_path, monkeypatch):
    now = time.time()
    await before(tmp_path, line("known", now - 610, msgid="k"), known=now - 600)
    monkeypatch.setattr("plugins.logs.history.RETRIES", (0.01,))
    filling = import_module("plugins.logs.filling")  # as it is now: a plugin's modules are imported anew
    add, failures = filling.Filling.keep, deque([1, 1])

    async def busy(self, *arguments):
        if failures:
            failures.pop()
            raise import_module("plugins.logs.interfaces").ArchiveBusy("the disk is full")
        await add(self, *arguments)

    monkeypatch.setattr(filling.Filling, "keep", busy)
    remembered = told("known", now - 610, "k"), told("missed", now - 300, "m")
    async with serving(*remembered) as server, factory_on(server, config(tmp_path)) as factory:
        assert await texts(factory) == ["known", "missed"]
    assert gaps(tmp_path) == []


# -- servers that are strange, or hostile


async def test_a_server_that_never_answers_leaves_a_gap(tmp_path, monkeypatch):
    now = time.time()
    monkeypatch.setattr("pynfo.services.history_asking.ANSWER_LIMIT", 0.02)
    await before(tmp_path, known=now - 600)
    async with serving() as server:
        server.handle("CHATHISTORY", lambda connection, message: None)
        async with factory_on(server, config(tmp_path)):
            pass
    [gap] = gaps(tmp_path)
    assert near(gap, now - 600, now)


async def test_what_a_server_refuses_to_tell_is_a_gap(tmp_path):
    now = time.time()
    await before(tmp_path, known=now - 600)
    async with serving() as server:
        server.handle(
            "CHATHISTORY",
            lambda connection, message: (
                f"@label={message.tags['label']} :irc.test FAIL CHATHISTORY MESSAGE_ERROR {CHANNEL} :no"
            ),
        )
        async with factory_on(server, config(tmp_path)):
            pass
    [gap] = gaps(tmp_path)
    assert near(gap, now - 600, now)


async def test_a_message_that_the_server_knows_no_more_is_passed_by_its_time(tmp_path):
    now = time.time()
    await before(tmp_path, line("line 0", now - 1000, msgid="x0"), known=now - 1000)
    said = [told(f"line {number}", now - 1000 + number, f"x{number}") for number in range(250)]
    async with serving(*said) as server:

        def forgetful(connection, message):
            if message.params[2].startswith("msgid="):
                label = message.tags["label"]
                return f"@label={label} :irc.test FAIL CHATHISTORY MESSAGE_ERROR AFTER {CHANNEL} :unknown"
            return chathistory_of(connection, message)

        server.handle("CHATHISTORY", forgetful)
        async with factory_on(server, config(tmp_path)) as factory:
            assert await texts(factory) == [f"line {number}" for number in range(250)]
    assert gaps(tmp_path) == []


def chathistory_of(connection, message):
    connection.answer(message)


async def test_a_server_that_goes_on_for_ever_is_cut_short(tmp_path, monkeypatch):
    now = time.time()
    monkeypatch.setattr("pynfo.services.history.LINES_LIMIT", 300)
    await before(tmp_path, known=now - 600)
    numbers = iter(range(1_000_000))

    def endless(connection, message):
        lines = [f"@label={message.tags['label']} :irc.test BATCH +h chathistory {CHANNEL}"]
        for _ in range(100):
            number = next(numbers)
            at = stamp(now - 620 + number / 10)
            lines.append(f"@batch=h;time={at};msgid=e{number} :alice!a@h PRIVMSG {CHANNEL} :again {number}")
        return [*lines, ":irc.test BATCH -h"]

    async with serving() as server:
        server.handle("CHATHISTORY", endless)
        async with factory_on(server, config(tmp_path)) as factory:
            assert len(await texts(factory)) == 300
    [gap] = gaps(tmp_path)
    assert near(gap, now - 620 + 29.9, now)


async def test_a_server_that_always_says_the_same_is_not_asked_for_ever(tmp_path):
    now = time.time()
    await before(tmp_path, known=now - 600)

    def same(connection, message):
        return [
            f"@label={message.tags['label']} :irc.test BATCH +h chathistory {CHANNEL}",
            f"@batch=h;time={stamp(now - 605)};msgid=s :alice!a@h PRIVMSG {CHANNEL} :again",
            ":irc.test BATCH -h",
        ]

    async with serving() as server:
        server.handle("CHATHISTORY", same)
        async with factory_on(server, config(tmp_path)) as factory:
            assert await texts(factory) == ["again"]
        assert len(asked(server)) <= 3


async def test_lines_of_other_times_other_channels_and_no_time_at_all_are_left_out(tmp_path):
    now = time.time()
    await before(tmp_path, known=now - 600)

    def lying(connection, message):
        return [
            f"@label={message.tags['label']} :irc.test BATCH +h chathistory {CHANNEL}",
            f"@batch=h;time=1999-01-01T00:00:00.000Z :alice!a@h PRIVMSG {CHANNEL} :long ago",
            f"@batch=h;time=2099-01-01T00:00:00.000Z :alice!a@h PRIVMSG {CHANNEL} :to come",
            f"@batch=h :alice!a@h PRIVMSG {CHANNEL} :at no time",
            f"@batch=h;time={stamp(now - 60)} :alice!a@h PRIVMSG #other :elsewhere",
            f"@batch=h;time={stamp(now - 60)} :alice!a@h PRIVMSG pynfo :in private",
            f"@batch=h;time={stamp(now - 60)} :alice!a@h PRIVMSG @{CHANNEL} :for operators",
            f"@batch=h;time={stamp(now - 60)} PRIVMSG {CHANNEL} :of nobody",
            f"@batch=h;time={stamp(now - 50)} :alice!a@h PRIVMSG {CHANNEL} :true",
            ":irc.test BATCH -h",
        ]

    async with serving() as server:
        server.handle("CHATHISTORY", lying)
        async with factory_on(server, config(tmp_path)) as factory:
            assert await texts(factory) == ["true"]


@pytest.mark.parametrize("ahead", [-90.0, 90.0, 7200.0, -7200.0])
async def test_a_servers_clock_need_not_be_right(tmp_path, ahead):
    now = time.time()
    # What is kept already was kept by the same clocks.
    seen = 0.0 if abs(ahead) > 300 else ahead
    await before(tmp_path, line("known", now - 610 + seen, msgid="k"), known=now - 600 + seen)
    said = [told("known", now - 610 + ahead, "k"), told("missed", now - 590 + ahead, "m")]
    said += [told("just now", now - 1 + ahead, "j")]
    async with serving(*said, clock=lambda: time.time() + ahead) as server:
        alice = await server.user("alice", channels=[CHANNEL])
        async with factory_on(server, config(tmp_path)) as factory:
            alice.say(CHANNEL, "live")
            lines = await kept(factory, "message")
    assert [one.text for one in lines] == ["known", "missed", "just now", "live"]
    assert abs(lines[1].time - (now - 590 + seen)) < NEAR
    assert abs(lines[3].time - (now + seen)) < NEAR
    assert gaps(tmp_path) == []


# -- what history tells


async def test_events_that_are_played_back_are_lines_too(tmp_path):
    now = time.time()
    await before(tmp_path, line("known", now - 610, msgid="k"), known=now - 600)
    events = [
        "carol!c@h JOIN #pynfo Carol :Carol C.",
        "carol!c@h NICK caroline",
        "op!o@h MODE #pynfo +bk *!*@1.2.3.4 sesame",
        "op!o@h TOPIC #pynfo :News",
        "op!o@h KICK #pynfo caroline :out",
        "dave!d@h PART #pynfo :bye",
        "dave!d@h QUIT :gone",
        "dave!d@h JOIN #other",
        "dave!d@h TAGMSG #pynfo",
        "irc.test 332 pynfo #pynfo :x",
        "dave!d@h KICK #pynfo",
    ]

    def playing(connection, message):
        lines = [f"@label={message.tags['label']} :irc.test BATCH +h chathistory {CHANNEL}"]
        lines.append(f"@batch=h;time={stamp(now - 610)};msgid=k :alice!alice@h PRIVMSG #pynfo :known")
        for number, event in enumerate(events):
            lines.append(f"@batch=h;time={stamp(now - 500 + number)};msgid=e{number} :{event}")
        return [*lines, ":irc.test BATCH -h"]

    async with serving() as server:
        server.handle("CHATHISTORY", playing)
        async with factory_on(server, config(tmp_path)) as factory:
            lines = [one for one in await kept(factory) if one.fetched]
    assert [(one.kind, one.nick, one.text, one.target) for one in lines] == [
        ("join", "carol", "", ""),
        ("nick", "carol", "", "caroline"),
        ("mode", "op", "+bk *!*@… …", ""),
        ("topic", "op", "News", ""),
        ("kick", "op", "out", "caroline"),
        ("part", "dave", "bye", ""),
        ("quit", "dave", "gone", ""),
    ]
    assert lines[0].account == "Carol"
    assert lines[0].msgid == "e0"


async def test_what_was_redacted_meanwhile_does_not_come_back(tmp_path):
    now = time.time()
    await before(tmp_path, line("oh no", now - 610, msgid="k"), known=now - 600)

    def playing(connection, message):
        return [
            f"@label={message.tags['label']} :irc.test BATCH +h chathistory {CHANNEL}",
            f"@batch=h;time={stamp(now - 580)};msgid=m :alice!a@h PRIVMSG {CHANNEL} :oh no again",
            f"@batch=h;time={stamp(now - 570)};msgid=r1 :alice!a@h REDACT {CHANNEL} k :sorry",
            f"@batch=h;time={stamp(now - 560)};msgid=r2 :alice!a@h REDACT {CHANNEL} m :sorry",
            ":irc.test BATCH -h",
        ]

    async with serving() as server:
        server.handle("CHATHISTORY", playing)
        async with factory_on(server, config(tmp_path)) as factory:
            await settled(factory)
            async with asyncio.timeout(5):
                while await texts(factory) != ["", ""]:
                    await asyncio.sleep(0)


async def test_ignored_people_are_not_heard_in_history_either(tmp_path):
    now = time.time()
    async with serving() as server:
        boss = await server.user("boss", channels=[CHANNEL])
        async with factory_on(server, config(tmp_path)) as factory:
            boss.say(CHANNEL, "!ignore spammer")
            await boss.hears("ignoring*")
        mallory = await server.user("spammer", channels=[CHANNEL])
        mallory.say(CHANNEL, "buy this")
        boss.say(CHANNEL, "[off] secret")
        boss.say(CHANNEL, "hello")
        async with factory_on(server, config(tmp_path)) as factory:
            said = [one.text for one in await kept(factory, "message") if one.nick != "pynfo"]
            assert said == ["!ignore spammer", "hello"]
    assert now


async def test_our_own_words_do_not_come_twice_where_the_network_does_not_echo_them(tmp_path):
    async with serving() as server:
        del server.capabilities["echo-message"]
        async with factory_on(server, config(tmp_path)) as factory:
            for _ in range(2):
                await IOutbox(factory).say(PLACE, "good morning")
            await settled(factory)
        for said in server.channel(CHANNEL).history:
            said.tags["time"] = stamp(time.time() + 20)  # by the server's clock
        server.channel(CHANNEL).history.append(told("and night", time.time() + 21, "x", nick="pynfo"))
        server.clock = lambda: time.time() + 22
        async with factory_on(server, config(tmp_path)) as factory:
            assert await texts(factory) == ["good morning", "good morning", "and night"]


async def test_relayed_lines_of_history_are_of_who_spoke(tmp_path):
    now = time.time()
    await before(tmp_path, line("known", now - 610, msgid="k"), known=now - 600)
    remembered = [
        told("known", now - 610, "k"),
        told("<carol@oftc> hi", now - 500, "m1", nick="bridge", account="bridge"),
    ]
    async with (
        serving(*remembered) as server,
        factory_on(server, config(tmp_path, channel={"relays": ["bridge"]})) as factory,
    ):
        found = (await kept(factory, "message"))[-1]
    assert (found.nick, found.origin, found.account, found.text) == ("carol", "oftc", None, "hi")


# -- history that comes unasked (InspIRCd's channel mode +H), and ZNC


def playing_on_join(server, *lines, kind="chathistory"):
    """Have the server play lines to whoever joins, behind the end of NAMES."""

    def join(connection, message):
        connection.answer(message)
        connection.send(f":irc.test BATCH +u {kind} {CHANNEL}")
        for one in lines:
            tags = ";".join(f"{tag}={value}" for tag, value in one.tags.items())
            connection.send(f"@batch=u;{tags} :{one.source} {one.command} {CHANNEL} :{one.params[1]}")
        connection.send(":irc.test BATCH -u")

    server.handle("JOIN", join)


async def test_history_that_comes_unasked_fills_the_gap(tmp_path):
    now = time.time()
    await before(tmp_path, line("known", now - 610, msgid="k"), known=now - 600)
    async with serving(history=0) as server:
        playing_on_join(server, told("known", now - 610, "k"), told("missed", now - 300, "m"))
        async with factory_on(server, config(tmp_path)) as factory:
            lines = await kept(factory, "message")
    assert [(one.text, one.fetched) for one in lines] == [("known", False), ("missed", True)]
    assert gaps(tmp_path) == []


async def test_a_server_that_remembers_only_seconds_does_not_mix_up_the_lines_of_one(tmp_path):
    now = int(time.time()) - 600
    await before(
        tmp_path,
        line("one", now + 0.2, msgid="k"),
        line("two", now + 0.4, nick="bob"),
        known=now + 0.1,
    )
    async with serving(history=0) as server:
        remembered = [told("one", now, "k"), told("two", now, "l", nick="bob"), told("three", now, "m")]
        playing_on_join(server, *remembered, told("four", now + 1, "n"))
        async with factory_on(server, config(tmp_path)) as factory:
            assert await texts(factory) == ["one", "two", "three", "four"]
    assert gaps(tmp_path) == []


async def test_what_unasked_history_does_not_reach_back_to_is_a_gap(tmp_path):
    now = time.time()
    await before(tmp_path, line("known", now - 610, msgid="k"), known=now - 600)
    async with serving(history=0) as server:
        playing_on_join(server, told("missed", now - 300, "m"))
        async with factory_on(server, config(tmp_path)) as factory:
            assert await texts(factory) == ["known", "missed"]
    [gap] = gaps(tmp_path)
    assert near(gap, now - 600, now - 300) or near(gap, now - 610, now - 300)


async def test_unasked_history_is_kept_also_when_the_channel_is_new(tmp_path):
    now = time.time()
    async with serving(history=0) as server:
        playing_on_join(
            server,
            told("years ago", now - 86400 * 800, "a"),
            told("before we came", now - 300, "m"),
            told("to come", now + 86400, "b"),
        )
        async with factory_on(server, config(tmp_path)) as factory:
            async with asyncio.timeout(5):
                while await texts(factory) != ["before we came"]:
                    await asyncio.sleep(0)
    assert gaps(tmp_path) == []


async def test_znc_is_asked_to_play_its_buffer_from_what_is_known(tmp_path):
    now = time.time()
    await before(tmp_path, line("known", now - 610, msgid="k"), known=now - 600)
    buffer = [
        ("alice!a@alice.test", now - 86400, "before we were told to keep it"),
        ("alice!alice@alice.test", now - 610, "known"),
        ("alice!alice@alice.test", now - 300, "missed"),
        ("*buffextras!buffextras@znc.in", now - 200, "carol!c@secret.host joined"),
    ]
    async with serving(history=0) as server:
        server.capabilities["znc.in/playback"] = ""
        plays = znc(server, buffer)
        async with factory_on(server, config(tmp_path)) as factory:
            assert await texts(factory) == ["known", "missed"]
    assert gaps(tmp_path) == []
    assert len(plays) == 1


async def test_a_buffer_of_znc_reaches_back_also_where_the_channel_was_quiet(tmp_path):
    now = time.time()
    await before(tmp_path, line("known", now - 86400, msgid="k"), known=now - 600)
    buffer = [("alice!a@h", now - 86400 * 2, "before the log"), ("alice!a@h", now - 300, "missed")]
    async with serving(history=0) as server:
        server.capabilities["znc.in/playback"] = ""
        plays = znc(server, buffer)
        async with factory_on(server, config(tmp_path)) as factory:
            assert await texts(factory) == ["known", "missed"]
    assert gaps(tmp_path) == []
    assert plays[1][0] == 0  # asked only to see whether the buffer reaches back to what is known


async def test_a_buffer_of_znc_that_does_not_reach_back_leaves_a_gap(tmp_path):
    now = time.time()
    await before(tmp_path, line("known", now - 610, msgid="k"), known=now - 600)
    async with serving(history=0) as server:
        server.capabilities["znc.in/playback"] = ""
        znc(server, [("alice!alice@alice.test", now - 300, "missed")])
        async with factory_on(server, config(tmp_path)) as factory:
            assert await texts(factory) == ["known", "missed"]
    [gap] = gaps(tmp_path)
    assert near(gap, now - 600, now - 300)


def znc(server, buffer):
    """Answer as the module "playback" does: with nothing at all where it has nothing."""
    plays = []

    def play(connection, message):
        if message.params[0] != "*playback":
            connection.answer(message)
            return
        word, channel, since, until = message.params[1].split()
        assert (word, channel) == ("PLAY", CHANNEL)
        plays.append((float(since), float(until)))
        found = [one for one in buffer if float(since) < one[1] < float(until)]
        if found:
            connection.send(f":znc.in BATCH +z znc.in/playback {CHANNEL}")
            for source, at, text in found:
                connection.send(f"@batch=z;time={stamp(at)} :{source} PRIVMSG {CHANNEL} :{text}")
            connection.send(":znc.in BATCH -z")

    server.handle("PRIVMSG", play)
    return plays
