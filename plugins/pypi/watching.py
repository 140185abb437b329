"""Watches what the outputs want to hear of, and words what is new.

A package is watched in two places: the feed of its releases, and, more rarely, the JSON API for advisories.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from zope.interface import implementer

from plugins.pypi import outputs as stored
from plugins.pypi.filters import wanted_by
from plugins.pypi.index import LIMIT, SERVICE, Index, read_advisories
from plugins.pypi.outputs import FIREHOSES, Output
from plugins.pypi.package import Package, is_prerelease
from plugins.pypi.settings import Settings
from pynfo import FetchFailed, IFeeds, IScheduler
from pynfo.interfaces import Interface
from pynfo.services.feeds_news import News, folded
from pynfo.services.feeds_reading import Entry

# mypy: disable-error-code="misc, empty-body"

SUBJECTS = 500  # packages that are watched, and firehoses
ADDED = " added to PyPI"  # the end of a title in the feed of the newest packages
MISSED = "more came than the feed holds, some may have been missed"
MISSED_REST = 6 * 3600.0  # seconds in which an output is told of that once, where nothing else is to be told

Told = list[tuple[str, str]]


class IPackages(Interface):
    """Python packages: what is known of them, and what is announced of them where."""

    async def package(name: str) -> Package | None:
        """*await* the newest release of a package, by its canonical name; None where there is no such one.

        Raises `FetchFailed`.
        """

    def outputs() -> Sequence[Output]:
        """What is announced where."""

    async def add(output: Output) -> str:
        """*await*: announce something somewhere, from now on, instead of what was wanted of it there.

        Gives why it cannot be read at the moment, a clause, or "". It is tried again, and what is there then
        is old.

        Raises `ValueError`, with one sentence, where too much is watched.
        """

    def remove(output: Output) -> None:
        """Announce it there no more."""


@implementer(IPackages)
class Watching:
    """See `IPackages`. `url`: the index."""

    def __init__(self, factory: Any, settings: Settings, url: str) -> None:
        self._factory = factory
        self._settings = settings
        self._index = Index(factory, url)
        self._outputs = stored.load(factory, prereleases=settings.prereleases)
        self._watches: dict[str, list[Any]] = {}  # by subject
        self._missed: dict[Output, float] = {}  # monotonic seconds when it was last told so
        for subject in {output.subject for output in self._outputs}:
            self._watch(subject)

    async def package(self, name: str) -> Package | None:
        return await self._index.package(name)

    def outputs(self) -> Sequence[Output]:
        return tuple(self._outputs)

    async def add(self, output: Output) -> str:
        new = output.subject not in self._watches
        if new and len(self._watches) >= SUBJECTS:
            raise ValueError(f"I watch {SUBJECTS} packages already, and that is all that I can")
        others = [other for other in self._outputs if not _same(other, output)]
        self._keep([*others, output])
        problem = ""
        if new:
            self._watch(output.subject)
            for watch in self._watches[output.subject]:
                try:
                    await watch.look()  # what is there now is old
                except FetchFailed as error:
                    problem = str(error)
        return problem

    def remove(self, output: Output) -> None:
        self._keep([other for other in self._outputs if other != output])
        self._missed.pop(output, None)
        if not any(other.subject == output.subject for other in self._outputs):
            for watch in self._watches.pop(output.subject, ()):
                IFeeds(self._factory).forget(watch.name)

    def _keep(self, outputs: list[Output]) -> None:
        self._outputs = outputs
        stored.store(self._factory, outputs)

    def _watch(self, subject: str) -> None:
        watch = IFeeds(self._factory).watch
        every, index = self._settings.poll, self._index
        if subject in FIREHOSES:
            tell = partial(self._tell_on_thread, subject)
            watches = [watch(f"pypi/{subject}", index.firehose(subject), tell, period=every, service=SERVICE)]
        else:
            releases = partial(self._tell_releases, subject)
            advisories = partial(self._tell_advisories, subject)
            watches = [
                watch(
                    f"pypi/releases/{subject}",
                    index.releases(subject),
                    releases,
                    period=every,
                    service=SERVICE,
                ),
                watch(
                    f"pypi/advisories/{subject}",
                    index.json(subject),
                    advisories,
                    period=self._settings.advisory_period,
                    read=read_advisories,
                    service=SERVICE,
                    limit=LIMIT,
                ),
            ]
        self._watches[subject] = watches

    # -- what is said

    def _of(self, subject: str) -> list[Output]:
        return [output for output in self._outputs if output.subject == subject]

    def _tell_releases(self, name: str, news: News) -> Told:
        told = []
        for output in self._of(name):
            entries = [
                entry for entry in news.entries if output.prereleases or not is_prerelease(entry.title)
            ]
            if entries:
                told.append((output.place, releases_text(name, entries, news.feed.link)))
        return told

    def _tell_advisories(self, name: str, news: News) -> Told:
        text = advisories_text(news.feed.title or name, news.entries, news.feed.link)
        return [(output.place, text) for output in self._of(name)]

    async def _tell_on_thread(self, kind: str, news: News) -> Told:
        outputs = self._of(kind)
        texts: list[str] = await IScheduler(self._factory).in_thread(_firehose_texts, kind, news, outputs)
        now = time.monotonic()
        told = []
        for output, text in zip(outputs, texts, strict=True):
            if text:
                told.append((output.place, text))
            elif news.missed and now - self._missed.get(output, -MISSED_REST) >= MISSED_REST:
                self._missed[output] = now
                told.append((output.place, f"{FIREHOSES[kind]} of PyPI: {MISSED}"))
        return told


def releases_text(name: str, entries: Sequence[Entry], page: str) -> str:
    """New releases of one package, oldest first: "requests 2.31.0, 2.32.0 and 3 more are out: https://…"."""
    versions = folded(_marked(entry.title) for entry in entries)
    if len(entries) > 1:
        return _line(f"{name} {versions} are out", page)
    return _line(f"{name} {versions} is out", entries[0].summary, entries[0].link)


def advisories_text(release: str, entries: Sequence[Entry], page: str) -> str:
    """New advisories; `release` is a package with the version that they are for."""
    told = folded(entry.title for entry in entries)
    if len(entries) > 1:
        return _line(f"security advisories for {release}: {told}", page)
    return _line(f"security advisory for {release}: {told}", entries[0].summary, entries[0].link or page)


def firehose_text(kind: str, entries: Sequence[Entry], *, missed: bool) -> str:
    """New packages, or latest releases of any."""
    head = f"{'new' if kind == 'newest' else 'updated'} on PyPI: {folded(map(_name, entries))}"
    if missed:
        head += f" ({MISSED})"
    return head if len(entries) > 1 else _line(head, entries[0].summary, entries[0].link)


def _firehose_texts(kind: str, news: News, outputs: Iterable[Output]) -> list[str]:
    """What each output is told, "" where nothing is for it. Filters take time."""
    texts = []
    for output in outputs:
        wanted = wanted_by(output.filters)
        entries = [
            entry
            for entry in news.entries
            if (kind == "newest" or output.prereleases or not is_prerelease(entry.title.rpartition(" ")[2]))
            and wanted(f"{_name(entry)} {entry.summary}")
        ]
        texts.append(firehose_text(kind, entries, missed=news.missed) if entries else "")
    return texts


def _name(entry: Entry) -> str:
    return entry.title.removesuffix(ADDED)


def _marked(version: str) -> str:
    return f"{version} (pre-release)" if is_prerelease(version) else version


def _line(head: str, *rest: str) -> str:
    return ": ".join(filter(None, (head, " ".join(filter(None, rest)))))


def _same(one: Output, other: Output) -> bool:
    return (one.subject, one.place.lower()) == (other.subject, other.place.lower())
