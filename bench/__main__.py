"""Runs the bare bot and Pynfo in turn, several rounds, and prints what they did beside each other; then one
wire of the relay beside a bare relay, the archive of logs beside bare inserts, and the log site on
`SITE_LINES` lines.

Machines are noisy: only the ratios within one run count. The figures of a bot are the medians of its rounds.
"""

import asyncio
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from bench import ingest, relay, site
from bench.parse import parse_ratio
from bench.server import Server

HERE = pathlib.Path(__file__).parent
ROUNDS = 3
TRIPS = 3000
COMMANDS = {"bare": 100_000, "pynfo": 20_000}
LINES = {"bare": 200_000, "pynfo": 100_000}
SENDERS = 10
IDLE = 20.0  # seconds of doing nothing
CHUNK = 1000  # lines in one write
SITE_LINES = 5_000_000

CONFIG = """
from pynfo.config import Network
command_limits = {{"user": None, "channel": None}}
state_dir = {state!r}
plugin_path = [{plugins!r}]
networks = [Network("bench", host="127.0.0.1", port={port}, tls=False, messages_per_second=None,
                    channels=["#bench"])]
plugins = {{"ignore": {{}}, "seen": {{}}, "admin": {{}}, "bench": {{}}}}
"""
THREE_PLUGINS = CONFIG.replace(', "bench": {{}}', "")


