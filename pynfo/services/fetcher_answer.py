"""What is asked, and what that gives: `Ask`, `Fetched`, and the words for an answer that is an error."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import msgspec

from pynfo.interfaces import FetchFailed

_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:+-]+)""", re.ASCII | re.IGNORECASE).search
_FOR_NAMES = frozenset({"idna", "punycode"})  # whose time grows with the square of the text
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a plugin asks for; see `IFetcher.get`. Those who ask for the same share one answer."""

    url: str  # with its query
    headers: tuple[tuple[str, str], ...]
    guarded: bool
    timeout: float
    limit: int
    max_age: float
    service: str  # "": its host

    @property
    def key(self) -> bytes:
        """Under what its answer is kept. All that the answer may vary with is in it: `url`, and the headers
        (RFC 9110 section 12.5.5) but for those that are the same in every request."""
        asked = (self.url, self.guarded, sorted((name.lower(), value) for name, value in self.headers))
        return sha256(msgspec.json.encode(asked)).digest()


class Headers(Mapping[str, str]):
    """Headers by name, in any case; several of one name are one, with commas (RFC 9110 section 5.3)."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            name = name.lower()
            self._values[name] = f"{self._values[name]}, {value}" if name in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Fetched:
    """See `IFetcher.get`. `service` is what people call it."""

    def __init__(
        self,
        status: int,
        headers: Headers,
        url: str,
        content: bytes,
        *,
        service: str,
        from_cache: bool = False,
        not_modified: bool = False,
    ) -> None:
        self.status = status
        self.headers = headers
        self.url = url
        self.content = content
        self.service = service
        self.from_cache = from_cache
        self.not_modified = not_modified

    def __repr__(self) -> str:
        return f"<Fetched {self.status} from {self.service}: {len(self.content)} bytes>"

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @cached_property
    def text(self) -> str:
        return self.content.decode(self._charset(), "replace")

    def json(self) -> Any:
        try:
            return msgspec.json.decode(self.text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise FetchFailed(f"{self.service} answers with something that is no JSON", "broken") from error

    def raise_for_status(self) -> None:
        """Raise `FetchFailed` where the status is not one of success."""
        if not self.ok:
            raise FetchFailed(in_words(self.service, self.status), "status", self.status)

    def _charset(self) -> str:
        for mark, charset in _MARKS:
            if self.content.startswith(mark):
                return charset
        named = _CHARSET(self.headers.get("content-type", ""))
        charset = named[1] if named else "utf-8"
        try:
            "".encode(charset)  # "rot13" and its like are no charsets, and known to `codecs.lookup`
            no_charset = codecs.lookup(charset).name in _FOR_NAMES
        except (LookupError, UnicodeError):  # or "undefined", which raises always
            no_charset = True
        return "utf-8" if no_charset else charset


def in_words(service: str, status: int) -> str:
    """What an answer with a status of no success means, as a clause."""
    if status == HTTPStatus.NOT_FOUND:
        return f"{service} does not have that (404)"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return f"{service} is asked too often (429)"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f"{service} does not let us ask ({status})"
    return f"{service} answers with an error ({status})"
