"""What people say to the bot about the logs, in a whole bot: `!logs` and what is under it."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plugins.logs.interfaces import IArchive
from plugins.logs.line import Line
from plugins.logs.links import read
from plugins.seen import ISightings
from pynfo.config_http import HttpSettings
from pynfo.interfaces import IEvents, IStorage
from pynfo.irc.events import ChannelSynced, User
from pynfo.testing import Puppet, Server
from pynfo.testing.bot import Bot, config_for

SITE = "https://logs.example.org"
PLACE = "test/#pynfo"
WEB = HttpSettings(public_url=SITE, in_bot=False)
WAY_OUT = "to stay out of it begin a line with [off], or say !logs optout"
NO_LOG = "I know of no log of #den that I could tell you about"


@asynccontextmanager
async def logging_bot(
    folder: Path, *, account: str = "", others: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[Bot]:
    """A bot that keeps the log of its channel with these settings, and of `others`; with `seen`."""
    channels = {PLACE: settings, **(others or {})}
    plugins = {"logs": {"channels": channels}, "seen": {}, "admin": {}}
    async with Bot.running(config_for(folder, http=WEB, plugins=plugins), account=account) as bot:
        yield bot


async def enter(bot: Bot, channel: str) -> None:
    """Have the bot in one more channel."""
    joined = asyncio.Event()
    handle = IEvents(bot.factory).subscribe(ChannelSynced, lambda event: joined.set())
    bot.factory.clients["test"].join(channel)
    await asyncio.wait_for(joined.wait(), 5)
    handle.cancel()


async def answer(person: Puppet, text: str, target: str = "pynfo") -> str:
    """Say something, and *await* what the bot says to it."""
    person.say(target, text)
    while True:
        message = await person.hears("*")
        if message.source and message.source.startswith("pynfo!"):
            return message.params[1]


async def kept(bot: Bot, place: str = PLACE) -> list[Line]:
    """What is in the archive, of what people said."""
    await bot.settle()
    archive = IArchive(bot.factory)
    await archive.flush()
    return [line async for line in archive.export(place) if line.kind in ("message", "action", "notice")]


async def texts(bot: Bot, place: str = PLACE) -> list[str]:
    """What others than the bot said, in the archive."""
    return [line.text for line in await kept(bot, place) if line.nick != "pynfo"]


def files(folder: Path) -> bytes:
    """All that is in files of the bot."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def code_in(text: str) -> str:
    """The code that an answer asks for."""
    found = re.search(r"logs forget me (\w+)$", text)
    assert found, text
    return found[1]


# -- where the log is


async def test_people_are_told_where_the_log_is_and_how_to_stay_out_of_it(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, publish="public", keep="90 days") as bot:
        told = await bot.ask("!logs")

    assert told == (
        f"the log of #pynfo is at {SITE}/test/pynfo/; lines are kept for 90 days; {WAY_OUT}"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("publish", "told"),
    [
        ("no", "what is said in #pynfo is kept, but not published"),
        ("unlisted", f"the log of #pynfo is at {SITE}/test/pynfo/ (for those who know the address)"),
        ("private", "the log of #pynfo is for the people in it: !logs link gives you a link"),
    ],
)
async def test_each_way_to_publish_is_told_in_its_words(tmp_path: Path, publish: str, told: str) -> None:
    async with logging_bot(tmp_path, publish=publish) as bot:
        assert await bot.ask("!logs") == f"{told}; {WAY_OUT}"


async def test_without_a_web_it_is_told_that_lines_are_kept_all_the_same(tmp_path: Path) -> None:
    plugins = {"logs": {"channels": {PLACE: {"publish": "public"}}}}
    async with Bot.running(config_for(tmp_path, plugins=plugins)) as bot:
        told = await bot.ask("!logs")

    assert told == f"what is said in #pynfo is kept, but there is no web to read it on; {WAY_OUT}"


async def test_a_channel_that_is_not_kept_has_no_log(tmp_path: Path) -> None:
    async with logging_bot(tmp_path) as bot:
        assert await bot.ask("!logs #den") == NO_LOG


