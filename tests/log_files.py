"""Log files of other programs: written, read with the importer, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from plugins.logs.exports import as_text
from plugins.logs.imports.importing import Choices, Importer, Outcome
from plugins.logs.line import Line
from plugins.logs.settings import ChannelSettings, Settings

LOGS = Path(__file__).parent / "logs"
NOW = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
HERE = {"network": "libera", "channel": "#pynfo"}
PYNFO = Settings(channels={"libera/#pynfo": ChannelSettings()})


def read(path: Path, *, settings: Settings = PYNFO, **choices: Any) -> tuple[list[str], Outcome]:
    """The lines of a file as text, and what is told of it. Its times are UTC if nothing else is said."""
    batches, outcome = read_batches(path, settings=settings, **choices)
    return [as_text(line) for batch in batches for line in batch], outcome


def read_batches(
    path: Path, *, settings: Settings = PYNFO, zone: tzinfo | None = UTC, **choices: Any
) -> tuple[list[list[Line]], Outcome]:
    batches: list[list[Line]] = []

    def add(lines: Sequence[Line]) -> int:
        batches.append(list(lines))
        return len(lines)

    importer = Importer(settings, Choices(zone=zone, **choices), add, clock=lambda: NOW)
    return batches, importer.read(path)


def write(path: Path, *lines: str | bytes) -> Path:
    path.write_bytes(b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines))
    return path
