"""Who can be asked over HTTP: what each one is sent, and how its answer is read.

To add one, write a class with `question` and `read`, name it in `settings.py`, and list it in `asking.py`.
"""

from __future__ import annotations

from html import unescape
from typing import Any, ClassVar, Protocol

import msgspec

from plugins.search.results import Result, presentable
from plugins.search.settings import Settings
from pynfo import FetchFailed, IFetcher, IScheduler
from pynfo.irc.settings import reveal
from pynfo.text import one_line

MOST = 8  # results
TEXT = 2000  # characters of a title or snippet that are looked at
REFUSED = frozenset({400, 401, 403, 422})  # what services answer to a key or a setting that is wrong
NOT_KEPT = {
    "Cache-Control": "no-store"
}  # what people look for is nobody's to keep (RFC 9111 section 5.2.1.5)


class NoAnswer(Exception):
    """A provider gives no results: one clause for the channel. `hint`: what the operator can mend."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


class Provider(Protocol):
    """`name` is what people call it."""

    name: ClassVar[str]

    async def ask(self, factory: Any, words: str, timeout: float) -> list[Result]:
        """*await* what it finds, presentable, best first. Raises `NoAnswer`."""


class Question(msgspec.Struct, frozen=True):
    """One GET request."""

    url: str
    params: dict[str, str]
    headers: dict[str, str] = {}


class OverHttp:
    """What the providers here have in common. `hint`: what to look at where it refuses to answer."""

    name: ClassVar[str]
    hint: ClassVar[str]

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def question(self, words: str) -> Question:
        raise NotImplementedError

    def read(self, answer: dict[str, Any]) -> list[Result]:
        """What its JSON says. Raises `NoAnswer`. On a thread."""
        raise NotImplementedError

    async def ask(self, factory: Any, words: str, timeout: float) -> list[Result]:
        question = self.question(words)
        try:
            fetched = await IFetcher(factory).get(
                question.url,
                params=question.params,
                headers=question.headers | NOT_KEPT,
                timeout=timeout,
                service=self.name,
            )
            fetched.raise_for_status()
            results: list[Result] = await IScheduler(factory).in_thread(self._results, fetched)
        except FetchFailed as failed:
            raise NoAnswer(str(failed), self.hint if failed.status in REFUSED else "") from None
        return results

    def _results(self, fetched: Any) -> list[Result]:
        answer = fetched.json()
        if not isinstance(answer, dict):
            raise self.unreadable()
        return list(presentable(self.read(answer)))[:MOST]

    def unreadable(self) -> NoAnswer:
        return NoAnswer(f"{self.name} answers with something that is no list of results")

    def items(self, answer: dict[str, Any], *path: str) -> list[dict[str, Any]]:
        """The objects in the list at the end of a path of keys; [] where a key is missing, or `NoAnswer`."""
        value: Any = answer
        for key in path:
            value = value.get(key)
            if value is None:
                return []
            if not isinstance(value, list if key == path[-1] else dict):
                raise self.unreadable()
        return [item for item in value if isinstance(item, dict)]


class SearXNG(OverHttp):
    """A metasearch engine of one's own. https://docs.searxng.org/dev/search_api.html"""

    name = "SearXNG"
    hint = 'its settings.yml has to list "json" under search: formats'

    def question(self, words: str) -> Question:
        safe = "2" if self.settings.safe else "0"
        params = {"q": words, "format": "json", "safesearch": safe}
        return Question(endpoint(self.settings.searxng_url, "/search"), params)

    def read(self, answer: dict[str, Any]) -> list[Result]:
        if "results" not in answer:
            raise self.unreadable()
        items = self.items(answer, "results")
        if not items and answer.get("unresponsive_engines"):
            raise NoAnswer("SearXNG gets no answer from its engines")
        return [Result(text(item, "title"), text(item, "url"), text(item, "content")) for item in items]


