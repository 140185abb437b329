"""What our own relay carries, in the log: it is of the person who spoke, and they rule it as at home."""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from plugins.logs.archive.erasing import APART
from plugins.logs.archive.records import Person
from plugins.logs.exports import as_ndjson
from plugins.logs.filling import Filling
from plugins.logs.imports.ndjson import Ndjson
from plugins.logs.imports.times import Times
from plugins.logs.interfaces import IArchive, ILinks
from plugins.logs.line import MICROSECONDS
from plugins.logs.recorder import IRecorder
from plugins.relay.interfaces import IRelaying, Speaker
from plugins.seen import ISightings
from pynfo.config_http import HttpSettings
from pynfo.interfaces import IOutbox
from pynfo.irc.events import MessageReceived, User
from pynfo.irc.message import Message
from pynfo.testing import Server
from pynfo.testing.bot import CHANNEL, NETWORK, Bot, config_for
from tests.logs_archive import NOON, archive_in, said
from tests.logs_bot import PLACE, kept, settled, texts
from tests.logs_site import PUBLIC, site_in
from tests.test_logs_erasing import files_with

HERE, THERE = "libera/#pynfo", "oftc/#pynfo-dev"
HASH = b"h" * 16
ALICE = User("alice", "al", "home.test", account="alice")
BOB = User("bob", "bob", "bob.test")  # has no account
DEN = f"{NETWORK}/#den"  # nothing of it is kept
WEB = HttpSettings(public_url="https://logs.test", in_bot=False)


def carried(text, **fields):
    """A line that was said on libera, and that our relay carried to oftc."""
    return said(text, **({"place": THERE, "origin": "libera", "home": "libera"} | fields))


async def texts_of(archive, place):
    await archive.flush()
    return [line.text async for line in archive.export(place)]


# -- in the archive


async def test_a_line_that_was_carried_is_of_an_account_of_the_other_network_after_a_restart_too(tmp_path):
    async with archive_in(tmp_path, HERE, THERE) as archive:
        archive.append(carried("hi", account="alice", msgid="m1"))
    async with archive_in(tmp_path, HERE, THERE) as archive:
        [line] = [line async for line in archive.export(THERE)]
    assert (line.network, line.home, line.author_network) == ("oftc", "libera", "libera")
    assert (line.nick, line.account, line.origin) == ("alice", "alice", "libera")


async def test_an_export_tells_whose_account_it_is_and_comes_back_as_it_was():
    line = carried("hi", account="alice")
    [back] = Ndjson("", "", Times()).parse(as_ndjson(line).decode())
    assert back == replace(line, fetched=True)
    assert "home" not in json.loads(as_ndjson(said("hi", account="alice")))


async def test_forgetting_takes_what_was_carried_elsewhere_and_nothing_of_that_account_there(tmp_path):
    async with archive_in(tmp_path, HERE, THERE) as archive:
        archive.append(said("here", account="alice"))
        archive.append(carried("rhabarber", account="alice"))
        archive.append(said("another alice", account="alice", place=THERE))
        archive.append(carried("back", account="alice", place=HERE, origin="oftc", home="oftc"))
        archive.append(said("a foreign bot says so", origin="libera", place=THERE))
        await archive.flush()
        assert await archive.count("libera", Person(account="ALICE")) == 2
        assert await archive.forget("libera", Person(account="alice")) == 2
        assert await texts_of(archive, THERE) == ["another alice", "a foreign bot says so"]
        assert await texts_of(archive, HERE) == ["back"]
        assert files_with(tmp_path, "rhabarber") == []
        assert await archive.forget("oftc", Person(account="alice")) == 2
        assert await texts_of(archive, THERE) == ["a foreign bot says so"]


async def test_without_an_account_it_is_by_nick_host_and_session_as_at_home(tmp_path):
    apart = APART / MICROSECONDS
    bob = Person(nicks=("bob",), identity=HASH, since=NOON)
    async with archive_in(tmp_path, HERE, THERE) as archive:
        archive.append(carried("by a clock that is behind", nick="bob", identity=HASH, at=NOON - apart + 1))
        archive.append(carried("of another session", nick="bob", identity=HASH, at=NOON - apart - 1))
        archive.append(carried("of another host", nick="bob", identity=b"x" * 16))
        archive.append(carried("nobody knows", nick="bob"))
        archive.append(said("of this network", nick="bob", identity=HASH, place=THERE))
        await archive.flush()
        assert await archive.forget("libera", bob) == 1
        assert await texts_of(archive, THERE) == [
            "of another session", "of another host", "nobody knows", "of this network"
        ]  # fmt: skip


