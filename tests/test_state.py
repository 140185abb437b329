"""What lines from a server change in what we know: people, channels, ourselves."""

from __future__ import annotations

import contextlib

import pytest

from pynfo.irc import MalformedMessage, Message, state
from pynfo.irc.events import (
    ChannelRenamed,
    ChannelSynced,
    Event,
    ModeChanged,
    TopicChanged,
    User,
    UserChanged,
    UserInvited,
    UserJoined,
    UserKicked,
    UserParted,
    UserQuit,
    UserRenamed,
)
from pynfo.irc.isupport import ISupport
from pynfo.irc.state import State


class Network:
    """A state, and the server's lines to it. We are `me`, in `#one` and `#two` with the people told there."""

    def __init__(self, *lines: str) -> None:
        self.isupport = ISupport()
        self.state = State("net", self.isupport, "me")
        self("005 me PREFIX=(qaohv)~&@%+ CHANMODES=beI,k,l,imnst :are supported", "001 me :Welcome", *lines)

    def __call__(self, *lines: str) -> list[Event]:
        """What the last of the lines meant."""
        events: list[Event] = []
        for line in lines:
            message = Message.parse(line.encode())
            if message.command == "005":
                self.isupport.update(message.params[1:-1])
            events = self.state.apply(message, 1000.0, None)
        return events

    def user_of(self, line: str) -> User:
        return self.state.user_of(Message.parse(line.encode()))


@pytest.fixture
def network() -> Network:
    """`@Alice` and `+bob` in `#one`, bob also in `#two`; `carol` in `#two`."""
    return Network(
        ":me!~my@my.host JOIN #one",
        "353 me = #one :me @Alice +bob",
        "366 me #one :End of /NAMES list.",
        ":me!~my@my.host JOIN #two",
        "353 me = #two :@me bob carol",
        "366 me #two :End of /NAMES list.",
    )


# -- joining and leaving


def test_our_own_join_opens_the_channel_with_us_in_it() -> None:
    network = Network()

    (event,) = network(":me!~my@my.host JOIN #One")

    assert isinstance(event, UserJoined)
    assert (event.own, event.channel, event.user.mask) == (True, "#One", "me!~my@my.host")
    assert network.state.channel("#oNE").members == {"me": ""}  # type: ignore[union-attr]
    assert network.state.me.host == "my.host"


def test_an_extended_join_tells_account_and_realname(network: Network) -> None:
    (event,) = network(":dave!d@host JOIN #one dave.account :Dave the Dog")

    assert isinstance(event, UserJoined)
    assert event.user == User("dave", "d", "host", "dave.account", "Dave the Dog")
    assert network.state.user("DAVE") == event.user


def test_an_extended_join_with_a_star_says_that_they_are_logged_in_nowhere(network: Network) -> None:
    network(":carol!c@h ACCOUNT carol", ":carol!c@h JOIN #one * :Carol")

    assert network.state.user("carol").account is None  # type: ignore[union-attr]


def test_a_plain_join_keeps_what_another_channel_told_of_them(network: Network) -> None:
    network(":carol!c@h ACCOUNT carol", ":carol!c@h JOIN #one")

    assert network.state.user("carol").account == "carol"  # type: ignore[union-attr]


def test_a_join_to_a_channel_we_are_not_in_is_nothing_to_us(network: Network) -> None:
    assert network(":dave!d@host JOIN #three") == []
    assert network.state.user("dave") is None


@pytest.mark.parametrize("line", [":bob!b@h PART #one :bye", ":Alice!a@h KICK #one bob :bye"])
def test_who_leaves_one_of_two_shared_channels_is_still_known(network: Network, line: str) -> None:
    (event,) = network(line)

    assert isinstance(event, UserParted | UserKicked)
    assert (event.user.nick, event.channel, event.reason, event.own) == ("bob", "#one", "bye", False)
    assert network.state.shared_channels("bob") == ["#two"]


@pytest.mark.parametrize(
    "line", [":carol!c@h PART #two", ":me!m@h KICK #two CAROL", ":carol!c@h QUIT :gone", ":me!m@h PART #two"]
)
def test_after_the_last_shared_channel_a_person_is_forgotten(network: Network, line: str) -> None:
    network.user_of(":carol!c@h PRIVMSG #two :hi")

    network(line)

    assert network.state.user("carol") is None
    assert network.user_of("@account=evil :carol!c@h PRIVMSG me :hi").account == "evil"
    assert network.user_of(":carol!c@h PRIVMSG me :hi").account is None


