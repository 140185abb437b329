"""Functions run at intervals; time is handed in."""

from __future__ import annotations

import asyncio
import functools
import heapq
import threading
from collections.abc import Callable

import pytest
from zope.interface.verify import verifyObject

from pynfo.components import Componentized
from pynfo.interfaces import IOperator, IScheduler
from pynfo.ownership import Owner, Unloaded, current_owner
from pynfo.services import scheduler as scheduler_module
from pynfo.services import threads
from pynfo.services.scheduler import Busy, Scheduler
from pynfo.services.threads import ThreadPool


class Clock:
    """A timer that goes on only when it is told to."""

    class Handle:
        cancelled = False

        def cancel(self) -> None:
            self.cancelled = True

    def __init__(self) -> None:
        self.now = 1000.0
        self.calls: list[tuple[float, int, Clock.Handle, Callable[[], object]]] = []
        self.made = 0

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], object]) -> Handle:
        handle = self.Handle()
        self.made += 1
        heapq.heappush(self.calls, (when, self.made, handle, callback))
        return handle

    @property
    def due(self) -> list[float]:
        return sorted(when for when, _, handle, _ in self.calls if not handle.cancelled)

    async def advance(self, seconds: float) -> None:
        """Go on by so many seconds, and let the tasks that this begins run as far as they can."""
        end = self.now + seconds
        while self.calls and self.calls[0][0] <= end:
            self.now, _, handle, callback = heapq.heappop(self.calls)
            if not handle.cancelled:
                callback()
                await turns()
        self.now = end


async def turns() -> None:
    """Let every task run as far as it can without waiting for something outside."""
    for _ in range(5):
        await asyncio.sleep(0)


class Operator:
    """Notes what it is told."""

    def __init__(self, factory: Componentized) -> None:
        self.open: dict[str, str] = {}

    def tell(self, matter: str, text: str) -> None:
        self.open[matter] = text

    def settled(self, matter: str) -> None:
        self.open.pop(matter, None)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def factory():
    factory = Componentized()
    factory.register_adapter(IOperator, Operator)
    return factory


@pytest.fixture
async def scheduler(clock, factory):
    scheduler = Scheduler(factory, timer=clock)
    yield scheduler
    await scheduler.stop()


def noting(runs: list) -> Callable:
    async def note(*args: object, **kw: object) -> None:
        runs.append((*args, *kw.items()))

    return note


async def test_it_offers_what_the_interface_says(scheduler):
    assert verifyObject(IScheduler, scheduler)
    assert (scheduler.MINUTELY, scheduler.HOURLY) == (60, 3600)
    assert (scheduler.DAILY, scheduler.WEEKLY) == (86400, 604800)


async def test_a_job_runs_first_after_one_period_and_then_every_period(scheduler, clock):
    runs = []
    scheduler.schedule(scheduler.MINUTELY, noting(runs), "news", limit=3)

    await clock.advance(59)
    before = list(runs)
    await clock.advance(1 + 60 + 60)

    assert before == []
    assert runs == [("news", ("limit", 3))] * 3


async def test_a_job_that_waits_costs_one_timer(scheduler, clock):
    tasks = len(asyncio.all_tasks())
    for _ in range(100):
        scheduler.schedule(60, noting([]))

    assert len(clock.due) == 100
    assert len(asyncio.all_tasks()) == tasks


async def test_a_plain_function_runs_on_a_thread(scheduler, clock):
    ran = asyncio.get_running_loop().create_future()

    def work() -> None:
        ran.get_loop().call_soon_threadsafe(ran.set_result, threading.current_thread())

    scheduler.schedule(60, work)
    await clock.advance(60)

    assert await asyncio.wait_for(ran, 5) is not threading.main_thread()


async def test_a_partial_of_a_coroutine_function_runs_on_the_loop(scheduler, clock):
    runs = []
    scheduler.schedule(60, functools.partial(noting(runs), "partial"))

    await clock.advance(60)

    assert runs == [("partial",)]


async def test_a_run_longer_than_the_period_delays_the_next_and_never_overlaps(scheduler, clock):
    running, free = [], asyncio.Event()

    async def slow() -> None:
        running.append(clock.now)
        await free.wait()

    scheduler.schedule(60, slow)
    await clock.advance(60 + 150)
    while_slow = list(running)
    free.set()
    await turns()

    assert while_slow == [1060.0]
    assert clock.due == [1210.0]
    await clock.advance(60)
    assert running == [1060.0, 1210.0, 1270.0]


async def test_a_run_that_takes_a_while_does_not_shift_the_times(scheduler, clock):
    free = asyncio.Event()
    scheduler.schedule(60, free.wait)

    await clock.advance(60 + 20)
    free.set()
    await turns()

    assert clock.due == [1120.0]


async def test_jitter_is_drawn_anew_each_time_and_does_not_add_up(factory, clock):
    class Drawing:
        draws = iter([5.0, 0.0, 9.0])

        def uniform(self, low: float, high: float) -> float:
            assert (low, high) == (0.0, 10.0)
            return next(self.draws)

    due = []
    scheduler = Scheduler(factory, timer=clock, random=Drawing())
    scheduler.schedule(60, noting([]), jitter=10)

    for _ in range(2):
        due += clock.due
        await clock.advance(clock.due[0] - clock.now)
    due += clock.due

    assert due == [1065.0, 1120.0, 1189.0]
    await scheduler.stop()


