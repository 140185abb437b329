"""Carry talk between channels of different networks, and lose nothing of it.

`wires.py` is what joins channels, `carrier.py` takes what is said into a queue on disk, `catching_up.py`
fetches what was missed, `sending.py` and `rendering.py` tell how it looks on the other side, `guard.py`
pauses a wire, `commands.py` is what people can say about it. Other plugins ask for `IRelaying`.
"""

from __future__ import annotations

from typing import Any

from plugins.relay.commands import relay as relay
from plugins.relay.commands import relay_find as relay_find
from plugins.relay.commands import relay_names as relay_names
from plugins.relay.commands import relay_pause as relay_pause
from plugins.relay.commands import relay_resume as relay_resume
from plugins.relay.commands import relay_status as relay_status
from plugins.relay.interfaces import IRelaying as IRelaying
from plugins.relay.interfaces import Speaker as Speaker
from plugins.relay.settings import Settings as Settings
from plugins.relay.wires import check as check
from plugins.relay.wires import wires_of
from pynfo import IOperator


def init(factory: Any) -> None:
    """Carry what is said from now on, and what was missed."""
    from plugins.relay.service import Relay

    _tell_mistakes(factory)
    factory.register_adapter(IRelaying, Relay)
    IRelaying(factory)  # made now: it listens


async def fini(factory: Any) -> None:
    """While all is still heard: find out that nothing was missed so far."""
    relaying = IRelaying(factory, None)
    if relaying is not None:
        await relaying.catching_up.hear()


def _tell_mistakes(factory: Any) -> None:
    settings, operator = factory.settings("relay"), IOperator(factory)
    networks = {network.name for network in factory.config.networks}
    if not any(port.network in networks for wire in wires_of(settings) for port in wire.ports):
        return  # `pynfo console` has a network of its own, and none of those that the wires are for
    if mistakes := list(check(settings, factory.config)):
        operator.tell("relay/settings", f"the relay's settings have mistakes: {'; '.join(mistakes)}")
    else:
        operator.settled("relay/settings")
