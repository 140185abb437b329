"""The log site on an archive of millions of lines: how long pages and searches take, and what it all weighs.

    python -m bench.site 500000 5000000 20000000    the growth table of docs/performance.md (an hour)
    python -m bench.site 5000000 --keep FOLDER      makes the archive there, or uses the one that is

Times are those of a reader on loopback who asks for one thing after another, with gzip, of `pynfo web`; each
page and search is asked for once, so that none comes out of memory. The last figure is of a bot whose own
process serves the pages to `wrk`, as many as it can take, while somebody gives it one command after another.
"""

import argparse
import asyncio
import http.client
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from urllib.parse import quote

from bench.server import Server
from bench.talk import Talk
from plugins.logs.archive.database import open_archive
from plugins.logs.archive.writing import Writer
from plugins.logs.site.addresses import day_path, place_path

HERE = Path(__file__).parent
BATCH = 10_000  # lines in a transaction while the archive is made
FULL = 1000  # lines of a page
PAGES = 60
SEARCHES = 60  # of each sort
GOAL_LINES = 5_000_000  # the size that the goals are for
TRIPS = 1500  # commands while pages are read
CONFIG = """
from pynfo.config import Http, Network
http = Http(port={port}, requests_per_second=None)
command_limits = {{"user": None, "channel": None}}
state_dir = {state!r}
plugin_path = [{plugins!r}]
networks = [Network("bench", host="127.0.0.1", port={irc}, tls=False, messages_per_second=None,
                    channels=["#bench"])]
networks += [Network(f"net{{number}}", host="127.0.0.1", port=1, tls=False) for number in range(3)]
plugins = {{"admin": {{}}, "bench": {{}},
           "logs": {{"channels": {{place: {{"publish": "public"}} for place in {places!r}}}}}}}
"""
# name, figure, unit, goal ("at most")
ROWS = [
    ("day of 1,000 lines, median", "page_ms", "ms", 30.0),
    ("the same, not changed (304)", "unchanged_ms", "ms", 2.0),
    ("search, rare word, p95", "rare_ms", "ms", 50.0),
    ("  in one channel", "rare_here_ms", "ms", 50.0),
    ("search, common word, p95", "common_ms", "ms", 50.0),
    ("  in one channel", "common_here_ms", "ms", 50.0),
    ("search, two words, p95", "two_ms", "ms", 50.0),
    ("  in one channel", "two_here_ms", "ms", 50.0),
    ("memory of pynfo web", "memory_mib", "MiB", 150.0),
    ("commands while wrk reads, p99", "trip_p99_ms", "ms", 50.0),
]


def fill(path, count):
    """Make an archive of about `count` lines; gives lines a second."""
    connection = open_archive(path)
    writer = Writer(connection)
    began, done = time.perf_counter(), 0
    for chunk in Talk().lines(count):
        for start in range(0, len(chunk), BATCH):
            done += len(writer.insert(chunk[start : start + BATCH]))
        print(f"\r{done:,} lines", end="", file=sys.stderr)
    print(file=sys.stderr)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return done / (time.perf_counter() - began)


def full_days(path):
    """Addresses of days that have a whole first page, in no order."""
    connection = open_archive(path, read_only=True)
    found = connection.execute(
        "SELECT network || '/' || name, hour / 24 FROM hours JOIN channels ON channels.id = channel "
        "GROUP BY channel, hour / 24 HAVING sum(hours.lines) >= ?",
        (FULL,),
    ).fetchall()
    connection.close()
    epoch = date(1970, 1, 1).toordinal()
    days = [day_path(place, date.fromordinal(epoch + day), 1) for place, day in found]
    random.Random(1).shuffle(days)
    return days


class Reader:
    """One reader, on one connection."""

    def __init__(self, port):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path, status=200, **headers):
        """Milliseconds, headers, size of the body. Raises `SystemExit` for another status."""
        began = time.perf_counter()
        self._connection.request("GET", path, headers={"Accept-Encoding": "gzip", **headers})
        response = self._connection.getresponse()
        body = response.read()
        took = (time.perf_counter() - began) * 1000
        if response.status != status:
            raise SystemExit(f"{path}: {response.status} {body[:300]!r}")
        return took, response.headers, len(body)


