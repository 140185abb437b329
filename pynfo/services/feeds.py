"""`IFeeds`: polls addresses where entries appear, and has each entry announced once.

What is new is found, worded by whoever watches, and stored as promised before any of it is said; it is said
durably, under a key, and the promise is kept until the network has it. So a crash at any moment repeats and
loses nothing: what was promised is said again under the same key, and the outbox says a key once.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from zope.interface import implementer

from pynfo.callables import is_async
from pynfo.interfaces import FetchFailed, IFeeds, IFetcher, IOutbox, IScheduler, IStorage, RetrievalError
from pynfo.ownership import adopt
from pynfo.services.feeds_apart import read_apart
from pynfo.services.feeds_memory import Announcement, Memory
from pynfo.services.feeds_news import News
from pynfo.services.feeds_reading import Entry, Feed, NotAFeed, digest, in_order
from pynfo.services.feeds_troubles import Troubles
from pynfo.services.outbox import OutboxFull, Undelivered
from pynfo.services.scheduler import Busy

if TYPE_CHECKING:
    from pynfo.factory import Factory

VERSION = "1"  # of what is stored of each feed
JITTER = 0.25  # of a period
LONGEST_REST = 3600.0  # seconds between attempts on a feed that is broken, where its period is shorter
WORTH = 3 * 86400.0  # seconds that an announcement waits for its network
READERS = 2  # feeds that are read on threads at one time

Read = Callable[[bytes, Mapping[str, str], str], Feed]
Tell = Callable[[News], Any]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, and how its answer is read; see `IFeeds.watch`."""

    address: str
    guarded: bool = False
    read: Read = read_apart
    service: str = ""
    limit: int = 2 << 20


class Watch:
    """One address that is watched; see `IFeeds.watch`. `cancel` ends it and keeps what is remembered.

    `feed` is as it was last read, None before. `problem`: why it cannot be read now, a clause, or "".
    """

    def __init__(self, feeds: Feeds, name: str, question: Question, tell: Tell, period: float) -> None:
        self.name = name
        self.question = question
        self.feed: Feed | None = None
        self.problem = ""
        self._feeds = feeds
        self._tell = tell
        self._period = period
        self._memory = feeds.remember(name, question.address)
        self._content = b""  # of which `feed` was read
        self._saying: set[tuple[str, str]] = set()  # promises that the outbox has
        self._busy = asyncio.Lock()
        self._failures = 0  # in a row
        self._rest = 0  # polls that are left out
        self._ended = False
        self._job = IScheduler(feeds.factory).schedule(period, self.poll, jitter=period * JITTER)
        self._forget = adopt(self.cancel)
        if self._memory.pending:
            IScheduler(feeds.factory).spawn(self._keep_promises())

    def cancel(self) -> None:
        """Watch it no more."""
        self._ended = True
        self._job.cancel()
        self._forget()
        self._feeds.dropped(self)

    async def poll(self) -> None:
        """Look, unless the feed is broken and rests; what goes wrong is for the operator."""
        if self._rest > 0:
            self._rest -= 1
            return
        try:
            await self.look()
        except FetchFailed as error:
            self._failed(error)

    async def look(self) -> Feed:
        """*await* the feed as it is now, and have what is new announced; the first look announces nothing.

        Raises `FetchFailed`.
        """
        async with self._busy:
            fetched = await self._feeds.fetch(self.question)
            content = hashlib.sha256(fetched.content).digest()
            if self.feed is None or content != self._content:
                self.feed, self._content = await self._feeds.read(self.question, fetched), content
            feed = self.feed
            if not self._ended:
                self._recovered()
                await self._take_in(feed)
                await self._keep_promises()
            return feed

    async def _take_in(self, feed: Feed) -> None:
        memory = self._memory
        fresh = in_order(memory.fresh(feed.entries)) if memory.looked else []
        if fresh:
            missed = len(fresh) == len(feed.entries) and not memory.empty
            news = News(feed=feed, entries=fresh, missed=missed)
            told = await self._tell(news) if is_async(self._tell) else self._tell(news)
            memory.promise(self._announcements(fresh, told))
        if memory.note(feed.entries):
            self._store()

    def _announcements(
        self, fresh: Iterable[Entry], told: Iterable[tuple[str, str]]
    ) -> Iterable[Announcement]:
        of_these = digest(*(identity for entry in fresh for identity in entry.identities))
        now = time.time()
        for number, (target, text) in enumerate(told):
            yield Announcement(f"feeds/{self.name}/{of_these}/{number}", target, text, now)

    async def _keep_promises(self) -> None:
        """Say what was promised, once it is on disk; where the disk takes nothing, after a later look."""
        waiting = [key for key in self._memory.pending if key not in self._saying]
        if not waiting or not await IStorage(self._feeds.factory).flush():
            return
        for key in waiting:
            announcement = self._memory.pending.get(key)
            if announcement is not None and key not in self._saying:
                self._say(key, announcement)

    def _say(self, key: tuple[str, str], announcement: Announcement) -> None:
        # What is too old is given up by the outbox, which may not know any more that it was said.
        left = announcement.time + WORTH - time.time()
        say = IOutbox(self._feeds.factory).say
        try:
            delivery = say(
                announcement.target, announcement.text, durable=True, max_age=left, key=announcement.key
            )
        except LookupError:  # the network is in the config no more
            self._kept(key)
            return
        except OutboxFull:
            return
        self._saying.add(key)
        IScheduler(self._feeds.factory).spawn(self._await_delivery(key, delivery))

    async def _await_delivery(self, key: tuple[str, str], delivery: Any) -> None:
        try:
            await delivery
        except Undelivered:
            pass  # it was given up after `WORTH` seconds, or refused: there is nothing more to be done
        finally:
            self._saying.discard(key)
        self._kept(key)

    def _kept(self, key: tuple[str, str]) -> None:
        if self._memory.pending.pop(key, None) is not None:
            self._store()

    def _store(self) -> None:
        if not self._ended:
            self._feeds.store(self.name, self._memory)

    def _failed(self, error: FetchFailed) -> None:
        self.problem = str(error)
        self._failures += 1
        most = max(0, int(LONGEST_REST / self._period) - 1)
        self._rest = min(2 ** min(self._failures - 1, 20) - 1, most)
        if not self._ended:
            self._feeds.troubles.failed(self.name, urlsplit(self.question.address).hostname or "", error)

    def _recovered(self) -> None:
        self.problem = ""
        self._failures = self._rest = 0
        self._feeds.troubles.over(self.name)


