"""One item on its way: its lines, and what becomes of each."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from pynfo.irc.echoes import UNCONFIRMED
from pynfo.irc.message import Message
from pynfo.irc.pacing import Priority
from pynfo.irc.sender import OfConnection
from pynfo.services.outbox_item import Item


class Fate(Enum):
    """Of one line."""

    WAITING = auto()  # for its turn with the client
    WRITTEN = auto()  # and not confirmed yet
    CONFIRMED = auto()
    REFUSED = auto()
    UNSENT = auto()  # the connection was lost before it was written
    DOUBTFUL = auto()  # the connection was lost after it was written, or nothing came of it for too long


class Carrier(Protocol):
    """Whose flights they are. `unwritten`: lines of all its flights that wait for their turn."""

    unwritten: int

    def wrote(self, line: Line, *, echoes: bool) -> None:
        """A line was given to the connection."""

    def ended(self, flight: Flight) -> None:
        """The fate of all its lines is known."""


class Flight:
    """The lines of one item that are with a client."""

    __slots__ = ("_left", "carrier", "fates", "item", "messages", "msgids", "reason")

    def __init__(self, item: Item, messages: list[Message], carrier: Carrier) -> None:
        self.item = item
        self.messages = messages
        self.carrier = carrier
        self.fates = [Fate.WAITING] * len(messages)
        self.msgids: list[str | None] = [None] * len(messages)
        self.reason = ""  # why one was refused
        self._left = len(messages)
        carrier.unwritten += len(messages)

    @property
    def said(self) -> int:
        """Lines from the first on that are confirmed."""
        for index, fate in enumerate(self.fates):
            if fate is not Fate.CONFIRMED:
                return index
        return len(self.fates)

    def settle(self, index: int, fate: Fate) -> None:
        """It is known what became of a line."""
        before = self.fates[index]
        if before is Fate.WAITING:
            self.carrier.unwritten -= 1
        elif before is not Fate.WRITTEN:
            return
        self.fates[index] = fate
        self._left -= 1
        if not self._left:
            self.carrier.ended(self)


class Line(OfConnection):
    """One line of a flight. It does not outlive the connection: on another it may look different."""

    __slots__ = ("flight", "index", "is_up")

    def __init__(self, flight: Flight, index: int, target: str, is_up: Callable[[], bool]) -> None:
        super().__init__(flight.messages[index], Priority.BULK, target)
        self.flight = flight
        self.index = index
        self.is_up = is_up

    def written(self, *, echoes: bool) -> None:
        flight = self.flight
        if flight.fates[self.index] is Fate.WAITING:
            flight.fates[self.index] = Fate.WRITTEN
            flight.carrier.unwritten -= 1
        flight.carrier.wrote(self, echoes=echoes)

    def confirmed(self, msgid: str | None) -> None:
        self.flight.msgids[self.index] = msgid
        self.flight.settle(self.index, Fate.CONFIRMED)

    def failed(self, reason: str) -> None:
        flight = self.flight
        written = flight.fates[self.index] is Fate.WRITTEN
        if self.is_up() and reason != UNCONFIRMED:
            flight.reason = reason
            flight.settle(self.index, Fate.REFUSED)
        else:
            flight.settle(self.index, Fate.DOUBTFUL if written else Fate.UNSENT)
