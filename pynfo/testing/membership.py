"""Being in channels: JOIN, PART, KICK, INVITE, TOPIC, NAMES, LIST.

Sources: Modern IRC, "Channel Operations"; IRCv3 "extended-join", "invite-notify", "no-implicit-names",
"multi-prefix", "userhost-in-names".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynfo.irc.message import Message
from pynfo.testing.channel import Channel
from pynfo.testing.offers import CHANNEL_LIMIT, KICK_LIMIT
from pynfo.testing.person import Person
from pynfo.testing.wire import middle, packed

if TYPE_CHECKING:
    from pynfo.testing.server import Server


def join(server: Server, person: Person, message: Message) -> None:
    """JOIN: channels and keys, or "0" to leave all."""
    if message.params[0] == "0":
        for channel in list(person.channels.values()):
            _leave(server, person, channel, "Left all channels")
        return
    keys = message.params[1].split(",") if len(message.params) > 1 else []
    for position, name in enumerate(message.params[0].split(",")):
        _join_one(server, person, name, keys[position] if position < len(keys) else "")


def _join_one(server: Server, person: Person, name: str, key: str) -> None:
    channel = server.channels.get(server.fold(name))
    if channel is None and not _is_channel_name(server, name):
        server.reply(person, "403", middle(name), "No such channel")
        return
    if channel is not None and person in channel.members:
        return
    if len(person.channels) >= CHANNEL_LIMIT or (
        channel is None and len(server.channels) >= server.channel_limit
    ):
        server.reply(person, "405", name, "You have joined too many channels")
        return
    refusal = _refusal(server, person, channel, key) if channel is not None else None
    if channel is not None and refusal is not None:
        if channel.forward is None:
            server.reply(person, refusal[0], channel.name, refusal[1])
            return
        server.reply(person, "470", channel.name, channel.forward, "Forwarding to another channel")
        name = channel.forward
        channel = server.channels.get(server.fold(name))
        # Where the second channel does not let them in either, that is the end of it: no endless forwarding.
        if channel is not None and (person in channel.members or _refusal(server, person, channel, key)):
            return
    _enter(server, person, channel or server.make_channel(name))


def _is_channel_name(server: Server, name: str) -> bool:
    longest = server.isupport.channellen or len(name)
    forbidden = any(character in name for character in " ,\x07")
    return server.isupport.is_channel(name) and 1 < len(name) <= longest and not forbidden


def _refusal(server: Server, person: Person, channel: Channel, key: str) -> tuple[str, str] | None:
    """The numeric and its words for why `person` may not join; an invitation opens every door."""
    if person in channel.invited:
        return None
    modes = channel.modes
    if channel.is_banned(person, server.fold):
        return "474", "Cannot join channel (+b)"
    if "i" in modes:
        return "473", "Cannot join channel (+i)"
    if "k" in modes and modes["k"] != key:
        return "475", "Cannot join channel (+k)"
    if "r" in modes and person.account is None:
        return "477", "Cannot join channel (+r) - you need to be logged in to services"
    if "l" in modes and len(channel.members) >= int(modes["l"] or 0):
        return "471", "Cannot join channel (+l)"
    return None


def _enter(server: Server, person: Person, channel: Channel) -> None:
    founder = not channel.members and not channel.kept
    channel.members[person] = {"o"} if founder else set()
    channel.invited.discard(person)
    person.channels[server.fold(channel.name)] = channel
    short = Message("JOIN", [channel.name], person.mask)
    extended = Message("JOIN", [channel.name, person.account or "*", person.realname], person.mask)
    for member in channel.members:
        joined = extended if "extended-join" in member.capabilities else short
        server.send(member, joined, by=person)
    if person.away is not None:
        told = [member for member in channel.others(person) if "away-notify" in member.capabilities]
        server.broadcast(told, Message("AWAY", [person.away], person.mask), by=person)
    if channel.topic:
        _tell_topic(server, person, channel)
    if "no-implicit-names" not in person.capabilities:
        _tell_names(server, person, channel)


def part(server: Server, person: Person, message: Message) -> None:
    """PART."""
    reason = message.params[1] if len(message.params) > 1 else ""
    for name in message.params[0].split(","):
        channel = _own_channel(server, person, name)
        if channel is not None:
            _leave(server, person, channel, reason)


def _leave(server: Server, person: Person, channel: Channel, reason: str) -> None:
    left = Message("PART", [channel.name, reason] if reason else [channel.name], person.mask)
    server.broadcast(channel.members, left, by=person)
    server.forget_member(channel, person)


def kick(server: Server, person: Person, message: Message) -> None:
    """KICK."""
    channel = _operated_channel(server, person, message.params[0])
    if channel is None:
        return
    kicked = server.find(message.params[1])
    if kicked is None or kicked not in channel.members:
        server.reply(person, "441", middle(message.params[1]), channel.name, "They aren't on that channel")
        return
    reason = message.params[2][:KICK_LIMIT] if len(message.params) > 2 else person.nick
    told = Message("KICK", [channel.name, kicked.nick, reason], person.mask)
    server.broadcast(channel.members, told, by=person)
    server.forget_member(channel, kicked)


def invite(server: Server, person: Person, message: Message) -> None:
    """INVITE."""
    invited = server.find(message.params[0])
    if invited is None:
        server.reply(person, "401", middle(message.params[0]), "No such nick")
        return
    channel = _own_channel(server, person, message.params[1])
    if channel is None:
        return
    if invited in channel.members:
        server.reply(person, "443", invited.nick, channel.name, "is already on channel")
        return
    if "i" in channel.modes and not channel.is_operator(person, server.isupport.prefix):
        server.reply(person, "482", channel.name, "You're not channel operator")
        return
    channel.invited.add(invited)
    server.reply(person, "341", invited.nick, channel.name)
    told = Message("INVITE", [invited.nick, channel.name], person.mask)
    server.send(invited, told, by=person)
    server.broadcast(
        [
            member
            for member in channel.others(person)
            if "invite-notify" in member.capabilities and channel.is_operator(member, server.isupport.prefix)
        ],
        told,
        by=person,
    )


def topic(server: Server, person: Person, message: Message) -> None:
    """TOPIC: ask for it, or set it."""
    channel = _own_channel(server, person, message.params[0])
    if channel is None:
        return
    if len(message.params) == 1:
        if channel.topic:
            _tell_topic(server, person, channel)
        else:
            server.reply(person, "331", channel.name, "No topic is set")
        return
    if "t" in channel.modes and not channel.is_operator(person, server.isupport.prefix):
        server.reply(person, "482", channel.name, "You're not channel operator")
        return
    channel.topic = message.params[1][: server.isupport.topiclen]
    channel.topic_by, channel.topic_time = person.mask, server.clock()
    changed = Message("TOPIC", [channel.name, channel.topic], person.mask)
    server.broadcast(channel.members, changed, by=person)


def _tell_topic(server: Server, person: Person, channel: Channel) -> None:
    server.reply(person, "332", channel.name, channel.topic)
    server.reply(person, "333", channel.name, middle(channel.topic_by), str(int(channel.topic_time)))


def names(server: Server, person: Person, message: Message) -> None:
    """NAMES of one channel."""
    name = message.params[0] if message.params else "*"
    channel = server.channels.get(server.fold(name))
    if channel is not None:
        _tell_names(server, person, channel)
    else:
        server.reply(person, "366", middle(name), "End of /NAMES list")


def _tell_names(server: Server, person: Person, channel: Channel) -> None:
    every_prefix = "multi-prefix" in person.capabilities
    masks = "userhost-in-names" in person.capabilities
    words = [
        server.symbols(channel, member, every=every_prefix) + (member.mask if masks else member.nick)
        for member in channel.members
    ]
    room = server.isupport.linelen - len(f":{server.name} 353 {person.nick} = {channel.name} :\r\n".encode())
    for group in packed(words, room):
        server.reply(person, "353", "=", channel.name, " ".join(group))
    server.reply(person, "366", channel.name, "End of /NAMES list")


def list_(server: Server, person: Person, message: Message) -> None:
    """LIST: all channels, or those named."""
    wanted = {server.fold(name) for name in message.params[0].split(",")} if message.params else None
    server.reply(person, "321", "Channel", "Users  Name")
    for folded, channel in server.channels.items():
        if wanted is None or folded in wanted:
            server.reply(person, "322", channel.name, str(len(channel.members)), channel.topic)
    server.reply(person, "323", "End of /LIST")


def _own_channel(server: Server, person: Person, name: str) -> Channel | None:
    """The channel of that name, where the person is in it; otherwise they are told why not."""
    channel = server.channels.get(server.fold(name))
    if channel is None:
        server.reply(person, "403", middle(name), "No such channel")
    elif person not in channel.members:
        server.reply(person, "442", channel.name, "You're not on that channel")
    else:
        return channel
    return None


def _operated_channel(server: Server, person: Person, name: str) -> Channel | None:
    channel = _own_channel(server, person, name)
    if channel is not None and not channel.is_operator(person, server.isupport.prefix):
        server.reply(person, "482", channel.name, "You're not channel operator")
        return None
    return channel


COMMANDS = {
    "JOIN": (join, 1),
    "PART": (part, 1),
    "KICK": (kick, 2),
    "INVITE": (invite, 2),
    "TOPIC": (topic, 1),
    "NAMES": (names, 0),
    "LIST": (list_, 0),
}
