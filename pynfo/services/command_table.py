"""The commands there are, and which of them a line means.

A command has its short names as long as nobody had them before, and `plugin.name` always. A name of two words
is a subcommand: the longest name that fits wins, and the first word alone lists the others.
"""

from __future__ import annotations

import asyncio
import dis
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from pynfo.arguments import Parser
from pynfo.command import ROLES, CommandSpec, Role
from pynfo.ownership import Owner

_SEND = dis.opmap["SEND"]

Place = tuple[str, str]  # network and folded channel
Switches = dict[Place | None, bool]  # whether a command is on, there or (None) everywhere


class Command:
    """A command that is registered."""

    def __init__(self, function: Callable[..., Any], spec: CommandSpec, owner: Owner | None) -> None:
        self.function = function
        self.owner = owner
        self.plugin = owner.name if owner is not None else "pynfo"
        self.name = spec.name
        self.aliases = spec.aliases
        self.role: Role = spec.role
        self.rank = ROLES.index(spec.role)
        self.time_limit = spec.time_limit
        self.private = spec.private
        self.hidden = spec.hidden
        self.parser = Parser(function, spec.name)
        self.is_coroutine = inspect.iscoroutinefunction(function)
        self.at_once = self.is_coroutine and never_waits(function)
        self.switches: Switches = {}
        self.gone = False  # unregistered: who still waits for it is told so
        self.late: set[asyncio.Task[Any]] = set()  # runs past their time limit that have not ended yet
        self.forget: Callable[[], None] = _nothing  # take it from what its plugin's unloading takes back

    def __repr__(self) -> str:
        return f"<Command {self.qualified}>"

    @property
    def names(self) -> tuple[str, ...]:
        """The name and the aliases; short, as long as no other plugin had them before."""
        return (self.name, *self.aliases)

    @property
    def qualified(self) -> str:
        """The name that always works."""
        return f"{self.plugin}.{self.name}"

    @property
    def usage(self) -> str:
        """How it is typed, such as `roll [SIDES]`."""
        return self.parser.usage

    @property
    def help(self) -> str:
        """The docstring of the handler, `""` where it has none."""
        return inspect.getdoc(self.function) or ""

    def permits(self, role: Role) -> bool:
        """Whether somebody with that role may use it."""
        return ROLES.index(role) >= self.rank

    def is_on(self, place: Place | None) -> bool:
        """Whether it is switched on there."""
        everywhere = self.switches.get(None, True)
        return everywhere if place is None else self.switches.get(place, everywhere)


class Group:
    """The subcommands of one word, and the command of that word alone, where there is one."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.alone: Command | None = None
        self.subcommands: dict[str, Command] = {}

    @property
    def listing(self) -> str:
        """What may be typed after the word."""
        words = [word for word, command in sorted(self.subcommands.items()) if not command.hidden]
        return f"{self.word} {'|'.join(words)}"


class CommandTable:
    """Finds a command by what was typed."""

    def __init__(self) -> None:
        self._commands: list[Command] = []  # in the order in which they were loaded
        self._names: dict[str, Command] = {}
        self._words: dict[str, Command | Group] = {}
        self.collisions: list[str] = []

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands)

    def add(self, command: Command) -> None:
        """Raises `ValueError` where the plugin has a command of that name already."""
        for name in command.names:
            if f"{command.plugin}.{name}" in self._names:
                raise ValueError(f"the plugin {command.plugin} has two commands named {name!r}")
        self._commands.append(command)
        self._arrange()

    def remove(self, command: Command) -> None:
        """Names that others wanted too are theirs from now on."""
        self._commands.remove(command)
        self._arrange()

    def find(self, name: str) -> Command | None:
        """The command of exactly that name, alias or `plugin.name`."""
        return self._names.get(" ".join(name.lower().split()))

    def look_up(self, text: str) -> tuple[Command | Group | None, str]:
        """What the beginning of `text` means, and the text after it."""
        parts = text.split(None, 1)
        entry = self._words.get(parts[0]) or self._words.get(parts[0].lower())
        rest = parts[1].rstrip() if len(parts) > 1 else ""
        if not isinstance(entry, Group):
            return entry, rest
        parts = rest.split(None, 1)
        subcommand = entry.subcommands.get(parts[0].lower()) if parts else None
        if subcommand is not None:
            return subcommand, parts[1] if len(parts) > 1 else ""
        return entry.alone or entry, rest

    def _arrange(self) -> None:
        self._names = {}
        self.collisions = []
        for command in self._commands:
            for name in command.names:
                self._names[f"{command.plugin}.{name}"] = command
                holder = self._names.setdefault(name, command)
                if holder is not command:
                    self.collisions.append(
                        f"{holder.plugin} and {command.plugin} both have a command {name}: "
                        f"it is {holder.plugin}'s, the other one is {command.plugin}.{name}"
                    )
        self._words = {}
        for name, command in self._names.items():
            word, _, second = name.partition(" ")
            entry = self._words.get(word)
            if second and not isinstance(entry, Group):
                group = self._words[word] = Group(word)
                group.alone, entry = entry, group
            if isinstance(entry, Group):
                if second:
                    entry.subcommands[second] = command
                else:
                    entry.alone = command
            else:
                self._words[word] = command


def never_waits(function: Callable[..., Any]) -> bool:
    """Whether a coroutine function has no `await` in it, nor `async for`, nor `async with`.

    Its coroutine ends in one step, so it is run where it stands, without a task: most commands are such, and
    a task takes longer than they do. (The compiler makes SEND of every place where a coroutine may wait.)
    """
    code = getattr(function, "__code__", None)
    return code is not None and _SEND not in code.co_code[::2]  # every other byte is an argument


def _nothing() -> None:
    return None