async def test_in_private_the_logs_of_the_channels_that_one_is_in_are_told(tmp_path: Path) -> None:
    others = {"test/#den": {"publish": "public"}, "test/#attic": {"publish": "public"}}
    async with logging_bot(tmp_path, publish="public", others=others) as bot:
        for channel in ("#den", "#attic"):
            await enter(bot, channel)
        bot.user.join("#den")

        told = await bot.ask("logs", private=True)
        of_one = await bot.ask("logs #PYNFO", private=True)

    assert f"the log of #pynfo is at {SITE}/test/pynfo/" in told
    assert f"the log of #den is at {SITE}/test/den/" in told
    assert "attic" not in told
    assert of_one.startswith(f"the log of #pynfo is at {SITE}/test/pynfo/; ")


async def test_who_shares_no_kept_channel_may_name_a_public_one(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, publish="public") as bot:
        bob = await bot.server.user("bob")

        assert await answer(bob, "logs") == (
            "I keep no log of a channel that we are both in; name another: logs #channel"
        )
        assert (await answer(bob, "logs #pynfo")).startswith(f"the log of #pynfo is at {SITE}/test/pynfo/")


@pytest.mark.parametrize("publish", ["unlisted", "private", "no"])
async def test_a_log_that_is_not_public_is_told_of_only_to_those_inside(tmp_path: Path, publish: str) -> None:
    async with logging_bot(tmp_path, publish="public", others={"test/#den": {"publish": publish}}) as bot:
        await enter(bot, "#den")
        bob = await bot.server.user("bob", channels=["#den", "#pynfo"])

        outside = [await bot.ask(f"logs{how} #den", private=True) for how in ("", " link")]
        in_another_channel = await answer(bob, "!logs #den", "#pynfo")
        inside = await answer(bob, "logs #den")

    assert outside == [NO_LOG, NO_LOG]
    assert in_another_channel == NO_LOG
    assert "#den" in inside
    assert inside != NO_LOG


async def test_an_archive_that_is_busy_is_told_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(place: str) -> None:
        from plugins.logs.interfaces import ArchiveBusy  # that of the plugin as it is loaded now

        raise ArchiveBusy("the log takes too long to answer: ask for less")

    async with logging_bot(tmp_path) as bot:
        monkeypatch.setattr(IArchive(bot.factory), "channel", busy)

        assert await bot.ask("!logs") == "the log takes too long to answer: ask for less"


async def test_the_help_names_all_that_can_be_said_about_logs(tmp_path: Path) -> None:
    more = "logs [forget|link|optin|optout|publish|redact]"
    async with logging_bot(tmp_path) as bot:
        assert f", {more}, " in await bot.ask("!help")
        told = await bot.ask("!help logs")

    assert told.endswith(" There is more: !logs forget|link|optin|optout|publish|redact.")


# -- publishing


async def test_an_operator_of_the_channel_publishes_its_log_and_takes_it_back(tmp_path: Path) -> None:
    async with logging_bot(tmp_path) as bot:
        told = [await bot.ask(f"!logs publish{how}") for how in ("", " on", " off")]

    unpublished = "what is said in #pynfo is kept, but not published"
    assert told == [unpublished, f"the log of #pynfo is at {SITE}/test/pynfo/", unpublished]


async def test_off_wins_over_a_config_that_says_public_and_outlives_a_restart(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, publish="public") as bot:
        await bot.ask("!logs publish off")
    async with logging_bot(tmp_path, publish="public") as bot:
        told = await bot.ask("!logs publish")

    assert told == "what is said in #pynfo is kept, but not published"


async def test_on_makes_nothing_more_public_than_the_config_says(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, publish="private") as bot:
        await bot.ask("!logs publish off")

        assert await bot.ask("!logs publish on") == "the log of #pynfo is for the people in it"


async def test_ordinary_people_publish_nothing(tmp_path: Path) -> None:
    async with logging_bot(tmp_path) as bot:
        bob = await bot.server.user("bob", channels=["#pynfo"])

        told = await answer(bob, "!logs publish on", "#pynfo")
        info = await IArchive(bot.factory).channel(PLACE)

    assert told == "who may read the log of #pynfo is for the operators of #pynfo to say"
    assert info.publish is None


