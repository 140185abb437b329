"""The log site in a real browser: Debian's chromium over a real socket, with a real archive behind it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from plugins.logs.archive.records import Person
from plugins.logs.line import Gap
from plugins.logs.settings import ChannelSettings
from plugins.logs.site import following
from plugins.logs.site.addresses import place_path
from tests.logs_archive import NOON, said
from tests.logs_site import PUBLIC, Running, served, site_in
from tests.xss import PAYLOADS

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
LONG, HOSTILE = "libera/#long", "libera/#<img src=x onerror=alert(1)>"
DAY = "2026-11-21"
MATTERS = frozenset({"error", "warning"})  # of what a browser writes to its console
NOT_FOUND = "Failed to load resource: the server responded with a status of 404 (Not Found)"
HOSTILE_PATH = place_path(HOSTILE)


class World:
    """A site that is served, and a browser."""

    def __init__(self, site: Running, address: str, browser: Browser) -> None:
        self.site = site
        self.address = address
        self.browser = browser

    @asynccontextmanager
    async def page(self, path: str = "", **options: Any) -> AsyncIterator[Page]:
        """A page of a reader of its own; nothing may go wrong on it."""
        context: BrowserContext = await self.browser.new_context(base_url=self.address, **options)
        context.set_default_timeout(10_000)
        page = await context.new_page()
        wrong: list[str] = []
        page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on(
            "console", lambda told: wrong.append(told.text) if told.type in ("error", "warning") else None
        )
        page.on("request", lambda asked: wrong.append(asked.url) if not self.is_ours(asked.url) else None)
        try:
            if path:
                await page.goto(path)
            yield page
            assert [one for one in wrong if one != NOT_FOUND or "nothing" not in page.url] == []
        finally:
            await context.close()

    def is_ours(self, url: str) -> bool:
        return url.startswith((f"{self.address}/", "data:"))

    async def ids(self, place: str = PUBLIC) -> list[int]:
        return [line.id async for line in self.site.archive.export(place)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    if not Path(CHROMIUM).exists():
        missing = "chromium is not installed (apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A channel where little is said, a long one, and one where strangers try what they can."""
    places = {place: ChannelSettings(publish="public") for place in (PUBLIC, LONG, HOSTILE)}
    before, following.RETRY = following.RETRY, 50
    async with site_in(tmp_path_factory.mktemp("logs"), places=places, url=lambda path: None) as site:
        await site.keep(
            said("the day before", at=NOON - 86400),
            *(said("", kind="join", nick=f"guest{number}", at=NOON - 60 + number) for number in range(5)),
            *(said(f"line number {number}", at=NOON + number * 10, nick="alice") for number in range(40)),
            said("a needle in the log", at=NOON + 500, nick="bob"),
            *(said(f"long line {number}", place=LONG, at=NOON + number / 10) for number in range(1100)),
            *hostile_lines(),
        )
        await site.archive.set_topic(HOSTILE, " ".join(PAYLOADS)[:2000])
        await site.archive.set_topic(PUBLIC, "a quiet place")
        await site.archive.know(PUBLIC, NOON - 3000, Gap(NOON - 3600, NOON - 3000))
        async with served(site.app) as address:
            yield World(site, address, browser)
    following.RETRY = before


def hostile_lines() -> list[Any]:
    """Each payload wherever a stranger can put one."""
    lines = []
    for number, payload in enumerate(PAYLOADS):
        at = NOON + number * 60
        who = {"nick": payload, "account": payload, "place": HOSTILE, "at": at}
        talk = ("message", "notice", "action", "topic", "mode")
        comings = ("part", "quit", "kick", "nick", "join")
        lines += [said(payload, kind=kind, **who) for kind in talk]
        lines.append(said(payload, origin=payload, msgid=f"m{number}", place=HOSTILE, at=at + 1))
        lines.append(said("an answer", nick="bob", reply_to=f"m{number}", place=HOSTILE, at=at + 2))
        lines += [said(payload, kind=kind, target=payload, **{**who, "at": at + 3}) for kind in comings]
    return lines


# -- strangers

