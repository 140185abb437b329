"""The command line, as far as it needs no network."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pynfo import __version__
from pynfo.cli import cli
from pynfo.config import load
from pynfo.logging_setup import JsonFormatter, TextFormatter

GOOD = """
from pynfo.config import Network
networks = [Network("libera", host="irc.libera.chat")]
plugins = {"seen": {}}
"""
DICE = """
import click
import msgspec

class Settings(msgspec.Struct):
    sides: int = 6
    colours: list[str] = []

def check(settings, config):
    if settings.sides < 2:
        yield f"a die of {config.nick} has 2 sides or more"

@click.group()
def cli():
    "Dice for the table."

@cli.command()
@click.argument("sides", type=int)
@click.pass_obj
def roll(config, sides):
    click.echo(f"{config.nick} rolls {sides}")
"""

Pynfo = Callable[..., Result]


@pytest.fixture
def pynfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pynfo:
    """Run a command in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))  # a plugin's directory is added to it
    for module in ("test_cli_dice", "test_cli_broken"):
        sys.modules.pop(module, None)
    return lambda *words, **more: CliRunner().invoke(cli, words, prog_name="pynfo", **more)


def write_dice(settings: str = "{}") -> None:
    """A plugin with a config that loads it, here."""
    Path("plugins.tml").write_text('register("dice", "test_cli_dice", description="Dice for the table")')
    Path("test_cli_dice.py").write_text(DICE)
    Path("config.py").write_text(f"{GOOD}plugins = {{\n    'dice': {settings},\n}}\n")


# -- check


def test_check_of_a_good_config_says_so(pynfo: Pynfo) -> None:
    Path("config.py").write_text(GOOD)

    result = pynfo("check")

    assert (result.exit_code, result.output) == (0, "config.py: no mistakes\n")


def test_check_tells_every_mistake_and_exits_1(pynfo: Pynfo) -> None:
    Path("mine.py").write_text(f'{GOOD}nick = 5\nplugins = {{"sen": {{}}, "seen": {{"peple": 1}}}}\n')

    result = pynfo("check", "mine.py")

    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "mine.py:5: nick must be text in quotes, not 5",
        "mine.py:6: there is no plugin 'sen': did you mean 'seen'?",
        "mine.py:6: seen: there is no setting 'peple': did you mean 'people'?",
    ]


@pytest.mark.parametrize(
    ("settings", "mistake"),
    [
        ("{'sides': '6'}", "config.py:6: dice: sides must be a whole number, not '6'"),
        ("{'colours': ['red',\n 5]}", "config.py:7: dice: colours[1] must be text in quotes, not 5"),
        ("{'sides': 1}", "config.py:6: dice: a die of pynfo has 2 sides or more"),
    ],
)
def test_check_asks_the_plugins_about_their_settings(pynfo: Pynfo, settings: str, mistake: str) -> None:
    write_dice(settings)

    result = pynfo("check")

    assert (result.exit_code, result.output) == (1, f"{mistake}\n")


def test_check_names_the_line_where_a_plugin_does_not_import(pynfo: Pynfo, tmp_path: Path) -> None:
    write_dice()
    Path("test_cli_broken.py").write_text("\nimport gone_library\n")
    Path("plugins.tml").write_text('register("dice", "test_cli_broken")\nregister("?", "x")\n')

    result = pynfo("check")

    assert result.exit_code == 1
    assert f"{tmp_path}/plugins.tml:2: '?' is no name for a plugin" in result.output
    assert f"{tmp_path}/test_cli_broken.py:2: plugin dice: ModuleNotFoundError" in result.output


# -- init


def test_init_writes_a_config_that_has_no_mistakes(pynfo: Pynfo) -> None:
    result = pynfo("init", input="infobot\nirc.oftc.net\n#dice\n")

    config = load("config.py").config
    assert result.exit_code == 0, result.output
    assert config is not None
    network = config.networks[0]
    assert (config.nick, network.name, network.servers) == ("infobot", "oftc", [("irc.oftc.net", 6697)])
    assert [channel.name for channel in network.channels] == ["#dice"]


def test_the_logs_that_init_writes_as_a_comment_are_of_the_channel_that_was_said(pynfo: Pynfo) -> None:
    pynfo("init", input="infobot\nirc.oftc.net\n#dice\n")
    text = Path("config.py").read_text()
    Path("config.py").write_text(text.replace('# "logs":', '"logs":'))

    result = pynfo("check")

    config = load("config.py").config
    assert result.output == "config.py: no mistakes\n"
    assert config is not None
    assert config.plugins["logs"] == {"channels": {"oftc/#dice": {"publish": "public"}}}


def test_init_asks_nothing_that_options_say(pynfo: Pynfo) -> None:
    answers = ("--nick", 'a\\b"c', "--host", "irc.example", "--network", "here", "--channel", "#'\"")

    result = pynfo("init", "mine.py", *answers, input="")

    config = load("mine.py").config
    assert result.exit_code == 0, result.output
    assert config is not None
    assert (config.nick, config.networks[0].name) == ('a\\b"c', "here")
    assert config.networks[0].channels[0].name == "#'\""


def test_init_keeps_a_config_that_is_there_unless_forced(pynfo: Pynfo) -> None:
    Path("config.py").write_text(GOOD)

    refused = pynfo("init", input="\n\n\n")
    assert refused.exit_code == 1
    assert "config.py exists already: --force replaces it" in refused.output
    assert Path("config.py").read_text() == GOOD

    assert pynfo("init", "--force", input="\n\n\n").exit_code == 0
    assert Path("config.py").read_text() != GOOD


