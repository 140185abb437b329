"""`IWeb`: what plugins mount, where it is found, how it goes, and a listener that cannot be."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from pynfo.config import Config
from pynfo.config_http import HttpSettings
from pynfo.factory import Factory
from pynfo.interfaces import IOperator, IWeb
from pynfo.ownership import Owner, current_owner
from pynfo.services import web as web_module
from tests.test_plugin import census
from tests.web_run import WAIT, Gate, Stream, page, serving


async def whole(scope: Any, receive: Any, send: Any) -> None:
    """An application that tells what it was asked."""
    asked = [scope["root_path"], scope["path"], scope["raw_path"].decode(), scope["query_string"].decode()]
    await page("|".join(asked))(scope, receive, send)


# -- mounts


async def test_the_longest_path_that_fits_takes_the_request(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        for path in ("/", "/status", "/status/long"):
            served.web.mount(path, page(path))

        answers = {
            path: (await served.get(path)).text
            for path in ("/", "/statusx", "/status", "/status/", "/status/x", "/status/long/x")
        }

    assert answers == {
        "/": "/",
        "/statusx": "/",
        "/status": "/status",
        "/status/": "/status",
        "/status/x": "/status",
        "/status/long/x": "/status/long",
    }


async def test_an_application_sees_the_whole_path_and_which_part_of_it_is_its_own(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.web.mount("/", whole)
        served.web.mount("/status", whole)

        assert (await served.get("/a%2Fb/c?q=1")).text == "|/a/b/c|/a%2Fb/c|q=1"
        assert (await served.get("/status/x")).text == "/status|/status/x|/status/x|"


async def test_where_nothing_is_mounted_nothing_is_found(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.web.mount("/status", page())

        answer = await served.get("/")

    assert (answer.status_code, answer.text) == (404, "There is nothing here.\n")


async def test_before_anything_is_mounted_readers_and_robots_are_asked_to_come_again(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        early = await served.get("/libera/pynfo/")
        served.web.mount("/", page())
        later = await served.get("/libera/pynfo/")

    assert (early.status_code, early.headers["retry-after"], later.status_code) == (503, "5", 200)


@pytest.mark.parametrize("path", ["", "status", "/status/", "//", "/a b", "/a?b", "/%41", "/é"])
async def test_what_is_no_path_is_refused(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path) as served:
        with pytest.raises(ValueError, match="is no path for pages"):
            served.web.mount(path, page())


async def test_a_path_that_is_taken_is_refused_and_says_by_whom(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        with Owner("logs").active():
            handle = served.web.mount("/", page())
        with pytest.raises(ValueError, match="/ has pages of plugin logs already"):
            served.web.mount("/", page())

        handle.cancel()
        handle.cancel()

        served.web.mount("/", page("another"))
        assert (await served.get()).text == "another"


async def test_pages_run_as_the_plugin_that_mounted_them(tmp_path: Path) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(current_owner())
        await page()(scope, receive, send)

    owner = Owner("logs")
    async with serving(tmp_path) as served:
        with owner.active():
            served.web.mount("/", app)
        await served.get()

    assert seen == [owner]


async def test_pages_go_with_their_plugin_and_requests_under_way_may_finish(tmp_path: Path) -> None:
    gate, owner = Gate(), Owner("logs")
    async with serving(tmp_path) as served:
        with owner.active():
            served.web.mount("/", gate)
        asking = asyncio.create_task(served.get())
        await gate.asked.wait()

        closing = asyncio.create_task(owner.close())
        while (await served.get("/new")).status_code != 503:
            pass
        gate.opened.set()

        assert (await asking).text == "open"
        await closing


async def test_a_request_that_does_not_end_is_cut_when_its_plugin_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, owner = Gate(), Owner("logs")
    async with serving(tmp_path) as served:
        with owner.active():
            mount = served.web.mount("/", gate)
        asking = asyncio.create_task(served.get())
        await gate.asked.wait()

        await mount.end(0.01)

        answer = await asking
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert gate.working == 0


async def test_streams_are_ended_when_their_plugin_goes(tmp_path: Path) -> None:
    stream, owner = Stream(), Owner("logs")
    async with serving(tmp_path) as served:
        with owner.active():
            served.web.mount("/", stream)
        async with served.reader.stream("GET", served.web.url()) as answer:
            stream.events.put_nowait("data: one\n\n")
            events = answer.aiter_text()
            assert await anext(events) == "data: one\n\n"

            await owner.close()

            assert [event async for event in events] == []
        assert stream.ended.is_set()


async def test_a_handle_cuts_the_streams_at_once_and_lets_other_requests_finish(tmp_path: Path) -> None:
    gate, stream = Gate(), Stream()

    async def both(scope: Any, receive: Any, send: Any) -> None:
        await (stream if scope["path"] == "/stream" else gate)(scope, receive, send)

    async with serving(tmp_path) as served:
        mount = served.web.mount("/", both)
        asking = asyncio.create_task(served.get("/gate"))
        await gate.asked.wait()
        async with served.reader.stream("GET", served.web.url("/stream")) as answer:
            mount.cancel()
            assert [part async for part in answer.aiter_bytes()] == []
        gate.opened.set()

        assert (await asking).text == "open"


# -- the address


@pytest.mark.parametrize(
    ("http", "url"),
    [
        (None, None),
        (HttpSettings(public_url="https://logs.example.org"), "https://logs.example.org/x"),
        (HttpSettings(in_bot=False, host="::1", port=8090), "http://[::1]:8090/x"),
        (HttpSettings(in_bot=False, host="0.0.0.0", port=8090), "http://localhost:8090/x"),
    ],
)
async def test_the_address_of_a_path(tmp_path: Path, http: HttpSettings | None, url: str | None) -> None:
    factory = Factory(Config(state_dir=tmp_path, plugins={}, http=http))

    assert IWeb(factory).url("/x") == url


async def test_the_address_has_the_port_that_was_free(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        assert served.web.url("/x") == f"http://127.0.0.1:{served.port}/x"
        assert served.port > 0


# -- a bot without web


def test_without_http_nothing_of_the_web_is_imported(tmp_path: Path) -> None:
    program = f"""
