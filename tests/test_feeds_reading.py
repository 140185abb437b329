"""Feeds as they are in the wild become entries that are safe to show, and known again."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from pynfo.services.feeds_memory import IDENTITIES, Memory
from pynfo.services.feeds_news import folded
from pynfo.services.feeds_reading import ENTRIES, Entry, Feed, NotAFeed, in_order, read_feed
from tests.feeds_site import NOON, item, rss

URL = "https://blog.example/feed"
XML: Mapping[str, str] = {"content-type": "text/xml; charset=utf-8"}

RSS_091 = """<?xml version="1.0"?><!DOCTYPE rss SYSTEM "http://my.netscape.com/publish/formats/rss-0.91.dtd">
<rss version="0.91"><channel><title>Old</title><link>http://old.example/</link><description>d</description>
<item><title>One</title><link>http://old.example/1</link></item></channel></rss>"""
RSS_090 = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel><title>Old</title><link>http://old.example/</link>
<description>d</description></channel><item><title>One</title><link>http://old.example/1</link></item></rdf:RDF>"""
RSS_1 = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="http://old.example/"><title>Old</title><link>http://old.example/</link>
<description>d</description></channel><item rdf:about="http://old.example/1"><title>One</title>
<link>http://old.example/1</link><dc:date>2023-11-14T22:13:20Z</dc:date></item></rdf:RDF>"""
ATOM = """<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Old</title>
<id>urn:old</id><updated>2023-11-14T22:13:20Z</updated><link href="http://old.example/"/>
<entry><title type="html">One &lt;b&gt;bold&lt;/b&gt; &amp;amp; more</title><id>urn:old:1</id>
<link href="/1"/><updated>2023-11-14T22:13:20Z</updated><author><name>Ann</name></author></entry></feed>"""


def read(text: str | bytes, headers: Mapping[str, str] = XML) -> Feed:
    return read_feed(text.encode() if isinstance(text, str) else text, headers, URL)


@pytest.mark.parametrize("document", [RSS_090, RSS_091, RSS_1, rss([1], title="Old")])
def test_every_kind_of_rss_is_read(document: str) -> None:
    feed = read(document)

    assert feed.title == "Old"
    assert len(feed.entries) == 1
    assert feed.entries[0].link.endswith("/1")


def test_an_atom_entry_has_text_for_a_title_a_whole_link_a_time_and_an_author() -> None:
    entry = read(ATOM).entries[0]

    assert entry.title == "One bold & more"
    assert entry.link == "https://blog.example/1"
    assert entry.time == NOON
    assert entry.author == "Ann"


def test_a_page_is_no_feed() -> None:
    with pytest.raises(NotAFeed, match="is no feed"):
        read("<!DOCTYPE html><html><head><title>Hello</title></head><body><p>hi</p></body></html>")
    with pytest.raises(NotAFeed, match="is no feed"):
        read(b"\0\1\2\3")
    with pytest.raises(NotAFeed, match="is no feed"):
        read("")


def test_xml_that_is_not_well_formed_is_read_where_it_can_be() -> None:
    broken = rss([2, 1]).replace("Post 1", "Fish & chips <3").replace("<pubDate>", "<br><pubDate>")

    assert [entry.title for entry in read(broken).entries] == ["Post 2", "Fish & chips <3"]


def test_of_a_document_that_breaks_off_the_half_entry_is_left_out() -> None:
    whole = rss([3, 2, 1])
    cut = whole[: whole.index("Post 1") + 4]

    assert [entry.title for entry in read(cut).entries] == ["Post 3", "Post 2"]


def test_a_document_without_its_end_keeps_the_entries_that_are_whole() -> None:
    unfinished = rss([2, 1]).replace("</channel></rss>", "")

    assert [entry.title for entry in read(unfinished).entries] == ["Post 2", "Post 1"]


def test_letters_of_another_charset_are_read_by_the_declaration() -> None:
    document = rss([1]).replace("UTF-8", "ISO-8859-1").replace("Post 1", "Fürth").encode("latin-1")

    assert read(document, {"content-type": "text/xml"}).entries[0].title == "Fürth"


def test_bytes_that_are_no_utf8_do_no_harm() -> None:
    document = rss([1]).encode().replace(b"Post 1", b"Post \xff\xfe 1")

    assert len(read(document).entries) == 1


def test_titles_are_one_line_without_formatting_and_bounded() -> None:
    document = rss(items=item(1, title="a\n\tb \u202eevil\u200b " + "x" * 5000))

    title = read(document).entries[0].title

    assert title.startswith("a b evil x")
    assert len(title) == 200


def test_only_web_addresses_are_links() -> None:
    links = [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://x.example/" + "a" * 600,
        "http://ok.example/a b",
    ]
    items = "".join(item(number, link=link) for number, link in enumerate(links))

    entries = read(rss(items=items)).entries

    assert [entry.link for entry in entries] == ["", "", "", "http://ok.example/a%20b"]


def test_an_entry_without_a_title_is_called_by_its_summary() -> None:
    items = item(1, title=None, description="<p>Hello <b>world</b></p>") + item(2, title=None)

    entries = read(rss(items=items)).entries

    assert [entry.title for entry in entries] == ["Hello world", "(no title)"]


