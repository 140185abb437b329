"""From what is said in a channel to what waits for the other ends of its wires.

Nothing is done with a message before it is in the queue. What we say ourselves is never carried on, so wires
cannot make loops; against relay bots of others there is `loops.py`. A message is known by its channel and
msgid, so that what a network's history tells again is not carried again.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections import Counter
from collections.abc import Sequence
from time import time
from typing import Any
from uuid import uuid4

import msgspec

from plugins.ignore import IDiscriminating
from plugins.relay import logs
from plugins.relay.appearance import shown_nick
from plugins.relay.comings import KINDS, Comings
from plugins.relay.ends import End, Ends
from plugins.relay.guard import Guard
from plugins.relay.sending import Sending
from plugins.relay.speakers import PEOPLE, about
from plugins.relay.utterance import Utterance, encode
from pynfo import IEvents, IHistory, IScheduler
from pynfo.irc.events import (
    Answered,
    Event,
    MessageReceived,
    MessageRedacted,
    TagsReceived,
    User,
)
from pynfo.services.outbox_item import Item

log = logging.getLogger(__name__)

EVENTS = {"message": "messages", "action": "actions", "notice": "notices"}
REACT, REPLY = "+draft/react", "+draft/reply"
FIRST = 100  # priority: before the logs ask whose line it is
REACTION_LENGTH = 400  # bytes of a reaction that is carried; an emoji has 40 at most


class _Same(msgspec.Struct):
    """The messages without a msgid of the newest second, and how many were equal."""

    second: int = 0
    block: Any = None
    counts: Counter[tuple[str, str, str]] = msgspec.field(default_factory=Counter)


class Carrier:
    """Subscribes when it is made; what is subscribed belongs to the plugin."""

    def __init__(self, factory: Any, ends: Ends, sending: Sending, guard: Guard) -> None:
        self._factory = factory
        self._ends = ends
        self._sending = sending
        self._queue = sending.queue
        self._guard = guard
        self._history = IHistory(factory)
        self._comings = {end: self._coming(end) for end in ends.all if end.port.sends}
        self._same: dict[tuple[str, bool], _Same] = {}  # by lane, and whether it is history
        subscribe = IEvents(factory).subscribe
        subscribe(MessageReceived, self._said, priority=FIRST)
        subscribe(TagsReceived, self._tagged)
        subscribe(MessageRedacted, self._redacted)
        subscribe(Answered, self._answered)
        subscribe(tuple(KINDS), self._happened)

    def close(self) -> None:
        """Tell what is gathered so far."""
        for coming in self._comings.values():
            coming.close()

    # -- live

    def _said(self, event: MessageReceived) -> None:
        if event.channel is None or event.own or event.statusmsg:
            return
        for end in self._ends.at(event.network, event.channel):
            if end.port.sends:
                self.carry(end, event)

    def _answered(self, event: Answered) -> None:
        """What the bot answers is carried behind the question, else the other side would wonder."""
        me = User(self._factory.clients[event.network].state.nick)
        for end in self._ends.at(event.network, event.channel):
            if not end.port.sends or "answers" not in end.port.events:
                continue
            if not self._is_ignored(end, event.to.user, None):
                utterance = self._utterance(end, event, "message", me)
                utterance.text = event.text
                if event.to.msgid is not None:
                    self._relate(utterance, end.port.place, event.to.msgid)
                self._put(end, f"{end.port.place}\nanswer\n{uuid4().hex}", utterance)

    def _tagged(self, event: TagsReceived) -> None:
        if event.channel is not None and not event.own:
            for end in self._ends.at(event.network, event.channel):
                if end.port.sends:
                    self.carry_reaction(end, event)

    def _redacted(self, event: MessageRedacted) -> None:
        if event.channel is not None:
            for end in self._ends.at(event.network, event.channel):
                if end.port.sends:
                    self.carry_redaction(end, event)

    def _happened(self, event: Event) -> None:
        channels = getattr(event, "channels", None) or [getattr(event, "channel", None)]
        person = getattr(event, "user", None) or getattr(event, "by", None)
        for channel in channels:
            if channel is None:
                continue
            for end in self._ends.at(event.network, channel):
                if end.port.sends and not self._is_ignored(end, person, channel):
                    self._comings[end].heard(event)

    # -- one thing, live or from history

    def carry(self, end: End, event: MessageReceived, *, block: Any = None) -> bool:
        """Queue a message for the other ends; False where it is not carried. `block`: see `Queue.put`."""
        port = end.port
        if EVENTS[event.kind] not in port.events:
            return False
        if self._is_ignored(end, event.user, None if block is None else event.channel):
            return False
        if port.ignore_text and port.ignores_text(event.text):
            return False
        utterance = self._utterance(end, event, event.kind, event.user)
        utterance.text, utterance.msgid = event.text, event.msgid
        if (reply_to := event.reply_to) is not None:
            self._relate(utterance, port.place, reply_to)
        key = self._key(end, event, block)
        lane = end.lane if block is not None else self._guard.lane(end, key, utterance)
        if lane is None:
            return False
        if utterance.msgid is not None and "\n" in utterance.text:
            self._link_where_long(end, lane, key, utterance)
        return self._put(end, key, utterance, lane=lane, block=block)

    def carry_reaction(self, end: End, event: TagsReceived, *, block: Any = None) -> None:
        tags = event.message.tags if event.message is not None else {}
        reaction, reply_to = tags.get(REACT), tags.get(REPLY)
        if not reaction or not reply_to or "messages" not in end.port.events:
            return
        if self._is_ignored(end, event.user, None if block is None else event.channel):
            return
        if len(reaction.encode(errors="replace")) > REACTION_LENGTH:
            return
        utterance = self._utterance(end, event, "reaction", event.user)
        utterance.text = reaction
        self._relate(utterance, end.port.place, reply_to)
        if utterance.about:
            key = f"{end.port.place}\nreaction\n{tags.get('msgid') or uuid4().hex}"
            self._put(end, key, utterance, block=block, noise=True)

    def carry_redaction(self, end: End, event: MessageRedacted, *, block: Any = None) -> None:
        """What was carried is removed on the other sides, too; what waits is not carried any more."""
        key = f"{end.port.place}\n{event.msgid}"
        if not self._queue.copies(key):
            return
        withdrawn = {item.target for item in self._queue.withdraw(lambda item: item.key == key)}
        utterance = self._utterance(end, event, "redaction", event.user)
        self._relate(utterance, end.port.place, event.msgid)
        others = [port for port in end.others if port.place not in withdrawn]
        self._put(end, f"{end.port.place}\nredaction\n{event.msgid}", utterance, block=block, others=others)
        for place in self._queue.copies(key):
            copies = self._sending.copies_at(key, place)
            IScheduler(self._factory).spawn(logs.redact(self._factory, place, copies))

    def tell(self, end: End, text: str, *, key: str = "", block: Any = None) -> None:
        """Say a word of the relay's own at the other ends."""
        utterance = Utterance(kind="told", place=end.port.place, time=time(), wire=end.wire.name, text=text)
        self._put(end, f"{end.port.place}\ntold\n{key or uuid4().hex}", utterance, block=block)

    # -- its parts

    def _utterance(self, end: End, event: Event, kind: Any, user: User) -> Utterance:
        identity = "" if user.account or not user.host else f"{user.username}@{user.host}"
        return Utterance(
            kind=kind,
            place=end.port.place,
            time=self._ours(event),
            wire=end.wire.name,
            nick=user.nick,
            account=user.account,
            identity=identity,
            prefix=self._prefix(end, user) if kind in PEOPLE else "",
        )

    def _ours(self, event: Event) -> float:
        """When it was, by our clock: how late it is must not depend on how wrong a server's is."""
        ago: float = self._history.clock(event.network) - self._history.time_of(event)
        return time() - max(ago, 0.0)

    def _prefix(self, end: End, user: User) -> str:
        state = self._factory.clients[end.port.network].state
        modes = state.member_modes(end.port.channel, user.nick)
        return state.isupport.prefix.get(modes[:1], "") if modes else ""

    def _relate(self, utterance: Utterance, place: str, msgid: str) -> None:
        """Note which message it is about, where that was carried."""
        key = self._queue.key_of(place, msgid) or f"{place}\n{msgid}"
        if self._queue.copies(key):
            utterance.about = key
            utterance.about_nick = self._sending.speaker_nick(key)

    def _key(self, end: End, event: MessageReceived, block: Any) -> str:
        """Under which a message is carried once. Without a msgid its second by its server's clock, its words
        and its place among equal ones tell it apart, live and in each reading of history."""
        place = end.port.place
        if event.msgid is not None:
            return f"{place}\n{event.msgid}"
        second, what = int(event.time), (event.kind, event.user.nick, event.text)
        same = self._same.get((end.lane, block is not None))
        if same is None or same.second != second or same.block is not block:
            same = self._same[end.lane, block is not None] = _Same(second, block)
        same.counts[what] += 1
        words = zlib.crc32("\n".join(what).encode(errors="replace"))
        return f"{place}\n\n{second}.{words:x}.{same.counts[what]}"

    def _put(
        self,
        end: End,
        key: str,
        utterance: Utterance,
        *,
        lane: str = "",
        block: Any = None,
        noise: bool = False,
        others: Sequence[Any] | None = None,
    ) -> bool:
        data, remembered = encode(utterance), about(utterance)
        items = [
            Item(
                target=other.place,
                key=key,
                data=data,
                time=utterance.time,
                expires=utterance.time + other.hold,
                lane=lane or end.lane,
                noise=noise,
                once=other.delivery == "at-most-once",
                about=remembered,
            )
            for other in (end.others if others is None else others)
        ]
        return bool(self._queue.put(items, block=block))

    def _link_where_long(self, end: End, lane: str, key: str, utterance: Utterance) -> None:
        """A message of too many lines waits for the address of its log, where there is one."""
        lines = utterance.text.count("\n") + 1
        if any(lines > port.lines_limit for port in end.others):
            why = f"link {key}"
            IScheduler(self._factory).spawn(
                self._link(end.port.network, lane, why, key, utterance.msgid or "")
            )
            self._queue.hold(lane, why)

    async def _link(self, network: str, lane: str, why: str, key: str, msgid: str) -> None:
        try:
            address = await logs.address_of(self._factory, network, msgid)
            if address is not None:
                self._sending.rendering.link(key, address)
        finally:
            self._queue.release(lane, why)

    def _coming(self, end: End) -> Comings:
        network = end.port.network

        def tell(text: str, when: float) -> None:
            # It is told when it happens, or is gathered: now. `when` is by the server's clock.
            utterance = Utterance(
                kind="event", place=end.port.place, time=time(), wire=end.wire.name, text=text
            )
            self._put(end, f"{end.port.place}\nevent\n{uuid4().hex}", utterance, noise=True)

        return Comings(
            end.port.events,
            tell,
            asyncio.get_running_loop().call_later,
            shown=shown_nick,
            fold=lambda nick: self._ends.fold(network, nick),
        )

    def _is_ignored(self, end: End, user: User | None, channel: str | None) -> bool:
        """`channel`: where the ignore list has not been asked yet."""
        if user is None:
            return False
        port = end.port
        if port.ignore and port.ignores(user, lambda name: self._ends.fold(port.network, name)):
            return True
        if channel is None:
            return False
        ignoring = IDiscriminating(self._factory, None)
        return ignoring is not None and ignoring.discriminates(user, port.network, channel)
