"""Reads what people type after `!dns`: names or addresses, record types, and a resolver, in any order."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from urllib.parse import urlsplit

import msgspec

import dns.exception
import dns.name
import dns.rdatatype
import dns.reversename
from plugins.dns.addresses import is_public
from plugins.dns.names import is_internal
from plugins.dns.reply import Question
from pynfo.command import quoted
from pynfo.text import one_line

QUESTIONS = 8  # of one command
DEFAULT_TYPES = ("A", "AAAA")
NAME_LENGTH = 255
_IDNA = dns.name.IDNA_2008_Practical


class Typed(msgspec.Struct, frozen=True):
    """What is asked, and whom: a resolver as it was typed, None: who is asked always."""

    questions: tuple[Question, ...]
    resolver: str | None


def read(text: str, *, internal: bool) -> Typed:
    """Read a line such as `example.org MX TXT @quad9`. `internal`: internal names may be asked for.

    Raises `ValueError`, with one sentence.
    """
    names: list[str] = []
    types: list[str] = []
    resolver = None
    for word in text.split():
        if word.startswith("@"):
            resolver = word[1:]
        elif kind := _type(word):
            types.append(kind)
        elif word != "-x":  # as `dig` has it for reverse questions, which need no telling
            names.append(word)
    if not names:
        raise ValueError("whose records? Write such as dns example.org MX")
    if len(names) > 1 and not internal and (odd := [name for name in names if name.isalnum()]):
        raise ValueError(f"{quoted(odd[0])} is neither a type of record nor a name with a dot")
    questions = [question for name in names for question in _questions(name, types, internal=internal)]
    questions = list(dict.fromkeys(questions))
    if len(questions) > QUESTIONS:
        raise ValueError(f"these are {len(questions)} questions: I ask {QUESTIONS} at once")
    return Typed(tuple(questions), resolver)


def _type(word: str) -> str:
    """The record type that a word is, "" where it is none: `mx`, `TYPE65`.

    Raises `ValueError` for types that are no records.
    """
    if not word.isascii() or "." in word:
        return ""
    try:
        kind = dns.rdatatype.from_text(word)
    except (dns.exception.DNSException, ValueError):
        return ""
    if kind == dns.rdatatype.TYPE0 or dns.rdatatype.is_metatype(kind):
        raise ValueError(f"{word.upper()} is no type of record: name those that you want, such as A TXT")
    return dns.rdatatype.to_text(kind)


def _questions(word: str, types: list[str], *, internal: bool) -> list[Question]:
    """The questions that a name or an address stands for."""
    host = word
    if "://" in word:
        with suppress(ValueError):
            host = urlsplit(word).hostname or word
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        name = _name(host)
        shown = _shown(name)
    else:
        if not internal and not is_public(str(address)):
            raise ValueError(f"{address} is an address of an internal network: I do not ask for those")
        name = dns.reversename.from_address(str(address).partition("%")[0])
        shown, types = str(address), types or ["PTR"]
    if not internal and is_internal(name):
        raise ValueError(f"{quoted(shown)} is a name of an internal network: I do not ask for those")
    return [Question(name.to_text(), kind, shown) for kind in types or DEFAULT_TYPES]


def _name(text: str) -> dns.name.Name:
    """An absolute name. Raises `ValueError`, with one sentence."""
    try:
        return dns.name.from_text(text, idna_codec=_IDNA)
    except (dns.exception.DNSException, UnicodeError, ValueError):
        raise ValueError(f"{quoted(text)} is no name") from None


def _shown(name: dns.name.Name) -> str:
    """As people write it, with what the DNS knows it by where that differs."""
    plain = name.to_text(omit_final_dot=True)
    written = plain
    with suppress(dns.exception.DNSException, UnicodeError):
        written = name.to_unicode(omit_final_dot=True, idna_codec=_IDNA)
    return one_line(plain if written == plain else f"{written} ({plain})", 2 * NAME_LENGTH + 3)
