"""What several tests share: real IRC daemons, and the plugins' modules."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.ircd import Ircd, certificate, find

settings.register_profile("pynfo", deadline=None)  # how long a test takes says nothing on a busy machine
settings.load_profile("pynfo")


@pytest.fixture(autouse=True)
def same_plugin_modules() -> Iterator[None]:
    """Plugins' modules are forgotten when a bot unloads them; those that test files imported stay theirs."""
    before = {name: module for name, module in sys.modules.items() if name.startswith("plugins.")}
    yield
    for name, module in before.items():
        if sys.modules.get(name) is not module:
            sys.modules[name] = module
            parent, _, child = name.rpartition(".")
            if parent in sys.modules:
                setattr(sys.modules[parent], child, module)


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def start_ircd(tmp_path: Path, tls_files: tuple[Path, Path]) -> Iterator[Callable[[str], Ircd]]:
    """Start daemons by name; they end with the test.

    Where one is not installed the test is skipped, but fails on a machine that should have it (CI=true).
    """
    running: list[Ircd] = []

    def start(kind: str) -> Ircd:
        if find(kind) is None:
            missing = f"{kind} is not installed (apt-get install {kind})"
            if os.environ.get("CI") == "true":
                pytest.fail(missing)
            pytest.skip(missing)
        daemon = Ircd(kind, tmp_path / f"{kind}-{len(running)}", *tls_files)
        daemon.start()
        running.append(daemon)
        return daemon

    yield start
    for daemon in running:
        daemon.stop()
