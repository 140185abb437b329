"""Plain functions run on a bounded number of threads."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from pynfo.ownership import Owner, current_owner
from pynfo.services.threads import Busy, ThreadPool


class Blocking:
    """Functions that wait until they are let go."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.entered = threading.Semaphore(0)

    def __call__(self) -> str:
        self.entered.release()
        assert self.free.wait(10)
        return "done"


@pytest.fixture
def blocking():
    blocking = Blocking()
    yield blocking
    blocking.free.set()


@pytest.fixture
def stuck():
    return []


@pytest.fixture
async def pool(stuck, blocking):
    OF_OTHERS.clear()
    OF_OTHERS.update(all_pool_threads())
    pool = ThreadPool(stuck.append, size=2, waiting_limit=1, stuck_limit=2)
    yield pool
    pool.close()
    blocking.free.set()
    for thread in pool_threads():
        await asyncio.to_thread(thread.join, 10)


async def entered(blocking: Blocking, times: int = 1) -> None:
    """Wait until the function has been called so many times more."""
    for _ in range(times):
        assert await asyncio.to_thread(blocking.entered.acquire, timeout=10)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


def all_pool_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "pynfo-pool"]


OF_OTHERS: set[threading.Thread] = set()  # of pools of other tests, which may still work


def pool_threads() -> list[threading.Thread]:
    return [thread for thread in all_pool_threads() if thread not in OF_OTHERS]


async def give_up(task: asyncio.Task) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_function_runs_on_a_thread_and_its_result_comes_back(pool):
    def where(*args: int, **kw: int) -> tuple:
        return threading.current_thread(), args, kw

    thread, args, kw = await pool.run(where, 1, two=2)

    assert thread is not threading.main_thread()
    assert (args, kw) == ((1,), {"two": 2})


async def test_one_thread_serves_call_after_call(pool):
    threads = {await pool.run(threading.get_ident) for _ in range(20)}

    assert len(threads) == 1


@pytest.mark.parametrize("raised", [ValueError("seven"), StopIteration(7), SystemExit("seven")])
async def test_what_it_raises_reaches_whoever_waits_and_ends_nothing_else(pool, raised):
    def fail() -> None:
        raise raised

    with pytest.raises((ValueError, RuntimeError), match=r"7|seven"):
        await pool.run(fail)
    assert await pool.run(lambda: "still there") == "still there"


async def test_the_function_runs_as_the_plugin_that_called_it(pool):
    owner = Owner("dice")
    with owner.active():
        assert await pool.run(current_owner) is owner


async def test_past_its_size_work_waits_and_past_the_waiting_limit_it_is_refused(pool, blocking):
    running = [asyncio.create_task(pool.run(blocking)) for _ in range(2)]
    await entered(blocking, 2)
    waiting = asyncio.create_task(pool.run(blocking))
    await asyncio.sleep(0)

    with pytest.raises(Busy, match="3 functions run on threads or wait for one already"):
        await pool.run(blocking)

    blocking.free.set()
    assert await asyncio.gather(*running, waiting) == ["done"] * 3


async def test_work_given_up_before_it_began_never_runs(pool, blocking):
    running = [asyncio.create_task(pool.run(blocking)) for _ in range(2)]
    await entered(blocking, 2)
    ran = []
    waiting = asyncio.create_task(pool.run(ran.append, "waiting"))
    await asyncio.sleep(0)

    await give_up(waiting)
    blocking.free.set()
    await asyncio.gather(*running)
    await pool.run(lambda: None)

    assert ran == []
    assert pool.stuck == 0


async def test_a_thread_whose_caller_gave_up_is_stuck_until_it_ends_and_another_takes_its_place(
    pool, blocking, stuck, caplog
):
    with Owner("dice").active(), pytest.raises(TimeoutError):
        await asyncio.wait_for(pool.run(blocking), 0.01)

    while_stuck = [await pool.run(lambda: "served") for _ in range(2)]
    assert (while_stuck, stuck) == (["served"] * 2, [1])
    assert "plugin dice: <tests.test_threads.Blocking object" in caplog.text
    assert "runs on, though nobody waits for it: 1 of at most 2 such threads" in caplog.text
    blocking.free.set()
    await until(lambda: not stuck[-1])
    assert stuck == [1, 0]


async def test_when_too_many_are_stuck_new_work_is_refused_until_one_ends(pool, blocking, stuck):
    other = Blocking()
    tasks = [asyncio.create_task(pool.run(function)) for function in (blocking, other)]
    await entered(blocking)
    await entered(other)
    for task in tasks:
        await give_up(task)

    with pytest.raises(Busy, match="2 functions on threads do not end"):
        await pool.run(lambda: None)

    other.free.set()
    await until(lambda: stuck[-1] < 2)
    assert await pool.run(lambda: "served") == "served"


async def test_work_that_waited_for_a_stuck_thread_gets_another(pool, blocking):
    running = [asyncio.create_task(pool.run(blocking)) for _ in range(2)]
    await entered(blocking, 2)
    waiting = asyncio.create_task(pool.run(lambda: "served"))
    await asyncio.sleep(0)

    await give_up(running[0])

    assert await asyncio.wait_for(waiting, 5) == "served"
    blocking.free.set()
    await running[1]


async def test_when_a_stuck_thread_ends_there_are_no_more_threads_than_the_size(pool, blocking, stuck):
    others = Blocking()
    given_up = asyncio.create_task(pool.run(blocking))
    await entered(blocking)
    await give_up(given_up)
    running = [asyncio.create_task(pool.run(others)) for _ in range(2)]
    await entered(others, 2)
    threads = pool_threads()

    blocking.free.set()
    await until(lambda: not stuck[-1])

    assert len(threads) == 3
    await until(lambda: len(pool_threads()) == 2)
    others.free.set()
    assert await asyncio.gather(*running) == ["done"] * 2


async def test_when_it_closes_idle_threads_end_and_what_waits_is_cancelled(pool, blocking):
    running = [asyncio.create_task(pool.run(blocking)) for _ in range(2)]
    await entered(blocking, 2)
    waiting = asyncio.create_task(pool.run(blocking))
    await asyncio.sleep(0)

    pool.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(Busy, match="the bot is stopping"):
        await pool.run(lambda: None)
    threads = pool_threads()
    blocking.free.set()
    await asyncio.gather(*running)
    for thread in threads:
        await asyncio.to_thread(thread.join, 10)
        assert not thread.is_alive()


def test_a_function_that_never_ends_does_not_keep_the_process():
    script = """
import asyncio, contextlib, threading
from pynfo.services.threads import ThreadPool

async def main():
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(ThreadPool(print).run(threading.Event().wait), 0.01)

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", script], timeout=20, capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "1\n")
