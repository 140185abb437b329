"""Out of the archive: texts that are redacted, people who are forgotten, lines that are too old.

What is removed is overwritten in the tables at once (`PRAGMA secure_delete`). In the index it is only marked
as removed; `tidy` rewrites the months that it was in, and empties the write-ahead log, so that nothing is
left in any file. Everything is done in transactions of `AT_ONCE` lines, between which others may write.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from plugins.logs.archive.consents import FORGOTTEN, OUT, TOPIC, Consents
from plugins.logs.archive.records import Person
from plugins.logs.archive.words import ids_of_month, indexed, table_of
from plugins.logs.archive.writing import HOUR, INSERT_CHANGE, REDACTED, REDACTION, REMOVAL, Writer
from plugins.logs.line import KINDS, MICROSECONDS, TALK
from pynfo.irc.casemap import fold

AT_ONCE = 500  # lines in a transaction

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
            version = self._writer.next_version()
            self._connection.execute(
                "UPDATE hours SET version = ? WHERE channel = ? AND hour = ?",
                (version, channel, line_id // HOUR),
            )
            # Lines of any day may answer it, and are shown with its text.
            self._connection.execute("UPDATE channels SET version = ? WHERE id = ?", (version, channel))
            if KINDS[kind] == "topic":
                self._forget_topic(channel, text)
                self._keep_out([(channel, text)])
            self._connection.execute(INSERT_CHANGE, (channel, line_id, REDACTION))
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

    def forget(self, network: str, person: Person, now: float) -> int:
        """Remove all lines of somebody, and keep that those before `now` are not to come back."""
        nicks = {nick for _, nick in self._authors_of(network, person)} | set(person.nicks)
        until = round(now * MICROSECONDS)
        with self._writer.writing():
            who = {*self._consents.rows(network, person), *self._consents.nick_rows(network, nicks)}
            self._connection.executemany(
                "INSERT OR REPLACE INTO consent (network, who, what, until) VALUES (?, ?, ?, ?)",
                ((network, one, FORGOTTEN, until) for one in who),
            )
            lines = self._lines_of(network, person)
            self._keep_out(self._topics_of(lines))
        self._consents.load(self._connection)
        count = self.remove(lines)
        with self._writer.writing():
            self._forget_targets(network, nicks)
            self._remove_authors(network, person)
        return count

    def opt_out(self, network: str, person: Person, out: bool, now: float) -> None:
        """Keep nothing more of somebody, or keep it again."""
        with self._writer.writing():
            for who in self._consents.rows(network, person):
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

    def retain(self, channel: int, since: int) -> int:
        """Remove what a channel has of before an id."""
        found = self._connection.execute(
            "SELECT id FROM lines WHERE channel = ? AND id < ?", (channel, since)
        )
        count = self.remove([line_id for (line_id,) in found])
        with self._writer.writing():
            self._connection.execute("DELETE FROM gaps WHERE channel = ? AND until < ?", (channel, since))
        return count

    def remove(self, ids: Sequence[int]) -> int:
        """Remove lines whole; gives how many."""
        return sum(self._remove(ids[start : start + AT_ONCE]) for start in range(0, len(ids), AT_ONCE))

    def tidy(self) -> bool:
        """Leave nothing of what was removed in the files. False where somebody still reads: try again."""
        months = self._connection.execute("SELECT month FROM unfinished ORDER BY month DESC").fetchall()
        for (month,) in months:
            with self._writer.writing():
                self._rewrite(month)
                self._connection.execute("DELETE FROM unfinished WHERE month = ?", (month,))
        busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not busy

    # -- how it is done

    def _remove(self, ids: Sequence[int]) -> int:
        marks = ", ".join("?" * len(ids))
        with self._writer.writing():
            found = self._connection.execute(
                "SELECT lines.id, channel, kind, nick, text FROM lines JOIN authors ON authors.id = author "
                f"WHERE lines.id IN ({marks})",
                ids,
            ).fetchall()
            version = self._writer.next_version()
            for line_id, channel, kind, nick, text in found:
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
        since = 0 if person.account else round(person.since * MICROSECONDS)
        authors = [author for author, _ in self._authors_of(network, person)]
        found = self._connection.execute(
            "SELECT id FROM lines INDEXED BY lines_of_channel "
            f"WHERE author IN ({', '.join(map(str, authors))}) AND id >= ?",
            (since,),
        )
        return [line_id for (line_id,) in found]

    def _remove_authors(self, network: str, person: Person) -> None:
        """Those who have no line any more."""
        authors = ", ".join(str(author) for author, _ in self._authors_of(network, person))
        self._connection.execute(
            f"DELETE FROM authors WHERE id IN ({authors}) AND id NOT IN "
            f"(SELECT author FROM lines INDEXED BY lines_of_channel WHERE author IN ({authors}))"
        )
        self._writer.forget_authors()

    def _forget_targets(self, network: str, nicks: Iterable[str]) -> None:
        """Who was kicked is told no more, where it was somebody with those nicks."""
        self._connection.executemany(
            "UPDATE lines SET target = NULL WHERE kind = ? AND target = ? COLLATE NOCASE "
            "AND channel IN (SELECT id FROM channels WHERE network = ?)",
            ((KINDS.index("kick"), nick, network) for nick in nicks),
        )

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
