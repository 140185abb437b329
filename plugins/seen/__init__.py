"""When was somebody last here? `!seen alice` tells what they did last, when, where, and what they said.

It follows renames and accounts, and tells of nothing that the asker could not have seen: in private, of the
channels the asker is in; in a channel, of that one and of those of the asker's that are open to all, since
everybody reads the answer. Private messages, history that a server plays back, and what was said to the
operators of a channel only, do not count.

Where the plugin `logs` is loaded, what people want there holds here too: of those who opted out, and of lines
that are off the record, no words are kept. And it knows the last words of those who were here before us, and
of those on other networks whose words a relay brings (`alice@oftc`): these are not seen here themselves.

`sightings.py` keeps who was seen, `answers.py` words the answers; this file joins them to IRC.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable, Iterator
from typing import Annotated, Any

import msgspec
from zope.interface import implementer

from plugins.seen.answers import View, about, follow, last_words, matches
from plugins.seen.sightings import SHARDS, Person, Sighting, Sightings
from pynfo import IEvents, IScheduler, IStorage, Request, RetrievalError, command
from pynfo.interfaces import Interface
from pynfo.irc.events import (
    ChannelRenamed,
    MessageReceived,
    MessageRedacted,
    User,
    UserChanged,
    UserJoined,
    UserKicked,
    UserParted,
    UserQuit,
    UserRenamed,
)

# mypy: disable-error-code="misc, empty-body"

__version__ = "1"

STORE_AFTER = 0.25  # seconds that changes are gathered before they are stored
HEARD = 1000  # people in channels whose last words wait to be taken in
NICK_LENGTH = 64  # characters of a nick or a pattern
WILD = frozenset("*?")
CLOSED = frozenset("spik")  # modes of channels that not everybody may look into: secret, private, invite, key


class Settings(msgspec.Struct):
    """`people`: about how many are remembered on each network."""

    people: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 50_000


class ISightings(Interface):
    """Who was last seen, network by network."""

    def on(network: str) -> Sightings:
        """The sightings of one network. Raises `KeyError` where there is no such network."""

    def store() -> None:
        """Store what has changed, now."""

    async def forget(
        network: str, *, account: str | None = None, nicks: Collection[str] = (), since: float = 0.0
    ) -> None:
        """*await*: forget what an account did; without one, what `nicks` did since then (UTC epoch seconds).

        Nothing of it is left in a file. Nothing happens where there is no such network.
        """

    async def forget_words(network: str, lines: Iterable[Any]) -> None:
        """*await*: forget what was said; that somebody spoke remains.

        A line has `nick`, `channel`, `text` and `msgid`, which may be None.
        """


@implementer(ISightings)
class Watch:
    """Fills the sightings of every network from its events, and stores them shard by shard."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory
        self._storage = IStorage(factory)
        self._limit = factory.settings("seen").people
        self._networks: dict[str, Sightings] = {}
        self._heard: dict[tuple[str, str, str], MessageReceived] = {}  # not taken in yet, latest last
        self._redacted = False  # something was, and is to leave the files too
        self._stir = asyncio.Event()

    def on(self, network: str) -> Sightings:
        if self._heard:
            self._take_in()
        return self._on(network)

    def _on(self, network: str) -> Sightings:
        sightings = self._networks.get(network)
        if sightings is None:
            clients = self._factory.clients
            if network not in clients:
                raise KeyError(network)
            sightings = Sightings(self._limit, lambda name: clients[network].state.fold(name))
            for shard in range(SHARDS):
                try:
                    sightings.load(shard, self._storage.retrieve(_key(network, shard), __version__))
                except RetrievalError:
                    continue
            self._networks[network] = sightings
        return sightings

    def store(self) -> None:
        for _ in self._stored_one_by_one():
            pass

    def _stored_one_by_one(self) -> Iterator[None]:
        self._take_in()
        for network, sightings in list(self._networks.items()):
            while sightings.changed:
                shard = sightings.changed.pop()
                self._storage.store(_key(network, shard), __version__, sightings.dump(shard))
                yield

    async def forget(
        self, network: str, *, account: str | None = None, nicks: Collection[str] = (), since: float = 0.0
    ) -> None:
        if network in self._factory.clients:
            self.on(network).forget(account, nicks, since)
            await self._expunge()

    async def forget_words(self, network: str, lines: Iterable[Any]) -> None:
        if network in self._factory.clients:
            sightings = self.on(network)
            for line in lines:
                sightings.redact_words(line.nick, line.channel, line.text)
                if line.msgid:
                    sightings.redact(line.msgid)
            await self._expunge()

    async def _expunge(self) -> None:
        self.store()
        await self._storage.expunge()

    async def keep_storing(self) -> None:
        """Store what changes, a moment later; other work has its turn between the shards."""
        while True:
            await self._stir.wait()
            await asyncio.sleep(STORE_AFTER)
            self._stir.clear()
            for _ in self._stored_one_by_one():
                await asyncio.sleep(0)
            if self._redacted:
                self._redacted = False
                await self._storage.expunge()

    async def stop(self) -> None:
        """The adapter goes: what is not stored yet is stored now."""
        self.store()

    # -- events

    def message(self, event: MessageReceived) -> None:
        """Of what somebody says in a channel only the last counts: it is taken in when it is wanted."""
        channel = event.channel
        if event.own or channel is None or event.statusmsg:
            return
        heard, key = self._heard, (event.network, event.user.nick, channel)
        heard.pop(key, None)
        heard[key] = event
        if len(heard) == 1:
            self._stir.set()
        elif len(heard) > HEARD:
            self._take_in()

    def _take_in(self) -> None:
        heard, self._heard = self._heard, {}
        for (network, _, channel), event in heard.items():
            if network in self._factory.clients:
                self._on(network).saw(
                    event.user,
                    channel,
                    "did" if event.kind == "action" else "said",
                    event.time,
                    text=self._words(network, event.user, event.text),
                    msgid=event.msgid or "",
                )

    def _words(self, network: str, user: User, text: str) -> str:
        """What somebody said, or "" where they do not want it to be kept."""
        archive = archive_of(self._factory)
        if archive is None or not text:
            return text
        from plugins.logs.relayed import spoken
        from pynfo.off_the_record import off_the_record

        relayed = spoken(text)
        private = off_the_record(text) or (relayed is not None and off_the_record(relayed.text))
        return "" if private or archive.is_out(network, user) else text

    def joined(self, event: UserJoined) -> None:
        if not event.own:
            self.on(event.network).saw(event.user, event.channel, "joined", event.time)
            self._stir.set()

    def parted(self, event: UserParted) -> None:
        if not event.own:
            reason = self._words(event.network, event.user, event.reason)
            self.on(event.network).saw(event.user, event.channel, "left", event.time, text=reason)
            self._stir.set()

    def kicked(self, event: UserKicked) -> None:
        if not event.own:
            reason = self._words(event.network, event.by, event.reason)
            self.on(event.network).saw(
                event.user, event.channel, "kicked", event.time, text=reason, other=event.by.nick
            )
            self._stir.set()

    def quit(self, event: UserQuit) -> None:
        if not event.own:
            sightings = self.on(event.network)
            reason = self._words(event.network, event.user, event.reason)
            for channel in event.channels:
                sightings.saw(event.user, channel, "quit", event.time, text=reason)
            self._stir.set()

    def renamed(self, event: UserRenamed) -> None:
        if not event.own:
            self.on(event.network).rename(event.user, event.old_nick, event.channels, event.time)
            self._stir.set()

    def changed(self, event: UserChanged) -> None:
        if event.user.account != event.old.account:
            self.on(event.network).logged_in(event.user.nick, event.user.account)
            self._stir.set()

    def redacted(self, event: MessageRedacted) -> None:
        self.on(event.network).redact(event.msgid)
        self._redacted = True
        self._stir.set()

    def channel_renamed(self, event: ChannelRenamed) -> None:
        self.on(event.network).rename_channel(event.old_channel, event.channel)
        self._stir.set()


