"""How what is carried leaves: as RELAYMSG, as lines in the wire's format, or as tags: by what a network has.

Sources: IRCv3 drafts "relaymsg", "reply", "react", "message-redaction".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plugins.relay.appearance import answer_mark, late_mark, pieces, relaymsg_nick, said
from plugins.relay.mentions import localise
from plugins.relay.utterance import Utterance
from plugins.relay.wires import Port
from pynfo.irc.client import Client
from pynfo.irc.formatting import clean, plain
from pynfo.irc.message import Message
from pynfo.irc.multiline import compose, in_force
from pynfo.irc.split import LEAST, split

RELAYMSG = "draft/relaymsg"
REDACTION = "draft/message-redaction"
REPLY, REACT = "+draft/reply", "+draft/react"
NICK_ROOM = 32  # bytes of a nick of RELAYMSG
MASK_ROOM = 75  # bytes of "!username@host", which the server makes up for RELAYMSG
BAD_NICK = "INVALID_NICK"  # the code of a refusal that is for the nick alone
BAD_NICKS = 500  # that are remembered
LINKS = 500  # long messages whose address is remembered
ACTION = ("\x01ACTION ", "\x01")


class Rendering:
    """`message_at(key, place)`: the msgid that a message has at a place, if it is known."""

    def __init__(
        self, message_at: Callable[[str, str], str | None], copies: Callable[[str, str], Sequence[str]]
    ) -> None:
        self._message_at = message_at
        self._copies = copies  # the msgids of our own copies of a message at a place
        self._without_relaymsg: dict[str, tuple[float | None, str]] = {}  # by place: with what it was refused
        self._bad_nicks: dict[tuple[str, str], None] = {}  # of RELAYMSG, that a network does not take
        self._links: dict[str, str] = {}  # by key: where a message that is too long can be read

    def lines(self, utterance: Utterance, key: str, port: Port, client: Client, now: float) -> list[Message]:
        """The lines that say it at a port, at `now` (UTC epoch seconds)."""
        match utterance.kind:
            case "message" | "action" | "notice":
                return self._words(utterance, key, port, client, now)
            case "reaction":
                return self._reaction(utterance, port, client, now)
            case "redaction":
                return self._redaction(utterance, port, client, now)
        return self._own_words(utterance, port, client, now)

    def refused(self, message: Message, port: Port, client: Client, reason: str) -> bool:
        """The network refused a line. Whether it will look different now."""
        if message.command != "RELAYMSG":
            return False
        if BAD_NICK in reason:
            self._bad_nicks[port.network, message.params[1]] = None
            if len(self._bad_nicks) > BAD_NICKS:
                del self._bad_nicks[next(iter(self._bad_nicks))]
            return True
        self._without_relaymsg[port.place] = _standing(client, port)
        return True

    def link(self, key: str, address: str) -> None:
        """Where a message can be read, of which there are too many lines to be said."""
        self._links[key] = address
        if len(self._links) > LINKS:
            del self._links[next(iter(self._links))]

    # -- what people say

    def _words(self, utterance: Utterance, key: str, port: Port, client: Client, now: float) -> list[Message]:
        channel = port.channel
        late = late_mark(utterance.time, now)
        text = self._text(utterance, key, port, client)
        tags, opening = self._answer(utterance, port, client)
        nick = self._nick(utterance, port, client)
        if nick is not None:
            room = client.isupport.linelen - len(f":{nick} PRIVMSG {channel} :\r\n".encode()) - MASK_ROOM
            before, after = ACTION if utterance.kind == "action" else ("", "")
            parts = _split(late + opening + text, max(room - len(before + after), LEAST))
            messages = [Message("RELAYMSG", [channel, nick, before + part + after]) for part in parts]
        else:
            command = "NOTICE" if utterance.kind == "notice" else "PRIVMSG"
            room = client.state.room(command, channel)
            limits = in_force(client.session.capabilities) if "\n" in text and command == "PRIVMSG" else None
            # `compose` splits what fills a line whole, and what it splits off would have no frame.
            parts = pieces(
                utterance, port, room - 1 if limits else room, late=late, text=text, opening=opening
            )
            whole = compose(channel, "\n".join(parts), room, limits) if limits is not None else None
            messages = [whole] if whole else [Message(command, [channel, part]) for part in parts]
        if tags and messages:
            messages[0].tags = tags
        return messages

    def _text(self, utterance: Utterance, key: str, port: Port, client: Client) -> str:
        text = utterance.text
        if "@" in text or "/" in text:
            channel = client.state.channel(port.channel)
            fold = client.state.fold
            if channel is not None:
                text = localise(text, port.network, lambda nick: fold(nick) in channel.members)
        if port.formatting == "strip":
            text = plain(text)
        lines = text.split("\n")
        if key in self._links and len(lines) > port.lines_limit:
            shown = lines[: port.lines_limit - 1]
            return "\n".join([*shown, f"… {len(lines) - len(shown)} more lines: {self._links[key]}"])
        return text

    def _answer(self, utterance: Utterance, port: Port, client: Client) -> tuple[dict[str, str], str]:
        """The tags of an answer where the network has them, else what stands before it."""
        if not utterance.about:
            return {}, ""
        msgid = self._message_at(utterance.about, port.place)
        if msgid is not None and _has_tags(client, REPLY):
            return {REPLY: msgid}, ""
        return {}, answer_mark(utterance.about_nick) if utterance.about_nick else ""

    def _nick(self, utterance: Utterance, port: Port, client: Client) -> str | None:
        """Under which nick they speak there by RELAYMSG; None: they do not."""
        if not port.relaymsg or utterance.kind == "notice" or RELAYMSG not in client.capabilities:
            return None
        if self._without_relaymsg.get(port.place, standing := _standing(client, port)) != standing:
            del self._without_relaymsg[port.place]  # it may be ours now
        if port.place in self._without_relaymsg:
            return None
        separators = client.session.capabilities.available.get(RELAYMSG) or "/"
        nick = relaymsg_nick(utterance.nick, utterance.network, separators, NICK_ROOM)
        return None if (port.network, nick) in self._bad_nicks else nick

    # -- the rest

    def _reaction(self, utterance: Utterance, port: Port, client: Client, now: float) -> list[Message]:
        msgid = self._message_at(utterance.about, port.place)
        if msgid is not None and _has_tags(client, REACT):
            return [Message("TAGMSG", [port.channel], None, {REACT: utterance.text, REPLY: msgid})]
        return self._own_words(utterance, port, client, now)

    def _redaction(self, utterance: Utterance, port: Port, client: Client, now: float) -> list[Message]:
        copies = self._copies(utterance.about, port.place)
        if copies and REDACTION in client.capabilities:
            return [Message("REDACT", [port.channel, msgid]) for msgid in copies]
        return self._own_words(utterance, port, client, now)

    def _own_words(self, utterance: Utterance, port: Port, client: Client, now: float) -> list[Message]:
        room = client.state.room("PRIVMSG", port.channel)
        text = said(utterance, port, late=late_mark(utterance.time, now), room=room)
        return [Message("PRIVMSG", [port.channel, text])] if text else []


def _standing(client: Client, port: Port) -> tuple[float | None, str]:
    """The connection, and our rank in the channel: what it depends on whether we may use RELAYMSG there."""
    return client.since, client.state.member_modes(port.channel, client.state.nick)


def _has_tags(client: Client, tag: str) -> bool:
    return "message-tags" in client.capabilities and client.isupport.client_tag_allowed(tag)


def _split(text: str, limit: int) -> list[str]:
    lines = (clean(line) for line in text.split("\n"))
    return [piece for line in lines if plain(line).strip() for piece in split(line, limit)]
