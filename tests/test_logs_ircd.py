"""Logs on a real network: InspIRCd, which remembers what is said in a channel with mode +H until it dies."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import asynccontextmanager, closing
from random import Random

import pytest

from plugins.logs.line import KINDS
from pynfo.config import load
from pynfo.factory import Factory
from tests.irc_user import LIMIT, IrcUser
from tests.logs_bot import Synced, filled, gaps

pytestmark = pytest.mark.ircd

PLACE = "insp/#pynfo"
CONFIG = """
from pynfo.config import Channel, Network
nick = "pynfo"
owners = ["boss!*@127.0.0.1"]
state_dir = "state"
networks = [Network("insp", host="127.0.0.1", port={port}, tls=False, channels=["#pynfo"])]
plugins = {{"logs": {{"channels": {{"insp/#pynfo": {{}}}}}}}}
"""


class Late(Random):
    """Draws the most of what it may: a lost network is connected to after some seconds."""

    def uniform(self, a, b):
        return b


def configured(folder, daemon):
    (folder / "config.py").write_text(CONFIG.format(port=daemon.port))
    return folder / "config.py"


def kept(folder, *kinds):
    """Nick and text of what the archive on disk has, in order."""
    with closing(sqlite3.connect(folder / "state" / "logs" / "archive.db")) as connection:
        found = connection.execute(
            "SELECT kind, nick, text FROM lines JOIN authors ON authors.id = author ORDER BY lines.id"
        ).fetchall()
    return [(nick, text) for kind, nick, text in found if KINDS[kind] in kinds]


async def has_kept(folder, wanted, *kinds):
    """Wait until the archive on disk has just this."""
    async with asyncio.timeout(LIMIT):
        while (found := await asyncio.to_thread(kept, folder, *kinds)) != wanted:
            assert len(found) <= len(wanted), found
            await asyncio.sleep(0.05)


@asynccontextmanager
async def running(config):
    """The bot as a process; whoever gets it may kill it and start it again."""
    bots = []

    def start():
        with open(config.parent / "log", "ab") as log:
            bots.append(subprocess.Popen([sys.executable, "-m", "pynfo", "run", str(config)], stderr=log))
        return bots[-1]

    try:
        yield start
    finally:
        for bot in bots:
            bot.kill()
            bot.wait()


async def test_nothing_is_missing_and_nothing_double_after_the_bot_was_killed(tmp_path, start_ircd):
    daemon = start_ircd("inspircd")
    config = configured(tmp_path, daemon)
    said = []

    def say(user, text):
        user.say("#pynfo", text)
        said.append((user.nick, text))

    async with (
        await IrcUser.connect(daemon.port, "alice", "#pynfo") as alice,
        await IrcUser.connect(daemon.port, "bob", "#pynfo") as bob,
        running(config) as start,
    ):
        alice.send("MODE #pynfo +H 50:1h")
        await bob.hears(r"MODE #pynfo \+H")
        bot = start()
        await bob.hears(":pynfo!.* JOIN")
        for number in range(5):
            say(alice, f"before {number}")
        await has_kept(tmp_path, said, "message")
        for number in range(5):
            say(bob, f"just before {number}")
        await alice.hears("just before 4")
        bot.send_signal(signal.SIGKILL)
        await bob.hears(":pynfo!.* QUIT")
        for number in range(20):
            say(alice, f"away {number}")
            await bob.hears(f"away {number}$")
            say(bob, "yes")
            await alice.hears("yes")
        bot.wait()
        start()
        await bob.hears(":pynfo!.* JOIN")
        say(alice, "welcome back")
        await has_kept(tmp_path, said, "message")
    assert gaps(tmp_path / "state", PLACE) == []


async def test_what_died_with_the_daemon_is_a_gap(tmp_path, start_ircd):
    daemon = start_ircd("inspircd")
    loaded = load(configured(tmp_path, daemon))
    assert loaded.config is not None, loaded.mistakes
    factory = Factory(loaded.config, random=Late())
    synced = Synced(factory)
    await factory.start()
    try:
        await synced.next()
        async with await IrcUser.connect(daemon.port, "alice", "#pynfo") as alice:
            alice.say("#pynfo", "before")
            await has_kept(tmp_path, [("alice", "before")], "message")
        died = time.time()
        daemon.kill()
        daemon.start()
        async with await IrcUser.connect(daemon.port, "alice", "#pynfo") as alice:
            alice.say("#pynfo", "nobody keeps this")
            await alice.hears(":pynfo!.* JOIN")
            back = time.time()
            alice.say("#pynfo", "after")
            await has_kept(tmp_path, [("alice", "before"), ("alice", "after")], "message")
            await filled(factory)
    finally:
        await factory.stop()
    [gap] = gaps(tmp_path / "state", PLACE)
    assert abs(gap.start - died) < 10
    assert abs(gap.end - back) < 2


async def test_all_that_happens_in_a_channel_is_kept(tmp_path, start_ircd):
    daemon = start_ircd("inspircd")
    loaded = load(configured(tmp_path, daemon))
    assert loaded.config is not None, loaded.mistakes
    async with await IrcUser.connect(daemon.port, "alice", "#pynfo") as alice:
        factory = Factory(loaded.config)
        await factory.start()
        try:
            await alice.hears(":pynfo!.* JOIN")
            alice.send("MODE #pynfo +b *!*@10.9.8.7")
            alice.send("TOPIC #pynfo :News")
            async with await IrcUser.connect(daemon.port, "bob", "#pynfo") as bob:
                bob.send("NICK robert")
                bob.say("#pynfo", "\x01ACTION waves\x01")
                bob.say("@#pynfo", "for operators")
                bob.send("NOTICE #pynfo :psst")
                bob.send("QUIT :bye")
                await alice.hears(":robert!.* QUIT")
            wanted = [
                ("pynfo", ""),
                ("alice", "+b *!*@…"),
                ("alice", "News"),
                ("bob", ""),
                ("bob", ""),
                ("robert", "waves"),
                ("robert", "psst"),
                ("robert", "bye"),
            ]
            await has_kept(tmp_path, wanted, *KINDS)
        finally:
            await factory.stop()
