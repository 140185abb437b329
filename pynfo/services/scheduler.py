"""`IScheduler`: functions at intervals, tasks, and plain functions on threads.

A job that waits costs one timer of the event loop, no task and no thread. Due times lie on a grid of whole
periods from the start; a run that ends after the next due time is followed by the next run at once, and the
grid begins anew there.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from functools import partial
from random import Random
from threading import get_ident
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from zope.interface import implementer

from pynfo.callables import is_async, name_of
from pynfo.interfaces import IOperator, IScheduler
from pynfo.ownership import Owner, adopt, current_owner, report, running_as
from pynfo.services.threads import STUCK_LIMIT, Busy, ThreadPool

if TYPE_CHECKING:
    from pynfo.factory import Factory

__all__ = ["Busy", "Job", "Scheduler"]

TASK_LIMIT = 10_000  # tasks of `spawn` and of jobs at one time
STOP_LIMIT = 1.0  # seconds for tasks to end when the bot stops
MATTER = "threads"

T = TypeVar("T")


class Timer(Protocol):
    """What the scheduler needs to know of time; an event loop is one."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[[], object], /) -> Any: ...


class Job:
    """One function that runs at intervals. `cancel` ends it; a run that is under way is let finish."""

    def __init__(
        self,
        scheduler: Scheduler,
        run: Callable[[], Coroutine[Any, Any, Any]],
        *,
        name: str,
        period: float,
        jitter: float,
    ) -> None:
        self.name = name
        self.period = period
        self.jitter = jitter
        self.owner: Owner | None = current_owner()
        self.cancelled = False
        self._scheduler = scheduler
        self._run = run
        self._due = scheduler.timer.time() + period
        self._armed: Any = None  # the timer, while it waits
        self._forget = adopt(self.cancel)
        scheduler.jobs.add(self)
        scheduler.on_loop(self._arm)

    def __repr__(self) -> str:
        return f"<Job {self.name}{', cancelled' if self.cancelled else ''}>"

    def cancel(self) -> None:
        """Run it no more. May be called from any thread, and again."""
        self.cancelled = True
        self._forget()
        self._scheduler.jobs.discard(self)
        self._scheduler.on_loop(self._disarm)

    def _arm(self) -> None:
        if not self.cancelled:
            when = self._due + self._scheduler.random.uniform(0.0, self.jitter)
            self._armed = self._scheduler.timer.call_at(when, self._tick)

    def _disarm(self) -> None:
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None

    def _tick(self) -> None:
        self._armed = None
        with running_as(self.owner):
            try:
                self._scheduler.spawn(self._cycle())
            except Busy as busy:
                self._failed(busy)
                self._arm_next()

    async def _cycle(self) -> None:
        try:
            await self._run()
        except Exception as error:  # noqa: BLE001 - the edge of a plugin
            self._failed(error)
        finally:
            self._arm_next()

    def _arm_next(self) -> None:
        self._due = max(self._due + self.period, self._scheduler.timer.time())
        self._arm()

    def _failed(self, error: Exception) -> None:
        report(self.owner, f"the scheduled {self.name}", error)


@implementer(IScheduler)
class Scheduler:
    """See `IScheduler`. Made in a running event loop; `timer` and `random` are for tests.

    `schedule` may be called from any thread, `spawn` and `in_thread` on the event loop only.
    """

    MINUTELY = 60
    HOURLY = 3600
    DAILY = 86400
    WEEKLY = 604800

    def __init__(self, factory: Factory, *, timer: Timer | None = None, random: Random | None = None) -> None:
        self._factory = factory
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()
        self.timer: Timer = timer or self._loop
        self.random = random or Random()
        self.threads = ThreadPool(self._stuck_changed)
        self.jobs: set[Job] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    def schedule(
        self, period: float, fn: Callable[..., Any], /, *args: Any, jitter: float = 0.0, **kw: Any
    ) -> Job:
        if not (period > 0 and math.isfinite(period)):
            raise ValueError(f"a period is a number of seconds above 0, not {period!r}")
        if not (jitter >= 0 and math.isfinite(jitter)):
            raise ValueError(f"jitter is a number of seconds, 0 or more, not {jitter!r}")
        run = partial(fn, *args, **kw) if is_async(fn) else partial(self.threads.run, fn, *args, **kw)
        return Job(self, run, name=name_of(fn), period=period, jitter=jitter)

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """See `IScheduler`. What it raises is logged. Raises `Busy` where `TASK_LIMIT` tasks run."""
        if len(self._tasks) >= TASK_LIMIT:
            coroutine.close()
            raise Busy(f"{len(self._tasks)} tasks run already")
        owner = current_owner()
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, owner))
        return owner.watch(task) if owner is not None else task

    async def in_thread(self, fn: Callable[..., T], /, *args: Any, **kw: Any) -> T:
        return await self.threads.run(fn, *args, **kw)

    async def stop(self) -> None:
        """Cancel what no plugin owned, and leave threads that do not end to the end of the process."""
        for job in list(self.jobs):
            job.cancel()
        self.threads.close()
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_LIMIT)

    def on_loop(self, function: Callable[[], None]) -> None:
        """Call it on the event loop: now, where that is the thread we are on."""
        if get_ident() == self._thread:
            function()
        else:
            self._loop.call_soon_threadsafe(function)

    def _ended(self, owner: Owner | None, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            report(owner, f"the task {task.get_coro()!r}", error)

    def _stuck_changed(self, stuck: int) -> None:
        operator = IOperator(self._factory, None)
        if operator is None:
            return
        if stuck >= STUCK_LIMIT:
            text = f"{stuck} functions of plugins do not end: nothing more runs on threads until one does"
            operator.tell(MATTER, text)
        else:
            operator.settled(MATTER)
