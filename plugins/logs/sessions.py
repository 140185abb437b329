"""Since when the people without an account are here, and under which nicks.

Somebody without an account can only be asked for what they said in this session of theirs: from when we first
saw them, through their changes of nick, until they leave the last channel we share, quit, or we lose the
network. In memory, and bounded: past `LIMIT` those who did nothing for the longest time are forgotten.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from plugins.logs.archive.records import Person
from pynfo.interfaces import Interface
from pynfo.irc.events import User

# mypy: disable-error-code="misc, empty-body"

LIMIT = 20_000  # people, of all networks together
NICKS = 20  # of one person, past which the oldest are forgotten


class ISessions(Interface):
    """Who somebody is to the archive."""

    def person_of(network: str, user: User) -> Person:
        """The `Person` that a `User` is: by account, or by what they did in this session."""


class _Session(msgspec.Struct):
    since: float  # UTC epoch seconds
    nicks: list[str]


class Sessions:
    """`fold(network, nick)` folds nicks, `identity(user)` is the archive's, `clock` gives UTC epoch
    seconds."""

    def __init__(
        self,
        fold: Callable[[str, str], str],
        identity: Callable[[User], bytes],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._fold = fold
        self._identity = identity
        self._clock = clock
        self._sessions: OrderedDict[tuple[str, str], _Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def person_of(self, network: str, user: User) -> Person:
        """See `ISessions`. Where we have not seen them do anything, there is nothing of theirs."""
        if user.account:
            return Person(account=user.account)
        session = self._sessions.get((network, self._fold(network, user.nick)))
        nicks = (*session.nicks, user.nick) if session else (user.nick,)
        return Person(
            nicks=tuple(dict.fromkeys(nicks)),
            identity=self._identity(user),
            since=session.since if session else self._clock(),
        )

    def knows(self, network: str, nick: str) -> bool:
        """Whether somebody of that nick did something in this session of theirs."""
        return (network, self._fold(network, nick)) in self._sessions

    def saw(self, network: str, nick: str, when: float) -> None:
        """Somebody did something."""
        key = network, self._fold(network, nick)
        session = self._sessions.get(key)
        if session is None:
            self._sessions[key] = _Session(when, [nick])
            if len(self._sessions) > LIMIT:
                self._sessions.popitem(last=False)
        else:
            self._sessions.move_to_end(key)

    def renamed(self, network: str, old: str, new: str, when: float) -> None:
        """Somebody has another nick."""
        self.saw(network, old, when)
        session = self._sessions.pop((network, self._fold(network, old)))
        session.nicks = [*(nick for nick in session.nicks if nick != new), new][-NICKS:]
        self._sessions[network, self._fold(network, new)] = session

    def left(self, network: str, nick: str) -> None:
        """Somebody is out of sight: whoever has that nick next may be somebody else."""
        self._sessions.pop((network, self._fold(network, nick)), None)

    def keep(self, network: str, present: Callable[[str], bool]) -> None:
        """Of a network, only those are still in sight of whose nick `present` says so."""
        here = [(key, session) for key, session in self._sessions.items() if key[0] == network]
        for key, session in here:
            if not present(session.nicks[-1]):
                del self._sessions[key]
