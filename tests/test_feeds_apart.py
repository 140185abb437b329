"""Feeds are read in a process of their own: one that is made to take for ever is given up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from pynfo import IFeeds
from pynfo.services import feeds_apart
from pynfo.services.feeds import READERS, Question
from pynfo.services.feeds_apart import read_apart
from pynfo.services.feeds_reading import Feed, NotAFeed, read_feed
from pynfo.services.fetcher_answer import Fetched, Headers
from pynfo.testing.bot import Bot, config_for
from tests.feeds_site import rss

URL = "https://blog.example/feed"
XML = {"content-type": "text/xml; charset=utf-8", "etag": "x"}


def test_a_feed_is_read_as_it_is_here() -> None:
    content = rss([1, 2], title="Tage & Nächte").encode()

    assert read_apart(content, XML, URL) == read_feed(content, XML, URL)


def test_what_is_no_feed_is_none_there() -> None:
    with pytest.raises(NotAFeed, match="is no feed"):
        read_apart(b"hello", XML, URL)


@pytest.mark.parametrize(
    "content",
    [
        b"\n" * 1_000_000 + rss([1]).encode(),  # before what may be a document type
        rss([1], items="<item><author>" + "a." * 500_000 + "</author></item>").encode(),  # is it an address?
    ],
)
def test_what_takes_for_ever_is_given_up(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds_apart, "LIMIT", 1.5)
    with pytest.raises(NotAFeed, match="takes too long to be read"):
        read_apart(content, XML, URL)


def test_an_end_with_comments_is_found_at_once() -> None:
    content = rss([1]).encode() + b"<!---->" * 5000 + b"x"

    assert len(read_feed(content, XML, URL).entries) == 1


async def test_who_gives_up_leaves_no_more_threads_taken_than_there_may_be(tmp_path: Path) -> None:
    end, began = Event(), []

    def slow(content: bytes, *_: Any) -> Feed:
        began.append(content)
        end.wait(20)
        return Feed(title="")

    async with Bot.running(config_for(tmp_path)) as bot:
        fetched = Fetched(200, Headers(), URL, b"", service="")
        for _ in range(READERS + 3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await IFeeds(bot.factory).read(Question(address=URL, read=slow), fetched)
        end.set()
        await IFeeds(bot.factory).read(Question(address=URL, read=slow), fetched)

    assert len(began) == READERS + 1