def test_a_kick_of_us_closes_the_channel_and_tells_who_did_it(network: Network) -> None:
    (event,) = network(":Alice!a@h KICK #ONE Me :out")

    assert isinstance(event, UserKicked)
    assert (event.own, event.channel, event.by.nick, event.reason) == (True, "#one", "Alice", "out")
    assert network.state.channel("#one") is None
    assert network.state.user("alice") is None
    assert network.state.user("bob") is not None


def test_a_quit_tells_all_shared_channels(network: Network) -> None:
    (event,) = network(":bob!b@h QUIT :*.net *.split")

    assert isinstance(event, UserQuit)
    assert (event.channels, event.reason) == (["#one", "#two"], "*.net *.split")


def test_people_come_back_from_a_netsplit_with_what_they_are_then(network: Network) -> None:
    network(":bob!b@h ACCOUNT bob", ":bob!b@h QUIT :*.net *.split")

    network(":bob!other@else JOIN #one", ":hub.net MODE #one +o bob")

    assert network.state.user("bob") == User("bob", "other", "else")
    assert network.state.member_modes("#one", "bob") == "o"
    assert network.state.shared_channels("bob") == ["#one"]


def test_our_own_quit_leaves_every_channel(network: Network) -> None:
    (event,) = network(":me!~my@my.host QUIT :bye")

    assert isinstance(event, UserQuit)
    assert event.own
    assert network.state.channels == {}
    assert list(network.state.users) == ["me"]


def test_joining_again_begins_with_nobody_but_us(network: Network) -> None:
    network(":me!~my@my.host JOIN #one")

    assert network.state.channel("#one").members == {"me": ""}  # type: ignore[union-attr]
    assert network.state.user("alice") is None


# -- renames


def test_a_rename_carries_prefixes_account_and_channels_along(network: Network) -> None:
    network(":bob!b@h ACCOUNT bob")

    (event,) = network(":bob!b@h NICK Robert")

    assert isinstance(event, UserRenamed)
    assert (event.old_nick, event.user.nick, event.channels) == ("bob", "Robert", ["#one", "#two"])
    assert event.user.account == "bob"
    assert network.state.member_modes("#one", "robert") == "v"
    assert network.state.user("bob") is None


def test_a_rename_that_changes_only_case_is_one(network: Network) -> None:
    (event,) = network(":Alice!a@h NICK aLICE")

    assert isinstance(event, UserRenamed)
    assert network.state.user("alice").nick == "aLICE"  # type: ignore[union-attr]
    assert network.state.member_modes("#one", "Alice") == "o"


@pytest.mark.parametrize("nick", ["Pynfo", "ME"])
def test_we_follow_our_own_rename(network: Network, nick: str) -> None:
    (event,) = network(f":me!~my@my.host NICK {nick}")

    assert isinstance(event, UserRenamed)
    assert event.own
    assert (network.state.nick, network.state.me.nick) == (nick, nick)
    assert network.state.is_me(nick.lower())
    assert network.state.member_modes("#two", nick) == "o"


def test_a_nick_taken_over_unseen_does_not_inherit_the_other_ones_account(network: Network) -> None:
    network(":carol!c@h ACCOUNT carol", ":bob!b@h NICK carol")

    assert network.state.user("carol") == User("carol", "b", "h")
    assert network.state.shared_channels("carol") == ["#one", "#two"]


def test_nobody_else_gets_our_nick(network: Network) -> None:
    with pytest.raises(MalformedMessage):
        network(":bob!b@h NICK Me")

    assert network.state.me.mask == "me!~my@my.host"


def test_the_server_says_in_001_who_we_are() -> None:
    network = Network("001 pyn :Welcome to the network pyn!u@real.host")

    assert network.state.nick == "pyn"
    assert network.state.me == User("pyn")


def test_a_renamed_channel_keeps_its_members(network: Network) -> None:
    (event,) = network(":Alice!a@h RENAME #one #three :new home")

    assert isinstance(event, ChannelRenamed)
    assert (event.old_channel, event.channel, event.reason) == ("#one", "#three", "new home")
    assert network.state.channel("#one") is None
    assert network.state.member_modes("#three", "alice") == "o"


