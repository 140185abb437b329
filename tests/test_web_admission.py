"""Which requests are worked on, and that the rest of the bot has its turn."""

from __future__ import annotations

import asyncio

import pytest

from pynfo.services import web_admission
from pynfo.services.web_admission import Admission, Overloaded


async def turns(number: int = 3) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_only_so_many_work_and_the_next_begins_when_one_leaves() -> None:
    admission = Admission(at_once=2)
    await admission.enter()
    await admission.enter()
    third = asyncio.create_task(admission.enter())
    await turns()
    assert not third.done()

    admission.leave()

    await asyncio.wait_for(third, 5)


async def test_those_who_wait_come_in_their_order() -> None:
    admission, order = Admission(at_once=1), []

    async def visit(name: str) -> None:
        await admission.enter()
        order.append(name)
        admission.leave()

    await admission.enter()
    visits = [asyncio.create_task(visit(name)) for name in "abc"]
    await turns()
    admission.leave()
    await asyncio.gather(*visits)

    assert order == ["a", "b", "c"]


async def test_past_the_bound_one_is_refused_but_who_was_in_comes_back_in() -> None:
    admission = Admission(at_once=1, waiting=1)
    await admission.enter()
    waiting = asyncio.create_task(admission.enter())
    await turns()

    with pytest.raises(Overloaded):
        await admission.enter()
    again = asyncio.create_task(admission.enter_again())
    await turns()
    admission.leave()
    await waiting
    admission.leave()

    await asyncio.wait_for(again, 5)


async def test_nobody_waits_for_ever() -> None:
    admission = Admission(at_once=1, patience=0.01)
    await admission.enter()

    with pytest.raises(Overloaded):
        await admission.enter()

    admission.leave()
    await asyncio.wait_for(admission.enter(), 5)


async def test_who_gives_up_leaves_the_line_and_takes_no_place() -> None:
    admission = Admission(at_once=1, waiting=1)
    await admission.enter()
    gone = asyncio.create_task(admission.enter())
    await turns()

    gone.cancel()
    await asyncio.wait({gone})

    next_one = asyncio.create_task(admission.enter())  # there is room in the line
    await turns()
    admission.leave()
    await asyncio.wait_for(next_one, 5)


async def test_who_is_called_and_gives_up_at_that_moment_hands_the_place_on() -> None:
    admission = Admission(at_once=1)
    await admission.enter()
    first = asyncio.create_task(admission.enter())
    second = asyncio.create_task(admission.enter())
    await turns()

    admission.leave()
    first.cancel()

    await asyncio.wait_for(second, 5)


async def test_the_event_loop_turns_for_others_between_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_admission, "SHARE", -1.0)  # the share is always used up
    admission = Admission(at_once=1)
    turned = 0

    async def others() -> None:
        nonlocal turned
        while True:
            turned += 1
            await asyncio.sleep(0)

    await admission.enter()
    rest = asyncio.create_task(others())
    next_one = asyncio.create_task(admission.enter())
    await turns()
    before = turned
    admission.leave()
    await next_one

    assert turned - before >= web_admission.TURNS * 2
    rest.cancel()
