"""What becomes of a line that is said: echoed with a label or without, refused, or never heard of again."""

from __future__ import annotations

import asyncio

import pytest

from pynfo.irc import Message
from pynfo.irc.pacing import Outgoing, Priority, QueueFull
from pynfo.testing import Server
from tests.client_run import Line, in_virtual_time, joined


def without_labels():
    """As Libera has it."""
    return Server(capabilities={"echo-message": "", "message-tags": ""})


def answering(run, *lines):
    run.server.handle("PRIVMSG", lambda connection, message: list(lines))


@pytest.mark.parametrize(
    "echo",
    [
        "@msgid=7 :pynfo!p@h PRIVMSG #pynfo :h\x02ell\x02o",
        "@msgid=7 :pynfo!p@h PRIVMSG #Pynfo :hello",  # its own spelling, and channel mode +c
    ],
)
def test_an_echo_without_a_label_confirms_its_line(echo):
    @in_virtual_time
    async def run_test():
        async with joined(without_labels()) as run:
            answering(run, ":pynfo!p@h PRIVMSG #pynfo :not this", ":eve!e@h PRIVMSG #pynfo :hello", echo)
            run.client.put(line := Line("h\x02ell\x02o"))
            await asyncio.sleep(1)
            assert line.fate == ("confirmed", "7")

    run_test()


@in_virtual_time
async def test_a_refusal_without_a_label_is_told():
    async with joined(without_labels()) as run:
        answering(run, ":irc.test 404 pynfo #Pynfo :Cannot send to channel")
        first, second = Line("hello"), Line("hello")
        run.client.put(first)
        await asyncio.sleep(1)
        assert first.fate == ("failed", "the network refused it: Cannot send to channel")
        answering(run, "FAIL PRIVMSG NO #pynfo :Not so fast")
        run.client.put(second)
        await asyncio.sleep(1)
        assert second.fate == ("failed", "the network refused it: Not so fast (NO)")


@in_virtual_time
async def test_what_is_never_echoed_is_given_up_after_a_minute():
    async with joined(without_labels()) as run:
        answering(run)
        run.client.put(line := Line("hello"))
        await asyncio.sleep(59)
        assert line.fate is None
        await asyncio.sleep(2)
        assert "before the network confirmed it" in line.fate[1]


@in_virtual_time
async def test_tags_are_confirmed_too():
    async with joined(without_labels()) as run:
        run.server.handle("TAGMSG", lambda connection, message: "@+typing=done :pynfo!p@h TAGMSG #pynfo")
        line = Line("")
        line.message = Message("TAGMSG", ["#pynfo"], None, {"+typing": "done"})
        run.client.put(line)
        await asyncio.sleep(1)
        assert line.fate == ("confirmed", None)


@in_virtual_time
async def test_no_more_is_said_at_once_than_can_be_told_apart():
    async with joined(messages_per_second=None) as run:
        lines = [Line(str(number), f"nick{number % 4}") for number in range(1400)]
        run.server.handle("PRIVMSG", lambda connection, message: f"@label={message.tags['label']} ACK")
        for line in lines:
            run.client.put(line)
        await asyncio.sleep(5)
        assert [line.fate[0] for line in lines] == ["confirmed"] * 1400


@in_virtual_time
async def test_a_flood_of_our_own_is_bounded_without_pacing_too():
    async with joined(Server(capabilities={}), messages_per_second=None) as run:
        message = Message("PRIVMSG", ["nick", "x" * 400])
        with pytest.raises(QueueFull):
            for number in range(100_000):
                run.client.put(Outgoing(message, Priority.BULK, f"nick{number % 9}"))


@in_virtual_time
async def test_what_cannot_be_sent_is_told_once():
    fates = []

    class Counted(Line):
        def failed(self, reason):
            fates.append(reason)

    async with joined() as run:
        run.client.put(Counted("two\rlines"))
        await asyncio.sleep(100)
        assert len(fates) == 1