# -- changes of people


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        (":bob!b@h ACCOUNT robert", "account", "robert"),
        (":bob!b@h AWAY :lunch", "away", True),
        (":bob!b@h CHGHOST u cloak/bob", "host", "cloak/bob"),
        (":bob!b@h CHGHOST u cloak/bob", "username", "u"),
        (":bob!b@h SETNAME :Bob B.", "realname", "Bob B."),
    ],
)
def test_a_change_of_a_person_is_told_once(network: Network, line: str, field: str, value: object) -> None:
    (event,) = network(line)

    assert network(line) == []
    assert isinstance(event, UserChanged)
    assert getattr(event.user, field) == value
    assert getattr(event.old, field) != value
    assert event.channels == ["#one", "#two"]
    assert getattr(network.state.user("bob"), field) == value


def test_a_log_out_is_a_star(network: Network) -> None:
    (event,) = network(":bob!b@h ACCOUNT robert", ":bob!b@h ACCOUNT *")

    assert isinstance(event, UserChanged)
    assert (event.old.account, event.user.account) == ("robert", None)


def test_an_account_line_that_is_tagged_with_the_account_is_still_a_change(network: Network) -> None:
    (event,) = network("@account=robert :bob!b@h ACCOUNT robert")

    assert isinstance(event, UserChanged)
    assert (event.old.account, event.user.account) == (None, "robert")


def test_away_without_a_reason_means_back(network: Network) -> None:
    network(":bob!b@h AWAY :lunch", ":bob!b@h AWAY")

    assert network.state.user("bob").away is False  # type: ignore[union-attr]


def test_changes_of_strangers_are_not_remembered(network: Network) -> None:
    assert network(":dave!d@h ACCOUNT dave") == []
    assert network.state.user("dave") is None


def test_an_invitation_tells_whether_it_is_ours(network: Network) -> None:
    (ours,) = network(":bob!b@h INVITE Me #three")
    (other,) = network(":bob!b@h INVITE carol #ONE")

    assert isinstance(ours, UserInvited)
    assert (ours.own, ours.channel, ours.by.nick) == (True, "#three", "bob")
    assert isinstance(other, UserInvited)
    assert (other.own, other.nick, other.channel) == (False, "carol", "#one")


# -- whose line it is


def test_a_line_teaches_username_and_host(network: Network) -> None:
    user = network.user_of(":bob!~b@some.host PRIVMSG #one :hi")

    assert user == User("bob", "~b", "some.host")
    assert network.state.user("bob") is user


def test_an_unchanged_source_gives_the_very_same_user(network: Network) -> None:
    line = "@account=bob :bob!~b@some.host PRIVMSG #one :hi"

    assert network.user_of(line) is network.user_of(line)


@pytest.mark.parametrize(
    "line", [":bob!~b@h NICK robert", ":bob!~b@h CHGHOST b h2", ":bob!~b@h QUIT", ":bob!~b@h ACCOUNT new"]
)
def test_after_a_change_the_old_source_no_longer_means_who_it_did(network: Network, line: str) -> None:
    before = network.user_of(":bob!~b@h PRIVMSG #one :hi")
    network(line)

    after = network.user_of(":bob!~b@h PRIVMSG me :hi")

    assert after is not before
    assert network.state.user("robert") is not after


def test_the_account_tag_logs_somebody_in(network: Network) -> None:
    network.user_of("@account=bob :bob!b@h PRIVMSG #one :hi")

    assert network.user_of(":bob!b@h PRIVMSG #one :hi").account == "bob"
    assert network.user_of("@account=other :bob!b@h PRIVMSG #one :hi").account == "other"


def test_a_source_without_a_mask_is_whom_we_know(network: Network) -> None:
    network.user_of(":bob!b@h PRIVMSG #one :hi")

    assert network.user_of(":bob PRIVMSG #one :hi").mask == "bob!b@h"


def test_another_host_under_a_known_nick_does_not_have_the_account(network: Network) -> None:
    network(":bob!b@h ACCOUNT bob")

    assert network.user_of(":bob!b@elsewhere PRIVMSG #one :hi").account is None


