"""A whole bot on a server in this process, and a person who talks to it.

async with Bot.running(config_for(folder, plugins={"dice": {}})) as bot:
    assert "rolled" in await bot.ask("!roll")
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pynfo.config import Config
from pynfo.factory import Factory
from pynfo.interfaces import ICommands, IEvents
from pynfo.irc.events import ChannelSynced
from pynfo.irc.settings import ChannelSettings, NetworkSettings
from pynfo.testing.puppet import Puppet, said
from pynfo.testing.server import Server
from pynfo.testing.transcript import WAIT

NETWORK = "test"
CHANNEL = "#pynfo"
TURNS = 20  # of the event loop, in which a line crosses from one end of a connection in memory to the other


def config_for(
    state_dir: Path, *, owner: str = "", network: str = NETWORK, channel: str = CHANNEL, **settings: Any
) -> Config:
    """A config with one network in memory, no limits and no pacing; `settings` are fields of `Config`.

    `owner` is the nick of a person who may do everything.
    """
    in_memory = NetworkSettings(
        name=network,
        servers=[("in-process", 6667)],
        tls=False,
        messages_per_second=None,
        nick=settings.get("nick", "pynfo"),
        channels=[ChannelSettings(channel)],
    )
    defaults: dict[str, Any] = {
        "state_dir": state_dir,
        "networks": [in_memory],
        "owners": [f"*!{owner}@*"] if owner else [],  # the username stays when the nick changes
        "command_limits": {"user": None, "channel": None},
        "plugins": {"ignore": {}, "seen": {}, "admin": {}},
    }
    return Config(**(defaults | settings))


class Bot:
    """A running bot. `user` is the person who talks to it, in `channel`, where both are."""

    def __init__(self, factory: Factory, server: Server, user: Puppet) -> None:
        self.factory = factory
        self.server = server
        self.user = user
        self.network, self.channel = NETWORK, CHANNEL

    @classmethod
    @asynccontextmanager
    async def running(
        cls, config: Config, *, server: Server | None = None, nick: str = "alice", account: str = ""
    ) -> AsyncIterator[Bot]:
        """Start a bot and wait until it is in its channel, where `nick` is already."""
        async with server or Server() as server:
            channels = [channel.name for channel in config.networks[0].channels]
            user = await server.user(nick, account=account or None, channels=channels)
            factory = Factory(config, connect=server.connect)
            joined = asyncio.Event()
            IEvents(factory).subscribe(ChannelSynced, lambda event: joined.set())
            await factory.start()
            try:
                async with asyncio.timeout(WAIT):
                    await joined.wait()
                bot = cls(factory, server, user)
                bot.network, bot.channel = config.networks[0].name, channels[0]
                await bot.settle()
                yield bot
            finally:
                await factory.stop()

    async def ask(self, text: str, *, private: bool = False, tags: Mapping[str, str] | None = None) -> str:
        """Say `text` in the channel, or to the bot, and *await* its answer: the text of its next line.

        Raises `AssertionError` where none comes.
        """
        nick = self.factory.clients[self.network].state.nick
        self.user.say(nick if private else self.channel, text, tags=dict(tags or {}))
        return said(await self.user.hears("*")) or ""

    async def ignores(self, text: str, *, private: bool = False) -> bool:
        """Say `text`, and whether everything has been done that comes of it without an answer."""
        nick = self.factory.clients[self.network].state.nick
        before = len(self.user.heard)
        self.user.say(nick if private else self.channel, text)
        await self.settle()
        return len(self.user.heard) == before

    async def settle(self) -> None:
        """*await* the end of all commands that were asked for, and of what they had to say."""
        for _ in range(3):
            for _ in range(TURNS):
                await asyncio.sleep(0)
            await ICommands(self.factory).idle()
