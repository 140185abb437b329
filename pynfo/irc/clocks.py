"""What time it is on a network, and what time an event gets. Sans-IO: the clock is handed in.

Events have the time of the server that they came through, also when they come a second time, from its
history. A server's clock that is wrong by more than `WRONG` is corrected by what it is ahead of ours, and no
event is later than now.
"""

from __future__ import annotations

from collections.abc import Callable

from pynfo.irc.events import Event

WRONG = 300.0  # seconds between a server's clock and ours, past which ours is right


class Clocks:
    """`clock` gives UTC epoch seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ahead: dict[str, float] = {}  # by network: seconds that its clock is before ours
        self._wrong: set[str] = set()

    def connected(self, network: str) -> None:
        """A connection begins: of its server's clock nothing is known yet."""
        self._ahead.pop(network, None)
        self._wrong.discard(network)

    def compare(self, event: Event) -> None:
        """`event` has just come: take its network's clock from it, where it tells the time.

        What comes late makes the clock look slow: of all that is compared on a connection the best counts.
        """
        if event.message is None or "time" not in event.message.tags:
            return
        ahead = event.time - self._clock()
        ahead = self._ahead[event.network] = max(ahead, self._ahead.get(event.network, ahead))
        (self._wrong.add if abs(ahead) > WRONG else self._wrong.discard)(event.network)

    def now(self, network: str) -> float:
        """The time that a line said now would have."""
        return self._clock() + (0.0 if network in self._wrong else self._ahead.get(network, 0.0))

    def time_of(self, event: Event) -> float:
        """The time that an event has: never later than now, by more than clocks may differ."""
        when, now = self.told(event), self._clock()
        return now if when > now + WRONG else when

    def told(self, event: Event) -> float:
        """When the server says that it was, where its clock is wrong in our time."""
        when = event.time
        if event.network in self._wrong and event.message is not None and "time" in event.message.tags:
            when -= self._ahead[event.network]
        return when

    def stamp(self, network: str, when: float) -> float:
        """What the server calls a time of ours."""
        return when + self._ahead[network] if network in self._wrong else when
