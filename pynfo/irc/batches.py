"""Open batches of a connection, nested ones too, and how much of them is kept.

Source: IRCv3 "Batch". Bounded: a server that opens batches without end, or never closes one, costs a fixed
amount of memory.
"""

from __future__ import annotations

from pynfo.irc.events import Batch
from pynfo.irc.message import MalformedMessage, Message

OPEN_LIMIT = 64  # batches open at once
DEPTH_LIMIT = 8  # batches in one another; an inner one keeps those around it, closed or not
MESSAGE_LIMIT = 10_000  # messages kept in all open batches together

HISTORY = frozenset({"chathistory", "znc.in/playback"})


class Batches:
    """The open batches by reference."""

    def __init__(self) -> None:
        self._open: dict[str, Batch] = {}
        self._kept = 0

    def find(self, reference: str | None) -> Batch | None:
        """The open batch that a line's `batch` tag names."""
        return self._open.get(reference) if reference else None

    def open(self, message: Message) -> Batch:
        """`BATCH +reference type [params…]`. Raises `MalformedMessage`, also past the bound."""
        if len(message.params) < 2 or len(self._open) >= OPEN_LIMIT:
            raise MalformedMessage("a batch without a type, or too many open batches")
        reference = message.params[0][1:]
        parent = self.find(message.tags.get("batch"))
        if _depth(parent) >= DEPTH_LIMIT:
            raise MalformedMessage("a batch in too many others")
        batch = Batch(
            reference,
            message.params[1],
            message.params[2:],
            parent,
            message.tags.get("label", ""),
            tags=message.tags,
        )
        self._open[reference] = batch
        return batch

    def close(self, message: Message) -> Batch:
        """`BATCH -reference`. Raises `MalformedMessage` for one that is not open."""
        batch = self._open.pop(message.params[0][1:], None)
        if batch is None:
            raise MalformedMessage("the end of a batch that is not open")
        self._kept -= len(batch.messages)
        return batch

    def keep(self, batch: Batch, message: Message) -> None:
        """Remember a message until its batch is whole; past the bound it is left out."""
        if self._kept < MESSAGE_LIMIT:
            batch.messages.append(message)
            self._kept += 1


def _depth(batch: Batch | None) -> int:
    depth = 0
    while batch is not None:
        depth, batch = depth + 1, batch.parent
    return depth


def is_history(batch: Batch | None) -> bool:
    """Whether `batch` is history, or in a batch that is."""
    while batch is not None:
        if batch.type in HISTORY:
            return True
        batch = batch.parent
    return False


def label_of(batch: Batch | None) -> str:
    """The label that a batch, or one around it, answers (IRCv3 "Labeled Responses")."""
    while batch is not None:
        if batch.label:
            return batch.label
        batch = batch.parent
    return ""
