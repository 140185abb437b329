"""What a client sends: the queue, its pace, and what became of each line. Sans-IO.

Lines that wait survive the connection. A line to a channel that we should be in waits until we are in it. A
line is confirmed by its echo where the network echoes (by its label, else by its text), and otherwise when it
is written (IRCv3 "echo-message", "Labeled Responses"). RELAYMSG and REDACT are confirmed by whatever answers
them, where the network labels its answers. A `Multiline` is written whole, and paid for line by line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from pynfo.irc.echoes import ECHO_LIMIT, ECHOED, RELAYMSG, UNCONFIRMED, Echoes, refusal
from pynfo.irc.events import MessageReceived
from pynfo.irc.message import Message, UnsendableMessage
from pynfo.irc.multiline import Multiline, in_force
from pynfo.irc.pacing import Outgoing, Priority, QueueFull, SendQueue, TokenBucket
from pynfo.irc.session import Session
from pynfo.irc.settings import NetworkSettings
from pynfo.irc.split import LEAST, split

log = logging.getLogger(__name__)

CONTROL_AGE = 600.0  # seconds that an unsent line of the session's is worth sending
ANSWERED = frozenset({RELAYMSG, "REDACT"})
# Without the capability the echo of RELAYMSG lacks its tag, and cannot be told from somebody else's words.
ECHOES_RELAYMSG = frozenset({"echo-message", "draft/relaymsg"})
NO_MULTILINE = "the network takes no messages of several lines now"
SPOKEN = frozenset({"PRIVMSG", "NOTICE"})
SURELY_FITS = 80  # characters that fit a line after any mask of ours
TOO_OLD = "it became too old to be said"


class Sender:
    """`write(data)` takes bytes for the connection, `said(event)` our own words where nothing echoes them."""

    def __init__(
        self,
        settings: NetworkSettings,
        *,
        write: Callable[[bytes], None],
        said: Callable[[MessageReceived], object],
        clock: Callable[[], float],
    ) -> None:
        self.session: Session  # set by the client, whose session sends through us
        self.connected = False
        self.writable = True  # False while the connection's own buffer is full
        self._queue = SendQueue()
        self._write_bytes = write
        self._said = said
        self._clock = clock  # monotonic seconds
        self._closed: str | None = None  # why nothing is said any more
        self.echoes = Echoes()
        self.configure(settings)

    def __len__(self) -> int:
        return len(self._queue)

    def configure(self, settings: NetworkSettings) -> None:
        """Take over the pace."""
        rate = settings.messages_per_second
        self._bucket = None if rate is None else TokenBucket(rate, settings.burst)
        self._owed = 0  # lines that went out as part of another, and wait for their tokens

    def transmit(self, message: Message, priority: Priority) -> None:
        """What the session says. Until 001 it is all answers to the server, and does not wait."""
        if self.session.welcomed_at is None:
            self.write(message)
            return
        try:
            self._queue.put(OfConnection(message, priority, expires=self._clock() + CONTROL_AGE))
        except QueueFull:
            log.error("%s: %s is not sent: too much waits", self.session.settings.name, message.command)

    def put(self, line: Outgoing) -> None:
        """Queue a line, or write it at once where there is no pacing. Raises `QueueFull`."""
        if (
            self._bucket is None
            and not self._queue
            and self.connected
            and self.writable
            and self.session.ready
            and self._sendable(line.target)
        ):
            self._send(line)
            return
        if self._closed is not None:
            line.failed(self._closed)
            return
        self._queue.put(line)
        self.pump(self._clock())

    def pump(self, now: float) -> None:
        """Write what may go now."""
        if not self.connected or self.session.welcomed_at is None:
            return
        while self._queue and self.writable:
            if self._bucket is not None and not self._paid(self._bucket, now):
                return
            line = self._queue.take(self._sendable)
            if line is None:
                return
            if line.expires <= now:
                line.failed(TOO_OLD)
                continue
            if self._bucket is not None:
                self._bucket.take(now)
            self._send(line)

    def _paid(self, bucket: TokenBucket, now: float) -> bool:
        """Whether there is a token for the next line, once those are taken for what went out without."""
        while self._owed and bucket.take(now):
            self._owed -= 1
        return not self._owed and bucket.wait(now) == 0

    def due(self, now: float) -> float | None:
        """When `pump` or `expire` has something to do next (monotonic seconds)."""
        times = [self.echoes.deadline()]
        if self._queue:
            times.append(self._queue.next_expiry())
        if (
            self._queue
            and self.connected
            and self._bucket is not None
            and (wait := self._bucket.wait(now)) > 0
        ):
            times.append(now + wait)
        return min((time for time in times if time is not None), default=None)

    def expire(self, now: float) -> None:
        """Give up what has become too old, and what is not confirmed in time."""
        self.echoes.expire(now)
        for line in self._queue.expire(now):
            line.failed(TOO_OLD)

    def welcomed(self, now: float) -> None:
        """Registration is complete: servers count from here."""
        if self._bucket is not None:
            self._bucket.refill(now)
            self._owed = 0

    def lost(self) -> None:
        """The connection is gone: what was written and not confirmed will not be."""
        self.connected = False
        self.writable = True
        for line in self._queue.discard(lambda line: isinstance(line, OfConnection)):
            line.failed(UNCONFIRMED)
        self.echoes.close()

    def close(self, reason: str) -> None:
        """Give up everything that waits, and what is still put here."""
        self._closed = reason
        for line in self._queue.discard(lambda line: True):
            line.failed(reason)

    def write(self, message: Message) -> None:
        """Write a line now. Raises `UnsendableMessage`."""
        self._write_bytes(message.format(self.session.isupport.linelen))

    def _sendable(self, target: str) -> bool:
        """Whether a line to `target` may go now."""
        session = self.session
        if not target:
            return True
        if session.labels.full:  # more is said when the network has confirmed some of it
            return False
        if target in session.state.channels:
            return True
        return session.ready and target not in session.membership.wanted

    def _send(self, line: Outgoing) -> None:
        session = self.session
        enabled = session.capabilities.enabled
        message = line.message
        command = message.command
        if command == "BATCH" and isinstance(message, Multiline):
            self._send_multiline(line, message)
            return
        if message.tags and "message-tags" not in enabled and message.tags.keys() != {"label"}:
            message = Message(message.command, message.params)
        echoes = answers = "echo-message" in enabled and command in ECHOED
        if command in ANSWERED and "label" not in message.tags:
            answers = True
            echoes = command == RELAYMSG and enabled >= ECHOES_RELAYMSG
        try:
            if command in SPOKEN and len(message.params[-1]) > SURELY_FITS:
                message = self._say_what_would_be_cut(message)
            if answers and "labeled-response" in enabled:
                label = session.labels.new(self._clock() + ECHO_LIMIT, _Confirmation(line))
                try:
                    self.write(with_label(message, label))
                except UnsendableMessage:
                    session.labels.forget(label)
                    raise
                line.written(echoes=True)
                return
            self.write(message)
        except UnsendableMessage as error:
            line.failed(str(error))
            return
        line.written(echoes=echoes)
        if echoes:
            self.echoes.expect(line, self._clock())
            return
        self._tell_own_words(message)

    def _send_multiline(self, line: Outgoing, message: Multiline) -> None:
        """All of it or nothing: a batch that is never closed would be in the way of what is said next."""
        session = self.session
        if in_force(session.capabilities) is None:
            line.failed(NO_MULTILINE)
            return
        label = session.labels.new(self._clock() + ECHO_LIMIT, _Confirmation(line), message.command)
        opening, *rest = message.whole
        try:
            lines = [part.format(session.isupport.linelen) for part in (with_label(opening, label), *rest)]
        except UnsendableMessage as error:
            session.labels.forget(label)
            line.failed(str(error))
            return
        for data in lines:
            self._write_bytes(data)
        self._owed += len(rest)
        line.written(echoes=True)

    def _say_what_would_be_cut(self, message: Message) -> Message:
        """Say all but the end of a text that no longer fits one line, and give the end.

        Text is split when it is queued; our mask, which others get before it, may have grown since.
        """
        target, text = message.params
        before, after = ("\x01ACTION ", "\x01") if text.startswith("\x01ACTION ") else ("", "")
        room = self.session.state.room(message.command, target, before + after)
        *first, last = split(text.removeprefix(before).removesuffix(after), max(room, LEAST))
        for piece in first:
            part = Message(message.command, [target, before + piece + after], None, message.tags)
            self.write(part)
            if "echo-message" not in self.session.capabilities.enabled:
                self._tell_own_words(part)
        return Message(message.command, [target, before + last + after], None, message.tags)

    def _tell_own_words(self, message: Message) -> None:
        event = self.session.sent(message)
        if event is not None:
            self._said(event)


class OfConnection(Outgoing):
    """A line that means nothing on another connection, such as PONG, JOIN, or a question with a label."""

    __slots__ = ()


class _Confirmation:
    """Tells a line what the labelled answer says of it: its echo, or a refusal."""

    __slots__ = ("line",)

    def __init__(self, line: Outgoing) -> None:
        self.line = line

    def __call__(self, messages: list[Message] | None) -> None:
        if messages is None:
            self.line.failed(UNCONFIRMED)
            return
        for message in messages:
            if message.command in ECHOED:
                self.line.confirmed(message.tags.get("msgid"))
                return
            if message.command == "FAIL" or message.command[0] in "45":
                self.line.failed(refusal(message))
                return
        self.line.confirmed(None)


def with_label(message: Message, label: str) -> Message:
    """The same message, to be answered under `label`."""
    return Message(message.command, message.params, message.source, {**message.tags, "label": label})
