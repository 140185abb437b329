"""What the bot hears in a channel, and what of it is kept."""

from __future__ import annotations

import asyncio
import time

import pytest

from plugins.logs import absence
from plugins.logs.archive.records import Person
from plugins.logs.archive.service import Archive
from plugins.logs.interfaces import IArchive
from plugins.logs.lines import mode_text
from plugins.logs.recorder import IRecorder
from plugins.logs.relayed import NAME_LENGTH, Spoken, relaymsg_nick, spoken
from plugins.logs.sessions import LIMIT, ISessions, Sessions
from pynfo.interfaces import IEvents, IOperator, IOutbox
from pynfo.irc.events import ChannelRenamed, MessageReceived, MessageRedacted, ModeChange, User
from pynfo.irc.isupport import ISupport
from pynfo.irc.speech import relaying_bot
from pynfo.testing import Server
from pynfo.testing.bot import CHANNEL, NETWORK, Bot, config_for
from tests.logs_bot import PLACE, config, kept, logging_bot, settled, texts

NOW = 1_795_262_400.0

# -- what bots relay


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("<alice> hi", Spoken("alice", "", "hi")),
        ("<alice@oftc> hi", Spoken("alice", "oftc", "hi")),
        ("[oftc] <alice> hi", Spoken("alice", "oftc", "hi")),
        ("[Discord] <Alice Smith> hi", Spoken("Alice Smith", "Discord", "hi")),
        ("<@alice> hi", Spoken("alice", "", "hi")),
        ("<+alice@oftc> hi", Spoken("alice", "oftc", "hi")),
        ("<alice[m]> hi", Spoken("alice[m]", "", "hi")),
        ("<a\u200dlice> hi", Spoken("alice", "", "hi")),
        ("<\x0304a\u200blice\x03> hi", Spoken("alice", "", "hi")),
        ("\x02<alice>\x02 hi", Spoken("alice", "", "hi")),
        ("<\x02\x0312alice\x0f> \x1dhi\x1d you", Spoken("alice", "", "\x1dhi\x1d you")),
        ("\x0304<alice> red", Spoken("alice", "", "\x0304\x02\x02red")),
        ("<alice>", Spoken("alice", "", "")),
        ("<alice> a\nb", Spoken("alice", "", "a\nb")),
        ("* alice waves", Spoken("alice", "", "waves", action=True)),
        ("[oftc] * alice waves", Spoken("alice", "oftc", "waves", action=True)),
    ],
)
def test_a_relayed_line_is_of_the_person_who_spoke(line, meant):
    found = spoken(line)
    assert found is not None
    assert (found.nick, found.origin, found.action) == (meant.nick, meant.origin, meant.action)
    assert found.text.replace("\x02\x02", "") == meant.text.replace("\x02\x02", "")


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "",
        "alice: <b> is bold",
        "<> nobody",
        "< > nobody",
        "<\u200b> nobody",
        "<alice>joined",
        "<alice",
        "[oftc] alice joined",
        f"<{'a' * (NAME_LENGTH + 1)}> too long",
        "<" * 500,
        "[" * 500,
        "\x02" * 5000 + "<alice> hi",
    ],
)
def test_what_is_in_no_form_of_a_relay_is_the_line_of_the_bot_itself(line):
    assert spoken(line) is None


def test_a_nick_of_relaymsg_names_its_network_behind_the_separator():
    assert relaymsg_nick("alice/oftc", None) == ("alice", "oftc")
    assert relaymsg_nick("al/ice/oftc", "/") == ("al/ice", "oftc")
    assert relaymsg_nick("alice~oftc", "/~") == ("alice", "oftc")
    assert relaymsg_nick("alice", "/") == ("alice", "")
    assert relaymsg_nick("/alice", "/") == ("/alice", "")


def test_only_the_servers_own_tag_marks_relaymsg():
    assert relaying_bot({"draft/relaymsg": "bridge"}) == "bridge"
    assert relaying_bot({"+draft/relaymsg": "mallory"}) is None


# -- sessions of people without an account


def sessions():
    return Sessions(lambda network, nick: nick.lower(), lambda user: user.host.encode(), lambda: NOW)


def test_a_person_with_an_account_is_that_account():
    assert sessions().person_of("net", User("alice", account="al")) == Person(account="al")