def init(factory: Any) -> None:
    """Watch who comes, speaks and goes."""
    factory.register_adapter(ISightings, Watch)
    watch = ISightings(factory)
    subscribe = IEvents(factory).subscribe
    subscribe(MessageReceived, watch.message)
    subscribe(UserJoined, watch.joined)
    subscribe(UserParted, watch.parted)
    subscribe(UserKicked, watch.kicked)
    subscribe(UserQuit, watch.quit)
    subscribe(UserRenamed, watch.renamed)
    subscribe(UserChanged, watch.changed)
    subscribe(MessageRedacted, watch.redacted)
    subscribe(ChannelRenamed, watch.channel_renamed)
    IScheduler(factory).spawn(watch.keep_storing())


@command
async def seen(request: Request, nick: str) -> str:
    """Tell when NICK was last seen, where, and what they said. With * and ? in it: the latest that fit.

    Example: seen ali*
    """
    nick = nick.rstrip(":,")
    if not nick or len(nick) > NICK_LENGTH:
        raise request.error(f"a nick has 1 to {NICK_LENGTH} letters")
    fold = request.client.state.fold
    if fold(nick) == fold(request.client.state.nick):
        return "I am here"
    if fold(nick) == fold(request.user.nick):
        return f"you are here, {request.user.nick}"
    view = view_of(request)
    if not view.channels:
        raise request.error("we share no channel, so there is nobody I could tell you about")
    sightings = ISightings(request.factory).on(request.network)
    if not WILD.isdisjoint(nick):
        return matches(sightings, nick, view, time.time())
    trail = follow(sightings, nick, view)
    logged = await last_logged(request, nick, view, trail) if last_words(trail, view) is None else None
    return about(sightings, nick, view, time.time(), logged)


