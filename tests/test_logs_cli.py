"""`pynfo logs import`, `export` and `status`, from a config file to an archive and back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plugins.logs.archive.records import Person
from plugins.logs.archive.service import Archive
from plugins.logs.line import Line
from plugins.logs.settings import ChannelSettings
from pynfo.cli import cli
from tests.log_files import LOGS, write

CONFIG = """
from pynfo.config import Network
networks = [Network("libera", host="irc.libera.chat")]
plugins = {"logs": {"channels": {"libera/#pynfo": {"publish": "public"}, "libera/#quiet": {}}}}
"""
IRSSI = str(LOGS / "irssi/libera/#pynfo.log")
DAY = datetime(2026, 11, 21, tzinfo=UTC).date()

Pynfo = Callable[..., Result]


@pytest.fixture
def pynfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pynfo:
    """Run a command in a directory with a config."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("config.py").write_text(CONFIG)
    return lambda *words: CliRunner().invoke(cli, words, prog_name="pynfo")


def archive() -> Archive:
    """The archive of the config, as a running bot has it."""
    return Archive(Path("state/logs"), places={"libera/#pynfo": ChannelSettings(publish="public")})


def said(text: str, minute: int, second: float) -> Line:
    time = datetime(2026, 11, 21, 10, minute, tzinfo=UTC).timestamp() + second
    return Line(network="libera", channel="#pynfo", time=time, kind="message", nick="alice", text=text)


# -- import


def test_what_was_imported_is_in_the_archive(pynfo: Pynfo) -> None:
    told = pynfo("logs", "import", "--zone", "UTC", IRSSI)

    assert told.exit_code == 0
    assert told.output == (f"{IRSSI}: 17 lines of 2026-11-20 to 2026-11-21, 17 new (irssi, libera/#pynfo)\n")
    exported = pynfo("logs", "export", "libera/#pynfo", "--format", "text").output.splitlines()
    assert len(exported) == 17
    assert exported[1] == "[2026-11-20 23:58:00] <carol> does anybody know why the tests fail?"


def test_nothing_is_new_the_second_time(pynfo: Pynfo) -> None:
    pynfo("logs", "import", "--zone", "UTC", str(LOGS))

    told = pynfo("logs", "import", "--zone", "UTC", str(LOGS))

    assert told.stdout.splitlines()[-1].startswith("5 files: 64 lines of 2025-12-31 to 2026-11-21, 0 new")


async def test_what_the_bot_heard_is_not_new(pynfo: Pynfo) -> None:
    bot = archive()
    for line in (said("hi", 2, 3.25), said("hi", 2, 40.5), said("bye", 3, 1.0)):
        bot.append(line)
    await bot.flush()
    log = write(
        Path("#pynfo.log"),
        "--- Log opened Sat Nov 21 10:00:00 2026",
        *("10:02 < alice> hi", "10:02 < alice> hi", "10:02 < alice> hi", "10:03 < alice> bye"),
    )

    told = await asyncio.to_thread(pynfo, "logs", "import", "--zone", "UTC", "--network", "libera", str(log))

    assert "4 lines of 2026-11-21, 1 new" in told.output
    page = await bot.day("libera/#pynfo", DAY)
    assert [line.text for line in page.lines] == ["hi", "hi", "hi", "bye"]
    await bot.stop()


async def test_old_files_do_not_bring_back_who_was_forgotten(pynfo: Pynfo) -> None:
    bot = archive()
    identity = b"i" * 16
    line = said("hi", 2, 3.0)
    line.identity = identity
    bot.append(line)
    await bot.flush()
    await bot.forget("libera", Person(nicks=("alice",), identity=identity, since=line.time - 1))
    await bot.stop()
    log = write(Path("2026-11-20.log"), "[10:02:03] <alice> hi", "[10:02:04] <bob> hi")

    pynfo("logs", "import", "--zone", "UTC", "--network", "libera", "--channel", "pynfo", str(log))

    exported = pynfo("logs", "export", "libera/#pynfo", "--format", "text").output
    assert exported == "[2026-11-20 10:02:04] <bob> hi\n"


def test_the_zone_of_the_files_counts(pynfo: Pynfo) -> None:
    pynfo("logs", "import", "--zone", "Europe/Berlin", IRSSI)

    exported = pynfo("logs", "export", "libera/#pynfo", "--format", "text").output.splitlines()
    assert exported[1].startswith("[2026-11-20 22:58:00] <carol>")


def test_a_zone_that_there_is_not_is_told(pynfo: Pynfo) -> None:
    for zone in ("Europe/Pynfo", "../../etc/passwd"):
        told = pynfo("logs", "import", "--zone", zone, IRSSI)

        assert told.exit_code == 2
        assert f"there is no time zone '{zone}'" in told.output


def test_a_dry_run_writes_nothing(pynfo: Pynfo) -> None:
    told = pynfo("logs", "import", "--zone", "UTC", "--dry-run", IRSSI)

    assert "17 lines of 2026-11-20 to 2026-11-21, nothing written" in told.output
    assert not Path("state").exists()


def test_lines_that_cannot_be_read_are_counted_and_the_first_are_shown(pynfo: Pynfo) -> None:
    texts = [f"[10:02:03] <alice> {number}" for number in range(10)]
    log = write(Path("2026-11-21.log"), *texts, *(["what is \x1b[2Jthis"] * 5))

    told = pynfo("logs", "import", "--zone", "UTC", "--network", "libera", "--channel", "pynfo", str(log))

    assert told.exit_code == 0
    assert "10 lines of 2026-11-21, 10 new, 5 could not be read" in told.output
    assert "    line 11: it does not begin with a time: what is [2Jthis\n" in told.output
    assert "    and 2 more\n" in told.output


