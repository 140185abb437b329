"""MODE, of channels and of people (Modern IRC, "MODE message"; IRCv3 "Bot Mode").

Which letters there are, and which take a parameter, is what the server says in CHANMODES and PREFIX.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynfo.irc.events import ModeChange
from pynfo.irc.message import Message
from pynfo.testing.channel import Channel
from pynfo.testing.offers import LIST_LIMIT
from pynfo.testing.person import Person
from pynfo.testing.wire import middle

if TYPE_CHECKING:
    from pynfo.testing.server import Server

PARAMETER_LIMIT = 200  # characters of a mask or a key
LIST_NUMERICS = {"b": ("367", "368"), "e": ("348", "349"), "I": ("346", "347")}  # an entry, and the end


class ModeRefused(Exception):
    """A change that cannot be; its arguments are the numeric and the parameters of the answer."""


def mode(server: Server, person: Person, message: Message) -> None:
    """MODE."""
    target = message.params[0]
    if not server.isupport.is_channel(target):
        _user_mode(server, person, message)
        return
    channel = server.channels.get(server.fold(target))
    if channel is None:
        server.reply(person, "403", middle(target), "No such channel")
    elif len(message.params) == 1:
        _tell_modes(server, person, channel)
    else:
        _change_channel(server, person, channel, message)


def _user_mode(server: Server, person: Person, message: Message) -> None:
    if server.fold(message.params[0]) != server.fold(person.nick):
        server.reply(person, "502", "Can't change mode for other users")
        return
    if len(message.params) == 1:
        server.reply(person, "221", "+" + "".join(sorted(person.modes)))
        return
    known = {"i", server.isupport.bot}
    before = set(person.modes)
    adding = True
    for letter in message.params[1]:
        if letter in "+-":
            adding = letter == "+"
        elif letter not in known:
            server.reply(person, "501", "Unknown MODE flag")
        elif adding:
            person.modes.add(letter)
        else:
            person.modes.discard(letter)
    changes = [ModeChange(True, letter) for letter in sorted(person.modes - before)]
    changes += [ModeChange(False, letter) for letter in sorted(before - person.modes)]
    if changes:
        server.send(person, Message("MODE", [person.nick, *_written(changes)], person.mask), by=person)


def _tell_modes(server: Server, person: Person, channel: Channel) -> None:
    member = person in channel.members
    params = [
        param if member or letter != "k" else "*"
        for letter, param in channel.modes.items()
        if param is not None
    ]
    letters = sorted(channel.modes, key=lambda letter: channel.modes[letter] is not None)
    server.reply(person, "324", channel.name, "+" + "".join(letters), *params)
    server.reply(person, "329", channel.name, str(int(channel.created)))


def _change_channel(server: Server, person: Person, channel: Channel, message: Message) -> None:
    changes = server.isupport.parse_modes(message.params[1], message.params[2:])
    asked = [
        change for change in changes if change.mode in server.isupport.chanmodes[0] and change.param is None
    ]
    for change in asked:
        _tell_list(server, person, channel, change.mode)
    changes = [change for change in changes if change not in asked]
    if not changes:
        return
    if not channel.is_operator(person, server.isupport.prefix):
        server.reply(person, "482", channel.name, "You're not channel operator")
        return
    done = [change for change in changes[: _most(server, changes)] if _apply(server, person, channel, change)]
    tell_changes(server, channel, done, person.mask, by=person)


def _apply(server: Server, person: Person, channel: Channel, change: ModeChange) -> bool:
    try:
        return change_mode(server, channel, change)
    except ModeRefused as refusal:
        server.reply(person, *refusal.args)
        return False


def _most(server: Server, changes: list[ModeChange]) -> int:
    """How many of the changes are heard: MODES bounds those with a parameter."""
    left = server.isupport.modes
    for position, change in enumerate(changes):
        if change.param is not None and left is not None:
            if left == 0:
                return position
            left -= 1
    return len(changes)


def tell_changes(
    server: Server, channel: Channel, changes: list[ModeChange], source: str, *, by: Person | None = None
) -> None:
    """Tell the members of a channel what has changed."""
    if changes:
        server.broadcast(channel.members, Message("MODE", [channel.name, *_written(changes)], source), by=by)


def _written(changes: list[ModeChange]) -> list[str]:
    text, sign = "", ""
    for change in changes:
        now = "+" if change.adding else "-"
        text += change.mode if now == sign else now + change.mode
        sign = now
    return [text, *(change.param for change in changes if change.param is not None)]


def change_mode(server: Server, channel: Channel, change: ModeChange) -> bool:
    """Make one change; False where it was so already. A nick or mask is put as the server writes it.

    Raises `ModeRefused`.
    """
    lists, always, when_set, never = server.isupport.chanmodes
    letter, param = change.mode, change.param
    if letter in server.isupport.prefix:
        return _change_prefix(server, channel, change)
    if letter not in lists + always + when_set + never:
        raise ModeRefused("472", letter, "is unknown mode char to me")
    if param is not None and (middle(param) != param or len(param) > PARAMETER_LIMIT):
        raise ModeRefused("696", channel.name, letter, "*", "Invalid mode parameter")
    if letter in lists:
        return _change_list(server, channel, change)
    if not change.adding:
        found = letter in channel.modes
        channel.modes.pop(letter, None)
        return found
    if letter not in never and param is None:
        raise ModeRefused("696", channel.name, letter, "*", "You must specify a parameter")
    if letter == "l" and not (param and param.isascii() and param.isdigit() and len(param) < 10):
        raise ModeRefused("696", channel.name, letter, param or "*", "Invalid limit mode parameter")
    if letter in channel.modes and channel.modes[letter] == param:
        return False
    channel.modes[letter] = param
    return True


def _change_prefix(server: Server, channel: Channel, change: ModeChange) -> bool:
    person = server.find(change.param or "")
    if person is None or person not in channel.members:
        raise ModeRefused("441", middle(change.param or ""), channel.name, "They aren't on that channel")
    change.param = person.nick
    letters = channel.members[person]
    if (change.mode in letters) == change.adding:
        return False
    letters ^= {change.mode}
    return True


def _change_list(server: Server, channel: Channel, change: ModeChange) -> bool:
    entries = channel.lists.setdefault(change.mode, {})
    change.param = mask = _whole_mask(change.param or "*")
    if not change.adding:
        return entries.pop(mask, None) is not None
    if mask in entries:
        return False
    if len(entries) >= LIST_LIMIT:
        raise ModeRefused("478", channel.name, mask, "Channel list is full")
    entries[mask] = (server.name, server.clock())
    return True


def _whole_mask(mask: str) -> str:
    """`alice` means `alice!*@*`, and `*@host` means `*!*@host`."""
    if "!" not in mask:
        mask = f"*!{mask}" if "@" in mask else f"{mask}!*"
    return mask if "@" in mask else f"{mask}@*"


def _tell_list(server: Server, person: Person, channel: Channel, letter: str) -> None:
    entry, end = LIST_NUMERICS.get(letter, LIST_NUMERICS["b"])
    for mask, (setter, set_at) in channel.lists.get(letter, {}).items():
        server.reply(person, entry, channel.name, mask, setter, str(int(set_at)))
    server.reply(person, end, channel.name, "End of channel list")


COMMANDS = {"MODE": (mode, 1)}
