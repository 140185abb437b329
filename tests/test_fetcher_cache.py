"""Answers that are kept: given again while they are young, asked about when they are not, and bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pynfo import FetchFailed
from pynfo.services import fetcher_cache, fetcher_store
from pynfo.services.fetcher import CACHE_FILE, Fetcher
from pynfo.services.fetcher_store import CacheStore, Kept
from tests.fetcher_world import answer, fetching, says, stranger

NOW = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The wall clock of what is kept."""
    return Clock()


@pytest.fixture
async def fetcher(tmp_path: Path, clock: Clock) -> AsyncIterator[Fetcher]:
    async with fetching(tmp_path, now=clock, fetch_allow=["127.0.0.1/32"]) as fetcher:
        yield fetcher


def counted(**headers: object) -> Any:
    """A script whose answers are numbered."""
    return says(*[answer(f"answer {number}", **headers) for number in range(1, 9)])


# -- without asking


async def test_a_young_answer_is_given_again_without_asking(fetcher: Fetcher, clock: Clock) -> None:
    async with stranger(counted(X_Own="1")) as server:
        first = await fetcher.get(server.url("/a?b"), max_age=60)
        clock.now += 59
        again = await fetcher.get(server.url("/a?b"), max_age=60)
        clock.now += 1
        old = await fetcher.get(server.url("/a?b"), max_age=60)

    assert (first.text, first.from_cache) == ("answer 1", False)
    assert (again.text, again.from_cache, again.not_modified) == ("answer 1", True, False)
    assert (again.status, again.url, again.headers["x-own"]) == (200, server.url("/a?b"), "1")
    assert (old.text, old.from_cache) == ("answer 2", False)


async def test_who_wants_it_new_has_it_new(fetcher: Fetcher) -> None:
    async with stranger(counted()) as server:
        await fetcher.get(server.url(), max_age=60)
        assert (await fetcher.get(server.url())).text == "answer 2"
        assert (await fetcher.get(server.url("/b"), max_age=60)).text == "answer 3"
        assert (await fetcher.get(server.url(), headers={"Accept": "x"}, max_age=60)).text == "answer 4"
        assert (await fetcher.get(server.url(), guarded=True, max_age=60)).text == "answer 5"


async def test_that_there_is_no_such_thing_is_kept_for_a_while_too(fetcher: Fetcher) -> None:
    async with stranger(says(answer(status="404 No"))) as server:
        assert (await fetcher.get(server.url(), max_age=60)).status == 404
        assert (await fetcher.get(server.url(), max_age=60)).status == 404

    assert len(server.asked) == 1


@pytest.mark.parametrize("status", ["500 Oh", "503 Busy", "429 Slowly", "403 No"])
async def test_an_error_is_not_kept(fetcher: Fetcher, status: str) -> None:
    async with stranger(says(*[answer(status=status, ETag='"a"')] * 3, answer("well"))) as server:
        while (await fetcher.get(server.url(), max_age=60)).status != 200:
            pass

    assert "If-None-Match" not in server.asked[-1]


async def test_a_clock_that_was_set_back_makes_nothing_young(fetcher: Fetcher, clock: Clock) -> None:
    async with stranger(counted()) as server:
        await fetcher.get(server.url(), max_age=60)
        clock.now -= 3600
        assert (await fetcher.get(server.url(), max_age=60)).text == "answer 2"


@pytest.mark.parametrize("said", ["public", "no-store"])
async def test_a_kept_answer_is_not_given_where_it_is_too_large(fetcher: Fetcher, said: str) -> None:
    async with stranger(counted(Cache_Control=said)) as server:
        await fetcher.get(server.url(), max_age=60)
        with pytest.raises(FetchFailed, match="too much"):
            await fetcher.get(server.url(), max_age=60, limit=5)


# -- asked about


