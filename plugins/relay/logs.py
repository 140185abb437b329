"""What the relay asks of the channel logs, where they are there."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

log = logging.getLogger(__name__)

LINK_LIMIT = 3.0  # seconds to wait for the address of a line


async def address_of(factory: Any, network: str, msgid: str) -> str | None:
    """*await* where a message that was just said can be read by everybody; None: nowhere."""
    if "logs" not in factory.plugins.loaded:
        return None
    from plugins.logs.interfaces import ArchiveBusy, IArchive, ILinks

    archive, links = IArchive(factory, None), ILinks(factory, None)
    if archive is None or links is None:
        return None
    try:
        async with asyncio.timeout(LINK_LIMIT):
            await archive.flush()
            line = await archive.line_of(network, msgid)
            return None if line is None else await links.address_of(line)
    except (ArchiveBusy, TimeoutError):
        return None


async def redact(factory: Any, place: str, msgids: list[str]) -> None:
    """*await* that the log of a channel does not keep our copies of a message that was removed elsewhere."""
    if "logs" not in factory.plugins.loaded:
        return
    from plugins.logs.interfaces import ArchiveBusy, IArchive

    archive = IArchive(factory, None)
    for msgid in msgids if archive is not None else ():
        try:
            await archive.redact(network=place.partition("/")[0], msgid=msgid)
        except ArchiveBusy as busy:
            log.warning("%s: a removed message stays in the log: %s", place, busy)
