"""Who wants to stay out of the log, and whose old lines are not to come back.

Only keyed hashes are kept: the archive does not list the people who do not want to be in it. Somebody is
known by account; without one, by nick and `identity` (keyed hash of username@host). What comes from files has
nothing but nicks: for these the nicks that a forgotten person used are known until the time of forgetting.
A person is of one network, also where our own relay carries their lines to another (`Line.home`).
Topics that were removed are known as well, since a network tells the topic anew to whoever joins.
"""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Iterator

from plugins.logs.archive.records import Person
from plugins.logs.line import MICROSECONDS, Line
from pynfo.irc.casemap import fold

DIGEST = 16  # bytes

OUT, FORGOTTEN, TOPIC = "out", "forgotten", "topic"


def keyed_hash(key: bytes, *parts: str | bytes) -> bytes:
    """A hash that nobody without the key can make or guess at."""
    message = b"\0".join(part if isinstance(part, bytes) else part.encode(errors="replace") for part in parts)
    return hmac.digest(key, message, "sha256")[:DIGEST]


class Consents:
    """What people said, from the table `consent`, for looking up without the database."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._until: dict[str, dict[tuple[str, bytes], int]] = {}  # by what: (network, who) to microseconds

    def load(self, connection: sqlite3.Connection) -> None:
        """Read the table anew."""
        until: dict[str, dict[tuple[str, bytes], int]] = {}
        for network, who, what, time in connection.execute("SELECT network, who, what, until FROM consent"):
            until.setdefault(what, {})[network, who] = time
        self._until = until

    def is_out(self, network: str, nick: str, account: str | None, identity: bytes) -> bool:
        """Whether nothing is to be kept of them."""
        return bool(self._until.get(OUT)) and self._known(OUT, network, nick, account, identity) is not None

    def leaves_out(self, line: Line) -> bool:
        """Whether a line is not to be kept, since its author is out.

        What our relay carried, and where it is not known any more who spoke but for their nick: by that.
        """
        if not self._until.get(OUT):
            return False
        return self._known_of(OUT, line, by_nick=bool(line.home)) is not None

    def is_forgotten(self, line: Line) -> bool:
        """Whether an old line is one that was forgotten."""
        if not self._until.get(FORGOTTEN):
            return False
        until = self._known_of(FORGOTTEN, line, by_nick=True)
        return until is not None and line.time * MICROSECONDS < until

    def rows(self, network: str, person: Person) -> Iterator[bytes]:
        """The hashes that a person is known by."""
        if person.account:
            yield self._account(network, person.account)
        elif person.identity:
            for nick in person.nicks:
                yield self._session(network, nick, person.identity)

    def nick_rows(self, network: str, nicks: set[str]) -> set[bytes]:
        """The hashes of nicks alone, for what tells nothing else."""
        return {self._nick(network, nick) for nick in nicks}

    def topic_row(self, network: str, channel: str, topic: str) -> bytes:
        """The hash that a topic is known by."""
        return keyed_hash(self._key, "topic", network, channel, topic)

    def is_removed_topic(self, network: str, channel: str, topic: str) -> bool:
        """Whether a topic was redacted, or that of somebody who is forgotten."""
        known = self._until.get(TOPIC, {})
        return bool(known) and (network, self.topic_row(network, channel, topic)) in known

    def _known_of(self, what: str, line: Line, *, by_nick: bool) -> int | None:
        """`by_nick`: by the nick alone, where nothing else is known of who spoke."""
        network = line.author_network
        if by_nick and not line.account and not line.identity:
            return self._until[what].get((network, self._nick(network, line.nick)))
        return self._known(what, network, line.nick, line.account, line.identity)

    def _known(self, what: str, network: str, nick: str, account: str | None, identity: bytes) -> int | None:
        who = self._account(network, account) if account else self._session(network, nick, identity)
        return self._until[what].get((network, who))

    def _account(self, network: str, account: str) -> bytes:
        return keyed_hash(self._key, "account", network, fold(account, "rfc1459"))

    def _session(self, network: str, nick: str, identity: bytes) -> bytes:
        return keyed_hash(self._key, "session", network, fold(nick, "rfc1459"), identity)

    def _nick(self, network: str, nick: str) -> bytes:
        return keyed_hash(self._key, "nick", network, fold(nick, "rfc1459"))
