"""The config file: what it gives, and what each mistake in it is told as."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from pynfo.config import Config, Loaded, load
from pynfo.irc.settings import ChannelSettings, SaslSettings, Secret

ROOT = Path(__file__).parent.parent
IMPORTS = "from pynfo.config import Channel, Network, Sasl, env, file\n"
LIBERA = 'networks = [Network("libera", host="irc.libera.chat")]\n'

Read = Callable[[str], Loaded]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Load a config of this text, from line 2 on; the first line imports all there is."""
    monkeypatch.chdir(tmp_path)

    def load_text(text: str) -> Loaded:
        Path("config.py").write_text(IMPORTS + textwrap.dedent(text), encoding="utf-8")
        return load("config.py")

    return load_text


def config_of(loaded: Loaded) -> Config:
    assert loaded.config is not None, [str(mistake) for mistake in loaded.mistakes]
    return loaded.config


def told(loaded: Loaded) -> list[str]:
    assert loaded.config is None
    return [str(mistake) for mistake in loaded.mistakes]


# -- what a config gives


def test_the_example_has_no_mistakes() -> None:
    loaded = load(ROOT / "config.example.py")

    assert loaded.mistakes == []


def test_the_config_of_the_issue_is_understood(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBERA_PASSWORD", "hunter2")

    config = config_of(
        read("""
            nick = "infobot"
            alternate_nicks = ["infobot_"]
            command_prefix = "."
            owners = ["$a:alice", "*!*@trusted.example"]
            command_limits = {"user": (3, 60), "channel": None}
            networks = [
                Network("libera", host="irc.libera.chat", port=6697, tls=True,
                        sasl=Sasl("scram-sha-256", username="infobot", password=env("LIBERA_PASSWORD")),
                        tls_fingerprints=["AB:" * 31 + "AB"], messages_per_second=None,
                        channels=["#pynfo", Channel("#secret", key="xyzzy")]),
            ]
            plugins = {"ignore": {}, "seen": {"people": 5}}
            """)
    )

    network = config.networks[0]
    assert (config.nick, config.command_prefix, config.owners[0]) == ("infobot", ".", "$a:alice")
    assert config.command_limits == {"user": (3, 60.0), "channel": None}
    assert config.plugins == {"ignore": {}, "seen": {"people": 5}}
    assert network.servers == [("irc.libera.chat", 6697)]
    assert (network.nick, network.alternate_nicks) == ("infobot", ["infobot_"])
    assert network.sasl == SaslSettings(
        mechanism="SCRAM-SHA-256", username="infobot", password=Secret("hunter2")
    )
    assert network.channels == [ChannelSettings("#pynfo"), ChannelSettings("#secret", Secret("xyzzy"))]
    assert network.tls_fingerprints == ["ab" * 32]
    assert network.messages_per_second is None


def test_what_a_network_says_goes_before_what_the_file_says(read: Read) -> None:
    config = config_of(
        read("""
            nick = "general"
            networks = [Network("a", host="a.example"), Network("b", host="b.example", nick="special")]
            """)
    )

    assert [network.nick for network in config.networks] == ["general", "special"]


def test_the_usual_port_depends_on_tls(read: Read) -> None:
    config = config_of(
        read("""
            networks = [Network("a", host="a.example"), Network("b", host="b.example", tls=False)]
            """)
    )

    assert [network.servers[0][1] for network in config.networks] == [6697, 6667]


def test_relative_paths_start_at_the_config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "password.txt").write_text("hunter2\n")
    (tmp_path / "bot.pem").write_text("a certificate")
    (tmp_path / "config.py").write_text(
        IMPORTS
        + """
plugin_path = ["more"]
networks = [Network("libera", host="irc.libera.chat", client_cert="bot.pem", password=file("password.txt"))]
"""
    )
    monkeypatch.chdir("/")

    config = config_of(load(tmp_path / "config.py"))

    assert config.state_dir == tmp_path / "state"
    assert config.plugin_path == [tmp_path / "more"]
    assert config.networks[0].client_cert == str(tmp_path / "bot.pem")
    assert config.networks[0].password == Secret("hunter2")


