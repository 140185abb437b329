"""Every interface of the core: all the extension points, on one page.

A plugin asks with the interface: `IStorage(factory).retrieve(…)`. Plugins publish interfaces of their own
the same way (`ignore` publishes `IDiscriminating`). No method here blocks; those marked *await* are
coroutines. Times are in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import Attribute

if TYPE_CHECKING:

    class Interface:
        """To a type checker `IThing(factory)` is anything: which adapter it is, only run time knows."""

        def __new__(cls, *asked: Any) -> Any: ...

else:
    from zope.interface import Interface

# mypy: disable-error-code="no-untyped-def, misc, empty-body, type-arg"


class RetrievalError(KeyError):
    """Nothing is stored under that key and version."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class IStorage(Interface):
    """Keep any pickleable value under a key and a version, over restarts."""

    def store(key: str, version: str, value: object) -> None:
        """Keep a copy of `value`; on disk within a second.

        Raises `TypeError`, naming the key, where `value` cannot be pickled, and `ValueError` where its
        pickle is over 16 MiB. A version of its own for each shape of the value: read the old, store the new.
        """

    def retrieve(key: str, version: str):
        """A fresh copy of the value, or `RetrievalError`."""

    def remove(key: str, version: str) -> None:
        """Forget the value; nothing happens where there is none."""

    def versions(key: str) -> list[str]:
        """The versions under which something is stored, in the order they were first stored."""

    async def flush(timeout: float = 5.0) -> bool:
        """*await* until all that was stored is on disk; False where it is not within `timeout`."""

    async def expunge(timeout: float = 5.0) -> bool:
        """*await* until nothing of what was replaced or removed so far is left in any file.

        For what people want forgotten: it writes the whole file anew. False where it takes longer than
        `timeout`; it is done all the same then.
        """


class IScheduler(Interface):
    """Run functions at intervals, on the monotonic clock."""

    MINUTELY = Attribute("60")
    HOURLY = Attribute("3600")
    DAILY = Attribute("86400")
    WEEKLY = Attribute("604800")

    def schedule(period: float, fn, *args, jitter: float = 0.0, **kw):
        """Run `fn(*args, **kw)` every `period` seconds, first after one period. Returns a handle.

        `fn` is a function (run on a thread of the pool) or a coroutine function. A run that takes longer
        than the period delays the next: one job never overlaps itself. `jitter` adds up to so many seconds,
        drawn anew each time. What it raises is reported, and the cycle goes on. `handle.cancel()` ends it;
        so does unloading the plugin. Raises `ValueError` for a period that is not above 0.
        """

    def spawn(coroutine):
        """Run a coroutine as a task that is cancelled with its plugin. Returns the task."""

    async def in_thread(fn, *args, **kw):
        """*await* `fn(*args, **kw)`, run on the bounded thread pool. Raises `Busy` past the bound."""


class ICommands(Interface):
    """The commands people type."""

    def register(function, name: str | None = None):
        """Offer a function marked with `@command` (or any, with `name`). Returns the `Command`.

        Raises `TypeError` for parameters that cannot be typed, `ValueError` for a name that the plugin has
        already.
        """

    def unregister(command) -> None:
        """Take a command back."""

    def find(name: str):
        """The `Command` of that name, alias or `plugin.name`; None where there is none."""

    def commands() -> list:
        """Every `Command`, by name."""

    def collisions() -> list[str]:
        """One sentence for each name that two plugins wanted."""

    def switch(name: str, on: bool, channel: str | None = None, network: str | None = None) -> None:
        """Switch a command on or off, in one channel or everywhere; kept over restarts.

        What is said of a channel goes before what is said of everywhere. Raises `LookupError` for a command
        that there is not, `ValueError` for one that only admins or owners may use.
        """

    def set_prefix(prefix: str | None, network: str, channel: str) -> None:
        """Change the command prefix in one channel; None: the config's. Kept over restarts.

        Raises `ValueError` for a prefix with spaces, of over 10 characters, or that ends like a word.
        """

    def prefix(network: str, channel: str | None) -> str:
        """The command prefix in force there."""

    def role(network: str, user, channel: str | None = None) -> str:
        """The highest role of a `User` there, now: "owner", "admin", "operator" (of `channel`), "anyone"."""

    def answer(request, text: str, *, private: bool = False) -> None:
        """Say `text` to whoever made the `Request`, where it was made; from any thread (`Request.reply`)."""

    async def idle() -> None:
        """*await* until no command runs or waits (never from a handler, which would wait for itself)."""


