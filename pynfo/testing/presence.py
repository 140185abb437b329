"""What people learn of each other: away, account, host and real name, and MONITOR, ISON, USERHOST.

Sources: Modern IRC; IRCv3 "away-notify", "account-notify", "chghost", "setname", "Monitor",
"extended-monitor".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynfo.irc.message import Message
from pynfo.testing.offers import AWAY_LIMIT, REALNAME_LIMIT
from pynfo.testing.person import Person
from pynfo.testing.wire import middle, packed

if TYPE_CHECKING:
    from pynfo.testing.server import Server

USERHOST_LIMIT = 5  # nicks in one USERHOST (RFC 2812 section 4.8)


def away(server: Server, person: Person, message: Message) -> None:
    """AWAY with a text, or without one to be back."""
    text = message.params[0][:AWAY_LIMIT] if message.params else ""
    person.away = text or None
    if text:
        server.reply(person, "306", "You have been marked as being away")
    else:
        server.reply(person, "305", "You are no longer marked as being away")
    changed = Message("AWAY", [text] if text else [], person.mask)
    server.broadcast(_audience(server, person, "away-notify"), changed, by=person)


def set_name(server: Server, person: Person, message: Message) -> None:
    """SETNAME."""
    new = message.params[0]
    if not new or len(new) > REALNAME_LIMIT:
        server.send(
            person, Message("FAIL", ["SETNAME", "INVALID_REALNAME", "Realname is not valid"], server.name)
        )
        return
    person.realname = new
    audience = _audience(server, person, "setname")
    if "setname" in person.capabilities:
        audience.append(person)
    server.broadcast(audience, Message("SETNAME", [new], person.mask), by=person)


def set_account(server: Server, person: Person, account: str | None) -> None:
    """Log a person in to services, or (None) out."""
    person.account = account
    if account is not None:
        server.reply(person, "900", person.mask, account, f"You are now logged in as {account}")
    else:
        server.reply(person, "901", person.mask, "You are now logged out")
    if person.registered:
        changed = Message("ACCOUNT", [account or "*"], person.mask)
        server.broadcast(_audience(server, person, "account-notify"), changed, by=person)


def set_host(server: Server, person: Person, username: str, host: str) -> None:
    """Change what others see behind a nick, as a cloak does."""
    changed = Message("CHGHOST", [username, host], person.mask)
    audience = _audience(server, person, "chghost")
    if "chghost" in person.capabilities:
        audience.append(person)
    person.username, person.host = username, host
    server.broadcast(audience, changed, by=person)
    server.reply(person, "396", host, "is now your displayed host")


def _audience(server: Server, person: Person, capability: str) -> list[Person]:
    """Who is told of a change: those in the same channels, and those who watch (extended-monitor)."""
    told = dict.fromkeys(server.neighbours(person))
    for watcher in server.watchers(person.nick):
        if "extended-monitor" in watcher.capabilities and watcher is not person:
            told[watcher] = None
    return [other for other in told if capability in other.capabilities]


def monitor(server: Server, person: Person, message: Message) -> None:
    """MONITOR + - C L S."""
    subcommand = message.params[0].upper()
    nicks = message.params[1].split(",") if len(message.params) > 1 else []
    if subcommand == "+":
        _watch(server, person, [middle(nick) for nick in nicks if nick])
    elif subcommand == "-":
        for nick in nicks:
            person.monitored.pop(server.fold(nick), None)
    elif subcommand == "C":
        person.monitored.clear()
    elif subcommand == "L":
        _reply_list(server, person, "732", list(person.monitored.values()))
        server.reply(person, "733", "End of MONITOR list")
    elif subcommand == "S":
        _tell_states(server, person, list(person.monitored.values()))


def _watch(server: Server, person: Person, nicks: list[str]) -> None:
    limit = server.isupport.monitor or 0
    for position, nick in enumerate(nicks):
        if limit and len(person.monitored) >= limit and server.fold(nick) not in person.monitored:
            server.reply(person, "734", str(limit), ",".join(nicks[position:]), "Monitor list is full")
            nicks = nicks[:position]
            break
        person.monitored[server.fold(nick)] = nick
    _tell_states(server, person, nicks)


def _tell_states(server: Server, person: Person, nicks: list[str]) -> None:
    online = [server.find(nick) for nick in nicks]
    _reply_list(server, person, "730", [other.mask for other in online if other is not None])
    offline = [nick for nick, other in zip(nicks, online, strict=True) if other is None]
    _reply_list(server, person, "731", offline)


def _reply_list(server: Server, person: Person, numeric: str, words: list[str]) -> None:
    room = server.isupport.linelen - len(f":{server.name} {numeric} {person.nick} :\r\n".encode())
    for group in packed(words, room):
        server.reply(person, numeric, ",".join(group))


def tell_watchers(server: Server, nick: str) -> None:
    """Tell those who MONITOR a nick whether somebody has it now."""
    for watcher in server.watchers(nick):
        _tell_states(server, watcher, [nick])


def ison(server: Server, person: Person, message: Message) -> None:
    """ISON: which of these nicks are here."""
    nicks = " ".join(message.params).split()
    found = [other.nick for other in map(server.find, nicks) if other is not None]
    server.reply(person, "303", " ".join(found))


def userhost(server: Server, person: Person, message: Message) -> None:
    """USERHOST."""
    found = [other for other in map(server.find, message.params[:USERHOST_LIMIT]) if other is not None]
    words = [f"{other.nick}={'-' if other.away else '+'}{other.username}@{other.host}" for other in found]
    server.reply(person, "302", " ".join(words))


COMMANDS = {
    "AWAY": (away, 0),
    "SETNAME": (set_name, 1),
    "MONITOR": (monitor, 1),
    "ISON": (ison, 1),
    "USERHOST": (userhost, 1),
}