def test_a_person_without_one_is_what_they_did_under_all_nicks_of_this_session():
    here = sessions()
    here.saw("net", "alice", NOW - 60)
    here.saw("net", "Alice", NOW - 30)
    here.renamed("net", "alice", "alicia", NOW - 20)

    person = here.person_of("net", User("alicia", "a", "home"))

    assert person == Person(nicks=("alice", "alicia"), identity=b"home", since=NOW - 60)


def test_whoever_takes_a_nick_over_has_nothing_of_who_had_it_before():
    here = sessions()
    here.saw("net", "alice", NOW - 60)
    here.left("net", "ALICE")
    assert here.person_of("net", User("alice", "a", "home")).since == NOW
    here.saw("net", "bob", NOW - 60)
    here.keep("net", lambda nick: False)
    assert here.person_of("net", User("bob", "b", "home")).since == NOW


def test_sessions_of_one_network_are_not_those_of_another():
    here = sessions()
    here.saw("one", "alice", NOW - 60)
    here.keep("two", lambda nick: False)
    assert here.person_of("one", User("alice")).since == NOW - 60
    assert here.person_of("two", User("alice")).since == NOW


def test_however_many_people_come_a_bounded_number_is_remembered():
    here = sessions()
    for number in range(LIMIT + 10):
        here.saw("net", f"nick{number}", NOW)
        here.renamed("net", f"nick{number}", f"other{number}", NOW)
    assert len(here) == LIMIT


# -- modes


def test_modes_are_written_as_on_irc_without_keys_and_hosts():
    isupport = ISupport()
    isupport.update(["CHANMODES=beI,k,l,imnpst", "PREFIX=(ov)@+"])
    changes = isupport.parse_modes("+ov-v+bkl", ["alice", "bob", "carol", "*!*@home.example", "sesame", "5"])
    assert mode_text(changes, isupport) == "+ov-v+bkl alice bob carol *!*@… … 5"
    bans = [ModeChange(True, "b", "bad!*@*"), ModeChange(True, "b", "$a:mallory")]
    assert mode_text(bans, isupport) == "+bb bad!*@* $a:mallory"


# -- in a channel


async def test_talk_is_kept_with_who_when_and_what_it_answers(tmp_path):
    async with logging_bot(tmp_path) as bot:
        bot.server.log_in("alice", "Alice")
        bot.user.say(CHANNEL, "hello \x02you\x02", tags={"+draft/reply": "m0"})
        bot.user.action(CHANNEL, "waves")
        bot.user.notice(CHANNEL, "psst")
        lines = await kept(bot, "message", "action", "notice")
    assert [(line.kind, line.nick, line.text) for line in lines] == [
        ("message", "alice", "hello \x02you\x02"),
        ("action", "alice", "waves"),
        ("notice", "alice", "psst"),
    ]
    assert lines[0].account == "Alice"
    assert lines[0].reply_to == "m0"
    assert all(line.msgid and not line.fetched and not line.identity and not line.host for line in lines)
    assert abs(lines[0].time - time.time()) < 60


async def test_coming_and_going_is_kept(tmp_path):
    async with logging_bot(tmp_path) as bot:
        bob = await bot.server.user("bob", channels=[CHANNEL])
        bot.server.mode(CHANNEL, "+v", "alice")
        bob.rename("robert")
        bot.user.topic(CHANNEL, "News")
        bot.user.kick(CHANNEL, "robert", "enough")
        bob.join(CHANNEL)
        bob.part(CHANNEL, "bye")
        bob.join(CHANNEL)
        bob.quit("gone")
        lines = await kept(bot)
        told = [(line.kind, line.nick, line.text, line.target) for line in lines]
        assert told == [
            ("join", "pynfo", "", ""),
            ("join", "bob", "", ""),
            ("mode", "irc.test", "+v alice", ""),
            ("nick", "bob", "", "robert"),
            ("topic", "alice", "News", ""),
            ("kick", "alice", "enough", "robert"),
            ("join", "robert", "", ""),
            ("part", "robert", "bye", ""),
            ("join", "robert", "", ""),
            ("quit", "robert", "Quit: gone", ""),
        ]
        await has_topic(bot, "News")


async def test_of_who_opted_out_it_is_not_even_kept_that_they_were_kicked(tmp_path):
    async with logging_bot(tmp_path) as bot:
        await bot.server.user("bob", account="bob", channels=[CHANNEL])
        await settled(bot.factory)
        await IArchive(bot.factory).opt_out(NETWORK, Person("bob"), True)
        bot.user.kick(CHANNEL, "bob", "enough")
        told = [(line.nick, line.text, line.target) for line in await kept(bot, "kick")]
        assert told == [("alice", "enough", "")]


