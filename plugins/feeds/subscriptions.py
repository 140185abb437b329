"""The feeds that are announced: those of the config, whose addresses are trusted, and what people added.

What people added belongs to one channel; in the config a feed may have several.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from zope.interface import implementer

from plugins.feeds.formats import announce
from plugins.feeds.settings import Settings
from pynfo import IFeeds, IStorage, RetrievalError
from pynfo.interfaces import Interface
from pynfo.services.feeds_news import News
from pynfo.services.feeds_reading import Feed

# mypy: disable-error-code="misc, empty-body"

KEY, VERSION = "feeds", "1"
MOST = 500  # feeds that people added, in all
IN_CHANNEL = 20  # of these, for one channel


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A feed that is announced at `places` (network/#channel). `format` "": the one for all.

    `configured`: it stands in the config, and is changed nowhere else.
    """

    name: str
    url: str
    places: tuple[str, ...]
    format: str = ""
    period: float | None = None
    configured: bool = False

    @property
    def key(self) -> str:
        """What it is watched as."""
        return f"configured/{self.name}" if self.configured else f"added/{self.places[0]}/{self.name.lower()}"


class _Stored(msgspec.Struct):
    added: list[Subscription] = []
    configured: list[str] = []  # keys of those that were in the config


class ISubscriptions(Interface):
    """Which feeds are announced where."""

    def all() -> Sequence[Subscription]:
        """Every one: of the config first, then as they were added."""

    async def add(subscription: Subscription) -> Feed:
        """*await* the first look at a feed, and announce what comes after it.

        Raises `FetchFailed`, and `ValueError`, with one sentence, where there are too many.
        """

    def remove(subscription: Subscription) -> None:
        """Announce it no more."""

    def set_format(subscription: Subscription, format: str) -> None:
        """Announce its entries so from now on; "": as for all."""

    async def look(subscription: Subscription) -> Feed:
        """*await* the feed as it is; an answer of the last minute is good enough. Raises `FetchFailed`."""

    def problem(subscription: Subscription) -> str:
        """Why it cannot be read now: a clause, or ""."""


@implementer(ISubscriptions)
class Subscriptions:
    """See `ISubscriptions`."""

    def __init__(self, factory: Any, settings: Settings) -> None:
        self._factory = factory
        self._settings = settings
        self._watches: dict[str, Any] = {}
        stored = _load(factory)
        self._configured = [
            Subscription(
                name=name,
                url=feed.url,
                places=tuple(feed.outputs),
                format=feed.format or "",
                period=feed.period,
                configured=True,
            )
            for name, feed in settings.feeds.items()
        ]
        self._added = {subscription.key: subscription for subscription in stored.added}
        for key in set(stored.configured) - {subscription.key for subscription in self._configured}:
            IFeeds(factory).forget(key)
        for subscription in self.all():
            self._watch(subscription)
        self._store()

    def all(self) -> Sequence[Subscription]:
        return (*self._configured, *self._added.values())

    async def add(self, subscription: Subscription) -> Feed:
        if len(self._added) >= MOST:
            raise ValueError(f"I follow {MOST} feeds already, and that is all that I can")
        if sum(other.places == subscription.places for other in self._added.values()) >= IN_CHANNEL:
            raise ValueError(f"{subscription.places[0]} follows {IN_CHANNEL} feeds already: remove one first")
        self._added[subscription.key] = subscription
        self._watch(subscription)
        try:
            feed: Feed = await self._watches[subscription.key].look()
        except BaseException:
            self.remove(subscription)
            raise
        self._store()
        return feed

    def remove(self, subscription: Subscription) -> None:
        self._added.pop(subscription.key, None)
        self._watches.pop(subscription.key, None)
        IFeeds(self._factory).forget(subscription.key)
        self._store()

    def set_format(self, subscription: Subscription, format: str) -> None:
        self._added[subscription.key] = msgspec.structs.replace(subscription, format=format)
        self._store()

    async def look(self, subscription: Subscription) -> Feed:
        feed: Feed = await IFeeds(self._factory).look(
            subscription.url, guarded=not subscription.configured, max_age=60.0
        )
        return feed

    def problem(self, subscription: Subscription) -> str:
        watch = self._watches.get(subscription.key)
        return watch.problem if watch is not None else ""

    def _watch(self, subscription: Subscription) -> None:
        def tell(news: News) -> list[tuple[str, str]]:
            current = self._added.get(subscription.key, subscription)
            text = announce(current.format or self._settings.format, current.name, news)
            return [(place, text) for place in current.places]

        self._watches[subscription.key] = IFeeds(self._factory).watch(
            subscription.key,
            subscription.url,
            tell,
            period=subscription.period or self._settings.period,
            guarded=not subscription.configured,
        )

    def _store(self) -> None:
        configured = [subscription.key for subscription in self._configured]
        stored = _Stored(list(self._added.values()), configured)
        IStorage(self._factory).store(KEY, VERSION, msgspec.to_builtins(stored))


def _load(factory: Any) -> _Stored:
    try:
        return msgspec.convert(IStorage(factory).retrieve(KEY, VERSION), _Stored)
    except RetrievalError:
        return _Stored()
