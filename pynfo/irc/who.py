"""Who is who in the channels we join: one WHOX after another, so that big joins stay slow and small. Sans-IO.

Source: IRCv3 "WHOX". It fills in accounts and hosts that JOIN and NAMES do not tell.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from pynfo.irc.state import State

LIMIT = 30.0  # seconds for one WHO to be answered before the next one goes out
REFUSALS_LIMIT = 50  # on one connection; past it a channel that is refused is not asked about again


class AccountLookup:
    """Asks about each channel once; `ask(channel)` sends the WHO."""

    def __init__(self, ask: Callable[[str], None]) -> None:
        self._ask = ask
        self._waiting: deque[str] = deque()
        self._next_by: float | None = None
        self._asked: str | None = None
        self._refusals = 0

    def add(self, channel: str, state: State, now: float) -> None:
        """The members of `channel` are to be looked up."""
        if channel not in self._waiting:
            self._waiting.append(channel)
        if self._next_by is None:
            self.go_on(state, now)

    def go_on(self, state: State, now: float) -> None:
        """The WHO before is answered, or late: send the next."""
        self._next_by = None
        while self._waiting:
            channel = self._waiting.popleft()
            if state.channel(channel) is not None:
                self._next_by = now + LIMIT
                self._asked = channel
                self._ask(channel)
                return

    def refused(self, now: float) -> None:
        """The network answers no WHO just now: ask about the same channel when this one is late."""
        if self._asked is not None and self._refusals < REFUSALS_LIMIT:
            self._refusals += 1
            self._waiting.appendleft(self._asked)
            self._asked = None
            self._next_by = now + LIMIT

    def deadline(self) -> float | None:
        """When to `go_on` at the latest (monotonic seconds)."""
        return self._next_by
