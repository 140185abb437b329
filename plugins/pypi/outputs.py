"""What is announced where: the list of outputs, as it is stored.

Version "1" was a plain list of pairs, a package's name and a place. Version "2" says more of each, and has
the firehoses too.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from plugins.pypi.index import canonical
from pynfo import IStorage, RetrievalError

log = logging.getLogger(__name__)

KEY = "pypi"
VERSION = "2"
PAIRS = "1"  # the version before

FIREHOSES = {"newest": "newest packages", "updates": "latest updates"}


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """`subject`, a package's canonical name or one of `FIREHOSES`, is announced at `place` (`network/#c`).

    `filters` are for firehoses only (`plugins.pypi.filters`).
    """

    subject: str
    place: str
    prereleases: bool = False
    filters: tuple[str, ...] = ()

    def __str__(self) -> str:
        name = FIREHOSES.get(self.subject, self.subject)
        notes = [*self.filters, *(["pre-releases too"] if self.prereleases else [])]
        return f"{name} ({', '.join(notes)})" if notes else name


def load(factory: Any, *, prereleases: bool = False) -> list[Output]:
    """The outputs that are stored, also by the version before: these get `prereleases`."""
    storage = IStorage(factory)
    try:
        return msgspec.convert(storage.retrieve(KEY, VERSION), list[Output])
    except RetrievalError:
        pass
    try:
        pairs = storage.retrieve(KEY, PAIRS)
    except RetrievalError:
        return []
    outputs = [output for pair in pairs if (output := _of_pair(pair, prereleases)) is not None]
    store(factory, outputs)
    storage.remove(KEY, PAIRS)
    return outputs


def store(factory: Any, outputs: list[Output]) -> None:
    """Keep them, as plain values."""
    IStorage(factory).store(KEY, VERSION, msgspec.to_builtins(outputs))


def _of_pair(pair: Any, prereleases: bool) -> Output | None:
    try:
        name, place = pair
        return Output(subject=canonical(name), place=str(place), prereleases=prereleases)
    except (TypeError, ValueError):
        log.error("pypi: an output of version %s is left out, as it cannot be read: %r", PAIRS, pair)
        return None
