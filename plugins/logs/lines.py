"""What an event is in a log: the `Line` that is kept of it, live or from a network's history.

What our own relay said is a line of the person who spoke, with the account and the identity that they have on
their network (`Line.home`): only of such lines these are known, whatever name of a network others may write.
A message of several lines (IRCv3 draft "multiline") is one `Line` whose text has line breaks. What was said
to a part of a channel only (`@#channel`) is not for everybody, and is never kept; nor is what is private. Of
modes the hosts in masks, and channel keys, are left out: hosts are never shown, and keys are secret.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plugins.logs.line import Kind, Line
from plugins.logs.places import Kept, Places
from plugins.logs.relayed import relaymsg_nick, spoken
from plugins.logs.settings import Settings
from pynfo.irc.events import (
    Event,
    LineReceived,
    MessageReceived,
    ModeChange,
    ModeChanged,
    TopicChanged,
    User,
    UserJoined,
    UserKicked,
    UserParted,
    UserQuit,
    UserRenamed,
)
from pynfo.irc.isupport import ISupport
from pynfo.irc.message import Message, split_source
from pynfo.irc.speech import relaying_bot
from pynfo.off_the_record import off_the_record

COMINGS: frozenset[Kind] = frozenset({"join", "part", "quit", "nick", "mode"})  # left out with `events=False`
KEY = "k"  # the mode letter of a channel's key (Modern IRC, "Key Channel Mode")
HIDDEN = "…"
NO_TAGS: dict[str, str] = {}


class Lines:
    """Makes lines. `archive` is asked for identities, `time_of` for times, `speaker_of` for the `Speaker` of
    what our relay said; what is made is not kept yet."""

    def __init__(
        self,
        archive: Any,
        settings: Settings,
        places: Places,
        time_of: Callable[[Event], float],
        speaker_of: Callable[[MessageReceived], Any],
    ) -> None:
        self.places = places
        self.time_of = time_of
        self.keeps_comings = settings.events
        self._identity: Callable[[User], bytes] = archive.identity
        self._speaker_of = speaker_of
        self._keep_hosts = settings.keep_hosts
        self._clients: Any = places.clients
        self._replayed: dict[str, Callable[[Kept, LineReceived, User, list[str]], Line | None]] = {
            "JOIN": self._replayed_join,
            "PART": self._replayed_part,
            "QUIT": self._replayed_quit,
            "KICK": self._replayed_kick,
            "NICK": self._replayed_nick,
            "TOPIC": self._replayed_topic,
            "MODE": self._replayed_mode,
        }

    # -- talk

    def said(self, kept: Kept, event: MessageReceived) -> Line | None:
        """A message, notice or action: under the person who spoke, where a bot relayed it."""
        user, text, kind = event.user, event.text, event.kind
        tags = event.message.tags if event.message is not None else NO_TAGS
        if event.own and (speaker := self._speaker_of(event)) is not None:
            return self._carried(kept, event, speaker)
        if kept.relays and self.places.fold(event.network, user.nick) in kept.relays:
            if off_the_record(text):
                return None
            relayed = spoken(text)
            if relayed is not None:
                kind = "action" if relayed.action else kind
                return self._relayed(
                    kept, event, kind, relayed.nick, relayed.origin or user.nick, relayed.text
                )
        if tags and (bot := relaying_bot(tags)) is not None:
            capabilities = self._clients[event.network].session.capabilities.available
            nick, origin = relaymsg_nick(user.nick, capabilities.get("draft/relaymsg"))
            return self._relayed(kept, event, kind, nick, origin or bot, text)
        line = self._line(kept, event, kind, user, text)
        if tags:
            line.msgid, line.reply_to = event.msgid, event.reply_to
        return line

    def _carried(self, kept: Kept, event: MessageReceived, speaker: Any) -> Line | None:
        """A line of our own relay; None where it is a piece of what was off the record."""
        if speaker.off_the_record:
            return None
        line = self._line(kept, event, speaker.kind, speaker.user, speaker.text)
        line.origin, line.home = speaker.network, speaker.place.partition("/")[0]
        line.msgid, line.reply_to = event.msgid, event.reply_to
        return line

    def _relayed(
        self, kept: Kept, event: MessageReceived, kind: Kind, nick: str, origin: str, text: str
    ) -> Line:
        """A line of somebody who is not here: of their account and host nothing is known."""
        return Line(
            network=kept.network,
            channel=kept.channel,
            time=self.time_of(event),
            kind=kind,
            nick=nick,
            text=text,
            msgid=event.msgid,
            reply_to=event.reply_to,
            origin=origin or None,
        )

    # -- the rest, as it happens

    def joined(self, kept: Kept, event: UserJoined) -> Line:
        return self._line(kept, event, "join", event.user)

    def parted(self, kept: Kept, event: UserParted) -> Line:
        return self._line(kept, event, "part", event.user, event.reason)

    def quit(self, kept: Kept, event: UserQuit) -> Line:
        return self._line(kept, event, "quit", event.user, event.reason)

    def kicked(self, kept: Kept, event: UserKicked) -> Line:
        return self._line(kept, event, "kick", event.by, event.reason, event.user.nick)

    def renamed(self, kept: Kept, event: UserRenamed) -> Line:
        line = self._line(kept, event, "nick", event.user, "", event.user.nick)
        line.nick = event.old_nick
        return line

    def topic(self, kept: Kept, event: TopicChanged) -> Line:
        return self._line(kept, event, "topic", event.by, event.topic)

    def modes(self, kept: Kept, event: ModeChanged) -> Line | None:
        text = mode_text(event.changes, self._clients[event.network].isupport)
        return self._line(kept, event, "mode", event.by, text) if text else None

    # -- from history

    def fetched(self, kept: Kept, event: Event) -> Line | None:
        """What an event of a network's history is in the log of that channel; None: nothing.

        Without a time of its own it cannot be put anywhere.
        """
        message = event.message
        if message is None or "time" not in message.tags:
            return None
        line = None
        if isinstance(event, MessageReceived):
            if event.channel is not None and not event.statusmsg and self._is_of(kept, event.channel):
                line = self.said(kept, event)
        elif isinstance(event, LineReceived):
            line = self._replay(kept, event, message)
        if line is None or (line.kind in COMINGS and not self.keeps_comings):
            return None
        line.fetched = True
        return line

    def _replay(self, kept: Kept, event: LineReceived, message: Message) -> Line | None:
        """IRCv3 draft "event-playback"."""
        replay = self._replayed.get(message.command)
        if replay is None or not message.source:
            return None
        nick, username, host = split_source(message.source)
        user = User(nick, username, host, account=message.tags.get("account") or None)
        line = replay(kept, event, user, message.params)
        if line is not None:
            line.msgid = message.tags.get("msgid")
        return line

    def _replayed_join(self, kept: Kept, event: LineReceived, user: User, params: list[str]) -> Line | None:
        if not params or not self._is_of(kept, params[0]):
            return None
        if len(params) > 2 and params[1] != "*":  # extended-join
            user = User(user.nick, user.username, user.host, account=params[1])
        return self._line(kept, event, "join", user)

    def _replayed_part(self, kept: Kept, event: LineReceived, user: User, params: list[str]) -> Line | None:
        if not params or not self._is_of(kept, params[0]):
            return None
        return self._line(kept, event, "part", user, *params[1:2])

    def _replayed_quit(self, kept: Kept, event: LineReceived, user: User, params: list[str]) -> Line:
        return self._line(kept, event, "quit", user, *params[:1])

    def _replayed_kick(self, kept: Kept, event: LineReceived, user: User, params: list[str]) -> Line | None:
        if len(params) < 2 or not self._is_of(kept, params[0]):
            return None
        return self._line(kept, event, "kick", user, params[2] if len(params) > 2 else "", params[1])

    def _replayed_nick(self, kept: Kept, event: LineReceived, user: User, params: list[str]) -> Line | None:
        return self._line(kept, event, "nick", user, "", params[0]) if params and params[0] else None

    def _replayed_topic(self, kept: Kept, event: LineReceived, user: User, params: list[str]) -> Line | None:
        if len(params) < 2 or not self._is_of(kept, params[0]):
            return None
        return self._line(kept, event, "topic", user, params[1])

    def _replayed_mode(self, kept: Kept, event: LineReceived, user: User, params: list[str]) -> Line | None:
        if len(params) < 2 or not self._is_of(kept, params[0]):
            return None
        isupport = self._clients[event.network].isupport
        text = mode_text(isupport.parse_modes(params[1], params[2:]), isupport)
        return self._line(kept, event, "mode", user, text) if text else None

    def _is_of(self, kept: Kept, channel: str) -> bool:
        return self.places.of(kept.network, channel) == kept

    def _line(
        self, kept: Kept, event: Event, kind: Kind, user: User, text: str = "", target: str = ""
    ) -> Line:
        return Line(
            network=kept.network,
            channel=kept.channel,
            time=self.time_of(event),
            kind=kind,
            nick=user.nick,
            account=user.account,
            text=text,
            target=target,
            identity=b"" if user.account else self._identity(user),
            host=f"{user.username}@{user.host}" if self._keep_hosts and user.host else "",
        )


def mode_text(changes: list[ModeChange], isupport: ISupport) -> str:
    """Mode changes as they are written: `+o-v alice bob`."""
    letters, params, sign = "", [], ""
    for change in changes:
        wanted = "+" if change.adding else "-"
        if wanted != sign:
            letters += wanted
            sign = wanted
        letters += change.mode
        if change.param is not None:
            params.append(_shown(change, isupport))
    return " ".join([letters, *params])


def _shown(change: ModeChange, isupport: ISupport) -> str:
    param = change.param or ""
    if change.mode == KEY:
        return HIDDEN
    if change.mode in isupport.chanmodes[0]:  # a list of masks
        rest, at, host = param.rpartition("@")
        return f"{rest}{at}{HIDDEN}" if at and host.strip("*?.:/") else param
    return param
