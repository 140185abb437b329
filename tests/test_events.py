"""What happens on IRC is told to those who subscribed, past the filters."""

from __future__ import annotations

import asyncio

import pytest
from zope.interface.verify import verifyObject

from pynfo.components import Componentized
from pynfo.interfaces import IEvents
from pynfo.irc.events import (
    Event,
    LineReceived,
    MessageReceived,
    NetworkDown,
    NetworkUp,
    User,
    UserJoined,
)
from pynfo.ownership import Owner, Unloaded, current_owner
from pynfo.services import events as events_module
from pynfo.services.events import Events

ALICE = User("alice")
UP = NetworkUp(network="libera", time=0.0, nick="pynfo")
DOWN = NetworkDown(network="libera", time=0.0, reason="gone")
JOIN = UserJoined(network="libera", time=0.0, user=ALICE, channel="#pynfo")


def message(text: str) -> MessageReceived:
    return MessageReceived(
        network="libera", time=0.0, user=ALICE, target="#pynfo", channel="#pynfo", text=text
    )


@pytest.fixture
async def events():
    events = Events(Componentized())
    yield events
    await events.stop()


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_it_offers_what_the_interface_says(events):
    assert verifyObject(IEvents, events)


async def test_a_subscriber_is_told_at_once_of_events_of_its_type_only(events):
    seen = []
    events.subscribe(NetworkUp, seen.append)

    published = [events.publish(UP), events.publish(DOWN)]

    assert seen == [UP]
    assert published == [True, True]


async def test_one_may_subscribe_to_several_types_and_to_a_base_of_all(events):
    several, every = [], []
    events.subscribe((NetworkUp, NetworkDown), several.append)
    events.subscribe(Event, every.append)

    for event in (UP, JOIN, DOWN):
        events.publish(event)

    assert several == [UP, DOWN]
    assert every == [UP, JOIN, DOWN]


async def test_higher_priority_is_told_first_then_the_order_of_subscribing(events):
    order = []
    for name, priority in (("a", 0), ("b", 10), ("c", 0), ("d", -1)):
        events.subscribe(NetworkUp, lambda _, name=name: order.append(name), priority=priority)

    events.publish(UP)

    assert order == ["b", "a", "c", "d"]


async def test_who_subscribes_later_is_told_of_later_events(events):
    early, late = [], []
    events.subscribe(NetworkUp, early.append)
    events.publish(UP)
    events.subscribe(NetworkUp, late.append)

    events.publish(UP)

    assert (len(early), len(late)) == (2, 1)


async def test_a_cancelled_subscriber_is_not_called_even_for_the_event_at_hand(events):
    seen = []
    events.subscribe(NetworkUp, lambda _: second.cancel())
    second = events.subscribe(NetworkUp, seen.append)

    events.publish(UP)
    events.publish(UP)
    second.cancel()

    assert seen == []


async def test_a_subscriber_that_raises_is_reported_with_its_plugin_and_the_rest_are_told(events, caplog):
    seen, owner = [], Owner("dice")

    def fail(_: Event) -> None:
        raise ValueError("seven")

    def cancelled(_: Event) -> None:
        raise asyncio.CancelledError

    with owner.active():
        events.subscribe(NetworkUp, fail)
        events.subscribe(NetworkUp, cancelled)
    events.subscribe(NetworkUp, seen.append)

    assert events.publish(UP)

    assert seen == [UP]
    assert owner.failures == 2
    assert "plugin dice: the subscriber <Registration tests.test_events" in caplog.text
    assert "seven" in caplog.text


async def test_a_filter_drops_an_event_before_any_subscriber_sees_it(events):
    seen = []
    events.subscribe(MessageReceived, seen.append, priority=100)
    events.filter(lambda event: event.text != "spam", MessageReceived, priority=-100)

    published = [events.publish(message(text)) for text in ("ham", "spam")]

    assert published == [True, False]
    assert [event.text for event in seen] == ["ham"]


async def test_a_filter_without_a_type_meets_every_event(events):
    met = []
    events.filter(met.append)

    assert not events.publish(UP)
    assert not events.publish(JOIN)
    assert met == [UP, JOIN]


async def test_a_filter_that_raises_is_reported_and_drops_nothing(events, caplog):
    with Owner("ignore").active():
        events.filter(lambda event: event.nothing)

    assert events.publish(UP)
    assert "plugin ignore: the filter" in caplog.text


async def test_a_cancelled_filter_drops_nothing(events):
    filtering = events.filter(lambda _: False)

    filtering.cancel()

    assert events.publish(UP)


async def test_a_filter_cannot_be_a_coroutine_function(events):
    async def decide(_: Event) -> bool:
        return False

    with pytest.raises(TypeError, match="a filter decides at once"):
        events.filter(decide)