CLEAN = """() => {
  const wrong = [];
  for (const element of document.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      if (name.startsWith("on") || name === "style" || name === "srcdoc") wrong.push(element.outerHTML);
      const leads = /^(href|src|action|formaction|data|xlink:href)$/.test(name);
      if (leads && /^\\s*(javascript|data|vbscript):/i.test(value)) wrong.push(element.outerHTML);
    }
  }
  for (const element of document.querySelectorAll("iframe, object, embed, base, style, video, math, marquee"))
    wrong.push(element.outerHTML);
  for (const element of document.querySelectorAll("script, link[rel=stylesheet]"))
    if (!new URL(element.src || element.href).pathname.startsWith("/static/")) wrong.push(element.outerHTML);
  return wrong;
}"""


@pytest.mark.parametrize(
    "path",
    [
        "/",
        HOSTILE_PATH,
        f"{HOSTILE_PATH}{DAY}",
        f"{HOSTILE_PATH}about",
        f"{HOSTILE_PATH}search",
        f"{HOSTILE_PATH}search?q=script",
        f"{HOSTILE_PATH}search?q=alert&sort=best",
        f"{HOSTILE_PATH}search/counts?q=alert",
        "/search?q=onerror",
        "/search/counts?q=alert",
        f"/L/{int(NOON * 1_000_000)}",
        f"/L/{int(NOON * 1_000_000)}/around",
    ],
)
async def test_nothing_that_strangers_say_is_more_than_text(world: World, path: str) -> None:
    async with world.page(path) as page:
        assert await page.evaluate(CLEAN) == []
        await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        await page.mouse.wheel(0, 2000)
        assert await page.evaluate(CLEAN) == []


async def test_what_strangers_say_is_shown_as_they_said_it(world: World) -> None:
    async with world.page(f"{HOSTILE_PATH}{DAY}") as page:
        shown = await page.locator("#lines .message .text").all_text_contents()
        nicks = await page.locator("#lines .message .who").all_text_contents()
        title = await page.title()

    for payload in PAYLOADS:
        assert payload.replace("\n", "") in [text.replace("\n", "") for text in shown]
        if "\n" not in payload:
            assert payload in nicks
    assert "#<img src=x onerror=alert(1)>" in title


@pytest.mark.parametrize("payload", PAYLOADS[::3])
async def test_a_search_for_anything_is_shown_and_not_done(world: World, payload: str) -> None:
    async with world.page(f"{HOSTILE_PATH}search?q={quote(payload, safe='')}") as page:
        assert await page.evaluate(CLEAN) == []
        assert await page.locator("#q").input_value() == payload.replace("\n", "")


async def test_an_address_that_is_not_there_is_shown_and_not_done(world: World) -> None:
    for payload in PAYLOADS[:20]:
        answer = await world.site.get(f"/{quote(payload, safe='')}/x/")
        assert answer.status_code == 404
        assert "<script>alert" not in answer.text


async def test_what_strangers_say_while_somebody_reads_is_text_too(world: World) -> None:
    async with world.page(HOSTILE_PATH) as page:
        await live(page)
        at = NOON + 3600
        await world.site.keep(
            *(
                said(payload, nick=payload, kind=kind, place=HOSTILE, at=at + number)
                for number, payload in enumerate(PAYLOADS)
                for kind in ("message", "quit", "topic")
            )
        )
        last = (await world.ids(HOSTILE))[-1]
        await expect(page.locator(f"#L{last}")).to_be_attached()
        assert await page.evaluate(CLEAN) == []


# -- live


async def live(page: Page) -> None:
    await expect(page.locator("#live")).to_contain_text("Live")


async def say(world: World, text: str, place: str = PUBLIC, **fields: Any) -> int:
    """Say something after all that was said."""
    last = await world.site.archive.last(place)
    await world.site.keep(said(text, place=place, at=fields.pop("at", last.time + 1), **fields))
    return int((await world.site.archive.last(place)).id)


async def test_a_line_appears_as_it_is_spoken(world: World) -> None:
    async with world.page("/libera/pynfo/") as page:
        await live(page)
        line_id = await say(world, "spoken just now", nick="carol")

        await expect(page.locator(f"#L{line_id}")).to_contain_text("spoken just now")
        await expect(page.locator("#lines > li").last).to_have_attribute("id", f"L{line_id}")
        await expect(page.locator("#heard")).to_have_text("1 new line.")


