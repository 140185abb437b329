"""CHATHISTORY: what was said in a channel, again (IRCv3 draft "chathistory")."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pynfo.irc.message import Message
from pynfo.testing import multiline
from pynfo.testing.offers import HISTORY, HISTORY_LIMIT
from pynfo.testing.person import Person
from pynfo.testing.wire import middle, timestamp

if TYPE_CHECKING:
    from pynfo.testing.server import Server

SELECTORS = {
    "LATEST": 1,
    "BEFORE": 1,
    "AFTER": 1,
    "BETWEEN": 2,
}  # subcommands, and how many selectors they take


class _Refused(Exception):
    """Its arguments are a code of "chathistory" ("Errors and Warnings"), and the description."""


def chathistory(server: Server, person: Person, message: Message) -> None:
    """CHATHISTORY of a channel that the person is in: LATEST, BEFORE, AFTER, BETWEEN."""
    if HISTORY not in person.capabilities:
        server.reply(person, "421", "CHATHISTORY", "Unknown command")
        return
    try:
        target, said = _selected(server, person, message.params)
    except _Refused as refusal:
        code, description = refusal.args
        context = [middle(param) for param in message.params[:2]]
        server.send(person, Message("FAIL", ["CHATHISTORY", code, *context, description], server.name))
        return
    reference = server.new_reference()
    if "batch" in person.capabilities:
        server.send(person, Message("BATCH", ["+" + reference, "chathistory", target], server.name))
    for line in said:
        if isinstance(line, multiline.Whole):
            for part in multiline.told(server, person, line, reference):
                server.send(person, part)
        else:
            again = Message(line.command, line.params, line.source, line.tags | {"batch": reference})
            server.send(person, again)
    if "batch" in person.capabilities:
        server.send(person, Message("BATCH", ["-" + reference], server.name))


def _selected(server: Server, person: Person, params: list[str]) -> tuple[str, list[Message]]:
    subcommand = params[0].upper()
    if subcommand not in SELECTORS:
        raise _Refused("INVALID_PARAMS", "Unknown subcommand")
    if len(params) != SELECTORS[subcommand] + 3 or not params[-1].isdecimal():
        raise _Refused("INVALID_PARAMS", "Wrong number of parameters, or no limit")
    channel = server.channels.get(server.fold(params[1]))
    if channel is None or person not in channel.members:
        raise _Refused("INVALID_TARGET", "Messages could not be retrieved")
    said = list(channel.history)
    count = min(int(params[-1][:9]), HISTORY_LIMIT)
    if subcommand == "LATEST":
        newer = said if params[2] == "*" else said[_after(said, params[2]) :]
        return channel.name, newer[max(len(newer) - count, 0) :]
    if subcommand == "BEFORE":
        older = said[: _before(said, params[2])]
        return channel.name, older[max(len(older) - count, 0) :]
    if subcommand == "AFTER":
        return channel.name, said[_after(said, params[2]) :][:count]
    if _before(said, params[2]) <= _before(said, params[3]):
        return channel.name, said[_after(said, params[2]) : _before(said, params[3])][:count]
    between = said[_after(said, params[3]) : _before(said, params[2])]
    return channel.name, between[max(len(between) - count, 0) :]


def _before(said: list[Message], selector: str) -> int:
    """How many of the messages come before what `timestamp=…` or `msgid=…` names."""
    return _position(said, selector)[0]


def _after(said: list[Message], selector: str) -> int:
    """The index of the first message behind it."""
    return _position(said, selector)[1]


def _position(said: list[Message], selector: str) -> tuple[int, int]:
    kind, _, value = selector.partition("=")
    if kind == "msgid":
        for index, line in enumerate(said):
            if line.tags["msgid"] == value:
                return index, index + 1
        raise _Refused("MESSAGE_ERROR", "Unknown message")
    if kind != "timestamp":
        raise _Refused("INVALID_MSGREFTYPE", "Neither timestamp nor msgid")
    try:
        time = timestamp(datetime.fromisoformat(value).timestamp())
    except ValueError:
        raise _Refused("INVALID_PARAMS", "Not a time") from None
    # Now both are written alike, so that the order of times is the order of their texts.
    before = sum(1 for line in said if line.tags["time"] < time)
    return before, before + sum(1 for line in said if line.tags["time"] == time)


COMMANDS = {"CHATHISTORY": (chathistory, 1)}
