"""Search the web from a channel: `!search zope interface` gives the first result, and `more` the next.

`settings.py` says who may be asked, `providers.py` and `duckduckgo.py` ask them, `asking.py` has them asked
in turn; `results.py` and `addresses.py` make lines of what comes back. `channel_log.py` searches what was
said in the channel itself, where the plugin `logs` keeps it.
"""

from __future__ import annotations

import re
from typing import Any

from plugins.search.asking import Answer, ISearch, Search
from plugins.search.channel_log import log as log
from plugins.search.results import line_of
from plugins.search.room import room_of
from plugins.search.settings import Name
from plugins.search.settings import Settings as Settings
from plugins.search.settings import check as check
from pynfo import Request, Rest, command
from pynfo.command import quoted
from pynfo.text import one_line

WORDS = 200  # characters that are searched for
TIME_LIMIT = 30.0  # seconds; the search itself ends before
LATE = re.compile(r"does not answer \((timed out[^()]*)\)")  # said short where several did not answer


def init(factory: Any) -> None:
    """Offer searching to other plugins too."""
    factory.register_adapter(ISearch, Search)


@command(aliases=("g",), time_limit=TIME_LIMIT)
async def search(request: Request, words: Rest) -> list[str]:
    """Search the web for WORDS: the first result; the command more gives the next.

    Example: search zope interface
    """
    return await _found(request, "search", words)


@command(aliases=("wp",), time_limit=TIME_LIMIT)
async def wikipedia(request: Request, words: Rest) -> list[str]:
    """Look WORDS up in Wikipedia: the first article; the command more gives the next.

    Example: wikipedia python (language)
    """
    return await _found(request, "wikipedia", words, provider="wikipedia")


async def _found(request: Request, command: str, words: str, provider: Name | None = None) -> list[str]:
    """A line for each result. Raises `CommandError` where there is none."""
    if len(words) > WORDS:
        raise request.error(f"that is too long: search for at most {WORDS} characters")
    words = one_line(words)
    if not words:
        raise request.error("there is nothing to search for")
    answer: Answer = await ISearch(request.factory).find(words, provider)
    if answer.results:
        room = room_of(request)
        return [line_of(result, answer.provider, room) for result in answer.results]
    raise request.error(_nothing(answer, command, words))


def _nothing(answer: Answer, command: str, words: str) -> str:
    """Why there is no result, in one sentence."""
    failures = [LATE.sub(r"\1", failure) for failure in answer.failures]
    if answer.asked:
        return f"nothing found for {quoted(words)} ({'; '.join([', '.join(answer.asked), *failures])})"
    if not failures:
        return f"{command}: there is nobody to ask: the operator has to set a provider up"
    if len(failures) == 1:
        return f"{command}: {answer.failures[0]}; try again later"
    return f"{command}: nobody answers ({'; '.join(failures)}); try again later"
