"""Few threads, a bounded line before them, and none that keeps the process alive."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import CancelledError, wait
from threading import Event, current_thread

import pytest

from pynfo.services.fetcher_pool import DaemonExecutor

WAIT = 20.0  # seconds


def test_a_call_gives_its_result_or_what_it_raises() -> None:
    pool = DaemonExecutor("test", 1, 10)

    assert pool.submit(divmod, 7, 2).result(WAIT) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 7, 0).result(WAIT)
    with pytest.raises(SystemExit):
        pool.submit(sys.exit, 1).result(WAIT)
    assert pool.submit(current_thread).result(WAIT).daemon
    pool.shutdown()


def test_threads_are_as_many_as_are_needed_and_no_more() -> None:
    pool = DaemonExecutor("test", 3, 10)
    go_on = Event()
    first = pool.submit(current_thread)
    first.result(WAIT)
    threads = {first.result(WAIT).name}

    futures = [pool.submit(lambda: (go_on.wait(WAIT), current_thread())[1]) for _ in range(8)]
    go_on.set()

    threads = {future.result(WAIT) for future in futures}
    assert 1 <= len(threads) <= 3
    pool.shutdown()


def test_past_the_bound_nothing_more_may_wait() -> None:
    pool = DaemonExecutor("test", 1, 2)
    go_on, begun = Event(), Event()
    running = pool.submit(lambda: (begun.set(), go_on.wait(WAIT)))
    assert begun.wait(WAIT)
    waiting = [pool.submit(int), pool.submit(int)]
    with pytest.raises(RuntimeError, match="2 calls wait"):
        pool.submit(int)

    waiting[0].cancel()
    go_on.set()
    assert waiting[1].result(WAIT) == 0
    assert running.done()
    pool.shutdown()


def test_closed_it_takes_nothing_and_cancels_what_waits() -> None:
    pool = DaemonExecutor("test", 1, 2)
    go_on, begun = Event(), Event()
    running = pool.submit(lambda: (begun.set(), go_on.wait(WAIT)))
    assert begun.wait(WAIT)
    waiting = pool.submit(int)

    pool.shutdown()

    with pytest.raises(CancelledError):
        waiting.result(WAIT)
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(int)
    go_on.set()
    assert wait([running], WAIT).done


def test_closed_gently_it_does_what_waits() -> None:
    pool = DaemonExecutor("test", 1, 2)
    go_on = Event()
    pool.submit(go_on.wait, WAIT)
    waiting = pool.submit(int)

    pool.shutdown(cancel_futures=False)
    go_on.set()

    assert waiting.result(WAIT) == 0


def test_a_thread_that_never_ends_does_not_keep_the_process() -> None:
    program = (
        "from threading import Event\n"
        "from pynfo.services.fetcher_pool import DaemonExecutor\n"
        "begun = Event()\n"
        "DaemonExecutor('test', 1, 1).submit(lambda: (begun.set(), Event().wait()))\n"
        "begun.wait()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=WAIT)
