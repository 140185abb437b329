"""What `seen` answers: one line, about nothing that the asker could not have seen too."""

from __future__ import annotations

from collections.abc import Callable
from heapq import nlargest

import msgspec

from plugins.seen.sightings import Fold, Person, Sighting, Sightings
from pynfo.human_time import ago
from pynfo.irc.formatting import plain

LISTED = 5  # people that a pattern lists
TRAIL = 8  # nicks of one person that are followed
# Of what has the same time, the order in which it can have happened.
ORDER = {"joined": 0, "was": 0, "said": 1, "did": 1, "became": 2, "left": 3, "quit": 3, "kicked": 3}


class View(msgspec.Struct):
    """What may be told. `channels`: folded name to the name as written, of the channels that may be named.

    `here` is the channel that was asked in, folded, None in private; `present` gives the channels of the
    view, as written, that a nick is in now, the one asked in first.
    """

    channels: dict[str, str]
    here: str | None
    present: Callable[[str], list[str]]
    fold: Fold

    def seen(self, person: Person) -> list[Sighting]:
        """The sightings that may be told of, the latest first."""
        visible = [sighting for sighting in person.sightings if sighting.channel in self.channels]
        return sorted(visible, key=_when, reverse=True)


def about(
    sightings: Sightings, nick: str, view: View, now: float, logged: tuple[str, Sighting] | None = None
) -> str:
    """Where `nick` is, or was last seen. `now` is in seconds since the epoch.

    `logged`: a nick, and what a log says they said last, for where nothing better is known.
    """
    trail = follow(sightings, nick, view)
    if logged is not None:
        trail.append(Person(logged[0], sightings=[logged[1]]))
    spoken = last_words(trail, view)
    for name in [nick, *(person.nick for person in trail)]:
        places = view.present(name)
        if places:
            return _here(nick, name, places, spoken, view, now)
    known = [(seen[0], person) for person in trail if (seen := view.seen(person))]
    if not known:
        return f"I have not seen {nick}"
    last, person = max(known, key=lambda found: _when(found[0]))
    same = view.fold(person.nick) == view.fold(nick)
    text = person.nick if same else f"{nick}, as {person.nick},"
    text = f"{text} {_deed(last, view, now)}"
    if spoken is not None and spoken is not last:
        text += f"; last spoke {_words(spoken, view, now, near=last.channel)}"
    return text


def last_words(trail: list[Person], view: View) -> Sighting | None:
    """The newest of what they said that may be told of."""
    return max((s for person in trail for s in view.seen(person) if s.spoken), key=_when, default=None)


def matches(sightings: Sightings, pattern: str, view: View, now: float) -> str:
    """Those of the people whose nicks fit `pattern` that were seen most lately."""
    found = [(seen[0], person.nick) for person in sightings.matching(pattern) if (seen := view.seen(person))]
    if not found:
        return f"I have seen nobody like {pattern}"
    latest = nlargest(LISTED, found, key=lambda pair: pair[0].time)
    text = ", ".join(f"{nick} ({_where(s, view, '')}{ago(now - s.time)})" for s, nick in latest)
    more = len(found) - len(latest)
    return f"{text}, and {more} more" if more else text


def follow(sightings: Sightings, nick: str, view: View) -> list[Person]:
    """The person of that nick, and the nicks they went on with, by renames and by account.

    Only what the asker could see leads on: a rename or an account seen in other channels would give away
    who somebody is.
    """
    trail: list[Person] = []
    accounts: set[str] = set()
    name: str | None = nick
    while name is not None and len(trail) < TRAIL:
        person = sightings.person(name)
        if person is None or person in trail:
            break
        trail.append(person)
        seen = view.seen(person)
        if seen and person.account:
            accounts.add(person.account)
        moved = next((sighting for sighting in seen if not sighting.spoken), None)
        name = moved.other if moved is not None and moved.kind == "became" else None
    if not any(view.seen(person) for person in trail):
        accounts.add(nick)  # no nick that the asker has met, but it may be the name of an account
    others = [
        (seen[0].time, person)
        for account in accounts
        for person in sightings.of_account(account)
        if person not in trail and (seen := view.seen(person))
    ]
    others.sort(key=lambda found: found[0], reverse=True)
    return trail + [person for _, person in others[: TRAIL - len(trail)]]


def _here(nick: str, name: str, places: list[str], spoken: Sighting | None, view: View, now: float) -> str:
    near = view.fold(places[0])
    place = "here" if near == view.here else f"in {places[0]} now"
    alias = "" if view.fold(name) == view.fold(nick) else f" as {name}"
    text = f"{nick} is {place}{alias}"
    if spoken is None:
        return f"{text}; I have not heard them speak"
    return f"{text}; last spoke {_words(spoken, view, now, near=near)}"


def _deed(sighting: Sighting, view: View, now: float) -> str:
    channel = view.channels[sighting.channel]
    time = ago(now - sighting.time)
    match sighting.kind:
        case "joined":
            return f"joined {channel} {time}"
        case "left":
            return f"left {channel} {time}{_reason(sighting)}"
        case "quit":
            return f"quit IRC {time}{_reason(sighting)}"
        case "kicked":
            by = f" by {sighting.other}" if sighting.other else ""  # "": whoever it was is forgotten
            return f"was kicked from {channel}{by} {time}{_reason(sighting)}"
        case "became":
            return f"became {sighting.other} {time}"
        case "was":
            return f"took that nick {time}, before it was {sighting.other}"
    return f"last spoke {_words(sighting, view, now, near='')}"


def _words(sighting: Sighting, view: View, now: float, *, near: str) -> str:
    """When, where if it is not `near`, and what: `in #b 3 hours ago: "hello"`."""
    text = plain(sighting.text).strip()
    told = f"{_where(sighting, view, near)}{ago(now - sighting.time)}"
    if not text:
        return told
    return f"{told}: * {text}" if sighting.kind == "did" else f'{told}: "{text}"'


def _where(sighting: Sighting, view: View, near: str) -> str:
    return "" if sighting.channel == near else f"in {view.channels[sighting.channel]} "


def _reason(sighting: Sighting) -> str:
    text = plain(sighting.text).strip()
    return f" ({text})" if text else ""


def _when(sighting: Sighting) -> tuple[float, int]:
    return sighting.time, ORDER.get(sighting.kind, 0)
