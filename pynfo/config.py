"""The config file: Python, executed, then checked whole.

`load` gives a `Config`, or every mistake with its file and line. A statement that fails does not keep the
next from being read, and constructors record instead of raising (`pynfo.config_terms`), so that one mistake
does not hide the others. Relative paths start at the config file's directory. This module's public names are
what a config file imports.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pynfo import config_rules as rules
from pynfo import config_terms
from pynfo.config_http import HttpReader, HttpSettings
from pynfo.config_networks import NetworkReader
from pynfo.config_places import Mistake, Place, Source
from pynfo.config_terms import Channel, Http, Network, Sasl, env, file
from pynfo.irc.settings import NetworkSettings, Secret
from pynfo.tracebacks import line_in
from pynfo.usermask import UserMask, parse
from pynfo.validation import Problem, convert_fields, shown, unknown

__all__ = ["Channel", "Config", "Http", "Loaded", "Mistake", "Network", "Sasl", "env", "file", "load"]

Limit = tuple[int, float] | None  # commands, seconds; None: no limit

DEFAULT_LIMITS: dict[str, Limit] = {"user": (6, 30.0), "channel": (30, 30.0)}
FOR_NETWORKS = ("nick", "alternate_nicks", "username", "realname")  # a network may say them for itself

RULES: Mapping[str, rules.Rule] = {
    "nick": rules.nick,
    "alternate_nicks": rules.nick,
    "username": rules.username,
    "realname": rules.one_line,
    "command_prefix": rules.command_prefix,
    "command_time_limit": rules.time_limit,
    "plugin_path": rules.directory,
    "fetch_contact": rules.contact,
    "fetch_proxy": rules.fetch_proxy,
    "fetch_allow": rules.proxy,
}


def bundled_plugins() -> dict[str, dict[str, Any]]:
    """What a bot runs whose config says nothing of plugins."""
    return {"admin": {}, "ignore": {}, "seen": {}}


class Config(msgspec.Struct, kw_only=True):
    """What a config file says. `path` is the file, None where there is none."""

    path: Path | None = None
    nick: str = "pynfo"
    alternate_nicks: list[str] = []
    username: str = "pynfo"
    realname: str = "Pynfo"
    command_prefix: str = "!"
    owners: list[str] = []
    admins: list[str] = []
    command_limits: dict[str, Limit] = msgspec.field(default_factory=DEFAULT_LIMITS.copy)
    command_time_limit: float = 20.0  # seconds
    answer_bots: bool = False
    state_dir: Path = Path("state")
    plugin_path: list[Path] = []
    networks: list[NetworkSettings] = []
    http: HttpSettings | None = None  # None: no web
    fetch_contact: str | None = None  # who is to be asked about the bot's requests: an address
    fetch_proxy: str | Secret | None = None  # None: none
    fetch_allow: list[str] = []  # addresses and networks that a stranger may have the bot ask all the same
    plugins: dict[str, dict[str, Any]] = msgspec.field(default_factory=bundled_plugins)  # name -> settings


class _Form(Config, kw_only=True):
    """What is read on its own, because mistakes in it have places of their own."""

    command_limits: Any = None
    networks: Any = None
    http: Any = None
    plugins: Any = None


class Loaded:
    """A config file that has been read: `config`, None where there are `mistakes`.

    `draft` is what could be read all the same, for further checks; None where the file is not even Python.
    """

    __slots__ = ("_source", "config", "draft", "mistakes")

    def __init__(self, config: Config | None, mistakes: Iterable[Mistake], source: Source | None) -> None:
        self._source = source
        self.mistakes = sorted(dict.fromkeys(mistakes), key=lambda mistake: (mistake.path, mistake.line or 0))
        self.draft = config
        self.config = None if self.mistakes else config

    def place(self, name: str, *keys: object) -> Place:
        """Where a top-level name, or a part of its value, stands in the file."""
        if self._source is None:
            return Place("config", None)
        return self._source.setting(name).part(*keys)


def load(path: Path | str, *, networks_needed: bool = True) -> Loaded:
    """Read a config file. Nothing is raised: what is wrong is in `mistakes`.

    `networks_needed`: whether a file without networks is a mistake, as it is unless nothing will connect.
    """
    named, absolute = str(path), os.path.abspath(path)
    try:
        with open(absolute, "rb") as written:
            tree = ast.parse(written.read(), absolute)
    except FileNotFoundError:
        return Loaded(None, [Mistake(named, None, "there is no such file: pynfo init writes one")], None)
    except OSError as error:
        return Loaded(None, [Mistake(named, None, f"it cannot be read: {error.strerror}")], None)
    except SyntaxError as error:
        return Loaded(None, [Mistake(named, error.lineno, f"this is no Python: {error.msg}")], None)
    except ValueError as error:  # NUL bytes
        return Loaded(None, [Mistake(named, None, f"this is no Python: {error}")], None)
    source = Source(named, absolute, tree)
    namespace: dict[str, Any] = {"__name__": "pynfo_config", "__file__": absolute}
    execution = _Execution(source, namespace)
    execution.run()
    reader = _Reader(source, namespace, execution.lost)
    config = reader.read(networks_needed=networks_needed)
    return Loaded(config, execution.mistakes + reader.mistakes, source)


class _Execution:
    """Runs a file statement by statement; `lost` are the names that failed statements would have bound."""

    def __init__(self, source: Source, namespace: dict[str, Any]) -> None:
        self.mistakes: list[Mistake] = []
        self.lost: set[str] = set()
        self._source = source
        self._namespace = namespace

    def run(self) -> None:
        unread: list[Mistake] = []
        token = config_terms.unreadable.set(unread)
        try:
            for statement in self._source.tree.body:
                self._run(statement)
        finally:
            config_terms.unreadable.reset(token)
        here = self._source
        self.mistakes += [
            Mistake(here.path, mistake.line, mistake.text) if mistake.path == here.file else mistake
            for mistake in unread
        ]

    def _run(self, statement: ast.stmt) -> None:
        module = ast.Module([statement], [])
        try:
            exec(compile(module, self._source.file, "exec"), self._namespace)  # noqa: S102 - it is the format
        except (Exception, SystemExit) as error:  # noqa: BLE001 - anything may stand in the file
            follows = isinstance(error, NameError) and error.name in self.lost
            if not follows:
                line = line_in(error, self._source.file) or statement.lineno
                self.mistakes.append(Mistake(self._source.path, line, _in_words(error)))
            bound = Source("", "", module)
            self.lost |= bound.settings.keys() | bound.others


class _Reader:
    """Checks what a file has left in its namespace, and makes the `Config`."""

    def __init__(self, source: Source, namespace: dict[str, Any], lost: set[str]) -> None:
        self.mistakes: list[Mistake] = []
        self._source = source
        self._namespace = namespace
        self._lost = lost
        self._base = Path(source.file).parent

    def read(self, *, networks_needed: bool) -> Config:
        names = set(Config.__struct_fields__) - {"path"}
        given = {name: self._namespace[name] for name in names if name in self._namespace}
        self._refuse_unknown(names)
        values, problems = convert_fields(given, _Form, self._base)
        self._tell_all(problems)
        self._tell_all(rules.broken(values, RULES))
        if "command_limits" in given:
            values["command_limits"] = self._limits(given["command_limits"])
        values.setdefault("state_dir", self._base / "state")
        written = given.get("networks", [])
        if networks_needed and written == [] and "networks" not in self._lost:
            example = 'networks = [Network("libera", host="irc.libera.chat")]'
            self._tell(f"there are no networks: write {example}", "networks")
        common = {name: values[name] for name in FOR_NETWORKS if name in values}
        values["networks"] = self._networks(written, common)
        values["http"] = self._http(given.get("http"))
        values["plugins"] = self._plugins(given.get("plugins", bundled_plugins()))
        self._masks(values, _names(written))
        return Config(path=Path(self._source.file), **values)

    def _refuse_unknown(self, names: set[str]) -> None:
        """Names that are its own begin with `_`, are in capitals, or are imported or defined in it."""
        for name, place in self._source.settings.items():
            own = name.startswith("_") or name.isupper() or name in self._source.others
            if name not in names and not own and name in self._namespace:
                text = f"{unknown('setting', name, names)} (a name of your own begins with _)"
                self.mistakes.append(place.mistake(text))

    def _limits(self, written: object) -> dict[str, Limit]:
        if written is None:
            return dict.fromkeys(DEFAULT_LIMITS)
        limits = DEFAULT_LIMITS.copy()
        if not isinstance(written, dict):
            example = '{"user": (6, 30), "channel": (30, 30)}'
            text = f"command_limits must be a dictionary, not {shown(written)}: write {example}"
            self._tell(text, "command_limits")
            return limits
        for whose, limit in written.items():
            keys = ("command_limits", whose)
            if whose not in limits:
                self._tell(unknown("limit", whose, DEFAULT_LIMITS), *keys)
            elif limit is not None and not _is_limit(limit):
                text = f"{whose}: {shown(limit)} is no limit: write (COMMANDS, SECONDS), or None for no limit"
                self._tell(text, *keys)
            else:
                limits[whose] = None if limit is None else (limit[0], float(limit[1]))
        return limits

    def _networks(self, written: object, common: dict[str, Any]) -> list[NetworkSettings]:
        if not isinstance(written, list | tuple):
            self._tell(f"networks must be a list, not {shown(written)}: write [Network(…)]", "networks")
            return []
        place = self._source.setting("networks")
        reader = NetworkReader(self._source, self._base, common)
        networks = [reader.read(item, place.part(index)) for index, item in enumerate(written)]
        self.mistakes += reader.mistakes
        names = _names(written)
        for index, (item, name) in enumerate(zip(written, names, strict=True)):
            alike = [other for other in names[:index] if name and other.lower() == name.lower()]
            if name in alike:
                self.mistakes.append(
                    reader.place(item).mistake(f"there are two networks {name!r}: rename one")
                )
            elif alike:
                text = f"the networks {alike[0]!r} and {name!r} differ in capitals alone: rename one"
                self.mistakes.append(reader.place(item).mistake(text))
        return [network for network in networks if network is not None]

    def _http(self, written: object) -> HttpSettings | None:
        reader = HttpReader(self._source, self._base)
        settings = reader.read(written, self._source.setting("http"))
        self.mistakes += reader.mistakes
        return settings

    def _plugins(self, written: object) -> dict[str, dict[str, Any]]:
        if not isinstance(written, dict):
            self._tell(
                f'plugins must be a dictionary, not {shown(written)}: write {{"admin": {{}}}}', "plugins"
            )
            return {}
        plugins = {}
        for name, settings in written.items():
            if not isinstance(name, str):
                self._tell(f"{shown(name)} is no name of a plugin: write it in quotes", "plugins", name)
            elif not isinstance(settings, dict):
                text = f'{name} has {shown(settings)} for settings: write "{name}": {{}}'
                self._tell(text, "plugins", name)
            else:
                plugins[name] = settings
        return plugins

    def _masks(self, values: dict[str, Any], networks: list[str]) -> None:
        for name in ("owners", "admins"):
            for index, text in enumerate(values.get(name, [])):
                try:
                    wrong = _mask_problem(parse(text), text, networks)
                except ValueError as error:
                    wrong = str(error)
                if wrong:
                    self._tell(f"{name}: {wrong}", name, index)

    def _tell(self, text: str, name: str, *keys: object) -> None:
        self.mistakes.append(self._source.setting(name).part(*keys).mistake(text))

    def _tell_all(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            name, *keys = problem.keys
            self._tell(problem.text, str(name), *keys)


def _names(written: object) -> list[str]:
    """The short names of the networks as written, `""` where one has none."""
    items = written if isinstance(written, list | tuple) else []
    names = [
        (item.arguments[0] if item.arguments else item.keywords.get("name"))
        if isinstance(item, Network)
        else None
        for item in items
    ]
    return [name if isinstance(name, str) else "" for name in names]


def _mask_problem(mask: UserMask, text: str, networks: list[str]) -> str | None:
    if mask.hostmask is not None and set(text).isdisjoint("!@"):
        return f"{text!r} is a nick, which anybody can take: write $a:ACCOUNT, or nick!user@host"
    known = list(dict.fromkeys(name for name in networks if name and rules.network_name(name) is None))
    if mask.network is not None and mask.network not in known:
        return unknown("network", mask.network, known)
    if mask.account is not None and mask.network is None and len(known) > 1:
        choices = " or ".join(f'"{name}/{text}"' for name in known)
        return f"{text} may be somebody else on each network: write {choices}"
    return None


def _is_limit(limit: object) -> bool:
    if not isinstance(limit, list | tuple) or len(limit) != 2:
        return False
    most, seconds = limit
    return type(most) is int and type(seconds) in (int, float) and most >= 1 and seconds > 0


def _in_words(error: BaseException) -> str:
    name = error.name if isinstance(error, NameError) else None
    if name in ("Channel", "Http", "Network", "Sasl", "env", "file"):
        return f"{name} is not known here: write from pynfo.config import {name}"
    if isinstance(error, SystemExit):
        return "the file ends the program: take the exit out"
    if name in ("true", "false", "none"):
        return f"{name} is not known: write {name.capitalize()}"
    return f"{type(error).__name__}: {error}"
