"""What plugins import from `pynfo`."""

from __future__ import annotations

import subprocess
import sys

import pynfo


def test_every_public_name_is_there() -> None:
    assert all(getattr(pynfo, name) is not None for name in pynfo.__all__)


def test_command_is_the_decorator_whatever_was_imported_before() -> None:
    """The module `pynfo.command` has the same name, so a process of its own for each order."""
    for before in ("import pynfo.command", "from pynfo.command import Request", "from pynfo import Request"):
        check = f"{before}\nfrom pynfo import command\n@command\ndef roll(request): ..."
        subprocess.run([sys.executable, "-c", check], check=True, timeout=30)
