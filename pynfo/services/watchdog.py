"""Names in the log what blocks the event loop, with its stack.

A thread looks, every three quarters of the threshold, whether the loop waits for something to do. An idle
loop is not even woken. Where it finds a function at work, it asks the loop for a sign of life; where none
comes for a quarter of the threshold, it notes the stack, and tells. So what blocks for longer than the
threshold is always named, and what blocks for longer than a quarter may be.

Code that never lets go of the interpreter, such as a regular expression that backtracks, keeps this thread
from looking: that shows when it looks too late, just after.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread, get_ident
from time import monotonic
from types import FrameType

log = logging.getLogger(__name__)

THRESHOLD = 1.0  # seconds
STACK_LIMIT = 20  # innermost calls that are logged

# Modules whose function is innermost on the loop's thread while the loop waits (asyncio's, uvloop's).
_RESTING = frozenset({"selectors", "asyncio.runners"})


class Watchdog:
    """Watches the event loop that `start` is called on.

    `plugin_of(module)` gives the name of the plugin that a module belongs to, or None; it is called on the
    thread of the watchdog, only when something blocks. `clock` gives monotonic seconds.
    """

    def __init__(
        self,
        plugin_of: Callable[[str], str | None],
        threshold: float = THRESHOLD,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._plugin_of = plugin_of
        self._threshold = threshold
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._thread: Thread | None = None
        self._stopping = Event()
        self._due = float("inf")  # when to look next
        self._asked: float | None = None  # when a sign of life was asked for; None: it has come
        self._answered: float | None = None
        self._found = ""  # who blocks, and the stack
        self._told = False

    def start(self) -> None:
        """Begin to watch the loop that runs now."""
        self.attach()
        self._thread = Thread(target=self._watch, name="pynfo-watchdog", daemon=True)
        self._thread.start()

    def attach(self) -> None:
        """Take the loop that runs now, and leave it to the caller to `look`."""
        self._loop = asyncio.get_running_loop()
        self._loop_thread = get_ident()

    def stop(self) -> None:
        """Stop watching: at once, since the thread waits for just this."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(self._threshold)

    def look(self) -> float:
        """Look what the loop does, from another thread. Gives the seconds to wait until the next look.

        Raises `RuntimeError` where the loop is closed.
        """
        now = self._clock()
        if self._asked is None:
            self._ask_if_at_work(now)
        if self._asked is not None:
            self._judge(now, self._asked)
        wait = self._threshold / 4 if self._asked is not None else self._threshold * 3 / 4
        self._due = now + wait
        return wait

    def _watch(self) -> None:
        with suppress(RuntimeError):
            wait = self.look()
            while not self._stopping.wait(wait):
                wait = self.look()

    def _ask_if_at_work(self, now: float) -> None:
        frame = _frame_of(self._loop_thread)
        if frame is None or frame.f_globals.get("__name__") in _RESTING:
            return
        assert self._loop is not None
        self._answered = None
        self._loop.call_soon_threadsafe(self._answer)
        self._asked = min(now, self._due)  # earlier than now, where something kept this thread from looking

    def _answer(self) -> None:
        self._answered = self._clock()

    def _judge(self, now: float, asked: float) -> None:
        answered = self._answered
        silent = (now if answered is None else answered) - asked
        if answered is not None:
            if self._told:
                log.warning("the event loop goes on: it was blocked for at least %.1f s", silent)
            elif self._found:
                log.warning("the event loop was blocked for at least %.1f s by %s", silent, self._found)
            self._asked, self._found, self._told = None, "", False
            return
        if silent >= self._threshold / 4 and not self._found:
            self._found = self._describe()
        if silent >= self._threshold and not self._told:
            log.error("the event loop has been blocked for at least %.1f s by %s", silent, self._found)
            self._told = True

    def _describe(self) -> str:
        from traceback import format_stack  # only where something blocks

        innermost = frame = _frame_of(self._loop_thread)
        plugin = None
        while frame is not None and plugin is None:
            plugin = self._plugin_of(frame.f_globals.get("__name__", ""))
            frame = frame.f_back
        who = f"plugin {plugin}" if plugin is not None else "code outside of plugins"
        return f"{who}:\n" + "".join(format_stack(innermost)[-STACK_LIMIT:]).rstrip()


def _frame_of(thread: int) -> FrameType | None:
    """What a thread executes; None where that cannot be told: CPython 3.11 at times gives no frame."""
    frame: object = sys._current_frames().get(thread)
    return frame if isinstance(frame, FrameType) else None
