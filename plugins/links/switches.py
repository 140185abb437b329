"""Where titles are told: what the config says, and over it what operators say. Stored on every change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pynfo import IStorage, RetrievalError

KEY, VERSION = "links", "1"
CHANNELS = 5000  # for which somebody has said something

Fold = Callable[[str, str], str]  # network and channel: the channel folded


class Switches:
    """Which channels are on. Off where nobody says anything."""

    def __init__(self, factory: Any, configured: Iterable[str], fold: Fold) -> None:
        self._storage = IStorage(factory)
        self._fold = fold
        self._configured = [place.partition("/") for place in configured]
        try:
            self._said: dict[str, bool] = self._storage.retrieve(KEY, VERSION)
        except RetrievalError:
            self._said = {}

    def is_on(self, network: str, channel: str) -> bool:
        place = self._place(network, channel)
        if place in self._said:
            return self._said[place]
        return any(place == self._place(network, channel) for network, _, channel in self._configured)

    def switch(self, network: str, channel: str, on: bool) -> None:
        """Raises `ValueError`, with one sentence, where there are too many."""
        place = self._place(network, channel)
        if place not in self._said and len(self._said) >= CHANNELS:
            raise ValueError(f"{CHANNELS:,} channels have a word of their own on links already")
        self._said[place] = on
        self._storage.store(KEY, VERSION, self._said)

    def _place(self, network: str, channel: str) -> str:
        return f"{network}/{self._fold(network, channel)}"