async def measure(bot: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        figures = await start_up(bot, pathlib.Path(folder))
        async with Server() as server:
            process = launch(bot, server.port, pathlib.Path(folder), CONFIG)
            try:
                _, connection = await asyncio.wait_for(server.joined, 30)
                await settle(connection)
                figures |= await round_trips(connection)
                figures |= await commands(connection, COMMANDS[bot])
                figures |= await lines(connection, LINES[bot])
            finally:
                stop(process)
    return figures


async def start_up(bot: str, folder: pathlib.Path) -> dict[str, float]:
    """Process start to JOIN, with the three bundled plugins."""
    async with Server() as server:
        began = time.perf_counter()
        process = launch(bot, server.port, folder, THREE_PLUGINS)
        try:
            joined, _ = await asyncio.wait_for(server.joined, 30)
        finally:
            stop(process)
    return {"start_s": joined - began}


async def idle(bot: str) -> dict[str, float]:
    """Memory and CPU of a bot that has joined and is left alone."""
    with tempfile.TemporaryDirectory() as folder:
        async with Server() as server:
            process = launch(bot, server.port, pathlib.Path(folder), THREE_PLUGINS)
            try:
                await asyncio.wait_for(server.joined, 30)
                await asyncio.sleep(2)
                before = cpu_seconds(process.pid)
                await asyncio.sleep(IDLE)
                used = cpu_seconds(process.pid) - before
                memory = resident_mib(process.pid)
            finally:
                stop(process)
    return {"idle_cpu_percent": 100 * used / IDLE, "memory_mib": memory}


def launch(bot, port, folder, config):
    if bot == "bare":
        command = [sys.executable, str(HERE / "bare_bot.py"), str(port)]
    else:
        path = folder / "config.py"
        path.write_text(config.format(port=port, state=str(folder / "state"), plugins=str(HERE)))
        command = [sys.executable, "-m", "pynfo", "run", str(path)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def settle(connection):
    """Wait until the bot answers: everything is loaded, and the join is behind it."""
    for _ in range(200):
        await connection.send(b":alice!a@h PRIVMSG #bench :!echo 0\r\n")
        await connection.expect(1)


async def round_trips(connection):
    times = []
    for number in range(TRIPS):
        began = time.perf_counter()
        await connection.send(b":alice!a@h PRIVMSG #bench :!echo %d\r\n" % number)
        when, _ = await connection.expect(1)
        times.append((when - began) * 1000)
    times.sort()
    return {"trip_p50_ms": times[len(times) // 2], "trip_p99_ms": times[int(len(times) * 0.99)]}


async def commands(connection, count):
    """Commands as fast as the bot takes them, from several people; none lost, in order for each."""
    each = count // SENDERS
    began = time.perf_counter()
    for start in range(0, each, CHUNK // SENDERS):
        batch = [
            b":user%d!u@h PRIVMSG #bench :!echo %d.%d\r\n" % (sender, sender, number)
            for number in range(start, min(start + CHUNK // SENDERS, each))
            for sender in range(SENDERS)
        ]
        await connection.send(b"".join(batch))
    when, replies = await connection.expect(each * SENDERS, 120)
    last = dict.fromkeys(range(SENDERS), -1)
    for reply in replies:
        sender, number = map(int, reply.split(b"."))
        if number != last[sender] + 1:
            raise SystemExit(f"answers to user{sender} are lost or out of order at {number}")
        last[sender] = number
    return {"commands_per_s": each * SENDERS / (when - began)}


async def lines(connection, count):
    """Ordinary talk: parsed, state kept, one subscriber told."""
    began = time.perf_counter()
    for start in range(0, count, CHUNK):
        batch = [
            b":user%d!u@h PRIVMSG #bench :an ordinary line of talk, number %d\r\n" % (number % 50, number)
            for number in range(start, start + CHUNK)
        ]
        await connection.send(b"".join(batch))
    await connection.send(b":alice!a@h PRIVMSG #bench :!heard\r\n")
    when, replies = await connection.expect(1, 120)
    if int(replies[0]) < count:
        raise SystemExit(f"only {replies[0].decode()} of {count} lines were heard")
    return {"lines_per_s": count / (when - began)}


def cpu_seconds(pid):
    """CPU time of all threads, in nanosecond steps (proc(5), schedstat)."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def resident_mib(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def median(rounds):
    return {key: statistics.median(figures[key] for figures in rounds) for key in rounds[0]}


# name, figure, unit, better than bare means smaller, the goal as a ratio to bare (or an absolute figure)
ROWS = [
    ("round trip, p50", "trip_p50_ms", "ms", "at most", 1.5),
    ("round trip, p99", "trip_p99_ms", "ms", "at most", 2.0),
    ("commands a second", "commands_per_s", "", "at least", 1 / 12),
    ("channel lines a second", "lines_per_s", "", "at least", 1 / 6),
    ("start to first JOIN", "start_s", "s", "at most", 3.0),
]


def table(bare, pynfo, parse):
    out = [f"{'':26}{'bare':>12}{'pynfo':>12}{'ratio':>9}   goal"]
    for name, key, unit, direction, goal in ROWS:
        ratio = pynfo[key] / bare[key]
        met = ratio <= goal if direction == "at most" else ratio >= goal
        wanted = f"{direction} {goal:.3g}" if goal >= 1 else f"{direction} 1/{1 / goal:.0f}"
        shown = f"1/{1 / ratio:.1f}" if ratio < 0.9 else f"{ratio:.2f}"
        values = [f"{value[key]:,.3f} {unit}" if unit else f"{value[key]:,.0f}" for value in (bare, pynfo)]
        out.append(f"{name:26}{values[0]:>12}{values[1]:>12}{shown:>9}   {wanted} {'✓' if met else '✗'}")
    splitter, ours = parse["splitter_per_s"], parse["parse_per_s"]
    met = "✓" if ours * 2 >= splitter else "✗"
    shown = f"1/{splitter / ours:.1f}"
    out.append(
        f"{'Message.parse a second':26}{splitter:>12,.0f}{ours:>12,.0f}{shown:>9}   at least 1/2 {met}"
    )
    for name, key, unit, goal in (
        ("memory, idle", "memory_mib", "MiB", 35),
        ("CPU, idle", "idle_cpu_percent", "%", 0.05),
    ):
        met = "✓" if pynfo[key] <= goal else "✗"
        values = [f"{value[key]:.3g} {unit}" for value in (bare, pynfo)]
        out.append(f"{name:26}{values[0]:>12}{values[1]:>12}{'':>9}   at most {goal} {unit} {met}")
    return "\n".join(out)


async def main():
    rounds = {"bare": [], "pynfo": []}
    for number in range(ROUNDS):
        for bot, figures in rounds.items():
            print(f"round {number + 1} of {ROUNDS}: {bot}", file=sys.stderr)
            figures.append(await measure(bot))
    bare = median(rounds["bare"]) | await idle("bare")
    pynfo = median(rounds["pynfo"]) | await idle("pynfo")
    parse = parse_ratio()
    print(table(bare, pynfo, parse))
    wire = await relay.measure()
    print(relay.table(wire))
    print("archive: the rows of 200,000 lines", file=sys.stderr)
    archive = ingest.measure()
    print(ingest.table(archive))
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    figures = {"bare": bare, "pynfo": pynfo, "parse": parse, "relay": wire, "archive": archive}
    figures["rounds"] = rounds
    (results / "latest.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
    site.run([SITE_LINES])
