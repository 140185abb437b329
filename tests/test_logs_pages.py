"""The pages of the log site: what each shows, and how it leads on."""

import re
from html.parser import HTMLParser

import pytest

from plugins.logs.archive.records import Found
from plugins.logs.line import Gap
from plugins.logs.settings import ChannelSettings
from tests.logs_archive import NOON, said
from tests.logs_site import PUBLIC, site_in

DAY = 86400
SECOND = "oftc/##c"
PLACES = {place: ChannelSettings(publish="public") for place in (PUBLIC, SECOND)}
HOSTILE = "<script>alert('x')</script>\"'&"
VOID = {"meta", "link", "input", "br", "img"}


class Page(HTMLParser):
    """A page as a browser reads it."""

    def __init__(self, source):
        super().__init__()
        self.tags = []
        self.texts = []
        self.open = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, text):
        self.texts.append(text)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())

    def all(self, tag, **wanted):
        return [
            attributes
            for name, attributes in self.tags
            if name == tag and all(attributes.get(key) == value for key, value in wanted.items())
        ]

    def addresses(self):
        return [attributes["href"] for attributes in self.all("a")]


@pytest.fixture
async def site(tmp_path):
    async with site_in(tmp_path, places=PLACES) as running:
        yield running


async def read(site, path, status=200):
    """A page, which must be whole HTML without anything inline."""
    answer = await site.get(path)
    assert answer.status_code == status, answer.text
    page = Page(answer.text)
    assert page.open == []
    assert not any({"style", "onclick", "onload"} & set(attributes) for _, attributes in page.tags)
    assert all(attributes.get("src") for attributes in page.all("script"))
    return page


EVERY_PAGE = (
    "/", "/search", "/search?q=hello", "/search?q=nothing", "/search?q=a*", "/search/counts?q=hello",
    "/libera/pynfo/", "/libera/pynfo/2026-11-20", "/libera/pynfo/about", "/libera/pynfo/search?q=hello",
)  # fmt: skip


@pytest.mark.parametrize("path", EVERY_PAGE)
async def test_every_page_has_landmarks_a_way_past_them_one_heading_and_names_for_all_parts(site, path):
    await site.keep(said("hello", at=NOON - DAY), said("hello again"), said("hi", place=SECOND))
    page = await read(site, path)
    assert page.all("html", lang="en")
    assert [len(page.all(name)) for name in ("main", "h1")] == [1, 1]
    assert page.all("a", href="#main", **{"class": "skip"})
    assert len(page.all("title")) >= 1
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for name in ("nav", "aside", "section"):
        labels = [one.get("aria-label") or one.get("aria-labelledby") for one in page.all(name)]
        named = [label for label in labels if label]
        assert len(named) == len(set(named))
    for one in page.all("input"):
        assert one.get("type") == "hidden" or page.all("label", **{"for": one["id"]})


@pytest.mark.parametrize("path", EVERY_PAGE)
async def test_every_page_is_asked_for_once_and_then_known(site, path):
    await site.keep(said("hello", at=NOON - DAY), said("hello again"))
    etag = (await site.get(path)).headers["etag"]
    assert (await site.get(path, if_none_match=etag)).status_code == 304


# -- the list of channels


async def test_the_list_shows_channels_by_network_with_topic_last_line_and_todays_activity(site):
    await site.keep(said("a"), said("b", at=NOON + 60), said("old", place=SECOND, at=NOON - DAY))
    await site.archive.set_topic(PUBLIC, "be \x02kind\x02")
    page = await read(site, "/")
    assert "libera #pynfo be kind 2 today last line 12:01" in page.text
    assert "oftc ##c no topic quiet today last line 20 November 2026" in page.text
    assert "/oftc/%23%23c/" in page.addresses()


async def test_a_site_without_channels_tells_how_one_is_published(tmp_path):
    async with site_in(tmp_path, places={}) as site:
        page = await read(site, "/")
    assert "No channel is published here yet." in page.text
    assert '{"publish": "public"}' in page.text
    assert "!logs publish on" in page.text


# -- a day