async def test_without_events_only_talk_topics_and_kicks_are_kept(tmp_path):
    async with logging_bot(tmp_path, events=False) as bot:
        bob = await bot.server.user("bob", channels=[CHANNEL])
        bot.server.mode(CHANNEL, "+o", "alice")
        bob.rename("robert")
        bot.user.topic(CHANNEL, "News")
        bot.user.kick(CHANNEL, "robert")
        bob.join(CHANNEL)
        bob.say(CHANNEL, "back")
        bob.quit("gone")
        assert [line.kind for line in await kept(bot)] == ["topic", "kick", "message"]


async def test_the_topic_that_a_channel_has_is_known_when_the_bot_joins(tmp_path):
    server = Server()
    server.channel(CHANNEL).topic = "Old news"
    async with logging_bot(tmp_path, server=server) as bot:
        await has_topic(bot, "Old news")


async def test_a_topic_that_is_not_for_the_log_is_not_shown_as_the_topic(tmp_path):
    server = Server()
    server.channel(CHANNEL).topic = "[off] between us"
    async with Bot.running(config(tmp_path), server=server, account="alice") as bot:
        bot.server.mode(CHANNEL, "+o", "alice")
        bot.user.topic(CHANNEL, "News")
        await has_topic(bot, "News")
        bot.user.topic(CHANNEL, "\x02[nolog] whispers")
        await has_topic(bot, "")
        await IArchive(bot.factory).opt_out(NETWORK, Person("alice"), True)
        bot.user.topic(CHANNEL, "News again")
        await has_topic(bot, "")
    assert leftovers(tmp_path, "between us", "whispers", "News again") == []


async def test_the_topic_of_who_opted_out_is_not_learned_when_the_bot_comes_back(tmp_path):
    server = Server()
    server.channel(CHANNEL).topic = "of somebody who is out"
    server.channel(CHANNEL).topic_by = "gone!~gone@gone.test"
    archive = Archive(tmp_path / "logs", places={})
    gone = Person(nicks=("gone",), identity=archive.identity(User("gone", "~gone", "gone.test")))
    await archive.opt_out(NETWORK, gone, True)
    await archive.stop()
    async with logging_bot(tmp_path, server=server) as bot:
        await kept(bot)
        await has_topic(bot, "")
        bot.server.mode(CHANNEL, "+o", "alice")
        bot.user.topic(CHANNEL, "News")
        await has_topic(bot, "News")
    assert leftovers(tmp_path, "of somebody who is out") == []


def leftovers(folder, *texts):
    """Those of some texts that stand in any file."""
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return [text for text in texts if any(text.encode() in file for file in files)]


async def has_topic(bot, topic):
    async with asyncio.timeout(5):
        while (info := await IArchive(bot.factory).channel(PLACE)) is None or info.topic != topic:
            await asyncio.sleep(0)


@pytest.mark.parametrize("without", [(), ("echo-message",)])
async def test_what_the_bot_says_is_kept_once_whether_the_network_echoes_it_or_not(tmp_path, without):
    server = Server()
    for capability in without:
        del server.capabilities[capability]
    async with logging_bot(tmp_path, server=server) as bot:
        await IOutbox(bot.factory).say(PLACE, "good morning")
        lines = await kept(bot, "message")
    assert [(line.nick, line.text) for line in lines] == [("pynfo", "good morning")]


async def test_channels_that_are_not_configured_private_talk_and_talk_of_operators_are_not_kept(tmp_path):
    async with logging_bot(tmp_path) as bot:
        bot.factory.clients[NETWORK].join("#other")
        bot.user.join("#other")
        await bot.user.expect("JOIN #other")
        bot.server.mode(CHANNEL, "+o", "pynfo")
        bot.user.say("#other", "elsewhere")
        bot.user.say("pynfo", "in private")
        bot.user.say(f"@{CHANNEL}", "for operators")
        bot.user.say(CHANNEL, "for all")
        assert await texts(bot) == ["for all"]
        assert [info.place for info in await IArchive(bot.factory).channels()] == [PLACE]


