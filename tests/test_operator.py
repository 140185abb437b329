"""The person who runs the bot is told, once per matter."""

from __future__ import annotations

import asyncio
import logging
import threading
from types import SimpleNamespace

import pytest
from zope.interface.verify import verifyObject

from pynfo.components import Componentized
from pynfo.interfaces import IEvents, IOperator, IOutbox
from pynfo.irc.events import MessageReceived
from pynfo.irc.isupport import ISupport
from pynfo.irc.message import Message
from pynfo.irc.state import State
from pynfo.ownership import Owner
from pynfo.services.events import Events
from pynfo.services.operator import LINES_AT_ONCE, MATTERS_LIMIT, TEXT_LIMIT, Operator


class Client:
    """A network that is up, in #pynfo."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.up = True
        self.state = State(name, ISupport(), "pynfo")
        self.receive(":pynfo!bot@trusted.example JOIN #pynfo")

    def receive(self, line: str) -> list:
        return self.state.apply(Message.parse(line.encode()), 0.0, None)


class Outbox:
    """Notes what is said."""

    def __init__(self, factory: Bot) -> None:
        self.said: list[tuple[str, str]] = []
        self.error: Exception | None = None
        self.factory = factory

    def say(self, target: str, text: str) -> None:
        if self.error is not None:
            IOperator(self.factory).tell(f"outbox/{text}", "the outbox is full")
            raise self.error
        self.said.append((target, text))


class Bot(Componentized):
    """What Operator needs of a factory."""

    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(owners=["$a:alice", "*!*@trusted.example", "dave"], command_prefix="!")
        self.clients = {"libera": Client("libera")}
        self.register_adapter(IEvents, Events)
        self.register_adapter(IOutbox, Outbox)
        self.register_adapter(IOperator, Operator)

    @property
    def said(self) -> list[tuple[str, str]]:
        return IOutbox(self).said

    def receive(self, network: str, line: str) -> None:
        """A line comes in, and what it means is published."""
        for event in self.clients[network].receive(line):
            IEvents(self).publish(event)


@pytest.fixture
async def bot():
    bot = Bot()
    IOperator(bot)
    await bot.start_adapters()
    yield bot
    await bot.stop_adapters()


async def turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


ALICE_JOINS = ":alice!al@host.example JOIN #pynfo"
ALICE_LOGS_IN = ":alice!al@host.example ACCOUNT alice"
TRUSTED_JOINS = ":carol!c@trusted.example JOIN #pynfo"
BOB_JOINS = ":bob!b@host.example JOIN #pynfo"


async def test_it_offers_what_the_interface_says(bot):
    assert verifyObject(IOperator, IOperator(bot))


async def test_a_matter_is_logged_and_told_once_to_owners_who_are_online_and_nobody_else(bot, caplog):
    for line in (BOB_JOINS, TRUSTED_JOINS):
        bot.receive("libera", line)

    for text in ("the disk is full", "the disk is still full"):
        IOperator(bot).tell("storage", text)
        await turns()

    assert bot.said == [("libera/carol", "the disk is full")]
    assert caplog.messages == ["storage: the disk is full"]
    assert IOperator(bot).matters() == {"storage": "the disk is still full"}


async def test_the_log_has_all_of_a_matter_and_people_its_first_line(bot, caplog):
    IOperator(bot).tell("plugin/dice", "dice.py:1: boom\nand more of it")

    assert IOperator(bot).matters() == {"plugin/dice": "dice.py:1: boom"}
    assert caplog.messages == ["plugin/dice: dice.py:1: boom\nand more of it"]


async def test_after_it_was_settled_a_matter_is_told_again(bot, caplog):
    caplog.set_level(logging.INFO)
    bot.receive("libera", TRUSTED_JOINS)

    for _ in range(2):
        IOperator(bot).tell("storage", "the disk is full")
        await turns()
        IOperator(bot).settled("storage")
    IOperator(bot).settled("storage")

    assert len(bot.said) == 2
    assert IOperator(bot).matters() == {}
    assert caplog.messages == ["storage: the disk is full", "storage: settled"] * 2


@pytest.mark.parametrize(
    "lines",
    [
        [TRUSTED_JOINS],
        [ALICE_JOINS, ALICE_LOGS_IN],
        [BOB_JOINS, ":bob!b@host.example NICK dave"],
        [":irc.example 353 pynfo = #pynfo :@dave pynfo", ":irc.example 366 pynfo #pynfo :End"],
    ],
    ids=["joins", "logs in", "takes the nick", "is there when the bot joins"],
)
async def test_an_owner_who_appears_later_is_told_once_what_is_open(bot, lines):
    IOperator(bot).tell("storage", "the disk is full")
    IOperator(bot).tell("threads", "threads do not end")
    await turns()
    before = list(bot.said)

    for line in [*lines, ":someone!s@host.example JOIN #pynfo"]:
        bot.receive("libera", line)
    bot.receive("libera", ":irc.example 366 pynfo #pynfo :End")

    assert before == []
    assert [text for _, text in bot.said] == ["the disk is full", "threads do not end"]


async def test_an_owner_whose_account_shows_when_they_speak_is_told_then(bot):
    bot.receive("libera", ALICE_JOINS)
    IOperator(bot).tell("storage", "the disk is full")
    await turns()
    alice = bot.clients["libera"].state.update(bot.clients["libera"].state.user("alice"), account="alice")
    hello = MessageReceived(
        network="libera", time=0.0, user=alice, target="#pynfo", channel="#pynfo", text="hello"
    )

    for _ in range(2):
        IEvents(bot).publish(hello)

    assert bot.said == [("libera/alice", "the disk is full")]


async def test_while_nothing_is_open_no_message_costs_anything(bot):
    before = IEvents(bot).wants(MessageReceived)
    IOperator(bot).tell("storage", "the disk is full")
    await turns()
    during = IEvents(bot).wants(MessageReceived)
    IOperator(bot).settled("storage")
    await turns()

    assert [before, during, IEvents(bot).wants(MessageReceived)] == [False, True, False]


async def test_one_owner_on_two_networks_is_told_once(bot):
    bot.clients["oftc"] = Client("oftc")
    for network in ("libera", "oftc"):
        bot.receive(network, TRUSTED_JOINS)

    IOperator(bot).tell("storage", "the disk is full")
    await turns()

    assert bot.said == [("libera/carol", "the disk is full")]


async def test_a_network_that_is_down_is_passed_over(bot):
    bot.receive("libera", TRUSTED_JOINS)
    bot.clients["libera"].up = False

    IOperator(bot).tell("libera/connection", "libera cannot be reached")
    await turns()

    assert bot.said == []


async def test_many_matters_are_not_poured_over_an_owner(bot):
    for number in range(LINES_AT_ONCE + 3):
        IOperator(bot).tell(f"plugin/{number}", f"plugin {number} does not load\nTraceback")
    await turns()

    bot.receive("libera", TRUSTED_JOINS)
    bot.receive("libera", "@account=carol :carol!c@trusted.example NICK caroline")

    texts = [text for _, text in bot.said]
    assert texts[0] == "plugin 0 does not load"
    assert texts[LINES_AT_ONCE:] == ["and 3 more: !status tells them all"]


async def test_the_number_and_length_of_open_matters_are_bounded(bot):
    for number in range(MATTERS_LIMIT + 1):
        IOperator(bot).tell(f"plugin/{number}", "x" * (TEXT_LIMIT + 1))

    matters = IOperator(bot).matters()

    assert len(matters) == MATTERS_LIMIT
    assert "plugin/0" not in matters
    assert {len(text) for text in matters.values()} == {TEXT_LIMIT}


async def test_an_outbox_that_fails_and_tells_so_is_not_told_about_for_ever(bot, caplog):
    IOutbox(bot).error = RuntimeError("the queue is full")
    bot.receive("libera", TRUSTED_JOINS)

    IOperator(bot).tell("storage", "the disk is full")
    for _ in range(10):
        await turns()
    while_full = list(caplog.messages)
    IOutbox(bot).error = None
    bot.receive("libera", ":carol!c@trusted.example NICK caroline")

    assert while_full == [
        "storage: the disk is full",
        "outbox/the disk is full: the outbox is full",
        "carol on libera cannot be told: the queue is full",
    ]
    assert [text for _, text in bot.said] == ["the disk is full", "the outbox is full"]


async def test_owners_are_those_of_the_config_as_it_is_now(bot, caplog):
    bot.receive("libera", BOB_JOINS)
    IOperator(bot).tell("storage", "the disk is full")
    await turns()
    bot.config.owners = ["bob", "no mask!"]

    IOperator(bot).tell("threads", "threads do not end")
    await turns()

    assert [text for _, text in bot.said] == ["the disk is full", "threads do not end"]
    assert caplog.text.count("an owner in the config is left out") == 1


async def test_it_may_be_told_on_a_thread(bot):
    bot.receive("libera", TRUSTED_JOINS)

    thread = threading.Thread(target=IOperator(bot).tell, args=("storage", "the disk is full"))
    thread.start()
    thread.join()
    await turns()

    assert bot.said == [("libera/carol", "the disk is full")]


async def test_what_a_plugin_tells_stays_open_when_the_plugin_goes(bot):
    owner = Owner("logs")
    with owner.active():
        IOperator(bot).tell("logs", "the archive is damaged")
    await turns()

    await owner.close()
    bot.receive("libera", TRUSTED_JOINS)

    assert bot.said == [("libera/carol", "the archive is damaged")]


async def test_what_was_told_before_the_start_is_told_to_owners_after_it():
    bot = Bot()
    bot.receive("libera", TRUSTED_JOINS)
    IOperator(bot).tell("storage", "the disk is full")

    await bot.start_adapters()

    assert bot.said == [("libera/carol", "the disk is full")]
    await bot.stop_adapters()