async def test_who_stays_out_at_home_stays_out_where_they_are_carried_to(tmp_path):
    async with archive_in(tmp_path, HERE, THERE) as archive:
        await archive.opt_out("libera", Person(account="alice"), True)
        archive.append(carried("a secret", account="Alice"))
        assert await archive.add([carried("from history", account="alice", at=NOON - 60)]) == 0
        archive.append(said("another alice", account="alice", place=THERE))
        assert await texts_of(archive, THERE) == ["another alice"]


async def test_of_who_stays_out_nothing_is_kept_either_that_tells_only_their_nick(tmp_path):
    bob = Person(nicks=("bob", "bob2"), identity=HASH)
    async with archive_in(tmp_path, HERE, THERE) as archive:
        await archive.opt_out("libera", bob, True)
        archive.append(carried("read back", nick="Bob2"))
        archive.append(said("of an old file", nick="bob"))
        archive.append(said("a foreign bot says so", nick="bob", origin="libera", place=THERE))
        assert await texts_of(archive, THERE) == ["a foreign bot says so"]
        assert await texts_of(archive, HERE) == ["of an old file"]
        await archive.opt_out("libera", bob, False)
        archive.append(carried("again", nick="bob2"))
        assert await texts_of(archive, THERE) == ["a foreign bot says so", "again"]


async def test_history_does_not_bring_back_what_was_carried_of_somebody_forgotten(tmp_path):
    async with archive_in(tmp_path, HERE, THERE) as archive:
        archive.append(said("here", account="alice", nick="alicia"))
        await archive.flush()
        await archive.forget("libera", Person(account="alice"))
        old = [carried("by account", account="alice", at=NOON - 60), carried("by nick", nick="Alicia")]
        assert await archive.add(old) == 0
        assert await archive.add([said("another", nick="alicia", place=THERE)]) == 1


async def test_a_line_is_found_by_its_network_and_message_id(tmp_path):
    async with archive_in(tmp_path, HERE, THERE) as archive:
        archive.append(said("hi", msgid="m1"))
        archive.append(said("elsewhere", msgid="m1", place=THERE))
        await archive.flush()
        assert (await archive.line_of("oftc", "m1")).text == "elsewhere"
        assert (await archive.line_of("libera", "m1")).text == "hi"
        assert await archive.line_of("libera", "m2") is None
        assert await archive.line_of("libera", "\ud800") is None


async def test_the_page_shows_the_person_and_the_network(tmp_path):
    async with site_in(tmp_path) as site:
        await site.keep(carried("hi there", nick="carol", place=PUBLIC, origin="oftc", home="oftc"))
        page = (await site.get("/libera/pynfo/")).text
        [record] = (await site.get("/api/channels/libera/pynfo/days/2026-11-21")).json()["lines"]
        [found] = (await site.get("/api/search?q=nick:carol")).json()["lines"]
    assert re.search(
        r'<span class="who">.*?carol.*?<span class="origin" title="relayed from oftc"><bdi>oftc</bdi>', page
    )
    assert "hi there" in page
    assert (record["nick"], record["origin"], record["home"]) == ("carol", "oftc", "oftc")
    assert found["text"] == "hi there"


# -- what the bot hears


class Relaying:
    """Knows who spoke by what our line is; remembers what it was asked for and told."""

    def __init__(self):
        self.speakers = {}
        self.asked = []
        self.forgotten = []

    def speaker_of(self, event):
        self.asked.append(event.text)
        return self.speakers.get(event.text)

    def is_ours(self, event):
        return event.text in self.speakers

    async def forget(self, network, user):
        self.forgotten.append((network, user.nick, user.account))
        return 0

    def knows(self, line, user, text, *, place=DEN, kind="message", **fields):
        network = place.partition("/")[0]
        self.speakers[line] = Speaker(place=place, network=network, user=user, kind=kind, text=text, **fields)


