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


async def test_readers_take_turns_however_much_one_of_them_asks_for() -> None:
    admission, order = Admission(at_once=1), []

    async def visit(reader: str) -> None:
        await admission.enter(reader)
        order.append(reader)
        admission.leave()

    await admission.enter("greedy")
    visits = [asyncio.create_task(visit(reader)) for reader in [*["greedy"] * 5, "modest", "modest", "other"]]
    await turns()
    admission.leave()
    await asyncio.gather(*visits)

    assert order == ["greedy", "modest", "other", "greedy", "modest", "greedy", "greedy", "greedy"]


async def test_where_the_line_is_full_who_has_most_in_it_is_refused() -> None:
    admission = Admission(at_once=1, waiting=3)
    await admission.enter()
    greedy = [asyncio.create_task(admission.enter("greedy")) for _ in range(3)]
    await turns()

    modest = asyncio.create_task(admission.enter("modest"))
    await turns()

    assert [one.done() for one in greedy] == [False, False, True]
    assert isinstance(greedy[2].exception(), Overloaded)
    with pytest.raises(Overloaded):
        await admission.enter("greedy")
    for _ in range(3):
        admission.leave()
        await turns(30)
    assert modest.done()
    assert greedy[1].done()


async def test_what_has_begun_is_not_refused_for_others() -> None:
    admission = Admission(at_once=1, waiting=2)
    await admission.enter()
    begun = [asyncio.create_task(admission.enter_again("one")) for _ in range(2)]
    await turns()

    with pytest.raises(Overloaded):
        await admission.enter("another")
    for _ in range(2):
        admission.leave()
        await turns(30)
    await asyncio.gather(*begun)


async def test_no_place_is_lost_to_who_gives_up_when_they_would_be_called() -> None:
    admission = Admission(at_once=1)
    await admission.enter()
    gone = asyncio.create_task(admission.enter())
    await turns()

    gone.cancel()  # it hears of that in the next turn
    admission.leave()
    await asyncio.wait({gone})

    await asyncio.wait_for(admission.enter(), 5)


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
