"""Bots that keep logs, and what is in their archives."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime

from plugins.logs.interfaces import IArchive
from pynfo.testing.bot import CHANNEL, NETWORK, Bot, config_for

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


async def kept(bot, *kinds, place=PLACE):
    """The lines of a place in the archive, in order, of these kinds, or all."""
    archive = IArchive(bot.factory)
    await bot.settle()
    await archive.flush()
    lines = [line async for line in archive.export(place)]
    return [line for line in lines if not kinds or line.kind in kinds]


async def texts(bot, *kinds, place=PLACE):
    """What was said there: the texts of its talk, or of lines of these kinds."""
    return [line.text for line in await kept(bot, *(kinds or TALK), place=place)]


async def gaps(bot, day, place=PLACE):
    """The gaps of a day."""
    page = await IArchive(bot.factory).day(place, day)
    return [] if page is None else page.gaps


def day_of(moment):
    return datetime.fromtimestamp(moment, UTC).date()
