"""Loading, unloading and reloading plugins."""

from __future__ import annotations

import asyncio
import gc
import linecache
import logging
import os
import sys
import textwrap
import threading
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest
from zope.interface import implementer
from zope.interface.interface import InterfaceClass

from pynfo import plugin as plugin_module
from pynfo.command import spec_of
from pynfo.components import Componentized
from pynfo.config import Config
from pynfo.discovery import discover, own_directory
from pynfo.factory import Factory
from pynfo.interfaces import ICommands, IStorage
from pynfo.ownership import adopt, current_owner
from pynfo.plugin import PluginError, Plugins


@implementer(ICommands)
class Commands:
    """Keeps the names of the commands that are offered now."""

    def __init__(self) -> None:
        self.offered: list[str] = []

    def register(self, function: Callable[..., Any]) -> str:
        spec = spec_of(function)
        assert spec is not None
        owner = current_owner()
        assert owner is not None
        name = f"{owner.name}.{spec.name}"
        self.offered.append(name)
        adopt(lambda: self.offered.remove(name))
        return name


class Bot(Componentized):
    """As much of a factory as plugins see here. What they do, they note in `told`."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory
        self.config = Config(path=directory / "config.py")
        self.told: list[str] = []
        self.commands = Commands()
        self.register_adapter(ICommands, lambda bot: self.commands)
        self.plugins = Plugins(self)  # type: ignore[arg-type]

    def settings(self, name: str) -> Any:
        return self.plugins.loaded[name].settings

    def write(self, name: str, text: str, *, register: bool = True) -> Path:
        """Write plugins/NAME.py, and register it."""
        path = self.directory / "plugins" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
        if register:
            with open(self.directory / "plugins.tml", "a") as registry:
                registry.write(f'register("{name}", "plugins.{name}")\n')
        return path


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    path = list(sys.path)
    bot = Bot(tmp_path)
    yield bot
    await bot.plugins.unload_all()
    sys.path[:] = path
    for name in [name for name, module in sys.modules.items() if _is_in(module, tmp_path)]:
        del sys.modules[name]


def _is_in(module: object, directory: Path) -> bool:
    return (getattr(module, "__file__", None) or "").startswith(str(directory))


DICE = """
    from pynfo import command

    def init(factory):
        factory.told.append("init")

    def fini(factory):
        factory.told.append("fini")

    @command
    def roll(request):
        return "6"

    @command("dice list")
    def listing(request):
        return ""
    """


# -- load and unload


async def test_a_loaded_plugin_has_run_its_init_and_offers_its_commands(bot: Bot) -> None:
    bot.write("dice", DICE)

    await bot.plugins.load("dice")

    assert bot.told == ["init"]
    assert bot.commands.offered == ["dice.roll", "dice.dice list"]
    assert list(bot.plugins.loaded) == ["dice"]


async def test_an_unloaded_plugin_has_run_its_fini_and_offers_nothing(bot: Bot) -> None:
    bot.write("dice", DICE)
    await bot.plugins.load("dice")

    await bot.plugins.unload("dice")

    assert bot.told == ["init", "fini"]
    assert bot.commands.offered == []
    assert bot.plugins.loaded == {}
    assert "plugins.dice" not in sys.modules
    assert not hasattr(sys.modules["plugins"], "dice")


async def test_init_and_fini_may_be_async_or_missing(bot: Bot) -> None:
    bot.write("quiet", "")
    bot.write(
        "slow",
        """
        import asyncio
        async def init(factory):
            await asyncio.sleep(0)
            factory.told.append("init")
        async def fini(factory):
            await asyncio.sleep(0)
            factory.told.append("fini")
        """,
    )

    for name in ("quiet", "slow"):
        await bot.plugins.load(name)
        await bot.plugins.unload(name)

    assert bot.told == ["init", "fini"]


async def test_commands_that_a_plugin_imports_from_elsewhere_are_not_its_own(bot: Bot) -> None:
    bot.write("dice", DICE)
    bot.write("other", "from plugins.dice import roll")

    await bot.plugins.load("other")

    assert bot.commands.offered == []


async def test_what_init_registers_belongs_to_the_plugin(bot: Bot) -> None:
    bot.write(
        "dice",
        """
        from pynfo.ownership import adopt
        def init(factory):
            adopt(lambda: factory.told.append("taken back"))
        def fini(factory):
            factory.told.append("fini")
        """,
    )
    await bot.plugins.load("dice")

    await bot.plugins.unload("dice")

    assert bot.told == ["fini", "taken back"]


async def test_a_plugin_sees_its_validated_settings_from_init_on(bot: Bot) -> None:
    bot.write(
        "dice",
        """
        import msgspec
        from pathlib import Path
        from pynfo.irc.settings import Secret

        class Settings(msgspec.Struct):
            sides: int = 6
            key: Secret | None = None
            table: Path = Path("table")

        def init(factory):
            settings = factory.settings("dice")
            factory.told += [settings.sides, settings.key, settings.table]
        """,
    )
    bot.config.plugins = {"dice": {"key": "hunter2", "table": "tables/one"}}

    await bot.plugins.load("dice")

    sides, key, table = bot.told
    assert (sides, table) == (6, bot.directory / "tables/one")
    assert "hunter2" not in repr(key)


async def test_a_package_is_forgotten_with_its_parts(bot: Bot) -> None:
    package = bot.directory / "plugins" / "games"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from plugins.games import board")
    (package / "board.py").write_text("")
    (bot.directory / "plugins.tml").write_text('register("games", "plugins.games")')
    await bot.plugins.load("games")
    assert "plugins.games.board" in sys.modules

    await bot.plugins.unload("games")

    assert not any(name.startswith("plugins.games") for name in sys.modules)


async def test_the_sources_of_an_unloaded_plugin_are_not_kept(bot: Bot) -> None:
    path = bot.write("dice", DICE)
    await bot.plugins.load("dice")
    assert linecache.getline(str(path), 2)

    await bot.plugins.unload("dice")

    assert str(path) not in linecache.cache


async def test_what_typing_remembers_does_not_keep_an_unloaded_plugin(bot: Bot) -> None:
    bot.write("dice", "import typing\nclass Die: ...\nMaybe = typing.Optional[Die]")
    await bot.plugins.load("dice")
    die = weakref.ref(sys.modules["plugins.dice"].Die)

    await bot.plugins.unload("dice")

    gc.collect()
    assert die() is None


async def test_nothing_is_left_of_a_package_that_fails_half_way(bot: Bot) -> None:
    package = bot.directory / "plugins" / "dice"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import plugins.dice.board\n1 / 0")
    (package / "board.py").touch()
    (bot.directory / "plugins.tml").write_text('register("dice", "plugins.dice")')

    await refusal(bot, "dice")

    assert "plugins.dice.board" not in sys.modules


async def test_a_plugin_that_was_written_a_moment_ago_is_found(bot: Bot) -> None:
    directory = bot.write("dice", DICE).parent
    await bot.plugins.load("dice")
    moment = directory.stat().st_mtime_ns
    bot.write("more", "")
    os.utime(directory, ns=(moment, moment))  # as on file systems with coarse times

    await bot.plugins.load("more")

    assert "more" in bot.plugins.loaded


async def test_a_plugin_need_not_stand_in_a_directory_named_plugins(bot: Bot) -> None:
    (bot.directory / "pynfo_test_dice.py").write_text("def init(factory): factory.told.append(__name__)")
    (bot.directory / "plugins.tml").write_text('register("dice", "pynfo_test_dice")')

    await bot.plugins.load("dice")
    await bot.plugins.unload("dice")

    assert bot.told == ["pynfo_test_dice"]
    assert "pynfo_test_dice" not in sys.modules


async def test_two_bots_of_one_process_do_not_take_a_plugins_module_from_each_other(
    bot: Bot, tmp_path: Path
) -> None:
    bot.write("dice", DICE)
    other = Bot(tmp_path)
    await bot.plugins.load("dice")
    await other.plugins.load("dice")

    await bot.plugins.unload("dice")

    assert bot.plugins.loaded == {}
    assert sys.modules["plugins.dice"] is other.plugins.loaded["dice"].module
    await other.plugins.unload("dice")
    assert "plugins.dice" not in sys.modules


# -- what goes wrong is told with file and line, and nothing of it stays


async def refusal(bot: Bot, name: str) -> str:
    with pytest.raises(PluginError) as told:
        await bot.plugins.load(name)
    assert bot.plugins.loaded == {}
    assert bot.commands.offered == []
    assert f"plugins.{name}" not in sys.modules
    return str(told.value)


async def test_a_plugin_that_is_not_there_is_told_with_the_nearest_name(bot: Bot) -> None:
    bot.write("dice", DICE)

    assert await refusal(bot, "dise") == "there is no plugin 'dise': did you mean 'dice'?"


async def test_a_module_that_is_not_there_is_told_with_the_line_that_registers_it(bot: Bot) -> None:
    registry = bot.directory / "plugins.tml"
    registry.write_text('\nregister("dice", "plugins.dice")')

    assert await refusal(bot, "dice") == f"{registry}:2: plugin dice: there is no module plugins.dice"


async def test_a_plugin_of_another_kind_of_program_is_refused(bot: Bot) -> None:
    bot.write("dice", DICE, register=False)
    registry = bot.directory / "plugins.tml"
    registry.write_text('register("dice", "plugins.dice", type="editor")')

    assert await refusal(bot, "dice") == (
        f"{registry}:1: plugin dice is of type 'editor', and this is an infobot"
    )


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("import random\nrandom.choice([])", 2, "plugin dice: IndexError: "),
        ("import gone_library", 1, "plugin dice: ModuleNotFoundError: No module named 'gone_library'"),
        ("def init(factory)\n", 1, "plugin dice: this is no Python: expected ':'"),
        ("import sys\nsys.exit(3)", 2, "plugin dice: SystemExit: 3"),
        ("def init(factory):\n    int('x')", 2, "plugin dice: ValueError: invalid literal"),
        ("def init(factory):\n    raise SystemExit", 2, "plugin dice: SystemExit"),
        ("async def init(factory):\n    raise TimeoutError", 2, "plugin dice: TimeoutError"),
        (
            "from pynfo import command\n@command('a.b')\ndef x(r): ...",
            2,
            "plugin dice: ValueError: 'a.b' is no",
        ),
    ],
)
async def test_a_plugin_that_fails_is_told_with_its_own_line(
    bot: Bot, text: str, line: int, told: str
) -> None:
    path = bot.write("dice", "")
    path.write_text(text)

    assert (await refusal(bot, "dice")).startswith(f"{path}:{line}: {told}")


async def test_what_a_plugin_says_is_the_operators_to_mend_is_told_without_a_line_of_its_code(
    bot: Bot,
) -> None:
    bot.write(
        "dice",
        """
        from pynfo import PluginError
        def init(factory):
            raise PluginError("there is no table here")
        """,
    )

    assert await refusal(bot, "dice") == "plugin dice: there is no table here"


async def test_what_a_failed_init_registered_is_taken_back(bot: Bot) -> None:
    bot.write(
        "dice",
        """
        from pynfo.ownership import adopt
        def init(factory):
            adopt(lambda: factory.told.append("taken back"))
            1 / 0
        """,
    )

    await refusal(bot, "dice")

    assert bot.told == ["taken back"]


async def test_settings_that_the_plugin_does_not_have_are_refused(bot: Bot) -> None:
    bot.write("plain", "")
    bot.write("dice", "import msgspec\nclass Settings(msgspec.Struct):\n    sides: int = 6")
    bot.config.plugins = {"plain": {"sides": 6}, "dice": {"side": 6, "sides": "six"}}

    assert await refusal(bot, "plain") == (
        "plugin plain: its settings in the config: 'sides': this plugin has no settings"
    )
    assert await refusal(bot, "dice") == (
        "plugin dice: its settings in the config: there is no setting 'side': did you mean 'sides'?; "
        "sides must be a whole number, not 'six'"
    )


async def test_an_init_that_does_not_end_is_given_up(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bot.write("dice", "import asyncio\nasync def init(factory):\n    await asyncio.Event().wait()")
    monkeypatch.setattr(plugin_module, "INIT_LIMIT", 0.01)

    assert await refusal(bot, "dice") == f"{path}:2: plugin dice: init does not end within 0.01 s"


async def test_a_fini_that_fails_is_told_and_the_plugin_goes_all_the_same(bot: Bot) -> None:
    path = bot.write("dice", "def fini(factory):\n    1 / 0")
    await bot.plugins.load("dice")

    with pytest.raises(PluginError) as told:
        await bot.plugins.unload("dice")

    assert str(told.value) == f"{path}:2: plugin dice: ZeroDivisionError: division by zero"
    assert bot.plugins.loaded == {}


async def test_what_is_loaded_is_not_loaded_again_and_what_is_not_is_not_unloaded(bot: Bot) -> None:
    bot.write("dice", DICE)

    with pytest.raises(PluginError, match="plugin dice is not loaded"):
        await bot.plugins.unload("dice")
    await bot.plugins.load("dice")
    with pytest.raises(PluginError, match="plugin dice is loaded already"):
        await bot.plugins.load("dice")


async def test_a_broken_plugins_tml_is_logged_once_and_the_rest_load(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    bot.write("dice", DICE)
    bot.write("more", "")
    with open(bot.directory / "plugins.tml", "a") as registry:
        registry.write("1 / 0\n")

    await bot.plugins.load("dice")
    await bot.plugins.load("more")

    problem = f"{bot.directory}/plugins.tml:3: ZeroDivisionError: division by zero"
    assert [record.getMessage() for record in caplog.records].count(problem) == 1
    assert bot.plugins.problems == [problem]


# -- reload


async def test_a_reload_brings_the_new_files(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    bot.write("dice", DICE)
    await bot.plugins.load("dice")
    bot.write("dice", DICE.replace("def roll", "def toss"), register=False)  # as long, and in the same second

    await bot.plugins.reload("dice")

    assert bot.told == ["init", "fini", "init"]
    assert bot.commands.offered == ["dice.toss", "dice.dice list"]


@pytest.mark.parametrize("text", ["def broken(", "import gone_library", "raise SystemExit"])
async def test_the_old_plugin_goes_on_where_the_new_files_do_not_import(bot: Bot, text: str) -> None:
    bot.write("dice", DICE)
    await bot.plugins.load("dice")
    old = sys.modules["plugins.dice"]
    bot.write("dice", text, register=False)

    with pytest.raises(PluginError, match=r"dice\.py:1: .*\(the plugin as it was goes on\)"):
        await bot.plugins.reload("dice")

    assert bot.told == ["init"]
    assert bot.commands.offered == ["dice.roll", "dice.dice list"]
    assert sys.modules["plugins.dice"] is old
    assert sys.modules["plugins"].dice is old  # type: ignore[attr-defined]


async def test_the_old_plugin_goes_on_where_the_new_one_refuses_its_settings(bot: Bot) -> None:
    package = bot.directory / "plugins" / "dice"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "import msgspec\nclass Settings(msgspec.Struct):\n    sides: int = 6"
    )
    (bot.directory / "plugins.tml").write_text('register("dice", "plugins.dice")')
    bot.config.plugins = {"dice": {"sides": 6}}
    await bot.plugins.load("dice")
    old = sys.modules["plugins.dice"]
    (package / "__init__.py").write_text("import plugins.dice.extra")
    (package / "extra.py").touch()

    with pytest.raises(PluginError, match="this plugin has no settings"):
        await bot.plugins.reload("dice")

    assert bot.plugins.loaded["dice"].module is old is sys.modules["plugins.dice"]
    assert "plugins.dice.extra" not in sys.modules


async def test_a_plugin_whose_new_init_fails_is_unloaded(bot: Bot) -> None:
    bot.write("dice", DICE)
    await bot.plugins.load("dice")
    path = bot.write("dice", "def init(factory): 1 / 0", register=False)

    with pytest.raises(PluginError, match=f"{path}:1: plugin dice: ZeroDivisionError"):
        await bot.plugins.reload("dice")

    assert bot.told == ["init", "fini"]
    assert bot.plugins.loaded == {}
    assert "plugins.dice" not in sys.modules


OFFER = """
    from zope.interface import Interface
    class IDice(Interface):
        pass
    def init(factory):
        factory.register_adapter(IDice, lambda factory: "an adapter")
    """
USE = """
    from plugins.dice import IDice
    def init(factory):
        factory.told.append(IDice(factory, None))
    """


async def test_plugins_that_import_from_a_reloaded_one_are_reloaded_too(bot: Bot) -> None:
    bot.write("dice", OFFER)
    bot.write("table", USE)
    bot.write("apart", "def init(factory): factory.told.append('apart')")
    for name in ("dice", "table", "apart"):
        await bot.plugins.load(name)

    await bot.plugins.reload("dice")

    assert bot.told == ["an adapter", "apart", "an adapter"]


async def test_an_interface_is_found_however_often_its_plugin_comes_and_goes(bot: Bot) -> None:
    bot.write("dice", OFFER)
    bot.write("table", USE)
    for name in ("dice", "table"):
        await bot.plugins.load(name)

    await bot.plugins.unload("dice")
    await bot.plugins.load("dice")

    assert bot.told == ["an adapter", "an adapter"]


async def test_plugins_that_import_from_each_other_are_reloaded_once(bot: Bot) -> None:
    bot.write("one", "def init(factory):\n    from plugins import two\n    globals()['two'] = two")
    bot.write("two", "import plugins.one\nfrom plugins.one import init as inner\ndef init(factory): pass")
    for name in ("one", "two"):
        await bot.plugins.load(name)

    async with asyncio.timeout(5):
        await bot.plugins.reload("one")

    assert set(bot.plugins.loaded) == {"one", "two"}


# -- all of them


async def test_every_fini_runs_though_one_does_not_end(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    bot.write("first", "def fini(factory): factory.told.append('first')")
    bot.write("stuck", "import asyncio\nasync def fini(factory): await asyncio.Event().wait()")
    bot.write("last", "def fini(factory): factory.told.append('last')")
    for name in ("first", "stuck", "last"):
        await bot.plugins.load(name)

    await bot.plugins.unload_all(0.01)

    assert bot.told == ["last", "first"]
    assert bot.plugins.loaded == {}
    assert "plugin stuck: fini does not end within 0.01 s" in caplog.text


# -- what comes with Pynfo

WATCHED = (FunctionType, ModuleType, type, asyncio.Future, asyncio.TimerHandle, InterfaceClass)
LEFT = (
    10  # of a kind, after 100 times: what one plugin leaves is there 100 times, a cache has one more or less
)
BUNDLED = sorted(discover([own_directory()])[0])


def census() -> dict[str, int]:
    """Everything alive that is ours or that a plugin could leave behind, counted by kind."""
    while gc.collect():  # a class goes one round after its last instance, where that one is not tracked
        pass
    kinds: Counter[str] = Counter()
    for thing in gc.get_objects():
        kind = type(thing)
        home = kind.__module__ if isinstance(kind.__module__, str) else ""
        over = (
            isinstance(thing, asyncio.TimerHandle) and thing.cancelled()
        )  # kept by the event loop for a while
        if not over and (home.startswith(("pynfo.", "plugins.")) or isinstance(thing, WATCHED)):
            kinds[f"{home}.{kind.__qualname__}"] += 1
    kinds["tasks"] = len(asyncio.all_tasks())
    kinds["threads"] = threading.active_count()
    kinds["modules"] = len(sys.modules)
    kinds["import path"] = len(sys.path)
    kinds["loggers"] = len(logging.root.manager.loggerDict)
    kinds["log handlers"] = len(logging.root.handlers)
    kinds["sources"] = sum("/plugins/" in file for file in linecache.cache)
    return dict(kinds)


@pytest.mark.parametrize("name", BUNDLED)
async def test_nothing_is_left_of_a_bundled_plugin_that_was_loaded_100_times(
    tmp_path: Path, name: str
) -> None:
    factory = Factory(Config(state_dir=tmp_path, plugins={}))
    await factory.start()

    async def come_and_go(times: int) -> dict[str, int]:
        for _ in range(times):
            await factory.plugins.load(name)
            await factory.plugins.unload(name)
            await asyncio.sleep(0)  # an event loop that is never reached would be reported
        await IStorage(factory).flush()  # type: ignore[attr-defined]
        for _ in range(10):
            await asyncio.sleep(0)
        return census()

    try:
        before = await come_and_go(2)  # what is imported and made on first use stays

        after = await come_and_go(100)

        grown = {kind: number - before.get(kind, 0) for kind, number in after.items()}
        assert {kind: more for kind, more in grown.items() if more >= LEFT} == {}
    finally:
        await factory.stop()
