"""Lines that are older than the config keeps them are removed, without anybody asking."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plugins.logs import retention
from plugins.logs.archive.service import Archive
from plugins.logs.interfaces import ArchiveBusy
from plugins.logs.line import Line
from plugins.logs.settings import ChannelSettings
from pynfo.components import Componentized
from pynfo.interfaces import IScheduler

DAY = 86400.0


class Scheduler:
    """Remembers what it is to do."""

    DAILY = int(DAY)

    def __init__(self, factory: Any) -> None:
        self.jobs: list[tuple[float, Callable[..., Any], tuple[Any, ...]]] = []
        self.spawned: list[Any] = []

    def schedule(self, period: float, fn: Callable[..., Any], *args: Any, jitter: float) -> None:
        assert jitter > 0
        self.jobs.append((period, fn, args))

    def spawn(self, coroutine: Any) -> None:
        self.spawned.append(coroutine)


class Busy:
    async def retain(self) -> int:
        raise ArchiveBusy("the archive has too much to write now")


async def test_once_a_day_and_soon_after_the_start_what_is_too_old_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retention, "FIRST_AFTER", 0.0)
    places = {"libera/#short": ChannelSettings(keep="2 days"), "libera/#long": ChannelSettings()}
    archive = Archive(tmp_path, places=places)
    factory = Componentized()
    factory.register_adapter(IScheduler, Scheduler)
    now = time.time()
    await archive.add(
        [
            Line(network="libera", channel=channel, time=now - age * DAY, kind="message", nick="a", text="x")
            for channel in ("#short", "#long")
            for age in (1, 3, 4)
        ]
    )

    retention.begin(factory, archive)
    scheduler = IScheduler(factory)
    (soon,) = scheduler.spawned
    with caplog.at_level(logging.INFO):
        await soon

    assert [len([line async for line in archive.export(place)]) for place in places] == [1, 3]
    assert "2 lines of the logs were too old, and are removed" in caplog.text
    assert scheduler.jobs == [(DAY, retention.retain, (archive,))]
    await archive.stop()


async def test_nothing_is_told_where_nothing_is_too_old(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    archive = Archive(tmp_path, places={"libera/#pynfo": ChannelSettings(keep="2 days")})

    with caplog.at_level(logging.INFO):
        await retention.retain(archive)

    assert caplog.text == ""
    await archive.stop()


async def test_an_archive_that_is_busy_is_left_for_the_next_day(caplog: pytest.LogCaptureFixture) -> None:
    await retention.retain(Busy())

    assert "stays for a day more: the archive has too much to write now" in caplog.text