def test_init_refuses_an_answer_that_would_be_a_mistake(pynfo: Pynfo) -> None:
    result = pynfo("init", "--nick", "a b", "--host", "x", "--channel", "#x")

    assert result.exit_code == 1
    assert "nick: 'a b' is no nick" in result.output
    assert not Path("config.py").exists()


def test_a_new_config_is_for_its_owner_alone(pynfo: Pynfo) -> None:
    pynfo("init", input="\n\n\n")

    assert Path("config.py").stat().st_mode & 0o077 == 0


# -- plugins


def test_plugins_lists_what_is_loaded_and_what_is_only_found(pynfo: Pynfo, tmp_path: Path) -> None:
    write_dice()

    result = pynfo("plugins")

    lines = {line.split()[0]: line for line in result.output.splitlines()}
    assert result.exit_code == 0
    assert lines["dice"].split(maxsplit=3)[1:] == [
        "loaded",
        f"{tmp_path}/plugins.tml:1",
        "Dice for the table",
    ]
    assert lines["seen"].split()[1] == "found"


def test_plugins_tells_of_one_that_the_config_wants_and_nobody_has(pynfo: Pynfo) -> None:
    Path("config.py").write_text(f'{GOOD}plugins = {{"gone": {{}}}}\n')

    result = pynfo("plugins")

    assert result.exit_code == 1
    assert ["gone", "missing"] in [line.split() for line in result.output.splitlines()]


def test_plugins_needs_no_config(pynfo: Pynfo) -> None:
    result = pynfo("plugins")

    assert result.exit_code == 0
    assert "seen" in result.output


# -- commands of plugins


def test_a_plugin_of_the_config_has_commands_of_its_own(pynfo: Pynfo) -> None:
    write_dice()

    result = pynfo("dice", "roll", "20")

    assert (result.exit_code, result.output) == (0, "pynfo rolls 20\n")


def test_commands_of_plugins_are_in_the_help(pynfo: Pynfo) -> None:
    assert "Dice for the table." not in pynfo("--help").output

    write_dice()

    assert "Dice for the table." in pynfo("--help").output


def test_a_command_that_there_is_not_is_refused(pynfo: Pynfo) -> None:
    Path("config.py").write_text(GOOD)

    for name in ("dice", "seen"):  # not configured; configured, without commands
        result = pynfo(name)

        assert result.exit_code == 2
        assert f"No such command '{name}'" in result.output


def test_a_command_of_a_plugin_that_is_not_there_yet_says_what_is_missing(pynfo: Pynfo) -> None:
    nowhere = pynfo("logs", "status")
    Path("config.py").write_text(GOOD)
    off = pynfo("logs", "status")

    assert (nowhere.exit_code, off.exit_code) == (2, 2)
    assert "there is no config.py here: use pynfo logs in the directory of a bot's" in nowhere.output
    assert 'logs is not switched on: write "logs": {} under plugins in config.py' in off.output


# -- the rest


def test_the_version_is_told(pynfo: Pynfo) -> None:
    assert pynfo("--version").output == f"pynfo {__version__}\n"


def test_run_with_mistakes_in_the_config_tells_them_all_and_exits_1(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text("nick = 5\nowners = 6\n")

    result = subprocess.run(
        [sys.executable, "-m", "pynfo", "run"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        'config.py: there are no networks: write networks = [Network("libera", host="irc.libera.chat")]',
        "config.py:1: nick must be text in quotes, not 5",
        "config.py:2: owners must be a list, not 6",
    ]


def test_run_goes_without_the_library_of_the_command_line(tmp_path: Path) -> None:
    program = """
import sys
from unittest.mock import patch
import pynfo.__main__
with patch("pynfo.runner.run", lambda path: print(path) or 0), patch("sys.argv", ["pynfo", "run", "mine.py"]):
    try:
        pynfo.__main__.main()
    except SystemExit as end:
        print(end.code, "click" in sys.modules)
"""

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout.split() == ["mine.py", "0", "False"]


# -- how the log looks


def record(text: str, *arguments: object) -> logging.LogRecord:
    event = logging.LogRecord("pynfo.irc", logging.WARNING, "", 0, text, arguments, None)
    event.created = 1_000_000_000.5
    return event


def test_a_log_line_has_its_time_level_and_logger() -> None:
    line = TextFormatter().format(record("%s is here", "alice"))

    assert line == "2001-09-09T01:46:40.500Z WARNING pynfo.irc: alice is here"


def test_nobody_can_forge_a_log_line() -> None:
    line = TextFormatter().format(record("reason: %s", "bye\n2001 ERROR \x1b[2J\x9b\r\u202e"))

    assert line.endswith(r"reason: bye\n2001 ERROR \x1b[2J\x9b\r" + "\u202e")


def test_a_log_line_in_json_is_one_object_with_the_traceback() -> None:
    event = record("%s failed\n", "roll")
    try:
        raise ValueError("no such die\x07")
    except ValueError:
        event.exc_info = sys.exc_info()

    line = JsonFormatter().format(event)

    told = json.loads(line)
    assert "\n" not in line
    assert (told["level"], told["logger"], told["message"]) == ("WARNING", "pynfo.irc", "roll failed\n")
    assert told["traceback"].splitlines()[-1] == r"ValueError: no such die\x07"


def test_a_log_for_machines_has_mistakes_in_its_format_too(tmp_path):
    (tmp_path / "config.py").write_text("nick = 5\nowners = 6\n")

    done = subprocess.run(
        [sys.executable, "-m", "pynfo", "run", "--log-format", "json"],
        cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    messages = [json.loads(line)["message"] for line in done.stderr.splitlines()]
    assert "config.py:1: nick must be text in quotes, not 5" in messages
