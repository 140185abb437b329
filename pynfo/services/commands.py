"""`ICommands`: which lines are commands, who may use them, and what was registered.

A line is a command by the prefix (`!roll`), by our nick (`pynfo: roll`, `pynfo, roll`), or in private; never
one of our own, a notice, an ACTION, history, or one of a bot (unless the config says `answer_bots`). What is
unknown is left alone in channels: it may be meant for another bot.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from threading import get_ident
from typing import TYPE_CHECKING, Any

import msgspec
from zope.interface import implementer

from pynfo.command import CommandError, CommandSpec, Request, Role, check_name, quoted, spec_of
from pynfo.interfaces import ICommands, IEvents
from pynfo.irc.events import Batch, MessageReceived, User
from pynfo.ownership import adopt, current_owner
from pynfo.services.answers import Answers
from pynfo.services.command_limits import Limits, Verdict, person_of
from pynfo.services.command_runs import CommandRuns, unloaded
from pynfo.services.command_switches import CommandSwitches
from pynfo.services.command_table import Command, CommandTable, Group, Place
from pynfo.services.roles import Roles

if TYPE_CHECKING:
    from pynfo.factory import Factory

log = logging.getLogger(__name__)

LAST = -1000  # our place among the subscribers: whoever keeps a log has the question before the answer
HISTORY = frozenset({"chathistory", "draft/chathistory", "znc.in/playback", "znc.in/tlsplayback"})
NEEDED = {
    "operator": "an operator of the channel that it is asked in",
    "admin": "an admin of this bot",
    "owner": "an owner of this bot",
}


@implementer(ICommands)
class Commands:
    """See `ICommands`."""

    def __init__(self, factory: Factory) -> None:
        self._factory = factory
        self._table = CommandTable()
        self._roles = Roles(factory)
        self._switches = CommandSwitches(factory)
        self._limits = Limits()
        self._answers = Answers(factory, self.prefix)
        self._runs = CommandRuns(factory, self._answers, self._prepare)
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()
        self._subscription = IEvents(factory).subscribe(MessageReceived, self._receive, priority=LAST)
        self._add(Command(self._more, CommandSpec(name="more"), None))

    async def stop(self) -> None:
        self._subscription.cancel()
        await self._runs.stop()

    # -- what plugins and people choose

    def register(self, function: Callable[..., Any], name: str | None = None) -> Command:
        spec = spec_of(function) or CommandSpec(name=check_name(name or function.__name__))
        if name is not None:
            spec = msgspec.structs.replace(spec, name=check_name(name))
        command = Command(function, spec, current_owner())
        command.forget = adopt(lambda: self._remove(command))
        try:
            self._add(command)
        except ValueError:
            command.forget()
            raise
        return command

    def unregister(self, command: Command) -> None:
        command.forget()
        self._remove(command)

    def find(self, name: str) -> Command | None:
        return self._table.find(name)

    def commands(self) -> list[Command]:
        return sorted(self._table, key=lambda command: (command.name, command.plugin))

    def collisions(self) -> list[str]:
        return list(self._table.collisions)

    def switch(self, name: str, on: bool, channel: str | None = None, network: str | None = None) -> None:
        command = self._table.find(name)
        if command is None:
            raise LookupError(f"there is no command {quoted(name)}")
        if command.role in ("admin", "owner"):
            raise ValueError(f"{command.name} is for those who could switch it on again: it stays on")
        if (channel is None) != (network is None):
            raise ValueError("a switch is for a channel of a network, or for everywhere")
        place = None if channel is None or network is None else self._place(network, channel)
        self._switches.switch(command.qualified, on, place)

    def set_prefix(self, prefix: str | None, network: str, channel: str) -> None:
        self._switches.set_prefix(prefix, self._place(network, channel))

    def prefix(self, network: str, channel: str | None) -> str:
        prefix: str = self._factory.config.command_prefix
        if channel is None or not self._switches.prefixes:
            return prefix
        return self._switches.prefixes.get(self._place(network, channel), prefix)

    def role(self, network: str, user: User, channel: str | None = None) -> Role:
        return self._roles.role(network, user, channel)

    def answer(self, request: Request, text: str, *, private: bool = False) -> None:
        if get_ident() != self._thread:
            self._loop.call_soon_threadsafe(lambda: self.answer(request, text, private=private))
        elif not request.closed:
            self._answers.give(request, text, private=private)

    async def idle(self) -> None:
        await self._runs.idle()

    # -- what people type

    def _receive(self, event: MessageReceived) -> None:
        if event.own or event.kind != "message":
            return
        typed = self._typed(event)
        if not typed[:1].isalnum() or self._is_unwanted(event):  # "!" and "!!!" are no commands
            return
        entry, rest = self._table.look_up(typed)
        if entry is None:
            self._suggest(event, typed)
        elif isinstance(entry, Group):
            self._list_subcommands(event, entry)
        elif self._is_on(entry, event) and self._is_within_limits(event):
            self._runs.start(Request(event, rest, entry, self._factory), person_of(event))

    def _typed(self, event: MessageReceived) -> str:
        """What stands after the prefix or our nick; `""` for ordinary talk."""
        text = event.text
        prefix = self.prefix(event.network, event.channel)
        if prefix and text.startswith(prefix):
            return text[len(prefix) :]
        client = self._factory.clients.get(event.network)
        if client is None:
            return ""
        state = client.state
        end = len(state.nick)
        if text[end : end + 1] in (":", ",") and state.fold(text[:end]) == state.fold(state.nick):
            return text[end + 1 :].lstrip().removeprefix(prefix)
        return text if event.channel is None else ""

    def _is_unwanted(self, event: MessageReceived) -> bool:
        if event.batch is not None and _is_history(event.batch):
            return True
        is_bot = event.user.bot or (event.message is not None and "bot" in event.message.tags)
        return is_bot and not self._factory.config.answer_bots

    def _is_on(self, command: Command, event: MessageReceived) -> bool:
        if not command.switches:
            return True
        place = self._place(event.network, event.channel) if event.channel is not None else None
        if command.is_on(place):
            return True
        if place is None:
            self._answers.notice(event, f"{command.name} is switched off")
        return False

    def _is_within_limits(self, event: MessageReceived) -> bool:
        """Past a limit the person is told once, then nobody is, until the time is over."""
        limits = self._factory.config.command_limits
        by_user, by_channel = limits.get("user"), limits.get("channel")
        if by_user is None and by_channel is None:
            return True
        if self._roles.role(event.network, event.user, None) == "owner":
            return True
        now = time.monotonic()
        verdict, limit, whose = Verdict.WITHIN, by_user, "from you"
        if by_user is not None:
            verdict = self._limits.count(("user", *person_of(event)), by_user, now)
        if verdict is Verdict.WITHIN and by_channel is not None and event.channel is not None:
            place = self._place(event.network, event.channel)
            limit, whose = by_channel, f"in {event.channel}"
            verdict = self._limits.count(("channel", *place), by_channel, now)
        if verdict is Verdict.EXCEEDED and limit is not None:
            most, seconds = limit
            self._answers.notice(event, f"I take {most} commands in {seconds:g} seconds {whose}: please wait")
        return verdict is Verdict.WITHIN

    def _suggest(self, event: MessageReceived, typed: str) -> None:
        """In private only: tell what is like the command that there is not."""
        if event.channel is not None or not self._is_within_limits(event):
            return
        from difflib import get_close_matches

        word = typed.split()[0]
        role = self.role(event.network, event.user)
        names = {
            name
            for command in self._table
            if command.permits(role) and not command.hidden and command.is_on(None)
            for name in command.names
        }
        near = get_close_matches(word.lower()[:20], sorted(names), 3)
        hint = f": did you mean {' or '.join(near)}?" if near else ""
        self._answers.notice(event, f"I do not know {quoted(word)}{hint}")

    def _list_subcommands(self, event: MessageReceived, group: Group) -> None:
        if self._is_within_limits(event):
            self._answers.tell(event, f"Usage: {group.listing}")

    def _prepare(self, request: Request) -> dict[str, Any]:
        """Whether it may be done is decided when it is done, not when it was asked."""
        command: Command = request.command
        if command.gone:
            raise CommandError(unloaded(command))
        if command.rank and not command.permits(request.role):
            raise CommandError(f"{command.name} needs {NEEDED[command.role]}")
        return command.parser.parse(request.text, request)

    async def _more(self, request: Request) -> str | None:
        """Go on with the last long answer that you got."""
        return self._answers.more(request)

    def _add(self, command: Command) -> None:
        known = set(self._table.collisions)
        self._table.add(command)
        for collision in set(self._table.collisions) - known:
            log.warning("%s", collision)
        command.switches = self._switches.of(command.qualified)

    def _remove(self, command: Command) -> None:
        if not command.gone:
            command.gone = True
            self._table.remove(command)

    def _place(self, network: str, channel: str) -> Place:
        client = self._factory.clients.get(network)
        return network, client.state.fold(channel) if client is not None else channel.lower()


def _is_history(batch: Batch) -> bool:
    if batch.type in HISTORY:
        return True
    return batch.parent is not None and _is_history(batch.parent)
