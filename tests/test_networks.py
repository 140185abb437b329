"""The bot on real networks: InspIRCd and ngIRCd, both at once, killed and started again."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import ssl
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pynfo.config import load
from pynfo.factory import Factory
from pynfo.interfaces import IEvents, IOutbox
from pynfo.irc.events import ChannelSynced, HistoryReceived, NetworkUp
from tests.irc_user import LIMIT, IrcUser

pytestmark = pytest.mark.ircd

CONFIG = """
from pynfo.config import Channel, Network
nick = "pynfo"
owners = ["*!*@127.0.0.1"]
state_dir = "state"
command_limits = {{"user": None, "channel": None}}
networks = [{networks}]
plugins = {{"ignore": {{}}, "seen": {{}}, "admin": {{}}}}
"""


def network(name, daemon, **more):
    settings = {"host": "127.0.0.1", "port": daemon.port, "tls": False, "channels": ["#pynfo"], **more}
    arguments = ", ".join(f"{key}={value!r}" for key, value in settings.items())
    return f"Network({name!r}, {arguments})"


@asynccontextmanager
async def running(folder: Path, *networks: str):
    """A bot with these networks, started, and stopped at the end."""
    (folder / "config.py").write_text(CONFIG.format(networks=", ".join(networks)))
    loaded = load(folder / "config.py")
    assert loaded.config is not None, loaded.mistakes
    factory = Factory(loaded.config)
    await factory.start()
    try:
        yield factory
    finally:
        await factory.stop()


class Events:
    """What the factory publishes, waited for by type and network."""

    def __init__(self, factory, *types):
        self._queue = asyncio.Queue()
        IEvents(factory).subscribe(types, self._queue.put_nowait)

    async def next(self, event_type, network):
        async with asyncio.timeout(LIMIT):
            while True:
                event = await self._queue.get()
                if isinstance(event, event_type) and event.network == network:
                    return event


async def until(condition):
    """Wait for something that no event tells of; looks again and again, within the limit."""
    async with asyncio.timeout(LIMIT):
        while not condition():
            await asyncio.sleep(0.01)


async def in_channel(factory, *names):
    """Wait until the bot is in #pynfo on all these networks."""
    events = Events(factory, ChannelSynced)
    for name in names:
        channel = factory.clients[name].state.channel("#pynfo")
        if channel is None or not channel.synced:
            await events.next(ChannelSynced, name)


async def test_answers_on_two_networks_at_once_and_survives_the_death_of_each(tmp_path, start_ircd):
    daemons = {"insp": start_ircd("inspircd"), "ng": start_ircd("ngircd")}
    networks = [network(name, daemon) for name, daemon in daemons.items()]
    async with running(tmp_path, *networks) as factory:
        await in_channel(factory, *daemons)
        for name, daemon in daemons.items():
            async with await IrcUser.connect(daemon.port, "alice", "#pynfo") as alice:
                alice.say("#pynfo", "!ping")
                assert "pong" in await alice.hears("PRIVMSG #pynfo")
            events = Events(factory, ChannelSynced)
            daemon.kill()
            daemon.start()
            await events.next(ChannelSynced, name)
            async with await IrcUser.connect(daemon.port, "alice", "#pynfo") as alice:
                alice.say("#pynfo", "!ping")
                assert "pong" in await alice.hears("PRIVMSG #pynfo")


async def test_says_after_the_outage_what_could_not_be_said_in_it(tmp_path, start_ircd):
    daemon = start_ircd("ngircd")
    async with running(tmp_path, network("ng", daemon)) as factory:
        await in_channel(factory, "ng")
        up = Events(factory, NetworkUp)
        daemon.kill()
        client = factory.clients["ng"]
        await until(lambda: not client.up)
        delivery = IOutbox(factory).say("ng/#pynfo", "kept over the outage")
        daemon.start()
        async with await IrcUser.connect(daemon.port, "alice", "#pynfo") as alice:
            assert "kept over the outage" in await alice.hears("PRIVMSG #pynfo")
        await up.next(NetworkUp, "ng")
        assert await delivery == [None]


async def test_a_message_is_confirmed_by_its_echo_with_an_id(tmp_path, start_ircd):
    daemon = start_ircd("inspircd")
    async with running(tmp_path, network("insp", daemon)) as factory:
        await in_channel(factory, "insp")
        [msgid] = await asyncio.wait_for(IOutbox(factory).say("insp/#pynfo", "confirm me"), LIMIT)
        assert msgid


