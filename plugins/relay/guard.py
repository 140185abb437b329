"""What keeps a wire from saying something: an operator's word, and loops with other people's relays.

Nothing of what people say is lost by it: it waits in the queue.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec

from plugins.relay.ends import End, Ends
from plugins.relay.loops import LoopDetector
from plugins.relay.utterance import Utterance
from pynfo import IOperator, IStorage, RetrievalError
from pynfo.human_time import duration

log = logging.getLogger(__name__)

KEY, VERSION = "relay/paused", "1"
PAUSED, LOOP, SUSPECT = "paused", "loop", "suspect"  # why a lane is held


class Held(msgspec.Struct, frozen=True):
    """A message that a detector holds back."""

    key: str
    lane: str


class Guard:
    """Of all wires."""

    def __init__(self, factory: Any, ends: Ends, queue: Any, tell: Callable[[str, str], None]) -> None:
        """`tell(place, text)` says a word of the relay's own there."""
        self._factory = factory
        self._ends = ends
        self._queue = queue
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._lanes: dict[str, list[str]] = {}
        for end in ends.all:
            self._lanes.setdefault(end.wire.name, []).append(end.lane)
        self._detectors = {wire: self._detector(wire) for wire in self._lanes}
        self._looping: dict[str, asyncio.TimerHandle] = {}  # by wire: when it goes on
        try:
            paused: dict[str, str] = IStorage(factory).retrieve(KEY, VERSION)
        except RetrievalError:
            paused = {}
        self.paused = {wire: by for wire, by in paused.items() if wire in self._lanes}  # and who said so
        for wire in self.paused:
            self._hold(wire, PAUSED)

    def close(self) -> None:
        for detector in self._detectors.values():
            detector.close()
        for timer in self._looping.values():
            timer.cancel()

    # -- by word of an operator

    def pause(self, wire: str, by: str) -> None:
        """Say nothing of a wire until `resume`, over restarts too."""
        self.paused[wire] = by
        self._hold(wire, PAUSED)
        self._store()

    def resume(self, wire: str) -> bool:
        """Let it go on, whatever it was paused for; False where it was not paused."""
        was_paused = self.paused.pop(wire, None) is not None
        self._release(wire, PAUSED)
        self._store()
        return self._go_on(wire) or was_paused

    def tell_all(self, wire: str, text: str, *, but: str | None = None) -> None:
        """Say a word of the relay's own at each end of a wire that hears, `but` for one place."""
        for end in self._ends.all:
            if end.wire.name == wire and end.port.receives and end.port.place != but:
                self._tell(end.port.place, text)

    def state(self, wire: str) -> str:
        """Why a wire is paused, for people; "" where it is not."""
        if wire in self.paused:
            return f"paused by {self.paused[wire]}"
        timer = self._looping.get(wire)
        if timer is not None:
            return f"paused for a loop, goes on in {duration(max(timer.when() - self._loop.time(), 1.0))}"
        return ""

    # -- against loops

    def lane(self, end: End, key: str, utterance: Utterance) -> str | None:
        """The lane that a message is to wait in; None: it is not to be carried."""
        held = Held(key, f"{end.lane}\n{key}")
        detector = self._detectors[end.wire.name]
        place, nick, text = utterance.place, utterance.nick, utterance.text
        verdict = detector.heard(held, place, nick, text, self._loop.time())
        if verdict == "drop":
            log.info("%s: a line of a loop is left out", place)
            return None
        if verdict == "carry" or end.lane in self._queue.held:  # where it waits anyhow
            return end.lane
        self._queue.hold(held.lane, SUSPECT)
        return held.lane

    def said(self, utterance: Utterance) -> None:
        """A copy of it is being said."""
        detector = self._detectors.get(utterance.wire)
        if detector is not None and utterance.text:
            detector.said(utterance.text, self._loop.time())

    def _detector(self, wire: str) -> LoopDetector[Held]:
        return LoopDetector(
            self._let_go,
            self._drop,
            lambda seconds, place, nick: self._loop_found(wire, seconds, place, nick),
            self._loop.call_later,
        )

    def _let_go(self, held: Held) -> None:
        self._queue.release(held.lane, SUSPECT)

    def _drop(self, held: Held) -> None:
        self._queue.withdraw(lambda item: item.key == held.key)
        self._queue.release(held.lane, SUSPECT)

    def _loop_found(self, wire: str, seconds: float, place: str, nick: str) -> None:
        self._go_on(wire)
        self._hold(wire, LOOP)
        self._looping[wire] = self._loop.call_later(seconds, self._go_on, wire)
        text = (
            f"the relay {wire!r} is paused for {duration(seconds)}: {nick} in {place} says again and again "
            "what the relay says: is that another relay between the same channels?"
        )
        operator: Any = IOperator(self._factory)
        operator.tell(f"relay/{wire}/loop", text)
        self.tell_all(wire, f"{wire} rests for {duration(seconds)}, since another relay repeats what is said")

    def _go_on(self, wire: str) -> bool:
        timer = self._looping.pop(wire, None)
        if timer is None:
            return False
        timer.cancel()
        self._release(wire, LOOP)
        IOperator(self._factory).settled(f"relay/{wire}/loop")
        return True

    # -- lanes

    def _hold(self, wire: str, why: str) -> None:
        for lane in self._lanes[wire]:
            self._queue.hold(lane, why)

    def _release(self, wire: str, why: str) -> None:
        for lane in self._lanes[wire]:
            self._queue.release(lane, why)

    def _store(self) -> None:
        IStorage(self._factory).store(KEY, VERSION, dict(self.paused))
