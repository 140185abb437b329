"""Live pages: every change once, in order, to everybody who may see it, however often connections fail."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from plugins.logs.archive.records import Person
from plugins.logs.archive.service import Archive
from plugins.logs.interfaces import ArchiveBusy
from plugins.logs.links import sign
from plugins.logs.settings import ChannelSettings, Settings
from plugins.logs.site import following, live
from plugins.logs.site.app import make_site
from tests.logs_archive import NOON, said
from tests.logs_site import HIDDEN, PLACES, PRIVATE, PUBLIC, UNLISTED, Running, served, site_in

PATH = "/libera/pynfo/live"
LIMIT = 20.0  # seconds that a test waits for what must come


class Event(msgspec.Struct):
    kind: str
    told: dict[str, Any]


class Reader:
    """An EventSource: keeps the last event id, and goes on with it."""

    def __init__(self, address: str, after: int | None = None) -> None:
        self.last_id = None if after is None else str(after)
        self.headers: dict[str, str] = {}
        self._address = address

    async def events(self) -> AsyncIterator[Event]:
        """The events of one connection, until it ends."""
        headers = dict(self.headers)
        if self.last_id is not None:
            headers["last-event-id"] = self.last_id
        timeout = httpx.Timeout(LIMIT)
        async with (
            httpx.AsyncClient(timeout=timeout) as client,
            client.stream("GET", self._address, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                raise ConnectionError(answer.status_code)
            assert answer.headers["content-type"].startswith("text/event-stream")
            kind, data = "message", ""
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    self.last_id = value
                elif name == "event":
                    kind = value
                elif name == "data":
                    data = value
                elif not line:
                    if data:
                        yield Event(kind, json.loads(data))
                    kind, data = "message", ""

    async def take(self, count: int) -> list[Event]:
        """The next events; then the connection is given up."""
        taken: list[Event] = []
        async with asyncio.timeout(LIMIT), aclosing(self.events()) as events:
            async for event in events:
                taken.append(event)
                if len(taken) == count:
                    break
        return taken


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Running]:
    async with site_in(tmp_path) as running:
        await running.archive.flush()
        yield running


async def end_of(reader: Reader) -> list[Event]:
    """What comes until the server ends the stream."""
    async with asyncio.timeout(LIMIT), aclosing(reader.events()) as events:
        return [event async for event in events]


async def until(condition: Any) -> None:
    async with asyncio.timeout(LIMIT):
        while not condition():
            await asyncio.sleep(0.01)


def streams_of(site: Running) -> int:
    return len(site.site.followers._streams)


# -- what comes


async def test_a_line_comes_as_it_stands_on_the_page(site: Running) -> None:
    async with served(site.app) as address:
        reader = Reader(address + PATH)
        reading = asyncio.create_task(reader.take(1))
        await until(lambda: reader.last_id)
        await site.keep(said("hello <b>there</b>"))
        (event,) = await reading

    line = await site.archive.last(PUBLIC)
    assert (event.kind, event.told["id"]) == ("line", line.id)
    assert f'id="L{line.id}"' in event.told["html"]
    assert "hello &lt;b&gt;there&lt;/b&gt;" in event.told["html"]
    assert event.told["html"] in (await site.get("/libera/pynfo/")).text


async def test_an_answer_shows_what_it_answers(site: Running) -> None:
    await site.keep(said("what is it?", msgid="m1"))
    async with served(site.app) as address:
        reader = Reader(address + PATH)
        reading = asyncio.create_task(reader.take(1))
        await until(lambda: reader.last_id)
        await site.keep(said("a bot", nick="bob", reply_to="m1", at=NOON + 1))
        (event,) = await reading

    assert "what is it?" in event.told["html"]


async def test_changes_come_in_the_order_of_commits_though_the_lines_are_older(site: Running) -> None:
    after = await site.archive.latest(PUBLIC)
    await site.keep(said("new", at=NOON))
    await site.archive.add([said("old", at=NOON - 60)])
    async with served(site.app) as address:
        events = await Reader(address + PATH, after).take(2)

    assert ["new" in event.told["html"] for event in events] == [True, False]


async def test_a_redaction_and_a_forgetting_come_to_who_follows(site: Running) -> None:
    await site.keep(said("one"), said("two", at=NOON + 1, account="al"))
    first, second = [line async for line in site.archive.export(PUBLIC)]
    async with served(site.app) as address:
        reader = Reader(address + PATH)
        reading = asyncio.create_task(reader.take(2))
        await until(lambda: reader.last_id)
        await site.archive.redact(first.id)
        await site.archive.forget("libera", Person(account="al"))
        redacted, removed = await reading

    assert (redacted.kind, redacted.told["id"]) == ("redacted", first.id)
    assert "message removed" in redacted.told["html"]
    assert "one" not in redacted.told["html"].replace('class="', "")
    assert (removed.kind, removed.told) == ("removed", {"id": second.id})


async def test_what_was_removed_before_the_reader_came_back_is_not_sent(site: Running) -> None:
    after = await site.archive.latest(PUBLIC)
    await site.keep(
        said("secret one"), said("secret two", at=NOON + 1, account="al"), said("end", at=NOON + 2)
    )
    lines = [line async for line in site.archive.export(PUBLIC)]
    await site.archive.redact(lines[0].id)
    await site.archive.forget("libera", Person(account="al"))
    async with served(site.app) as address:
        events = await Reader(address + PATH, after).take(4)

    assert "secret" not in repr(events)
    assert [event.kind for event in events] == ["line", "line", "redacted", "removed"]


async def test_what_happens_in_other_channels_only_moves_the_reader_on(site: Running) -> None:
    async with served(site.app) as address:
        reader = Reader(address + PATH)
        reading = asyncio.create_task(reader.take(1))
        await until(lambda: reader.last_id)
        await site.keep(said("elsewhere", place=UNLISTED))
        await site.keep(said("here", at=NOON + 1))
        (event,) = await reading

    assert "here" in event.told["html"]
    assert int(reader.last_id or 0) == await site.archive.latest(PUBLIC)


async def test_what_is_not_known_any_more_makes_the_page_new(site: Running) -> None:
    latest = await site.archive.latest(PUBLIC)
    async with served(site.app) as address:
        reader = Reader(address + PATH, latest + 1000)
        (event,) = await reader.take(1)
        assert (event.kind, reader.last_id) == ("reload", str(latest))
        reading = asyncio.create_task(reader.take(1))
        await until(lambda: reader.last_id)
        await site.keep(said("and on"))
        (event,) = await reading

    assert event.kind == "line"


# -- connections


@pytest.mark.parametrize("seed", range(4))
async def test_no_line_is_missing_or_double_however_often_the_connection_is_cut(
    site: Running, seed: int
) -> None:
    chance = random.Random(seed)
    after = await site.archive.latest(PUBLIC)
    seen: list[int] = []

    async def talk() -> None:
        for number in range(400):
            site.archive.append(said(f"line {number}", at=NOON + number / 100, nick=chance.choice("abc")))
            if chance.random() < 0.1:
                await site.keep(said("elsewhere", place=UNLISTED, at=NOON + number / 100))
            if chance.random() < 0.02:
                await site.archive.add([said(f"older {number}", at=NOON - number)])
        await site.archive.flush()

    async with served(site.app) as address:
        talking = asyncio.create_task(talk())
        reader = Reader(address + PATH, after)
        async with asyncio.timeout(LIMIT):
            while not talking.done() or len(seen) < await count(site):
                most = chance.randrange(1, 60)
                with suppress(TimeoutError):
                    # Cut anywhere, in the middle of a batch too; the reader knows what it has read.
                    async with asyncio.timeout(0.5), aclosing(reader.events()) as events:
                        async for event in events:
                            assert event.kind == "line"
                            seen.append(event.told["id"])
                            most -= 1
                            if not most:
                                break
        await talking

    assert sorted(seen) == [line.id async for line in site.archive.export(PUBLIC)]


async def count(site: Running) -> int:
    info = await site.archive.channel(PUBLIC)
    return int(info.lines)


async def test_all_readers_get_the_same_and_each_change_is_read_once(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = await site.archive.latest(PUBLIC)
    rendered: list[int] = []
    original = following._events

    def counting(changes: Any, parents: Any) -> bytes:
        rendered.append(len(changes))
        return original(changes, parents)

    monkeypatch.setattr(following, "_events", counting)
    async with served(site.app) as address:
        reading = [asyncio.create_task(Reader(address + PATH, after).take(3)) for _ in range(10)]
        await until(lambda: streams_of(site) == 10)
        await site.keep(said("1"), said("2", at=NOON + 1), said("3", at=NOON + 2))
        results = await asyncio.gather(*reading)

    assert all(one == results[0] for one in results)
    assert sum(rendered) == 3


async def test_a_reader_in_another_process_follows_the_same_archive(tmp_path: Path) -> None:
    settings = Settings(channels=PLACES)
    async with site_in(tmp_path) as bot:
        await bot.archive.flush()
        archive = Archive(tmp_path, places=PLACES, read_only=True)
        app = make_site(archive, settings, key=archive.key, url=lambda path: path)
        try:
            async with served(app) as address:
                reader = Reader(address + PATH)
                reading = asyncio.create_task(reader.take(1))
                await until(lambda: reader.last_id)
                await bot.keep(said("from the bot"))
                (event,) = await reading
        finally:
            await app.state.site.stop()
            await archive.stop()

    assert "from the bot" in event.told["html"]


# -- who may follow


@pytest.mark.parametrize("place", PLACES)
async def test_a_stream_is_open_as_the_channels_publish_says(site: Running, place: str) -> None:
    path = f"/{place.replace('#', '')}/live"
    if place in (PRIVATE, HIDDEN):
        assert (await site.get(path)).status_code == 404
        return
    async with served(site.app) as address:
        reader = Reader(address + path)
        reading = asyncio.create_task(reader.take(1))
        await until(lambda: reader.last_id)
        await site.keep(said("hello", place=place))
        assert len(await reading) == 1


async def test_a_stream_ends_when_the_log_is_switched_off(site: Running) -> None:
    async with served(site.app) as address:
        reader = Reader(address + PATH)
        reading = asyncio.create_task(end_of(reader))
        await until(lambda: reader.last_id)
        await site.archive.set_publish(PUBLIC, False)
        await site.keep(said("not for you"))

        assert await reading == []
        with pytest.raises(ConnectionError):
            await reader.take(1)


async def test_what_is_said_just_after_a_log_is_switched_off_is_not_sent(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = site.archive.changes

    async def switched_off_just_before(place: str, after: int, limit: int) -> Any:
        if not told:
            told.append(True)
            await site.archive.set_publish(PUBLIC, False)
            await site.keep(said("not for you", at=NOON + 2))
        return await changes(place, after, limit)

    told: list[bool] = []
    async with served(site.app) as address:
        reader = Reader(address + PATH)
        reading = asyncio.create_task(end_of(reader))
        await until(lambda: reader.last_id)
        monkeypatch.setattr(site.archive, "changes", switched_off_just_before)
        await site.keep(said("still open", at=NOON + 1))

        assert await reading == []


async def test_a_private_stream_ends_when_the_time_of_its_link_is_over(tmp_path: Path) -> None:
    now = [NOON]
    seen: list[bool] = []
    async with site_in(tmp_path, clock=lambda: now[0]) as site:
        await site.keep(said("hello", place=PRIVATE))
        key = sign(site.archive.key, PRIVATE, 1, now=NOON)
        cookie = (await site.get(f"/oftc/walled/?key={key}")).headers["set-cookie"].split(";")[0]
        async with served(site.app) as address:
            reader = Reader(f"{address}/oftc/walled/live")
            reader.headers["cookie"] = cookie
            async with asyncio.timeout(LIMIT), aclosing(reader.events()) as events:
                talking = asyncio.create_task(said_when_followed(site, reader))
                async for event in events:
                    seen.append("still open" in event.told["html"])
                    now[0] += 3600
                    await site.keep(said("too late", place=PRIVATE, at=NOON + 2))
            await talking

    assert seen == [True]


async def said_when_followed(site: Running, reader: Reader) -> None:
    await until(lambda: reader.last_id)
    await site.keep(said("still open", place=PRIVATE, at=NOON + 1))


# -- bounds


async def test_one_address_has_so_many_streams_and_no_more(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "STREAMS_OF_ONE", 2)
    after = await site.archive.latest(PUBLIC)
    async with served(site.app) as address:
        reading = [asyncio.create_task(Reader(address + PATH, after).take(1)) for _ in range(2)]
        await until(lambda: streams_of(site) == 2)
        async with httpx.AsyncClient() as client:
            refused = await client.get(address + PATH)
        await site.keep(said("hello"))
        await asyncio.gather(*reading)
        await until(lambda: not streams_of(site))

        assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
        assert len(await Reader(address + PATH, after).take(1)) == 1  # those who left make room
    assert not site.site.followers._of_one


async def test_all_together_have_so_many_streams_and_no_more(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "STREAMS", 0)

    assert (await site.get(PATH)).status_code == 503


async def test_streams_end_when_the_site_stops(site: Running) -> None:
    async with served(site.app) as address:
        reading = asyncio.create_task(end_of(Reader(address + PATH)))
        await until(lambda: streams_of(site))
        await site.site.stop()

        assert await reading == []
        assert (await site.get(PATH)).status_code == 503
    assert site.site.followers._following is None


async def test_nothing_follows_the_archive_when_nobody_reads(site: Running) -> None:
    async with served(site.app) as address:
        reading = asyncio.create_task(Reader(address + PATH).take(1))
        await until(lambda: site.site.followers._following is not None)
        reading.cancel()
        await until(lambda: site.site.followers._following is None)

    assert not site.site.followers._streams
    assert not site.site.followers._known


async def test_a_busy_archive_ends_a_stream_and_the_reader_comes_back(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = await site.archive.latest(PUBLIC)

    async def busy(*arguments: Any) -> None:
        raise ArchiveBusy("busy")

    async with served(site.app) as address:
        reader = Reader(address + PATH, after)
        with monkeypatch.context() as broken:
            broken.setattr(site.archive, "changes", busy)
            assert await end_of(reader) == []
        await site.keep(said("hello"))
        (event,) = await reader.take(1)

    assert "hello" in event.told["html"]


async def ask(site: Running, send: Any, receive: Any) -> None:
    """Ask for the stream over plain ASGI."""
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
        "method": "GET", "scheme": "http", "path": PATH, "raw_path": PATH.encode(),
        "query_string": b"after=0", "root_path": "", "headers": [],
        "client": ("192.0.2.1", 1), "server": ("192.0.2.2", 80), "state": {},
    }  # fmt: skip
    await site.app(scope, receive, send)


async def stays() -> Any:
    await asyncio.Event().wait()


async def test_a_reader_who_does_not_take_what_comes_is_cut_off(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SLOW", 0.05)
    sent = []

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()  # the connection is full

    async with asyncio.timeout(LIMIT):
        await ask(site, send, stays)

    assert [message.get("more_body") for message in sent] == [None, True]  # not brought to an end
    assert not streams_of(site)


async def test_silence_is_broken_before_a_proxy_would_close_the_connection(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "HEARTBEAT", 0.05)
    sent: list[bytes] = []
    enough = asyncio.Event()

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))
        if b"".join(sent).count(b": still here") == 3:
            enough.set()

    async def receive() -> Any:
        await enough.wait()
        return {"type": "http.disconnect"}

    async with asyncio.timeout(LIMIT):
        await ask(site, send, receive)

    latest = await site.archive.latest(PUBLIC)
    assert b": still here\nid: %d\n\n" % latest in b"".join(sent)


async def test_a_log_with_a_name_of_its_own_goes_on_being_live(tmp_path: Path) -> None:
    place = "libera/##c/c"
    async with site_in(tmp_path, places={place: ChannelSettings(publish="public")}) as site:
        await site.archive.flush()
        async with served(site.app) as address:
            reader = Reader(f"{address}/libera/%23%23c%2Fc/live")
            reading = asyncio.create_task(reader.take(1))
            await until(lambda: reader.last_id)
            await site.keep(said("hello", place=place))
            assert len(await reading) == 1
