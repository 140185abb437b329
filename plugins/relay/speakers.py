"""Whose line of ours it is: what the bot said for somebody, known again when it comes back.

Live lines are known by what was just said there; those of a network's history by their msgid, and where there
is none by their format.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from plugins.relay.appearance import answer_mark, parse
from plugins.relay.interfaces import Speaker
from plugins.relay.utterance import Utterance
from plugins.relay.wires import Port
from pynfo.irc.batches import is_history
from pynfo.irc.events import MessageReceived, User
from pynfo.irc.formatting import plain
from pynfo.irc.message import Message
from pynfo.off_the_record import off_the_record

EXPECTED = 2000  # lines that we said and that may come back as echoes
EXPECTED_FOR = 180.0  # seconds
PEOPLE = frozenset({"message", "action", "notice"})
RELAYMSG = "RELAYMSG"

# Where something is said: its network and channel, folded, the nick of RELAYMSG or "", and the text.
_Line = tuple[str, str, str, str]


class About(msgspec.Struct, omit_defaults=True):
    """What is remembered of what was said: whose it was."""

    place: str
    kind: str
    nick: str
    account: str | None = None
    identity: str = ""  # username@host, of those without an account
    off: bool = False
    answered: str = ""  # whom it answers

    @property
    def user(self) -> User:
        username, _, host = self.identity.partition("@")
        return User(self.nick, username, host, self.account)


_decoder = msgspec.msgpack.Decoder(About)


def about(utterance: Utterance) -> bytes:
    """What is to be remembered of an utterance."""
    if utterance.kind not in PEOPLE:
        return b""
    return msgspec.msgpack.encode(_about(utterance))


def remembered(data: bytes) -> About | None:
    """What `about` gave; None where it is forgotten."""
    return _decoder.decode(data) if data else None


def is_of(data: bytes, network: str, user: User, fold: Callable[[str], str]) -> bool:
    """Whether what is remembered is of that person (see `IRelaying.forget`)."""
    known = remembered(data)
    return known is not None and known.place.startswith(f"{network}/") and is_same(known.user, user, fold)


def is_same(known: User, user: User, fold: Callable[[str], str]) -> bool:
    """Whether somebody is `user`: by account, and where there is none by nick, username and host."""
    if known.account or user.account:
        return known.account == user.account
    mask = (fold(known.nick), known.username, known.host)
    return mask == (fold(user.nick), user.username, user.host)


class _Expected(msgspec.Struct):
    port: Port
    utterance: Utterance
    text: str
    until: float  # monotonic seconds


class Speakers:
    """`ports_at(network, channel)`: the ports that are there; `fold(network, name)` folds names."""

    def __init__(
        self,
        queue: Any,
        ports_at: Callable[[str, str], Sequence[Port]],
        networks: Iterable[str],
        fold: Callable[[str, str], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._ports_at = ports_at
        self._networks = frozenset(networks)
        self._fold = fold
        self._clock = clock
        self._expected: OrderedDict[_Line, _Expected] = OrderedDict()
        self._last: tuple[MessageReceived, tuple[bool, Speaker | None]] | None = None

    def expect(self, port: Port, utterance: Utterance, messages: Sequence[Message]) -> None:
        """These lines are being said there for somebody, or as words of the relay's own."""
        until = self._clock() + EXPECTED_FOR
        channel = self._fold(port.network, port.channel)
        for message in messages:
            nick = message.params[1] if message.command == RELAYMSG else ""
            text = _text(message.params[-1])
            key = (port.network, channel, nick, plain(text))
            self._expected.pop(key, None)
            self._expected[key] = _Expected(port, utterance, text, until)
        while len(self._expected) > EXPECTED:
            self._expected.popitem(last=False)

    def speaker_of(self, event: MessageReceived) -> Speaker | None:
        """See `IRelaying`."""
        return self._known(event)[1]

    def is_ours(self, event: MessageReceived) -> bool:
        """See `IRelaying`."""
        return self._known(event)[0]

    def _known(self, event: MessageReceived) -> tuple[bool, Speaker | None]:
        if not event.own or event.channel is None:
            return False, None
        if self._last is None or self._last[0] is not event:
            self._last = event, self._find(event, event.channel)
        return self._last[1]

    def _find(self, event: MessageReceived, channel: str) -> tuple[bool, Speaker | None]:
        if event.msgid is not None:
            found = self._remembered(event, channel, event.msgid)
            if found is not None:
                return True, found
        where = event.network, self._fold(event.network, channel)
        text = plain(event.text)
        expected = self._expected.get((*where, event.user.nick, text)) or self._expected.get(
            (*where, "", text)
        )
        if expected is not None and expected.until > self._clock():
            return True, self._expected_speaker(expected, event)
        if not is_history(event.batch):
            return False, None  # another plugin's words, which may look like anything
        return (found := self._by_format(event, channel)) is not None, found

    def _expected_speaker(self, expected: _Expected, event: MessageReceived) -> Speaker | None:
        utterance = expected.utterance
        if utterance.kind not in PEOPLE:
            return None
        return self._speaker(_about(utterance), expected.port, event)

    def _remembered(self, event: MessageReceived, channel: str, msgid: str) -> Speaker | None:
        for port in self._ports_at(event.network, channel):
            key = self._queue.key_of(port.place, msgid)
            known = remembered(self._queue.about(key)) if key is not None else None
            if known is not None:
                return self._speaker(known, port, event)
        return None

    def _by_format(self, event: MessageReceived, channel: str) -> Speaker | None:
        for port in self._ports_at(event.network, channel):
            found = parse(event.text, port, self._networks)
            if found is not None and found[1] in self._networks:
                nick, network, text = found
                return Speaker(
                    place=f"{network}/", network=network, user=User(nick), kind=event.kind, text=text
                )
        return None

    def _speaker(self, known: About, port: Port, event: MessageReceived) -> Speaker:
        text = event.text
        if event.message is None or not event.user.nick.endswith(f"/{known.place.partition('/')[0]}"):
            read = parse(text, port, self._networks)
            text = read[2] if read is not None else text
        if known.answered:
            text = text.removeprefix(answer_mark(known.answered))
        return Speaker(
            place=known.place,
            network=known.place.partition("/")[0],
            user=known.user,
            kind=known.kind,
            text=text,
            off_the_record=known.off,
        )


def _about(utterance: Utterance) -> About:
    return About(
        place=utterance.place,
        kind=utterance.kind,
        nick=utterance.nick,
        account=utterance.account,
        identity="" if utterance.account else utterance.identity,
        off=off_the_record(utterance.text),
        answered=utterance.about_nick,
    )


def _text(said: str) -> str:
    return said.removeprefix("\x01ACTION ").removesuffix("\x01")
