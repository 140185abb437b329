"""How connections end, and that none of them takes the next one with it."""

from __future__ import annotations

import asyncio

from pynfo.irc.events import ChannelSynced, NetworkDown
from pynfo.testing import Server
from tests.client_run import in_virtual_time, joined, running


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
