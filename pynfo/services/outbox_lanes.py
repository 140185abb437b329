"""What waits for one target, and what is next.

Lanes are held back and let go each by itself. Of those that are not held back, people's words go before
noise, and among them the oldest first. Bounded: past `LIMIT` the oldest is given up, and once more than
`NOISE_LIMIT` wait, noise is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from heapq import heappop, heappush

from pynfo.services.outbox_item import Item

LIMIT = 5000  # items that wait for one target
NOISE_LIMIT = 30  # items that wait, past which noise is dropped


class _Lane:
    """Two heaps of (id, item): what people say, and noise."""

    __slots__ = ("noise", "talk")

    def __init__(self) -> None:
        self.talk: list[tuple[int, Item]] = []
        self.noise: list[tuple[int, Item]] = []


class Lanes:
    """Of one target. Ids are unique, and their order is the order of saying."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._count = 0
        self._noise = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        for lane in self._lanes.values():
            for heap in (lane.talk, lane.noise):
                for _, item in heap:
                    yield item

    def push(self, item: Item) -> None:
        """It waits. Where too many do, see `overflow`."""
        lane = self._lanes.get(item.lane)
        if lane is None:
            lane = self._lanes[item.lane] = _Lane()
        heappush(lane.noise if item.noise else lane.talk, (item.id, item))
        self._count += 1
        self._noise += item.noise

    def take(self, held: Collection[str]) -> Item | None:
        """The next, of the lanes that are not held back."""
        item = self._first(held, noise=False) or (self._first(held, noise=True) if self._noise else None)
        if item is not None:
            lane = self._lanes[item.lane]
            heappop(lane.noise if item.noise else lane.talk)
            self._gone(item)
        return item

    def remove(self, unwanted: Callable[[Item], bool]) -> list[Item]:
        """Take out those that are unwanted, and give them, oldest first."""
        gone = sorted((item for item in self if unwanted(item)), key=lambda item: item.id)
        for item in gone:
            item.removed = True
            self._gone(item)
        for lane in self._lanes.values() if gone else ():
            for heap in (lane.talk, lane.noise):
                heap[:] = sorted(entry for entry in heap if not entry[1].removed)  # which is a heap
        return gone

    def overflow(self) -> tuple[list[Item], list[Item]]:
        """What must go because too many wait: noise, and the oldest."""
        noise = self.remove(lambda item: item.noise) if self._noise and self._count > NOISE_LIMIT else []
        if self._count <= LIMIT:
            return noise, []
        last = sorted(item.id for item in self)[self._count - LIMIT - 1]
        return noise, self.remove(lambda item: item.id <= last)

    def _first(self, held: Collection[str], *, noise: bool) -> Item | None:
        first: Item | None = None
        for name in list(self._lanes):
            if name in held:
                continue
            lane = self._lanes[name]
            heap = lane.noise if noise else lane.talk
            if heap and (first is None or heap[0][0] < first.id):
                first = heap[0][1]
            elif not lane.talk and not lane.noise:
                del self._lanes[name]
        return first

    def _gone(self, item: Item) -> None:
        self._count -= 1
        self._noise -= item.noise
