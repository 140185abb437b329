"""The command line: `pynfo run`, `check`, `init`, `console`, `demo`, `web`, `plugins`, and those of plugins.

`pynfo NAME …` is for a plugin of ./config.py whose module has `cli`, a click command or group; its `ctx.obj`
is the `Config`. Each command imports what it needs when it runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pynfo import __version__
from pynfo.__main__ import CONFIG
from pynfo.logging_setup import FORMATS

if TYPE_CHECKING:
    from types import ModuleType

    from pynfo.config import Config, Loaded

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

a_config = click.argument("config", required=False, type=click.Path(path_type=Path))


def log_options(function: Decorated) -> Decorated:
    """`-v` and `--log-format`, before the command or after it."""

    def keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
        if value:
            context.find_root().meta[f"pynfo.{parameter.name}"] = value

    options = (
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            expose_value=False,
            callback=keep,
            help="Log every line of IRC too, without its secrets.",
        ),
        click.option(
            "--log-format",
            type=click.Choice(FORMATS),
            expose_value=False,
            callback=keep,
            help="How log lines look; text if not said.",
        ),
    )
    for option in options:
        function = option(function)
    return function


class _Commands(click.Group):
    """The commands of the core, and those of the plugins in ./config.py."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = super().list_commands(ctx)
        if not Path(CONFIG).is_file():
            return names
        from pynfo.config import load

        config = load(CONFIG, networks_needed=False).draft
        offered = [name for name in (config.plugins if config else {}) if name not in names]
        return names + [name for name in offered if self.get_command(ctx, name) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            return command
        from pynfo.config import Config, load

        config = load(CONFIG, networks_needed=False).draft if Path(CONFIG).is_file() else Config(plugins={})
        if config is None:
            return None
        if cmd_name not in config.plugins:
            _refuse_plugin(config, cmd_name)
            return None
        ctx.obj = config
        offered = getattr(_plugin_module(config, cmd_name), "cli", None)
        return offered if isinstance(offered, click.Command) else None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pynfo", message="%(prog)s %(version)s")
@log_options
def cli() -> None:
    """An information bot for IRC communities."""


@cli.command()
@a_config
@log_options
@click.pass_context
def run(context: click.Context, config: Path | None) -> None:
    """Run the bot.

    CONFIG is ./config.py if not said. Ctrl-C or SIGTERM stops the bot, SIGHUP has it read CONFIG again.
    """
    from pynfo.runner import run as run_bot

    context.exit(run_bot(config or CONFIG, **_logging(context)))


@cli.command()
@a_config
@click.option("--host", help="The address of this machine to listen at, in place of CONFIG's.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port, in place of CONFIG's; 0: a free one.")
@log_options
@click.pass_context
def web(context: click.Context, config: Path | None, host: str | None, port: int | None) -> None:
    """Serve the plugins' web pages, without the bot.

    CONFIG is ./config.py if not said; a bot may run with it at the same time. Ctrl-C or SIGTERM ends it,
    SIGHUP has it read CONFIG again.
    """
    from pynfo.runner import run_web

    given = {"host": host, "port": port}
    settings = {name: value for name, value in given.items() if value is not None}
    context.exit(run_web(config or CONFIG, settings, **_logging(context)))


@cli.command()
@a_config
@click.pass_context
def check(context: click.Context, config: Path | None) -> None:
    """Tell every mistake in the config.

    Each with its line, and what to write instead. CONFIG is ./config.py if not said.
    """
    from pynfo.config import load
    from pynfo.plugin_check import check_plugins

    path = config or Path(CONFIG)
    loaded = load(path)
    mistakes = loaded.mistakes + check_plugins(loaded)
    for mistake in mistakes:
        click.echo(mistake)
    if mistakes:
        context.exit(1)
    click.echo(f"{path}: no mistakes")


@cli.command()
@click.argument("config", default=CONFIG, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--nick", help="The bot's nick.")
@click.option("--host", help="The address of the network: irc.libera.chat.")
@click.option("--network", help="A short name for the network: libera.")
@click.option("--channel", help="The channel to be in: #pynfo.")
@click.option("--force", is_flag=True, help="Replace CONFIG where there is one.")
def init(
    config: Path, nick: str | None, host: str | None, network: str | None, channel: str | None, force: bool
) -> None:
    """Write a commented config.

    CONFIG is ./config.py if not said. Asks for what no option says.
    """
    from pynfo.config_template import Answers, default_network, write_config

    if config.exists() and not force:
        raise click.ClickException(f"{config} exists already: --force replaces it")
    nick = nick or click.prompt("The bot's nick", default="pynfo")
    host = host or click.prompt("The network's address", default="irc.libera.chat")
    network = network or default_network(host)
    channel = channel or click.prompt("The channel", default="#pynfo")
    try:
        write_config(config, Answers(nick=nick, host=host, network=network, channel=channel))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{config} is written. Name yourself under owners, then: pynfo check, pynfo run")


@cli.command()
@a_config
@log_options
@click.pass_context
def console(context: click.Context, config: Path | None) -> None:
    """Talk to the bot here, without a network.

    CONFIG is ./config.py if not said; a bot to try out where there is none.
    """
    from pynfo.config import load
    from pynfo.console import run_console
    from pynfo.runner import run_until_interrupted

    _log_beside_talk(context)
    if config is None and Path(CONFIG).is_file():
        config = Path(CONFIG)
    settings = None if config is None else _correct(load(config, networks_needed=False))
    context.exit(run_until_interrupted(lambda: run_console(settings)))


@cli.command()
@log_options
@click.pass_context
def demo(context: click.Context) -> None:
    """Try it out, with nothing to configure.

    A small IRC server on this machine, the bot on it, and you.
    """
    from pynfo.demo import run_demo
    from pynfo.runner import run_until_interrupted

    _log_beside_talk(context)
    context.exit(run_until_interrupted(run_demo))


@cli.command()
@a_config
@click.pass_context
def plugins(context: click.Context, config: Path | None) -> None:
    """List the plugins, and where they are.

    Those that CONFIG loads, and those that were found beside. CONFIG is ./config.py if not said.
    """
    from pynfo.config import Config, load
    from pynfo.discovery import discover, entry_points, plugin_path

    settings = Config(plugins={})
    if config is not None or Path(CONFIG).is_file():
        settings = _correct(load(config or CONFIG, networks_needed=False))
    found, mistakes = discover(plugin_path(settings.path, settings.plugin_path))
    found = entry_points() | found
    for name in sorted(found.keys() | settings.plugins.keys()):
        loaded = "loaded" if name in settings.plugins else "found"
        if name in found:
            registration = found[name]
            click.echo(f"{name:16} {loaded:7} {registration.origin}  {registration.description}".rstrip())
        else:
            click.echo(f"{name:16} missing")
    for mistake in mistakes:
        click.echo(mistake, err=True)
    if mistakes or not settings.plugins.keys() <= found.keys():
        context.exit(1)


def _logging(context: click.Context) -> dict[str, Any]:
    meta = context.find_root().meta
    return {
        "verbose": bool(meta.get("pynfo.verbose")),
        "log_format": meta.get("pynfo.log_format", "text"),
    }


def _correct(loaded: Loaded) -> Config:
    """The config, or the end of the program with every mistake."""
    if loaded.config is None:
        raise click.ClickException("\n".join(["the config has mistakes:", *map(str, loaded.mistakes)]))
    return loaded.config


def _refuse_plugin(config: Config, name: str) -> None:
    """Somebody wants a command of a plugin that this config does not switch on."""
    from pynfo.discovery import discover, entry_points, plugin_path

    found, _ = discover(plugin_path(config.path, config.plugin_path))
    if name not in entry_points() | found:
        return
    if config.path is None:
        raise click.UsageError(f"there is no {CONFIG} here: use pynfo {name} in the directory of a bot's")
    raise click.UsageError(f'{name} is not switched on: write "{name}": {{}} under plugins in {CONFIG}')


def _plugin_module(config: Config, name: str) -> ModuleType:
    from pynfo.discovery import discover, entry_points, plugin_path
    from pynfo.plugin_modules import PluginError, import_plugin
    from pynfo.validation import unknown

    directories = plugin_path(config.path, config.plugin_path)
    found, _ = discover(directories)
    registration = found.get(name) or entry_points().get(name)
    if registration is None:
        raise click.ClickException(unknown("plugin", name, found))
    try:
        return import_plugin(registration, directories)
    except PluginError as error:
        raise click.ClickException(str(error)) from None


def _log_beside_talk(context: click.Context) -> None:
    """A person reads the same screen: without `-v`, only what is wrong is logged."""
    from pynfo.logging_setup import set_up_logging

    meta = context.find_root().meta
    level = logging.DEBUG if meta.get("pynfo.verbose") else logging.WARNING
    set_up_logging(level=level, log_format=meta.get("pynfo.log_format", "text"))
