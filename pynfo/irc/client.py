"""Where the protocol meets asyncio: read, time out, come back (`connect.py` opens the connections).

A `Client` keeps one network for as long as it runs. Every failure ends in the same place: `NetworkDown` with
one sentence, a wait drawn by `Backoff`, and the next server. No error of a network leaves `_live`.
"""

from __future__ import annotations

import asyncio
import logging
import time as wall
from collections import deque
from collections.abc import Awaitable, Callable
from random import Random

from pynfo.irc.backoff import HELD, Backoff
from pynfo.irc.barrier import AwaitedBarrier, Barrier
from pynfo.irc.events import Event, LineReceived, MessageReceived, NetworkDown, OperatorNotice
from pynfo.irc.formatting import clean
from pynfo.irc.isupport import ISupport
from pynfo.irc.lines import LineBuffer
from pynfo.irc.link import Link
from pynfo.irc.message import MalformedMessage, Message, UnsendableMessage
from pynfo.irc.pacing import Outgoing, Priority, QueueFull
from pynfo.irc.sender import CONTROL_AGE, OfConnection, Sender, with_label
from pynfo.irc.session import Session
from pynfo.irc.settings import NetworkSettings
from pynfo.irc.shown_lines import ShownLines
from pynfo.irc.state import State
from pynfo.irc.sts import PolicyStore

log = logging.getLogger(__name__)

CONNECT_LIMIT = 30.0  # seconds to resolve, connect and shake hands
REGISTRATION_LIMIT = 60.0  # seconds from the connection to 001
QUIT_LIMIT = 2.0  # seconds for the server to close after QUIT
REASON_LENGTH = 100  # characters of a reason to quit or to leave, which fits every line
OUT_LIMIT = 256  # lines written in one turn of the event loop before the connection gets them
READ_LIMIT = 1 << 20  # bytes read but not worked off, past which we stop reading
SLICE = 128  # lines worked off before the event loop has its turn
TOLD_AFTER = 3  # failed connections in a row before the operator is told

Connect = Callable[..., Awaitable[asyncio.Transport]]


class NotConnected(Exception):
    """There is no registered connection to the network now."""


