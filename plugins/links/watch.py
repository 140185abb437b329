"""Listens for addresses, and says what they lead to, unless somebody else does first.

Nothing is said of addresses in commands, in what bots and our own relay say, off the record, or in what a
network plays back; ignored people are not heard of at all. What was told is not told again for a while.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from zope.interface import Attribute, implementer

from plugins.links.addresses import find, key, split
from plugins.links.settings import Settings
from plugins.links.switches import Switches
from plugins.links.titles import Titles
from plugins.links.wording import line, says
from pynfo import ICommands, IEvents, IOutbox, IScheduler, IWeb
from pynfo.interfaces import Interface
from pynfo.irc.events import Batch, MessageReceived
from pynfo.off_the_record import off_the_record
from pynfo.services.command_limits import Limits, Verdict, person_of
from pynfo.services.commands import HISTORY
from pynfo.services.outbox import OutboxFull

# mypy: disable-error-code="misc, empty-body"

log = logging.getLogger(__name__)

ADDRESSES = 3  # of one message
UNDER_WAY = 30  # messages whose addresses are being looked at
TOLD = 2000  # addresses that are remembered, of all channels
HEARD = 20  # messages of others that are kept while we wait
MAX_AGE = 30.0  # seconds after which nobody wants a title any more

Place = tuple[str, str]  # network and folded channel


class _Waiting:
    """A message whose addresses are being looked at, and what others say meanwhile."""

    task: asyncio.Task[None]

    def __init__(self, event: MessageReceived) -> None:
        self.event = event
        self._heard: deque[str] = deque(maxlen=HEARD)

    def hear(self, event: MessageReceived) -> None:
        if event.user.nick != self.event.user.nick:
            self._heard.append(event.text)

    def was_told(self, title: str) -> bool:
        return any(says(text, title) for text in self._heard)


class ILinks(Interface):
    """Titles of addresses, channel by channel."""

    switches = Attribute("`Switches`: where they are told")

    async def idle() -> None:
        """*await* until no address is being looked at."""


@implementer(ILinks)
class Watch:
    """See `ILinks`. `clock` gives monotonic seconds; it and `sleep` are for tests."""

    def __init__(
        self,
        factory: Any,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._factory = factory
        self._settings: Settings = factory.settings("links")
        self._clock = clock
        self._sleep = sleep
        self._limits = Limits()
        self._titles = Titles(factory, self._settings)
        self._told: dict[tuple[Place, str], float] = {}  # until when; the one told first stands first
        self._waiting: dict[Place, list[_Waiting]] = {}
        self.switches = Switches(factory, self._settings.channels, self._fold)
        IEvents(factory).subscribe(MessageReceived, self.heard)

    async def idle(self) -> None:
        while self._waiting:
            await asyncio.wait([waiting.task for several in self._waiting.values() for waiting in several])

    def heard(self, event: MessageReceived) -> None:
        """Somebody says something."""
        if event.own or event.channel is None or event.network not in self._factory.clients:
            return
        place = event.network, self._fold(event.network, event.channel)
        for waiting in self._waiting.get(place, ()):
            waiting.hear(event)
        if "://" in event.text and self._concerns_us(event, event.channel):
            addresses = self._new(place, find(event.text, ADDRESSES))
            if addresses and self._is_within_limits(event, place):
                self._remember(place, addresses)
                self._look_at(place, event, addresses)

    def _concerns_us(self, event: MessageReceived, channel: str) -> bool:
        if not self.switches.is_on(event.network, channel) or event.kind == "notice" or event.statusmsg:
            return False
        if event.user.bot or (event.message is not None and "bot" in event.message.tags):
            return False
        if _is_history(event.batch) or off_the_record(event.text) or self._is_command(event, channel):
            return False
        return not _is_of_relay(self._factory, event)

    def _is_command(self, event: MessageReceived, channel: str) -> bool:
        prefix = ICommands(self._factory).prefix(event.network, channel)
        if prefix and event.text.startswith(prefix):
            return True
        nick = self._factory.clients[event.network].state.nick
        addressed, colon = event.text[: len(nick)], event.text[len(nick) : len(nick) + 1]
        return colon in (":", ",") and self._fold(event.network, addressed) == self._fold(event.network, nick)

    def _new(self, place: Place, addresses: list[str]) -> list[str]:
        """Those that were not told there lately, and are not our own pages."""
        now = self._clock()
        own = IWeb(self._factory).url("/")
        return [
            address
            for address in addresses
            if self._told.get((place, _key(address)), now) <= now and not (own and address.startswith(own))
        ]

    def _is_within_limits(self, event: MessageReceived, place: Place) -> bool:
        now, limits = self._clock(), self._settings
        return (
            sum(map(len, self._waiting.values())) < UNDER_WAY
            and self._limits.count(("person", *person_of(event)), limits.person_limit, now) is Verdict.WITHIN
            and self._limits.count(("channel", *place), limits.channel_limit, now) is Verdict.WITHIN
        )

    def _remember(self, place: Place, addresses: list[str]) -> None:
        for address in addresses:
            self._told.pop((place, _key(address)), None)
            if len(self._told) >= TOLD:
                del self._told[next(iter(self._told))]
            self._told[place, _key(address)] = self._clock() + self._settings.again

    def _look_at(self, place: Place, event: MessageReceived, addresses: list[str]) -> None:
        waiting = _Waiting(event)
        self._waiting.setdefault(place, []).append(waiting)
        waiting.task = IScheduler(self._factory).spawn(self._tell(event, addresses, waiting))
        waiting.task.add_done_callback(lambda _: self._end(place, waiting))

    def _end(self, place: Place, waiting: _Waiting) -> None:
        self._waiting[place].remove(waiting)
        if not self._waiting[place]:
            del self._waiting[place]

    async def _tell(self, event: MessageReceived, addresses: list[str], waiting: _Waiting) -> None:
        titles, _ = await asyncio.gather(
            asyncio.gather(*(self._titles.of(address) for address in addresses)),
            self._sleep(self._settings.wait),
        )
        told = [title for title in titles if title is not None and not waiting.was_told(title.heart)]
        client = self._factory.clients.get(event.network)
        channel = event.channel
        if not told or client is None or channel is None or not self.switches.is_on(event.network, channel):
            return
        known = client.state.channel(channel)
        members = known.members if known is not None else {}
        room = client.state.room("PRIVMSG", channel)
        text = line(told, room, lambda word: client.state.fold(word) in members)
        try:
            IOutbox(self._factory).say(f"{event.network}/{channel}", text, max_age=MAX_AGE)
        except (OutboxFull, LookupError) as error:
            log.debug("a title was not said: %s", error)

    def _fold(self, network: str, channel: str) -> str:
        client = self._factory.clients.get(network)
        return client.state.fold(channel) if client is not None else channel.lower()


def _key(address: str) -> str:
    parts = split(address)
    return key(parts) if parts is not None else address


def _is_history(batch: Batch | None) -> bool:
    return batch is not None and (batch.type in HISTORY or _is_history(batch.parent))


def _is_of_relay(factory: Any, event: MessageReceived) -> bool:
    """Whether our own relay said it; its code is not loaded where it is not."""
    offered = sys.modules.get("plugins.relay.interfaces")
    relaying = None if offered is None else offered.IRelaying(factory, None)
    return relaying is not None and bool(relaying.is_ours(event))
