"""Whoever is on the server, as the server knows them: a client behind a connection, or a puppet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pynfo.irc.message import Message

if TYPE_CHECKING:
    from pynfo.testing.channel import Channel
    from pynfo.testing.login import Login
    from pynfo.testing.multiline import Composing


class Person:
    """What the server keeps of one of them.

    `deliver` takes a line for them, as bytes with its line end; `leave` ends their connection. `nick` is "*"
    until they have chosen one; `registered` is true from the welcome on, until they are gone.
    """

    def __init__(self, host: str, deliver: Callable[[bytes], None], leave: Callable[[], None]) -> None:
        self.nick = "*"
        self.username = ""
        self.host = host
        self.realname = ""
        self.account: str | None = None
        self.away: str | None = None
        self.modes: set[str] = set()
        self.capabilities: set[str] = set()
        self.channels: dict[str, Channel] = {}  # by folded name
        self.monitored: dict[str, str] = {}  # folded nick to nick, as asked for
        self.deliver = deliver
        self.leave = leave
        self.registered = False
        self.password: str | None = None  # what PASS said
        self.negotiating = False  # capabilities: registration waits for CAP END
        self.cap_version = 0
        self.login: Login | None = None  # a SASL exchange under way
        self.fingerprint: str | None = None  # SHA-256 of the TLS client certificate, lower-case hex
        self.composing: Composing | None = None  # a message of several lines, of which not all have come
        self.answers: list[Message] | None = None  # kept back for a label; None: nothing is

    def __repr__(self) -> str:
        return f"<Person {self.mask}>"

    @property
    def mask(self) -> str:
        """`nick!username@host`."""
        return f"{self.nick}!{self.username}@{self.host}"
