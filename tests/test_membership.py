"""How the bot comes into its channels, and comes back."""

from __future__ import annotations

from random import Random

import pytest

from pynfo.irc import Message
from pynfo.irc.events import Event, JoinFailed, OperatorNotice
from pynfo.irc.isupport import ISupport
from pynfo.irc.membership import ANSWER_LIMIT, RETRIES, Membership
from pynfo.irc.settings import ChannelSettings, Secret
from pynfo.irc.state import State

MINUTE = 60.0


class Bot:
    """A membership with the state it reads, and a clock that is moved by hand."""

    def __init__(self, *channels: str | ChannelSettings, join_on_invite: bool = False) -> None:
        self.now = 1000.0
        self._sent: list[Message] = []
        wanted = [ChannelSettings(name) if isinstance(name, str) else name for name in channels]
        self.membership = Membership(
            self._sent.append, wanted, Random(1), join_on_invite=join_on_invite, clock=lambda: 5.0
        )

    def connect(self, *tokens: str) -> Bot:
        isupport = ISupport()
        isupport.update(tokens)
        self.state = State("net", isupport, "me")
        self.membership.start(self.state, self.now)
        return self

    def hear(self, *lines: str) -> list[Event]:
        events: list[Event] = []
        for line in lines:
            message = Message.parse(line.encode())
            self.state.apply(message, 5.0, None)
            events += self.membership.receive(message, self.state, self.now)
        return events

    def join(self, *names: str) -> None:
        """The server lets us in."""
        for name in names:
            self.hear(f":me!m@h JOIN {name}")
        self.sent()

    def refuse(self, code: str, name: str) -> list[Event]:
        return self.hear(f"{code} me {name} :Cannot join channel")

    def sent(self) -> list[str]:
        """What was sent since we last asked."""
        lines = [message.format().decode().strip() for message in self._sent]
        self._sent.clear()
        return lines

    def wait(self, seconds: float) -> list[Event]:
        """Time passes; the membership is called whenever it wants to be."""
        end = self.now + seconds
        events: list[Event] = []
        while (due := self.membership.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            events += self.membership.tick(self.now)
        self.now = end
        return events

    def seconds_to_join(self, name: str) -> float:
        """How long it takes until the next JOIN of the channel goes out."""
        began = self.now
        self.sent()
        while (due := self.membership.deadline()) is not None and self.now < began + 10 * MINUTE**2:
            self.now = max(self.now, due)
            self.membership.tick(self.now)
            if f"JOIN {name}" in self.sent():
                return self.now - began
        raise AssertionError(f"{name} is not joined any more")


# -- asking


def test_joins_everything_at_once_with_the_keys_in_front() -> None:
    bot = Bot("#a", ChannelSettings("#secret", Secret("k1")), "#b", ChannelSettings("#other", "k2")).connect()

    assert bot.sent() == ["JOIN #secret,#other,#a,#b k1,k2"]


def test_a_join_holds_as_many_channels_as_the_line() -> None:
    names = [f"#{letter * 45}" for letter in "abcdefghijklmnopqrstu"]

    bot = Bot(*names).connect("TARGMAX=JOIN:")

    lines = bot.sent()
    assert [line.count("#") for line in lines] == [10, 10, 1]
    assert len(lines[0]) <= 510 < len(f"{lines[0]},{names[0]}")


@pytest.mark.parametrize(("tokens", "lines"), [(["TARGMAX=JOIN:4"], 6), (["TARGMAX=PRIVMSG:4"], 3), ([], 3)])
def test_a_join_holds_as_many_channels_as_the_server_takes(tokens: list[str], lines: int) -> None:
    bot = Bot(*(f"#{number}" for number in range(23))).connect(*tokens)

    assert len(bot.sent()) == lines


def test_joins_nothing_before_it_may() -> None:
    bot = Bot("#a")

    bot.membership.join("#b")

    assert bot.membership.deadline() is None
    assert bot.connect().sent() == ["JOIN #a,#b"]


def test_a_channel_asked_for_later_is_joined_and_kept_over_a_reconnect() -> None:
    bot = Bot("#a").connect()
    bot.join("#a")

    bot.membership.join("#b", "key")
    bot.wait(0)

    assert bot.sent() == ["JOIN #b key"]
    bot.membership.stop()
    assert bot.connect().sent() == ["JOIN #b,#a key"]


@pytest.mark.parametrize("name", ["0", "", "#", "a", "#a,0", "#a b", "#a\r\nQUIT", "#a\a", "+a"])
def test_what_is_no_channel_is_not_joined(name: str) -> None:
    bot = Bot().connect()

    with pytest.raises(ValueError):
        bot.membership.join(name)

    bot.wait(MINUTE)
    assert bot.sent() == []


def test_a_channel_that_was_left_stays_left() -> None:
    bot = Bot("#a").connect()
    bot.join("#a")

    bot.membership.part("#A", "bye now")
    bot.hear(":me!m@h PART #a :bye now")

    assert bot.sent() == ["PART #a :bye now"]
    bot.wait(60 * MINUTE)
    assert bot.sent() == []
    assert bot.connect().sent() == []


def test_a_join_on_its_way_can_be_taken_back() -> None:
    bot = Bot("#a").connect()
    bot.sent()

    bot.membership.part("#a")

    assert bot.sent() == ["PART #a"]


def test_nothing_is_sent_on_a_lost_connection() -> None:
    bot = Bot("#a", "#b").connect()
    bot.join("#a")
    bot.refuse("471", "#b")
    bot.membership.stop()

    bot.membership.part("#a")
    bot.membership.join("#c")
    bot.wait(60 * MINUTE)

    assert bot.sent() == []
    assert bot.connect().sent() == ["JOIN #b,#c"]


def test_a_changed_configuration_is_followed_and_other_channels_stay() -> None:
    bot = Bot("#a", "#b").connect()
    bot.join("#a", "#b")
    bot.membership.join("#mine")
    bot.wait(0)
    bot.join("#mine")

    bot.membership.set_wanted([ChannelSettings("#A"), ChannelSettings("#c", "key")])
    bot.wait(0)

    assert bot.sent() == ["PART #b", "JOIN #c key"]
    assert set(bot.membership.wanted) == {"#a", "#c", "#mine"}


def test_names_are_folded_as_the_network_does() -> None:
    bot = Bot("#[A]").connect("CASEMAPPING=ascii")

    assert list(bot.membership.wanted) == ["#[a]"]
    assert list(Bot("#[A]").connect().membership.wanted) == ["#{a}"]


def test_a_join_that_is_not_answered_is_sent_again_and_told() -> None:
    bot = Bot("#a").connect()
    bot.sent()

    events = bot.wait(ANSWER_LIMIT)

    assert [event.matter for event in events if isinstance(event, OperatorNotice)] == ["net/#a/join"]
    assert bot.seconds_to_join("#a") <= RETRIES[0]


# -- kicks


def test_comes_back_a_few_seconds_after_a_kick() -> None:
    bot = Bot("#a").connect()
    bot.join("#a")

    events = bot.hear(":op!o@h KICK #a me :out")

    assert events == []
    assert 5 <= bot.seconds_to_join("#a") <= 10


def test_somebody_elses_kick_is_not_ours() -> None:
    bot = Bot("#a").connect()
    bot.join("#a")

    bot.hear(":me!m@h KICK #a bob", ":bob!b@h PART #a")

    assert bot.membership.deadline() is None


def test_comes_back_when_a_server_takes_it_out() -> None:
    bot = Bot("#a").connect()
    bot.join("#a")

    bot.hear(":me!m@h PART #a :forced")

    assert 5 <= bot.seconds_to_join("#a") <= 10


def test_after_five_kicks_in_ten_minutes_it_comes_back_slowly_and_tells_so() -> None:
    bot = Bot("#a").connect()
    bot.join("#a")
    waits = []
    told: list[Event] = []
    for _ in range(9):
        told += bot.hear(":op!o@h KICK #a me :out")
        waits.append(bot.seconds_to_join("#a"))
        bot.join("#a")

    assert all(wait <= 10 for wait in waits[:5])
    assert [45 <= waits[5] <= 60, 90 <= waits[6] <= 120, 225 <= waits[7] <= 300, 450 <= waits[8] <= 600] == [
        True
    ] * 4
    assert {event.matter for event in told if isinstance(event, OperatorNotice)} == {"net/#a/join"}
    assert len(told) == 4


def test_a_stay_of_ten_minutes_makes_earlier_trouble_forgotten() -> None:
    bot = Bot("#a").connect()
    bot.refuse("474", "#a")
    bot.seconds_to_join("#a")
    bot.join("#a")

    bot.wait(10 * MINUTE)
    bot.hear(":op!o@h KICK #a me")

    assert bot.seconds_to_join("#a") <= 10


def test_a_kick_soon_after_refusals_is_not_answered_quickly() -> None:
    bot = Bot("#a").connect()
    bot.refuse("474", "#a")
    bot.seconds_to_join("#a")
    bot.join("#a")

    bot.hear(":op!o@h KICK #a me")

    assert bot.seconds_to_join("#a") >= 0.75 * RETRIES[1]


def test_asked_back_while_it_is_leaving_it_comes_back_when_it_has_left() -> None:
    bot = Bot("#a").connect()
    bot.join("#a")
    bot.membership.part("#a")
    bot.membership.join("#a")

    bot.hear(":me!m@h PART #a")

    assert bot.seconds_to_join("#a") <= 10


# -- refusals


@pytest.mark.parametrize("code", ["403", "405", "437", "471", "473", "474", "475", "476", "477", "489"])
def test_a_refusal_is_told_and_retried(code: str) -> None:
    bot = Bot("#A").connect()

    failed, notice = bot.refuse(code, "#a")

    assert isinstance(failed, JoinFailed)
    assert (failed.channel, failed.code, failed.reason) == ("#A", code, "Cannot join channel")
    assert isinstance(notice, OperatorNotice)
    assert notice.matter == "net/#A/join"
    assert bot.seconds_to_join("#A") <= 60


def test_retries_become_slower_up_to_half_an_hour_and_go_on() -> None:
    bot = Bot("#a").connect()
    waits = []
    for _ in range(9):
        bot.refuse("474", "#a")
        waits.append(bot.seconds_to_join("#a"))

    limits = [*RETRIES, RETRIES[-1], RETRIES[-1], RETRIES[-1]]
    assert all(0.75 * limit <= wait <= limit for wait, limit in zip(waits, limits, strict=True))
    assert waits != limits


def test_an_error_about_a_channel_we_are_in_is_no_refusal() -> None:
    bot = Bot("#a").connect()
    bot.join("#a")

    assert bot.refuse("403", "#a") == []
    assert bot.refuse("474", "#elsewhere") == []
    assert bot.membership.deadline() is None


def test_a_login_opens_the_channels_that_asked_for_one() -> None:
    bot = Bot("#a", "#b").connect()
    bot.refuse("477", "#a")
    bot.refuse("471", "#b")
    bot.sent()

    bot.hear("900 me me!m@h pyn :You are now logged in")

    assert bot.sent() == ["JOIN #a"]


def test_a_new_connection_tries_every_channel_at_once() -> None:
    bot = Bot("#a").connect()
    bot.refuse("474", "#a")
    bot.sent()

    assert bot.connect().sent() == ["JOIN #a"]


@pytest.mark.parametrize("line", ["474 me", "470 me #a", "KICK #a", ":me!m@h INVITE me"])
def test_a_line_without_its_parameters_is_malformed(line: str) -> None:
    bot = Bot("#a").connect()

    with pytest.raises(ValueError):
        bot.membership.receive(Message.parse(line.encode()), bot.state, bot.now)


# -- forwards


def test_a_forward_is_followed_told_and_not_fought() -> None:
    bot = Bot("#a").connect()
    bot.sent()

    failed, notice = bot.hear("470 me #a ##a :Forwarding to another channel", ":me!m@h JOIN ##a")

    assert isinstance(failed, JoinFailed)
    assert (failed.channel, failed.code, failed.reason) == ("#a", "470", "forwarded to ##a")
    assert isinstance(notice, OperatorNotice)
    assert notice.matter == "net/#a/join"
    bot.wait(60 * MINUTE)
    assert bot.sent() == []


def test_kicked_from_where_it_was_forwarded_it_asks_for_its_own_channel() -> None:
    bot = Bot("#a").connect()
    bot.hear("470 me #a ##a :Forwarding", ":me!m@h JOIN ##a", ":op!o@h KICK ##a me")

    assert bot.seconds_to_join("#a") <= 10


def test_a_forward_that_does_not_let_us_in_is_a_refusal() -> None:
    bot = Bot("#a").connect()

    bot.hear("470 me #a ##a :Forwarding", "473 me ##a :Cannot join channel (+i)")

    assert bot.seconds_to_join("#a") <= 60


def test_leaving_a_forwarded_channel_leaves_the_one_we_are_in() -> None:
    bot = Bot("#a").connect()
    bot.hear("470 me #a ##a :Forwarding", ":me!m@h JOIN ##a")
    bot.sent()

    bot.membership.part("#a")
    bot.hear(":me!m@h PART ##a")

    assert bot.sent() == ["PART ##a"]
    assert bot.membership.deadline() is None


def test_leaving_a_channel_that_forwards_to_another_of_ours_does_not_leave_that() -> None:
    bot = Bot("#a", "#b").connect()
    bot.join("#b")

    bot.hear("470 me #a #b :Forwarding")
    bot.wait(60 * MINUTE)
    bot.membership.part("#a")

    assert bot.sent() == []


def test_a_forward_that_is_renamed_is_still_followed() -> None:
    bot = Bot("#a").connect()
    bot.hear("470 me #a ##a :Forwarding", ":me!m@h JOIN ##a", ":op!o@h RENAME ##a #c :moved")

    bot.hear(":op!o@h KICK #c me")

    assert bot.seconds_to_join("#a") <= 10


def test_a_renamed_channel_is_still_ours() -> None:
    bot = Bot("#a").connect()
    bot.join("#a")

    bot.hear(":op!o@h RENAME #a #b :moved", ":op!o@h KICK #b me")

    assert list(bot.membership.wanted) == ["#b"]
    assert bot.seconds_to_join("#b") <= 10


# -- invitations


def test_an_invitation_to_a_wanted_channel_is_followed_at_once() -> None:
    bot = Bot(ChannelSettings("#a", "key")).connect()
    bot.refuse("473", "#a")
    bot.sent()

    bot.hear(":op!o@h INVITE me #a")

    assert bot.sent() == ["JOIN #a key"]


def test_an_invitation_while_the_join_is_on_its_way_adds_nothing() -> None:
    bot = Bot("#a").connect()
    bot.sent()

    bot.hear(":op!o@h INVITE me #a")

    assert bot.sent() == []


def test_an_invitation_elsewhere_is_followed_only_where_the_config_says_so() -> None:
    bot, guest = Bot().connect(), Bot(join_on_invite=True).connect()
    for each in (bot, guest):
        each.hear(":op!o@h INVITE bob #x", ":op!o@h INVITE me #y,0", ":op!o@h INVITE me #z")

    assert bot.sent() == []
    assert guest.sent() == ["JOIN #z"]


@pytest.mark.parametrize("line", [":op!o@h KICK #z me", ":me!m@h PART #z"])
def test_a_channel_that_invited_us_may_put_us_out_again(line: str) -> None:
    bot = Bot(join_on_invite=True).connect()
    bot.hear(":op!o@h INVITE me #z", ":me!m@h JOIN #z")
    assert list(bot.membership.wanted) == ["#z"]

    bot.hear(line)

    assert bot.membership.wanted == {}
    assert bot.membership.deadline() is None


def test_an_invitation_that_cannot_be_followed_is_forgotten() -> None:
    bot = Bot(join_on_invite=True).connect()
    bot.hear(":op!o@h INVITE me #z")

    (failed,) = bot.refuse("474", "#z")

    assert isinstance(failed, JoinFailed)
    assert bot.membership.wanted == {}


def test_a_flood_of_invitations_is_not_answered_with_a_flood_of_joins() -> None:
    bot = Bot(join_on_invite=True).connect()

    bot.hear(*(f":op!o@h INVITE me #{number}" for number in range(100)))

    assert bot.sent() == ["JOIN #0"]


def test_strangers_have_us_in_only_so_many_channels() -> None:
    bot = Bot(join_on_invite=True).connect()
    for number in range(80):
        bot.wait(MINUTE / 6)
        bot.hear(f":op!o@h INVITE me #{number}", f":me!m@h JOIN #{number}")

    assert len(bot.membership.wanted) == 50
