"""Log files as lines of text: walked, opened, cut and decoded, with memory bounded whatever is in them."""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

LINE_LIMIT = 65536  # bytes; what is longer is cut
SAMPLE = 200  # lines that a format is recognised by

_NUMBERS = re.compile(r"([0-9]+)")


class BrokenFile(Exception):
    """A file cannot be read, or no further. One sentence, without its name."""


def walk(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """The files, and all files within the folders, older days first; and whether each was named itself."""
    for path in paths:
        if not path.is_dir():
            yield path, True
            continue
        for folder, folders, names in os.walk(path):
            folders.sort(key=_natural)
            for name in sorted(names, key=_natural):
                yield Path(folder, name), False


class Source:
    """The lines of one file, without what ends them. `number`: of the line that was given last."""

    def __init__(self, path: Path) -> None:
        self.number = 0
        try:
            self._raw = path.open("rb")
            self.size = os.fstat(self._raw.fileno()).st_size
            packed = self._raw.read(2) == b"\x1f\x8b"
            self._raw.seek(0)
        except OSError as error:
            raise BrokenFile(f"cannot be read: {error.strerror}") from error
        self._file = cast(BinaryIO, gzip.GzipFile(fileobj=self._raw)) if packed else self._raw

    @property
    def position(self) -> int:
        """How many of its bytes, packed or not, were read."""
        return self._raw.tell()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()
        self._raw.close()

    def __iter__(self) -> Iterator[str]:
        """Raises `BrokenFile` where it cannot be read further."""
        readline = self._file.readline
        try:
            while line := readline(LINE_LIMIT + 1):
                self.number += 1
                if len(line) > LINE_LIMIT and not line.endswith(b"\n"):
                    while (more := readline(LINE_LIMIT)) and not more.endswith(b"\n"):
                        pass
                    line = line[:LINE_LIMIT].decode(errors="ignore").encode()
                yield _text(line.rstrip(b"\r\n"), first=self.number == 1)
        except (OSError, EOFError, zlib.error) as error:
            raise BrokenFile(f"cannot be read after line {self.number}: {error}") from error


def sample(path: Path) -> list[str]:
    """The first lines of a file that are not empty. Raises `BrokenFile` where it has none."""
    lines: list[str] = []
    with Source(path) as source:
        try:
            lines.extend(islice((line for line in source if line.strip()), SAMPLE))
        except BrokenFile:
            if not lines:
                raise
    if not lines:
        raise BrokenFile("is empty")
    return lines


def _text(line: bytes, *, first: bool) -> str:
    """UTF-8; where it is none, what old clients on Windows wrote."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        try:
            text = line.decode("cp1252")
        except UnicodeDecodeError:
            text = line.decode("latin-1")
    if first:
        text = text.removeprefix("\ufeff")
    return text.replace("\0", "\ufffd") if "\0" in text else text


def _natural(name: str) -> list[str | int]:
    """`#b.9.log` before `#b.10.log`."""
    return [int(part) if part.isdecimal() else part for part in _NUMBERS.split(name)]
