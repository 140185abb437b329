"""What the config says of PyPI: `plugins["pypi"] = {"poll": 120}`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from pynfo.config import Config
from pynfo.validation import is_web_address

HOUR = 3600.0  # seconds
OFTEN = 60.0  # seconds: who polls more often than that has an index of their own, or tries things out

Period = Annotated[float, msgspec.Meta(gt=0, le=7 * 86400)]


class Settings(msgspec.Struct):
    """`url`: the index; "": PyPI. `poll`: seconds between looks for new releases. `advisories`: the same for
    security advisories; None: an hour, or `poll` where that is below a minute. `prereleases`: whether those
    are announced where nobody says otherwise."""

    url: str = ""
    poll: Period = 300.0
    advisories: Period | None = None
    prereleases: bool = False

    @property
    def advisory_period(self) -> float:
        """Seconds between looks for advisories."""
        return self.advisories or (HOUR if self.poll >= OFTEN else self.poll)


def check(settings: Settings, config: Config) -> Iterator[str]:
    """What is wrong with the settings: a sentence each."""
    if settings.url and not is_web_address(settings.url, base=True):
        yield 'url is no address: write such as "https://mirror.example.org"'


def pypi_url() -> str:
    """Where PyPI is, as the library `pypi_simple` knows it. It is large: call it on a thread."""
    from pypi_simple import PYPI_SIMPLE_ENDPOINT

    parts = urlsplit(PYPI_SIMPLE_ENDPOINT)
    return f"{parts.scheme}://{parts.netloc}"
