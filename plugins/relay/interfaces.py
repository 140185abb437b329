"""`IRelaying`: what other plugins may know of the relay. Published by the `relay` plugin."""

from __future__ import annotations

import msgspec

from pynfo.interfaces import Interface
from pynfo.irc.events import User

# mypy: disable-error-code="no-untyped-def, misc, empty-body, type-arg"


class Speaker(msgspec.Struct, frozen=True, kw_only=True):
    """Who spoke what the bot carried. `text` is what they said, without the name before it; `place` where
    they said it. `user` has the nick alone where more is not known any more."""

    place: str  # network/#channel
    network: str  # shown as the badge
    user: User  # nick, and account, username and host as far as they are known
    kind: str  # "message", "notice" or "action"
    text: str
    off_the_record: bool = False  # what they said begins with [off]: nobody may keep any piece of it


class IRelaying(Interface):
    def speaker_of(event) -> Speaker | None:
        """Who spoke, of a `MessageReceived` that is a line of our own relay; None of any other line.

        At once. The same for every subscriber that asks, also for lines that come from a network's history.
        """

    def is_ours(event) -> bool:
        """Whether the bot said it for the relay: a `Speaker`'s line, or a word of the relay's own."""

    async def forget(network: str, user: User) -> int:
        """*await*: carry nothing of what waits of a person any more; gives how many messages. On disk too."""
