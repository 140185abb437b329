"""The plugin `seen`: what it keeps, what it tells, and to whom."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from plugins.seen import CLOSED, ISightings
from plugins.seen.answers import View, about, matches
from plugins.seen.sightings import PLACES, SHARDS, TEXT_LENGTH, Sighting, Sightings
from pynfo.interfaces import IEvents, IOperator, IStorage
from pynfo.irc import Message
from pynfo.irc.events import (
    ChannelRenamed,
    ChannelSynced,
    MessageReceived,
    MessageRedacted,
    User,
    UserChanged,
)
from pynfo.irc.isupport import ISupport
from pynfo.irc.state import State
from pynfo.testing.bot import Bot, config_for

NOW = 1_000_000.0
MINUTE = 60.0
HOUR = 3600.0

ALICE = User("alice", "a", "home.example", account="alice")
BOB = User("bob", "b", "work.example")


@pytest.fixture
def sightings() -> Sightings:
    return Sightings(10_000, str.lower)


def view(*channels: str, here: str | None = None, present: dict[str, list[str]] | None = None) -> View:
    """What somebody in `channels` may be told, who asks in `here`, while `present` are there."""
    there = present or {}
    return View(
        {channel.lower(): channel for channel in channels}, here, lambda nick: there.get(nick, []), str.lower
    )


# -- what is told


def test_the_last_words_are_told_with_place_and_time(sightings: Sightings) -> None:
    sightings.saw(ALICE, "#Pynfo", "said", NOW - 3 * HOUR, text="good night")

    answer = about(sightings, "Alice", view("#Pynfo"), NOW)

    assert answer == 'alice last spoke in #Pynfo 3 hours ago: "good night"'


def test_leaving_is_told_with_the_last_words_before_it(sightings: Sightings) -> None:
    sightings.saw(ALICE, "#pynfo", "did", NOW - 3 * HOUR, text="yawns")
    sightings.saw(ALICE, "#pynfo", "left", NOW - 2 * HOUR, text="bye")

    answer = about(sightings, "alice", view("#pynfo"), NOW)

    assert answer == "alice left #pynfo 2 hours ago (bye); last spoke 3 hours ago: * yawns"


@pytest.mark.parametrize(
    ("kind", "other", "text", "told"),
    [
        ("joined", "", "", "alice joined #pynfo 5 minutes ago"),
        ("quit", "", "Ping timeout", "alice quit IRC 5 minutes ago (Ping timeout)"),
        ("kicked", "bob", "", "alice was kicked from #pynfo by bob 5 minutes ago"),
    ],
)
def test_each_way_to_come_and_go_has_its_words(
    sightings: Sightings, kind: str, other: str, text: str, told: str
) -> None:
    sightings.saw(ALICE, "#pynfo", kind, NOW - 5 * MINUTE, text=text, other=other)

    assert about(sightings, "alice", view("#pynfo"), NOW) == told


def test_colours_in_what_was_said_do_not_come_back(sightings: Sightings) -> None:
    sightings.saw(ALICE, "#pynfo", "said", NOW, text="\x0304red\x03 \x02bold\x02")

    assert about(sightings, "alice", view("#pynfo"), NOW).endswith(': "red bold"')


def test_somebody_present_is_here_and_their_last_words_are_told(sightings: Sightings) -> None:
    sightings.saw(ALICE, "#pynfo", "said", NOW - 3 * MINUTE, text="hello")
    present = {"alice": ["#pynfo"]}

    in_channel = about(sightings, "alice", view("#pynfo", here="#pynfo", present=present), NOW)
    in_private = about(sightings, "alice", view("#pynfo", present=present), NOW)

    assert in_channel == 'alice is here; last spoke 3 minutes ago: "hello"'
    assert in_private == 'alice is in #pynfo now; last spoke 3 minutes ago: "hello"'


def test_somebody_present_who_has_not_spoken_is_here_all_the_same(sightings: Sightings) -> None:
    answer = about(sightings, "bob", view("#pynfo", here="#pynfo", present={"bob": ["#pynfo"]}), NOW)

    assert answer == "bob is here; I have not heard them speak"


# -- to whom it is told


def test_nothing_is_told_of_a_channel_the_asker_is_not_in(sightings: Sightings) -> None:
    sightings.saw(ALICE, "#pynfo", "said", NOW - HOUR, text="in the open")
    sightings.saw(ALICE, "#secret", "said", NOW, text="the plan")

    answer = about(sightings, "alice", view("#pynfo"), NOW)

    assert answer == 'alice last spoke in #pynfo an hour ago: "in the open"'
    assert about(sightings, "alice", view("#other"), NOW) == "I have not seen alice"
    assert matches(sightings, "a*", view("#other"), NOW) == "I have seen nobody like a*"


def test_the_words_for_a_person_never_met_and_one_out_of_sight_are_the_same(sightings: Sightings) -> None:
    sightings.saw(ALICE, "#secret", "said", NOW, text="the plan")

    assert about(sightings, "alice", view("#pynfo"), NOW) == "I have not seen alice"
    assert about(sightings, "carol", view("#pynfo"), NOW) == "I have not seen carol"


def test_a_rename_that_was_out_of_sight_leads_nowhere(sightings: Sightings) -> None:
    sightings.rename(User("mallory"), "alice", ["#secret"], NOW - HOUR)
    sightings.saw(User("mallory"), "#pynfo", "said", NOW, text="hello")

    assert about(sightings, "alice", view("#pynfo"), NOW) == "I have not seen alice"


def test_an_account_met_out_of_sight_leads_nowhere(sightings: Sightings) -> None:
    sightings.saw(User("mallory", account="alice"), "#secret", "said", NOW - HOUR)
    sightings.saw(ALICE, "#pynfo", "said", NOW, text="hello")

    assert about(sightings, "mallory", view("#pynfo"), NOW) == "I have not seen mallory"


# -- who is who


def test_a_rename_is_followed_to_where_the_person_is_now(sightings: Sightings) -> None:
    sightings.saw(BOB, "#pynfo", "said", NOW - HOUR, text="one moment")
    sightings.rename(User("bob_away"), "bob", ["#pynfo"], NOW - 30 * MINUTE)

    gone = about(sightings, "bob", view("#pynfo"), NOW)
    here = about(sightings, "bob", view("#pynfo", here="#pynfo", present={"bob_away": ["#pynfo"]}), NOW)

    assert gone == 'bob became bob_away 30 minutes ago; last spoke an hour ago: "one moment"'
    assert here == 'bob is here as bob_away; last spoke an hour ago: "one moment"'


def test_what_a_person_did_under_a_later_nick_is_told(sightings: Sightings) -> None:
    sightings.rename(User("bob_away"), "bob", ["#pynfo"], NOW - HOUR)
    sightings.saw(User("bob_away"), "#pynfo", "quit", NOW - 5 * MINUTE, text="gone")

    assert about(sightings, "bob", view("#pynfo"), NOW) == "bob, as bob_away, quit IRC 5 minutes ago (gone)"


def test_two_nicks_that_became_each_other_are_followed_once(sightings: Sightings) -> None:
    sightings.rename(User("b"), "a", ["#pynfo"], NOW - HOUR)
    sightings.rename(User("a"), "b", ["#pynfo"], NOW - MINUTE)

    assert about(sightings, "a", view("#pynfo"), NOW) == "a took that nick a minute ago, before it was b"


def test_another_nick_of_the_same_account_counts(sightings: Sightings) -> None:
    sightings.saw(ALICE, "#pynfo", "quit", NOW - HOUR)
    sightings.saw(User("alice`", account="alice"), "#pynfo", "left", NOW - MINUTE)

    assert about(sightings, "alice", view("#pynfo"), NOW) == "alice, as alice`, left #pynfo a minute ago"


def test_the_name_of_an_account_finds_its_nick(sightings: Sightings) -> None:
    sightings.saw(User("ally", account="Alice"), "#pynfo", "left", NOW - MINUTE)

    assert about(sightings, "alice", view("#pynfo"), NOW) == "alice, as ally, left #pynfo a minute ago"


def test_a_login_is_remembered_though_nothing_else_was_done(sightings: Sightings) -> None:
    sightings.saw(BOB, "#pynfo", "joined", NOW - HOUR)
    sightings.saw(User("robert", account="bob"), "#pynfo", "left", NOW)
    sightings.logged_in("bob", "bob")

    assert about(sightings, "robert", view("#pynfo", present={"bob": ["#pynfo"]}), NOW).startswith(
        "robert is in #pynfo now as bob"
    )


def test_a_change_of_case_is_the_same_person(sightings: Sightings) -> None:
    sightings.saw(BOB, "#pynfo", "said", NOW - HOUR, text="hello")
    sightings.rename(User("Bob"), "bob", ["#pynfo"], NOW)

    assert about(sightings, "bob", view("#pynfo"), NOW) == 'Bob last spoke in #pynfo an hour ago: "hello"'


# -- patterns


def test_a_pattern_lists_the_five_seen_most_lately(sightings: Sightings) -> None:
    for number in range(7):
        sightings.saw(User(f"ali{number}"), "#pynfo", "joined", NOW - number * HOUR)

    answer = matches(sightings, "ALI?", view("#pynfo"), NOW)

    assert answer == (
        "ali0 (in #pynfo just now), ali1 (in #pynfo an hour ago), ali2 (in #pynfo 2 hours ago), "
        "ali3 (in #pynfo 3 hours ago), ali4 (in #pynfo 4 hours ago), and 2 more"
    )


def test_brackets_in_a_pattern_are_letters(sightings: Sightings) -> None:
    sightings.saw(User("[bot]"), "#pynfo", "joined", NOW)
    sightings.saw(User("b"), "#pynfo", "joined", NOW)

    assert matches(sightings, "[bo*]", view("#pynfo"), NOW) == "[bot] (in #pynfo just now)"


# -- what is kept


def test_what_is_kept_of_one_person_is_bounded(sightings: Sightings) -> None:
    for number in range(PLACES * 3):
        sightings.saw(ALICE, f"#c{number}", "said", NOW + number, text="x" * 1000)

    person = sightings.person("alice")

    assert person is not None
    assert len(person.sightings) == PLACES
    assert min(sighting.time for sighting in person.sightings) == NOW + PLACES * 2
    assert {len(sighting.text) for sighting in person.sightings} == {TEXT_LENGTH}


def test_those_not_seen_for_the_longest_time_are_forgotten_past_the_limit() -> None:
    sightings = Sightings(SHARDS * 2, str.lower)
    for number in range(SHARDS * 8):
        sightings.saw(User(f"guest{number}"), "#pynfo", "joined", NOW + number)
        sightings.saw(ALICE, "#pynfo", "said", NOW + number)

    assert sum(1 for _ in sightings.people()) <= SHARDS * 2
    assert sightings.person("alice") is not None
    assert sightings.person("guest0") is None


def test_shards_come_back_from_plain_values_as_they_were(sightings: Sightings) -> None:
    sightings.saw(ALICE, "#pynfo", "said", NOW - HOUR, text="hello", msgid="m1")
    sightings.rename(User("alice_"), "alice", ["#pynfo"], NOW)
    again = Sightings(10_000, str.lower)

    for shard in sightings.changed:
        again.load(shard, sightings.dump(shard))

    assert list(again.people()) == list(sightings.people())
    assert about(again, "alice", view("#pynfo"), NOW) == about(sightings, "alice", view("#pynfo"), NOW)


def test_one_line_changes_one_shard(sightings: Sightings) -> None:
    sightings.saw(ALICE, "#pynfo", "said", NOW)
    sightings.changed.clear()

    sightings.saw(ALICE, "#pynfo", "said", NOW + 1)

    assert len(sightings.changed) == 1


def test_the_words_of_a_redacted_message_are_forgotten(sightings: Sightings) -> None:
    sightings.saw(ALICE, "#pynfo", "said", NOW - HOUR, text="my password", msgid="m1")
    sightings.saw(BOB, "#pynfo", "said", NOW - HOUR, text="hello", msgid="m2")
    sightings.changed.clear()

    sightings.redact("m1")

    assert about(sightings, "alice", view("#pynfo"), NOW) == "alice last spoke in #pynfo an hour ago"
    assert about(sightings, "bob", view("#pynfo"), NOW).endswith('"hello"')
    assert len(sightings.changed) == 1


def test_a_renamed_channel_takes_its_sightings_along(sightings: Sightings) -> None:
    sightings.saw(ALICE, "#old", "said", NOW, text="the plan")

    sightings.rename_channel("#old", "#new")

    assert about(sightings, "alice", view("#old"), NOW) == "I have not seen alice"
    assert about(sightings, "alice", view("#new"), NOW) == 'alice last spoke in #new just now: "the plan"'


# -- what people want forgotten


def test_an_account_is_forgotten_under_every_nick_it_had(sightings: Sightings) -> None:
    sightings.saw(ALICE, "#pynfo", "said", NOW - HOUR, text="hello")
    sightings.saw(User("ally", account="Alice"), "#other", "left", NOW)
    sightings.saw(User("alice"), "#third", "said", NOW, text="I am another alice")
    sightings.saw(BOB, "#pynfo", "said", NOW, text="hello")

    sightings.forget("alice", [], NOW)

    assert sorted(person.nick for person in sightings.people()) == ["alice", "bob"]
    assert about(sightings, "alice", view("#pynfo", "#third"), NOW).endswith('"I am another alice"')


def test_what_was_said_before_the_login_is_forgotten_with_the_account(sightings: Sightings) -> None:
    sightings.saw(BOB, "#pynfo", "said", NOW - HOUR, text="hello")
    sightings.logged_in("bob", "robert")

    sightings.forget("robert", [], NOW)

    assert list(sightings.people()) == []


def test_without_an_account_only_what_those_nicks_did_since_then_is_forgotten(sightings: Sightings) -> None:
    sightings.saw(BOB, "#pynfo", "said", NOW - 2 * HOUR, text="an earlier bob")
    sightings.saw(BOB, "#other", "said", NOW - MINUTE, text="hello")
    sightings.saw(User("bob2"), "#other", "said", NOW, text="hello again")
    sightings.saw(User("bob2", account="bob2"), "#pynfo", "joined", NOW)

    sightings.forget(None, ["Bob", "bob2"], NOW - HOUR)

    assert about(sightings, "bob", view("#pynfo", "#other"), NOW).endswith('"an earlier bob"')
    assert about(sightings, "bob2", view("#pynfo", "#other"), NOW) == "bob2 joined #pynfo just now"


def test_whoever_is_forgotten_is_not_named_with_others_either(sightings: Sightings) -> None:
    sightings.saw(BOB, "#pynfo", "kicked", NOW, text="enough, says alice", other="Alice")
    sightings.rename(User("carol"), "ally", ["#pynfo"], NOW - HOUR)
    sightings.rename(User("ally", account="alice"), "alice", ["#pynfo"], NOW)

    sightings.forget("alice", ["alice"], 0)

    assert about(sightings, "bob", view("#pynfo"), NOW) == "bob was kicked from #pynfo just now"
    assert about(sightings, "carol", view("#pynfo"), NOW) == "I have not seen carol"
    assert "al" not in str([sightings.dump(shard) for shard in range(SHARDS)])


def test_what_is_forgotten_is_changed_and_nothing_else(sightings: Sightings) -> None:
    sightings.saw(ALICE, "#pynfo", "said", NOW)
    sightings.saw(BOB, "#pynfo", "said", NOW)
    sightings.changed.clear()

    sightings.forget("alice", [], 0)

    assert len(sightings.changed) == 1


def test_certain_words_of_somebody_can_be_forgotten(sightings: Sightings) -> None:
    sightings.saw(ALICE, "#pynfo", "said", NOW, text="my password" * 100)
    sightings.saw(ALICE, "#other", "said", NOW - HOUR, text="my password" * 100)

    sightings.redact_words("ALICE", "#Pynfo", "my password" * 100)
    sightings.redact_words("alice", "#other", "something else")
    sightings.redact_words("nobody", "#other", "my password")

    assert about(sightings, "alice", view("#pynfo"), NOW) == "alice last spoke in #pynfo just now"
    assert "my password" in about(sightings, "alice", view("#other"), NOW)


def test_the_words_that_a_log_has_are_told_where_nothing_newer_is_known(sightings: Sightings) -> None:
    logged = ("Alice", Sighting(NOW - 100 * HOUR, "said", "#pynfo", "before your time"))

    absent = about(sightings, "alice", view("#pynfo"), NOW, logged)
    sightings.saw(ALICE, "#pynfo", "left", NOW)
    left = about(sightings, "alice", view("#pynfo"), NOW, logged)

    assert absent == 'Alice last spoke in #pynfo 4 days ago: "before your time"'
    assert left == 'alice left #pynfo just now; last spoke 4 days ago: "before your time"'


# -- on IRC


async def enter(bot: Bot, channel: str) -> None:
    """Have the bot in one more channel."""
    joined = asyncio.Event()
    IEvents(bot.factory).subscribe(ChannelSynced, lambda event: joined.set())
    bot.factory.clients["test"].join(channel)
    await asyncio.wait_for(joined.wait(), 5)


async def test_who_spoke_and_left_is_told_of(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#pynfo"])
    bob.say("#pynfo", "good night")
    bob.part("#pynfo", "to bed")
    await bot.settle()
    await bot.user.hears("good night")

    answer = await bot.ask("!seen bob")

    assert answer == 'bob left #pynfo just now (to bed); last spoke just now: "good night"'


async def test_a_quit_and_a_rename_are_followed(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#pynfo"])
    bob.rename("bob_away")
    bob.quit("gone")
    await bot.settle()

    assert await bot.ask("!seen bob") == "bob, as bob_away, quit IRC just now (Quit: gone)"


async def test_who_is_kicked_is_told_with_who_did_it(bot: Bot) -> None:
    await bot.server.user("bob", channels=["#pynfo"])
    bot.user.kick("#pynfo", "bob", "enough")

    assert await bot.ask("!seen bob") == "bob was kicked from #pynfo by alice just now (enough)"


async def test_the_bot_and_the_asker_are_here(bot: Bot) -> None:
    assert await bot.ask("!seen pynfo") == "I am here"
    assert await bot.ask("!seen ALICE") == "you are here, alice"


async def test_private_messages_do_not_count(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#pynfo"])
    bob.say("pynfo", "the password is sesame")
    await bob.hears("*")

    answer = await bot.ask("!seen bob")

    assert answer.startswith("bob is here; I have not heard them speak")


async def test_words_to_the_operators_only_and_our_own_do_not_count(bot: Bot) -> None:
    await bot.server.user("bob", channels=["#pynfo"])
    said: dict[str, Any] = {"network": "test", "time": NOW, "channel": "#pynfo", "text": "psst"}
    publish = IEvents(bot.factory).publish

    publish(MessageReceived(**said, user=User("bob"), target="@#pynfo", statusmsg="@"))
    publish(MessageReceived(**said, user=User("pynfo"), target="#pynfo", own=True))

    assert await bot.ask("!seen bob") == "bob is here; I have not heard them speak"
    assert ISightings(bot.factory).on("test").person("pynfo") is None


async def test_what_else_happens_to_people_channels_and_messages_is_followed(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#pynfo"])
    bob.say("#pynfo", "my password")
    await bot.settle()
    sightings = ISightings(bot.factory).on("test")
    publish = IEvents(bot.factory).publish
    about: dict[str, Any] = {"network": "test", "time": NOW, "user": User("bob", account="robert")}
    next(s for s in sightings.person("bob").sightings if s.spoken).msgid = "m1"

    publish(UserChanged(**about, old=User("bob"), channels=["#pynfo"]))
    publish(MessageRedacted(**about, target="#pynfo", channel="#pynfo", msgid="m1"))
    publish(ChannelRenamed(network="test", time=NOW, old_channel="#pynfo", channel="#new", by=User("bob")))

    person = sightings.person("bob")
    assert person.account == "robert"
    assert {s.channel for s in person.sightings} == {"#new"}
    assert [s.text for s in person.sightings if s.spoken] == [""]


async def test_a_channel_that_the_asker_is_not_in_stays_out_of_the_answer(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#den"])
    await enter(bot, "#den")
    bob.say("#den", "the plan")
    await bot.settle()

    assert await bot.ask("!seen bob") == "I have not seen bob"
    assert await bot.ask("seen b*", private=True) == "I have seen nobody like b*"


async def test_a_channel_that_the_asker_has_left_stays_out_of_the_answer(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#den"])
    await enter(bot, "#den")
    bob.say("#den", "the plan")
    bot.user.join("#den")
    there = await bot.ask("seen bob", private=True)
    bot.user.part("#den")

    assert there == 'bob is in #den now; last spoke just now: "the plan"'
    assert await bot.ask("seen bob", private=True) == "I have not seen bob"


async def test_what_is_said_in_a_closed_channel_is_not_told_in_an_open_one(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#den", "#hall"])
    await enter(bot, "#den")
    await enter(bot, "#hall")
    bot.user.join("#den")
    bot.user.join("#hall")
    bob.mode("#den", "+i")
    bob.say("#den", "the plan")
    await bot.user.hears("the plan")

    assert await bot.ask("!seen bob") == "bob is in #hall now; I have not heard them speak"
    assert await bot.ask("seen bob", private=True) == 'bob is in #den now; last spoke just now: "the plan"'


def test_a_channel_is_known_to_be_secret_from_its_names() -> None:
    state = State("test", ISupport(), "pynfo")
    for line in (b":pynfo!p@host JOIN #den", b":irc.test 353 pynfo @ #den :@bob pynfo"):
        state.apply(Message.parse(line), NOW, None)

    channel = state.channel("#den")

    assert channel is not None
    assert not CLOSED.isdisjoint(channel.modes)


async def test_who_shares_no_channel_with_the_bot_is_told_of_nobody(bot: Bot) -> None:
    carol = await bot.server.user("carol")

    carol.say("pynfo", "seen alice")

    await carol.hears("we share no channel*")


async def test_a_restart_forgets_nobody(tmp_path: Path) -> None:
    async with Bot.running(config_for(tmp_path)) as bot:
        bob = await bot.server.user("bob", channels=["#pynfo"])
        bob.quit("see you")
        await bot.settle()

    async with Bot.running(config_for(tmp_path)) as bot:
        assert await bot.ask("!seen bob") == "bob quit IRC just now (Quit: see you)"


async def test_what_is_seen_is_stored_at_once_and_not_only_at_the_end(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = asyncio.Event()
    storage = IStorage(bot.factory)
    store = storage.store

    def watched(key: str, version: str, value: object) -> None:
        store(key, version, value)
        if key.startswith("seen/test/") and "bob" in value:  # type: ignore[operator]
            stored.set()

    monkeypatch.setattr(storage, "store", watched)

    await bot.server.user("bob", channels=["#pynfo"])

    await asyncio.wait_for(stored.wait(), 1)


async def test_who_is_forgotten_is_in_no_file_any_more(bot: Bot) -> None:
    bob = await bot.server.user("bob", channels=["#pynfo"])
    bob.say("#pynfo", "my password is sesame")
    bob.part("#pynfo", "to the sesame shop")
    await bot.settle()
    await bot.user.hears("my password is sesame")
    watch, storage = ISightings(bot.factory), IStorage(bot.factory)
    watch.store()
    assert await storage.flush()
    before = b"".join(path.read_bytes() for path in bot.factory.state_dir.iterdir() if path.is_file())

    await watch.forget("test", nicks=["bob"])
    await watch.forget("nowhere", nicks=["bob"])

    after = b"".join(path.read_bytes() for path in bot.factory.state_dir.iterdir() if path.is_file())
    assert b"sesame" in before
    assert b"sesame" not in after
    assert await bot.ask("!seen bob") == "I have not seen bob"


async def test_what_the_network_redacts_leaves_the_files_as_well(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await bot.server.user("bob", channels=["#pynfo"])
    bob.say("#pynfo", "my password is sesame")
    await bot.settle()
    watch, storage, gone = ISightings(bot.factory), IStorage(bot.factory), asyncio.Event()
    spoken = next(s for s in watch.on("test").person("bob").sightings if s.spoken)
    spoken.msgid = "m1"
    watch.store()
    assert await storage.flush()
    expunge = storage.expunge

    async def watched() -> bool:
        done: bool = await expunge()
        gone.set()
        return done

    monkeypatch.setattr(storage, "expunge", watched)
    about: dict[str, Any] = {"network": "test", "time": NOW, "target": "#pynfo", "channel": "#pynfo"}
    IEvents(bot.factory).publish(MessageRedacted(**about, user=User("bob"), msgid="m1"))
    await asyncio.wait_for(gone.wait(), 5)

    assert b"sesame" not in b"".join(path.read_bytes() for path in bot.factory.state_dir.glob("state*"))


@pytest.mark.pynfo(plugins={"seen": {"people": 0}})
async def test_a_limit_that_keeps_nobody_is_a_mistake(bot: Bot) -> None:
    matters = IOperator(bot.factory).matters()

    assert "people" in matters["plugin/seen"]
