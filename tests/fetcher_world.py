"""What the tests of the fetcher have in common: a fetcher alone, and servers that do as they are told."""

from __future__ import annotations

import asyncio
import ssl
import time as wall_clock
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pynfo.services.fetcher import Fetcher
from pynfo.testing.bot import config_for

WAIT = 20.0  # seconds for what must come
SHORT = 0.4  # seconds: a limit of time that is to be met

Script = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


class Time:
    """A clock that only moves when somebody sleeps. `slept` are the seconds, one by one."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@asynccontextmanager
async def fetching(
    folder: Path, time: Time | None = None, *, now: Callable[[], float] = wall_clock.time, **settings: Any
) -> AsyncIterator[Fetcher]:
    """A fetcher without a bot; `settings` are fields of `Config`. Nobody waits between its attempts."""
    time = time or Time()
    host: Any = SimpleNamespace(config=config_for(folder, **settings), state_dir=folder)
    fetcher = Fetcher(host, clock=time.clock, sleep=time.sleep, now=now)
    await fetcher._ready()  # a short limit of time is not to be spent on importing
    try:
        yield fetcher
    finally:
        await fetcher.stop()


class Stranger:
    """A server that answers the one request of each connection by a script, and then closes it.

    `asked` are the heads of the requests so far; `left` is how many connections were closed by the other side
    before the script was at its end.
    """

    def __init__(self, script: Script, scheme: str) -> None:
        self.asked: list[str] = []
        self.left = 0
        self.port = 0
        self._script = script
        self._scheme = scheme
        self._changed = asyncio.Condition()
        self._serving: set[asyncio.Future[None]] = set()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self.port}{path}"

    async def was_asked(self, times: int = 1) -> None:
        """*await* so many requests."""
        await self._until(lambda: len(self.asked) >= times)

    async def was_left(self, times: int = 1) -> None:
        """*await* that so many connections are closed by the other side."""
        await self._until(lambda: self.left >= times)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        tasks: list[asyncio.Future[Any]] = []
        self._serving.add(serving := asyncio.ensure_future(self._converse(reader, writer, tasks)))
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await serving
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.left:
            writer.transport.abort()  # what is not sent by now nobody will read
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        self._serving.discard(serving)

    async def end(self) -> None:
        """End all connections."""
        while self._serving:
            for serving in self._serving:
                serving.cancel()
            await asyncio.sleep(0)

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tasks: list[asyncio.Future[Any]]
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.asked.append(head)
        await self._tell()
        script, gone = asyncio.ensure_future(self._script(head, writer)), asyncio.ensure_future(reader.read())
        tasks += [script, gone]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not script.done() or isinstance(script.exception(), OSError):
            self.left += 1
            await self._tell()
        else:
            await script
            await writer.drain()

    async def _until(self, come: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT), self._changed:
            await self._changed.wait_for(come)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def stranger(
    script: Script, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1"
) -> AsyncIterator[Stranger]:
    """A `Stranger` on a port of 127.0.0.1; at "0.0.0.0", of 127.0.0.2 and its like as well."""
    server = Stranger(script, "https" if tls else "http")
    listener = await asyncio.start_server(server.serve, address, 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await server.end()


def answer(body: bytes | str = b"", status: str = "200 OK", **headers: object) -> bytes:
    """A whole answer; `retry_after=1` is the header Retry-After."""
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def says(*answers: bytes) -> Script:
    """A script that gives one answer after another, and the last one from then on."""
    waiting = list(answers)

    async def script(head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(waiting.pop(0) if len(waiting) > 1 else waiting[0])

    return script


async def silence(head: str, writer: asyncio.StreamWriter) -> None:
    """A script that never answers."""
    await asyncio.Event().wait()