async def test_an_operator_can_publish_in_private(tmp_path: Path) -> None:
    async with logging_bot(tmp_path) as bot:
        told = await answer(bot.user, "logs publish #pynfo on")

    assert told == f"the log of #pynfo is at {SITE}/test/pynfo/"


async def test_an_operator_rules_no_other_channel_and_an_admin_all(tmp_path: Path) -> None:
    others = {"test/#den": {}}
    plugins = {"logs": {"channels": {PLACE: {}, **others}}}
    config = config_for(tmp_path, http=WEB, plugins=plugins, admins=["*!root@*"])
    async with Bot.running(config) as bot:
        await bot.server.user("bob", channels=["#den"])
        await enter(bot, "#den")
        root = await bot.server.user("root")

        by_operator = await bot.ask("!logs publish #den on")
        by_admin = await answer(root, "logs publish #den on")

    assert by_operator == NO_LOG
    assert by_admin == f"the log of #den is at {SITE}/test/den/"


# -- links


async def test_a_link_to_a_private_log_is_sent_in_private_to_who_is_inside(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, publish="private", link_hours=2) as bot:
        bob = await bot.server.user("bob", channels=["#pynfo"])
        bob.say("#pynfo", "!logs link")
        told = await bob.hears("*for you*")
        key = IArchive(bot.factory).key

    assert told.params[0] == "bob"
    head, token = told.params[1].split("?key=")
    assert head == f"the log of #pynfo, for you, for 2 hours: {SITE}/test/pynfo/"
    assert read(key, token) == PLACE
    assert read(key, token, now=time.time() + 1.9 * 3600) == PLACE
    assert read(key, token, now=time.time() + 2 * 3600) is None


async def test_a_log_that_all_may_read_needs_no_link(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, publish="public") as bot:
        assert await bot.ask("!logs link") == f"the log of #pynfo is at {SITE}/test/pynfo/"


async def test_an_admin_gets_no_link_from_outside(tmp_path: Path) -> None:
    plugins = {"logs": {"channels": {PLACE: {"publish": "private"}}}}
    config = config_for(tmp_path, http=WEB, plugins=plugins, admins=["*!root@*"])
    async with Bot.running(config) as bot:
        root = await bot.server.user("root")

        assert await answer(root, "logs link #pynfo") == "a link is for people who are in #pynfo"


# -- staying out


async def test_nothing_is_kept_of_an_account_that_opted_out_under_whatever_nick(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, account="alice") as bot:
        bot.user.say("#pynfo", "before")
        told = await bot.ask("!logs optout")
        bot.user.say("#pynfo", "a secret")
        bot.user.rename("alice_away")
        bot.user.action("#pynfo", "whispers")
        others = await bot.server.user("alice", host="other.test", channels=["#pynfo"])
        others.say("#pynfo", "I am another alice")
        while_out = await texts(bot)
        await bot.user.hears("I am another alice")
        again = await bot.ask("!logs optin")
        bot.user.say("#pynfo", "back")

        assert while_out == ["before", "!logs optout", "I am another alice"]
        assert (await texts(bot))[-1] == "back"
    assert told == (
        "nothing that you say is kept any more in the logs of test (account alice); "
        "what is there already stays until you say !logs forget me"
    )
    assert again == "what you say is kept again in the logs of test (account alice)"


async def test_without_an_account_it_is_told_that_only_this_nick_and_host_are_out(tmp_path: Path) -> None:
    async with logging_bot(tmp_path) as bot:
        told = await bot.ask("!logs optout")
        bot.user.say("#pynfo", "a secret")
        way_out = await bot.ask("!logs")

        assert await texts(bot) == ["!logs optout"]
    assert "(alice from your host: under another I would know you only with a services account)" in told
    assert way_out.endswith("; nothing is kept of you (!logs optin changes that)")


async def test_an_opt_out_holds_over_a_restart(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, account="alice") as bot:
        await bot.ask("!logs optout")
    async with logging_bot(tmp_path, account="alice") as bot:
        bot.user.say("#pynfo", "a secret")

        assert await texts(bot) == ["!logs optout"]


