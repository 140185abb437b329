"""An IRC server in this process, that behaves, and that a test can make misbehave.

    async with Server(accounts={"alice": "secret"}) as server:
        alice = await server.user("alice", account="alice", channels=["#pynfo"])
        ...  # start a bot whose `connect` is `server.connect`
        alice.say("#pynfo", "!ping")
        await alice.hears("pong")

Clients come in memory (`connect`) or over sockets (`listen`); an ordinary IRC client can chat here. For tests
of the protocol each connection can be driven by hand (`connection`, `handle`, `scripted`), see `Connection`.
What each command does stands in a file by subject, see `dispatch`.

Sources: Modern IRC; RFC 1459 and 2812; the IRCv3 specifications of what `offers.CAPABILITIES` lists. Bounded:
connections, channels, people's channels, lists, lines, and bytes that a client has not read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from pynfo.irc.isupport import ISupport
from pynfo.irc.message import Message
from pynfo.testing import memory, modes, negotiation, offers, presence, registration
from pynfo.testing.channel import Channel
from pynfo.testing.connection import Connection
from pynfo.testing.login import MECHANISMS
from pynfo.testing.person import Person
from pynfo.testing.puppet import Puppet
from pynfo.testing.redaction import Authors
from pynfo.testing.transcript import WAIT
from pynfo.testing.wire import TAGGING, encode, timestamp

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

CONNECTION_LIMIT = 1024  # connections open at once
CHANNEL_LIMIT = 4096  # channels that there are at once
REMEMBERED = 100  # connections that `connection` still finds, those that are over among them
FAILURE_LIMIT = 10  # exceptions kept for `close`
CLOSE_LIMIT = 5.0  # seconds for connections to end

Handler = Callable[[Connection, Message], str | Iterable[str | bytes] | None]
P = TypeVar("P", bound=asyncio.Protocol)


class Server:
    """See the module.

    `capabilities` maps what is offered to values (`offers.CAPABILITIES` by default; `sasl` is added where
    there are `accounts`, `certificates` or `public_keys`). `isupport` changes tokens of 005: None takes one
    away. `accounts` maps an account to its password, `certificates` the SHA-256 fingerprint of a TLS client
    certificate (lower-case hex) to an account, `public_keys` an account to the base64 of its compressed
    point on NIST P-256. `extensions` are capabilities offered besides, such as some of `offers.EXTENSIONS`.
    `history` is how many messages of each channel are kept for CHATHISTORY; 0: it is not offered. `password`
    is what PASS must say. `clock` gives UTC epoch seconds.
    """

    def __init__(
        self,
        name: str = "irc.test",
        network: str = "Test",
        *,
        capabilities: Mapping[str, str] | None = None,
        extensions: Mapping[str, str] | None = None,
        isupport: Mapping[str, str | None] | None = None,
        casemapping: str = "rfc1459",
        accounts: Mapping[str, str] | None = None,
        certificates: Mapping[str, str] | None = None,
        public_keys: Mapping[str, str] | None = None,
        sasl_mechanisms: Iterable[str] = tuple(MECHANISMS),
        password: str | None = None,
        motd: str | None = None,
        history: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.network = network
        self.clock = clock
        self.created = clock()
        self.version = "pynfo-testing"
        self.motd = motd
        self.password = password
        self.accounts = dict(accounts or {})
        self.certificates = dict(certificates or {})
        self.public_keys = dict(public_keys or {})
        self.sasl_mechanisms = tuple(sasl_mechanisms)
        self.history = history
        self.capabilities = dict(offers.CAPABILITIES if capabilities is None else capabilities)
        if capabilities is None and history:
            self.capabilities[offers.HISTORY] = ""
        if capabilities is None and (self.accounts or self.certificates or self.public_keys):
            self.capabilities["sasl"] = ",".join(self.sasl_mechanisms)
        self.capabilities |= extensions or {}
        self.tokens = offers.isupport_tokens(
            network, casemapping, history=history > 0, changes=isupport or {}
        )
        self.isupport = ISupport()  # what the server says of itself is what it goes by
        self.isupport.update(self.tokens)
        self.fold = self.isupport.fold
        self.people: dict[str, Person] = {}  # by folded nick, those who are still registering too
        self.channels: dict[str, Channel] = {}  # by folded name
        self.authors = Authors()
        self.channel_limit = CHANNEL_LIMIT
        self.connection_limit = CONNECTION_LIMIT
        self.handlers: dict[str, Handler] = {}
        self.scripted = False  # True: nothing is answered but by handlers; the test drives every line
        self.anyone_relays = False  # True: RELAYMSG is not for channel operators alone
        self.accepting = True  # False: new connections are refused
        self._present: dict[Person, None] = {}
        self._connections: dict[int, Connection] = {}
        self._connected = 0
        self._arrived = asyncio.Event()
        self._listeners: list[asyncio.Server] = []
        self._failures: list[Exception] = []
        self._numbers = 0

    def __repr__(self) -> str:
        return f"<Server {self.name}, {len(self._present)} people, {len(self.channels)} channels>"

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._hang_up()
        if error is None:
            self._raise_failures()

    # -- connections

    async def listen(
        self, host: str = "127.0.0.1", port: int = 0, *, tls: ssl.SSLContext | None = None
    ) -> int:
        """Take connections on a socket; gives the port, which is a free one for 0. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(lambda: Connection(self), host, port, ssl=tls)
        self._listeners.append(listener)
        bound: int = listener.sockets[0].getsockname()[1]
        return bound

    async def connect(
        self,
        protocol_factory: Callable[[], P],
        settings: object = None,
        host: str = "",
        port: int = 0,
        tls: bool = False,
    ) -> asyncio.Transport:
        """Connect a client in memory: stands in for `Factory.connect`, whose other parameters it ignores.

        Raises `ConnectionRefusedError` while the server is not `accepting`, and when it is full.
        """
        if not self.accepting or len(self.open_connections) >= self.connection_limit:
            raise ConnectionRefusedError(f"{self.name} takes no more connections")
        transport, _ = memory.connect(protocol_factory, Connection(self))
        return transport

    @property
    def open_connections(self) -> list[Connection]:
        """The connections there are now, oldest first."""
        return [connection for connection in self._connections.values() if not connection.closed]

    async def connection(self, number: int = 1, timeout: float | None = WAIT) -> Connection:
        """*await* the connection of that number, counted from 1 since the server was made.

        Connections that are over are found too, as long as they are among the last `REMEMBERED`. Raises
        `AssertionError` where it has not come within `timeout` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                while self._connected < number:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise AssertionError(f"{self._connected} connections came, {number} were waited for") from None
        return self._connections[number]

    def admit(self, connection: Connection) -> bool:
        """A connection has been made; False where it is not let in."""
        if not self.accepting or len(self.open_connections) >= self.connection_limit:
            return False
        self._connected += 1
        connection.number = self._connected
        self._connections[connection.number] = connection
        for number in list(self._connections)[:-REMEMBERED]:
            if self._connections[number].closed:
                del self._connections[number]
        self._present[connection.person] = None
        self._arrived.set()
        return True

    async def close(self) -> None:
        """End everything; then raise what a handler raised since, so that no test passes over it."""
        await self._hang_up()
        self._raise_failures()

    async def _hang_up(self) -> None:
        self.accepting = False
        for listener in self._listeners:
            listener.close()
        connections = self.open_connections
        for connection in connections:
            connection.close()
        try:
            async with asyncio.timeout(CLOSE_LIMIT):
                for connection in connections:
                    await connection.wait_closed(None)
        except TimeoutError:
            for connection in connections:
                connection.abort()
                await connection.wait_closed()
        for person in list(self._present):
            self.remove(person, "The server goes")

    def failed(self, error: Exception) -> None:
        """Remember what an answer raised, for `close`."""
        if len(self._failures) < FAILURE_LIMIT:
            self._failures.append(error)

    def _raise_failures(self) -> None:
        failures, self._failures = self._failures, []
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise ExceptionGroup(f"{self.name} failed to answer", failures)

    # -- what a test, a console or a demo does with the server

    def handle(self, command: str, handler: Handler | None) -> None:
        """Replace the server's answer to a command of clients; None gives it back.

        `handler(connection, message)` gives the lines to send, or does it itself; `connection.answer` is the
        answer it replaced. What it raises is raised again by `close`.
        """
        if handler is None:
            self.handlers.pop(command.upper(), None)
        else:
            self.handlers[command.upper()] = handler

    async def user(
        self,
        nick: str,
        *,
        account: str | None = None,
        channels: Iterable[str] = (),
        username: str = "",
        host: str = "",
        realname: str = "",
    ) -> Puppet:
        """A person in this process. Username, host and real name are made from the nick where not given.

        Raises `ValueError` for a nick that is not one, or not free.
        """
        if not registration.is_nick(self, nick) or self.fold(nick) in self.people:
            raise ValueError(f"{nick!r} is no nick here, or not free")
        puppet = Puppet(
            self, nick, username or nick.lower(), host or f"{nick.lower()}.test", realname or nick
        )
        person = puppet.person
        person.account = account
        person.registered = True
        self._present[person] = None
        self.people[self.fold(nick)] = person
        presence.tell_watchers(self, nick)
        for channel in channels:
            puppet.join(channel)
        return puppet

    def channel(self, name: str) -> Channel:
        """The channel of that name, made where there is none: then it is `kept`. For a test to change."""
        channel = self.channels.get(self.fold(name))
        if channel is None:
            channel = self.make_channel(name)
            channel.kept = True
        return channel

    def mode(self, channel: str, modes_: str, *params: str) -> None:
        """Change the modes of a channel, as services do. Raises `modes.ModeRefused`."""
        changed = self.channel(channel)
        changes = self.isupport.parse_modes(modes_, list(params))
        done = [change for change in changes if modes.change_mode(self, changed, change)]
        modes.tell_changes(self, changed, done, self.name)

    def offer(self, capability: str, value: str = "") -> None:
        """Begin to offer a capability (CAP NEW)."""
        negotiation.offer(self, capability, value)

    def withdraw(self, capability: str) -> None:
        """Offer a capability no more (CAP DEL)."""
        negotiation.withdraw(self, capability)

    def log_in(self, person: Person | str, account: str | None) -> None:
        """Log a person in, as services do after SASL or IDENTIFY; None: out. Raises `LookupError`."""
        presence.set_account(self, self._known(person), account)

    def cloak(self, person: Person | str, host: str, username: str = "") -> None:
        """Change a person's host, and username where given (CHGHOST). Raises `LookupError`."""
        known = self._known(person)
        presence.set_host(self, known, username or known.username, host)

    def _known(self, person: Person | str) -> Person:
        known = self.find(person) if isinstance(person, str) else person
        if known is None:
            raise LookupError(f"{person!r} is not here")
        return known

    # -- who is here

    def find(self, nick: str) -> Person | None:
        """The registered person of that nick."""
        person = self.people.get(self.fold(nick))
        return person if person is not None and person.registered else None

    def everyone(self) -> list[Person]:
        """All who are connected, also those who have not registered yet."""
        return list(self._present)

    def with_capability(self, capability: str) -> list[Person]:
        """All who negotiated a capability."""
        return [person for person in self._present if capability in person.capabilities]

    def neighbours(self, person: Person) -> list[Person]:
        """The others in the person's channels, each once."""
        found = dict.fromkeys(member for channel in person.channels.values() for member in channel.members)
        found.pop(person, None)
        return list(found)

    def watchers(self, nick: str) -> list[Person]:
        """All who MONITOR a nick."""
        folded = self.fold(nick)
        return [person for person in self._present if folded in person.monitored]

    def symbols(self, channel: Channel, person: Person, *, every: bool) -> str:
        """The prefix symbols of a member, highest first; only the highest where not `every`."""
        letters = channel.members.get(person, set())
        symbols = "".join(symbol for letter, symbol in self.isupport.prefix.items() if letter in letters)
        return symbols if every else symbols[:1]

    def make_channel(self, name: str) -> Channel:
        """A new, empty channel."""
        channel = Channel(name, self.clock(), history=self.history)
        self.channels[self.fold(name)] = channel
        return channel

    def forget_member(self, channel: Channel, person: Person) -> None:
        """A person is in a channel no more; the last one takes the channel with them, unless it is `kept`."""
        del channel.members[person]
        del person.channels[self.fold(channel.name)]
        if not channel.members and not channel.kept:
            del self.channels[self.fold(channel.name)]

    def remove(self, person: Person, reason: str) -> None:
        """A person goes: those who see them are told, and their connection ends."""
        if person not in self._present:
            return
        del self._present[person]
        person.answers = None  # an ERROR is the last line; nothing can be kept back behind it
        self.broadcast(self.neighbours(person), Message("QUIT", [reason], person.mask), by=person)
        for channel in list(person.channels.values()):
            self.forget_member(channel, person)
        if self.people.get(self.fold(person.nick)) is person:
            del self.people[self.fold(person.nick)]
        if person.registered:
            person.registered = False
            presence.tell_watchers(self, person.nick)
        self.deliver(
            [person], Message("ERROR", [f"Closing link: ({person.username}@{person.host}) [{reason}]"])
        )
        person.leave()

    # -- what is sent

    def reply(self, person: Person, numeric: str, *params: str) -> None:
        """Send a numeric; the person's nick goes first."""
        self.send(person, Message(numeric, [person.nick, *params], self.name))

    def send(self, person: Person, message: Message, *, by: Person | None = None) -> None:
        """`broadcast` to one person."""
        self.broadcast([person], message, by=by)

    def broadcast(self, people: Iterable[Person], message: Message, *, by: Person | None = None) -> None:
        """Send a message to each; `by` is who it is from, for the tags that tell of them.

        Where a labelled command of a person is being answered, what goes to them is kept back until the
        answer is whole.
        """
        stamped = self.stamp(message, by)
        at_once = []
        for person in people:
            if person.answers is not None:
                person.answers.append(stamped)
            else:
                at_once.append(person)
        self.deliver(at_once, stamped)

    def stamp(self, message: Message, by: Person | None) -> Message:
        """The message with its time, and with the account and bot mode of who it is from."""
        tags = {"time": timestamp(self.clock()), **message.tags}
        if by is not None and by.account is not None:
            tags["account"] = by.account
        if by is not None and self.isupport.bot and self.isupport.bot in by.modes:
            tags["bot"] = ""
        return Message(message.command, message.params, message.source, tags)

    def deliver(self, people: Collection[Person], *messages: Message) -> None:
        """Put messages on the wire now, each person's with the tags that they negotiated."""
        for message in messages:
            lines: dict[frozenset[str], bytes] = {}
            for person in people:
                wanted = TAGGING & person.capabilities
                line = lines.get(wanted)
                if line is None:
                    line = lines[wanted] = encode(message, wanted, self.isupport.linelen)
                person.deliver(line)

    def new_msgid(self) -> str:
        """An id for a message; never the same one twice."""
        self._numbers += 1
        return f"m{self._numbers}"

    def new_reference(self) -> str:
        """A reference tag for a batch."""
        self._numbers += 1
        return f"b{self._numbers}"
