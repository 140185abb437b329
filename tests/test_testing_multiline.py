"""Messages of several lines through the server in `pynfo.testing` (IRCv3 draft "multiline")."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from pynfo.testing import Server
from tests.irc_client import RawClient, registered

MULTILINE = "draft/multiline"
LABELS = ("labeled-response", "echo-message")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(extensions={MULTILINE: "max-bytes=40,max-lines=4"}, history=5) as server:
        yield server


async def joined(server: Server, nick: str, *capabilities: str) -> RawClient:
    client = await registered(server, nick, "message-tags", *capabilities)
    client.say("JOIN #a")
    await client.hears("366")
    return client


async def author(server: Server, *capabilities: str) -> RawClient:
    return await joined(server, "bob", "batch", MULTILINE, *capabilities)


PASTE = (
    "@+draft/reply=m0 BATCH +r draft/multiline #A",
    "@batch=r PRIVMSG #a hello",
    "@batch=r PRIVMSG #a :",
    "@batch=r PRIVMSG #a :how is ",
    "@batch=r;draft/multiline-concat PRIVMSG #a :everyone?",
    "BATCH -r",
)


async def test_those_who_know_them_get_a_batch(server: Server) -> None:
    bob = await author(server)
    carol = await joined(server, "carol", "batch", MULTILINE)

    bob.say(*PASTE)

    opening = await carol.hears("@*BATCH +*")
    reference = opening.rpartition("+")[2].partition(" ")[0]
    assert opening == f"@msgid=m1;+draft/reply=m0 :bob!bob@memory BATCH +{reference} draft/multiline #a"
    lines = [await carol.hears("*") for _ in range(4)]
    assert [line.partition(" ")[0] for line in lines] == [
        f"@batch={reference}",
        f"@batch={reference}",
        f"@batch={reference}",
        f"@batch={reference};draft/multiline-concat",
    ]
    assert [line.partition(" PRIVMSG #a ")[2] for line in lines] == ["hello", ":", ":how is ", "everyone?"]
    assert await carol.hears("*") == f":irc.test BATCH -{reference}"


async def test_others_get_single_lines_without_the_blank_ones(server: Server) -> None:
    bob = await author(server)
    carol = await joined(server, "carol")

    bob.say(*PASTE)

    assert [await carol.hears("*") for _ in range(3)] == [
        "@msgid=m1;+draft/reply=m0 :bob!bob@memory PRIVMSG #a hello",
        ":bob!bob@memory PRIVMSG #a :how is ",
        ":bob!bob@memory PRIVMSG #a everyone?",
    ]
    assert await carol.passed_over() == []


async def test_the_echo_is_a_batch_that_has_the_label(server: Server) -> None:
    bob = await author(server, *LABELS)

    bob.say("@label=L1 BATCH +r draft/multiline #a", *PASTE[1:])

    opening = await bob.hears("*")
    assert opening.startswith("@label=L1;msgid=m1 :bob!bob@memory BATCH +")
    assert len([line for line in await bob.passed_over() if "PRIVMSG #a" in line]) == 4


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (["@batch=r PRIVMSG #a :" + "x" * 41], "MULTILINE_MAX_BYTES 40"),
        (["@batch=r PRIVMSG #a :" + "x" * 20] * 2, "MULTILINE_MAX_BYTES 40"),  # with the line break
        (["@batch=r PRIVMSG #a :x"] * 6, "MULTILINE_MAX_LINES 4"),
        (["@batch=r PRIVMSG #b :x"], "MULTILINE_INVALID_TARGET #a #b"),
        (["@batch=r NOTICE #a :x"], "MULTILINE_INVALID"),
        (["@batch=r;+draft/reply=1 PRIVMSG #a :x"], "MULTILINE_INVALID"),
        (["@batch=r;draft/multiline-concat PRIVMSG #a :"], "MULTILINE_INVALID"),
        (["@batch=other PRIVMSG #a :x"], "MULTILINE_INVALID"),
        (["@batch=r PRIVMSG #a :"] * 2, "MULTILINE_INVALID"),
        ([], "MULTILINE_INVALID"),
    ],
)
async def test_what_is_wrong_is_refused_once_under_the_label(
    server: Server, lines: list[str], answer: str
) -> None:
    alice = await server.user("alice", channels=["#a"])
    bob = await author(server, *LABELS)

    bob.say("@label=L1 BATCH +r draft/multiline #a", *lines, "BATCH -r")

    assert (await bob.hears("*")).startswith(f"@label=L1 :irc.test FAIL BATCH {answer} :")
    assert await bob.passed_over() == []
    assert not [line for line in alice.heard if "PRIVMSG" in line]


@pytest.mark.parametrize(
    "line", ["BATCH +r chathistory #a", "BATCH +r draft/multiline", "BATCH -r", "BATCH r"]
)
async def test_a_batch_that_makes_no_sense_is_refused(server: Server, line: str) -> None:
    bob = await author(server)

    bob.say(line)

    await bob.hears("FAIL BATCH MULTILINE_INVALID")


async def test_nothing_else_is_said_within_a_batch(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    bob = await author(server)

    bob.say("BATCH +r draft/multiline #a", "@batch=r PRIVMSG #a :one", "PRIVMSG #a :two", "BATCH -r")

    await bob.hears("FAIL BATCH MULTILINE_INVALID")
    assert (await alice.hears("*")).params == ["#a", "two"]
    assert await bob.hears("*") == ":irc.test FAIL BATCH MULTILINE_INVALID :Invalid multiline batch"


async def test_a_channel_that_does_not_take_it_refuses_it_under_the_label(server: Server) -> None:
    await server.user("alice", channels=["#b"])
    bob = await author(server, *LABELS)

    bob.say("@label=L1 BATCH +r draft/multiline #b", "@batch=r PRIVMSG #b :x", "BATCH -r")

    assert (await bob.hears("*")).startswith("@label=L1 :irc.test 404 bob #b")


async def test_the_history_has_it_whole(server: Server) -> None:
    bob = await author(server)
    carol = await joined(server, "carol", "batch", MULTILINE, "draft/chathistory")
    plain = await joined(server, "dave", "batch", "draft/chathistory")
    bob.say(*PASTE)
    for client in (carol, plain):
        await client.hears(re.compile("everyone"))
        await client.passed_over()
        client.say("CHATHISTORY LATEST #a * 5")

    assert server.channel("#a").history[0].params[1] == "hello\n\nhow is everyone?"
    outer = (await carol.hears("BATCH +*")).partition("+")[2].partition(" ")[0]
    inner = await carol.hears("@*BATCH +*")
    assert inner.startswith("@msgid=m1;")
    assert f";batch={outer} " in inner
    assert "draft/multiline-concat" in await carol.hears(re.compile("everyone"))
    first = await plain.hears("@*PRIVMSG #a hello")
    assert first.startswith("@msgid=m1;")
    assert "msgid" not in await plain.hears("PRIVMSG #a :how is ")
