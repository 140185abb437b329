"""Bots that keep logs, and what is in their archives."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager
from random import Random

from plugins.logs.archive.service import Archive
from plugins.logs.history import IFilling
from plugins.logs.interfaces import IArchive
from plugins.logs.line import MICROSECONDS, Gap, Line
from pynfo.factory import Factory
from pynfo.interfaces import ICommands, IEvents
from pynfo.irc.events import ChannelSynced
from pynfo.testing.bot import CHANNEL, NETWORK, TURNS, Bot, config_for
from pynfo.testing.transcript import WAIT

PLACE = f"{NETWORK}/{CHANNEL}"
TALK = ("message", "notice", "action")


def config(folder, *, channel=None, **settings):
    """A config whose bot keeps the log of its one channel; `settings` are those of the plugin."""
    plugins = {"ignore": {}, "logs": {"channels": {PLACE: channel or {}}, **settings}}
    return config_for(folder, plugins=plugins, owner="boss")


@asynccontextmanager
async def logging_bot(folder, *, server=None, channel=None, **settings):
    """A bot that keeps the log of its channel, in which alice is."""
    async with Bot.running(config(folder, channel=channel, **settings), server=server) as bot:
        yield bot


class Prompt(Random):
    """Draws the least of what it may: a network is connected to again at once."""

    def uniform(self, a, b):
        return a


@asynccontextmanager
async def factory_on(server, settings):
    """A bot on a server that outlives it, once it is in its channels and has their history."""
    factory = Factory(settings, connect=server.connect, random=Prompt())
    synced = Synced(factory)
    await factory.start()
    try:
        for _ in settings.networks:
            await synced.next()
        await filled(factory)
        yield factory
    finally:
        await factory.stop()


class Synced:
    """Waits for the bot to be in channels."""

    def __init__(self, factory):
        self._channels = asyncio.Queue()
        IEvents(factory).subscribe(ChannelSynced, lambda event: self._channels.put_nowait(event.channel))

    async def next(self):
        async with asyncio.timeout(WAIT):
            return await self._channels.get()


async def filled(factory):
    """Wait until what was missed has been fetched."""
    async with asyncio.timeout(WAIT):
        await IFilling(factory).idle()


async def settled(factory):
    """Wait until what people have said has arrived."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
    await ICommands(factory).idle()


async def before(folder, *lines, known, place=PLACE):
    """What a bot left behind: these lines, and that it has known all until `known`."""
    archive = Archive(folder / "logs", places={})
    await archive.add(lines)
    await archive.know(place, known)
    await archive.stop()


def line(text, at, *, nick="alice", msgid=None, place=PLACE, **fields):
    network, _, channel = place.partition("/")
    return Line(
        network=network, channel=channel, time=at, kind="message", nick=nick, text=text, msgid=msgid, **fields
    )


async def kept(bot, *kinds, place=PLACE):
    """The lines of a place in the archive of a bot or factory, in order, of these kinds, or all."""
    factory = getattr(bot, "factory", bot)
    archive = IArchive(factory)
    await settled(factory)
    await archive.flush()
    lines = [line async for line in archive.export(place)]
    return [line for line in lines if not kinds or line.kind in kinds]


async def texts(bot, *kinds, place=PLACE):
    """What was said there: the texts of its talk, or of lines of these kinds."""
    return [line.text for line in await kept(bot, *(kinds or TALK), place=place)]


def gaps(folder, place=PLACE):
    """The gaps of a place, in the archive of that state directory."""
    network, _, name = place.partition("/")
    with sqlite3.connect(folder / "logs" / "archive.db") as connection:
        found = connection.execute(
            "SELECT since, until FROM gaps JOIN channels ON channels.id = channel "
            "WHERE network = ? AND name = ? ORDER BY since",
            (network, name),
        ).fetchall()
    connection.close()
    return [Gap(since / MICROSECONDS, until / MICROSECONDS) for since, until in found]