@asynccontextmanager
async def relaying_bot(folder, *, server=None, relays=(), channel=None, **plugins):
    """A bot that keeps the log of its channel, and whose relay is `bot.relaying`."""
    logs = {"channels": {PLACE: {"relays": list(relays), **(channel or {})}}}
    settings = config_for(folder, http=WEB, plugins={"ignore": {}, "logs": logs, **plugins})
    async with Bot.running(settings, server=server) as bot:
        bot.relaying = Relaying()
        bot.factory.register_adapter(IRelaying, lambda factory: bot.relaying)
        yield bot


async def carry(bot, *lines):
    """Have the relay say lines in the channel, where alice hears them."""
    for line in lines:
        await IOutbox(bot.factory).say(PLACE, line)
        await bot.user.hears("*")
    await settled(bot.factory)


def from_history(bot, text, at):
    """What we said, as the network remembers it."""
    stamp = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return MessageReceived(
        network=NETWORK,
        time=at,
        message=Message("PRIVMSG", [CHANNEL, text], "pynfo!p@h", {"time": stamp, "msgid": f"of {text}"}),
        user=User(bot.factory.clients[NETWORK].state.nick, "p", "h"),
        target=CHANNEL,
        channel=CHANNEL,
        text=text,
        own=True,
    )


@pytest.mark.parametrize("without", [(), ("echo-message",)])
async def test_what_our_relay_says_is_kept_under_the_person_echoed_or_not(tmp_path, without):
    server = Server()
    for capability in without:
        del server.capabilities[capability]
    async with relaying_bot(tmp_path, server=server, relays=["pynfo"]) as bot:
        bot.relaying.knows("<ali@oftc> hi", ALICE, "hi", place="oftc/#dev")
        bot.relaying.knows("* bob@oftc waves", BOB, "waves", place="oftc/#dev", kind="action")
        await carry(bot, "<ali@oftc> hi", "* bob@oftc waves", "(oftc) carol joined")
        lines = await kept(bot, "message", "action", "notice")
        identity = IArchive(bot.factory).identity(BOB)
    assert [(one.nick, one.kind, one.text, one.origin, one.home) for one in lines] == [
        ("alice", "message", "hi", "oftc", "oftc"),
        ("bob", "action", "waves", "oftc", "oftc"),
        ("pynfo", "message", "(oftc) carol joined", None, ""),
    ]
    assert [(one.account, one.identity) for one in lines[:2]] == [("alice", b""), (None, identity)]
    assert all(bool(one.msgid) == (not without) for one in lines)


async def test_what_others_say_is_theirs_and_our_relay_is_not_asked_about_it(tmp_path):
    async with relaying_bot(tmp_path) as bot:
        bot.relaying.knows("<ali@oftc> hi", ALICE, "hi", place="oftc/#dev")
        bot.user.say(CHANNEL, "<ali@oftc> hi")
        [line] = await kept(bot, "message")
        assert bot.relaying.asked == []
    assert (line.nick, line.text, line.origin) == ("alice", "<ali@oftc> hi", None)
    assert line.identity != b""


async def test_relaymsg_is_ours_or_of_a_bot_of_which_nothing_more_is_known(tmp_path):
    async with relaying_bot(tmp_path, seen={}) as bot:
        bot.relaying.knows("hi", ALICE, "hi", place="oftc/#dev")
        [connection] = bot.server.open_connections
        for text, by in (("hi", "pynfo"), ("not ours", "bridge")):
            connection.send(f"@draft/relaymsg={by} :alice/oftc!r@relay PRIVMSG {CHANNEL} :{text}")
        lines = await kept(bot, "message")
        seen = ISightings(bot.factory).on(NETWORK).person("alice/oftc")
    assert [(one.nick, one.account, one.origin, one.home) for one in lines] == [
        ("alice", "alice", "oftc", "oftc"),
        ("alice", None, "oftc", ""),
    ]
    assert [sighting.text for sighting in seen.sightings] == ["not ours"]


