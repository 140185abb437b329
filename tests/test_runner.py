"""`pynfo run` as a process: what signals do, and how it ends."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from pynfo.testing.server import Server

LIMIT = 15.0  # seconds for anything to happen on a busy machine
QUIT_LIMIT = 5.0  # seconds, as promised

STUCK = """
import time
def init(factory):
    print("init", flush=True)
    {init}
async def fini(factory):
    print("fini", flush=True)
    {fini}
"""


class Running:
    """A `pynfo run` of its own, with one line of its log at a time."""

    def __init__(self, process: asyncio.subprocess.Process, directory: Path, port: int) -> None:
        self.process = process
        self.directory = directory
        self.port = port
        self.log: list[str] = []

    async def logs(self, text: str) -> None:
        """*await* a line of the log, or of the output, that has `text`."""
        assert self.process.stdout is not None
        while not any(text in line for line in self.log):
            line = await asyncio.wait_for(self.process.stdout.readline(), LIMIT)
            assert line, f"the process ended without {text!r}:\n" + "".join(self.log)
            self.log.append(line.decode())

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ends(self) -> int:
        """*await* the end; gives the exit code."""
        assert self.process.stdout is not None
        self.log += (await asyncio.wait_for(self.process.stdout.read(), LIMIT)).decode().splitlines(True)
        return await asyncio.wait_for(self.process.wait(), LIMIT)

    def configure(self, channels: list[str], plugins: str = "{}") -> None:
        (self.directory / "config.py").write_text(
            "from pynfo.config import Network\n"
            f'networks = [Network("test", host="127.0.0.1", port={self.port}, tls=False,\n'
            f"                    messages_per_second=None, channels={channels})]\n"
            f"plugins = {plugins}\n"
        )


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


@pytest.fixture
async def start(server: Server, tmp_path: Path) -> AsyncIterator[Start]:
    """Start a bot on the server, in #pynfo, with a plugin whose `init` and `fini` do what is said."""
    started: list[Running] = []
    port = await server.listen("127.0.0.1", 0)

    async def begin(init: str = "", fini: str = "") -> Running:
        (tmp_path / "plugins.tml").write_text('register("stuck", "plugins.stuck")')
        (tmp_path / "plugins").mkdir(exist_ok=True)
        (tmp_path / "plugins" / "stuck.py").write_text(STUCK.format(init=init, fini=fini))
        bot = Running(None, tmp_path, port)  # type: ignore[arg-type]
        bot.configure(["#pynfo"], '{"stuck": {}}')
        bot.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pynfo", "run", "config.py",
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        started.append(bot)
        return bot

    yield begin
    for bot in started:
        if bot.process.returncode is None:
            bot.process.kill()
        await bot.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_to_go_is_obeyed_politely(
    server: Server, start: Start, number: signal.Signals
) -> None:
    alice = await server.user("alice", channels=["#pynfo"])
    bot = await start()
    await alice.expect(":pynfo!* JOIN")

    bot.send(number)

    await alice.expect(":pynfo!* QUIT")
    assert await bot.ends() == 0
    assert "fini\n" in bot.log


async def test_a_second_ctrl_c_ends_it_at_once(server: Server, start: Start) -> None:
    bot = await start(fini="import asyncio; await asyncio.sleep(60)")
    await bot.logs("init")
    bot.send(signal.SIGINT)
    await bot.logs("fini")

    began = time.monotonic()
    bot.send(signal.SIGINT)

    assert await bot.ends() == 130
    assert time.monotonic() - began < 1.0


async def test_it_ends_in_time_though_a_plugin_blocks_the_event_loop(server: Server, start: Start) -> None:
    bot = await start(init="import asyncio; asyncio.get_running_loop().call_soon(time.sleep, 60)")
    await bot.logs("init")

    began = time.monotonic()
    bot.send(signal.SIGTERM)

    assert await bot.ends() == 0
    assert time.monotonic() - began < QUIT_LIMIT
    assert any("does not end" in line for line in bot.log)


async def test_a_new_config_is_taken_over_and_one_with_mistakes_is_not(server: Server, start: Start) -> None:
    alice = await server.user("alice", channels=["#pynfo", "#more"])
    bot = await start()
    await alice.expect(":pynfo!* JOIN #pynfo")

    bot.configure(["#pynfo", "more"], "{}")
    bot.send(signal.SIGHUP)
    await bot.logs("'more' is no channel: did you mean '#more'?")
    await bot.logs("the old one stays")
    bot.configure(["#more"], '{"stuck": {}}')
    bot.send(signal.SIGHUP)

    await alice.expect(":pynfo!* PART #pynfo")
    await alice.expect(":pynfo!* JOIN #more")
    await bot.logs("the new config is in force")
    assert "fini\n" not in bot.log
    assert not any("QUIT" in line for line in alice.heard)


async def test_a_second_bot_on_the_same_state_does_not_start(server: Server, start: Start) -> None:
    first = await start()
    await first.logs("init")

    second = await start()

    assert await second.ends() == 1
    told = "".join(second.log)
    assert f"another Pynfo (process {first.process.pid}) uses the state directory" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("typed", [b"\x03", b"/quit\r"])
async def test_a_terminal_is_given_back_as_it_was(tmp_path: Path, typed: bytes) -> None:
    ours, theirs = pty.openpty()
    as_it_was = termios.tcgetattr(theirs)
    console = subprocess.Popen(
        ["setsid", "--ctty", "--wait", sys.executable, "-m", "pynfo", "console"],
        cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    try:
        screen = b""
        while b"\n> " not in screen:
            screen += await asyncio.wait_for(asyncio.to_thread(os.read, ours, 4096), LIMIT)

        os.write(ours, typed)

        assert await asyncio.to_thread(console.wait, LIMIT) == 0
        assert termios.tcgetattr(theirs) == as_it_was
        assert (await asyncio.to_thread(os.read, ours, 4096)).endswith(b"\n")  # for the shell's prompt
    finally:
        console.kill()
        os.close(ours)
        os.close(theirs)
