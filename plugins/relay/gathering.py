"""Things that come one after the other and are dealt with together, some seconds after the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

LIMIT = 10_000  # things that wait; as many as this wait no longer

CallLater = Callable[[float, Callable[[], None]], Any]  # seconds and what to call; gives what has `cancel()`


class Gathering(Generic[T]):
    """`hand_on(things, time)`: `time` is when it was over: the first one's and `seconds` more, or the last
    one's where it was cut short."""

    def __init__(
        self, seconds: float, hand_on: Callable[[list[T], float], None], call_later: CallLater
    ) -> None:
        self._seconds = seconds
        self._hand_on = hand_on
        self._call_later = call_later
        self._things: list[T] = []
        self._first = self._last = 0.0
        self._timer: Any = None

    def __bool__(self) -> bool:
        return bool(self._things)

    def add(self, thing: T, time: float) -> None:
        if not self._things:
            self._first = time
            self._timer = self._call_later(self._seconds, self._over)
        self._things.append(thing)
        self._last = time
        if len(self._things) >= LIMIT:
            self.close()

    def close(self) -> None:
        """Wait no longer."""
        if self._things:
            self._timer.cancel()
            self._give(self._last)

    def _over(self) -> None:
        self._give(self._first + self._seconds)

    def _give(self, time: float) -> None:
        things, self._things, self._timer = self._things, [], None
        self._hand_on(things, time)