class StandardReplyError(Exception):
    """The server refused what was asked (FAIL, IRCv3 "Standard Replies"): `code` and its description."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


class Client:
    """One network. `on_event` is called with every event, on the event loop.

    `connect(protocol_factory, settings, host, port, tls)` makes a connection: `connect.open_connection`, or
    one to a server in the same process. `wants_lines` says whether anybody asks for `LineReceived`.
    """

    def __init__(
        self,
        settings: NetworkSettings,
        *,
        on_event: Callable[[Event], object],
        connect: Connect,
        policies: PolicyStore,
        random: Random | None = None,
        version: str = "Pynfo",
        wants_lines: Callable[[], bool] = lambda: False,
    ) -> None:
        self.settings = settings
        self.name = settings.name
        self.status = "not connected yet"
        self.server = ""  # host:port
        self.since: float | None = None  # UTC epoch seconds of the registration that holds now
        self._loop = asyncio.get_running_loop()
        self._on_event = on_event
        self._wants_lines = wants_lines
        self._shown = ShownLines(settings)
        self._connect = connect
        self._policies = policies
        random = random or Random()
        self.sender = Sender(settings, write=self._write, said=self._said, clock=self.time)
        self.session = self.sender.session = Session(
            settings, transmit=self.sender.transmit, policies=policies, random=random, version=version
        )
        self._backoff = Backoff(random)
        self._task: asyncio.Task[None] | None = None
        self._link = Link(self)
        self._transport: asyncio.Transport | None = None
        self._closed: asyncio.Future[str] | None = None  # of this connection; gives the reason
        self._stopping = False
        self._began = 0.0  # monotonic seconds of the connection
        self._next_server = 0
        self._upgrade: int | None = None  # port to come back to over TLS
        self._failures = 0
        self._timer: asyncio.TimerHandle | None = None
        self._buffer = LineBuffer()
        self._lines: deque[bytes] = deque()
        self._unread = 0  # bytes of `_lines`
        self._lines_wanted = False  # somebody asks for `LineReceived`
        self._working = False  # a slice of the lines is planned
        self._reading = True
        self._out: list[bytes] = []
        self._own_words: list[MessageReceived] = []  # written, and told of when they are sent

    # -- what others may know and ask

    @property
    def up(self) -> bool:
        """Registered, and the link is believed to be alive."""
        return self._transport is not None and self.session.ready

    @property
    def state(self) -> State:
        return self.session.state

    @property
    def isupport(self) -> ISupport:
        return self.session.isupport

    @property
    def capabilities(self) -> set[str]:
        """Those in force on this connection."""
        return self.session.capabilities.enabled

    @property
    def lag(self) -> float | None:
        """Seconds from the last PING to its PONG; None where none was answered yet."""
        return self.session.lag

    @property
    def silence(self) -> float:
        """Seconds since the network was last heard, on this connection or the last: what was said before
        has arrived."""
        return self.time() - self.session.heard

    @property
    def queued(self) -> int:
        """Lines that wait to be sent."""
        return len(self.sender)

    def time(self) -> float:
        """Monotonic seconds, as `Outgoing.expires` has them."""
        return self._loop.time()

    def send(self, message: Message, *, bulk: bool = True) -> None:
        """Send a line in its turn. Raises `UnsendableMessage`, `QueueFull`."""
        message.format(self.isupport.linelen)
        priority = Priority.BULK if bulk else Priority.ANSWER
        self.put(Outgoing(message, priority, expires=self.time() + CONTROL_AGE))

    def put(self, line: Outgoing) -> None:
        """Queue a line, or write it at once where there is no pacing. Raises `QueueFull`."""
        self.sender.put(line)
        if self.sender:
            self._wake()

    def put_barrier(self, make: Callable[[str], Barrier]) -> None:
        """Have `make` give a `Barrier` with a token of its own, and send it. Raises `QueueFull`."""
        barrier = self.session.raise_barrier(make)
        try:
            self.put(barrier)
        except QueueFull:
            self.session.forget_barrier(barrier)
            raise

    async def synchronise(self, timeout: float = 30.0) -> None:
        """*await* that the server has done and told all that it was asked before: the PONG to a PING.

        Raises `NotConnected` where there is no connection or it is lost, `TimeoutError` after `timeout`
        seconds, `QueueFull`.
        """
        if not self.up:
            raise NotConnected(f"{self.name} is not connected")
        answer: asyncio.Future[None] = self._loop.create_future()
        self.put_barrier(lambda token: AwaitedBarrier(token, answer))
        try:
            async with asyncio.timeout(timeout):
                await answer
        except ConnectionError as lost:
            raise NotConnected(str(lost)) from None

    def join(self, channel: str, key: str | None = None) -> None:
        """Be in `channel` from now on."""
        self.session.membership.join(channel, key)
        self._pump()

    def part(self, channel: str, reason: str = "") -> None:
        """Leave `channel`, and stay out."""
        self.session.membership.part(channel, clean(reason)[:REASON_LENGTH])
        self._pump()

    def set_nick(self, nick: str) -> None:
        """Be `nick` from now on, also after a reconnect."""
        self.session.nicks.want(nick)
        self._pump()

    def configure(self, settings: NetworkSettings) -> None:
        """Take over settings that need no new connection: channels, nick, pace."""
        old, self.settings = self.settings, settings
        self._shown = ShownLines(settings)
        self.session.settings = settings
        self.session.membership.join_on_invite = settings.join_on_invite
        self.session.nicks.alternates = settings.alternate_nicks
        if settings.channels != old.channels:
            self.session.membership.set_wanted(settings.channels)
        if settings.nick != old.nick:
            self.session.nicks.want(settings.nick)
        self.sender.configure(settings)
        self._pump()

    async def request(self, message: Message, timeout: float = 10.0) -> list[Message]:
        """Send a command and *await* all of its answer, by its label (IRCv3 "Labeled Responses").

        Raises `NotConnected` where there is no connection, or one without labels, `TimeoutError` after
        `timeout` seconds, and `StandardReplyError` where the server answers FAIL.
        """
        if not self.up or "labeled-response" not in self.capabilities:
            raise NotConnected(f"{self.name} is not connected, or does not label its answers")
        future: asyncio.Future[list[Message] | None] = self._loop.create_future()

        def answered(messages: list[Message] | None) -> None:
            if not future.done():
                future.set_result(messages)

        late = self.time() + timeout
        label = self.session.labels.new(late, answered)
        self.put(OfConnection(with_label(message, label), Priority.ANSWER, expires=late))
        self._wake()
        messages = await future
        if messages is None:
            raise TimeoutError(f"{self.name} did not answer {message.command} within {timeout:.0f} s")
        for answer in messages:
            if answer.command == "FAIL" and len(answer.params) > 2:
                raise StandardReplyError(answer.params[1], answer.params[-1])
        return messages

    # -- the life of the network

    def start(self) -> None:
        """Begin to connect; goes on until `stop`."""
        self._task = self._loop.create_task(self._live(), name=f"network {self.name}")

    async def stop(self, reason: str | None = None) -> None:
        """Quit politely; takes at most twice `QUIT_LIMIT`."""
        self._stopping = True
        if self._transport is not None and self._closed is not None:
            if self.session.welcomed_at is not None:
                said = clean(reason or self.settings.quit_message)[:REASON_LENGTH]
                self.sender.write(Message("QUIT", [said]))
                self._flush()
                await asyncio.wait([self._closed], timeout=QUIT_LIMIT)
            self._hang_up("quit")
        elif self._task is not None:
            self._task.cancel()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=QUIT_LIMIT)
        if self._timer is not None:
            self._timer.cancel()
        self.sender.close("the bot has stopped")

    async def _live(self) -> None:
        while not self._stopping:
            await asyncio.sleep(self._backoff.allowed(self.time()))
            self._backoff.opened(self.time())
            reason = await self._connection()
            unwelcome = self.session.unwelcome
            self._after_connection(reason)
            if self._upgrade is not None or self._stopping:
                continue
            self._next_server += 1
            wait = self._backoff.delay(self.time(), unwelcome=unwelcome)
            self.status = f"down: {reason}; next try in {wait:.0f} s"
            log.warning("%s: %s; next try in %.0f s", self.name, reason, wait)
            await asyncio.sleep(wait)

    async def _connection(self) -> str:
        """Connect once and stay until it ends. Gives the reason, one sentence."""
        host, port = self.settings.servers[self._next_server % len(self.settings.servers)]
        tls = self.settings.tls
        if not tls:
            secure_port = self._upgrade or self._policies.lookup(host, wall.time())
            if secure_port:
                port, tls = secure_port, True
        self._upgrade = None
        self.server = f"{host}:{port}"
        self.status = f"connecting to {self.server}"
        self._closed = self._loop.create_future()
        link = self._link = Link(self)
        try:
            async with asyncio.timeout(CONNECT_LIMIT):
                transport = await self._connect(lambda: link, self.settings, host, port, tls)
        except TimeoutError:
            return f"{self.server} does not answer within {CONNECT_LIMIT:.0f} s"
        except (OSError, ValueError, EOFError) as error:
            return f"cannot connect to {self.server}: {error}"
        except Exception as error:
            log.exception("%s: connecting to %s failed in an unexpected way", self.name, self.server)
            return f"cannot connect to {self.server}: {error!r}"
        self._transport = transport
        self._began = self.time()
        self.status = f"registering with {self.server}"
        self.sender.connected = True
        try:
            self.session.open(self._began, host=host, port=port, secure=tls)
        except UnsendableMessage as error:
            self._hang_up(f"cannot register: {error}")
        self._work()
        reason = await self._closed
        return self.session.ending.reason if self.session.ending else reason

    def _after_connection(self, reason: str) -> None:
        welcomed, ending = self.session.welcomed_at, self.session.ending
        held = 0.0 if welcomed is None else self.time() - welcomed
        was_up, self.since = self.since is not None, None
        self._link.release()
        self._transport = None
        self._buffer = LineBuffer()
        self._lines.clear()
        self._out.clear()
        self._unread, self._working, self._reading = 0, False, True
        self.sender.lost()
        self.session.close()
        self._backoff.closed(held)
        self._upgrade = ending.port if ending else None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake()
        if was_up:
            self._tell(NetworkDown(network=self.name, time=wall.time(), reason=reason))
        self._failures = 0 if held >= HELD else self._failures + 1
        if self._failures == TOLD_AFTER and not self._stopping:
            text = f"{self.name}: cannot stay connected, {self._failures} times in a row: {reason}"
            matter = f"{self.name}/connection"
            self._tell(OperatorNotice(network=self.name, time=wall.time(), matter=matter, text=text))

    # -- what the link tells

    def connection_lost(self, error: Exception | None) -> None:
        while self._transport is not None and self._lines and self.session.ending is None:
            self._receive(self._lines.popleft(), self.time())
        if self._closed is not None and not self._closed.done():
            lost = f"connection lost: {error}" if error else "the server closed the connection"
            self._closed.set_result(lost)

    def pause_writing(self) -> None:
        self.sender.writable = False

    def resume_writing(self) -> None:
        self.sender.writable = True
        self._flush()
        self._pump()

    def data_received(self, data: bytes) -> None:
        left_out = self._buffer.left_out
        self._lines.extend(self._buffer.feed(data))
        if self._buffer.left_out != left_out:
            log.warning("%s: a line that is too long is left out", self.name)
        self._unread += len(data)
        if self._transport is None:
            return  # `_connection` has not seen the connection yet, and works the lines off when it does
        if self._unread > READ_LIMIT and self._reading:
            self._reading = False
            self._transport.pause_reading()
        if not self._working:
            self._work()

    # -- incoming

    def _work(self) -> None:
        """Work off a slice of the lines, then let the event loop have its turn."""
        now = self.time()
        self._lines_wanted = self._wants_lines()
        for _ in range(min(SLICE, len(self._lines))):
            self._receive(self._lines.popleft(), now)
            if self.session.ending is not None:
                self._hang_up(self.session.ending.reason)
                return
        self._working = bool(self._lines)
        if self._working:
            self._loop.call_soon(self._work_on, self._transport)
        else:
            self._unread = 0
            if not self._reading and self._transport is not None:
                self._reading = True
                self._transport.resume_reading()
        self._pump()

    def _work_on(self, transport: asyncio.Transport | None) -> None:
        if transport is self._transport and transport is not None:
            self._work()

    def _receive(self, line: bytes, now: float) -> None:
        if line in (b"", b"\r"):
            return
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s > %s", self.name, self._shown.received(line))
        try:
            message = Message.parse(line)
            if self._lines_wanted:
                self._tell(LineReceived(network=self.name, time=wall.time(), message=message))
            events = self.session.receive(message, now)
        except MalformedMessage as error:
            log.warning("%s: skipped a malformed line: %s: %r", self.name, error, line[:200])
            return
        except Exception:
            log.exception("%s: skipped a line that could not be understood: %r", self.name, line[:200])
            return
        if self.since is None and self.session.ready:
            self._registered(now)
        if self.sender.echoes:
            self.sender.echoes.hear(message, self.session.state)
        for event in events:
            try:
                self._on_event(event)
            except Exception:
                log.exception("%s: an event could not be published", self.name)

    def _registered(self, now: float) -> None:
        self.since = wall.time()
        self.status = f"connected to {self.server}"
        self.sender.welcomed(now)
        log.info("%s: connected to %s as %s", self.name, self.server, self.state.nick)

    def _tell(self, event: Event) -> None:
        try:
            self._on_event(event)
        except Exception:
            log.exception("%s: an event could not be published", self.name)

    def _said(self, event: MessageReceived) -> None:
        self._own_words.append(event)

    # -- outgoing: one write for all that is said in one turn of the event loop

    def _write(self, data: bytes) -> None:
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s < %s", self.name, self._shown.sent(data))
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(data)
        if len(self._out) >= OUT_LIMIT:
            self._hand_over()

    def _hand_over(self) -> None:
        """Give the connection what was written; it pauses us where it has too much of it."""
        if self._out and self._transport is not None:
            data = b"".join(self._out)
            self._out.clear()
            self._transport.write(data)

    def _flush(self) -> None:
        self._hand_over()
        if self._own_words:
            said, self._own_words = self._own_words, []
            for event in said:
                self._tell(event)

    def _pump(self) -> None:
        if self.sender:
            self.sender.pump(self.time())
        self._wake()

    def _hang_up(self, reason: str) -> None:
        """End the connection now. What was written goes out first, for as long as `QUIT_LIMIT`."""
        if self._transport is None:
            return
        self._flush()
        self._link.release()
        self._transport.close()
        self._loop.call_later(QUIT_LIMIT, self._transport.abort)
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(reason)

    # -- time: one timer, for whatever is due first

    def _wake(self) -> None:
        """Have `_due` called when the session or the sender wants it. An earlier timer is left as it is."""
        now = self.time()
        times = [self.sender.due(now)]
        if self._transport is not None:
            times.append(self.session.deadline())
            if self.session.welcomed_at is None:
                times.append(self._began + REGISTRATION_LIMIT)
        due = min((time for time in times if time is not None), default=None)
        if due is None or (self._timer is not None and self._timer.when() <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(max(due, now), self._due)

    def _due(self) -> None:
        self._timer = None
        now = self.time()
        self.sender.expire(now)
        if self._transport is not None:
            try:
                events = self.session.tick(now)
            except Exception as error:
                log.exception("%s: what was due could not be done", self.name)
                events = []
                self._hang_up(f"an unexpected error: {error!r}")
            for event in events:
                self._tell(event)
            if self.session.welcomed_at is None and now >= self._began + REGISTRATION_LIMIT:
                late = f"{self.server} did not complete the registration within {REGISTRATION_LIMIT:.0f} s"
                self._hang_up(late)
            elif self.session.ending is not None:
                self._hang_up(self.session.ending.reason)
            elif self.since is None and self.session.ready:
                self._registered(now)
        self._pump()
