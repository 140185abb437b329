"""The plugins' pages without a bot: what `pynfo web` and `pynfo.asgi` run.

Of each plugin of the config only `pages` is called: there is no IRC, no command, no `init`. It may run beside
a bot of the same config, and in several processes; so nothing here writes the bot's state, and nobody offers
`IStorage`.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import msgspec

from pynfo.config import Config
from pynfo.config_http import HttpSettings
from pynfo.host import Host
from pynfo.interfaces import IEvents, IOperator, IScheduler, IWeb
from pynfo.plugin import PluginError

log = logging.getLogger(__name__)

ADAPTERS = {
    IScheduler: ("pynfo.services.scheduler", "Scheduler"),
    IEvents: ("pynfo.services.events", "Events"),
    IOperator: ("pynfo.services.operator", "Operator"),
    IWeb: ("pynfo.services.web", "Web"),
}


class NoPages(Exception):
    """There is nothing to serve. One sentence."""


class WebFactory(Host):
    """As much of a `Factory` as pages need. `clients` is empty, and no event ever comes.

    `settings` are fields of `HttpSettings` that go before those of the config.
    """

    only_web = True

    def __init__(self, config: Config, **settings: Any) -> None:
        self._overrides = settings
        super().__init__(self._configured(config), ADAPTERS)

    async def start(self) -> None:
        """Load the pages, then serve them. A plugin whose pages fail is reported, and the rest go on.

        Raises `CannotListen`, and `NoPages` where no plugin has any.
        """
        self.started = time.time()
        await self._start_services()
        self._watchdog.start()
        await self._load(list(self.config.plugins))
        if not self.plugins.loaded:
            raise NoPages("no plugin of the config has pages to serve")

    async def stop(self, reason: str = "") -> None:
        """End all requests, and let the plugins go."""
        web: Any = IWeb(self, None)
        if web is not None:
            await web.stop()
        await self.plugins.unload_all()
        await self.stop_adapters()
        self._watchdog.stop()

    async def reload(self, config: Config) -> None:
        """Take over a new config: only what changed is touched."""
        old, self.config = self.config, self._configured(config)
        plugins = self.config.plugins
        for name in list(self.plugins.loaded):
            if plugins.get(name) != old.plugins.get(name):
                await self._unload(name)
        for name in old.plugins.keys() - plugins.keys():
            IOperator(self).settled(f"plugin/{name}")
        await self._load([name for name in plugins if name not in self.plugins.loaded])
        await IWeb(self).configure()

    def _configured(self, config: Config) -> Config:
        http = msgspec.structs.replace(config.http or HttpSettings(), **self._overrides)
        return msgspec.structs.replace(config, http=http)

    async def _load(self, names: list[str]) -> None:
        for name in names:
            try:
                await self.plugins.load_pages(name)
            except PluginError as error:
                IOperator(self).tell(f"plugin/{name}", str(error))
            else:
                IOperator(self).settled(f"plugin/{name}")

    async def _unload(self, name: str) -> None:
        try:
            await self.plugins.unload(name)
        except PluginError as error:
            log.error("%s", error)
