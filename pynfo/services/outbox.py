"""`IOutbox`: what the bot says. The one place where text becomes PRIVMSG, NOTICE and TAGMSG.

Text is cleaned of control characters that are not formatting, split so that no server cuts it, and queued
with its network's client, which paces it. What is durable goes through a queue on disk first:
`outbox_queue.py` holds it, `outbox_port.py` says it, `outbox_store.py` writes it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from pynfo.interfaces import IEvents, IOperator, IOutbox, IScheduler
from pynfo.irc.events import ChannelRenamed, ChannelSynced, NetworkDown, NetworkUp
from pynfo.irc.message import Message
from pynfo.irc.pacing import Outgoing, Priority, QueueFull
from pynfo.ownership import adopt, current_owner
from pynfo.services.outbox_confirming import Confirming
from pynfo.services.outbox_delivery import Delivery
from pynfo.services.outbox_delivery import Undelivered as Undelivered
from pynfo.services.outbox_item import Owner
from pynfo.services.outbox_queue import Queue
from pynfo.services.outbox_store import OutboxStore
from pynfo.services.outbox_text import DurableText, Said

if TYPE_CHECKING:
    from pynfo.factory import Factory
    from pynfo.irc.client import Client

BULK_AGE = 600.0  # seconds
ANSWER_AGE = 30.0  # seconds
NAME_LENGTH = 64  # characters of a target; networks have at most 50
TEXTS = "text"  # the queue of what is said with `durable=True`
MATTER = "outbox"

_SENDABLE = re.compile(r"[^\0-\x20,\x7f]+").fullmatch

OutboxFull = QueueFull


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
        self._factory = factory
        self._clients = factory.clients
        self._store = OutboxStore(factory.state_dir / "outbox.sqlite", self._tell)
        self._queues: dict[str, Queue] = {}
        self._confirming: dict[str, Confirming] = {}  # by network
        self._next_id = 1
        self._texts = DurableText()

    async def start(self) -> None:
        """Read what waits from before. Raises `StorageError`."""
        news = (NetworkUp, NetworkDown, ChannelSynced, ChannelRenamed)
        IEvents(self._factory).subscribe(news, self._happened)
        past = await IScheduler(self._factory).in_thread(self._store.read)
        for settled in past.settled:
            self._next_id = max(self._next_id, settled.id + 1)
            ledger = self._named(settled.queue).ledger
            ledger.add(settled.key, settled.target, settled.id, settled.about)
            ledger.confirm(settled.key, settled.target, settled.msgids)
        for (name, lane), reached in past.reached.items():
            self._named(name).remember(lane, reached)
        for name, item in past.waiting:
            self._next_id = max(self._next_id, item.id + 1)
            self._named(name).load(item)
        self._named(TEXTS).open(self._texts, None)

    async def stop(self) -> None:
        """What is not said by now waits on disk."""
        for queue in self._queues.values():
            queue.stop()
        await self._store.stop()

    def say(
        self,
        target: str,
        text: str,
        *,
        kind: str = "message",
        bulk: bool = True,
        max_age: float | None = None,
        tags: dict[str, str] | None = None,
        durable: bool = False,
        key: str | None = None,
    ) -> Delivery:
        client, name = self._find(target)
        said = Said(text, kind, tags or {})
        if durable:
            return self._texts.say(self._named(TEXTS), target, said, max_age, key)
        return self._put(client, name, said.messages(client, name), bulk, max_age)

    def queue(self, name: str, owner: Owner) -> Queue:
        queue = self._named(name)
        queue.open(owner, current_owner())
        adopt(queue.close)
        return queue

    def say_tags(self, target: str, tags: dict[str, str]) -> Delivery:
        client, name = self._find(target)
        if client.up and "message-tags" not in client.capabilities:
            delivery = Delivery(1)
            delivery.settle(0, None, f"{client.name} has no message tags")
            return delivery
        return self._put(client, name, [Message("TAGMSG", [name], None, tags)], True, None)

    def _find(self, target: str) -> tuple[Client, str]:
        network, slash, name = target.partition("/")
        client = self._clients.get(network)
        if client is None:
            raise LookupError(f"there is no network {network!r}")
        if not slash or not 0 < len(name) <= NAME_LENGTH or name[0] == ":" or not _SENDABLE(name):
            raise LookupError(f"{target!r} is not network/#channel or network/nick")
        return client, name

    def _put(
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

    # -- durable

    def _named(self, name: str) -> Queue:
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = Queue(
                name,
                self._factory,
                self._store,
                take_ids=self._take_ids,
                confirming=self._confirming_of,
                spawn=IScheduler(self._factory).spawn,
            )
        return queue

    def _take_ids(self, count: int) -> int:
        first = self._next_id
        self._next_id += count
        return first

    def _confirming_of(self, network: str) -> Confirming:
        client = self._clients[network]
        confirming = self._confirming.get(network)
        if confirming is None or confirming.client is not client:
            confirming = self._confirming[network] = Confirming(client)
        return confirming

    def _happened(self, event: NetworkUp | NetworkDown | ChannelSynced | ChannelRenamed) -> None:
        if isinstance(event, NetworkDown) and event.network in self._confirming:
            self._confirming[event.network].broken()
        for queue in self._queues.values():
            queue.happened(event)

    def _tell(self, problem: str | None) -> None:
        operator: Any = IOperator(self._factory)
        if problem is None:
            operator.settled(MATTER)
        else:
            operator.tell(MATTER, problem)
