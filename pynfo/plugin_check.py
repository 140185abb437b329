"""What `pynfo check` says of plugins: whether each one can be found and imported, and likes its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pynfo.config import Loaded
from pynfo.config_places import Mistake, Place
from pynfo.discovery import KIND, Registration, discover, entry_points, plugin_path
from pynfo.plugin_modules import PluginError, failure, import_plugin, read_settings
from pynfo.validation import unknown


def check_plugins(loaded: Loaded) -> list[Mistake]:
    """Import every plugin of a config and check its settings, as at a start, but run nothing of it.

    A plugin may define `check(settings, config)`, which gives a sentence for each further mistake; it is
    asked once the rest of the config is right.
    """
    config = loaded.draft
    if config is None:
        return []
    directories = plugin_path(config.path, config.plugin_path)
    found, mistakes = discover(directories)
    if not config.plugins.keys() <= found.keys():
        found = entry_points() | found
    for name in config.plugins:
        place = loaded.place("plugins", name)
        registration = found.get(name)
        if registration is None:
            mistakes.append(place.mistake(unknown("plugin", name, found)))
        elif registration.type != KIND:
            mistakes.append(place.mistake(f"{name} is a plugin of type {registration.type!r}, not {KIND!r}"))
        else:
            mistakes += _check(registration, directories, loaded, place)
    return mistakes


def _check(registration: Registration, directories: list[str], loaded: Loaded, place: Place) -> list[Mistake]:
    name, config = registration.name, loaded.draft
    assert config is not None
    try:
        module = import_plugin(registration, directories)
    except PluginError as error:
        return [Mistake(error.path, error.line, error.text) if error.path else place.mistake(error.text)]
    base = config.path.parent if config.path is not None else Path.cwd()
    settings, problems = read_settings(module, config.plugins[name], base)
    if problems:
        return [place.part(*problem.keys).mistake(f"{name}: {problem.text}") for problem in problems]
    check: Any = getattr(module, "check", None)
    if check is None or loaded.config is None:
        return []
    try:
        return [place.mistake(f"{name}: {text}") for text in check(settings, config)]
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the edge of a plugin
        return [place.mistake(f"{failure(error, name, module.__name__)}, in its check")]