@implementer(IFeeds)
class Feeds:
    """See `IFeeds`."""

    def __init__(self, factory: Factory) -> None:
        self.factory = factory
        self.troubles = Troubles(factory)
        self._watches: dict[str, Watch] = {}
        self._reading = asyncio.Semaphore(READERS)

    def watch(
        self,
        name: str,
        address: str,
        tell: Tell,
        *,
        period: float,
        guarded: bool = False,
        read: Read | None = None,
        service: str = "",
        limit: int = 2 << 20,
    ) -> Watch:
        if name in self._watches:
            raise ValueError(f"{name} is watched already")
        question = Question(
            address=address, guarded=guarded, read=read or read_apart, service=service, limit=limit
        )
        watch = self._watches[name] = Watch(self, name, question, tell, period)
        return watch

    async def look(self, address: str, *, guarded: bool = False, max_age: float = 0.0) -> Feed:
        question = Question(address=address, guarded=guarded)
        return await self.read(question, await self.fetch(question, max_age))

    def forget(self, name: str) -> None:
        watch = self._watches.get(name)
        if watch is not None:
            watch.cancel()
        IStorage(self.factory).remove(_key(name), VERSION)

    # -- for the watches

    async def fetch(self, question: Question, max_age: float = 0.0) -> Any:
        """*await* what is at the address, a `Fetched`. Raises `FetchFailed`."""
        fetched = await IFetcher(self.factory).get(
            question.address,
            guarded=question.guarded,
            limit=question.limit,
            max_age=max_age,
            service=question.service,
        )
        fetched.raise_for_status()
        return fetched

    async def read(self, question: Question, fetched: Any) -> Feed:
        """*await* the feed in it, read on a thread. Raises `FetchFailed`."""
        in_thread = IScheduler(self.factory).in_thread
        await self._reading.acquire()
        reading = asyncio.ensure_future(
            in_thread(question.read, fetched.content, fetched.headers, fetched.url)
        )
        reading.add_done_callback(self._read)
        try:
            feed: Feed = await asyncio.shield(reading)  # whoever gives up: the thread is taken until its end
        except NotAFeed as error:
            raise FetchFailed(f"what {fetched.service} sends {error}", "broken") from error
        except Busy as error:
            raise FetchFailed("too much is being read at the moment", "busy") from error
        return feed

    def _read(self, reading: asyncio.Future[Feed]) -> None:
        self._reading.release()
        if not reading.cancelled():
            reading.exception()  # is looked at, also where nobody waits any more

    def remember(self, name: str, address: str) -> Memory:
        """What is known of a feed from before."""
        try:
            return Memory(address, IStorage(self.factory).retrieve(_key(name), VERSION))
        except RetrievalError:
            return Memory(address)

    def store(self, name: str, memory: Memory) -> None:
        IStorage(self.factory).store(_key(name), VERSION, memory.dump())

    def dropped(self, watch: Watch) -> None:
        """A watch is cancelled."""
        if self._watches.get(watch.name) is watch:
            del self._watches[watch.name]
            self.troubles.over(watch.name)


def _key(name: str) -> str:
    return f"feeds/{name}"
