"""Which names belong to networks that are not the Internet, or are no names of the DNS."""

from __future__ import annotations

import ipaddress

import dns.name
import dns.reversename
from plugins.dns.addresses import is_public

_SPECIAL = [
    dns.name.from_text(name)
    for name in (
        *("localhost", "test"),  # RFC 6761; of it, what is under `invalid` and `example` exists in no network
        *("local", "intranet", "internal", "private", "corp", "home", "lan"),  # RFC 6762, and its appendix G
        *("localdomain", "home.arpa", "resolver.arpa", "service.arpa"),  # RFC 8375, RFC 9462, RFC 9665
        *("onion", "alt"),  # RFC 7686, RFC 9476: other systems than the DNS
    )
]
_IPV4, _IPV6 = dns.reversename.ipv4_reverse_domain, dns.reversename.ipv6_reverse_domain


def is_internal(name: dns.name.Name) -> bool:
    """Whether an absolute name is one that only an internal network may know."""
    if len(name.labels) == 2:  # a single label, before the root's empty one
        return True
    if name.is_subdomain(_IPV4):
        return _are_private(name.relativize(_IPV4), base=10, bits=8, size=4)
    if name.is_subdomain(_IPV6):
        return _are_private(name.relativize(_IPV6), base=16, bits=4, size=16)
    return any(name.is_subdomain(special) for special in _SPECIAL)


def _are_private(reverse: dns.name.Name, *, base: int, bits: int, size: int) -> bool:
    """Whether the addresses under a reverse name, `168.192` of `168.192.in-addr.arpa`, are all private.

    Each label is a number of that base, for so many bits of an address of `size` bytes; what is no such
    number stands for nothing, and ends the address.
    """
    first, left = 0, size * 8
    for label in reversed(reverse.labels):
        try:
            number = int(label, base)
        except ValueError:
            break
        if left == 0 or not 0 <= number < 1 << bits:
            break
        left -= bits
        first |= number << left
    last = first | (1 << left) - 1
    given = left < size * 8
    return given and not any(
        is_public(str(ipaddress.ip_address(end.to_bytes(size, "big")))) for end in (first, last)
    )
