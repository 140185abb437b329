"""The relay between two networks, as people on both sides see it."""

from __future__ import annotations

import asyncio
import re
import time

from plugins.ignore import IDiscriminating
from plugins.logs.interfaces import IArchive
from pynfo.config_http import HttpSettings
from pynfo.testing import EXTENSIONS, Server, offers
from tests.relay_bot import relaying

MULTILINE = {"draft/multiline": EXTENSIONS["draft/multiline"]}


class TestTalk:
    async def test_what_people_say_is_heard_on_the_other_side(self, tmp_path):
        async with relaying(tmp_path) as bot:
            await bot.says(bot.alice, "hello")
            await bot.says(bot.bob, "hi there")
            assert bot.hears(bot.bob) == ["<alice@a> hello"]
            assert bot.hears(bot.alice) == ["<bob@b> hi there"]

    async def test_actions_are_told_as_such_and_notices_are_not_carried_unless_asked_for(self, tmp_path):
        async with relaying(tmp_path) as bot:
            bot.alice.action("#dev", "waves")
            bot.alice.notice("#dev", "beep")
            await bot.settle()
            assert bot.hears(bot.bob) == ["* alice@a waves"]

    async def test_nobody_is_pinged_by_their_own_nick(self, tmp_path):
        async with relaying(tmp_path) as bot:
            await bot.says(bot.alice, "hello")
            line = await bot.bob.hears("*hello")
            assert "alice" not in line.params[1]

    async def test_what_the_bot_answers_is_carried_behind_the_question_and_not_obeyed_again(self, tmp_path):
        async with relaying(tmp_path, plugins={"admin": {}}) as bot:
            await bot.says(bot.alice, "!ping")
            await bot.settle()
            (answer,) = bot.hears(bot.alice)
            question, carried = bot.hears(bot.bob)
            assert question == "<alice@a> !ping"
            # In words it says whom it answers where the question was not confirmed when it left.
            assert carried.replace("↪ alice: ", "") == f"<pynfo@a> {answer}"

    async def test_long_messages_are_split_never_cut_and_every_piece_says_who_speaks(self, tmp_path):
        async with relaying(tmp_path) as bot:
            words = [f"word{number}" for number in range(68)]  # fits a line of alice's, and not one of ours
            await bot.says(bot.alice, " ".join(words))
            pieces = bot.hears(bot.bob)
            assert len(pieces) > 1
            assert all(piece.startswith("<alice@a> ") for piece in pieces)
            assert " ".join(piece.removeprefix("<alice@a> ") for piece in pieces).split() == words

    async def test_a_mention_of_somebody_on_the_other_side_is_one_there(self, tmp_path):
        async with relaying(tmp_path) as bot:
            await bot.says(bot.alice, "bob@b: are you there?")
            assert bot.hears(bot.bob) == ["<alice@a> bob: are you there?"]

    async def test_who_is_ignored_is_not_carried(self, tmp_path):
        wire = {
            "name": "dev",
            "ports": ["a/#dev", "b/#dev"],
            "ignore": ["mallory!*@*"],
            "ignore_text": ["^!"],
        }
        async with relaying(tmp_path, wires=[wire]) as bot:
            mallory = await bot.servers["a"].user("mallory", channels=["#dev"])
            IDiscriminating(bot.factory).add("trudy!*@*")
            trudy = await bot.servers["a"].user("trudy", channels=["#dev"])
            await bot.says(mallory, "one")
            await bot.says(trudy, "two")
            await bot.says(bot.alice, "!three")
            await bot.says(bot.alice, "four")
            assert bot.hears(bot.bob) == ["<alice@a> four"]

    async def test_a_port_that_only_sends_hears_nothing(self, tmp_path):
        wire = {"name": "dev", "ports": ["a/#dev", "b/#dev"], "direction": "send"}
        async with relaying(tmp_path, wires=[wire]) as bot:
            await bot.says(bot.alice, "news")
            await bot.says(bot.bob, "I heard")
            assert bot.hears(bot.bob) == ["<alice@a> news"]
            assert bot.hears(bot.alice) == []

    async def test_what_is_said_to_a_part_of_the_channel_stays_there(self, tmp_path):
        async with relaying(tmp_path) as bot:
            bot.alice.say("@#dev", "for operators")
            await bot.settle()
            assert bot.hears(bot.bob) == []

    async def test_who_comes_and_goes_is_told_where_the_wire_asks_for_it(self, tmp_path):
        wire = {"name": "dev", "ports": ["a/#dev", "b/#dev"], "events": ["joins", "quits", "topics"]}
        async with relaying(tmp_path, wires=[wire]) as bot:
            carol = await bot.servers["a"].user("carol")
            carol.join("#dev")
            carol.quit("bye")
            bot.alice.topic("#dev", "all is well")
            await bot.settle()
            assert bot.hears(bot.bob) == [
                "(a) carol joined",
                "(a) carol quit (bye)",
                "(a) alice changed the topic to “all is well”",
            ]


