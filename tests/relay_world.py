"""Channels joined by wires of ours and by other people's relays, in virtual time, to try loops in."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from plugins.relay.loops import LoopDetector

JOINER = "\u2060"
FAR = 4 * 3600.0  # seconds after which a world is at its end
LINES_LIMIT = 300  # lines: a loop that nobody stops
LINE = 400  # bytes of text that fit a line

Line = tuple[str, str, str]  # place, nick, text


class World:
    def __init__(self) -> None:
        self.now = 0.0
        self.limit = LINES_LIMIT
        self.lines: list[tuple[float, Line]] = []  # all that anybody could read
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self.listeners: list[Callable[[str, str, str], None]] = []

    def call_later(self, delay: float, function: Callable[[], None]) -> Timer:
        timer = Timer(function)
        heapq.heappush(self._agenda, (self.now + delay, next(self._numbers), timer))
        return timer

    def say(self, place: str, nick: str, text: str, *, at: float = 0.0) -> None:
        """`at`: seconds from now."""
        self.call_later(at, lambda: self._said(place, nick, text))

    def _said(self, place: str, nick: str, text: str) -> None:
        self.lines.append((self.now, (place, nick, text)))
        for listener in self.listeners:
            listener(place, nick, text)

    def run(self) -> None:
        while self._agenda:
            time, _, function = heapq.heappop(self._agenda)
            if time > FAR or len(self.lines) > self.limit:
                break
            self.now = time
            function()


class Timer:
    def __init__(self, function: Callable[[], None]) -> None:
        self.function: Callable[[], None] | None = function

    def __call__(self) -> None:
        if self.function is not None:
            self.function()

    def cancel(self) -> None:
        self.function = None


class Wire:
    """Ours. `carried` are the messages that were carried, with their times; `pauses` when it was paused."""

    def __init__(
        self, world: World, *places: str, relaymsg: bool = False, delay: float = 0.1, me: str = "pynfo"
    ) -> None:
        self.world, self.places, self.relaymsg, self.delay, self.me = world, places, relaymsg, delay, me
        self.carried: list[tuple[float, Line]] = []
        self.held: list[Line] = []
        self.dropped: list[Line] = []
        self.pauses: list[tuple[float, float]] = []
        self.waited = 0.0  # the longest that anything was held back
        self._since: dict[int, float] = {}
        self._paused_until = 0.0
        self.own: set[Line] = set()
        self.detector = LoopDetector[Line](self._release, self._drop, self._pause, world.call_later)
        world.listeners.append(self._heard)

    def _heard(self, place: str, nick: str, text: str) -> None:
        line = (place, nick, text)
        if place not in self.places or line in self.own:
            return
        verdict = self.detector.heard(line, place, nick, text, self.world.now)
        if verdict == "carry":
            self._carry(line)
        elif verdict == "hold":
            self._since[id(line)] = self.world.now
            self.held.append(line)
        else:
            self.dropped.append(line)

    def _release(self, line: Line) -> None:
        self.waited = max(self.waited, self.world.now - self._since.pop(id(line)))
        self.held.remove(line)
        self._carry(line)

    def _drop(self, line: Line) -> None:
        self.held.remove(line)
        self.dropped.append(line)

    def _pause(self, seconds: float, place: str, nick: str) -> None:
        self.pauses.append((self.world.now, seconds))
        self._paused_until = self.world.now + seconds

    def _carry(self, line: Line) -> None:
        self.carried.append((self.world.now, line))
        start = max(self.world.now, self._paused_until) + self.delay - self.world.now
        for place in self.places:
            if place != line[0]:
                self.world.call_later(start, lambda place=place: self._write(place, line))

    def _write(self, place: str, line: Line) -> None:
        source, nick, text = line
        self.detector.said(text, self.world.now)
        network = source.partition("/")[0]
        if self.relaymsg:
            nick, head = f"{nick.replace('/', '_')}/{network}", ""
        else:
            nick, head = self.me, f"<{nick[:1]}{JOINER}{nick[1:]}@{network}> "
        for at in range(0, len(text), LINE):
            copy = (place, nick, head + text[at : at + LINE])
            self.own.add(copy)
            self.world.say(*copy)


def foreign(
    world: World,
    hears: str,
    speaks: str,
    bring: Callable[[str, str], tuple[str, str]],
    delay: Callable[[], float],
    own: set[Line] | None = None,
) -> None:
    """Somebody else's relay: `bring(nick, text)` is the nick and the text that it says on the other side.

    Of one that works in both directions `own` is what it said itself.
    """
    own = set() if own is None else own

    def heard(place: str, nick: str, text: str) -> None:
        if place == hears and (place, nick, text) not in own:
            line = (speaks, *bring(nick, text))
            own.add(line)
            world.say(*line, at=delay())

    world.listeners.append(heard)
