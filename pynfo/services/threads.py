"""A bounded pool of threads for plain functions, awaited on the event loop.

A thread cannot be stopped from outside. One whose caller has given up (a time limit, an unloaded plugin) is
*stuck* until its function returns; another takes its place, and once `STUCK_LIMIT` are stuck, new work is
refused. The threads are daemons: `concurrent.futures` joins its own when the interpreter exits, so that one
function which never returns would keep the process from ending.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from threading import Condition, Thread
from typing import Any, TypeVar

from pynfo.callables import name_of
from pynfo.ownership import current_owner

log = logging.getLogger(__name__)

SIZE = 8  # threads that work
WAITING_LIMIT = 100  # functions that wait for a thread
STUCK_LIMIT = 8  # threads that do not end

T = TypeVar("T")


class Busy(RuntimeError):
    """The pool takes no more work now. The message is one sentence."""


class _Work:
    """One function to run. The flags are guarded by the pool."""

    __slots__ = ("abandoned", "call", "done", "future", "loop", "started")

    def __init__(self, call: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.call = call
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.started = False
        self.done = False
        self.abandoned = False

    def settle(self, result: Any, error: Exception | None) -> None:
        """Hand over the outcome, on the event loop."""
        if self.future.done():
            return
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class ThreadPool:
    """`stuck` is the number of threads that do not end; `stuck_changed` is called with it, on the loop."""

    def __init__(
        self,
        stuck_changed: Callable[[int], object],
        *,
        size: int = SIZE,
        waiting_limit: int = WAITING_LIMIT,
        stuck_limit: int = STUCK_LIMIT,
    ) -> None:
        self.stuck = 0
        self._stuck_changed = stuck_changed
        self._size = size
        self._waiting_limit = waiting_limit
        self._stuck_limit = stuck_limit
        self._changed = Condition()  # guards all below
        self._waiting: deque[_Work] = deque()
        self._threads = 0  # stuck ones too
        self._working = 0  # those whose callers wait
        self._closed = False

    async def run(self, function: Callable[..., T], /, *arguments: Any, **keywords: Any) -> T:
        """*await* `function(…)` on a thread, in the context of the caller. Raises `Busy`."""
        context = copy_context()
        work = _Work(partial(context.run, function, *arguments, **keywords), asyncio.get_running_loop())
        self._submit(work)
        try:
            result: T = await work.future
        except asyncio.CancelledError:
            self._abandon(work, function)
            raise
        return result

    def close(self) -> None:
        """Take no more work; what waits for a thread is cancelled, what runs is left to itself."""
        with self._changed:
            self._closed = True
            while self._waiting:
                self._waiting.popleft().future.cancel()
            self._changed.notify_all()

    def _submit(self, work: _Work) -> None:
        with self._changed:
            if self._closed:
                raise Busy("the bot is stopping")
            if self.stuck >= self._stuck_limit:
                raise Busy(f"{self.stuck} functions on threads do not end")
            unfinished = len(self._waiting) + self._working
            if unfinished >= self._size + self._waiting_limit:
                raise Busy(f"{unfinished} functions run on threads or wait for one already")
            self._waiting.append(work)
            self._start_thread_if_needed()
            self._changed.notify()

    def _start_thread_if_needed(self) -> None:
        free = self._threads - self.stuck - self._working
        if len(self._waiting) > free and self._threads - self.stuck < self._size:
            self._threads += 1
            Thread(target=self._serve, name="pynfo-pool", daemon=True).start()

    def _abandon(self, work: _Work, function: Callable[..., Any]) -> None:
        """The caller does not wait any more."""
        with self._changed:
            if not work.started:
                with suppress(ValueError):  # the pool was closed
                    self._waiting.remove(work)
                return
            if work.done:
                return
            work.abandoned = True
            self._working -= 1
            self.stuck += 1
            if self.stuck < self._stuck_limit:
                self._start_thread_if_needed()
        owner = current_owner()
        log.warning(
            "%s%s runs on, though nobody waits for it: %d of at most %d such threads",
            f"plugin {owner.name}: " if owner is not None else "",
            name_of(function),
            self.stuck,
            self._stuck_limit,
        )
        self._stuck_changed(self.stuck)

    # -- on the threads

    def _serve(self) -> None:
        while (work := self._take()) is not None:
            replaced = self._do(work)
            del work  # nothing of a plugin stays with a thread that waits
            if replaced:
                return

    def _take(self) -> _Work | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                self._threads -= 1
                return None
            work = self._waiting.popleft()
            work.started = True
            self._working += 1
            return work

    def _do(self, work: _Work) -> bool:
        """Run it; see `_finish` for what it gives."""
        result: Any = None
        error: Exception | None = None
        try:
            result = work.call()
        except StopIteration as stop:  # a future does not take it
            error = RuntimeError(f"the function raised {stop!r}")
        except Exception as raised:  # noqa: BLE001 - whoever awaits it gets it
            error = raised
        except BaseException as raised:  # noqa: BLE001 - sys.exit() in a plugin is not to end the bot
            error = RuntimeError(f"the function raised {raised!r}")
        replaced = self._finish(work)  # first, so that what the caller does next finds this thread free
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            work.loop.call_soon_threadsafe(work.settle, result, error)
        return replaced

    def _finish(self, work: _Work) -> bool:
        """Whether this thread is one too many, since another has taken its place."""
        with self._changed:
            work.done = True
            if not work.abandoned:
                self._working -= 1
                return False
            self.stuck -= 1
            replaced = self._threads - self.stuck > self._size
            if replaced:
                self._threads -= 1
            stuck = self.stuck
        with suppress(RuntimeError):
            work.loop.call_soon_threadsafe(self._stuck_changed, stuck)
        return replaced
