"""How quickly lines go into an archive, beside the same rows put in by bare `executemany` calls.

Both write the same tables, indexes and words, in transactions of the same size, with the same pragmas; the
bare script is handed its rows ready-made. Usage: python -m bench.ingest
"""

import statistics
import tempfile
import time
from pathlib import Path

from bench.talk import Talk
from plugins.logs.archive.database import open_archive, transaction
from plugins.logs.archive.words import CREATE
from plugins.logs.archive.writing import Writer

LINES = 200_000
BATCH = 2000
ROUNDS = 3


def batches(lines):
    for start in range(0, len(lines), BATCH):
        yield lines[start : start + BATCH]


def ours(lines, folder):
    """Lines a second."""
    connection = open_archive(folder / "archive.db")
    writer = Writer(connection)
    began = time.perf_counter()
    for batch in batches(lines):
        writer.insert(batch)
    took = time.perf_counter() - began
    connection.close()
    return len(lines) / took


class Recorded:
    """A connection that keeps what is written over it, batch by batch."""

    def __init__(self, connection):
        self._connection = connection
        self.batches = []

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def executemany(self, statement, rows):
        rows = list(rows)
        self.batches[-1].append((statement, rows))
        return self._connection.executemany(statement, rows)


def rows_of(lines, folder):
    """What `Writer` writes for the lines: statements and rows, batch by batch; and the small tables whole."""
    connection = Recorded(open_archive(folder / "archive.db"))
    writer = Writer(connection)
    for batch in batches(lines):
        connection.batches.append([])
        writer.insert(batch)
    small = {
        table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("channels", "authors")
    }
    connection.close()
    return connection.batches, small


def bare(written, small, folder, count):
    """Lines a second."""
    connection = open_archive(folder / "archive.db")
    began = time.perf_counter()
    with transaction(connection):
        for table, rows in small.items():
            if rows:
                connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    for batch in written:
        with transaction(connection):
            for statement, rows in batch:
                if "INTO words_" in statement:
                    connection.execute(CREATE.format(statement.split()[2]))
                connection.executemany(statement, rows)
    took = time.perf_counter() - began
    connection.close()
    return count / took


def measure():
    """Medians of several rounds, in turn."""
    lines = next(Talk().lines(10 * LINES))
    lines += next(Talk(2).lines(10 * LINES))
    lines.sort(key=lambda line: line.time)
    with tempfile.TemporaryDirectory() as folder:
        written, small = rows_of(lines, Path(folder))
    figures = {"ours": [], "bare": []}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            figures["bare"].append(bare(written, small, Path(folder), len(lines)))
        with tempfile.TemporaryDirectory() as folder:
            figures["ours"].append(ours(lines, Path(folder)))
    return {name: statistics.median(rounds) for name, rounds in figures.items()}


def table(figures):
    ratio = figures["ours"] / figures["bare"]
    met = figures["ours"] >= 20_000 and ratio >= 0.6
    return (
        f"{'archive: lines a second':26}{figures['bare']:>12,.0f}{figures['ours']:>12,.0f}{ratio:>9.2f}"
        f"   at least 0.6, and 20,000 {'✓' if met else '✗'}"
    )


if __name__ == "__main__":
    print(table(measure()))
