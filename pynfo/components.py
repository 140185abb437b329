"""Componentized: an object that is asked for its abilities by interface.

`IStorage(factory)` finds the adapter that somebody registered for `IStorage`, makes it on first use and keeps
it, so an adapter can hold state. `TypeError` where nobody offers the interface, or the default in
`IThing(factory, None)`. An object may also provide an interface itself (`@implementer`).

An adapter is made by calling what was registered with the object: `adapter = make(factory)`. It may have
`async def start(self)` and `async def stop(self)`: `start` is awaited by `Componentized.start_adapters` (or
soon after first use in a running factory), `stop` when the adapter is removed or the factory stops.

Registries are per object, not global: two factories in one process share nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from threading import RLock
from typing import Any

from pynfo.ownership import Owner, adopt, current_owner, finish, running_as

START_LIMIT = 30.0  # seconds for one adapter that is started after first use
STOP_LIMIT = 4.0  # seconds for all adapters together; the process has 5 to end

Make = Callable[[Any], Any]


class _Offer:
    """One registration: how the adapter is made, and who offers it."""

    __slots__ = ("forget", "interface", "make", "making", "owner", "starting")

    def __init__(self, interface: Any, make: Make) -> None:
        self.interface = interface
        self.make = make
        self.owner: Owner | None = current_owner()
        self.making = False
        self.starting: asyncio.Task[None] | None = None
        self.forget: Callable[[], None] | None = None  # takes the offer out of its owner's hands

    def __str__(self) -> str:
        return f"the adapter for {self.interface.__name__} of {_name(self.owner)}"


class Componentized:
    """See the top of the file. A class that derives from it calls `super().__init__()`."""

    def __init__(self) -> None:
        self._offers: dict[Any, _Offer] = {}
        self._adapters: dict[Any, Any] = {}  # by interface, in the order they were made
        self._adapters_loop: asyncio.AbstractEventLoop | None = None  # set while adapters run
        self._adapters_ending: set[asyncio.Task[None]] = set()
        # Functions on threads may be the first to ask for an adapter, and making one asks for others.
        self._adapters_lock = RLock()

    def register_adapter(self, interface: Any, make: Make) -> None:
        """Offer `interface`: `make(self)` gives the adapter, on first use.

        Belongs to the plugin whose code is running. Raises `ValueError`, naming who offers it, where the
        interface is offered already.
        """
        offered = self._offers.get(interface)
        if offered is not None:
            raise ValueError(
                f"{interface.__name__} is already offered by {_name(offered.owner)}: "
                f"that adapter must be removed before {_name(current_owner())} can offer another"
            )
        offer = _Offer(interface, make)
        offer.forget = adopt(lambda: self._withdraw(offer))
        self._offers[interface] = offer

    def remove_adapter(self, interface: Any) -> asyncio.Task[None] | None:
        """Take back what was registered: from now on nobody offers the interface.

        Returns the task in which `stop` runs, for those who await its end; None where no adapter was made.
        Raises `LookupError` where nobody offers the interface.
        """
        offer = self._offers.get(interface)
        if offer is None:
            raise LookupError(f"nobody offers {interface.__name__}")
        return self._withdraw(offer)

    def __conform__(self, interface: Any) -> Any:
        """What zope.interface asks when `interface(self)` is called; None: not offered."""
        adapter = self._adapters.get(interface)
        if adapter is not None or interface not in self._offers:
            return adapter
        with self._adapters_lock:
            adapter = self._adapters.get(interface)
            offer = self._offers.get(interface)
            if adapter is not None or offer is None:
                return adapter
            return self._make(offer)

    async def start_adapters(self) -> None:
        """Start those that are made, in that order. What is made later is started soon after.

        Raises what a `start` raises.
        """
        self._adapters_loop = asyncio.get_running_loop()
        for interface, adapter in list(self._adapters.items()):
            if hasattr(adapter, "start"):
                with running_as(self._offers[interface].owner):
                    await adapter.start()

    async def stop_adapters(self, limit: float = STOP_LIMIT) -> None:
        """Stop and let go of all that are made, newest first, in `limit` seconds in all.

        What fails or does not end is logged, and the rest still stop.
        """
        self._adapters_loop = None
        deadline = time.monotonic() + limit
        while self._adapters:
            interface, adapter = self._adapters.popitem()
            await _stop(self._offers[interface], adapter, deadline - time.monotonic())

    def _make(self, offer: _Offer) -> Any:
        if offer.making:
            raise RuntimeError(f"{offer} asks for that interface while it is being made")
        offer.making = True
        try:
            # What the adapter registers belongs to whoever offers it, not to whoever asks first.
            with running_as(offer.owner):
                adapter = offer.make(self)
        finally:
            offer.making = False
        if adapter is None:
            raise RuntimeError(f"{offer} was to be made, and came out as None")
        self._adapters[offer.interface] = adapter
        if self._adapters_loop is not None:
            self._adapters_loop.call_soon_threadsafe(self._start_late, offer, adapter)
        return adapter

    def _start_late(self, offer: _Offer, adapter: Any) -> None:
        current = self._adapters.get(offer.interface) is adapter  # else it has been removed meanwhile
        if not current or not hasattr(adapter, "start"):
            return
        with running_as(offer.owner):
            start = finish(adapter.start(), START_LIMIT, f"starting {offer}")
            offer.starting = asyncio.create_task(start)

    def _withdraw(self, offer: _Offer) -> asyncio.Task[None] | None:
        del self._offers[offer.interface]
        if offer.forget is not None:
            offer.forget()
        adapter = self._adapters.pop(offer.interface, None)
        if adapter is None:
            return None
        ending = asyncio.create_task(_stop(offer, adapter, STOP_LIMIT))
        self._adapters_ending.add(ending)
        ending.add_done_callback(self._adapters_ending.discard)
        return ending


async def _stop(offer: _Offer, adapter: Any, limit: float) -> None:
    """Stop an adapter that is already let go of; one that is still starting is not awaited."""
    if offer.starting is not None:
        offer.starting.cancel()
        offer.starting = None
    if hasattr(adapter, "stop"):
        with running_as(offer.owner):
            await finish(adapter.stop(), limit, f"stopping {offer}")


def _name(owner: Owner | None) -> str:
    return f"plugin {owner.name}" if owner is not None else "Pynfo itself"
