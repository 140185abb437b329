"""A client on a server that behaves, and on one that does not. Minutes pass at once: see `virtual_time`."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from pynfo.irc import Message
from pynfo.irc.client import NotConnected, StandardReplyError
from pynfo.irc.events import ChannelSynced, MessageReceived, NetworkDown, NetworkUp, OperatorNotice
from pynfo.irc.pacing import TARGET_LIMIT, Priority, QueueFull
from pynfo.irc.settings import SaslSettings
from pynfo.testing import Server
from tests.client_run import Line, in_virtual_time, joined, running, sent_at


class TestStayingThere:
    @in_virtual_time
    async def test_a_half_open_link_is_found_within_ninety_seconds(self):
        async with joined() as run:
            connection = await run.server.connection(1)
            connection.freeze()
            frozen = run.client.time()
            down = await run.event(NetworkDown)
            assert "no sign of life" in down.reason
            assert run.client.time() - frozen <= 90

    @in_virtual_time
    async def test_a_registration_has_sixty_seconds(self):
        server = Server()
        server.scripted = True
        async with running(server) as run:
            await run.connections_made(2)
            first, second = run.times[:2]
            assert 60 <= second - first <= 65.1

    @in_virtual_time
    async def test_a_refused_connection_is_tried_again_and_not_too_often(self):
        server = Server()
        server.accepting = False
        async with running(server) as run:
            await asyncio.sleep(3600)
            assert 6 <= len(run.times) <= 60
            for start in run.times:
                assert sum(start <= time < start + 90 for time in run.times) <= 6
            server.accepting = True
            await run.event(NetworkUp)

    @in_virtual_time
    async def test_the_operator_is_told_once_when_it_does_not_get_better(self):
        server = Server()
        server.accepting = False
        async with running(server) as run:
            await asyncio.sleep(3600)
            notices = [event for event in run.seen if isinstance(event, OperatorNotice)]
            assert [notice.matter for notice in notices] == ["net/connection"]

    @in_virtual_time
    async def test_a_ban_is_not_hammered_at(self):
        server = Server()

        def ban(connection, message):
            connection.send("ERROR :Closing Link: (K-lined: go away)")
            connection.close()

        server.handle("USER", ban)
        async with running(server) as run:
            await asyncio.sleep(90)
            assert 1 <= len(run.times) <= 6
            await run.connections_made(3)
            assert (
                min(later - earlier for earlier, later in zip(run.times, run.times[1:], strict=False)) >= 60
            )

    @in_virtual_time
    async def test_the_servers_of_a_network_take_turns(self):
        server = Server()
        server.accepting = False
        async with running(server, servers=[("a.test", 6667), ("b.test", 7000)]) as run:
            await run.connections_made(4)
            assert [connection[1:3] for connection in run.connections[:4]] == [
                ("a.test", 6667),
                ("b.test", 7000),
                ("a.test", 6667),
                ("b.test", 7000),
            ]

    @in_virtual_time
    async def test_the_first_return_after_a_good_time_is_within_five_seconds(self):
        async with joined() as run:
            await asyncio.sleep(600)
            (await run.server.connection(1)).abort()
            lost = run.client.time()
            await run.connections_made(2)
            assert run.times[1] - lost <= 5.1
            await run.event(ChannelSynced)

    @in_virtual_time
    async def test_an_error_nobody_thought_of_does_not_end_it(self):
        server = Server()
        async with running(server) as run:
            connect, run._connect_failed = server.connect, 0

            async def failing(protocol_factory):
                if run._connect_failed < 3:
                    run._connect_failed += 1
                    raise RuntimeError("what is this?")
                return await connect(protocol_factory)

            server.connect = failing
            await run.event(NetworkUp)
            assert run._connect_failed == 3

    @in_virtual_time
    async def test_garbage_is_skipped(self):
        random = Random(3)
        async with joined() as run:
            connection = await run.server.connection(1)
            for _ in range(200):
                garbage = bytes(random.choices(range(1, 256), k=random.randrange(80)))
                connection.send(garbage.replace(b"\n", b"") + b"\r\n")
            connection.send(b"x" * 20_000 + b"\r\n")
            connection.send(":alice!a@h PRIVMSG #pynfo :still there?")
            event = await run.event(MessageReceived)
            assert event.text == "still there?"
            assert len(run.connections) == 1

    @in_virtual_time
    async def test_it_quits_within_five_seconds_even_where_nobody_listens(self):
        async with joined() as run:
            (await run.server.connection(1)).freeze()
            began = run.client.time()
            await run.client.stop("done")
            assert run.client.time() - began <= 4
            assert "QUIT done" in (await run.server.connection(1)).received

    @in_virtual_time
    async def test_a_server_that_asks_for_tls_gets_it_at_once_and_ever_after(self):
        server = Server(capabilities={"sts": "port=6697", "server-time": ""})
        async with running(server) as run:
            await run.connections_made(2)
            assert run.connections[0][2:] == (6667, False)
            assert run.connections[1][2:] == (6697, True)
            assert run.times[1] - run.times[0] < 1

    @in_virtual_time
    async def test_a_policy_is_kept_for_the_next_connection(self):
        server = Server(capabilities={"sts": "port=6697,duration=3600"})
        async with joined(server) as run:
            (await run.server.connection(2)).abort()
            await run.connections_made(3)
            assert run.connections[2][2:] == (6697, True)

    @in_virtual_time
    async def test_a_required_login_that_fails_is_tried_again_later_and_nothing_is_joined(self):
        server = Server(accounts={"pynfo": "right"}, sasl_mechanisms=["PLAIN"])
        sasl = SaslSettings(username="pynfo", password="wrong", required=True)
        async with running(server, sasl=sasl, plain_without_tls=True) as run:
            await run.connections_made(3)
            assert "#pynfo" not in server.channels
            assert run.times[2] - run.times[0] > 0


class TestPace:
    @in_virtual_time
    async def test_five_lines_go_at_once_and_then_one_each_second(self):
        async with joined() as run:
            got = sent_at(run, 1)
            start = run.client.time()
            for number in range(10):
                run.client.put(Line(str(number)))
            await asyncio.sleep(20)
            assert [text for _, text in got] == [str(number) for number in range(10)]
            assert [round(time - start) for time, _ in got] == [0, 0, 0, 0, 0, 1, 2, 3, 4, 5]

    @in_virtual_time
    async def test_every_command_counts(self):
        async with joined() as run:
            got = sent_at(run, 1)
            for _ in range(5):
                run.client.send(Message("WHO", ["nobody"]))
            start = run.client.time()
            run.client.put(Line("after"))
            await asyncio.sleep(20)
            assert got[0][0] - start >= 0.9

    @in_virtual_time
    async def test_pong_overtakes_what_waits(self):
        async with joined() as run:
            connection = await run.server.connection(1)
            for number in range(50):
                run.client.put(Line(str(number)))
            connection.send("PING :urgent")
            start = run.client.time()
            await connection.expect("PONG urgent", timeout=None)
            assert run.client.time() - start <= 2

    @in_virtual_time
    async def test_answers_overtake_announcements(self):
        async with joined() as run:
            got = sent_at(run, 1)
            for number in range(20):
                run.client.put(Line(f"bulk {number}"))
            run.client.put(Line("answer", priority=Priority.ANSWER))
            await asyncio.sleep(60)
            assert [text for _, text in got].index("answer") <= 6

    @in_virtual_time
    async def test_without_pacing_nothing_waits(self):
        async with joined(messages_per_second=None) as run:
            got = sent_at(run, 1)
            start = run.client.time()
            for number in range(500):
                run.client.put(Line(str(number)))
            await asyncio.sleep(1)
            assert len(got) == 500
            assert got[-1][0] == start

    @in_virtual_time
    async def test_a_full_queue_tells_the_sender(self):
        async with joined() as run:
            with pytest.raises(QueueFull):
                for number in range(2000):
                    run.client.put(Line(str(number)))

    @in_virtual_time
    async def test_what_waits_goes_out_after_an_outage_and_only_in_the_channel(self):
        async with joined() as run:
            await asyncio.sleep(120)
            (await run.server.connection(1)).abort()
            await run.event(NetworkDown)
            line = Line("kept")
            run.client.put(line)
            connection = await run.server.connection(2, timeout=None)
            await connection.expect("JOIN #pynfo", timeout=None)
            await connection.expect("PRIVMSG #pynfo :kept", timeout=None)
            await asyncio.sleep(1)
            assert line.fate[0] == "confirmed"

    @in_virtual_time
    async def test_a_full_queue_does_not_keep_it_out_of_its_channels(self):
        async with joined(messages_per_second=10.0) as run:
            await asyncio.sleep(120)
            (await run.server.connection(1)).abort()
            await run.event(NetworkDown)
            lines = [
                Line(str(number), f"#{number % 2}", expires=run.client.time() + 30) for number in range(999)
            ]
            for line in [Line("kept"), *lines]:
                run.client.put(line)
            await (await run.server.connection(2, timeout=None)).expect("PRIVMSG #pynfo :kept", timeout=None)

    @in_virtual_time
    async def test_what_belongs_to_a_connection_ends_with_it(self):
        async with joined() as run:
            first = await run.server.connection(1)
            for number in range(100):
                first.send(f"PING :{number}")
            first.send("PING :last")
            await asyncio.sleep(2)
            first.abort()
            second = await run.server.connection(2, timeout=None)
            await asyncio.sleep(300)
            assert not [line for line in second.received if line.startswith("PONG") and "pynfo" not in line]

    @in_virtual_time
    async def test_a_server_that_asks_faster_than_it_lets_answer_costs_a_bounded_amount(self):
        async with joined() as run:
            connection = await run.server.connection(1)
            for number in range(5000):
                connection.send(f"PING :{number}")
            await asyncio.sleep(5)
            assert run.client.queued <= 500

    @in_virtual_time
    async def test_what_is_too_old_is_given_up(self):
        server = Server()
        async with joined(server) as run:
            server.accepting = False
            (await server.connection(1)).abort()
            await run.event(NetworkDown)
            line = Line("old", expires=run.client.time() + 30)
            run.client.put(line)
            await asyncio.sleep(31)
            assert line.fate == ("failed", "it became too old to be said")


class TestLength:
    @in_virtual_time
    async def test_what_waits_while_our_mask_grows_is_not_cut(self):
        async with joined() as run:
            alice = await run.server.user("alice", channels=["#pynfo"])
            for _ in range(5):
                run.client.put(Line("before"))
            state = run.client.state
            room = 510 - state.source_length() - len("PRIVMSG #pynfo :")
            text = " ".join(["word"] * 100)[: room - 4] + " end"
            line = Line(text)
            run.client.put(line)
            run.server.cloak("pynfo", "c" * 63)
            await alice.hears("*end", timeout=None)
            heard = [Message.parse(line.encode()).params[-1] for line in alice.heard if "PRIVMSG" in line]
            assert " ".join(heard[5:]) == text
            assert len(heard[5:]) == 2
            await asyncio.sleep(1)
            assert line.fate[0] == "confirmed"


class TestConfirmation:
    @in_virtual_time
    async def test_by_the_label_of_the_echo(self):
        async with joined() as run:
            line = Line("hello")
            run.client.put(line)
            await asyncio.sleep(1)
            assert line.fate[0] == "confirmed"
            assert line.fate[1]

    @in_virtual_time
    async def test_by_the_echo_alone(self):
        server = Server(capabilities={"echo-message": "", "message-tags": ""})
        async with joined(server) as run:
            line = Line("hello")
            run.client.put(line)
            assert line.fate is None
            await asyncio.sleep(1)
            assert line.fate[0] == "confirmed"

    @in_virtual_time
    async def test_by_being_written_where_nothing_is_echoed(self):
        async with joined(Server(capabilities={})) as run:
            line = Line("hello")
            run.client.put(line)
            await asyncio.sleep(1)
            assert line.fate == ("confirmed", None)
            event = await run.event(MessageReceived)
            assert (event.own, event.text) == (True, "hello")

    @in_virtual_time
    async def test_our_own_words_are_told_once_where_they_are_echoed(self):
        async with joined() as run:
            run.client.put(Line("hello"))
            await asyncio.sleep(5)
            assert [event.text for event in run.seen if isinstance(event, MessageReceived)] == ["hello"]

    @in_virtual_time
    async def test_a_refusal_is_told(self):
        async with joined() as run:
            line = Line("hello", target="#elsewhere")
            run.server.handle(
                "PRIVMSG",
                lambda connection, message: (
                    f"@label={message.tags['label']} :irc.test 404 pynfo #elsewhere :Cannot send to channel"
                ),
            )
            run.client.put(line)
            await asyncio.sleep(1)
            assert line.fate == ("failed", "the network refused it: Cannot send to channel")

    @in_virtual_time
    async def test_a_lost_connection_leaves_a_line_unconfirmed(self):
        async with joined() as run:
            (await run.server.connection(1)).freeze()
            line = Line("hello")
            run.client.put(line)
            await run.event(NetworkDown)
            assert "before the network confirmed it" in line.fate[1]


class TestRequests:
    @in_virtual_time
    async def test_all_of_an_answer_comes_back(self):
        async with joined() as run:
            answer = await run.client.request(Message("WHOIS", ["pynfo"]))
            assert [message.command for message in answer][-1] == "318"

    @in_virtual_time
    async def test_a_standard_reply_is_raised_to_whoever_asked(self):
        async with joined() as run:
            run.server.handle(
                "REHASH",
                lambda connection, message: f"@label={message.tags['label']} FAIL REHASH NO :You may not",
            )
            with pytest.raises(StandardReplyError, match="You may not"):
                await run.client.request(Message("REHASH"))

    @in_virtual_time
    async def test_an_answer_has_a_time_limit(self):
        async with joined() as run:
            run.server.handle("REHASH", lambda connection, message: None)
            start = run.client.time()
            with pytest.raises(TimeoutError, match="did not answer REHASH"):
                await run.client.request(Message("REHASH"), timeout=7)
            assert run.client.time() - start == pytest.approx(7, abs=0.1)

    @in_virtual_time
    async def test_nothing_is_asked_where_there_is_no_connection(self):
        server = Server()
        server.accepting = False
        async with running(server) as run:
            with pytest.raises(NotConnected):
                await run.client.request(Message("WHOIS", ["pynfo"]))


@in_virtual_time
async def test_the_server_has_dealt_with_all_before_a_barrier():
    async with joined() as run:
        got = sent_at(run, None)
        run.client.put(Line("before"))
        await run.client.synchronise()
        assert [text for _, text in got] == ["before"]


@in_virtual_time
async def test_a_barrier_falls_with_its_connection():
    async with joined() as run:
        run.server.handle("PING", lambda connection, message: [])
        waiting = asyncio.create_task(run.client.synchronise())
        await asyncio.sleep(1)
        (await run.server.connection(1)).close()
        with pytest.raises(NotConnected):
            await waiting
        with pytest.raises(NotConnected):
            await run.client.synchronise()


@in_virtual_time
async def test_a_line_is_told_when_it_is_written():
    class Told(Line):
        __slots__ = ("echoes",)

        def written(self, *, echoes):
            self.echoes = echoes

    async with joined(Server(capabilities={})) as run:
        line = Told("quiet")
        run.client.put(line)
        await asyncio.sleep(1)
        assert line.echoes is False
        assert line.fate is None  # who takes over `written` says itself when it is confirmed
    async with joined() as run:
        line = Told("loud")
        run.client.put(line)
        await asyncio.sleep(1)
        assert line.echoes is True
        assert line.fate[0] == "confirmed"


@in_virtual_time
async def test_a_barrier_that_finds_no_room_is_forgotten():
    async with joined() as run:
        run.client.sender.writable = False
        for number in range(TARGET_LIMIT):
            run.client.put(Line(f"n{number}", target="", priority=Priority.CONTROL))
        with pytest.raises(QueueFull):
            await run.client.synchronise()
        assert run.client.session._barriers == {}