async def test_what_a_job_raises_is_reported_with_its_plugin_and_the_cycle_goes_on(scheduler, clock, caplog):
    runs, owner = [], Owner("news")

    async def fail() -> None:
        runs.append(clock.now)
        raise ValueError("no feed")

    with owner.active():
        scheduler.schedule(60, fail)
    await clock.advance(120)

    assert runs == [1060.0, 1120.0]
    assert owner.failures == 2
    assert "plugin news: the scheduled tests.test_scheduler.test_what_a_job_raises" in caplog.text
    assert "no feed" in caplog.text


async def test_a_job_whose_own_waiting_is_cancelled_goes_on(scheduler, clock):
    async def cancelled() -> None:
        raise asyncio.CancelledError

    scheduler.schedule(60, cancelled)
    await clock.advance(60)

    assert clock.due == [1120.0]


async def test_a_cancelled_job_runs_no_more(scheduler, clock):
    runs = []
    job = scheduler.schedule(60, noting(runs))
    await clock.advance(60)

    job.cancel()
    job.cancel()
    await clock.advance(600)

    assert len(runs) == 1
    assert clock.due == []


async def test_a_job_may_cancel_itself_and_finish_its_run(scheduler, clock):
    finished = []

    async def once() -> None:
        job.cancel()
        await asyncio.sleep(0)
        finished.append(clock.now)

    job = scheduler.schedule(60, once)
    await clock.advance(600)

    assert finished == [1060.0]


async def test_a_job_runs_as_its_plugin_and_goes_with_it(scheduler, clock):
    seen, owner = [], Owner("news")

    async def look() -> None:
        seen.append(current_owner())

    with owner.active():
        scheduler.schedule(60, look)
    await clock.advance(60)
    await owner.close()
    await clock.advance(600)

    assert seen == [owner]
    assert clock.due == []
    with owner.active(), pytest.raises(Unloaded):
        scheduler.schedule(60, look)
    assert clock.due == []


async def test_a_run_under_way_is_cancelled_with_its_plugin(scheduler, clock):
    owner, ended = Owner("news"), asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with owner.active():
        scheduler.schedule(60, slow)
    await clock.advance(60)

    await owner.close()

    assert ended.is_set()
    assert clock.due == []


async def test_a_job_may_be_scheduled_and_cancelled_on_a_thread(scheduler, clock):
    job = await scheduler.in_thread(scheduler.schedule, 60, noting([]))
    await turns()
    scheduled = clock.due
    await scheduler.in_thread(job.cancel)
    await turns()

    assert scheduled == [1060.0]
    assert clock.due == []


@pytest.mark.parametrize("period", [0, -1, float("nan"), float("inf")])
async def test_a_period_that_is_none_is_refused(scheduler, period):
    with pytest.raises(ValueError, match="a period is a number of seconds above 0"):
        scheduler.schedule(period, noting([]))


async def test_a_jitter_below_zero_is_refused(scheduler):
    with pytest.raises(ValueError, match="jitter"):
        scheduler.schedule(60, noting([]), jitter=-1)


async def test_when_the_pool_is_full_a_run_is_left_out_reported_and_the_cycle_goes_on(
    scheduler, clock, monkeypatch, caplog
):
    monkeypatch.setattr(scheduler, "threads", ThreadPool(print, size=0, waiting_limit=0))
    scheduler.schedule(60, print)

    await clock.advance(60)

    assert "0 functions run on threads or wait for one already" in caplog.text
    assert clock.due == [1120.0]


async def test_a_spawned_task_runs_as_its_plugin_and_goes_with_it(scheduler):
    owner, seen = Owner("news"), []

    async def work() -> None:
        seen.append(current_owner())
        await asyncio.Event().wait()

    with owner.active():
        task = scheduler.spawn(work())
    await turns()

    await owner.close()

    assert seen == [owner]
    assert task.cancelled()


async def test_what_a_spawned_task_raises_is_reported_with_its_plugin(scheduler, caplog):
    async def work() -> None:
        raise ValueError("no feed")

    with Owner("news").active():
        scheduler.spawn(work())
    await turns()

    assert "plugin news" in caplog.text
    assert "no feed" in caplog.text


async def test_too_many_tasks_are_refused(scheduler, monkeypatch):
    monkeypatch.setattr(scheduler_module, "TASK_LIMIT", 1)
    scheduler.spawn(asyncio.Event().wait())

    with pytest.raises(Busy, match="1 tasks run already"):
        scheduler.spawn(asyncio.Event().wait())


async def test_at_the_end_jobs_and_tasks_that_no_plugin_owned_end_too(scheduler, clock):
    scheduler.schedule(60, noting([]))
    task = scheduler.spawn(asyncio.Event().wait())

    await scheduler.stop()

    assert task.cancelled()
    assert clock.due == []


async def test_the_operator_is_told_while_too_many_threads_are_stuck(scheduler, factory, monkeypatch):
    monkeypatch.setattr(scheduler_module, "STUCK_LIMIT", 1)
    free = threading.Event()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(scheduler.in_thread(free.wait, 10), 0.01)
    told = dict(IOperator(factory).open)
    free.set()
    async with asyncio.timeout(10):
        while scheduler.threads.stuck or IOperator(factory).open:
            await asyncio.sleep(0)

    assert told == {
        "threads": "1 functions of plugins do not end: nothing more runs on threads until one does"
    }


def test_the_pool_may_be_as_full_as_the_scheduler_says():
    assert scheduler_module.STUCK_LIMIT == threads.STUCK_LIMIT
