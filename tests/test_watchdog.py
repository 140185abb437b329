"""What blocks the event loop is named in the log."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from types import ModuleType

import pytest
import uvloop

from pynfo.services import watchdog as watchdog_module
from pynfo.services.watchdog import Watchdog

PLUGIN = """
def greedy(function):
    return function()
"""


class Clock:
    """Gives the time that it is set to, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def greedy():
    """A function in the module of a plugin; it calls what it is given."""
    module = ModuleType("plugins.greedy")
    exec(PLUGIN, module.__dict__)
    return module.greedy


@pytest.fixture
def watchdog(clock):
    """Watches with a threshold of one second; the tests look themselves."""
    return Watchdog({"plugins.greedy": "greedy"}.get, threshold=1.0, clock=clock)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request):
    """Runs a coroutine on either kind of event loop."""

    def run(main: Callable) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(main())

    return run


def looking(watchdog: Watchdog, clock: Clock, *times: float) -> list[float]:
    """Look at those times after now, from another thread; gives what the looks gave."""
    start, waits = clock.now, []

    def look() -> None:
        for seconds in times:
            clock.now = start + seconds
            waits.append(watchdog.look())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return waits


async def look_while_idle(watchdog: Watchdog, clock: Clock, seconds: float) -> float:
    """Look while the loop has nothing to do."""
    clock.now += seconds
    for _ in range(3):  # whatever was asked before is answered by now
        await asyncio.sleep(0)
    looked = asyncio.get_running_loop().create_future()

    def look() -> None:
        while sys._current_frames()[main].f_code.co_name not in ("select", "run"):
            pass
        wait = watchdog.look()
        looked.get_loop().call_soon_threadsafe(looked.set_result, wait)

    main = threading.get_ident()
    threading.Thread(target=look).start()
    return await looked


def test_a_plugin_that_blocks_the_loop_is_named_with_its_stack(run, watchdog, clock, greedy, caplog):
    async def main() -> None:
        watchdog.attach()
        greedy(lambda: looking(watchdog, clock, 0, 0.25, 0.5, 0.75, 1.0))

    run(main)

    assert "the event loop has been blocked for at least 1.0 s by plugin greedy:\n" in caplog.text
    assert 'File "<string>", line 3, in greedy' in caplog.text
    assert "in looking" in caplog.text


def test_a_blockage_is_told_once_and_again_with_its_length_when_it_is_over(
    run, watchdog, clock, greedy, caplog
):
    async def main() -> None:
        watchdog.attach()
        greedy(lambda: looking(watchdog, clock, 0, 0.25, 1.0, 1.25, 5.0))
        await look_while_idle(watchdog, clock, 0.1)
        await look_while_idle(watchdog, clock, 1.0)

    run(main)

    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
    assert caplog.records[1].message == "the event loop goes on: it was blocked for at least 5.1 s"


def test_the_next_blockage_is_told_again(run, watchdog, clock, greedy, caplog):
    async def main() -> None:
        watchdog.attach()
        for _ in range(2):
            greedy(lambda: looking(watchdog, clock, 0, 1.0))
            await look_while_idle(watchdog, clock, 0.1)

    run(main)

    assert caplog.text.count("by plugin greedy") == 2


def test_whatever_lasts_longer_than_the_threshold_is_found_wherever_it_began(
    run, watchdog, clock, greedy, caplog
):
    async def main() -> None:
        watchdog.attach()
        wait = await look_while_idle(watchdog, clock, 0)
        greedy(lambda: looking(watchdog, clock, wait, 1.0))  # it began just after that look
        await look_while_idle(watchdog, clock, 0.01)

    run(main)

    assert "the event loop was blocked for at least 0.3 s by plugin greedy:\n" in caplog.text


def test_what_holds_the_interpreter_so_that_nobody_can_look_is_found_just_after(
    run, watchdog, clock, greedy, caplog
):
    async def main() -> None:
        watchdog.attach()
        wait = await look_while_idle(watchdog, clock, 0)
        greedy(lambda: looking(watchdog, clock, wait + 4.0))
        await look_while_idle(watchdog, clock, 0.01)

    run(main)

    assert "the event loop has been blocked for at least 4.0 s by plugin greedy:\n" in caplog.text


def test_what_blocks_outside_of_plugins_is_told_too(run, watchdog, clock, caplog):
    async def main() -> None:
        watchdog.attach()
        looking(watchdog, clock, 0, 1.0)

    run(main)

    assert "by code outside of plugins:\n" in caplog.text


def test_a_loop_at_work_that_answers_is_not_told_of(run, watchdog, clock, greedy, caplog):
    async def main() -> None:
        watchdog.attach()
        for _ in range(10):
            greedy(lambda: looking(watchdog, clock, 0.2))
            await asyncio.sleep(0)

    run(main)

    assert caplog.text == ""


def test_an_idle_loop_is_neither_told_of_nor_woken_and_looked_at_less_than_twice_a_second(
    run, watchdog, clock, caplog
):
    async def main() -> None:
        watchdog.attach()
        waits = [await look_while_idle(watchdog, clock, 100.0) for _ in range(3)]
        assert waits == [0.75] * 3
        assert watchdog._asked is None

    run(main)

    assert caplog.text == ""


def test_on_its_own_thread_it_finds_what_blocks_and_ends_when_it_is_stopped(run, greedy, caplog):
    arrived = threading.Event()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            arrived.set()

    async def main() -> None:
        watchdog = Watchdog({"plugins.greedy": "greedy"}.get, threshold=0.02)
        watchdog.start()
        assert greedy(lambda: arrived.wait(10))
        watchdog.stop()
        assert not watchdog._thread.is_alive()

    handler = Handler()
    logging.getLogger("pynfo.services.watchdog").addHandler(handler)
    try:
        run(main)
    finally:
        logging.getLogger("pynfo.services.watchdog").removeHandler(handler)

    assert "by plugin greedy" in caplog.text


def test_a_loop_that_has_closed_ends_it_quietly(run):
    watchdog = Watchdog(lambda _: None, threshold=0.002)

    async def main() -> None:
        watchdog.start()

    run(main)

    watchdog._thread.join(10)
    assert not watchdog._thread.is_alive()


def test_what_is_no_frame_is_looked_at_another_time(monkeypatch):
    thread = threading.get_ident()
    assert watchdog_module._frame_of(thread) is not None
    monkeypatch.setattr(sys, "_current_frames", lambda: {thread: PLUGIN})
    assert watchdog_module._frame_of(thread) is None
