"""Values are kept over restarts, whatever happens to the process and the disk."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlitedict import SqliteDict
from zope.interface import implementer

from pynfo.components import Componentized
from pynfo.interfaces import IOperator, IStorage, RetrievalError
from pynfo.services import state_database, storage
from pynfo.services.state_database import StorageError
from pynfo.services.storage import Storage

# For each line "DIRECTORY NUMBER" it reads, forks a child that stores numbers from there on, until killed.
FORKING = """
import asyncio, os, sys, time
from pathlib import Path
from pynfo.components import Componentized
from pynfo.services.storage import Storage

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())  # at once, so that a kill leaves whole lines

async def write(directory, number):
    factory = Componentized()
    factory.state_dir = Path(directory)
    storage = Storage(factory)
    await storage.start()
    say("child", os.getpid())
    while True:
        number += 1
        STEP

for line in sys.stdin:
    directory, number = line.split()
    child = os.fork()
    if child == 0:
        asyncio.run(write(directory, int(number)))
    os.waitpid(child, 0)
    say("ended")
"""
CONFIRMED = """
        storage.store(f"key{number % 7}", "1", (number, "x" * 2000))
        assert await storage.flush()
        say(number)
"""
TIMED = """
        storage.store(f"key{number}", "1", number)
        say(number, time.monotonic())
        await asyncio.sleep(0.002)
"""

FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from pynfo.components import Componentized
from pynfo.interfaces import IOperator
from pynfo.services.storage import Storage

class Operator:
    def __init__(self, factory):
        self.told, self.over = asyncio.Event(), asyncio.Event()
    def tell(self, matter, text):
        print(matter, text)
        self.told.set()
    def settled(self, matter):
        print(matter, "settled")
        self.over.set()

async def main():
    factory = Componentized()
    factory.state_dir = Path(sys.argv[1])
    factory.register_adapter(IOperator, Operator)
    storage = Storage(factory)
    await storage.start()
    storage.store("small", "1", "before")
    assert await storage.flush()
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    storage.store("big", "1", "x" * 1_000_000)
    storage.store("small", "1", "after")
    await IOperator(factory).told.wait()
    print("in memory:", storage.retrieve("small", "1"), len(storage.retrieve("big", "1")))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert await storage.flush()
    await IOperator(factory).over.wait()
    await storage.stop()

asyncio.run(main())
"""


@implementer(IOperator)
class Operator:
    """Notes what it is told."""

    def __init__(self, factory: Bot) -> None:
        self.texts: list[str] = []
        self.told = asyncio.Event()
        self.over = asyncio.Event()

    def tell(self, matter: str, text: str) -> None:
        assert matter == "storage"
        self.texts.append(text)
        self.told.set()

    def settled(self, matter: str) -> None:
        assert matter == "storage"
        self.over.set()

    def matters(self) -> dict[str, str]:
        return {}


