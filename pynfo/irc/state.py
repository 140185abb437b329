"""Who is where on one network, for as long as one connection lasts. Sans-IO.

`State` holds the tables and keeps them consistent. What a line changes in them is told by one function for
each command, in `state_changes` (what people and servers do) and `state_replies` (what the server tells).

- We know ourselves, and whoever shares a channel with us; after the last one a person is forgotten.
- Keys of the tables are folded names; a change of CASEMAPPING folds them all again.
- A `User` is never changed in place: whoever got one keeps what was true then.
- The tables are bounded: past the bounds a line is refused as malformed.

Sources: RFC 2812 sections 3.1 to 3.3 and 5.1; Modern IRC; the IRCv3 specifications named at the functions.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pynfo.irc.casemap import folder
from pynfo.irc.channel import ChannelState
from pynfo.irc.events import Batch, Event, User
from pynfo.irc.isupport import ISupport
from pynfo.irc.message import MalformedMessage, Message, split_source
from pynfo.irc.state_changes import CHANGES
from pynfo.irc.state_replies import REPLIES, WHOX_FIELDS

CHANNEL_LIMIT = 2_000  # channels that we are in: a server can put us into them
MEMBER_LIMIT = 200_000  # members of all of them together
HOST_BYTES = 63  # of a host that is not known yet (RFC 2812 section 2.3.1: a host name of RFC 1123)
USERNAME_BYTES = 11  # of a username that is not known yet: 10, and "~" where there is no ident

# Each handler with the number of parameters that it cannot do without.
_HANDLERS = CHANGES | REPLIES


class State:
    """The tables of one connection, and their questions."""

    def __init__(self, network: str, isupport: ISupport, nick: str) -> None:
        self.network = network
        self.isupport = isupport
        self.nick = nick  # ours, as the network writes it
        self.registered = False  # 001 has come: what is told of ourselves from here on is final
        self.modes: set[str] = set()  # our own user modes
        self.users: dict[str, User] = {}  # by folded nick; ourselves too
        self.channels: dict[str, ChannelState] = {}  # by folded name
        self._member_count = 0  # of all channels together
        # Answers to the two questions that every channel line asks, without folding a name.
        self._by_source: dict[str | None, User] = {}
        self._by_name: dict[str, ChannelState] = {}
        self._casemapping = isupport.casemapping
        self.fold = folder(self._casemapping)
        self._own_key = self.fold(nick)
        self.users[self._own_key] = User(nick)

    def apply(self, message: Message, time: float, batch: Batch | None) -> list[Event]:
        """Take in one line; `time` is UTC in seconds since the epoch. Gives what it means to others.

        Raises `MalformedMessage` for a line that makes no sense, before anything is changed.
        """
        entry = _HANDLERS.get(message.command)
        if entry is None:
            return []
        least, handler = entry
        if len(message.params) < least:
            raise MalformedMessage(f"{message.command} with {len(message.params)} parameters")
        return handler(self, message, time, batch)

    # -- questions

    @property
    def me(self) -> User:
        """Ourselves, as others see us."""
        return self.users[self._own_key]

    def is_me(self, nick: str) -> bool:
        return nick == self.nick or self.fold(nick) == self._own_key

    def user(self, nick: str) -> User | None:
        """Somebody we share a channel with, or ourselves."""
        return self.users.get(self.fold(nick))

    def channel(self, name: str) -> ChannelState | None:
        """A channel that we are in."""
        return self._by_name.get(name) or self.channels.get(self.fold(name))

    def shared_channels(self, nick: str) -> list[str]:
        """The channels in which we see that person, as the network writes them."""
        key = self.fold(nick)
        return [channel.name for channel in self.channels.values() if key in channel.members]

    def member_modes(self, channel: str, nick: str) -> str:
        """The letters of somebody's prefix modes, highest first; `""` for none, or where they are not."""
        known = self.channel(channel)
        return known.members.get(self.fold(nick), "") if known else ""

    def is_operator(self, channel: str, nick: str) -> bool:
        """Whether somebody is a channel operator, or has a mode that PREFIX lists above it."""
        modes = self.member_modes(channel, nick)
        if not modes or "o" not in self.isupport.prefix:
            return False
        order = list(self.isupport.prefix)
        return modes[0] in order[: order.index("o") + 1]

    def source_length(self) -> int:
        """Bytes of `:nick!username@host ` before what we say, as others get it; the worst while unknown."""
        me = self.me
        username = len(me.username.encode()) if me.username else USERNAME_BYTES
        host = len(me.host.encode()) if me.host else HOST_BYTES
        return len(me.nick.encode()) + username + host + len(":!@ ")

    def room(self, command: str, target: str, wrapping: str = "") -> int:
        """Bytes of text that one of our lines to `target` has before a server cuts it.

        `wrapping` is what stands around the text, such as that of an ACTION.
        """
        frame = f"{command} {target} :{wrapping}\r\n"
        return self.isupport.linelen - self.source_length() - len(frame.encode())

    def who_query(self, channel: str) -> Message:
        """Ask who is in a channel, accounts included (WHOX); `apply` takes in the answers."""
        return Message("WHO", [channel, WHOX_FIELDS])

    # -- who said it

    def user_of(self, message: Message) -> User:
        """Whose line it is, and as its source and tags say they are now.

        What is new in it is remembered of somebody known. Raises `MalformedMessage` where there is no source.
        Not for lines of history: see `author_of`.
        """
        user = self._by_source.get(message.source)
        if user is None:
            user = self._user_of_source(message.source)
        tags = message.tags
        if tags:
            account = tags.get("account")
            if account and account != user.account:
                user = self.update(user, account=account)
            if not user.bot and _is_bot(tags):
                user = self.update(user, bot=True)
        return user

    def author_of(self, message: Message) -> User:
        """Whose line of history it is, by the line alone: a nick may have been somebody else's then.

        Changes nothing. Raises `MalformedMessage` where there is no source.
        """
        if not message.source:
            raise MalformedMessage(f"{message.command} without a source")
        tags = message.tags
        return User(*split_source(message.source), account=tags.get("account") or None, bot=_is_bot(tags))

    def _user_of_source(self, source: str | None) -> User:
        if not source:
            raise MalformedMessage("a line without a source")
        nick, username, host = split_source(source)
        known = self.users.get(self.fold(nick))
        if known is None:
            return User(nick, username, host)
        if not username or not host:
            return known
        if known.username != username or known.host != host:
            # A change of host is told (CHGHOST, or QUIT and JOIN): where it was not, this may be another
            # person under a nick that we missed the end of, and not the one who is logged in.
            same = not known.host or self.is_me(nick)
            account = known.account if same else None
            known = self.update(known, nick=nick, username=username, host=host, account=account)
        elif known.nick != nick:
            known = self.update(known, nick=nick)
        self._by_source[source] = known
        return known

    # -- changes, for `state_changes` and `state_replies`

    def update(self, user: User, **fields: Any) -> User:
        """The user with these fields changed; remembered where they are known."""
        new = msgspec.structs.replace(user, **fields)
        if self.fold(user.nick) in self.users:
            self.put(new)
        return new

    def put(self, user: User) -> None:
        """Somebody known is now like this; but for its case, the nick is the same."""
        key = self.fold(user.nick)
        self._by_source.pop(self.users[key].mask, None)
        self.users[key] = user
        if key == self._own_key:
            self.nick = user.nick

    def rename(self, user: User, nick: str) -> User:
        """Somebody known has another nick. Gives the new `User`."""
        old_key, key = self.fold(user.nick), self.fold(nick)
        if key != old_key:
            self._forget_everywhere(key)  # whoever had that nick is gone, though we were not told
            for channel in self.channels.values():
                if old_key in channel.members:
                    channel.members[key] = channel.members.pop(old_key)
            self._by_source.pop(user.mask, None)
            self.users[key] = user = msgspec.structs.replace(self.users.pop(old_key), nick=nick)
            if old_key == self._own_key:
                self._own_key = key
        return self.update(user, nick=nick)

    def open_channel(self, name: str) -> ChannelState:
        """We are in a channel, and know nothing of it yet."""
        if not self.isupport.is_channel(name):
            raise MalformedMessage(f"{name[:40]!r} is not a channel")
        key = self.fold(name)
        if key not in self.channels and len(self.channels) >= CHANNEL_LIMIT:
            raise MalformedMessage(f"put into more than {CHANNEL_LIMIT} channels")
        self.close_channel(name)
        channel = self.channels[key] = self._by_name[name] = ChannelState(name)
        return channel

    def close_channel(self, name: str) -> None:
        """We are no longer in a channel: who was only there is forgotten."""
        channel = self.channels.pop(self.fold(name), None)
        if channel is None:
            return
        self._by_name.pop(channel.name, None)
        self._member_count -= len(channel.members)
        for key in channel.members:
            self._forget_unless_shared(key)

    def rename_channel(self, channel: ChannelState, name: str) -> None:
        """A channel that we are in has another name."""
        if not self.isupport.is_channel(name):
            raise MalformedMessage(f"{name[:40]!r} is not a channel")
        if self.fold(name) != self.fold(channel.name):
            self.close_channel(name)
        del self.channels[self.fold(channel.name)]
        self._by_name.pop(channel.name, None)
        channel.name = name
        self.channels[self.fold(name)] = self._by_name[name] = channel

    def enter(self, channel: ChannelState, user: User, modes: str = "") -> None:
        """Somebody is in a channel that we are in, with these prefix modes."""
        key = self.fold(user.nick)
        if key not in channel.members:
            if self._member_count >= MEMBER_LIMIT:
                raise MalformedMessage(f"more than {MEMBER_LIMIT} members in our channels")
            self._member_count += 1
            self.users.setdefault(key, user)
        channel.members[key] = modes

    def leave(self, channel: ChannelState, nick: str) -> None:
        """Somebody else is no longer in a channel."""
        key = self.fold(nick)
        if channel.members.pop(key, None) is not None:
            self._member_count -= 1
            self._forget_unless_shared(key)

    def forget(self, nick: str) -> None:
        """Somebody else is gone from the network."""
        self._forget_everywhere(self.fold(nick))

    def refold(self) -> None:
        """Follow CASEMAPPING where it has changed since the tables were begun."""
        if self.isupport.casemapping == self._casemapping:
            return
        self._casemapping = self.isupport.casemapping
        self.fold = folder(self._casemapping)
        keys = {key: self.fold(user.nick) for key, user in self.users.items()}
        self.users = {keys[key]: user for key, user in self.users.items() if key != self._own_key} | {
            keys[self._own_key]: self.me  # last: whoever folds to our nick now is not taken for us
        }
        self._own_key = keys[self._own_key]
        self.channels = {self.fold(channel.name): channel for channel in self.channels.values()}
        self._by_name = {channel.name: channel for channel in self.channels.values()}
        self._by_source.clear()
        self._member_count = 0
        for channel in self.channels.values():
            channel.members = {keys[key]: modes for key, modes in channel.members.items()}
            self._member_count += len(channel.members)

    def _forget_everywhere(self, key: str) -> None:
        for channel in self.channels.values():
            if channel.members.pop(key, None) is not None:
                self._member_count -= 1
        self._forget(key)

    def _forget_unless_shared(self, key: str) -> None:
        for channel in self.channels.values():
            if key in channel.members:
                return
        self._forget(key)

    def _forget(self, key: str) -> None:
        if key != self._own_key and (user := self.users.pop(key, None)) is not None:
            self._by_source.pop(user.mask, None)


def _is_bot(tags: dict[str, str]) -> bool:
    """IRCv3 "Bot Mode"; before it was ratified the tag had other names."""
    return "bot" in tags or "inspircd.org/bot" in tags or "draft/bot" in tags


__all__ = ["WHOX_FIELDS", "ChannelState", "State"]
