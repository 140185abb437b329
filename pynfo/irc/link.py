"""One connection as asyncio sees it: the ear of a client, until the client lets go of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pynfo.irc.client import Client


class Link(asyncio.Protocol):
    """Passes on what asyncio tells of one connection.

    A connection may outlast our interest in it, by the seconds that TLS and unread data take to end it. What
    is told of it after `release` is nobody's, and never that of the connection which came after it.
    """

    def __init__(self, client: Client) -> None:
        self._client: Client | None = client

    def release(self) -> None:
        """Let go: from now on nothing is passed on."""
        self._client = None

    def data_received(self, data: bytes) -> None:
        if self._client is not None:
            self._client.data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self._client is not None:
            self._client.connection_lost(error)

    def pause_writing(self) -> None:
        if self._client is not None:
            self._client.pause_writing()

    def resume_writing(self) -> None:
        if self._client is not None:
            self._client.resume_writing()