def test_names_of_its_own_begin_with_an_underscore_or_are_in_capitals(read: Read) -> None:
    config = config_of(
        read("""
            import os.path
            HOST = "irc.libera.chat"
            _common = dict(tls=True)
            def network(name): return Network(name, host=HOST, **_common)
            for name in ["libera"]: networks = [network(name)]
            """)
    )

    assert config.networks[0].servers == [("irc.libera.chat", 6697)]


# -- secrets


@pytest.mark.parametrize("written", ['env("PASSWORD")', 'file("password.txt")', '"hunter2"'])
def test_no_password_shows_however_it_is_written(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("PASSWORD", "hunter2")
    (tmp_path / "password.txt").write_text("hunter2")

    config = config_of(
        read(f"""
            networks = [Network("libera", host="irc.libera.chat", password={written},
                                channels=[Channel("#a", key={written})], on_connect=[{written}],
                                sasl=Sasl(username="x", password={written}))]
            """)
    )

    assert "hunter2" not in repr(config)


def test_every_item_of_a_list_that_is_wrong_is_told(read: Read) -> None:
    mistakes = told(
        read("""
            alternate_nicks = [1, "pynfo_", 2]
            networks = [Network("libera", servers=["a.example", ("b.example", "6697")])]
            """)
    )

    assert mistakes == [
        "config.py:3: alternate_nicks[0] must be text in quotes, not 1",
        "config.py:3: alternate_nicks[2] must be text in quotes, not 2",
        "config.py:4: servers[0] must be 2 values in brackets, not 'a.example'",
        "config.py:4: servers[1][1] must be a whole number, not '6697'",
    ]


def test_everybody_may_be_an_owner_where_the_operator_says_so(read: Read) -> None:
    loaded = read('owners = ["*!*@*"]\nnetworks = [Network("test", host="127.0.0.1", tls=False)]')
    assert config_of(loaded).owners == ["*!*@*"]


def test_a_port_in_a_host_is_told_where_it_belongs(read: Read) -> None:
    mistakes = told(read('networks = [Network("libera", host="irc.libera.chat:6697")]'))

    assert mistakes == [
        "config.py:2: host: 'irc.libera.chat:6697' has a port in it: "
        'write it apart, such as host="irc.example.org", port=6697'
    ]


def test_an_address_of_ipv6_is_a_host(read: Read) -> None:
    assert config_of(read('networks = [Network("here", host="::1")]')).networks[0].servers == [("::1", 6697)]


def test_an_argument_too_much_is_one_mistake(read: Read) -> None:
    mistakes = told(read('networks = [Network("libera", "irc.libera.chat")]'))

    assert mistakes == [
        "config.py:2: Network takes only name without a keyword: write KEYWORD=… for the rest"
    ]


def test_a_password_of_the_wrong_type_is_not_repeated(read: Read) -> None:
    mistakes = told(read('networks = [Network("libera", host="irc.libera.chat", password=31337)]'))

    assert mistakes == ["config.py:2: password must be text in quotes"]


def test_a_default_stands_in_for_an_environment_variable(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PASSWORD", raising=False)

    config = config_of(
        read('networks = [Network("libera", host="irc.libera.chat", password=env("PASSWORD", "hunter2"))]')
    )

    assert config.networks[0].password == Secret("hunter2")


# -- mistakes: one sentence each, with the line of what is wrong


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            'prefix = "!"',
            "there is no setting 'prefix': did you mean 'command_prefix'? (a name of your own begins with _)",
        ),
        ('path = "x"', "there is no setting 'path'"),
        ("nick = 5", "nick must be text in quotes, not 5"),
        ('nick = "9lives"', "nick: '9lives' is no nick"),
        ('alternate_nicks = ["a b"]', "alternate_nicks: 'a b' is no nick"),
        ('realname = "a\\nQUIT"', "realname: a line end would break the line"),
        ('command_prefix = "do"', "command_prefix: 'do' would be met in ordinary talk"),
        ('owners = "alice"', "owners must be a list, not 'alice'"),
        ('owners = ["$b:alice"]', "owners: the mask '$b:alice' is not known: write $a:ACCOUNT"),
        ('owners = ["alice"]', "owners: 'alice' is a nick, which anybody can take: write $a:ACCOUNT"),
        ('owners = ["libera/alice"]', "owners: 'libera/alice' is a nick, which anybody can take"),
        ('admins = ["libra/$a:al"]', "admins: there is no network 'libra': did you mean 'libera'?"),
        ("command_limits = 5", "command_limits must be a dictionary, not 5"),
        ('command_limits = {"user": (6,)}', "user: (6,) is no limit: write (COMMANDS, SECONDS)"),
        ('command_limits = {"person": None}', "there is no limit 'person': there are channel, user"),
        ("command_time_limit = 0", "command_time_limit: 0 seconds are too few"),
        ('plugin_path = ["gone"]', "plugin_path: there is no directory"),
        ('plugins = ["seen"]', "plugins must be a dictionary, not ['seen']"),
        ('plugins = {"seen": None}', 'seen has None for settings: write "seen": {}'),
        ("import gone_module", "ModuleNotFoundError: No module named 'gone_module'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit", "the file ends the program"),
        ('answer_bots = "yes"', "answer_bots must be True or False, not 'yes'"),
        ("answer_bots = true", "true is not known: write True"),
    ],
)
def test_a_mistake_in_a_setting_is_told_with_its_line(read: Read, text: str, mistake: str) -> None:
    mistakes = told(read(f"{LIBERA}\n{text}\n"))

    assert len(mistakes) == 1
    assert mistakes[0].startswith(f"config.py:4: {mistake}")


