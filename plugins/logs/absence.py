"""Channels that are to be kept, and that the bot does not even want to be in: the operator is told.

A channel that it wants to be in and cannot join is a matter of the core's.
"""

from __future__ import annotations

from typing import Any

from plugins.logs.places import Places
from pynfo import IOperator, IScheduler

MATTER = "logs/absent"
NAMED = 5  # channels in the sentence


def begin(factory: Any, places: Places) -> None:
    """Look every minute, from now on."""
    scheduler = IScheduler(factory)

    async def look() -> None:
        tell(factory, places)

    scheduler.schedule(scheduler.MINUTELY, look)


def tell(factory: Any, places: Places) -> None:
    """Tell it of the networks that the bot is on now."""
    operator: Any = IOperator(factory)
    absent = [place for place in factory.settings("logs").channels if _is_absent(factory, places, place)]
    if not absent:
        operator.settled(MATTER)
        return
    more = f" and {len(absent) - NAMED} more" if len(absent) > NAMED else ""
    text = (
        f"nothing is logged of {', '.join(absent[:NAMED])}{more}: I am not in there; name such channels in "
        "the channels of their network, too"
    )
    if operator.matters().get(MATTER) != text:
        operator.settled(MATTER)
        operator.tell(MATTER, text)


def _is_absent(factory: Any, places: Places, place: str) -> bool:
    network = place.partition("/")[0]
    client = factory.clients.get(network)
    if client is None or not client.up:
        return False
    for name in (*client.session.membership.wanted, *client.state.channels):
        kept = places.of(network, name)
        if kept is not None and kept.place == place:
            return False
    return True
