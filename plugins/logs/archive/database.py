"""Opening an archive: its file, its schema, and what makes SQLite keep it safe.

`schema/` has a file for each version. An archive of an older one is upgraded when it is opened, in one
transaction; one of a newer Pynfo is refused.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pynfo import PluginError

SCHEMA = Path(__file__).parent / "schema"
APPLICATION = 0x50794C6F  # "PyLo": tells our files from others (`PRAGMA application_id`)
BUSY_LIMIT = 5.0  # seconds to wait for another writer
STATEMENTS = 1500  # kept prepared on a connection: some for each month's index
CACHE_KIB = 16384  # of pages, for each connection
KEY_BYTES = 32


class ArchiveError(PluginError):
    """The archive cannot be used. One sentence, which names the file."""


def open_archive(
    path: Path, *, read_only: bool = False, schema: Path = SCHEMA, busy_limit: float = BUSY_LIMIT
) -> sqlite3.Connection:
    """Open an archive, made where there is none. Raises `ArchiveError`.

    The connection may be used from one thread after another; transactions are for the caller to begin.
    `read_only`: nothing can be written over it, but an older schema is upgraded all the same.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # it is there, or cannot be made, which SQLite tells better
            path.touch(0o600, exist_ok=False)  # private logs are not for other users of the machine
        connection = sqlite3.connect(
            path,
            timeout=busy_limit,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS,
        )
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(f"{path} cannot be opened: {error}") from error
    try:
        _prepare(connection, path, schema)
        if read_only:
            connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        connection.close()
        raise ArchiveError(f"{path} is no archive that can be read: {error}") from error
    except ArchiveError:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written within it, or nothing. Only one connection at a time is in one."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def prepare(folder: Path) -> None:
    """Make what is not there yet, and upgrade what is old: what takes its time before the archive is opened.

    Raises `ArchiveError`.
    """
    load_key(folder)
    open_archive(folder / "archive.db").close()


def load_key(folder: Path) -> bytes:
    """The archive's secret, made on first use: it keys the hashes of people, and signs links.

    It stands beside the archive, not in it, so that a copy of the archive tells nobody's host. Raises
    `ArchiveError`.
    """
    path = folder / "key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            new = folder / f"key.{os.getpid()}"
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(new, path)  # whoever is first wins; a half-written key is never seen
            except FileExistsError:
                pass
            finally:
                new.unlink()
        key = path.read_bytes()
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read or written: {error.strerror}") from error
    if len(key) < KEY_BYTES:
        raise ArchiveError(f"{path} is no key: it has {len(key)} bytes instead of {KEY_BYTES}")
    return key


def _prepare(connection: sqlite3.Connection, path: Path, schema: Path) -> None:
    connection.execute("PRAGMA secure_delete = ON")  # what is forgotten leaves no trace in free pages
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    files = sorted(schema.glob("[0-9]*.sql"))
    version = _version(connection)
    if version > len(files):
        raise ArchiveError(
            f"{path} was written by a newer Pynfo (schema {version}, this one knows {len(files)}): "
            "use that one, or an older copy of the archive"
        )
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk
    if version < len(files):
        _upgrade(connection, path, files)


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _upgrade(connection: sqlite3.Connection, path: Path, files: list[Path]) -> None:
    with transaction(connection):
        version = _version(connection)  # another process may have been quicker
        if version == 0 and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            raise ArchiveError(f"{path} is no archive: it is another program's database")
        for file in files[version:]:
            for statement in _statements(file.read_text()):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(files)}")


def _statements(script: str) -> Iterator[str]:
    """The statements of a file, one by one: `executescript` would end the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