async def test_the_lines_of_the_day_are_counted_on_while_people_talk(world: World) -> None:
    async with world.page("/libera/pynfo/") as page:
        await live(page)
        count = int(await page.locator("#count").get_attribute("data-count") or 0)
        line_id = await say(world, "one more")
        await expect(page.locator("#count")).to_have_text(f"{count + 1} lines on this day")
        await world.site.archive.redact(line_id)
        await say(world, "and one", nick="greta", account="greta")
        await expect(page.locator("#count")).to_have_text(f"{count + 2} lines on this day")
        await world.site.archive.forget("libera", Person(account="greta"))
        await expect(page.locator("#count")).to_have_text(f"{count + 1} lines on this day")


async def test_who_goes_on_speaking_is_not_named_again(world: World) -> None:
    async with world.page("/libera/pynfo/") as page:
        await live(page)
        first = await say(world, "one", nick="dave")
        second = await say(world, "two", nick="dave")
        third = await say(world, "three", nick="erin")

        await expect(page.locator(f"#L{third}:not(.again)")).to_be_attached()
        await expect(page.locator(f"#L{second}.again")).to_be_attached()
        await expect(page.locator(f"#L{first}:not(.again)")).to_be_attached()
        marked = await page.locator("#lines > li.again").evaluate_all("all => all.map(one => one.id)")
        await page.reload()
        assert await page.locator("#lines > li.again").evaluate_all("all => all.map(one => one.id)") == marked


async def test_the_end_is_followed_by_who_is_at_the_end(world: World) -> None:
    async with world.page("/libera/long/") as page:
        await live(page)
        await expect(page.locator("#lines > li").last).to_be_in_viewport()
        for number in range(30):
            last = await say(world, f"and on {number}", LONG)

        await expect(page.locator(f"#L{last}")).to_be_in_viewport()
        await expect(page.locator("#new-lines")).to_be_hidden()


async def test_the_place_of_who_reads_further_up_is_kept_and_a_button_leads_down(world: World) -> None:
    async with world.page("/libera/long/") as page:
        await live(page)
        await page.evaluate("scrollTo({top: 300, behavior: 'instant'})")
        before = await page.evaluate("scrollY")
        first = await say(world, "below", LONG)
        await say(world, "and below", LONG)

        button = page.locator("#new-lines")
        await expect(button).to_have_text("2 new lines")
        assert await page.evaluate("scrollY") == before
        await button.click()
        await expect(page.locator(f"#L{first}")).to_be_in_viewport()
        await expect(button).to_be_hidden()


async def test_what_is_redacted_or_forgotten_goes_from_the_open_page(world: World) -> None:
    first = await say(world, "a slip of the tongue", msgid="slip")
    second = await say(world, "somebody's words", nick="frank", account="frank", msgid="words")
    answers = [await say(world, "oh", nick="bob", reply_to=msgid) for msgid in ("slip", "words")]
    async with world.page("/libera/pynfo/") as page:
        await live(page)
        await expect(page.locator(f"#L{first}")).to_contain_text("slip")
        await expect(page.locator(f"#L{answers[0]} .reply")).to_contain_text("slip")
        await expect(page.locator(f"#L{answers[1]} .reply")).to_contain_text("frank somebody's words")
        await world.site.archive.redact(first)
        await world.site.archive.forget("libera", Person(account="frank"))

        await expect(page.locator(f"#L{first}")).to_contain_text("message removed")
        await expect(page.locator(f"#L{second}")).to_have_count(0)
        await expect(page.locator(f"#L{answers[0]} .reply")).to_contain_text("message removed")
        await expect(page.locator(f"#L{answers[1]} .reply")).to_have_count(0)