@pytest.mark.parametrize("tag", ["bot", "draft/bot", "inspircd.org/bot"])
def test_a_bot_is_known_by_its_tag_from_then_on(network: Network, tag: str) -> None:
    assert network.user_of(f"@{tag} :bob!b@h PRIVMSG #one :beep").bot
    assert network.user_of(":bob!b@h PRIVMSG #one :beep").bot


def test_a_line_of_history_changes_nothing_of_whoever_has_the_nick_now(network: Network) -> None:
    old = Message.parse(b"@account=admin :bob!old@old.host PRIVMSG #one :hi")

    assert network.state.author_of(old) == User("bob", "old", "old.host", "admin")
    assert network.state.user("bob") == User("bob")


# -- modes and topics


def test_prefix_modes_are_kept_highest_first(network: Network) -> None:
    network(":Alice!a@h MODE #one +oh-v+v bob bob bob BOB")

    assert network.state.member_modes("#one", "bob") == "ohv"


def test_each_kind_of_channel_mode_takes_the_parameters_that_are_its_own(network: Network) -> None:
    (event,) = network(":Alice!a@h MODE #one +bkl-i+v-o *!*@spam key 5 carol Alice")

    assert isinstance(event, ModeChanged)
    assert [(change.adding, change.mode, change.param) for change in event.changes] == [
        (True, "b", "*!*@spam"),
        (True, "k", "key"),
        (True, "l", "5"),
        (False, "i", None),
        (True, "v", "carol"),
        (False, "o", "Alice"),
    ]
    assert network.state.channel("#one").modes == {"k": "key", "l": "5"}  # type: ignore[union-attr]
    assert network.state.member_modes("#one", "alice") == ""
    assert network.state.member_modes("#one", "carol") == ""  # is not there


def test_modes_go_again(network: Network) -> None:
    network(":Alice!a@h MODE #one +mlk 5 key", ":Alice!a@h MODE #one -lk key")

    assert network.state.channel("#one").modes == {"m": None}  # type: ignore[union-attr]


def test_the_reply_to_mode_replaces_what_we_believed(network: Network) -> None:
    network(":Alice!a@h MODE #one +i", "324 me #one +ntl 7")

    assert network.state.channel("#one").modes == {"n": None, "t": None, "l": "7"}  # type: ignore[union-attr]


def test_our_own_modes_are_followed(network: Network) -> None:
    (event,) = network("221 me +ws cC", ":me MODE me :+iB-w")

    assert isinstance(event, ModeChanged)
    assert event.channel is None
    assert network.state.modes == {"s", "i", "B"}


@pytest.mark.parametrize(
    ("modes", "operator"), [("q", True), ("a", True), ("o", True), ("h", False), ("v", False)]
)
def test_an_operator_is_o_and_whatever_prefix_lists_above_it(
    network: Network, modes: str, operator: bool
) -> None:
    network(f":Alice!a@h MODE #two +{modes} carol")

    assert network.state.is_operator("#TWO", "Carol") is operator


def test_topics_tell_who_set_them_and_when(network: Network) -> None:
    one, two = network.state.channels["#one"], network.state.channels["#two"]

    network("332 me #two :old topic", "333 me #two carol!c@h 1700000000")
    (event,) = network(":Alice!a@h TOPIC #one :news")

    assert (two.topic, two.topic_by, two.topic_time) == ("old topic", "carol!c@h", 1700000000.0)
    assert isinstance(event, TopicChanged)
    assert (one.topic, one.topic_by, one.topic_time) == ("news", "Alice", 1000.0)
    network("331 me #two :No topic is set")
    assert (two.topic, two.topic_by, two.topic_time) == ("", "", None)


# -- NAMES and WHO


def test_names_tell_all_prefixes_and_hosts_where_the_network_does(network: Network) -> None:
    network("353 me = #one :@+Alice!~al@alice.host ~&dave!d@dave.host")

    assert network.state.member_modes("#one", "alice") == "ov"
    assert network.state.member_modes("#one", "dave") == "qa"
    assert network.state.user("alice") == User("Alice", "~al", "alice.host")
    assert network.state.user("dave") == User("dave", "d", "dave.host")


def test_names_without_multi_prefix_do_not_take_the_lower_prefixes_away(network: Network) -> None:
    network(":Alice!a@h MODE #one +o bob", "353 me = #one :@bob")

    assert network.state.member_modes("#one", "bob") == "ov"


