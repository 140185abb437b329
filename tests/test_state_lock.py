"""One bot at a time keeps its state in a directory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from pynfo.services.state_lock import StateLock, StateLocked

HOLD = """
import sys, time
from pathlib import Path
from pynfo.services.state_lock import StateLock
StateLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_holder_gets_one_sentence_that_names_the_first(tmp_path):
    StateLock(tmp_path).acquire()

    with pytest.raises(StateLocked) as refused:
        StateLock(tmp_path).acquire()

    assert str(refused.value) == (
        f"another Pynfo (process {os.getpid()}) uses the state directory {tmp_path}: "
        "stop it, or set another state_dir in the config"
    )


def test_after_release_another_may_have_it(tmp_path):
    first = StateLock(tmp_path)
    first.acquire()
    first.release()

    StateLock(tmp_path).acquire()


def test_a_directory_that_is_missing_is_made(tmp_path):
    StateLock(tmp_path / "new" / "state").acquire()

    assert (tmp_path / "new" / "state").is_dir()


def test_a_directory_that_cannot_be_made_is_told_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StateLocked, match=r"file/state cannot be used \(.*\): make it writable"):
        StateLock(tmp_path / "file" / "state").acquire()


def test_the_lock_of_a_killed_process_is_free_and_its_id_does_not_stay(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StateLocked, match=f"process {holder.pid}"):
        StateLock(tmp_path).acquire()

    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()

    StateLock(tmp_path).acquire()
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
