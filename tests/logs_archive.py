"""Archives for tests, and lines to put in them."""

from contextlib import asynccontextmanager

from plugins.logs.archive.service import Archive
from plugins.logs.line import Line
from plugins.logs.settings import ChannelSettings

PLACE = "libera/#pynfo"
NOON = 1_795_262_400.0  # 2026-11-21 12:00:00 UTC


def said(text, *, at=NOON, nick="alice", kind="message", place=PLACE, **fields):
    """A line that somebody said."""
    network, _, channel = place.partition("/")
    return Line(network=network, channel=channel, time=at, kind=kind, nick=nick, text=text, **fields)


@asynccontextmanager
async def archive_in(folder, *places, clock=lambda: NOON + 3600, **options):
    """An archive of `places` (one that is public, where none are named), stopped at the end."""
    settings = {place: ChannelSettings(publish="public") for place in places or (PLACE,)}
    archive = Archive(folder, places=options.pop("settings", settings), clock=clock, **options)
    if not archive.read_only:
        await archive.flush()  # it knows its channels from here on, as the plugin has it
    try:
        yield archive
    finally:
        await archive.stop()