class Bot(Componentized):
    """What Storage needs of a factory."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__()
        self.state_dir = state_dir
        self.register_adapter(IStorage, Storage)
        self.register_adapter(IOperator, Operator)


@pytest.fixture
async def bot(tmp_path):
    bot = Bot(tmp_path)
    await bot.start_adapters()
    yield bot
    await bot.stop_adapters()


async def restarted(bot: Bot) -> Storage:
    """The storage of a new process in the same directory."""
    await bot.stop_adapters()
    return Storage(Bot(bot.state_dir))


class Gone:
    """A class that a later version of a plugin no longer has."""


async def test_a_value_comes_back_after_a_restart(bot):
    IStorage(bot).store("pypi", "1.0", {"watched": ["pynfo"]})

    assert (await restarted(bot)).retrieve("pypi", "1.0") == {"watched": ["pynfo"]}


async def test_only_whoever_runs_the_bot_reads_its_files(bot):
    IStorage(bot).store("a", "1", "private")
    assert await IStorage(bot).flush()
    modes = {path.name: path.stat().st_mode & 0o077 for path in bot.state_dir.glob("state.sqlite*")}
    assert modes
    assert set(modes.values()) == {0}


async def test_what_was_never_stored_is_a_retrieval_error_that_names_it(bot):
    IStorage(bot).store("pypi", "1.0", [])

    with pytest.raises(RetrievalError, match=r"^nothing is stored under 'pypi', version '2.0'$"):
        IStorage(bot).retrieve("pypi", "2.0")


async def test_what_is_retrieved_is_a_fresh_copy(bot):
    value = {"watched": ["pynfo"]}
    IStorage(bot).store("pypi", "1", value)

    value["watched"].append("later")
    IStorage(bot).retrieve("pypi", "1")["watched"].clear()

    assert IStorage(bot).retrieve("pypi", "1") == {"watched": ["pynfo"]}


async def test_versions_are_told_in_the_order_they_were_first_stored(bot):
    for version in ("2", "10", "1", "2"):
        IStorage(bot).store("pypi", version, version * 2)
    IStorage(bot).remove("pypi", "10")

    before = IStorage(bot).versions("pypi")

    assert before == ["2", "1"]
    assert (await restarted(bot)).versions("pypi") == before
    assert IStorage(Bot(bot.state_dir)).versions("seen") == []


async def test_what_was_removed_stays_away_after_a_restart(bot):
    IStorage(bot).store("pypi", "1", "old")
    await IStorage(bot).flush()
    IStorage(bot).remove("pypi", "1")
    IStorage(bot).remove("pypi", "never stored")

    with pytest.raises(RetrievalError):
        IStorage(bot).retrieve("pypi", "1")
    with pytest.raises(RetrievalError):
        (await restarted(bot)).retrieve("pypi", "1")


async def test_a_value_that_cannot_be_pickled_is_an_error_that_names_the_key(bot):
    with pytest.raises(TypeError, match="the value for 'seen' cannot be pickled"):
        IStorage(bot).store("seen", "1", lambda: None)

    assert IStorage(bot).versions("seen") == []


async def test_a_value_that_is_too_large_is_refused(bot, monkeypatch):
    monkeypatch.setattr(storage, "VALUE_LIMIT", 1000)
    monkeypatch.setattr(storage, "TOTAL_LIMIT", 2000)

    with pytest.raises(ValueError, match=r"the value for 'seen' has .* bytes, 1000 are allowed"):
        IStorage(bot).store("seen", "1", "x" * 1001)
    IStorage(bot).store("one", "1", "x" * 900)
    IStorage(bot).store("two", "1", "x" * 900)
    with pytest.raises(ValueError, match="no room for 'three'"):
        IStorage(bot).store("three", "1", "x" * 900)
    IStorage(bot).remove("one", "1")
    IStorage(bot).store("three", "1", "x" * 900)


@pytest.mark.parametrize(("key", "version"), [(1, "1"), ("seen", 1), ("\ud800", "1")])
async def test_a_key_that_the_file_could_not_give_back_is_refused(bot, key, version):
    with pytest.raises((TypeError, ValueError)):
        IStorage(bot).store(key, version, "value")


async def test_a_value_whose_class_is_gone_is_a_clear_retrieval_error(bot, monkeypatch):
    IStorage(bot).store("seen", "1", Gone())
    monkeypatch.delattr(sys.modules[__name__], "Gone")

    with pytest.raises(RetrievalError, match=r"under 'seen', version '1', cannot be read any more"):
        IStorage(bot).retrieve("seen", "1")


async def test_the_file_is_a_sqlitedict_that_other_tools_can_read(bot):
    IStorage(bot).store("pypi", "1", "value")
    await bot.stop_adapters()

    with SqliteDict(str(bot.state_dir / "state.sqlite"), tablename="state", journal_mode="WAL") as rows:
        assert list(rows) == ["pypi"]
        assert list(rows["pypi"]) == ["1"]


async def test_a_committed_value_is_synced_to_disk(bot):
    mode = IStorage(bot)._database.conn.select_one

    assert mode("PRAGMA journal_mode") == ("wal",)
    assert mode("PRAGMA synchronous") == (2,)  # FULL


async def test_values_may_be_stored_from_threads(bot):
    def store(first: int) -> None:
        for number in range(first, first + 100):
            IStorage(bot).store(f"key{number}", "1", number)

    threads = [threading.Thread(target=store, args=(first,)) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    stored = await restarted(bot)
    assert [stored.retrieve(f"key{number}", "1") for number in range(300)] == list(range(300))


def texts_on_disk(bot):
    return b"".join(path.read_bytes() for path in bot.state_dir.iterdir())


async def test_what_was_replaced_or_removed_is_in_no_file_once_it_is_expunged(bot):
    stored = IStorage(bot)
    for text in ("the first secret", "x" * 50_000 + "the second secret", "nothing"):
        stored.store("words", "1", text)
        stored.store(f"words of {text[-10:]}", "1", text)
        assert await stored.flush()
    stored.remove("words of rst secret", "1")
    stored.remove("words of ond secret", "1")
    before = texts_on_disk(bot)

    assert await stored.expunge()

    assert b"secret" in before
    assert b"secret" not in texts_on_disk(bot)
    assert (await restarted(bot)).retrieve("words", "1") == "nothing"


async def test_while_another_program_reads_the_file_what_was_replaced_waits_to_be_expunged(bot, monkeypatch):
    monkeypatch.setattr(state_database, "LOCK_WAIT", 0.01)
    monkeypatch.setattr(storage, "RETRY_FIRST", 0.01)
    stored = IStorage(bot)
    stored.store("words", "1", "secret")
    assert await stored.flush()
    other = sqlite3.connect(bot.state_dir / "state.sqlite", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM state").fetchall()
    stored.store("words", "1", "nothing")

    expunged = await stored.expunge(0.05)
    other.execute("ROLLBACK")
    other.close()

    assert not expunged
    assert await stored.flush()
    assert b"secret" not in texts_on_disk(bot)


async def test_after_the_bot_has_stopped_nothing_is_expunged_any_more(bot):
    await bot.stop_adapters()

    assert not await IStorage(bot).expunge()


async def test_what_was_stored_before_the_first_start_is_written_too(tmp_path):
    bot = Bot(tmp_path)
    IStorage(bot).store("pypi", "1", "value")

    await bot.stop_adapters()

    assert Storage(bot).retrieve("pypi", "1") == "value"


async def test_after_the_bot_has_stopped_a_store_is_an_error_rather_than_lost(bot):
    stored = IStorage(bot)
    await bot.stop_adapters()

    with pytest.raises(RuntimeError, match="'pypi' cannot be changed"):
        stored.store("pypi", "1", "value")


async def test_while_the_file_is_locked_nothing_is_lost_and_the_operator_is_told(bot, monkeypatch):
    monkeypatch.setattr(state_database, "LOCK_WAIT", 0.01)
    monkeypatch.setattr(storage, "RETRY_FIRST", 0.01)
    stored, operator = IStorage(bot), IOperator(bot)
    stored.store("before", "1", "on disk")
    assert await stored.flush()
    other = sqlite3.connect(bot.state_dir / "state.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    stored.store("during", "1", "in memory")
    await asyncio.wait_for(operator.told.wait(), 5)
    stored.store("during", "1", "newest")
    flushed = await stored.flush(0.05)
    while_locked = stored.retrieve("during", "1")
    other.execute("ROLLBACK")
    other.close()

    assert await stored.flush()
    await asyncio.wait_for(operator.over.wait(), 5)
    assert not flushed
    assert while_locked == "newest"
    assert "state.sqlite cannot be written: another program has locked it" in operator.texts[0]
    assert (await restarted(bot)).retrieve("during", "1") == "newest"


async def test_a_stop_while_the_file_is_locked_ends_and_tells_what_is_lost(bot, monkeypatch, caplog):
    monkeypatch.setattr(state_database, "LOCK_WAIT", 0.01)
    monkeypatch.setattr(storage, "LAST_ATTEMPTS", 0.05)
    IStorage(bot).store("before", "1", "on disk")
    assert await IStorage(bot).flush()
    other = sqlite3.connect(bot.state_dir / "state.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    IStorage(bot).store("pypi", "1", "value")

    await bot.stop_adapters()
    other.close()

    assert "and lost: pypi" in caplog.text


def test_a_full_disk_is_told_and_everything_is_written_when_there_is_room_again(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path], capture_output=True, text=True, timeout=30, check=True
    )

    assert done.stdout.startswith(f"storage {tmp_path}/state.sqlite cannot be written: the disk")
    assert "in memory: after 1000000\n" in done.stdout
    assert done.stdout.endswith("storage settled\n")
    stored = Storage(Bot(tmp_path))
    assert stored.retrieve("small", "1") == "after"
    assert len(stored.retrieve("big", "1")) == 1_000_000


@pytest.mark.parametrize("damage", [b"this is not a database", b"SQLite format 3\0" + bytes(range(256)) * 40])
def test_a_damaged_file_is_left_alone_and_the_error_says_what_to_do(tmp_path, damage):
    (tmp_path / "state.sqlite").write_bytes(damage)

    with pytest.raises(StorageError, match=r"state.sqlite is damaged .*: put a backup in its place"):
        Storage(Bot(tmp_path))

    assert (tmp_path / "state.sqlite").read_bytes() == damage


def test_a_file_that_cannot_be_opened_is_told_as_such(tmp_path):
    (tmp_path / "state.sqlite").mkdir()

    with pytest.raises(StorageError, match=r"state.sqlite cannot be used: it cannot be opened"):
        Storage(Bot(tmp_path))
    with pytest.raises(StorageError, match=r"cannot be used: .* directory does not exist"):
        Storage(Bot(tmp_path / "missing"))


def test_a_file_that_is_locked_at_start_is_told_as_such(tmp_path, monkeypatch):
    monkeypatch.setattr(state_database, "LOCK_WAIT", 0.01)
    other = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StorageError, match=r"state.sqlite is locked by another program: close that"):
        Storage(Bot(tmp_path))
    other.close()


class Forking:
    """Runs `FORKING`. `kill()` gives the lines that the child had printed."""

    def __init__(self, step: str) -> None:
        script = FORKING.replace("STEP", step.strip())
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe, text=True)
        self.child: int | None = None

    def fork(self, directory: Path, number: int) -> None:
        self.process.stdin.write(f"{directory} {number}\n")
        self.process.stdin.flush()
        word, child = self.process.stdout.readline().split()
        assert word == "child"
        self.child = int(child)

    def kill(self, after: float) -> list[list[str]]:
        lines = [self.process.stdout.readline()]
        time.sleep(after)
        os.kill(self.child, signal.SIGKILL)
        self.child = None
        lines += iter(self.process.stdout.readline, "ended\n")
        return [line.split() for line in lines]

    def close(self) -> None:
        if self.child is not None:
            os.kill(self.child, signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def forking():
    made = []
    yield lambda step: made.append(Forking(step)) or made[-1]
    for forking in made:
        forking.close()


def numbers(directory: Path) -> list[object]:
    """What a child has stored in the file."""
    stored = Storage(Bot(directory))
    found = [stored.retrieve(key, "1") for key in stored._values]
    stored._database.close()
    return found


def test_at_whatever_moment_it_is_killed_the_file_opens_with_all_that_was_flushed(tmp_path, forking):
    writing, last = forking(CONFIRMED), 0

    for _ in range(50):
        writing.fork(tmp_path, last)
        confirmed = int(writing.kill(after=random.uniform(0, 0.03))[-1][0])
        newest = max(number for number, _ in numbers(tmp_path))
        assert newest >= confirmed > last
        last = newest


def test_without_a_flush_a_kill_loses_at_most_the_last_second(tmp_path, forking):
    writing = forking(TIMED)
    writing.fork(tmp_path, 0)

    lines = writing.kill(after=1.3)

    killed = float(lines[-1][1])
    due = {int(number) for number, stored_at in lines if float(stored_at) < killed - 1.0}
    assert len(due) > 10
    assert due <= set(numbers(tmp_path))