@pytest.mark.parametrize(
    ("keyword", "mistake"),
    [
        ("nik='x'", "there is no setting of a network 'nik': did you mean 'nick'?"),
        ("port=66970", "port: 66970 is no port: write a number from 1 to 65535"),
        ("port='6697'", "port must be a whole number or None, not '6697'"),
        ("tls=1", "tls must be True or False, not 1"),
        ("tls=False, tls_fingerprints=['ab' * 32]", "tls_fingerprints does nothing without TLS"),
        ("tls_fingerprints=['abc']", "tls_fingerprints: 'abc' is no SHA-256 fingerprint"),
        ("client_cert='gone.pem'", "client_cert: gone.pem cannot be read: No such file or directory"),
        ("password=''", "password: it is empty"),
        ("password=env('GONE')", "the environment has no GONE"),
        ("password=file('gone')", "gone cannot be read: No such file or directory"),
        ("nick=env('HOME')", "nick cannot be <env HOME>: env(…) and file(…) are for secrets alone"),
        ("bind='here'", "bind: 'here' is no address of this machine"),
        ("messages_per_second=0", "messages_per_second: 0 lines a second say nothing"),
        ("burst=0", "burst: 0 is too few"),
        ("on_connect=['PRIVMSG x :y\\r\\nQUIT']", "on_connect: each item is one IRC line"),
        ("join_after='never'", "join_after: 'never' is not known: write one of 'connect', 'login', 'cloak'"),
        ("channels='#pynfo'", "channels must be a list, not '#pynfo'"),
        ("channels=['pynfo']", "name: 'pynfo' is no channel: did you mean '#pynfo'?"),
        ("channels=['#a b']", "name: '#a b' is no channel: write # and a name"),
        ("channels=['#a', '#A']", "#A is there twice"),
        ("channels=[5]", '5 is no channel: write "#name" or Channel("#name", key=…)'),
        ("channels=[Channel('#a', key='b c')]", "key: a channel's key is one word without commas"),
        ("channels=[Channel('#a', 'k', 1)]", "Channel takes only name and key without a keyword"),
        ("servers=[('b.example', 1)]", "host and port belong in servers here"),
        ("sasl='PLAIN'", "'PLAIN' is no login: write sasl=Sasl("),
        ("sasl=Sasl('SCRAM')", "mechanism: 'SCRAM' is not known: write one of PLAIN, EXTERNAL"),
        ("sasl=Sasl()", "there is nothing to log in with"),
        ("sasl=Sasl('EXTERNAL')", "EXTERNAL logs in by certificate: write client_cert=PATH"),
        ("sasl=Sasl('ECDSA-NIST256P-CHALLENGE', username='x')", "ECDSA-NIST256P-CHALLENGE needs a key"),
        ("sasl=Sasl('PLAIN', username='x')", "a login needs a password"),
        ("sasl=Sasl(password='x', mechanism='PLAIN')", 'a login needs a name: write username="…"'),
        ("tls=False, sasl=Sasl('PLAIN', username='x', password='y')", "PLAIN without TLS lets anybody"),
    ],
)
def test_a_mistake_in_a_network_is_told_with_its_own_line(
    read: Read, monkeypatch: pytest.MonkeyPatch, keyword: str, mistake: str
) -> None:
    monkeypatch.delenv("GONE", raising=False)
    mistakes = told(
        read(f"""
            networks = [
                Network(
                    "libera",
                    host="irc.libera.chat",
                    {keyword},
                ),
            ]
            """)
    )

    assert len(mistakes) == 1
    assert mistakes[0].startswith(f"config.py:7: {mistake}")


