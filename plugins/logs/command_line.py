"""`pynfo logs import`, `export` and `status`: the archive from the command line, beside a bot that runs."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from zoneinfo import ZoneInfo

import click

from plugins.logs.imports.formats import FORMATS

if TYPE_CHECKING:
    from plugins.logs.imports.importing import Add, Outcome
    from plugins.logs.line import Line
    from plugins.logs.settings import Settings
    from pynfo.config import Config

BREATH = 0.02  # seconds between two batches, in which the bot may write
EXPORTED = 1000  # lines read at once
STRANGE = 10  # files of folders that are no logs, told by name


def _zone(context: click.Context, parameter: click.Parameter, value: str | None) -> ZoneInfo | None:
    try:
        return None if value is None else ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # KeyError: there is none; the others: it is no name of one
        raise click.BadParameter(f"there is no time zone {value!r}: write UTC or Europe/Berlin") from None


def _moment(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """UTC epoch seconds of a day or a time; of a day that is the last one, its end."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        if parameter.name == "until" and len(value) <= len("2026-11-21"):
            moment += timedelta(days=1)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{value!r} is no time: write 2026-11-21 or 2026-11-21T14:00") from None


@click.group()
def cli() -> None:
    """Channel logs: read old ones, write them out, see what there is."""


@cli.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--format", type=click.Choice(tuple(FORMATS)), help="Where the files do not tell it.")
@click.option("--network", help="The network's name in the config.")
@click.option("--channel", help="The channel's name in the config; its # may be left out.")
@click.option(
    "--zone", callback=_zone, help="The files' time zone, Europe/Berlin; this machine's if not said."
)
@click.option("--dry-run", is_flag=True, help="Only read the files, and tell what is in them.")
@click.pass_obj
def import_files(
    config: Config,
    files: tuple[Path, ...],
    format: str | None,
    network: str | None,
    channel: str | None,
    zone: ZoneInfo | None,
    dry_run: bool,
) -> None:
    """Keep the lines of old log FILES, or of all files in folders.

    Of irssi, WeeChat, ZNC, HexChat, Limnoria, energymech, eggdrop, and `pynfo logs export`; packed with gzip
    too. The bot may run meanwhile. What is there already is not kept twice. Only channels that the config
    keeps are read; of several files, with --channel, only those whose names tell that channel.
    """
    from plugins.logs.imports.files import walk
    from plugins.logs.imports.importing import Choices, Importer, networks_of

    settings = _settings(config)
    if channel is not None and not channel.startswith(("#", "&", "+", "!")):
        channel = f"#{channel}"
    choices = Choices(format=format, network=network, channel=channel, zone=zone)
    wanted = list(walk(files))
    networks = networks_of(path for path, _ in wanted)
    if network is not None and len(networks) > 1:
        raise click.UsageError(
            f"--network: these files are of several networks: {', '.join(sorted(networks))}"
        )
    with _adding(_folder(config), dry_run=dry_run) as add, _progress(wanted) as progress:
        importer = Importer(settings, choices, add)
        alone = len(wanted) == 1
        outcomes = [(importer.read(path, progress, alone=alone), named) for path, named in wanted]
    found = [outcome for outcome, named in outcomes if named or not outcome.refused]
    strange = [outcome for outcome, named in outcomes if outcome.refused and not named]
    for outcome in found + strange[:STRANGE]:
        _tell(outcome, dry_run=dry_run)
    if len(outcomes) > 1:
        _tell_all([outcome for outcome, _ in outcomes], dry_run=dry_run)
    if zone is None and any(outcome.lines and outcome.format != "ndjson" for outcome, _ in outcomes):
        click.echo(f"Times were read as this machine's ({time.tzname[0]}): --zone says another.", err=True)
    if any(outcome.broken or (outcome.refused and named) for outcome, named in outcomes):
        raise click.exceptions.Exit(1)


@cli.command()
@click.argument("place")
@click.option("--since", callback=_moment, help="From then on, in UTC: 2026-11-21 or 2026-11-21T14:00.")
@click.option("--until", callback=_moment, help="Up to then, or to the end of that day, in UTC.")
@click.option("--format", type=click.Choice(("ndjson", "text")), default="ndjson", show_default=True)
@click.option("--output", type=click.File("wb", atomic=True), default="-", help="Write to a file.")
@click.pass_obj
def export(
    config: Config, place: str, since: float | None, until: float | None, format: str, output: BinaryIO
) -> None:
    """Write out the lines of PLACE, such as libera/#pynfo.

    As ndjson, which `pynfo logs import` reads, or as text. Hosts are never written.
    """
    from plugins.logs.exports import as_ndjson, as_text

    with _reading(_folder(config)) as connection:
        for line in _lines(connection, place, since, until):
            output.write(as_ndjson(line) if format == "ndjson" else f"{as_text(line)}\n".encode())


@cli.command()
@click.pass_obj
def status(config: Config) -> None:
    """Tell which channels are kept, and how much of them."""
    from humanize import naturalsize

    from plugins.logs.archive import reading
    from plugins.logs.publishing import effective

    settings, folder = _settings(config), _folder(config)
    with _reading(folder) as connection:
        found = {info.place: info for info in reading.channels(connection, datetime.now(UTC).date())}
        days = {place: reading.calendar(connection, place) for place in found}
    width = max(map(len, [*found, *settings.channels]), default=0)
    for place in sorted({*found, *settings.channels}):
        info, kept = found.get(place), settings.channels.get(place)
        publish = effective(kept, info.publish if info else None) if kept else "not kept any more"
        text = f"{place:{width}}  {publish:8}  {info.lines if info else 0:>12,} lines"
        if days.get(place):
            text += f"  {min(days[place])} to {max(days[place])}"
        click.echo(text)
    size = sum(file.stat().st_size for file in folder.glob("archive.db*"))
    click.echo(f"{naturalsize(size)} in {folder}")


