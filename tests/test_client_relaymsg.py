"""What becomes of RELAYMSG and REDACT that we send, and whose words relayed ones are."""

from __future__ import annotations

import asyncio

import pytest

from pynfo.irc import Message
from pynfo.irc.client import StandardReplyError
from pynfo.irc.events import MessageReceived, MessageRedacted
from pynfo.testing import CAPABILITIES, EXTENSIONS, Server
from tests.client_run import Line, in_virtual_time, joined

WITHOUT_LABELS = {"echo-message": "", "message-tags": ""}
WITHOUT_ECHO = {"message-tags": ""}
LABELS_ALONE = {"message-tags": "", "labeled-response": "", "batch": ""}


def on(capabilities=CAPABILITIES):
    return joined(Server(capabilities=capabilities, extensions=EXTENSIONS, history=10))


def command(name, *params):
    line = Line("")
    line.message = Message(name, ["#pynfo", *params])
    return line


async def fate_of(run, line):
    run.client.put(line)
    await asyncio.sleep(1)
    return line.fate


def heard(run, event_type=MessageReceived):
    return [event for event in run.seen if isinstance(event, event_type)]


def last_msgid(run):
    return run.server.channel("#pynfo").history[-1].tags["msgid"]


@pytest.mark.parametrize("capabilities", [CAPABILITIES, WITHOUT_LABELS, LABELS_ALONE])
def test_what_we_relay_is_confirmed_by_its_echo(capabilities):
    @in_virtual_time
    async def run_test():
        async with on(capabilities) as run:
            fate = await fate_of(run, command("RELAYMSG", "alice/oftc", "h\x02ell\x02o"))
            assert fate == ("confirmed", last_msgid(run))

    run_test()


@pytest.mark.parametrize("capabilities", [CAPABILITIES, WITHOUT_LABELS, WITHOUT_ECHO])
def test_what_we_relay_is_told_once_and_is_our_own(capabilities):
    @in_virtual_time
    async def run_test():
        async with on(capabilities) as run:
            await fate_of(run, command("RELAYMSG", "alice/oftc", "!op alice"))
            assert [(event.user.nick, event.text, event.own) for event in heard(run)] == [
                ("alice/oftc", "!op alice", True)
            ]

    run_test()


@in_virtual_time
async def test_without_echo_it_is_confirmed_when_it_is_written():
    async with on(WITHOUT_ECHO) as run:
        line = command("RELAYMSG", "alice/oftc", "hello")
        run.client.put(line)
        assert line.fate == ("confirmed", None)


@in_virtual_time
async def test_without_the_capability_no_echo_is_waited_for():
    async with joined(Server(capabilities=WITHOUT_LABELS)) as run:
        line = command("RELAYMSG", "alice/oftc", "hello")
        run.client.put(line)
        assert line.fate == ("confirmed", None)


@in_virtual_time
async def test_an_echo_confirms_what_was_relayed_and_not_what_we_said_ourselves():
    async with on(WITHOUT_LABELS) as run:
        ours, relayed = Line("hello"), command("RELAYMSG", "alice/oftc", "hello")
        run.server.handle(
            "RELAYMSG",
            lambda connection, message: (
                "@draft/relaymsg=pynfo;msgid=r1 :alice/oftc!~u@h PRIVMSG #pynfo :hello"
            ),
        )
        run.server.handle("PRIVMSG", lambda connection, message: None)
        run.client.put(ours)
        await fate_of(run, relayed)
        assert relayed.fate == ("confirmed", "r1")
        assert ours.fate is None


@in_virtual_time
async def test_what_another_bot_relays_is_not_ours():
    async with on() as run:
        run.server.anyone_relays = True
        other = await run.server.user("otherbot", channels=["#pynfo"])
        other.relay("#pynfo", "alice/oftc", "!ping")
        await asyncio.sleep(1)
        assert [event.own for event in heard(run)] == [False]


@in_virtual_time
async def test_nobody_answers_a_nick_that_is_not_there():
    async with on() as run:
        run.server.anyone_relays = True
        other = await run.server.user("otherbot", channels=["#pynfo"])
        other.relay("#pynfo", "alice/oftc", "\x01VERSION\x01")
        await asyncio.sleep(5)
        connection = await run.server.connection(1)
        assert not [line for line in connection.received if "NOTICE" in line]


@pytest.mark.parametrize("capabilities", [CAPABILITIES, WITHOUT_LABELS, LABELS_ALONE])
def test_a_refusal_to_relay_is_told_with_its_code(capabilities):
    @in_virtual_time
    async def run_test():
        async with on(capabilities) as run:
            first, second = Line("hello"), command("RELAYMSG", "al!ce/oftc", "hello")
            run.client.put(first)
            fate = await fate_of(run, second)
            assert first.fate[0] == "confirmed"
            assert fate == ("failed", "the network refused it: Invalid nickname (INVALID_NICK)")

    run_test()


@in_virtual_time
async def test_a_refusal_to_relay_is_not_one_to_say_something():
    async with on(WITHOUT_LABELS) as run:
        run.server.handle("PRIVMSG", lambda connection, message: None)
        run.client.put(ours := Line("hello"))
        fate = await fate_of(run, command("RELAYMSG", "al!ce/oftc", "hello"))
        assert fate[0] == "failed"
        assert ours.fate is None


@pytest.mark.parametrize("capabilities", [CAPABILITIES, LABELS_ALONE])
def test_a_redaction_is_confirmed_by_the_answer_to_it(capabilities):
    @in_virtual_time
    async def run_test():
        async with on(capabilities) as run:
            await fate_of(run, Line("a secret"))
            assert await fate_of(run, command("REDACT", last_msgid(run), "oops")) == ("confirmed", None)
            assert not run.server.channel("#pynfo").history

    run_test()


@in_virtual_time
async def test_a_redaction_of_ours_is_told_where_it_is_echoed():
    async with on() as run:
        await fate_of(run, Line("a secret"))
        await fate_of(run, command("REDACT", last_msgid(run), "oops"))
        assert [event.reason for event in heard(run, MessageRedacted)] == ["oops"]


@in_virtual_time
async def test_without_labels_a_redaction_is_confirmed_when_it_is_written():
    async with on(WITHOUT_LABELS) as run:
        line = command("REDACT", "m1")
        run.client.put(line)
        assert line.fate == ("confirmed", None)


@in_virtual_time
async def test_a_refusal_to_redact_is_told_with_its_code():
    async with on() as run:
        fate = await fate_of(run, command("REDACT", "m999"))
        assert fate[0] == "failed"
        assert "(UNKNOWN_MSGID)" in fate[1]


@in_virtual_time
async def test_who_asks_with_a_label_of_their_own_gets_the_answer():
    async with on() as run:
        with pytest.raises(StandardReplyError) as refused:
            await run.client.request(Message("REDACT", ["#pynfo", "m999"]))
        assert refused.value.code == "UNKNOWN_MSGID"