class IEvents(Interface):
    """What happens on IRC (`pynfo.irc.events`)."""

    def subscribe(event_type, subscriber, *, priority: int = 0):
        """Call `subscriber(event)` for each event of the type (or a tuple of types). Returns a handle.

        A plain function is called at once, on the event loop; a coroutine function gets its events one
        after another, in order, from a queue of at most 1,000 (past that the oldest is dropped and counted).
        Higher `priority` first. `handle.cancel()` ends it; so does unloading the plugin.
        """

    def filter(predicate, event_type=None, *, priority: int = 0):
        """Drop an event before any subscriber sees it where `predicate(event)` is false. Returns a handle."""

    def publish(event) -> bool:
        """Tell the subscribers. False where a filter dropped it."""

    def wants(event_type) -> bool:
        """Whether anybody subscribed to exactly that type."""


class IOutbox(Interface):
    """Say something: paced, in order, never cut, never more than one line a line."""

    def say(
        target: str,
        text: str,
        *,
        kind: str = "message",
        bulk: bool = True,
        max_age: float | None = None,
        tags: dict[str, str] | None = None,
        durable: bool = False,
        key: str | None = None,
    ):
        """Say `text` to `network/#channel` or `network/nick`. Returns a `Delivery`.

        `kind` is "message", "notice" or "action". Long text is split into several lines, "\\n" too; control
        characters that are not formatting are dropped. `bulk` False: an answer to a person, which goes before
        announcements. `max_age`: given up when it could not be sent within so many seconds (600; answers
        30). `await delivery` gives the `msgid`s (or None each) when the network has echoed it, or, where it
        does not echo, when it was written; raises `Undelivered`. Raises `OutboxFull` where the bounded queue
        is full, `LookupError` for a network that there is not.

        `durable`: it is kept on disk until the network has it, over disconnects, restarts and `kill -9`, for
        `max_age` seconds (3600). `key`: under it nothing is said to that target again, for a week at least.
        """

    def queue(name: str, owner):
        """A durable queue of one's own. Returns a `pynfo.services.outbox_queue.Queue`.

        `owner` (`pynfo.services.outbox_item.Owner`) tells how what is put into it looks, when it leaves, and
        hears what became of it. It goes with its plugin; what was not said by then waits, on disk, for the
        next owner of that name. Raises `ValueError` while there is another.
        """

    def say_tags(target: str, tags: dict[str, str]):
        """Send a TAGMSG, where the network has them (`Undelivered` in the `Delivery` otherwise)."""


class IHistory(Interface):
    """What was said in a channel while nobody here heard it, and what time it is on a network.

    Times are UTC epoch seconds, as `time_of` tells them.
    """

    def missed(network: str, channel: str, known: float, until: float):
        """An async iterator of `Page`s: what was said there after `known`, up to `until`, oldest page first.

        To be asked when we have come into the channel (`ChannelSynced`); `until` is the time of our join. It
        takes CHATHISTORY, the buffer of a ZNC, or what the network played of itself, whichever there is. A
        network that cannot answer, or is lost meanwhile, raises nothing: what it does not tell is a gap.
        Several may ask for one channel at a time. Bounded: 50,000 lines, 15 minutes.

        A `Page` has `events` (as in `HistoryReceived`, oldest first, each with a time of its own), `until`
        (up to there nothing is missing after this page, but for gaps; of the last page the `until` that was
        asked for) and `gap` (two times between which nothing is known, or None). Because clocks differ, the
        events begin half a minute before `known`, and end some seconds behind `until`: what is known already
        may come again.
        """

    def unasked(event) -> list:
        """What a `HistoryReceived` tells that the network played of itself: its events that can be believed.

        [] where somebody here had asked for it. To be asked by a subscriber, when the event comes.
        """

    def clock(network: str) -> float:
        """What time it is on that network: the time that a line said there now would have."""

    def time_of(event) -> float:
        """The time of an event: that of its server, whose clock is corrected where it is wrong by more than
        5 minutes; never later than now, but for what clocks may differ."""


class IOperator(Interface):
    """Tell the person who runs the bot, once per matter: the log, `!status`, and owners who are online."""

    def tell(matter: str, text: str) -> None:
        """`matter` is a stable key, such as "storage/locked": told again only after `settled`."""

    def settled(matter: str) -> None:
        """The matter is over."""

    def matters() -> dict[str, str]:
        """What is open: matter to text."""


