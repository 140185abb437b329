"""What people say: PRIVMSG, NOTICE, TAGMSG and REDACT to their events, live and from history. Sans-IO.

Sources: RFC 2812 section 3.3; IRCv3 "Message Tags"; drafts "message-redaction", "chathistory", "relaymsg".
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from pynfo.irc import ctcp
from pynfo.irc.events import (
    Batch,
    Event,
    HistoryReceived,
    LineReceived,
    MessageReceived,
    MessageRedacted,
    TagsReceived,
    User,
)
from pynfo.irc.isupport import ISupport
from pynfo.irc.message import MalformedMessage, Message
from pynfo.irc.state import State

log = logging.getLogger(__name__)

# They name the bot that had the server say it under another nick. Only servers can set them.
RELAYMSG_TAGS = DRAFT, FINAL, VENDOR = "draft/relaymsg", "relaymsg", "overdrivenetworks.com/relaymsg"


class Speech:
    """Reads with the state of one connection. `author`: who said a line of history, as it tells itself."""

    def __init__(self, state: State, isupport: ISupport) -> None:
        self._state = state
        self._isupport = isupport
        self._history = {
            "PRIVMSG": self.message,
            "NOTICE": self.message,
            "TAGMSG": self.tags,
            "REDACT": self.redaction,
        }

    def message(
        self, message: Message, time: float, batch: Batch | None, author: User | None = None
    ) -> MessageReceived | None:
        """PRIVMSG or NOTICE. None for a CTCP request or answer other than ACTION."""
        params = message.params
        if len(params) < 2:
            raise MalformedMessage("a message without target or text")
        target, text = params[0], params[1]
        kind = "message" if message.command == "PRIVMSG" else "notice"
        if text[:1] == "\x01":
            request = ctcp.parse(text)
            if request is None or request[0] != "ACTION":
                return None
            kind, text = "action", request[1]
        state = self._state
        user = author or state.user_of(message)
        own = user.nick == state.nick
        tags = message.tags
        if tags and not own and (DRAFT in tags or FINAL in tags or VENDOR in tags):
            own = state.is_me(relaying_bot(tags) or "")
        known = state.channel(target)
        statusmsg, channel = ("", known.name) if known is not None else self._resolve(target)
        return MessageReceived(
            network=state.network,
            time=time,
            message=message,
            batch=batch,
            user=user,
            target=target,
            channel=channel,
            text=text,
            kind=kind,  # type: ignore[arg-type]  # one of the three
            own=own,
            statusmsg=statusmsg,
        )

    def tags(
        self, message: Message, time: float, batch: Batch | None, author: User | None = None
    ) -> TagsReceived:
        """TAGMSG."""
        if not message.params or not message.source:
            raise MalformedMessage("TAGMSG without target or source")
        user = author or self._state.user_of(message)
        return TagsReceived(
            network=self._state.network,
            time=time,
            message=message,
            batch=batch,
            user=user,
            target=message.params[0],
            channel=self._resolve(message.params[0])[1],
            own=self._state.is_me(user.nick),
        )

    def redaction(
        self, message: Message, time: float, batch: Batch | None, author: User | None = None
    ) -> MessageRedacted:
        """REDACT."""
        if len(message.params) < 2 or not message.source:
            raise MalformedMessage("REDACT without target, msgid or source")
        return MessageRedacted(
            network=self._state.network,
            time=time,
            message=message,
            batch=batch,
            user=author or self._state.user_of(message),
            target=message.params[0],
            channel=self._resolve(message.params[0])[1],
            msgid=message.params[1],
            reason=message.params[2] if len(message.params) > 2 else "",
        )

    def history(self, batch: Batch, time: float) -> HistoryReceived:
        """A whole batch of old lines. They change nothing in the state of now.

        What is not speech (`draft/event-playback`) is passed on as `LineReceived`.
        """
        events: list[Event] = []
        for message in batch.messages:
            try:
                said = stamp(message) or time
                reader = self._history.get(message.command)
                if reader is None:
                    network = self._state.network
                    events.append(LineReceived(network=network, time=said, message=message, batch=batch))
                elif (event := reader(message, said, batch, self._state.author_of(message))) is not None:
                    events.append(event)
            except MalformedMessage as error:
                log.warning("%s: a line of history makes no sense: %s", self._state.network, error)
        target = batch.params[0] if batch.params else ""
        return HistoryReceived(
            network=self._state.network, time=time, target=target, events=events, batch=batch
        )

    def _resolve(self, target: str) -> tuple[str, str | None]:
        """The statusmsg prefix, and the channel as the network writes it (None: it is a person)."""
        statusmsg, bare = self._isupport.strip_statusmsg(target)
        if not self._isupport.is_channel(bare):
            return "", None
        known = self._state.channel(bare)
        return statusmsg, known.name if known else bare


def relaying_bot(tags: dict[str, str]) -> str | None:
    """The nick of the bot that sent a line by RELAYMSG; None for any other line."""
    for tag in RELAYMSG_TAGS:
        if tag in tags:
            return tags[tag]
    return None


def stamp(message: Message) -> float | None:
    """The `time` tag as seconds since the epoch (IRCv3 "server-time"); None where there is none.

    One that is no time counts as none, so that the line itself is not lost; a leap second, which the
    specification allows, counts as the second before it.
    """
    value = message.tags.get("time")
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value.replace(":60", ":59") if value[16:19] == ":60" else value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
