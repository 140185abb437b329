"""One thing that is to be said for sure: what a durable queue holds, on disk and in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from pynfo.irc.message import Message

if TYPE_CHECKING:
    from pynfo.irc.client import Client


class Item(msgspec.Struct, kw_only=True, eq=False):
    """`target` is `network/#channel` or `network/nick`; `data` is what the queue's owner renders. Times are
    UTC epoch seconds.

    `key`: under it nothing is said to the same target again. `lane`: what is held back together. `noise` goes
    last, and is dropped first. `once`: where nobody can tell whether it was said, it is not said again.
    """

    target: str
    key: str
    data: bytes
    time: float
    expires: float
    lane: str = ""
    noise: bool = False
    once: bool = False
    about: bytes = b""  # what the owner wants to know of it afterwards
    id: int = 0  # given by the queue
    written: float = 0.0  # since when it may have been said, by the network's clock; 0: not yet
    said: int = 0  # of its lines, how many are known to have been said
    unanswered: int = 0  # times that a network which was there has neither confirmed nor refused it
    removed: bool = False  # nobody waits for it any more


class Owner(Protocol):
    """Who has a durable queue: it knows how things look, and is told what became of them."""

    def render(self, item: Item, client: Client, now: float) -> Sequence[Message]:
        """The lines that say it on that network now (UTC epoch seconds); none: there is nothing to say.

        The same for the same `now`, as far as the network is the same. What it raises settles the item.
        """

    def confirmed(self, item: Item, msgids: Sequence[str | None]) -> None:
        """The network has it."""

    def refused(self, item: Item, message: Message, reason: str) -> bool:
        """The network refused a line of it. True: render it again, since it will look different now."""

    def blocked(self, target: str, reason: str | None) -> None:
        """The network refuses whatever is said there; None: no more."""

    def lost(self, target: str, items: Sequence[Item], reason: str) -> None:
        """They were given up. `reason` completes "… were lost: "."""