def archive_of(factory: Any) -> Any:
    """What the plugin `logs` keeps; None where it is not loaded: then not even its code is."""
    if "logs" not in factory.plugins.loaded:
        return None
    from plugins.logs.interfaces import IArchive

    return IArchive(factory, None)


async def last_logged(
    request: Request, nick: str, view: View, trail: Iterable[Person]
) -> tuple[str, Sighting] | None:
    """The nick, and the last words that the log has of it in the channels of the view.

    `trail`: who of that nick was seen. Somebody on another network is another, and told of as `alice@oftc`
    only where there is nobody of that nick here.
    """
    archive = archive_of(request.factory)
    if archive is None:
        return None
    from plugins.logs.interfaces import ArchiveBusy

    places = [f"{request.network}/{channel}" for channel in view.channels.values()]
    try:
        line = await archive.last_by(request.network, nick, places)
    except ArchiveBusy:
        return None
    if line is None:
        return None
    name = line.nick
    if line.origin is not None:
        if view.present(nick) or any(view.seen(person) for person in trail):
            return None
        name = f"{line.nick}@{line.origin}"
    kind = "did" if line.kind == "action" else "said"
    return name, Sighting(line.time, kind, view.fold(line.channel), line.text)


def view_of(request: Request) -> View:
    """The channels that the answer may tell of, by who is in them at this moment."""
    state = request.client.state
    fold = state.fold
    here = fold(request.channel) if request.channel else None
    channels = {}
    for name in state.shared_channels(request.user.nick):
        channel = state.channel(name)
        if channel and (here in (None, fold(name)) or CLOSED.isdisjoint(channel.modes)):
            channels[fold(name)] = channel.name

    def present(nick: str) -> list[str]:
        shared = [fold(name) for name in state.shared_channels(nick)]
        shared.sort(key=lambda name: name != here)
        return [channels[name] for name in shared if name in channels]

    return View(channels, here, present, fold)


def _key(network: str, shard: int) -> str:
    return f"seen/{network}/{shard:02x}"
