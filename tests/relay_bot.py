"""A bot between scripted servers, with the relay, and people on each side."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from plugins.relay import IRelaying
from pynfo.config import Config
from pynfo.factory import Factory
from pynfo.interfaces import IEvents
from pynfo.irc.events import ChannelSynced
from pynfo.irc.message import Message
from pynfo.irc.settings import ChannelSettings, NetworkSettings
from pynfo.testing import Server
from pynfo.testing.puppet import said

WAIT = 10.0  # seconds for anything that a test waits for
WIRE = {"name": "dev", "ports": ["a/#dev", "b/#dev"]}


def network(name, *channels, **settings):
    return NetworkSettings(
        name=name,
        servers=[(f"{name}.test", 6667)],
        tls=False,
        nick="pynfo",
        messages_per_second=None,
        channels=[ChannelSettings(channel) for channel in channels or ("#dev",)],
        **settings,
    )


class RelayBot:
    """`alice` is on network a, `bob` on b, both in #dev. `servers` by network."""

    def __init__(self, factory, servers, people):
        self.factory = factory
        self.servers = servers
        self.people = people
        self.relay = IRelaying(factory)
        self.alice, self.bob = people["a"], people["b"]

    async def settle(self):
        """All that was said has been carried, or waits for something else than us."""
        await self.relay.catching_up.idle()
        for _ in range(5):
            await self.relay.queue.flush()
            for _ in range(30):
                await asyncio.sleep(0)

    async def says(self, person, text, **keywords):
        person.say("#dev", text, **keywords)
        await self.settle()

    def hears(self, person):
        """What a person has heard in #dev so far, without the joiners in nicks."""
        heard = []
        for line in person.heard:
            message = Message.parse(line.encode())
            if message.command in ("PRIVMSG", "NOTICE") and message.params[0] == "#dev":
                heard.append((said(message) or "").replace("\u2060", ""))
        return heard


@asynccontextmanager
async def relaying(tmp_path, *, a=None, b=None, wires=(WIRE,), people=True, plugins=None, **settings):
    servers = {"a": a or Server(), "b": b or Server()}
    names = {"a": "alice", "b": "bob"}
    puppets = {}
    for name, server in servers.items():
        server.accepting = True
        puppets[name] = await server.user(names[name], channels=["#dev"]) if people else None

    async def connect(protocol_factory, settings, *address):
        return await servers[settings.name].connect(protocol_factory)

    fields = {
        "state_dir": tmp_path,
        "networks": [network("a"), network("b")],
        "command_limits": {"user": None, "channel": None},
        "plugins": {"ignore": {}, "relay": {"wires": list(wires)}} | (plugins or {}),
    }
    factory = Factory(Config(**(fields | settings)), connect=connect)
    joined = set()
    both = asyncio.Event()

    def synced(event):
        joined.add(event.network)
        if joined == {"a", "b"}:
            both.set()

    IEvents(factory).subscribe(ChannelSynced, synced)
    await factory.start()
    try:
        async with asyncio.timeout(WAIT):
            await both.wait()
        bot = RelayBot(factory, servers, puppets)
        await bot.settle()
        yield bot
    finally:
        await factory.stop()
        for server in servers.values():
            await server.close()