class TestTags:
    async def test_an_answer_is_one_on_both_sides(self, tmp_path):
        async with relaying(tmp_path, a=Server(history=9), b=Server(history=9)) as bot:
            await bot.says(bot.alice, "who is there?")
            question = await bot.bob.hears("*who is there?")
            await bot.says(bot.bob, "me", tags={"+draft/reply": question.tags["msgid"]})
            answer = await bot.alice.hears("*me")
            (asked,) = [item for item in bot.servers["a"].channels["#dev"].history if "who" in item.params[1]]
            assert answer.tags["+draft/reply"] == asked.tags["msgid"]
            await bot.says(bot.alice, "good", tags={"+draft/reply": answer.tags["msgid"]})
            (said,) = [item for item in bot.servers["b"].channels["#dev"].history if item.params[1] == "me"]
            assert (await bot.bob.hears("*good")).tags["+draft/reply"] == said.tags["msgid"]

    async def test_where_there_are_no_tags_an_answer_says_whom_it_answers(self, tmp_path):
        async with relaying(tmp_path, b=Server(capabilities={})) as bot:
            carol = await bot.servers["a"].user("carol", channels=["#dev"])
            await bot.says(bot.alice, "who is there?")
            question = await carol.hears("who is there?")
            await bot.says(carol, "me", tags={"+draft/reply": question.tags["msgid"]})
            assert bot.hears(bot.bob) == ["<alice@a> who is there?", "<carol@a> ↪ alice: me"]

    async def test_reactions_are_tags_or_words(self, tmp_path):
        async with relaying(tmp_path) as bot:
            await bot.says(bot.alice, "cake?")
            cake = await bot.bob.hears("*cake?")
            bot.bob.react("#dev", cake.tags["msgid"], "🍰")
            await bot.settle()
            line = await bot.alice.expect("*TAGMSG #dev")
            assert "+draft/react=🍰" in line
        async with relaying(tmp_path / "other", b=Server(capabilities={})) as bot:
            carol = await bot.servers["a"].user("carol", channels=["#dev"])
            await bot.says(bot.alice, "cake?")
            carol.react("#dev", (await carol.hears("cake?")).tags["msgid"], "🍰")
            await bot.settle()
            assert bot.hears(bot.bob)[1:] == ["(a) carol reacted with 🍰 to alice"]

    async def test_a_removed_message_is_removed_on_the_other_side(self, tmp_path):
        servers = {"a": Server(extensions=EXTENSIONS), "b": Server(extensions=EXTENSIONS)}
        async with relaying(tmp_path, **servers) as bot:
            carol = await bot.servers["a"].user("carol", channels=["#dev"])
            await bot.says(bot.alice, "oops")
            copy = await bot.bob.hears("*oops")
            bot.alice.redact("#dev", (await carol.hears("oops")).tags["msgid"])
            await bot.settle()
            assert copy.tags["msgid"] in await bot.bob.expect("*REDACT #dev *")

    async def test_where_it_cannot_be_removed_it_is_told(self, tmp_path):
        async with relaying(tmp_path, a=Server(extensions=EXTENSIONS)) as bot:
            carol = await bot.servers["a"].user("carol", channels=["#dev"])
            await bot.says(bot.alice, "oops")
            bot.alice.redact("#dev", (await carol.hears("oops")).tags["msgid"])
            await bot.settle()
            assert bot.hears(bot.bob) == ["<alice@a> oops", "(a) alice removed a message"]


class TestRelaymsg:
    async def test_people_speak_under_their_own_names_where_the_network_lets_them(self, tmp_path):
        async with relaying(tmp_path, b=Server(extensions=EXTENSIONS)) as bot:
            bot.bob.mode("#dev", "+o", "pynfo")
            await bot.says(bot.alice, "hello")
            line = await bot.bob.hears("hello")
            assert line.nick == "alice/a"
            await bot.says(bot.bob, "hi")
            assert bot.hears(bot.alice) == ["<bob@b> hi"]  # and our own line did not come back

    async def test_where_it_is_refused_the_format_is_used(self, tmp_path):
        async with relaying(tmp_path, b=Server(extensions=EXTENSIONS)) as bot:
            await bot.says(bot.alice, "hello")
            await bot.says(bot.alice, "again")
            assert bot.hears(bot.bob) == ["<alice@a> hello", "<alice@a> again"]

    async def test_messages_of_several_lines_stay_one(self, tmp_path):
        servers = {name: Server(history=9, extensions=MULTILINE) for name in "ab"}
        async with relaying(tmp_path, **servers) as bot:
            bot.alice.person.capabilities |= {"batch", "draft/multiline"}
            send = bot.alice.send
            send("BATCH", "+1", "draft/multiline", "#dev")
            for line in ("one", "two"):
                send("PRIVMSG", "#dev", line, tags={"batch": "1"})
            send("BATCH", "-1")
            await bot.settle()
            assert bot.hears(bot.bob) == ["<alice@a> one", "<alice@a> two"]
            (kept,) = bot.servers["b"].channels["#dev"].history
            assert kept.params[1].replace("\u2060", "") == "<alice@a> one\n<alice@a> two"


