"""CAP: what the server offers, and what each client has of it (IRCv3 "Capability Negotiation")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynfo.irc.message import Message
from pynfo.testing import login, registration
from pynfo.testing.person import Person
from pynfo.testing.wire import middle, packed

if TYPE_CHECKING:
    from pynfo.testing.server import Server

VALUES = 302  # the version from which on capabilities have values, and their list may take several lines
NOT_REQUESTED = {"sts"}  # only told; a request for it is refused (IRCv3 "Strict Transport Security")


def cap(server: Server, person: Person, message: Message) -> None:
    """CAP and its subcommands."""
    subcommand = message.params[0].upper()
    if not person.registered and subcommand in ("LS", "REQ"):
        person.negotiating = True
    if subcommand == "LS":
        _list_offered(server, person, message)
    elif subcommand == "LIST":
        _tell(server, person, "LIST", sorted(person.capabilities), whole=person.cap_version < VALUES)
    elif subcommand == "REQ":
        _request(server, person, message.params[-1].split() if len(message.params) > 1 else [])
    elif subcommand == "END":
        _end(server, person)
    else:
        server.reply(person, "410", middle(message.params[0]), "Invalid CAP command")


def offer(server: Server, name: str, value: str) -> None:
    """Begin to offer a capability, and tell those who asked to know."""
    server.capabilities[name] = value
    for person in server.with_capability("cap-notify"):
        _tell(server, person, "NEW", [_offered(person, name, value)], whole=True)


def withdraw(server: Server, name: str) -> None:
    """Offer a capability no more: nobody has it from now on."""
    del server.capabilities[name]
    told = server.with_capability("cap-notify")
    for person in server.everyone():
        person.capabilities.discard(name)
    for person in told:
        _tell(server, person, "DEL", [name], whole=True)


def _list_offered(server: Server, person: Person, message: Message) -> None:
    if len(message.params) > 1 and message.params[1].isdecimal():
        person.cap_version = max(person.cap_version, int(message.params[1][:9]))
    if person.cap_version >= VALUES and "cap-notify" in server.capabilities:
        person.capabilities.add(
            "cap-notify"
        )  # comes with version 302 ("cap-notify", "The CAP NEW subcommand")
    words = [_offered(person, name, value) for name, value in sorted(server.capabilities.items())]
    _tell(server, person, "LS", words, whole=person.cap_version < VALUES)


def _offered(person: Person, name: str, value: str) -> str:
    return f"{name}={value}" if value and person.cap_version >= VALUES else name


def _request(server: Server, person: Person, words: list[str]) -> None:
    wanted = {word for word in words if not word.startswith("-")}
    unwanted = {word[1:] for word in words if word.startswith("-")}
    refused = (wanted | unwanted) - (server.capabilities.keys() - NOT_REQUESTED)
    if person.cap_version >= VALUES:
        refused |= unwanted & {"cap-notify"}
    if not refused:
        person.capabilities = (person.capabilities | wanted) - unwanted
    room = _room(server, person, "NAK")
    for group in packed(words, room) or [[]]:
        server.send(
            person, Message("CAP", [person.nick, "NAK" if refused else "ACK", " ".join(group)], server.name)
        )


def _end(server: Server, person: Person) -> None:
    if person.login is not None:
        login.abort(server, person)
    if person.negotiating:
        person.negotiating = False
        registration.welcome_when_ready(server, person)


def _tell(server: Server, person: Person, subcommand: str, words: list[str], *, whole: bool) -> None:
    """One line, or (`whole` False) as many as it takes, all but the last marked with `*`."""
    groups = packed(words, _room(server, person, subcommand + " *")) or [[]]
    if whole:
        groups = [words]
    for position, group in enumerate(groups, 1):
        more = ["*"] if position < len(groups) else []
        server.send(person, Message("CAP", [person.nick, subcommand, *more, " ".join(group)], server.name))


def _room(server: Server, person: Person, subcommand: str) -> int:
    return server.isupport.linelen - len(f":{server.name} CAP {person.nick} {subcommand} :\r\n".encode())


COMMANDS = {"CAP": (cap, 1)}