async def test_no_line_is_missing_or_double_after_a_lost_connection(world: World) -> None:
    async with world.page("/libera/pynfo/") as page:
        await live(page)
        ids = []
        for number in range(6):
            for stream in list(world.site.site.followers._streams):
                stream.cancel()
            ids.append(await say(world, f"through it all {number}"))

        await expect(page.locator(f"#L{ids[-1]}")).to_be_attached()
        shown = await page.locator("#lines > li.line").evaluate_all("all => all.map(one => one.id)")
        assert [one for one in shown if int(one[1:]) >= ids[0]] == [f"L{line_id}" for line_id in ids]
        assert len(shown) == len(set(shown))


async def test_an_older_line_is_put_where_it_belongs(world: World) -> None:
    ids = await world.ids()
    async with world.page("/libera/pynfo/") as page:
        await live(page)
        await world.site.archive.add([said("fetched late", at=NOON + 15, nick="gail")])
        await expect(page.locator("#lines")).to_contain_text("fetched late")

        shown = await page.locator("#lines li.line").evaluate_all(
            "all => all.map(one => Number(one.id.slice(1)))"
        )
        assert shown == sorted(shown)
        assert len(shown) > len(ids) // 2


async def test_a_line_of_the_next_day_begins_under_its_date(world: World) -> None:
    async with world.page("/libera/long/") as page:
        await live(page)
        midnight = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
        line_id = await say(world, "past midnight", LONG, at=midnight + 5)

        heading = page.locator(f"li:has(+ #L{line_id})")
        await expect(heading).to_contain_text("22 November 2026")
        await expect(heading.locator("a")).to_have_attribute("href", "2026-11-22")
    await world.site.archive.redact(line_id)


async def test_a_page_that_is_too_old_to_be_told_what_changed_is_made_new(world: World) -> None:
    async with world.page() as page:
        latest = await world.site.archive.latest(PUBLIC)

        async def old(route: Any) -> None:
            answer = await route.fetch()
            await route.fulfill(
                response=answer,
                body=(await answer.text())
                .replace("a needle", "something else")
                .replace(f"after={latest}", f"after={latest + 1000}"),
            )

        await page.route("**/libera/pynfo/", old, times=1)
        await page.goto("/libera/pynfo/")

        await expect(page.locator("#lines")).to_contain_text("a needle in the log")
        await live(page)
        line_id = await say(world, "and it goes on")
        await expect(page.locator(f"#L{line_id}")).to_be_attached()


# -- links to lines


async def test_a_link_to_a_line_shows_it_and_marks_it(world: World) -> None:
    ids = await world.ids(LONG)
    async with world.page(f"/L/{ids[1050]}") as page:
        await expect(page).to_have_url(f"{world.address}/libera/long/{DAY}?page=2#L{ids[1050]}")
        await expect(page.locator(".linked")).to_have_attribute("id", f"L{ids[1050]}")
        await expect(page.locator(f"#L{ids[1050]}")).to_be_in_viewport()


async def test_a_click_on_a_time_links_to_the_line_and_with_shift_to_a_range(world: World) -> None:
    ids = await world.ids(LONG)
    async with world.page(f"/libera/long/{DAY}") as page:
        await page.locator(f"#L{ids[5]} a.time").click()
        await expect(page).to_have_url(f"{world.address}/libera/long/{DAY}#L{ids[5]}")
        top = await page.evaluate("scrollY")
        await page.locator(f"#L{ids[2]} a.time").click(modifiers=["Shift"])

        await expect(page).to_have_url(f"{world.address}/libera/long/{DAY}#L{ids[2]}-L{ids[5]}")
        marked = await page.locator(".linked").evaluate_all("all => all.map(one => one.id)")
        assert marked == [f"L{line_id}" for line_id in ids[2:6]]
        assert await page.evaluate("scrollY") == top
        await page.go_back()
        await expect(page.locator(".linked")).to_have_count(1)


async def test_a_link_to_a_range_marks_and_shows_it(world: World) -> None:
    ids = await world.ids(LONG)
    async with world.page(f"/libera/long/{DAY}#L{ids[600]}-L{ids[603]}") as page:
        await expect(page.locator(".linked")).to_have_count(4)
        await expect(page.locator(f"#L{ids[600]}")).to_be_in_viewport()


