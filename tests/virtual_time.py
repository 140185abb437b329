"""An event loop whose clock jumps to the next timer when there is nothing else to do.

Minutes of silence pass at once, with the real client and its real time limits. Only for what has no sockets
and no threads.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

LIMIT = 6 * 3600.0  # virtual seconds: whoever waits longer waits for what never comes


class _Selector(selectors.SelectSelector):
    advance: Callable[[float], None]

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("nothing is planned: the test would wait for ever")
        if not ready and timeout:
            self.advance(timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`time()` is in seconds, as always, but nobody waits for it to pass."""

    def __init__(self) -> None:
        self._now = 1000.0
        selector = _Selector()
        selector.advance = self._advance
        super().__init__(selector)

    def time(self) -> float:
        return self._now

    def _advance(self, seconds: float) -> None:
        self._now += seconds


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine to its end. `TimeoutError` after `LIMIT`."""

    async def limited() -> None:
        async with asyncio.timeout(LIMIT):
            await coroutine

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(limited())
