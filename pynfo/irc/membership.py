"""The channels we should be in, and how we come (back) into them. Sans-IO: time and randomness are handed in.

- Kicked, or parted by somebody else's hand: back after `REJOIN_DELAY`, `QUICK_REJOINS` times in
  `REJOIN_WINDOW`, then as after a refusal. A stay of `HELD` makes all of that forgotten.
- Refused (banned, full, key, invitation, +r, …) or not answered: again after `RETRIES`, ever slower; at once
  when invited, and, where it was for the lack of a login, when logged in.
- Forwarded (470): we stay where the server put us, and ask for the channel itself on the next connection.
- Invited to a channel that is not ours: joined where `join_on_invite`, and not fought for.

The operator is told of what keeps us out under the matter `network/#channel/join`, the name as configured.

Sources: RFC 2812 sections 3.2.1 and 5.2; Modern IRC, "JOIN message"; IRCv3 draft "channel-rename".
"""

from __future__ import annotations

import time as wall
from collections.abc import Callable, Iterable
from random import Random

import msgspec

from pynfo.irc.casemap import folder
from pynfo.irc.events import Event, JoinFailed, OperatorNotice
from pynfo.irc.message import MalformedMessage, Message
from pynfo.irc.settings import ChannelSettings, Secret, reveal
from pynfo.irc.state import State

REJOIN_DELAY = 5.0  # seconds, and up to as many again by chance
QUICK_REJOINS = 5
REJOIN_WINDOW = 600.0  # seconds
HELD = 600.0  # seconds in a channel after which it counts as ours again
RETRIES = (60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0)  # seconds; the last one goes on
ANSWER_LIMIT = 180.0  # seconds for a JOIN to be answered, its wait for the pace included
INVITE_EVERY = 5.0  # seconds between two joins that others can cause
INVITED_LIMIT = 50  # channels that others may have us in
LIST_LIMIT = 10  # channels in one JOIN where TARGMAX tells nothing of it

REFUSALS = {
    "403": "there is no such channel",
    "405": "we are in too many channels",
    "407": "too many channels at once",
    "437": "the channel is unavailable",
    "471": "the channel is full",
    "473": "only for invited people",
    "474": "we are banned",
    "475": "the key is wrong",
    "476": "not a name for a channel",
    "477": "only for people who are logged in",
    "479": "not a name for a channel",
    "480": "too many joins just now",
    "489": "only over TLS",
    "520": "only for IRC operators",
    "609": "too many joins just now",
}
LOGIN_NEEDED = "477"


class _Pursuit(msgspec.Struct):
    """How far we are with one channel. Times are monotonic seconds.

    `due`: when to act next, None where we are in. `asked`: a JOIN is out, and `due` is when its answer is
    late. `failures` in a row; `refusal`: the numeric of the last one; `joined`: since when we are in;
    `kicks`: when we were put out; `forward`: the folded name of the channel that the server put us into
    instead; `invited`: we are there only because somebody asked us.
    """

    due: float | None = None
    asked: bool = False
    failures: int = 0
    refusal: str = ""
    joined: float | None = None
    kicks: list[float] = []
    forward: str | None = None
    invited: bool = False