async def test_a_line_off_the_record_is_kept_nowhere(tmp_path: Path) -> None:
    async with logging_bot(tmp_path) as bot:
        bot.user.say("#pynfo", "on the record")
        bot.user.say("#pynfo", "[off] sesame one")
        bot.user.say("#pynfo", "\x0304\x02[NoLog]\x0f sesame two")
        bot.user.action("#pynfo", "[off] sesame three")
        bot.user.notice("#pynfo", "[off] sesame four")

        assert await texts(bot) == ["on the record"]
        await on_disk(bot)
        assert b"sesame" not in files(tmp_path)


# -- being forgotten


async def on_disk(bot: Bot) -> None:
    """All that is kept is in files."""
    await bot.settle()
    ISightings(bot.factory).store()
    assert await IStorage(bot.factory).flush()
    await IArchive(bot.factory).flush()


@pytest.mark.parametrize("account", ["zaphod", ""])
async def test_who_is_forgotten_is_in_no_file_any_more(tmp_path: Path, account: str) -> None:
    async with logging_bot(tmp_path) as bot:
        zaphod = await bot.server.user("zaphod", account=account or None, channels=["#pynfo"])
        for number in range(20):
            zaphod.say("#pynfo", f"the improbability drive number {number}")
        zaphod.action("#pynfo", "is improbable")
        zaphod.topic("#pynfo", "improbability")
        await on_disk(bot)
        before = files(tmp_path)

        code = code_in(await answer(zaphod, "logs forget me"))
        told = await answer(zaphod, f"logs forget me {code.upper()}")
        await on_disk(bot)
        after = files(tmp_path)

        assert b"improbab" in before
        assert b"zaphod" in before
        assert b"improbab" not in after
        assert b"zaphod" not in after
        assert await texts(bot) == []
    assert re.match(r"removed \d\d lines of yours from the logs of test; copies that others made", told)


async def test_how_much_somebody_has_said_is_told_to_them_alone(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, account="alice") as bot:
        bot.user.say("#pynfo", "one")
        bot.user.say("#pynfo", "!logs forget me")
        told = await bot.user.hears("*would be removed*")

    assert told.params[0] == "alice"
    assert told.params[1].startswith(
        "2 lines of yours (account alice) would be removed from the logs of test, which cannot be undone. "
        "To have it done say, within 5 minutes: logs forget me "
    )


async def test_a_code_of_somebody_else_forgets_nobody(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, account="alice") as bot:
        bob = await bot.server.user("bob", channels=["#pynfo"])
        bob.say("#pynfo", "hello")
        bot.user.say("#pynfo", "hello")
        code = code_in(await answer(bot.user, "logs forget me"))

        by_bob = await answer(bob, f"logs forget me {code}")
        wrong = await answer(bot.user, "logs forget me zzzzz")

        assert await texts(bot) == ["hello", "hello"]
    assert by_bob == wrong == (
        "that is not the code, or its time is over: say logs forget me for a new one"
    )  # fmt: skip


async def test_a_code_belongs_to_one_nick_and_host_where_there_is_no_account(tmp_path: Path) -> None:
    async with logging_bot(tmp_path) as bot:
        bob = await bot.server.user("bob", channels=["#pynfo"])
        bob.say("#pynfo", "hello")
        code = code_in(await answer(bot.user, "logs forget me"))

        told = await answer(bob, f"logs forget me {code}")

        assert await texts(bot) == ["hello"]
    assert told.startswith("that is not the code")


async def test_without_an_account_only_what_was_said_in_this_session_is_forgotten(tmp_path: Path) -> None:
    async with logging_bot(tmp_path) as bot:
        bob = await bot.server.user("bob", channels=["#pynfo"])
        archive = IArchive(bot.factory)
        who = archive.identity(User("bob", "bob", "bob.test"))
        before = {"network": "test", "channel": "#pynfo", "kind": "message", "time": time.time() - 60}
        await archive.add([Line(**before, nick="bob", identity=who, text="from an earlier bob")])
        bob.say("#pynfo", "as bob")
        bob.rename("bob2")
        bob.say("#pynfo", "as bob2")
        asked = await answer(bob, "logs forget me")
        await answer(bob, f"logs forget me {code_in(asked)}")

        assert await texts(bot) == ["from an earlier bob"]
    assert "(bob and bob2 from your host)" in asked
    assert "what was said before this session may be another's" in asked


