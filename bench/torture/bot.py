"""The bot as a process of its own, with what it keeps on disk."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

NICK = "pynfo"
CONFIG = """
from pynfo.config import Network
nick = {nick!r}
state_dir = "state"
networks = [
    Network(name, host="127.0.0.1", port=port, tls=False, messages_per_second=None, channels=[{channel!r}])
    for name, port in {ports!r}
]
_wire = {{"name": "torture", "ports": {places!r}}}
plugins = {{"admin": {{}}, "ignore": {{}}, "relay": {{"wires": [_wire]}}}}
"""
TAILS = "SELECT target, count(*) FROM item WHERE settled IS NULL AND written > 0 GROUP BY target"


class Bot:
    """`ports`: by network, where it connects to."""

    def __init__(self, folder, channel, ports):
        self._folder = folder
        self._process = None
        self._places = {f"{network}/{channel}": network for network in ports}
        (folder / "config.py").write_text(
            CONFIG.format(nick=NICK, channel=channel, ports=list(ports.items()), places=list(self._places))
        )

    def start(self):
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pynfo", "run", str(self._folder / "config.py")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self):
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self):
        """As an operator would; by force where it does not end in time."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    @property
    def ended(self):
        """Whether it has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def memory(self):
        """Resident MiB of the process."""
        with open(f"/proc/{self._process.pid}/statm") as pages:
            return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def tails(self):
        """By network, how many messages to it are written and not confirmed; None where it cannot be read."""
        path = self._folder / "state" / "outbox.sqlite"
        try:
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
                found = dict(connection.execute(TAILS))
        except sqlite3.Error:
            return None
        return {network: found.get(place, 0) for place, network in self._places.items()}

    def last_words(self):
        """The end of its log."""
        log = self._folder / "log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else ""
