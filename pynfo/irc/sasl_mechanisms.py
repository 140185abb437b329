"""SASL mechanisms: each turns the server's challenges into our responses, and knows when it is complete.

Sources: RFC 4616 (PLAIN), RFC 4422 appendix A (EXTERNAL), RFC 5802 and 7677 (SCRAM; SHA-512 the same way),
and Atheme's saslserv/ecdsa-nist256p-challenge.c (ECDSA-NIST256P-CHALLENGE). All of them are client-first:
the server's first challenge is empty.

Rules: `complete` becomes true only when all that the mechanism promises has happened, for SCRAM the server's
proof that it knows the password; nothing is said after that. Secrets are revealed where they are used, and
no `MechanismFailure` tells any of one. Libraries are imported where a mechanism is made: most bots use one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pynfo.irc.settings import SaslSettings, reveal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

# The best first. A key that never leaves this machine; then a proof of the password that gives nothing away,
# and makes the server prove that it knows it too; then the password itself.
PREFERENCE = ("EXTERNAL", "ECDSA-NIST256P-CHALLENGE", "SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")

# RFC 5802 leaves the cost to the server, and it is paid on the event loop: this many stay below a second.
# Atheme's default is 64,000.
MAXIMUM_ITERATIONS = 500_000
ECDSA_CHALLENGE = 32  # bytes, taken for a SHA-256 digest: signing anything else would be signing blindly
MAXIMUM_KEY_FILE = 16_384  # bytes


class MechanismFailure(Exception):
    """An exchange cannot begin or go on: a setting is no good, or the server broke the mechanism's rules."""


class Plain:
    """The password, as it is."""

    def __init__(self, settings: SaslSettings) -> None:
        self.complete = False
        self._settings = settings

    def respond(self, challenge: bytes) -> bytes:
        _expect_first(challenge, complete=self.complete)
        username, password = self._settings.username, reveal(self._settings.password)
        if "\0" in username or "\0" in password:
            raise MechanismFailure("NUL in the username or the password")
        self.complete = True
        return f"{username}\0{username}\0{password}".encode()


class External:
    """Nothing but the account's name, or not even that: the TLS client certificate speaks."""

    def __init__(self, settings: SaslSettings) -> None:
        self.complete = False
        self._username = settings.username

    def respond(self, challenge: bytes) -> bytes:
        _expect_first(challenge, complete=self.complete)
        self.complete = True
        return self._username.encode()


class Scram:
    """Proofs in both directions that the password is known, without telling it."""

    def __init__(self, mechanism: str, settings: SaslSettings) -> None:
        from scramp import ScramClient, ScramException

        self.complete = False
        self._error = ScramException
        self._step: Callable[[str], str] = self._introduce
        try:
            # Here, not at the first challenge: what SASLprep refuses is known before anything is sent.
            self._client: Any = ScramClient([mechanism], settings.username, reveal(settings.password))
        except ScramException as problem:
            raise MechanismFailure(f"username or password: {problem.args[0]}") from None

    def respond(self, challenge: bytes) -> bytes | None:
        """None: nothing to say, the server ends the exchange by a numeric."""
        try:
            text = challenge.decode()
            if text.startswith("e="):  # a server-error-value (RFC 5802 section 7)
                self._step = self._over
                return None
            return self._step(text).encode()
        except UnicodeDecodeError:
            raise MechanismFailure("a challenge that is not UTF-8") from None
        except self._error as problem:
            raise MechanismFailure(f"the server is not believed: {problem.args[0]}") from None

    def _introduce(self, challenge: str) -> str:
        _expect_first(challenge.encode(), complete=False)
        self._step = self._prove
        first: str = self._client.get_client_first()
        return first

    def _prove(self, server_first: str) -> str:
        self._client.set_server_first(server_first)
        if int(self._client.iterations) > MAXIMUM_ITERATIONS:
            raise MechanismFailure(f"the server asks for {int(self._client.iterations):,} iterations")
        self._step = self._verify
        final: str = self._client.get_client_final()
        return final

    def _verify(self, server_final: str) -> str:
        self._client.set_server_final(server_final)  # raises where the server's signature is wrong
        self.complete = True
        self._step = self._over
        return ""

    def _over(self, challenge: str) -> str:
        raise MechanismFailure("a challenge after the last one")


class EcdsaChallenge:
    """A signature made with a private key whose public half the account has registered."""

    def __init__(self, settings: SaslSettings) -> None:
        self.complete = False
        self._identified = False
        self._username = settings.username
        self._key = _load_key(settings.ecdsa_key or "")

    def respond(self, challenge: bytes) -> bytes:
        if not self._identified:
            _expect_first(challenge, complete=False)
            self._identified = True
            return self._username.encode()
        if self.complete:
            raise MechanismFailure("a challenge after the last one")
        if len(challenge) != ECDSA_CHALLENGE:
            raise MechanismFailure(f"{len(challenge)} bytes to sign, {ECDSA_CHALLENGE} are expected")
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
        from cryptography.hazmat.primitives.hashes import SHA256

        self.complete = True
        return self._key.sign(challenge, ECDSA(Prehashed(SHA256())))


Mechanism = Plain | External | Scram | EcdsaChallenge


def make(name: str, settings: SaslSettings) -> Mechanism:
    """Make the mechanism of that name (one of `PREFERENCE`). Raises `MechanismFailure`."""
    if name == "PLAIN":
        return Plain(settings)
    if name == "EXTERNAL":
        return External(settings)
    if name == "ECDSA-NIST256P-CHALLENGE":
        return EcdsaChallenge(settings)
    return Scram(name, settings)


def _expect_first(challenge: bytes, *, complete: bool) -> None:
    if complete:
        raise MechanismFailure("a challenge after the last one")
    if challenge:
        raise MechanismFailure("a first challenge that is not empty")


def _load_key(path: str) -> EllipticCurvePrivateKey:
    """Read a PEM private key on NIST P-256, without passphrase; a few hundred bytes, once an exchange."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        with open(path, "rb") as file:
            pem = file.read(MAXIMUM_KEY_FILE)
    except OSError as problem:
        raise MechanismFailure(f"ecdsa_key {path}: {problem.strerror}") from None
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:  # so the library tells that a passphrase is needed
        raise MechanismFailure(f"ecdsa_key {path} has a passphrase; give a key without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise MechanismFailure(f"ecdsa_key {path} is not a PEM private key") from None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise MechanismFailure(f"ecdsa_key {path} is not a key on the curve NIST P-256")
    return key