async def test_the_name_of_a_channel_is_compared_as_the_network_does(tmp_path):
    server = Server()
    server.channel("#PYNFO")
    async with logging_bot(tmp_path, server=server) as bot:
        bot.user.say("#Pynfo", "hello")
        [line] = await kept(bot, "message")
    assert line.place == PLACE


async def test_off_the_record_is_not_kept(tmp_path):
    async with logging_bot(tmp_path, channel={"relays": ["bridge"]}) as bot:
        bridge = await bot.server.user("bridge", channels=[CHANNEL])
        bot.user.say(CHANNEL, "[off] a secret")
        bot.user.action(CHANNEL, "\x02[NoLog]\x02 hides")
        bridge.say(CHANNEL, "<carol> [off] a secret")
        bridge.say(CHANNEL, "[off] <carol> a secret")
        bot.user.say(CHANNEL, "no secret")
        assert await texts(bot) == ["no secret"]


async def test_what_ignored_people_say_is_not_kept(tmp_path):
    async with logging_bot(tmp_path) as bot:
        boss = await bot.server.user("boss", channels=[CHANNEL])
        boss.say(CHANNEL, "!ignore alice")
        await boss.hears("ignoring*")
        bot.user.say(CHANNEL, "buy this")
        assert not [line for line in await kept(bot, "message") if line.nick == "alice"]


async def test_hosts_are_kept_only_where_the_config_asks(tmp_path):
    async with logging_bot(tmp_path / "a") as bot:
        bot.user.say(CHANNEL, "hello")
        [line] = await kept(bot, "message")
        assert line.host == ""
        assert line.identity
    async with logging_bot(tmp_path / "b", keep_hosts=True) as bot:
        bot.user.say(CHANNEL, "hello")
        [line] = await kept(bot, "message")
        assert line.host == f"{bot.user.person.username}@{bot.user.person.host}"


async def test_relayed_lines_are_of_the_person_not_of_the_relay(tmp_path):
    async with logging_bot(tmp_path, channel={"relays": ["Bridge"]}) as bot:
        bridge = await bot.server.user("bridge", account="bridge", channels=[CHANNEL])
        bridge.say(CHANNEL, "<carol@oftc> hi")
        bridge.say(CHANNEL, "<carol> hi")
        bridge.say(CHANNEL, "I am the bridge")
        bot.user.say(CHANNEL, "<carol> never said that")
        lines = await kept(bot, "message")
    assert [(line.nick, line.origin, line.account, line.identity, line.text) for line in lines[:2]] == [
        ("carol", "oftc", None, b"", "hi"),
        ("carol", "bridge", None, b"", "hi"),
    ]
    assert (lines[2].nick, lines[2].account, lines[2].origin) == ("bridge", "bridge", None)
    assert (lines[3].nick, lines[3].text, lines[3].origin) == ("alice", "<carol> never said that", None)


async def test_relaymsg_is_of_the_person_on_their_network(tmp_path):
    async with logging_bot(tmp_path) as bot:
        [connection] = bot.server.open_connections
        connection.send(
            "@msgid=r1;draft/relaymsg=bridge;account=bridge :carol/oftc!c@relay PRIVMSG #pynfo :hi"
        )
        connection.send("@draft/relaymsg=bridge :dave!d@relay PRIVMSG #pynfo :hi too")
        lines = await kept(bot, "message")
    assert [(line.nick, line.origin, line.account, line.identity) for line in lines] == [
        ("carol", "oftc", None, b""),
        ("dave", "bridge", None, b""),
    ]
    assert lines[0].msgid == "r1"


async def test_a_message_of_several_lines_is_one_line_with_breaks(tmp_path):
    async with logging_bot(tmp_path) as bot:
        [connection] = bot.server.open_connections
        for line in (
            "@msgid=big :alice!a@h BATCH +m draft/multiline #pynfo",
            "@batch=m :alice!a@h PRIVMSG #pynfo :one",
            "@batch=m :alice!a@h PRIVMSG #pynfo :two",
            "BATCH -m",
        ):
            connection.send(line)
        [line] = await kept(bot, "message")
    assert (line.text, line.msgid) == ("one\ntwo", "big")


async def test_text_that_no_database_takes_breaks_nothing(tmp_path):
    async with logging_bot(tmp_path) as bot:
        IEvents(bot.factory).publish(
            MessageReceived(
                network=NETWORK,
                time=time.time(),
                user=User("al\udcffice", "a", "\udcff"),
                target=CHANNEL,
                channel=CHANNEL,
                text="\udc80 and \0",
            )
        )
        bot.user.say(CHANNEL, "after it")
        assert set(await texts(bot)) == {"? and \ufffd", "after it"}