# -- what the commands share


def _settings(config: Config) -> Settings:
    from plugins.logs.settings import Settings
    from pynfo.validation import convert_struct

    base = config.path.parent if config.path is not None else Path.cwd()
    settings, problems = convert_struct(config.plugins.get("logs", {}), Settings, base)
    if not isinstance(settings, Settings):
        raise click.ClickException(f"the settings of the plugin logs: {problems[0].text}")
    return settings


def _folder(config: Config) -> Path:
    return config.state_dir / "logs"


@contextmanager
def _adding(folder: Path, *, dry_run: bool) -> Iterator[Add | None]:
    """A function that keeps lines; None where nothing is to be written."""
    if dry_run:
        yield None
        return
    from plugins.logs.archive.consents import Consents
    from plugins.logs.archive.database import ArchiveError, load_key, open_archive
    from plugins.logs.archive.writing import Writer

    try:
        consents = Consents(load_key(folder))
        connection = open_archive(folder / "archive.db")
    except ArchiveError as error:
        raise click.ClickException(str(error)) from None
    writer = Writer(connection, consents)

    def add(lines: Sequence[Line]) -> int:
        count = writer.add(lines)
        time.sleep(BREATH)
        return count

    try:
        yield add
    except sqlite3.Error as error:
        raise click.ClickException(
            f"{folder / 'archive.db'} cannot be written: {error}. What was read before is kept; import again "
            "when it can be"
        ) from None
    finally:
        connection.close()


@contextmanager
def _reading(folder: Path) -> Iterator[sqlite3.Connection]:
    from plugins.logs.archive.database import ArchiveError, open_archive

    path = folder / "archive.db"
    if not path.exists():
        raise click.ClickException(f"nothing is kept yet: there is no {path}")
    try:
        connection = open_archive(path, read_only=True)
    except ArchiveError as error:
        raise click.ClickException(str(error)) from None
    try:
        yield connection
    finally:
        connection.close()


def _lines(
    connection: sqlite3.Connection, place: str, since: float | None, until: float | None
) -> Iterator[Line]:
    from plugins.logs.archive import reading
    from plugins.logs.line import MICROSECONDS
    from pynfo.validation import unknown

    if not reading.channel_of(connection, place):
        places = [info.place for info in reading.channels(connection, datetime.now(UTC).date())]
        raise click.ClickException(unknown("channel", place, places))
    after = -1 if since is None else round(since * MICROSECONDS) - 1
    end = 2**62 if until is None else round(until * MICROSECONDS)
    while lines := reading.export(connection, place, after, end, EXPORTED):
        yield from lines
        after = lines[-1].id


@contextmanager
def _progress(files: list[tuple[Path, bool]]) -> Iterator[Callable[[int], object]]:
    """A function to call with how many bytes more are read: it draws a bar, where somebody looks."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    total = sum(path.stat().st_size for path, _ in files if path.is_file())
    with click.progressbar(length=total, label="Reading", file=sys.stderr) as bar:
        yield bar.update


# -- what came of it


def _tell(outcome: Outcome, *, dry_run: bool) -> None:
    name = click.format_filename(outcome.path)
    if outcome.refused:
        click.echo(f"{name}: {outcome.refused}", err=True)
        return
    places = ", ".join(sorted(outcome.places))
    click.echo(f"{name}: {_counts([outcome], dry_run=dry_run)} ({outcome.format}{places and f', {places}'})")
    for text in outcome.shown:
        click.echo(f"    {text}", err=True)
    if outcome.unread > len(outcome.shown):
        click.echo(f"    and {outcome.unread - len(outcome.shown):,} more", err=True)
    if outcome.broken:
        click.echo(f"    {outcome.broken}", err=True)


def _tell_all(outcomes: list[Outcome], *, dry_run: bool) -> None:
    read = [outcome for outcome in outcomes if not outcome.refused]
    refused = len(outcomes) - len(read)
    left = f"; {refused:,} were not read" if refused else ""
    click.echo(f"{len(read):,} files: {_counts(read, dry_run=dry_run)}{left}")


def _counts(outcomes: list[Outcome], *, dry_run: bool) -> str:
    """`12,345 lines of 2019-01-02 to 2026-11-21, 12,300 new, 2 could not be read`."""
    lines = sum(outcome.lines for outcome in outcomes)
    text = f"{lines:,} line{'s' * (lines != 1)}"
    first = min((outcome.first for outcome in outcomes if outcome.first is not None), default=None)
    last = max((outcome.last for outcome in outcomes if outcome.last is not None), default=None)
    if first is not None and last is not None:
        days = sorted({_day(first), _day(last)})
        text += f" of {' to '.join(days)}"
    text += ", nothing written" if dry_run else f", {sum(outcome.new for outcome in outcomes):,} new"
    for count, what in (
        (sum(outcome.unread for outcome in outcomes), "could not be read"),
        (sum(outcome.old for outcome in outcomes), "older than they are kept for"),
        (sum(outcome.elsewhere for outcome in outcomes), "of channels that are not kept"),
    ):
        text += f", {count:,} {what}" if count else ""
    return text


def _day(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).date().isoformat()
