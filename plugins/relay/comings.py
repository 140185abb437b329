"""What happens in a channel besides talk, as text for the other ends of a wire.

Joins, parts, quits, kicks, nick changes, topics and modes are told at once where the wire asks for them by
name, and folded into one line where they come as a flood. With "membership", who came and who went is
gathered for a minute and told in one line. A netsplit is told as one thing in either case.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection

from plugins.relay.gathering import CallLater, Gathering
from plugins.relay.netsplits import Netsplits
from plugins.relay.summary import Fold, Shown, Summary
from pynfo.irc.events import (
    Event,
    ModeChange,
    ModeChanged,
    TopicChanged,
    UserJoined,
    UserKicked,
    UserParted,
    UserQuit,
    UserRenamed,
)
from pynfo.irc.formatting import clean, plain

FLOOD = 5  # lines told at once …
FLOOD_SECONDS = 5.0  # … in this time; what comes beyond that is folded, for as long
MEMBERSHIP_SECONDS = 60.0  # from the first who came or went
REASON_LENGTH = 100  # characters
TOPIC_LENGTH = 300  # characters
KEY = "k"  # the mode letter of a channel's key (Modern IRC, "Key Channel Mode")
STATUS = frozenset("qaohv")  # mode letters that give a member a rank; of some networks' `q` a mask
HIDDEN = "…"

KINDS: dict[type[Event], str] = {
    UserJoined: "joins",
    UserParted: "parts",
    UserQuit: "quits",
    UserKicked: "kicks",
    UserRenamed: "nicks",
    TopicChanged: "topics",
    ModeChanged: "modes",
}
MEMBERSHIP = frozenset({"joins", "parts", "quits", "kicks", "nicks"})

_MASK = re.compile("[!@*?$~:]")
# A part of a mask, behind its "!" or "@", that is more than wildcards. A username may tell an address too.
_PRIVATE = re.compile(r"(?<=[!@])[^!@]*[^!@*?.:/][^!@]*")


class Comings:
    """Of one channel, for one wire.

    `events`: the words of the setting. `tell(text, time)` is called with each line; `time` is that of what
    happened, or of the end of the time in which it was gathered, in UTC epoch seconds. `shown` is how a nick
    is written on the other side, `fold` the casemapping of the network.
    """

    def __init__(
        self,
        events: Collection[str],
        tell: Callable[[str, float], None],
        call_later: CallLater,
        *,
        shown: Shown,
        fold: Fold,
    ) -> None:
        self._at_once = frozenset(events) & frozenset(KINDS.values())
        self._summarised = MEMBERSHIP - self._at_once if "membership" in events else frozenset()
        self._tell = tell
        self._shown = shown
        self._fold = fold
        self._lately: deque[float] = deque(maxlen=FLOOD)  # when lines were told at once
        self._flood = Gathering[Event](FLOOD_SECONDS, self._flood_over, call_later)
        self._membership = Gathering[Event](MEMBERSHIP_SECONDS, self._summarise, call_later)
        self._netsplits = Netsplits(tell, call_later, shown=shown, fold=fold)

    def heard(self, event: Event) -> None:
        """Take in something that happened in the channel; what the wire does not ask for is left out."""
        kind = KINDS.get(type(event))
        if kind is None or getattr(event, "own", False):
            return
        if kind in self._at_once:
            if not self._of_netsplit(event):
                self._tell_or_fold(event)
        elif kind in self._summarised and not self._of_netsplit(event):
            self._membership.add(event, event.time)

    def close(self) -> None:
        """Tell what is gathered so far; no timer is left."""
        self._membership.close()
        self._flood.close()
        self._netsplits.close()

    def _of_netsplit(self, event: Event) -> bool:
        if isinstance(event, UserJoined):
            return self._netsplits.took_join(event)
        begun = self._netsplits.leaving
        if not isinstance(event, UserQuit) or not self._netsplits.took_quit(event):
            return False
        if not begun:  # what was before a netsplit is told before it
            self._membership.close()
            self._flood.close()
        return True

    def _tell_or_fold(self, event: Event) -> None:
        full = len(self._lately) == FLOOD
        if self._flood or (full and event.time - self._lately[0] < FLOOD_SECONDS):
            self._flood.add(event, event.time)
            return
        self._lately.append(event.time)
        self._tell(self._line(event), event.time)

    def _flood_over(self, events: list[Event], time: float) -> None:
        # Where it goes on as before, it stays folded: the next line is told when it is over.
        self._lately.extend([time] * min(len(events), FLOOD))
        if len(events) == 1:
            self._tell(self._line(events[0]), time)
        else:
            self._summarise(events, time)

    def _summarise(self, events: list[Event], time: float) -> None:
        summary = Summary(self._shown, self._fold)
        for event in events:
            match event:
                case UserJoined():
                    summary.joined(event.user.nick)
                case UserParted() | UserQuit():
                    summary.left(event.user.nick)
                case UserKicked():
                    summary.left(event.user.nick, kicked=self._by(event))
                case UserRenamed():
                    summary.renamed(event.old_nick, event.user.nick)
                case TopicChanged():
                    summary.topic(self._line(event))
                case _:
                    summary.modes()
        if text := summary.text():
            self._tell(text, time)

    def _line(self, event: Event) -> str:
        shown = self._shown
        match event:
            case UserJoined(user=user):
                return f"{shown(user.nick)} joined"
            case UserParted(user=user, reason=reason):
                return f"{shown(user.nick)} left{_in_brackets(reason)}"
            case UserQuit(user=user, reason=reason):
                return f"{shown(user.nick)} quit{_in_brackets(reason)}"
            case UserKicked(user=user):
                return f"{shown(user.nick)} was kicked {self._by(event)}"
            case UserRenamed(user=user, old_nick=old_nick):
                return f"{shown(old_nick)} is now known as {shown(user.nick)}"
            case TopicChanged(by=by, topic=topic):
                text = _bounded(topic, TOPIC_LENGTH)
                return f"{shown(by.nick)} " + (
                    f"changed the topic to “{text}”" if text else "removed the topic"
                )
            case ModeChanged(by=by, changes=changes):
                return f"{shown(by.nick)} set mode {_mode_text(changes, shown)}"
        raise TypeError(f"nothing is said of a {type(event).__name__}")

    def _by(self, kick: UserKicked) -> str:
        # Many servers put the kicker's or the kicked one's nick where no reason is given.
        reason = "" if kick.reason in (kick.by.nick, kick.user.nick) else kick.reason
        return f"by {self._shown(kick.by.nick)}{_in_brackets(reason)}"


def _in_brackets(reason: str) -> str:
    """A reason behind what somebody did. What servers put around people's words is left out."""
    text = _bounded(reason.removeprefix("Quit:"), REASON_LENGTH).strip('"')
    return f" ({text})" if text else ""


def _bounded(text: str, length: int) -> str:
    text = clean(plain(text)).strip()
    return text if len(text) <= length else text[: length - 1] + HIDDEN


def _mode_text(changes: list[ModeChange], shown: Shown) -> str:
    """Changes as they are written: `+o-v alice bob`; no keys, which are secret, and no addresses."""
    letters, params, sign = "", [], ""
    for change in changes:
        wanted = "+" if change.adding else "-"
        letters += (wanted if wanted != sign else "") + change.mode
        sign = wanted
        if change.mode == KEY:
            params.append(HIDDEN)
        elif change.param is not None:
            param = _bounded(change.param, REASON_LENGTH)
            of_member = change.mode in STATUS and not _MASK.search(param)
            params.append(shown(param) if of_member else _PRIVATE.sub(HIDDEN, param))
    return " ".join([letters, *params])
