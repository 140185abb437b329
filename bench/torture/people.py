"""People on a network, as far as the run needs them: they join one channel, speak, and say what they hear."""

import asyncio
import time

LIMIT = 30.0  # seconds to join


class Person(asyncio.Protocol):
    """One user. `tell(time, nick, command, text)` is called with each PRIVMSG and NOTICE, and with each JOIN
    and MODE, whose text are the parameters; `left(person)` when the connection is lost."""

    def __init__(self, nick, channel, tell, left):
        self.nick = nick
        self._channel = channel
        self._tell = tell
        self._left = left
        self._partial = b""
        self._joined = asyncio.get_running_loop().create_future()

    @classmethod
    async def connect(cls, port, nick, channel, tell=lambda *heard: None, left=lambda person: None):
        """*await* that they are in the channel. Raises `OSError`, `TimeoutError`."""
        person = cls(nick, channel, tell, left)
        async with asyncio.timeout(LIMIT):
            await asyncio.get_running_loop().create_connection(lambda: person, "127.0.0.1", port)
            await person._joined
        return person

    def say(self, text):
        self.send(f"PRIVMSG {self._channel} :{text}")

    def send(self, line):
        self._transport.write(line.encode() + b"\r\n")

    def leave(self):
        self._left = lambda person: None
        self._transport.abort()

    def connection_made(self, transport):
        self._transport = transport
        self.send(f"NICK {self.nick}")
        self.send(f"USER {self.nick} 0 * :{self.nick}")

    def connection_lost(self, error):
        if not self._joined.done():
            self._joined.set_exception(ConnectionError(f"{self.nick} was sent away: {error}"))
        self._left(self)

    def data_received(self, data):
        now = time.time()
        *lines, self._partial = (self._partial + data).split(b"\r\n")
        for line in lines:
            self._receive(line.decode(errors="replace"), now)

    def _receive(self, line, now):
        source, _, rest = line[1:].partition(" ") if line.startswith(":") else ("", "", line)
        command, _, parameters = rest.partition(" ")
        nick = source.partition("!")[0]
        if command in ("PRIVMSG", "NOTICE"):
            self._tell(now, nick, command, parameters.partition(" :")[2])
        elif command in ("JOIN", "MODE"):
            self._tell(now, nick, command, parameters)
        elif command == "PING":
            self.send(f"PONG {parameters}")
        elif command in ("376", "422"):  # the end of the greeting
            self.send(f"JOIN {self._channel}")
        elif command == "366" and not self._joined.done():  # the end of the list of members
            self._joined.set_result(None)