import asyncio, sys
from pathlib import Path
from pynfo.config import Config
from pynfo.factory import Factory
async def main():
    factory = Factory(Config(state_dir=Path({str(tmp_path)!r}), plugins={{}}))
    await factory.start()
    await factory.stop()
asyncio.run(main())
print([name for name in ("uvicorn", "starlette", "httptools", "anyio", "jinja2") if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert run.stdout == "[]\n"


# -- a listener that cannot be


@pytest.fixture
def taken() -> Any:
    """A port that another program has."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


async def test_a_port_in_use_is_told_in_one_sentence_and_the_bot_goes_on(tmp_path: Path, taken: int) -> None:
    async with serving(tmp_path, port=taken) as served:
        told = IOperator(served.factory).matters()

        assert told == {
            "web": f"the web pages cannot be served: port {taken} of 127.0.0.1 is in use by another program; "
            "the rest goes on without, and it is tried again every minute"
        }
        assert served.web.url() is None


async def test_it_is_tried_again_until_the_port_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_module, "RETRY_AFTER", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with serving(tmp_path, port=port) as served:
            served.web.mount("/", page("here"))

            other.close()

            async with asyncio.timeout(WAIT):
                while served.web.url() is None:
                    await asyncio.sleep(0)
            assert (await served.get()).text == "here"
            assert IOperator(served.factory).matters() == {}


@pytest.mark.parametrize("host", ["192.0.2.7", "no.such.host.invalid"])
async def test_an_address_that_is_none_of_ours_is_told(tmp_path: Path, host: str) -> None:
    async with serving(tmp_path, host=host) as served:
        assert "the web pages cannot be served" in IOperator(served.factory).matters()["web"]


# -- reload


async def reload(factory: Factory, http: HttpSettings | None) -> None:
    await factory.reload(msgspec.structs.replace(factory.config, http=http))


async def test_a_reload_with_another_port_moves_the_pages(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.web.mount("/", page("here"))
        old = served.web.url()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]

        await reload(served.factory, HttpSettings(port=port))

        assert served.port == port
        assert (await served.get()).text == "here"
        with pytest.raises(httpx.ConnectError):
            await served.reader.get(old)


async def test_a_reload_with_the_same_http_keeps_connections_and_streams(tmp_path: Path) -> None:
    stream = Stream()
    async with serving(tmp_path) as served:
        served.web.mount("/", stream)
        async with served.reader.stream("GET", served.web.url()) as answer:
            await reload(served.factory, served.factory.config.http)
            stream.events.put_nowait("data: one\n\n")
            assert await anext(answer.aiter_text()) == "data: one\n\n"


async def test_a_reload_that_takes_the_web_out_and_in_again(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.web.mount("/", page("here"))
        http = served.factory.config.http

        await reload(served.factory, None)
        assert served.web.url() is None

        await reload(served.factory, http)
        assert (await served.get()).text == "here"


async def test_a_reload_tries_a_port_that_was_in_use_again(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        async with serving(tmp_path, port=other.getsockname()[1]) as served:
            other.close()

            await reload(served.factory, served.factory.config.http)

            assert served.web.url() is not None


# -- pages(factory) of plugins

PAGES = """
from pynfo import IWeb
def init(factory):
    factory.told = ["init"]
async def pages(factory):
    factory.told.append("pages")
    {more}
    async def app(scope, receive, send):
        await send({{"type": "http.response.start", "status": 200, "headers": []}})
        await send({{"type": "http.response.body", "body": b"of a plugin"}})
    IWeb(factory).mount("/", app)
"""


def write_plugin(folder: Path, more: str = "") -> None:
    (folder / "plugins").mkdir(exist_ok=True)
    (folder / "plugins" / "webpages.py").write_text(PAGES.format(more=more))
    (folder / "plugins.tml").write_text('register("webpages", "plugins.webpages")')


async def test_pages_are_mounted_after_init_and_gone_with_the_plugin(tmp_path: Path) -> None:
    write_plugin(tmp_path)
    async with serving(tmp_path) as served:
        await served.factory.plugins.load("webpages")
        assert (await served.get()).text == "of a plugin"
        assert served.factory.told == ["init", "pages"]  # type: ignore[attr-defined]

        await served.factory.plugins.reload("webpages")
        assert (await served.get()).text == "of a plugin"

        await served.factory.plugins.unload("webpages")
        assert (await served.get()).status_code == 503


async def test_pages_are_asked_for_when_the_web_comes_with_a_reload(tmp_path: Path) -> None:
    write_plugin(tmp_path)
    async with serving(tmp_path) as served:
        factory, http = served.factory, served.factory.config.http
        await reload(factory, None)
        await factory.plugins.load("webpages")
        assert factory.told == ["init"]  # type: ignore[attr-defined]
        factory.config = msgspec.structs.replace(factory.config, plugins={"webpages": {}})

        await reload(factory, http)

        assert (await served.get()).text == "of a plugin"
        await reload(factory, http)
        assert factory.told == ["init", "pages"]  # type: ignore[attr-defined]


async def test_a_plugin_goes_on_where_its_pages_fail(tmp_path: Path) -> None:
    write_plugin(tmp_path, more="1 / 0")
    async with serving(tmp_path) as served:
        await served.factory.plugins.load("webpages")

        told = IOperator(served.factory).matters()["plugin/webpages/pages"]
        assert "ZeroDivisionError" in told
        assert "goes on without its pages" in told
        assert "webpages" in served.factory.plugins.loaded

        write_plugin(tmp_path)
        await served.factory.plugins.reload("webpages")
        assert IOperator(served.factory).matters() == {}


# -- the end


async def test_nobody_is_served_any_more_when_the_plugins_end(tmp_path: Path) -> None:
    write_plugin(tmp_path)
    path = tmp_path / "plugins" / "webpages.py"
    path.write_text(path.read_text() + "def fini(factory):\n    factory.told.append(IWeb(factory).url())\n")
    async with serving(tmp_path) as served:
        await served.factory.plugins.load("webpages")

        await served.factory.stop()

        assert served.factory.told == ["init", "pages", None]  # type: ignore[attr-defined]


async def test_the_end_does_not_wait_for_streams_and_slow_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, gate = Stream(), Gate()
    async with serving(tmp_path) as served:
        served.web.mount("/stream", stream)
        served.web.mount("/gate", gate)
        asking = asyncio.create_task(served.get("/gate"))
        async with served.reader.stream("GET", served.web.url("/stream")) as answer:
            await gate.asked.wait()

            async with asyncio.timeout(4.5):  # the process has 5 s in all
                await served.factory.stop()

            assert [part async for part in answer.aiter_bytes()] == []
        assert (await asking).status_code == 503
        assert stream.ended.is_set()
        assert gate.working == 0


async def test_nothing_is_left_of_pages_that_came_and_went(tmp_path: Path) -> None:
    settings = {"logs": {"channels": {"test/#pynfo": {"publish": "public"}}}}
    async with serving(tmp_path) as served:
        factory = served.factory
        factory.config = msgspec.structs.replace(factory.config, plugins=settings)

        async def come_and_go(times: int) -> dict[str, int]:
            for _ in range(times):
                await factory.plugins.load("logs")
                assert (await served.get("/test/pynfo/")).status_code == 200
                await factory.plugins.unload("logs")
            for _ in range(10):
                await asyncio.sleep(0)
            return census()

        before = await come_and_go(2)  # what is imported and made on first use stays

        after = await come_and_go(10)

        # What pages leave is there ten times; a cache has one more or less.
        more = {kind for kind, number in after.items() if number >= before.get(kind, 0) + 10}
        assert more <= {"pynfo.ownership.Owner"}  # in timers that were cancelled: the event loop keeps them
