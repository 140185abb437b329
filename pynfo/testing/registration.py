"""Coming and going: PASS, NICK, USER, the welcome, QUIT, and the sign of life.

Source: Modern IRC, "Connection Registration".
"""

from __future__ import annotations

import re
from hmac import compare_digest
from typing import TYPE_CHECKING

from pynfo.irc.message import Message
from pynfo.testing import presence
from pynfo.testing.offers import REALNAME_LIMIT, USERLEN
from pynfo.testing.person import Person
from pynfo.testing.wire import middle, packed, timestamp

if TYPE_CHECKING:
    from pynfo.testing.server import Server

TOKENS_LIMIT = 12  # tokens in one 005: the nick and the words at its end make it 14 parameters

_NICK = re.compile(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]*").fullmatch
_NOT_USERNAME = re.compile(r"[^A-Za-z0-9._~-]")


def password(server: Server, person: Person, message: Message) -> None:
    """PASS."""
    if person.registered:
        server.reply(person, "462", "You may not reregister")
    else:
        person.password = message.params[0]


def nick(server: Server, person: Person, message: Message) -> None:
    """NICK: the first one, or a new one."""
    new = message.params[0] if message.params else ""
    if not new:
        server.reply(person, "431", "No nickname given")
    elif not is_nick(server, new):
        server.reply(person, "432", middle(new), "Erroneous nickname")
    elif server.people.get(server.fold(new), person) is not person:
        server.reply(person, "433", new, "Nickname is already in use")
    elif new != person.nick:
        _rename(server, person, new)


def is_nick(server: Server, name: str) -> bool:
    """Whether a person can have that name here."""
    return _NICK(name) is not None and len(name) <= (server.isupport.nicklen or len(name))


def _rename(server: Server, person: Person, new: str) -> None:
    old_nick, old_mask = person.nick, person.mask
    server.people.pop(server.fold(old_nick), None)
    person.nick = new
    server.people[server.fold(new)] = person
    if not person.registered:
        welcome_when_ready(server, person)
        return
    renamed = Message("NICK", [new], old_mask)
    server.broadcast([person, *server.neighbours(person)], renamed, by=person)
    if server.fold(old_nick) != server.fold(new):
        presence.tell_watchers(server, old_nick)
        presence.tell_watchers(server, new)


def user(server: Server, person: Person, message: Message) -> None:
    """USER."""
    if person.username:
        server.reply(person, "462", "You may not reregister")
        return
    person.username = _NOT_USERNAME.sub("", message.params[0])[:USERLEN] or "user"
    person.realname = message.params[3][:REALNAME_LIMIT]
    welcome_when_ready(server, person)


def welcome_when_ready(server: Server, person: Person) -> None:
    """Register the person, where all that it takes has been said."""
    if person.registered or person.negotiating or person.nick == "*" or not person.username:
        return
    if server.password is not None:
        given = (person.password or "").encode()
        if not compare_digest(server.password.encode(), given):
            server.reply(person, "464", "Password incorrect")
            server.remove(person, "Access denied")
            return
    person.registered = True
    _welcome(server, person)
    presence.tell_watchers(server, person.nick)


def _welcome(server: Server, person: Person) -> None:
    name, network = server.name, server.network
    prefixes, (lists, always, when_set, never) = server.isupport.prefix, server.isupport.chanmodes
    with_parameter = "".join(sorted((*prefixes, *lists, *always, *when_set)))
    channel_modes = "".join(sorted({*with_parameter, *never}))
    server.reply(person, "001", f"Welcome to the {network} IRC Network {person.mask}")
    server.reply(person, "002", f"Your host is {name}, running version {server.version}")
    server.reply(person, "003", f"This server was created {timestamp(server.created)}")
    user_modes = "i" + (server.isupport.bot or "")
    server.reply(person, "004", name, server.version, user_modes, channel_modes, with_parameter)
    room = (
        server.isupport.linelen
        - len(f":{name} 005 {person.nick} :are supported by this server\r\n".encode())
        - 1
    )
    for group in packed(server.tokens, room):
        for start in range(0, len(group), TOKENS_LIMIT):
            tokens = group[start : start + TOKENS_LIMIT]
            server.reply(person, "005", *tokens, "are supported by this server")
    lusers(server, person)
    motd(server, person)


def lusers(server: Server, person: Person, message: Message | None = None) -> None:
    """LUSERS: how many are here."""
    people = sum(1 for other in server.people.values() if other.registered)
    server.reply(person, "251", f"There are {people} users and 0 invisible on 1 servers")
    server.reply(person, "254", str(len(server.channels)), "channels formed")
    server.reply(person, "255", f"I have {people} clients and 0 servers")


def motd(server: Server, person: Person, message: Message | None = None) -> None:
    """MOTD: the message of the day."""
    if server.motd is None:
        server.reply(person, "422", "MOTD File is missing")
        return
    server.reply(person, "375", f"- {server.name} Message of the day -")
    for line in server.motd.splitlines():
        server.reply(person, "372", f"- {line}")
    server.reply(person, "376", "End of /MOTD command")


def quit_(server: Server, person: Person, message: Message) -> None:
    """QUIT."""
    server.remove(person, f"Quit: {message.params[0]}" if message.params else "Quit")


def ping(server: Server, person: Person, message: Message) -> None:
    """PING: the token comes back in a PONG."""
    server.send(person, Message("PONG", [server.name, message.params[0]], server.name))


def pong(server: Server, person: Person, message: Message) -> None:
    """PONG: nothing to answer."""


COMMANDS = {
    "PASS": (password, 1),
    "NICK": (nick, 0),
    "USER": (user, 4),
    "QUIT": (quit_, 0),
    "PING": (ping, 1),
    "PONG": (pong, 0),
    "LUSERS": (lusers, 0),
    "MOTD": (motd, 0),
}
