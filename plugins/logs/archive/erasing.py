"""Out of the archive: texts that are redacted, people who are forgotten, lines that are too old.

What is removed is overwritten in the tables at once (`PRAGMA secure_delete`). In the index it is only marked
as removed: the months that it was in are rewritten afterwards, and the write-ahead log is emptied, so that
nothing is left in any file.

What may take long is an iterator, each step of which is a transaction of `AT_ONCE` lines: whoever takes the
steps lets others write between them. What is to be forgotten is noted first (table `doomed`), so that a bot
that dies meanwhile goes on with it when it is started again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from plugins.logs.archive.consents import FORGOTTEN, OUT, TOPIC, Consents
from plugins.logs.archive.records import Person
from plugins.logs.archive.words import ids_of_month, indexed, table_of
from plugins.logs.archive.writing import HOUR, INSERT_CHANGE, REDACTED, REDACTION, REMOVAL, Writer
from plugins.logs.line import KINDS, MICROSECONDS, TALK
from pynfo.irc.casemap import fold

AT_ONCE = 500  # lines in a transaction
CHECKPOINT_WAIT = 100  # milliseconds that it waits for those who read
APART = 60 * MICROSECONDS  # that the clocks of two networks may tell different times

_CLEARED = f"UPDATE lines SET text = '', reply_to = NULL, flags = flags | {REDACTED} WHERE id = ?"


class Eraser:
    """Removes over the connection of a `Writer`, on its thread."""

    def __init__(self, writer: Writer, consents: Consents) -> None:
        self._writer = writer
        self._connection = writer.connection
        self._consents = consents

    # -- what is asked for

    def redact(self, line_id: int) -> bool:
        """Remove the text of a line. False where there is none."""
        with self._writer.writing():
            found = self._connection.execute(
                "SELECT channel, kind, nick, text FROM lines JOIN authors ON authors.id = author "
                "WHERE lines.id = ?",
                (line_id,),
            ).fetchone()
            if found is None or not found[3]:
                return False
            channel, kind, nick, text = found
            self._unindex(line_id, text, kind, nick, channel)
            self._connection.execute(_CLEARED, (line_id,))
            self._index(line_id, "", kind, nick, channel)
            if KINDS[kind] == "topic":
                self._forget_topic(channel, text)
                self._keep_out([(channel, text)])
            self._has_changed(line_id, channel)
        self._consents.load(self._connection)
        return True

    def by_msgid(self, network: str, msgid: str) -> list[int]:
        """The lines of a message, which may stand in several channels."""
        found = self._connection.execute(
            "SELECT lines.id FROM lines JOIN channels ON channels.id = channel "
            "WHERE msgid = ? AND network = ?",
            (msgid, network),
        )
        return [line_id for (line_id,) in found]

    def count(self, network: str, person: Person) -> int:
        """How many lines somebody has."""
        return len(self._lines_of(network, person))

    def forget(self, network: str, person: Person, now: float) -> Iterator[int]:
        """Remove all lines of somebody, and keep that those before `now` are not to come back.

        Each step gives how many lines it removed.
        """
        with self._writer.writing():
            authors = self._authors_of(network, person)
            lines = self._lines_of(network, person)
            nicks = {nick for _, nick in authors} | set(person.nicks)
            until = max(round(now * MICROSECONDS), lines[-1] + 1 if lines else 0)
            who = {*self._consents.rows(network, person), *self._consents.nick_rows(network, nicks)}
            self._connection.executemany(
                "INSERT OR REPLACE INTO consent (network, who, what, until) VALUES (?, ?, ?, ?)",
                ((network, one, FORGOTTEN, until) for one in who),
            )
            self._connection.executemany(
                "INSERT OR IGNORE INTO doomed (line) VALUES (?)", ((line_id,) for line_id in lines)
            )
            self._keep_out(self._topics_of(lines))
            self._forget_targets(network, nicks)
        self._consents.load(self._connection)
        yield 0
        yield from self.remove(lines, {author for author, _ in authors})

    def go_on(self) -> Iterator[int]:
        """Remove what was to be forgotten when the bot died. Each step gives how many lines it removed."""
        found = self._connection.execute("SELECT line FROM doomed ORDER BY line").fetchall()
        yield from self.remove([line_id for (line_id,) in found])

    def opt_out(self, network: str, person: Person, out: bool, now: float) -> None:
        """Keep nothing more of somebody, or keep it again."""
        with self._writer.writing():
            nicks = self._consents.nick_rows(network, set(person.nicks))
            for who in {*self._consents.rows(network, person), *nicks}:
                if out:
                    self._connection.execute(
                        "INSERT OR REPLACE INTO consent (network, who, what, until) VALUES (?, ?, ?, ?)",
                        (network, who, OUT, round(now * MICROSECONDS)),
                    )
                else:
                    self._connection.execute(
                        "DELETE FROM consent WHERE network = ? AND who = ? AND what = ?", (network, who, OUT)
                    )
        self._consents.load(self._connection)

    def retain(self, channel: int, since: int) -> Iterator[int]:
        """Remove what a channel has of before an id. Each step gives how many lines it removed."""
        found = self._connection.execute(
            "SELECT id FROM lines WHERE channel = ? AND id < ?", (channel, since)
        ).fetchall()
        with self._writer.writing():
            self._connection.execute("DELETE FROM gaps WHERE channel = ? AND until < ?", (channel, since))
        yield from self.remove([line_id for (line_id,) in found])

    def remove(self, ids: Sequence[int], authors: Iterable[int] = ()) -> Iterator[int]:
        """Remove lines whole, and those of their authors, and of some others, who have no line any more.

        Each step gives how many lines it removed.
        """
        authors = set(authors)
        for start in range(0, len(ids), AT_ONCE):
            yield self._remove(ids[start : start + AT_ONCE], authors)
        if authors:
            self._remove_authors(authors)
            yield 0

    def rewrite(self) -> Iterator[int]:
        """Leave nothing in the index of what was removed."""
        months = self._connection.execute("SELECT month FROM unfinished ORDER BY month DESC").fetchall()
        for (month,) in months:
            with self._writer.writing():
                self._rewrite(month)
                self._connection.execute("DELETE FROM unfinished WHERE month = ?", (month,))
            yield 0

    def empty_log(self) -> bool:
        """Leave nothing in the write-ahead log of what was removed. False where somebody still reads what
        they began to read before: try again."""
        with self._patience(CHECKPOINT_WAIT):
            busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not busy

    # -- how it is done

    @contextmanager
    def _patience(self, milliseconds: int) -> Iterator[None]:
        """Wait no longer for others: lines that come meanwhile wait as well."""
        before = self._connection.execute("PRAGMA busy_timeout").fetchone()[0]
        self._connection.execute(f"PRAGMA busy_timeout = {min(before, milliseconds)}")
        try:
            yield
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {before}")

    def _remove(self, ids: Sequence[int], authors: set[int]) -> int:
        """`authors` is told whose they were."""
        marks = ", ".join("?" * len(ids))
        with self._writer.writing():
            found = self._connection.execute(
                "SELECT lines.id, channel, kind, author, nick, text FROM lines "
                f"JOIN authors ON authors.id = author WHERE lines.id IN ({marks})",
                ids,
            ).fetchall()
            version = self._writer.next_version()
            for line_id, channel, kind, author, nick, text in found:
                authors.add(author)
                self._unindex(line_id, text, kind, nick, channel)
                self._connection.execute(
                    "UPDATE hours SET lines = lines - 1, talk = talk - ?, version = ? "
                    "WHERE channel = ? AND hour = ?",
                    (KINDS[kind] in TALK, version, channel, line_id // HOUR),
                )
                self._connection.execute(
                    "DELETE FROM hours WHERE channel = ? AND hour = ? AND lines <= 0",
                    (channel, line_id // HOUR),
                )
                self._connection.execute(
                    "UPDATE channels SET lines = lines - 1, version = ? WHERE id = ?", (version, channel)
                )
                if KINDS[kind] == "topic":
                    self._forget_topic(channel, text)
                self._connection.execute("DELETE FROM lines WHERE id = ?", (line_id,))
                self._connection.execute(INSERT_CHANGE, (channel, line_id, REMOVAL))
            self._connection.execute(f"DELETE FROM doomed WHERE line IN ({marks})", ids)
        return len(found)

    def _index(self, line_id: int, text: str, kind: int, nick: str, channel: int) -> None:
        self._connection.execute(
            f"INSERT INTO {table_of(line_id)} (rowid, text, marks) VALUES (?, ?, ?)",
            (line_id, *indexed(text, KINDS[kind], nick, channel)),
        )

    def _unindex(self, line_id: int, text: str, kind: int, nick: str, channel: int) -> None:
        """Take a line out of the index: FTS5 wants to be told just what was put in."""
        month = table_of(line_id)
        self._connection.execute(
            f"INSERT INTO {month} ({month}, rowid, text, marks) VALUES ('delete', ?, ?, ?)",
            (line_id, *indexed(text, KINDS[kind], nick, channel)),
        )
        self._connection.execute("INSERT OR IGNORE INTO unfinished (month) VALUES (?)", (month,))

    def _rewrite(self, month: str) -> None:
        """Have the index of a month written anew, without what was removed; drop it where it is empty."""
        empty = self._connection.execute(
            "SELECT NOT EXISTS (SELECT 1 FROM lines WHERE id >= ? AND id < ?)",
            ids_of_month(month),
        ).fetchone()[0]
        if empty:
            self._connection.execute(f"DROP TABLE IF EXISTS {month}")
            self._writer.forget_table(month)
        else:
            self._connection.execute(f"INSERT INTO {month} ({month}) VALUES ('optimize')")

    def _authors_of(self, network: str, person: Person) -> list[tuple[int, str]]:
        """Ids and nicks."""
        if person.account:
            wanted = fold(person.account, "rfc1459")
            found = self._connection.execute(
                "SELECT id, nick, account FROM authors WHERE network = ? AND account <> ''", (network,)
            )
            return [(author, nick) for author, nick, account in found if fold(account, "rfc1459") == wanted]
        if not person.identity:
            return []
        nicks = {fold(nick, "rfc1459") for nick in person.nicks}
        found = self._connection.execute(
            "SELECT id, nick FROM authors WHERE network = ? AND account = '' AND identity = ?",
            (network, person.identity),
        )
        return [(author, nick) for author, nick in found if fold(nick, "rfc1459") in nicks]

    def _lines_of(self, network: str, person: Person) -> list[int]:
        """Also those that our relay carried to other networks."""
        since = 0 if person.account else round(person.since * MICROSECONDS)
        authors = [author for author, _ in self._authors_of(network, person)]
        found = self._connection.execute(
            "SELECT id FROM lines INDEXED BY lines_of_channel "
            f"WHERE author IN ({', '.join(map(str, authors))}) AND (id >= ? OR "
            "id >= ? AND channel NOT IN (SELECT id FROM channels WHERE network = ?))",
            (since, since - APART, network),
        )
        return sorted(line_id for (line_id,) in found)

    def _remove_authors(self, authors: Iterable[int]) -> None:
        """Those who have no line any more."""
        some = json.dumps(list(authors))
        with self._writer.writing():
            self._connection.execute(
                "DELETE FROM authors WHERE id IN (SELECT value FROM json_each(?)) AND id NOT IN "
                "(SELECT author FROM lines INDEXED BY lines_of_channel "
                "WHERE author IN (SELECT value FROM json_each(?)))",
                (some, some),
            )
        self._writer.forget_authors()

    def _forget_targets(self, network: str, nicks: Iterable[str]) -> None:
        """Who was kicked is told no more, where it was somebody with those nicks."""
        folded = {fold(nick, "rfc1459") for nick in nicks}
        kicks = self._connection.execute(
            "SELECT lines.id, channel, target FROM lines WHERE lines.id IN (SELECT id FROM lines "
            "INDEXED BY lines_of_channel WHERE kind = ? AND channel IN "
            "(SELECT id FROM channels WHERE network = ?))",
            (KINDS.index("kick"), network),
        ).fetchall()
        for line_id, channel, target in kicks:
            if target and fold(target, "rfc1459") in folded:
                self._connection.execute("UPDATE lines SET target = NULL WHERE id = ?", (line_id,))
                self._has_changed(line_id, channel)

    def _has_changed(self, line_id: int, channel: int) -> None:
        """A line is to be shown anew."""
        version = self._writer.next_version()
        self._connection.execute(
            "UPDATE hours SET version = ? WHERE channel = ? AND hour = ?",
            (version, channel, line_id // HOUR),
        )
        # Lines of any day may answer it, and are shown with its text.
        self._connection.execute("UPDATE channels SET version = ? WHERE id = ?", (version, channel))
        self._connection.execute(INSERT_CHANGE, (channel, line_id, REDACTION))

    def _topics_of(self, lines: Sequence[int]) -> list[tuple[int, str]]:
        """Channels and texts of those that are topics."""
        topics: list[tuple[int, str]] = []
        for start in range(0, len(lines), AT_ONCE):
            some = lines[start : start + AT_ONCE]
            topics += self._connection.execute(
                f"SELECT channel, text FROM lines WHERE id IN ({', '.join('?' * len(some))}) AND kind = ?",
                (*some, KINDS.index("topic")),
            )
        return topics

    def _keep_out(self, topics: Iterable[tuple[int, str]]) -> None:
        """Topics of channels are not to come back, as long as the network has them."""
        for channel, topic in topics:
            network, name = self._connection.execute(
                "SELECT network, name FROM channels WHERE id = ?", (channel,)
            ).fetchone()
            self._connection.execute(
                "INSERT OR REPLACE INTO consent (network, who, what, until) VALUES (?, ?, ?, 0)",
                (network, self._consents.topic_row(network, name, topic), TOPIC),
            )

    def _forget_topic(self, channel: int, topic: str) -> None:
        self._connection.execute(
            "UPDATE channels SET topic = '', version = ? WHERE id = ? AND topic = ?",
            (self._writer.next_version(), channel, topic),
        )
