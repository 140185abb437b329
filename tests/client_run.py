"""A client on a server in the same process, in virtual time: what it told, and what became of its lines."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import wraps
from random import Random

from pynfo.irc import Message
from pynfo.irc.client import Client
from pynfo.irc.events import ChannelSynced
from pynfo.irc.pacing import Outgoing, Priority
from pynfo.irc.settings import ChannelSettings, NetworkSettings
from pynfo.irc.sts import PolicyStore
from pynfo.testing import Server
from tests import virtual_time


def in_virtual_time(test):
    @wraps(test)
    def wrapped(*args, **kw):
        virtual_time.run(test(*args, **kw))

    return wrapped


class Line(Outgoing):
    """A line that remembers what became of it."""

    __slots__ = ("fate",)

    def __init__(self, text, target="#pynfo", priority=Priority.BULK, expires=float("inf")):
        super().__init__(Message("PRIVMSG", [target, text]), priority, target, expires)
        self.fate = None

    def confirmed(self, msgid):
        self.fate = ("confirmed", msgid)

    def failed(self, reason):
        self.fate = ("failed", reason)


class Run:
    """A client, the events it told, and the connections it asked for."""

    def __init__(self, server, client_settings):
        self.server = server
        self.events = asyncio.Queue()
        self.seen = []
        self.connections = []  # (time, host, port, tls)
        settings = {"servers": [("irc.test", 6667)], "tls": False, "channels": [ChannelSettings("#pynfo")]}
        self.client = Client(
            NetworkSettings(name="net", **(settings | client_settings)),
            on_event=self._on_event,
            connect=self._connect,
            policies=PolicyStore({}),
            random=Random(7),
        )

    def _on_event(self, event):
        self.seen.append(event)
        self.events.put_nowait(event)

    async def _connect(self, protocol_factory, settings, host, port, tls):
        self.connections.append((self.client.time(), host, port, tls))
        return await self.server.connect(protocol_factory)

    @property
    def times(self):
        return [connection[0] for connection in self.connections]

    async def event(self, event_type):
        """The next event of a type, however long it takes."""
        while True:
            event = await self.events.get()
            if isinstance(event, event_type):
                return event

    async def connections_made(self, count):
        while len(self.connections) < count:
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running(server=None, **settings):
    server = server or Server()
    run = Run(server, settings)
    run.client.start()
    try:
        yield run
    finally:
        await run.client.stop()
        await server.close()


@asynccontextmanager
async def joined(server=None, **settings):
    """A client that is in #pynfo, with nothing left to send."""
    async with running(server, **settings) as run:
        await run.event(ChannelSynced)
        await asyncio.sleep(30)
        assert run.client.queued == 0
        yield run


def sent_at(run, connection):
    """Times and texts of what the server gets from now on."""
    got = []

    def privmsg(connection, message):
        got.append((run.client.time(), message.params[-1]))

    run.server.handle("PRIVMSG", privmsg)
    return got