@contextmanager
def running(command, ready):
    """A process until the end of the block; begins when it answers on the port `ready`."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pynfo", *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            try:
                Reader(ready).get("/healthz")
                break
            except (OSError, SystemExit):
                time.sleep(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def percentile(times, part):
    return sorted(times)[min(len(times) - 1, int(len(times) * part))]


def read(port, pid, days, talk):
    """What a reader of `pynfo web` meets."""
    reader, pick = Reader(port), random.Random(2)
    reader.get("/")
    pages = [reader.get(path) for path in days[:PAGES]]
    unchanged = [
        reader.get(path, 304, **{"If-None-Match": headers["ETag"]})[0]
        for path, (_, headers, _) in zip(days, pages, strict=False)
    ]
    figures = {
        "page_ms": statistics.median(page[0] for page in pages),
        "page_kib": statistics.median(page[2] for page in pages) / 1024,
        "unchanged_ms": statistics.median(unchanged),
    }
    words = talk.vocabulary
    sorts = {
        "rare": lambda: words[pick.randrange(30_000, 60_000)],
        "common": lambda: words[pick.randrange(60)],
        "two": lambda: f"{words[pick.randrange(300)]} {words[pick.randrange(300, 3000)]}",
    }
    for sort, query in sorts.items():
        for where, prefix in (("", "/"), ("_here", None)):
            times = []
            for _ in range(SEARCHES):
                place = place_path(talk.places[pick.randrange(len(talk.places))])
                times.append(reader.get(f"{prefix or place}search?q={quote(query())}")[0])
            figures[f"{sort}{where}_ms"] = percentile(times, 0.95)
    figures["memory_mib"] = memory(pid)
    return figures


def memory(pid):
    """Resident MiB that are the process's own or shared."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def commands_under_load(folder, config, days, talk):
    """Round trips of commands while `wrk` reads days and searches from the bot's own process."""
    async with Server() as server:
        port = free_port()
        (folder / "bot.py").write_text(config(port, server.port))
        script = folder / "paths.lua"
        searches = [f"/search?q={word}" for word in talk.vocabulary[:200]]
        script.write_text(
            f"local paths = {{{', '.join(json.dumps(path) for path in days[:200] + searches)}}}\n"
            "local number = 0\n"
            "request = function()\n  number = number % #paths + 1\n"
            '  return wrk.format("GET", paths[number], {["Accept-Encoding"] = "gzip"})\nend\n'
        )
        with running(["run", str(folder / "bot.py")], port):
            _, connection = await asyncio.wait_for(server.joined, 30)
            for _ in range(100):
                await connection.send(b":alice!a@h PRIVMSG #bench :!echo 0\r\n")
                await connection.expect(1)
            wrk = await asyncio.create_subprocess_exec(
                "wrk", "-t2", "-c64", "-d60s", "-s", str(script), f"http://127.0.0.1:{port}",
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            times, began = [], time.perf_counter()
            while len(times) < TRIPS and wrk.returncode is None:
                sent = time.perf_counter()
                await connection.send(b":alice!a@h PRIVMSG #bench :!echo %d\r\n" % len(times))
                when, _ = await connection.expect(1)
                times.append((when - sent) * 1000)
                await asyncio.sleep(0.005)
            wrk.send_signal(signal.SIGINT)
            told = (await wrk.communicate())[0].decode()
    rate = next((line.split()[-1] for line in told.splitlines() if "Requests/sec" in line), "?")
    return {
        "trip_p50_ms": percentile(times, 0.5),
        "trip_p99_ms": percentile(times, 0.99),
        "trips": len(times),
        "seconds": time.perf_counter() - began,
        "requests_per_s": rate,
    }


def free_port():
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def measure(count, folder):
    """All figures of an archive of `count` lines, made in `folder` where it is not there."""
    talk, path = Talk(), folder / "state" / "logs" / "archive.db"
    figures = {"lines": count}
    if not path.exists():
        figures["ingest_per_s"] = fill(path, count)
    figures["archive_mib"] = path.stat().st_size / 2**20

    def config(port, irc):
        return CONFIG.format(
            port=port, irc=irc, state=str(folder / "state"), plugins=str(HERE), places=talk.places
        )

    days, port = full_days(path), free_port()
    (folder / "config.py").write_text(config(port, 1))
    with running(["web", str(folder / "config.py")], port) as process:
        figures |= read(port, process.pid, days, talk)
    return figures | asyncio.run(commands_under_load(folder, config, days, talk))


def table(runs):
    """The figures of several archives beside each other."""
    head = "".join(f"{run['lines'] / 1e6:>9.1f} M" for run in runs)
    judged = [run for run in runs if run["lines"] == GOAL_LINES] or runs
    out = [f"{'lines':30}{head}   goal"]
    for name, key, unit, goal in ROWS:
        met = "✓" if all(run[key] <= goal for run in judged) else "✗"
        values = "".join(f"{run[key]:>11.3g}" for run in runs)
        out.append(f"{name:30}{values}   at most {goal:g} {unit} {met}")
    sizes = "".join(f"{run['archive_mib']:>11,.0f}" for run in runs)
    out.append(f"{'archive on disk, MiB':30}{sizes}")
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lines", type=int, nargs="+")
    parser.add_argument("--keep", type=Path, help="a folder for the archives, used again if they are there")
    arguments = parser.parse_args()
    run(arguments.lines, arguments.keep)


def run(counts, keep=None):
    """Measure archives of so many lines, and print their figures. `keep`: where they stay."""
    runs = []
    for count in counts:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) if keep is None else keep / str(count)
            folder.mkdir(parents=True, exist_ok=True)
            runs.append(measure(count, folder))
            print(json.dumps(runs[-1], indent=2), file=sys.stderr)
    print(table(runs))
    (HERE / "results" / "site.json").write_text(json.dumps(runs, indent=2) + "\n")


if __name__ == "__main__":
    main()