async def test_a_link_into_folded_lines_opens_them(world: World) -> None:
    ids = await world.ids()
    async with world.page(f"/libera/pynfo/{DAY}#L{ids[2]}") as page:
        await expect(page.locator(f"#L{ids[2]}")).to_be_visible()
        await expect(page.locator("details[open] .linked")).to_have_count(1)


async def test_a_link_to_a_line_that_stands_elsewhere_by_now_finds_it(world: World) -> None:
    ids = await world.ids(LONG)
    async with world.page(f"/libera/long/{DAY}#L{ids[1010]}-L{ids[1012]}") as page:
        await expect(page).to_have_url(f"{world.address}/libera/long/{DAY}?page=2#L{ids[1010]}-L{ids[1012]}")
        await expect(page.locator(".linked")).to_have_count(3)


# -- keys, theme, time zone


async def test_the_keys_search_go_to_other_days_and_show_themselves(world: World) -> None:
    async with world.page(f"/libera/pynfo/{DAY}") as page:
        await page.keyboard.press("k")
        await expect(page).to_have_url(f"{world.address}/libera/pynfo/2026-11-20")
        await page.keyboard.press("j")
        await expect(page).to_have_url(f"{world.address}/libera/pynfo/{DAY}")
        await page.keyboard.press("?")
        await expect(page.locator("#keys")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#keys")).to_be_hidden()
        await page.keyboard.press("/")
        await expect(page.locator("#q")).to_be_focused()
        await page.keyboard.type("needle/j?")
        assert await page.locator("#q").input_value() == "needle/j?"


async def test_the_theme_is_switched_and_remembered(world: World) -> None:
    async with world.page("/libera/pynfo/", color_scheme="light") as page:
        paper = "getComputedStyle(document.body).backgroundColor"
        light = await page.evaluate(paper)
        await page.locator("#theme").click()
        await page.locator("#theme").click()
        dark = await page.evaluate(paper)
        assert dark != light
        await page.reload()
        assert await page.evaluate(paper) == dark
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        await page.locator("#theme").click()
        assert await page.evaluate(paper) == light


async def test_times_are_shown_in_the_readers_zone_by_a_switch(world: World) -> None:
    ids = await world.ids()
    noon = next(line_id for line_id in ids if line_id >= NOON * 1_000_000)
    async with world.page(f"/libera/pynfo/{DAY}", timezone_id="America/New_York") as page:
        time = page.locator(f"#L{noon} time")
        await expect(time).to_have_text("12:00")
        await page.locator("#zone").click()
        await expect(time).to_have_text("07:00")
        await expect(page.locator("#zone-note")).to_contain_text("America/New_York")
        await expect(page.locator("footer")).to_contain_text("Times are in America/New_York.")
        await page.reload()
        await expect(time).to_have_text("07:00")
        await page.locator("#zone").click()
        await expect(time).to_have_text("12:00")
        await expect(page.locator("#zone-note")).to_have_count(0)


async def test_the_readers_own_days_begin_where_their_midnight_is(world: World) -> None:
    async with world.page("/libera/pynfo/", timezone_id="Pacific/Kiritimati") as page:  # 14 hours ahead
        await live(page)
        midnight = page.locator("#lines > .midnight")
        await expect(midnight).to_have_count(0)
        await page.locator("#zone").click()
        await expect(midnight.last).to_have_text("Sunday, 22 November 2026")
        count = await midnight.count()
        await say(world, "a new day there", at=datetime(2026, 11, 22, 10, 0, 5, tzinfo=UTC).timestamp())
        await expect(midnight).to_have_count(count + 1)
        await expect(midnight.last).to_have_text("Monday, 23 November 2026")
        await page.locator("#zone").click()
        await expect(midnight).to_have_count(0)


# -- parts loaded apart


async def test_counts_and_context_are_loaded_apart(world: World) -> None:
    async with world.page("/search?q=needle") as page:
        await expect(page.locator("#counts")).to_contain_text("1 line found")
        around = page.locator("a.around").first
        await around.click()
        await expect(page.locator("li .context")).to_contain_text("line number 39")
        await around.click()
        await expect(page.locator("li .context")).to_have_count(0)


# -- without JavaScript, and for everybody


@pytest.mark.parametrize("path", ["/", "/libera/pynfo/", f"/libera/pynfo/{DAY}", "/libera/pynfo/about"])
async def test_pages_read_fully_without_javascript(world: World, path: str) -> None:
    async with world.page(path, java_script_enabled=False) as page:
        assert await page.locator("h1").count() == 1
        for button in ("#theme", "#zone"):
            await expect(page.locator(button)).to_be_hidden()
        if path.startswith("/libera/pynfo/2"):
            await expect(page.get_by_text("line number 7", exact=True)).to_be_visible()
            await page.locator("details summary").first.click()
            await expect(page.get_by_text("guest1").first).to_be_visible()
            await page.locator("a[rel=prev]").click()
            await expect(page.get_by_text("the day before")).to_be_visible()


async def test_searching_needs_no_javascript(world: World) -> None:
    async with world.page("/libera/pynfo/", java_script_enabled=False) as page:
        await page.locator("#q").fill("needle")
        await page.keyboard.press("Enter")
        await expect(page.locator("li.line mark")).to_have_text("needle")
        await page.locator("a.around").first.click()
        await expect(page.get_by_text("line number 39")).to_be_visible()
        await page.go_back()
        await page.locator("#counts a").click()
        await expect(page.locator("main")).to_contain_text("1 line found")


ACCESSIBLE = """() => {
  const wrong = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const named = (element) => (element.ariaLabel || element.textContent || element.title || "").trim() ||
    [...element.querySelectorAll("img[alt]")].some((image) => image.alt) ||
    (element.getAttribute("aria-labelledby") ?? "").split(" ").some((id) => document.getElementById(id));
  if (!document.documentElement.lang) wrong.push("no language");
  if (!document.title) wrong.push("no title");
  for (const landmark of ["main", "body > header", "body > footer"])
    if (all(landmark).length !== 1) wrong.push(`${all(landmark).length} of ${landmark}`);
  if (all("h1").length !== 1) wrong.push(`${all("h1").length} h1`);
  let level = 0;
  for (const heading of all("main h1, main h2, main h3, main h4")) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) wrong.push(`a level is left out before ${heading.textContent}`);
    level = own;
  }
  for (const image of all("img")) if (!image.hasAttribute("alt")) wrong.push(image.outerHTML);
  for (const image of all("svg"))
    if (image.ariaHidden !== "true" && !named(image)) wrong.push(image.outerHTML.slice(0, 200));
  for (const field of all("input:not([type=hidden]), select, textarea"))
    if (!field.labels.length && !field.ariaLabel) wrong.push(field.outerHTML);
  for (const one of all("a[href], button, summary")) if (!named(one)) wrong.push(one.outerHTML);
  for (const nav of all("nav")) if (!nav.ariaLabel) wrong.push(nav.outerHTML.slice(0, 200));
  const ids = all("[id]").map((element) => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push(`two of #${id}`);
  for (const list of all("ol, ul"))
    for (const child of list.children) if (child.tagName !== "LI") wrong.push(child.outerHTML.slice(0, 200));
  for (const name of ["aria-labelledby", "aria-describedby", "aria-controls"])
    for (const id of all(`[${name}]`).flatMap((one) => one.getAttribute(name).split(" ")))
      if (!document.getElementById(id)) wrong.push(`no #${id}`);
  const width = document.documentElement.scrollWidth;
  if (width > innerWidth) wrong.push(`wider than the window: ${width}`);
  return wrong;
}"""
PAGES = (
    "/", "/libera/pynfo/", f"/libera/pynfo/{DAY}", f"/libera/long/{DAY}?page=2", "/libera/pynfo/about",
    "/libera/pynfo/search", "/search?q=needle", "/search?q=-", "/search/counts?q=line", "/nothing/here/",
    HOSTILE_PATH, f"{HOSTILE_PATH}about",
)  # fmt: skip


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("path", PAGES)
async def test_pages_can_be_used_by_everybody(world: World, path: str, width: int) -> None:
    async with world.page(viewport={"width": width, "height": 800}) as page:
        await page.goto(path)
        assert await page.evaluate(ACCESSIBLE) == []
