"""A person on a real network: the least client that can join, speak and listen."""

from __future__ import annotations

import asyncio
import re

LIMIT = 30.0  # seconds to wait for anything


class IrcUser:
    """`async with IrcUser.connect(port, "alice", "#chan") as alice`"""

    def __init__(self, nick: str) -> None:
        self.nick = nick
        self.heard: list[str] = []
        self._news = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, port: int, nick: str, *channels: str, capabilities: str = "") -> IrcUser:
        """Register and join. Tries until the server takes connections, `LIMIT` seconds at most."""
        user = cls(nick)
        async with asyncio.timeout(LIMIT):
            while True:
                try:
                    user._reader, user._writer = await asyncio.open_connection("127.0.0.1", port)
                    break
                except OSError:
                    await asyncio.sleep(0.05)
        user._reading = asyncio.create_task(user._read())
        if capabilities:
            user.send(f"CAP REQ :{capabilities}")
        user.send(f"NICK {nick}")
        user.send(f"USER {nick} 0 * :{nick}")
        if capabilities:
            user.send("CAP END")
        await user.hears(r" (376|422) ")
        for channel in channels:
            user.send(f"JOIN {channel}")
            await user.hears(rf" 366 {nick} {re.escape(channel)} ")
        return user

    async def __aenter__(self) -> IrcUser:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    def send(self, line: str) -> None:
        self._writer.write(line.encode() + b"\r\n")

    def say(self, target: str, text: str) -> None:
        self.send(f"PRIVMSG {target} :{text}")

    async def hears(self, pattern: str, limit: float = LIMIT) -> str:
        """Wait for a line that the pattern is found in, among those not waited for yet; gives it."""
        wanted = re.compile(pattern)
        passed = []
        try:
            async with asyncio.timeout(limit):
                while True:
                    while self.heard:
                        line = self.heard.pop(0)
                        if wanted.search(line):
                            return line
                        passed.append(line)
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{self.nick} did not hear {pattern!r} but:\n" + "\n".join(passed)) from None

    async def close(self) -> None:
        self._writer.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def _read(self) -> None:
        while line := await self._reader.readline():
            text = line.decode(errors="replace").rstrip("\r\n")
            if text.startswith("PING"):
                self.send("PONG" + text[4:])
            self.heard.append(text)
            self._news.set()
