"""The file of kept answers: `http-cache.sqlite`, of a bounded size. Used on one thread.

It holds nothing that cannot be asked for again: a file that is damaged is begun anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

TOTAL_BYTES = 64 << 20  # of answers
ENTRIES = 5000
LOCK_WAIT = 1.0  # seconds that SQLite waits for a lock
PRUNED_EVERY = 100  # answers that are kept between two looks for what is too old

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answer (
    key BLOB PRIMARY KEY,
    head BLOB NOT NULL,
    content BLOB NOT NULL,
    size INTEGER NOT NULL,
    used REAL NOT NULL,
    expires REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS answer_by_use ON answer (used, size);
"""

_Head = tuple[str, int, dict[str, str], float]
T = TypeVar("T")


class Kept(msgspec.Struct, frozen=True):
    """An answer. `time` is when it was last so, in UTC epoch seconds."""

    url: str  # where it came from; "" in the file: where it was asked for
    status: int
    headers: dict[str, str]  # by lower-case name
    content: bytes
    time: float


class CacheStore:
    """Opened when it is first used. Everything may raise `sqlite3.Error` and `OSError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._until_pruned = 0

    def find(self, key: bytes, now: float) -> Kept | None:
        def select(connection: sqlite3.Connection) -> Kept | None:
            row = connection.execute(
                "SELECT head, content FROM answer WHERE key = ? AND expires > ?", (key, now)
            ).fetchone()
            if row is None:
                return None
            with connection:
                connection.execute("UPDATE answer SET used = ? WHERE key = ?", (now, key))
            url, status, headers, time = msgspec.msgpack.decode(row[0], type=_Head)
            return Kept(url, status, headers, row[1], time)

        return self._do(select)

    def keep(self, key: bytes, kept: Kept, keep_for: float) -> None:
        """Keep it for `keep_for` seconds after it was last so; what was asked for longest ago makes room."""
        head = _head(kept)

        def replace(connection: sqlite3.Connection) -> None:
            with connection:
                connection.execute(
                    "INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?)",
                    (key, head, kept.content, len(head) + len(kept.content), kept.time, kept.time + keep_for),
                )
                self._make_room(connection, kept.time)

        self._do(replace)

    def renew(self, key: bytes, kept: Kept, keep_for: float) -> None:
        """Like `keep`, where the content is what is kept already."""

        def update(connection: sqlite3.Connection) -> None:
            with connection:
                connection.execute(
                    "UPDATE answer SET head = ?, used = ?, expires = ? WHERE key = ?",
                    (_head(kept), kept.time, kept.time + keep_for, key),
                )

        self._do(update)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _make_room(self, connection: sqlite3.Connection, now: float) -> None:
        self._until_pruned -= 1
        if self._until_pruned < 0:
            self._until_pruned = PRUNED_EVERY
            connection.execute("DELETE FROM answer WHERE expires <= ?", (now,))
        count, size = connection.execute("SELECT count(*), total(size) FROM answer").fetchone()
        while count > ENTRIES or size > TOTAL_BYTES:
            key, freed = connection.execute("SELECT key, size FROM answer ORDER BY used LIMIT 1").fetchone()
            connection.execute("DELETE FROM answer WHERE key = ?", (key,))
            count, size = count - 1, size - freed

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._opened())
        except sqlite3.OperationalError:
            raise
        except (sqlite3.DatabaseError, msgspec.MsgspecError):  # damaged, or of another time
            self._begin_anew()
            return work(self._opened())

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            with suppress(FileExistsError):
                self.path.touch(0o600, exist_ok=False)  # not for other users of the machine
            connection = sqlite3.connect(self.path, timeout=LOCK_WAIT, check_same_thread=False)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")  # what is lost is asked for again
                connection.execute("PRAGMA secure_delete = ON")
                connection.executescript(_SCHEMA)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _begin_anew(self) -> None:
        self.close()
        for beside in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + beside).unlink(missing_ok=True)


def _head(kept: Kept) -> bytes:
    head: _Head = (kept.url, kept.status, kept.headers, kept.time)
    return msgspec.msgpack.encode(head)
