"""The file behind `IStorage`: a `SqliteDict` that maps a key to its versions, `{version: pickle}`.

sqlitedict's own connection lives on a thread that ends for good when a commit fails, so that whoever asks it
next waits for ever; it tells of a failed statement only at the next one; and it sets `synchronous=OFF`.
`_Connection` stands in its place: it has the methods that `SqliteDict` calls, and does what it is asked at
once, on the caller's thread, so that an error arrives where it belongs. Only the writer of `Storage` uses it.

What is committed survives `kill -9` and a power cut: write-ahead log, synced at each commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlitedict import SqliteDict

LOCK_WAIT = 1.0  # seconds that SQLite waits for a lock before it gives up

Versions = dict[str, bytes]  # version -> pickle, in the order they were first stored

_REASONS = {
    sqlite3.SQLITE_BUSY: "another program has locked it",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it is not writable",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_PERM: "it cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk has failed, or a limit on the size of files was met",
}


class StorageError(Exception):
    """What is stored cannot be read at start. The message is for the operator and says what to do."""


class _Connection:
    """What `SqliteDict` asks of `sqlitedict.SqliteMultithread`, without the thread."""

    autocommit = False

    def __init__(self, path: str) -> None:
        with suppress(OSError):  # it is there, or cannot be made, which SQLite tells better
            Path(path).touch(0o600, exist_ok=False)  # not for other users of the machine
        self._connection = sqlite3.connect(path, timeout=LOCK_WAIT, check_same_thread=False)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error:
            self._connection.close()
            raise

    def execute(self, statement: str, values: Iterable[Any] = ()) -> None:
        self._connection.execute(statement, tuple(values))

    def select(self, statement: str, values: Iterable[Any] = ()) -> Iterator[Any]:
        return self._connection.execute(statement, tuple(values))

    def select_one(self, statement: str, values: Iterable[Any] = ()) -> Any:
        return self._connection.execute(statement, tuple(values)).fetchone()

    def commit(self, blocking: bool = True) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()

    def close(self, force: bool = False) -> None:
        self._connection.close()


class StateDatabase(SqliteDict):  # type: ignore[misc]
    """The file, open. Opening it raises `StorageError`."""

    def __init__(self, path: Path) -> None:
        try:
            super().__init__(str(path), tablename="state")
        except (sqlite3.Error, RuntimeError) as error:  # RuntimeError: the directory is missing
            raise _unusable(path, error) from error

    def _new_conn(self) -> _Connection:
        return _Connection(self.filename)

    def load(self) -> dict[str, Versions]:
        """Everything in the file. Raises `StorageError` where it is damaged."""
        try:
            found = self.conn.select_one("PRAGMA quick_check(1)")[0]
            if found != "ok":
                raise sqlite3.DatabaseError(found)
            return dict(self.iteritems())
        except Exception as error:  # a damaged pickle may raise anything
            self.close()
            raise _unusable(Path(self.filename), error) from error

    def save(self, rows: Mapping[str, Versions]) -> None:
        """Write the rows, all or none; a key without versions is removed. Raises `sqlite3.Error`."""
        try:
            for key, versions in rows.items():
                if versions:
                    self[key] = versions
                else:
                    self.pop(key, None)
            self.commit()
        except BaseException:
            self.conn.rollback()
            raise

    def expunge(self) -> None:
        """Leave nothing of what was replaced or removed in the file, or beside it. Raises `sqlite3.Error`.

        SQLite keeps it in free pages, and in the write-ahead log, until it needs the room.
        """
        self.conn.execute("VACUUM")
        busy = self.conn.select_one("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        if busy:
            raise sqlite3.OperationalError("another program is reading it")


def reason(error: BaseException) -> str:
    """Why SQLite refused, in words for the operator."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the class of the error
    words = _REASONS.get(code)
    return f"{words} ({error})" if words else str(error) or type(error).__name__


def _unusable(path: Path, error: BaseException) -> StorageError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_BUSY:
        return StorageError(f"{path} is locked by another program: close that, and start again")
    if code in _REASONS or isinstance(error, RuntimeError):
        return StorageError(f"{path} cannot be used: {reason(error)}; when that is mended, start again")
    return StorageError(
        f"{path} is damaged ({error}): put a backup in its place, or save what can be saved with "
        f"`sqlite3 {path} .recover`, or move it away and start with nothing stored"
    )
