"""A package as PyPI's JSON API tells of it, and as one line. Nothing here asks anybody.

Source: the description of the JSON API in PyPI's documentation (`GET /pypi/<project>/json`); versions and
names are compared as PEP 440 and PEP 503 say, by the library `packaging`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from packaging.version import InvalidVersion, Version

from pynfo.human_time import ago
from pynfo.services.feeds_news import folded
from pynfo.text import one_line

NAME, VERSION, SUMMARY, PYTHON, LICENCE, REASON = 80, 40, 120, 60, 50, 80  # characters
IDENTIFIER, ADVISORY, LINK = 40, 150, 300  # characters
TOLD = 3  # vulnerabilities that are told by their identifiers
FIXES = 3  # versions that fix one
ALIASES = 8  # names of one vulnerability beside its identifier; `Memory` has room for those of all
MOST = 200  # vulnerabilities of one package that are looked at


class Vulnerability(msgspec.Struct, frozen=True, kw_only=True):
    """`names`: its identifier, then others that it has elsewhere. `fixed_in`: versions, lowest first."""

    names: tuple[str, ...]
    fixed_in: tuple[str, ...] = ()
    summary: str = ""
    link: str = ""

    def __str__(self) -> str:
        fixed = f"fixed in {' and '.join(self.fixed_in)}" if self.fixed_in else "no fix yet"
        return f"{self.names[0]} ({fixed})"


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """The newest release of a package. Times are in UTC epoch seconds; texts are safe to be said."""

    name: str
    version: str
    summary: str = ""
    python: str = ""  # which it needs, such as ">=3.9"
    licence: str = ""
    uploaded: float | None = None
    yanked: bool = False
    yanked_reason: str = ""
    prerelease: str = ""  # one that is newer
    prerelease_uploaded: float | None = None
    vulnerabilities: tuple[Vulnerability, ...] = ()
    link: str = ""


def read_package(content: bytes) -> Package:
    """The package in an answer of the API. Raises `msgspec.MsgspecError` where it is none."""
    document = msgspec.json.decode(content, type=_Document)
    info = document.info
    newest = _newest_prerelease(document)
    return Package(
        name=one_line(info.name, NAME),
        version=one_line(info.version, VERSION),
        summary=_given(info.summary, SUMMARY),
        python=_given(info.requires_python, PYTHON),
        licence=_licence(info),
        uploaded=_uploaded(document.urls),
        yanked=info.yanked or (bool(document.urls) and all(file.yanked for file in document.urls)),
        yanked_reason=_given(info.yanked_reason, REASON),
        prerelease=one_line(newest, VERSION),
        prerelease_uploaded=_uploaded((document.releases or {}).get(newest, ())),
        vulnerabilities=_vulnerabilities(document.vulnerabilities or ()),
        link=_link(info.package_url) or _link(info.project_url),
    )


def describe(package: Package, now: float) -> str:
    """The package in one line; `now` in UTC epoch seconds."""
    parts = [package.name]
    parts.append(package.version + (" (pre-release)" if is_prerelease(package.version) else ""))
    head = " ".join(parts)
    if package.uploaded is not None:
        head += f", {ago(now - package.uploaded)}"
    if package.yanked:
        head += ", YANKED" + (f" ({package.yanked_reason})" if package.yanked_reason else "")
    if package.prerelease:
        head += f", pre-release {package.prerelease}"
        if package.prerelease_uploaded is not None:
            head += f" {ago(now - package.prerelease_uploaded)}"
    about = [
        f"{head}: {package.summary}" if package.summary else head,
        f"Python {package.python}" if package.python else "",
        package.licence or "no licence named",
        _security(package.vulnerabilities),
        package.link,
    ]
    return " | ".join(filter(None, about))


def is_prerelease(version: str) -> bool:
    """Whether a version is a pre-release or a development release; what is no version is none."""
    try:
        return Version(version).is_prerelease
    except InvalidVersion:
        return False


def _security(vulnerabilities: Sequence[Vulnerability]) -> str:
    if not vulnerabilities:
        return "no known vulnerabilities"
    return "VULNERABLE: " + folded(map(str, vulnerabilities), listed=TOLD)


# -- the API's document, as far as it is used


class _File(msgspec.Struct):
    upload_time_iso_8601: str | None = None
    yanked: bool = False


class _Info(msgspec.Struct):
    name: str
    version: str
    summary: str | None = None
    requires_python: str | None = None
    license: str | None = None
    license_expression: str | None = None
    classifiers: list[str] | None = None
    yanked: bool = False
    yanked_reason: str | None = None
    package_url: str | None = None
    project_url: str | None = None


class _Advisory(msgspec.Struct):
    id: str
    aliases: list[str] | None = None
    fixed_in: list[str] | None = None
    summary: str | None = None
    details: str | None = None
    link: str | None = None
    withdrawn: Any = None


class _Document(msgspec.Struct):
    info: _Info
    urls: list[_File] = []
    releases: dict[str, list[_File]] | None = None
    vulnerabilities: list[_Advisory] | None = None


def _given(text: str | None, limit: int) -> str:
    """A text of an author; some write UNKNOWN where there is none, or had it written for them."""
    line = one_line(text or "", limit)
    return "" if line in ("UNKNOWN", "None") else line


def _licence(info: _Info) -> str:
    """By what is surest: the SPDX expression, then the classifiers, then what stands in the old field, where
    some authors have put the whole text."""
    if expression := _given(info.license_expression, LICENCE):
        return expression
    named = [
        words.rpartition(" :: ")[2] for words in info.classifiers or () if words.startswith("License :: ")
    ]
    named = [name for name in named if name != "OSI Approved"]
    if named:
        return one_line(" or ".join(named), LICENCE)
    return _given((info.license or "").strip().partition("\n")[0], LICENCE)


def _uploaded(files: Sequence[_File]) -> float | None:
    """When the first file of a release came."""
    times = [_time(file.upload_time_iso_8601) for file in files]
    return min((time for time in times if time is not None), default=None)


def _time(text: str | None) -> float | None:
    try:
        moment = datetime.fromisoformat(text or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _newest_prerelease(document: _Document) -> str:
    """The newest pre-release that can be had, where it is newer than the release; else ""."""
    try:
        newest = Version(document.info.version)
    except InvalidVersion:
        return ""
    found = ""
    for text, files in (document.releases or {}).items():
        if not files or all(file.yanked for file in files):
            continue
        try:
            version = Version(text)
        except InvalidVersion:
            continue
        if version.is_prerelease and version > newest:
            newest, found = version, text
    return found


def _vulnerabilities(advisories: Sequence[_Advisory]) -> tuple[Vulnerability, ...]:
    """Each once: several databases tell of the same one, and name each other's identifiers."""
    found: list[Vulnerability] = []
    for advisory in advisories[:MOST]:
        names = {
            one_line(name, IDENTIFIER): None for name in (advisory.id, *(advisory.aliases or ())[:ALIASES])
        }
        if advisory.withdrawn:
            continue
        if any(not names.keys().isdisjoint(other.names) for other in found):
            continue
        found.append(
            Vulnerability(
                names=tuple(names),
                fixed_in=tuple(one_line(fix, VERSION) for fix in (advisory.fixed_in or ())[:FIXES]),
                summary=one_line(advisory.summary or advisory.details or "", ADVISORY),
                link=_link(advisory.link),
            )
        )
    return tuple(found)


def _link(address: str | None) -> str:
    address = address or ""
    safe = address.startswith(("https://", "http://")) and one_line(address, LINK) == address
    return address if safe and " " not in address else ""
