"""One bot until it is told to go, and what signals do to it.

SIGTERM and the first Ctrl-C: quit from IRC politely, run every `fini`, exit 0 within 5 s. A second Ctrl-C:
exit at once. SIGHUP: read the config file again; where it has mistakes, the old one stays.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from pynfo import __version__
from pynfo.config import Config, load
from pynfo.factory import Factory
from pynfo.interfaces import IOperator
from pynfo.logging_setup import set_up_logging
from pynfo.services.state_lock import StateLocked

log = logging.getLogger(__name__)

QUIT_LIMIT = 4.5  # seconds from the wish to quit to the end, whatever still hangs
AT_ONCE = 130  # the exit code of a second Ctrl-C, as shells have it for SIGINT


def run(path: Path | str, *, verbose: bool = False, log_format: str = "text") -> int:
    """Run the bot of a config file. Returns the exit code: 1 where the config or the start failed."""
    set_up_logging(level=logging.DEBUG if verbose else logging.INFO, log_format=log_format)
    loaded = load(path)
    for mistake in loaded.mistakes:
        print(mistake, file=sys.stderr)
    if loaded.config is None:
        return 1
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(loaded.config, path))


def run_until_interrupted(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run what talks to a person, for which Ctrl-C and SIGTERM are ways to leave. Returns the exit code."""

    def leave(number: int, _frame: object) -> None:
        _end_after(QUIT_LIMIT, 0)
        signal.raise_signal(signal.SIGINT)  # asyncio cancels `main`; a second one interrupts at once

    signal.signal(signal.SIGTERM, leave)
    try:
        return asyncio.run(main())
    except KeyboardInterrupt:
        return 0


async def _serve(config: Config, path: Path | str) -> int:
    return await _Run(config, path).serve()


class _Run:
    """A running bot, and the signals that reach it.

    Signals are taken by `signal.signal`, not through the event loop, so that they work while something
    blocks it. Quitting has its own clock for the same reason: past `QUIT_LIMIT` the process ends.
    """

    def __init__(self, config: Config, path: Path | str) -> None:
        self._path = path
        self._factory = Factory(config)
        self._loop = asyncio.get_running_loop()
        self._quitting = False
        self._reload_wanted = asyncio.Event()

    async def serve(self) -> int:
        """Start, stay, stop. Returns the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        factory = self._factory
        log.info("Pynfo %s starts, with %s", __version__, self._path)
        starting = asyncio.create_task(factory.start())
        quitting = asyncio.create_task(factory.wait_quit())
        await asyncio.wait({starting, quitting}, return_when=asyncio.FIRST_COMPLETED)
        code = 0
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
        elif starting.exception() is not None:
            code = _cannot_start(starting)
            factory.request_quit()
        reloading = asyncio.create_task(self._reload_when_asked())
        await quitting
        self._end_in_time(code)
        reloading.cancel()
        await factory.stop(factory.quit_reason)
        log.info("Pynfo has stopped")
        return code

    def _on_signal(self, number: int, _frame: object) -> None:
        if number == signal.SIGHUP:
            self._soon(self._reload_wanted.set)
        elif number == signal.SIGINT and self._quitting:
            os._exit(AT_ONCE)
        else:
            self._end_in_time(0)
            self._soon(self._factory.request_quit)

    def _soon(self, function: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function)

    def _end_in_time(self, code: int) -> None:
        """End the process after `QUIT_LIMIT`, should anything keep it: a thread, a plugin, a server."""
        if self._quitting:
            return
        self._quitting = True
        _end_after(QUIT_LIMIT, code)

    async def _reload_when_asked(self) -> None:
        while True:
            await self._reload_wanted.wait()
            self._reload_wanted.clear()
            try:
                await self._reload()
            except Exception:
                log.exception("the new config could not be taken over whole")

    async def _reload(self) -> None:
        operator: Any = IOperator(self._factory)
        loaded = load(self._path)
        for mistake in loaded.mistakes:
            log.error("%s", mistake)
        if loaded.config is None:
            first = loaded.mistakes[0]
            operator.tell("config", f"the new config has mistakes, and the old one stays; the first: {first}")
            return
        if loaded.config.state_dir != self._factory.state_dir:
            log.warning("another state_dir is for the next start")
        await self._factory.reload(loaded.config)
        operator.settled("config")
        log.info("the new config is in force")


def _cannot_start(starting: asyncio.Task[None]) -> int:
    from pynfo.services.state_database import StorageError

    error = starting.exception()
    if isinstance(error, StateLocked | StorageError):
        print(error, file=sys.stderr)
    else:
        log.critical("Pynfo cannot start", exc_info=error)
    return 1


def _end_after(seconds: float, code: int) -> None:
    """End the process then, whatever still runs."""
    clock = threading.Timer(seconds, _end, [code])
    clock.daemon = True
    clock.start()


def _end(code: int) -> None:
    log.error("something does not end; this is what is running:")
    faulthandler.dump_traceback(all_threads=True)
    os._exit(code)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
