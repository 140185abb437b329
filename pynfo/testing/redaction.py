"""REDACT: a message is to be forgotten (IRCv3 draft "message-redaction")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynfo.irc.message import Message
from pynfo.testing.channel import Channel
from pynfo.testing.offers import REDACTION
from pynfo.testing.person import Person
from pynfo.testing.wire import middle

if TYPE_CHECKING:
    from pynfo.testing.server import Server

REMEMBERED = 10_000  # messages whose authors are known; older ones can no longer be redacted


class Authors:
    """Who said which message, and where. `place` is the folded name of a channel or of who was spoken to."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, Person]] = {}

    def remember(self, msgid: str, place: str, person: Person) -> None:
        """`person` has said it."""
        self._said[msgid] = place, person
        if len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]

    def find(self, msgid: str, place: str) -> Person | None:
        """Who said it there."""
        said_at, person = self._said.get(msgid, ("", None))
        return person if said_at == place else None

    def forget(self, msgid: str) -> None:
        """It is redacted."""
        del self._said[msgid]


def redact(server: Server, person: Person, message: Message) -> None:
    """REDACT of one's own messages, and for operators of a channel of all that is said there."""
    if REDACTION not in person.capabilities:
        server.reply(person, "421", "REDACT", "Unknown command")
        return
    target, msgid, *reason = message.params[:3]
    found = _find(server, person, target)
    if found is None:
        _refuse(server, person, "INVALID_TARGET", [target], f"You cannot delete messages from {target}")
        return
    name, channel, others = found
    author = server.authors.find(msgid, server.fold(name))
    if author is None:
        unknown = "This message does not exist or is too old"
        _refuse(server, person, "UNKNOWN_MSGID", [name, msgid], unknown)
        return
    is_operator = channel is not None and channel.is_operator(person, server.isupport.prefix)
    if author is not person and not is_operator:
        forbidden = "You are not authorised to delete this message"
        _refuse(server, person, "REDACT_FORBIDDEN", [name, msgid], forbidden)
        return
    server.authors.forget(msgid)
    if channel is not None:
        channel.forget(msgid)
    redaction = Message("REDACT", [name, msgid, *reason], person.mask, {"msgid": server.new_msgid()})
    redaction = server.stamp(redaction, person)
    server.deliver([other for other in others if REDACTION in other.capabilities], redaction)
    if "echo-message" in person.capabilities:
        server.send(person, redaction)


def _find(server: Server, person: Person, target: str) -> tuple[str, Channel | None, list[Person]] | None:
    """The target's name, the channel where it is one, and who else is to know. None: not for `person`."""
    channel = server.channels.get(server.fold(target))
    if channel is not None:
        return (channel.name, channel, channel.others(person)) if person in channel.members else None
    other = server.find(target)
    return None if other is None else (other.nick, None, [other])


def _refuse(server: Server, person: Person, code: str, context: list[str], description: str) -> None:
    words = [middle(word) for word in context]
    server.send(person, Message("FAIL", ["REDACT", code, *words, description], server.name))


COMMANDS = {"REDACT": (redact, 2)}
