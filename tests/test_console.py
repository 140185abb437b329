"""The bot in a terminal, as a script sees it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys

import httpx
import pytest

from pynfo.console import describe
from tests.irc_user import IrcUser

LIMIT = 30  # seconds
PYNFO = [sys.executable, "-m", "pynfo"]


def talk(*lines, folder, arguments=()):
    """Pipe lines into `pynfo console`; what it prints, line by line."""
    script = "".join(f"{line}\n" for line in lines)
    done = subprocess.run(
        [*PYNFO, "console", *arguments],
        input=script,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_answers_each_line_before_it_reads_the_next(tmp_path):
    said = talk("!ping", "ordinary talk", "pynfo: ping", folder=tmp_path)
    spoken = [re.sub(r"^<\w+> ", "", line) if not line.startswith("<pynfo>") else line for line in said]
    assert spoken[-5:] == ["!ping", "<pynfo> pong", "ordinary talk", "pynfo: ping", "<pynfo> pong"]


def test_speaks_in_private_acts_and_takes_names(tmp_path):
    said = "\n".join(talk("/msg pynfo ping", "/me waves", "/nick zed", "hi", "/odd", folder=tmp_path))
    assert "(to you) <pynfo> pong" in said
    assert "is now zed" in said
    assert "<zed> hi" in said
    assert "/odd is not understood so; there are:" in said
    assert "/quit" in said


def test_leaves_when_it_is_told_to(tmp_path):
    said = talk("/quit", "!ping", folder=tmp_path)
    assert not any("pong" in line for line in said)
    said = talk("!quit", "!ping", folder=tmp_path)
    assert not any("pong" in line for line in said)


def test_runs_the_plugins_of_a_config_and_keeps_their_state(tmp_path):
    (tmp_path / "config.py").write_text(
        'from pynfo.config import Network\nnick = "robot"\ncommand_prefix = "?"\n'
        'networks = [Network("far", host="irc.invalid", channels=["#away"])]\n'
    )
    assert "<robot> pong" in talk("?ping", folder=tmp_path, arguments=["config.py"])
    talk("?ignore spammer", folder=tmp_path)
    assert any("<robot> 1 ignored: spammer" in line for line in talk("?ignores", folder=tmp_path))


def test_does_not_let_control_characters_of_others_reach_the_terminal():
    shown = describe(":eve!e@h PRIVMSG #pynfo :\x1b[2J\x02bold", "you")
    assert shown == "<\x02eve\x02> \x1b[2J\x02bold"
    said = subprocess.run(
        [*PYNFO, "console"],
        input="!help \x1b[2J\n",
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
    )
    assert "\x1b" not in said.stdout


@pytest.fixture
def demo(tmp_path):
    """A demo whose input has ended, and the port it is on."""
    with subprocess.Popen(
        [*PYNFO, "demo"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        port = int(re.search(r"port (\d+)", process.stdout.readline())[1])
        yield process, port
        process.kill()


async def test_the_demo_is_open_to_any_client(demo):
    process, port = demo
    async with await IrcUser.connect(port, "bob", "#pynfo") as bob:
        bob.say("#pynfo", "!ping")
        assert "pong" in await bob.hears("PRIVMSG #pynfo")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


async def test_the_channel_of_the_demo_has_its_log_on_the_web(demo):
    process, port = demo
    url = process.stdout.readline().removeprefix("The channel's log is on ").strip()
    async with await IrcUser.connect(port, "bob", "#pynfo") as bob, httpx.AsyncClient(trust_env=False) as web:
        bob.say("#pynfo", "a word for the log")
        async with asyncio.timeout(LIMIT):
            while "a word for the log" not in (await web.get(url)).text:
                await asyncio.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
