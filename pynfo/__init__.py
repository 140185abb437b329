"""Pynfo, an information bot for IRC communities.

What a plugin needs is here: `from pynfo import command, Rest`. Names are resolved on first use, so that
`import pynfo` costs nothing.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pynfo.arguments import ChannelName as ChannelName
    from pynfo.arguments import Duration as Duration
    from pynfo.arguments import Flag as Flag
    from pynfo.arguments import Rest as Rest
    from pynfo.arguments import UserName as UserName
    from pynfo.command import CommandError as CommandError
    from pynfo.command import Request as Request
    from pynfo.command import command as command
    from pynfo.interfaces import FetchFailed as FetchFailed
    from pynfo.interfaces import ICommands as ICommands
    from pynfo.interfaces import IEvents as IEvents
    from pynfo.interfaces import IFeeds as IFeeds
    from pynfo.interfaces import IFetcher as IFetcher
    from pynfo.interfaces import IHistory as IHistory
    from pynfo.interfaces import IOperator as IOperator
    from pynfo.interfaces import IOutbox as IOutbox
    from pynfo.interfaces import IScheduler as IScheduler
    from pynfo.interfaces import IStorage as IStorage
    from pynfo.interfaces import IWeb as IWeb
    from pynfo.interfaces import RetrievalError as RetrievalError
    from pynfo.plugin_modules import PluginError as PluginError

_HOMES = {
    "pynfo.arguments": ("ChannelName", "Duration", "Flag", "Rest", "UserName"),
    "pynfo.command": ("CommandError", "Request", "command"),
    "pynfo.interfaces": (
        "FetchFailed",
        "ICommands",
        "IEvents",
        "IFeeds",
        "IFetcher",
        "IHistory",
        "IOperator",
        "IOutbox",
        "IScheduler",
        "IStorage",
        "IWeb",
        "RetrievalError",
    ),
    "pynfo.plugin_modules": ("PluginError",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}
__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'pynfo' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


class _Package(ModuleType):
    """A loaded submodule becomes an attribute of its package, but `pynfo.command` stays the decorator."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _HOME or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
