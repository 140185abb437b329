"""What happens in a channel, as the other ends of a wire read it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.relay.comings import Comings
from plugins.relay.gathering import LIMIT
from pynfo.irc.casemap import folder
from pynfo.irc.events import (
    Batch,
    ChannelSynced,
    Event,
    ModeChange,
    ModeChanged,
    TopicChanged,
    User,
    UserJoined,
    UserKicked,
    UserParted,
    UserQuit,
    UserRenamed,
)

ALL = ["joins", "parts", "quits", "kicks", "nicks", "topics", "modes"]
SPLIT = "irc.example.net hub.example.org"


class _Timer:
    def __init__(self, timers: list[_Timer], due: float, function: object) -> None:
        self.timers, self.due, self.function = timers, due, function

    def cancel(self) -> None:
        self.timers.remove(self)


class Channel:
    """A channel that things happen in, and its virtual time; nicks are shown with a dot in front."""

    def __init__(self, *events: str) -> None:
        self.told: list[tuple[float, str]] = []
        self.timers: list[_Timer] = []
        self.now = 0.0
        self.comings = Comings(
            events, self._tell, self._call_later, shown=lambda nick: f".{nick}", fold=folder("rfc1459")
        )

    def _tell(self, text: str, time: float) -> None:
        self.told.append((time, text))

    def _call_later(self, delay: float, function: object) -> _Timer:
        self.timers.append(_Timer(self.timers, self.now + delay, function))
        return self.timers[-1]

    def at(self, time: float) -> Channel:
        while due := [timer for timer in self.timers if timer.due <= time]:
            timer = min(due, key=lambda timer: timer.due)
            self.timers.remove(timer)
            self.now = timer.due
            timer.function()
        self.now = time
        return self

    @property
    def lines(self) -> list[str]:
        self.at(self.now + 3600)
        return [text for _, text in self.told]

    def _happens(self, kind: type[Event], **fields: object) -> None:
        self.comings.heard(kind(network="libera", time=self.now, **fields))

    def join(self, *nicks: str, batch: Batch | None = None) -> None:
        for nick in nicks:
            self._happens(UserJoined, user=User(nick), channel="#a", batch=batch)

    def part(self, nick: str, reason: str = "") -> None:
        self._happens(UserParted, user=User(nick), channel="#a", reason=reason)

    def quit(self, *nicks: str, reason: str = "", batch: Batch | None = None) -> None:
        for nick in nicks:
            self._happens(UserQuit, user=User(nick), channels=["#a"], reason=reason, batch=batch)

    def kick(self, nick: str, by: str, reason: str = "") -> None:
        self._happens(UserKicked, user=User(nick), channel="#a", by=User(by), reason=reason)

    def rename(self, old: str, new: str) -> None:
        self._happens(UserRenamed, user=User(new), old_nick=old, channels=["#a"])

    def topic(self, by: str, topic: str) -> None:
        self._happens(TopicChanged, channel="#a", by=User(by), topic=topic)

    def mode(self, by: str, *changes: ModeChange) -> None:
        self._happens(ModeChanged, channel="#a", by=User(by), changes=list(changes))


# -- one by one


def test_each_thing_that_is_asked_for_is_told_at_once_and_with_its_own_time():
    channel = Channel(*ALL)
    channel.at(1).join("alice")
    channel.at(3).part("bob", "dinner")
    channel.at(5).quit("carol", reason="Quit: see you")
    channel.at(7).kick("dave", "erin", "spam")
    channel.at(9).rename("frank", "george")

    assert channel.told == [
        (1, ".alice joined"),
        (3, ".bob left (dinner)"),
        (5, ".carol quit (see you)"),
        (7, ".dave was kicked by .erin (spam)"),
        (9, ".frank is now known as .george"),
    ]


def test_what_is_not_asked_for_is_not_told():
    channel = Channel("joins")
    channel.part("alice")
    channel.quit("bob")
    channel.quit("carol", reason=SPLIT)
    channel.kick("dave", "erin")
    channel.rename("frank", "george")
    channel.topic("alice", "news")
    channel.mode("alice", ModeChange(True, "m"))

    assert channel.lines == []


def test_what_we_do_ourselves_is_not_told():
    channel = Channel(*ALL)
    me = User("pynfo")
    happened = {"network": "libera", "time": 0.0, "user": me, "own": True}
    channel.comings.heard(UserJoined(channel="#a", **happened))
    channel.comings.heard(UserParted(channel="#a", **happened))
    channel.comings.heard(UserQuit(channels=["#a"], **happened))
    channel.comings.heard(UserKicked(channel="#a", by=User("erin"), **happened))
    channel.comings.heard(UserRenamed(old_nick="pynf", channels=["#a"], **happened))
    channel.comings.heard(ChannelSynced(network="libera", time=0.0, channel="#a"))

    assert channel.lines == []


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("", ".alice quit"),
        ("Quit:", ".alice quit"),
        ("Quit: ", ".alice quit"),
        ('"so long"', ".alice quit (so long)"),
        ("\x02\x0304,05red\x0f and \x01loud\r\n", ".alice quit (red and loud)"),
        ("x" * 100, f".alice quit ({'x' * 100})"),
        ("x" * 101, f".alice quit ({'x' * 99}…)"),
    ],
)
def test_a_reason_is_plain_and_short(reason: str, told: str):
    channel = Channel("quits")
    channel.quit("alice", reason=reason)

    assert channel.lines == [told]


@pytest.mark.parametrize("reason", ["erin", "dave"])
def test_a_nick_that_the_server_put_for_the_reason_of_a_kick_is_none(reason: str):
    channel = Channel("kicks")
    channel.kick("dave", "erin", reason)

    assert channel.lines == [".dave was kicked by .erin"]


def test_a_topic_is_told_plain():
    channel = Channel("topics")
    channel.topic("alice", "\x02News\x02: 3.2 is out")
    channel.topic("bob", "")
    channel.topic("carol", "x" * 400)

    assert channel.lines == [
        ".alice changed the topic to “News: 3.2 is out”",
        ".bob removed the topic",
        f".carol changed the topic to “{'x' * 299}…”",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ([ModeChange(True, "o", "bob")], "+o .bob"),
        ([ModeChange(True, "o", "bob"), ModeChange(True, "v", "carol")], "+ov .bob .carol"),
        ([ModeChange(True, "m"), ModeChange(False, "o", "bob"), ModeChange(False, "t")], "+m-ot .bob"),
        ([ModeChange(True, "k", "secret")], "+k …"),
        ([ModeChange(False, "k", "secret")], "-k …"),
        ([ModeChange(True, "l", "50")], "+l 50"),
        ([ModeChange(True, "b", "troll!*@*")], "+b troll!*@*"),
        ([ModeChange(True, "b", "*!*@host.example.org")], "+b *!*@…"),
        ([ModeChange(True, "b", "t*!~c0a80001@192.168.0.1")], "+b t*!…@…"),
        ([ModeChange(True, "q", "$m:*!*@2001:db8::1")], "+q $m:*!*@…"),
        ([ModeChange(True, "b", "$a:troll")], "+b $a:troll"),
    ],
)
def test_modes_are_told_without_keys_and_addresses(changes: list[ModeChange], told: str):
    channel = Channel("modes")
    channel.mode("alice", *changes)

    assert channel.lines == [f".alice set mode {told}"]


# -- floods


def test_a_flood_is_folded_into_one_line():
    channel = Channel("joins")
    for number in range(40):
        channel.at(number / 100).join(f"bot{number}")

    assert channel.lines == [
        *[f".bot{number} joined" for number in range(5)],
        ".bot5, .bot6, .bot7, .bot8, .bot9 and 30 others joined",
    ]


def test_five_in_five_seconds_are_no_flood():
    channel = Channel("joins")
    for number in range(20):
        channel.at(number).join(f"alice{number}")

    assert channel.lines == [f".alice{number} joined" for number in range(20)]


def test_one_too_many_waits_and_is_told_with_its_reason():
    channel = Channel("quits")
    for number in range(6):
        channel.quit(f"alice{number}", reason="bye")

    assert channel.lines[5:] == [".alice5 quit (bye)"]


def test_a_flood_that_goes_on_costs_a_line_every_five_seconds():
    channel = Channel("joins", "parts")
    for number in range(600):  # for a minute
        channel.at(number / 10).join(f"bot{number}")

    assert len(channel.lines) <= 5 + 60 / 5 + 1


def test_after_a_flood_things_are_told_at_once_again():
    channel = Channel("joins")
    channel.join(*[f"bot{number}" for number in range(20)])
    channel.at(30).join("alice")

    assert channel.told[-1] == (30, ".alice joined")


def test_all_kinds_are_one_flood():
    channel = Channel(*ALL)
    channel.join("a", "b", "c", "d", "e")
    channel.part("frank")
    channel.topic("alice", "one")
    channel.topic("alice", "two")
    channel.mode("alice", ModeChange(True, "m"))
    channel.mode("alice", ModeChange(False, "m"))
    channel.kick("a", "alice", "spam")

    assert channel.lines[5:] == [
        ".frank left; .a was kicked by .alice (spam); .alice changed the topic to “two”; 2 mode changes"
    ]


# -- membership, summarised


def test_who_came_and_went_within_a_minute_is_one_line_at_its_end():
    channel = Channel("membership")
    channel.at(10).join("alice")
    channel.at(20).join("bob")
    channel.at(30).quit("carol", reason="Ping timeout")
    channel.at(40).rename("dave", "erin")
    channel.at(69.9)
    assert channel.told == []

    channel.at(70)
    assert channel.told == [(70, ".alice and .bob joined; .carol left; .dave is now .erin")]


def test_whoever_comes_later_begins_a_new_minute():
    channel = Channel("membership")
    channel.at(0).join("alice")
    channel.at(61).join("bob")

    channel.lines  # noqa: B018
    assert channel.told == [(60, ".alice joined"), (121, ".bob joined")]


def test_only_five_of_each_are_named():
    channel = Channel("membership")
    channel.join(*"abcdefgh")
    channel.quit(*"stuvwx")
    for number in range(7):
        channel.rename(f"old{number}", f"new{number}")
        channel.kick(f"troll{number}", "op")

    assert channel.lines == [
        ".a, .b, .c, .d, .e and 3 others joined; .s, .t, .u, .v, .w and 1 other left; "
        + "".join(f".old{number} is now .new{number}; " for number in range(5))
        + "2 others changed nicks; "
        + "".join(f".troll{number} was kicked by .op; " for number in range(5))
        + "2 others were kicked"
    ]


def test_who_comes_and_goes_in_between_is_left_out():
    channel = Channel("membership")
    channel.join("alice", "bob")
    channel.quit("alice")
    channel.quit("carol")
    channel.join("Carol")
    channel.rename("dave", "dave|away")
    channel.rename("dave|away", "dave")
    channel.rename("bob", "robert")
    channel.part("ROBERT")

    assert channel.lines == []


def test_a_person_is_followed_through_their_nicks():
    channel = Channel("membership")
    channel.join("alice_")
    channel.rename("alice_", "alice")
    channel.rename("bob", "bobby")
    channel.part("bobby")
    channel.rename("carol", "caro")
    channel.rename("caro", "karo")

    assert channel.lines == [".alice joined; .bob left; .carol is now .karo"]


def test_whoever_comes_back_under_another_nick_and_takes_the_old_one_was_never_gone():
    channel = Channel("membership")
    channel.join("alice_")
    channel.quit("alice", reason="Ping timeout")
    channel.rename("alice_", "alice")

    assert channel.lines == []


def test_a_kick_is_told_even_of_one_who_is_back():
    channel = Channel("membership")
    channel.kick("dave", "erin", "enough")
    channel.join("dave", "troll")
    channel.kick("troll", "erin")

    assert channel.lines == [".dave was kicked by .erin (enough) and is back; .troll was kicked by .erin"]


def test_what_is_asked_for_by_name_is_not_summarised():
    channel = Channel("membership", "kicks", "topics")
    channel.at(5).join("alice", "dave")
    channel.at(6).kick("dave", "erin")
    channel.at(7).topic("erin", "calm")

    assert [text for _, text in channel.told] == [
        ".dave was kicked by .erin",
        ".erin changed the topic to “calm”",
    ]


def test_what_is_gathered_is_told_when_the_relay_ends():
    channel = Channel("membership", "parts")
    channel.at(5).join("alice")
    channel.at(6).quit("bob", reason=SPLIT)
    for number in range(6):
        channel.at(7).part(f"carol{number}")
    channel.at(8).join("dave")
    channel.comings.close()

    assert channel.told[-3:] == [
        (8, ".dave joined"),
        (7, ".carol5 left"),
        (6, "netsplit: .bob left"),
    ]
    assert channel.timers == []
    channel.comings.close()
    assert len(channel.lines) == 9


# -- netsplits

PEOPLE = [f"nick{number}" for number in range(43)]
BY_REASON = {"reason": SPLIT}
BY_BATCH = {"reason": "", "batch": Batch("1", "netsplit", ["irc.example.net", "hub.example.org"])}


@pytest.mark.parametrize("how", [BY_REASON, BY_BATCH])
@pytest.mark.parametrize("events", [["membership"], ["joins", "quits"]])
def test_a_netsplit_is_one_line_and_its_end_another(events: list[str], how: dict[str, object]):
    channel = Channel(*events)
    channel.at(100).quit(*PEOPLE, **how)
    channel.at(300).join(*PEOPLE[:40])
    channel.at(400)

    assert channel.told == [
        (110, "netsplit: 43 people left"),
        (310, "netsplit over: 40 people are back"),
    ]


def test_few_people_are_named():
    channel = Channel("membership")
    channel.quit("alice", "bob", reason="*.net *.split")
    channel.at(60).join("Alice")

    assert channel.lines == ["netsplit: .alice and .bob left", "netsplit over: .Alice is back"]


@pytest.mark.parametrize(
    "reason",
    [
        "Quit: irc.example.net hub.example.org",
        "irc.example.net",
        "irc.example.net hub.example.org again",
        "irc.example.net  hub.example.org",
        "see http://example.org/",
        "1.5 2.5",
        "ok. bye.",
        "Ping timeout: 120 seconds",
        "example.org\nexample.net",
    ],
)
def test_another_reason_is_no_netsplit(reason: str):
    channel = Channel("membership")
    channel.quit("alice", reason=reason)

    assert channel.lines == [".alice left"]


def test_after_ten_minutes_whoever_comes_just_joins():
    channel = Channel("joins", "quits")
    channel.at(0).quit("alice", "bob", reason=SPLIT)
    channel.at(600).join("alice")
    channel.at(601).join("bob")

    assert channel.lines == ["netsplit: .alice and .bob left", ".bob joined", "netsplit over: .alice is back"]


def test_a_netjoin_batch_is_a_return_also_where_the_netsplit_was_not_seen():
    channel = Channel("joins")
    channel.join("alice", "bob", batch=Batch("2", "netjoin", parent=None))
    channel.join("carol", batch=Batch("3", "other", parent=Batch("2", "netjoin")))

    assert channel.lines == ["netsplit over: .alice, .bob and .carol are back"]


def test_who_is_back_at_once_is_told_after_that_they_left():
    channel = Channel("membership")
    channel.at(0).quit("alice", reason=SPLIT)
    channel.at(15).join("alice")
    channel.at(16).quit("bob", reason=SPLIT)
    channel.at(17).join("bob")

    assert channel.lines == [
        "netsplit: .alice left",
        "netsplit: .bob left",
        "netsplit over: .alice and .bob are back",
    ]


def test_whoever_came_before_a_netsplit_is_told_before_it():
    channel = Channel("membership")
    channel.at(0).join("alice")
    channel.at(10).quit("alice", reason=SPLIT)

    assert channel.lines == [".alice joined", "netsplit: .alice left"]


def test_a_netsplit_leaves_the_rest_to_be_told_as_ever():
    channel = Channel("joins", "quits")
    channel.quit(*PEOPLE, reason=SPLIT)
    channel.quit("alice", reason="dinner")
    channel.join("bob")

    assert channel.told == [(0, ".alice quit (dinner)"), (0, ".bob joined")]


# -- bounds


@pytest.mark.parametrize("reason", ["", SPLIT])
def test_what_is_gathered_is_bounded(reason: str):
    channel = Channel("membership")
    for number in range(2 * LIMIT):
        channel.quit(f"nick{number}", reason=reason)

    assert len(channel.told) == 2


NICKS = st.sampled_from("abc")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), NICKS),
        st.tuples(st.just("part"), NICKS),
        st.tuples(st.just("rename"), NICKS, NICKS),
    ),
    max_size=12,
)


@given(STEPS)
def test_a_summary_tells_exactly_who_is_here_and_was_not(steps: list[tuple[str, ...]]):
    """Against a set of nicks, for whatever can happen in a channel that begins with `a` in it."""
    channel = Channel("membership")
    here = {"a"}
    for step, nick, *new in steps:
        if step == "join" and nick not in here:
            here.add(nick)
            channel.join(nick)
        elif step == "part" and nick in here:
            here.remove(nick)
            channel.part(nick)
        elif step == "rename" and nick in here and new[0] not in here:
            here = here - {nick} | set(new)
            channel.rename(nick, *new)

    came, went = set(), set()
    for clause in "; ".join(channel.lines).replace(".", "").split("; "):
        words = clause.replace(",", " ").replace(" and ", " ").split()
        if words[-1:] == ["joined"]:
            came.update(words[:-1])
        elif words[-1:] == ["left"]:
            went.update(words[:-1])
        elif words:
            went.add(words[0])
            came.add(words[-1])
    assert {"a"} - went | came == here