async def test_an_old_answer_is_asked_about_by_etag_and_date(fetcher: Fetcher, clock: Clock) -> None:
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    same = answer(status="304 Same", ETag='W/"b"', X_Own="2", Content_Type="text/wrong")
    full = answer("here", ETag='W/"a"', Last_Modified=date, X_Own="1", Content_Type="text/plain")
    async with stranger(says(full, same, answer("new"))) as server:
        await fetcher.get(server.url())
        clock.now += 100
        again = await fetcher.get(server.url())
        young = await fetcher.get(server.url(), max_age=60)
        changed = await fetcher.get(server.url())

    assert f'If-None-Match: W/"a"\r\nIf-Modified-Since: {date}\r\n' in server.asked[1]
    assert (again.status, again.text, again.from_cache, again.not_modified) == (200, "here", True, True)
    assert (again.headers["x-own"], again.headers["content-type"]) == ("2", "text/plain")
    assert (young.text, young.not_modified) == ("here", False)
    assert 'If-None-Match: W/"b"\r\n' in server.asked[2]
    assert (changed.text, changed.from_cache, changed.not_modified) == ("new", False, False)


async def test_what_is_kept_outlives_the_process(tmp_path: Path) -> None:
    async with stranger(says(answer("here", ETag='"a"'), answer(status="304 Same"))) as server:
        for _ in range(2):
            async with fetching(tmp_path) as fetcher:
                fetched = await fetcher.get(server.url())

    assert (fetched.text, fetched.not_modified) == ("here", True)


async def test_who_sends_conditions_of_their_own_gets_the_answer_to_those(fetcher: Fetcher) -> None:
    async with stranger(says(answer("here", ETag='"a"'), answer(status="304 Same"))) as server:
        for _ in range(2):
            fetched = await fetcher.get(server.url(), headers={"if-none-match": '"mine"'}, max_age=60)

    assert (fetched.status, fetched.text, fetched.not_modified) == (304, "", True)
    assert ('"mine"' in server.asked[1], '"a"' in server.asked[1]) == (True, False)


async def test_the_conditions_are_for_the_address_that_the_answer_came_from(fetcher: Fetcher) -> None:
    redirect = answer(status="302 Found", Location="/b")
    script = says(redirect, answer("here", ETag='"a"'), redirect, answer(status="304 Same"))
    async with stranger(script) as server:
        await fetcher.get(server.url("/a"))
        again = await fetcher.get(server.url("/a"))

    assert (again.text, again.url, again.not_modified) == ("here", server.url("/b"), True)
    assert ["If-None-Match" in head for head in server.asked] == [False, False, False, True]


# -- what may be kept, and how


@pytest.mark.parametrize("said", ["no-store", "private, max-age=0", 'No-Store, x="private"'])
async def test_what_may_not_be_stored_is_on_no_disk(
    tmp_path: Path, fetcher: Fetcher, clock: Clock, said: str
) -> None:
    async with stranger(counted(Cache_Control=said, ETag='"a"')) as server:
        assert (await fetcher.get(server.url(), max_age=60)).text == "answer 1"
        assert (await fetcher.get(server.url(), max_age=60)).text == "answer 1"
        clock.now += 60
        assert (await fetcher.get(server.url())).text == "answer 2"
        await fetcher.stop()

    assert "If-None-Match" not in server.asked[1]
    assert b"answer 1" not in on_disk(tmp_path)


async def test_who_asks_may_say_that_nothing_is_to_be_stored(tmp_path: Path, fetcher: Fetcher) -> None:
    """RFC 9111 section 5.2.1.5"""
    async with stranger(counted(ETag='"a"')) as server:
        for _ in range(2):
            fetched = await fetcher.get(server.url(), headers={"Cache-Control": "no-store"}, max_age=60)
            assert fetched.text == "answer 1"
        await fetcher.stop()

    assert b"answer 1" not in on_disk(tmp_path)


async def test_what_varies_with_everything_is_not_kept(fetcher: Fetcher) -> None:
    async with stranger(counted(Vary="*")) as server:
        await fetcher.get(server.url(), max_age=60)
        assert (await fetcher.get(server.url(), max_age=60)).text == "answer 2"


async def test_an_address_is_not_readable_in_the_file(tmp_path: Path, fetcher: Fetcher) -> None:
    async with stranger(counted()) as server:
        url = server.url("/a?place=home&key=secret")
        await fetcher.get(url, headers={"X-Subscription-Token": "secret"}, max_age=60)
        await fetcher.stop()

    assert b"answer 1" in on_disk(tmp_path)
    assert b"secret" not in on_disk(tmp_path)


