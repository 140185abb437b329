"""`@command` and `Request`: what a plugin's command handlers see.

The mark is data on the function (`CommandSpec`), read when the plugin is loaded: importing a plugin registers
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import msgspec

from pynfo.interfaces import ICommands
from pynfo.irc.events import MessageReceived, User

if TYPE_CHECKING:
    from pynfo.irc.client import Client

Role = Literal["anyone", "operator", "admin", "owner"]
ROLES: tuple[Role, ...] = ("anyone", "operator", "admin", "owner")  # lowest first; a higher one may do more

MARK = "__pynfo_command__"
QUOTED = 60  # characters of what somebody typed that an error repeats

Handler = TypeVar("Handler", bound=Callable[..., Any])


class CommandError(Exception):
    """The command cannot be done. The message is one sentence, and the user gets it as the answer."""


class CommandSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What `@command` says about a function.

    `name` is one word, or two for a subcommand such as "plugin list". `time_limit` is in seconds, None: the
    config's. `private`: the answer goes to the person alone. `hidden`: left out of `help`.
    """

    name: str
    aliases: tuple[str, ...] = ()
    role: Role = "anyone"
    time_limit: float | None = None
    private: bool = False
    hidden: bool = False


@overload
def command(name: Handler, /) -> Handler: ...


@overload
def command(
    name: str | None = None,
    /,
    *,
    aliases: tuple[str, ...] = (),
    role: Role = "anyone",
    time_limit: float | None = None,
    private: bool = False,
    hidden: bool = False,
) -> Callable[[Handler], Handler]: ...


def command(
    name: Handler | str | None = None,
    /,
    *,
    aliases: tuple[str, ...] = (),
    role: Role = "anyone",
    time_limit: float | None = None,
    private: bool = False,
    hidden: bool = False,
) -> Handler | Callable[[Handler], Handler]:
    """Mark a function as a command: `@command`, or `@command("plugin list", role="admin")`.

    The function takes the `Request`, then what people type, by its annotations (`pynfo.arguments`); it
    returns the answer, a list of lines, or None. Its docstring is the help. A `def` runs on a thread of the
    bounded pool, an `async def` on the event loop. Raises `ValueError` for a name that nobody can type.
    """
    if callable(name):
        return command()(name)
    if role not in ROLES:
        raise ValueError(f"role {role!r} is not known: write one of {', '.join(ROLES)}")

    def mark(function: Handler) -> Handler:
        spec = CommandSpec(
            name=check_name(name or function.__name__),
            aliases=tuple(check_name(alias) for alias in aliases),
            role=role,
            time_limit=time_limit,
            private=private,
            hidden=hidden,
        )
        setattr(function, MARK, spec)
        return function

    return mark


def spec_of(function: Any) -> CommandSpec | None:
    """What `@command` said about `function`; None where it is not marked."""
    spec = getattr(function, MARK, None)
    return spec if isinstance(spec, CommandSpec) else None


def check_name(name: str) -> str:
    """Give the name in lower case, or raise `ValueError`. A dot is kept for `plugin.command`."""
    words = name.lower().split()
    if not 1 <= len(words) <= 2 or not all(word.isprintable() and "." not in word for word in words):
        raise ValueError(f"{name!r} is no name for a command: write one word, or two, without dots")
    if not words[0][0].isalnum():
        raise ValueError(f"{name!r} is no name for a command: it begins with a letter or a digit")
    return " ".join(words)


class Request(msgspec.Struct, eq=False):
    """One use of a command. `text` is what stands after the command's name, without spaces around it."""

    event: MessageReceived
    text: str
    command: Any  # the registered `pynfo.services.command_table.Command`
    factory: Any
    closed: bool = False  # the handler was stopped: what it still says is dropped

    @property
    def user(self) -> User:
        """Who asks."""
        return self.event.user

    @property
    def network(self) -> str:
        """The short name of the network that it was asked on."""
        return self.event.network

    @property
    def channel(self) -> str | None:
        """The channel that it was asked in, None in private."""
        return self.event.channel

    @property
    def client(self) -> Client:
        """The connection to the network that it was asked on."""
        client: Client = self.factory.clients[self.event.network]
        return client

    @property
    def role(self) -> Role:
        """The highest role that the asker has here, now."""
        event = self.event
        role: Role = ICommands(self.factory).role(event.network, event.user, event.channel)
        return role

    @property
    def is_operator(self) -> bool:
        """Whether the asker is an operator of the channel that it was asked in."""
        channel = self.event.channel
        return channel is not None and self.client.state.is_operator(channel, self.event.user.nick)

    def reply(self, text: str, *, private: bool = False) -> None:
        """Say a line more than the handler returns, at once; from a thread too.

        What does not fit one line (three in private) waits for `more`. Nothing is said any more once the
        handler was stopped.
        """
        ICommands(self.factory).answer(self, text, private=private)

    def error(self, text: str) -> CommandError:
        """The error to raise, so that the asker gets `text` as the answer."""
        return CommandError(text)


def quoted(text: str) -> str:
    """What somebody typed, for an error: short, and of one line."""
    text = " ".join(text.split())
    return f'"{text}"' if len(text) <= QUOTED else f'"{text[:QUOTED]}…"'
