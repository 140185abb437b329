"""Factory: the IRC client factory. Makes one `Client` for each network, and starts and stops everything.

It is Componentized and almost empty: whatever it can do, it does through components. `ADAPTERS` is the list
of the core's own; a plugin adds more with `register_adapter`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from random import Random
from typing import Any

from pynfo import __version__
from pynfo.config import Config
from pynfo.host import Host
from pynfo.interfaces import (
    ICommands,
    IEvents,
    IFeeds,
    IFetcher,
    IHistory,
    IOperator,
    IOutbox,
    IScheduler,
    IStorage,
    IWeb,
    RetrievalError,
)
from pynfo.irc.client import Client, Connect
from pynfo.irc.connect import open_connection
from pynfo.irc.events import (
    Event,
    LineReceived,
    MessageReceived,
    NetworkUp,
    OperatorNotice,
    UserChanged,
    UserJoined,
    UserRenamed,
)
from pynfo.irc.settings import NetworkSettings
from pynfo.irc.sts import PolicyStore
from pynfo.plugin import PluginError
from pynfo.services.state_lock import StateLock

log = logging.getLogger(__name__)

ADAPTERS = {
    IStorage: ("pynfo.services.storage", "Storage"),
    IScheduler: ("pynfo.services.scheduler", "Scheduler"),
    IEvents: ("pynfo.services.events", "Events"),
    IOutbox: ("pynfo.services.outbox", "Outbox"),
    IHistory: ("pynfo.services.history", "History"),
    IFeeds: ("pynfo.services.feeds", "Feeds"),
    IOperator: ("pynfo.services.operator", "Operator"),
    ICommands: ("pynfo.services.commands", "Commands"),
    IFetcher: ("pynfo.services.fetcher", "Fetcher"),
    IWeb: ("pynfo.services.web", "Web"),
}
STS_KEY, STS_VERSION = "sts", "1"  # where the STS policies are stored

# What a network may change without a new connection.
PROMPT_SETTINGS = frozenset(
    {"channels", "nick", "alternate_nicks", "messages_per_second", "burst", "quit_message", "join_on_invite"}
)


class Factory(Host):
    """A bot: its config, its networks, its plugins.

    `connect` opens the connections (see `Client`); the console and tests give one of their own.
    """

    def __init__(
        self, config: Config, *, connect: Connect = open_connection, random: Random | None = None
    ) -> None:
        super().__init__(config, ADAPTERS)
        self._connect = connect
        self._random = random or Random()
        self._lock = StateLock(config.state_dir)
        self._policies = PolicyStore({})
        self._publish: Callable[[Event], object]

    async def start(self) -> None:
        """Start services, plugins, networks, in that order.

        Raises `StateLocked` where another bot uses the state directory, and `StorageError` where what is
        stored cannot be read. A plugin that does not load is reported, and the rest go on.
        """
        self.started = time.time()
        self._lock.acquire()
        try:
            await self._start_services()
        except BaseException:
            self._lock.release()
            raise
        self._publish = IEvents(self).publish
        self._watchdog.start()
        self._policies = PolicyStore(_StoredPolicies(IStorage(self)))
        for settings in self.config.networks:
            self._add(settings)
        await self._load(list(self.config.plugins))
        for client in self.clients.values():
            client.start()

    async def stop(self, reason: str = "") -> None:
        """Quit from every network, run every `fini`, store what is to be stored."""
        clients = (client.stop(reason or None) for client in self.clients.values())
        await asyncio.gather(*clients, self._stop_web())
        await self.plugins.unload_all()
        await self.stop_adapters()
        self._watchdog.stop()
        self.clients.clear()
        self._lock.release()

    async def _stop_web(self) -> None:
        """First of all: what is still read of the pages goes on while IRC is left."""
        web: Any = IWeb(self, None)
        if web is not None:
            await web.stop()

    async def reload(self, config: Config) -> None:
        """Take over a new config: only networks, channels and plugins that changed are touched."""
        old, self.config = self.config, config
        networks = {settings.name: settings for settings in config.networks}
        for name in [name for name in self.clients if name not in networks]:
            log.info("%s: no longer in the config", name)
            await self.clients.pop(name).stop()
            self._settle_all(f"{name}/")
        for settings in config.networks:
            client = self.clients.get(settings.name)
            if client is None:
                self._add(settings).start()
            elif _prompt(client.settings, settings):
                client.configure(settings)
            else:
                log.info("%s: connecting again with the new settings", settings.name)
                await client.stop("new settings")
                self._add(settings).start()
        await IWeb(self).configure()
        await self.plugins.show_pages()
        for name in [
            name for name in self.plugins.loaded if name in old.plugins and name not in config.plugins
        ]:
            await self._unload(name)
        for name in old.plugins.keys() - config.plugins.keys():
            IOperator(self).settled(f"plugin/{name}")
        await self._load([name for name in config.plugins if name not in self.plugins.loaded])
        for name, settings_of in config.plugins.items():
            if name in self.plugins.loaded and name in old.plugins and old.plugins[name] != settings_of:
                await self._reload(name)

    # -- networks

    def _add(self, settings: NetworkSettings) -> Client:
        events = IEvents(self)
        client = self.clients[settings.name] = Client(
            settings,
            on_event=self._on_event,
            connect=self._connect,
            policies=self._policies,
            random=self._random,
            version=f"Pynfo {__version__}",
            wants_lines=lambda: events.wants(LineReceived),
        )
        return client

    def _on_event(self, event: Event) -> None:
        """Publish an event of a client, after what it tells the operator."""
        if type(event) is MessageReceived:  # nearly all of them are, and tell the operator nothing
            pass
        elif isinstance(event, OperatorNotice):
            IOperator(self).tell(event.matter, event.text)
        elif isinstance(event, NetworkUp):
            for matter in ("connection", "banned", "nick"):
                IOperator(self).settled(f"{event.network}/{matter}")
            self._settle_login(self.clients[event.network])
        elif isinstance(event, UserChanged) and event.own:
            self._settle_login(self.clients[event.network])
        elif isinstance(event, UserJoined | UserRenamed) and event.own:
            self._settle(event)
        self._publish(event)

    def _settle_all(self, prefix: str) -> None:
        operator: Any = IOperator(self)
        for matter in operator.matters():
            if matter.startswith(prefix):
                operator.settled(matter)

    def _settle_login(self, client: Client) -> None:
        """We are logged in, or need not be: a network lets in also whose login has failed."""
        wanted = client.settings.sasl is not None or bool(client.settings.on_connect)
        if client.session.logged_in or not wanted:
            IOperator(self).settled(f"{client.name}/login")

    def _settle(self, event: UserJoined | UserRenamed) -> None:
        """We are where, or called what, we want to be: what was told of that is over."""
        client = self.clients[event.network]
        if isinstance(event, UserRenamed):
            if event.user.nick == client.session.nicks.wanted:
                IOperator(self).settled(f"{event.network}/nick")
            return
        fold = client.state.fold
        for channel in client.session.membership.wanted.values():
            if fold(channel.name) == fold(event.channel):
                IOperator(self).settled(f"{event.network}/{channel.name}/join")

    # -- plugins: what goes wrong with one is told, and does not stop the others

    async def _load(self, names: list[str]) -> None:
        for name in names:
            try:
                await self.plugins.load(name)
            except PluginError as error:
                IOperator(self).tell(f"plugin/{name}", str(error))

    async def _unload(self, name: str) -> None:
        try:
            await self.plugins.unload(name)
        except PluginError as error:
            IOperator(self).tell(f"plugin/{name}", str(error))

    async def _reload(self, name: str) -> None:
        try:
            await self.plugins.reload(name)
        except PluginError as error:
            IOperator(self).tell(f"plugin/{name}", str(error))


class _StoredPolicies(dict[str, Any]):
    """STS policies, stored whenever they change (there are as many as networks)."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        try:
            super().__init__(storage.retrieve(STS_KEY, STS_VERSION))
        except RetrievalError:
            super().__init__()

    def __setitem__(self, host: str, policy: Any) -> None:
        super().__setitem__(host, policy)
        self._storage.store(STS_KEY, STS_VERSION, dict(self))

    def __delitem__(self, host: str) -> None:
        super().__delitem__(host)
        self._storage.store(STS_KEY, STS_VERSION, dict(self))


def _prompt(old: NetworkSettings, new: NetworkSettings) -> bool:
    """Whether the change from `old` to `new` needs no new connection."""
    return all(
        getattr(old, field) == getattr(new, field)
        for field in old.__struct_fields__
        if field not in PROMPT_SETTINGS
    )