async def test_a_day_leads_to_the_days_beside_it_to_its_files_and_to_other_pages_of_the_channel(site):
    await site.keep(said("a", at=NOON - 3 * DAY), said("b", at=NOON - DAY), said("c"))
    page = await read(site, "/libera/pynfo/2026-11-20")
    assert page.all("a", rel="prev")[0]["href"] == "/libera/pynfo/2026-11-18"
    assert page.all("a", rel="next")[0]["href"] == "/libera/pynfo/2026-11-21"
    for rest in (
        "",
        "about",
        "search",
        "feed.atom",
        "2026-11-20.txt",
        "2026-11-20.json",
        "2026-11-20.ndjson",
    ):
        assert f"/libera/pynfo/{rest}" in page.addresses()
    assert "Friday, 20 November 2026" in page.text


async def test_the_calendar_shades_days_and_leads_to_them(site):
    await site.keep(said("a", at=NOON - 40 * DAY), *(said(f"b{n}", at=NOON - DAY + n) for n in range(9)))
    page = await read(site, "/libera/pynfo/2026-11-20")
    (shown,) = page.all("a", href="/libera/pynfo/2026-11-20", **{"aria-current": "date"})
    assert shown["class"] == "shade5"
    assert shown["aria-label"] == "20 November 2026: 9 said"
    assert page.all("a", **{"aria-label": "October 2026"})[0]["href"] == "/libera/pynfo/2026-10-12"


async def test_the_channel_itself_shows_its_newest_day_and_follows_it(site):
    await site.keep(said("old", at=NOON - DAY))
    page = await read(site, "/libera/pynfo/")
    assert "old" in page.text
    assert "Friday, 20 November 2026" in page.text
    assert re.fullmatch(r"live\?after=\d+", page.all("ol", id="lines")[0]["data-live"])


async def test_only_the_last_page_of_today_is_followed(site):
    await site.archive.add([said(f"line {n}", at=NOON - 3000 + n) for n in range(1001)])
    await site.keep(said("before", at=NOON - DAY))
    assert "data-live" not in (await read(site, "/libera/pynfo/2026-11-20")).all("ol", id="lines")[0]
    assert "data-live" not in (await read(site, "/libera/pynfo/2026-11-21")).all("ol", id="lines")[0]
    last = await read(site, "/libera/pynfo/2026-11-21?page=2")
    assert "data-live" in last.all("ol", id="lines")[0]
    assert {"new-lines", "live"} <= {attributes.get("id") for _, attributes in last.tags}


async def test_a_long_day_has_pages(site):
    await site.archive.add([said(f"line {n}", at=NOON - DAY + n) for n in range(2300)])
    page = await read(site, "/libera/pynfo/2026-11-20?page=2")
    assert "1,001\u20132,000 of 2,300 lines" in page.text
    assert "line 1000" in page.text
    assert len([one for one in page.all("li") if one.get("id")]) == 1000
    assert page.all("a", href="/libera/pynfo/2026-11-20?page=3", **{"aria-label": "Page 3"})
    assert page.all("a", href="/libera/pynfo/2026-11-20", **{"aria-label": "Page 1"})
    await read(site, "/libera/pynfo/2026-11-20?page=4", 404)


async def test_a_gap_between_two_pages_is_shown_once(site):
    first = NOON - DAY
    await site.archive.add([said(f"line {n}", at=first + n) for n in range(1000)])
    await site.archive.know(PUBLIC, first + 5000, Gap(first + 1000, first + 1900))
    await site.archive.add([said(f"later {n}", at=first + 2000 + n) for n in range(5)])
    shown = ["no log from" in (await read(site, f"/libera/pynfo/2026-11-20?page={n}")).text for n in (1, 2)]
    assert shown == [False, True]


async def test_a_gap_is_told_where_it_is(site):
    await site.keep(said("before"), said("after", at=NOON + 1800))
    await site.archive.know(PUBLIC, NOON + 1800, Gap(NOON + 120, NOON + 1020))
    page = await read(site, "/libera/pynfo/2026-11-21")
    assert "before no log from 12:02 to 12:17 12:30 alice after" in page.text


async def test_a_day_on_which_nothing_was_said_says_so_and_leads_on(site):
    await site.keep(said("a", at=NOON - 5 * DAY))
    page = await read(site, "/libera/pynfo/2026-11-18", 404)
    assert "Nothing was said here on that day." in page.text
    assert "/libera/pynfo/2026-11-16" in page.addresses()
    assert "so far" in (await read(site, "/libera/pynfo/2026-11-21")).text


