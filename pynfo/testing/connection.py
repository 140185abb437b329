"""One client's connection: its lines in, the server's answers out, and a test's hand on both."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import TYPE_CHECKING

from pynfo.irc.lines import LineBuffer
from pynfo.irc.message import CLIENT_TAGS, MalformedMessage, Message, UnsendableMessage
from pynfo.testing.dispatch import answer
from pynfo.testing.person import Person
from pynfo.testing.transcript import WAIT, Pattern, Transcript

if TYPE_CHECKING:
    from pynfo.testing.server import Server

log = logging.getLogger(__name__)

UNREAD_LIMIT = 8 * 1024 * 1024  # bytes that a client has not read yet, past which it is thrown out
SHOWN = 8192  # characters of a line that are kept in `received`


class Connection(asyncio.Protocol):
    """A connection as the server has it, and as a test may use it.

    `received` holds every line the client has sent. `number` counts connections from 1. `person` is who the
    client is to the server; set `person.fingerprint` to give it a TLS client certificate that it has not.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.number = 0
        self.received = Transcript()
        self.frozen = False
        self.person = Person("*", self._deliver, self.close)
        self._transport: asyncio.Transport | None = None
        self._lines = LineBuffer()
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._lost = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Connection {self.number}, {self.person.mask}>"

    # -- what a test does with it

    def send(self, line: str | bytes) -> None:
        """Send a line as the server would; bytes go out as they are, without a line end of ours."""
        self._write(line if isinstance(line, bytes) else line.encode() + b"\r\n")

    async def expect(self, pattern: Pattern, timeout: float | None = WAIT) -> str:
        """*await* the next line of the client that `pattern` describes: see `Transcript.expect`."""
        return await self.received.expect(pattern, timeout)

    def answer(self, message: Message) -> None:
        """Answer a message as the server does by itself; for handlers that only want to look at some."""
        answer(self.server, self.person, message)

    def freeze(self) -> None:
        """From now on take in bytes and never answer, as if the network had gone: not even a PONG."""
        self.frozen = True

    def close(self) -> None:
        """Hang up, after everything that was sent has arrived."""
        if self._transport is not None:
            self._flush()
            self._transport.close()

    def abort(self) -> None:
        """Break the connection off: the client sees it reset, and what was on its way is lost."""
        self._out.clear()
        if self._transport is not None:
            self._transport.abort()

    @property
    def closed(self) -> bool:
        """Whether the connection is over."""
        return self._lost.is_set()

    async def wait_closed(self, timeout: float | None = WAIT) -> None:
        """*await* the end of the connection, by either side. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout):
            await self._lost.wait()

    # -- what asyncio does with it

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peername = transport.get_extra_info("peername") or ("unknown",)
        # A host that begins with a colon could not be a parameter: "::1" is written "0::1" on IRC.
        host = str(peername[0])
        self.person.host = "0" + host if host.startswith(":") else host
        tls = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        if certificate is not None:
            self.person.fingerprint = hashlib.sha256(certificate).hexdigest()
        if not self.server.admit(self):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._lost.set()
        self.received.end("the client's connection is closed")
        self.server.remove(self.person, f"Connection closed{f': {exc}' if exc else ''}")

    def data_received(self, data: bytes) -> None:
        left_out = self._lines.left_out
        for line in self._lines.feed(data):
            if self._transport is None or self._transport.is_closing():
                return
            line = line.rstrip(b"\r")
            if line:
                self._receive(line)
        if self._lines.left_out > left_out:
            self._too_long()

    def _receive(self, line: bytes) -> None:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = line.decode("latin-1")
        self.received.append(text[:SHOWN])
        if self.frozen:
            return
        head, _, body = line.partition(b" ") if line.startswith(b"@") else (b"", b"", line)
        if len(head) + 1 > CLIENT_TAGS or len(body) + 2 > self.server.isupport.linelen:
            self._too_long()
            return
        try:
            self._answer(Message.parse(line))
        except (MalformedMessage, UnsendableMessage) as error:
            log.info("%r sent a line that makes no sense: %s", self, error)
        except Exception as error:  # a handler of a test, or a fault of the server's: told at its close
            log.exception("%r: no answer to %r", self, text)
            self.server.failed(error)

    def _answer(self, message: Message) -> None:
        handler = self.server.handlers.get(message.command)
        if handler is None:
            if not self.server.scripted:
                self.answer(message)
            return
        lines = handler(self, message)
        for line in [lines] if isinstance(lines, str) else lines or ():
            self.send(line)

    def _too_long(self) -> None:
        if not self.frozen and not self.server.scripted:
            self.server.reply(self.person, "417", "Input line was too long")

    # -- the server's answers

    def _deliver(self, line: bytes) -> None:
        if not self.frozen:
            self._write(line)

    def _write(self, data: bytes) -> None:
        """Queue bytes; all that one turn of the event loop brings goes out in one piece."""
        if self._transport is None or self._transport.is_closing():
            return
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(data)
        self._out_bytes += len(data)
        if self._out_bytes + self._transport.get_write_buffer_size() > UNREAD_LIMIT:
            log.info("%r does not read", self)
            self.abort()

    def _flush(self) -> None:
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out))
        self._out.clear()
        self._out_bytes = 0
