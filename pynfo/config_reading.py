"""What the reading of every constructor in a config file has in common: arguments, checked and placed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from pynfo.config_places import Mistake, Place, Source
from pynfo.config_terms import Written
from pynfo.validation import Problem, convert_fields


class WrittenReader:
    """Reads constructors of one file; `mistakes` collects what is wrong with them.

    `base` is where relative paths start.
    """

    def __init__(self, source: Source, base: Path) -> None:
        self.mistakes: list[Mistake] = []
        self._source = source
        self._base = base

    def place(self, written: Written) -> Place:
        """Where a constructor was called."""
        if written.path == self._source.file:
            return self._source.call(written.line, written.column)
        return Place(written.path, written.line)

    def _values(
        self,
        written: Written,
        place: Place,
        struct: type[msgspec.Struct],
        positions: tuple[str, ...],
        kind: str,
    ) -> dict[str, Any]:
        """What was written, by name and converted; the arguments in `positions` may stand without a name."""
        term = type(written).__name__
        given = dict(zip(positions, written.arguments, strict=False))
        for name in sorted(given.keys() & written.keywords.keys()):
            self._tell(place, f"{name} is there twice: leave one out", name)
        if len(written.arguments) > len(positions):
            alone = " and ".join(positions)
            self._tell(place, f"{term} takes only {alone} without a keyword: write KEYWORD=… for the rest")
        values, problems = convert_fields({**given, **written.keywords}, struct, self._base, kind=kind)
        self._tell_all(place, problems)
        return values

    def _tell(self, place: Place, text: str, *keys: object) -> None:
        self.mistakes.append(place.part(*keys).mistake(text))

    def _tell_all(self, place: Place, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._tell(place, problem.text, *problem.keys)
