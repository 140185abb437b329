"""Netsplits: many people who leave at once because two servers lost one another, told as one thing.

A quit is of a netsplit where it comes in a `netsplit` batch (IRCv3 "netsplit and netjoin batch types"), or
where its reason is the names of two servers, which servers do not let people write. Who was away in one and
comes again within ten minutes, or comes in a `netjoin` batch, is back and did not join.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from plugins.relay.gathering import CallLater, Gathering
from plugins.relay.summary import NAMED, Fold, Shown, people
from pynfo.irc.events import Batch, UserJoined, UserQuit

GATHERED = 10.0  # seconds in which those are counted together who leave, or come back
AWAY = 600.0  # seconds after which who comes again just joins
AWAY_LIMIT = 10_000  # people; those who left first are forgotten first

_SERVER = r"(?:\*|[A-Za-z0-9_-]{1,63})(?:\.[A-Za-z0-9_-]{1,63}){0,8}\.[A-Za-z]{2,63}"
_TWO_SERVERS = re.compile(f"{_SERVER} {_SERVER}")  # "*.net *.split" where a network hides its servers


class Netsplits:
    """Of one channel. What was taken is not to be told in another way."""

    def __init__(
        self, tell: Callable[[str, float], None], call_later: CallLater, *, shown: Shown, fold: Fold
    ) -> None:
        self._tell = tell
        self._shown = shown
        self._fold = fold
        self._away: dict[str, float] = {}  # when they left
        self._leaving = Gathering[str](GATHERED, self._tell_left, call_later)
        self._returning = Gathering[str](GATHERED, self._tell_back, call_later)

    @property
    def leaving(self) -> bool:
        """Whether people of a netsplit are being counted who left, so that the next one belongs to them."""
        return bool(self._leaving)

    def took_quit(self, event: UserQuit) -> bool:
        if not (_is_in(event.batch, "netsplit") or _TWO_SERVERS.fullmatch(event.reason)):
            return False
        if len(self._away) >= AWAY_LIMIT:
            del self._away[next(iter(self._away))]
        self._away[self._fold(event.user.nick)] = event.time
        self._leaving.add(event.user.nick, event.time)
        return True

    def took_join(self, event: UserJoined) -> bool:
        left = self._away.pop(self._fold(event.user.nick), None)
        in_time = left is not None and event.time - left <= AWAY
        if not in_time and not _is_in(event.batch, "netjoin"):
            return False
        self._leaving.close()  # that they left is told before that they are back
        self._returning.add(event.user.nick, event.time)
        return True

    def close(self) -> None:
        """Tell what is known so far."""
        self._leaving.close()
        self._returning.close()

    def _tell_left(self, nicks: list[str], time: float) -> None:
        self._tell(f"netsplit: {self._who(nicks)} left", time)

    def _tell_back(self, nicks: list[str], time: float) -> None:
        verb = "is" if len(nicks) == 1 else "are"
        self._tell(f"netsplit over: {self._who(nicks)} {verb} back", time)

    def _who(self, nicks: list[str]) -> str:
        return people(nicks, self._shown) if len(nicks) <= NAMED else f"{len(nicks)} people"


def _is_in(batch: Batch | None, kind: str) -> bool:
    while batch is not None and batch.type != kind:
        batch = batch.parent
    return batch is not None
