"""How quickly messages go through one wire, beside a bare relay: pacing is off, and Pynfo's queue is on disk.

Usage: python -m bench.relay
"""

import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from bench.server import Server

HERE = Path(__file__).parent
ROUNDS = 3
MESSAGES = {"bare": 100_000, "pynfo": 30_000}
SENDERS = 10
CHUNK = 200  # messages in one write
ON_THEIR_WAY = 2000  # messages at most; the queue of a port holds 5,000
PACE = 100  # messages a second, to measure the delay
PACED = 1500  # messages at that pace
CARRIED = re.compile(r"<(\w+)@left> message (\d+)\.(\d+)$")

CONFIG = """
from pynfo.config import Network
state_dir = {state!r}
networks = [
    Network(name, host="127.0.0.1", port=port, tls=False, messages_per_second=None, channels=["#bench"])
    for name, port in {ports!r}
]
_wire = {{"name": "bench", "ports": ["left/#bench", "right/#bench"]}}
plugins = {{"ignore": {{}}, "admin": {{}}, "relay": {{"wires": [_wire]}}}}
"""
# name, figure, unit, goal for pynfo's figure
ROWS = [
    ("relay: messages a second", "messages_per_s", "", ("at least", 3000)),
    ("delay at 100 a second, p50", "delay_p50_ms", "ms", None),
    ("delay at 100 a second, p99", "delay_p99_ms", "ms", ("at most", 20)),
]


async def measure_one(bot):
    """The figures of "bare" or "pynfo"."""
    with tempfile.TemporaryDirectory() as folder:
        async with Server() as left_server, Server() as right_server:
            with running(bot, Path(folder), left_server.port, right_server.port):
                _, left = await asyncio.wait_for(left_server.joined, 30)
                _, right = await asyncio.wait_for(right_server.joined, 30)
                await settle(left, right)
                return await throughput(left, right, MESSAGES[bot]) | await delay(left, right)


@contextmanager
def running(bot, folder, left, right):
    """A bot that relays between these ports, until the end of the block."""
    if bot == "bare":
        command = [str(HERE / "bare_relay.py"), str(left), str(right)]
    else:
        path = folder / "config.py"
        ports = [("left", left), ("right", right)]
        path.write_text(CONFIG.format(state=str(folder / "state"), ports=ports))
        command = ["-m", "pynfo", "run", str(path)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        [sys.executable, *command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def settle(left, right):
    """Wait until what is said on the left arrives on the right: everything is loaded and joined."""
    for attempt in range(60):
        await left.send(b":alice!a@h PRIVMSG #bench :is anybody there? %d\r\n" % attempt)
        try:
            await right.expect(1, 0.5)
        except TimeoutError:
            continue
        return
    raise SystemExit("nothing is relayed")


async def throughput(left, right, count):
    """Messages as fast as they are taken, from several people; none lost, in order for each."""
    numbers = [0] * SENDERS  # what each sender says next
    arrived = [0] * SENDERS  # what of each must come next
    sent = 0
    began = when = time.perf_counter()
    while sum(arrived) < count:
        while sent < count and sent - sum(arrived) < ON_THEIR_WAY:
            lines = []
            for sender in (number % SENDERS for number in range(CHUNK)):
                lines.append(message(sender, numbers[sender]))
                numbers[sender] += 1
            await left.send(b"".join(lines))
            sent += CHUNK
        when, replies = await right.expect(1, 30)
        for sender, number in filter(None, map(relayed, replies)):
            if number != arrived[sender]:
                raise SystemExit(f"message {arrived[sender]} of user{sender} is lost, double or out of order")
            arrived[sender] += 1
    return {"messages_per_s": count / (when - began)}


async def delay(left, right):
    """Milliseconds from a message on one server to its copy on the other, at a steady pace."""
    sent, delays = [], []

    async def receive():
        while len(delays) < PACED:
            when, replies = await right.expect(1, 30)
            for _, number in filter(None, map(relayed, replies)):
                delays.append((when - sent[number]) * 1000)

    receiving = asyncio.create_task(receive())
    began = time.perf_counter()
    for number in range(PACED):
        await asyncio.sleep(began + number / PACE - time.perf_counter())
        sent.append(time.perf_counter())
        await left.send(message(number % SENDERS, number))
    await receiving
    delays.sort()
    return {"delay_p50_ms": delays[PACED // 2], "delay_p99_ms": delays[int(PACED * 0.99)]}


def message(sender, number):
    return b":user%d!u@h PRIVMSG #bench :message %d.%d\r\n" % (sender, sender, number)


def relayed(reply):
    """Sender and number of a message as it was relayed; None where it is none."""
    found = CARRIED.match(reply.decode().replace("\u2060", ""))
    return (int(found[2]), int(found[3])) if found else None


async def measure():
    """The medians of all rounds, for each bot."""
    rounds = {"bare": [], "pynfo": []}
    for number in range(ROUNDS):
        for bot, figures in rounds.items():
            print(f"relay, round {number + 1} of {ROUNDS}: {bot}", file=sys.stderr)
            figures.append(await measure_one(bot))
    return {
        bot: {key: statistics.median(each[key] for each in figures) for key in figures[0]}
        for bot, figures in rounds.items()
    }


def table(figures):
    """Rows for the table of `python -m bench`."""
    out = []
    for name, key, unit, goal in ROWS:
        bare, pynfo = figures["bare"][key], figures["pynfo"][key]
        ratio = pynfo / bare
        shown = f"1/{1 / ratio:.1f}" if ratio < 0.9 else f"{ratio:.2f}"
        values = "".join(
            f"{f'{value:,.3f} {unit}' if unit else f'{value:,.0f}':>12}" for value in (bare, pynfo)
        )
        wanted = ""
        if goal is not None:
            direction, limit = goal
            met = pynfo >= limit if direction == "at least" else pynfo <= limit
            wanted = f"   {direction} {limit:,} {unit}".rstrip() + (" ✓" if met else " ✗")
        out.append(f"{name:26}{values}{shown:>9}{wanted}")
    return "\n".join(out)


if __name__ == "__main__":
    print(table(asyncio.run(measure())))
