"""A file into the archive: which format and which channel it is of, then line after line, in batches.

Nothing that is wrong with a line ends the reading: it is counted, and the first few are told. A batch is of
whole minutes, since that is what the archive compares lines by, and of at most `SPAN` of time, so that little
of the archive is looked at for one batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo
from pathlib import Path

import msgspec

from plugins.logs.imports.files import BrokenFile, Source, sample
from plugins.logs.imports.formats import FORMATS, recognise
from plugins.logs.imports.modes import shown_modes
from plugins.logs.imports.names import Told, told_by
from plugins.logs.imports.readers import Reader
from plugins.logs.imports.times import Times, Unread
from plugins.logs.line import Line
from plugins.logs.lines import COMINGS
from plugins.logs.relayed import spoken
from plugins.logs.settings import Settings
from pynfo.irc.casemap import fold
from pynfo.irc.formatting import clean, plain
from pynfo.off_the_record import off_the_record

BATCH = 5000  # lines
BATCH_MOST = 50_000  # lines of one minute, or so many characters, and the minute is split
BATCH_CHARACTERS = 32 * 1024 * 1024
SPAN = 30 * 86400.0  # seconds
SHOWN = 3  # lines of a file that could not be read
SHOWN_LENGTH = 80  # characters of each
AHEAD = 86400.0  # seconds that a clock may be wrong

Add = Callable[[Sequence[Line]], int]  # keeps lines, gives how many were new


class Choices(msgspec.Struct, frozen=True):
    """What the person says of the files; None: they tell it themselves."""

    format: str | None = None
    network: str | None = None
    channel: str | None = None
    zone: tzinfo | None = None  # None: this machine's


class Outcome(msgspec.Struct):
    """What became of a file. `refused`: why nothing of it was read, one sentence; `broken`: why not all."""

    path: Path
    format: str = ""
    places: set[str] = msgspec.field(default_factory=set)
    lines: int = 0
    new: int = 0
    old: int = 0  # older than their channel is kept for
    elsewhere: int = 0  # of channels that are not kept
    unread: int = 0
    shown: list[str] = []
    first: float | None = None
    last: float | None = None
    refused: str = ""
    broken: str = ""


class Importer:
    """Reads files with the same choices. `add` None: only to see what would come of it."""

    def __init__(
        self,
        settings: Settings,
        choices: Choices,
        add: Add | None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._choices = choices
        self._add = add
        self._now = clock()
        self._kept = settings.channels
        self._spelt = {_fold(place): place for place in settings.channels}
        self._relays = {
            place: {_fold(nick) for nick in channel.relays} for place, channel in settings.channels.items()
        }
        self._since = {
            place: self._now - (channel.keep_seconds or self._now)
            for place, channel in settings.channels.items()
        }

    def read(
        self, path: Path, progress: Callable[[int], object] = lambda count: None, *, alone: bool = True
    ) -> Outcome:
        """Keep the lines of a file. `progress` is given how many more of its bytes are read.

        Not `alone`: it is one of several, and what the person said of the channel need not be meant of it.
        """
        outcome = Outcome(path)
        try:
            reader = self._reader(path, outcome, alone=alone)
            with Source(path) as source:
                for batch in _batches(self._lines(source, reader, outcome, progress)):
                    outcome.new += self._add(batch) if self._add else 0
        except BrokenFile as error:
            outcome.refused = str(error)
        return outcome

    def _reader(self, path: Path, outcome: Outcome, *, alone: bool) -> Reader:
        """The reader of a file. Raises `BrokenFile` where nothing can be made of it."""
        if not path.is_file():
            raise BrokenFile("is no file")
        lines = sample(path)
        wanted = self._choices.format
        kind = FORMATS[wanted] if wanted else recognise(lines, path.name.removesuffix(".gz"))
        if kind is None:
            raise BrokenFile(f"is of no format that is known: say --format {'|'.join(FORMATS)}")
        outcome.format = kind.name
        told = told_by(path)
        if kind is FORMATS["ndjson"]:
            network, channel = self._choices.network or "", self._choices.channel or ""
        else:
            network, channel = self._place(told, alone=alone)
            outcome.places.add(f"{network}/{channel}")
        return kind(network, channel, Times(self._choices.zone, told.day))

    def _place(self, told: Told, *, alone: bool) -> tuple[str, str]:
        wanted = self._choices.channel
        if wanted and not alone and not told.may_be_of(wanted):
            raise BrokenFile(f"does not tell that it is of {wanted}: if it is, import it by itself")
        network = self._choices.network or told.network
        channel = self._choices.channel or told.channel
        if not channel:
            raise BrokenFile("does not tell its channel, and may be of a private talk: say --channel")
        if not network:
            raise BrokenFile("does not tell its network: say --network")
        place = self._spelt.get(_fold(f"{network}/{channel}"))
        if place is None:
            raise BrokenFile(
                f"is of {network}/{channel}, which is not kept: write it under channels of the plugin logs "
                "in the config, or say --network and --channel where they have other names there"
            )
        network, _, channel = place.partition("/")
        return network, channel

    def _lines(
        self, source: Source, reader: Reader, outcome: Outcome, progress: Callable[[int], object]
    ) -> Iterator[Line]:
        read = 0
        for text in _until_broken(source, outcome):
            if source.number % 1000 == 0:
                progress(source.position - read)
                read = source.position
            if not text or text.isspace():
                continue
            try:
                for line in reader.parse(text):
                    if self._wanted(line, outcome):
                        yield line
            except Unread as problem:
                outcome.unread += 1
                if len(outcome.shown) < SHOWN:
                    start = clean(plain(text[:SHOWN_LENGTH]))
                    outcome.shown.append(f"line {source.number}: {problem}: {start}")
        progress(source.size - read)

    def _wanted(self, line: Line, outcome: Outcome) -> bool:
        """Count a line, and whether it is one that the archive may have."""
        place = line.place
        if place not in self._kept:
            spelt = self._spelt.get(_fold(place))
            if spelt is None:
                outcome.elsewhere += 1
                return False
            line.network, _, line.channel = spelt.partition("/")
            place = spelt
        if line.time > self._now + AHEAD:
            raise Unread("it is of a time to come")
        if off_the_record(line.text) or (line.kind in COMINGS and not self._settings.events):
            return False
        self._as_kept(line, place)
        if off_the_record(line.text):
            return False
        if line.time < self._since[place]:
            outcome.old += 1
            return False
        outcome.places.add(place)
        outcome.lines += 1
        outcome.first = line.time if outcome.first is None else min(outcome.first, line.time)
        outcome.last = line.time if outcome.last is None else max(outcome.last, line.time)
        return True

    def _as_kept(self, line: Line, place: str) -> None:
        """Make a line what it were, had the bot heard it: who spoke over a relay, no hosts in modes."""
        if line.kind == "mode":
            line.text = shown_modes(line.text)
        elif line.kind in ("message", "action", "notice") and not line.origin and self._relays[place]:
            relayed = spoken(line.text) if _fold(line.nick) in self._relays[place] else None
            if relayed is not None:
                line.origin = relayed.origin or line.nick
                line.nick, line.text = relayed.nick, relayed.text
                line.kind = "action" if relayed.action else line.kind


def networks_of(paths: Iterable[Path]) -> set[str]:
    """The networks that the paths of logs of channels tell."""
    found = map(told_by, paths)
    return {told.network for told in found if told.channel is not None and told.network is not None}


def _until_broken(source: Source, outcome: Outcome) -> Iterator[str]:
    try:
        yield from source
    except BrokenFile as error:
        outcome.broken = str(error)


def _fold(name: str) -> str:
    return fold(name, "rfc1459")


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """The lines in batches; those of one minute that follow each other are in one."""
    batch: list[Line] = []
    characters = 0
    first = last = minute = 0.0
    for line in lines:
        this = line.time // 60
        if batch and (
            (len(batch) >= BATCH and this != minute)
            or not last - SPAN <= line.time <= first + SPAN
            or len(batch) >= BATCH_MOST
            or characters >= BATCH_CHARACTERS
        ):
            yield batch
            batch, characters = [], 0
        if not batch:
            first = last = line.time
        batch.append(line)
        characters += len(line.text)
        first, last, minute = min(first, line.time), max(last, line.time), this
    if batch:
        yield batch
