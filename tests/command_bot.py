"""A factory with stand-ins for what commands ask, and commands to try them with."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

from pynfo.arguments import Rest
from pynfo.command import Request, command
from pynfo.components import Componentized
from pynfo.interfaces import ICommands, IEvents, IOperator, IOutbox, IScheduler, IStorage, RetrievalError
from pynfo.irc.events import MessageReceived, User
from pynfo.irc.message import Message
from pynfo.irc.pacing import QueueFull
from pynfo.ownership import Owner
from pynfo.services.commands import Commands
from pynfo.services.scheduler import Busy

ALICE = User("alice", "al", "alice.example")
BOB = User("bob", "b", "bob.example")
OWNER = User("olga", "o", "olga.example", account="olga")
ADMIN = User("adam", "a", "adam.example", account="adam")
OPERATOR = User("opal", "o", "opal.example")


class Said(NamedTuple):
    target: str
    text: str
    kind: str
    tags: dict[str, str] | None


class Bot(Componentized):
    """A factory with stand-ins for the services that commands ask, and one network, `net`."""

    def __init__(self, stored: dict[tuple[str, str], bytes] | None = None) -> None:
        super().__init__()
        self.config = SimpleNamespace(
            command_prefix="!",
            owners=["net/$a:olga"],
            admins=["net/$a:adam"],
            command_limits={"user": None, "channel": None},
            command_time_limit=5.0,
            answer_bots=False,
        )
        state = SimpleNamespace(
            nick="Pynfo",
            fold=str.lower,
            is_operator=lambda channel, nick: (channel, nick) == ("#here", "opal"),
            room=lambda command, target: 512 - 60 - len(f"{command} {target} :\r\n".encode()),
        )
        client = SimpleNamespace(state=state, capabilities={"message-tags"})
        self.clients = {"net": client}
        self.said: list[Said] = []
        self.full = False
        self.busy = False
        self.matters: dict[str, str] = {}
        self.stored = stored or {}
        self._subscribers: list[Callable[[MessageReceived], None]] = []
        self._spoken = asyncio.Event()
        for interface in (IEvents, IOutbox, IScheduler, IOperator, IStorage):
            self.register_adapter(interface, lambda bot: bot)
        self.commands = Commands(self)
        self.register_adapter(ICommands, lambda bot: bot.commands)

    # -- IEvents, IOutbox, IScheduler, IOperator, IStorage

    def subscribe(self, event_type: type, subscriber: Any, *, priority: int) -> Any:
        self._subscribers.append(subscriber)
        return SimpleNamespace(cancel=partial(self._subscribers.remove, subscriber))

    def wants(self, event_type: type) -> bool:
        return False

    def say(
        self, target: str, text: str, *, kind: str = "message", bulk: bool, max_age: float, tags: Any
    ) -> None:
        if self.full:
            raise QueueFull("too much is said already")
        self.said.append(Said(target, text, kind, tags))
        self._spoken.set()

    async def in_thread(self, fn: Callable[..., Any], /, *args: Any, **kw: Any) -> Any:
        if self.busy:
            raise Busy("all threads work")
        return await asyncio.to_thread(fn, *args, **kw)

    def tell(self, matter: str, text: str) -> None:
        self.matters[matter] = text

    def settled(self, matter: str) -> None:
        self.matters.pop(matter, None)

    def store(self, key: str, version: str, value: object) -> None:
        self.stored[key, version] = pickle.dumps(value)

    def retrieve(self, key: str, version: str) -> Any:
        try:
            return pickle.loads(self.stored[key, version])
        except KeyError:
            raise RetrievalError(key) from None

    # -- what tests do

    async def __aenter__(self) -> Bot:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.commands.stop()

    def offer(self, *functions: Callable[..., Any], plugin: str = "games") -> Owner:
        owner = Owner(plugin)
        with owner.active():
            for function in functions:
                self.commands.register(function)
        return owner

    def hears(
        self,
        text: str,
        user: User = ALICE,
        channel: str | None = "#here",
        tags: dict[str, str] | None = None,
        **fields: Any,
    ) -> list[Said]:
        """Gives what was said at once."""
        target = fields.pop("target", channel or "Pynfo")
        before = len(self.said)
        event = MessageReceived(
            network="net", time=0.0, user=user, channel=channel, target=target, text=text,
            message=Message("PRIVMSG", [target, text], user.mask, tags or {}), **fields,
        )  # fmt: skip
        for subscriber in self._subscribers:
            subscriber(event)
        return self.said[before:]

    def answer(
        self, text: str, user: User = ALICE, channel: str | None = "#here", **fields: Any
    ) -> str | None:
        """The text that was said at once, None where nothing was."""
        said = self.hears(text, user, channel, **fields)
        assert len(said) <= 1
        return said[0].text if said else None

    async def says(self, count: int) -> list[str]:
        """*await* that `count` lines are said in all."""
        async with asyncio.timeout(5):
            while len(self.said) < count:
                self._spoken.clear()
                await self._spoken.wait()
        return [said.text for said in self.said]


@command
async def ping(request: Request) -> str:
    """Answer at once."""
    return "pong"


@command
async def echo(request: Request, text: Rest) -> str:
    return text


class Gate:
    """A command that goes on when it is told to."""

    def __init__(self, name: str = "wait") -> None:
        self.open = asyncio.Event()
        self.entered = asyncio.Event()
        self.ended = False

        @command(name)
        async def wait(request: Request) -> str:
            self.entered.set()
            try:
                await self.open.wait()
            finally:
                self.ended = True
            return "waited"

        self.command = wait


@command("plugin list")
async def plugin_list(request: Request) -> str:
    return "a, b"


def role_commands() -> list[Callable[..., Any]]:
    @command(role="operator")
    async def kick(request: Request) -> str:
        return request.role

    @command(role="admin")
    async def load(request: Request) -> str:
        return request.role

    @command(role="owner")
    async def quit(request: Request) -> str:
        return request.role

    return [kick, load, quit]


LONG = " ".join(f"word{number}" for number in range(200))


def without_hints(texts: list[str]) -> str:
    return " ".join(text.partition(" … (")[0] for text in texts)