def test_plain_without_tls_is_for_those_who_allow_it(read: Read) -> None:
    config = config_of(
        read("""
            networks = [Network("here", host="127.0.0.1", tls=False, plain_without_tls=True,
                                sasl=Sasl("PLAIN", username="x", password="y"))]
            """)
    )

    assert config.networks[0].plain_without_tls


def test_a_network_needs_a_name_and_a_server(read: Read) -> None:
    mistakes = told(read("networks = [Network()]"))

    assert mistakes == [
        "config.py:2: name is missing: write name=…",
        'config.py:2: a network needs a server: write host="irc.example.org"',
    ]


def test_a_config_without_networks_is_for_the_console_alone(read: Read) -> None:
    loaded = read('nick = "pynfo"')

    assert told(loaded) == [
        'config.py: there are no networks: write networks = [Network("libera", host="irc.libera.chat")]'
    ]
    assert load("config.py", networks_needed=False).config is not None


@pytest.mark.parametrize(
    ("second", "mistake"),
    [
        ("libera", "there are two networks 'libera': rename one"),
        ("Libera", "the networks 'libera' and 'Libera' differ in capitals alone: rename one"),
    ],
)
def test_networks_have_names_of_their_own(read: Read, second: str, mistake: str) -> None:
    mistakes = told(
        read(f"""
            networks = [Network("libera", host="a.example"),
                        Network("{second}", host="b.example")]
            """)
    )

    assert mistakes == [f"config.py:4: {mistake}"]


def test_an_account_needs_its_network_where_there_are_several(read: Read) -> None:
    text = """
        owners = [
            "*!*@trusted.example",
            "$a:alice",
            "oftc/$a:alice",
        ]
        networks = [Network("libera", host="a.example"), Network("oftc", host="b.example")]
        """

    assert told(read(text)) == [
        "config.py:5: owners: $a:alice may be somebody else on each network: "
        'write "libera/$a:alice" or "oftc/$a:alice"'
    ]


# -- all of them at once


def test_one_mistake_does_not_hide_the_others(read: Read) -> None:
    mistakes = told(
        read("""
            from pynfo.config import Netwrk
            nick = 5
            owners = [_undefined]
            networks = [
                Network("libera", host="irc.libera.chat",
                        port=0,
                        channels=["pynfo"],
                        sasl=Sasl("PLAIN", usrname="x")),
                Network("oftc", hots="irc.oftc.net"),
            ]
            plugins = 7
            """)
    )

    assert [mistake.partition(": ")[0] for mistake in mistakes] == [
        "config.py:3",
        "config.py:4",
        "config.py:5",
        "config.py:8",
        "config.py:9",
        "config.py:10",
        "config.py:11",
        "config.py:11",
        "config.py:13",
    ]


def test_what_follows_from_a_mistake_is_not_told_again(read: Read) -> None:
    mistakes = told(
        read("""
            _host = environ["HOST"]
            networks = [Network("libera", host=_host)]
            """)
    )

    assert mistakes == ["config.py:3: NameError: name 'environ' is not defined"]