async def test_what_is_off_the_record_at_home_is_so_in_every_piece_on_the_far_side(tmp_path):
    async with relaying_bot(tmp_path) as bot:
        bot.relaying.knows("<ali@oftc> [off] a", ALICE, "\x02[off]\x02 a", place="oftc/#dev")
        bot.relaying.knows("<ali@oftc> b", ALICE, "b", place="oftc/#dev", off_the_record=True)
        bot.relaying.knows("<ali@oftc> c", ALICE, "c", place="oftc/#dev")
        await carry(bot, "<ali@oftc> [off] a", "<ali@oftc> b", "<ali@oftc> c")
        assert await texts(bot) == ["c"]


async def test_history_is_of_the_person_as_well_and_names_no_host_that_is_not_known(tmp_path):
    async with relaying_bot(tmp_path) as bot:
        bot.relaying.knows("<ali@oftc> hi", User("alice"), "hi", place="oftc/#dev")
        bot.relaying.knows("<ali@oftc> b", User("alice"), "b", place="oftc/#dev", off_the_record=True)
        lines = IRecorder(bot.factory).lines

        def fetched(text):
            return lines.fetched(lines.places.of(NETWORK, CHANNEL), from_history(bot, text, NOON))

        line = fetched("<ali@oftc> hi")
        assert fetched("<ali@oftc> b") is None
        assert fetched("(oftc) carol joined").nick == "pynfo"
    assert (line.nick, line.account, line.identity, line.home) == ("alice", None, b"", "oftc")
    assert line.fetched


async def test_history_of_a_network_without_echo_tells_nothing_twice_that_our_relay_said(tmp_path):
    server = Server()
    del server.capabilities["echo-message"]
    async with relaying_bot(tmp_path, server=server) as bot:
        bot.relaying.knows("<ali@oftc> hi", ALICE, "hi", place="oftc/#dev")
        bot.relaying.knows("<bob@oftc> hi", BOB, "hi", place="oftc/#dev")
        await carry(bot, "<ali@oftc> hi")
        [line] = await kept(bot, "message")
        recorder, archive = IRecorder(bot.factory), IArchive(bot.factory)
        events = [from_history(bot, text, line.time + 5) for text in ("<bob@oftc> hi", "<ali@oftc> hi")]
        channel = recorder.places.of(NETWORK, CHANNEL)
        await Filling(bot.factory, archive, recorder).keep(channel, events, 0.0)
        assert [(one.nick, one.fetched) for one in await kept(bot, "message")] == [
            ("alice", False),
            ("bob", True),
        ]


async def test_without_the_relay_its_lines_are_the_bots(tmp_path):
    async with relaying_bot(tmp_path) as bot:
        bot.relaying.knows("<ali@oftc> hi", ALICE, "hi", place="oftc/#dev")
        bot.factory.remove_adapter(IRelaying)
        await carry(bot, "<ali@oftc> hi")
        [line] = await kept(bot, "message")
    assert (line.nick, line.text) == ("pynfo", "<ali@oftc> hi")


# -- what people may do


async def ask(bot, text):
    return await bot.ask(text, private=True)


def code_in(answer):
    return re.search(r"logs forget me (\w+)$", answer)[1]


async def test_who_is_forgotten_leaves_the_far_log_and_what_waits_to_be_carried(tmp_path):
    async with relaying_bot(tmp_path, seen={}) as bot:
        me = bot.factory.clients[NETWORK].state.user("alice")
        bot.relaying.knows("<alice@test> here", replace(me, account=None), "here")
        await carry(bot, "<alice@test> here")
        bot.server.log_in("alice", "al")
        me = replace(me, account="al")
        bot.relaying.knows("<alice@test> there", me, "there")
        bot.relaying.knows("<alice@oftc> another", me, "another", place="oftc/#dev")
        await carry(bot, "<alice@test> there", "<alice@oftc> another")
        asked = await ask(bot, "logs forget me")
        told = await ask(bot, f"logs forget me {code_in(asked)}")
        assert [line.text for line in await kept(bot, "message") if line.nick == "alice"] == ["another"]
        assert bot.relaying.forgotten == [(NETWORK, "alice", "al"), (NETWORK, "alice", None)]
    assert "of yours (account al) would be removed from the logs of test and of where I relay it to" in asked
    assert "of yours from the logs of test and of where I relay it to;" in told


