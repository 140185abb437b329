"""What was spoken against what arrived, by number. Pure: a run's observations go in, a `Tally` comes out.

A message is known by its speaker and number. All times are UTC epoch seconds, as observers took them.

- *Spoken* is what somebody heard where it was said, or on the other side.
- A message may be *missing* where it was spoken in an absence of the bot, which the bot has told as a gap.
  Anything else that is missing breaks the promise.
- A message may be *double* where a copy was heard shortly before a kill that leaves it open whether it was
  said, and the next copy after that kill; where it is the bot that was killed, at most as many as it had
  written and not confirmed. Anything else that is double breaks the promise.
- *Fetched* is what arrived although it was spoken while the bot was away.
- The first copies of one speaker's messages must come in the order of their numbers.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

EDGE = 1.0  # seconds by which the edges of gaps and absences may be off: gaps are told in whole seconds
SLACK = 1.0  # seconds in which observers hear what was on its way at a kill
INSIDE = 0.1  # seconds after the bot is gone, and before it is back, that do not count as away for sure

SPOKEN = re.compile(r"N (?P<speaker>\w+) (?P<number>\d+)\b")
CARRIED = re.compile(rf"(?:\[[^\]]+\] )?<(?P<nick>\w+)@(?P<network>\w+)> {SPOKEN.pattern}")
GAP = re.compile(
    r"(?:\[[^\]]+\] )?\(relay\) (?P<network>\w+)/\S+: nothing could be carried"
    r" from (?:\d\d \w+ )?(?P<start>\d\d:\d\d:\d\d) to (?:\d\d \w+ )?(?P<end>\d\d:\d\d:\d\d) UTC"
)
JOINER = "\u2060"  # stands inside nicks, so that nobody is pinged by themselves


@dataclass(frozen=True)
class Kill:
    """`what` was killed: "bot", or a network. `tails`: of each network, how many messages to it were written
    and not confirmed then; None where that could not be read."""

    what: str
    time: float
    tails: dict[str, int] | None = None


@dataclass(frozen=True, order=True)
class Span:
    """A time of a network, from `start` to `end`: an absence, or what is told as a gap."""

    network: str
    start: float
    end: float

    def holds(self, time):
        return self.start - EDGE <= time <= self.end + EDGE


@dataclass
class Direction:
    """All that was observed of what goes from one network to the other. `copies`: for each observer on the
    other side what was heard of the bot, in order. `away`: when the bot was not in the channel; `absences`:
    when, moreover, nobody could tell it afterwards what was said. `in_doubt`: what, when it is killed, leaves
    open whether something was said, and for how many seconds before."""

    source: str
    target: str
    spoken: dict[tuple[str, int], float]
    copies: list[list[tuple[float, tuple[str, int]]]]
    gaps: set[Span]
    absences: list[Span]
    away: list[Span]
    kills: list[Kill]
    in_doubt: dict[str, float]


@dataclass
class Tally:
    spoken: int = 0
    arrived: int = 0
    fetched: int = 0
    told: int = 0  # missing, and told as a gap
    lost: list = field(default_factory=list)  # missing otherwise: (speaker, number), as below
    at_a_kill: Counter = field(default_factory=Counter)  # copies too many, by the kill's place in the list
    double: list = field(default_factory=list)  # copies too many otherwise
    disordered: list = field(default_factory=list)

    @property
    def kept(self):
        """Whether all promises were kept."""
        return not (self.lost or self.double or self.disordered)


def count(direction):
    """The `Tally` of one direction."""
    arrived = {key for heard in direction.copies for _, key in heard}
    tally = Tally(spoken=len(direction.spoken.keys() | arrived), arrived=len(arrived))
    for key, time in sorted(direction.spoken.items(), key=lambda item: item[1]):
        if key in arrived:
            tally.fetched += _was_away(direction, time)
        elif _may_be_missing(direction, time):
            tally.told += 1
        else:
            tally.lost.append(key)
    for key, times in _most_copies(direction.copies).items():
        for first, second in pairwise(times):
            kill = _kill_between(direction, first, second)
            if kill is None or tally.at_a_kill[kill] == _room(direction, kill):
                tally.double.append(key)
            else:
                tally.at_a_kill[kill] += 1
    tally.disordered = max((_disordered(heard) for heard in direction.copies), key=len, default=[])
    return tally


def _may_be_missing(direction, time):
    told = any(gap.holds(time) for gap in direction.gaps if gap.network == direction.source)
    away = any(absence.holds(time) for absence in direction.absences if absence.network == direction.source)
    return told and away


def _was_away(direction, time):
    return any(
        span.start + INSIDE < time < span.end - INSIDE
        for span in direction.away
        if span.network == direction.source
    )


def _most_copies(observers):
    """When each message was heard, by the observer that heard it most often."""
    most = {}
    for heard in observers:
        times = {}
        for time, key in heard:
            times.setdefault(key, []).append(time)
        for key, copies in times.items():
            if len(copies) > len(most.get(key, ())):
                most[key] = copies
    return most


def _kill_between(direction, first, second):
    """The kill that excuses a second copy: its place in the list; None where there is none."""
    for index, kill in enumerate(direction.kills):
        before = direction.in_doubt.get(kill.what)
        if before is not None and kill.time - before <= first <= kill.time + SLACK and kill.time <= second:
            return index
    return None


def _room(direction, index):
    """How many copies too many a kill excuses at most; None where that is not known: a bot that lives on goes
    on to note what is confirmed."""
    kill = direction.kills[index]
    return kill.tails[direction.target] if kill.what == "bot" and kill.tails is not None else None


def _disordered(heard):
    """Messages whose first copy came after one of a higher number, of the same speaker."""
    highest, seen, wrong = {}, set(), []
    for _, (speaker, number) in heard:
        if (speaker, number) in seen:
            continue
        seen.add((speaker, number))
        if number < highest.get(speaker, -1):
            wrong.append((speaker, number))
        highest[speaker] = max(number, highest.get(speaker, -1))
    return wrong


# -- what a line says


def spoken(text):
    """(speaker, number) of a numbered message as its speaker said it; None where it is none."""
    found = SPOKEN.match(text)
    return (found["speaker"], int(found["number"])) if found else None


def carried(text, network):
    """(speaker, number) of a numbered message of `network` as the bot says it, under its speaker's name; None
    where it is none."""
    found = CARRIED.match(text.replace(JOINER, ""))
    if found is None or (found["nick"], found["network"]) != (found["speaker"], network):
        return None
    return found["speaker"], int(found["number"])


def told_gap(text, heard):
    """The `Span` that the bot tells as a gap, in a line that was heard at `heard`; None where it is none."""
    found = GAP.match(text.replace(JOINER, ""))
    if found is None:
        return None
    end = _last(found["end"], heard)
    return Span(found["network"], _last(found["start"], end), end)


def _last(clock, before):
    """The last time that a UTC clock showed `clock` before then, or a second after: whatever day is told."""
    day = datetime.fromtimestamp(before, UTC).date()
    time = datetime.combine(day, datetime.strptime(clock, "%H:%M:%S").time(), UTC)
    if time.timestamp() > before + EDGE:
        time -= timedelta(days=1)
    return time.timestamp()
