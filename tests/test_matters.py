"""What the operator was told of networks and plugins is over when it is over, and not before."""

from __future__ import annotations

import msgspec
import pytest

from pynfo.interfaces import IOperator
from pynfo.irc.settings import SaslSettings, Secret
from pynfo.plugin import PluginError
from pynfo.testing.bot import Bot, config_for
from pynfo.testing.server import Server

REGISTERED = 'register("dice", "plugins.dice")\n'


def with_login(config, password):
    sasl = SaslSettings(mechanism="PLAIN", username="pynfo", password=Secret(password))
    network = msgspec.structs.replace(config.networks[0], sasl=sasl, plain_without_tls=True)
    return msgspec.structs.replace(config, networks=[network])


@pytest.fixture
def dice(tmp_path):
    """A plugin that can be written anew."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins.tml").write_text(REGISTERED)
    file = tmp_path / "plugins" / "dice.py"
    file.write_text("1 / 0\n")
    return file


def dice_config(tmp_path):
    return config_for(tmp_path / "state", plugin_path=[tmp_path], plugins={"dice": {}})


async def test_a_login_that_failed_is_told_as_long_as_the_bot_goes_on_without_it(tmp_path):
    config = with_login(config_for(tmp_path), "wrong")

    async with Bot.running(config, server=Server(accounts={"pynfo": "right"})) as bot:
        assert list(IOperator(bot.factory).matters()) == ["test/login"]


async def test_what_was_told_of_a_login_is_over_after_the_next_one(tmp_path):
    config = config_for(tmp_path)

    async with Bot.running(with_login(config, "wrong"), server=Server(accounts={"pynfo": "right"})) as bot:
        await bot.factory.reload(with_login(config, "right"))
        await bot.user.expect("JOIN #pynfo pynfo")
        await bot.settle()
        assert IOperator(bot.factory).matters() == {}


async def test_a_plugin_that_loads_at_last_is_no_matter_any_more(tmp_path, dice):
    async with Bot.running(dice_config(tmp_path)) as bot:
        assert list(IOperator(bot.factory).matters()) == ["plugin/dice"]

        dice.write_text("")
        await bot.factory.plugins.load("dice")

        assert IOperator(bot.factory).matters() == {}


async def test_a_plugin_that_still_does_not_load_stays_a_matter(tmp_path, dice):
    async with Bot.running(dice_config(tmp_path)) as bot:
        with pytest.raises(PluginError):
            await bot.factory.plugins.load("dice")

        assert list(IOperator(bot.factory).matters()) == ["plugin/dice"]


async def test_what_a_new_config_has_no_more_is_no_matter_any_more(tmp_path, dice):
    config = dice_config(tmp_path)

    async with Bot.running(config) as bot:
        IOperator(bot.factory).tell("test/#two/join", "test/#two: banned")
        await bot.factory.reload(msgspec.structs.replace(config, plugins={}, networks=[]))

        assert IOperator(bot.factory).matters() == {}
