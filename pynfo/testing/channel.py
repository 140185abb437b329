"""A channel on the server: who is in it, its topic, its modes and lists, and what was said."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from weakref import WeakSet

from pynfo.irc.message import Message
from pynfo.testing.person import Person


class Channel:
    """What the server keeps of one channel. A test may change any of it.

    `members` maps each person to their prefix mode letters. `modes` maps a letter to its parameter (None
    where it takes none), `lists` maps a letter such as "b" to masks, each with who set it and when.
    `forward` names the channel where those go who may not join (numeric 470). A channel that is `kept` stays
    when the last person leaves, and gives nobody operator status for coming first.
    """

    def __init__(self, name: str, created: float, *, history: int = 0, kept: bool = False) -> None:
        self.name = name
        self.created = created
        self.kept = kept
        self.topic = ""
        self.topic_by = ""
        self.topic_time = 0.0
        self.modes: dict[str, str | None] = {"n": None, "t": None}
        self.lists: dict[str, dict[str, tuple[str, float]]] = {}
        self.members: dict[Person, set[str]] = {}
        self.invited: WeakSet[Person] = WeakSet()  # those who go are forgotten
        self.forward: str | None = None
        self.history: deque[Message] = deque(maxlen=history)  # with `time` and `msgid` tags

    def __repr__(self) -> str:
        return f"<Channel {self.name}, {len(self.members)} members>"

    def forget(self, msgid: str) -> None:
        """Take a message out of the history."""
        for line in self.history:
            if line.tags["msgid"] == msgid:
                self.history.remove(line)
                return

    def others(self, person: Person) -> list[Person]:
        """Everybody but `person`."""
        return [member for member in self.members if member is not person]

    def is_operator(self, person: Person, ranks: Iterable[str]) -> bool:
        """Whether `person` has "o", or what stands above it in `ranks` (mode letters, highest first)."""
        letters = self.members.get(person, set())
        for letter in ranks:
            if letter in letters:
                return True
            if letter == "o":
                return False
        return False

    def is_banned(self, person: Person, fold: Callable[[str], str]) -> bool:
        """Whether an entry of the list "b" describes `person`."""
        mask = fold(person.mask)
        return any(matches_glob(fold(banned), mask) for banned in self.lists.get("b", ()))

    def may_speak(self, person: Person, fold: Callable[[str], str]) -> bool:
        """Modes "n" and "m", and the bans, as they are on real networks."""
        letters = self.members.get(person)
        if letters:
            return True
        if letters is None and "n" in self.modes:
            return False
        return "m" not in self.modes and not self.is_banned(person, fold)


def matches_glob(mask: str, text: str) -> bool:
    """Whether `mask` describes all of `text`: `*` is any text, `?` any character, nothing else is special."""
    return fnmatchcase(text, mask.replace("[", "[[]"))
