"""From the bytes of a feed to its entries: RSS 0.9 to 2.0, RDF and Atom, also where the XML is broken.

`read_feed` takes time, and without end on some that are made for that: `feeds_apart.py` does it in another
process. What it gives is bounded, and its texts have passed `one_line`.
"""

from __future__ import annotations

import calendar
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from pynfo.text import one_line

ENTRIES = 500  # of one feed; the first of the document are read
MARKUP = 100_000  # tags: feedparser takes some seconds for as many
TITLE, SUMMARY, AUTHOR, LINK = 200, 300, 80, 500  # characters
TEXT = 20_000  # characters of a title or summary that are looked at
DIGEST = 24  # hexadecimal digits of a hash that tells entries apart

_END = re.compile(rb"</(?:rss|feed|\w*:?RDF)\s*>\s*(?>(?:<!--.*?-->\s*)*)\Z", re.IGNORECASE | re.DOTALL)
_END_OF_ENTRY = re.compile(rb"</(?:\w+:)?(?:item|entry)\s*>", re.IGNORECASE)
_SAFE_LINK = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_TAG = re.compile(r"<[A-Za-z/!]")


class NotAFeed(Exception):
    """What came is no feed. The message is one clause that says why, after "it"."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. It is known again by any of its `identities`. `time` is in UTC epoch seconds.

    `link` is an http(s) address, or "".
    """

    identities: tuple[str, ...]
    title: str
    link: str = ""
    time: float | None = None
    summary: str = ""
    author: str = ""


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """A feed as it is now, its entries in the order of the document."""

    title: str
    link: str = ""
    entries: Sequence[Entry] = ()


def read_feed(content: bytes, headers: Mapping[str, str], url: str) -> Feed:
    """The feed in the body of an answer from `url`. Raises `NotAFeed`."""
    if content.count(b"<") > MARKUP:
        raise NotAFeed("is too large to be read")
    import feedparser  # type: ignore[import-untyped]

    try:
        parsed = feedparser.parse(
            content,
            response_headers={"content-type": headers.get("content-type", ""), "content-location": url},
            sanitize_html=False,  # no markup of it is shown: text is taken out of it, and nothing else
            resolve_relative_uris=False,
        )
    except Exception as error:  # on hostile input the library may raise anything
        raise NotAFeed("cannot be read") from error
    found = parsed.entries
    if not parsed.get("version") and not found:
        raise NotAFeed("is no feed")
    if not _END.search(content) and len(_END_OF_ENTRY.findall(content)) < len(found):
        found = found[:-1]  # the document breaks off, and this entry with it: half of it would be another
    return Feed(
        title=_text(parsed.feed, "title", TITLE),
        link=_link(parsed.feed),
        entries=_entries(found[:ENTRIES]),
    )


def digest(*parts: str) -> str:
    """What tells texts apart, short."""
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:DIGEST]


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Entries of a document, oldest first: by their times where all have one, else as the document has them.

    A document has the newest first, unless the times that are there say otherwise.
    """
    ordered = list(entries)
    times = [entry.time for entry in ordered if entry.time is not None]
    if len(times) < 2 or times[0] >= times[-1]:
        ordered.reverse()
    if len(times) == len(ordered):
        ordered.sort(key=lambda entry: entry.time or 0.0)
    return ordered


def _entries(found: Iterable[Any]) -> list[Entry]:
    """Each entry once. An id or link that several of them have tells none of them apart."""
    entries = list(found)
    ids = Counter(entry.get("id") for entry in entries)
    links = Counter(entry.get("link") for entry in entries)
    unique: dict[str, Entry] = {}
    for entry in entries:
        identity = _identity(entry, ids, links)
        if identity not in unique:
            unique[identity] = _entry(entry, identity)
    return list(unique.values())


def _identity(entry: Any, ids: Counter[str | None], links: Counter[str | None]) -> str:
    identifier, link = entry.get("id"), entry.get("link")
    if identifier and ids[identifier] == 1:
        return digest("id", identifier)
    if link and links[link] == 1:
        return digest("link", link)
    return digest("content", *(str(entry.get(part, "")) for part in ("id", "link", "title", "summary")))


def _entry(entry: Any, identity: str) -> Entry:
    summary = _text(entry, "summary", SUMMARY)
    return Entry(
        identities=(identity,),
        title=_text(entry, "title", TITLE) or one_line(summary, TITLE) or "(no title)",
        link=_link(entry),
        time=_time(entry),
        summary=summary,
        author=_text(entry, "author", AUTHOR),
    )


def _text(thing: Any, name: str, limit: int) -> str:
    """A text of a feed or an entry, in one line, without its markup."""
    text = str(thing.get(name) or "")[:TEXT]
    kind = (thing.get(f"{name}_detail") or {}).get("type", "")
    if kind != "text/plain" and _TAG.search(text):
        from bs4 import BeautifulSoup

        text = BeautifulSoup(text, "html.parser").get_text(" ")
    return one_line(text, limit)


def _link(thing: Any) -> str:
    link = str(thing.get("link") or "").strip().replace(" ", "%20")
    safe = len(link) <= LINK and _SAFE_LINK.fullmatch(link) and one_line(link, LINK) == link
    return link if safe else ""


def _time(entry: Any) -> float | None:
    parsed = entry.get("published_parsed") or entry.get("updated_parsed")
    try:
        return float(calendar.timegm(parsed)) if parsed else None
    except (ValueError, OverflowError):
        return None
