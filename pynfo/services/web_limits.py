"""How many requests one reader may make: a rate for each address, with memory that is bounded.

No clock and no socket here: times are handed in.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

ADDRESSES = 10_000  # that are remembered; past that, those that were quiet longest are forgotten
IPV6_BITS = 64  # of an IPv6 address name a network, which is one reader: who has one has all in it


class RateLimit:
    """`rate` requests a second for each address, after `burst` at once.

    For each address one time is kept: when it will have nothing against it any more (GCRA).
    """

    def __init__(self, rate: float, burst: int, *, addresses: int = ADDRESSES) -> None:
        self._interval = 1 / rate
        self._tolerance = (burst - 1) * self._interval
        self._addresses = addresses
        self._clear_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._clear_at)

    def wait(self, address: str, now: float) -> float:
        """Count a request; 0, or how many seconds it is too early, and then it is not counted."""
        clear_at = max(now, self._clear_at.get(address, now))
        early = clear_at - now - self._tolerance
        if early > 1e-9:
            return early
        self._clear_at[address] = clear_at + self._interval
        self._clear_at.move_to_end(address)
        if len(self._clear_at) > self._addresses:
            self._clear_at.popitem(last=False)
        return 0.0


@lru_cache(ADDRESSES)
def reader(host: str) -> str:
    """Who an address counts as: itself, the network of an IPv6 address, "" for what is no address."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> IPV6_BITS << IPV6_BITS))
    return str(address)
