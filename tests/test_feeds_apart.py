"""Feeds are read in a process of their own: one that is made to take for ever is given up."""

from __future__ import annotations

import pytest

from pynfo.services import feeds_apart
from pynfo.services.feeds_apart import read_apart
from pynfo.services.feeds_reading import NotAFeed, read_feed
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