def test_a_forgotten_import_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text('networks = [Network("libera", host="irc.libera.chat")]')

    mistakes = told(load(tmp_path / "config.py"))

    assert mistakes == [
        f"{tmp_path}/config.py:1: Network is not known here: write from pynfo.config import Network"
    ]


def test_what_is_no_python_is_told_with_its_line(read: Read) -> None:
    mistakes = told(read('nick = "pynfo"\nowners = ["alice"\nadmins = []\n'))

    assert mistakes == ["config.py:3: this is no Python: '[' was never closed"]


@pytest.mark.parametrize("content", [b"nick = '\xff'", b"nick = '\0'"])
def test_bytes_that_are_no_text_are_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.py").write_bytes(content)

    mistakes = told(load(tmp_path / "config.py"))

    assert len(mistakes) == 1
    assert "this is no Python" in mistakes[0]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert told(load(tmp_path / "gone.py")) == [
        f"{tmp_path}/gone.py: there is no such file: pynfo init writes one"
    ]
    assert told(load(tmp_path)) == [f"{tmp_path}: it cannot be read: Is a directory"]


def test_a_mistake_in_a_part_written_elsewhere_has_the_line_where_it_is_written(read: Read) -> None:
    mistakes = told(
        read("""
            _login = Sasl("PLAIN",
                          username=5, password="x")
            networks = [Network("libera", host="irc.libera.chat",
                                sasl=_login)]
            """)
    )

    assert mistakes == ["config.py:4: username must be text in quotes, not 5"]


def test_a_mistake_has_the_line_of_its_setting_where_the_file_does_not_spell_it_out(read: Read) -> None:
    mistakes = told(
        read("""
            _friends = ["$a:alice"]
            owners = [
                *_friends,
                "$b:bob",
            ]
            networks = [Network("libera", **dict(host="a b"))]
            """)
    )

    assert mistakes == [
        "config.py:4: owners: the mask '$b:bob' is not known: write $a:ACCOUNT",
        "config.py:8: host: 'a b' is no host: write a name or an address alone, such as \"irc.example.org\"",
    ]


def test_reading_a_config_again_gives_an_equal_one(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "hunter2")
    text = 'networks = [Network("libera", host="irc.libera.chat", password=env("PASSWORD"))]'

    assert config_of(read(text)) == config_of(read(text))


def test_a_misspelt_setting_deep_inside_is_told(tmp_path):
    path = tmp_path / "config.py"
    path.write_text(
        "from pynfo.config import Network\n"
        'networks = [Network("libera", host="irc.test")]\n'
        'plugins = {"logs": {"channels": {"libera/#pynfo": {"publich": "public"}}}}\n'
    )
    from pynfo.plugin_check import check_plugins

    [mistake] = check_plugins(load(path))
    assert mistake.line == 3
    assert mistake.text == (
        "logs: channels: libera/#pynfo: there is no setting 'publich': did you mean 'publish'?"
    )


def test_every_mistake_deep_inside_is_told_with_its_line_and_what_may_stand_there(tmp_path):
    path = tmp_path / "config.py"
    path.write_text(
        "from pynfo.config import Network\n"
        'networks = [Network("libera", host="irc.test")]\n'
        'plugins = {"logs": {"channels": {\n'
        '    "libera/#a": {"publish": "yes", "robots": {"ai": "no"}},\n'
        '    "libera/#b": {"relays": ["x", 3], "link_hours": 0},\n'
        '    "libera/#c": {"publish": True},\n'
        '    "libera/#d": None,\n'
        "}}}\n"
    )
    from pynfo.plugin_check import check_plugins

    publish = "publish must be one of 'public', 'unlisted', 'private', 'no'"
    assert [
        (mistake.line, mistake.text.removeprefix("logs: channels: ")) for mistake in check_plugins(load(path))
    ] == [
        (4, f"libera/#a: {publish}, not 'yes'"),
        (4, "libera/#a: robots: ai must be True or False, not 'no'"),
        (5, "libera/#b: relays[1] must be text in quotes, not 3"),
        (5, "libera/#b: link_hours must be a whole number >= 1, not 0"),
        (6, f"libera/#c: {publish}, not True"),
        (7, "libera/#d must be a dictionary, not None"),
    ]
