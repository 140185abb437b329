"""What a config file is written with: `Network`, `Channel`, `Sasl`, `Http`, `env` and `file`.

The constructors keep what was written and where. They check nothing and raise nothing, so that one mistake
does not hide the next: `pynfo.config.load` reads them afterwards and tells all mistakes together.
"""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar
from pathlib import Path

from pynfo.config_places import Mistake, position
from pynfo.irc.settings import Secret

SECRET_BYTES = 64 * 1024  # of a secret file: a key with its whole certificate chain fits many times

# Secrets that could not be read while a config file runs; None where none is running.
unreadable: ContextVar[list[Mistake] | None] = ContextVar("pynfo_unreadable_secrets", default=None)


class Written:
    """A constructor's call in a config file, as it was written."""

    __slots__ = ("arguments", "column", "keywords", "line", "path")

    def __init__(self, *arguments: object, **keywords: object) -> None:
        self.arguments = arguments
        self.keywords = keywords
        self.path, self.line, self.column = position(sys._getframe(1))

    def __repr__(self) -> str:
        name = repr(self.arguments[0]) if self.arguments else ""
        return f"{type(self).__name__}({name}…)"


class Network(Written):
    """`Network("libera", host="irc.libera.chat", channels=["#pynfo"])`: one IRC network.

    Takes a short name, and as keywords `host` and `port`, or `servers`, and every field of
    `pynfo.irc.settings.NetworkSettings`. What is left out there (nick, username, …) is as in the whole file.
    """

    __slots__ = ()


class Channel(Written):
    """`Channel("#name", key="…")`: a channel with more to say than its name."""

    __slots__ = ()


class Sasl(Written):
    """`Sasl("SCRAM-SHA-256", username="pynfo", password=env("LIBERA_PASSWORD"))`: how to log in.

    The mechanism may be left out; keywords are the fields of `pynfo.irc.settings.SaslSettings`.
    """

    __slots__ = ()


class Http(Written):
    """`Http(port=8080, public_url="https://logs.example.org")`: where the web pages are served.

    Keywords are the fields of `pynfo.config_http.HttpSettings`.
    """

    __slots__ = ()


class Unread(Secret):
    """Stands for a secret that could not be read, which has been told already."""

    __slots__ = ()


def env(name: object, default: str | None = None) -> Secret:
    """A secret from the environment; `default` where it is not set."""
    value = os.environ.get(name, default) if isinstance(name, str) else None
    if value is not None:
        return Secret(value, f"env {name}")
    if isinstance(name, str):
        return _unread(f"env {name}", f"the environment has no {name}: set it before Pynfo starts")
    return _unread("env", 'env takes the name of a variable: write env("NAME")')


def file(path: object) -> Secret:
    """A secret from a file, without the line end; a relative path starts at the config file's directory."""
    if not isinstance(path, str | Path):
        return _unread("file", 'file takes a path: write file("PATH")')
    origin = f"file {path}"
    place = Path(sys._getframe(1).f_code.co_filename).parent / os.path.expanduser(path)
    try:
        with open(place, "rb") as secret:
            content = secret.read(SECRET_BYTES + 1)
        text = content.decode().rstrip("\r\n")
    except OSError as error:
        return _unread(origin, f"{path} cannot be read: {error.strerror}")
    except ValueError:
        return _unread(origin, f"{path} is not UTF-8 text")
    if len(content) > SECRET_BYTES:
        return _unread(origin, f"{path} is over {SECRET_BYTES // 1024} KiB, which is no secret")
    return Secret(text, origin) if text else _unread(origin, f"{path} is empty")


def _unread(origin: str, text: str) -> Unread:
    mistakes = unreadable.get()
    if mistakes is not None:
        path, line, _ = position(sys._getframe(2))
        mistakes.append(Mistake(path, line, text))
    return Unread("", origin)