class Brave(OverHttp):
    """https://api-dashboard.search.brave.com/api-reference/web/search/get"""

    name = "Brave"
    hint = "is brave_key a valid key of its Search API?"

    def question(self, words: str) -> Question:
        return Question(
            endpoint(self.settings.brave_url, "/res/v1/web/search"),
            {
                "q": words,
                "count": str(MOST),
                "safesearch": "strict" if self.settings.safe else "off",
                "text_decorations": "false",
            },
            {"X-Subscription-Token": reveal(self.settings.brave_key or ""), "Accept": "application/json"},
        )

    def read(self, answer: dict[str, Any]) -> list[Result]:
        items = self.items(answer, "web", "results")
        return [
            Result(of_html(text(item, "title")), text(item, "url"), of_html(text(item, "description")))
            for item in items
        ]


class Google(OverHttp):
    """Programmable Search. https://developers.google.com/custom-search/v1/reference/rest/v1/cse/list

    The key stands in a header, and not in the address, which may be logged and kept.
    https://cloud.google.com/apis/docs/system-parameters
    """

    name = "Google"
    hint = "are google_key and google_cx valid?"

    def question(self, words: str) -> Question:
        return Question(
            endpoint(self.settings.google_url, "/customsearch/v1"),
            {
                "cx": reveal(self.settings.google_cx or ""),
                "q": words,
                "num": str(MOST),
                "safe": "active" if self.settings.safe else "off",
            },
            {"X-Goog-Api-Key": reveal(self.settings.google_key or "")},
        )

    def read(self, answer: dict[str, Any]) -> list[Result]:
        items = self.items(answer, "items")
        return [Result(text(item, "title"), text(item, "link"), text(item, "snippet")) for item in items]


class Wikipedia(OverHttp):
    """The search of a MediaWiki, with the beginnings of its articles. https://www.mediawiki.org/wiki/API:Search

    The beginnings come from the extension TextExtracts, which Wikipedia has.
    """

    name = "Wikipedia"
    hint = "is wikipedia_url the address of a MediaWiki?"

    def question(self, words: str) -> Question:
        base = self.settings.wikipedia_url or f"https://{self.settings.language}.wikipedia.org"
        return Question(
            endpoint(base, "/w/api.php"),
            {
                "action": "query",
                "format": "json",
                "formatversion": "2",
                "generator": "search",
                "gsrsearch": words,
                "gsrlimit": str(MOST),
                "prop": "info|extracts|pageprops",
                "inprop": "url",
                "exintro": "1",
                "explaintext": "1",
                "exsentences": "2",
                "exlimit": str(MOST),
                "ppprop": "disambiguation",
            },
        )

    def read(self, answer: dict[str, Any]) -> list[Result]:
        error = answer.get("error")
        if isinstance(error, dict):  # with status 200
            raise NoAnswer(f"Wikipedia answers with an error ({one_line(text(error, 'code'), 30)})")
        pages = self.items(answer, "query", "pages")
        pages.sort(key=_rank)
        return [Result(text(page, "title"), text(page, "fullurl"), text(page, "extract")) for page in pages]


def _rank(page: dict[str, Any]) -> tuple[bool, int]:
    """The place that the search gives a page; those that only list what a name can mean come last."""
    index, properties = page.get("index"), page.get("pageprops")
    lists_meanings = isinstance(properties, dict) and "disambiguation" in properties
    return lists_meanings, index if isinstance(index, int) else MOST


def endpoint(base: str, path: str) -> str:
    """Where a service is asked, of the address in the config, which may be the whole of it already."""
    base = base.rstrip("/")
    return base if base.endswith(path) else base + path


def text(item: dict[str, Any], key: str) -> str:
    """A text of an answer; "" where there is none."""
    value = item.get(key)
    return value[:TEXT] if isinstance(value, str) else ""


def of_html(markup: str) -> str:
    """The text of a piece of HTML."""
    if "<" not in markup:
        return unescape(markup)
    from bs4 import BeautifulSoup

    return BeautifulSoup(markup, "html.parser").get_text()
