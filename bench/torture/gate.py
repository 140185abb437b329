"""A TCP gate between the bot and a daemon, so that the bot comes back only after those who listen to it.

What was sent before a connection is lost is passed on to its end, as without a gate.
"""

import asyncio


class Gate:
    """Listens on one port of its own, as long as it is open, and passes bytes on to `port` and back."""

    def __init__(self, port):
        self._to = port
        self._server = None
        self._ends = set()
        self._connecting = set()
        self.port = 0  # any that is free, when it is opened first

    async def open(self):
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._end, "127.0.0.1", self.port, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self):
        """Take no new connections. Those that are there live as long as both of their ends."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def close(self):
        self.refuse()
        for end in list(self._ends):
            end.transport.abort()

    def _end(self):
        """One who comes through the gate: is passed on as soon as the daemon has answered."""
        return _End(self._ends, self._pass_on)

    def _pass_on(self, end):
        end.transport.pause_reading()
        task = asyncio.get_running_loop().create_task(self._connect(end))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, end):
        loop = asyncio.get_running_loop()
        try:
            _, there = await loop.create_connection(lambda: _End(self._ends), "127.0.0.1", self._to)
        except OSError:
            end.transport.close()
            return
        end.other, there.other = there.transport, end.transport
        if end.transport.is_closing():
            there.transport.close()
        else:
            end.transport.resume_reading()


class _End(asyncio.Protocol):
    """One end of a connection; `other` is the transport of the other."""

    def __init__(self, ends, made=lambda end: None):
        self._ends = ends
        self._made = made
        self.other = None

    def connection_made(self, transport):
        self.transport = transport
        self._ends.add(self)
        self._made(self)

    def data_received(self, data):
        self.other.write(data)

    def connection_lost(self, error):
        self._ends.discard(self)
        if self.other is not None:
            self.other.close()  # once all is written
