"""A server's messages to bytes: each client gets the tags that it negotiated, and no line over the limit.

Sources: IRCv3 "Message Tags", Modern IRC "Message Format". A real server cuts what does not fit behind the
sender's mask; so does this one, so that a test notices a client which counts wrongly.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

from pynfo.irc.message import Message

SERVER_TAGS = 8191  # bytes of tags in a line from a server (Message Tags, "Size limit")
UNCUT = 1 << 20  # bytes; longer than any line that is made here

TAG_CAPABILITY = {
    "time": "server-time",
    "account": "account-tag",
    "batch": "batch",
    "label": "labeled-response",
    "draft/relaymsg": "draft/relaymsg",
}
TAGGING = frozenset(TAG_CAPABILITY.values()) | {"message-tags"}  # what decides on the tags of a line


def encode(message: Message, capabilities: AbstractSet[str], linelen: int) -> bytes:
    """One line for a client with these capabilities, cut to `linelen` bytes without tags, CR LF included.

    Raises `UnsendableMessage` for what cannot be one line.
    """
    tags = {
        name: value
        for name, value in message.tags.items()
        if TAG_CAPABILITY.get(name, "message-tags") in capabilities
    }
    line = Message(message.command, message.params, message.source, tags).format(UNCUT, SERVER_TAGS)
    head = line.index(b" ") + 1 if tags else 0
    if len(line) - head <= linelen:
        return line
    return line[: head + linelen - 2].decode(errors="ignore").encode() + b"\r\n"


def middle(param: str) -> str:
    """A client's word as a parameter in the middle of an answer: `*` where it cannot stand there."""
    return param if param and " " not in param and param[0] != ":" else "*"


def timestamp(seconds: float) -> str:
    """UTC epoch seconds as the `time` tag has them (IRCv3 "server-time")."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def packed(words: list[str], room: int) -> list[list[str]]:
    """`words` in groups whose bytes, joined with one character between them, are at most `room` each."""
    groups: list[list[str]] = []
    left = -1
    for word in words:
        size = len(word.encode()) + 1
        if size > left:
            groups.append([])
            left = room + 1
        groups[-1].append(word)
        left -= size
    return groups
