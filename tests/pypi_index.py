"""A package index on 127.0.0.1, with the JSON API and the feeds of PyPI, in their shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from pytest_httpserver import HTTPServer

from tests.feeds_site import NOON, XML, Site

SUMMARY = "What {} does"

Releases = Sequence[tuple[str, int]]  # versions, with the hour after NOON of their upload


class PackageIndex(Site):
    """Serves packages that tests put into it. `url` is what a bot's setting is."""

    def __init__(self, server: HTTPServer) -> None:
        super().__init__(server)
        self._packages: dict[str, Releases] = {}

    def put(self, name: str, releases: Releases, **more: Any) -> None:
        """A package with these releases, newest first; `more` is for `document`."""
        self._packages[name] = releases
        host = "https://index.example"
        self.serve(f"/pypi/{name}/json", json.dumps(document(name, releases, host=host, **more)))
        items = [
            _item(version, f"{host}/project/{name}/{version}/", SUMMARY.format(name), hour)
            for version, hour in releases
        ]
        self.serve(
            f"/rss/project/{name}/releases.xml",
            _rss(f"PyPI recent updates for {name}", items, f"{host}/project/{name}/"),
        )

    def updates(self, *releases: tuple[str, int]) -> None:
        """The feed of latest updates: "name version", newest first."""
        items = []
        for title, hour in releases:
            name, _, version = title.partition(" ")
            link = f"https://index.example/project/{name}/{version}/"
            items.append(_item(title, link, SUMMARY.format(name), hour))
        self.serve("/rss/updates.xml", _rss("PyPI recent updates", items))

    def newest(self, *names: str) -> None:
        """The feed of newest packages, newest first; these have a guid."""
        items = []
        for hour, name in enumerate(reversed(names)):
            link = f"https://index.example/project/{name}/"
            items.append(_item(f"{name} added to PyPI", link, SUMMARY.format(name), hour, guid=link))
        self.serve("/rss/packages.xml", _rss("PyPI newest packages", items[::-1]))


def document(
    package: str,
    releases: Releases,
    *,
    host: str = "https://index.example",
    vulnerabilities: Sequence[Mapping[str, Any]] = (),
    yanked: Sequence[str] = (),
    version: str | None = None,
    **info: Any,
) -> dict[str, Any]:
    """What `GET /pypi/NAME/json` answers; `info` are fields of its "info"."""
    version = version or releases[0][0]
    files = {number: [_file(package, number, hour, number in yanked)] for number, hour in releases}
    about: dict[str, Any] = {
        "author": "Somebody",
        "author_email": None,
        "classifiers": ["Programming Language :: Python :: 3", "License :: OSI Approved :: MIT License"],
        "description": "A long text. " * 50,
        "description_content_type": "text/markdown",
        "downloads": {"last_day": -1, "last_month": -1, "last_week": -1},
        "home_page": "",
        "license": "MIT",
        "license_expression": None,
        "name": package,
        "package_url": f"{host}/project/{package}/",
        "project_url": f"{host}/project/{package}/",
        "release_url": f"{host}/project/{package}/{version}/",
        "requires_dist": None,
        "requires_python": ">=3.9",
        "summary": SUMMARY.format(package),
        "version": version,
        "yanked": version in yanked,
        "yanked_reason": None,
    }
    return {
        "info": about | info,
        "last_serial": 12345,
        "releases": files,
        "urls": files.get(version, []),
        "vulnerabilities": list(vulnerabilities),
    }


def vulnerability(
    identifier: str, *aliases: str, fixed_in: Sequence[str] = (), **more: Any
) -> dict[str, Any]:
    """One of "vulnerabilities"."""
    return {
        "aliases": list(aliases),
        "details": f"Details of {identifier}.\n\nAt length.",
        "fixed_in": list(fixed_in),
        "id": identifier,
        "link": f"https://osv.example/vulnerability/{identifier}",
        "source": "osv",
        "summary": f"Something leaks ({identifier})",
        "withdrawn": None,
    } | more


def _file(name: str, version: str, hour: int, yanked: bool) -> dict[str, Any]:
    uploaded = datetime.fromtimestamp(NOON + hour * 3600, UTC)
    return {
        "digests": {"sha256": "0" * 64},
        "filename": f"{name}-{version}.tar.gz",
        "packagetype": "sdist",
        "requires_python": ">=3.9",
        "size": 1000,
        "upload_time": uploaded.strftime("%Y-%m-%dT%H:%M:%S"),
        "upload_time_iso_8601": uploaded.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
        "url": f"https://files.example/{name}-{version}.tar.gz",
        "yanked": yanked,
        "yanked_reason": None,
    }


def _item(title: str, link: str, description: str, hour: int, *, guid: str = "") -> str:
    unique = f"<guid>{guid}</guid>" if guid else ""
    date = formatdate(NOON + hour * 3600, usegmt=True)
    return (
        f"<item><title>{title}</title><link>{link}</link>{unique}<description>{description}</description>"
        f"<author>somebody@example.org</author><pubDate>{date}</pubDate></item>"
    )


def _rss(title: str, items: Sequence[str], link: str = "https://index.example/") -> str:
    return (
        f'{XML}<rss version="2.0"><channel><title>{title}</title><link>{link}</link>'
        f"<description>{title}</description><language>en</language>{''.join(items)}</channel></rss>"
    )
