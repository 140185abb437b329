"""How many commands a person or a channel may have in a while. Sans-IO: time is handed in."""

from __future__ import annotations

from enum import Enum

import msgspec

from pynfo.irc.events import MessageReceived

WINDOWS = 4096  # people and channels that are remembered; the oldest is forgotten first

Person = tuple[str, str]
Limit = tuple[int, float]  # commands, and in how many seconds


class Verdict(Enum):
    WITHIN = "within"
    EXCEEDED = "exceeded"  # the first time in this window: the person is told
    SILENCED = "silenced"


class _Window(msgspec.Struct):
    ends: float
    count: int = 0
    told: bool = False


class Limits:
    """Counts commands in windows of time, each of which begins with a command."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, ...], _Window] = {}  # the one that began first stands first

    def count(self, key: tuple[str, ...], limit: Limit, now: float) -> Verdict:
        """One command more of `key`; `now` is monotonic seconds."""
        most, seconds = limit
        window = self._windows.get(key)
        if window is None or now >= window.ends:
            window = self._open(key, now + seconds)
        window.count += 1
        if window.count <= most:
            return Verdict.WITHIN
        if window.told:
            return Verdict.SILENCED
        window.told = True
        return Verdict.EXCEEDED

    def _open(self, key: tuple[str, ...], ends: float) -> _Window:
        self._windows.pop(key, None)
        if len(self._windows) >= WINDOWS:
            del self._windows[next(iter(self._windows))]
        window = self._windows[key] = _Window(ends)
        return window


def person_of(event: MessageReceived) -> Person:
    """Network and account, or `nick!user@host` where nobody is logged in (no account has a `!` in it)."""
    user = event.user
    if user.account is not None:
        return event.network, user.account
    message = event.message
    return event.network, message.source if message is not None and message.source else user.mask
