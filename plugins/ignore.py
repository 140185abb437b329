"""Keep people out: whom the bot ignores, where, and until when.

Publishes `IDiscriminating`. What ignored people say, react or invite to is dropped by a filter before any
plugin sees it; owners are never ignored, whatever the list says. Channel operators keep the list of their own
channel, admins every list. The list is stored on every change.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from zope.interface import implementer

from pynfo import (
    ChannelName,
    Duration,
    Flag,
    ICommands,
    IEvents,
    IStorage,
    Request,
    Rest,
    RetrievalError,
    command,
)
from pynfo.command import quoted
from pynfo.human_time import duration as human_duration
from pynfo.interfaces import Interface
from pynfo.irc.casemap import folder
from pynfo.irc.events import MessageReceived, TagsReceived, User, UserInvited
from pynfo.usermask import parse

if TYPE_CHECKING:
    from pynfo.irc.client import Client

# mypy: disable-error-code="misc, empty-body"

__version__ = "1"

MOST = 2000  # entries in all
MOST_IN_CHANNEL = 100  # of these, for one channel: its operators cannot fill the whole list
REASON_LENGTH = 200  # characters
VERDICTS = 4096  # answers of the list that are remembered
FIRST = 1000  # priority of the filters: nobody else needs to look at what is dropped
RULES_HERE = "a channel operator rules their own channel only; the rest is for admins"
STRANGER = User("\ufffd", "\ufffd", "\ufffd")  # fits only a mask that fits everybody

Fold = Callable[[str], str]


class Ignored(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `network` None: on all of them; `channel` None: in all of them, and in private.

    `mask` is without the network; `expires` is in seconds since the epoch, None: never.
    """

    mask: str
    network: str | None = None
    channel: str | None = None
    expires: float | None = None
    reason: str = ""
    by: str = ""

    @property
    def place(self) -> str:
        """Where it holds, for people: "everywhere", "on libera", "in libera/#pynfo"."""
        if self.network is None:
            return "everywhere"
        return f"in {self.network}/{self.channel}" if self.channel else f"on {self.network}"


Entries = list[Ignored]


class IDiscriminating(Interface):
    """Whom the bot does not listen to. Nothing here blocks; times are in seconds since the epoch."""

    def add(
        mask: str,
        network: str | None = None,
        channel: str | None = None,
        expires: float | None = None,
        reason: str = "",
        by: str = "",
    ) -> Ignored:
        """Ignore whoever fits `mask` (`pynfo.usermask`): on one network or on all, in one channel or all.

        The same mask in the same place replaces the entry. Raises `ValueError`, with one sentence, for a mask
        that cannot be read or fits everybody, an unknown network, and a full list.
        """

    def remove(mask: str, network: str | None = None, channel: str | None = None) -> bool:
        """Take the entry of exactly that mask and place away; False where there is none."""

    def list() -> Entries:
        """Every entry that holds, oldest first."""

    def discriminates(user: User, network: str | None = None, channel: str | None = None) -> bool:
        """Whether `user` is ignored in `channel`, or in private where that is None. Never for an owner.

        Without a network only what holds everywhere counts.
        """


def fits(entry: Ignored, user: User, network: str | None, channel: str | None, fold: Fold) -> bool:
    """Whether the entry means this user there, owner or not; `fold` folds names of that network."""
    if entry.network is not None and entry.network != network:
        return False
    if entry.channel is not None and (channel is None or fold(entry.channel) != fold(channel)):
        return False
    return parse(entry.mask).matches(network or "", user, fold)


