"""The nick we want, and how we come (back) to it. Sans-IO: time and randomness are handed in.

Before 001 a refused nick is answered with the next alternate, then with made-up ones. After that we ask for
the wanted one as soon as MONITOR or ISON tells that it is free, or its holder is seen to go, and again after
`RETRY`, ever slower, where the server refuses it. Renamed by somebody else's hand, we wait before that, and
longer each time, so that we do not fight the network's services. The operator is told under `network/nick`.

Sources: RFC 2812 sections 3.1.2, 4.9 and 5.2; IRCv3 "Monitor".
"""

from __future__ import annotations

import time as wall
from collections.abc import Callable, Sequence
from random import Random

from pynfo.irc.events import Event, OperatorNotice
from pynfo.irc.isupport import ISupport
from pynfo.irc.message import MalformedMessage, Message
from pynfo.irc.state import State

ISON_EVERY = 60.0  # seconds
ANSWER_LIMIT = 60.0  # seconds for the server to answer NICK
RETRY = 60.0  # seconds after a refusal, doubled by each further one
RETRY_LIMIT = 1800.0  # seconds
MADE_UP_LIMIT = 20  # nicks that we make up in one registration
SAFE_NICKLEN = 9  # characters that every server allows (RFC 1459 section 1.2)
NICK_BYTES = 64  # beyond what any server allows
LAST_RESORT = "bot"  # what made-up nicks begin with where the server calls ours erroneous

ERRONEOUS = "432"
TAKEN = frozenset({"433", "436"})  # in use, collision
UNAVAILABLE = "437"  # of a nick or a channel
# Also: banned or too fast change of nick, not while +N, restricted.
REFUSALS = TAKEN | {ERRONEOUS, UNAVAILABLE, "435", "438", "447", "484"}


