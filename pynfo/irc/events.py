"""What a message means, already resolved against the state of the network.

Records only: `pynfo.irc.state` and `pynfo.irc.session` make them, subscribers of `IEvents` read them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from pynfo.irc.message import Message


class User(msgspec.Struct, frozen=True):
    """A person as last seen on one network. A change makes a new `User`; this one stays as it was."""

    nick: str
    username: str = ""
    host: str = ""
    account: str | None = None  # the services login; None: not logged in, or the network does not tell
    realname: str = ""
    away: bool = False
    bot: bool = False  # said to be a bot by the network (bot mode)

    @property
    def mask(self) -> str:
        """`nick!username@host`, with `*` for what is not known."""
        return f"{self.nick}!{self.username or '*'}@{self.host or '*'}"


class Batch(msgspec.Struct):
    """An IRCv3 batch that is open (IRCv3 "Batch"); `parent` is the batch around it, `tags` those of the line
    that opened it."""

    reference: str
    type: str
    params: list[str] = []
    parent: Batch | None = None
    label: str = ""
    messages: list[Message] = []
    tags: dict[str, str] = {}


class Event(msgspec.Struct, kw_only=True):
    """Something that happened on a network.

    `time` is UTC in seconds since the epoch: the server's `server-time` where given. `message` is the line
    that it was read from, None where there was none. `batch` is the innermost batch it came in.
    """

    network: str
    time: float
    message: Message | None = None
    batch: Batch | None = None


class LineReceived(Event, kw_only=True):
    """Any line at all, before what it means is worked out."""


class NetworkUp(Event, kw_only=True):
    """Registration is complete: welcome, ISUPPORT and end of MOTD have been read."""

    nick: str


class NetworkDown(Event, kw_only=True):
    """The connection is gone. `reason` is one sentence for the operator."""

    reason: str


class MessageReceived(Event, kw_only=True):
    """PRIVMSG, NOTICE or an ACTION, also our own (`own`), echoed or not.

    `channel` is the channel's name as the network writes it, None in private. `target` is the target as
    it stood in the line, which has a prefix such as `@#channel` where `statusmsg` is not `""`.
    """

    user: User
    target: str
    channel: str | None
    text: str
    kind: Literal["message", "notice", "action"] = "message"
    own: bool = False
    statusmsg: str = ""

    @property
    def msgid(self) -> str | None:
        """The network's id of the message (IRCv3 "Message IDs")."""
        return self.message.tags.get("msgid") if self.message else None

    @property
    def reply_to(self) -> str | None:
        """The `msgid` this answers (IRCv3 "reply" client tag)."""
        if self.message is None:
            return None
        return self.message.tags.get("+reply") or self.message.tags.get("+draft/reply")


class TagsReceived(Event, kw_only=True):
    """TAGMSG: tags with no text, such as a reaction or "is typing" (IRCv3 "Message Tags")."""

    user: User
    target: str
    channel: str | None
    own: bool = False


class UserJoined(Event, kw_only=True):
    user: User
    channel: str
    own: bool = False


class UserParted(Event, kw_only=True):
    user: User
    channel: str
    reason: str = ""
    own: bool = False


class UserKicked(Event, kw_only=True):
    """`user` was kicked by `by`; `own` where it was us."""

    user: User
    channel: str
    by: User
    reason: str = ""
    own: bool = False


class UserQuit(Event, kw_only=True):
    """`channels`: those we shared. In a `netsplit` batch where the network says so."""

    user: User
    channels: list[str]
    reason: str = ""
    own: bool = False


class UserRenamed(Event, kw_only=True):
    """`user` already has the new nick."""

    user: User
    old_nick: str
    channels: list[str]
    own: bool = False


class UserChanged(Event, kw_only=True):
    """Account, username, host, realname or away state changed: `old` is how `user` was."""

    user: User
    old: User
    channels: list[str]
    own: bool = False


class UserInvited(Event, kw_only=True):
    """`nick` was asked to `channel` by `by`; `own` where it was us."""

    nick: str
    channel: str
    by: User
    own: bool = False


class TopicChanged(Event, kw_only=True):
    channel: str
    by: User
    topic: str


class ModeChange(msgspec.Struct):
    """One change: `adding` a mode letter or removing it, with its parameter where it has one."""

    adding: bool
    mode: str
    param: str | None = None


class ModeChanged(Event, kw_only=True):
    """Modes of a channel, or of ourselves where `channel` is None."""

    channel: str | None
    by: User
    changes: list[ModeChange]


class ChannelRenamed(Event, kw_only=True):
    """IRCv3 draft "channel-rename"."""

    old_channel: str
    channel: str
    by: User
    reason: str = ""


class ChannelSynced(Event, kw_only=True):
    """The members of a channel that we joined are known (end of NAMES)."""

    channel: str


class JoinFailed(Event, kw_only=True):
    """A channel could not be joined: `code` is the numeric, `reason` the server's words."""

    channel: str
    code: str
    reason: str


class MessageRedacted(Event, kw_only=True):
    """IRCv3 draft "message-redaction": the message `msgid` is to be forgotten."""

    user: User
    target: str
    channel: str | None
    msgid: str
    reason: str = ""


class HistoryReceived(Event, kw_only=True):
    """A whole `chathistory` or playback batch of `target`, oldest first; its events are not live."""

    target: str
    events: list[Event]


class Answered(Event, kw_only=True):
    """The bot answers a command, with one line in the `channel` where it was given (`to`)."""

    channel: str
    to: MessageReceived
    text: str


class StandardReply(Event, kw_only=True):
    """IRCv3 "Standard Replies": FAIL, WARN or NOTE about `about` (a command, or `*`)."""

    kind: Literal["FAIL", "WARN", "NOTE"]
    about: str
    code: str
    context: list[str]
    description: str


class OperatorNotice(Event, kw_only=True):
    """Something the person who runs us should know. `matter` is stable: told once as long as it lasts."""

    matter: str
    text: str
