"""`IWeb`: pages of plugins on one HTTP listener, which is there where the config has `http`.

The listener and its libraries are imported only then. A listener that cannot be opened is told to the
operator; the bot goes on without, and tries again every minute and whenever the config is read again.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from zope.interface import implementer

from pynfo.config_http import HttpSettings
from pynfo.interfaces import IOperator, IWeb
from pynfo.ownership import Owner, adopt, current_owner, running_as
from pynfo.services.web_exchange import END_LIMIT, App, Exchange, cut_streams, end

if TYPE_CHECKING:
    from pynfo.host import Host
    from pynfo.services.web_guard import Guard
    from pynfo.services.web_listener import Listener

log = logging.getLogger(__name__)

RETRY_AFTER = 60.0  # seconds
MATTER = "web"

_PATH = re.compile(r"/|(?:/[\w.~-]+)+", re.ASCII).fullmatch


class CannotListen(Exception):
    """The pages cannot be served. One sentence."""


class Mount:
    """An application under a path, and the requests to it that are under way. `cancel` takes it away."""

    def __init__(self, path: str, app: App, withdraw: Callable[[Mount], None]) -> None:
        self.path = path
        self.prefix = "" if path == "/" else path
        self.app = app
        self.owner: Owner | None = current_owner()
        self.requests: set[Exchange] = set()
        self.cancelled = False
        self._withdraw = withdraw
        self._forget = adopt(self.end)

    def __repr__(self) -> str:
        return f"<Mount {self.path}{', cancelled' if self.cancelled else ''}>"

    def cancel(self) -> None:
        """Take no more requests, and cut the streams; other requests are left to end by themselves."""
        if not self.cancelled:
            self.cancelled = True
            self._forget()
            self._withdraw(self)
            cut_streams(self.requests)

    async def end(self, limit: float = END_LIMIT) -> None:
        """Cancel, and *await* the end of all requests. What is not at its end in `limit` seconds is cut."""
        self.cancel()
        await end(self.requests, limit)


@implementer(IWeb)
class Web:
    """See `IWeb`. Used on the event loop; `url` from any thread."""

    def __init__(self, factory: Host) -> None:
        self._factory = factory
        self._mounts: dict[str, Mount] = {}
        self._ordered: list[Mount] = []  # the longest first
        self._settings: HttpSettings | None = None  # of the listener
        self._listener: Listener | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._retrying: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()

    # -- what plugins ask

    def mount(self, path: str, app: App) -> Mount:
        if not _PATH(path):
            raise ValueError(f'{path!r} is no path for pages: it is "/", or such as "/status"')
        taken = self._mounts.get(path)
        if taken is not None:
            whose = f"plugin {taken.owner.name}" if taken.owner is not None else "Pynfo itself"
            raise ValueError(f"{path} has pages of {whose} already")
        mount = self._mounts[path] = Mount(path, app, self._withdraw)
        self._order()
        return mount

    def url(self, path: str = "/") -> str | None:
        settings = self._factory.config.http
        if settings is None:
            return None
        if settings.public_url is not None:
            return f"{settings.public_url}{path}"
        if self._listener is not None:
            return f"http://{_named(settings.host)}:{self._listener.port}{path}"
        if not settings.in_bot and settings.port:
            return f"http://{_named(settings.host)}:{settings.port}{path}"
        return None

    # -- its life

    async def start(self) -> None:
        """Listen, where the config says so. Raises `CannotListen` where pages are all that there is."""
        try:
            await self._change()
        except CannotListen as cannot:
            if self._factory.only_web:
                raise
            self._tell(cannot)

    async def stop(self) -> None:
        """End the listener, and all requests, in about 2 s at the most."""
        async with self._changing:
            await self._close()

    async def configure(self) -> None:
        """Take over what the config says now. What cannot be served is told; nothing is raised."""
        try:
            await self._change()
        except CannotListen as cannot:
            self._tell(cannot)

    def guard(self, settings: HttpSettings) -> Guard:
        """The pages, as an ASGI application with all its limits."""
        from pynfo.services.web_guard import Guard

        return Guard(settings, self._mount_of, lambda: not self._mounts)

    async def _change(self) -> None:
        async with self._changing:
            wanted = self._factory.config.http
            if wanted is not None and not wanted.in_bot:
                wanted = None
            if self._listener is not None and wanted == self._settings:
                return
            await self._close()
            if wanted is not None:
                with running_as(None):
                    await self._open(wanted)
            IOperator(self._factory).settled(MATTER)

    async def _open(self, settings: HttpSettings) -> None:
        from pynfo.services.web_listener import Listener

        listener = Listener(settings, self.guard(settings))
        try:
            await listener.open()
        except OSError as error:
            raise CannotListen(_in_words(error, settings)) from error
        self._listener, self._settings = listener, settings
        log.info("web pages are at http://%s:%d/", _named(settings.host), listener.port)

    def _tell(self, cannot: CannotListen) -> None:
        text = f"{cannot}; the rest goes on without, and it is tried again every minute"
        IOperator(self._factory).tell(MATTER, text)
        self._retry = asyncio.get_running_loop().call_later(RETRY_AFTER, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self._retrying = asyncio.create_task(self.configure())

    async def _close(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.close()

    # -- mounts

    def _mount_of(self, path: str) -> Mount | None:
        for mount in self._ordered:
            if path.startswith(mount.prefix) and path[len(mount.prefix) : len(mount.prefix) + 1] in ("/", ""):
                return mount
        return None

    def _withdraw(self, mount: Mount) -> None:
        if self._mounts.get(mount.path) is mount:
            del self._mounts[mount.path]
            self._order()

    def _order(self) -> None:
        self._ordered = sorted(self._mounts.values(), key=lambda mount: len(mount.prefix), reverse=True)


def _in_words(error: OSError, settings: HttpSettings) -> str:
    """One sentence for the operator."""
    where = f"port {settings.port} of {settings.host}"
    if error.errno == errno.EADDRINUSE:
        return f"the web pages cannot be served: {where} is in use by another program"
    if error.errno == errno.EACCES:
        return f"the web pages cannot be served: {where} is for privileged programs only"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"the web pages cannot be served: {settings.host} is no address of this machine"
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return f"the web pages cannot be served at {where}: {reason}"


def _named(host: str) -> str:
    """A host as it stands in an address that can be opened here."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - all addresses of this machine
        return "localhost"
    return f"[{host}]" if ":" in host else host
