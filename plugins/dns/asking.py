"""Asks a resolver one question, and makes a `Reply` of whatever comes of it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.resolver
from plugins.dns.addresses import is_public
from plugins.dns.names import is_internal
from plugins.dns.nameserver import PAYLOAD, InThread, Nameserver, TooLong
from plugins.dns.reply import Question, Reply
from plugins.dns.servers import Server
from pynfo.text import one_line

RECORDS = 40  # of one answer that are told
RECORD_LENGTH = 1000  # characters of a record
NAME_LENGTH = 255
NOTE_LENGTH = 120
ATTEMPT = 2.0  # seconds until a question that nobody answers is asked again

_STYLE = dns.rdata.RdataStyle(
    omit_final_dot=True, txt_is_utf8=True, base64_chunk_separator="", hex_chunk_separator=""
)
_FLAGS = dns.flags.RD | dns.flags.AD  # AD in a question: tell whether it is validated (RFC 6840 section 5.7)
_EDE = re.compile(r"EDE (?:(\d+)|\d+ \(([^)]*)\))(:.*)?", re.DOTALL)  # as dnspython writes them
_TEXTS = frozenset({dns.rdatatype.TXT, dns.rdatatype.SPF})  # their strings are pieces of one text (RFC 7208)


def resolver_of(servers: Sequence[Server], timeout: float, in_thread: InThread) -> dns.asyncresolver.Resolver:
    """What asks `servers`, or, where there are none, whom the system asks. To be called on a thread.

    Raises `dns.resolver.NoResolverConfiguration` where the system asks nobody.
    """
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [
        Nameserver(server.address, server.port, in_thread) for server in servers or _of_system()
    ]
    resolver.flags = _FLAGS
    resolver.use_edns(0, 0, PAYLOAD)
    resolver.lifetime = timeout
    resolver.timeout = min(ATTEMPT, timeout)
    return resolver


def _of_system() -> list[Server]:
    system = dns.resolver.Resolver()
    addresses = [str(nameserver) for nameserver in system.nameservers]
    return [Server(address, system.nameserver_ports.get(address, system.port)) for address in addresses]


async def ask(
    resolver: dns.asyncresolver.Resolver, question: Question, in_thread: InThread, *, internal: bool
) -> Reply:
    """Ask, and tell what came of it. `internal`: addresses and names of internal networks are told.

    What came is looked at on a thread too, where there may be a thousand records.
    """
    began = time.perf_counter()
    name = dns.name.from_text(question.name)
    try:
        answer = await resolver.resolve(name, question.type, raise_on_no_answer=False, search=False)
        response = answer.response
    except dns.resolver.NXDOMAIN as error:
        response = error.kwargs["responses"][name]
    except dns.exception.DNSException as error:
        return replace(_failed(question, error, resolver.lifetime), seconds=time.perf_counter() - began)
    seconds = time.perf_counter() - began
    reply: Reply = await in_thread(_read, question, response, internal=internal)
    return replace(reply, seconds=seconds)


def _read(question: Question, response: dns.message.QueryMessage, *, internal: bool) -> Reply:
    """What a response says that has an answer, or says that there is none. On a thread."""
    result = response.resolve_chaining()
    reply = Reply(
        question=question,
        status="no name" if response.rcode() == dns.rcode.NXDOMAIN else "none",
        chain=tuple(_name(cname[0].target, internal=internal) for cname in result.cnames),
        ttl=result.minimum_ttl,
        authenticated=bool(response.flags & dns.flags.AD),
        note=_note(response),
    )
    if result.answer is None:
        return reply
    records = sorted(result.answer, key=lambda record: record.to_digestable())  # MX and SRV: by preference
    told = [record for record in records if internal or not _is_internal(record)]
    return replace(
        reply,
        status="found",
        records=tuple(_record(record) for record in told[:RECORDS]),
        left_out=max(0, len(told) - RECORDS),
        hidden=len(records) - len(told),
    )


def _failed(question: Question, error: dns.exception.DNSException, timeout: float) -> Reply:
    """Why there is no answer. Of several attempts the last that had any says it."""
    errors: list[Any] = error.kwargs.get("errors") or []
    responses = [response for *_, response in errors if response is not None]
    if responses:
        problem = _refusal(responses[-1])
        return Reply(question=question, status="failed", problem=problem, note=_note(responses[-1]))
    if isinstance(error, dns.resolver.LifetimeTimeout):
        problem = f"does not answer (timed out after {timeout:g} s)"
    else:
        reasons = [reason for *_, reason, _ in errors]
        problem = _broken(reasons[-1] if reasons else error)
    return Reply(question=question, status="failed", problem=problem)


def _refusal(response: dns.message.Message) -> str:
    code = response.rcode()
    if code == dns.rcode.SERVFAIL:
        return "could not find out (SERVFAIL)"
    if code == dns.rcode.REFUSED:
        return "refuses to answer (REFUSED)"
    if code in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return "answers with something that makes no sense"
    return f"answers with an error ({dns.rcode.to_text(code)})"


def _broken(reason: object) -> str:
    if isinstance(reason, TooLong):
        return "answers with more than I take"
    if isinstance(reason, EOFError):
        return "breaks off its answer"
    if isinstance(reason, OSError):
        return f"cannot be reached ({reason.strerror or type(reason).__name__})"
    return "answers with something that is no answer"


def _note(response: dns.message.Message) -> str:
    """The Extended DNS Errors of a response, as people say them: "DNSSEC Bogus: no signature"."""
    notes = []
    for option in response.extended_errors():
        known = _EDE.fullmatch(option.to_text())
        if known is not None:
            code, meaning, text = known.groups("")
            notes.append((meaning or f"error {code}") + text)
    return one_line("; ".join(notes), NOTE_LENGTH)


def _record(record: dns.rdata.Rdata) -> str:
    if record.rdtype in _TEXTS:
        strings: Any = record
        text = f'"{b"".join(strings.strings).decode(errors="replace")}"'
    else:
        text = record.to_styled_text(_STYLE)
    return one_line(text, RECORD_LENGTH)


def _name(name: dns.name.Name, *, internal: bool) -> str:
    if is_internal(name) and not internal:
        return "(an internal name)"
    return one_line(name.to_text(omit_final_dot=True), NAME_LENGTH)


def _is_internal(record: dns.rdata.Rdata) -> bool:
    """Whether a record leads into an internal network."""
    for value in _values(record):
        if isinstance(value, dns.name.Name):
            if value.is_absolute() and is_internal(value):
                return True
        elif isinstance(value, str) and not is_public(value):
            return True
    return False


def _values(record: dns.rdata.Rdata) -> Iterator[object]:
    """The names in a record, and its addresses: of A, AAAA, WKS, IPSECKEY, AMTRELAY, SVCB and HTTPS."""
    for kind in type(record).__mro__:
        for slot in getattr(kind, "__slots__", ()):
            value = getattr(record, slot, None)
            if slot == "address" or isinstance(value, dns.name.Name):
                yield value
            elif slot in ("gateway", "relay") and isinstance(value, str):
                yield value or None
            elif slot == "params" and isinstance(value, Mapping):
                for parameter in value.values():
                    yield from getattr(parameter, "addresses", ())
