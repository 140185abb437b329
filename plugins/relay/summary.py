"""Who came and who went in one channel, in one line: "alice and bob joined; carol left; dave is now erin".

What came to nothing is left out: who joined and left again, and who left and is back.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

NAMED = 5  # people named in each part of a line; of the others it is said how many

Shown = Callable[[str], str]  # a nick as it is written on the other side
Fold = Callable[[str], str]  # a nick as all its spellings share it


class _Person(msgspec.Struct):
    before: str  # their nick at the start; "" for one who was not here
    nick: str  # the last one
    here: bool = False
    kicked: str = ""  # by whom and why


class Summary:
    """Takes in what happened, in its order."""

    def __init__(self, shown: Shown, fold: Fold) -> None:
        self._shown = shown
        self._fold = fold
        self._people: list[_Person] = []
        self._here: dict[str, _Person] = {}
        self._gone: dict[str, _Person] = {}
        self._topic = ""
        self._modes = 0

    def joined(self, nick: str) -> None:
        person = self._gone.pop(self._fold(nick), None) or self._met("", nick)
        self._is_here(person, nick)

    def left(self, nick: str, *, kicked: str = "") -> None:
        """`kicked`: "by erin (reason)", where it was not their own will."""
        person = self._here.pop(self._fold(nick), None) or self._met(nick, nick)
        person.here, person.kicked = False, kicked
        self._gone[self._fold(nick)] = person

    def renamed(self, old_nick: str, nick: str) -> None:
        person = self._here.pop(self._fold(old_nick), None) or self._met(old_nick, nick)
        self._is_here(person, nick)

    def topic(self, text: str) -> None:
        """What became of the topic: only the last of them is told."""
        self._topic = text

    def modes(self) -> None:
        """Only how many changes there were is told."""
        self._modes += 1

    def text(self) -> str:
        """The line; "" where nothing is left to tell."""
        kicked = [person for person in self._people if person.kicked]
        free = [person for person in self._people if not person.kicked]
        joined = [person.nick for person in free if person.here and not person.before]
        left = [person.before for person in free if person.before and not person.here]
        renamed = [
            person
            for person in free
            if person.before and person.here and self._fold(person.before) != self._fold(person.nick)
        ]
        back = {self._fold(nick) for nick in joined} & {self._fold(nick) for nick in left}
        parts = [
            *self._people_who("joined", [nick for nick in joined if self._fold(nick) not in back]),
            *self._people_who("left", [nick for nick in left if self._fold(nick) not in back]),
            *_clauses(
                [f"{self._shown(person.before)} is now {self._shown(person.nick)}" for person in renamed],
                "changed nicks",
            ),
            *_clauses([self._kick(person) for person in kicked], "were kicked"),
            self._topic,
            "" if not self._modes else f"{self._modes} mode changes" if self._modes > 1 else "a mode change",
        ]
        return "; ".join(part for part in parts if part)

    def _met(self, before: str, nick: str) -> _Person:
        person = _Person(before, nick)
        self._people.append(person)
        return person

    def _is_here(self, person: _Person, nick: str) -> None:
        person.nick, person.here = nick, True
        self._here[self._fold(nick)] = person

    def _people_who(self, did: str, nicks: list[str]) -> list[str]:
        return [f"{people(nicks, self._shown)} {did}"] if nicks else []

    def _kick(self, person: _Person) -> str:
        return f"{self._shown(person.nick)} was kicked {person.kicked}" + " and is back" * person.here


def people(nicks: list[str], shown: Shown) -> str:
    """ "alice", "alice and bob", "alice, bob and carol"; "a, b, c, d, e and 3 others"."""
    named = [shown(nick) for nick in nicks[:NAMED]]
    if len(nicks) > NAMED:
        more = len(nicks) - NAMED
        return f"{', '.join(named)} and {more} other{'s' * (more > 1)}"
    return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def _clauses(clauses: list[str], did: str) -> list[str]:
    """Each on its own, and how many more people `did` the same."""
    more = len(clauses) - NAMED
    return clauses[:NAMED] + [f"{more} other{'s' * (more > 1)} {did}"] * (more > 0)