def identities(document: str) -> list[tuple[str, ...]]:
    return [entry.identities for entry in read(document).entries]


def test_an_entry_is_known_by_its_id_whatever_else_changes() -> None:
    one, other = rss([1]), rss([1]).replace("Post 1", "Post One").replace("example/1<", "example/one<")

    assert identities(one) == identities(other)


def test_without_an_id_an_entry_is_known_by_its_link() -> None:
    one, other = rss([1], ids=False), rss([1], ids=False, dated=False).replace("Post 1", "Post One")

    assert identities(one) == identities(other)
    assert identities(one) != identities(rss([2], ids=False))


def test_without_id_and_link_an_entry_is_known_by_its_content() -> None:
    def plain(number: int) -> str:
        return rss(items=item(number, ids=False, dated=False, link=None))

    assert identities(plain(1)) == identities(plain(1))
    assert identities(plain(1)) != identities(plain(2))


def test_an_id_that_several_entries_have_does_not_make_one_of_them() -> None:
    items = item(1, guid="same") + item(2, guid="same")

    assert len(read(rss(items=items)).entries) == 2


def test_an_entry_that_stands_there_twice_is_one() -> None:
    assert len(read(rss([1, 1])).entries) == 1


def test_a_huge_feed_gives_so_many_entries_and_no_more() -> None:
    assert len(read(rss(range(ENTRIES + 100))).entries) == ENTRIES


def test_a_flood_of_tags_is_refused_before_it_takes_time() -> None:
    before = time.process_time()

    with pytest.raises(NotAFeed, match="is too large to be read"):
        read("<rss><channel>" + "<a>" * 600_000)

    assert time.process_time() - before < 1


def test_entities_that_grow_without_end_are_not_followed() -> None:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    bomb = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "lol">{entities}]>' + rss([1]).partition("?>")[2]

    feed = read(bomb.replace("Post 1", "&e9;"))

    assert all(len(entry.title) <= 200 for entry in feed.entries)


# -- order


def numbers(entries: list[Entry]) -> list[str]:
    return [entry.title.removeprefix("Post ") for entry in entries]


@pytest.mark.parametrize("order", [[3, 2, 1], [1, 2, 3], [2, 3, 1]])
def test_dated_entries_are_told_by_their_dates_however_the_feed_has_them(order: list[int]) -> None:
    assert numbers(in_order(read(rss(order)).entries)) == ["1", "2", "3"]


def test_undated_entries_are_told_from_the_end_of_the_document() -> None:
    assert numbers(in_order(read(rss([3, 2, 1], dated=False)).entries)) == ["1", "2", "3"]


def test_where_some_dates_show_that_the_oldest_is_first_the_undated_follow() -> None:
    items = item(1) + item(2, dated=False) + item(3)

    assert numbers(in_order(read(rss(items=items)).entries)) == [
        "1",
        "2",
        "3",
    ]


# -- memory


def entry(*identities: str) -> Entry:
    return Entry(identities=identities, title=identities[0])


def test_what_is_remembered_of_a_feed_is_bounded_and_what_is_in_it_is_not_forgotten() -> None:
    memory = Memory("a")
    memory.note([entry("always")])
    for number in range(IDENTITIES * 2):
        memory.note([entry(f"{number}"), entry("always")])

    assert len(memory.dump()["seen"]) == IDENTITIES
    assert not memory.fresh([entry("always"), entry(f"{IDENTITIES * 2 - 1}")])
    assert memory.fresh([entry("0")])


def test_an_entry_is_known_by_any_of_its_identities() -> None:
    memory = Memory("a")
    memory.note([entry("PYSEC-1", "CVE-1")])

    assert not memory.fresh([entry("GHSA-1", "CVE-1")])


def test_a_memory_comes_back_from_plain_values() -> None:
    memory = Memory("a")
    memory.note([entry("one")])

    again = Memory("a", memory.dump())

    assert again.looked
    assert not again.fresh([entry("one")])


def test_another_address_under_the_same_name_is_looked_at_anew() -> None:
    memory = Memory("a")
    memory.note([entry("one")])

    assert not Memory("b", memory.dump()).looked


@pytest.mark.parametrize("stored", [[], "nonsense", {"address": 1}])
def test_what_cannot_be_read_of_a_memory_is_forgotten(stored: object) -> None:
    assert not Memory("a", stored).looked


# -- folding


def test_several_names_are_one_line() -> None:
    assert folded(["2.31.0"]) == "2.31.0"
    assert folded(["2.31.0", "2.32.0"]) == "2.31.0 and 2.32.0"
    assert folded(["1", "2", "3"]) == "1, 2 and 3"
    assert folded(map(str, range(17))) == "0, 1, 2, 3, 4 and 12 more"
    assert folded(["2.31.0", "2.32.0", "a", "b", "c"], listed=2) == "2.31.0, 2.32.0 and 3 more"
    assert folded(["x" * 200, "y" * 200, "z"]) == "x" * 200 + " and 2 more"
