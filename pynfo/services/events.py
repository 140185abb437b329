"""`IEvents`: what happens on IRC is told to those who subscribed, past the filters.

`publish` runs for every line of every network. Which filters and subscribers an event meets depends on its
type alone, so that is worked out once for each type (a plan), and anew after a registration has changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from pynfo.callables import is_async, name_of
from pynfo.interfaces import IEvents
from pynfo.irc.events import Event
from pynfo.ownership import Owner, adopt, current_owner, report, running_owner

if TYPE_CHECKING:
    from pynfo.factory import Factory

log = logging.getLogger(__name__)

QUEUE_LIMIT = 1000  # events that wait for one coroutine function
STOP_LIMIT = 1.0  # seconds for coroutine functions to end when the bot stops

Types = tuple[type, ...]


class Registration:
    """One subscriber or filter. Once cancelled it is not called again, not even for the event at hand."""

    __slots__ = ("_forget", "_remove", "call", "function", "owner", "priority", "types")

    def __init__(
        self,
        function: Callable[[Any], Any],
        types: Types,
        priority: int,
        remove: Callable[[Registration], None],
    ) -> None:
        self.function = function
        self.call = function  # what `publish` calls
        self.types = types
        self.priority = priority
        self.owner: Owner | None = current_owner()
        self._remove = remove
        self._forget = adopt(self.cancel)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {name_of(self.function)}>"

    def cancel(self) -> None:
        """End it. May be called again."""
        self.call = _pass
        self._forget()
        self._remove(self)


class QueuedRegistration(Registration):
    """A coroutine function that subscribed: it gets its events one after another, from a queue.

    The task that calls it ends when the queue is empty.
    """

    __slots__ = ("_queue", "_tasks", "_worker", "dropped")

    def __init__(
        self,
        function: Callable[[Any], Any],
        types: Types,
        priority: int,
        remove: Callable[[Registration], None],
        tasks: set[asyncio.Task[None]],
    ) -> None:
        super().__init__(function, types, priority, remove)
        self.call = self._put
        self.dropped = 0  # since the queue was last empty
        self._queue: deque[Any] = deque()
        self._tasks = tasks
        self._worker: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        """End it. The event it is working on is let finish."""
        super().cancel()
        self._queue.clear()

    def _put(self, event: Any) -> None:
        if len(self._queue) >= QUEUE_LIMIT:
            self._queue.popleft()
            self.dropped += 1
            if self.dropped == 1:
                log.warning("%s is too slow: the oldest of %d waiting events is dropped", self, QUEUE_LIMIT)
        self._queue.append(event)
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work())
            self._tasks.add(self._worker)
            self._worker.add_done_callback(self._ended)
            if self.owner is not None:
                self.owner.watch(self._worker)

    async def _work(self) -> None:
        while self._queue:
            try:
                await self.function(self._queue.popleft())
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                report(self.owner, repr(self), error)  # it was something the function waited for
            except Exception as error:  # noqa: BLE001 - the edge of a plugin
                report(self.owner, repr(self), error)

    def _ended(self, worker: asyncio.Task[None]) -> None:
        self._tasks.discard(worker)
        self._worker = None
        if self.dropped:
            log.warning("%s has caught up: %d events were dropped", self, self.dropped)
            self.dropped = 0


@implementer(IEvents)
class Events:
    """See `IEvents`. To be used on the event loop."""

    def __init__(self, factory: Factory) -> None:
        self._filters: list[Registration] = []
        self._subscribers: list[Registration] = []
        self._wanted: frozenset[type] = frozenset()
        self._plans: dict[type, tuple[list[Registration], list[Registration]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def subscribe(
        self, event_type: type | Types, subscriber: Callable[[Any], Any], *, priority: int = 0
    ) -> Registration:
        types = event_type if isinstance(event_type, tuple) else (event_type,)
        registration: Registration
        if is_async(subscriber):
            registration = QueuedRegistration(subscriber, types, priority, self._remove, self._tasks)
        else:
            registration = Registration(subscriber, types, priority, self._remove)
        self._subscribers = _inserted(self._subscribers, registration)
        self._changed()
        return registration

    def filter(
        self,
        predicate: Callable[[Any], object],
        event_type: type | Types | None = None,
        *,
        priority: int = 0,
    ) -> Registration:
        if is_async(predicate):
            raise TypeError(f"a filter decides at once: {name_of(predicate)} cannot be a coroutine function")
        types = event_type if isinstance(event_type, tuple) else (event_type or Event,)
        registration = Registration(predicate, types, priority, self._remove)
        self._filters = _inserted(self._filters, registration)
        self._changed()
        return registration

    def publish(self, event: Any) -> bool:
        kind = type(event)
        plan = self._plans.get(kind)
        if plan is None:
            plan = self._plans[kind] = (_meeting(kind, self._filters), _meeting(kind, self._subscribers))
        filters, subscribers = plan
        publisher = running = running_owner.get()
        try:
            for registration in filters:
                if registration.owner is not running:
                    running_owner.set(running := registration.owner)
                try:
                    if not registration.call(event):
                        return False
                except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the edge of a plugin
                    report(registration.owner, f"the filter {registration!r}", error)
            for registration in subscribers:
                if registration.owner is not running:
                    running_owner.set(running := registration.owner)
                try:
                    registration.call(event)
                except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the edge of a plugin
                    report(registration.owner, f"the subscriber {registration!r}", error)
        finally:
            if running is not publisher:
                running_owner.set(publisher)
        return True

    def wants(self, event_type: type) -> bool:
        return event_type in self._wanted

    async def stop(self) -> None:
        """Cancel what coroutine functions are still doing."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_LIMIT)

    def _remove(self, registration: Registration) -> None:
        self._filters = [other for other in self._filters if other is not registration]
        self._subscribers = [other for other in self._subscribers if other is not registration]
        self._changed()

    def _changed(self) -> None:
        self._plans.clear()
        self._wanted = frozenset(kind for one in self._subscribers for kind in one.types)


def _inserted(registrations: list[Registration], new: Registration) -> list[Registration]:
    """With the new one: higher priority first, then the order they came in."""
    return sorted([*registrations, new], key=lambda registration: -registration.priority)


def _meeting(kind: type, registrations: list[Registration]) -> list[Registration]:
    return [registration for registration in registrations if issubclass(kind, registration.types)]


def _pass(_: object) -> bool:
    """What a cancelled registration calls: a filter that lets everything through."""
    return True
