"""SASL authentication: choose a mechanism, carry its messages, believe no success that was not earned.

Sources: IRCv3 "SASL Authentication" 3.1 and 3.2. What a mechanism says is in `sasl_mechanisms`; here are the
AUTHENTICATE command, the numerics 900 to 908, and which mechanism comes next.

Rules:
- 903 counts only when the mechanism is complete. A server that claims success earlier, breaks a mechanism's
  rules or cannot prove that it knows the password fails for good: it gets no second mechanism, which might be
  PLAIN, to try on.
- An honest refusal (904, 905, or 908 for a mechanism it has not) moves on to the next one that both know.
- There is no clock: some servers never answer (InspIRCd offers `sasl` without services behind it), so the
  caller limits the wait and calls `abort`. What comes late is then ignored.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable

import msgspec

from pynfo.irc.message import Message
from pynfo.irc.sasl_mechanisms import PREFERENCE, Mechanism, MechanismFailure, make
from pynfo.irc.settings import SaslSettings

CHUNK = 400  # Base64 characters in one AUTHENTICATE (SASL 3.1, "The AUTHENTICATE command")
MAXIMUM_CHALLENGE = 8_192  # Base64 characters in one challenge; SCRAM's are below 1,200
MAXIMUM_REASON = 200  # characters of a server's words that are passed on


class Outcome(msgspec.Struct, frozen=True):
    """How an authentication ended. `account` as the server tells it; `reason` is for the operator."""

    ok: bool
    account: str | None = None
    reason: str = ""


class Authentication:
    """Logging in on one connection; again with `begin`, whenever `sasl` is offered anew.

    `secure`: the connection is TLS. `certificate`: it has a client certificate, without which EXTERNAL is
    only tried where the settings name it. `account` is what the server last said we are logged in as.
    """

    # The attempt under way; `_reset` is how it begins and ends.
    _mechanism: Mechanism | None  # with it goes what it holds of a secret
    _name: str
    _waiting: list[str]  # mechanisms to be tried after this one, the best first
    _failures: list[str]  # one sentence for each that was tried
    _answered: bool  # whether the server has begun the exchange
    _failure_to_come: bool  # a 904 that belongs to the mechanism before
    _encoded: str  # chunks of a challenge whose last one is to come

    def __init__(
        self,
        send: Callable[[Message], None],
        settings: SaslSettings,
        *,
        secure: bool,
        plain_without_tls: bool,
        certificate: bool = False,
    ) -> None:
        self.account: str | None = None
        self._send = send
        self._settings = settings
        self._secure = secure
        self._plain_without_tls = plain_without_tls
        self._certificate = certificate
        self._logged_in = False  # by us, and believed
        self._abort_unanswered = False
        self._receivers: dict[str, Callable[[Message], Outcome | None]] = {
            "AUTHENTICATE": self._receive_challenge,
            "900": self._receive_logged_in,
            "901": self._receive_logged_out,
            "902": self._receive_locked,
            "903": self._receive_success,
            "904": self._receive_failure,
            "905": self._receive_failure,
            "906": self._receive_aborted,
            "907": self._receive_already,
            "908": self._receive_mechanisms,
        }
        self._reset()

    @property
    def active(self) -> bool:
        """Whether an exchange is under way."""
        return self._mechanism is not None

    def choose(self, offered: str) -> str | None:
        """The mechanism that `begin` would try first; None where there is nothing both sides can use.

        `offered` is the value of the `sasl` capability: mechanisms with commas, or `""` where the server
        does not tell.
        """
        return next(iter(self._candidates(offered)), None)

    def begin(self, offered: str) -> Outcome | None:
        """Start to log in. An `Outcome` at once where there is nothing to try."""
        if self.active:
            self.abort()
        self._waiting = self._candidates(offered)
        if not self._waiting:
            return Outcome(ok=False, reason=self._nothing_to_try(offered))
        return self._try_next()

    def abort(self) -> None:
        """Give up. The next thing sent may be CAP END; answers to what was sent before are ignored."""
        if self.active:
            self._send(Message("AUTHENTICATE", ["*"]))
            self._abort_unanswered = True
            self._reset()

    def receive(self, message: Message) -> Outcome | None:
        """Take in AUTHENTICATE or a numeric from 900 to 908; anything else is ignored.

        Gives the `Outcome` with the message that ends the authentication, else None.
        """
        receiver = self._receivers.get(message.command)
        return receiver(message) if receiver else None

    # Which mechanism

    def _candidates(self, offered: str) -> list[str]:
        known = set(offered.upper().split(",")) if offered else set(PREFERENCE)
        wanted = self._settings.mechanism
        names = PREFERENCE if wanted is None else (wanted.upper(),)
        return [name for name in names if name in known and self._obstacle(name) is None]

    def _obstacle(self, name: str) -> str | None:
        """Why a mechanism cannot be used here, None where it can."""
        settings = self._settings
        if name not in PREFERENCE:
            return f"the mechanisms known here are {', '.join(PREFERENCE)}"
        if name == "EXTERNAL":
            if not self._secure:
                return "it needs TLS"
            named = settings.mechanism is not None
            return None if self._certificate or named else "it needs a client certificate"
        if not settings.username:
            return "it needs a username"
        if name == "ECDSA-NIST256P-CHALLENGE":
            return None if settings.ecdsa_key else "it needs ecdsa_key"
        if not settings.password:
            return "it needs a password"
        if name == "PLAIN" and not (self._secure or self._plain_without_tls):
            return "without TLS it would show the password (plain_without_tls=True allows that)"
        return None

    def _nothing_to_try(self, offered: str) -> str:
        wanted = self._settings.mechanism
        names = PREFERENCE if wanted is None else (wanted.upper(),)
        obstacles = [f"{name}: {why}" for name in names if (why := self._obstacle(name))]
        server = f"offers {_shown(offered)}" if offered else "does not tell its mechanisms"
        return "; ".join([f"no mechanism that both sides can use, the server {server}", *obstacles])

    def _try_next(self) -> Outcome | None:
        while self._waiting:
            name = self._waiting.pop(0)
            try:
                self._mechanism = make(name, self._settings)
            except MechanismFailure as failure:
                self._failures.append(f"{name}: {failure}")
                continue
            self._name = name
            self._answered = False
            self._encoded = ""
            self._send(Message("AUTHENTICATE", [name]))
            return None
        return self._fail()

    # What the server says

    def _receive_challenge(self, message: Message) -> Outcome | None:
        if self._mechanism is None or not message.params:
            return None
        self._answered = True
        self._failure_to_come = False
        chunk = message.params[0]
        if chunk != "+":
            self._encoded += chunk
        if len(chunk) > CHUNK or len(self._encoded) > MAXIMUM_CHALLENGE:
            return self._break_off("a challenge that is too long")
        if len(chunk) == CHUNK:
            return None
        encoded, self._encoded = self._encoded, ""
        try:
            challenge = b64decode(encoded, validate=True)
        except ValueError:
            return self._break_off("a challenge that is not Base64")
        try:
            response = self._mechanism.respond(challenge)
        except MechanismFailure as failure:
            return self._break_off(str(failure))
        if response is not None:
            self._send_response(response)
        return None

    def _send_response(self, response: bytes) -> None:
        encoded = b64encode(response).decode()
        for start in range(0, len(encoded), CHUNK):
            self._send(Message("AUTHENTICATE", [encoded[start : start + CHUNK]]))
        if len(encoded) % CHUNK == 0:  # also where it is empty: only a shorter chunk ends a response
            self._send(Message("AUTHENTICATE", ["+"]))

    def _receive_success(self, message: Message) -> Outcome | None:
        if self._mechanism is None:
            return None
        if not self._mechanism.complete:
            return self._fail(
                "the server claims success before the exchange was complete, and is not believed"
            )
        self._logged_in = True
        return self._succeed()

    def _receive_failure(self, message: Message) -> Outcome | None:
        if not self.active:
            return None
        if self._failure_to_come and message.command == "904":
            self._failure_to_come = False
            return None
        self._failures.append(f"{self._name}: {_words(message)}")
        return self._try_next()

    def _receive_mechanisms(self, message: Message) -> Outcome | None:
        """908 refuses a mechanism that the server has not, or comes with the 904 that refuses it.

        Most servers send it before that 904, which then must not count against the next mechanism; some
        after it, and ircu without one.
        """
        if not self.active or len(message.params) < 2:
            return None
        offered = message.params[1].upper().split(",")
        self._waiting = [name for name in self._waiting if name in offered]
        if self._answered or self._name in offered:
            return None
        self._failures.append(f"{self._name}: the server offers {_shown(message.params[1])}")
        self._failure_to_come = True
        return self._try_next()

    def _receive_locked(self, message: Message) -> Outcome | None:
        return self._fail(_words(message)) if self.active else None

    def _receive_aborted(self, message: Message) -> Outcome | None:
        if self._abort_unanswered:
            self._abort_unanswered = False
            return None
        return self._fail(_words(message)) if self.active else None

    def _receive_already(self, message: Message) -> Outcome | None:
        if not self.active:
            return None
        return self._succeed() if self._logged_in else self._fail(_words(message))

    def _receive_logged_in(self, message: Message) -> None:
        if len(message.params) > 2:
            self.account = message.params[2]

    def _receive_logged_out(self, message: Message) -> None:
        self.account = None
        self._logged_in = False

    # How it ends

    def _succeed(self) -> Outcome:
        self._reset()
        return Outcome(ok=True, account=self.account)

    def _break_off(self, reason: str) -> Outcome:
        """The server broke the rules."""
        outcome = self._fail(reason)
        self._send(Message("AUTHENTICATE", ["*"]))
        self._abort_unanswered = True
        return outcome

    def _fail(self, reason: str = "") -> Outcome:
        """`reason` ends the present mechanism; those that failed before it have left theirs."""
        if reason:
            self._failures.append(f"{self._name}: {reason}")
        outcome = Outcome(ok=False, reason="; ".join(self._failures))
        self._reset()
        return outcome

    def _reset(self) -> None:
        self._mechanism = None
        self._name = ""
        self._waiting = []
        self._failures = []
        self._answered = False
        self._failure_to_come = False
        self._encoded = ""


def _words(message: Message) -> str:
    return _shown(message.params[-1]) if message.params else message.command


def _shown(text: str) -> str:
    return "".join(filter(str.isprintable, text[:MAXIMUM_REASON]))
