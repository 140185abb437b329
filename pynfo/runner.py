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
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynfo import __version__
from pynfo.config import Config, Loaded, load
from pynfo.factory import Factory
from pynfo.interfaces import IOperator
from pynfo.logging_setup import set_up_logging
from pynfo.services.state_lock import StateLocked

if TYPE_CHECKING:
    from pynfo.web_factory import WebFactory

    Runnable = Factory | WebFactory

log = logging.getLogger(__name__)

QUIT_LIMIT = 4.5  # seconds from the wish to quit to the end, whatever still hangs
AT_ONCE = 130  # the exit code of a second Ctrl-C, as shells have it for SIGINT


def run(path: Path | str, *, verbose: bool = False, log_format: str = "text") -> int:
    """Run the bot of a config file. Returns the exit code: 1 where the config or the start failed."""
    return _run(path, Factory, verbose=verbose, log_format=log_format)


def run_web(
    path: Path | str, settings: Mapping[str, Any], *, verbose: bool = False, log_format: str = "text"
) -> int:
    """Serve the pages of a config's plugins, without the bot; `settings` go before those of its `http`."""
    from pynfo.web_factory import WebFactory

    make = partial(WebFactory, in_bot=True, **settings)
    return _run(path, make, verbose=verbose, log_format=log_format, networks_needed=False)


def _run(
    path: Path | str,
    make: Callable[[Config], Runnable],
    *,
    verbose: bool,
    log_format: str,
    networks_needed: bool = True,
) -> int:
    set_up_logging(level=logging.DEBUG if verbose else logging.INFO, log_format=log_format)
    read = partial(load, path, networks_needed=networks_needed)
    loaded = read()
    for mistake in loaded.mistakes:
        if log_format == "text":
            print(mistake, file=sys.stderr)  # as `pynfo check` does: it is for the person who starts the bot
        else:
            log.error("%s", mistake)
    if loaded.config is None:
        return 1
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(loaded.config, make, read, path))


def run_until_interrupted(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run what talks to a person, and leave it, politely too, on Ctrl-C or SIGTERM. Returns the exit code."""
    give_back = _terminal()

    async def talk() -> int:
        task = asyncio.current_task()
        assert task is not None
        leaving = _Leaving(task.cancel, give_back)
        leaving.on(signal.SIGINT, signal.SIGTERM)
        try:
            return await main()
        except asyncio.CancelledError:
            return 0
        finally:
            leaving.begin(0)

    try:
        return asyncio.run(talk())
    finally:
        give_back()


async def _serve(
    config: Config, make: Callable[[Config], Runnable], read: Callable[[], Loaded], path: Path | str
) -> int:
    return await _Run(make(config), read, path).serve()


class _Leaving:
    """The way out: `ask` is called once, on the event loop, and then there are `QUIT_LIMIT` seconds.

    `at_once` is what must be done even where the process is ended. Signals are taken by `signal.signal`, not
    through the event loop, so that they work while something blocks it; the limit has a thread for that.
    """

    def __init__(self, ask: Callable[[], object], at_once: Callable[[], None] | None = None) -> None:
        self._ask = ask
        self._at_once = at_once
        self._loop = asyncio.get_running_loop()
        self._begun = False

    def on(self, *numbers: signal.Signals) -> None:
        """Leave on these signals; a Ctrl-C while leaving ends the process at once."""
        for number in numbers:
            signal.signal(number, self._on_signal)

    def begin(self, code: int) -> None:
        """From now on the process has `QUIT_LIMIT` seconds, whatever keeps it."""
        if self._begun:
            return
        self._begun = True
        clock = threading.Timer(QUIT_LIMIT, self._give_up, [code])
        clock.daemon = True
        clock.start()

    def _on_signal(self, number: int, _frame: object) -> None:
        if not self._begun:
            self.begin(0)
            self._loop.call_soon_threadsafe(self._ask)
        elif number == signal.SIGINT:
            self._end(AT_ONCE)

    def _give_up(self, code: int) -> None:
        log.error("something does not end; this is what is running:")
        faulthandler.dump_traceback(all_threads=True)
        self._end(code)

    def _end(self, code: int) -> None:
        if self._at_once is not None:
            self._at_once()
        os._exit(code)


class _Run:
    """A running bot, or its pages alone, and the signals that reach it. `read` reads the config again."""

    def __init__(self, factory: Runnable, read: Callable[[], Loaded], path: Path | str) -> None:
        self._path = path
        self._read = read
        self._factory = factory
        self._reload_wanted = asyncio.Event()

    async def serve(self) -> int:
        """Start, stay, stop. Returns the exit code."""
        factory = self._factory
        leaving = _Leaving(factory.request_quit)
        leaving.on(signal.SIGINT, signal.SIGTERM)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._reload_wanted.set)
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
        leaving.begin(code)
        reloading.cancel()
        await factory.stop(factory.quit_reason)
        log.info("Pynfo has stopped")
        return code

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
        loaded = self._read()
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
    from pynfo.services.web import CannotListen
    from pynfo.web_factory import NoPages

    error = starting.exception()
    if isinstance(error, StateLocked | StorageError | CannotListen | NoPages):
        log.critical("%s", error)
    else:
        log.critical("Pynfo cannot start", exc_info=error)
    return 1


def _terminal() -> Callable[[], None]:
    """A function that gives the terminal back as it is now; while a line is typed, it echoes nothing."""
    import termios

    try:
        terminal = sys.stdin.fileno()
        as_it_is = termios.tcgetattr(terminal)
    except (OSError, ValueError, termios.error):  # no terminal
        return lambda: None
    return lambda: termios.tcsetattr(terminal, termios.TCSANOW, as_it_is)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