async def test_an_answer_to_a_line_of_another_month_loses_what_was_redacted(site):
    await site.archive.add([said("the secret", at=NOON - 40 * DAY, msgid="m1")])
    await site.keep(said("indeed", at=NOON - DAY, reply_to="m1"))
    before = await site.get("/libera/pynfo/2026-11-20")
    assert "the secret" in before.text
    assert await site.archive.redact(network="libera", msgid="m1")
    after = await site.get("/libera/pynfo/2026-11-20", if_none_match=before.headers["etag"])
    assert after.status_code == 200
    assert "the secret" not in after.text


async def test_what_strangers_say_is_text_on_every_page(tmp_path):
    place = f"libera/#{HOSTILE.replace(' ', '')}"
    async with site_in(tmp_path, places={place: ChannelSettings(publish="public")}, title=HOSTILE) as site:
        await site.keep(
            said(f"{HOSTILE} hello", nick=HOSTILE, place=place, account=HOSTILE, origin=HOSTILE),
            said(HOSTILE, nick=HOSTILE, place=place, kind="topic"),
            said(HOSTILE, nick=HOSTILE, place=place, kind="quit", at=NOON + 1),
        )
        await site.archive.set_topic(place, HOSTILE)
        channel = next(path for path in (await read(site, "/")).addresses() if path.startswith("/libera/"))
        for path in (
            "/", channel, f"{channel}about", f"{channel}search?q=hello", "/search?q=hello",
            f"/search?q={HOSTILE}", "/search/counts?q=hello", f"/search/counts?q=hello+{HOSTILE}",
        ):  # fmt: skip
            page = await read(site, path)
            assert "<script>alert('x')</script>" in page.text


# -- about a channel


async def test_about_tells_figures_people_and_topics_in_pictures_and_in_words(site):
    await site.keep(
        said("bob: hi", at=NOON - 40 * DAY),
        said("hello", nick="bob"),
        said("again", nick="bob", at=NOON + 1),
        said("news: https://example.org", kind="topic", at=NOON + 2),
    )
    page = await read(site, "/libera/pynfo/about")
    assert "Most is said on Saturdays between 12:00 and 13:00 UTC." in page.text
    assert "November 2026 was the liveliest, with 2 said." in page.text
    assert len(page.all("svg", role="img")) == 1
    assert len(page.all("a", href="/libera/pynfo/2026-10-12")) == 3  # a bar, its figure, "kept since"
    assert [
        one["tabindex"] for one in page.all("a", href="/libera/pynfo/2026-10-12") if "tabindex" in one
    ] == ["-1"]
    for picture in page.all("svg", role="img"):
        for named in picture["aria-labelledby"].split():
            assert page.all("title", id=named) or page.all("desc", id=named)
    assert len(page.all("rect", **{"class": "shade5"})) == 1
    assert len(page.all("table")) == 2
    assert "/libera/pynfo/search?q=nick%3Abob" in page.addresses()
    assert "21 November 2026 alice news: https://example.org" in page.text


async def test_about_a_channel_without_lines_is_a_page_too(site):
    await site.archive.set_topic(PUBLIC, "new")
    page = await read(site, "/libera/pynfo/about")
    assert "Nobody yet." in page.text


# -- search


async def test_a_search_shows_lines_by_channel_and_day_with_matches_marked(site):
    await site.keep(
        said("zope interface"),
        said("no"),
        said("about zope", place=SECOND, at=NOON + 5),
        said("zope", at=NOON - DAY),
    )
    page = await read(site, "/search?q=zope")
    assert [one for one in page.addresses() if re.search(r"/20\d\d-", one)] == [
        "/oftc/%23%23c/2026-11-21",
        "/libera/pynfo/2026-11-21",
        "/libera/pynfo/2026-11-20",
    ]
    assert len(page.all("mark")) == 3
    lines = [one["id"] for one in page.all("li") if one.get("id")]
    assert len(lines) == 3
    assert all(page.all("a", href=f"/L/{one[1:]}/around", **{"class": "around"}) for one in lines)
    assert page.all("aside", id="counts")[0]["data-load"] == "/search/counts?q=zope&fragment=1"
    assert "/search?q=zope&sort=best" in page.addresses()