def test_names_that_show_another_highest_prefix_are_believed(network: Network) -> None:
    network("353 me = #one :Alice")

    assert network.state.member_modes("#one", "alice") == ""


def test_names_of_a_channel_we_are_not_in_are_nothing_to_us(network: Network) -> None:
    network("353 me = #three :@dave erin")

    assert network.state.user("dave") is None


def test_a_channel_is_synced_once_a_join() -> None:
    network = Network(":me!m@h JOIN #one")

    (event,) = network("366 me #ONE :End of /NAMES list.")

    assert isinstance(event, ChannelSynced)
    assert event.channel == "#one"
    assert network.state.channels["#one"].synced
    assert network("366 me #one :End of /NAMES list.") == []
    assert network("315 me #one :End of /WHO list.") == []
    network(":me!m@h PART #one")
    (again,) = network(":me!m@h JOIN #one", "366 me #one :End of /NAMES list.")
    assert isinstance(again, ChannelSynced)


def test_without_implicit_names_who_tells_the_members_and_its_end_syncs() -> None:
    network = Network("005 me WHOX BOT=B :are supported", ":me!m@h JOIN #one")
    query = network.state.who_query("#one")

    (event,) = network(
        "354 me 152 #one m h me H 0 :Me",
        "354 me 152 #one ~a alice.host Alice G@+B alice :Alice A.",
        "315 me #one :End of /WHO list.",
    )

    assert query.params == ["#one", "%tcuhnfar,152"]
    assert isinstance(event, ChannelSynced)
    assert network.state.user("alice") == User(
        "Alice", "~a", "alice.host", "alice", "Alice A.", away=True, bot=True
    )
    assert network.state.member_modes("#one", "alice") == "ov"


def test_whox_fills_in_accounts_and_zero_means_none(network: Network) -> None:
    network(":bob!b@h ACCOUNT bob", "354 me 152 #one b h bob H+ 0 :Bob", "354 me 152 #one a h Alice H@ al :A")

    assert network.state.user("bob").account is None  # type: ignore[union-attr]
    assert network.state.user("alice").account == "al"  # type: ignore[union-attr]


def test_an_answer_to_somebody_elses_whox_is_not_read(network: Network) -> None:
    assert network("354 me 7 bob evil") == []
    assert network.state.user("bob") == User("bob")


def test_who_without_accounts_keeps_those_we_know(network: Network) -> None:
    network(":bob!b@h ACCOUNT bob", "352 me #one ~b bob.host irc.net bob G+ :2 Bob B.")

    assert network.state.user("bob") == User("bob", "~b", "bob.host", "bob", "Bob B.", away=True)


def test_who_about_strangers_is_not_remembered(network: Network) -> None:
    network("352 me #three d h irc.net dave H :0 Dave", "352 me * d h irc.net dave H :0 Dave")

    assert network.state.user("dave") is None


def test_whois_userhost_and_away_replies_tell_of_people_we_know(network: Network) -> None:
    network(
        "311 me carol c carol.host * :Carol", "302 me :bob*=-~b@bob.host dave=+d@h", "301 me Alice :lunch"
    )

    assert network.state.user("carol") == User("carol", "c", "carol.host", realname="Carol")
    assert network.state.user("bob") == User("bob", "~b", "bob.host", away=True)
    assert network.state.user("alice").away  # type: ignore[union-attr]
    assert network.state.user("dave") is None


# -- how others see us


@pytest.mark.parametrize(
    ("line", "mask"),
    [
        ("396 me cloak/me :is now your displayed host", "me!~my@cloak/me"),
        ("396 me u@cloak/me :is now your displayed host", "me!u@cloak/me"),
        ("900 me me!u@cloak/me pyn :You are now logged in as pyn", "me!u@cloak/me"),
        ("352 me #one u cloak/me irc.net me H :0 Me", "me!u@cloak/me"),
        (":me!~my@my.host CHGHOST u cloak/me", "me!u@cloak/me"),
        ("302 me :me=+~my@192.0.2.1", "me!~my@my.host"),  # some servers tell us our real host here
    ],
)
def test_our_own_mask_is_what_others_see(network: Network, line: str, mask: str) -> None:
    network(line)

    assert network.state.me.mask == mask
    assert network.state.source_length() == len(f":{mask} ")


