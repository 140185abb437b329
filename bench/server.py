"""The IRC server of the benchmark: as little as a bot needs to join one channel, and raw access to it."""

import asyncio
import time

WELCOME = (
    ":irc.bench 001 pynfo :Welcome\r\n"
    ":irc.bench 005 pynfo CASEMAPPING=ascii CHANTYPES=# NICKLEN=30 PREFIX=(ov)@+ :are supported\r\n"
    ":irc.bench 422 pynfo :MOTD File is missing\r\n"
)
JOINED = (
    ":pynfo!pynfo@bench JOIN #bench\r\n"
    ":irc.bench 353 pynfo = #bench :pynfo @alice bob\r\n"
    ":irc.bench 366 pynfo #bench :End of /NAMES list.\r\n"
)


class Connection(asyncio.Protocol):
    """One bot. `joined` is set to the time of its JOIN; `replies` gets the texts of its PRIVMSGs."""

    def __init__(self, server):
        self.server = server
        self.partial = b""
        self.replies = asyncio.Queue()
        self.wanted = 0
        self.got = []
        self.enough = None
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport):
        self.transport = transport

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    def data_received(self, data):
        lines = (self.partial + data).split(b"\r\n")
        self.partial = lines.pop()
        for line in lines:
            command, _, rest = line.partition(b" ")
            if command == b"PRIVMSG":
                self.got.append(rest.partition(b" :")[2] or rest.partition(b" ")[2])
            elif command == b"CAP" and rest.startswith(b"LS"):
                self.transport.write(b":irc.bench CAP * LS :\r\n")
            elif command == b"USER":
                self.transport.write(WELCOME.encode())
            elif command == b"JOIN":
                self.transport.write(JOINED.encode())
                self.server.joined.set_result((time.perf_counter(), self))
            elif command == b"PING":
                self.transport.write(b":irc.bench PONG irc.bench " + rest + b"\r\n")
        if self.enough is not None and len(self.got) >= self.wanted and not self.enough.done():
            self.enough.set_result(time.perf_counter())

    async def expect(self, count, limit=60.0):
        """*await* `count` replies. Gives the time of the last one and the replies."""
        self.wanted = count
        self.enough = asyncio.get_running_loop().create_future()
        if len(self.got) >= count:
            self.enough.set_result(time.perf_counter())
        when = await asyncio.wait_for(self.enough, limit)
        replies, self.got, self.enough = self.got, [], None
        return when, replies

    async def send(self, data):
        await self.writable.wait()
        self.transport.write(data)


class Server:
    """Listens on a free port of the loopback interface."""

    async def __aenter__(self):
        self.joined = asyncio.get_running_loop().create_future()
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self), "127.0.0.1", 0
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self._server.close()
