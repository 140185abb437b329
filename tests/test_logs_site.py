"""The machinery of the log site: addresses, access, ETags, files, feeds, the API, what robots are told."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from plugins.logs.archive.records import Person
from plugins.logs.exports import as_dict
from plugins.logs.interfaces import ArchiveBusy
from plugins.logs.links import sign
from plugins.logs.settings import ChannelSettings, Robots
from plugins.logs.site import robots
from plugins.logs.site.addresses import day_path, place_path
from plugins.logs.site.api import OPERATIONS
from plugins.logs.site.app import routes
from plugins.logs.site.responses import Bodies, Body
from tests.logs_archive import NOON, said
from tests.logs_site import ADDRESS, HIDDEN, PLACES, PRIVATE, PUBLIC, Running, site_in

DAY = "2026-11-21"
ATOM = "{http://www.w3.org/2005/Atom}"
OF_A_CHANNEL = (
    "", DAY, f"{DAY}?page=1", f"{DAY}.txt", f"{DAY}.json", f"{DAY}.ndjson", "about", "search",
    "search?q=hello", "search/counts?q=hello", "feed.atom", "feed.atom?q=hello",
)  # fmt: skip
OF_THE_API = (
    "", "/days", f"/days/{DAY}", "/people", "/activity", "/topics", "/search?q=hello",
    "/search/counts?q=hello",
)  # fmt: skip


@pytest.fixture
async def site(tmp_path: Path) -> Any:
    """A site with a line in each kind of channel."""
    async with site_in(tmp_path) as running:
        await running.keep(*(said(f"hello from {place}", place=place) for place in PLACES))
        yield running


def addresses_of(place: str, line_id: int) -> list[str]:
    """Everything that shows something of a channel, but its stream."""
    network, channel = place.split("/", 1)
    api = f"/api/channels/{network}/{quote(channel, safe='')}"
    return [
        *(f"{place_path(place)}{rest}" for rest in OF_A_CHANNEL),
        *(f"{api}{rest}" for rest in OF_THE_API),
        f"/L/{line_id}",
        f"/L/{line_id}/around",
        f"/api/lines/{line_id}",
        f"/api/lines/{line_id}/around",
    ]


async def line_of(running: Running, place: str) -> int:
    return int((await running.archive.last(place)).id)


async def link_to(running: Running, place: str, hours: int = 24) -> str:
    key = sign(running.archive.key, place, hours, now=running.site.clock())
    return f"{place_path(place)}?key={key}"


# -- addresses


async def test_a_channel_without_its_last_slash_leads_to_it_with_its_query(site: Running) -> None:
    answer = await site.get("/libera/pynfo?page=1")

    assert (answer.status_code, answer.headers["location"]) == (301, "/libera/pynfo/?page=1")


@pytest.mark.parametrize("asked", ["/Libera/PYNFO/", "/libera/%70ynfo/", "/libera/%23pynfo/"])
async def test_a_name_in_another_spelling_leads_to_the_right_one(site: Running, asked: str) -> None:
    answer = await site.get(f"{asked}{DAY}?page=1")

    assert (answer.status_code, answer.headers["location"]) == (301, f"/libera/pynfo/{DAY}?page=1")


@pytest.mark.parametrize(
    "name", ["#a/b", "##c", "&local", "#ü", "#%2F", "#a?b", "#a#b", "#..", "#.", "#about"]
)
async def test_any_channel_name_has_an_address_of_its_own(tmp_path: Path, name: str) -> None:
    place = f"libera/{name}"
    async with site_in(tmp_path, places={place: ChannelSettings(publish="public")}) as running:
        await running.keep(said("hello", place=place))

        for rest in (f"{DAY}.txt", "feed.atom"):
            # As bytes of the path, since a client would take `/../` away.
            assert (await raw_get(running, f"{place_path(place)}{rest}")).status_code == 200
        texts = (await raw_get(running, f"{place_path(place)}{DAY}.txt")).text

    assert texts == "[2026-11-21 12:00:00] <alice> hello\n"


async def raw_get(running: Running, raw_path: str) -> httpx.Response:
    """Asks for exactly these bytes."""
    url = httpx.URL(ADDRESS).copy_with(raw_path=raw_path.encode())
    return await running.client.send(running.client.build_request("GET", url))


@pytest.mark.parametrize(
    "path",
    [
        "/libera/pynfo/2026-11-22",  # tomorrow
        "/libera/pynfo/2026-02-30",
        "/libera/pynfo/2026-1-1",
        "/libera/pynfo/99999-01-01",
        "/libera/pynfo/yesterday",
        "/libera/pynfo/2026-11-21?page=0",
        "/libera/pynfo/2026-11-21?page=2",
        "/libera/pynfo/2026-11-21?page=1e3",
        "/libera/pynfo/2026-11-21?page=99999999999999999999",
        "/libera/pynfo/2026-11-22.txt",
        "/libera/pynfo/x.json",
        "/libera/nothing/",
        "/nowhere/pynfo/",
        "/libera/pynfo/a/b",
        "/L/0",
        "/L/1",
        "/L/x",
        "/L/99999999999999999999",
        "/L/9223372036854775808/around",
        "/static/style.css",
        "/static/..%2Fapp.py",
        "/static/%2e%2e%2fapp.py",
        "/api/nothing",
        "/api/channels/libera/nothing",
        "/api/channels/libera/pynfo/days/2026-11-22",
        "/api/channels/libera/pynfo/days/2026-11-21?page=2",
        "/libera/%2e%2e/",
        "/..%2f..%2fetc/passwd/",
        "/%00/%00/",
        "/libera/pynfo%00/",
        "/%ff/%fe/",
    ],
)
async def test_what_is_not_there_is_one_sentence(site: Running, path: str) -> None:
    answer = await raw_get(site, path)

    assert answer.status_code == 404
    assert "There is" in answer.text or "is still to come" in answer.text or "page" in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_nothing_can_be_sent_to_the_site(site: Running) -> None:
    assert (await site.client.post("/libera/pynfo/")).status_code == 405


async def test_head_tells_what_get_would(site: Running) -> None:
    for path in ("/", "/libera/pynfo/", f"/libera/pynfo/{DAY}.txt", "/api/channels", "/libera/pynfo/live"):
        answer = await site.client.head(path)
        assert answer.status_code == 200
        if not path.endswith("live"):
            assert answer.headers["content-type"] == (await site.get(path)).headers["content-type"]


async def test_unknown_parameters_are_passed_over(site: Running) -> None:
    assert (await site.get("/libera/pynfo/?utm_source=x&page=zzz")).status_code == 200


async def test_the_address_of_a_line_leads_to_it(site: Running) -> None:
    line_id = await line_of(site, PUBLIC)

    assert (await site.get(f"/L/{line_id}")).headers["location"] == f"/libera/pynfo/{DAY}#L{line_id}"
    ranged = await site.get(f"/L/{line_id}?to={line_id + 5}")
    assert ranged.headers["location"] == f"/libera/pynfo/{DAY}#L{line_id}-L{line_id + 5}"


async def test_the_address_of_a_line_of_a_later_page_leads_there(site: Running) -> None:
    await site.keep(*(said(f"{number}", at=NOON + number / 10) for number in range(1000)))
    line_id = await line_of(site, PUBLIC)

    assert (await site.get(f"/L/{line_id}")).headers["location"] == f"/libera/pynfo/{DAY}?page=2#L{line_id}"


# -- who may read what


@pytest.mark.parametrize("place", PLACES)
async def test_every_address_of_a_channel_is_open_as_its_publish_says(site: Running, place: str) -> None:
    publish = PLACES[place].publish
    line_id = await line_of(site, place)

    for path in addresses_of(place, line_id):
        answer = await site.get(path)
        expected = {200, 302} if publish in ("public", "unlisted") else {404}
        assert answer.status_code in expected, path
        assert ("hello from" in answer.text) <= (publish in ("public", "unlisted")), path


@pytest.mark.parametrize("place", [PRIVATE, HIDDEN])
async def test_what_is_hidden_is_answered_as_what_is_absent(site: Running, place: str) -> None:
    line_id = await line_of(site, place)
    name = place.split("#")[1]

    for path in [*addresses_of(place, line_id), f"{place_path(place)}live", place_path(place).rstrip("/")]:
        absent = path.replace(name, "absent").replace(str(line_id), "17")
        hidden, nothing = await site.get(path), await site.get(absent)
        assert hidden.status_code == nothing.status_code, path
        assert hidden.text.replace(name, "absent").replace(str(line_id), "17") == nothing.text, path
        shown, expected = dict(hidden.headers), dict(nothing.headers)
        for headers in (shown, expected):
            headers.pop("content-length", None)
            headers.pop("location", None)
        assert shown == expected, path


async def test_every_route_is_walked_by_the_tests_of_access(site: Running) -> None:
    walked = {path.split("?")[0] for path in addresses_of(PUBLIC, 17)} | {"/libera/pynfo/live"}
    everywhere = {
        "/", "/search", "/search/counts", "/static/x", "/favicon.ico", "/healthz", "/robots.txt",
        "/sitemap.xml", "/openapi.json", "/api/channels", "/api/search", "/api/search/counts",
        "/libera", "/libera/", "/libera/pynfo",
    }  # fmt: skip

    for route in routes():
        assert any(route.path_regex.fullmatch(path) for path in walked | everywhere), route.path
    for operation in OPERATIONS:
        assert any(route.path == f"/api{operation.path}" for route in routes())


async def test_only_public_channels_are_listed_searched_and_told_to_robots(site: Running) -> None:
    for path in (
        "/", "/search?q=hello", "/search/counts?q=hello", "/api/channels", "/api/search?q=hello",
        "/api/search/counts?q=hello", "/sitemap.xml", "/robots.txt",
    ):  # fmt: skip
        answer = await site.get(path)
        text = answer.text
        assert answer.status_code == 200, path
        for name in ("hushed", "walled", "buried"):
            assert name not in text, path


async def test_a_signed_link_opens_a_private_log_until_its_time_is_over(tmp_path: Path) -> None:
    now = [NOON + 3600]
    async with site_in(tmp_path, clock=lambda: now[0]) as site:
        await site.keep(said("hello from a closed room", place=PRIVATE))
        line_id = await line_of(site, PRIVATE)
        answer = await site.get(f"{await link_to(site, PRIVATE, 2)}&page=1")

        assert (answer.status_code, answer.headers["location"]) == (303, "/oftc/walled/?page=1")
        assert answer.headers["cache-control"] == "private, no-store"
        cookies = answer.headers.get_list("set-cookie")
        assert [cookie.split("; Path=")[1].split(";")[0] for cookie in cookies] == [
            "/oftc/walled/",
            "/L/",
            "/api/",
        ]
        for cookie in cookies:
            assert "HttpOnly" in cookie
            assert "SameSite=lax" in cookie
            assert "Secure" in cookie
        for path in addresses_of(PRIVATE, line_id):
            opened = await site.get(path)
            assert opened.status_code in (200, 302), path
            assert opened.headers["cache-control"] in ("private, no-store", "no-store"), path
            assert "noindex" in opened.headers["x-robots-tag"], path
        now[0] += 2 * 3600
        for path in addresses_of(PRIVATE, line_id):
            assert (await site.get(path)).status_code == 404, path


async def test_a_key_of_one_private_log_does_not_open_another(tmp_path: Path) -> None:
    places = {PRIVATE: ChannelSettings(publish="private"), "oftc/#other": ChannelSettings(publish="private")}
    async with site_in(tmp_path, places=places) as site:
        await site.keep(*(said("hello", place=place) for place in places))
        await site.get(await link_to(site, PRIVATE))
        key = (await link_to(site, PRIVATE)).split("?")[1]

        assert (await site.get("/oftc/other/")).status_code == 404
        assert (await site.get(f"/oftc/other/?{key}")).status_code == 404
        assert (await site.get(f"/oftc/walled/?{key}x")).status_code == 200  # the cookie is there already


async def test_the_cookie_is_for_plain_http_where_the_site_is(tmp_path: Path) -> None:
    async with site_in(tmp_path, url=lambda path: f"http://127.0.0.1:8080{path}") as site:
        await site.keep(said("hello", place=PRIVATE))
        answer = await site.get(await link_to(site, PRIVATE))

        assert "Secure" not in answer.headers["set-cookie"]


async def test_an_operator_of_the_channel_opens_and_closes_a_log(site: Running) -> None:
    await site.archive.set_publish(HIDDEN, True)
    assert (await site.get("/oftc/buried/")).status_code == 200
    assert HIDDEN in (await site.get("/api/channels")).text

    await site.archive.set_publish(PUBLIC, False)
    assert (await site.get("/libera/pynfo/")).status_code == 404
    assert "hello" not in (await site.get("/search?q=pynfo")).text.replace("pynfo", "")


async def test_a_channel_that_the_config_does_not_name_any_more_is_closed(tmp_path: Path) -> None:
    async with site_in(tmp_path) as site:
        await site.keep(said("hello"))
    async with site_in(tmp_path, places={}) as site:
        assert (await site.get("/libera/pynfo/")).status_code == 404
        assert (await site.get("/api/channels")).json() == {"channels": []}


# -- ETags, and what is kept in memory


async def test_what_has_not_changed_is_304_everywhere(site: Running) -> None:
    line_id = await line_of(site, PUBLIC)
    paths = [
        *addresses_of(PUBLIC, line_id),
        "/",
        "/openapi.json",
        "/robots.txt",
        "/sitemap.xml",
        "/api/channels",
    ]

    for path in paths:
        first = await site.get(path)
        if first.status_code != 200:
            continue
        assert first.headers["cache-control"] == "no-cache", path
        again = await site.get(path, if_none_match=f'"other", {first.headers["etag"]}')
        assert (again.status_code, again.text) == (304, ""), path
        assert again.headers["etag"] == first.headers["etag"]


async def test_nothing_is_rendered_for_a_304(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    etag = (await site.get("/libera/pynfo/")).headers["etag"]
    monkeypatch.setattr(site.site.renderer, "run", None)
    monkeypatch.setattr(site.archive, "day", None)

    assert (await site.get("/libera/pynfo/", if_none_match=etag)).status_code == 304


async def test_every_form_of_a_day_changes_with_what_was_said_redacted_or_forgotten(site: Running) -> None:
    line_id = await line_of(site, PUBLIC)
    paths = addresses_of(PUBLIC, line_id)
    paths.remove("/api/channels/libera/%23pynfo")  # tells nothing of single lines
    paths += [
        "/search?q=hello",
        "/search/counts?q=hello",
        "/api/search?q=hello",
        "/api/search/counts?q=hello",
    ]

    async def known() -> dict[str, str]:
        answers = {path: await site.get(path) for path in paths}
        return {path: one.headers["etag"] for path, one in answers.items() if one.status_code == 200}

    async def all_are_new(before: dict[str, str]) -> dict[str, str]:
        for path, etag in before.items():
            assert (await site.get(path, if_none_match=etag)).status_code in (200, 404), path
        return await known()

    etags = await known()
    await site.keep(said("hello again", at=NOON + 60, account="al"))
    etags = await all_are_new(etags)
    await site.archive.redact(line_id)
    etags = await all_are_new(etags)
    assert await site.archive.forget("libera", Person(account="al")) == 1
    await all_are_new(etags)


@pytest.mark.parametrize("remove", ["redact", "forget"])
async def test_what_was_removed_is_on_no_page_any_more(site: Running, remove: str) -> None:
    secret = "correcthorsebattery"
    await site.keep(said(f"needle {secret}", at=NOON + 60, nick="mallory", account="mal"))
    line_id = await line_of(site, PUBLIC)
    paths = [path.replace("q=hello", "q=needle") for path in addresses_of(PUBLIC, line_id)]
    paths += ["/", "/search?q=needle", "/api/search?q=needle"]
    shown = [path for path in paths if secret in (await site.get(path)).text]
    assert len(shown) > 12

    if remove == "redact":
        await site.archive.redact(line_id)
    else:
        assert await site.archive.forget("libera", Person(account="mal")) == 1

    for path in paths:
        assert secret not in (await site.get(path)).text, path


async def test_a_body_is_made_once_for_all_who_ask_at_the_same_time() -> None:
    bodies, made, gate = Bodies(), [], asyncio.Event()

    async def make() -> Body:
        made.append(1)
        await gate.wait()
        return Body(b"body", compressed=False)

    asking = [asyncio.create_task(bodies.get("/", "1", make)) for _ in range(5)]
    await asyncio.sleep(0)
    asking[0].cancel()  # who asked first goes away; the others get it all the same
    gate.set()
    results = await asyncio.gather(*asking, return_exceptions=True)

    assert made == [1]
    assert [body.content for body in results[1:]] == [b"body"] * 4


async def test_the_memory_for_bodies_is_bounded_and_holds_one_of_each_address() -> None:
    bodies = Bodies(most=1000)

    async def make() -> Body:
        return Body(b"x" * 400, compressed=False)

    for number in range(50):
        await bodies.get(f"/{number % 7}", f"{number}", make)
    assert (len(bodies._kept), bodies._bytes) == (2, 800)
    await bodies.get("/0", "new", make)
    await bodies.get("/0", "newer", make)
    assert list(bodies._kept)[-1] == "/0"
    assert [address for address in bodies._kept if address == "/0"] == ["/0"]


async def test_a_making_that_fails_is_made_again() -> None:
    bodies = Bodies()

    async def fail() -> Body:
        raise ArchiveBusy("busy")

    async def make() -> Body:
        return Body(b"body", compressed=False)

    with pytest.raises(ArchiveBusy):
        await bodies.get("/", "1", fail)
    assert (await bodies.get("/", "1", make)).content == b"body"


async def test_pages_are_rendered_on_a_thread(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []
    monkeypatch.setattr(
        site.site.templates,
        "get_template",
        lambda name: Template(lambda: threads.append(threading.current_thread())),
    )

    await site.get("/libera/pynfo/")

    assert threads
    assert threading.main_thread() not in threads


class Template:
    def __init__(self, rendering: Any) -> None:
        self._rendering = rendering

    def render(self, *values: Any, **named: Any) -> str:
        self._rendering()
        return "page"


async def test_pages_are_compressed_once_for_those_who_take_it(site: Running) -> None:
    plain = await site.get("/libera/pynfo/", accept_encoding="identity")
    packed = await site.get("/libera/pynfo/", accept_encoding="gzip")

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.text == plain.text


# -- refusals


async def test_a_busy_archive_is_one_sentence_and_a_time_to_come_back(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*arguments: Any, **named: Any) -> None:
        raise ArchiveBusy("the log is read by too many just now: try again soon")

    for name in ("channel", "channels", "latest", "page_of"):
        monkeypatch.setattr(site.archive, name, busy)
    for path in ("/libera/pynfo/", "/api/channels", "/healthz", f"/libera/pynfo/{DAY}.txt", "/L/17"):
        answer = await site.get(path)
        assert answer.status_code == 503, path
        assert answer.headers["retry-after"] == "5"
        assert "The log is read by too many just now: try again soon." in answer.text, path


async def test_a_failure_is_one_sentence_and_is_passed_on_to_be_logged(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*arguments: Any) -> None:
        raise LookupError("secret detail")

    monkeypatch.setattr(site.archive, "channels", fail)
    transport = httpx.ASGITransport(app=site.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        for path in ("/", "/api/channels"):
            answer = await client.get(path)
            assert answer.status_code == 500
            assert "Something went wrong here; it has been noted." in answer.text
            assert "secret detail" not in answer.text
    with pytest.raises(LookupError):
        await site.get("/")


async def test_a_search_that_makes_no_sense_is_told_in_a_sentence(site: Running) -> None:
    refused = await site.get("/api/search?q=is:nonsense")

    assert refused.status_code == 400
    assert refused.json()["error"].startswith("Is: wants one of message") or "wants one of" in refused.text
    assert (await site.get("/libera/pynfo/feed.atom?q=-")).status_code == 400
    assert (await site.get("/api/search")).status_code == 400
    assert (await site.get("/api/search?q=hello&limit=x")).status_code == 400
    assert (await site.get("/api/search?q=hello&before=x")).status_code == 400


async def test_the_policy_allows_no_inline_script_and_no_inline_style(site: Running) -> None:
    for path in ("/", "/libera/pynfo/", "/search?q=hello", "/nothing/here/", "/libera/pynfo/about"):
        answer = await site.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert " style=" not in answer.text
        assert "<style" not in answer.text
        assert "<script>" not in answer.text


# -- files


async def test_assets_are_kept_for_ever_under_the_hash_of_what_they_hold(site: Running) -> None:
    address = site.site.assets.address("icon.svg")
    answer = await site.get(address)

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "image/svg+xml"
    assert (await site.get(address, accept_encoding="identity")).content == answer.content
    assert (await site.get("/favicon.ico")).headers["location"] == address


async def test_a_day_comes_whole_as_text_json_and_ndjson(site: Running) -> None:
    await site.keep(*(said(f"line {number}", at=NOON + 1 + number / 10) for number in range(2500)))
    kept = [line async for line in site.archive.export(PUBLIC)]

    text = (await site.get(f"/libera/pynfo/{DAY}.txt")).text.splitlines()
    whole = (await site.get(f"/libera/pynfo/{DAY}.json")).json()
    lines = (await site.get(f"/libera/pynfo/{DAY}.ndjson")).text.splitlines()

    assert len(text) == 2501
    assert text[-1].endswith("<alice> line 2499")
    assert (whole["place"], whole["day"]) == (PUBLIC, DAY)
    assert whole["lines"] == [as_dict(line) for line in kept]
    assert [msgspec.json.decode(line) for line in lines] == whole["lines"]


async def test_a_day_without_lines_is_an_empty_file(site: Running) -> None:
    assert (await site.get("/libera/pynfo/2026-11-20.txt")).text == ""
    assert (await site.get("/libera/pynfo/2026-11-20.json")).json()["lines"] == []


# -- addresses that people cut short


@pytest.mark.parametrize("path", ["/libera", "/libera/"])
async def test_a_network_leads_to_its_channels_in_the_list(site: Running, path: str) -> None:
    answer = await site.get(path)

    assert (answer.status_code, answer.headers["location"]) == (302, "/#libera")


async def test_of_a_network_without_public_channels_nothing_is_told(site: Running) -> None:
    answers = [await site.get(f"/{name}/") for name in ("nowhere", "search", "api")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert answers[2].json() == {
        "error": "There is nothing at this address: /openapi.json tells what there is."
    }


# -- feeds


async def test_the_feed_has_an_entry_for_each_day_with_what_was_said(site: Running) -> None:
    await site.keep(
        said("yesterday's words", at=NOON - 86400, nick="bob"),
        said("<script>alert(1)</script> & \x02bold\x02 \x01 \x0b", at=NOON + 5),
        said("reason", kind="part", at=NOON - 3 * 86400),
    )

    answer = await site.get("/libera/pynfo/feed.atom")

    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(answer.text)
    entries = feed.findall(f"{ATOM}entry")
    titles = [entry.findtext(f"{ATOM}title") for entry in entries]
    assert titles == ["#pynfo on 2026-11-21: 2 lines, by alice", "#pynfo on 2026-11-20: 1 line, by bob"]
    assert entries[0].find(f"{ATOM}content").attrib == {"type": "text"}
    assert "<script>alert(1)</script> & bold" in (entries[0].findtext(f"{ATOM}content") or "")
    assert entries[1].find(f"{ATOM}link").get("href") == f"{ADDRESS}/libera/pynfo/2026-11-20"
    assert feed.findtext(f"{ATOM}updated") == "2026-11-21T12:00:05+00:00"


async def test_the_feed_says_how_much_more_was_said_on_a_day(site: Running) -> None:
    await site.keep(*(said(f"line {number}", at=NOON + number) for number in range(24)))

    feed = ElementTree.fromstring((await site.get("/libera/pynfo/feed.atom")).text)

    text = (feed.findtext(f"{ATOM}entry/{ATOM}content") or "").splitlines()
    assert (len(text), text[-1]) == (11, "… and 15 more")


async def test_the_feed_of_a_search_has_an_entry_for_each_line_that_it_finds(site: Running) -> None:
    await site.keep(said("needle in a haystack", at=NOON + 5, nick="bob"))
    line_id = await line_of(site, PUBLIC)

    feed = ElementTree.fromstring((await site.get("/libera/pynfo/feed.atom?q=needle")).text)

    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "<bob> needle in a haystack"
    assert entry.find(f"{ATOM}link").get("href") == f"{ADDRESS}/L/{line_id}"
    assert feed.findall(f"{ATOM}link")[1].get("href") == f"{ADDRESS}/libera/pynfo/search?q=needle"
    other = await site.get("/libera/pynfo/feed.atom")
    assert feed.findtext(f"{ATOM}id") != ElementTree.fromstring(other.text).findtext(f"{ATOM}id")


# -- the API


async def test_the_api_is_as_its_description_says(site: Running) -> None:
    await site.keep(
        said("a topic", kind="topic", at=NOON + 1, account="al", msgid="m1"),
        said("hello alice", nick="bob", at=NOON + 2, reply_to="m1", origin="oftc"),
        said("", kind="nick", target="alicia", at=NOON + 3),
        said("gone", at=NOON + 4),
    )
    line_id = await line_of(site, PUBLIC)
    await site.archive.redact(line_id)
    document = (await site.get("/openapi.json")).json()
    validate(document)
    values = {"network": "libera", "channel": "pynfo", "day": DAY, "id": f"{line_id}"}

    assert set(document["paths"]) == {f"/api{operation.path}" for operation in OPERATIONS}
    for path, operations in document["paths"].items():
        operation = operations["get"]
        required = [one for one in operation["parameters"] if one["in"] == "query" and one["required"]]
        query = "&".join(f"{one['name']}=hello" for one in required)
        answer = await site.get(f"{path.format(**values)}?{query}")
        assert answer.status_code == 200, path
        check(document, operation["responses"]["200"], answer.json())
    for status, path in ((404, "/api/channels/libera/x"), (400, "/api/search?q=")):
        answer = await site.get(path)
        assert answer.status_code == status
        check(document, operation["responses"][str(status)], answer.json())


def check(document: dict[str, Any], response: dict[str, Any], answer: Any) -> None:
    """Whether an answer is as a response of the document says."""
    schema = response["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": document["components"]}).validate(answer)


async def test_the_names_of_parameters_are_those_that_handlers_look_at(site: Running) -> None:
    await site.keep(*(said(f"hello {number}", at=NOON + 1 + number) for number in range(9)))
    line_id = (await site.archive.line(await line_of(site, PUBLIC))).id

    limited = (await site.get("/api/search?q=hello&limit=2")).json()
    assert [line["text"] for line in limited["lines"]] == ["hello 8", "hello 7"]
    more = (await site.get(f"/api/search?q=hello&limit=2&before={limited['cursor']}")).json()
    assert [line["text"] for line in more["lines"]] == ["hello 6", "hello 5"]
    best = (await site.get("/api/search?q=hello&limit=2&sort=best")).json()
    assert len(best["lines"]) == 2
    around = (await site.get(f"/api/lines/{line_id}/around?before=1&after=0")).json()
    assert [line["text"] for line in around["lines"]] == ["hello 7", "hello 8"]


async def test_hosts_and_identities_are_nowhere(site: Running) -> None:
    await site.keep(said("hello", at=NOON + 9, identity=b"identity", host="al@secret.example"))
    line_id = await line_of(site, PUBLIC)

    for path in addresses_of(PUBLIC, line_id):
        text = (await site.get(path)).text
        assert "secret.example" not in text, path
        assert "identity" not in text, path


# -- robots


async def test_robots_are_told_of_public_channels_by_what_each_allows(tmp_path: Path) -> None:
    places = {
        "libera/#open": ChannelSettings(publish="public", robots=Robots(search=True, ai=True)),
        "libera/#people": ChannelSettings(publish="public", robots=Robots(search=False, ai=False)),
        "libera/#plain": ChannelSettings(publish="public"),
        "libera/#secret": ChannelSettings(publish="unlisted", robots=Robots(search=True, ai=True)),
    }
    async with site_in(tmp_path, places=places) as site:
        await site.keep(*(said("hello", place=place) for place in places))
        everybody, crawlers, _ = (await site.get("/robots.txt")).text.split("\n\n")
        sitemap = ElementTree.fromstring((await site.get("/sitemap.xml")).text)
        found = {url[0].text for url in sitemap}
        tags = {
            name: (await site.get(f"/libera/{name}/")).headers.get("x-robots-tag")
            for name in ("open", "people", "plain", "secret")
        }

    assert "Disallow: /libera/people/" in everybody
    assert "/libera/plain/" not in everybody
    assert "User-agent: GPTBot\n" in crawlers
    assert "Disallow: /\nAllow: /libera/open/" in crawlers
    assert "people" not in crawlers
    assert f"{ADDRESS}/libera/plain/{DAY}" in found
    assert f"{ADDRESS}/libera/open/about" in found
    assert not any("people" in url or "secret" in url for url in found)
    assert tags == {
        "open": None,
        "people": "noindex, noai, noimageai",
        "plain": "noai, noimageai",
        "secret": "noindex",
    }


async def test_health_is_told_in_a_little_json(site: Running) -> None:
    assert (await site.get("/healthz")).json() == {"status": "ok"}


async def test_a_large_sitemap_does_not_keep_the_bot_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def path_of(*day: Any) -> str:
        threads.add(threading.current_thread())
        return day_path(*day)

    threads: set[threading.Thread] = set()
    monkeypatch.setattr(robots, "day_path", path_of)
    async with site_in(tmp_path) as site:
        await site.keep(said("hello"))
        assert "/libera/pynfo/2026-11-21" in (await site.get("/sitemap.xml")).text
    assert threads
    assert threading.current_thread() not in threads