async def test_what_was_said_before_the_login_is_forgotten_with_the_account(tmp_path: Path) -> None:
    async with logging_bot(tmp_path) as bot:
        bob = await bot.server.user("bob", channels=["#pynfo"])
        bob.say("#pynfo", "before the login")
        bob.person.account = "robert"
        bob.say("#pynfo", "and after")
        link = await address_of(bot, "before the login")
        redacted = await answer(bob, f"logs redact {link}")
        asked = await answer(bob, "logs forget me")
        await answer(bob, f"logs forget me {code_in(asked)}")

        assert await texts(bot) == []
    assert redacted == "removed what 1 line said"
    assert asked.startswith("3 lines of yours (account robert) would be removed")


@pytest.mark.parametrize("told", ["optout", "forget me"])
async def test_history_that_does_not_tell_the_account_brings_nobody_back(tmp_path: Path, told: str) -> None:
    async with logging_bot(tmp_path, account="alice") as bot:
        answered = await bot.ask(f"logs {told}", private=True)
        if told != "optout":
            await bot.ask(f"logs forget me {code_in(answered)}", private=True)
        identity = IArchive(bot.factory).identity(User("alice", "alice", "alice.test"))
        old = Line(
            network="test", channel="#pynfo", time=time.time() - 60, kind="message", nick="Alice", text="hm",
            identity=identity,
        )  # fmt: skip
        assert await IArchive(bot.factory).add([old]) == 0
        await bot.ask("logs optin", private=True)
        assert await IArchive(bot.factory).add([old]) == (told == "optout")


async def test_who_is_forgotten_may_be_logged_again_from_then_on(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, account="alice") as bot:
        bot.user.say("#pynfo", "before")
        code = code_in(await bot.ask("logs forget me", private=True))
        await bot.ask(f"logs forget me {code}", private=True)
        bot.user.say("#pynfo", "after")

        assert await texts(bot) == ["after"]


# -- redacting


async def address_of(bot: Bot, text: str, place: str = PLACE) -> str:
    """The address of the line with that text."""
    line = next(line for line in await kept(bot, place) if line.text == text)
    day = datetime.fromtimestamp(line.time, UTC).date()
    return f"{SITE}/{place.replace('#', '')}/{day}#L{line.id}"


async def test_an_operator_removes_what_a_line_says_from_every_file(tmp_path: Path) -> None:
    async with logging_bot(tmp_path) as bot:
        bob = await bot.server.user("bob", channels=["#pynfo"])
        bob.say("#pynfo", "my password is sesame")
        await bot.settle()
        await bot.user.hears("my password is sesame")
        link = await address_of(bot, "my password is sesame")

        told = await bot.ask(f"!logs redact {link}")
        again = await bot.ask(f"!logs redact {link}")
        await on_disk(bot)

        assert b"sesame" not in files(tmp_path)
        line = next(line for line in await kept(bot) if line.nick == "bob")
        assert (line.text, line.redacted) == ("", True)
        assert await bot.ask("!seen bob") == "bob is here; last spoke just now"
    assert told == "removed what 1 line said"
    assert again == "there is nothing to remove in it any more"


@pytest.mark.parametrize(
    "shape", ["{site}/L/{id}", "<{site}/L/{id}>", "#L{id}", "{site}/test/pynfo/?x=1#L{id}"]
)
async def test_any_address_that_names_a_line_will_do(tmp_path: Path, shape: str) -> None:
    async with logging_bot(tmp_path) as bot:
        bot.user.say("#pynfo", "oh no")
        line = (await kept(bot))[0]

        told = await bot.ask("!logs redact " + shape.format(site=SITE, id=line.id))

    assert told == "removed what 1 line said"


async def test_a_range_of_at_most_fifty_lines_is_removed_at_once(tmp_path: Path) -> None:
    async with logging_bot(tmp_path) as bot:
        for number in range(60):
            bot.user.say("#pynfo", f"number {number}")
        ids = [line.id for line in await kept(bot)]

        too_many = await bot.ask(f"!logs redact #L{ids[0]}-L{ids[50]}")
        told = await bot.ask(f"!logs redact #L{ids[49]}-L{ids[0]}")
        left = [text for text in await texts(bot) if text and not text.startswith("!")]

    assert too_many == "at most 50 lines are removed at once"
    assert told == "removed what 50 lines said"
    assert left == [f"number {number}" for number in range(50, 60)]


