"""What goes back to who asked: to the right place, short, with the rest kept for `more`."""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import Any

import msgspec

from pynfo.command import Request
from pynfo.interfaces import IEvents, IOutbox
from pynfo.irc.events import Answered, MessageReceived
from pynfo.irc.formatting import clean
from pynfo.irc.split import LEAST, split
from pynfo.services.command_limits import Person, person_of

CHANNEL_LINES = 1  # lines of one answer, before `more`
PRIVATE_LINES = 3
ANSWER_AGE = 30.0  # seconds after which nobody waits for an answer any more
ANSWER_LENGTH = 20_000  # characters of one answer, `more` included
RESTS = 200  # people for whom the rest of an answer is kept
SHORT = 50  # characters that fit every line: at most 200 bytes of 512, and source and target have the others


class _Rest(msgspec.Struct, eq=False):
    request: Request  # the one that it is the answer to
    pieces: list[str]
    private: bool  # it was said to the person alone, and stays so


class Answers:
    """Says answers, and keeps what is left of the long ones.

    `prefix(network, channel)` gives the command prefix there, for the hint at `more`.
    """

    def __init__(self, factory: Any, prefix: Callable[[str, str | None], str]) -> None:
        self._clients = factory.clients
        self._outbox = IOutbox(factory)
        self._events = IEvents(factory)
        self._prefix = prefix
        self._rests: dict[Person, _Rest] = {}  # the oldest stands first

    def give(self, request: Request, text: str, *, private: bool = False) -> None:
        """Say `text` where `request` was made, or to the person alone.

        Raises `OutboxFull` where the outbox takes no more, `LookupError` for a network that is gone,
        `ValueError` where the names alone fill a line.
        """
        event = request.event
        private = private or request.command.private or event.channel is None
        if len(text) <= SHORT and "\n" not in text:
            if text:
                self._say(event, text, private)
            return
        if len(text) > ANSWER_LENGTH:
            text = text[: ANSWER_LENGTH - 1] + "…"
        lines = [clean(line) for line in text.split("\n") if line.strip()]
        room = self._room(event, private)
        pieces = [piece for line in lines for piece in split(line, room)]
        if len(pieces) > (PRIVATE_LINES if private else CHANNEL_LINES):
            room = max(LEAST, room - len(self._hint(event, ANSWER_LENGTH, private).encode()))
            pieces = [piece for line in lines for piece in split(line, room)]
        self._say_some(request, pieces, private)

    def more(self, request: Request) -> str | None:
        """Go on with the last answer to this person; a sentence where nothing is left of it."""
        rest = self._rests.get(person_of(request.event))
        if rest is None:
            return "there is no more"
        asked_in = rest.request.event.target
        if not rest.private and request.channel is not None and request.event.target != asked_in:
            return f"the rest is for {asked_in}, where you asked"
        del self._rests[person_of(request.event)]
        self._say_some(request, rest.pieces, rest.private or request.event.channel is None)
        return None

    def tell(self, event: MessageReceived, text: str) -> None:
        """Say something short where it was asked."""
        self._say(event, text, event.channel is None)

    def notice(self, event: MessageReceived, text: str) -> None:
        """Tell the person alone something that is no answer, as a NOTICE: no bot may answer to that.

        (RFC 2812 section 3.3.2: it keeps two bots from talking to each other for ever.)
        """
        target = f"{event.network}/{event.user.nick}"
        self._outbox.say(target, text, kind="notice", bulk=False, max_age=ANSWER_AGE, tags=self._tags(event))

    def _say_some(self, request: Request, pieces: list[str], private: bool) -> None:
        """As many lines as may be said at once; the others wait for `more`."""
        event = request.event
        most = PRIVATE_LINES if private else CHANNEL_LINES
        now, left = pieces[:most], pieces[most:]
        if left:
            earlier = self._rests.get(person_of(event))
            if earlier is not None and earlier.request is request:  # of an earlier reply to the same request
                left = earlier.pieces + left
            now[-1] += self._hint(event, len(left), private)
            self._keep(person_of(event), _Rest(request, left, private))
        for piece in now:
            self._say(event, piece, private)

    def _keep(self, person: Person, rest: _Rest) -> None:
        self._rests.pop(person, None)
        if len(self._rests) >= RESTS:
            del self._rests[next(iter(self._rests))]
        self._rests[person] = rest

    def _hint(self, event: MessageReceived, count: int, private: bool) -> str:
        prefix = "" if private else self._prefix(event.network, event.channel)
        return f" … ({count} more: {prefix}more)"

    def _say(self, event: MessageReceived, text: str, private: bool) -> None:
        target = f"{event.network}/{event.user.nick if private else event.target}"
        self._outbox.say(target, text, bulk=False, max_age=ANSWER_AGE, tags=self._tags(event))
        if not private and not event.statusmsg and self._events.wants(Answered):
            answered = Answered(
                network=event.network, time=time(), channel=event.channel or "", to=event, text=text
            )
            self._events.publish(answered)

    def _tags(self, event: MessageReceived) -> dict[str, str] | None:
        """The message that is answered (IRCv3 "reply"), where the network gives ids and takes tags."""
        message = event.message
        if message is None or not message.tags:
            return None
        msgid = message.tags.get("msgid")
        if not msgid or "message-tags" not in self._clients[event.network].capabilities:
            return None
        return {"+draft/reply": msgid}

    def _room(self, event: MessageReceived, private: bool) -> int:
        """Bytes of text that one line has."""
        room: int = self._clients[event.network].state.room(
            "PRIVMSG", event.user.nick if private else event.target
        )
        return room
