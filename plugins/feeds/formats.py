"""How an entry is announced: `{feed}: {title} {link}`, with fields in braces."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from pynfo.irc.formatting import clean
from pynfo.services.feeds_news import News, folded
from pynfo.services.feeds_reading import Entry, Feed
from pynfo.text import one_line, uncommanding
from pynfo.validation import unknown

DEFAULT = "{feed}: {title} {link}"
FIELDS = ("feed", "name", "title", "link", "author", "date", "summary")
LONGEST = 200  # characters of a format
FEED = 60  # characters of a feed's title

_FIELD = re.compile(r"\{([^{}]*)\}")


def check_format(text: str) -> None:
    """Raise `ValueError`, with one sentence, for what is no format."""
    if not text.strip() or len(text) > LONGEST or clean(text) != text or "\n" in text:
        raise ValueError(f"a format is one line of at most {LONGEST} characters")
    if re.search(r"[{}]", _FIELD.sub("", text)):
        raise ValueError("a field stands between { and }, such as {title}")
    fields = _FIELD.findall(text)
    for field in fields:
        if field not in FIELDS:
            raise ValueError(unknown("field", field, FIELDS))
    if not {"title", "link", "summary"}.intersection(fields):
        raise ValueError("a format needs {title}, {link} or {summary}, or all entries would look the same")


def announce(text: str, name: str, news: News) -> str:
    """What is new, in one line: one entry by its format, several by their titles."""
    if len(news.entries) == 1 and not news.missed:
        return _fill(text, name, news.feed, news.entries[0])
    told = folded((entry.title for entry in news.entries), separator="; ")
    more = " (and perhaps more)" if news.missed else ""
    link = news.feed.link or news.entries[-1].link
    return uncommanding(f"{feed_title(name, news.feed)}: {told}{more} {link}".rstrip())


def newest(name: str, feed: Feed, entries: Sequence[Entry], now: float) -> str:
    """Entries of a feed, newest first, in one line; `now` in UTC epoch seconds."""
    from pynfo.human_time import ago

    told = []
    for entry in entries:
        when = f" ({ago(now - entry.time)})" if entry.time is not None else ""
        told.append(f"{entry.title}{when} {entry.link}".rstrip())
    return uncommanding(f"{feed_title(name, feed)}: {' | '.join(told) or 'nothing is in it now'}")


def feed_title(name: str, feed: Feed) -> str:
    """What people call a feed: its own title, or else the name that it was given."""
    return one_line(feed.title, FEED) or name


def _fill(text: str, name: str, feed: Feed, entry: Entry) -> str:
    date = time.strftime("%Y-%m-%d", time.gmtime(entry.time)) if entry.time is not None else ""
    values = {
        "feed": feed_title(name, feed),
        "name": name,
        "title": entry.title,
        "link": entry.link,
        "author": entry.author,
        "date": date,
        "summary": entry.summary,
    }
    filled = _FIELD.sub(lambda field: values[field[1]], text)
    line = re.sub(r" {2,}", " ", filled).strip()
    return uncommanding(line) if text.lstrip().startswith("{") else line
