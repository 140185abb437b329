"""Who registered what, so that all of it goes when a plugin goes.

The loader runs a plugin's `init` as that plugin's `Owner`; every dispatcher (commands, events, schedules)
runs a plugin's functions as the owner that registered them. A service that accepts a registration asks
`adopt(dispose)` to have it undone in time; what no plugin owns lives as long as the factory.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

log = logging.getLogger(__name__)

REPORTS = 5  # failures of one plugin told in full within REPORTS_WINDOW; the rest are counted
REPORTS_WINDOW = 60.0  # seconds

Dispose = Callable[[], Awaitable[object] | None]
T = TypeVar("T")

# The owner whose code is running. A dispatcher on a hot path sets and resets it; others use `running_as`.
running_owner: ContextVar[Owner | None] = ContextVar("running_owner", default=None)


class Unloaded(RuntimeError):
    """A plugin that is being unloaded, or is gone, wanted to register something."""


class Owner:
    """A loaded plugin, as the holder of what it has registered.

    `failures` counts what its functions have raised. `close` may run once.
    """

    __slots__ = ("_closed", "_disposers", "_reports", "_tasks", "_window", "failures", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.failures = 0
        self._closed = False
        self._disposers: dict[object, Dispose] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._reports = 0  # in this window
        self._window = 0.0  # monotonic seconds of its end

    def __repr__(self) -> str:
        return f"<Owner {self.name}>"

    def adopt(self, dispose: Dispose) -> Callable[[], None]:
        """Call `dispose` when this owner closes. Returns a function that forgets it again.

        Raises `Unloaded` once `close` has begun, so adopt before you register.
        """
        if self._closed:
            raise Unloaded(f"plugin {self.name} has been unloaded and can register nothing more")
        registration = object()  # one function may be adopted twice
        self._disposers[registration] = dispose

        def forget() -> None:
            self._disposers.pop(registration, None)

        return forget

    def watch(self, task: asyncio.Task[T]) -> asyncio.Task[T]:
        """Cancel `task` when this owner closes; at once where it has."""
        if self._closed:
            task.cancel()
            return task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @contextmanager
    def active(self) -> Iterator[Owner]:
        """Everything registered inside the block belongs to this owner."""
        with running_as(self):
            yield self

    def failed(self, what: str, error: BaseException, *, now: float | None = None) -> None:
        """Count what a function of this plugin has raised, and log it.

        A function that fails on every line must not fill the disk: past `REPORTS` in `REPORTS_WINDOW`,
        failures are only counted. `now` is in monotonic seconds.
        """
        self.failures += 1
        now = time.monotonic() if now is None else now
        if now >= self._window:
            self._window, self._reports = now + REPORTS_WINDOW, 0
        self._reports += 1
        if self._reports > REPORTS:
            return
        more = "; more within the next minute are only counted" if self._reports == REPORTS else ""
        log.error(
            "plugin %s: %s failed (its failure number %d)%s",
            self.name,
            what,
            self.failures,
            more,
            exc_info=error,
        )

    async def close(self, limit: float = 5.0) -> None:
        """Undo everything, newest first, and cancel the tasks.

        What raises is logged, and the rest still goes. What does not end within `limit` seconds in all is
        logged and left.
        """
        self._closed = True
        deadline = time.monotonic() + limit
        with running_as(self):
            while self._disposers:
                _, dispose = self._disposers.popitem()
                try:
                    undoing = dispose()
                except Exception as error:  # noqa: BLE001 - the edge of a plugin
                    self.failed("taking back what it registered", error)
                    continue
                if isinstance(undoing, Awaitable):
                    what = f"plugin {self.name}: taking back what it registered"
                    await finish(undoing, deadline - time.monotonic(), what)
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=max(0.0, deadline - time.monotonic()))
        for task in late:
            log.error("plugin %s: a task does not end: %r", self.name, task)


def current_owner() -> Owner | None:
    """The plugin whose code is running, None in Pynfo's own."""
    return running_owner.get()


@contextmanager
def running_as(owner: Owner | None) -> Iterator[None]:
    """Everything registered inside the block belongs to `owner`; None: to Pynfo itself."""
    token = running_owner.set(owner)
    try:
        yield
    finally:
        running_owner.reset(token)


def adopt(dispose: Dispose) -> Callable[[], None]:
    """`Owner.adopt` for the plugin whose code is running; nothing to do where there is none."""
    owner = running_owner.get()
    return owner.adopt(dispose) if owner is not None else _nothing_to_forget


def report(owner: Owner | None, what: str, error: BaseException) -> None:
    """Log what a function that `owner` registered has raised; `what` names the function."""
    if owner is not None:
        owner.failed(what, error)
    else:
        log.error("%s failed", what, exc_info=error)


async def finish(awaitable: Awaitable[object], limit: float, what: str) -> None:
    """*await* something for at most `limit` seconds, then cancel it. How it ended, only the log tells."""
    task = asyncio.ensure_future(awaitable)
    try:
        await asyncio.wait({task}, timeout=max(0.0, limit))
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not task.done():
        task.cancel()
        log.error("%s does not end", what)
    elif not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s failed", what, exc_info=error)


def _nothing_to_forget() -> None:
    return