async def test_what_a_stranger_looked_for_is_kept_for_a_day(fetcher: Fetcher, clock: Clock) -> None:
    async with stranger(counted(ETag='"a"')) as server:
        await fetcher.get(server.url("/?q=me"), guarded=True)
        await fetcher.get(server.url("/me"), guarded=True)
        clock.now += fetcher_cache.PRIVATE_KEPT_FOR
        await fetcher.get(server.url("/?q=me"), guarded=True)
        await fetcher.get(server.url("/me"), guarded=True)

    assert ["If-None-Match" in head for head in server.asked] == [False, False, False, True]


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob(f"{CACHE_FILE}*"))


# -- bounds, and a file that fails


def keep(
    store: CacheStore, name: str, content: bytes = b"", time: float = NOW, keep_for: float = 100
) -> None:
    store.keep(name.encode(), Kept("http://x/", 200, {}, content, time), keep_for)


def kept(store: CacheStore, *names: str, now: float = NOW) -> list[str]:
    return [name for name in names if store.find(name.encode(), now) is not None]


@pytest.fixture
def store(tmp_path: Path) -> Any:
    store = CacheStore(tmp_path / CACHE_FILE)
    yield store
    store.close()


def test_past_so_many_answers_the_one_not_asked_for_longest_goes(
    store: CacheStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher_store, "ENTRIES", 2)
    keep(store, "a", time=NOW)
    keep(store, "b", time=NOW + 1)
    assert kept(store, "a", now=NOW + 2) == ["a"]
    keep(store, "c", time=NOW + 3)

    assert kept(store, "a", "b", "c", now=NOW + 4) == ["a", "c"]


def test_past_so_many_bytes_it_goes_as_well(store: CacheStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher_store, "TOTAL_BYTES", 10_000)
    for number, name in enumerate("abc"):
        keep(store, name, bytes(4000), time=NOW + number)

    assert kept(store, "a", "b", "c", now=NOW + 4) == ["b", "c"]


def test_the_file_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher_store, "TOTAL_BYTES", 100_000)
    store = CacheStore(tmp_path / CACHE_FILE)
    for number in range(300):
        keep(store, str(number), bytes(5000), time=NOW + number)
    store.close()

    assert len(on_disk(tmp_path)) < 300_000


def test_what_is_too_old_is_not_found_and_then_gone(
    tmp_path: Path, store: CacheStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher_store, "PRUNED_EVERY", 0)
    keep(store, "a", b"what was looked for" * 1000, keep_for=10)
    assert kept(store, "a", now=NOW + 9.9) == ["a"]
    assert kept(store, "a", now=NOW + 10) == []
    keep(store, "b", time=NOW + 10)
    store.close()

    assert b"what was looked for" not in on_disk(tmp_path)


async def test_a_large_answer_is_given_and_not_kept(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher_cache, "ENTRY_BYTES", 5)
    async with stranger(counted()) as server:
        await fetcher.get(server.url(), max_age=60)
        assert (await fetcher.get(server.url(), max_age=60)).text == "answer 2"


async def test_what_stays_in_memory_is_bounded(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher_cache, "MEMORY_ENTRIES", 2)
    async with stranger(counted(Cache_Control="no-store")) as server:
        for path in ("/a", "/b", "/c"):
            await fetcher.get(server.url(path), max_age=60)
        assert (await fetcher.get(server.url("/c"), max_age=60)).text == "answer 3"
        assert (await fetcher.get(server.url("/a"), max_age=60)).text == "answer 4"


@pytest.mark.parametrize("damage", [b"this is no database, though it is long enough to be one" * 100, b""])
async def test_a_damaged_file_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / CACHE_FILE).write_bytes(damage)
    async with stranger(counted()) as server, fetching(tmp_path) as fetcher:
        for _ in range(2):
            assert (await fetcher.get(server.url(), max_age=60)).text == "answer 1"


async def test_without_a_file_everything_is_asked_for_and_the_log_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / CACHE_FILE).mkdir()
    async with stranger(counted()) as server, fetching(tmp_path) as fetcher:
        for number in (1, 2):
            assert (await fetcher.get(server.url(), max_age=60)).text == f"answer {number}"

    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == 1
    assert CACHE_FILE in told[0]


async def test_the_file_is_for_its_owner_alone(tmp_path: Path, fetcher: Fetcher) -> None:
    async with stranger(counted()) as server:
        await fetcher.get(server.url(), max_age=60)
        await fetcher.stop()

    assert (tmp_path / CACHE_FILE).stat().st_mode & 0o777 == 0o600
