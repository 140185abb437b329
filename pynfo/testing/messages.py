"""PRIVMSG, NOTICE and TAGMSG: to channels, parts of channels and people.

Sources: Modern IRC, "Sending Messages"; IRCv3 "Message Tags", "Message IDs", "Echo Message", "Bot Mode";
STATUSMSG in Modern IRC, "RPL_ISUPPORT Parameters".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def _send_to_each(server: Server, person: Person, message: Message, text: list[str]) -> None:
    tags: dict[str, str] = {}
    if "message-tags" in person.capabilities:
        allowed = server.isupport.client_tag_allowed
        tags = {key: value for key, value in message.tags.items() if key.startswith("+") and allowed(key)}
    targets = list(dict.fromkeys(message.params[0].split(",")))
    for target in targets[:TARGET_LIMIT]:
        _send_to(server, person, Message(message.command, [target, *text], person.mask, tags))
    if len(targets) > TARGET_LIMIT:
        server.reply(person, "407", middle(targets[TARGET_LIMIT]), "Too many recipients")


def _send_to(server: Server, person: Person, message: Message) -> None:
    target = message.params[0]
    statusmsg, name = server.isupport.strip_statusmsg(target)
    channel = server.channels.get(server.fold(name))
    other = server.find(target) if channel is None else None
    if channel is None and other is None:
        _refuse(server, person, message, "401", middle(target), "No such nick/channel")
        return
    if channel is not None and not channel.may_speak(person, server.fold):
        _refuse(server, person, message, "404", channel.name, "Cannot send to channel")
        return
    if channel is not None:
        message.params[0] = statusmsg + channel.name
        recipients = _reached(server, channel, statusmsg, person)
    elif other is not None:
        message.params[0] = other.nick
        recipients = [other]
        if other.away is not None:
            _refuse(server, person, message, "301", other.nick, other.away)
    message.tags = {"msgid": server.new_msgid(), **message.tags}
    said = server.stamp(message, person)
    if channel is not None and not statusmsg and message.command != "TAGMSG":
        channel.history.append(said)
    _deliver(server, person, recipients, said)


def _refuse(server: Server, person: Person, message: Message, numeric: str, *params: str) -> None:
    if message.command != "NOTICE":
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
