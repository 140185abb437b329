"""Which plugins there are, and where they come from."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from platformdirs import PlatformDirs

from pynfo import discovery
from pynfo.discovery import (
    build_namespace,
    data_directories,
    discover,
    entry_points,
    own_directory,
    plugin_path,
)

DICE = 'register("dice", "plugins.dice", description="Dice for the table")\n'


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def namespace() -> Iterator[None]:
    """Leave the package `plugins` of the other tests as it was."""
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "plugins"}
    path = list(sys.modules["plugins"].__path__) if "plugins" in sys.modules else None
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "plugins"]:
        if name not in before:
            del sys.modules[name]
    if path is not None:
        build_namespace([str(Path(part).parent) for part in path])


# -- plugins.tml


def test_a_plugin_is_found_with_its_place(tmp_path: Path) -> None:
    write(tmp_path / "plugins.tml", f"# ours\n{DICE}")

    found, problems = discover([str(tmp_path)])

    dice = found["dice"]
    assert problems == []
    assert (dice.module, dice.description, dice.type) == ("plugins.dice", "Dice for the table", "infobot")
    assert dice.origin == f"{tmp_path}/plugins.tml:2"


def test_earlier_directories_shadow_later_ones(tmp_path: Path) -> None:
    write(tmp_path / "a" / "plugins.tml", 'register("dice", "first")\n')
    write(tmp_path / "b" / "plugins.tml", 'register("dice", "second")\nregister("more", "third")\n')

    found, _ = discover([str(tmp_path / "a"), str(tmp_path / "b")])

    assert {name: registration.module for name, registration in found.items()} == {
        "dice": "first",
        "more": "third",
    }


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('register("Dice!", "dice")', "'Dice!' is no name for a plugin"),
        ("register(5, 'dice')", "5 is no name for a plugin"),
        (
            'register("dice2", "dice/x.py")',
            "dice2: 'dice/x.py' is no module: write such as \"plugins.dice2\"",
        ),
        ('register("dice2", "d", description=5)', "dice2: description and type are text"),
        ('register("dice", "d")', "dice is registered twice"),
        ("register('dice2', modul='d')", "TypeError"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit()", "SystemExit"),
    ],
)
def test_what_is_wrong_in_a_plugins_tml_is_told_and_the_rest_counts(
    tmp_path: Path, line: str, told: str
) -> None:
    path = write(tmp_path / "plugins.tml", f"{DICE}{line}\n")

    found, problems = discover([str(tmp_path)])

    assert list(found) == ["dice"]
    assert [(problem.path, problem.line) for problem in problems] == [(str(path), 2)]
    assert problems[0].text.startswith(told)


def test_a_plugins_tml_that_is_no_python_hides_no_other(tmp_path: Path) -> None:
    broken = write(tmp_path / "a" / "plugins.tml", "\nregister(\n")
    write(tmp_path / "b" / "plugins.tml", DICE)

    found, problems = discover([str(tmp_path / "a"), str(tmp_path / "b")])

    assert list(found) == ["dice"]
    assert [str(problem) for problem in problems] == [f"{broken}:2: this is no Python: '(' was never closed"]


def test_finding_plugins_imports_none_of_them(tmp_path: Path) -> None:
    write(tmp_path / "plugins.tml", 'register("loud", "loud_plugin")\n')
    write(tmp_path / "loud_plugin.py", "raise AssertionError")

    found, problems = discover([str(tmp_path)])

    assert list(found) == ["loud"]
    assert problems == []


# -- the plugin path


def test_the_plugin_path_goes_from_the_nearest_to_pynfos_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = ["bot", "listed", "user/pynfo", "system/pynfo", "installed"]
    for place in places:
        write(tmp_path / place / "plugins.tml")
    monkeypatch.setattr(
        discovery, "data_directories", lambda: [str(tmp_path / "user/pynfo"), str(tmp_path / "system/pynfo")]
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path / "installed"), str(tmp_path)])

    found = plugin_path(tmp_path / "bot" / "config.py", [tmp_path / "listed", tmp_path / "bot"])

    assert found == [*(str(tmp_path / place) for place in places), own_directory()]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere platformdirs is asked")
@pytest.mark.parametrize("home", [None, "/somewhere/data"])
@pytest.mark.parametrize("system", [None, "/opt/share:/usr/share"])
def test_data_directories_are_where_platformdirs_has_them(
    monkeypatch: pytest.MonkeyPatch, home: str | None, system: str | None
) -> None:
    for variable, value in (("XDG_DATA_HOME", home), ("XDG_DATA_DIRS", system)):
        if value is None:
            monkeypatch.delenv(variable, raising=False)
        else:
            monkeypatch.setenv(variable, value)

    places = PlatformDirs("pynfo", appauthor=False, multipath=True)

    assert data_directories() == [places.user_data_dir, *places.site_data_dir.split(":")]


def test_pynfos_own_plugins_are_found_from_anywhere() -> None:
    found, problems = discover(plugin_path(None, []))

    assert {"admin", "ignore", "seen"} <= found.keys()
    assert problems == []


# -- the package `plugins`


def test_plugins_of_several_directories_are_one_package(tmp_path: Path, namespace: None) -> None:
    write(tmp_path / "a" / "plugins" / "near.py", "here = 'a'")
    write(tmp_path / "b" / "plugins" / "near.py", "here = 'b'")
    write(tmp_path / "b" / "plugins" / "far.py", "here = 'b'")

    build_namespace([str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "none")])

    assert importlib.import_module("plugins.near").here == "a"
    assert importlib.import_module("plugins.far").here == "b"


def test_a_stray_init_file_does_not_take_the_package(tmp_path: Path) -> None:
    write(tmp_path / "a" / "plugins" / "__init__.py", "raise AssertionError")
    write(tmp_path / "b" / "plugins" / "dice.py")
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path / "a")!r})
from pynfo.discovery import build_namespace
build_namespace([{str(tmp_path / "a")!r}, {str(tmp_path / "b")!r}])
import plugins.dice
print(plugins.dice.__file__)
"""

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == str(tmp_path / "b" / "plugins" / "dice.py")


# -- entry points


def test_installed_packages_offer_plugins_by_entry_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "dicebox-1.2.dist-info"
    write(info / "METADATA", "Metadata-Version: 2.1\nName: dicebox\nVersion: 1.2\n")
    write(info / "entry_points.txt", "[pynfo.plugins]\ndice = dicebox.plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    dice = entry_points()["dice"]

    assert (dice.module, dice.origin, dice.directory) == ("dicebox.plugin", "dicebox 1.2", None)


def test_a_run_of_the_bot_does_not_ask_installed_packages() -> None:
    program = """
import sys
from pynfo.discovery import discover, plugin_path
discover(plugin_path(None, []))
print([name for name in ("importlib.metadata", "platformdirs", "click") if name in sys.modules])
"""

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"
