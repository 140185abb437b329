"""`pynfo web` and `pynfo.asgi`: the plugins' pages without a bot."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from pynfo import asgi
from pynfo.asgi import Application
from tests.test_runner import LIMIT, Running

PAGES = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
import msgspec
from pynfo import IEvents, IOperator, IScheduler, IStorage, IWeb

class Settings(msgspec.Struct):
    text: str = "a page"

def init(factory):
    raise RuntimeError("this is not for init")

def fini(factory):
    raise RuntimeError("nor for fini")

def pages(factory):
    assert IStorage(factory, None) is None
    offered = [each(factory) for each in (IEvents, IOperator, IScheduler)]
    text = factory.settings("{name}").text

    async def show(request):
        return PlainTextResponse(f"{{text}} of {{factory.config.nick}}, {{len(offered)}} offered")

    IWeb(factory).mount("/", Starlette(routes=[Route("/", show)]))
"""

CONFIG = """
from pynfo.config import Http
http = Http(port=0, requests_per_second=None)
plugins = {plugins}
"""


def write(folder: Path, plugins: str, name: str = "shown") -> None:
    """A config with a plugin that has pages, and with no networks."""
    (folder / "plugins").mkdir(exist_ok=True)
    (folder / "plugins" / f"{name}.py").write_text(PAGES.format(name=name))
    (folder / "plugins.tml").write_text(f'register("{name}", "plugins.{name}")')
    (folder / "config.py").write_text(CONFIG.format(plugins=plugins))


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    started = []

    async def begin(*words: str) -> Running:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pynfo", "web", *words,
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        started.append(Running(process, tmp_path, 0))
        return started[-1]

    yield begin
    for running in started:
        if running.process.returncode is None:
            running.process.kill()
        await running.process.communicate()


async def address(running: Running) -> str:
    await running.logs("web pages are at ")
    return next(line for line in running.log if "web pages are at " in line).split()[-1]


async def text(url: str, wanted: str) -> None:
    """*await* a page until it says what is wanted."""
    async with asyncio.timeout(LIMIT), httpx.AsyncClient(trust_env=False) as reader:
        while (await reader.get(url)).text != wanted:
            await asyncio.sleep(0.01)


# -- pynfo web


async def test_the_pages_are_served_without_init_and_beside_a_bot(tmp_path: Path, start: Start) -> None:
    from pynfo.services.state_lock import StateLock

    write(tmp_path, '{"shown": {}, "seen": {}}')
    bot = StateLock(tmp_path / "state")
    bot.acquire()

    running = await start()

    await text(await address(running), "a page of pynfo, 3 offered")
    running.send(signal.SIGTERM)
    assert await running.ends() == 0
    assert not any("this is not for init" in line or "nor for fini" in line for line in running.log)
    bot.release()


async def test_a_new_config_is_taken_over_where_it_is(tmp_path: Path, start: Start) -> None:
    write(tmp_path, '{"shown": {}}')
    running = await start()
    url = await address(running)
    await text(url, "a page of pynfo, 3 offered")

    write(tmp_path, '{"shown": {"text": "another"}}')
    running.send(signal.SIGHUP)

    await text(url, "another of pynfo, 3 offered")
    running.send(signal.SIGINT)
    assert await running.ends() == 0


async def test_host_and_port_of_the_command_line_go_before_those_of_the_config(
    tmp_path: Path, start: Start
) -> None:
    write(tmp_path, '{"shown": {}}')
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    running = await start("--host", "localhost", "--port", str(port))

    assert await address(running) == f"http://localhost:{port}/"


async def test_a_port_in_use_is_one_sentence_and_the_end(tmp_path: Path, start: Start) -> None:
    write(tmp_path, '{"shown": {}}')
    with socket.create_server(("127.0.0.1", 0)) as other:
        running = await start("--port", str(other.getsockname()[1]))

        assert await running.ends() == 1

    told = "".join(running.log)
    assert told.count("is in use by another program\n") == 1
    assert "Traceback" not in told


async def test_a_config_without_pages_is_told(tmp_path: Path, start: Start) -> None:
    write(tmp_path, '{"seen": {}}')

    running = await start()

    assert await running.ends() == 1
    assert "no plugin of the config has pages to serve" in "".join(running.log)


async def test_mistakes_in_the_config_are_all_told(tmp_path: Path, start: Start) -> None:
    (tmp_path / "config.py").write_text("nick = 5\nowners = 6\n")

    running = await start()

    assert await running.ends() == 1
    assert running.log == [
        "config.py:1: nick must be text in quotes, not 5\n",
        "config.py:2: owners must be a list, not 6\n",
    ]


# -- pynfo.asgi


class Server:
    """As much of an ASGI server as starts and stops an application."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.said: asyncio.Queue[Any] = asyncio.Queue()
        self._heard: asyncio.Queue[Any] = asyncio.Queue()
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
        self._living = asyncio.create_task(application(scope, self._heard.get, self.said.put))

    async def says(self, phase: str) -> dict[str, Any]:
        self._heard.put_nowait({"type": f"lifespan.{phase}"})
        answer: dict[str, Any] = await asyncio.wait_for(self.said.get(), LIMIT)
        return answer

    async def get(self) -> str:
        transport = httpx.ASGITransport(self.application)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://logs") as reader:
            return (await reader.get("/")).text


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config that the environment names."""
    monkeypatch.setenv(asgi.VARIABLE, str(tmp_path / "config.py"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


async def test_the_application_serves_from_the_servers_start_to_its_end(configured: Path) -> None:
    write(configured, '{"asgi_pages": {}}', "asgi_pages")
    server = Server(Application())

    assert await server.says("startup") == {"type": "lifespan.startup.complete"}
    assert await server.get() == "a page of pynfo, 3 offered"
    assert await server.says("shutdown") == {"type": "lifespan.shutdown.complete"}


async def test_a_server_without_lifespan_starts_it_with_the_first_request(configured: Path) -> None:
    write(configured, '{"asgi_late": {}}', "asgi_late")
    application = Application()
    transport = httpx.ASGITransport(application)  # type: ignore[arg-type]

    async with httpx.AsyncClient(transport=transport, base_url="http://logs") as reader:
        answers = await asyncio.gather(*(reader.get("/") for _ in range(3)))

    assert {answer.text for answer in answers} == {"a page of pynfo, 3 offered"}
    await application.stop()


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("nick = 5\nowners = 6", "{path}:1: nick must be text in quotes, not 5\n"
         "{path}:2: owners must be a list, not 6"),
        ("plugins = {}", "{path}: no plugin of the config has pages to serve"),
    ],
)  # fmt: skip
async def test_a_config_that_cannot_be_served_is_one_clear_message(
    configured: Path, config: str, told: str
) -> None:
    path = configured / "config.py"
    path.write_text(config)

    answer = await Server(Application()).says("startup")

    assert answer == {"type": "lifespan.startup.failed", "message": told.replace("{path}", str(path))}
