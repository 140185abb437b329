"""What `pip install .` gives: built, installed in an empty environment, and talked to."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIMIT = 300  # seconds for a build or an installation


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
        timeout=LIMIT,
    )
    [built] = folder.glob("*.whl")
    return built


def test_holds_the_bundled_plugins_and_their_registrations(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    bundled = {f"pynfo/bundled/{path.relative_to(ROOT)}" for path in (ROOT / "plugins").rglob("*.py")}
    assert bundled
    assert bundled | {"pynfo/bundled/plugins.tml", "pynfo/bundled/config.example.py"} <= names
    assert not any(name.startswith(("tests/", "bench/", "plugins/", "state/")) for name in names)


def test_talks_from_any_directory_after_it_is_installed(wheel, tmp_path):
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    program = environment / "bin"
    subprocess.run(
        [program / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)],
        check=True,
        capture_output=True,
        timeout=LIMIT,
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    said = subprocess.run(
        [program / "pynfo", "console"],
        input="!ping\n!help seen\n",
        capture_output=True,
        text=True,
        cwd=elsewhere,
        timeout=60,
        check=True,
    ).stdout
    assert "<pynfo> pong" in said
    assert "<pynfo> !seen NICK" in said
    subprocess.run(
        [program / "pynfo", "init", "--nick", "robot", "--host", "irc.example", "--channel", "#here"],
        cwd=elsewhere,
        check=True,
        capture_output=True,
        timeout=60,
    )
    subprocess.run([program / "pynfo", "check"], cwd=elsewhere, check=True, capture_output=True, timeout=60)
