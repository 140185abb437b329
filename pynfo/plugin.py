"""Loading plugins: import, settings, `init`, commands; and back, leaving nothing behind.

A plugin is a module. It may have `Settings` (a `msgspec.Struct`), `init(factory)`, `pages(factory)`,
`fini(factory)` (plain or async), functions marked with `@command`, `check(settings, config)` and `cli` (a
click group). What it registers while it runs belongs to its `Owner`, and goes with it.

`pages` mounts web pages. It is called after `init` where this process serves any, and in `pynfo web` it is
all that is called. Pages that fail are told, and the plugin goes on without them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

from pynfo import plugin_modules
from pynfo.discovery import KIND, Registration, discover, entry_points, plugin_path
from pynfo.interfaces import ICommands, IOperator
from pynfo.ownership import Owner
from pynfo.plugin_modules import PluginError, failure, import_plugin, marked_commands, read_settings
from pynfo.validation import unknown

if TYPE_CHECKING:
    from pynfo.host import Host

__all__ = ["LoadedPlugin", "PluginError", "Plugins"]

log = logging.getLogger(__name__)

INIT_LIMIT = 20.0  # seconds for an async init, and for async pages
FINI_LIMIT = 3.0  # seconds for an async fini
ALL_FINI_LIMIT = 2.0  # seconds for all of them when the bot stops, which has 5 in all


class LoadedPlugin(msgspec.Struct, eq=False):
    """A plugin that is loaded. `settings` is an instance of its `Settings`, None where it has none.

    `running`: its `init` was called, so that its `fini` will be; `shown`: its `pages` were called.
    """

    name: str
    registration: Registration
    module: ModuleType
    settings: Any
    owner: Owner
    commands: list[Any] = []
    running: bool = False
    shown: bool = False


class Plugins:
    """The plugins of one bot. One of them changes at a time."""

    def __init__(self, factory: Host) -> None:
        self.loaded: dict[str, LoadedPlugin] = {}
        self.problems: list[str] = []  # what is wrong in files of registrations
        self._factory = factory
        self._changing = asyncio.Lock()

    @property
    def path(self) -> list[Path]:
        """The plugin path, first come first."""
        return [Path(directory) for directory in self._directories()]

    def discover(self) -> dict[str, Registration]:
        """All plugins there are, by name, installed ones too. Reads files: takes its time."""
        return entry_points() | self._registered()

    async def load(self, name: str) -> None:
        """Import a plugin, check its settings, run its `init`, offer its commands. Raises `PluginError`."""
        async with self._changing:
            if name in self.loaded:
                raise PluginError(f"plugin {name} is loaded already")
            await self._start(self._prepare(self._find(name)), {name})

    async def load_pages(self, name: str) -> bool:
        """Load a plugin for its `pages` alone; False where it has none. Raises `PluginError`."""
        async with self._changing:
            plugin = self._prepare(self._find(name))
            if not hasattr(plugin.module, "pages"):
                plugin_modules.release(plugin.module)
                return False
            self.loaded[name] = plugin
            try:
                await self._show(plugin)
            except PluginError:
                await self._dispose(plugin)
                raise
            return True

    async def show_pages(self) -> None:
        """Call the `pages` of every plugin that were not called yet, as the web is served from now on."""
        async with self._changing:
            for plugin in list(self.loaded.values()):
                await self._try_to_show(plugin)

    async def unload(self, name: str) -> None:
        """Run a plugin's `fini`, then take back whatever it registered.

        Raises `PluginError` where it is not loaded, and where its `fini` failed: it is unloaded all the same.
        """
        async with self._changing:
            await self._stop(self._loaded(name))

    async def reload(self, name: str) -> None:
        """Replace a plugin by its files as they are now; plugins that import from it are reloaded too.

        Raises `PluginError`. Where the new files do not import, or refuse the settings, the old plugin goes
        on; where the new `init` fails, the plugin is unloaded.
        """
        async with self._changing:
            await self._reload(self._loaded(name), {name})

    async def unload_all(self, limit: float = ALL_FINI_LIMIT) -> None:
        """Unload everything; all `fini` together have `limit` seconds. What fails is logged."""
        async with self._changing:
            plugins = list(reversed(self.loaded.values()))
            # Every fini starts before anything is taken back: one may need what another plugin offers.
            outcomes = await asyncio.gather(*(_finish(plugin, self._factory, limit) for plugin in plugins))
            for plugin, error in zip(plugins, outcomes, strict=True):
                if error is not None:
                    log.error("%s", error)
                await self._dispose(plugin)

    # -- finding

    def _directories(self) -> list[str]:
        config = self._factory.config
        return plugin_path(config.path, config.plugin_path)

    def _registered(self) -> dict[str, Registration]:
        found, mistakes = discover(self._directories())
        told, self.problems = self.problems, [str(mistake) for mistake in mistakes]
        for problem in self.problems:
            if problem not in told:
                log.error("%s", problem)
        return found

    def _find(self, name: str) -> Registration:
        registered = self._registered()
        registration = registered.get(name) or entry_points().get(name)
        if registration is None:
            raise PluginError(unknown("plugin", name, registered))
        if registration.type != KIND:
            text = f"plugin {name} is of type {registration.type!r}, and this is an {KIND}"
            raise PluginError(text, registration.path, registration.line)
        return registration

    def _loaded(self, name: str) -> LoadedPlugin:
        if name not in self.loaded:
            raise PluginError(f"plugin {name} is not loaded")
        return self.loaded[name]

    # -- loading

    def _prepare(self, registration: Registration) -> LoadedPlugin:
        """Import it and read its settings; nothing of it runs yet but its import."""
        name, config = registration.name, self._factory.config
        module = import_plugin(registration, self._directories())
        plugin_modules.hold(module)
        base = config.path.parent if config.path is not None else Path.cwd()
        settings, problems = read_settings(module, config.plugins.get(name, {}), base)
        if problems:
            plugin_modules.release(module)
            text = "; ".join(problem.text for problem in problems)
            raise PluginError(f"plugin {name}: its settings in the config: {text}")
        return LoadedPlugin(name, registration, module, settings, Owner(name))

    async def _start(self, plugin: LoadedPlugin, reloading: set[str]) -> None:
        """Run `init` and offer the commands, then `pages`. Where one of the first two fails, all of it is
        taken back."""
        self.loaded[plugin.name] = plugin
        try:
            plugin.running = True
            await self._begin(plugin, "init")
            with plugin.owner.active():
                commands: Any = ICommands(self._factory, None)
                for function in marked_commands(plugin.module):
                    plugin.commands.append(commands.register(function))
        except BaseException as error:
            await self._dispose(plugin)
            if isinstance(error, Exception | SystemExit) and not isinstance(error, PluginError):
                raise failure(error, plugin.name, plugin.module.__name__) from error
            raise
        log.info("plugin %s is loaded", plugin.name)
        operator: Any = IOperator(self._factory, None)
        if operator is not None:
            operator.settled(f"plugin/{plugin.name}")
        await self._try_to_show(plugin)
        await self._reload_users(plugin, reloading)

    async def _try_to_show(self, plugin: LoadedPlugin) -> None:
        """Call `pages` where this process serves them, and they were not called yet."""
        http = self._factory.config.http
        if http is None or not http.in_bot or plugin.shown or not hasattr(plugin.module, "pages"):
            return
        matter, operator = f"plugin/{plugin.name}/pages", IOperator(self._factory, None)
        try:
            await self._show(plugin)
        except PluginError as error:
            if operator is not None:
                operator.tell(matter, f"{error} (the plugin goes on without its pages)")
        else:
            if operator is not None:
                operator.settled(matter)

    async def _show(self, plugin: LoadedPlugin) -> None:
        plugin.shown = True
        await self._begin(plugin, "pages")

    async def _begin(self, plugin: LoadedPlugin, hook: str) -> None:
        """Run `init` or `pages`. Raises `PluginError`."""
        limit = asyncio.timeout(INIT_LIMIT)
        try:
            async with limit:  # outside: a timer remembers whose code started it
                with plugin.owner.active():
                    await _call(plugin.module, hook, self._factory)
        except (Exception, SystemExit) as error:
            if limit.expired():
                text = f"plugin {plugin.name}: {hook} does not end within {INIT_LIMIT:g} s"
                raise PluginError(text, *_line_of(plugin.module, hook)) from error
            raise failure(error, plugin.name, plugin.module.__name__) from error

    async def _stop(self, plugin: LoadedPlugin) -> None:
        error = await _finish(plugin, self._factory, FINI_LIMIT)
        await self._dispose(plugin)
        log.info("plugin %s is unloaded", plugin.name)
        if error is not None:
            raise error

    async def _dispose(self, plugin: LoadedPlugin) -> None:
        self.loaded.pop(plugin.name, None)
        await plugin.owner.close()
        plugin_modules.release(plugin.module)

    async def _reload(self, old: LoadedPlugin, reloading: set[str]) -> None:
        registration = self._find(old.name)
        modules = plugin_modules.forget(old.module.__name__)
        plugin_modules.discard_bytecode(modules)
        try:
            new = self._prepare(registration)
        except PluginError as error:
            plugin_modules.forget(registration.module)
            plugin_modules.restore(modules)
            text = f"{error.text} (the plugin as it was goes on)"
            raise PluginError(text, error.path, error.line) from error
        try:
            await self._stop(old)
        except PluginError as error:
            log.error("%s", error)
        await self._start(new, reloading)

    async def _reload_users(self, plugin: LoadedPlugin, reloading: set[str]) -> None:
        """Reload the plugins that hold on to older code of this one: an interface is found by identity."""
        for other in list(self.loaded.values()):
            stale = plugin_modules.uses_older(other.module, plugin.module.__name__)
            if not stale or other.name in reloading:
                continue
            reloading.add(other.name)
            try:
                await self._reload(other, reloading)
            except PluginError as error:
                log.error("%s", error)


async def _finish(plugin: LoadedPlugin, factory: Host, limit: float) -> PluginError | None:
    """Run a plugin's `fini` for at most `limit` seconds; gives what went wrong."""
    if not plugin.running:
        return None
    within = asyncio.timeout(limit)
    try:
        async with within:
            with plugin.owner.active():
                await _call(plugin.module, "fini", factory)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the edge of a plugin
        if within.expired():
            text = f"plugin {plugin.name}: fini does not end within {limit:g} s"
            return PluginError(text, *_line_of(plugin.module, "fini"))
        return failure(error, plugin.name, plugin.module.__name__)
    return None


async def _call(module: ModuleType, name: str, factory: Host) -> None:
    function = getattr(module, name, None)
    result = function(factory) if function is not None else None
    if isinstance(result, Awaitable):
        await result


def _line_of(module: ModuleType, name: str) -> tuple[str, int]:
    code = getattr(module, name).__code__
    return code.co_filename, code.co_firstlineno
