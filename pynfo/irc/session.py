"""One network's conversation: every line to its events. Sans-IO.

A `Session` lasts as long as its network is configured; `open` starts it afresh on every connection, while the
channels we should be in and the nick we want are remembered. It is told of each line (`receive`) and of time
(`tick`, no later than `deadline`); what it has to say goes to `transmit`; where it finds that the connection
should end, it says so in `ending`, and the client acts on it.

The parts: `registration` until 001, `state` for who is where, `speech` for what is said, `membership` for the
channels we should be in, `nick` for our name, `who` for the accounts of others.
"""

from __future__ import annotations

import time as wall
from collections.abc import Callable
from random import Random

from pynfo.irc import batches, ctcp, multiline
from pynfo.irc.batches import Batches
from pynfo.irc.capabilities import Capabilities
from pynfo.irc.echoes import UNCONFIRMED
from pynfo.irc.events import (
    Batch,
    ChannelSynced,
    Event,
    MessageReceived,
    NetworkUp,
    OperatorNotice,
    StandardReply,
    UserJoined,
)
from pynfo.irc.isupport import ISupport
from pynfo.irc.labels import Labels
from pynfo.irc.membership import Membership
from pynfo.irc.message import MalformedMessage, Message
from pynfo.irc.nick import NickKeeper
from pynfo.irc.pacing import Outgoing, Priority
from pynfo.irc.registration import Ending, Registration
from pynfo.irc.settings import NetworkSettings, reveal
from pynfo.irc.speech import Speech, relaying_bot, stamp
from pynfo.irc.state import State
from pynfo.irc.sts import PolicyStore
from pynfo.irc.who import AccountLookup

MOTD_SILENCE = 2.0  # seconds of silence after 001, past which we go on without the end of MOTD
MOTD_LIMIT = 10.0  # seconds from 001 to the end of MOTD, past which we go on without it
JOIN_LIMIT = 15.0  # seconds for a login or a cloak to arrive before we join without it
PING_AFTER = 45.0  # seconds of silence before we ask for a sign of life
DEAD_AFTER = 85.0  # seconds of silence after which the link is dead
PING_EVERY = 120.0  # seconds between two measurements of the lag on a link that is not silent
NO_IMPLICIT_NAMES = ("no-implicit-names", "draft/no-implicit-names")
# Of a multi-line message, told without its label, once for each. MULTILINE_INVALID is told for every line
# that comes after such a refusal too (as Ergo does), and would be taken for an answer to the next message.
REFUSED_BATCHES = frozenset({"MULTILINE_MAX_BYTES", "MULTILINE_MAX_LINES", "MULTILINE_INVALID_TARGET"})
UNWELCOME = ("k-line", "k:line", "k-lined", "g-line", "z-line", "banned", "too fast", "throttl", "too many")
SOURCE = "pynfo on PyPI"

Transmit = Callable[[Message, Priority], None]
Handler = Callable[[Message, float, Batch | None, float], list[Event]]


