"""Messages of several lines, said and heard as one (IRCv3 draft "multiline"). Sans-IO.

On the wire such a message is a batch of lines. What is heard becomes one message whose text has line breaks
(`join`); what is to be said is made by `compose`, for the limits that the server sets (`in_force`).
"""

from __future__ import annotations

import msgspec

from pynfo.irc.capabilities import Capabilities
from pynfo.irc.events import Batch
from pynfo.irc.formatting import plain
from pynfo.irc.message import Message, encode
from pynfo.irc.split import LEAST, split

MULTILINE = "draft/multiline"  # the capability, and the type of its batches
CONCAT = "draft/multiline-concat"  # a line with this tag goes on without a line break before it
NEEDED = frozenset({MULTILINE, "batch", "message-tags", "labeled-response", "echo-message"})
LINES_LIMIT = 24  # lines in a message of ours, whatever the server allows: their tokens are paid afterwards
REFERENCE = "pynfo"  # of every batch of ours: each is closed before anything else is said
DIGITS = 9  # of a limit that are read


class Limits(msgspec.Struct, frozen=True):
    """What a server takes as one message: bytes of text, line breaks included, and lines."""

    max_bytes: int
    max_lines: int


class Multiline(Message, gc=False):
    """The line that opens the batch, with the tags of the whole; `lines` stand in the batch.

    Where it is the message of an `Outgoing`, all of it is written at once, and has one fate.
    """

    lines: list[Message] = []

    @property
    def whole(self) -> list[Message]:
        """Every line that is written, in order."""
        opening = Message(self.command, self.params, self.source, self.tags)
        return [opening, *self.lines, Message("BATCH", ["-" + REFERENCE])]


def limits_of(value: str) -> Limits | None:
    """The capability's value, such as "max-bytes=4096,max-lines=24". None where it does not say the bytes."""
    tokens = dict(token.partition("=")[::2] for token in value.split(","))
    max_bytes, max_lines = tokens.get("max-bytes", ""), tokens.get("max-lines", "")
    if not max_bytes.isdecimal():
        return None
    lines = int(max_lines[:DIGITS]) if max_lines.isdecimal() else LINES_LIMIT
    return Limits(int(max_bytes[:DIGITS]), lines)


def in_force(capabilities: Capabilities) -> Limits | None:
    """What may be said as one message on this connection. None: nothing, or nobody would confirm it."""
    if not capabilities.enabled >= NEEDED:
        return None
    return limits_of(capabilities.available.get(MULTILINE, ""))


def compose(
    target: str, text: str, room: int, limits: Limits, tags: dict[str, str] | None = None
) -> Multiline | None:
    """One message to `target` from a text with line breaks, each line of at most `room` bytes.

    `room` is what `State.room` gives for a PRIVMSG, `tags` are client-only ones. None where the text does not
    fit the limits, or is no more than one line, which needs no batch.
    """
    if room <= LEAST:
        return None
    lines = [
        Message("PRIVMSG", [target, piece], None, {"batch": REFERENCE} | ({CONCAT: ""} if index else {}))
        for line in text.strip("\n").split("\n")
        for index, piece in enumerate(_pieces(line, room))
    ]
    size = sum(len(encode(line.params[1])) + 1 for line in lines) - 1  # joined by nothing it is a little less
    if not 1 < len(lines) <= min(limits.max_lines, LINES_LIMIT) or size > limits.max_bytes:
        return None
    return Multiline("BATCH", ["+" + REFERENCE, MULTILINE, target], None, dict(tags or {}), lines)


def _pieces(line: str, room: int) -> list[str]:
    """A line in pieces that are the line again when they are joined: no space between two of them goes."""
    pieces = split(line, room - 1) or [""]
    rest = plain(line)
    for index, following in enumerate(pieces[1:]):
        rest = rest[len(plain(pieces[index])) :]
        if not rest.startswith(plain(following)):
            pieces[index] += " "
            rest = rest[1:]
    return pieces


def join(batch: Batch) -> Message | None:
    """One message from the lines of a batch that is whole; None where it has none.

    The tags (msgid, time, account) stand on the line that opened the batch, some on the first of its lines
    too.
    """
    if not batch.messages or any(len(line.params) < 2 for line in batch.messages):
        return None
    first = batch.messages[0]
    tags = {**batch.tags, **first.tags}
    for of_batches in ("batch", "label"):
        tags.pop(of_batches, None)
    if batch.parent is not None:
        tags["batch"] = batch.parent.reference
    text = first.params[1]
    for line in batch.messages[1:]:
        text += line.params[1] if CONCAT in line.tags else "\n" + line.params[1]
    return Message(first.command, [first.params[0], text], first.source, tags)
