"""Durable sending on disk: `outbox.sqlite`, and the one thread that writes it.

What is asked is collected, and written in one transaction: the more is asked while the disk is busy, the more
goes into the next commit. Whoever needs to know is called, on the event loop, when it is on disk for sure
(write-ahead log, synced at each commit). While the disk is full or the file locked the operator is told, and
it is tried again until it succeeds; what waits is bounded by the queues that ask.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from threading import Condition, Thread

import msgspec

from pynfo.services.outbox_item import Item
from pynfo.services.state_database import StorageError, reason

log = logging.getLogger(__name__)

VERSION = 1  # of the schema
LOCK_WAIT = 1.0  # seconds that SQLite waits for a lock
REST = 0.2  # seconds that what is only to be noted waits for company
RETRY_FIRST, RETRY_LONGEST = 0.5, 15.0  # seconds between attempts that fail
STOP_LIMIT = 2.5  # seconds for what is left when the bot stops
KEPT = 20_000  # settled items that are remembered, for their keys and msgids
KEPT_FOR = 7 * 86400.0  # seconds
PRUNE_EVERY = 3600.0  # seconds

# What is put under a key that nobody remembers, but the file, takes its place there.
_ADD = (
    "INSERT OR REPLACE INTO item "
    "(id, queue, target, key, lane, noise, once, time, expires, written, data, about) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ADD_COPY = "INSERT OR IGNORE INTO copy (item, line, msgid) SELECT id, ?2, ?3 FROM item WHERE id = ?1"


class Settled(msgspec.Struct):
    """An item of the past: its key, its target, what its owner wanted to remember, and its msgids."""

    id: int
    queue: str
    target: str
    key: str
    about: bytes
    msgids: list[str | None]


class Past(msgspec.Struct):
    """What a file holds at start: what waits, in order, with its queue; what is remembered, oldest first; and
    of the lanes of each queue the time that is reached."""

    waiting: list[tuple[str, Item]]
    settled: list[Settled]
    reached: dict[tuple[str, str], float]


class _Batch:
    """What is to be written in one transaction. Within one, the order is that of the fields."""

    def __init__(self) -> None:
        self.added: list[tuple[object, ...]] = []
        self.marked: list[tuple[float, int]] = []
        self.settled: list[tuple[float, int]] = []
        self.copies: list[tuple[int, int, str]] = []
        self.forgotten: list[tuple[int]] = []
        self.reached: dict[tuple[str, str], tuple[float, bool]] = {}
        self.expunge = False
        self.done: list[Callable[[], None]] = []

    def __bool__(self) -> bool:
        rows = self.added or self.marked or self.settled or self.forgotten or self.reached
        return bool(rows or self.expunge or self.done)

    def write(self, connection: sqlite3.Connection) -> None:
        many = connection.executemany
        if self.added:
            many(_ADD, self.added)
        if self.marked:
            many("UPDATE item SET written = ? WHERE id = ?", self.marked)
        if self.settled:
            many("UPDATE item SET settled = ?, data = NULL WHERE id = ?", self.settled)
        if self.copies:
            many(_ADD_COPY, self.copies)
        if self.forgotten:
            many("UPDATE item SET about = NULL WHERE id = ?", self.forgotten)
        if self.reached:
            rows = [(*lane, *reached) for lane, reached in self.reached.items()]
            many("INSERT OR REPLACE INTO reached (queue, lane, time, open) VALUES (?, ?, ?, ?)", rows)


class OutboxStore:
    """`tell(problem)` is called on the event loop when writing fails, and with None when it goes again."""

    def __init__(self, path: Path, tell: Callable[[str | None], object]) -> None:
        self.path = path
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._thread: Thread | None = None
        self._ended = asyncio.Event()
        # Of the thread alone.
        self._connection: sqlite3.Connection | None = None
        self._pruned = 0.0
        # Below: guarded by `_changed`.
        self._changed = Condition()
        self._batch = _Batch()
        self._hurry = False
        self._end: float | None = None  # monotonic seconds by which the thread ends

    # -- on the event loop

    def read(self) -> Past:
        """All that is there.

        Blocks: call it on a thread, before anything is written. Raises `StorageError`.
        """
        if not self.path.exists():
            return Past([], [], {})
        try:
            connection = self._open()
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from error
        try:
            self._prune(connection)
            return Past(list(_waiting(connection)), list(_settled(connection)), _reached(connection))
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from error
        finally:
            connection.close()

    def add(self, queue: str, items: Iterable[Item], done: Callable[[], None]) -> None:
        """Keep new items; `done` is called when they are on disk."""
        rows = [
            (item.id, queue, item.target, item.key, item.lane, item.noise, item.once)
            + (item.time, item.expires, item.written, item.data, item.about or None)
            for item in items
        ]
        with self._changed:
            self._batch.added += rows
            self._batch.done.append(done)
            self._wake()

    def mark(self, items: Sequence[Item], done: Callable[[], None]) -> None:
        """Note that they may be given to a connection from now on."""
        with self._changed:
            self._batch.marked += [(item.written, item.id) for item in items]
            self._batch.done.append(done)
            self._wake()

    def settle(self, item: Item, msgids: Sequence[str | None] = ()) -> None:
        """Note that it is over, soon."""
        with self._changed:
            self._batch.settled.append((time.time(), item.id))
            for line, msgid in enumerate(msgids):
                if msgid is not None:
                    self._batch.copies.append((item.id, line, msgid))
            if len(self._batch.settled) == 1:
                self._begin()
                self._changed.notify()

    def reach(self, queue: str, lane: str, time: float, *, open: bool) -> None:
        """Note up to when all that is for a lane was put into it, soon; see `Queue.reach`."""
        with self._changed:
            self._batch.reached[queue, lane] = (time, open)
            if len(self._batch.reached) == 1:
                self._begin()
                self._changed.notify()

    async def forget(self, ids: Iterable[int]) -> None:
        """*await* that what the owners remember of these is gone, and what was removed, from the file too."""
        with self._changed:
            self._batch.forgotten += [(item,) for item in ids]
            self._batch.expunge = True
        await self.flush()

    async def flush(self) -> None:
        """*await* that all that was asked is on disk."""
        written = asyncio.Event()
        with self._changed:
            self._batch.done.append(written.set)
            self._wake()
        await written.wait()

    async def stop(self) -> None:
        """Write what is left, if the disk can."""
        if self._thread is None:
            return
        with self._changed:
            self._end = time.monotonic() + STOP_LIMIT
            self._wake()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), STOP_LIMIT + LOCK_WAIT)

    def _wake(self) -> None:
        self._hurry = True
        self._begin()
        self._changed.notify()

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._run, name="pynfo-outbox", daemon=True)
            self._thread.start()

    # -- on the thread

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            if not self._write_for_sure(batch):
                break
            if batch.done:
                self._call(_call_all, batch.done)
        if self._connection is not None:
            self._connection.close()
        self._call(self._ended.set)

    def _take(self) -> _Batch | None:
        """Wait for something to write; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._batch or self._end is not None)
            self._changed.wait_for(lambda: self._hurry or self._end is not None, REST)
            self._hurry = False
            batch, self._batch = self._batch, _Batch()
            return batch if batch else None

    def _write_for_sure(self, batch: _Batch) -> bool:
        """False where it could not be written before the end."""
        failures = 0
        while True:
            try:
                if self._connection is None:
                    self._connection = self._open()
                self._write(self._connection, batch)
            except sqlite3.Error as error:
                failures += 1
                problem = f"{self.path}: {reason(error)}; until it can be written nothing is relayed"
                self._call(self._tell, problem)
                if not self._rest(min(RETRY_FIRST * 2.0 ** (failures - 1), RETRY_LONGEST)):
                    log.error("%s: not all could be written: %s", self.path, error)
                    return False
            else:
                if failures:
                    self._call(self._tell, None)
                return True

    def _write(self, connection: sqlite3.Connection, batch: _Batch) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            batch.write(connection)
            if batch.expunge or time.monotonic() > self._pruned + PRUNE_EVERY:
                self._prune(connection)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        if batch.expunge:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _prune(self, connection: sqlite3.Connection) -> None:
        self._pruned = time.monotonic()
        connection.execute("DELETE FROM item WHERE settled < ?", (time.time() - KEPT_FOR,))
        connection.execute(
            "DELETE FROM item WHERE settled IS NOT NULL AND id NOT IN "
            "(SELECT id FROM item WHERE settled IS NOT NULL ORDER BY settled DESC LIMIT ?)",
            (KEPT,),
        )

    def _rest(self, seconds: float) -> bool:
        """Wait before the next attempt; False where there is to be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._end is not None, seconds)
            return self._end is None or time.monotonic() < self._end

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(function, *arguments)

    def _open(self) -> sqlite3.Connection:
        """Raises `sqlite3.Error`."""
        with suppress(OSError):  # SQLite tells better what is wrong
            self.path.touch(0o600, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=LOCK_WAIT, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")  # what is said is not to be found in free pages
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise sqlite3.DatabaseError(f"it is of a newer Pynfo (version {version})")
            if version == 0:
                schema = (files("pynfo.services") / "outbox_schema.sql").read_text()
                connection.executescript(f"BEGIN; {schema}; PRAGMA user_version = {VERSION}; COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection


def _waiting(connection: sqlite3.Connection) -> Iterable[tuple[str, Item]]:
    rows = connection.execute(
        "SELECT queue, id, target, key, lane, noise, once, time, expires, written, data, about "
        "FROM item WHERE settled IS NULL ORDER BY id"
    )
    for queue, id_, target, key, lane, noise, once, when, expires, written, data, about in rows:
        yield (
            queue,
            Item(
                id=id_,
                target=target,
                key=key,
                lane=lane,
                noise=bool(noise),
                once=bool(once),
                time=when,
                expires=expires,
                written=written,
                data=data,
                about=about or b"",
            ),
        )


def _settled(connection: sqlite3.Connection) -> Iterable[Settled]:
    msgids: dict[int, list[str | None]] = {}
    for item, line, msgid in connection.execute("SELECT item, line, msgid FROM copy ORDER BY item, line"):
        known = msgids.setdefault(item, [])
        known += [None] * (line - len(known)) + [msgid]
    rows = connection.execute(
        "SELECT id, queue, target, key, about FROM item WHERE settled IS NOT NULL ORDER BY settled, id"
    )
    for id_, queue, target, key, about in rows:
        yield Settled(id_, queue, target, key, about or b"", msgids.get(id_, []))


def _reached(connection: sqlite3.Connection) -> dict[tuple[str, str], float]:
    lanes = connection.execute("SELECT queue, lane, time, open FROM reached").fetchall()
    newest = connection.execute("SELECT queue, lane, max(time) FROM item GROUP BY queue, lane").fetchall()
    put = {(queue, lane): time for queue, lane, time in newest}
    return {
        (queue, lane): time if open_ else max(time, put.get((queue, lane), 0.0))
        for queue, lane, time, open_ in lanes
    }


def _call_all(functions: Iterable[Callable[[], None]]) -> None:
    for function in functions:
        function()


def _unusable(path: Path, error: sqlite3.Error) -> StorageError:
    return StorageError(
        f"{path} cannot be read ({reason(error)}): mend that, or move the file away; what still waits in it "
        "to be said is lost then"
    )
