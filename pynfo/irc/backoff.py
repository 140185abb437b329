"""When to connect again. Sans-IO: time and randomness are handed in.

Exponential backoff with full jitter: the wait before try n is drawn from 0 to `FIRST` x 2^n seconds, at most
`CAP`. It starts over only after a registration has held for `HELD`. Whatever the draws, at most
`WINDOW_CONNECTIONS` connections are opened in any `WINDOW` seconds: servers ban those who hammer.
"""

from __future__ import annotations

import random
from collections import deque

FIRST = 5.0
CAP = 300.0
HELD = 60.0
WINDOW = 90.0
WINDOW_CONNECTIONS = 6
UNWELCOME = 60.0  # the least wait after a server said that we are banned or too fast


class Backoff:
    """The history of one network's connections, and the next wait."""

    def __init__(self, source: random.Random) -> None:
        self._random = source
        self._failures = 0
        self._opened: deque[float] = deque(maxlen=WINDOW_CONNECTIONS)

    def opened(self, now: float) -> None:
        """A connection is being opened."""
        self._opened.append(now)

    def closed(self, held: float) -> None:
        """It is gone, after its registration held for `held` seconds (0: never registered)."""
        self._failures = 0 if held >= HELD else self._failures + 1

    def delay(self, now: float, *, unwelcome: bool = False) -> float:
        """Seconds to wait before the next connection."""
        longest = min(CAP, FIRST * 2 ** min(max(self._failures - 1, 0), 10))
        wait = self._random.uniform(0, longest)
        if unwelcome:
            wait = UNWELCOME + self._random.uniform(0, max(longest, UNWELCOME))
        return max(wait, self.allowed(now))

    def allowed(self, now: float) -> float:
        """Seconds until the window has room for another connection."""
        if len(self._opened) < WINDOW_CONNECTIONS:
            return 0.0
        return max(0.0, self._opened[0] + WINDOW - now)
