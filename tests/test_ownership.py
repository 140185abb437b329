"""What a plugin registered goes when the plugin goes."""

from __future__ import annotations

import asyncio

import pytest

from pynfo.ownership import REPORTS, REPORTS_WINDOW, Owner, Unloaded, adopt, current_owner, report


async def test_what_was_registered_is_undone_newest_first():
    owner, undone = Owner("dice"), []
    owner.adopt(lambda: undone.append("first"))
    owner.adopt(lambda: undone.append("second"))

    await owner.close()

    assert undone == ["second", "first"]


async def test_one_function_adopted_twice_is_called_twice():
    owner, calls = Owner("dice"), []

    def dispose() -> None:
        calls.append(None)

    owner.adopt(dispose)
    owner.adopt(dispose)

    await owner.close()

    assert len(calls) == 2


async def test_what_was_taken_back_before_is_not_undone_again():
    owner, undone = Owner("dice"), []
    forget = owner.adopt(lambda: undone.append("registration"))

    forget()
    await owner.close()

    assert undone == []


async def test_a_disposer_may_be_async_and_runs_as_its_owner():
    owner, seen = Owner("dice"), []

    async def dispose() -> None:
        seen.append(current_owner())

    owner.adopt(dispose)

    await owner.close()

    assert seen == [owner]


async def test_a_disposer_that_fails_or_is_cancelled_does_not_keep_the_rest(caplog):
    owner, undone = Owner("dice"), []

    async def cancelled() -> None:
        raise asyncio.CancelledError

    async def failing() -> None:
        raise OSError("no such thing")

    owner.adopt(lambda: undone.append("rest"))
    owner.adopt(cancelled)
    owner.adopt(failing)
    owner.adopt(lambda: 1 / 0)  # type: ignore[arg-type]

    await owner.close()

    assert undone == ["rest"]
    assert "plugin dice" in caplog.text
    assert "no such thing" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_a_disposer_that_does_not_end_is_left_after_the_limit(caplog):
    owner, undone = Owner("dice"), []
    owner.adopt(lambda: undone.append("rest"))
    owner.adopt(asyncio.Event().wait)

    await owner.close(limit=0.01)

    assert undone == ["rest"]
    assert "plugin dice: taking back what it registered does not end" in caplog.text


async def test_tasks_are_cancelled_and_awaited():
    owner, ended = Owner("dice"), []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    task = owner.watch(asyncio.create_task(work()))
    await asyncio.sleep(0)

    await owner.close()

    assert task.cancelled()
    assert ended == [True]


async def test_a_plugin_can_be_unloaded_from_a_task_of_its_own():
    owner = Owner("admin")

    async def unload() -> str:
        await owner.close()
        return "done"

    assert await owner.watch(asyncio.create_task(unload())) == "done"


async def test_after_it_was_unloaded_a_plugin_registers_nothing_more():
    owner = Owner("dice")
    await owner.close()

    with owner.active(), pytest.raises(Unloaded, match="dice"):
        adopt(lambda: None)
    task = owner.watch(asyncio.create_task(asyncio.Event().wait()))
    with pytest.raises(asyncio.CancelledError):
        await task


def test_the_owner_is_known_where_its_code_runs_and_only_there():
    owner = Owner("dice")

    with owner.active():
        inside = current_owner()

    assert (inside, current_owner()) == (owner, None)


def test_outside_of_plugins_nothing_is_adopted():
    taken_back = []
    forget = adopt(lambda: taken_back.append("it"))

    forget()

    assert taken_back == []
    assert current_owner() is None


def test_failures_are_told_with_the_plugins_name_and_counted(caplog):
    owner = Owner("dice")

    report(owner, "roll", ValueError("seven"))

    assert owner.failures == 1
    assert "plugin dice: roll failed" in caplog.text
    assert "ValueError: seven" in caplog.text


def test_a_plugin_that_fails_all_the_time_does_not_fill_the_log(caplog):
    owner = Owner("dice")

    for _ in range(1000):
        owner.failed("roll", ValueError("seven"), now=10.0)
    within_window = len(caplog.records)
    owner.failed("roll", ValueError("seven"), now=10.0 + REPORTS_WINDOW)

    assert owner.failures == 1001
    assert within_window == REPORTS
    assert len(caplog.records) == REPORTS + 1
