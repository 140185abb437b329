"""Which addresses belong to networks that are not the Internet.

What is public is for the guard of the fetcher to say. Addresses for documentation (RFC 5737, 3849, 9637),
which it does not ask, tell nothing of any network: they may be told.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

_DOCUMENTATION = [
    ip_network(network)
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
]


def is_public(text: str) -> bool:
    """Whether an address is one of the Internet; False for what is no address."""
    from pynfo.services.fetcher_guard import is_public as may_be_asked  # it takes a while to import

    try:
        address = ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in _DOCUMENTATION) or may_be_asked(address)
