"""Reads a feed in a process of its own, which is ended when it takes too long or too much memory.

feedparser is made of regular expressions, some of which take the square of the length of what a server sends,
or worse. While one of them searches, no other thread of the process runs: the bot would stand still.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from pynfo.services.feeds_reading import Feed, NotAFeed, read_feed

LIMIT = 15.0  # seconds
MEMORY = 1 << 30  # bytes; where the system can limit it
_HEADERS = ("content-type",)  # those that matter


class _Document(msgspec.Struct):
    """What is to be read, as `read_feed` takes it, and how many seconds that may take."""

    content: bytes
    headers: dict[str, str]
    url: str
    limit: float


class _NotAFeed(msgspec.Struct, tag=True):
    why: str


class _Read(msgspec.Struct, tag=True):
    feed: Feed


def read_apart(content: bytes, headers: Mapping[str, str], url: str) -> Feed:
    """As `read_feed`. Blocks until the other process is at its end."""
    kept = {name: headers[name] for name in _HEADERS if name in headers}
    try:
        done = subprocess.run(  # noqa: S603 - nothing from outside is in the command
            [sys.executable, "-P", "-m", __name__],
            input=msgspec.msgpack.encode(_Document(content, kept, url, LIMIT)),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            timeout=LIMIT,
            check=True,
        )
        outcome: _NotAFeed | _Read = msgspec.msgpack.decode(done.stdout, type=_NotAFeed | _Read)
    except subprocess.TimeoutExpired as error:
        raise NotAFeed("takes too long to be read") from error
    except (OSError, subprocess.CalledProcessError, msgspec.MsgspecError) as error:
        raise NotAFeed("cannot be read") from error
    if isinstance(outcome, _NotAFeed):
        raise NotAFeed(outcome.why)
    return outcome.feed


def _main() -> None:
    """The other process."""
    document = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=_Document)
    _restrict(int(document.limit) + 1)
    outcome: _NotAFeed | _Read
    try:
        outcome = _Read(read_feed(document.content, document.headers, document.url))
    except NotAFeed as error:
        outcome = _NotAFeed(str(error))
    sys.stdout.buffer.write(msgspec.msgpack.encode(outcome))


def _restrict(seconds: int) -> None:
    """So that it ends though nobody waits for it any more."""
    with suppress(ImportError, ValueError, OSError):  # not every system can
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    _main()