async def test_people_remove_their_own_lines_and_no_others(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, account="alice") as bot:
        bob = await bot.server.user("bob", channels=["#pynfo"])
        bob.say("#pynfo", "bob was here")
        bot.user.say("#pynfo", "alice was here")
        own, another = await address_of(bot, "bob was here"), await address_of(bot, "alice was here")

        refused = [
            await answer(bob, f"logs redact {another}"),
            await answer(bob, f"logs redact {own}-{another.rpartition('#')[2]}"),
            await answer(bob, "logs redact #L17"),
        ]
        told = await answer(bob, f"logs redact {own}")
        left = await texts(bot)

    assert set(refused) == {"there is no such line, or none that you may remove"}
    assert told == "removed what 1 line said"
    assert left == ["", "alice was here"]


@pytest.mark.parametrize(("host", "seconds"), [("bob.test", -60.0), ("elsewhere.test", 1.0)])
async def test_the_line_of_another_person_with_that_nick_is_not_ones_own(
    tmp_path: Path, host: str, seconds: float
) -> None:
    async with logging_bot(tmp_path) as bot:
        bob = await bot.server.user("bob", channels=["#pynfo"])
        await bot.settle()
        archive = IArchive(bot.factory)
        who = archive.identity(User("bob", "bob", host))
        line = Line(
            network="test", channel="#pynfo", kind="message", nick="bob", identity=who,
            text="another bob was here", time=time.time() + seconds,
        )  # fmt: skip
        await archive.add([line])

        told = await answer(bob, f"logs redact {await address_of(bot, 'another bob was here')}")

    assert told == "there is no such line, or none that you may remove"


async def test_a_range_that_ends_at_no_line_is_not_removed(tmp_path: Path) -> None:
    async with logging_bot(tmp_path) as bot:
        bot.user.say("#pynfo", "hello")
        line = (await kept(bot))[0]

        told = await bot.ask(f"!logs redact #L{line.id}-L{line.id + 1}")

        assert (await texts(bot))[0] == "hello"
    assert told == "there is no such line, or none that you may remove"


async def test_an_operator_removes_nothing_from_another_channel(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, others={"test/#den": {}}) as bot:
        bob = await bot.server.user("bob", channels=["#den"])
        await enter(bot, "#den")
        bob.say("#den", "in the den")
        link = await address_of(bot, "in the den", "test/#den")

        told = await bot.ask(f"!logs redact {link}")

    assert told == "there is no such line, or none that you may remove"


@pytest.mark.parametrize("link", ["x", "#L", f"#L{2**63}", f"{SITE}/test/pynfo/", "#L1-L", "/L/../1"])
async def test_what_names_no_line_is_told_as_such(tmp_path: Path, link: str) -> None:
    async with logging_bot(tmp_path) as bot:
        told = await bot.ask(f"!logs redact {link}")

    assert told == "that names no line: give me its address, which is behind its time in the log"


# -- and `seen`


async def test_seen_keeps_no_words_of_who_opted_out_nor_off_the_record(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, publish="public") as bot:
        bob = await bot.server.user("bob", channels=["#pynfo"])
        carol = await bot.server.user("carol", channels=["#pynfo"])
        bob.say("#pynfo", "sesame before")
        await bot.settle()
        await answer(bob, "logs optout")
        bob.say("#pynfo", "sesame after")
        bob.part("#pynfo", "sesame at last")
        carol.say("#pynfo", "[off] sesame too")
        relay = await bot.server.user("relay", channels=["#pynfo"])
        relay.say("#pynfo", "<dave> [off] sesame there")
        await on_disk(bot)
        await bot.user.hears("*sesame there")

        assert await bot.ask("!seen bob") == "bob left #pynfo just now; last spoke just now"
        assert await bot.ask("!seen carol") == "carol is here; last spoke just now"
        assert await bot.ask("!seen relay") == "relay is here; last spoke just now"
        stored = b"".join(path.read_bytes() for path in tmp_path.glob("state.sqlite*"))
        assert b"sesame" not in stored


