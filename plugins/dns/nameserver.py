"""Carries one question to a resolver and the answer back: over UDP, and over TCP where it asks for that.

It takes the place of dnspython's own, which reads answers on the event loop: one of 64 KiB, made for it,
takes it ten seconds. Here an answer is bounded, and is read on a thread. When to ask whom again is left to
dnspython.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import dns.exception
import dns.message
import dns.nameserver
import dns.query

LONGEST = 16 * 1024  # bytes of an answer
PAYLOAD = 1232  # bytes of an answer over UDP that we ask for: what passes any path whole (DNS flag day 2020)

InThread = Callable[..., Awaitable[Any]]  # `IScheduler.in_thread`


class TooLong(dns.exception.FormError):
    """The answer is longer than `LONGEST`."""


class Unreadable(dns.exception.FormError):
    """The answer is none of the DNS."""


class Nameserver(dns.nameserver.Do53Nameserver):
    """One resolver."""

    def __init__(self, address: str, port: int, in_thread: InThread) -> None:
        super().__init__(address, port)
        self._in_thread = in_thread

    async def async_query(
        self,
        request: dns.message.QueryMessage,
        timeout: float,
        source: str | None,
        source_port: int,
        max_size: bool,
        backend: Any,
        one_rr_per_rrset: bool = False,
        ignore_trailing: bool = False,
    ) -> dns.message.Message:
        """Ask. `max_size`: over TCP. `timeout` is in seconds. The rest is not made use of.

        Raises what dnspython expects: `dns.exception.Timeout`, `dns.message.Truncated`, `OSError`,
        `EOFError`, `FormError`.
        """
        ask = self._over_tcp if max_size else self._over_udp
        try:
            async with asyncio.timeout(timeout):
                wire = await ask(request)
                if len(wire) > LONGEST:
                    raise TooLong
                response: dns.message.Message = await self._in_thread(_read, wire, request, over_tcp=max_size)
                return response
        except TimeoutError:  # it is an OSError, for which dnspython would give the resolver up
            raise dns.exception.Timeout from None

    async def _over_udp(self, request: dns.message.QueryMessage) -> bytes:
        transport, answer = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Answer(request.id), remote_addr=(self.address, self.port)
        )
        try:
            transport.sendto(request.to_wire())
            return await answer.wire
        finally:
            transport.close()

    async def _over_tcp(self, request: dns.message.QueryMessage) -> bytes:
        reader, writer = await asyncio.open_connection(self.address, self.port)
        try:
            writer.write(request.to_wire(prepend_length=True))  # RFC 1035 section 4.2.2
            length = int.from_bytes(await reader.readexactly(2), "big")
            return await reader.readexactly(length)
        finally:
            writer.close()


class _Answer(asyncio.DatagramProtocol):
    """Waits for the datagram that has the id of the question; others are let pass."""

    def __init__(self, id_: int) -> None:
        self._id = id_.to_bytes(2, "big")
        self.wire: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data[:2] == self._id and not self.wire.done():
            self.wire.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.wire.done():
            self.wire.set_exception(exc)


def _read(wire: bytes, request: dns.message.QueryMessage, *, over_tcp: bool) -> dns.message.Message:
    """On a thread."""
    try:
        response = dns.message.from_wire(wire, raise_on_truncation=not over_tcp)
    except (LookupError, ValueError) as error:  # such as an option that is no UTF-8
        raise Unreadable from error
    if not request.is_response(response):
        raise dns.query.BadResponse
    return response
