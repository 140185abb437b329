"""REDACT and reactions through the server in `pynfo.testing` (IRCv3 drafts "message-redaction", "react")."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pynfo.testing import EXTENSIONS, Puppet, Server
from tests.irc_client import RawClient, registered

REDACTION = "draft/message-redaction"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(extensions=EXTENSIONS, history=5) as server:
        yield server


async def joined(server: Server, nick: str, *capabilities: str) -> RawClient:
    client = await registered(server, nick, *capabilities)
    client.say("JOIN #a")
    await client.hears("366")
    return client


async def said(server: Server, by: Puppet, text: str) -> str:
    """Have it said in #a; its msgid."""
    by.say("#a", text)
    return server.channel("#a").history[-1].tags["msgid"]


async def test_ones_own_message_can_be_redacted(server: Server) -> None:
    await server.user("op", channels=["#a"])
    alice, bob = await server.user("alice", channels=["#a"]), await server.user("bob", channels=["#a"])
    msgid = await said(server, alice, "a secret")
    await said(server, alice, "no secret")

    alice.redact("#A", msgid, "wrong window")

    line = await bob.expect("REDACT")
    assert line.endswith(f" :alice!alice@alice.test REDACT #a {msgid} :wrong window")
    assert [message.params[1] for message in server.channel("#a").history] == ["no secret"]


async def test_only_those_who_know_of_redaction_are_told(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    carol = await joined(server, "carol", "message-tags")
    alice.redact("#a", await said(server, alice, "a secret"))

    assert not [line for line in await carol.passed_over() if "REDACT" in line]


async def test_an_operator_redacts_what_others_said(server: Server) -> None:
    op, alice = await server.user("op", channels=["#a"]), await server.user("alice", channels=["#a"])

    op.redact("#a", await said(server, alice, "spam"))

    assert (await alice.expect("REDACT")).endswith("REDACT #a m1")


async def test_a_message_to_one_person_can_be_redacted_by_its_sender_alone(server: Server) -> None:
    alice, bob = await server.user("alice"), await server.user("bob")
    alice.say("bob", "a secret")
    msgid = (await bob.hears("a secret")).tags["msgid"]

    bob.redact("bob", msgid)
    await bob.expect(f"FAIL REDACT REDACT_FORBIDDEN bob {msgid}")
    alice.redact("bob", msgid)
    await bob.expect(f"REDACT bob {msgid}")


async def test_the_redaction_is_echoed_under_its_label(server: Server) -> None:
    bob = await joined(server, "bob", REDACTION, "message-tags", "echo-message", "labeled-response", "batch")
    bob.say("PRIVMSG #a :a secret")
    msgid = (await bob.hears("@*a secret")).partition("msgid=")[2].partition(" ")[0]

    bob.say(f"@label=L1 REDACT #a {msgid} :oops")

    assert (await bob.hears("@label=L1*")).endswith(f":bob!bob@memory REDACT #a {msgid} oops")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("REDACT #a m999", "FAIL REDACT UNKNOWN_MSGID #a m999 :This message does not exist or is too old"),
        ("REDACT #a {msgid}", "FAIL REDACT REDACT_FORBIDDEN #a {msgid}"),
        ("REDACT #b {msgid}", "FAIL REDACT INVALID_TARGET #b :You cannot delete messages from #b"),
        ("REDACT bob {msgid}", "FAIL REDACT UNKNOWN_MSGID bob {msgid}"),
        ("REDACT #a", "461 bob REDACT"),
    ],
)
async def test_what_cannot_be_redacted_is_refused(server: Server, line: str, answer: str) -> None:
    alice = await server.user("alice", channels=["#a"])
    msgid = await said(server, alice, "hello")
    await server.user("carol", channels=["#b"])
    bob = await joined(server, "bob", REDACTION)

    bob.say(line.format(msgid=msgid))

    await bob.hears(answer.format(msgid=msgid))
    assert len(server.channel("#a").history) == 1


async def test_the_command_is_unknown_to_those_without_the_capability(server: Server) -> None:
    carol = await registered(server, "carol")

    carol.say("REDACT #a m1")

    await carol.hears("421 carol REDACT")


async def test_a_reaction_reaches_those_who_know_tags(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    modern = await joined(server, "carol", "message-tags")
    plain = await joined(server, "dave")
    msgid = await said(server, alice, "hello")
    await plain.hears("PRIVMSG")

    alice.react("#a", msgid, "👍")

    line = await modern.hears("@*TAGMSG #a")
    assert f"+draft/react=👍;+draft/reply={msgid}" in line
    assert await plain.passed_over() == []


async def test_a_reaction_can_be_redacted(server: Server) -> None:
    await server.user("op", channels=["#a"])
    alice, bob = await server.user("alice", channels=["#a"]), await server.user("bob", channels=["#a"])
    alice.react("#a", await said(server, bob, "hello"), "👍")
    reaction = (await bob.expect("@*TAGMSG")).partition("msgid=")[2].partition(";")[0]

    alice.redact("#a", reaction)

    await bob.expect(f"REDACT #a {reaction}")
