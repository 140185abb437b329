"""From a command to the function that answers it, and labels around the answers.

Source of the labels: IRCv3 "Labeled Responses". Each subject has its file, with a table of its commands: a
function, and how many parameters it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pynfo.irc.message import Message
from pynfo.testing import (
    history,
    login,
    membership,
    messages,
    modes,
    multiline,
    negotiation,
    presence,
    queries,
    redaction,
    registration,
    relaying,
)
from pynfo.testing.offers import MULTILINE
from pynfo.testing.person import Person
from pynfo.testing.wire import middle

if TYPE_CHECKING:
    from pynfo.testing.server import Server

Command = tuple[Callable[["Server", Person, Message], None], int]

COMMANDS: dict[str, Command] = {
    **registration.COMMANDS,
    **negotiation.COMMANDS,
    **login.COMMANDS,
    **membership.COMMANDS,
    **modes.COMMANDS,
    **messages.COMMANDS,
    **multiline.COMMANDS,
    **relaying.COMMANDS,
    **redaction.COMMANDS,
    **presence.COMMANDS,
    **queries.COMMANDS,
    **history.COMMANDS,
}
BEFORE_REGISTRATION = {"AUTHENTICATE", "CAP", "NICK", "PASS", "PING", "PONG", "QUIT", "USER"}


def answer(server: Server, person: Person, message: Message) -> None:
    """Do what a person's message asks. Raises `UnsendableMessage` for one that no line can be made of."""
    label = message.tags.get("label")
    if person.composing is not None:  # it has one answer, under the label of its first line
        if message.command == "BATCH" or "batch" in message.tags:
            label = label or person.composing.label
        else:
            multiline.interrupt(server, person)
    if not label or not {"labeled-response", "batch"} <= person.capabilities:
        _run(server, person, message)
        return
    person.answers = []
    try:
        _run(server, person, message)
    finally:
        answers, person.answers = person.answers, None
        if answers or (answers is not None and person.composing is None):
            server.deliver([person], *_labelled(server, answers, label))


def _run(server: Server, person: Person, message: Message) -> None:
    command = COMMANDS.get(message.command)
    if not person.registered and message.command not in BEFORE_REGISTRATION:
        server.reply(person, "451", "You have not registered")
    elif "batch" in message.tags and MULTILINE in person.capabilities:
        multiline.add(server, person, message)
    elif command is None:
        server.reply(person, "421", middle(message.command), "Unknown command")
    elif len(message.params) < command[1]:
        server.reply(person, "461", message.command, "Not enough parameters")
    else:
        command[0](server, person, message)


def _labelled(server: Server, answers: list[Message], label: str) -> list[Message]:
    """No answer: ACK. One, or one batch: the label goes on it. More: a batch with the label around them."""
    if not answers:
        return [Message("ACK", [], server.name, {"label": label})]
    first = answers[0]
    batched = first.command == "BATCH" and answers[-1].params == ["-" + first.params[0][1:]]
    if len(answers) == 1 or batched:
        return [_tagged(first, "label", label), *answers[1:]]
    reference = server.new_reference()
    inside = [line if "batch" in line.tags else _tagged(line, "batch", reference) for line in answers]
    return [
        Message("BATCH", ["+" + reference, "labeled-response"], server.name, {"label": label}),
        *inside,
        Message("BATCH", ["-" + reference], server.name),
    ]


def _tagged(message: Message, tag: str, value: str) -> Message:
    return Message(message.command, message.params, message.source, {tag: value, **message.tags})
