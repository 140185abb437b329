"""How connections end, and that none of them takes the next one with it."""

from __future__ import annotations

import asyncio

from pynfo.irc.events import ChannelSynced, NetworkDown
from pynfo.irc.settings import ChannelSettings, NetworkSettings
from pynfo.testing import Server
from tests.client_run import Line, in_virtual_time, joined, running


@in_virtual_time
async def test_a_connection_that_ends_late_does_not_end_the_next_one():
    async with joined() as run:
        late = run.client._transport.get_protocol()  # TLS takes its time where the server has gone
        (await run.server.connection(1)).freeze()
        await run.event(NetworkDown)
        await run.event(ChannelSynced)
        late.data_received(b"ERROR :Closing link\r\n")
        late.connection_lost(ConnectionResetError("at last"))
        await asyncio.sleep(300)
        assert len(run.connections) == 2
        assert run.client.up


@in_virtual_time
async def test_what_a_server_says_before_it_hangs_up_at_once_is_heard():
    server = Server()
    server.scripted = True
    async with running(server) as run:

        async def banned(protocol_factory, settings, host, port, tls):
            transport = await run._connect(protocol_factory, settings, host, port, tls)
            transport.get_protocol().data_received(b"ERROR :Trying to reconnect too fast.\r\n")
            transport.get_protocol().connection_lost(None)
            return transport

        run.client._connect = banned
        await run.connections_made(3)
        assert min(run.times[1] - run.times[0], run.times[2] - run.times[1]) >= 60
        assert "too fast" in run.client.status or "connecting" in run.client.status


@in_virtual_time
async def test_a_reason_that_no_line_can_hold_does_not_keep_it_from_leaving():
    async with joined() as run:
        connection = await run.server.connection(1)
        run.client.part("#pynfo", "long\nreason " * 100)
        await connection.expect("PART #pynfo *", timeout=None)
        await run.client.stop("long\nreason " * 100)
        await connection.expect("QUIT *", timeout=None)


@in_virtual_time
async def test_a_name_that_no_line_can_hold_is_told_and_does_not_end_the_network():
    async with running(realname="x" * 600) as run:
        await run.connections_made(3)
        assert "cannot register: " in run.client.status or "connecting" in run.client.status
        run.client.session.settings = run.client.settings = NetworkSettings(
            name="net", servers=[("irc.test", 6667)], tls=False, channels=[ChannelSettings("#pynfo")]
        )
        await run.event(ChannelSynced)


@in_virtual_time
async def test_an_error_nobody_thought_of_in_what_is_due_ends_the_connection_only():
    async with joined() as run:
        tick, run.client.session.tick = run.client.session.tick, None
        down = await run.event(NetworkDown)
        assert "an unexpected error" in down.reason
        run.client.session.tick = tick
        await run.event(ChannelSynced)


@in_virtual_time
async def test_what_is_said_after_the_end_is_told_to_be_unsaid():
    async with joined() as run:
        await run.client.stop()
        run.client.put(line := Line("too late"))
        assert line.fate == ("failed", "the bot has stopped")