async def test_who_was_there_before_seen_began_is_told_of_from_the_log(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, others={"test/#den": {}}) as bot:
        await enter(bot, "#den")
        old = {"network": "test", "time": 1_000_000_000.0, "kind": "message"}
        await IArchive(bot.factory).add(
            [
                Line(**old, channel="#pynfo", nick="Trillian", text="so long"),
                Line(**old, channel="#den", nick="Marvin", text="life"),
            ]
        )

        trillian, marvin = await bot.ask("!seen trillian"), await bot.ask("!seen marvin")
        bot.user.join("#den")
        from_inside = await bot.ask("seen marvin", private=True)

    assert re.fullmatch(r'Trillian last spoke in #pynfo \d+ years.* ago: "so long"', trillian)
    assert marvin == "I have not seen marvin"
    assert from_inside.endswith('ago: "life"')


async def test_seen_tells_nothing_of_another_channel_that_the_archive_takes_for_the_same(
    tmp_path: Path,
) -> None:
    plugins = {"logs": {"channels": {"test/#den{": {}}}, "seen": {}}
    config = config_for(tmp_path, http=WEB, plugins=plugins, channel="#den[")
    async with Bot.running(config, server=Server(isupport={"CASEMAPPING": "ascii"})) as bot:
        line = Line(network="test", channel="#den{", nick="Marvin", text="life", kind="message", time=1e9)
        await IArchive(bot.factory).add([line])

        assert await bot.ask("!seen marvin") == "I have not seen marvin"


async def test_seen_answers_without_the_log_where_it_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*asked: object) -> None:
        from plugins.logs.interfaces import ArchiveBusy

        raise ArchiveBusy("too many")

    async with logging_bot(tmp_path) as bot:
        monkeypatch.setattr(IArchive(bot.factory), "last_by", busy)

        assert await bot.ask("!seen trillian") == "I have not seen trillian"


async def test_without_seen_people_are_forgotten_all_the_same(tmp_path: Path) -> None:
    config = config_for(tmp_path, http=WEB, plugins={"logs": {"channels": {PLACE: {}}}})
    async with Bot.running(config, account="alice") as bot:
        bot.user.say("#pynfo", "oh no")
        link = await address_of(bot, "oh no")
        redacted = await bot.ask(f"!logs redact {link}")
        code = code_in(await bot.ask("logs forget me", private=True))
        forgotten = await bot.ask(f"logs forget me {code}", private=True)

        assert await texts(bot) == []
    assert redacted == "removed what 1 line said"
    assert forgotten.startswith("removed 2 lines of yours")


async def test_seen_loads_no_code_of_the_logs_where_these_are_not_switched_on(tmp_path: Path) -> None:
    mine = {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith("plugins.logs")}
    try:
        async with Bot.running(config_for(tmp_path, plugins={"seen": {}})) as bot:
            bob = await bot.server.user("bob", channels=["#pynfo"])
            bob.say("#pynfo", "[off] hello")
            await bot.user.hears("*hello")
            told = await bot.ask("!seen bob")
            loaded = [name for name in sys.modules if name.startswith("plugins.logs")]
    finally:
        sys.modules.update(mine)

    assert told == 'bob is here; last spoke just now: "[off] hello"'
    assert loaded == []


async def test_both_plugins_go_and_come_back_in_any_order(tmp_path: Path) -> None:
    async with logging_bot(tmp_path, publish="public") as bot:
        plugins = bot.factory.plugins
        await plugins.unload("logs")
        without = await bot.ask("!seen trillian")
        silent = await bot.ignores("!logs")
        await plugins.load("logs")
        await plugins.reload("seen")
        await plugins.reload("logs")

        assert (await bot.ask("!logs")).startswith("the log of #pynfo is at ")
        await bot.ask("!logs optout")
        bot.user.say("#pynfo", "a secret")
        await bot.settle()
        assert b"a secret" not in files(tmp_path)
    assert without == "I have not seen trillian"
    assert silent
