"""The threads that read the archive, and their connections: the one used last knows most, and is used next.

A connection that is in use on a thread is never closed by another, which SQLite would not survive.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from plugins.logs.archive.database import open_archive
from plugins.logs.archive.reading import warm
from plugins.logs.interfaces import ArchiveBusy
from pynfo.services.threads import Busy, ThreadPool

AT_ONCE = 3
WAITING = 64
LIMIT = 5.0  # seconds for one answer
STEPS = 20_000  # of SQLite's machine between two looks at the clock

T = TypeVar("T")


class Readers:
    """Runs functions that take a connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPool(lambda stuck: None, size=AT_ONCE, waiting_limit=WAITING)
        self._lock = threading.Lock()  # guards what is below
        self._idle: list[sqlite3.Connection] = []
        self._busy: set[sqlite3.Connection] = set()
        self._closed = False

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """*await* `function(connection, *arguments)` on a thread. Raises `ArchiveBusy`."""
        try:
            return await self._threads.run(self._run, function, arguments)
        except Busy as error:
            raise ArchiveBusy("the log is read by too many just now: try again soon") from error

    def stop(self) -> None:
        """Take no more work; what is under way is interrupted."""
        self._threads.close()
        with self._lock:
            self._closed = True
            for connection in self._busy:
                connection.interrupt()
            while self._idle:
                self._idle.pop().close()

    def _run(self, function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        connection = self._take()
        deadline = time.monotonic() + LIMIT
        try:
            connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
            connection.execute("BEGIN")  # all that one answer says is of one moment
            return function(connection, *arguments)
        except sqlite3.OperationalError as error:
            raise ArchiveBusy("the log takes too long to answer: ask for less") from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._give_back(connection)

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
            if connection is not None:
                self._busy.add(connection)
                return connection
        connection = open_archive(self._path, read_only=True)
        warm(connection)
        with self._lock:
            if not self._closed:
                self._busy.add(connection)
                return connection
        connection.close()
        raise ArchiveBusy("the archive has stopped")

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            self._busy.discard(connection)
            if self._closed:
                connection.close()
            else:
                self._idle.append(connection)
