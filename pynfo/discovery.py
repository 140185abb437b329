"""Which plugins there are: the `plugins.tml` of each directory on the plugin path, and entry points.

`plugins.tml` is Python, run with one function in its namespace: `register(name, module, description=…,
type="infobot")`. Earlier directories shadow later ones, and every directory shadows installed entry points
(group `pynfo.plugins`). Finding a plugin imports nothing of it.
"""

from __future__ import annotations

import importlib.machinery
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import msgspec

import pynfo
from pynfo.config_places import Mistake
from pynfo.tracebacks import line_in

REGISTRY = "plugins.tml"
NAMESPACE = "plugins"  # the package that all `plugins/` directories on the plugin path are part of
ENTRY_POINTS = "pynfo.plugins"
KIND = "infobot"

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}").fullmatch


class Registration(msgspec.Struct, frozen=True):
    """One plugin that was found. `path` is the `plugins.tml` and `line` the line of its `register(…)`; for an
    entry point, `path` is the distribution's name and version, and there is no line."""

    name: str
    module: str
    path: str
    line: int | None = None
    description: str = ""
    type: str = KIND

    @property
    def origin(self) -> str:
        """Where it is registered, for people."""
        return f"{self.path}:{self.line}" if self.line else self.path

    @property
    def directory(self) -> str | None:
        """The directory whose `plugins.tml` registers it; None for an entry point."""
        return os.path.dirname(self.path) if self.line else None


def plugin_path(config_file: Path | None, directories: Iterable[Path]) -> list[str]:
    """The directories to look in, first come first: the config file's, the config's `plugin_path`, the user's
    and the system's, those of `sys.path` that have a `plugins.tml`, and Pynfo's own."""
    listed = [str(config_file.parent)] if config_file is not None else []
    listed += [str(directory) for directory in directories]
    listed += data_directories()
    listed += [entry for entry in sys.path if entry and os.path.isfile(os.path.join(entry, REGISTRY))]
    listed.append(own_directory())
    found: dict[str, str] = {}
    for directory in listed:
        if os.path.isdir(directory):
            found.setdefault(os.path.realpath(directory), directory)
    return list(found.values())


def own_directory() -> str:
    """Where the bundled plugins are: inside the installed package, or at the top of the checkout."""
    package = os.path.dirname(os.path.abspath(pynfo.__file__))
    bundled = os.path.join(package, "bundled")
    return bundled if os.path.isdir(bundled) else os.path.dirname(package)


def data_directories() -> list[str]:
    """The user's and the system's directories for Pynfo's data, as platformdirs names them.

    On Linux the XDG rule is followed right here: importing platformdirs takes longer than loading a plugin.
    """
    if not sys.platform.startswith("linux"):
        from platformdirs import PlatformDirs

        places = PlatformDirs("pynfo", appauthor=False, multipath=True)
        return [places.user_data_dir, *places.site_data_dir.split(os.pathsep)]
    home = os.environ.get("XDG_DATA_HOME", "").strip() or os.path.expanduser("~/.local/share")
    system = os.environ.get("XDG_DATA_DIRS", "").strip() or "/usr/local/share:/usr/share"
    places_of_all = [home, *system.split(os.pathsep)]
    return [os.path.join(os.path.expanduser(place), "pynfo") for place in places_of_all]


def discover(directories: Iterable[str]) -> tuple[dict[str, Registration], list[Mistake]]:
    """Run each `plugins.tml`. Returns the plugins by name, and what is wrong in the files."""
    found: dict[str, Registration] = {}
    problems: list[Mistake] = []
    for directory in directories:
        path = os.path.join(directory, REGISTRY)
        if os.path.isfile(path):
            registry = _Registry(path)
            registry.run()
            problems += registry.problems
            found = registry.registrations | found
    return found, problems


def entry_points() -> dict[str, Registration]:
    """The plugins that installed packages offer. Slow: every installed package is asked."""
    from importlib.metadata import entry_points as installed

    found = {}
    for point in installed(group=ENTRY_POINTS):
        origin = f"{point.dist.name} {point.dist.version}" if point.dist else "an entry point"
        found[point.name] = Registration(point.name, point.module, origin)
    return found


def build_namespace(directories: Iterable[str]) -> None:
    """Make `plugins` a package of all `plugins/` directories there are.

    Its path is built here rather than found by the import system, so that a stray `plugins/__init__.py`
    cannot take the name for itself.
    """
    parts = [os.path.join(directory, NAMESPACE) for directory in directories]
    parts = [part for part in parts if os.path.isdir(part)]
    package = sys.modules.get(NAMESPACE)
    if package is None:
        package = sys.modules[NAMESPACE] = ModuleType(NAMESPACE, "All plugins on the plugin path.")
        package.__spec__ = importlib.machinery.ModuleSpec(NAMESPACE, None, is_package=True)
    package.__path__ = parts
    if package.__spec__ is not None:
        package.__spec__.submodule_search_locations = parts


class _Registry:
    """One `plugins.tml` while it runs, and what it registered. The first of two equal names counts."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.registrations: dict[str, Registration] = {}
        self.problems: list[Mistake] = []

    def run(self) -> None:
        try:
            with open(self.path, "rb") as source:
                code = compile(source.read(), self.path, "exec")
            exec(code, {"__name__": "plugins_tml", "__file__": self.path, "register": self._register})  # noqa: S102
        except SyntaxError as error:
            self._wrong(error.lineno, f"this is no Python: {error.msg}")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - anything may stand in the file
            self._wrong(line_in(error, self.path), f"{type(error).__name__}: {error}")

    def _register(self, name: object, module: object, description: object = "", type: object = KIND) -> None:
        line = sys._getframe(1).f_lineno
        if not isinstance(name, str) or not _NAME(name):
            self._wrong(line, f"{name!r} is no name for a plugin: write small letters, digits, _ and -")
        elif not isinstance(module, str) or not all(map(str.isidentifier, module.split("."))):
            self._wrong(line, f'{name}: {module!r} is no module: write such as "plugins.{name}"')
        elif not isinstance(description, str) or not isinstance(type, str):
            self._wrong(line, f"{name}: description and type are text in quotes")
        elif name in self.registrations:
            self._wrong(line, f"{name} is registered twice: leave one out")
        else:
            self.registrations[name] = Registration(name, module, self.path, line, description, type)

    def _wrong(self, line: int | None, text: str) -> None:
        self.problems.append(Mistake(self.path, line, text))
