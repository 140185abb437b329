"""A conversation with a server, line by line, with no socket and no clock."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from pynfo.irc import MalformedMessage, Message
from pynfo.irc.events import (
    HistoryReceived,
    LineReceived,
    MessageReceived,
    NetworkUp,
    OperatorNotice,
    StandardReply,
    UserJoined,
)
from pynfo.irc.registration import SASL_LIMIT
from pynfo.irc.session import DEAD_AFTER, JOIN_LIMIT, PING_AFTER, Session
from pynfo.irc.settings import ChannelSettings, NetworkSettings, SaslSettings
from pynfo.irc.sts import PolicyStore

NOW = 1_000_000.0
WALL = 1_700_000_000.0


class Conversation:
    """A session, and what it has said."""

    def __init__(self, **settings):
        settings = {"servers": [("irc.test", 6697)], "nick": "pynfo", **settings}
        self.sent: list[str] = []
        self.policies = PolicyStore({})
        self.now = NOW
        self.session = Session(
            NetworkSettings(name="net", **settings),
            transmit=lambda message, priority: self.sent.append(message.format(8192).decode().rstrip()),
            policies=self.policies,
            random=Random(1),
            clock=lambda: WALL,
        )

    def open(self, secure=True):
        self.session.open(self.now, host="irc.test", port=6697 if secure else 6667, secure=secure)
        return self.said()

    def said(self):
        sent, self.sent[:] = list(self.sent), []
        return sent

    def hear(self, *lines):
        events = []
        for line in lines:
            events += self.session.receive(Message.parse(line.encode()), self.now)
        return events

    def later(self, seconds):
        self.now += seconds
        return self.session.tick(self.now)

    def register(self, *capabilities, isupport="CASEMAPPING=ascii"):
        self.open()
        self.hear(f":irc.test CAP * LS :{' '.join(capabilities)}")
        if capabilities:
            self.hear(f":irc.test CAP * ACK :{' '.join(capabilities)}")
        return self.hear(
            ":irc.test 001 pynfo :Welcome",
            f":irc.test 005 pynfo {isupport} :are supported by this server",
            ":irc.test 422 pynfo :MOTD File is missing",
        )


def test_introduces_itself_at_once_on_a_safe_connection():
    conversation = Conversation(password="sesame", realname="Real")
    assert conversation.open() == ["CAP LS 302", "PASS sesame", "NICK pynfo", "USER pynfo 0 * Real"]


def test_remembers_after_the_connection_when_the_server_was_last_heard():
    conversation = Conversation()
    conversation.register()
    conversation.now += 30
    conversation.hear("PING :x")
    conversation.now += 60
    conversation.session.close()
    assert conversation.session.heard == NOW + 30


def test_keeps_its_password_until_an_open_connection_has_told_whether_it_wants_tls():
    conversation = Conversation(password="sesame", tls=False)
    assert conversation.open(secure=False) == ["CAP LS 302"]
    conversation.hear(":irc.test CAP * LS :sts=port=6697")
    assert conversation.session.ending.port == 6697
    assert not any("sesame" in line for line in conversation.said())


def test_tells_its_password_to_a_server_that_does_not_know_capabilities():
    conversation = Conversation(password="sesame", tls=False)
    conversation.open(secure=False)
    conversation.hear(":irc.test 421 * CAP :Unknown command")
    assert conversation.said() == ["PASS sesame", "NICK pynfo", "USER pynfo 0 * Pynfo"]


def test_tells_its_password_after_a_while_to_a_server_that_says_nothing():
    conversation = Conversation(password="sesame", tls=False)
    conversation.open(secure=False)
    conversation.later(5)
    assert "PASS sesame" in conversation.said()


def test_ends_the_negotiation_when_all_requests_are_answered():
    conversation = Conversation()
    conversation.open()
    conversation.hear(":irc.test CAP * LS :server-time message-tags unwanted.example/cap")
    [request] = conversation.said()
    assert set(request.partition(":")[2].split()) == {"server-time", "message-tags"}
    conversation.hear(":irc.test CAP * ACK :server-time message-tags")
    assert conversation.said() == ["CAP END"]


def test_is_up_when_the_motd_has_ended_and_then_joins():
    conversation = Conversation(channels=[ChannelSettings("#a"), ChannelSettings("#b")])
    events = conversation.register()
    assert NetworkUp in map(type, events)
    assert "JOIN #a,#b" in conversation.said()


def test_is_up_without_an_end_of_motd_after_a_while():
    conversation = Conversation()
    conversation.open()
    conversation.hear(":irc.test CAP * LS :", ":irc.test 001 pynfo :Welcome")
    conversation.later(1)
    conversation.hear(":irc.test 372 pynfo :- a slow MOTD")
    conversation.later(1)
    assert not conversation.session.ready
    events = conversation.later(1)
    assert NetworkUp in map(type, events)


def test_is_up_after_a_while_though_the_motd_goes_on_and_on():
    conversation = Conversation()
    conversation.open()
    conversation.hear(":irc.test CAP * LS :", ":irc.test 001 pynfo :Welcome")
    for _ in range(9):
        conversation.later(1)
        conversation.hear(":irc.test 372 pynfo :- and on")
    assert not conversation.session.ready
    events = conversation.later(1)
    assert NetworkUp in map(type, events)


def test_sets_bot_mode_where_it_is_offered():
    conversation = Conversation()
    conversation.register(isupport="BOT=B")
    assert "MODE pynfo +B" in conversation.said()


class TestLogin:
    def test_goes_on_after_a_login(self):
        conversation = Conversation(sasl=SaslSettings(mechanism="PLAIN", username="u", password="p"))
        conversation.open()
        conversation.hear(":irc.test CAP * LS :sasl=PLAIN", ":irc.test CAP * ACK :sasl")
        assert conversation.said()[-1] == "AUTHENTICATE PLAIN"
        conversation.hear("AUTHENTICATE +")
        conversation.said()
        conversation.hear(":irc.test 900 * * u :You are now logged in", ":irc.test 903 * :success")
        assert conversation.said() == ["CAP END"]

    def test_goes_on_without_one_that_is_not_required(self):
        conversation = Conversation(sasl=SaslSettings(mechanism="PLAIN", username="u", password="p"))
        conversation.open()
        conversation.hear(":irc.test CAP * LS :sasl", ":irc.test CAP * ACK :sasl", "AUTHENTICATE +")
        events = conversation.hear(":irc.test 904 * :SASL authentication failed")
        assert "CAP END" in conversation.said()
        assert [event.matter for event in events if type(event) is OperatorNotice] == ["net/login"]

    def test_ends_where_a_login_is_required_and_fails(self):
        conversation = Conversation(sasl=SaslSettings(username="u", password="p", required=True))
        conversation.open()
        conversation.hear(":irc.test CAP * LS :server-time")
        assert "required" in conversation.session.ending.reason
        assert "CAP END" not in conversation.said()

    def test_ends_where_a_login_is_required_and_the_server_does_not_wait_for_it(self):
        conversation = Conversation(sasl=SaslSettings(username="u", password="p", required=True))
        conversation.open()
        conversation.hear(":irc.test 001 pynfo :Welcome")
        assert "required" in conversation.session.ending.reason

    def test_does_not_wait_for_ever(self):
        conversation = Conversation(sasl=SaslSettings(mechanism="PLAIN", username="u", password="p"))
        conversation.open()
        conversation.hear(":irc.test CAP * LS :sasl", ":irc.test CAP * ACK :sasl")
        conversation.said()
        conversation.later(15)
        assert conversation.said() == ["AUTHENTICATE *", "CAP END"]

    def test_joins_only_after_the_login_that_its_own_commands_bring_about(self):
        conversation = Conversation(
            on_connect=["PRIVMSG NickServ :IDENTIFY pynfo secret"], channels=[ChannelSettings("#a")]
        )
        conversation.register()
        said = conversation.said()
        assert "PRIVMSG NickServ :IDENTIFY pynfo secret" in said
        assert "JOIN #a" not in said
        conversation.hear(":irc.test 900 pynfo pynfo!p@host pynfo :You are now logged in")
        assert "JOIN #a" in conversation.said()

    def test_joins_without_it_after_a_while_and_says_so(self):
        conversation = Conversation(on_connect=["PRIVMSG Q :AUTH a b"], channels=[ChannelSettings("#a")])
        conversation.register()
        conversation.said()
        events = conversation.later(JOIN_LIMIT)
        assert "JOIN #a" in conversation.said()
        assert any("joining without it" in event.text for event in events if type(event) is OperatorNotice)

    def test_waits_for_the_cloak_where_the_config_says_so(self):
        conversation = Conversation(join_after="cloak", channels=[ChannelSettings("#a")])
        conversation.register()
        conversation.hear(":irc.test 900 pynfo pynfo!p@host pynfo :You are now logged in")
        assert "JOIN #a" not in conversation.said()
        conversation.hear(":irc.test 396 pynfo cloak.example :is now your visible host")
        assert "JOIN #a" in conversation.said()


class TestMessages:
    def test_resolves_the_channel_as_the_network_writes_it(self):
        conversation = Conversation()
        conversation.register()
        conversation.hear(":pynfo!p@h JOIN #Chan")
        [event] = conversation.hear(":alice!a@h PRIVMSG #chan :hello")
        assert (event.channel, event.user.nick, event.text, event.kind) == (
            "#Chan",
            "alice",
            "hello",
            "message",
        )

    def test_tells_a_private_message_by_its_missing_channel(self):
        conversation = Conversation()
        conversation.register()
        [event] = conversation.hear(":alice!a@h PRIVMSG pynfo :hello")
        assert event.channel is None

    def test_resolves_a_statusmsg(self):
        conversation = Conversation()
        conversation.register(isupport="STATUSMSG=@+ CHANTYPES=#")
        [event] = conversation.hear(":alice!a@h PRIVMSG @#chan :ops only")
        assert (event.statusmsg, event.channel) == ("@", "#chan")

    def test_understands_an_action(self):
        conversation = Conversation()
        conversation.register()
        [event] = conversation.hear(":alice!a@h PRIVMSG #a :\x01ACTION waves\x01")
        assert (event.kind, event.text) == ("action", "waves")

    def test_takes_its_time_from_the_server(self):
        conversation = Conversation()
        conversation.register("server-time")
        [event] = conversation.hear("@time=2026-01-31T12:00:00.500Z :alice!a@h PRIVMSG #a :x")
        assert event.time == 1769860800.5
        [event] = conversation.hear(":alice!a@h PRIVMSG #a :x")
        assert event.time == WALL

    def test_knows_its_own_words(self):
        conversation = Conversation()
        conversation.register("echo-message")
        [event] = conversation.hear(":pynfo!p@h PRIVMSG #a :mine")
        assert event.own

    def test_answers_ctcp_to_a_person_and_not_to_itself(self):
        conversation = Conversation()
        conversation.register()
        conversation.said()
        assert conversation.hear(":alice!a@h PRIVMSG pynfo :\x01PING 123\x01") == []
        assert conversation.said() == ["NOTICE alice :\x01PING 123\x01"]
        conversation.hear(":pynfo!a@h PRIVMSG pynfo :\x01PING 123\x01")
        conversation.hear(":alice!a@h NOTICE pynfo :\x01PING 123\x01")
        assert conversation.said() == []

    def test_answers_only_so_many_ctcp_requests(self):
        conversation = Conversation()
        conversation.register()
        conversation.said()
        for _ in range(50):
            conversation.hear(":alice!a@h PRIVMSG pynfo :\x01VERSION\x01")
        assert len(conversation.said()) == 4

    @pytest.mark.parametrize("line", [":a!b@c PRIVMSG #a", "PRIVMSG #a :x", ":a TAGMSG", ":a REDACT #a"])
    def test_refuses_what_makes_no_sense(self, line):
        conversation = Conversation()
        conversation.register()
        with pytest.raises(MalformedMessage):
            conversation.hear(line)

    def test_passes_on_standard_replies(self):
        conversation = Conversation()
        conversation.register()
        [event] = conversation.hear(":irc.test FAIL JOIN ODD_CODE #a :It cannot be")
        assert isinstance(event, StandardReply)
        assert (event.about, event.code, event.context) == ("JOIN", "ODD_CODE", ["#a"])


class TestBatches:
    def test_keeps_history_apart_from_what_is_said_now(self):
        conversation = Conversation()
        conversation.register("batch", "server-time")
        events = conversation.hear(
            ":irc.test BATCH +h chathistory #a",
            "@batch=h;time=2026-01-31T12:00:00.000Z :alice!a@h PRIVMSG #a :!old",
            "@batch=h;time=2026-01-31T12:00:01.000Z :pynfo!p@h JOIN #a",
            ":irc.test BATCH -h",
        )
        [history] = events
        assert isinstance(history, HistoryReceived)
        assert history.target == "#a"
        assert [type(event) for event in history.events] == [MessageReceived, LineReceived]
        assert conversation.session.state.channel("#a") is None

    def test_joins_the_lines_of_a_multiline_message(self):
        conversation = Conversation()
        conversation.register("batch", "message-tags", "draft/multiline")
        events = conversation.hear(
            "@msgid=m1;account=Alice;time=2026-01-31T12:00:00.000Z :alice!a@h BATCH +m draft/multiline #a",
            "@batch=m :alice!a@h PRIVMSG #a :one",
            "@batch=m :alice!a@h PRIVMSG #a :two ",
            "@batch=m;draft/multiline-concat :alice!a@h PRIVMSG #a :and a half",
            ":alice!a@h BATCH -m",
        )
        [event] = events
        assert event.text == "one\ntwo and a half"
        assert event.msgid == "m1"
        assert event.user.account == "Alice"
        assert event.time == datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp()

    def test_puts_a_multiline_message_into_the_history_around_it(self):
        conversation = Conversation()
        conversation.register("batch")
        [history] = conversation.hear(
            ":irc.test BATCH +h chathistory #a",
            "@batch=h :irc.test BATCH +m draft/multiline #a",
            "@batch=m :alice!a@h PRIVMSG #a :one",
            "@batch=m :alice!a@h PRIVMSG #a :two",
            "@batch=h :irc.test BATCH -m",
            ":irc.test BATCH -h",
        )
        assert [event.text for event in history.events] == ["one\ntwo"]

    def test_tells_quits_of_a_netsplit_at_once_with_their_batch(self):
        conversation = Conversation()
        conversation.register("batch")
        conversation.hear(
            ":pynfo!p@h JOIN #a", ":alice!a@h JOIN #a", ":irc.test BATCH +s netsplit a.test b.test"
        )
        [event] = conversation.hear("@batch=s :alice!a@h QUIT :a.test b.test")
        assert event.batch.type == "netsplit"

    def test_bounds_the_open_batches(self):
        conversation = Conversation()
        conversation.register("batch")
        with pytest.raises(MalformedMessage):
            for number in range(1000):
                conversation.hear(f":irc.test BATCH +{number} chathistory #a")

    def test_refuses_the_end_of_a_batch_that_is_not_open(self):
        conversation = Conversation()
        conversation.register("batch")
        with pytest.raises(MalformedMessage):
            conversation.hear(":irc.test BATCH -nothing")


class TestLabels:
    def test_gives_a_single_answer_to_whoever_waits(self):
        conversation = Conversation()
        conversation.register("labeled-response")
        answers = []
        label = conversation.session.labels.new(NOW + 10, answers.append)
        conversation.hear(f"@label={label} :irc.test PONG irc.test x")
        assert [message.command for message in answers[0]] == ["PONG"]

    def test_gives_a_batch_of_answers_whole(self):
        conversation = Conversation()
        conversation.register("labeled-response", "batch")
        answers = []
        label = conversation.session.labels.new(NOW + 10, answers.append)
        conversation.hear(
            f"@label={label} :irc.test BATCH +r labeled-response",
            "@batch=r :irc.test 311 pynfo alice a h * :Alice",
            "@batch=r :irc.test 318 pynfo alice :End of /WHOIS list.",
            ":irc.test BATCH -r",
        )
        assert [message.command for message in answers[0]] == ["311", "318"]

    def test_gives_up_after_the_time_limit(self):
        conversation = Conversation()
        conversation.register("labeled-response")
        answers = []
        conversation.session.labels.new(NOW + 10, answers.append)
        conversation.later(9)
        assert answers == []
        conversation.later(1)
        assert answers == [None]

    def test_gives_up_when_the_connection_is_gone(self):
        conversation = Conversation()
        conversation.register("labeled-response")
        answers = []
        conversation.session.labels.new(NOW + 10, answers.append)
        conversation.session.close()
        assert answers == [None]


class TestTheLink:
    def test_asks_for_a_sign_of_life_after_silence(self):
        conversation = Conversation()
        conversation.register()
        conversation.later(0)
        conversation.hear(":irc.test PONG irc.test pynfo")
        conversation.said()
        conversation.later(PING_AFTER - 1)
        assert conversation.said() == []
        conversation.later(1)
        assert conversation.said() == ["PING pynfo"]

    def test_measures_the_lag(self):
        conversation = Conversation()
        conversation.register()
        conversation.later(0)
        conversation.now += 0.25
        conversation.hear(":irc.test PONG irc.test pynfo")
        assert conversation.session.lag == 0.25

    def test_finds_a_dead_link_within_ninety_seconds(self):
        conversation = Conversation()
        conversation.register()
        start = conversation.now
        while conversation.session.ending is None:
            conversation.later(max(0.0, conversation.session.deadline() - conversation.now))
        assert "no sign of life" in conversation.session.ending.reason
        assert conversation.now - start == DEAD_AFTER < 90

    def test_answers_ping(self):
        conversation = Conversation()
        conversation.register()
        conversation.said()
        conversation.hear("PING :some token")
        assert conversation.said() == ["PONG :some token"]

    @pytest.mark.parametrize(
        ("words", "unwelcome"),
        [("K-Lined", True), ("Reconnecting too fast, throttled.", True), ("Quit: bye", False)],
    )
    def test_understands_why_the_server_closes(self, words, unwelcome):
        conversation = Conversation()
        conversation.register()
        conversation.hear(f"ERROR :Closing Link: pynfo[h] ({words})")
        assert words in conversation.session.ending.reason
        assert conversation.session.unwelcome is unwelcome

    def test_looks_up_accounts_one_channel_after_another(self):
        conversation = Conversation()
        conversation.register(isupport="WHOX")
        conversation.said()
        for channel in ("#a", "#b"):
            conversation.hear(
                f":pynfo!p@h JOIN {channel}",
                f":irc.test 353 pynfo = {channel} :pynfo alice",
                f":irc.test 366 pynfo {channel} :End of /NAMES list.",
            )
        assert [line.split()[:2] for line in conversation.said()] == [["WHO", "#a"]]
        conversation.hear(":irc.test 315 pynfo #a :End of /WHO list.")
        assert [line.split()[:2] for line in conversation.said()] == [["WHO", "#b"]]


def test_begins_afresh_on_every_connection():
    conversation = Conversation(channels=[ChannelSettings("#a")])
    conversation.register("server-time")
    [event] = [event for event in conversation.hear(":pynfo!p@h JOIN #a") if type(event) is UserJoined]
    assert event.own
    conversation.session.close()
    assert conversation.session.state.channels == {}
    conversation.said()
    assert conversation.open() == ["CAP LS 302", "NICK pynfo", "USER pynfo 0 * Pynfo"]
    assert not conversation.session.capabilities.enabled


@pytest.mark.parametrize(
    ("tag", "time"),
    [("2016-12-31T23:59:60.500Z", 1483228799.5), ("soon", WALL), ("", WALL), ("2016-13-01T00:00:00Z", WALL)],
)
def test_a_line_is_not_lost_for_the_time_that_it_tells(tag, time):
    conversation = Conversation()
    conversation.register("server-time")
    [event] = conversation.hear(f"@time={tag} :alice!a@h PRIVMSG pynfo :x")
    assert event.time == time


@pytest.mark.parametrize("after", ["login", "cloak"])
def test_joins_at_once_where_what_it_would_wait_for_came_before_the_welcome(after):
    conversation = Conversation(channels=[ChannelSettings("#a")], join_after=after)
    conversation.open()
    conversation.hear(
        ":irc.test 900 pynfo pynfo!p@h account :You are now logged in",
        ":irc.test 396 pynfo user/pynfo :is now your hidden host",
        ":irc.test 001 pynfo :Welcome",
        ":irc.test 422 pynfo :MOTD File is missing",
    )
    assert "JOIN #a" in conversation.said()


def test_a_login_that_comes_late_has_its_time_limit_too():
    conversation = Conversation(sasl=SaslSettings(username="pynfo", password="sesame"))
    conversation.register("cap-notify")
    conversation.later(1)
    conversation.hear(":irc.test PONG irc.test pynfo")
    conversation.hear(":irc.test CAP pynfo NEW :sasl=PLAIN", ":irc.test CAP pynfo ACK :sasl")
    assert conversation.said()[-1] == "AUTHENTICATE PLAIN"
    assert conversation.session.deadline() <= conversation.now + SASL_LIMIT


def test_logs_in_when_mechanisms_are_offered_anew_without_having_been_withdrawn():
    conversation = Conversation(sasl=SaslSettings(username="pynfo", password="sesame"))
    conversation.open()
    conversation.hear(
        ":irc.test CAP * LS :sasl=OTHER",
        ":irc.test CAP * ACK :sasl",
        ":irc.test 001 pynfo :Welcome",
        ":irc.test 422 pynfo :MOTD File is missing",
    )
    conversation.said()
    conversation.hear(":irc.test CAP pynfo NEW :sasl=PLAIN")
    assert conversation.said() == ["AUTHENTICATE PLAIN"]


def test_batches_in_one_another_without_end_cost_a_bounded_amount():
    conversation = Conversation()
    conversation.register("batch")
    conversation.hear(":irc.test BATCH +0 outer")
    with pytest.raises(MalformedMessage, match="too many others"):
        for number in range(1000):
            conversation.hear(
                f"@batch={number} :irc.test BATCH +{number + 1} inner", f":irc.test BATCH -{number}"
            )


def test_a_channel_whose_look_up_came_too_soon_is_looked_up_later():
    conversation = Conversation(channels=[ChannelSettings("#a")])
    conversation.register(isupport="WHOX")
    conversation.later(1)
    conversation.hear(":pynfo!p@h JOIN #a", ":irc.test 366 pynfo #a :End of /NAMES list")
    assert conversation.said()[-1].startswith("WHO #a ")
    conversation.hear(":irc.test 263 pynfo WHO :This command is rate-limited, try later")
    assert conversation.said() == []
    conversation.later(31)
    assert any(line.startswith("WHO #a ") for line in conversation.said())
