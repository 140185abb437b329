"""Labels: which answer belongs to what was sent. Sans-IO.

Source: IRCv3 "Labeled Responses". A label is waited for until its time limit, and so many at once at most.
"""

from __future__ import annotations

from collections.abc import Callable

from pynfo.irc.message import Message

LIMIT = 512  # labels waited for at once

Answer = Callable[[list[Message] | None], None]  # gets the answer; None: there was none in time


class Labels:
    """The labels that have not been answered yet."""

    def __init__(self) -> None:
        self._next = 0
        self._waiting: dict[str, tuple[float, Answer, str]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether a new label would give up the oldest."""
        return len(self._waiting) >= LIMIT

    def new(self, deadline: float, answer: Answer, command: str = "") -> str:
        """A fresh label; `answer` is called once. At the bound the oldest is given up.

        `command` is that of the line, where a refusal of it may come without the label: see `refuse`.
        """
        if self.full:
            self._give_up(next(iter(self._waiting)))
        self._next += 1
        label = f"p{self._next}"
        self._waiting[label] = (deadline, answer, command)
        return label

    def forget(self, label: str) -> None:
        """What was to bear it was not sent."""
        del self._waiting[label]

    def resolve(self, label: str, messages: list[Message]) -> bool:
        """The answer to `label` is whole. False where nobody waits for it."""
        waiting = self._waiting.pop(label, None)
        if waiting is None:
            return False
        waiting[1](messages)
        return True

    def refuse(self, command: str, message: Message) -> None:
        """A `command` of ours was refused without a label: it was the first of those that wait.

        A server deals with the lines of a connection one after another.
        """
        for label, (_, _, sent) in self._waiting.items():
            if sent == command:
                self.resolve(label, [message])
                return

    def expire(self, now: float) -> None:
        """Give up those whose time is over."""
        for label in [label for label, (deadline, _, _) in self._waiting.items() if deadline <= now]:
            self._give_up(label)

    def close(self) -> None:
        """The connection is gone: nothing will be answered any more."""
        for label in list(self._waiting):
            self._give_up(label)

    def deadline(self) -> float | None:
        """When the first of them is given up (monotonic seconds)."""
        return min((deadline for deadline, _, _ in self._waiting.values()), default=None)

    def _give_up(self, label: str) -> None:
        self._waiting.pop(label)[1](None)
