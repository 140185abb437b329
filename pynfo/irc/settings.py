"""What the protocol needs to know of one network. Filled in from the config file by `pynfo.config`."""

from __future__ import annotations

import msgspec


class Secret:
    """A value that no log, error or `repr` shows. `reveal()` is for the wire only."""

    __slots__ = ("_value", "origin")

    def __init__(self, value: str, origin: str = "secret") -> None:
        self._value = value
        self.origin = origin  # where it comes from, such as "env LIBERA_PASSWORD"

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return f"<{self.origin}>"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __add__(self, other: str) -> Secret:
        return Secret(self._value + other, self.origin)

    def __radd__(self, other: str) -> Secret:
        return Secret(other + self._value, self.origin)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not stored")


def reveal(value: str | Secret) -> str:
    """The plain text of a setting that may be secret."""
    return value.reveal() if isinstance(value, Secret) else value


class SaslSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`mechanism` None: the best both sides know. `required`: without a login, disconnect and back off."""

    mechanism: str | None = None
    username: str = ""
    password: str | Secret = ""
    ecdsa_key: str | None = None  # path of a PEM private key, NIST P-256
    required: bool = False


class ChannelSettings(msgspec.Struct, frozen=True):
    name: str
    key: str | Secret | None = None


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One network. Times are in seconds, rates in lines a second."""

    name: str
    servers: list[tuple[str, int]]
    tls: bool = True
    tls_verify: bool = True
    tls_fingerprints: list[
        str
    ] = []  # SHA-256 of the certificate, lower-case hex; a match replaces the CA check
    client_cert: str | None = None
    client_key: str | None = None
    password: str | Secret | None = None
    nick: str = "pynfo"
    alternate_nicks: list[str] = []
    username: str = "pynfo"
    realname: str = "Pynfo"
    bind: str | None = None
    messages_per_second: float | None = 1.0  # None: no pacing
    burst: int = 5
    sasl: SaslSettings | None = None
    plain_without_tls: bool = False  # allow SASL PLAIN over a connection that is not TLS
    channels: list[ChannelSettings] = []
    on_connect: list[str | Secret] = []  # raw lines to send when registered, such as an older services login
    join_after: str | None = None  # "connect" | "login" | "cloak"; None: "login" where on_connect is used
    join_on_invite: bool = False
    quit_message: str = "Pynfo goes"
