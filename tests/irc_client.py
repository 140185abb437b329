"""A client that says and hears raw lines, for the tests of the server in `pynfo.testing`."""

from __future__ import annotations

import asyncio

from pynfo.testing import Server, Transcript
from pynfo.testing.transcript import Pattern


class RawClient(asyncio.Protocol):
    """What it hears comes into `heard`, line by line; `lost` says how the connection ended."""

    def __init__(self) -> None:
        self.heard = Transcript()
        self.transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._partial = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\r\n")
        for line in lines:
            self.heard.append(line.decode())

    def connection_lost(self, exc: Exception | None) -> None:
        self.heard.end("the connection is closed")
        self.lost.set_result(exc)

    def say(self, *lines: str | bytes) -> None:
        """Send lines; bytes go out as they are, without a line end of ours."""
        assert self.transport is not None
        for line in lines:
            self.transport.write(line if isinstance(line, bytes) else line.encode() + b"\r\n")

    async def hears(self, pattern: Pattern) -> str:
        return await self.heard.expect(pattern)

    async def passed_over(self) -> list[str]:
        """All that came until now and that nobody has waited for."""
        self.say("PING :until now")
        lines: list[str] = []
        while True:
            line = await self.heard.expect("*")
            if line.endswith(" PONG irc.test :until now"):
                return lines
            lines.append(line)


async def raw_client(server: Server) -> RawClient:
    """A client that is connected, and has said nothing."""
    client = RawClient()
    await server.connect(lambda: client)
    return client


async def registered(server: Server, nick: str, *capabilities: str) -> RawClient:
    """A client that is registered, with these capabilities."""
    client = await raw_client(server)
    if capabilities:
        client.say(f"CAP REQ :{' '.join(capabilities)}")
    client.say(f"NICK {nick}", f"USER {nick.lower()} 0 * :{nick} the Tester", "CAP END")
    await client.hears("422")
    return client