class TestOutages:
    async def test_what_is_said_while_a_network_is_away_is_heard_when_it_is_back(self, tmp_path):
        async with relaying(tmp_path) as bot:
            bot.servers["b"].accepting = False
            (await bot.servers["b"].connection(1)).abort()
            await bot.says(bot.alice, "one")
            await bot.says(bot.alice, "two")
            bot.servers["b"].accepting = True
            await bot.bob.hears("*two")
            assert [text for text in bot.hears(bot.bob) if "alice" in text] == [
                "<alice@a> one",
                "<alice@a> two",
            ]

    async def test_what_was_said_while_the_bot_was_away_is_fetched_in_order_and_once(self, tmp_path):
        a = Server(history=100)
        async with relaying(tmp_path, a=a) as bot:
            await bot.says(bot.alice, "before")
            (await a.connection(1)).abort()
            bot.alice.say("#dev", "meanwhile 1")
            bot.alice.say("#dev", "meanwhile 2")
            await bot.bob.hears("*meanwhile 2")
            await bot.says(bot.alice, "after")
            assert bot.hears(bot.bob) == [
                "<alice@a> before",
                "<alice@a> meanwhile 1",
                "<alice@a> meanwhile 2",
                "<alice@a> after",
            ]

    async def test_late_messages_carry_their_time(self, tmp_path, monkeypatch):
        async with relaying(tmp_path) as bot:
            bot.relay.guard.pause("dev", "bob")
            monkeypatch.setattr("plugins.relay.appearance.LATE", -1.0)
            await bot.says(bot.alice, "late")
            bot.relay.guard.resume("dev")
            await bot.settle()
            (text,) = bot.hears(bot.bob)
            assert re.fullmatch(r"\[\d\d:\d\d\] <alice@a> late", text)

    async def test_what_was_lost_is_told_in_the_channel(self, tmp_path, monkeypatch):
        async with relaying(tmp_path) as bot:
            monkeypatch.setattr("plugins.relay.sending.LOST_WAIT", 0.0)
            bot.relay.guard.pause("dev", "bob")
            for number in range(3):
                await bot.says(bot.alice, f"n{number}")
            for item in bot.relay.queue.ports()["b/#dev"].waiting:
                item.expires = 0.0
            bot.relay.guard.resume("dev")
            await bot.bob.hears("*lost*")
            assert bot.hears(bot.bob) == ["(relay) 3 messages from a/#dev are lost: they waited for too long"]

    async def test_what_was_lost_is_told_after_a_restart_where_there_was_no_time_before(self, tmp_path):
        async with relaying(tmp_path) as bot:
            bot.relay.guard.pause("dev", "bob")
            await bot.says(bot.alice, "one")
            port = bot.relay.queue.ports()["b/#dev"]
            for item in port.waiting:
                item.expires = 0.0
            port.expire()
        async with relaying(tmp_path) as bot:
            await bot.bob.hears("*lost*")
            assert bot.hears(bot.bob) == ["(relay) 1 message from a/#dev is lost: they waited for too long"]