class Membership:
    """Keeps us in `wanted`, which maps folded names to settings."""

    def __init__(
        self,
        send: Callable[[Message], None],
        channels: Iterable[ChannelSettings],
        random: Random,
        *,
        join_on_invite: bool = False,
        clock: Callable[[], float] = wall.time,
    ) -> None:
        self.wanted: dict[str, ChannelSettings] = {}
        self.join_on_invite = join_on_invite
        self._send = send
        self._random = random
        self._clock = clock  # UTC in seconds since the epoch, for events
        self._fold = folder("rfc1459")  # until a server tells
        self._state: State | None = None  # of the connection on which we may join
        self._pursuits: dict[str, _Pursuit] = {}  # the keys are those of `wanted`
        self._deadline: float | None = None
        self._next_invite = float("-inf")
        self._configured: dict[str, ChannelSettings] = {}
        self._handlers: dict[str, tuple[int, Callable[[Message, State, float], list[Event]]]] = {
            "JOIN": (1, self._joined),
            "PART": (1, self._parted),
            "KICK": (2, self._kicked),
            "INVITE": (2, self._invited),
            "RENAME": (2, self._renamed),
            "470": (3, self._forwarded),
            "900": (0, self._logged_in),
            **dict.fromkeys(REFUSALS, (3, self._refused)),
        }
        self.set_wanted(channels)

    # -- what we are asked for

    def start(self, state: State, now: float) -> None:
        """From now on, on this connection: join all channels."""
        self._state = state
        self._fold = state.fold
        pursuits = [(self.wanted[key], pursuit.invited) for key, pursuit in self._pursuits.items()]
        self._configured = {self._fold(channel.name): channel for channel in self._configured.values()}
        self.wanted = {self._fold(settings.name): settings for settings, _ in pursuits}
        self._pursuits = {
            self._fold(settings.name): _Pursuit(invited=invited) for settings, invited in pursuits
        }
        self._join([key for key in self.wanted if key not in state.channels], now)
        self._plan()

    def stop(self) -> None:
        """The connection is gone: nothing is sent until `start`."""
        self._state = None
        self._deadline = None

    def join(self, name: str, key: str | Secret | None = None) -> None:
        """Be in a channel from now on; the JOIN goes out at the next `tick`. Raises `ValueError`."""
        chantypes = self._state.isupport.chantypes if self._state else "#&+!"
        # "JOIN 0" leaves every channel, and a comma begins the next name (RFC 2812 section 3.2.1).
        if name[:1] not in chantypes or len(name) < 2 or any(letter in " ,\a\0\r\n" for letter in name):
            raise ValueError(f"{name!r} is not a name for a channel")
        self._want(ChannelSettings(name, key))

    def part(self, name: str, reason: str = "") -> None:
        """Leave a channel, or where it forwarded us to, and stay out."""
        wanted = self._find(self._fold(name))
        pursuit = self._pursuits.pop(wanted, None) if wanted else None
        if wanted:
            del self.wanted[wanted]
        self._plan()
        if self._state is None:
            return
        key = pursuit.forward if pursuit and pursuit.forward else self._fold(name)
        if key in self.wanted:  # forwarded to another one of ours
            return
        channel = self._state.channels.get(key)
        if channel is not None or (pursuit is not None and pursuit.asked):
            self._send(Message("PART", [channel.name if channel else name, *([reason] if reason else [])]))

    def set_wanted(self, channels: Iterable[ChannelSettings]) -> None:
        """The configuration has changed: join and part the difference. Channels joined otherwise stay."""
        before = self._configured
        self._configured = {self._fold(channel.name): channel for channel in channels}
        for key, settings in before.items():
            if key not in self._configured:
                self.part(settings.name)
        for key, settings in self._configured.items():
            if before.get(key) != settings:
                self._want(settings)

    def _want(self, settings: ChannelSettings, *, invited: bool = False) -> None:
        key = self._fold(settings.name)
        self.wanted[key] = settings
        self._pursuits[key] = pursuit = _Pursuit(invited=invited)
        if self._state is not None and key not in self._state.channels:
            pursuit.due = float("-inf")
        self._plan()

    # -- time

    def deadline(self) -> float | None:
        """When `tick` is wanted at the latest (monotonic seconds)."""
        return self._deadline

    def tick(self, now: float) -> list[Event]:
        """Send what JOINs are due."""
        if self._deadline is None or now < self._deadline:
            return []
        events: list[Event] = []
        ready = []
        for key, pursuit in list(self._pursuits.items()):
            if pursuit.due is None or pursuit.due > now:
                continue
            if pursuit.asked:
                events += self._failed(key, "the server does not answer", now)
            else:
                ready.append(key)
        self._join(ready, now)
        self._plan()
        return events

    def _join(self, keys: list[str], now: float) -> None:
        for key in keys:
            pursuit = self._pursuits[key]
            pursuit.asked, pursuit.due, pursuit.forward = True, now + ANSWER_LIMIT, None
        for message in self._join_lines([self.wanted[key] for key in keys]):
            self._send(message)

    def _join_lines(self, channels: list[ChannelSettings]) -> list[Message]:
        """JOINs with as many channels each as fit; those with a key come first, as the list of keys does."""
        assert self._state is not None
        isupport = self._state.isupport
        # Servers that list commands in TARGMAX leave JOIN out and take lists of channels all the same.
        longest_list = (isupport.targmax["JOIN"] or 1000) if "JOIN" in isupport.targmax else LIST_LIMIT
        lines: list[tuple[list[str], list[str]]] = []
        room = 0
        for settings in sorted(channels, key=lambda settings: not settings.key):
            key = reveal(settings.key) if settings.key else ""
            size = len(settings.name.encode()) + len(key.encode()) + 2
            room -= size
            if room < 0 or len(lines[-1][0]) >= longest_list:
                lines.append(([], []))
                room = isupport.linelen - len("JOIN  \r\n") - size
            names, keys = lines[-1]
            names.append(settings.name)
            if key:
                keys.append(key)
        return [
            Message("JOIN", [",".join(names), *([",".join(keys)] if keys else [])]) for names, keys in lines
        ]

    def _plan(self) -> None:
        self._deadline = None
        if self._state is not None:
            due = [pursuit.due for pursuit in self._pursuits.values() if pursuit.due is not None]
            self._deadline = min(due, default=None)

    # -- what we hear

    def receive(self, message: Message, state: State, now: float) -> list[Event]:
        """Take in a line that `state` has already taken in. Raises `MalformedMessage`."""
        entry = self._handlers.get(message.command)
        if entry is None or state is not self._state:
            return []
        least, handler = entry
        if len(message.params) < least:
            raise MalformedMessage(f"{message.command} with {len(message.params)} parameters")
        return handler(message, state, now)

    def _joined(self, message: Message, state: State, now: float) -> list[Event]:
        if not state.is_me(message.nick):
            return []
        key = self._find(state.fold(message.params[0]))
        if key is not None:
            pursuit = self._pursuits[key]
            pursuit.due, pursuit.asked, pursuit.joined, pursuit.refusal = None, False, now, ""
            self._plan()
        return []

    def _parted(self, message: Message, state: State, now: float) -> list[Event]:
        """A PART of ours that we did not ask for; ours are no longer wanted when the server confirms them."""
        if not state.is_me(message.nick):
            return []
        return self._put_out(message.params[0], "taken out of the channel", state, now)

    def _kicked(self, message: Message, state: State, now: float) -> list[Event]:
        if not state.is_me(message.params[1]):
            return []
        said = f" ({message.params[2][:200]})" if len(message.params) > 2 else ""
        return self._put_out(message.params[0], f"kicked by {message.nick}{said}", state, now)

    def _put_out(self, name: str, how: str, state: State, now: float) -> list[Event]:
        key = self._find(state.fold(name))
        if key is None:
            return []
        pursuit = self._pursuits[key]
        if pursuit.invited:
            self._give_up(key)
            return []
        if pursuit.joined is not None and now - pursuit.joined >= HELD:
            pursuit.failures = 0
        pursuit.forward = None
        pursuit.kicks = [kick for kick in pursuit.kicks if now - kick < REJOIN_WINDOW] + [now]
        if pursuit.failures or len(pursuit.kicks) > QUICK_REJOINS:
            return self._failed(key, how, now)
        pursuit.due = now + REJOIN_DELAY + self._random.uniform(0, REJOIN_DELAY)
        self._plan()
        return []

    def _refused(self, message: Message, state: State, now: float) -> list[Event]:
        code, name, said = message.command, message.params[1], message.params[-1]
        key = self._find(state.fold(name))
        if key is None or not self._pursuits[key].asked:
            return []  # the answer to something else
        failure = self._failure(message, key, said)
        if self._pursuits[key].invited:
            self._give_up(key)
            return [failure]
        self._pursuits[key].refusal = code
        return [failure, *self._failed(key, f"{REFUSALS[code]} ({code} {said[:200]})", now)]

    def _forwarded(self, message: Message, state: State, now: float) -> list[Event]:
        """`470 nick from to text`: the server is about to put us into another channel."""
        name, to = message.params[1:3]
        key = self._find(state.fold(name))
        if key is None or not self._pursuits[key].asked or not state.isupport.is_channel(to):
            return []
        pursuit = self._pursuits[key]
        pursuit.forward = state.fold(to)
        if pursuit.forward in state.channels:
            pursuit.due, pursuit.asked, pursuit.joined = None, False, now
            self._plan()
        name = self.wanted[key].name
        return [self._failure(message, key, f"forwarded to {to}"), self._notice(name, f"forwards us to {to}")]

    def _invited(self, message: Message, state: State, now: float) -> list[Event]:
        nick, name = message.params[:2]
        key = state.fold(name)
        if not state.is_me(nick) or key in state.channels or now < self._next_invite:
            return []
        pursuit = self._pursuits.get(key)
        if pursuit is None:
            if not self.join_on_invite or not state.isupport.is_channel(name) or "," in name:
                return []
            if sum(pursuit.invited for pursuit in self._pursuits.values()) >= INVITED_LIMIT:
                return []
            self._want(ChannelSettings(name), invited=True)
        elif pursuit.asked:
            return []
        self._next_invite = now + INVITE_EVERY
        self._join([key], now)
        self._plan()
        return []

    def _renamed(self, message: Message, state: State, now: float) -> list[Event]:
        """`RENAME old new`: it is still the channel that we want."""
        old, new = state.fold(message.params[0]), state.fold(message.params[1])
        if new not in state.channels:
            return []
        for pursuit in self._pursuits.values():
            if pursuit.forward == old:
                pursuit.forward = new
        if old in self.wanted:
            settings = self.wanted.pop(old)
            self.wanted[new] = ChannelSettings(message.params[1], settings.key)
            self._pursuits[new] = self._pursuits.pop(old)
        return []

    def _logged_in(self, message: Message, state: State, now: float) -> list[Event]:
        keys = [key for key, pursuit in self._pursuits.items() if pursuit.refusal == LOGIN_NEEDED]
        self._join(keys, now)
        for key in keys:
            self._pursuits[key].refusal = ""
        self._plan()
        return []

    def _failed(self, key: str, why: str, now: float) -> list[Event]:
        """Try again, ever later, and say why we are not in."""
        pursuit = self._pursuits[key]
        wait = RETRIES[min(pursuit.failures, len(RETRIES) - 1)] * self._random.uniform(0.75, 1.0)
        pursuit.failures += 1
        pursuit.asked, pursuit.forward, pursuit.due = False, None, now + wait
        self._plan()
        minutes = max(1, round(wait / 60))
        text = f"we are not in it: {why}; trying again in {minutes} min"
        return [self._notice(self.wanted[key].name, text)]

    def _give_up(self, key: str) -> None:
        """Somebody asked us in; it did not last."""
        del self.wanted[key], self._pursuits[key]
        self._plan()

    def _find(self, key: str) -> str | None:
        """The wanted channel of that folded name, or the one whose forward it is."""
        if key in self._pursuits:
            return key
        for wanted, pursuit in self._pursuits.items():
            if pursuit.forward == key:
                return wanted
        return None

    def _failure(self, message: Message, key: str, reason: str) -> JoinFailed:
        assert self._state is not None
        return JoinFailed(
            network=self._state.network,
            time=self._clock(),
            message=message,
            channel=self.wanted[key].name,
            code=message.command,
            reason=reason,
        )

    def _notice(self, channel: str, text: str) -> OperatorNotice:
        assert self._state is not None
        network = self._state.network
        return OperatorNotice(
            network=network,
            time=self._clock(),
            matter=f"{network}/{channel}/join",
            text=f"{network}/{channel}: {text}",
        )
