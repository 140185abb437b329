"""`IPeople`: what people told of themselves. It is theirs: only they are told it, and it can be forgotten.

Somebody who is logged in to services is known by their account, over restarts. Somebody who is not is known
only as long as we see them in a channel: whoever has their nick later may be somebody else.
"""

from __future__ import annotations

from typing import Any

import msgspec
from zope.interface import implementer

from plugins.weather.interfaces import IPeople
from plugins.weather.report import Place
from plugins.weather.units import Choice
from pynfo import IEvents, IStorage, RetrievalError
from pynfo.irc.events import NetworkDown, User, UserKicked, UserParted, UserQuit, UserRenamed

KEY = "weather/people"
VERSION = "1"
PASSING = 1000  # people who are not logged in; the one who chose first is forgotten first


class Choices(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody chose. None: nothing. `share`: the weather of their place may be told in channels."""

    place: Place | None = None
    units: Choice | None = None
    emoji: bool | None = None
    share: bool = False


NOTHING = Choices()


@implementer(IPeople)
class People:
    """See `IPeople`. At most as many people as the setting says: who chose longest ago is forgotten first."""

    def __init__(self, factory: Any) -> None:
        self._clients = factory.clients
        self._storage = IStorage(factory)
        self._limit = factory.settings("weather").people
        self._passing: dict[tuple[str, str], Choices] = {}  # by network and folded nick
        try:
            stored = self._storage.retrieve(KEY, VERSION)
        except RetrievalError:
            stored = {}
        self._lasting = msgspec.convert(stored, dict[str, Choices])  # by network/account
        subscribe = IEvents(factory).subscribe
        subscribe(UserRenamed, self._renamed)
        subscribe((UserParted, UserKicked, UserQuit), self._gone)
        subscribe(NetworkDown, self._lost)

    def known(self, network: str, user: User) -> Choices:
        if self.lasting(user):
            return self._lasting.get(self._account(network, user), NOTHING)
        return self._passing.get(self._nick(network, user.nick), NOTHING)

    def lasting(self, user: User) -> bool:
        return bool(user.account)

    def choose(self, network: str, user: User, **choices: Any) -> bool:
        chosen = msgspec.structs.replace(self.known(network, user), **choices)
        if self.lasting(user):
            _put(self._lasting, self._account(network, user), chosen, self._limit)
            self._store()
            return True
        if not self._clients[network].state.shared_channels(user.nick):
            raise LookupError(f"{user.nick} on {network} is in no channel of ours")
        _put(self._passing, self._nick(network, user.nick), chosen, PASSING)
        return False

    async def forget(self, network: str, user: User) -> bool:
        passing = self._passing.pop(self._nick(network, user.nick), None)
        if not self.lasting(user) or self._lasting.pop(self._account(network, user), None) is None:
            return passing is not None
        self._store()
        await self._storage.expunge()
        return True

    def _store(self) -> None:
        self._storage.store(KEY, VERSION, msgspec.to_builtins(self._lasting))

    def _account(self, network: str, user: User) -> str:
        return f"{network}/{self._clients[network].state.fold(user.account or '')}"

    def _nick(self, network: str, nick: str) -> tuple[str, str]:
        return network, self._clients[network].state.fold(nick)

    # -- who is not logged in comes and goes

    def _renamed(self, event: UserRenamed) -> None:
        choices = self._passing.pop(self._nick(event.network, event.old_nick), None)
        if choices is not None:
            self._passing[self._nick(event.network, event.user.nick)] = choices

    def _gone(self, event: UserParted | UserKicked | UserQuit) -> None:
        state = self._clients[event.network].state
        nicks = [event.user.nick]
        if event.own:  # then we see nobody there any more
            nicks = [nick for network, nick in self._passing if network == event.network]
        for nick in nicks:
            if not state.shared_channels(nick):
                self._passing.pop(self._nick(event.network, nick), None)

    def _lost(self, event: NetworkDown) -> None:
        self._passing = {key: choices for key, choices in self._passing.items() if key[0] != event.network}


def _put(choices: dict[Any, Choices], key: Any, chosen: Choices, limit: int) -> None:
    """The latest choice stands last."""
    choices.pop(key, None)
    if len(choices) >= limit:
        del choices[next(iter(choices))]
    choices[key] = chosen