class TestLogs:
    LOGS = {"channels": {"a/#dev": {"publish": "public"}, "b/#dev": {"publish": "public"}}}

    async def test_a_message_of_many_lines_ends_with_a_link_to_the_log(self, tmp_path):
        wire = {"name": "dev", "ports": ["a/#dev", "b/#dev"], "lines_limit": 3}
        http = HttpSettings(port=0, public_url="https://logs.example.org")
        a = Server(history=9, extensions=MULTILINE)
        async with relaying(tmp_path, a=a, wires=[wire], plugins={"logs": self.LOGS}, http=http) as bot:
            bot.alice.person.capabilities |= {"batch", "draft/multiline"}
            send = bot.alice.send
            send("BATCH", "+1", "draft/multiline", "#dev")
            for number in range(9):
                send("PRIVMSG", "#dev", f"line {number}", tags={"batch": "1"})
            send("BATCH", "-1")
            await bot.says(bot.alice, "and this")
            await bot.bob.hears("*and this")
            first, second, link, last = bot.hears(bot.bob)
            assert (first, second) == ("<alice@a> line 0", "<alice@a> line 1")
            assert re.fullmatch(r"<alice@a> … 7 more lines: https://logs\.example\.org/L/\d+", link)
            assert last == "<alice@a> and this"

    async def test_the_logs_show_people_and_where_they_are_instead_of_the_bot(self, tmp_path):
        async with relaying(tmp_path, plugins={"logs": self.LOGS}) as bot:
            await bot.says(bot.alice, "hello")
            bot.alice.action("#dev", "waves")
            await bot.says(bot.alice, "[off] not for the record " + "x" * 480)
            archive = IArchive(bot.factory)
            await archive.flush()
            lines = [line async for line in archive.export("b/#dev") if line.kind in ("message", "action")]
            assert [(line.nick, line.origin, line.kind, line.text) for line in lines] == [
                ("alice", "a", "message", "hello"),
                ("alice", "a", "action", "waves"),
            ]
            assert len(bot.hears(bot.bob)) == 4  # but it was carried, in two pieces

    async def test_what_is_removed_is_removed_from_the_log_of_the_other_side(self, tmp_path):
        async with relaying(tmp_path, a=Server(extensions=EXTENSIONS), plugins={"logs": self.LOGS}) as bot:
            carol = await bot.servers["a"].user("carol", channels=["#dev"])
            await bot.says(bot.alice, "oops")
            archive = IArchive(bot.factory)
            await archive.flush()
            bot.alice.redact("#dev", (await carol.hears("oops")).tags["msgid"])
            async with asyncio.timeout(10):
                while [line.text async for line in archive.export("b/#dev") if line.nick == "alice"] != [""]:
                    await bot.settle()

    async def test_who_wants_to_be_forgotten_is_not_carried_any_more(self, tmp_path):
        async with relaying(tmp_path) as bot:
            bot.relay.guard.pause("dev", "bob")
            await bot.says(bot.alice, "mine")
            carol = await bot.servers["a"].user("carol", channels=["#dev"])
            await bot.says(carol, "hers")
            user = bot.factory.clients["a"].state.user("alice")
            assert await bot.relay.forget("a", user) == 1
            state = b"".join(file.read_bytes() for file in tmp_path.glob("outbox.sqlite*"))
            assert b"hers" in state
            assert b"mine" not in state
            bot.relay.guard.resume("dev")
            await bot.settle()
            assert bot.hears(bot.bob) == ["<carol@a> hers"]

    async def test_an_answer_stands_in_the_log_without_the_mark_of_whom_it_answers(self, tmp_path):
        plain = {name: "" for name in offers.CAPABILITIES if name not in ("message-tags", "labeled-response")}
        b = Server(capabilities=plain)  # which echoes, and has no tags
        async with relaying(tmp_path, b=b, plugins={"logs": self.LOGS}) as bot:
            carol = await bot.servers["a"].user("carol", channels=["#dev"])
            await bot.says(bot.alice, "who is there?")
            question = await carol.hears("who is there?")
            await bot.says(carol, "me", tags={"+draft/reply": question.tags["msgid"]})
            archive = IArchive(bot.factory)
            await archive.flush()
            said = [line.text async for line in archive.export("b/#dev") if line.kind == "message"]
            assert said == ["who is there?", "me"]
            assert bot.hears(bot.bob)[-1] == "<carol@a> ↪ alice: me"


async def test_a_reload_in_a_quiet_channel_tells_of_no_gap(tmp_path):
    async with relaying(tmp_path) as bot:
        for client in bot.factory.clients.values():
            client.session._heard -= 40.0  # nobody has said anything for a while
        for end in bot.relay.ends.all:
            bot.relay.queue.reach(end.lane, time.time() - 60.0)  # and we came long ago
        await bot.factory.plugins.reload("relay")
        bot.alice.say("#dev", "still here")
        await bot.bob.hears("*still here")
        assert bot.hears(bot.bob) == ["<alice@a> still here"]


async def test_a_nick_that_the_network_does_not_take_speaks_in_the_format_and_others_as_themselves(tmp_path):
    async with relaying(tmp_path, b=Server(extensions=EXTENSIONS)) as bot:
        bot.bob.mode("#dev", "+o", "pynfo")
        refused = "FAIL RELAYMSG INVALID_NICK :Invalid nickname"

        def relaymsg(connection, message):
            if message.params[1].startswith("alice"):
                return f"@label={message.tags['label']} :irc.test {refused}"
            return connection.answer(message)

        bot.servers["b"].handle("RELAYMSG", relaymsg)
        carol = await bot.servers["a"].user("carol", channels=["#dev"])
        await bot.says(bot.alice, "one")
        await bot.says(carol, "two")
        await bot.says(bot.alice, "three")
        assert bot.hears(bot.bob) == ["<alice@a> one", "two", "<alice@a> three"]
