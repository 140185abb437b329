"""How the bot comes to its nick, and back to it."""

from __future__ import annotations

from random import Random

import pytest

from pynfo.irc import Message
from pynfo.irc.events import Event, OperatorNotice
from pynfo.irc.isupport import ISupport
from pynfo.irc.nick import ANSWER_LIMIT, MADE_UP_LIMIT, NickKeeper
from pynfo.irc.state import State


class Bot:
    """A nick keeper with the state it reads, and a clock that is moved by hand."""

    def __init__(self, nick: str = "pynfo", *alternates: str) -> None:
        self.now = 1000.0
        self._sent: list[Message] = []
        self.keeper = NickKeeper(self._sent.append, nick, alternates, Random(1), clock=lambda: 5.0)
        self.connect()

    def connect(self) -> None:
        self.isupport = ISupport()
        self.state = State("net", self.isupport, self.keeper.wanted)

    def hear(self, *lines: str) -> list[Event]:
        events: list[Event] = []
        for line in lines:
            message = Message.parse(line.encode())
            self.state.apply(message, 5.0, None)
            events += self.keeper.receive(message, self.state, self.isupport, self.now)
        return events

    def welcome(self, nick: str, *tokens: str) -> list[Event]:
        self.isupport.update(tokens)
        return self.hear(f"001 {nick} :Welcome") + self.keeper.start(self.state, self.isupport, self.now)

    def renamed(self, nick: str) -> list[Event]:
        return self.hear(f":{self.state.nick}!u@h NICK {nick}")

    def sent(self) -> list[str]:
        """What was sent since we last asked."""
        lines = [message.format().decode().strip() for message in self._sent]
        self._sent.clear()
        return lines

    def wait(self, seconds: float) -> None:
        """Time passes; the keeper is called whenever it wants to be."""
        end = self.now + seconds
        while (due := self.keeper.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.keeper.tick(self.now)
        self.now = end


def displaced(*tokens: str) -> Bot:
    """Registered as `pynfo_`, since somebody else is `pynfo`; what was sent so far is left out."""
    bot = Bot()
    bot.hear("433 * pynfo :Nickname is already in use")
    bot.welcome("pynfo_", *tokens)
    bot.sent()
    return bot


# -- before 001


@pytest.mark.parametrize("code", ["432", "433", "436", "437"])
def test_a_refused_nick_is_followed_by_the_alternates_in_order(code: str) -> None:
    bot = Bot("pynfo", "pyn", "info")

    bot.hear(f"{code} * pynfo :no", f"{code} * pyn :no")

    assert bot.sent() == ["NICK pyn", "NICK info"]


def test_after_the_alternates_it_makes_up_nicks_that_every_server_has_room_for() -> None:
    bot = Bot("information", "pyn")

    bot.hear(*["433 * it :in use"] * 6)

    _, first, *others = bot.sent()
    assert first == "NICK informat_"
    assert all(len(line) <= len("NICK ") + 9 for line in others)
    assert len(set(others)) == 4
    assert all(line.startswith("NICK inform") and line[-1].isdigit() for line in others)


def test_what_the_server_calls_erroneous_is_not_built_upon() -> None:
    bot = Bot("9lives")

    bot.hear("432 * 9lives :Erroneous nickname")

    assert bot.sent() == ["NICK bot_"]


def test_it_stops_trying_where_every_nick_is_refused() -> None:
    bot = Bot("pynfo")

    events = bot.hear(*["433 * it :in use"] * (MADE_UP_LIMIT + 1))

    assert len(bot.sent()) == MADE_UP_LIMIT
    assert [event.matter for event in events if isinstance(event, OperatorNotice)] == ["net/nick"]


def test_a_new_connection_begins_with_the_first_alternate_again() -> None:
    bot = Bot("pynfo", "pyn", "info")
    bot.hear("433 * pynfo :in use")
    bot.sent()
    bot.connect()

    bot.hear("433 * pynfo :in use")

    assert bot.sent() == ["NICK pyn"]


@pytest.mark.parametrize(("nick", "tokens"), [("pynfo", []), ("pyn", ["NICKLEN=3"])])
def test_with_the_nick_it_wants_it_rests(nick: str, tokens: list[str]) -> None:
    bot = Bot()

    assert bot.welcome(nick, *tokens) == []
    assert bot.sent() == []
    assert bot.keeper.deadline() is None


# -- back to the nick


def test_with_another_nick_it_tells_and_has_the_server_watch() -> None:
    bot = Bot()

    (notice,) = bot.welcome("pynfo_", "MONITOR=100")

    assert isinstance(notice, OperatorNotice)
    assert notice.matter == "net/nick"
    assert "pynfo_" in notice.text
    assert bot.sent() == ["MONITOR + pynfo"]


def test_it_takes_the_nick_when_monitor_tells_that_it_is_free() -> None:
    bot = displaced("MONITOR=100")

    bot.hear("730 me :pynfo!x@y", "731 me :bob", "731 me :bob,Pynfo")

    assert bot.sent() == ["NICK pynfo"]
    bot.renamed("pynfo")
    assert bot.sent() == ["MONITOR - pynfo"]
    assert bot.keeper.deadline() is None


def test_without_monitor_it_asks_every_minute() -> None:
    bot = Bot()
    bot.hear("433 * pynfo :in use")
    bot.sent()

    bot.welcome("pynfo_")
    first = bot.sent()
    bot.hear("303 pynfo_ :Pynfo")
    bot.wait(120)
    asked = bot.sent()
    bot.hear("303 pynfo_ :")

    assert first == ["ISON pynfo"]
    assert asked == ["ISON pynfo"] * 2
    assert bot.sent() == ["NICK pynfo"]


def test_an_answer_to_somebody_elses_ison_tells_nothing() -> None:
    bot = displaced()
    bot.hear("303 pynfo_ :pynfo")

    bot.hear("303 pynfo_ :")

    assert bot.sent() == []


def test_where_the_list_of_monitor_is_full_it_asks_itself() -> None:
    bot = displaced("MONITOR=1")

    bot.hear("734 pynfo_ 1 pynfo :Monitor list is full.")
    bot.wait(0)

    assert bot.sent() == ["ISON pynfo"]


@pytest.mark.parametrize("line", [":Pynfo!x@y QUIT :gone", ":pynfo!x@y NICK other"])
@pytest.mark.parametrize("tokens", [[], ["MONITOR"]])
def test_it_takes_the_nick_when_its_holder_is_seen_to_go(line: str, tokens: list[str]) -> None:
    bot = displaced(*tokens)

    bot.hear(":bob!b@h QUIT", ":pynfo!x@y NICK PYNFO")
    before = bot.sent()
    bot.hear(line)

    assert before == []
    assert bot.sent() == ["NICK pynfo"]


def test_a_nick_that_was_snatched_away_is_tried_again_ever_later() -> None:
    bot = displaced("MONITOR=100")
    waits = []
    for _ in range(8):
        began = bot.now
        bot.wait(bot.keeper.deadline() - began if bot.keeper.deadline() else 0)  # type: ignore[operator]
        bot.hear("731 pynfo_ :pynfo")
        assert bot.sent() == ["NICK pynfo"]
        waits.append(bot.now - began)
        bot.hear("433 pynfo_ pynfo :in use")

    limits = [0, 60, 120, 240, 480, 960, 1800, 1800]
    assert all(0.75 * limit <= wait <= limit for wait, limit in zip(waits, limits, strict=True))


@pytest.mark.parametrize("code", ["432", "437", "438"])
def test_a_free_nick_that_is_refused_is_not_asked_for_at_once_again(code: str) -> None:
    bot = displaced("MONITOR")
    bot.hear("731 pynfo_ :pynfo")
    bot.hear(f"{code} pynfo_ pynfo :held for its owner", "731 pynfo_ :pynfo")
    refused = bot.sent()

    bot.wait(60)

    assert refused == ["NICK pynfo"]
    assert bot.sent() == ["NICK pynfo"]


def test_a_nick_in_use_is_taken_the_moment_its_holder_goes() -> None:
    bot = displaced("MONITOR")
    bot.hear("731 pynfo_ :pynfo", "433 pynfo_ pynfo :in use")
    bot.sent()

    bot.hear(":pynfo!x@y QUIT")

    assert bot.sent() == ["NICK pynfo"]


def test_a_channel_that_is_unavailable_says_nothing_of_the_nick() -> None:
    bot = displaced("MONITOR")
    bot.hear("731 pynfo_ :pynfo")

    bot.hear("437 pynfo_ #chan :unavailable")

    assert bot.keeper.deadline() == bot.now + ANSWER_LIMIT


def test_a_request_that_is_not_answered_is_made_again() -> None:
    bot = displaced("MONITOR")
    bot.hear("731 pynfo_ :pynfo")

    bot.wait(ANSWER_LIMIT)

    assert bot.sent() == ["NICK pynfo", "NICK pynfo"]


def test_only_the_case_of_its_nick_needs_nobody_to_go() -> None:
    bot = Bot("Pynfo")

    bot.welcome("pynfo", "MONITOR")
    bot.wait(0)

    assert bot.sent() == ["NICK Pynfo"]


def test_renamed_by_the_network_it_waits_and_longer_each_time() -> None:
    bot = Bot()
    bot.welcome("pynfo", "MONITOR")
    waits = []
    for guest in ("Guest1", "Guest2", "Guest3"):
        (notice,) = bot.renamed(guest)
        assert isinstance(notice, OperatorNotice)
        bot.hear(f"731 {guest} :pynfo")
        assert bot.sent() == ["MONITOR + pynfo"]
        began = bot.now
        bot.wait(bot.keeper.deadline() - began)  # type: ignore[operator]
        assert bot.sent() == ["NICK pynfo"]
        waits.append(bot.now - began)
        bot.renamed("pynfo")
        assert bot.sent() == ["MONITOR - pynfo"]

    assert waits == [60, 120, 240]


# -- the operator's wish


def test_the_operator_changes_the_nick() -> None:
    bot = Bot()
    bot.welcome("pynfo", "MONITOR")

    bot.keeper.want("info")
    bot.wait(0)

    assert bot.sent() == ["NICK info"]
    assert bot.renamed("info") == []
    assert bot.keeper.deadline() is None


def test_a_nick_the_operator_cannot_have_now_is_watched_in_place_of_the_old_one() -> None:
    bot = displaced("MONITOR")

    bot.keeper.want("info")
    bot.wait(0)
    (notice,) = bot.hear("433 pynfo_ info :Nickname is already in use")

    assert isinstance(notice, OperatorNotice)
    assert "already in use" in notice.text
    assert bot.sent() == ["NICK info", "MONITOR - pynfo", "MONITOR + info"]


def test_a_nick_wished_for_before_the_welcome_is_asked_for_after_it() -> None:
    bot = Bot()

    bot.keeper.want("info")
    bot.welcome("pynfo")

    assert bot.sent() == ["ISON info"]


@pytest.mark.parametrize("nick", ["", "a b", "#a", ":a", "a\r\nQUIT", "a!b", "a,b", "n" * 65, "ä" * 33])
def test_what_cannot_be_a_nick_is_refused(nick: str) -> None:
    bot = Bot()

    with pytest.raises(ValueError):
        bot.keeper.want(nick)

    assert bot.keeper.wanted == "pynfo"


def test_a_refusal_without_its_parameters_is_malformed() -> None:
    with pytest.raises(ValueError):
        Bot().hear("433 *")
