"""Messages through the server in `pynfo.testing`: tags, echoes, labels, history."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pynfo.testing import Server
from tests.irc_client import registered

TIME = "time=2023-11-14T22:13:20.500Z"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(clock=lambda: 1_700_000_000.5) as server:
        yield server


# -- messages


async def test_a_message_reaches_the_others_with_the_tags_each_negotiated(server: Server) -> None:
    alice = await server.user("alice", account="alice", channels=["#a"])
    alice.mode("alice", "+B")
    plain = await registered(server, "bob")
    modern = await registered(server, "carol", "message-tags", "server-time", "account-tag")
    for client in (plain, modern):
        client.say("JOIN #a")
        await client.hears("366")

    alice.say("#a", "hello there", tags={"+draft/reply": "m0", "secret": "not client-only"})

    assert await plain.hears("PRIVMSG") == ":alice!alice@alice.test PRIVMSG #a :hello there"
    tags, _, line = (await modern.hears("PRIVMSG")).partition(" ")
    assert tags == f"@{TIME};msgid=m1;+draft/reply=m0;account=alice;bot"
    assert line == ":alice!alice@alice.test PRIVMSG #a :hello there"


async def test_the_server_keeps_to_the_tags_that_it_denies() -> None:
    async with Server(isupport={"CLIENTTAGDENY": "*,-draft/reply"}) as server:
        alice = await server.user("alice", channels=["#a"])
        bob = await registered(server, "bob", "message-tags")
        bob.say("JOIN #a", "@+draft/reply=1;+typing=active PRIVMSG #a :hello")

        said = await alice.hears("hello")

        assert said.tags["+draft/reply"] == "1"
        assert "+typing" not in said.tags


async def test_all_the_tags_a_client_may_send_arrive(server: Server) -> None:
    alice = await server.user("alice")
    bob = await registered(server, "bob", "message-tags")
    value = "x" * (4096 - len("@+a= "))

    bob.say(f"@+a={value} TAGMSG alice")

    assert value in await alice.expect("TAGMSG alice")


async def test_tags_alone_reach_only_those_who_know_tags(server: Server) -> None:
    plain = await registered(server, "bob")
    modern = await registered(server, "carol", "message-tags")
    for client in (plain, modern):
        client.say("JOIN #a")
        await client.hears("366")
    await plain.passed_over()

    modern.say("@+typing=active TAGMSG #a", "@+typing=done TAGMSG carol")
    plain.say("TAGMSG #a")

    assert await modern.hears("@*+typing=done") == "@msgid=m2;+typing=done :carol!carol@memory TAGMSG carol"
    assert await plain.hears("*") == ":irc.test 421 bob TAGMSG :Unknown command"


async def test_an_echo_is_the_same_message_as_the_others_get(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    bob = await registered(server, "bob", "echo-message", "message-tags", "server-time")
    bob.say("JOIN #a", "PRIVMSG #A :hello", "NOTICE alice :psst")

    assert await bob.hears("PRIVMSG") == alice.heard[-2] == await alice.expect("PRIVMSG #a hello")
    assert await bob.hears("NOTICE alice psst") == alice.heard[-1]


async def test_what_does_not_fit_behind_the_senders_mask_is_cut(server: Server) -> None:
    alice = await server.user("alice")
    bob = await registered(server, "bob")
    head = b":bob!bob@memory PRIVMSG alice :"

    bob.say("PRIVMSG alice :" + "long " + "x" * (504 - len(head)) + "äöü")

    line = await alice.expect("PRIVMSG")
    body = line.partition(" ")[2] + "\r\n"
    assert body.endswith("x\r\n")
    assert len(body.encode()) == 511  # two bytes more would not fit, and there is no half of a character


async def test_a_part_of_a_channel_is_reached_by_its_prefix(server: Server) -> None:
    operator = await server.user("op", channels=["#a"])
    voiced, plain = await server.user("voiced", channels=["#a"]), await server.user("plain", channels=["#a"])
    operator.mode("#a", "+v", "voiced")

    plain.say("+#a", "to the voiced")
    plain.say("@#a", "to operators")

    assert (await operator.hears("to operators")).params[0] == "@#a"
    assert (await voiced.hears("to the voiced")).params[0] == "+#a"
    with pytest.raises(AssertionError):
        await voiced.hears("to operators", timeout=0)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("PRIVMSG", "411 bob"),
        ("PRIVMSG alice", "412 bob"),
        ("PRIVMSG nobody :hello", "401 bob nobody"),
        ("PRIVMSG #a :from outside", "404 bob #a"),
        ("PRIVMSG 1,2,3,4,5 :hello", "407 bob 5"),
        ("PRIVMSG alice :hello", "301 bob alice :at sea"),
        ("TAGMSG", "411 bob"),
    ],
)
async def test_a_message_that_cannot_be_delivered_is_refused(server: Server, line: str, answer: str) -> None:
    alice = await server.user("alice", channels=["#a"])
    alice.away("at sea")
    bob = await registered(server, "bob", "message-tags")

    bob.say(line)

    await bob.hears(answer)


async def test_a_notice_is_never_answered(server: Server) -> None:
    bob = await registered(server, "bob")

    bob.say("NOTICE nobody :hello", "NOTICE", "NOTICE nobody")

    assert await bob.passed_over() == []


async def test_a_moderated_channel_hears_the_voiced_and_not_the_banned(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    bob = await server.user("bob", channels=["#a"])
    alice.mode("#a", "+m")
    bob.say("#a", "one")
    alice.mode("#a", "-m+b", "bob")
    bob.say("#a", "two")
    alice.mode("#a", "+v", "bob")
    bob.say("#a", "three")

    assert [line.rpartition(" ")[2] for line in alice.heard if " PRIVMSG " in line] == ["three"]


# -- labels


async def test_every_labelled_command_is_answered_under_its_label(server: Server) -> None:
    bob = await registered(server, "bob", "labeled-response", "batch", "echo-message", "message-tags")

    bob.say(
        "@label=L1 PONG x", "@label=L2 PING x", "@label=L3 JOIN #a", "@label=L4 PRIVMSG bob :note to self"
    )

    assert await bob.hears("*") == "@label=L1 :irc.test ACK"
    assert await bob.hears("*") == "@label=L2 :irc.test PONG irc.test x"
    assert await bob.hears("*") == "@label=L3 :irc.test BATCH +b1 labeled-response"
    assert await bob.hears("*") == "@batch=b1 :bob!bob@memory JOIN #a"
    assert (await bob.hears("*")).startswith("@batch=b1 :irc.test 353 ")
    assert (await bob.hears("*")).startswith("@batch=b1 :irc.test 366 ")
    assert await bob.hears("*") == ":irc.test BATCH -b1"
    assert await bob.hears("*") == "@msgid=m2 :bob!bob@memory PRIVMSG bob :note to self"
    assert await bob.hears("*") == "@label=L4;msgid=m2 :bob!bob@memory PRIVMSG bob :note to self"


async def test_a_label_of_a_client_without_the_capability_means_nothing(server: Server) -> None:
    bob = await registered(server, "bob", "message-tags")

    bob.say("@label=L1 PING x", "@label=L2 JOIN #a")

    assert await bob.hears("*") == ":irc.test PONG irc.test x"
    assert await bob.hears("*") == ":bob!bob@memory JOIN #a"


# -- history


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("LATEST #a * 2", "de"),
        ("LATEST #a msgid=m3 10", "de"),
        ("BEFORE #a msgid=m4 2", "bc"),
        ("AFTER #a msgid=m1 2", "bc"),
        ("AFTER #a timestamp=1970-01-01T00:00:03.000Z 10", "de"),
        ("BEFORE #a timestamp=1970-01-01T00:00:03Z 10", "ab"),
        ("BETWEEN #a msgid=m1 msgid=m4 10", "bc"),
        ("BETWEEN #a msgid=m5 msgid=m1 2", "cd"),
        ("LATEST #a * 0", ""),
    ],
)
async def test_history_is_given_in_a_batch(request_: str, answer: str) -> None:
    now = 0.0
    async with Server(history=5, clock=lambda: now) as server:
        alice = await server.user("alice", channels=["#a"])
        for text in "abcde":
            now += 1.0
            alice.say("#a", text)
        bob = await registered(server, "bob", "batch", "draft/chathistory", "message-tags", "server-time")
        bob.say("JOIN #a")
        await bob.hears("366")

        bob.say(f"CHATHISTORY {request_}")

        assert (await bob.hears("*")).endswith(":irc.test BATCH +b6 chathistory #a")
        lines = [await bob.hears("*") for _ in answer]
        assert (await bob.hears("*")).endswith("BATCH -b6")
        assert [line[-1] for line in lines] == list(answer)
        assert all(";batch=b6 :alice!alice@alice.test PRIVMSG #a " in line for line in lines)


async def test_a_label_goes_on_the_batch_that_is_the_whole_answer() -> None:
    async with Server(history=5) as server:
        await server.user("alice", channels=["#a"])
        bob = await registered(server, "bob", "batch", "draft/chathistory", "labeled-response")
        bob.say("JOIN #a", "@label=L1 CHATHISTORY LATEST #a * 5")
        await bob.hears("366")

        assert await bob.hears("*") == "@label=L1 :irc.test BATCH +b1 chathistory #a"
        assert await bob.hears("*") == ":irc.test BATCH -b1"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("LATEST #b * 5", "INVALID_TARGET"),
        ("LATEST #a *", "INVALID_PARAMS"),
        ("TARGETS #a * * 5", "INVALID_PARAMS"),
        ("AFTER #a msgid=unknown 5", "MESSAGE_ERROR"),
        ("AFTER #a line=5 5", "INVALID_MSGREFTYPE"),
        ("AFTER #a timestamp=yesterday 5", "INVALID_PARAMS"),
    ],
)
async def test_history_that_cannot_be_given_is_refused_by_a_standard_reply(request_: str, code: str) -> None:
    async with Server(history=5) as server:
        bob = await registered(server, "bob", "batch", "draft/chathistory")
        bob.say("JOIN #a", f"CHATHISTORY {request_}")

        await bob.hears(f"FAIL CHATHISTORY {code}")