async def test_subscribers_and_filters_run_as_the_plugin_that_registered_them(events):
    seen, owner = [], Owner("dice")

    async def later(_: Event) -> None:
        seen.append(current_owner())

    with owner.active():
        events.filter(lambda _: seen.append(current_owner()) or True)
        events.subscribe(NetworkUp, lambda _: seen.append(current_owner()))
        events.subscribe(NetworkUp, later)
    with Owner("publisher").active() as publisher:
        events.publish(UP)
        assert current_owner() is publisher
    await turns()

    assert seen == [owner] * 3


async def test_what_a_plugin_registered_goes_with_it(events):
    seen, owner = [], Owner("dice")
    with owner.active():
        events.filter(lambda _: False)
        events.subscribe(NetworkUp, seen.append)
        events.subscribe(LineReceived, seen.append)

    await owner.close()

    assert events.publish(UP)
    assert seen == []
    assert not events.wants(LineReceived)
    with owner.active(), pytest.raises(Unloaded):
        events.subscribe(NetworkUp, seen.append)


async def test_it_knows_whether_anybody_wants_exactly_that_type(events):
    events.subscribe(Event, print)

    before = events.wants(LineReceived)
    lines = events.subscribe((LineReceived, NetworkUp), print)
    during = events.wants(LineReceived)
    lines.cancel()

    assert [before, during, events.wants(LineReceived)] == [False, True, False]


async def test_a_coroutine_function_gets_its_events_in_order_and_one_at_a_time(events):
    begun, free = [], asyncio.Semaphore(0)

    async def slow(event: MessageReceived) -> None:
        begun.append(event.text)
        await free.acquire()

    events.subscribe(MessageReceived, slow)
    for text in ("one", "two", "three"):
        events.publish(message(text))
    await turns()
    while_first = list(begun)
    for _ in range(3):
        free.release()
        await turns()

    assert while_first == ["one"]
    assert begun == ["one", "two", "three"]


async def test_a_coroutine_function_that_waits_for_events_costs_no_task(events):
    async def note(_: Event) -> None:
        await asyncio.sleep(0)

    tasks = asyncio.all_tasks()
    events.subscribe(NetworkUp, note)
    events.publish(UP)
    await turns()

    assert asyncio.all_tasks() == tasks


async def test_past_the_bound_the_oldest_events_are_dropped_and_counted(events, monkeypatch, caplog):
    monkeypatch.setattr(events_module, "QUEUE_LIMIT", 3)
    seen, free = [], asyncio.Event()

    async def slow(event: MessageReceived) -> None:
        await free.wait()
        seen.append(event.text)

    with Owner("logs").active():
        subscription = events.subscribe(MessageReceived, slow)
    for number in range(6):
        events.publish(message(str(number)))
    dropped = subscription.dropped
    free.set()
    await turns()

    assert dropped == 3
    assert seen == ["3", "4", "5"]
    assert caplog.text.count("is too slow") == 1
    assert "has caught up: 3 events were dropped" in caplog.text


async def test_a_coroutine_function_that_fails_or_waits_for_what_was_cancelled_goes_on(events, caplog):
    seen, owner = [], Owner("logs")

    async def fail(event: MessageReceived) -> None:
        seen.append(event.text)
        if event.text == "cancel":
            raise asyncio.CancelledError
        raise ValueError("seven")

    with owner.active():
        events.subscribe(MessageReceived, fail)
    for text in ("fail", "cancel", "last"):
        events.publish(message(text))
    await turns()

    assert seen == ["fail", "cancel", "last"]
    assert owner.failures == 3
    assert "plugin logs" in caplog.text


async def test_a_coroutine_function_is_cancelled_with_its_plugin_and_gets_nothing_more(events):
    seen, ended, owner = [], [], Owner("logs")

    async def slow(event: MessageReceived) -> None:
        seen.append(event.text)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(event.text)

    with owner.active():
        events.subscribe(MessageReceived, slow)
    events.publish(message("one"))
    events.publish(message("two"))
    await turns()

    await owner.close()
    events.publish(message("three"))
    await turns()

    assert (seen, ended) == (["one"], ["one"])


async def test_a_cancelled_coroutine_function_finishes_what_it_does_and_gets_nothing_more(events):
    seen = []

    async def once(event: MessageReceived) -> None:
        subscription.cancel()
        await asyncio.sleep(0)
        seen.append(event.text)

    subscription = events.subscribe(MessageReceived, once)
    for text in ("one", "two"):
        events.publish(message(text))
    await turns()

    assert seen == ["one"]


async def test_at_the_end_coroutine_functions_that_no_plugin_owned_are_cancelled(events):
    begun, ended = [], []

    async def slow(event: MessageReceived) -> None:
        begun.append(event.text)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(event.text)

    events.subscribe(MessageReceived, slow)
    for text in ("one", "two"):
        events.publish(message(text))
    await turns()

    await events.stop()

    assert (begun, ended) == (["one"], ["one"])
