"""Real IRC daemons on loopback, as peers of the bot: start, kill, start again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).parent
START_LIMIT = 20.0  # seconds for a daemon to listen
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def find(kind: str) -> str | None:
    """Where the daemon's program is."""
    return shutil.which(kind, path=PATH)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and 127.0.0.1, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
    )
    subprocess.run(
        ["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048"]
        + ["-out", str(folder / "dh.pem")],
        check=True,
        capture_output=True,
    )
    return cert, key


class Ircd:
    """One daemon, `inspircd` or `ngircd`, with a folder and ports of its own."""

    def __init__(self, kind: str, folder: Path, cert: Path, key: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.cert = cert
        self.port = free_port()
        self.tls_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(cert.parent / "dh.pem", folder / "dh.pem")
        template = (HERE / f"{kind}.conf").read_text()
        config = template.format(port=self.port, tls_port=self.tls_port, rundir=folder, cert=cert, key=key)
        (folder / f"{kind}.conf").write_text(config)

    def start(self) -> None:
        """Start it, and wait until it listens."""
        program = find(self.kind)
        assert program, f"{self.kind} is not installed"
        config = str(self.folder / f"{self.kind}.conf")
        if self.kind == "inspircd":
            command = [program, "--nofork", "--config", config]
            if os.geteuid() == 0:
                command.insert(2, "--runasroot")
        else:
            command = [program, "-n", "-f", config]
        with open(self.folder / "output", "ab") as output:
            self._process = subprocess.Popen(command, cwd=self.folder, stdout=output, stderr=output)
        deadline = time.monotonic() + START_LIMIT
        while True:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            said = (self.folder / "output").read_text(errors="replace")[-2000:]
            assert self._process.poll() is None, f"{self.kind} has ended: {said}"
            assert time.monotonic() < deadline, f"{self.kind} does not listen: {said}"
            os.sched_yield()

    def kill(self) -> None:
        """SIGKILL: connections are cut without a word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
