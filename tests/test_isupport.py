"""What the server says it supports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynfo.irc.events import ModeChange
from pynfo.irc.isupport import ISupport


def supporting(*tokens):
    isupport = ISupport()
    isupport.update(list(tokens))
    return isupport


def test_begins_with_the_defaults_of_the_protocol():
    isupport = ISupport()
    assert isupport.casemapping == "rfc1459"
    assert isupport.prefix == {"o": "@", "v": "+"}
    assert isupport.chantypes == "#&"
    assert (isupport.linelen, isupport.modes, isupport.monitor, isupport.whox) == (512, 3, None, False)


def test_reads_the_tokens_of_a_modern_server():
    isupport = supporting(
        "PREFIX=(qaohv)~&@%+",
        "CHANMODES=Ibeg,k,Hfjl,ACimnst",
        "STATUSMSG=@+",
        "TARGMAX=JOIN:,PRIVMSG:4,WHOIS:1",
        "MONITOR=100",
        "WHOX",
        "BOT=B",
        "UTF8ONLY",
        "NETWORK=Example",
        "LINELEN=2048",
        "NICKLEN=30",
        "MODES=20",
        "CHATHISTORY=1000",
        "MSGREFTYPES=timestamp,msgid",
    )
    assert list(isupport.prefix) == list("qaohv")
    assert isupport.chanmodes == ("Ibeg", "k", "Hfjl", "ACimnst")
    assert isupport.targmax == {"JOIN": None, "PRIVMSG": 4, "WHOIS": 1}
    assert (isupport.monitor, isupport.whox, isupport.bot, isupport.utf8only) == (100, True, "B", True)
    assert (isupport.network, isupport.linelen, isupport.nicklen, isupport.modes) == ("Example", 2048, 30, 20)
    assert (isupport.chathistory, isupport.msgreftypes) == (1000, ["timestamp", "msgid"])


def test_takes_tokens_back():
    isupport = supporting("CASEMAPPING=ascii", "WHOX")
    isupport.update(["-CASEMAPPING", "-WHOX"])
    assert (isupport.casemapping, isupport.whox) == ("rfc1459", False)


def test_reads_escapes():
    assert supporting(r"NETWORK=Two\x20Words\x3Dand\x5Cmore").network == "Two Words=and\\more"


def test_a_limit_without_a_number_is_no_limit():
    isupport = supporting("MONITOR=", "CHATHISTORY", "MODES", "TARGMAX=JOIN:,PRIVMSG:some")
    assert (isupport.monitor, isupport.chathistory, isupport.modes) == (0, 0, None)
    assert isupport.targmax == {"JOIN": None}


def test_a_server_may_have_no_prefixes_and_no_channels():
    isupport = supporting("PREFIX=", "CHANTYPES=")
    assert isupport.prefix == {}
    assert not isupport.is_channel("#a")


@pytest.mark.parametrize(
    "token",
    [
        "LINELEN=abc",
        "LINELEN=1",
        "LINELEN=-5",
        "LINELEN=²",
        "LINELEN=999999999999999",
        "MODES=x",
        "MODES=0",
        "PREFIX=broken",
        "PREFIX=(ov)@",
        "CHANMODES=b,k",
        "CASEMAPPING",
    ],
)
def test_nonsense_counts_as_not_sent(token):
    isupport, silent = supporting(token), ISupport()
    isupport.raw.clear()
    assert vars(isupport) == vars(silent)


def test_folds_by_its_casemapping():
    assert supporting("CASEMAPPING=rfc1459").fold("#A[") == "#a{"
    assert supporting("CASEMAPPING=ascii").fold("#A[") == "#a["


def test_knows_a_channel_and_a_statusmsg():
    isupport = supporting("CHANTYPES=#", "STATUSMSG=@+")
    assert isupport.is_channel("#a")
    assert not isupport.is_channel("&a")
    assert not isupport.is_channel("")
    assert isupport.strip_statusmsg("@#a") == ("@", "#a")
    assert isupport.strip_statusmsg("#a") == ("", "#a")
    assert isupport.strip_statusmsg("@+#a") == ("@+", "#a")
    assert isupport.strip_statusmsg("@nick") == ("", "@nick")
    assert isupport.strip_statusmsg("") == ("", "")


def test_a_plus_may_begin_a_channel_or_stand_before_one():
    isupport = supporting("CHANTYPES=#+", "STATUSMSG=@+")
    assert isupport.strip_statusmsg("+a") == ("", "+a")
    assert isupport.strip_statusmsg("@+a") == ("@", "+a")
    assert isupport.strip_statusmsg("+#a") == ("+", "#a")


def test_a_line_length_is_believed_up_to_a_bound():
    assert supporting("LINELEN=100000").linelen == 8192


@pytest.mark.parametrize(
    ("deny", "allowed"),
    [("", True), ("*", False), ("draft/react", True), ("draft/reply", False), ("*,-draft/reply", True)],
)
def test_knows_which_client_tags_are_relayed(deny, allowed):
    assert supporting(f"CLIENTTAGDENY={deny}").client_tag_allowed("+draft/reply") is allowed


def test_reads_mode_changes_with_their_parameters():
    isupport = supporting("PREFIX=(ov)@+", "CHANMODES=b,k,l,mnt")
    assert isupport.parse_modes("+ob-l+lk-k+m", ["alice", "*!*@x", "5", "key", "key"]) == [
        ModeChange(True, "o", "alice"),
        ModeChange(True, "b", "*!*@x"),
        ModeChange(False, "l"),
        ModeChange(True, "l", "5"),
        ModeChange(True, "k", "key"),
        ModeChange(False, "k", "key"),
        ModeChange(True, "m"),
    ]


def test_a_missing_mode_parameter_is_none():
    assert ISupport().parse_modes("+o", []) == [ModeChange(True, "o", None)]


def test_gives_prefix_modes_highest_first():
    assert supporting("PREFIX=(qov)~@+").prefix_modes("+~") == "qv"


@given(st.lists(st.text(), max_size=400))
def test_no_token_breaks_it_and_their_number_is_bounded(tokens):
    isupport = supporting(*tokens)
    assert len(isupport.raw) <= 256
    assert isinstance(isupport.is_channel("#a"), bool)
