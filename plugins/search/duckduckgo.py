"""DuckDuckGo, which has no interface for programs: the library `ddgs` reads its pages.

The library does its own HTTP, on a thread of the bot: none of what the fetcher guards (limits of size,
retries, the bot's name) holds for it, and it cannot be pointed at another address. It does use the fetcher's
proxy.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import Any, ClassVar

from plugins.search.providers import MOST, TEXT, NoAnswer
from plugins.search.results import Result, presentable
from plugins.search.settings import Settings
from pynfo import IScheduler
from pynfo.irc.settings import Secret, reveal
from pynfo.services.scheduler import Busy
from pynfo.text import one_line

log = logging.getLogger(__name__)

GRACE = 1.0  # seconds that the library has to notice by itself that the time is over
EVERYWHERE = "wt-wt"  # no region before others
NOTHING = "No results found."  # also where DuckDuckGo wants to be asked less
KEYS = ("title", "href", "body")


class DuckDuckGo:
    """See the module. `safe` is told to the library, which does not tell DuckDuckGo so far: that filters as
    it does for everybody, moderately."""

    name: ClassVar[str] = "DuckDuckGo"

    def __init__(self, settings: Settings) -> None:
        self._safe = "on" if settings.safe else "off"

    async def ask(self, factory: Any, words: str, timeout: float) -> list[Result]:
        """See `Provider`."""
        late = NoAnswer(f"DuckDuckGo does not answer (timed out after {timeout:g} s)")
        try:
            async with asyncio.timeout(timeout + GRACE):
                results: list[Result] | None
                results = await IScheduler(factory).in_thread(
                    self._search, words, timeout, factory.config.fetch_proxy
                )
        except TimeoutError:
            raise late from None
        except Busy:
            raise NoAnswer("DuckDuckGo was not asked (the bot has too much to do)") from None
        if results is None:
            raise late
        return results

    def _search(self, words: str, timeout: float, proxy: str | Secret | None) -> list[Result] | None:
        """What it finds; None where it took too long."""
        from ddgs import DDGS
        from ddgs.exceptions import DDGSException, TimeoutException

        try:
            library = DDGS(proxy=reveal(proxy or "") or None, timeout=math.ceil(timeout))
            found = library.text(
                words, region=EVERYWHERE, safesearch=self._safe, max_results=MOST, backend="duckduckgo"
            )
        except TimeoutException:
            return None
        except DDGSException as error:
            if str(error) == NOTHING:
                return []
            log.info("DuckDuckGo: %s", one_line(str(error)))
            raise NoAnswer("DuckDuckGo does not answer as it should") from error
        return list(presentable(Result(*(str(item.get(key, ""))[:TEXT] for key in KEYS)) for item in found))
