"""One channel as we know it from inside: topic, modes, and who is there with which prefix.

Sources: Modern IRC, "Channel Modes", "PREFIX parameter", "CHANMODES parameter"; RFC 2812 section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from pynfo.irc.events import ModeChange
from pynfo.irc.isupport import ISupport


class ChannelState(msgspec.Struct):
    """A channel that we are in.

    `members` maps a folded nick to the letters of its prefix modes, highest first (`"ov"`); `modes` maps a
    mode letter to its parameter, without prefix modes and lists such as bans. `topic_by` is as the network
    gives it, a nick or a whole mask; `topic_time` is UTC in seconds since the epoch. `synced`: all of the
    members are known.
    """

    name: str
    topic: str = ""
    topic_by: str = ""
    topic_time: float | None = None
    modes: dict[str, str | None] = {}
    members: dict[str, str] = {}
    synced: bool = False

    def change_modes(self, changes: list[ModeChange], isupport: ISupport, fold: Callable[[str], str]) -> None:
        """Take in mode changes, those of members too."""
        for change in changes:
            if change.mode in isupport.prefix:
                key = fold(change.param or "")
                if key in self.members:
                    self.members[key] = _changed(self.members[key], change, isupport)
            elif change.mode in isupport.chanmodes[0]:
                continue  # a list: bans and the like, which may be any number
            elif not change.adding:
                self.modes.pop(change.mode, None)
            elif is_mode(change.mode):
                self.modes[change.mode] = change.param

    def see_member(self, key: str, modes: str) -> None:
        """A reply shows a member with these prefix modes, or, without multi-prefix, the highest of them.

        If that is the highest that we know, it tells nothing new: the lower ones, known from MODE, are kept.
        """
        if len(modes) != 1 or self.members[key][:1] != modes:
            self.members[key] = modes


def is_mode(letter: str) -> bool:
    """Whether it is a letter that a mode can have; nothing else is remembered, which bounds what is."""
    return letter.isascii() and letter.isalpha()


def _changed(modes: str, change: ModeChange, isupport: ISupport) -> str:
    held = modes.replace(change.mode, "")
    if change.adding:
        held += change.mode
    return held if len(held) < 2 else "".join(mode for mode in isupport.prefix if mode in held)
