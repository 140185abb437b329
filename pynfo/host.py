"""What plugins live in, whatever else it does: the bot (`Factory`), or the process of `pynfo web`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pynfo.components import Componentized
from pynfo.config import Config
from pynfo.plugin import Plugins
from pynfo.services.watchdog import Watchdog

if TYPE_CHECKING:
    from pynfo.irc.client import Client


class Host(Componentized):
    """A config, its plugins, and the wish to quit. `clients` are the networks by name."""

    only_web = False  # whether pages are all that there is

    def __init__(self, config: Config, adapters: Mapping[Any, tuple[str, str]]) -> None:
        super().__init__()
        self.config = config
        self.state_dir = config.state_dir
        self.clients: dict[str, Client] = {}
        self.plugins = Plugins(self)
        self.started = 0.0  # UTC epoch seconds
        self.quit_reason = ""
        self._adapter_interfaces = list(adapters)
        self._watchdog = Watchdog(self._plugin_of)
        self._quitting = asyncio.Event()
        for interface, (module, name) in adapters.items():
            self.register_adapter(interface, _later(module, name))

    def settings(self, plugin: str) -> Any:
        """The validated settings of a loaded plugin: an instance of its `Settings`."""
        return self.plugins.loaded[plugin].settings

    def request_quit(self, reason: str = "") -> None:
        """Ask whoever runs this to stop it."""
        self.quit_reason = reason
        self._quitting.set()

    @property
    def quitting(self) -> bool:
        """Whether somebody asked to stop."""
        return self._quitting.is_set()

    async def wait_quit(self) -> str:
        """*await* `request_quit`; gives its reason."""
        await self._quitting.wait()
        return self.quit_reason

    async def _start_services(self) -> None:
        """Make and start the adapters. Raises what a `start` raises."""
        for interface in self._adapter_interfaces:
            interface(self)
        await self.start_adapters()

    def _plugin_of(self, module: str) -> str | None:
        """The loaded plugin that a module belongs to."""
        for plugin in list(self.plugins.loaded.values()):
            if f"{module}.".startswith(f"{plugin.module.__name__}."):
                return plugin.name
        return None


def _later(module: str, name: str) -> Any:
    """Make an adapter from a module that is imported on first use."""

    def make(host: Host) -> Any:
        return getattr(import_module(module), name)(host)

    return make
