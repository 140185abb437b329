"""What the documentation shows works, and what there is stands in it."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from pynfo import interfaces
from pynfo.config import Config
from pynfo.config_http import HttpSettings
from pynfo.irc.settings import NetworkSettings

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(document, language):
    return re.findall(rf"```{language}\n(.*?)```", document.read_text(), re.DOTALL)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_python_example_is_python(document):
    for block in blocks(document, "python"):
        assert compile(block, document.name, "exec")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document):
    for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        assert "://" in link or (document.parent / link).exists(), link


def test_every_interface_of_the_core_is_in_the_guide():
    guide = (ROOT / "docs" / "plugins.md").read_text()
    offered = [name for name in vars(interfaces) if re.fullmatch(r"I[A-Z]\w+", name) and name != "Interface"]
    assert offered
    assert [name for name in offered if f"| `{name}` |" not in guide] == []


def test_every_setting_is_in_the_example_config():
    example = (ROOT / "config.example.py").read_text()
    structs = (Config, NetworkSettings, HttpSettings)
    settings = {name for struct in structs for name in struct.__struct_fields__} - {"path", "name"}
    assert sorted(name for name in settings if not re.search(rf"\b{name}\b", example)) == []


def test_every_setting_of_the_logs_is_in_their_guide():
    from plugins.logs.settings import ChannelSettings, Robots, Settings

    guide = (ROOT / "docs" / "logs.md").read_text()
    settings = {*Settings.__struct_fields__, *ChannelSettings.__struct_fields__}
    assert sorted(name for name in settings if f"| `{name}` |" not in guide) == []
    assert [name for name in Robots.__struct_fields__ if f"`{name}`:" not in guide] == []


def test_every_command_of_the_logs_is_in_their_guide():
    from plugins.logs import commands
    from pynfo.command import spec_of

    guide = (ROOT / "docs" / "logs.md").read_text()
    names = [spec_of(getattr(commands, name)).name for name in commands.__all__]
    assert names
    assert [name for name in names if f"!{name}" not in guide] == []


def test_every_setting_and_command_of_the_relay_is_in_its_guide():
    from plugins.relay import commands
    from plugins.relay.settings import PortSettings, WireSettings
    from pynfo.command import spec_of

    guide = (ROOT / "docs" / "relay.md").read_text()
    settings = {*PortSettings.__struct_fields__, *WireSettings.__struct_fields__}
    assert sorted(name for name in settings if f"| `{name}` |" not in guide) == []
    names = [spec_of(getattr(commands, name)).name for name in vars(commands) if name.startswith("relay")]
    assert len(names) == 6
    assert [name for name in names if f"`!{name}" not in guide] == []


ANSWERING = ("pypi", "feeds", "weather", "search", "dns", "links")


@pytest.mark.parametrize("plugin", ANSWERING)
def test_every_setting_of_what_answers_from_the_world_is_in_the_guide(plugin):
    guide = (ROOT / "docs" / "answers.md").read_text()
    settings = import_module(f"plugins.{plugin}").Settings.__struct_fields__
    assert settings
    assert [name for name in settings if f"| `{name}` |" not in section(guide, plugin)] == []


def test_every_setting_of_one_feed_is_in_the_guide():
    from plugins.feeds.settings import FeedSettings

    told = section((ROOT / "docs" / "answers.md").read_text(), "feeds")
    settings = FeedSettings.__struct_fields__
    assert [name for name in settings if not re.search(rf"[`\"]{name}[`\"]", told)] == []


def test_every_setting_of_fetching_is_in_the_guide():
    guide = (ROOT / "docs" / "answers.md").read_text()
    settings = [name for name in Config.__struct_fields__ if name.startswith("fetch_")]
    assert settings
    assert [name for name in settings if f"| `{name}` |" not in guide] == []


async def test_every_command_of_what_answers_from_the_world_is_in_the_guide_and_has_an_example(tmp_path):
    from pynfo.interfaces import ICommands
    from pynfo.testing.bot import Bot, config_for

    guide = (ROOT / "docs" / "answers.md").read_text()
    plugins = {name: {} for name in (*ANSWERING, "admin")}
    config = config_for(tmp_path / "state", owner="alice", plugins=plugins)
    async with Bot.running(config) as bot:
        commands = [command for command in ICommands(bot.factory).commands() if command.plugin in ANSWERING]
        assert {command.plugin for command in commands} == set(ANSWERING)
        assert [command.name for command in commands if f"!{command.name}" not in guide] == []
        for command in commands:
            assert "Example: !" in await bot.ask(f"!help {command.name}"), command.name


def section(guide, plugin):
    """The part of the guide about a plugin."""
    heading = {"pypi": "PyPI", "dns": "DNS"}.get(plugin, plugin.capitalize())
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", guide, re.DOTALL | re.MULTILINE)[1]


def test_every_address_of_the_log_site_is_in_its_guide():
    from plugins.logs.site.addresses import RESERVED

    guide = (ROOT / "docs" / "logs.md").read_text()
    assert [name for name in RESERVED - {"static", "favicon.ico"} if f"`/{name}" not in guide] == []


async def test_the_plugin_of_the_readme_works_as_it_says(tmp_path):
    from pynfo.testing.bot import Bot, config_for

    dice = next(block for block in blocks(ROOT / "README.md", "python") if "def roll" in block)
    register = next(block for block in blocks(ROOT / "README.md", "python") if "register(" in block)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "dice.py").write_text(dice)
    (tmp_path / "plugins.tml").write_text(register)
    config = config_for(tmp_path / "state", plugins={"dice": {}}, plugin_path=[tmp_path])
    async with Bot.running(config) as bot:
        assert re.fullmatch(r"alice rolled [1-6]", await bot.ask("!roll"))
        assert re.fullmatch(r"alice rolled \d+", await bot.ask("!roll 20"))
        assert await bot.ask("!roll 1") == "a die has 2 to 1000 sides"


async def test_the_pages_of_the_guide_are_shown(tmp_path):
    from tests.web_run import serving

    (tmp_path / "plugins").mkdir()
    shown = next(block for block in blocks(ROOT / "docs" / "plugins.md", "python") if "def pages" in block)
    (tmp_path / "plugins" / "dice_pages.py").write_text(shown)
    (tmp_path / "plugins.tml").write_text('register("dice_pages", "plugins.dice_pages")')
    async with serving(tmp_path) as served:
        await served.factory.plugins.load("dice_pages")
        assert (await served.get("/dice/")).text == "nobody has rolled yet"


def test_the_test_of_the_guide_passes_in_a_project_of_its_own(tmp_path):
    (tmp_path / "plugins").mkdir()
    for block in blocks(ROOT / "README.md", "python"):
        if "def roll" in block:
            (tmp_path / "plugins" / "dice.py").write_text(block)
        elif "register(" in block:
            (tmp_path / "plugins.tml").write_text(block)
    test = next(block for block in blocks(ROOT / "docs" / "plugins.md", "python") if "(bot)" in block)
    (tmp_path / "test_dice.py").write_text(test)

    run = subprocess.run(
        [sys.executable, "-m", "pytest"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "1 passed" in run.stdout, run.stdout


async def test_the_help_that_the_readme_shows_is_what_the_bot_says(tmp_path):
    from pynfo.testing.bot import Bot, config_for

    shown = re.search(r"<pynfo> (!seen NICK: .*)", (ROOT / "README.md").read_text())
    async with Bot.running(config_for(tmp_path / "state")) as bot:
        assert await bot.ask("!help seen") == shown[1]


async def test_every_bundled_command_has_help_with_its_usage(tmp_path):
    from pynfo.interfaces import ICommands
    from pynfo.testing.bot import Bot, config_for

    async with Bot.running(config_for(tmp_path / "state", owner="alice")) as bot:
        for command in ICommands(bot.factory).commands():
            answer = await bot.ask(f"!help {command.name}")
            assert command.name in answer
            assert len(answer) > len(command.name) + 10
