"""Messages of several lines that we send: written whole, paced, confirmed and refused as one."""

from __future__ import annotations

import asyncio

from pynfo.irc.events import MessageReceived
from pynfo.irc.multiline import Limits, compose, in_force
from pynfo.testing import CAPABILITIES, EXTENSIONS, Server
from tests.client_run import Line, in_virtual_time, joined

GENEROUS = Limits(100_000, 24)


def on(value="max-bytes=4096,max-lines=24", **settings):
    return joined(Server(extensions=EXTENSIONS | {"draft/multiline": value}, history=10), **settings)


def paste(text, **tags):
    line = Line("")
    line.message = compose("#pynfo", text, 400, GENEROUS, tags)
    return line


async def sent(run):
    """What the server has got of #pynfo."""
    await asyncio.sleep(60)
    received = (await run.server.connection(1)).received
    return [line for line in received if "PRIVMSG" in line or "BATCH" in line]


@in_virtual_time
async def test_its_echo_confirms_it_and_is_one_message():
    async with on() as run:
        alice = await run.server.user("alice", channels=["#pynfo"])
        line = paste("hello\nthere", **{"+draft/reply": "m1"})
        run.client.put(line)
        await asyncio.sleep(1)
        first = await alice.hears("hello")
        assert line.fate == ("confirmed", first.tags["msgid"])
        assert first.tags["+draft/reply"] == "m1"
        [event] = [event for event in run.seen if isinstance(event, MessageReceived)]
        assert (event.text, event.own, event.msgid) == ("hello\nthere", True, line.fate[1])


@in_virtual_time
async def test_nothing_comes_between_its_lines():
    async with on() as run:
        run.client.put(Line("before"))
        run.client.put(paste("one\ntwo"))
        run.client.put(Line("after"))
        lines = [line.partition(" ")[2] for line in await sent(run)]
        assert lines == [
            "PRIVMSG #pynfo before",
            "BATCH +pynfo draft/multiline #pynfo",
            "PRIVMSG #pynfo one",
            "PRIVMSG #pynfo two",
            "-pynfo",
            "PRIVMSG #pynfo after",
        ]


@in_virtual_time
async def test_what_follows_waits_until_every_line_of_it_has_had_its_turn():
    async with on(messages_per_second=1.0, burst=5) as run:
        began = run.client.time()
        run.client.put(paste("\n".join("abcdef")))  # eight lines with those around
        run.client.put(line := Line("after"))
        await asyncio.sleep(3.5)
        assert line.fate is None
        await asyncio.sleep(1)
        assert line.fate is not None  # of nine lines five were free
        assert run.client.time() - began < 5


@in_virtual_time
async def test_what_is_owed_is_forgotten_with_the_connection():
    async with on(messages_per_second=0.01, burst=8) as run:
        run.client.put(paste("\n".join("x" * 24)))
        (await run.server.connection(1)).abort()
        run.client.put(line := Line("after"))
        await asyncio.sleep(60)
        assert line.fate[0] == "confirmed"


@in_virtual_time
async def test_a_refusal_is_told_with_its_code():
    async with on("max-bytes=10,max-lines=24") as run:
        run.client.put(line := paste("too much\nof it"))
        run.client.put(after := Line("after"))
        await asyncio.sleep(1)
        assert line.fate[0] == "failed"
        assert "(MULTILINE_MAX_BYTES)" in line.fate[1]
        assert after.fate[0] == "confirmed"


@in_virtual_time
async def test_a_channel_that_does_not_take_it_refuses_it():
    async with on() as run:
        run.server.mode("#pynfo", "+m-o", "pynfo")
        run.client.put(line := paste("one\ntwo"))
        await asyncio.sleep(1)
        assert line.fate == ("failed", "the network refused it: Cannot send to channel")


@in_virtual_time
async def test_a_refusal_without_a_label_is_that_of_the_first_and_of_no_other():
    async with on(messages_per_second=None) as run:
        dropped = [True] * 4  # of the first batch

        def as_ergo_does(connection, message):
            if not dropped:
                return connection.answer(message)
            dropped.pop()
            if message.tags.get("label"):
                return ":irc.test FAIL BATCH MULTILINE_MAX_LINES 1 :Too many lines"
            return ":irc.test FAIL BATCH MULTILINE_INVALID :Incorrect batch tag sent"

        run.server.handle("BATCH", as_ergo_does)
        run.server.handle("PRIVMSG", as_ergo_does)
        first, second = paste("one\ntwo"), paste("three\nfour")
        run.client.put(first)
        run.client.put(second)
        await asyncio.sleep(1)
        assert first.fate == ("failed", "the network refused it: Too many lines (MULTILINE_MAX_LINES)")
        assert second.fate[0] == "confirmed"


@in_virtual_time
async def test_where_there_is_no_such_thing_nothing_is_written():
    async with joined(Server(capabilities=CAPABILITIES)) as run:
        assert in_force(run.client.session.capabilities) is None
        run.client.put(line := paste("one\ntwo"))
        assert line.fate == ("failed", "the network takes no messages of several lines now")
        assert await sent(run) == []


@in_virtual_time
async def test_a_line_that_cannot_be_sent_holds_back_all_of_it():
    async with on() as run:
        run.client.put(line := paste("one\nt\0wo"))
        assert line.fate[0] == "failed"
        assert len(run.client.session.labels) == 0
        assert await sent(run) == []
