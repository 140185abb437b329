"""Pages of services that tell more by their interface than in their title, and how it is worded.

A service is a function: from the parts of an address it makes a `Question`, or None where the address is not
one of its own. The base addresses are settings, and trusted; what comes from the address is quoted. Shapes as
documented: oEmbed 1.0 (oembed.com), GitHub REST "repos", "issues" and "pulls", Wikimedia REST "page/summary",
and the JSON of PyPI.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, unquote

import msgspec

from plugins.links.settings import Settings

MIB = 1 << 20
BESIDE = " · "  # stands between a title and what is told beside it
SUMMARY = 200  # characters of an article's beginning, where it has no description


class Question(msgspec.Struct, frozen=True):
    """What to ask a service. `tell` words the body of the answer, "" where it says nothing; on a thread.

    It raises `msgspec.MsgspecError` for what is not of the documented shape. `limit` is in bytes.
    """

    service: str
    url: str
    tell: Callable[[bytes], str]
    params: dict[str, str] = {}
    headers: dict[str, str] = {}
    limit: int = 2 * MIB


# -- videos, by oEmbed


class OEmbed(msgspec.Struct):
    """What oEmbed says (oembed.com section 2.3.4); `duration`, in seconds, is Vimeo's."""

    title: str | None = None
    author_name: str | None = None
    type: str = ""
    duration: int | None = None


def oembed(content: bytes) -> str:
    """Title, author and length: "A talk · Ada · 1:02:03"."""
    video = msgspec.json.decode(content, type=OEmbed)
    if not video.title:
        return ""
    length = _length(video.duration) if video.duration else ""
    return BESIDE.join(filter(None, (video.title, video.author_name, length)))


def _length(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def youtube(parts: SplitResult, settings: Settings) -> Question | None:
    host = _host(parts)
    if host == "youtu.be":
        video = parts.path[1:]
    elif host in ("youtube.com", "m.youtube.com", "music.youtube.com"):
        found = re.fullmatch(r"/(?:shorts|live|embed)/([^/]+)/?", parts.path)
        watched = parse_qs(parts.query).get("v", [""])[0] if parts.path == "/watch" else ""
        video = found[1] if found else watched
    else:
        return None
    if not re.fullmatch(r"[\w-]{5,20}", video, re.ASCII):
        return None
    address = f"https://www.youtube.com/watch?v={video}"
    return Question("YouTube", settings.youtube_url, oembed, {"url": address, "format": "json"})


def vimeo(parts: SplitResult, settings: Settings) -> Question | None:
    if _host(parts) != "vimeo.com" or not re.search(r"/[0-9]+(/|$)", parts.path):
        return None
    return Question("Vimeo", settings.vimeo_url, oembed, {"url": parts.geturl()})


# -- GitHub

_OWNER = r"[A-Za-z0-9][A-Za-z0-9-]{0,38}"
_REPOSITORY = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]{1,100}"
_ON_GITHUB = re.compile(rf"/({_OWNER})/({_REPOSITORY})(?:/(issues|pull)/([0-9]{{1,10}})(?:/.*)?)?/?")


class Repository(msgspec.Struct):
    full_name: str
    description: str | None = None
    language: str | None = None
    stargazers_count: int = 0
    archived: bool = False


class Issue(msgspec.Struct):
    """An issue or a pull request; of the latter alone `merged` and `draft` are told."""

    title: str
    state: str
    comments: int = 0
    merged: bool = False
    draft: bool = False


def github(parts: SplitResult, settings: Settings) -> Question | None:
    found = _ON_GITHUB.fullmatch(parts.path) if _host(parts) == "github.com" else None
    if found is None:
        return None
    owner, repository, kind, number = found.groups()
    name = f"{owner}/{repository.removesuffix('.git')}"
    base = f"{_base(settings.github_url)}/repos/{name}"
    headers = {"Accept": "application/vnd.github+json"}
    if kind is None:
        return Question("GitHub", base, _repository, headers=headers)
    kinds = "pulls" if kind == "pull" else "issues"

    def tell(content: bytes) -> str:
        return _issue(content, f"{name}#{number}")

    return Question("GitHub", f"{base}/{kinds}/{number}", tell, headers=headers)


def _repository(content: bytes) -> str:
    known = msgspec.json.decode(content, type=Repository)
    described = f"{known.full_name}: {known.description}" if known.description else known.full_name
    stars = f"★ {known.stargazers_count:,}" if known.stargazers_count else ""
    archived = "archived" if known.archived else ""
    return BESIDE.join(filter(None, (described, known.language, stars, archived)))


def _issue(content: bytes, name: str) -> str:
    known = msgspec.json.decode(content, type=Issue)
    state = "merged" if known.merged else "draft" if known.draft and known.state == "open" else known.state
    comments = f"{known.comments} comment{'s' * (known.comments != 1)}" if known.comments else ""
    return BESIDE.join(filter(None, (f"{name}: {known.title}", state, comments)))


# -- Wikipedia


class Summary(msgspec.Struct):
    title: str
    description: str | None = None
    extract: str | None = None


def wikipedia(parts: SplitResult, settings: Settings) -> Question | None:
    found = re.fullmatch(r"([a-z-]{2,20})(?:\.m)?\.wikipedia\.org", _host(parts))
    title = unquote(parts.path.removeprefix("/wiki/")) if parts.path.startswith("/wiki/") else ""
    if found is None or not title:
        return None
    base = _base(settings.wikipedia_url.replace("{language}", found[1]))
    address = f"{base}/api/rest_v1/page/summary/{quote(title, safe='')}"
    return Question("Wikipedia", address, _summary)


def _summary(content: bytes) -> str:
    known = msgspec.json.decode(content, type=Summary)
    about = known.description or (known.extract or "")[:SUMMARY]
    return f"{known.title}: {about}" if about else known.title


# -- PyPI

_PROJECT = re.compile(
    r"/project/([A-Za-z0-9][A-Za-z0-9._-]{0,99})(?:/([A-Za-z0-9][A-Za-z0-9.!+_-]{0,99}))?/?"
)


class Package(msgspec.Struct):
    name: str
    version: str
    summary: str | None = None


class Project(msgspec.Struct):
    info: Package


def pypi(parts: SplitResult, base: str) -> Question | None:
    """`base` is the address of the package index, without a path; it is the host of its pages too."""
    found = _PROJECT.fullmatch(parts.path)
    if found is None:
        return None
    name, version = found.groups()
    address = f"{_base(base)}/pypi/{quote(name)}/"
    address += f"{quote(version, safe='')}/json" if version else "json"
    return Question("PyPI", address, _project, limit=16 * MIB)


def _project(content: bytes) -> str:
    known = msgspec.json.decode(content, type=Project).info
    named = f"{known.name} {known.version}"
    return f"{named}: {known.summary}" if known.summary else named


SERVICES: tuple[Callable[[SplitResult, Any], Question | None], ...] = (youtube, vimeo, github, wikipedia)


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").removeprefix("www.")


def _base(url: str) -> str:
    return url.rstrip("/")
