"""One IRC line: bytes to `Message` and back.

Sources: Modern IRC, "Message Format"; RFC 1459 section 2.3; IRCv3 "Message Tags".
`Message.format` is the one function that makes text safe for the wire: what it returns is exactly one line.
"""

from __future__ import annotations

import re

import msgspec

LINELEN = 512  # bytes of a line without its tags, CR LF included (RFC 1459 section 2.3)
CLIENT_TAGS = (
    4096  # bytes of "@", the tags a client sends, and the space after them (Message Tags, "Size limit")
)

_UNSAFE = re.compile("[\0\r\n]")
_COMMAND = re.compile(r"[A-Za-z]+|[0-9]{3}").fullmatch
_TAG_KEY = re.compile(r"\+?(?:[^\0\r\n;=@ /+]+/)?[A-Za-z0-9-]+").fullmatch
_ESCAPE = str.maketrans({";": r"\:", " ": r"\s", "\\": r"\\", "\r": r"\r", "\n": r"\n"})
_UNESCAPE = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}
_ESCAPED = re.compile(r"\\(.?)", re.DOTALL)


class MalformedMessage(ValueError):
    """A line that is no IRC message: empty, without a command, or with NUL, CR or LF inside."""


class UnsendableMessage(ValueError):
    """A message that cannot become one safe line: it would break into several, or be too long."""


class Message(msgspec.Struct):
    """One IRC message.

    `command` is in upper case; `params` holds all parameters, the trailing one included; `source` is
    `nick!user@host` or a server's name, None where the line had none; `tags` maps a tag's name to its
    unescaped value, `""` for a tag without one.
    """

    command: str
    params: list[str] = []
    source: str | None = None
    tags: dict[str, str] = {}

    @classmethod
    def parse(cls, line: bytes) -> Message:
        """Parse one line, with or without its line end.

        UTF-8, or Latin-1 where the line is not UTF-8. Raises `MalformedMessage`.
        """
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = line.decode("latin-1")
        text = text.rstrip("\r\n")
        tags: dict[str, str] = {}
        source = None
        if text[:1] == "@":
            head, _, text = text[1:].partition(" ")
            for item in head.split(";"):
                key, _, value = item.partition("=")
                if key:
                    tags[key] = value if "\\" not in value else _unescape(value)
            text = text.lstrip(" ")
        if text[:1] == ":":
            source, _, text = text[1:].partition(" ")
            text = text.lstrip(" ")
        text, colon, trailing = text.partition(" :")
        params = text.split(" ")
        if "" in params:
            params = [param for param in params if param]
        if colon:
            params.append(trailing)
            if len(params) == 1:  # only a trailing parameter: there is no command
                params = []
        elif not params:
            raise MalformedMessage("a line without a command")
        if not params:
            raise MalformedMessage("a line without a command")
        command = params.pop(0)
        if not command.isupper() and not command.isdigit():
            command = command.upper()
        if not command.isascii() or not command.isalnum() or "\0" in text or "\0" in trailing:
            raise MalformedMessage("a line whose command is not letters or three digits, or with NUL in it")
        return cls(command, params, source, tags)

    def format(self, linelen: int = LINELEN, tagslen: int = CLIENT_TAGS) -> bytes:
        """Give the line to send, CR LF included.

        `linelen` is the server's limit in bytes, without tags and with CR LF; `tagslen` what the tags may
        take, which is more for a server than for a client. Raises `UnsendableMessage` for NUL, CR or LF in
        any part, for a part that would be read as another one, and for what is over the limits: text is
        never cut here.
        """
        if not _COMMAND(self.command):
            raise UnsendableMessage(f"{self.command!r} is not a command")
        parts = []
        if self.source is not None:
            if not self.source or " " in self.source:
                raise UnsendableMessage(f"{self.source!r} is not a source")
            parts.append(":" + self.source)
        parts.append(self.command)
        if self.params:
            for param in self.params[:-1]:
                if not param or " " in param or param[0] == ":":
                    raise UnsendableMessage(f"{param!r} can only be the last parameter")
                parts.append(param)
            last = self.params[-1]
            parts.append(last if last and " " not in last and last[0] != ":" else ":" + last)
        text = " ".join(parts)
        if _UNSAFE.search(text):
            raise UnsendableMessage("NUL, CR or LF in a message")
        body = text.encode(errors="replace") + b"\r\n"
        if len(body) > linelen:
            raise UnsendableMessage(f"{len(body)} bytes in a line, {linelen} are allowed")
        return _format_tags(self.tags, tagslen) + body if self.tags else body

    @property
    def nick(self) -> str:
        """The nick in the source, or the server's name; `""` where there is no source."""
        return (self.source or "").partition("!")[0].partition("@")[0]


def split_source(source: str) -> tuple[str, str, str]:
    """Take `nick!user@host` apart; what is not there is `""` (Modern IRC, "Source")."""
    rest, _, host = source.partition("@")
    nick, _, username = rest.partition("!")
    return nick, username, host


def _unescape(value: str) -> str:
    return _ESCAPED.sub(lambda found: _UNESCAPE.get(found[1], found[1]), value)


def _format_tags(tags: dict[str, str], tagslen: int) -> bytes:
    items = []
    for key, value in tags.items():
        if not _TAG_KEY(key):
            raise UnsendableMessage(f"{key!r} is not the name of a tag")
        if "\0" in value:
            raise UnsendableMessage("NUL in the value of a tag")
        items.append(f"{key}={value.translate(_ESCAPE)}" if value else key)
    head = b"@" + ";".join(items).encode(errors="replace") + b" "
    if len(head) > tagslen:
        raise UnsendableMessage(f"{len(head)} bytes of tags, {tagslen} are allowed")
    return head
