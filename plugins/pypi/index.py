"""Where the index has what we want to know, and how it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from packaging.utils import InvalidName, canonicalize_name

from plugins.pypi.package import Package, Vulnerability, read_package
from pynfo import FetchFailed, IFetcher, IScheduler
from pynfo.services.feeds_reading import Entry, Feed, NotAFeed, digest

SERVICE = "PyPI"
TIMEOUT = 10.0  # seconds
LIMIT = 16 << 20  # bytes: a package with thousands of releases has some megabytes about them
FRESH = 60.0  # seconds: whoever asks for the same package within them gets the same answer
NAME_LENGTH = 100  # characters


class Index:
    """A package index at `url` that speaks PyPI's JSON API and has its feeds."""

    def __init__(self, factory: Any, url: str) -> None:
        self._factory = factory
        self.url = url.rstrip("/")

    def json(self, name: str) -> str:
        """The address of what is known of a package."""
        return f"{self.url}/pypi/{name}/json"

    def releases(self, name: str) -> str:
        """The address of the feed of a package's releases."""
        return f"{self.url}/rss/project/{name}/releases.xml"

    def firehose(self, kind: str) -> str:
        """The address of the feed of the newest packages ("newest") or of the latest releases ("updates")."""
        return f"{self.url}/rss/{'packages' if kind == 'newest' else 'updates'}.xml"

    async def package(self, name: str) -> Package | None:
        """*await* what is known of a package; None where there is none. Raises `FetchFailed`."""
        fetched = await IFetcher(self._factory).get(
            self.json(name), timeout=TIMEOUT, limit=LIMIT, max_age=FRESH, service=SERVICE
        )
        if fetched.status == 404:
            return None
        fetched.raise_for_status()
        try:
            package: Package = await IScheduler(self._factory).in_thread(read_package, fetched.content)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise FetchFailed(f"{SERVICE} answers with something that cannot be read", "broken") from error
        return package


def canonical(name: str) -> str:
    """The one spelling that a package is asked for. Raises `ValueError` for what can be no name of one."""
    try:
        if len(name) > NAME_LENGTH:
            raise InvalidName
        return str(canonicalize_name(name, validate=True))
    except InvalidName:
        raise ValueError(name) from None


def read_advisories(content: bytes, headers: Mapping[str, str], url: str) -> Feed:
    """The advisories in an answer of the JSON API, as a feed that can be watched. Raises `NotAFeed`."""
    try:
        package = read_package(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise NotAFeed("cannot be read") from error
    entries = [_entry(vulnerability) for vulnerability in package.vulnerabilities]
    return Feed(title=f"{package.name} {package.version}", link=package.link, entries=entries)


def _entry(vulnerability: Vulnerability) -> Entry:
    return Entry(
        identities=tuple(digest("advisory", name) for name in vulnerability.names),
        title=str(vulnerability),
        link=vulnerability.link,
        summary=vulnerability.summary,
    )
