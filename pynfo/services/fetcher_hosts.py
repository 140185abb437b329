"""Manners, for each host apart: few requests at once, not too many in a row, and rest for one that fails.

A host that has failed `FAILURES` times in a row is not asked for `REST` seconds; when it fails again after
that, for twice as long. One that says when it wants to be asked again (Retry-After) is not asked before.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from pynfo.services.web_limits import RateLimit

AT_ONCE = 4  # requests to one host
RATE, BURST = 10.0, 20  # requests a second, after so many at once
FAILURES = 5
REST, REST_LONGEST = 60.0, 600.0  # seconds
HOSTS = 1000  # that are remembered

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[object]]


class Resting(Exception):
    """The host is not asked now. What to say of it, behind its name."""


class _Host:
    __slots__ = ("asked_to_wait", "failures", "rest_until", "rests", "turns", "users")

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(AT_ONCE)
        self.users = 0  # that ask, or wait for their turn
        self.failures = 0  # in a row
        self.rests = 0  # since it last answered
        self.rest_until = 0.0  # monotonic seconds
        self.asked_to_wait = False


class Hosts:
    """`clock` gives monotonic seconds; it and `sleep` are for tests."""

    def __init__(self, *, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._rate = RateLimit(RATE, BURST, addresses=HOSTS)
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """*await* the turn to ask a host, and have it. Raises `Resting`."""
        host = self._host(key)
        self._check(host)
        host.users += 1
        try:
            async with host.turns:
                while early := self._rate.wait(key, self._clock()):
                    await self._sleep(early)
                self._check(host)
                yield
        finally:
            host.users -= 1

    def answered(self, key: str) -> None:
        """It has answered as it should."""
        host = self._host(key)
        host.failures = host.rests = 0
        if not host.asked_to_wait:
            host.rest_until = 0.0

    def failed(self, key: str) -> None:
        """It has not, when it was last asked."""
        host = self._host(key)
        host.failures += 1
        resting = host.rest_until > self._clock()  # what was asked before that may still come to nothing
        if host.failures >= FAILURES and not resting:
            self._rest(host, min(REST * 2 ** min(host.rests, 10), REST_LONGEST), asked=False)
            host.rests += 1

    def asked_to_wait(self, key: str, seconds: float) -> None:
        """It says when it wants to be asked again."""
        if seconds > 0:
            self._rest(self._host(key), min(seconds, REST_LONGEST), asked=True)

    def _rest(self, host: _Host, seconds: float, *, asked: bool) -> None:
        until = self._clock() + seconds
        if until > host.rest_until:
            host.rest_until, host.asked_to_wait = until, asked

    def _check(self, host: _Host) -> None:
        left = math.ceil(host.rest_until - self._clock())
        if left <= 0:
            return
        if host.asked_to_wait:
            raise Resting(f"asks to be left alone for another {left} s")
        raise Resting(f"has failed {host.failures} times in a row, and is left alone for another {left} s")

    def _host(self, key: str) -> _Host:
        host = self._hosts.get(key)
        if host is None:
            if len(self._hosts) >= HOSTS:
                self._forget_one()
            host = self._hosts[key] = _Host()
        self._hosts.move_to_end(key)
        return host

    def _forget_one(self) -> None:
        """The one that was not asked for longest, of those that nobody asks now."""
        for key, host in self._hosts.items():
            if not host.users:
                del self._hosts[key]
                return
