"""The plugin `ignore`: whom it keeps out, where, and until when."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from plugins.ignore import (
    MOST_IN_CHANNEL,
    REASON_LENGTH,
    Discrimination,
    IDiscriminating,
    Ignored,
    describe,
)
from pynfo.components import Componentized
from pynfo.interfaces import ICommands, IEvents, IStorage, RetrievalError
from pynfo.irc.events import MessageReceived, TagsReceived, User, UserInvited
from pynfo.testing import Puppet
from pynfo.testing.bot import Bot, config_for

ALICE = User("alice", "a", "home.example", account="alice")
BOB = User("Bob", "b", "spam.example")


class House(Componentized):
    """A factory with two networks, a store that is a dict, and one owner, alice."""

    def __init__(self) -> None:
        super().__init__()
        client = SimpleNamespace(state=SimpleNamespace(fold=str.lower))
        self.clients = {"libera": client, "oftc": client}
        self.stored: dict[tuple[str, str], Any] = {}
        self.owner: User | None = ALICE
        self.now = 1000.0
        for interface in (ICommands, IStorage):
            self.register_adapter(interface, lambda house: house)

    def role(self, network: str, user: User, channel: str | None = None) -> str:
        return "owner" if user == self.owner else "anyone"

    def store(self, key: str, version: str, value: object) -> None:
        self.stored[key, version] = value

    def retrieve(self, key: str, version: str) -> Any:
        try:
            return self.stored[key, version]
        except KeyError:
            raise RetrievalError(key) from None

    def open(self) -> Discrimination:
        return Discrimination(self, clock=lambda: self.now)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def ignoring(house: House) -> Discrimination:
    return house.open()


def test_nobody_is_ignored_at_first(ignoring: Discrimination) -> None:
    assert not ignoring.discriminates(BOB, "libera", "#pynfo")
    assert ignoring.list() == []


@pytest.mark.parametrize("mask", ["bob", "*!*@spam.example", "b?b!*@*", "libera/bob"])
def test_a_nick_or_a_hostmask_keeps_its_people_out(ignoring: Discrimination, mask: str) -> None:
    ignoring.add(mask)

    assert ignoring.discriminates(BOB, "libera", "#pynfo")
    assert not ignoring.discriminates(User("bobby", "b", "home.example"), "libera", "#pynfo")


def test_an_account_keeps_out_whatever_nick_it_has(ignoring: Discrimination) -> None:
    ignoring.add("$a:spammer", "libera")

    assert ignoring.discriminates(User("guest1", account="Spammer"), "libera")
    assert not ignoring.discriminates(User("spammer"), "libera")


def test_an_entry_for_a_network_holds_on_that_network_only(ignoring: Discrimination) -> None:
    ignoring.add("bob", "libera")

    assert ignoring.discriminates(BOB, "libera", "#pynfo")
    assert ignoring.discriminates(BOB, "libera")
    assert not ignoring.discriminates(BOB, "oftc", "#pynfo")


def test_an_entry_for_a_channel_holds_there_only(ignoring: Discrimination) -> None:
    ignoring.add("bob", "libera", "#pynfo")

    assert ignoring.discriminates(BOB, "libera", "#Pynfo")
    assert not ignoring.discriminates(BOB, "libera", "#other")
    assert not ignoring.discriminates(BOB, "libera")
    assert not ignoring.discriminates(BOB, "oftc", "#pynfo")


def test_an_entry_for_everywhere_holds_also_where_no_network_is_told(ignoring: Discrimination) -> None:
    ignoring.add("bob")

    assert ignoring.discriminates(BOB)
    assert ignoring.discriminates(BOB, "oftc")


def test_an_owner_is_never_ignored_but_whoever_no_longer_is_one(
    house: House, ignoring: Discrimination
) -> None:
    ignoring.add("alice")
    as_owner = ignoring.discriminates(ALICE, "libera")
    house.owner = None
    as_anyone = ignoring.discriminates(ALICE, "libera")

    assert (as_owner, as_anyone) == (False, True)


def test_an_entry_ends_at_its_time(house: House, ignoring: Discrimination) -> None:
    ignoring.add("bob", expires=house.now + 60)
    before = ignoring.discriminates(BOB, "libera")
    house.now += 60
    after = ignoring.discriminates(BOB, "libera")

    assert (before, after) == (True, False)
    assert ignoring.list() == []


def test_the_end_of_one_entry_is_not_the_end_of_another(house: House, ignoring: Discrimination) -> None:
    ignoring.add("bob", expires=house.now + 60)
    ignoring.add("*!*@spam.example", expires=house.now + 120)
    house.now += 60

    assert ignoring.discriminates(BOB, "libera")
    house.now += 60
    assert not ignoring.discriminates(BOB, "libera")


def test_a_removed_entry_lets_its_people_in_again(ignoring: Discrimination) -> None:
    ignoring.add("bob", "libera", "#pynfo")
    ignoring.discriminates(BOB, "libera", "#pynfo")

    assert ignoring.remove("BOB!*@*", "libera", "#PYNFO")
    assert not ignoring.discriminates(BOB, "libera", "#pynfo")
    assert not ignoring.remove("bob", "libera", "#pynfo")


def test_only_the_entry_of_exactly_that_place_is_removed(ignoring: Discrimination) -> None:
    ignoring.add("bob")

    assert not ignoring.remove("bob", "libera")
    assert ignoring.discriminates(BOB, "libera")


def test_the_same_mask_in_the_same_place_is_one_entry(ignoring: Discrimination) -> None:
    ignoring.add("bob", "libera", reason="first")
    ignoring.add("libera/bob!*@*", reason="second")

    assert [entry.reason for entry in ignoring.list()] == ["second"]


def test_a_restart_changes_nothing(house: House, ignoring: Discrimination) -> None:
    ignoring.add("bob", "libera", "#pynfo", expires=house.now + 60, reason="spam", by="alice")
    ignoring.add("$a:spammer", "oftc")
    ignoring.add("carol")
    ignoring.remove("carol")

    again = house.open()

    assert again.list() == ignoring.list()
    assert again.discriminates(BOB, "libera", "#pynfo")


def test_what_is_stored_is_plain(house: House, ignoring: Discrimination) -> None:
    ignoring.add("bob", reason="spam")

    assert house.stored["ignore", "1"] == [
        {"mask": "bob!*@*", "network": None, "channel": None, "expires": None, "reason": "spam", "by": ""}
    ]


@pytest.mark.parametrize(
    ("mask", "network", "channel", "told"),
    [
        ("*", None, None, "that would ignore everybody"),
        ("*!*@*", "libera", "#pynfo", "that would ignore everybody"),
        ("?*!*@*", None, None, "that would ignore everybody"),
        ("$a:bob", None, None, "an account belongs to one network: write NETWORK/$a:bob"),
        ("oftc/bob", "libera", None, "the mask is for oftc, the place is on libera"),
        ("bob", "nowhere", None, 'there is no network "nowhere"'),
        ("bob", None, "#pynfo", "a channel is on one network: name it"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    ignoring: Discrimination, mask: str, network: str | None, channel: str | None, told: str
) -> None:
    with pytest.raises(ValueError) as refusal:
        ignoring.add(mask, network, channel)

    assert str(refusal.value) == told
    assert ignoring.list() == []


def test_one_channel_cannot_fill_the_list(ignoring: Discrimination) -> None:
    for number in range(MOST_IN_CHANNEL):
        ignoring.add(f"guest{number}", "libera", "#pynfo")

    with pytest.raises(ValueError, match=r"the ignore list of #pynfo is full"):
        ignoring.add("bob", "libera", "#pynfo")
    ignoring.add("guest0", "libera", "#pynfo", reason="renewed")
    ignoring.add("bob", "libera", "#other")


def test_the_list_takes_so_many_entries_and_no_more(
    ignoring: Discrimination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Discrimination.add.__globals__, "MOST", 2)
    ignoring.add("bob")
    ignoring.add("carol")

    with pytest.raises(ValueError, match="the ignore list is full"):
        ignoring.add("dave")
    ignoring.add("carol", reason="renewed")


def test_a_reason_is_cut_to_its_bound(ignoring: Discrimination) -> None:
    assert len(ignoring.add("bob", reason="x" * 10_000).reason) == REASON_LENGTH


def test_an_entry_is_told_with_its_place_the_time_left_who_and_why() -> None:
    entry = Ignored(
        mask="bob!*@*", network="libera", channel="#pynfo", expires=8200.0, reason="too loud", by="alice"
    )

    assert describe(entry, 1000.0) == "bob!*@* in libera/#pynfo for 2 hours (by alice: too loud)"
    assert describe(Ignored(mask="carol!*@*"), 1000.0) == "carol!*@* everywhere"


# -- on IRC


async def silence_of(bot: Bot, person: Puppet, text: str) -> bool:
    """Whether nothing comes back to what a person says to the bot."""
    before = len(person.heard)
    person.say("pynfo", text)
    await bot.settle()
    return len(person.heard) == before


@pytest.mark.pynfo(owner=True)
async def test_who_is_ignored_gets_no_answer_until_they_are_no_longer(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#pynfo"])

    ignored = await bot.ask("!ignore bob --network 2h too loud")
    silent = await silence_of(bot, bob, "ping")
    heard_again = await bot.ask("!unignore bob --network")
    bob.say("pynfo", "ping")

    assert ignored == "ignoring bob!*@* on test for 2 hours (by alice: too loud)"
    assert silent
    assert heard_again == "listening to bob again"
    await bob.hears("pong")


@pytest.mark.pynfo(owner=True)
async def test_no_plugin_is_told_of_what_ignored_people_say_or_react(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#pynfo"])
    told: list[Any] = []
    IEvents(bot.factory).subscribe((MessageReceived, TagsReceived), told.append)
    await bot.ask("!ignore bob")
    await bot.settle()
    told.clear()

    bob.say("#pynfo", "buy this")
    bob.send("TAGMSG", "#pynfo", tags={"+typing": "active"})
    bot.user.say("#pynfo", "hello")
    await bot.settle()

    assert [event.text for event in told if not event.own] == ["hello"]


@pytest.mark.pynfo(owner=True)
async def test_an_ignored_person_invites_in_vain(bot: Bot) -> None:
    def invited_by(user: User) -> bool:
        event = UserInvited(network="test", time=0.0, nick="pynfo", channel="#trap", by=user)
        published: bool = IEvents(bot.factory).publish(event)
        return published

    await bot.ask("!ignore bob --network")

    assert (invited_by(BOB), invited_by(ALICE)) == (False, True)


async def test_an_operator_rules_their_own_channel_only(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#pynfo"])

    assert await bot.ask("!ignore bob") == "ignoring bob!*@* in test/#pynfo (by alice)"
    assert await bot.ask("!ignores") == "1 ignored: bob!*@* in test/#pynfo (by alice)"
    assert "for admins" in await bot.ask("!ignore carol --everywhere")
    assert "for admins" in await bot.ask("!ignore carol #other")
    bob.say("pynfo", "ping")
    await bob.hears("pong")


async def test_ordinary_people_cannot_have_others_ignored(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#pynfo"])

    bob.say("#pynfo", "!ignore alice")

    await bob.hears("*needs an operator of the channel*")
    assert IDiscriminating(bot.factory).list() == []


@pytest.mark.pynfo(owner=True)
async def test_owners_and_oneself_are_not_to_be_ignored(bot: Bot) -> None:
    assert await bot.ask("!ignore alice") == "alice is an owner, and owners are never ignored"
    assert await bot.ask("!ignore *!alice@*") == "that would be you"


@pytest.mark.pynfo(owner=True)
async def test_a_mask_that_is_ignored_elsewhere_is_told_with_its_place(bot: Bot) -> None:
    await bot.ask("!ignore bob --everywhere")

    assert await bot.ask("!unignore bob") == "bob is not ignored in test/#pynfo, but everywhere"
    assert await bot.ask("!unignore bob --everywhere") == "listening to bob again"


async def test_an_admin_rules_the_other_networks_too(tmp_path: Path) -> None:
    config = config_for(tmp_path, owner="alice")
    other = replace(config.networks[0], name="other", nick="otherbot", channels=[])

    async with Bot.running(replace(config, networks=[*config.networks, other])) as bot:
        assert await bot.ask("!ignore other/bob") == "ignoring bob!*@* on other (by alice)"
        assert await bot.ask("!ignore other/bob #b") == "ignoring bob!*@* in other/#b (by alice)"
        assert await bot.ask("!unignore other/bob #b") == "listening to other/bob again"
        assert await bot.ask("!unignore other/bob") == "listening to other/bob again"


async def test_an_operator_rules_no_other_network(tmp_path: Path) -> None:
    config = config_for(tmp_path)
    other = replace(config.networks[0], name="other", nick="otherbot", channels=[])

    async with Bot.running(replace(config, networks=[*config.networks, other])) as bot:
        assert "for admins" in await bot.ask("!ignore other/bob")


@pytest.mark.pynfo(owner=True)
async def test_the_list_outlives_its_plugin_which_when_unloaded_keeps_nobody_out(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#pynfo"])
    await bot.ask("!ignore bob --network")

    await bot.factory.plugins.unload("ignore")
    bob.say("pynfo", "ping")
    await bob.hears("pong")
    await bot.factory.plugins.load("ignore")

    assert await silence_of(bot, bob, "ping")
