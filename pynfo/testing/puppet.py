"""A person on the server who does what a test, or a console, says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynfo.irc.message import Message
from pynfo.testing.dispatch import answer
from pynfo.testing.offers import REDACTION, RELAYMSG
from pynfo.testing.person import Person
from pynfo.testing.transcript import WAIT, Pattern, Transcript, matcher

if TYPE_CHECKING:
    from pynfo.testing.server import Server

CAPABILITIES = frozenset(
    {"account-tag", "extended-join", "message-tags", "multi-prefix", "server-time", "setname"}
)
WHERE_OFFERED = frozenset({RELAYMSG, REDACTION})


class Puppet:
    """Made by `Server.user`. What they do is done on return; what others do comes into `heard`.

    `heard` holds every line that a client in their place would be sent, from the joining of their first
    channels on; it has tags as a client with `CAPABILITIES` gets them, and `WHERE_OFFERED` where the server
    offers those. What they say themselves is not in it, but for what they relay.
    """

    def __init__(self, server: Server, nick: str, username: str, host: str, realname: str) -> None:
        self.server = server
        self.heard = Transcript()
        self.person = Person(host, self._deliver, lambda: self.heard.end("they have quit"))
        self.person.nick = nick
        self.person.username = username
        self.person.realname = realname
        self.person.capabilities = set(CAPABILITIES | (WHERE_OFFERED & server.capabilities.keys()))

    def __repr__(self) -> str:
        return f"<Puppet {self.person.mask}>"

    @property
    def nick(self) -> str:
        """Their nick now."""
        return self.person.nick

    # -- doing

    def send(self, command: str, *params: str, tags: dict[str, str] | None = None) -> None:
        """Any command, as a client would send it; an error numeric comes into `heard`."""
        answer(self.server, self.person, Message(command, list(params), None, tags or {}))

    def say(self, target: str, text: str, *, tags: dict[str, str] | None = None) -> None:
        """Say one line to a channel or a nick. `tags` are client-only ones, such as "+draft/reply"."""
        self.send("PRIVMSG", target, text, tags=tags)

    def notice(self, target: str, text: str) -> None:
        self.send("NOTICE", target, text)

    def action(self, target: str, text: str) -> None:
        """`/me` in most clients."""
        self.send("PRIVMSG", target, f"\x01ACTION {text}\x01")

    def relay(self, channel: str, nick: str, text: str) -> None:
        """Have the server say it under a nick such as "alice/libera" (RELAYMSG)."""
        self.send("RELAYMSG", channel, nick, text)

    def react(self, channel: str, msgid: str, emoji: str) -> None:
        """React to a message."""
        self.send("TAGMSG", channel, tags={"+draft/react": emoji, "+draft/reply": msgid})

    def redact(self, channel: str, msgid: str, reason: str = "") -> None:
        """Have a message forgotten."""
        self.send("REDACT", channel, msgid, *([reason] if reason else []))

    def join(self, channel: str, key: str = "") -> None:
        self.send("JOIN", channel, *([key] if key else []))

    def part(self, channel: str, reason: str = "") -> None:
        self.send("PART", channel, *([reason] if reason else []))

    def rename(self, nick: str) -> None:
        """Take another nick."""
        self.send("NICK", nick)

    def kick(self, channel: str, nick: str, reason: str = "") -> None:
        self.send("KICK", channel, nick, *([reason] if reason else []))

    def mode(self, target: str, *changes: str) -> None:
        """`mode("#channel", "+v", "pynfo")`."""
        self.send("MODE", target, *changes)

    def topic(self, channel: str, topic: str) -> None:
        self.send("TOPIC", channel, topic)

    def away(self, text: str = "") -> None:
        """Be away with a text, or without one back."""
        self.send("AWAY", *([text] if text else []))

    def quit(self, reason: str = "") -> None:
        """Leave the server."""
        self.send("QUIT", *([reason] if reason else []))

    # -- hearing

    async def hears(self, pattern: Pattern, timeout: float | None = WAIT) -> Message:
        """*await* the next PRIVMSG or NOTICE whose text `pattern` describes, and give it.

        As `Transcript.expect`, with the text in place of the line; the text of an action is what is done.
        """
        described = matcher(pattern)

        def wanted(line: str) -> bool:
            text = said(Message.parse(line.encode()))
            return text is not None and described(text)

        return Message.parse((await self.heard.find(wanted, repr(pattern), timeout)).encode())

    async def expect(self, pattern: Pattern, timeout: float | None = WAIT) -> str:
        """*await* the next line of any kind that `pattern` describes: see `Transcript.expect`."""
        return await self.heard.expect(pattern, timeout)

    def _deliver(self, line: bytes) -> None:
        self.heard.append(line.decode().rstrip("\r\n"))


def said(message: Message) -> str | None:
    """The text of a PRIVMSG or NOTICE, without the wrapping of an action; None for another command."""
    if message.command not in ("PRIVMSG", "NOTICE") or len(message.params) < 2:
        return None
    text = message.params[1]
    return text.strip("\x01").removeprefix("ACTION ") if text.startswith("\x01ACTION ") else text
