"""Asking about people: WHO with WHOX, and WHOIS.

Sources: Modern IRC, "User-Based Queries"; IRCv3 "WHOX", "Bot Mode".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pynfo.irc.message import Message
from pynfo.testing.channel import Channel, matches_glob
from pynfo.testing.person import Person
from pynfo.testing.wire import middle

if TYPE_CHECKING:
    from pynfo.testing.server import Server

WHOX_ORDER = "tcuihsnfdlaor"  # the order in which fields are given, whatever the order they are asked in
ANSWER_LIMIT = 500  # people in the answer to one mask


def who(server: Server, person: Person, message: Message) -> None:
    """WHO of a channel, a nick or a mask; `%fields,token` asks for WHOX."""
    mask = message.params[0] if message.params else "*"
    wanted = message.params[1] if len(message.params) > 1 else ""
    fields, _, token = wanted.partition("%")[2].partition(",")
    channel = server.channels.get(server.fold(mask))
    for other in _found(server, channel, mask):
        if fields:
            answer = _whox(server, person, channel, other, token)
            server.reply(person, "354", *(answer[field] for field in WHOX_ORDER if field in fields))
        else:
            _who_reply(server, person, channel, other)
    server.reply(person, "315", middle(mask), "End of WHO list")


def _found(server: Server, channel: Channel | None, mask: str) -> Iterable[Person]:
    if channel is not None:
        return list(channel.members)
    folded = server.fold(mask)
    matching = (
        person
        for person in server.people.values()
        if person.registered
        and (matches_glob(folded, server.fold(person.nick)) or matches_glob(folded, server.fold(person.host)))
    )
    return [person for person, _ in zip(matching, range(ANSWER_LIMIT), strict=False)]


def _flags(server: Server, asker: Person, channel: Channel | None, other: Person) -> str:
    flags = "G" if other.away is not None else "H"
    if channel is not None:
        flags += server.symbols(channel, other, every="multi-prefix" in asker.capabilities)
    bot = server.isupport.bot
    return flags + bot if bot and bot in other.modes else flags


def _who_reply(server: Server, asker: Person, channel: Channel | None, other: Person) -> None:
    server.reply(
        asker,
        "352",
        channel.name if channel else "*",
        other.username,
        other.host,
        server.name,
        other.nick,
        _flags(server, asker, channel, other),
        f"0 {other.realname}",
    )


def _whox(
    server: Server, asker: Person, channel: Channel | None, other: Person, token: str
) -> dict[str, str]:
    return {
        "t": middle(token[:3]),
        "c": channel.name if channel else "*",
        "u": other.username,
        "i": "255.255.255.255",
        "h": other.host,
        "s": server.name,
        "n": other.nick,
        "f": _flags(server, asker, channel, other),
        "d": "0",
        "l": "0",
        "a": other.account or "0",
        "o": "n/a",
        "r": other.realname,
    }


def whois(server: Server, person: Person, message: Message) -> None:
    """WHOIS of one nick."""
    nick = message.params[-1]
    other = server.find(nick)
    if other is None:
        server.reply(person, "401", middle(nick), "No such nick")
        server.reply(person, "318", middle(nick), "End of /WHOIS list")
        return
    server.reply(person, "311", other.nick, other.username, other.host, "*", other.realname)
    shown = [server.symbols(channel, other, every=True) + channel.name for channel in other.channels.values()]
    if shown:
        server.reply(person, "319", other.nick, " ".join(shown))
    server.reply(person, "312", other.nick, server.name, server.network)
    if other.away is not None:
        server.reply(person, "301", other.nick, other.away)
    if other.account is not None:
        server.reply(person, "330", other.nick, other.account, "is logged in as")
    if server.isupport.bot and server.isupport.bot in other.modes:
        server.reply(person, "335", other.nick, "is a bot")
    server.reply(person, "318", other.nick, "End of /WHOIS list")


COMMANDS = {"WHO": (who, 0), "WHOIS": (whois, 1)}
