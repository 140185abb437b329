"""The thread that writes the archive, and the queue between IRC and the disk.

Lines are gathered for `GATHER` seconds and written together. Where the disk is full or the file is locked
they wait, and it is tried again; past `WAITING_LIMIT` lines are lost, and counted as a gap of their channel.
Everything else that writes is a job, done after the lines that came before it.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from plugins.logs.interfaces import ArchiveBusy
from plugins.logs.line import Gap, Line

log = logging.getLogger(__name__)

GATHER = 0.2  # seconds
BATCH = 2000  # lines in one transaction
WAITING_LIMIT = 10_000  # lines that wait to be written
JOBS_LIMIT = 1000
RETRY_FIRST, RETRY_MOST = 0.5, 10.0  # seconds
STOP_LIMIT = 2.0  # seconds to write what waits

UNWRITABLE = "the archive cannot be written now: try again later"

T = TypeVar("T")


class WritingThread:
    """On the thread, `write(lines, lost)` writes lines, and gaps by place, and `written()` comes after all
    that was written. On the event loop, `tell` is called with what keeps lines from being written, and with
    None when that is over."""

    def __init__(
        self,
        write: Callable[[Sequence[Line], dict[str, Gap]], object],
        tell: Callable[[str | None], object],
        written: Callable[[], object],
    ) -> None:
        self._write = write
        self._tell = tell
        self._written = written
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._told = False
        self._wake = threading.Condition()  # guards what is below
        self._lines: deque[Line] = deque()
        self._lost: dict[str, Gap] = {}
        self._jobs: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._stopping = False

    def start(self, begin: Callable[[], object]) -> None:
        """`begin` is the first job."""
        threading.Thread(target=self._run, args=[begin], name="pynfo-archive", daemon=True).start()

    async def stop(self) -> bool:
        """Write what waits, within `STOP_LIMIT`. False where the thread does not end."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        await asyncio.wait([self._ended], timeout=STOP_LIMIT)
        if self._lines:
            log.error("%d lines of the logs could not be written", len(self._lines))
        return self._ended.done()

    def append(self, line: Line) -> None:
        """Have a line written. At once, from the event loop."""
        with self._wake:
            if len(self._lines) >= WAITING_LIMIT:
                lost = self._lost.get(line.place)
                self._lost[line.place] = Gap(lost.start if lost else line.time, line.time)
                return
            self._lines.append(line)
            if len(self._lines) in (1, BATCH):
                self._wake.notify()

    async def do(self, job: Callable[[], T]) -> T:
        """*await* a job. Raises `ArchiveBusy` where it cannot be written now, and what the job raises."""
        future: asyncio.Future[T] = self._loop.create_future()
        with self._wake:
            if len(self._jobs) >= JOBS_LIMIT or self._stopping:
                raise ArchiveBusy("the archive is stopping, or has too much to write now")
            if self._told:
                raise ArchiveBusy(UNWRITABLE)
            self._jobs.append((job, future))
            self._wake.notify()
        return await future

    # -- on the thread

    def _run(self, begin: Callable[[], object]) -> None:
        try:
            begin()
        except sqlite3.Error as error:
            log.error("the archive could not be prepared: %s", error)
        wait = 0.0
        while True:
            lines, jobs = self._next(wait)
            if self._write_lines(lines):
                wait = 0.0
                with self._wake:
                    for _ in lines:
                        self._lines.popleft()
                for _ in range(jobs):
                    self._do(*self._jobs.popleft())
                if self._stopping and not self._lines and not self._jobs:
                    break
                continue
            self._refuse_jobs()
            if self._stopping:
                break
            wait = min(max(wait * 2, RETRY_FIRST), RETRY_MOST)
        self._call(_settle, self._ended, None, None)

    def _next(self, wait: float) -> tuple[list[Line], int]:
        """Some lines, and how many jobs may be done after them. `wait`: seconds before a next try."""
        with self._wake:
            if wait:
                self._wake.wait_for(lambda: self._stopping, timeout=wait)
            else:
                self._wake.wait_for(lambda: self._lines or self._jobs or self._stopping)
                if not self._jobs and not self._stopping:
                    self._wake.wait_for(self._enough, timeout=GATHER)
            lines = [self._lines[at] for at in range(min(BATCH, len(self._lines)))]
            return lines, len(self._jobs) if len(lines) == len(self._lines) else 0

    def _enough(self) -> bool:
        return len(self._lines) >= BATCH or bool(self._jobs) or self._stopping

    def _write_lines(self, lines: Sequence[Line]) -> bool:
        """Whether they are written, or never can be."""
        if not lines:
            return True
        with self._wake:
            lost = dict(self._lost)
        try:
            self._write(lines, lost)
        except sqlite3.Error as error:
            if not self._told:
                self._told = True
                log.warning("the archive cannot be written: %s", error)
            text = f"the archive cannot be written ({error}): lines wait, and it is tried again"
            self._call(self._tell, text)
            return False
        except Exception:
            if len(lines) == 1:
                log.exception("a line cannot be kept, and is left out: %r", lines[0])
                return True
            return sum(self._write_lines([line]) for line in lines) == len(lines)  # each by itself
        with self._wake:
            self._lost = {place: gap for place, gap in self._lost.items() if gap != lost.get(place)}
        if self._told:
            self._told = False
            self._call(self._tell, None)
        self._written()
        return True

    def _refuse_jobs(self) -> None:
        """Whoever waits for a job is told now: it may be hours until something can be written again."""
        with self._wake:
            refused = [future for _, future in self._jobs]
            self._jobs.clear()
        for future in refused:
            self._call(_settle, future, None, ArchiveBusy(UNWRITABLE))

    def _do(self, job: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        outcome: Any = None
        failure: Exception | None = None
        try:
            outcome = job()
        except sqlite3.OperationalError as error:
            failure = ArchiveBusy(f"the archive cannot be written now ({error}): try again later")
        except Exception as error:  # noqa: BLE001 - whoever awaits it gets it
            failure = error
        self._written()
        self._call(_settle, future, outcome, failure)

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(function, *arguments)


def _settle(future: asyncio.Future[Any], outcome: object, failure: Exception | None) -> None:
    if future.done():
        return
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(outcome)
