"""Messages of several lines (IRCv3 draft "multiline"): batches from clients, and what others get of them.

What comes in is checked line by line, and the first mistake is told at once; what follows in that batch is
passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pynfo.irc.message import Message
from pynfo.irc.multiline import CONCAT, Limits, limits_of
from pynfo.testing.messages import addressed, client_tags
from pynfo.testing.offers import MULTILINE
from pynfo.testing.person import Person
from pynfo.testing.wire import middle

if TYPE_CHECKING:
    from pynfo.testing.server import Server


class Line(msgspec.Struct):
    """One line of a message; `concat`: it goes on without a line break before it."""

    text: str
    concat: bool


class Composing:
    """A batch that a client has opened. `label` is that of its first line; "" once it is answered."""

    def __init__(self, reference: str, target: str, label: str, tags: dict[str, str]) -> None:
        self.reference = reference
        self.target = target
        self.label = label
        self.tags = tags
        self.lines: list[Line] = []
        self.refused = False

    @property
    def text(self) -> str:
        """What the lines make together."""
        parts = [line.text if line.concat else "\n" + line.text for line in self.lines]
        return "".join(parts).removeprefix("\n")


class Whole(Message, gc=False):
    """A message of several lines as it stands in the history: its text has line breaks."""

    lines: list[Line] = []


def batch(server: Server, person: Person, message: Message) -> None:
    """BATCH, which opens or closes a message of several lines."""
    if MULTILINE not in person.capabilities:
        server.reply(person, "421", "BATCH", "Unknown command")
        return
    sign, reference = message.params[0][:1], message.params[0][1:]
    if sign == "-":
        _close(server, person, reference)
    elif sign == "+" and reference and len(message.params) == 3 and message.params[1] == MULTILINE:
        tags = client_tags(server, person, message)
        person.composing = Composing(reference, message.params[2], message.tags.get("label", ""), tags)
    else:
        _refuse(server, person, "MULTILINE_INVALID", [], "Invalid multiline batch")


def add(server: Server, person: Person, message: Message) -> None:
    """A line with a `batch` tag."""
    composing = person.composing
    if composing is None or message.tags["batch"] != composing.reference:
        _refuse(server, person, "MULTILINE_INVALID", [], "Incorrect batch tag sent")
        return
    if composing.refused:
        return
    concat = CONCAT in message.tags
    stray = message.tags.keys() - {"batch", CONCAT}
    if message.command != "PRIVMSG" or len(message.params) < 2 or stray:
        _refuse(server, person, "MULTILINE_INVALID", [], "Invalid multiline batch")
        return
    target, text = message.params[:2]
    if concat and not text:
        _refuse(
            server, person, "MULTILINE_INVALID", [], "Cannot send a blank line with the multiline concat tag"
        )
        return
    if server.fold(target) != server.fold(composing.target):
        targets = [composing.target, target]
        _refuse(server, person, "MULTILINE_INVALID_TARGET", targets, "Invalid multiline target")
        return
    composing.lines.append(Line(text, concat))
    limits = limits_of(server.capabilities[MULTILINE]) or Limits(0, 0)
    if len(composing.lines) > limits.max_lines:
        limit = [str(limits.max_lines)]
        _refuse(server, person, "MULTILINE_MAX_LINES", limit, "Multiline batch max-lines exceeded")
    elif len(composing.text.encode()) > limits.max_bytes:
        limit = [str(limits.max_bytes)]
        _refuse(server, person, "MULTILINE_MAX_BYTES", limit, "Multiline batch max-bytes exceeded")


def interrupt(server: Server, person: Person) -> None:
    """Something else was said before the batch was closed: nothing comes of it."""
    if person.composing is not None and not person.composing.refused:
        _refuse(server, person, "MULTILINE_INVALID", [], "Invalid multiline batch")
    person.composing = None


def _close(server: Server, person: Person, reference: str) -> None:
    composing, person.composing = person.composing, None
    if composing is None or composing.reference != reference:
        _refuse(server, person, "MULTILINE_INVALID", [], "Invalid multiline batch")
    elif composing.refused:
        return
    elif not any(line.text for line in composing.lines):
        _refuse(server, person, "MULTILINE_INVALID", [], "Invalid multiline batch")
    else:
        _say(server, person, composing)


def _say(server: Server, person: Person, composing: Composing) -> None:
    found = addressed(server, person, "PRIVMSG", composing.target)
    if found is None:
        return
    tags = {"msgid": server.new_msgid(), **composing.tags}
    said = server.stamp(Message("PRIVMSG", [found.target, composing.text], person.mask, tags), person)
    whole = Whole(said.command, said.params, said.source, said.tags, composing.lines)
    if found.place:
        server.authors.remember(tags["msgid"], found.place, person)
    if found.channel is not None and found.place:
        found.channel.history.append(whole)
    for reader in found.recipients:
        server.deliver([reader], *told(server, reader, whole))
    if "echo-message" in person.capabilities:
        for line in told(server, person, whole):
            server.send(person, line)


def told(server: Server, reader: Person, whole: Whole, around: str = "") -> list[Message]:
    """The lines that tell `reader` of it: a batch, or single lines. `around` is the batch they stand in."""
    target = whole.params[0]
    outer = {"batch": around} if around else {}
    if not {MULTILINE, "batch"} <= reader.capabilities:
        texts = [line.text for line in whole.lines if line.text]
        return [
            Message("PRIVMSG", [target, text], whole.source, (outer if index else whole.tags | outer))
            for index, text in enumerate(texts)
        ]
    reference = server.new_reference()
    inside = [
        Message(
            "PRIVMSG",
            [target, line.text],
            whole.source,
            {"batch": reference} | ({CONCAT: ""} if line.concat else {}),
        )
        for line in whole.lines
    ]
    return [
        Message("BATCH", ["+" + reference, MULTILINE, target], whole.source, whole.tags | outer),
        *inside,
        Message("BATCH", ["-" + reference], server.name),
    ]


def _refuse(server: Server, person: Person, code: str, context: list[str], description: str) -> None:
    if person.composing is not None:
        person.composing.refused = True
        person.composing.label = ""
    words = [middle(word) for word in context]
    server.send(person, Message("FAIL", ["BATCH", code, *words, description], server.name))


COMMANDS = {"BATCH": (batch, 1)}
