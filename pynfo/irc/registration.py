"""From the connection to 001: capabilities, the upgrade to TLS, who we are, the login. Sans-IO.

    CAP LS 302, PASS, NICK, USER → CAP REQ → AUTHENTICATE → CAP END

Sources: IRCv3 "Capability Negotiation", "SASL Authentication", "Strict Transport Security"; Modern IRC,
"Connection Registration". Capabilities and logins that come later (CAP NEW) are handled here too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from pynfo.irc.capabilities import Capabilities
from pynfo.irc.message import Message
from pynfo.irc.sasl import Authentication
from pynfo.irc.settings import NetworkSettings, reveal
from pynfo.irc.sts import PolicyStore

log = logging.getLogger(__name__)

INTRODUCTION_LIMIT = 5.0  # seconds that a password waits for CAP LS, which may ask us to come back over TLS
SASL_LIMIT = 15.0  # seconds for a login to be answered


class Ending(msgspec.Struct):
    """Why the connection should end. `port`: come back at once, over TLS, to that port."""

    reason: str
    port: int | None = None


class Registration:
    """One connection's registration. What goes wrong with the login is appended to `problems`."""

    def __init__(
        self,
        settings: NetworkSettings,
        send: Callable[[Message], None],
        policies: PolicyStore,
        clock: Callable[[], float],
        nick: str,
    ) -> None:
        self.capabilities = Capabilities(send, sasl=settings.sasl is not None)
        self.ending: Ending | None = None
        self.problems: list[str] = []  # sentences for the operator, taken away by the session
        self.welcomed = False
        self.logged_in = False
        self._settings = settings
        self._send = send
        self._policies = policies
        self._clock = clock  # UTC epoch seconds
        self._nick = nick
        self._host = ""
        self._port = 0
        self._secure = False
        self._introduced = False
        self._introduce_by: float | None = None
        self._authentication: Authentication | None = None
        self._login: Message | None = None  # 900, believed only when the whole exchange is
        self._login_by: float | None = None

    def open(self, now: float, *, host: str, port: int, secure: bool) -> None:
        """A connection is there; for TLS, its certificate has been checked."""
        self._host, self._port, self._secure = host, port, secure
        self.capabilities.begin()
        if self._settings.password and not secure:
            self._introduce_by = now + INTRODUCTION_LIMIT
        else:
            self._introduce()

    def close(self) -> None:
        """The connection is gone: a TLS policy counts from now."""
        if self._secure and self._trusted():
            self._policies.disconnected(self._host, self._clock())

    def deadline(self) -> float | None:
        """When `tick` is wanted (monotonic seconds)."""
        return min((time for time in (self._introduce_by, self._login_by) if time is not None), default=None)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self._introduce_by is not None and now >= self._introduce_by:
            self._introduce()
        if self._login_by is not None and now >= self._login_by and self._authentication is not None:
            self._authentication.abort()
            self._login_failed(f"the server did not answer within {SASL_LIMIT:.0f} s")

    def receive_capabilities(self, message: Message, now: float) -> None:
        """A CAP line."""
        change = self.capabilities.receive(message)
        available = self.capabilities.available
        if (change.listed or "sts" in change.offered) and "sts" in available and self._trusted():
            action = self._policies.received(
                self._host, available["sts"], self._secure, self._port, self._clock()
            )
            if action.kind == "upgrade":
                self.ending = Ending("the server asks for TLS", action.port)
                return
        if "sasl" in change.disabled and self._authentication is not None and self._authentication.active:
            self._authentication.abort()
            self._login_failed("the server withdrew its logins")
        again = "sasl" in change.offered and "sasl" in self.capabilities.enabled and not self.logged_in
        if "sasl" in change.enabled or again:
            self._log_in(now)
        elif change.listed and self._settings.sasl is not None and "sasl" not in available:
            self._login_failed("the server has no SASL")
        if change.listed and not self._introduced:
            self._introduce()
        self._go_on()

    def receive_authentication(self, message: Message) -> Message | None:
        """AUTHENTICATE, or one of the numerics 900 to 908. Gives what of it the state may believe.

        What a server says of our account during a login is believed when the login has succeeded, so that one
        that lies about it does not make us join as somebody we are not.
        """
        if self._authentication is None or not self._authentication.active:
            return None if message.command == "AUTHENTICATE" else message
        if message.command == "900":
            self._login = message
        outcome = self._authentication.receive(message)
        if outcome is None:
            return None
        self._login_by = None
        login, self._login = self._login, None
        if not outcome.ok:
            self._login_failed(outcome.reason)
            return None
        self.logged_in = True
        log.info("%s: logged in as %s", self._settings.name, outcome.account or "the network says")
        self._go_on()
        return login

    def receive_unknown_command(self, message: Message) -> None:
        """421: a server that does not know CAP gets our name without waiting."""
        if len(message.params) > 1 and message.params[1].upper() == "CAP" and not self._introduced:
            self._introduce()

    def welcome(self) -> None:
        """001: the server has let us in, login or not."""
        self.welcomed = True
        if self._required() and not self.logged_in:
            self.ending = Ending("the server let us in without a login, which the config says is required")
            self.problems.append("not logged in: the server did not wait for it")

    def _introduce(self) -> None:
        self._introduced = True
        self._introduce_by = None
        if self._settings.password:
            self._send(Message("PASS", [reveal(self._settings.password)]))
        self._send(Message("NICK", [self._nick]))
        self._send(Message("USER", [self._settings.username, "0", "*", self._settings.realname]))

    def _log_in(self, now: float) -> None:
        if self._settings.sasl is None:
            return
        if self._authentication is None:
            self._authentication = Authentication(
                self._send,
                self._settings.sasl,
                secure=self._secure,
                plain_without_tls=self._settings.plain_without_tls,
                certificate=self._settings.client_cert is not None,
            )
        self._login_by = now + SASL_LIMIT
        outcome = self._authentication.begin(self.capabilities.available.get("sasl", ""))
        if outcome is not None:
            self._login_failed(outcome.reason)

    def _login_failed(self, reason: str) -> None:
        self._login_by = self._login = None
        self.problems.append(f"not logged in: {reason}")
        if self._required() and not self.welcomed:
            self.ending = Ending(f"not logged in, and the config says it is required: {reason}")
        else:
            self._go_on()

    def _trusted(self) -> bool:
        """Whether a TLS policy may be believed: not where nobody checked the certificate."""
        settings = self._settings
        return not self._secure or settings.tls_verify or bool(settings.tls_fingerprints)

    def _required(self) -> bool:
        return self._settings.sasl is not None and self._settings.sasl.required

    def _go_on(self) -> None:
        """End the negotiation when everything in it is answered."""
        active = self._authentication is not None and self._authentication.active
        if not self.welcomed and self.capabilities.settled and not active:
            self.capabilities.end()
