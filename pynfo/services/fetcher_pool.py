"""The threads that HTTP is asked on: few, bounded, and daemons.

`ThreadPoolExecutor` joins its threads when the interpreter exits, so that a server which never ends its
answer, or a resolver which never gives one, would keep the process from ending.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from threading import Condition, Thread
from typing import Any, TypeVar

T = TypeVar("T")


class DaemonExecutor(Executor):
    """At most `size` threads, made as they are needed; at most `waiting` calls that wait for one.

    `submit` raises `RuntimeError` past that, and after `shutdown`, which waits for no thread.
    """

    def __init__(self, name: str, size: int, waiting: int) -> None:
        self._name = name
        self._size = size
        self._waiting_limit = waiting
        self._changed = Condition()  # guards all below
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._threads = 0
        self._free = 0
        self._closed = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("the pool is closed")
            if len(self._waiting) >= self._waiting_limit:
                raise RuntimeError(f"{len(self._waiting)} calls wait for a thread already")
            self._waiting.append((future, lambda: fn(*args, **kwargs)))
            if len(self._waiting) > self._free and self._threads < self._size:
                self._threads += 1
                Thread(target=self._serve, name=self._name, daemon=True).start()
            self._changed.notify()
        return future

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = True) -> None:
        """Take no more calls. What waits is cancelled, or else still done; what runs is left to itself."""
        with self._changed:
            self._closed = True
            while cancel_futures and self._waiting:
                self._waiting.popleft()[0].cancel()
            self._changed.notify_all()

    def _serve(self) -> None:
        while (work := self._take()) is not None:
            future, call = work
            if future.set_running_or_notify_cancel():
                try:
                    result = call()
                except BaseException as error:  # noqa: BLE001 - whoever waits gets it
                    future.set_exception(error)
                else:
                    future.set_result(result)
                    del result
            del work, future, call  # nothing of an answer stays with a thread that waits

    def _take(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._changed:
            self._free += 1
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._free -= 1
            if self._waiting:
                return self._waiting.popleft()
            self._threads -= 1
            return None
