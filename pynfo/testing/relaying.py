"""RELAYMSG: a bot has the server say something in a channel under a nick that nobody has.

Source: IRCv3 draft "relaymsg". Where it leaves a choice this server does as Ergo does: who relays hears it
too, `echo-message` or not; refusals name no channel; in the history the line has lost its tag.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pynfo.irc.message import Message
from pynfo.testing.channel import matches_glob
from pynfo.testing.messages import client_tags
from pynfo.testing.offers import RELAYMSG
from pynfo.testing.person import Person
from pynfo.testing.wire import middle

if TYPE_CHECKING:
    from pynfo.testing.server import Server

_RESERVED = re.compile(r"""[!+%@&#$:'"?*,.\s\x00-\x1f\x7f]""").search  # ("Abuse prevention")


def relay(server: Server, person: Person, message: Message) -> None:
    """RELAYMSG, of channel operators, and of everybody where the server says so (`Server.anyone_relays`)."""
    if RELAYMSG not in person.capabilities:
        server.reply(person, "421", "RELAYMSG", "Unknown command")
        return
    name, nick, text = message.params[:3]
    channel = server.channels.get(server.fold(name))
    if channel is None:
        server.reply(person, "403", middle(name), "No such channel")
        return
    source = f"{nick}!~u@{person.host}"
    separators = server.capabilities[RELAYMSG]
    if not (server.anyone_relays or channel.is_operator(person, server.isupport.prefix)):
        _refuse(server, person, "PRIVS_NEEDED", "You cannot relay messages to this channel")
    elif not text.strip():
        _refuse(server, person, "BLANK_MSG", "The message must not be blank")
    elif not nick or _RESERVED(nick):
        _refuse(server, person, "INVALID_NICK", "Invalid nickname")
    elif separators and not set(separators) & set(nick):
        needed = f"Relayed nicknames MUST contain a relaymsg separator from this set: {separators}"
        _refuse(server, person, "INVALID_NICK", needed)
    elif any(matches_glob(server.fold(mask), server.fold(source)) for mask in channel.lists.get("b", ())):
        _refuse(server, person, "BANNED", f"{nick} is banned from relaying to the channel")
    else:
        tags = {"msgid": server.new_msgid(), **client_tags(server, person, message)}
        said = server.stamp(Message("PRIVMSG", [channel.name, text], source, tags), None)
        server.authors.remember(tags["msgid"], server.fold(channel.name), person)
        channel.history.append(said)
        marked = Message(said.command, said.params, said.source, {RELAYMSG: person.nick, **said.tags})
        server.broadcast(channel.members, marked)


def _refuse(server: Server, person: Person, code: str, description: str) -> None:
    server.send(person, Message("FAIL", ["RELAYMSG", code, description], server.name))


COMMANDS = {"RELAYMSG": (relay, 3)}
