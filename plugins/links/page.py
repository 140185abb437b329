"""Reads what a page says of itself. On a thread: reading HTML takes its time."""

from __future__ import annotations

import codecs
import warnings
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin

import msgspec

READ = 256 * 1024  # bytes: what is said of a page stands at its beginning
DECLARED = 2048  # of these, in which a page may say its charset; to look takes the square of it
_MEANT = {"ascii": "cp1252", "iso8859-1": "cp1252", "gb2312": "gb18030"}  # WHATWG Encoding, section 4.2
_NO_CHARSETS = frozenset({"idna", "punycode"})  # which take a time that grows with the square of the text
OEMBED = "application/json+oembed"  # the type of a link, of oembed.com section 4


class Page(msgspec.Struct, frozen=True):
    """A page's title, "" where it has none, and where its oEmbed is, "" where it has none."""

    title: str = ""
    oembed: str = ""


def read(content: bytes, charset: str, url: str) -> Page:
    """Read HTML. `charset` is what the HTTP header says, or "".

    lxml reads it, since its time is in proportion to the text, whatever the text.
    """
    from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning, XMLParsedAsHTMLWarning
    from bs4.filter import SoupStrainer

    for warning in (MarkupResemblesLocatorWarning, XMLParsedAsHTMLWarning):  # of what strangers serve
        warnings.simplefilter("ignore", warning)
    wanted: Any = SoupStrainer(["title", "meta", "link"])
    soup = BeautifulSoup(_decoded(content[:READ], charset).replace("\0", ""), "lxml", parse_only=wanted)
    declared: Any = soup.find("meta", property="og:title", content=True)
    title = str(declared["content"]) if declared else ""
    if not title.strip():
        element = soup.find("title")
        title = element.get_text() if element else ""
    link: Any = soup.find("link", type=OEMBED, href=True)
    return Page(title, urljoin(url, str(link["href"])) if link else "")


def _decoded(content: bytes, charset: str) -> str:
    """By what the header or the document says; else as UTF-8, or, where it is none, as pages of old were."""
    from bs4.dammit import EncodingDetector

    for name in (charset, EncodingDetector.find_declared_encoding(content[:DECLARED], is_html=True) or ""):
        with suppress(LookupError, ValueError):
            codec = codecs.lookup(name)
            if codec.name not in _NO_CHARSETS:
                return content.decode(_MEANT.get(codec.name, codec.name), "replace")
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(content)  # the last character may be cut
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")
