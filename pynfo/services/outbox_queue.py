"""A durable queue: what is put into it is said, over disconnects, restarts and `kill -9`.

An item is on disk before anything else is done with it. What is not said when its owner's plugin is unloaded
waits for the next owner of that name.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from pynfo.interfaces import IHistory
from pynfo.irc.client import Client
from pynfo.irc.events import Event
from pynfo.irc.message import Message
from pynfo.ownership import Owner as PluginOwner
from pynfo.ownership import report
from pynfo.services.outbox_confirming import Confirming
from pynfo.services.outbox_item import Item, Owner
from pynfo.services.outbox_lanes import LIMIT
from pynfo.services.outbox_ledger import Ledger
from pynfo.services.outbox_port import Port
from pynfo.services.outbox_store import OutboxStore
from pynfo.services.outbox_tail import settle_tail

log = logging.getLogger(__name__)

BLOCK = 1_000_000  # ids that are set aside at once


class Block:
    """Ids that are set aside: what is put with them is said before what was put after they were taken."""

    def __init__(self, first: int) -> None:
        self.next = first


class Queue:
    """See `IOutbox.queue`."""

    def __init__(
        self,
        name: str,
        factory: Any,
        store: OutboxStore,
        *,
        take_ids: Callable[[int], int],
        confirming: Callable[[str], Confirming],
        spawn: Callable[[Coroutine[Any, Any, Any]], Awaitable[Any]],
    ) -> None:
        self.name = name
        self.factory = factory
        self.clients: Mapping[str, Client] = factory.clients
        self.store = store
        self.ledger = Ledger()
        self.confirming = confirming  # of a network
        self.clock: Callable[[str], float] = IHistory(factory).clock  # of a network
        self.spawn = spawn
        self.held: dict[str, set[str]] = {}  # lanes that are held back, and why
        self._take_ids = take_ids
        self._ports: dict[str, Port] = {}
        self._owner: Owner | None = None
        self._plugin: PluginOwner | None = None
        self._committing: dict[int, Item] = {}  # on their way to the disk
        self._reached: dict[str, float] = {}  # by lane

    # -- what its owner does

    def put(self, items: Sequence[Item], *, block: Block | None = None) -> int:
        """Have them said, in this order; gives how many of them are new. See `Item`.

        With a `block` of ids they go before all that was put since it was taken. Raises `ValueError` for a
        key that is no UTF-8.
        """
        fresh = []
        for item in items:
            if self.ledger.knows(item.key, item.target):
                continue
            item.key.encode()  # a lone surrogate is refused here, since SQLite would refuse it for ever
            port = self._port(item.target)
            prompt = not item.once and item.lane not in self.held and port.prompt
            item.written = self.clock(port.network) if prompt else 0.0
            if block is not None:
                item.id = block.next
                block.next += 1
            else:
                item.id = self._take_ids(1)
            self.ledger.add(item.key, item.target, item.id, item.about)
            self._committing[item.id] = item
            fresh.append(item)
        excess = len(self._committing) - LIMIT
        if excess > 0:
            self._refuse(fresh[-excess:])
            del fresh[-excess:]
        if fresh:
            self.store.add(self.name, fresh, partial(self._committed, fresh))
        return len(fresh)

    def block(self) -> Block:
        """Set ids aside for what was said before whatever is put from now on."""
        return Block(self._take_ids(BLOCK))

    async def flush(self) -> None:
        """*await* that all that was put, and all that is known of it, is on disk."""
        await self.store.flush()

    def hold(self, lane: str, why: str) -> None:
        """Say nothing of a lane, for a reason, until `release`."""
        if lane not in self.held:
            self.held[lane] = set()
            for port in self._ports.values():
                port.hold_back(lane)
        self.held[lane].add(why)

    def release(self, lane: str, why: str) -> None:
        """That reason is over; where there is no other, the lane goes on."""
        reasons = self.held.get(lane, set())
        reasons.discard(why)
        if not reasons and self.held.pop(lane, None) is not None:
            self._feed_all()

    def reach(self, lane: str, time: float, *, open: bool = False) -> None:
        """Remember up to when (UTC epoch seconds) all that is for a lane was put into it.

        It is on disk no earlier than what was put before. What is put later moves it on by itself, unless it
        is `open`: then what is put now does not tell that all before it was.
        """
        self._reached[lane] = time
        self.store.reach(self.name, lane, time, open=open)

    def reached(self, lane: str) -> float:
        """See `reach`; as it was at the start, or was told since. 0: nothing is known."""
        return self._reached.get(lane, 0.0)

    def withdraw(self, unwanted: Callable[[Item], bool]) -> list[Item]:
        """Take out what is not said yet, and is unwanted; what is on its way is left to itself."""
        gone = [item for item in self._committing.values() if unwanted(item) and not item.removed]
        for item in gone:
            item.removed = True
            self.settle(item)
        for port in self._ports.values():
            gone += port.withdraw(unwanted)
        return gone

    async def forget(self, unwanted: Callable[[bytes], bool]) -> None:
        """*await* that nothing is left, in memory and on disk, of what was withdrawn, nor of what the owner
        remembers (`Item.about`) where that is unwanted."""
        await self.store.forget(self.ledger.forget(unwanted))

    def ports(self) -> Mapping[str, Port]:
        """By target."""
        return self._ports

    def knows(self, key: str, target: str) -> bool:
        """Whether something is, or was, to be said to that target under that key."""
        return self.ledger.knows(key, target)

    def copies(self, key: str) -> Mapping[str, Sequence[str | None]]:
        """The msgids that what was said under a key has, by target."""
        return self.ledger.copies(key)

    def key_of(self, target: str, msgid: str) -> str | None:
        """Under which key a message was said."""
        return self.ledger.key_of(target, msgid)

    def about(self, key: str) -> bytes:
        """What the owner wanted to remember of a key; b"" where it is forgotten."""
        return self.ledger.about(key)

    def is_copy(self, target: str, msgid: str) -> bool:
        return self.ledger.key_of(target, msgid) is not None

    def close(self) -> None:
        """Its owner goes: what waits is kept."""
        self._owner = self._plugin = None
        self.held.clear()

    # -- its life, for the outbox

    @property
    def owned(self) -> bool:
        return self._owner is not None

    def open(self, owner: Owner, plugin: PluginOwner | None) -> None:
        """Somebody renders its items from now on. Raises `ValueError` where somebody does already."""
        if self._owner is not None:
            raise ValueError(f"the queue {self.name!r} has an owner already")
        self._owner, self._plugin = owner, plugin
        asyncio.get_running_loop().call_soon(self._feed_all)  # the owner has lanes to hold back first

    def remember(self, lane: str, reached: float) -> None:
        """What a lane had reached when the bot stopped."""
        self._reached[lane] = reached

    def load(self, item: Item) -> None:
        """An item that was not said when the bot stopped."""
        self.ledger.add(item.key, item.target, item.id, item.about)
        port = self._port(item.target)
        if item.written:
            port.tail.append(item)
        else:
            port.push([item])

    def happened(self, event: Event) -> None:
        """A network came or went, or we are in a channel."""
        for port in self._ports.values():
            if port.network == event.network:
                port.feed()

    def stop(self) -> None:
        for port in self._ports.values():
            port.stop()

    # -- for its ports

    def render(self, item: Item, client: Client, now: float) -> Sequence[Message] | None:
        """The lines of an item; None where that fails, which is reported."""
        lines: Sequence[Message] | None = self._asked("render", item, client, now)
        return lines

    def render_again(self, item: Item, message: Message, reason: str) -> bool:
        return bool(self._asked("refused", item, message, reason))

    def settle(self, item: Item, msgids: Sequence[str | None] | None = None) -> None:
        """It is over: with `msgids` it was said, without it never will be."""
        item.removed = True
        self.store.settle(item, msgids or ())
        if msgids is not None:
            self.ledger.confirm(item.key, item.target, msgids)
            self._asked("confirmed", item, msgids)

    def tell_lost(self, target: str, items: Sequence[Item], reason: str) -> None:
        self._asked("lost", target, items, reason)

    def tell_refused(self, target: str, reason: str | None) -> None:
        self._asked("blocked", target, reason)

    def _asked(self, what: str, *arguments: Any) -> Any:
        """What the owner answers; None where there is none, or where it fails, which is reported."""
        if self._owner is None:
            return None
        try:
            return getattr(self._owner, what)(*arguments)
        except Exception as error:  # noqa: BLE001 - the edge of a plugin
            report(self._plugin, f"the queue {self.name}", error)
            return None

    def _refuse(self, items: list[Item]) -> None:
        """The disk has taken nothing for so long that they cannot be kept."""
        for item in items:
            del self._committing[item.id]
            self._port(item.target).lost += 1
            self.tell_lost(item.target, [item], "the disk takes nothing")

    def _port(self, target: str) -> Port:
        port = self._ports.get(target)
        if port is None:
            port = self._ports[target] = Port(self, target, partial(settle_tail, self))
        return port

    def _committed(self, items: list[Item]) -> None:
        by_port: dict[str, list[Item]] = {}
        for item in items:
            self._committing.pop(item.id, None)
            by_port.setdefault(item.target, []).append(item)
        for target, theirs in by_port.items():
            port = self._port(target)
            port.push(theirs)
            port.feed()

    def _feed_all(self) -> None:
        for port in self._ports.values():
            port.feed()
