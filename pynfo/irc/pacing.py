"""What leaves the connection, when, and in which order. Sans-IO: time is handed in.

One token bucket covers every command of a connection. What waits is ordered by `Priority`, and within a
priority every target has its turn, so that a long answer in one channel does not hold up another. Lines
outlive the connection: what could not be sent is kept until it is too old.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from enum import IntEnum

from pynfo.irc.message import Message

QUEUE_LIMIT = 1000  # lines that wait in one connection
WHOLE = 1 - 1e-9  # a token, but for what rounding takes from it
TARGET_LIMIT = 500  # lines that wait for one target: nobody fills the queue alone


class QueueFull(Exception):
    """No room for another line. The message is one sentence for whoever wanted to send it."""


class Priority(IntEnum):
    """Lower goes first."""

    URGENT = 0  # PONG, QUIT
    CONTROL = 1  # JOIN, NICK, MODE: what keeps us where we should be
    ANSWER = 2  # answers to people
    BULK = 3  # announcements, look-ups


class Outgoing:
    """One line on its way, and whom to tell what became of it. `expires` is monotonic time in seconds."""

    __slots__ = ("expires", "message", "priority", "target")

    def __init__(
        self,
        message: Message,
        priority: Priority = Priority.CONTROL,
        target: str = "",
        expires: float = float("inf"),
    ) -> None:
        self.message = message
        self.priority = priority
        self.target = target  # folded name of the channel or nick; "" for the server
        self.expires = expires

    def written(self, *, echoes: bool) -> None:
        """It was given to the connection. Where the network does not echo such a line, that is all there is
        to know of it."""
        if not echoes:
            self.confirmed(None)

    def confirmed(self, msgid: str | None) -> None:
        """The network has it: echoed with `msgid`, or written where the network does not echo."""

    def failed(self, reason: str) -> None:
        """It was given up. `reason` is one sentence."""


class TokenBucket:
    """`burst` lines at once, then `rate` lines a second."""

    def __init__(self, rate: float, burst: int) -> None:
        self.rate = rate
        self.burst = max(1, burst)
        self._tokens = float(self.burst)
        self._filled = 0.0

    def refill(self, now: float) -> None:
        """Full again: servers forgive what was sent before registration was complete."""
        self._tokens = float(self.burst)
        self._filled = now

    def take(self, now: float) -> bool:
        """Take a token, if there is one."""
        self._tokens = min(float(self.burst), self._tokens + (now - self._filled) * self.rate)
        self._filled = now
        if self._tokens < WHOLE:
            return False
        self._tokens -= 1
        return True

    def wait(self, now: float) -> float:
        """Seconds until `take` succeeds."""
        tokens = self._tokens + (now - self._filled) * self.rate
        return 0.0 if tokens >= WHOLE else (1 - tokens) / self.rate


class SendQueue:
    """The lines that wait, of all priorities and targets. Bounded: `put` raises `QueueFull`."""

    def __init__(self, limit: int = QUEUE_LIMIT, target_limit: int = TARGET_LIMIT) -> None:
        self.limit = limit
        self.target_limit = target_limit
        self._waiting: dict[Priority, OrderedDict[str, deque[Outgoing]]] = {
            priority: OrderedDict() for priority in Priority
        }
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Outgoing]:
        for targets in self._waiting.values():
            for lines in targets.values():
                yield from lines

    def put(self, line: Outgoing) -> None:
        """Add a line. Raises `QueueFull`.

        What keeps us connected and in our channels finds room however much else waits: up to the bound for
        one target, which is the server.
        """
        lines = self._waiting[line.priority].get(line.target)
        if line.priority >= Priority.ANSWER and self._count >= self.limit:
            raise QueueFull(f"{self._count} lines are waiting to be sent, which is the limit")
        if lines and len(lines) >= self.target_limit:
            target = line.target or "the server"
            raise QueueFull(f"{len(lines)} lines are waiting for {target}, which is the limit")
        if lines is None:
            lines = self._waiting[line.priority][line.target] = deque()
        lines.append(line)
        self._count += 1

    def take(self, sendable: Callable[[str], bool] = lambda target: True) -> Outgoing | None:
        """The next line to a target that `sendable` lets through; None where all must wait."""
        for targets in self._waiting.values():
            for target, lines in targets.items():
                if target and not sendable(target):
                    continue
                line = lines.popleft()
                self._count -= 1
                if lines:
                    targets.move_to_end(target)
                else:
                    del targets[target]
                return line
        return None

    def discard(self, unwanted: Callable[[Outgoing], bool]) -> list[Outgoing]:
        """Take out every line that is `unwanted`, and give them back."""
        gone: list[Outgoing] = []
        for targets in self._waiting.values():
            for target in list(targets):
                lines = targets[target]
                out = [line for line in lines if unwanted(line)]
                if not out:
                    continue
                gone += out
                kept = deque(line for line in lines if not unwanted(line))
                if kept:
                    targets[target] = kept
                else:
                    del targets[target]
        self._count -= len(gone)
        return gone

    def expire(self, now: float) -> list[Outgoing]:
        """Take out the lines that have become too old."""
        return self.discard(lambda line: line.expires <= now)

    def next_expiry(self) -> float | None:
        """When the first waiting line becomes too old (monotonic seconds)."""
        first = min((line.expires for line in self), default=float("inf"))
        return None if first == float("inf") else first