class NickKeeper:
    """`wanted` is the nick that we want, on this connection and the next; `alternates` come second."""

    def __init__(
        self,
        send: Callable[[Message], None],
        nick: str,
        alternates: Sequence[str],
        random: Random,
        *,
        clock: Callable[[], float] = wall.time,
    ) -> None:
        self.wanted = nick
        self._send = send
        self.alternates = alternates
        self._random = random
        self._clock = clock  # UTC in seconds since the epoch, for events
        self._state: State | None = None
        self._forget()

    def _forget(self) -> None:
        """A new connection: nothing has been tried on it."""
        self._welcomed = False
        self._refused_nicks = 0
        self._erroneous = False
        self._regaining = False
        self._monitored: str | None = None  # the nick that the server watches for us
        self._monitor_full = False
        self._asked_ison = False
        self._asked = False  # NICK is out
        self._failures = 0
        self._renamings = 0  # by somebody else's hand
        self._not_before = float("-inf")
        self._due: float | None = None

    # -- what we are asked for

    def want(self, nick: str) -> None:
        """Be called so from now on; the NICK goes out at the next `tick`. Raises `ValueError`."""
        if (
            not nick
            or len(nick.encode(errors="replace")) > NICK_BYTES
            or nick[0] in "#&+:$"
            or any(letter <= " " or letter in "!@,*?" for letter in nick)
        ):
            raise ValueError(f"{nick!r} is not a nick")
        self.wanted = nick
        self._failures = 0
        self._not_before = float("-inf")
        self._regaining = self._asked = False
        if self._welcomed:
            self._due = float("-inf")

    def start(self, state: State, isupport: ISupport, now: float) -> list[Event]:
        """Registration is complete: if we are not called as we want, see to it."""
        self._welcomed = True
        if self._has_it(state, isupport):
            return []
        self._regain(state, isupport, now)
        return [self._notice(state, "it is taken or refused; we take it back when it is free")]

    # -- time

    def deadline(self) -> float | None:
        """When `tick` is wanted at the latest (monotonic seconds)."""
        return self._due

    def tick(self, now: float) -> list[Event]:
        """Ask for the nick, or whether it is free, where that is due."""
        state = self._state
        if state is None or self._due is None or now < self._due:
            return []
        self._due = None
        self._asked = False
        if self._has_it(state, state.isupport):
            self._rest()
        elif self._regaining and self._monitored is None and not state.is_me(self.wanted):
            self._ask_ison(now)
        else:
            self._take(now)
        return []

    # -- what we hear

    def receive(self, message: Message, state: State, isupport: ISupport, now: float) -> list[Event]:
        """Take in a line that `state` has already taken in. Raises `MalformedMessage`."""
        if state is not self._state:
            self._state = state
            self._forget()
        command, params = message.command, message.params
        if command in REFUSALS:
            if len(params) < 2:
                raise MalformedMessage(f"{command} with {len(params)} parameters")
            if not self._welcomed:
                return self._next_nick(command, state)
            return self._refused(message, state, isupport, now)
        if command == "001":
            self._welcomed = True
        elif command == "NICK" or command == "QUIT":
            return self._seen_to_go(message, state, isupport, now)
        elif command == "731" and self._regaining and self._names(params[-1:], state, ","):
            self._take(now)
        elif command == "303" and self._asked_ison:
            self._asked_ison = False
            if self._regaining and not self._names(params[-1:], state, " "):
                self._take(now)
        elif command == "734" and self._monitored is not None:
            self._monitored = None
            self._monitor_full = True
            self._due = now
        return []

    def _next_nick(self, command: str, state: State) -> list[Event]:
        """Before 001: try another one. None of them is more than what every server allows."""
        self._erroneous = self._erroneous or command == ERRONEOUS
        count = self._refused_nicks
        self._refused_nicks += 1
        if count < len(self.alternates):
            self._send(Message("NICK", [self.alternates[count]]))
            return []
        made_up = count - len(self.alternates)
        if made_up >= MADE_UP_LIMIT:
            return [self._notice(state, "the network refuses that and every nick like it")]
        suffix = "_" if made_up == 0 else str(self._random.randrange(1000))
        root = LAST_RESORT if self._erroneous else self.wanted
        self._send(Message("NICK", [root[: SAFE_NICKLEN - len(suffix)] + suffix]))
        return []

    def _refused(self, message: Message, state: State, isupport: ISupport, now: float) -> list[Event]:
        if not self._asked or (message.command == UNAVAILABLE and isupport.is_channel(message.params[1])):
            return []
        self._asked = False
        wait = min(RETRY_LIMIT, RETRY * 2 ** min(self._failures, 10)) * self._random.uniform(0.75, 1.0)
        self._failures += 1
        if message.command not in TAKEN:  # that it is free tells nothing
            self._not_before = now + wait
        began = not self._regaining
        if began:
            self._regain(state, isupport, now)
        self._due = now + wait
        if not began:
            return []
        return [self._notice(state, f"the network refuses that: {message.params[-1][:200]}")]

    def _seen_to_go(self, message: Message, state: State, isupport: ISupport, now: float) -> list[Event]:
        """QUIT or NICK, of ours or of whoever may hold the nick that we want."""
        renamed = message.command == "NICK" and bool(message.params)
        if renamed and state.is_me(message.params[0]):
            return self._renamed(state, isupport, now)
        wanted = state.fold(self.wanted)
        stays = renamed and state.fold(message.params[0]) == wanted
        if self._regaining and not stays and state.fold(message.nick) == wanted:
            self._take(now)
        return []

    def _renamed(self, state: State, isupport: ISupport, now: float) -> list[Event]:
        asked, self._asked = self._asked, False
        if self._has_it(state, isupport):
            self._rest()
            return []
        if self._regaining or asked or not self._welcomed:
            return []
        wait = min(RETRY_LIMIT, RETRY * 2 ** min(self._renamings, 10))
        self._renamings += 1
        self._not_before = now + wait
        self._regain(state, isupport, now)
        return [self._notice(state, "the network has renamed us")]

    # -- what we do

    def _has_it(self, state: State, isupport: ISupport) -> bool:
        """Whether we are called as we want, or so much of it as the server has room for."""
        return state.nick == self.wanted[: isupport.nicklen]

    def _rest(self) -> None:
        if self._monitored is not None:
            self._send(Message("MONITOR", ["-", self._monitored]))
        self._monitored = None
        self._regaining = self._asked_ison = False
        self._failures = 0
        self._due = None

    def _regain(self, state: State, isupport: ISupport, now: float) -> None:
        self._regaining = True
        if state.is_me(self.wanted):  # ours but for its case
            self._due = now
        elif isupport.monitor is None or self._monitor_full:
            self._ask_ison(now)
        else:
            if self._monitored not in (None, self.wanted):
                self._send(Message("MONITOR", ["-", self._monitored or ""]))
            self._monitored = self.wanted
            self._send(Message("MONITOR", ["+", self.wanted]))

    def _ask_ison(self, now: float) -> None:
        self._asked_ison = True
        self._due = now + ISON_EVERY * self._random.uniform(0.75, 1.0)
        self._send(Message("ISON", [self.wanted]))

    def _take(self, now: float) -> None:
        """Ask for the nick, unless it is too early for that."""
        if now < self._not_before:
            self._due = self._not_before
            return
        if self._asked:
            return
        self._asked = True
        self._due = now + ANSWER_LIMIT
        self._send(Message("NICK", [self.wanted]))

    def _names(self, params: Sequence[str], state: State, separator: str) -> bool:
        """Whether the nick that we want is among these; some servers give them as masks."""
        nicks = (item.partition("!")[0] for param in params for item in param.split(separator))
        return state.fold(self.wanted) in map(state.fold, nicks)

    def _notice(self, state: State, text: str) -> OperatorNotice:
        network = state.network
        return OperatorNotice(
            network=network,
            time=self._clock(),
            matter=f"{network}/nick",
            text=f"{network}: called {state.nick}, not {self.wanted}: {text}",
        )