async def test_a_search_under_a_channel_stays_there(site):
    await site.keep(said("zope"), said("zope", place=SECOND))
    page = await read(site, "/libera/pynfo/search?q=zope")
    assert len(page.all("mark")) == 1
    assert page.all("form", action="/libera/pynfo/search")


async def test_older_matches_are_a_page_away_until_there_are_no_more(site):
    await site.archive.add([said(f"zope {n}", at=NOON - n * 60) for n in range(120)])
    path, seen = "/search?q=zope", []
    for _ in range(3):
        answer = await site.get(path)
        seen += re.findall(r"</mark> (\d+)<", answer.text)
        more = [one for one in Page(answer.text).addresses() if "before=" in one]
        path = more[0] if more else None
    assert path is None
    assert seen == [str(n) for n in range(120)]


async def test_best_first_leads_back_to_newest_first_and_is_kept_by_the_form(site):
    await site.keep(said("zope"))
    page = await read(site, "/search?q=zope&sort=best")
    assert "Best first" in page.text
    assert "/search?q=zope" in page.addresses()
    assert page.all("input", type="hidden", name="sort", value="best")


async def test_a_search_that_finds_nothing_helps(site):
    page = await read(site, "/libera/pynfo/search?q=xyzzy+nick:bob")
    assert "Nothing found" in page.text
    assert "/search?q=xyzzy%20nick%3Abob" in page.addresses()


async def test_a_search_that_makes_no_sense_is_told_in_a_sentence_beside_what_was_asked(site):
    page = await read(site, "/search?q=after:soon")
    assert page.all("p", role="alert")
    assert "wants a date such as" in page.text
    assert page.all("input", id="q", value="after:soon")


async def test_a_search_that_takes_too_long_tells_how_far_it_looked_and_goes_on(site, monkeypatch):
    async def search(query, places, **_):
        return Found([], "cursor-of-ours", NOON - 30 * DAY)

    monkeypatch.setattr(site.archive, "search", search)
    page = await read(site, "/search?q=zope")
    assert "Looked back to Thursday, 22 October 2026" in page.text
    assert "/search?q=zope&before=cursor-of-ours" in page.addresses()


async def test_counts_are_a_piece_of_a_page_or_a_page_and_lead_to_narrower_searches(site):
    await site.keep(said("zope"), said("zope", nick="bob", place=SECOND, at=NOON - DAY))
    piece = await site.get("/search/counts?q=zope&fragment=1")
    assert "<html" not in piece.text
    assert (await read(site, "/search/counts?q=zope")).all("html")
    narrower = Page(piece.text).addresses()
    assert "/search?q=zope+nick%3Abob" in narrower
    assert "/search?q=zope+on%3A2026-11" in narrower
    assert "/search?q=zope+channel%3Aoftc%2F%23%23c" in narrower
    for address in narrower:
        assert (await read(site, address)).all("mark"), address


async def test_what_is_around_a_line_is_a_piece_of_a_page_or_a_page(site):
    await site.keep(*(said(f"line {n}", at=NOON + n) for n in range(20)))
    lines = await site.archive.around((await site.archive.last(PUBLIC)).id, 8, 0)
    path = f"/L/{lines[0].id}/around"
    piece = Page((await site.get(f"{path}?fragment=1")).text)
    assert [int(n) for n in re.findall(r"line (\d+)", piece.text)] == list(range(6, 17))
    assert not piece.all("html")
    page = await read(site, path)
    assert f"/L/{lines[0].id}" in page.addresses()


# -- what goes wrong


@pytest.mark.parametrize("path", ["/nothing", "/libera/nothing/", "/L/1/around", "/libera/pynfo/2026-13-01"])
async def test_what_is_not_there_is_a_sentence_and_a_way_on(site, path):
    page = await read(site, path, 404)
    assert {"/", "/search"} <= set(page.addresses())
    assert "Nothing is here" in page.text


@pytest.mark.parametrize("status", [400, 404, 405, 429, 500, 503])
def test_every_error_has_a_title_of_its_own(status):
    from plugins.logs.site.pages import ERRORS

    assert status == 405 or ERRORS[status]