@implementer(IDiscriminating)
class Discrimination:
    """The list of one factory, and the memory of whom it fits: every line of every channel passes here."""

    def __init__(self, factory: Any, clock: Callable[[], float] = time.time) -> None:
        self._factory = factory
        self._clock = clock
        self._verdicts: dict[tuple[str | None, str | None, User], bool] = {}
        try:
            stored = IStorage(factory).retrieve("ignore", __version__)
        except RetrievalError:
            stored = []
        self._keep(msgspec.convert(stored, list[Ignored]))

    def add(
        self,
        mask: str,
        network: str | None = None,
        channel: str | None = None,
        expires: float | None = None,
        reason: str = "",
        by: str = "",
    ) -> Ignored:
        entry = self._entry(mask, network, channel, expires=expires, reason=reason[:REASON_LENGTH], by=by)
        parsed = parse(entry.mask)
        if parsed.account is None and parsed.matches("", STRANGER, str.lower):
            raise ValueError("that would ignore everybody")
        if parsed.account is not None and entry.network is None and len(self._factory.clients) > 1:
            raise ValueError(f"an account belongs to one network: write NETWORK/{parsed}")
        others = [other for other in self.list() if not self._same(other, entry)]
        if len(others) >= MOST:
            raise ValueError(f"the ignore list is full: it holds {MOST:,} entries")
        if channel and sum(self._same_place(other, entry) for other in others) >= MOST_IN_CHANNEL:
            raise ValueError(f"the ignore list of {channel} is full: it holds {MOST_IN_CHANNEL} entries")
        self._store([*others, entry])
        return entry

    def remove(self, mask: str, network: str | None = None, channel: str | None = None) -> bool:
        sought = self._entry(mask, network, channel)
        entries = self.list()
        others = [other for other in entries if not self._same(other, sought)]
        if len(others) == len(entries):
            return False
        self._store(others)
        return True

    def list(self) -> Entries:
        self._forget_expired()
        return self._entries.copy()

    def discriminates(self, user: User, network: str | None = None, channel: str | None = None) -> bool:
        if not self._entries:
            return False
        self._forget_expired()
        place = (network, channel, user)
        verdict = self._verdicts.get(place)
        if verdict is None:
            fold = self._fold(network)
            verdict = any(fits(entry, user, network, channel, fold) for entry in self._entries)
            if len(self._verdicts) >= VERDICTS:
                self._verdicts.clear()
            self._verdicts[place] = verdict
        return verdict and not is_owner(self._factory, network, user)

    def _entry(self, mask: str, network: str | None, channel: str | None, **about: Any) -> Ignored:
        """An entry of that mask, which may itself name the network, in that place. Raises `ValueError`."""
        parsed = parse(mask)
        network = network or parsed.network
        if parsed.network not in (None, network):
            raise ValueError(f"the mask is for {parsed.network}, the place is on {network}")
        if network is not None and network not in self._factory.clients:
            raise ValueError(f"there is no network {quoted(network)}")
        if channel is not None and network is None:
            raise ValueError("a channel is on one network: name it")
        plain = str(msgspec.structs.replace(parsed, network=None))
        return Ignored(mask=plain, network=network, channel=channel, **about)

    def _fold(self, network: str | None) -> Fold:
        client: Client | None = self._factory.clients.get(network)
        return client.state.fold if client else folder("ascii")

    def _same_place(self, one: Ignored, other: Ignored) -> bool:
        fold = self._fold(one.network)
        return one.network == other.network and fold(one.channel or "") == fold(other.channel or "")

    def _same(self, one: Ignored, other: Ignored) -> bool:
        fold = self._fold(one.network)
        return fold(one.mask) == fold(other.mask) and self._same_place(one, other)

    def _forget_expired(self) -> None:
        """Entries whose time is over go; the store follows at the next change."""
        if self._next_expiry is not None and (now := self._clock()) >= self._next_expiry:
            self._keep([entry for entry in self._entries if entry.expires is None or entry.expires > now])

    def _keep(self, entries: Entries) -> None:
        self._entries = entries
        self._next_expiry = min((e.expires for e in entries if e.expires is not None), default=None)
        self._verdicts.clear()

    def _store(self, entries: Entries) -> None:
        self._keep(entries)
        IStorage(self._factory).store("ignore", __version__, msgspec.to_builtins(entries))


def init(factory: Any) -> None:
    """Offer the list, and let nothing of the people on it through."""
    factory.register_adapter(IDiscriminating, Discrimination)
    discriminates = IDiscriminating(factory).discriminates
    events = IEvents(factory)

    def heard(event: MessageReceived | TagsReceived) -> bool:
        return event.own or not discriminates(event.user, event.network, event.channel)

    def invited(event: UserInvited) -> bool:
        return not discriminates(event.by, event.network, event.channel)

    events.filter(heard, MessageReceived, priority=FIRST)
    events.filter(heard, TagsReceived, priority=FIRST)
    events.filter(invited, UserInvited, priority=FIRST)


