"""`IOutbox`: what the bot says. The one place where text becomes PRIVMSG, NOTICE and TAGMSG.

Text is cleaned of control characters that are not formatting, split so that no server cuts it, and queued
with its network's client, which paces it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from pynfo.interfaces import IOutbox
from pynfo.irc.formatting import clean
from pynfo.irc.message import Message
from pynfo.irc.pacing import Outgoing, Priority, QueueFull
from pynfo.irc.split import split

if TYPE_CHECKING:
    from pynfo.factory import Factory
    from pynfo.irc.client import Client

BULK_AGE = 600.0  # seconds
ANSWER_AGE = 30.0  # seconds
NAME_LENGTH = 64  # characters of a target; networks have at most 50
SURELY_FITS = 100  # characters of ASCII that fit a line after any source and target
LINES_LIMIT = 100  # lines that one text may become

_SENDABLE = re.compile(r"[^\0-\x20,\x7f]+").fullmatch

OutboxFull = QueueFull


class Undelivered(Exception):
    """It was not said. The message is one sentence that tells why."""


class Delivery:
    """What becomes of what was said. `await delivery` gives its `msgids`, or raises `Undelivered`.

    Done at once where there was nothing to say.
    """

    __slots__ = ("_future", "_left", "msgids", "reason")

    def __init__(self, lines: int) -> None:
        self.msgids: list[str | None] = [None] * lines  # one a line; None where the network gives no id
        self.reason: str | None = None  # why a line was not said
        self._left = lines
        self._future: asyncio.Future[None] | None = None

    @property
    def done(self) -> bool:
        """Whether it is known of every line what became of it."""
        return self._left <= 0

    def __await__(self) -> Generator[Any, None, list[str | None]]:
        if not self.done:
            if self._future is None:
                self._future = asyncio.get_running_loop().create_future()
            yield from asyncio.shield(self._future).__await__()
        if self.reason is not None:
            raise Undelivered(self.reason)
        return self.msgids

    def settle(self, index: int, msgid: str | None, reason: str | None) -> None:
        """It is known what became of one line."""
        self.msgids[index] = msgid
        self.reason = self.reason or reason
        self._left -= 1
        if self._left == 0 and self._future is not None and not self._future.done():
            self._future.set_result(None)


class _Line(Outgoing):
    """One line of a delivery."""

    __slots__ = ("delivery", "index")

    def __init__(
        self,
        message: Message,
        priority: Priority,
        target: str,
        expires: float,
        delivery: Delivery,
        index: int,
    ) -> None:
        self.message = message
        self.priority = priority
        self.target = target
        self.expires = expires
        self.delivery = delivery
        self.index = index

    def confirmed(self, msgid: str | None) -> None:
        self.delivery.settle(self.index, msgid, None)

    def failed(self, reason: str) -> None:
        self.delivery.settle(self.index, None, reason)


@implementer(IOutbox)
class Outbox:
    """See `IOutbox`."""

    def __init__(self, factory: Factory) -> None:
        self._clients = factory.clients

    def say(
        self,
        target: str,
        text: str,
        *,
        kind: str = "message",
        bulk: bool = True,
        max_age: float | None = None,
        tags: dict[str, str] | None = None,
    ) -> Delivery:
        client, name = self._find(target)
        command = "NOTICE" if kind == "notice" else "PRIVMSG"
        before, after = ("\x01ACTION ", "\x01") if kind == "action" else ("", "")
        if 0 < len(text) < SURELY_FITS and text.isascii() and text.isprintable() and not before:
            messages = [Message(command, [name, text])]
        else:
            pieces = _pieces(text, client.state.room(command, name, before + after))
            messages = [Message(command, [name, before + piece + after]) for piece in pieces]
        if tags and messages:
            messages[0].tags = {
                tag: value for tag, value in tags.items() if client.isupport.client_tag_allowed(tag)
            }
        return self._queue(client, name, messages, bulk, max_age)

    def say_tags(self, target: str, tags: dict[str, str]) -> Delivery:
        client, name = self._find(target)
        if client.up and "message-tags" not in client.capabilities:
            delivery = Delivery(1)
            delivery.settle(0, None, f"{client.name} has no message tags")
            return delivery
        return self._queue(client, name, [Message("TAGMSG", [name], None, tags)], True, None)

    def _find(self, target: str) -> tuple[Client, str]:
        network, slash, name = target.partition("/")
        client = self._clients.get(network)
        if client is None:
            raise LookupError(f"there is no network {network!r}")
        if not slash or not 0 < len(name) <= NAME_LENGTH or name[0] == ":" or not _SENDABLE(name):
            raise LookupError(f"{target!r} is not network/#channel or network/nick")
        return client, name

    def _queue(
        self, client: Client, name: str, messages: list[Message], bulk: bool, max_age: float | None
    ) -> Delivery:
        if max_age is None:
            max_age = BULK_AGE if bulk else ANSWER_AGE
        priority = Priority.BULK if bulk else Priority.ANSWER
        state = client.state
        channel = state.channel(name)
        target = state.fold(channel.name if channel else state.isupport.strip_statusmsg(name)[1])
        expires = client.time() + max_age
        delivery = Delivery(len(messages))
        put = client.put
        for index, message in enumerate(messages):
            try:
                put(_Line(message, priority, target, expires, delivery, index))
            except QueueFull as full:
                if index == 0:
                    raise
                for rest in range(index, len(messages)):
                    delivery.settle(rest, None, str(full))
                break
        return delivery


def _pieces(text: str, limit: int) -> list[str]:
    """Lines of at most `limit` bytes that may be said; none where nothing is left of the text."""
    pieces: list[str] = []
    for line in text.split("\n"):
        if line.strip():
            pieces += split(clean(line), limit)
    if len(pieces) > LINES_LIMIT:
        pieces[LINES_LIMIT - 1 :] = [f"({len(pieces) - LINES_LIMIT + 1} more lines are left out)"]
    return pieces