async def test_connects_over_tls_with_a_pinned_certificate_only(tmp_path, start_ircd):
    daemon = start_ircd("inspircd")
    der = ssl.PEM_cert_to_DER_cert(daemon.cert.read_text())
    pin = hashlib.sha256(der).hexdigest()
    tls = {"port": daemon.tls_port, "tls": True}
    async with running(
        tmp_path,
        network("pinned", daemon, **tls, tls_fingerprints=[pin]),
        network("wrong", daemon, **tls, tls_fingerprints=["0" * 64], nick="wrong"),
        network("unknown", daemon, **tls, nick="unknown"),
    ) as factory:
        await in_channel(factory, "pinned")
        for name in ("wrong", "unknown"):
            await until(lambda client=factory.clients[name]: "next try" in client.status)
        assert pin in factory.clients["wrong"].status
        assert "certificate verify failed" in factory.clients["unknown"].status


async def test_long_text_arrives_whole(tmp_path, start_ircd):
    daemon = start_ircd("inspircd")
    text = " ".join(f"wörd{number}" for number in range(300))
    async with running(tmp_path, network("insp", daemon, messages_per_second=None)) as factory:
        await in_channel(factory, "insp")
        async with await IrcUser.connect(daemon.port, "alice", "#pynfo") as alice:
            IOutbox(factory).say("insp/#pynfo", text)
            heard = ""
            while not heard.endswith("wörd299"):
                line = await alice.hears("PRIVMSG #pynfo :")
                heard = f"{heard} {line.partition(' :')[2]}".strip()
        assert heard == text


async def test_takes_its_nick_back(tmp_path, start_ircd):
    daemon = start_ircd("inspircd")
    async with (
        await IrcUser.connect(daemon.port, "pynfo") as holder,
        running(tmp_path, network("insp", daemon)) as factory,
    ):
        await in_channel(factory, "insp")
        client = factory.clients["insp"]
        assert client.state.nick != "pynfo"
        holder.send("QUIT :take it")
        await until(lambda: client.state.nick == "pynfo")


async def test_comes_back_after_a_kick(tmp_path, start_ircd):
    daemon = start_ircd("ngircd")
    async with (
        await IrcUser.connect(daemon.port, "alice", "#pynfo") as alice,
        running(tmp_path, network("ng", daemon)) as factory,
    ):
        await in_channel(factory, "ng")
        alice.send("KICK #pynfo pynfo :out")
        await alice.hears("KICK #pynfo pynfo")
        assert await alice.hears("pynfo.* JOIN :?#pynfo")


async def test_commands_that_are_only_played_back_are_not_answered(tmp_path, start_ircd):
    daemon = start_ircd("inspircd")
    async with await IrcUser.connect(daemon.port, "alice", "#pynfo") as alice:
        alice.send("MODE #pynfo +H 20:60m")
        await alice.hears(r"MODE #pynfo \+H")
        alice.say("#pynfo", "!ping from the past")
        alice.say("#pynfo", "!ping")
        async with running(tmp_path, network("insp", daemon)) as factory:
            histories = Events(factory, HistoryReceived)
            await in_channel(factory, "insp")
            history = await histories.next(HistoryReceived, "insp")
            assert "!ping" in [event.text for event in history.events]
            alice.say("#pynfo", "!help ping")
            assert "ping" in (answer := await alice.hears(":pynfo!.* PRIVMSG #pynfo"))
            assert "pong" not in answer


async def test_keeps_its_state_over_kill_9(tmp_path, start_ircd):
    daemon = start_ircd("inspircd")
    (tmp_path / "config.py").write_text(CONFIG.format(networks=network("insp", daemon)))
    command = [sys.executable, "-m", "pynfo", "run", str(tmp_path / "config.py")]
    async with await IrcUser.connect(daemon.port, "alice", "#pynfo") as alice:
        with open(tmp_path / "log", "wb") as log:
            bot = subprocess.Popen(command, stderr=log)
            try:
                await alice.hears("JOIN :?#pynfo")
                alice.say("#pynfo", "!ignore spammer")
                await alice.hears("PRIVMSG #pynfo :ignoring spammer")
                await asyncio.to_thread(until_stored, tmp_path / "state" / "state.sqlite", b"spammer")
                bot.send_signal(signal.SIGKILL)
                await alice.hears(":pynfo!.* QUIT")
                bot.wait()
                bot = subprocess.Popen(command, stderr=log)
                await alice.hears("JOIN :?#pynfo")
                alice.say("#pynfo", "!ignores")
                assert "spammer" in await alice.hears("(PRIVMSG|NOTICE) alice :1 ignored")
                bot.terminate()
                assert await asyncio.to_thread(bot.wait, 10) == 0
            finally:
                bot.kill()


def until_stored(database: Path, value: bytes) -> None:
    """Wait until a value stands in the files of the database; within the second that is promised."""
    deadline = time.monotonic() + 1.0
    while not any(value in path.read_bytes() for path in database.parent.glob(database.name + "*")):
        assert time.monotonic() < deadline, "not on disk within a second"