def is_owner(factory: Any, network: str | None, user: User) -> bool:
    """Looked up at each use: the config can change, and so can a person's account."""
    return network is not None and ICommands(factory).role(network, user) == "owner"


@command(role="operator")
async def ignore(
    request: Request,
    mask: str,
    channel: ChannelName | None = None,
    duration: Duration | None = None,
    reason: Rest = "",
    network: Flag = False,
    everywhere: Flag = False,
) -> str:
    """Do not listen to MASK: a nick, nick!user@host with wildcards, or $a:ACCOUNT.

    It holds in this channel, or with --network on this network, or with --everywhere on all of them; admins
    may do the latter two, and write NETWORK/MASK for another network.
    Example: ignore *!*@spam.example 2h advertising
    """
    where, there = _place(request, mask, channel, network, everywhere)
    known = request.client.state.user(mask)
    if known is not None and is_owner(request.factory, request.network, known):
        raise request.error(f"{known.nick} is an owner, and owners are never ignored")
    now = time.time()
    expires = now + duration if duration else None
    try:
        entry = Ignored(mask=str(parse(mask)), network=where, channel=there)
        if fits(entry, request.user, request.network, there, request.client.state.fold):
            raise request.error("that would be you")
        by = request.user.nick
        entry = IDiscriminating(request.factory).add(mask, where, there, expires, reason, by)
    except ValueError as error:
        raise request.error(str(error)) from None
    return f"ignoring {describe(entry, now)}"


@command(role="operator")
async def unignore(
    request: Request,
    mask: str,
    channel: ChannelName | None = None,
    network: Flag = False,
    everywhere: Flag = False,
) -> str:
    """Listen to MASK again, in the place where it is ignored: this channel, or --network, or --everywhere.

    Example: unignore *!*@spam.example
    """
    where, there = _place(request, mask, channel, network, everywhere)
    ignoring = IDiscriminating(request.factory)
    try:
        if ignoring.remove(mask, where, there):
            return f"listening to {mask} again"
        plain = str(parse(mask)).lower()
    except ValueError as error:
        raise request.error(str(error)) from None
    elsewhere = [entry.place for entry in _shown(request) if entry.mask.lower() == plain]
    hint = f", but {', '.join(elsewhere[:5])}" if elsewhere else ""
    raise request.error(
        f"{mask} is not ignored {Ignored(mask=mask, network=where, channel=there).place}{hint}"
    )


@command(role="operator", private=True)
async def ignores(request: Request) -> str:
    """List who is ignored: in this channel, or, for admins, everywhere."""
    entries = _shown(request)
    if not entries:
        return "nobody is ignored"
    now = time.time()
    return f"{len(entries)} ignored: " + "; ".join(describe(entry, now) for entry in entries)


def describe(entry: Ignored, now: float) -> str:
    """An entry as people read it: "bob!*@* in libera/#pynfo for 2 hours (by alice: too loud)"."""
    left = f" for {human_duration(entry.expires - now)}" if entry.expires is not None else ""
    about = ": ".join(filter(None, (f"by {entry.by}" if entry.by else "", entry.reason)))
    return f"{entry.mask} {entry.place}{left}" + (f" ({about})" if about else "")


def _place(
    request: Request, mask: str, channel: str | None, network: bool, everywhere: bool
) -> tuple[str | None, str | None]:
    """The network and channel that is meant. Raises `CommandError` where the asker does not rule there."""
    if (channel is not None) + network + everywhere > 1:
        raise request.error("name one place: a channel, --network or --everywhere")
    other = mask.partition("/")[0]
    if other in request.factory.clients and other != request.network:
        if request.role == "operator":
            raise request.error(RULES_HERE)
        return None if everywhere else other, channel
    fold = request.client.state.fold
    channel = channel or (None if network or everywhere else request.channel)
    own = channel is not None and request.channel is not None and fold(channel) == fold(request.channel)
    if not own and request.role == "operator":
        raise request.error(RULES_HERE)
    return None if everywhere else request.network, channel


def _shown(request: Request) -> Entries:
    """The entries that the asker may see."""
    entries: Entries = IDiscriminating(request.factory).list()
    if request.role != "operator":
        return entries
    fold = request.client.state.fold
    here = (request.network, fold(request.channel or ""))
    return [entry for entry in entries if entry.channel and (entry.network, fold(entry.channel)) == here]