def test_while_our_mask_is_not_known_the_longest_is_expected() -> None:
    assert Network().state.source_length() == len(":me!" + "u" * 11 + "@" + "h" * 63 + " ")


def test_a_mask_told_before_registration_is_not_the_one_others_will_see() -> None:
    state = State("net", ISupport(), "me")

    state.apply(Message.parse(b"900 me me!u@real.host pyn :You are now logged in as pyn"), 0.0, None)

    assert (state.me.account, state.me.host) == ("pyn", "")


def test_our_log_out_and_away_state_are_told(network: Network) -> None:
    network("900 me me!~my@my.host pyn :You are now logged in as pyn")

    (logged_out,) = network("901 me me!~my@my.host :You are now logged out")
    (gone,) = network("306 me :You have been marked as being away")
    (back,) = network("305 me :You are no longer marked as being away")

    assert isinstance(logged_out, UserChanged)
    assert (logged_out.old.account, logged_out.user.account) == ("pyn", None)
    assert isinstance(gone, UserChanged)
    assert gone.user.away
    assert isinstance(back, UserChanged)
    assert not back.user.away


# -- what servers do wrong


def test_a_new_casemapping_folds_everything_that_is_known_again() -> None:
    network = Network(":me!m@h JOIN #[x]", "353 me = #[x] :me @A[]", "366 me #[x] :End")
    assert network.state.user("a{}") is not None

    network("005 me CASEMAPPING=ascii :are supported")

    assert network.state.user("a{}") is None
    assert network.state.channel("#{x}") is None
    assert network.state.member_modes("#[X]", "a[]") == "o"
    assert network.state.is_me("ME")


def test_two_people_who_become_one_by_a_new_casemapping_leave_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state, "MEMBER_LIMIT", 4)
    network = Network(
        "005 me CASEMAPPING=ascii :are supported", ":me!m@h JOIN #one", "353 me = #one :a[!a@h a{!b@h"
    )
    for source in ("a[!a@h", "a{!b@h") * 2:
        network.user_of(f"@account=x :{source} PRIVMSG #one :hi")

    network("005 me CASEMAPPING=rfc1459 :are supported", ":a[!a@h QUIT")

    assert network.user_of(":a[!a@h PRIVMSG me :hi").account is None
    assert network.user_of(":a{!b@h PRIVMSG me :hi").account is None
    network("353 me = #one :b c d")
    with pytest.raises(MalformedMessage):
        network("353 me = #one :e")


@pytest.mark.parametrize("command", [*state._HANDLERS])
def test_a_line_with_whatever_parameters_is_understood_or_malformed(network: Network, command: str) -> None:
    for source in (None, "", "bob!b@h", "me!m@h", "irc.net"):
        for params in (
            [],
            [""] * 2,
            ["#one"] * 4,
            ["", "#two", "", ":", "+"],
            ["me", "#one", "152", "", "+o"],
        ):
            with contextlib.suppress(MalformedMessage):
                network.state.apply(Message(command, params, source), 0.0, None)

    assert network.state.users[network.state.fold(network.state.nick)] is network.state.me


def test_a_server_cannot_put_us_into_channels_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "CHANNEL_LIMIT", 2)
    network = Network(":me!m@h JOIN #one", ":me!m@h JOIN #two")

    with pytest.raises(MalformedMessage):
        network(":me!m@h JOIN #three")

    network(":me!m@h PART #one", ":me!m@h JOIN #three")
    assert list(network.state.channels) == ["#two", "#three"]


def test_a_server_cannot_tell_us_of_people_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MEMBER_LIMIT", 4)
    network = Network(":me!m@h JOIN #one", ":me!m@h JOIN #two")

    with pytest.raises(MalformedMessage):
        network("353 me = #one :a b c d e f")
    assert len(network.state.users) == 3
    network(":a!a@h QUIT", ":b!b@h PART #one", ":c!c@h JOIN #one", ":d!d@h JOIN #one")
    with pytest.raises(MalformedMessage):
        network(":e!e@h JOIN #one")
    network(":d!d@h NICK c", ":me!m@h PART #two", ":e!e@h JOIN #one", ":f!f@h JOIN #one")
    assert list(network.state.channels["#one"].members) == ["me", "c", "e", "f"]
