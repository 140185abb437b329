"""One request under way, from admission to the last byte of its answer, and the answers that are refusals.

A request has a place among those that are worked on, but for while its reader is to take what was written:
who reads slowly, or follows a stream, holds up nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from pynfo.ownership import running_as
from pynfo.services.web_admission import Admission

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

WORK_LIMIT = 30.0  # seconds for an application to begin its answer, or to go on with it
END_LIMIT = 1.0  # seconds for requests to end when what answers them goes
CUT_LIMIT = 0.5  # seconds for them to take note that they were cut

BUSY = "There is too much to do here at the moment. Try again in a few seconds."
LATE = "That took too long. Try again in a few seconds."
RENEWED = "This page is just being renewed. Try again in a few seconds."
RETRY = (b"retry-after", b"5")

# Where the application does not say them itself.
BASELINE: list[Header] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
]


class CutShort(Exception):
    """An answer ends before its time: the server closes the connection, so that the reader can tell."""


class Exchange:
    """One request, in the task that answers it."""

    def __init__(self, send: Send, admission: Admission, reader: str = "") -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task = task
        self.begun = False  # the answer, so that it cannot be another one any more
        self.stream = False
        self.cut_for: str | None = None  # why it was cut, in a sentence for the reader
        self._send = send
        self._admission = admission
        self._reader = reader
        self._start: Message | None = None  # goes with the first part of the body
        self._timer: asyncio.TimerHandle | None = None
        self._work()

    async def send(self, message: Message) -> None:
        """What the application sends."""
        if message["type"] == "http.response.start":
            message["headers"] = _with_baseline(message.get("headers", ()))
            self.stream = _is_event_stream(message["headers"])
            if self.stream:
                await self._pass_on(message)
            else:
                self._start = message
            return
        start, self._start = self._start, None
        if start is not None:
            await self._pass_on(start)
        await self._pass_on(message)
        if message.get("more_body") and not self.stream:
            await self._admission.enter_again(self._reader)
            self._work()

    def leave(self) -> None:
        """Nothing is worked on for it any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._admission.leave()

    def cut(self, why: str) -> None:
        """End it now."""
        if self.cut_for is None:
            self.cut_for = why
            self.task.cancel()

    async def _pass_on(self, message: Message) -> None:
        self.leave()
        self.begun = True
        with running_as(None):  # the timers of the connection are not the plugin's
            await self._send(message)

    def _work(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(WORK_LIMIT, self.cut, LATE)


async def refuse(send: Send, status: int, text: str, *headers: Header) -> None:
    """Answer with one sentence."""
    body = f"{text}\n".encode()
    about = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": _with_baseline(about)})
    await send({"type": "http.response.body", "body": body})


def cut_streams(requests: Iterable[Exchange]) -> None:
    """End the event streams among them: those who follow one come back by themselves."""
    for exchange in list(requests):
        if exchange.stream:
            exchange.cut(RENEWED)


async def end(requests: set[Exchange], limit: float) -> None:
    """*await* the end of requests, cut them after `limit` seconds, and leave what does not end even so."""
    for seconds in (limit, CUT_LIMIT):
        if requests:
            await asyncio.wait({exchange.task for exchange in requests}, timeout=seconds)
        for exchange in list(requests):
            exchange.cut(RENEWED)


def _with_baseline(headers: Iterable[Header]) -> list[Header]:
    headers = list(headers)
    present = {name.lower() for name, _ in headers}
    return headers + [header for header in BASELINE if header[0] not in present]


def _is_event_stream(headers: Iterable[Header]) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers
    )
