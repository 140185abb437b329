"""PRIVMSG, NOTICE and TAGMSG: to channels, parts of channels and people.

Sources: Modern IRC, "Sending Messages"; IRCv3 "Message Tags", "Message IDs", "Echo Message", "Bot Mode";
STATUSMSG in Modern IRC, "RPL_ISUPPORT Parameters".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pynfo.irc.message import Message
from pynfo.testing.channel import Channel
from pynfo.testing.offers import TARGET_LIMIT
from pynfo.testing.person import Person
from pynfo.testing.wire import middle

if TYPE_CHECKING:
    from pynfo.testing.server import Server


def speak(server: Server, person: Person, message: Message) -> None:
    """PRIVMSG and NOTICE. A NOTICE is never answered, not even by an error (RFC 2812 section 3.3.2)."""
    params = message.params
    if len(params) < 2 or not params[1]:
        if message.command == "PRIVMSG":
            server.reply(person, *(("412", "No text to send") if params else ("411", "No recipient given")))
        return
    _send_to_each(server, person, message, [params[1]])


def tag_message(server: Server, person: Person, message: Message) -> None:
    """TAGMSG: only for those who negotiated `message-tags`."""
    if "message-tags" not in person.capabilities:
        server.reply(person, "421", "TAGMSG", "Unknown command")
    elif not message.params:
        server.reply(person, "411", "No recipient given")
    else:
        _send_to_each(server, person, message, [])


def client_tags(server: Server, person: Person, message: Message) -> dict[str, str]:
    """The tags of a client's line that go on to others."""
    if "message-tags" not in person.capabilities:
        return {}
    allowed = server.isupport.client_tag_allowed
    return {key: value for key, value in message.tags.items() if key.startswith("+") and allowed(key)}


def _send_to_each(server: Server, person: Person, message: Message, text: list[str]) -> None:
    tags = client_tags(server, person, message)
    targets = list(dict.fromkeys(message.params[0].split(",")))
    for target in targets[:TARGET_LIMIT]:
        _send_to(server, person, Message(message.command, [target, *text], person.mask, tags))
    if len(targets) > TARGET_LIMIT:
        server.reply(person, "407", middle(targets[TARGET_LIMIT]), "Too many recipients")


class Addressed(NamedTuple):
    """Where a message goes. `place` is where it is found again; "": it goes to a part of a channel only."""

    target: str  # as others see it
    place: str  # folded
    channel: Channel | None
    recipients: list[Person]


def addressed(server: Server, person: Person, command: str, target: str) -> Addressed | None:
    """Whom a message of `person` to `target` reaches. None: nobody, and they have been told why."""
    statusmsg, name = server.isupport.strip_statusmsg(target)
    channel = server.channels.get(server.fold(name))
    if channel is not None:
        if not channel.may_speak(person, server.fold):
            _refuse(server, person, command, "404", channel.name, "Cannot send to channel")
            return None
        place = "" if statusmsg else server.fold(channel.name)
        reached = _reached(server, channel, statusmsg, person)
        return Addressed(statusmsg + channel.name, place, channel, reached)
    other = server.find(target)
    if other is None:
        _refuse(server, person, command, "401", middle(target), "No such nick/channel")
        return None
    if other.away is not None:
        _refuse(server, person, command, "301", other.nick, other.away)
    return Addressed(other.nick, server.fold(other.nick), None, [other])


def _send_to(server: Server, person: Person, message: Message) -> None:
    found = addressed(server, person, message.command, message.params[0])
    if found is None:
        return
    message.params[0] = found.target
    message.tags = {"msgid": server.new_msgid(), **message.tags}
    said = server.stamp(message, person)
    if found.place:
        server.authors.remember(said.tags["msgid"], found.place, person)
    if found.channel is not None and found.place and message.command != "TAGMSG":
        found.channel.history.append(said)
    _deliver(server, person, found.recipients, said)


def _refuse(server: Server, person: Person, command: str, numeric: str, *params: str) -> None:
    if command != "NOTICE":
        server.reply(person, numeric, *params)


def _reached(server: Server, channel: Channel, statusmsg: str, person: Person) -> list[Person]:
    """The other members; with a STATUSMSG prefix, those with that rank or a higher one."""
    if not statusmsg:
        return channel.others(person)
    ranks = list(server.isupport.prefix.items())
    enough = {letter for letter, _ in ranks[: [symbol for _, symbol in ranks].index(statusmsg) + 1]}
    return [member for member in channel.others(person) if channel.members[member] & enough]


def _deliver(server: Server, person: Person, recipients: list[Person], said: Message) -> None:
    if said.command == "TAGMSG":
        recipients = [recipient for recipient in recipients if "message-tags" in recipient.capabilities]
    if person in recipients:
        # What one says to oneself is no answer to one's own label; the echo is (Labeled Responses, "Echo").
        server.deliver([person], said)
    else:
        server.broadcast(recipients, said)
    if "echo-message" in person.capabilities:
        server.send(person, said)


COMMANDS = {"PRIVMSG": (speak, 0), "NOTICE": (speak, 0), "TAGMSG": (tag_message, 0)}
