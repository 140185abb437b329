"""One IRC line: bytes to `Message` and back.

Sources: Modern IRC, "Message Format"; RFC 1459 section 2.3; IRCv3 "Message Tags".
`Message.format` is the one function that makes text safe for the wire: what it returns is exactly one line.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

LINELEN = 512  # bytes of a line without its tags, CR LF included (RFC 1459 section 2.3)
CLIENT_TAGS = 4096  # bytes of a client's tags, from the "@" to the space after them ("Size limit")

_UNSAFE = re.compile("[\0\r\n]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_COMMAND = re.compile(r"[A-Za-z]+|[0-9]{3}").fullmatch
_TAG_KEY = re.compile(r"\+?(?:[^\0\r\n;=@ /+]+/)?[A-Za-z0-9-]+").fullmatch
_ESCAPE = str.maketrans({";": r"\:", " ": r"\s", "\\": r"\\", "\r": r"\r", "\n": r"\n"})
_UNESCAPE = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}
_ESCAPED = re.compile(r"\\(.?)", re.DOTALL)


class MalformedMessage(ValueError):
    """A line that is no IRC message: empty, without a command, or with NUL, CR or LF inside."""


class UnsendableMessage(ValueError):
    """A message that cannot become one safe line: it would break into several, or be too long."""


class Message(msgspec.Struct, gc=False):  # it is never part of a cycle, and there are many
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
        """Parse one line, with or without its line end. The caller bounds how long it may be.

        UTF-8, or Latin-1 where the line is not UTF-8. Forgiven are spaces at either end or doubled, tags
        without a name, and a command in lower case. Raises `MalformedMessage`, and nothing else.
        """
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = line.decode("latin-1")
        text = text.rstrip("\r\n")
        if "\0" in text or "\r" in text or "\n" in text:
            raise MalformedMessage("a line with NUL, CR or LF in it")
        first = text[:1]
        if first == " ":
            text = text.lstrip(" ")
            first = text[:1]
        tags = {}
        source = None
        if first == "@":
            head, _, text = text.partition(" ")
            tags = _parse_tags(head)
            text = text.lstrip(" ")
            first = text[:1]
        if first == ":":
            source, _, text = text[1:].partition(" ")
            if not source:
                raise MalformedMessage("a line with an empty source")
        text, colon, trailing = text.partition(" :")
        params = text.split(" ")
        if "" in params:
            params = [param for param in params if param] or [""]
        command = _parse_command(params.pop(0))
        if colon:
            params.append(trailing)
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
        body = encode(text) + b"\r\n"
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


def encode(text: str) -> bytes:
    """The bytes of a text on the wire: UTF-8, with U+FFFD for a lone surrogate.

    Not `?`, which Python would put there: it is a wildcard in a mask.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text).encode()


@lru_cache(512)  # the commands and numerics of a network: cheaper than looking at the letters each time
def _parse_command(word: str) -> str:
    if not _COMMAND(word):
        raise MalformedMessage(
            "a line without a command" if not word else "a line with an impossible command"
        )
    return word.upper()


def _parse_tags(head: str) -> dict[str, str]:
    """Read `@name=value;name`; the last of two values counts (IRCv3 "Message Tags", "Rules")."""
    tags = {}
    for item in head[1:].split(";"):
        key, _, value = item.partition("=")
        tags[key] = _unescape(value) if "\\" in value else value
    tags.pop("", None)
    return tags


def _unescape(value: str) -> str:
    """A backslash before any other character, or at the end, is dropped ("Escaping values")."""
    return _ESCAPED.sub(lambda found: _UNESCAPE.get(found[1], found[1]), value)


def _format_tags(tags: dict[str, str], tagslen: int) -> bytes:
    items = []
    for key, value in tags.items():
        if not _TAG_KEY(key):
            raise UnsendableMessage(f"{key!r} is not the name of a tag")
        if "\0" in value:
            raise UnsendableMessage("NUL in the value of a tag")
        items.append(f"{key}={value.translate(_ESCAPE)}" if value else key)
    head = encode(f"@{';'.join(items)} ")
    if len(head) > tagslen:
        raise UnsendableMessage(f"{len(head)} bytes of tags, {tagslen} are allowed")
    return head
