"""`IRelaying`: the relay of one bot, put together."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from plugins.relay.carrier import Carrier
from plugins.relay.catching_up import CatchingUp
from plugins.relay.ends import Ends
from plugins.relay.guard import Guard
from plugins.relay.interfaces import IRelaying, Speaker
from plugins.relay.sending import Sending
from plugins.relay.speakers import is_of, is_same
from plugins.relay.utterance import decode
from plugins.relay.wires import wires_of
from pynfo.irc.events import MessageReceived, User
from pynfo.services.outbox_item import Item


@implementer(IRelaying)
class Relay:
    """See `IRelaying`. `stop` comes with the plugin's end."""

    def __init__(self, factory: Any) -> None:
        self.wires = wires_of(factory.settings("relay"))
        self.ends = Ends(factory.clients, self.wires)
        self.sending = Sending(factory, self.ends)
        self.queue = self.sending.queue
        self.guard = Guard(factory, self.ends, self.queue, self.sending.tell)
        self.sending.on_said = self.guard.said
        self.carrier = Carrier(factory, self.ends, self.sending, self.guard)
        self.catching_up = CatchingUp(factory, self.ends, self.carrier, self.queue)

    async def stop(self) -> None:
        """Put into the queue what is gathered so far."""
        self.catching_up.beat()
        self.carrier.close()
        self.guard.close()
        self.sending.close()
        await self.queue.flush()

    def speaker_of(self, event: MessageReceived) -> Speaker | None:
        """See `IRelaying`."""
        return self.sending.speakers.speaker_of(event)

    def is_ours(self, event: MessageReceived) -> bool:
        """See `IRelaying`."""
        return self.sending.speakers.is_ours(event)

    async def forget(self, network: str, user: User) -> int:
        """See `IRelaying`."""

        def fold(name: str) -> str:
            return self.ends.fold(network, name)

        def is_theirs(item: Item) -> bool:
            utterance = decode(item.data)
            username, _, host = utterance.identity.partition("@")
            known = User(utterance.nick, username, host, utterance.account)
            return utterance.network == network and bool(utterance.nick) and is_same(known, user, fold)

        gone = self.queue.withdraw(is_theirs)
        await self.queue.forget(lambda about: is_of(about, network, user, fold))
        return len({item.key for item in gone})
