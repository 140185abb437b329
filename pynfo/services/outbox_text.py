"""How a text is said: as lines that no server cuts, at once or by the durable queue of texts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from time import time
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from pynfo.irc.client import Client
from pynfo.irc.formatting import clean
from pynfo.irc.message import Message
from pynfo.irc.split import split
from pynfo.services.outbox_delivery import Delivery
from pynfo.services.outbox_item import Item

if TYPE_CHECKING:
    from pynfo.services.outbox_queue import Queue

DURABLE_AGE = 3600.0  # seconds that a durable text is worth saying
SURELY_FITS = 100  # characters of ASCII that fit a line after any source and target
LINES_LIMIT = 100  # lines that one text may become


class Said(msgspec.Struct):
    """A text, and how it is said (see `IOutbox.say`)."""

    text: str
    kind: str = "message"
    tags: dict[str, str] = {}

    def messages(self, client: Client, name: str) -> list[Message]:
        """The lines that say it to a channel or a nick; none where nothing is left of it."""
        command = "NOTICE" if self.kind == "notice" else "PRIVMSG"
        before, after = ("\x01ACTION ", "\x01") if self.kind == "action" else ("", "")
        text = self.text
        if 0 < len(text) < SURELY_FITS and text.isascii() and text.isprintable() and not before:
            messages = [Message(command, [name, text])]
        else:
            pieces = _pieces(text, client.state.room(command, name, before + after))
            messages = [Message(command, [name, before + piece + after]) for piece in pieces]
        if self.tags and messages:
            allowed = client.isupport.client_tag_allowed
            messages[0].tags = {tag: value for tag, value in self.tags.items() if allowed(tag)}
        return messages


class DurableText:
    """The owner of the queue of texts that `IOutbox.say` takes with `durable=True`."""

    def __init__(self) -> None:
        self._deliveries: dict[tuple[str, str], Delivery] = {}  # by target and key
        self._run = uuid4().hex
        self._numbers = count(1)

    def say(self, queue: Queue, target: str, said: Said, max_age: float | None, key: str | None) -> Delivery:
        """Put a text into the queue."""
        now = time()
        key = key or f"{self._run}/{next(self._numbers)}"
        delivery = self._deliveries.get((target, key)) or Delivery(1)
        item = Item(
            target=target,
            key=key,
            data=msgspec.msgpack.encode(said),
            time=now,
            expires=now + (DURABLE_AGE if max_age is None else max_age),
        )
        if queue.put([item]):
            self._deliveries[target, key] = delivery
        elif (target, key) not in self._deliveries:  # it was said
            delivery.msgids = list(queue.copies(key).get(target, ())) or [None]
            delivery.settle(0, delivery.msgids[0], None)
        return delivery

    # -- as the queue's owner (see `Owner`)

    def render(self, item: Item, client: Client, now: float) -> list[Message]:
        said = msgspec.msgpack.decode(item.data, type=Said)
        return said.messages(client, item.target.partition("/")[2])

    def confirmed(self, item: Item, msgids: Sequence[str | None]) -> None:
        delivery = self._deliveries.pop((item.target, item.key), None)
        if delivery is not None:
            delivery.msgids = list(msgids) or [None]
            delivery.settle(0, delivery.msgids[0], None)

    def refused(self, item: Item, message: Message, reason: str) -> bool:
        return False

    def blocked(self, target: str, reason: str | None) -> None:
        """The `Delivery` tells in the end."""

    def lost(self, target: str, items: Sequence[Item], reason: str) -> None:
        for item in items:
            delivery = self._deliveries.pop((target, item.key), None)
            if delivery is not None:
                delivery.settle(0, None, reason)


def _pieces(text: str, limit: int) -> list[str]:
    """Lines of at most `limit` bytes that may be said; none where nothing is left of the text."""
    pieces: list[str] = []
    for line in text.split("\n"):
        if line.strip():
            pieces += split(clean(line), limit)
    if len(pieces) > LINES_LIMIT:
        pieces[LINES_LIMIT - 1 :] = [f"({len(pieces) - LINES_LIMIT + 1} more lines are left out)"]
    return pieces