async def test_a_line_that_only_looks_as_if_it_were_said_now_stands_where_it_was_said(tmp_path):
    async with logging_bot(tmp_path) as bot:
        [connection] = bot.server.open_connections
        connection.send("@time=2026-01-02T03:04:05.000Z :alice!a@h PRIVMSG #pynfo :long ago")
        connection.send("@time=2099-01-02T03:04:05.000Z :alice!a@h PRIVMSG #pynfo :to come")
        async with asyncio.timeout(5):
            while len(lines := await kept(bot, "message")) < 2:
                await asyncio.sleep(0)
    assert [(line.text, line.fetched) for line in lines] == [("long ago", True), ("to come", False)]
    assert abs(lines[1].time - time.time()) < 60


async def test_what_the_network_redacts_is_removed(tmp_path):
    async with logging_bot(tmp_path) as bot:
        bot.user.say(CHANNEL, "oh no")
        [line] = await kept(bot, "message")
        IEvents(bot.factory).publish(
            MessageRedacted(
                network=NETWORK,
                time=time.time(),
                user=User("alice"),
                target=CHANNEL,
                channel=CHANNEL,
                msgid=line.msgid,
            )
        )
        async with asyncio.timeout(5):
            while not (await kept(bot, "message"))[0].redacted:
                await asyncio.sleep(0)
        assert await texts(bot) == [""]


async def test_a_renamed_channel_is_the_same_log(tmp_path):
    async with logging_bot(tmp_path) as bot:
        IEvents(bot.factory).publish(
            ChannelRenamed(
                network=NETWORK,
                time=time.time(),
                old_channel=CHANNEL,
                channel="#renamed",
                by=User("alice"),
            )
        )
        for channel in ("#renamed", "#others"):
            IEvents(bot.factory).publish(
                MessageReceived(
                    network=NETWORK,
                    time=time.time(),
                    user=User("alice"),
                    target=channel,
                    channel=channel,
                    text=f"in {channel}",
                )
            )
        assert await texts(bot) == ["in #renamed"]
        assert "#renamed" in IOperator(bot.factory).matters()[f"logs/{PLACE}/renamed"]


async def test_commands_can_ask_what_somebody_without_an_account_said_in_this_session(tmp_path):
    async with logging_bot(tmp_path) as bot:
        bot.user.say(CHANNEL, "hello")
        bot.server.clock = lambda: time.time() + 60
        bot.user.rename("alicia")
        bot.user.say(CHANNEL, "it is me")
        [first, second] = await kept(bot, "message")
        user = bot.factory.clients[NETWORK].state.user("alicia")
        person = ISessions(bot.factory).person_of(NETWORK, user)
        assert person.nicks == ("alice", "alicia")
        assert person.identity == first.identity == second.identity != b""
        assert abs(person.since - first.time) < 0.001
        assert await IArchive(bot.factory).count(NETWORK, person) >= 2


async def test_the_session_of_somebody_ends_when_they_are_out_of_sight(tmp_path):
    async with logging_bot(tmp_path) as bot:
        bot.user.rename("alicia")
        bot.user.part(CHANNEL)
        bot.user.join(CHANNEL)
        await bot.settle()
        user = bot.factory.clients[NETWORK].state.user("alicia")
        assert ISessions(bot.factory).person_of(NETWORK, user).nicks == ("alicia",)


async def test_the_operator_is_told_of_a_channel_that_is_to_be_kept_and_that_the_bot_is_not_in(tmp_path):
    others = {f"{NETWORK}/#nowhere": {}, PLACE: {}}
    settings = config_for(tmp_path, plugins={"logs": {"channels": others}})
    async with Bot.running(settings) as bot:
        places, matters = IRecorder(bot.factory).lines.places, IOperator(bot.factory).matters
        absence.tell(bot.factory, places)
        told = matters()["logs/absent"]
        bot.factory.clients[NETWORK].join("#Nowhere")
        absence.tell(bot.factory, places)
        assert "logs/absent" not in matters()

    assert told == (
        f"nothing is logged of {NETWORK}/#nowhere: I am not in there; name such channels in the channels of "
        "their network, too"
    )
