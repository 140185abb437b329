"""The server's side of SASL: AUTHENTICATE, chunk by chunk, and the mechanisms.

Sources: IRCv3 "SASL 3.1" and "3.2"; RFC 4616 (PLAIN), RFC 4422 appendix A (EXTERNAL), RFC 5802 and 7677
(SCRAM); Atheme's saslserv/ecdsa-nist256p-challenge.c (ECDSA-NIST256P-CHALLENGE). The libraries of the
mechanisms are imported by the first client that uses one.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Generator
from hmac import compare_digest
from secrets import token_bytes
from typing import TYPE_CHECKING

from pynfo.irc.message import Message
from pynfo.testing.person import Person

if TYPE_CHECKING:
    from pynfo.testing.server import Server

CHUNK = 400  # characters of base64 in one AUTHENTICATE (SASL 3.1, "The AUTHENTICATE Command")
RESPONSE_LIMIT = 16_384  # characters of base64 in one response

# A mechanism yields its challenges, is sent the client's responses, and returns the account's name.
Exchange = Generator[bytes, bytes, str]


class Denied(Exception):
    """The client did not prove who it is."""


class Login:
    """One exchange under way."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.gathered = ""  # base64, until a chunk that is not full ends it


def authenticate(server: Server, person: Person, message: Message) -> None:
    """AUTHENTICATE: a mechanism's name, a chunk of a response, or `*` to give up."""
    if "sasl" not in person.capabilities:
        server.reply(person, "421", "AUTHENTICATE", "Enable the capability sasl first")
        return
    chunk = message.params[0]
    if chunk == "*":
        abort(server, person)
    elif person.login is None:
        _begin(server, person, chunk.upper())
    elif len(chunk) > CHUNK or len(person.login.gathered) + len(chunk) > RESPONSE_LIMIT:
        person.login = None
        server.reply(person, "905", "SASL message too long")
    else:
        person.login.gathered += chunk if chunk != "+" else ""
        if len(chunk) < CHUNK:
            _respond(server, person, person.login)


def abort(server: Server, person: Person) -> None:
    """The client, or the end of its registration, breaks off the exchange."""
    person.login = None
    server.reply(person, "906", "SASL authentication aborted")


def _begin(server: Server, person: Person, mechanism: str) -> None:
    make = MECHANISMS.get(mechanism)
    if make is None or mechanism not in server.sasl_mechanisms:
        server.reply(person, "908", ",".join(server.sasl_mechanisms), "are available SASL mechanisms")
        server.reply(person, "904", "SASL authentication failed")
        return
    person.login = Login(make(server, person, mechanism))
    _challenge(server, person, next(person.login.exchange))


def _respond(server: Server, person: Person, login: Login) -> None:
    try:
        response = b64decode(login.gathered, validate=True)
        login.gathered = ""
        _challenge(server, person, login.exchange.send(response))
    except StopIteration as end:
        person.login = None
        server.log_in(person, end.value)
        server.reply(person, "903", "SASL authentication successful")
    except (Denied, ValueError):  # base64 and UTF-8 that are not, are ValueErrors
        person.login = None
        server.reply(person, "904", "SASL authentication failed")


def _challenge(server: Server, person: Person, challenge: bytes) -> None:
    text = b64encode(challenge).decode()
    for start in range(0, len(text), CHUNK):
        server.send(person, Message("AUTHENTICATE", [text[start : start + CHUNK]]))
    if len(text) % CHUNK == 0:  # nothing at all, or a last chunk that is full
        server.send(person, Message("AUTHENTICATE", ["+"]))


def _plain(server: Server, person: Person, mechanism: str) -> Exchange:
    response = yield b""
    try:
        identity, username, password = response.decode().split("\0")
    except ValueError:
        raise Denied from None
    known = server.accounts.get(username)
    if known is None or identity not in ("", username):
        raise Denied
    if not compare_digest(known.encode(), password.encode()):
        raise Denied
    return username


def _external(server: Server, person: Person, mechanism: str) -> Exchange:
    identity = (yield b"").decode()
    account = server.certificates.get(person.fingerprint or "")
    if account is None or identity not in ("", account):
        raise Denied
    return account


def _scram(server: Server, person: Person, mechanism: str) -> Exchange:
    from scramp import ScramException, ScramMechanism

    scram = ScramMechanism(mechanism)
    username = ""

    def credentials(name: str) -> tuple[bytes, bytes, bytes, int]:
        nonlocal username
        username = name
        if name not in server.accounts:
            raise Denied
        verifier: tuple[bytes, bytes, bytes, int] = scram.make_auth_info(server.accounts[name])
        return verifier

    exchange = scram.make_server(credentials)
    try:
        exchange.set_client_first((yield b"").decode())
        exchange.set_client_final((yield exchange.get_server_first().encode()).decode())
    except ScramException:
        raise Denied from None
    yield exchange.get_server_final().encode()
    return username


def _ecdsa(server: Server, person: Person, mechanism: str) -> Exchange:
    username = (yield b"").decode().partition("\0")[0]
    if username not in server.public_keys:
        raise Denied
    challenge = token_bytes(32)
    signature = yield challenge

    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from cryptography.hazmat.primitives.hashes import SHA256

    point = b64decode(server.public_keys[username])
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    try:
        key.verify(signature, challenge, ECDSA(Prehashed(SHA256())))
    except InvalidSignature:
        raise Denied from None
    return username


MECHANISMS: dict[str, Callable[[Server, Person, str], Exchange]] = {
    "PLAIN": _plain,
    "EXTERNAL": _external,
    "SCRAM-SHA-256": _scram,
    "SCRAM-SHA-512": _scram,
    "ECDSA-NIST256P-CHALLENGE": _ecdsa,
}

COMMANDS = {"AUTHENTICATE": (authenticate, 1)}