async def test_without_an_account_the_session_is_known_though_the_channel_at_home_is_not_kept(tmp_path):
    async with relaying_bot(tmp_path) as bot:
        bot.factory.clients[NETWORK].join("#den")
        bob = await bot.server.user("bob", channels=["#den"])
        await settled(bot.factory)
        bot.relaying.knows("<bob@test> one", BOB, "one")
        bot.relaying.knows("<bobby@test> two", replace(BOB, nick="bobby"), "two")
        bot.relaying.knows("<bob@test> three", BOB, "three")
        await carry(bot, "<bob@test> one")
        bob.rename("bobby")
        await carry(bot, "<bobby@test> two")
        bob.say("pynfo", "logs forget me")
        asked = (await bob.hears("*would be removed*")).params[1]
    assert asked.startswith("2 lines of yours (bob and bobby from your host) would be removed")


async def test_people_redact_what_was_carried_of_theirs_and_not_of_their_namesakes(tmp_path):
    async with relaying_bot(tmp_path) as bot:
        carol = await bot.server.user("carol", account="carol", channels=[CHANNEL])
        bot.relaying.knows("<carol@test> mine", replace(ALICE, account="carol"), "mine")
        bot.relaying.knows("<carol@oftc> hers", replace(ALICE, account="carol"), "hers", place="oftc/#dev")
        await carry(bot, "<carol@test> mine", "<carol@oftc> hers")
        mine, hers = await kept(bot, "message")
        carol.say("pynfo", f"logs redact #L{hers.id}")
        refused = (await carol.hears("*line*")).params[1]
        carol.say("pynfo", f"logs redact #L{mine.id}")
        done = (await carol.hears("*line*")).params[1]
    assert refused == "there is no such line, or none that you may remove"
    assert done == "removed what 1 line said"


async def test_opting_out_reaches_the_far_log(tmp_path):
    async with relaying_bot(tmp_path) as bot:
        me = bot.factory.clients[NETWORK].state.user("alice")
        bot.relaying.knows("<alice@test> a secret", me, "a secret")
        bot.relaying.knows("<alice@oftc> another", me, "another", place="oftc/#dev")
        told = await ask(bot, "logs optout")
        await carry(bot, "<alice@test> a secret", "<alice@oftc> another")
        assert [line.text for line in await kept(bot, "message")] == ["another"]
    assert told.startswith("nothing that you say is kept any more in the logs of test and of where I relay")


@pytest.mark.parametrize(
    ("publish", "open_to_all"), [("public", True), ("unlisted", True), ("private", False), ("no", False)]
)
async def test_only_a_line_that_everybody_may_read_has_an_address(tmp_path, publish, open_to_all):
    async with relaying_bot(tmp_path, channel={"publish": publish}) as bot:
        bot.user.say(CHANNEL, "hi")
        [line] = await kept(bot, "message")
        links, archive = ILinks(bot.factory), IArchive(bot.factory)
        address = await links.address_of(line)
        await archive.set_publish(PLACE, False)
        assert await links.address_of(line) is None
        assert await links.address_of(replace(line, channel="#elsewhere")) is None
    assert address == (f"https://logs.test/L/{line.id}" if open_to_all else None)


# -- `!seen`


async def test_who_is_on_another_network_is_not_seen_here_but_told_of_from_the_log(tmp_path):
    async with relaying_bot(tmp_path, seen={}) as bot:
        bot.relaying.knows("<carol@oftc> hello", User("carol"), "hello", place="oftc/#dev")
        await carry(bot, "<carol@oftc> hello")
        await IArchive(bot.factory).flush()
        there = await bot.ask("!seen carol")
        carol = await bot.server.user("carol", channels=[CHANNEL])
        await settled(bot.factory)
        here = await bot.ask("!seen carol")
        await ISightings(bot.factory).forget(NETWORK, nicks=["carol"])
        never_met = await bot.ask("!seen carol")
        carol.quit()
        await settled(bot.factory)
        gone = await bot.ask("!seen carol")
        assert ISightings(bot.factory).on(NETWORK).person("pynfo") is None
    assert there == 'carol, as carol@oftc, last spoke in #pynfo just now: "hello"'
    assert here == never_met == "carol is here; I have not heard them speak"
    assert gone.startswith("carol quit IRC")
    assert "hello" not in gone
