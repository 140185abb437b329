"""A DNS server for tests: it speaks over UDP and TCP on one port of 127.0.0.1, by dnspython, and misbehaves.

async with DnsServer() as server:
    server.add("example.org", "MX", "10 mail.example.org.")
    ...  # ask at `server.address`, such as "127.0.0.1:41017"
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

HOST = "127.0.0.1"
UDP_SIZE = 512  # bytes that an answer over UDP may have where the question does not say (RFC 1035 4.2.1)

Answering = Callable[[dns.message.Message], dns.message.Message | bytes | None]


class DnsServer:
    """Answers from what was added; names of which nothing was added do not exist.

    `asked` holds every question: "example.org MX udp". `authenticated`: what it says of DNSSEC.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.authenticated = False
        self._held: list[Callable[[], None]] | None = None
        self.port = 0
        self._records: dict[tuple[dns.name.Name, str], dns.rrset.RRset] = {}
        self._names: set[dns.name.Name] = set()
        self._behaviour: dict[dns.name.Name, Answering] = {}
        self._tcp: asyncio.Server | None = None
        self._udp: asyncio.DatagramTransport | None = None

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def add(self, name: str, kind: str, *records: str, ttl: int = 300) -> None:
        """Answer with these records, as a zone file has them. None given: the name exists, without any."""
        owner = dns.name.from_text(name)
        self._names.add(owner)
        if records:
            self._records[owner, kind] = dns.rrset.from_text(owner, ttl, "IN", kind, *records)

    def behave(self, name: str, answering: Answering) -> None:
        """Answer every question about a name so: with a message, bytes, or None for silence."""
        self._behaviour[dns.name.from_text(name)] = answering

    def hold(self) -> None:
        """Let all questions over UDP wait, until `release`."""
        self._held = []

    def release(self) -> None:
        held, self._held = self._held or [], None
        for answer in held:
            answer()

    async def __aenter__(self) -> DnsServer:
        loop = asyncio.get_running_loop()
        self._tcp = await asyncio.start_server(self._converse, HOST, 0)
        self.port = self._tcp.sockets[0].getsockname()[1]
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (HOST, self.port))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._tcp is not None
        assert self._udp is not None
        self._udp.close()
        self._tcp.close()
        await self._tcp.wait_closed()

    # -- what is answered

    def answer(self, wire: bytes, transport: str) -> bytes | None:
        question = dns.message.from_wire(wire)
        asked = question.question[0]
        self.asked.append(
            f"{asked.name.to_text(omit_final_dot=True)} {dns.rdatatype.to_text(asked.rdtype)} {transport}"
        )
        answering = self._behaviour.get(asked.name, self._answer)
        response = answering(question)
        if response is None or isinstance(response, bytes):
            return response
        if transport == "tcp":
            return response.to_wire(max_size=65_535)
        size = question.payload if question.edns >= 0 else UDP_SIZE
        try:
            return response.to_wire(max_size=size)
        except dns.exception.TooBig:
            return truncated(question).to_wire()

    def _answer(self, question: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(question, recursion_available=True)
        if self.authenticated and question.flags & dns.flags.AD:  # it is told to those who ask (RFC 6840)
            response.flags |= dns.flags.AD
        name = question.question[0].name
        kind = dns.rdatatype.to_text(question.question[0].rdtype)
        while (name, kind) not in self._records and (name, "CNAME") in self._records:
            alias = self._records[name, "CNAME"]
            response.answer.append(alias)
            name = alias[0].target
        if (name, kind) in self._records:
            response.answer.append(self._records[name, kind])
        elif name not in self._names:
            response.set_rcode(dns.rcode.NXDOMAIN)
        if not response.answer:
            apex = dns.name.from_text("example.org")
            soa = "ns.example.org. hostmaster.example.org. 1 7200 900 1209600 60"
            response.authority.append(dns.rrset.from_text(apex, 60, "IN", "SOA", soa))
        return response

    def receive(self, wire: bytes, send: Callable[[bytes], None]) -> None:
        """A question over UDP."""
        if self._held is not None:
            self._held.append(lambda: self.receive(wire, send))
            return
        answer = self.answer(wire, "udp")
        if answer is not None:
            send(answer)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            length = int.from_bytes(await reader.readexactly(2), "big")
            answer = self.answer(await reader.readexactly(length), "tcp")
            if answer is not None:
                writer.write(len(answer).to_bytes(2, "big") + answer)
                await writer.drain()
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.receive(data, lambda answer: self._transport.sendto(answer, addr))


# -- ways to misbehave


def silent(question: dns.message.Message) -> None:
    """Give no answer."""
    return


def truncated(question: dns.message.Message) -> dns.message.Message:
    """Say that the answer does not fit: ask again over TCP."""
    response = dns.message.make_response(question, recursion_available=True)
    response.flags |= dns.flags.TC
    return response


def failing(
    code: dns.rcode.Rcode, error: dns.edns.EDECode | None = None, text: str | None = None
) -> Answering:
    """Answer with a code, and an Extended DNS Error."""

    def answer(question: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(question, recursion_available=True)
        response.set_rcode(code)
        if error is not None:
            response.use_edns(0, 0, 1232, options=[dns.edns.EDEOption(error, text)])
        return response

    return answer


def garbage(question: dns.message.Message) -> bytes:
    """Answer with the id of the question, and nothing that makes sense after it."""
    return question.id.to_bytes(2, "big") + b"\x81\x80" + b"\xff" * 40


def forged(question: dns.message.Message) -> bytes:
    """Answer with the id of another question."""
    response = dns.message.make_response(question)
    response.id = question.id ^ 1
    return response.to_wire()


def beside(question: dns.message.Message) -> bytes:
    """Answer another question, with the id of this one."""
    other = dns.message.make_query("other.example.org", "A", id=question.id)
    return dns.message.make_response(other).to_wire()
