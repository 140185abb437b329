"""What an address leads to: asked of the service that it is a page of, else read from the page itself.

Whatever goes wrong out there gives no title, and nobody in the channel hears of it.
"""

from __future__ import annotations

import asyncio
import logging
import re
from email.message import Message
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from plugins.links import page, services
from plugins.links.addresses import split
from plugins.links.services import Question
from plugins.links.settings import Settings
from pynfo import FetchFailed, IFetcher, IScheduler
from pynfo.services.scheduler import Busy
from pynfo.text import one_line

log = logging.getLogger(__name__)

LIMIT = 2 << 20  # bytes of a page
KEPT = 600.0  # seconds in which an answer is given again without asking
LENGTH = 300  # characters of a title, before it is fitted into a line
CONTENT_TYPE = 200  # characters of a Content-Type; the time to read it grows with the square of it
_HTML = frozenset({"text/html", "application/xhtml+xml"})
# A page may ignore it and send all; what is a file sends no more than its beginning, and says how long it is.
_HEADERS = {
    "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5",
    "Accept-Encoding": "identity",
    "Range": f"bytes=0-{page.READ - 1}",
}


class Title(msgspec.Struct, frozen=True):
    """What an address leads to, in one line, and what people call the place: a host, or a service."""

    text: str
    place: str

    @property
    def heart(self) -> str:
        """The title proper, without what is told beside it."""
        return self.text.partition(services.BESIDE)[0]


class Titles:
    """Asks for titles."""

    def __init__(self, factory: Any, settings: Settings) -> None:
        self._factory = factory
        self._settings = settings
        self._fetcher = IFetcher(factory)
        self._in_thread = IScheduler(factory).in_thread
        self._index: SplitResult | None = None  # the package index, as its library knows it

    async def of(self, address: str) -> Title | None:
        """*await* the title of an address; None where there is none to tell, or not in time."""
        parts = split(address)
        if parts is None:
            return None
        try:
            async with asyncio.timeout(self._settings.timeout):
                question = await self._question(parts)
                title = await self._of_service(question) if question else None
                return title or await self._of_page(address)
        except (FetchFailed, TimeoutError, ValueError, Busy) as error:
            log.debug("no title of %s: %s", address, error)
            return None

    async def _question(self, parts: SplitResult) -> Question | None:
        for service in services.SERVICES:
            question = service(parts, self._settings)
            if question is not None:
                return question
        if not parts.path.startswith("/project/"):
            return None
        if self._index is None:
            self._index = urlsplit(await self._in_thread(_index_address))
        if parts.hostname != self._index.hostname:
            return None
        base = (
            self._settings.pypi_url or self._url_of_pypi() or f"{self._index.scheme}://{self._index.netloc}"
        )
        return services.pypi(parts, base)

    def _url_of_pypi(self) -> str:
        """What the plugin `pypi` asks, "" where it is not there."""
        if "pypi" not in self._factory.plugins.loaded:
            return ""
        return str(getattr(self._factory.settings("pypi"), "url", ""))

    async def _of_service(self, question: Question, *, guarded: bool = False) -> Title | None:
        """None where the service does not tell: then the page may."""
        try:
            fetched = await self._fetcher.get(
                question.url,
                params=question.params or None,
                headers=question.headers or None,
                guarded=guarded,
                timeout=self._settings.timeout,
                limit=question.limit,
                max_age=KEPT,
                service=question.service,
            )
            if not fetched.ok:
                return None
            told = await self._in_thread(question.tell, fetched.content)
        except (FetchFailed, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            log.debug("%s does not tell of %s: %s", question.service, question.url, error)
            return None
        return _title(told, question.service)

    async def _of_page(self, address: str) -> Title | None:
        fetched = await self._fetcher.get(
            address,
            headers=_HEADERS,
            guarded=True,
            timeout=self._settings.timeout,
            limit=LIMIT,
            max_age=KEPT,
        )
        if not fetched.ok:
            return None
        place = _place(fetched.url)
        kind, charset = _content_type(fetched.headers.get("content-type", ""))
        if kind not in _HTML:
            return _title(_file(kind, fetched), place) if self._settings.files else None
        known: page.Page = await self._in_thread(page.read, fetched.content, charset, fetched.url)
        if known.oembed:
            question = Question(place, known.oembed, services.oembed)
            embedded = await self._of_service(question, guarded=True)
            if embedded is not None:
                return embedded
        return _title(known.title, place)


def _title(text: str, place: str) -> Title | None:
    """The one place where what was read becomes a line."""
    text, place = one_line(text, LENGTH), one_line(place, LENGTH)
    return Title(text, place) if re.search(r"\w", text) and text != place else None


def _place(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _content_type(header: str) -> tuple[str, str]:
    """The media type and the charset of a Content-Type (RFC 9110 section 8.3); HTML where there is none."""
    message = Message()
    message["content-type"] = header[:CONTENT_TYPE] or "text/html"
    return message.get_content_type(), message.get_content_charset("")


def _file(kind: str, fetched: Any) -> str:
    """Type and size of what is no page: "image/png, 120.4 kB"."""
    from humanize import naturalsize

    whole = re.fullmatch(r"bytes [0-9]+-[0-9]+/([0-9]{1,15})", fetched.headers.get("content-range", ""))
    return f"{kind}, {naturalsize(int(whole[1]) if whole else len(fetched.content))}"


def _index_address() -> str:
    """On a thread: the library is heavy."""
    from pypi_simple import PYPI_SIMPLE_ENDPOINT

    return PYPI_SIMPLE_ENDPOINT
