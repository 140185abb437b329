"""Who is asked, in which order, and how often: `ISearch`.

The providers are asked one after the other until one has found something. What was found is remembered for
some minutes, and people who ask the same thing at the same time share one search.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from zope.interface import implementer

from plugins.search.duckduckgo import DuckDuckGo
from plugins.search.providers import Brave, Google, NoAnswer, Provider, SearXNG, Wikipedia
from plugins.search.results import Result
from plugins.search.settings import Name, Settings
from pynfo import IOperator, IScheduler
from pynfo.interfaces import Interface

# mypy: disable-error-code="misc, empty-body"

log = logging.getLogger(__name__)

REMEMBERED = 200  # searches
REMEMBERED_FOR = 600.0  # seconds
WHOLE_LIMIT = 24.0  # seconds of a search, with all the providers that are asked
LEAST_TIME = 1.0  # seconds that it makes sense to ask somebody for

PROVIDERS: dict[Name, Callable[[Settings], Provider]] = {
    "searxng": SearXNG,
    "brave": Brave,
    "google": Google,
    "duckduckgo": DuckDuckGo,
    "wikipedia": Wikipedia,
}


class Answer(msgspec.Struct, frozen=True):
    """What a search gave. `results` are presentable, of `provider`; without any, `asked` names those who
    found nothing. `failures`: a clause for each provider that did not answer."""

    results: list[Result] = []
    provider: str = ""
    asked: list[str] = []
    failures: list[str] = []


class ISearch(Interface):
    """Searches of the web."""

    async def find(words: str, provider: str | None = None) -> Answer:
        """*await* the `Answer` of the providers of the config, or of one of them by its name there.

        At most some seconds; no failure of theirs is raised.
        """


@implementer(ISearch)
class Search:
    """See `ISearch`. `clock`: monotonic seconds."""

    def __init__(self, factory: Any, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._factory = factory
        self._settings: Settings = factory.settings("search")
        self._clock = clock
        self._remembered: dict[tuple[str, Sequence[Name]], tuple[float, Answer]] = {}  # the oldest first
        self._under_way: dict[tuple[str, Sequence[Name]], asyncio.Task[Answer]] = {}  # one a command at most

    async def find(self, words: str, provider: Name | None = None) -> Answer:
        names = tuple(self._settings.working) if provider is None else (provider,)
        key = (words.casefold(), names)
        now = self._clock()
        until, answer = self._remembered.get(key, (now, Answer()))
        if now < until:
            return answer
        task = self._under_way.get(key)
        if task is None:
            # A task of its own: whoever asked first may give up, and the others still want to know.
            task = self._under_way[key] = IScheduler(self._factory).spawn(self._ask(words, names))
            task.add_done_callback(lambda done: self._done(key, done))
        return await asyncio.shield(task)

    def _done(self, key: tuple[str, Sequence[Name]], task: asyncio.Task[Answer]) -> None:
        self._under_way.pop(key, None)
        if task.cancelled() or task.exception():
            return
        answer = task.result()
        if answer.failures and not answer.results:
            return
        self._remembered.pop(key, None)
        if len(self._remembered) >= REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[key] = (self._clock() + REMEMBERED_FOR, answer)

    async def _ask(self, words: str, names: Sequence[Name]) -> Answer:
        """Ask one after the other."""
        asked, failures = [], []
        deadline = self._clock() + WHOLE_LIMIT
        for name in names:
            timeout = min(self._settings.timeout, deadline - self._clock())
            if timeout < LEAST_TIME:
                log.warning("search: the time was over before %s could be asked", name)
                break
            provider = PROVIDERS[name](self._settings)
            try:
                results = await provider.ask(self._factory, words, timeout)
            except NoAnswer as failed:
                log.warning("search: %s", failed)
                failures.append(str(failed))
                if failed.hint:
                    IOperator(self._factory).tell(f"search/{name}", f"search: {failed}: {failed.hint}")
                continue
            IOperator(self._factory).settled(f"search/{name}")
            if results:
                return Answer(results, provider.name, failures=failures)
            asked.append(provider.name)
        return Answer(asked=asked, failures=failures)
