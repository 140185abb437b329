"""`IStorage`: any pickleable value under a key and a version, kept over restarts in `state.sqlite`.

Everything is held in memory, pickled: `retrieve` never waits for the disk, and what it gives is a fresh copy.
Changes go to disk through one writer thread, many in one commit. While the file is locked or the disk full,
the operator is told, the writer tries again and again, and nothing is lost as long as the process lives: what
waits to be written is the values in memory themselves, the newest of each, so that it is bounded as they are.

A value of a plugin's own class cannot be read back once the plugin is reloaded and the class is another one:
store plain values.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import time
from collections.abc import Callable
from contextlib import suppress
from random import uniform
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from pynfo.interfaces import IOperator, IStorage, RetrievalError
from pynfo.services.state_database import StateDatabase, reason

if TYPE_CHECKING:
    from pynfo.factory import Factory

log = logging.getLogger(__name__)

VALUE_LIMIT = 16 << 20  # bytes of one pickle
TOTAL_LIMIT = 256 << 20  # bytes of all pickles, which are held in memory
REST = 0.2  # seconds between commits, so that many changes become one
RETRY_FIRST, RETRY_LONGEST = 0.5, 30.0  # seconds between attempts that fail
LAST_ATTEMPTS = 2.0  # seconds for the writer to write what is left when the bot stops
STOP_LIMIT = 3.5  # seconds for it to end: one attempt may wait for a lock beyond LAST_ATTEMPTS
PROTOCOL = 5  # of pickle; read by every Python that Pynfo runs on
MATTER = "storage"


@implementer(IStorage)
class Storage:
    """See `IStorage`; may be used from any thread. Raises `StorageError` where the file cannot be read."""

    def __init__(self, factory: Factory) -> None:
        self.path = factory.state_dir / "state.sqlite"
        self._factory = factory
        self._database = StateDatabase(self.path)
        self._values = self._database.load()
        self._size = sum(len(pickled) for versions in self._values.values() for pickled in versions.values())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer: Thread | None = None
        self._ended = asyncio.Event()
        # Below: guarded by `_changed`.
        self._changed = Condition()
        self._unsaved: set[str] = set()  # keys
        self._made = 0  # changes so far
        self._saved = 0  # how many of them are on disk
        self._flushes: list[tuple[int, asyncio.Future[None]]] = []  # `_made` when they were asked for
        self._hurry = False  # somebody waits for the disk
        self._expunge = False  # what was replaced is to leave the file
        self._end: float | None = None  # monotonic seconds by which the writer ends
        # Of the writer alone.
        self._failures = 0  # in a row

    # -- what plugins ask

    def store(self, key: str, version: str, value: object) -> None:
        if not isinstance(key, str) or not isinstance(version, str):
            raise TypeError(f"a key and its version are strings, not {key!r} and {version!r}")
        key.encode()  # a lone surrogate is refused here, since SQLite would refuse it for ever
        try:
            pickled = pickle.dumps(value, PROTOCOL)
        except Exception as error:
            raise TypeError(f"the value for {key!r} cannot be pickled: {error}") from error
        if len(pickled) > VALUE_LIMIT:
            raise ValueError(f"the value for {key!r} has {len(pickled)} bytes, {VALUE_LIMIT} are allowed")
        with self._changed:
            old = self._values.get(key, {}).get(version)
            if pickled == old:
                return
            size = self._size + len(pickled) - len(old or b"")
            if size > TOTAL_LIMIT:
                raise ValueError(f"no room for {key!r}: {TOTAL_LIMIT} bytes may be stored in all")
            self._note_change(key)
            self._values.setdefault(key, {})[version] = pickled
            self._size = size

    def retrieve(self, key: str, version: str) -> Any:
        pickled = self._values.get(key, {}).get(version)
        if pickled is None:
            raise RetrievalError(f"nothing is stored under {key!r}, version {version!r}")
        try:
            return pickle.loads(pickled)
        except Exception as error:
            raise RetrievalError(
                f"what is stored under {key!r}, version {version!r}, cannot be read any more, "
                f"as its class has changed or is gone: {error}"
            ) from error

    def remove(self, key: str, version: str) -> None:
        with self._changed:
            versions = self._values.get(key, {})
            if version not in versions:
                return
            self._note_change(key)
            self._size -= len(versions.pop(version))
            if not versions:
                del self._values[key]

    def versions(self, key: str) -> list[str]:
        return list(self._values.get(key, ()))

    async def flush(self, timeout: float = 5.0) -> bool:
        on_disk = asyncio.get_running_loop().create_future()
        with self._changed:
            if self._saved == self._made:
                return True
            flush = (self._made, on_disk)
            self._flushes.append(flush)
            self._hurry = True
            self._changed.notify()
        try:
            await asyncio.wait_for(on_disk, timeout)
        except TimeoutError:
            return False
        finally:
            with self._changed:
                self._flushes = [other for other in self._flushes if other is not flush]
        return True

    async def expunge(self, timeout: float = 5.0) -> bool:
        with self._changed:
            if self._end is not None:
                return False
            self._expunge = True
            self._made += 1
            self._changed.notify()
        return await self.flush(timeout)

    # -- its life

    async def start(self) -> None:
        """Begin to write to disk."""
        self._loop = asyncio.get_running_loop()
        self._writer = Thread(target=self._write, name="pynfo-storage", daemon=True)
        self._writer.start()

    async def stop(self) -> None:
        """Write what is left. Tells in the log what could not be written within a few seconds."""
        if self._writer is None:
            await self.start()
        with self._changed:
            self._end = time.monotonic() + LAST_ATTEMPTS
            self._hurry = True
            self._changed.notify()
        try:
            await asyncio.wait_for(self._ended.wait(), STOP_LIMIT)
        except TimeoutError:
            log.error("the writer of %s does not end", self.path)
        if self._unsaved:
            log.error("not written to %s, and lost: %s", self.path, ", ".join(sorted(self._unsaved)))

    def _note_change(self, key: str) -> None:
        if self._end is not None:
            raise RuntimeError(f"{key!r} cannot be changed any more: the bot has stopped")
        self._unsaved.add(key)
        self._made += 1
        if len(self._unsaved) == 1:  # it waits for the first change only
            self._changed.notify()

    # -- the writer

    def _write(self) -> None:
        while self._wait_for_changes():
            try:
                self._save()
            except Exception as error:  # noqa: BLE001 - whatever it was, what is in memory must be tried again
                self._failures += 1
                self._call(self._report, reason(error))
                self._rest(_backoff(self._failures))
            else:
                if self._failures:
                    self._failures = 0
                    self._call(self._settle)
                self._rest(REST)
        self._database.close()
        self._call(self._ended.set)

    def _wait_for_changes(self) -> bool:
        """Wait until there is something to write; False when it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._unsaved or self._expunge or self._end is not None)
            waiting = bool(self._unsaved) or self._expunge
            return waiting and (self._end is None or time.monotonic() < self._end)

    def _rest(self, seconds: float) -> None:
        with self._changed:
            if self._end is not None:
                seconds = min(seconds, REST)
            self._changed.wait_for(lambda: self._hurry, seconds)
            self._hurry = False

    def _save(self) -> None:
        with self._changed:
            keys, self._unsaved = self._unsaved, set()
            expunge, self._expunge = self._expunge, False
            made = self._made
            rows = {key: dict(self._values.get(key, ())) for key in keys}
        try:
            self._database.save(rows)
            if expunge:
                self._database.expunge()
        except BaseException:
            with self._changed:
                self._unsaved |= keys
                self._expunge |= expunge
            raise
        with self._changed:
            self._saved = made
            flushed = [flush for flush in self._flushes if flush[0] <= made]
        for _, future in flushed:
            self._call(_set, future)

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        """Have the event loop call a function."""
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop is closed: there is nobody left to tell
            self._loop.call_soon_threadsafe(function, *arguments)

    # -- on the loop again

    def _report(self, why: str) -> None:
        text = f"{self.path} cannot be written: {why}; trying again, nothing is lost while the bot runs"
        operator = IOperator(self._factory, None)
        if operator is not None:
            operator.tell(MATTER, text)
        else:
            log.error("%s", text)

    def _settle(self) -> None:
        operator = IOperator(self._factory, None)
        if operator is not None:
            operator.settled(MATTER)


def _backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row: twice as long each time, with jitter."""
    longest = min(RETRY_LONGEST, RETRY_FIRST * 2 ** min(failures - 1, 10))
    return uniform(longest / 2, longest)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
