"""`IOperator`: what the person who runs the bot should know, told once per matter.

A matter goes to the log at once, and as a private message to every owner of the config who is online on some
network. Owners who are seen later are told then, as long as the matter is open. Nothing here raises, and what
goes wrong while an owner is told is logged only: a bot that cannot speak must not tell about that for ever.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from pynfo.interfaces import IEvents, IOperator, IOutbox
from pynfo.irc.events import ChannelSynced, MessageReceived, User, UserChanged, UserJoined, UserRenamed
from pynfo.ownership import running_as
from pynfo.usermask import UserMask, parse

if TYPE_CHECKING:
    from pynfo.factory import Factory
    from pynfo.irc.client import Client

log = logging.getLogger(__name__)

MATTERS_LIMIT = 100  # open at one time; past that the oldest is forgotten
LINES_AT_ONCE = 5  # matters told to one owner at one time; of the rest, only how many
TEXT_LIMIT = 1000  # characters of a matter's first line that are kept; the log has all

# What shows that somebody is online, and under which account. Channels are synced with NAMES, which does not
# tell accounts; who speaks shows theirs.
SIGHTINGS = (ChannelSynced, UserJoined, UserChanged, UserRenamed, MessageReceived)


class _Matter:
    """An open matter. `told` holds the masks of the owners who know of it."""

    __slots__ = ("text", "told")

    def __init__(self, text: str) -> None:
        self.text = text
        self.told: set[UserMask] = set()


@implementer(IOperator)
class Operator:
    """See `IOperator`. May be used from any thread, and before it is started."""

    def __init__(self, factory: Factory) -> None:
        self._factory = factory
        self._matters: dict[str, _Matter] = {}
        self._loop: asyncio.AbstractEventLoop | None = None  # while it is started
        self._telling = False
        self._subscription: Any = None  # to those who come or speak, while a matter is open
        self._owners: list[UserMask] = []
        self._owners_read: list[str] | None = None  # what `_owners` was read from

    # -- what others ask

    def tell(self, matter: str, text: str) -> None:
        known = self._matters.get(matter)
        first_line = text.partition("\n")[0][:TEXT_LIMIT]
        if known is not None:
            known.text = first_line
            return
        log.warning("%s: %s", matter, text)
        while len(self._matters) >= MATTERS_LIMIT:
            self._matters.pop(next(iter(self._matters)), None)
        self._matters[matter] = _Matter(first_line)
        if not self._telling:  # else telling is what fails: owners are told when they are seen next
            self._soon(self._tell_online)

    def settled(self, matter: str) -> None:
        if self._matters.pop(matter, None) is not None:
            log.info("%s: settled", matter)
            self._soon(self._look_out)

    def matters(self) -> dict[str, str]:
        return {matter: known.text for matter, known in list(self._matters.items())}

    # -- its life

    async def start(self) -> None:
        """Begin to tell owners."""
        self._loop = asyncio.get_running_loop()
        self._tell_online()

    async def stop(self) -> None:
        """Tell nobody any more; the log goes on."""
        self._loop = None
        self._look_out()

    def _soon(self, function: Callable[[], None]) -> None:
        """Call it on the event loop, when what is under way there has come to its end."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(function)

    # -- who is told

    def _tell_online(self) -> None:
        self._look_out()
        for client in list(self._factory.clients.values()):
            if client.up and self._matters:
                for user in list(client.state.users.values()):
                    self._tell_user(client, user)

    def _look_out(self) -> None:
        """Watch who comes and who speaks, as long as there is something to tell them."""
        wanted = bool(self._matters) and self._loop is not None
        if wanted and self._subscription is None:
            with running_as(None):  # not of the plugin that tells
                self._subscription = IEvents(self._factory).subscribe(SIGHTINGS, self._seen)
        elif not wanted and self._subscription is not None:
            self._subscription.cancel()
            self._subscription = None

    def _seen(self, event: Any) -> None:
        client = self._factory.clients.get(event.network)
        if client is None:
            return
        if type(event) is not ChannelSynced:
            self._tell_user(client, event.user)
        elif (channel := client.state.channel(event.channel)) is not None:
            for nick in list(channel.members):
                if (user := client.state.user(nick)) is not None:
                    self._tell_user(client, user)

    def _tell_user(self, client: Client, user: User) -> None:
        """Tell an owner what is open and not told yet; nothing happens for others."""
        fold = client.state.fold
        masks = {mask for mask in self._current_owners() if mask.matches(client.name, user, fold)}
        if not masks or client.state.is_me(user.nick):
            return
        untold = [known for known in list(self._matters.values()) if known.told.isdisjoint(masks)]
        if not untold:
            return
        self._telling = True
        try:
            for known in untold[:LINES_AT_ONCE]:
                self._say(client, user, known.text)
                known.told |= masks
            rest = untold[LINES_AT_ONCE:]
            if rest:
                prefix = self._factory.config.command_prefix
                self._say(client, user, f"and {len(rest)} more: {prefix}status tells them all")
                for known in rest:
                    known.told |= masks
        except Exception as error:  # noqa: BLE001 - what cannot be said must not become another matter
            log.warning("%s on %s cannot be told: %s", user.nick, client.name, error)
        finally:
            self._telling = False

    def _say(self, client: Client, user: User, text: str) -> None:
        IOutbox(self._factory).say(f"{client.name}/{user.nick}", text)

    def _current_owners(self) -> list[UserMask]:
        """The owners of the config, which may have been read anew."""
        owners = self._factory.config.owners
        if owners != self._owners_read:
            self._owners_read, self._owners = list(owners), []
            for owner in owners:
                try:
                    self._owners.append(parse(owner))
                except ValueError as error:
                    log.error("an owner in the config is left out: %s", error)
        return self._owners