class Session:
    """See the module. `policies` are the STS policies; `clock` gives UTC in seconds since the epoch."""

    def __init__(
        self,
        settings: NetworkSettings,
        *,
        transmit: Transmit,
        policies: PolicyStore,
        random: Random,
        version: str = "Pynfo",
        clock: Callable[[], float] = wall.time,
    ) -> None:
        self.settings = settings
        self._transmit = transmit
        self._policies = policies
        self._clock = clock
        self._barrier_count = 0
        self.membership = Membership(
            self.send,
            settings.channels,
            random,
            join_on_invite=settings.join_on_invite,
            clock=clock,
        )
        self.nicks = NickKeeper(self._urgent, settings.nick, settings.alternate_nicks, random, clock=clock)
        self._ctcp = ctcp.CtcpAnswers(version, SOURCE)
        self._handlers: dict[str, Handler] = {
            "PRIVMSG": self._message,
            "NOTICE": self._message,
            "TAGMSG": self._tags,
            "REDACT": self._redaction,
            "BATCH": self._batch,
            "CAP": self._registering,
            "PING": self._ping,
            "PONG": self._pong,
            "ERROR": self._error,
            "FAIL": self._standard_reply,
            "WARN": self._standard_reply,
            "NOTE": self._standard_reply,
            "AUTHENTICATE": self._registering,
            "001": self._welcome,
            "005": self._isupport,
            "263": self._try_again,
            "315": self._end_of_who,
            "376": self._end_of_motd,
            "396": self._visible_host,
            "421": self._registering,
            "422": self._end_of_motd,
            "465": self._banned,
        }
        self._handlers.update((str(numeric), self._registering) for numeric in range(900, 909))
        self._reset(0.0)

    def _reset(self, now: float) -> None:
        self.isupport = ISupport()
        self.state = State(self.settings.name, self.isupport, self.nicks.wanted)
        self.labels = Labels()
        self.unwelcome = False  # the server said that we are banned, or come back too fast
        self.lag: float | None = None  # seconds from PING to PONG
        self.welcomed_at: float | None = None  # monotonic seconds of 001
        self.ready = False
        self._ending: Ending | None = None
        self._registration = Registration(
            self.settings, self._urgent, self._policies, self._clock, self.nicks.wanted
        )
        self._speech = Speech(self.state, self.isupport)
        self._who = AccountLookup(self._ask_who)
        self._batches = Batches()
        self._heard = now
        self._pinged_at: float | None = None  # monotonic seconds of the PING that is not answered yet
        self._last_ping = now - PING_EVERY
        self._ready_by: float | None = None
        self._join_by: float | None = None
        self._cloaked = False  # the server has told which host others see
        self._barriers: dict[str, Outgoing] = {}  # by the token of their PING

    @property
    def capabilities(self) -> Capabilities:
        return self._registration.capabilities

    @property
    def logged_in(self) -> bool:
        """Whether the network has confirmed a login on this connection."""
        return self._registration.logged_in or bool(self.state.me.account)

    @property
    def heard(self) -> float:
        """When the server was last heard (monotonic seconds), on the last connection where there is none."""
        return self._heard

    @property
    def ending(self) -> Ending | None:
        """Why the connection should end now; None where it should not."""
        return self._ending or self._registration.ending

    # -- the life of a connection

    def open(self, now: float, *, host: str, port: int, secure: bool) -> None:
        """A connection is there; for TLS, its certificate has been checked."""
        self._reset(now)
        self._registration.open(now, host=host, port=port, secure=secure)

    def close(self) -> None:
        """The connection is gone."""
        for barrier in self._barriers.values():
            barrier.failed(UNCONFIRMED)
        self.labels.close()
        self.membership.stop()
        self._registration.close()
        self._reset(self._heard)

    def raise_barrier(self, make: Callable[[str], Outgoing]) -> Outgoing:
        """A line with a token of its own, made by `make`, that will be confirmed by the PONG to it."""
        self._barrier_count += 1
        token = f"pynfo{self._barrier_count}"
        barrier = self._barriers[token] = make(token)
        return barrier

    def forget_barrier(self, barrier: Outgoing) -> None:
        """It was not sent."""
        del self._barriers[barrier.message.params[0]]

    def send(self, message: Message) -> None:
        """Send what keeps us where we should be."""
        self._transmit(message, Priority.CONTROL)

    def _urgent(self, message: Message) -> None:
        self._transmit(message, Priority.URGENT)

    # -- time

    def deadline(self) -> float:
        """When `tick` is wanted at the latest (monotonic seconds)."""
        if self.ready and self._pinged_at is None:
            due = min(self._heard + PING_AFTER, self._last_ping + PING_EVERY)
        else:
            due = self._heard + DEAD_AFTER
        for time in (self._ready_by, self._join_by, self._who.deadline(), self.labels.deadline()):
            if time is not None and time < due:
                due = time
        # A login may come later, by CAP NEW.
        parts = (self._registration, self.membership, self.nicks) if self.ready else (self._registration,)
        for part in parts:
            time = part.deadline()
            if time is not None and time < due:
                due = time
        return due

    def tick(self, now: float) -> list[Event]:
        """Do what is due."""
        events: list[Event] = []
        if now >= self._heard + DEAD_AFTER:
            self._ending = Ending(f"no sign of life for {now - self._heard:.0f} s")
            return events
        wanted = min(self._heard + PING_AFTER, self._last_ping + PING_EVERY)
        if self.ready and self._pinged_at is None and now >= wanted:
            self._pinged_at = self._last_ping = now
            self._urgent(Message("PING", ["pynfo"]))
        self._registration.tick(now)
        events += self._problems()
        if self._ready_by is not None and now >= self._ready_by:
            events += self._become_ready(now)
        if self._join_by is not None and now >= self._join_by:
            events.append(self._notice("login", "the login was not confirmed in time; joining without it"))
            self._join(now)
        if (who_by := self._who.deadline()) is not None and now >= who_by:
            self._who.go_on(self.state, now)
        self.labels.expire(now)
        if self.ready:
            events += self.membership.tick(now)
            events += self.nicks.tick(now)
        return events

    # -- every line

    def receive(self, message: Message, now: float) -> list[Event]:
        """What a line means. Raises `MalformedMessage` for one that makes no sense."""
        self._heard = now
        if self._ready_by is not None and self.welcomed_at is not None:
            self._ready_by = min(now + MOTD_SILENCE, self.welcomed_at + MOTD_LIMIT)
        tags = message.tags
        batch = None
        if tags:
            time = stamp(message) or self._clock()
            batch = self._batches.find(tags.get("batch"))
            if batch is not None and message.command != "BATCH":
                if batch.type == multiline.MULTILINE or batches.is_history(batch):
                    self._batches.keep(batch, message)
                    return []
                if batches.label_of(batch):
                    self._batches.keep(batch, message)
        else:
            time = self._clock()
        handler = self._handlers.get(message.command)
        events = (handler or self._other)(message, time, batch, now)
        if tags and "label" in tags and message.command != "BATCH":
            self.labels.resolve(tags["label"], [message])
        return events

    def sent(self, message: Message) -> MessageReceived | None:
        """What we just said, where the network does not echo it: the event that its echo would have been."""
        if message.command not in ("PRIVMSG", "NOTICE"):
            return None
        return self._speech.message(message, self._clock(), None, self.state.me)

    def _other(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        events = self.state.apply(message, time, batch)
        if self.ready:
            events += self.membership.receive(message, self.state, now)
        events += self.nicks.receive(message, self.state, self.isupport, now)
        for event in events:
            if isinstance(event, ChannelSynced) or (
                isinstance(event, UserJoined) and event.own and self._no_names()
            ):
                self._look_up(event.channel, now)
        if self._join_by is not None and self._is_logged_in(message):
            self._join(now)
        return events

    def _message(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        event = self._speech.message(message, time, batch)
        if event is not None:
            return [event]
        relayed = relaying_bot(message.tags) is not None  # there is nobody of that nick to answer
        if message.command == "PRIVMSG" and message.nick != self.state.nick and not relayed:
            request = ctcp.parse(message.params[1])
            answer = self._ctcp.answer(*request, now, time) if request else None
            if answer is not None:
                self._transmit(Message("NOTICE", [message.nick, answer]), Priority.BULK)
        return []

    def _tags(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        return [self._speech.tags(message, time, batch)]

    def _redaction(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        return [self._speech.redaction(message, time, batch)]

    # -- batches

    def _batch(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        sign = message.params[0][:1] if message.params else ""
        if sign == "+":
            self._batches.open(message)
            return []
        if sign != "-":
            raise MalformedMessage("BATCH that neither opens nor closes one")
        closed = self._batches.close(message)
        whole = multiline.join(closed) if closed.type == multiline.MULTILINE else None
        if closed.label:
            self.labels.resolve(closed.label, closed.messages if whole is None else [whole])
        if closed.type in batches.HISTORY:
            return [self._speech.history(closed, time)]
        return [] if whole is None else self.receive(whole, now)

    # -- registration and what comes after it

    def _registering(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        registration = self._registration
        if message.command == "CAP":
            registration.receive_capabilities(message, now)
        elif message.command == "421":
            registration.receive_unknown_command(message)
        else:
            believed = registration.receive_authentication(message)
            if believed is None:
                return self._problems()
            message = believed
        return self._other(message, time, batch, now) + self._problems()

    def _problems(self) -> list[Event]:
        problems, self._registration.problems = self._registration.problems, []
        return [self._notice("login", problem) for problem in problems]

    def _welcome(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        self.welcomed_at = now
        self._ready_by = now + MOTD_SILENCE
        self._registration.welcome()
        return self._other(message, time, batch, now) + self._problems()

    def _isupport(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        self.isupport.update(message.params[1:-1])
        return self.state.apply(message, time, batch)

    def _end_of_motd(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        return self._become_ready(now)

    def _become_ready(self, now: float) -> list[Event]:
        self._ready_by = None
        if self.ready or self.welcomed_at is None:
            return []
        self.ready = True
        self._heard = now
        if self.isupport.bot:
            self.send(Message("MODE", [self.state.nick, "+" + self.isupport.bot]))
        if self.isupport.whox:  # which tells the names all the same, so that the state stays right
            self.capabilities.request(name for name in NO_IMPLICIT_NAMES[:1])
        for line in self.settings.on_connect:
            self.send(Message.parse(reveal(line).encode()))
        after = self.settings.join_after or ("login" if self.settings.on_connect else "connect")
        if after == "connect" or self._cloaked or (after == "login" and self.logged_in):
            self._join(now)
        else:
            self._join_by = now + JOIN_LIMIT
        up = NetworkUp(network=self.state.network, time=self._clock(), nick=self.state.nick)
        return [up, *self.nicks.start(self.state, self.isupport, now)]

    def _visible_host(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        self._cloaked = True
        return self._other(message, time, batch, now)

    def _is_logged_in(self, message: Message) -> bool:
        if self.settings.join_after == "cloak":
            return message.command == "396"
        return message.command in ("396", "900") or bool(self.state.me.account)

    def _join(self, now: float) -> None:
        self._join_by = None
        self.membership.start(self.state, now)

    # -- who is who

    def _no_names(self) -> bool:
        return any(name in self.capabilities.enabled for name in NO_IMPLICIT_NAMES)

    def _ask_who(self, channel: str) -> None:
        self._transmit(self.state.who_query(channel), Priority.BULK)

    def _look_up(self, channel: str, now: float) -> None:
        if self.isupport.whox:
            self._who.add(channel, self.state, now)

    def _try_again(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        if len(message.params) > 1 and message.params[1].upper() == "WHO":
            self._who.refused(now)
        return []

    def _end_of_who(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        events = self.state.apply(message, time, batch)
        self._who.go_on(self.state, now)
        return events

    # -- the link

    def _ping(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        self._urgent(Message("PONG", message.params[-1:]))
        return []

    def _pong(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        barrier = self._barriers.pop(message.params[-1], None) if message.params else None
        if barrier is not None:
            barrier.confirmed(None)
        elif self._pinged_at is not None:
            self.lag = now - self._pinged_at
            self._pinged_at = None
        return []

    def _error(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        reason = message.params[-1][:300] if message.params else "no reason given"
        self.unwelcome = self.unwelcome or any(word in reason.lower() for word in UNWELCOME)
        self._ending = Ending(f"the server closed the connection: {reason}")
        return []

    def _banned(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        self.unwelcome = True
        said = message.params[-1][:300] if message.params else "banned"
        return [self._notice("banned", f"the server does not want us: {said}")]

    def _standard_reply(self, message: Message, time: float, batch: Batch | None, now: float) -> list[Event]:
        if len(message.params) < 3:
            raise MalformedMessage("a standard reply without command, code or description")
        about, code, *context, description = message.params
        if (
            message.command == "FAIL"
            and code in REFUSED_BATCHES
            and not (message.tags.get("label") or batches.label_of(batch))
        ):
            self.labels.refuse(about, message)
        reply = StandardReply(
            network=self.state.network,
            time=time,
            message=message,
            batch=batch,
            kind=message.command,  # type: ignore[arg-type]  # the table sends only these three here
            about=about,
            code=code,
            context=context,
            description=description,
        )
        return [reply]

    def _notice(self, subject: str, text: str) -> OperatorNotice:
        network = self.settings.name
        return OperatorNotice(
            network=network, time=self._clock(), matter=f"{network}/{subject}", text=f"{network}: {text}"
        )
