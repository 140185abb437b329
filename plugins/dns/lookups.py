"""Shares what is asked: equal questions at one time are one, and a reply is given again for some seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace
from zope.interface import implementer

from plugins.dns.reply import Question, Reply
from plugins.dns.servers import Server, read
from pynfo.interfaces import Interface, IScheduler

# mypy: disable-error-code="misc, empty-body"

KEPT = 15.0  # seconds, and never longer than its TTL: resolvers do the rest
REPLIES = 500  # that are kept

Key = tuple[Question, tuple[Server, ...]]


class ILookups(Interface):
    """Ask the DNS, as the settings of the plugin say."""

    async def ask(questions: Sequence[Question], server: Server | None = None) -> list[Reply]:
        """*await* a reply to each question, asked all at once: of the config's resolvers, or of `server`.

        Raises nothing for what cannot be answered: the reply says why.
        """


@implementer(ILookups)
class Lookups:
    """See `ILookups`. `clock` gives monotonic seconds."""

    def __init__(self, factory: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._scheduler = IScheduler(factory)
        self._settings = factory.settings("dns")
        self._servers = tuple(read(text) for text in self._settings.resolvers)
        self._clock = clock
        self._under_way: dict[Key, asyncio.Task[Reply]] = {}
        self._kept: dict[Key, tuple[float, Reply]] = {}  # with the time they came; the oldest stands first

    async def ask(self, questions: Sequence[Question], server: Server | None = None) -> list[Reply]:
        servers = self._servers if server is None else (server,)
        return await asyncio.gather(*(self._ask((question, servers)) for question in questions))

    async def _ask(self, key: Key) -> Reply:
        kept = self._kept_reply(key)
        if kept is not None:
            return kept
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = self._scheduler.spawn(self._ask_anew(key))
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(task)  # who gives up does not take the answer from the others

    async def _ask_anew(self, key: Key) -> Reply:
        question, servers = key
        reply = await self._asked(question, servers)
        if reply.ttl:  # what has failed has none
            self._kept.pop(key, None)
            if len(self._kept) >= REPLIES:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = self._clock(), reply
        return reply

    async def _asked(self, question: Question, servers: tuple[Server, ...]) -> Reply:
        from dns.resolver import NoResolverConfiguration
        from plugins.dns.asking import ask, resolver_of

        in_thread = self._scheduler.in_thread
        try:
            resolver = await in_thread(resolver_of, servers, self._settings.timeout, in_thread)
        except NoResolverConfiguration:
            return Reply(question=question, status="failed", problem="is not configured on this system")
        return await ask(resolver, question, in_thread, internal=self._settings.internal)

    def _kept_reply(self, key: Key) -> Reply | None:
        came, reply = self._kept.get(key, (0.0, None))
        if reply is None:
            return None
        age = self._clock() - came
        if age >= min(KEPT, reply.ttl):
            del self._kept[key]
            return None
        return replace(reply, ttl=reply.ttl - int(age))
