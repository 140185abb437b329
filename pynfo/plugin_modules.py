"""The modules of a plugin: imported, read, and forgotten so that nothing of them stays.

A plugin's modules are the one it is registered with and, where that is a package, what is inside it. Modules
belong to the process: two bots in one process share them, and the last to unload them forgets them.
"""

from __future__ import annotations

import importlib
import linecache
import logging
import os
import sys
import typing
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any

import msgspec
from zope.interface.interface import InterfaceClass

from pynfo.discovery import NAMESPACE, Registration, build_namespace
from pynfo.tracebacks import last_place
from pynfo.validation import Problem, convert_struct

log = logging.getLogger(__name__)

_holders: Counter[str] = Counter()  # by module: how many bots of this process have it loaded


class PluginError(Exception):
    """A plugin cannot be loaded, or failed. `path` and `line`, where known, say in which file.

    A plugin raises it in `init` or `pages` for what the operator has to mend: its code is not told then.
    """

    def __init__(self, text: str, path: str | None = None, line: int | None = None) -> None:
        super().__init__(f"{path}:{line}: {text}" if path and line else text)
        self.text = text
        self.path = path
        self.line = line


def import_plugin(registration: Registration, directories: list[str]) -> ModuleType:
    """Import a plugin's module; `directories` are the plugin path. Raises `PluginError`."""
    name, module = registration.name, registration.module
    build_namespace(directories)
    directory = registration.directory
    if directory and not module.startswith(NAMESPACE + ".") and directory not in sys.path:
        sys.path.append(directory)  # last: a plugin's directory hides no library
    _look_again([directory or "", *(os.path.join(part, NAMESPACE) for part in directories)])
    before = set(sys.modules)
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:  # the edge of a plugin
        for half_imported in set(_names(module)) - before:
            del sys.modules[half_imported]
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            text = f"plugin {name}: there is no module {error.name}"
            raise PluginError(text, registration.path, registration.line) from error
        raise failure(error, name, module) from error


def failure(error: BaseException, plugin: str, module: str) -> PluginError:
    """`error` as a `PluginError`, with the line of the plugin's own code that it came from."""
    if isinstance(error, PluginError):
        return PluginError(f"plugin {plugin}: {error.text}", error.path, error.line)
    if isinstance(error, SyntaxError) and error.filename:
        return PluginError(f"plugin {plugin}: this is no Python: {error.msg}", error.filename, error.lineno)

    def belongs(frame: FrameType) -> bool:
        return f"{frame.f_globals.get('__name__')}.".startswith(f"{module}.")

    text = f"plugin {plugin}: {type(error).__name__}: {error}".rstrip(": ")
    return PluginError(text, *(last_place(error, belongs) or ()))


def read_settings(
    module: ModuleType, given: Mapping[str, object], base: Path
) -> tuple[msgspec.Struct | None, list[Problem]]:
    """Check a plugin's settings against the struct `Settings` of its module; None where it has none."""
    declared = getattr(module, "Settings", None)
    if declared is None:
        return None, [Problem((name,), f"{name!r}: this plugin has no settings") for name in given]
    if not isinstance(declared, type) or not issubclass(declared, msgspec.Struct):
        return None, [Problem((), "its Settings must be a msgspec.Struct, which is for its author to mend")]
    return convert_struct(given, declared, base)


def marked_commands(module: ModuleType) -> list[FunctionType]:
    """The functions of a plugin that `@command` marks, in the order of the module."""
    from pynfo.command import spec_of

    found = {
        id(value): value
        for value in vars(module).values()
        if isinstance(value, FunctionType) and _is_of(value.__module__, module.__name__) and spec_of(value)
    }
    return list(found.values())


def hold(module: ModuleType) -> None:
    """A bot has loaded the module; `release` is owed."""
    _holders[module.__name__] += 1


def release(module: ModuleType) -> None:
    """A bot has let the module go. The last one forgets it."""
    _holders[module.__name__] -= 1
    if _holders[module.__name__] <= 0:
        del _holders[module.__name__]
        if sys.modules.get(module.__name__) is module:
            forget(module.__name__)


def forget(module: str) -> dict[str, ModuleType]:
    """Take a plugin's modules out of the interpreter's tables. Returns them, for `restore`."""
    forgotten = {name: sys.modules.pop(name) for name in list(_names(module))}
    for name, value in forgotten.items():
        parent, _, child = name.rpartition(".")
        if vars(sys.modules.get(parent, sys)).get(child) is value:
            delattr(sys.modules[parent], child)
        linecache.cache.pop(getattr(value, "__file__", None) or "", None)
    for clear in getattr(typing, "_cleanups", ()):  # what typing remembers keeps a plugin's classes alive
        clear()
    return forgotten


def restore(modules: Mapping[str, ModuleType]) -> None:
    """Undo `forget`, after an import of newer code that failed."""
    for name, value in modules.items():
        parent, _, child = name.rpartition(".")
        sys.modules[name] = value
        if parent in sys.modules:
            setattr(sys.modules[parent], child, value)


def discard_bytecode(modules: Mapping[str, ModuleType]) -> None:
    """Have the modules compiled anew: bytecode counts as fresh when the source changed within a second."""
    for module in modules.values():
        cached = getattr(module.__spec__, "cached", None)
        if cached:
            with suppress(OSError):
                os.unlink(cached)


def uses_older(module: ModuleType, changed: str) -> bool:
    """Whether a plugin has imported something from the modules `changed` that is not what they hold now."""
    for name in _names(module.__name__):
        for value in list(vars(sys.modules[name]).values()):
            named: Any = value
            if not isinstance(value, ModuleType | type | FunctionType | InterfaceClass):
                named = type(value)
            home = named.__name__ if isinstance(named, ModuleType) else named.__module__
            if not isinstance(home, str) or not _is_of(home, changed):
                continue
            current = sys.modules.get(home)
            now = current if isinstance(named, ModuleType) else getattr(current, named.__name__, None)
            if now is not named:
                return True
    return False


def _names(module: str) -> Iterator[str]:
    """The names of a plugin's modules that are imported now."""
    return (name for name in list(sys.modules) if _is_of(name, module))


def _is_of(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


def _look_again(directories: list[str]) -> None:
    """Have the import system see files that are new. `importlib.invalidate_caches` does it for all
    directories, and imports importlib.metadata for it."""
    for directory in directories:
        invalidate = getattr(sys.path_importer_cache.get(directory), "invalidate_caches", None)
        if invalidate is not None:
            invalidate()
