"""The lock on the state directory: one bot at a time keeps its state there.

The lock is the kernel's (`flock`), so it goes with the process, however that ends. The file `lock` stays, and
tells who has the lock: the process id, one line.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path


class StateLocked(Exception):
    """The state directory cannot be used. The message is one sentence for the operator."""


class StateLock:
    """The lock of one state directory; `acquire` makes the directory where it is missing."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock, at once. Raises `StateLocked`."""
        if self._file is not None:
            return
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            file = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StateLocked(
                f"the state directory {self.directory} cannot be used ({error.strerror}): make it writable, "
                f"or set another state_dir in the config"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(file, 20, 0).decode(errors="replace").strip()
            os.close(file)
            if not isinstance(error, BlockingIOError):
                raise StateLocked(
                    f"the state directory {self.directory} cannot be locked ({error.strerror}): set a "
                    f"state_dir on a local disk"
                ) from error
            raise StateLocked(
                f"another Pynfo (process {holder or 'unknown'}) uses the state directory {self.directory}: "
                f"stop it, or set another state_dir in the config"
            ) from error
        self._file = file
        with suppress(OSError):  # a full disk: the lock holds all the same
            os.ftruncate(file, 0)
            os.pwrite(file, b"%d\n" % os.getpid(), 0)

    def release(self) -> None:
        """Give the lock back; nothing happens where it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