class FetchFailed(Exception):
    """There is no answer that can be used. The message is one clause, without a full stop.

    `reason` is one of "timeout", "refused" (no connection), "dns", "tls", "too large", "redirects", "not
    allowed" (an address that strangers may not have us ask), "status", "busy" (too much is asked, or the host
    fails so often that it is left alone for a while), "broken" (what comes is not what should come). `status`
    is the HTTP status of "status", else None.
    """

    def __init__(self, text: str, reason: str, status: int | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.status = status


class IFetcher(Interface):
    """HTTP for plugins: GET, with limits to everything, retries, a cache on disk, and manners."""

    async def get(
        url: str,
        params=None,
        headers: dict[str, str] | None = None,
        guarded: bool = False,
        timeout: float = 20.0,
        limit: int = 2 << 20,
        max_age: float = 0.0,
        service: str = "",
    ):
        """*await* an answer: `Fetched`. On the event loop only.

        `params` (a mapping, or pairs) are added to the query. `guarded`: a stranger gave the address; it is
        asked only where it is a public one, and so is whatever it redirects to. `timeout` is for all of it,
        in seconds; `limit` for the body, in bytes after decompression. An answer younger than `max_age`
        seconds is given again without asking; an older one is asked for again with its ETag and date.
        `service` is what people call it, for the sentence of an error; else it is the host. The same asked
        several times at once is asked once.

        A `Fetched` has `status`, `ok` (2xx), `headers` (by name in any case), `url` (where it came from in
        the end), `content` (bytes), `text` (by the charset of the answer, UTF-8 where it tells none; what
        does not decode is replaced), `json()` (`FetchFailed` where it is none), `from_cache`, and
        `not_modified` (the server has said so: it is as when somebody here last asked, which need not have
        been you). A status that is an error is an answer too; `raise_for_status()` makes it `FetchFailed`.
        429, 502, 503 and 504 are asked again before, when there is time.

        Raises `FetchFailed`, and `ValueError` for headers that cannot be sent. Unloading the plugin cancels
        what it waits for.
        """


class IFeeds(Interface):
    """Watch addresses where entries appear (RSS, RDF, Atom, or what else can be read), and tell each once."""

    def watch(
        name: str,
        address: str,
        tell,
        *,
        period: float,
        guarded: bool = False,
        read=None,
        service: str = "",
        limit: int = 2 << 20,
    ):
        """Look at an address every `period` seconds, first after one period. Returns a `Watch`.

        Where something is new, `tell(news)` (a function or a coroutine function) is called once, and gives
        what is to be said of it: pairs of a target, such as `network/#channel`, and a text. That is said
        exactly once, over outages, restarts and `kill -9`. `news` (`pynfo.services.feeds_news.News`) has the
        `feed`, its new `entries`, oldest first, and `missed`: there may have been more.

        What is remembered of the feed is kept under `name`, over restarts; what is there at the first look,
        or at an address that is another than before, is old. A feed that breaks is told to the operator
        once, and tried again ever more rarely. `guarded`, `service` and `limit` are as in `IFetcher.get`.
        `read(content, headers, url)` makes a `Feed` (`pynfo.services.feeds_reading`) of an answer, on a
        thread, where it is none of the formats that are known.

        A `Watch` has `feed`, `problem`, `await look()` (now; raises `FetchFailed`) and `cancel()`; unloading
        the plugin cancels it. Raises `ValueError` for a name that is watched.
        """

    async def look(address: str, *, guarded: bool = False, max_age: float = 0.0):
        """*await* the `Feed` that is there, for somebody who wants to see it. Raises `FetchFailed`."""

    def forget(name: str) -> None:
        """Watch it no more, and remember nothing of it."""


class IWeb(Interface):
    """Pages on the bot's one HTTP listener. Always offered; without `http` in the config nobody sees them."""

    def mount(path: str, app):
        """Serve an ASGI application under `path`: "/", or such as "/status". Returns a handle.

        The longest path that fits takes a request. The application sees the whole path, with its own part of
        it in `root_path` ("" for "/"); it is not sent lifespan events. `handle.cancel()` ends it, and so does
        unloading the plugin: requests have a second to finish, and event streams are cut. Raises `ValueError`
        for a path that is taken, or that is none.
        """

    def url(path: str = "/") -> str | None:
        """The address of a path as people should open it; None where no web is served."""
