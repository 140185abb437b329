"""Who registered what, so that all of it goes when a plugin goes.

The loader runs a plugin's `init` as that plugin's `Owner`; every dispatcher (commands, events, schedules)
runs a plugin's functions as the owner that registered them. A service that accepts a registration asks
`adopt(dispose)` to have it undone in time; what no plugin owns lives as long as the factory.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

log = logging.getLogger(__name__)

Dispose = Callable[[], Awaitable[None] | None]
T = TypeVar("T")

_current: ContextVar[Owner | None] = ContextVar("pynfo_owner", default=None)


class Owner:
    """A loaded plugin, as the holder of what it has registered."""

    __slots__ = ("_disposers", "_tasks", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._disposers: dict[int, Dispose] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def __repr__(self) -> str:
        return f"<Owner {self.name}>"

    def adopt(self, dispose: Dispose) -> Callable[[], None]:
        """Call `dispose` when this owner closes. Returns a function that forgets it again."""
        key = id(dispose)
        self._disposers[key] = dispose
        return lambda: void(self._disposers.pop(key, None))

    def watch(self, task: asyncio.Task[T]) -> asyncio.Task[T]:
        """Cancel `task` when this owner closes."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @contextmanager
    def active(self) -> Iterator[Owner]:
        """Everything registered inside the block belongs to this owner."""
        token = _current.set(self)
        try:
            yield self
        finally:
            _current.reset(token)

    async def close(self, limit: float = 5.0) -> None:
        """Undo everything, newest first. A disposer that raises is logged, and the rest still run."""
        while self._disposers:
            _, dispose = self._disposers.popitem()
            try:
                result = dispose()
                if inspect.isawaitable(result):
                    await asyncio.wait_for(result, limit)
            except Exception:  # noqa: BLE001 - the edge of a plugin
                log.exception("plugin %s: something it registered could not be taken back", self.name)
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=limit)
            for task in late:
                log.error("plugin %s: a task does not end: %r", self.name, task)


def current_owner() -> Owner | None:
    """The plugin whose code is running, None in Pynfo's own."""
    return _current.get()


def adopt(dispose: Dispose) -> Callable[[], None]:
    """`Owner.adopt` for the plugin whose code is running; nothing to do where there is none."""
    owner = _current.get()
    return owner.adopt(dispose) if owner else lambda: None


def void(_: object) -> None:
    return None
