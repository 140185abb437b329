"""Lines that are older than their channel's `keep` are removed: soon after the start, then once a day."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from plugins.logs.interfaces import ArchiveBusy
from pynfo import IScheduler
from pynfo.human_time import HOUR

log = logging.getLogger(__name__)

FIRST_AFTER = 120.0  # seconds: what was said while the bot was away comes first


def begin(factory: Any, archive: Any) -> None:
    """Remove what is too old, from now on."""
    scheduler = IScheduler(factory)
    scheduler.spawn(_soon(archive))
    scheduler.schedule(scheduler.DAILY, retain, archive, jitter=HOUR)


async def retain(archive: Any) -> None:
    """Remove it now, and tell the operator's log how much it was."""
    try:
        count = await archive.retain()
    except ArchiveBusy as error:
        log.warning("what is too old in the logs stays for a day more: %s", error)
        return
    if count:
        log.info("%d lines of the logs were too old, and are removed", count)


async def _soon(archive: Any) -> None:
    await asyncio.sleep(FIRST_AFTER)
    await retain(archive)