def test_a_file_of_a_channel_that_is_not_kept_is_refused_and_the_others_are_read(pynfo: Pynfo) -> None:
    Path("oftc").mkdir()
    log = write(Path("oftc/#pynfo.log"), "--- Log opened Sat Nov 21 10:00:00 2026", "10:02 < alice> hi")

    told = pynfo("logs", "import", "--zone", "UTC", str(log), IRSSI)

    assert told.exit_code == 1
    assert "oftc/#pynfo.log: is of oftc/#pynfo, which is not kept" in told.output
    assert "17 new" in told.output


def test_of_several_files_only_those_of_the_channel_that_is_said_are_read(pynfo: Pynfo) -> None:
    Path("libera").mkdir()
    for name in ("#pynfo.log", "#other.log", "alice.log", "pynfo.log"):
        write(Path("libera") / name, "--- Log opened Sat Nov 21 10:00:00 2026", f"10:02 < alice> in {name}")
    write(Path("libera/pynfo_20261121.log"), "[10:03:00] <alice> in energymech's", "[10:03:00] * bob nods")

    words = ("logs", "import", "--zone", "UTC", "--network", "libera", "--channel", "pynfo")
    pynfo(*words, "libera")
    pynfo(*words, *(str(path) for path in Path("libera").iterdir()))

    exported = pynfo("logs", "export", "libera/#pynfo", "--format", "text").output.splitlines()
    assert [text[22:] for text in exported] == [
        "<alice> in #pynfo.log",
        "<alice> in energymech's",
        "* bob nods",
    ]


def test_one_network_is_not_said_of_files_of_several(pynfo: Pynfo) -> None:
    for name in ("libera", "oftc"):
        Path(name).mkdir()
        write(Path(name) / "#pynfo.log", "--- Log opened Sat Nov 21 10:00:00 2026", "10:02 < alice> hi")

    told = pynfo("logs", "import", "--network", "libera", "libera", "oftc")

    assert told.exit_code == 2
    assert "these files are of several networks: libera, oftc" in told.output


def test_an_archive_that_cannot_be_opened_is_told(pynfo: Pynfo) -> None:
    Path("state/logs").mkdir(parents=True)
    Path("state/logs/archive.db").write_bytes(b"no database at all" * 100)

    told = pynfo("logs", "import", "--zone", "UTC", IRSSI)

    assert told.exit_code == 1
    assert "archive.db is no archive that can be read" in told.output


# -- export


def test_what_was_exported_is_the_same_after_an_import(pynfo: Pynfo) -> None:
    pynfo("logs", "import", "--zone", "UTC", IRSSI)
    pynfo("logs", "export", "libera/#pynfo", "--output", "all.ndjson")
    before = Path("all.ndjson").read_bytes()
    Path("state").rename("state-before")

    told = pynfo("logs", "import", "all.ndjson")

    assert "17 lines" in told.output
    assert pynfo("logs", "export", "libera/#pynfo").stdout_bytes == before


def test_an_export_begins_and_ends_when_it_is_told(pynfo: Pynfo) -> None:
    pynfo("logs", "import", "--zone", "UTC", IRSSI)

    def minutes(*words: str) -> list[str]:
        told = pynfo("logs", "export", "LIBERA/#Pynfo", "--format", "text", *words)
        return [text[9:17] for text in told.output.splitlines()]

    assert minutes("--until", "2026-11-20") == ["20 23:58", "20 23:58", "20 23:59", "20 23:59"]
    assert minutes("--since", "2026-11-21T00:09") == ["21 00:09", "21 00:10"]
    assert minutes("--since", "2026-11-21", "--until", "2026-11-21T00:02") == ["21 00:01", "21 00:01"]


def test_a_channel_that_there_is_not_is_told(pynfo: Pynfo) -> None:
    pynfo("logs", "import", "--zone", "UTC", IRSSI)

    told = pynfo("logs", "export", "libera/#pynfoo")

    assert (told.exit_code, told.output) == (
        1,
        "Error: there is no channel 'libera/#pynfoo': did you mean 'libera/#pynfo'?\n",
    )


def test_whoever_reads_an_export_may_stop_early(pynfo: Pynfo) -> None:
    texts = [f"[10:{number // 60:02}:{number % 60:02}] <alice> {'x' * 400}" for number in range(3600)]
    log = write(Path("2026-11-21.log"), *texts)
    pynfo("logs", "import", "--zone", "UTC", "--network", "libera", "--channel", "pynfo", str(log))

    export = subprocess.Popen(
        [sys.executable, "-m", "pynfo", "logs", "export", "libera/#pynfo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(LOGS.parent.parent)},
    )
    with export:
        assert export.stdout is not None
        assert export.stderr is not None
        assert export.stdout.readline().startswith(b"{")
        export.stdout.close()
        assert export.stderr.read() == b""


# -- status


def test_status_tells_what_is_kept(pynfo: Pynfo) -> None:
    pynfo("logs", "import", "--zone", "UTC", IRSSI)

    told = pynfo("logs", "status").output.splitlines()

    assert told[0] == "libera/#pynfo  public              17 lines  2026-11-20 to 2026-11-21"
    assert told[1] == "libera/#quiet  no                   0 lines"
    assert told[2].endswith(" in state/logs") or told[2].endswith("/state/logs")


def test_status_without_an_archive_says_so(pynfo: Pynfo) -> None:
    told = pynfo("logs", "status")

    assert told.exit_code == 1
    assert "nothing is kept yet" in told.output


def test_settings_with_a_mistake_are_told(pynfo: Pynfo) -> None:
    Path("config.py").write_text(CONFIG.replace("public", "publik"))

    told = pynfo("logs", "import", IRSSI)

    assert told.exit_code == 1
    assert "the settings of the plugin logs" in told.output
