"""An object is asked for its abilities by interface."""

from __future__ import annotations

import asyncio
from threading import Thread

import pytest
from zope.interface import Interface, implementer

from pynfo.components import Componentized
from pynfo.ownership import Owner, current_owner


class IThing(Interface):
    """Something to ask for."""


class IOther(Interface):
    """Something else to ask for."""


@implementer(IThing)
class Thing:
    """An adapter that notes what becomes of it."""

    def __init__(self, original: Componentized) -> None:
        self.original = original
        self.made_as = current_owner()
        self.started = asyncio.Event()
        self.stopped = asyncio.Event()

    async def start(self) -> None:
        self.started.set()

    async def stop(self) -> None:
        self.stopped.set()


def test_an_adapter_is_made_on_first_use_and_kept():
    made = []
    factory = Componentized()
    factory.register_adapter(IThing, lambda original: made.append(original) or Thing(original))
    before = list(made)

    first, second = IThing(factory), IThing(factory)

    assert before == []
    assert made == [factory]
    assert first is second


def test_an_adapter_that_is_false_is_kept_too():
    factory = Componentized()
    factory.register_adapter(IThing, lambda _: [])

    assert IThing(factory) is IThing(factory)


def test_asking_for_what_nobody_offers_is_a_type_error_or_the_default():
    factory = Componentized()

    with pytest.raises(TypeError):
        IThing(factory)
    assert IThing(factory, None) is None


def test_an_object_may_provide_an_interface_itself():
    @implementer(IThing)
    class Provider(Componentized):
        pass

    factory = Provider()

    assert IThing(factory) is factory


def test_two_objects_share_nothing():
    one, other = Componentized(), Componentized()
    one.register_adapter(IThing, Thing)

    assert IThing(one).original is one
    assert IThing(other, None) is None


def test_a_second_offer_is_refused_and_names_who_made_the_first():
    factory = Componentized()
    factory.register_adapter(IOther, Thing)
    with Owner("ignore").active():
        factory.register_adapter(IThing, Thing)

    with Owner("block").active():
        with pytest.raises(ValueError, match=r"IThing is already offered by plugin ignore.*plugin block"):
            factory.register_adapter(IThing, Thing)
        with pytest.raises(ValueError, match="IOther is already offered by Pynfo itself"):
            factory.register_adapter(IOther, Thing)


def test_an_adapter_belongs_to_whoever_offers_it_not_to_whoever_asks_first():
    factory, offering = Componentized(), Owner("ignore")
    with offering.active():
        factory.register_adapter(IThing, Thing)

    with Owner("seen").active():
        assert IThing(factory).made_as is offering


def test_an_adapter_that_needs_itself_to_be_made_is_an_error_that_names_it():
    factory = Componentized()
    factory.register_adapter(IThing, lambda original: IOther(original))
    factory.register_adapter(IOther, lambda original: IThing(original))

    with pytest.raises(RuntimeError, match="IThing of Pynfo itself asks for that interface"):
        IThing(factory)


def test_what_making_an_adapter_raises_is_not_hidden_and_the_next_use_tries_again():
    factory, failures = Componentized(), [TypeError("not today")]

    def make(original: Componentized) -> Thing:
        if failures:
            raise failures.pop()
        return Thing(original)

    factory.register_adapter(IThing, make)

    with pytest.raises(TypeError, match="not today"):
        IThing(factory, None)
    assert IThing(factory).original is factory


async def test_adapters_start_in_the_order_they_were_made_and_stop_newest_first():
    order: list[str] = []

    class Noting:
        def __init__(self, name: str) -> None:
            self.name = name

        async def start(self) -> None:
            order.append(f"start {self.name}")

        async def stop(self) -> None:
            order.append(f"stop {self.name}")

    factory = Componentized()
    factory.register_adapter(IThing, lambda _: Noting("thing"))
    factory.register_adapter(IOther, lambda _: Noting("other"))
    IOther(factory)
    IThing(factory)

    await factory.start_adapters()
    await factory.stop_adapters()

    assert order == ["start other", "start thing", "stop thing", "stop other"]


async def test_a_failing_start_reaches_whoever_starts_the_factory():
    class Broken:
        async def start(self) -> None:
            raise OSError("the disk is gone")

    factory = Componentized()
    factory.register_adapter(IThing, lambda _: Broken())
    IThing(factory)

    with pytest.raises(OSError, match="the disk is gone"):
        await factory.start_adapters()


async def test_an_adapter_made_in_a_running_factory_is_started_soon():
    factory = Componentized()
    factory.register_adapter(IThing, Thing)
    await factory.start_adapters()

    await asyncio.wait_for(IThing(factory).started.wait(), 5)


async def test_an_adapter_first_asked_for_on_a_thread_is_started_on_the_loop():
    factory = Componentized()
    factory.register_adapter(IThing, Thing)
    await factory.start_adapters()

    thread = Thread(target=lambda: IThing(factory))
    thread.start()
    thread.join()

    await asyncio.wait_for(IThing(factory).started.wait(), 5)


async def test_a_removed_adapter_is_stopped_and_another_may_be_offered():
    factory = Componentized()
    factory.register_adapter(IThing, Thing)
    first = IThing(factory)

    stopping = factory.remove_adapter(IThing)

    assert IThing(factory, None) is None
    await stopping
    assert first.stopped.is_set()
    factory.register_adapter(IThing, Thing)
    assert IThing(factory) is not first


def test_removing_what_nobody_offers_is_an_error():
    with pytest.raises(LookupError, match="IThing"):
        Componentized().remove_adapter(IThing)


async def test_the_adapters_of_a_plugin_go_with_it_and_are_stopped_by_then():
    factory, owner = Componentized(), Owner("ignore")
    with owner.active():
        factory.register_adapter(IThing, Thing)
    adapter = IThing(factory)

    await owner.close()

    assert adapter.stopped.is_set()
    assert IThing(factory, None) is None


async def test_a_plugin_may_remove_its_adapter_before_it_goes():
    factory, owner = Componentized(), Owner("ignore")
    with owner.active():
        factory.register_adapter(IThing, Thing)
    factory.remove_adapter(IThing)
    factory.register_adapter(IThing, Thing)

    await owner.close()

    assert IThing(factory, None) is not None


async def test_a_start_under_way_is_given_up_when_the_adapter_is_removed():
    given_up = asyncio.Event()

    class Slow(Thing):
        async def start(self) -> None:
            self.started.set()
            try:
                await asyncio.Event().wait()
            finally:
                given_up.set()

    factory = Componentized()
    factory.register_adapter(IThing, Slow)
    await factory.start_adapters()
    await IThing(factory).started.wait()

    factory.remove_adapter(IThing)

    await asyncio.wait_for(given_up.wait(), 5)


async def test_adapters_that_fail_to_stop_or_do_not_end_do_not_keep_the_rest(caplog):
    class Failing:
        async def stop(self) -> None:
            raise OSError("cannot stop")

    class Endless:
        async def stop(self) -> None:
            await asyncio.Event().wait()

    class IThird(Interface):
        """A third thing."""

    factory = Componentized()
    factory.register_adapter(IThing, Thing)
    factory.register_adapter(IOther, lambda _: Endless())
    factory.register_adapter(IThird, lambda _: Failing())
    thing, _, _ = IThing(factory), IOther(factory), IThird(factory)

    await factory.stop_adapters(limit=0.01)

    assert thing.stopped.is_set()
    assert "cannot stop" in caplog.text
    assert "stopping the adapter for IOther of Pynfo itself does not end" in caplog.text
