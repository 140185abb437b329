"""What the relay's queue is asked and told: how things look at a port, and what became of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from time import time
from typing import Any
from uuid import uuid4

from plugins.relay.ends import Ends
from plugins.relay.rendering import Rendering
from plugins.relay.speakers import PEOPLE, Speakers, remembered
from plugins.relay.utterance import Utterance, decode, encode
from pynfo import IOperator, IOutbox
from pynfo.irc.client import Client
from pynfo.irc.message import Message
from pynfo.services.outbox_item import Item

LOST_WAIT = 10.0  # seconds that losses are gathered before they are told
LOST_HOLD = 86400.0  # seconds that it is worth telling


class Sending:
    """The owner of the queue (`pynfo.services.outbox_item.Owner`)."""

    def __init__(self, factory: Any, ends: Ends) -> None:
        self._factory = factory
        self._ends = ends
        self._lost: dict[str, Counter[tuple[str, str]]] = {}  # by target: (from where, why)
        self._telling: asyncio.TimerHandle | None = None
        self.on_said: Callable[[Utterance], object] = lambda utterance: None
        self.queue = IOutbox(factory).queue("relay", self)
        self.rendering = Rendering(self.message_at, self.copies_at)
        self.speakers = Speakers(
            self.queue,
            lambda network, channel: [end.port for end in ends.at(network, channel)],
            factory.clients,
            ends.fold,
        )

    def close(self) -> None:
        """What is lost and not told yet waits in the queue to be."""
        if self._telling is not None:
            self._telling.cancel()
        for target in list(self._lost):
            self._tell_loss(target)

    # -- which message is which

    def message_at(self, key: str, place: str) -> str | None:
        """The msgid that a carried message has at a place, its own or that of our first line."""
        if key.startswith(f"{place}\n"):
            msgid = key.partition("\n")[2]
            return None if "\n" in msgid else msgid  # of what has none the key says something else
        return next((msgid for msgid in self.queue.copies(key).get(place, ()) if msgid is not None), None)

    def copies_at(self, key: str, place: str) -> list[str]:
        """The msgids of our lines that say it there."""
        return [msgid for msgid in self.queue.copies(key).get(place, ()) if msgid is not None]

    def speaker_nick(self, key: str) -> str:
        """Who said a carried message; "" where that is not known any more."""
        known = remembered(self.queue.about(key))
        return known.nick if known is not None else ""

    # -- as the queue's owner

    def render(self, item: Item, client: Client, now: float) -> list[Message]:
        utterance = decode(item.data)
        port = self._ends.port(utterance.wire, item.target)
        if port is None:
            return []  # the config has no such port any more
        messages = self.rendering.lines(utterance, item.key, port, client, now)
        self.speakers.expect(port, utterance, messages)
        self.on_said(utterance)
        return messages

    def confirmed(self, item: Item, msgids: Sequence[str | None]) -> None:
        """The queue remembers its msgids."""

    def refused(self, item: Item, message: Message, reason: str) -> bool:
        port = self._ends.port(decode(item.data).wire, item.target)
        client = self._factory.clients.get(item.target.partition("/")[0])
        return (
            port is not None and client is not None and self.rendering.refused(message, port, client, reason)
        )

    def blocked(self, target: str, reason: str | None) -> None:
        operator: Any = IOperator(self._factory)
        if reason is None:
            operator.settled(f"relay/{target}")
        else:
            operator.tell(f"relay/{target}", f"{target} takes nothing that is relayed there: {reason}")

    def lost(self, target: str, items: Sequence[Item], reason: str) -> None:
        for item in items:
            utterance = decode(item.data)
            if utterance.kind in PEOPLE:
                self._lost.setdefault(target, Counter())[utterance.place, reason] += 1
        if self._lost and self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(LOST_WAIT, self._tell_losses)

    def _tell_losses(self) -> None:
        """In the channels that they are lost to, as soon as something can be said there."""
        self._telling = None
        for target in list(self._lost):
            port = self.queue.ports().get(target)
            if port is not None and port.client is not None:
                self._tell_loss(target)
        if self._lost:
            self._telling = asyncio.get_running_loop().call_later(LOST_WAIT, self._tell_losses)

    def _tell_loss(self, target: str) -> None:
        for (place, reason), count in self._lost.pop(target).items():
            self.tell(target, f"{_messages(count)} from {place} {_are(count)} lost: {reason}")

    def tell(self, target: str, text: str) -> None:
        """Say a word of the relay's own at one port, whatever its wires do."""
        now = time()
        utterance = Utterance(kind="told", place=target, time=now, text=text)
        item = Item(
            target=target,
            key=f"{target}\ntold\n{uuid4().hex}",
            data=encode(utterance),
            time=now,
            expires=now + LOST_HOLD,
        )
        self.queue.put([item])


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count:,} messages"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
