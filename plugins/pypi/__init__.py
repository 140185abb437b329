"""Python packages: `!pypi requests` tells of one, and new releases and advisories are announced.

`package.py` is what there is to know of a package, `index.py` asks PyPI (or a mirror) for it, `outputs.py` is
the list of what is announced where, `watching.py` finds and words what is new, through the poller `IFeeds`,
`filters.py` chooses among all that PyPI has, `commands.py` is what people can say.
"""

from __future__ import annotations

from typing import Any

from plugins.pypi.commands import pypi as pypi
from plugins.pypi.commands import pypi_unwatch as pypi_unwatch
from plugins.pypi.commands import pypi_watch as pypi_watch
from plugins.pypi.commands import pypi_watches as pypi_watches
from plugins.pypi.outputs import VERSION as __version__
from plugins.pypi.settings import Settings as Settings
from plugins.pypi.settings import check as check
from plugins.pypi.settings import pypi_url
from plugins.pypi.watching import IPackages as IPackages
from plugins.pypi.watching import Watching
from pynfo import IScheduler

__all__ = ["IPackages", "Settings", "__version__", "check", "init"]


async def init(factory: Any) -> None:
    """Watch what is to be announced."""
    settings = factory.settings("pypi")
    url = settings.url or await IScheduler(factory).in_thread(pypi_url)
    factory.register_adapter(IPackages, lambda factory: Watching(factory, settings, url))
    IPackages(factory)  # made now: it watches
