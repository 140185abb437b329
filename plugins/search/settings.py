"""What the config says of searching: `plugins["search"] = {"searxng_url": "https://searx.example.org"}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from pynfo.config import Config
from pynfo.irc.settings import Secret, reveal
from pynfo.validation import is_web_address

Name = Literal["searxng", "brave", "google", "duckduckgo", "wikipedia"]
ORDER: tuple[Name, ...] = ("searxng", "brave", "google", "duckduckgo", "wikipedia")
NEEDED: dict[Name, tuple[str, ...]] = {
    "searxng": ("searxng_url",),
    "brave": ("brave_url", "brave_key"),
    "google": ("google_url", "google_key", "google_cx"),
    "duckduckgo": (),
    "wikipedia": (),
}
ADDRESSES = ("searxng_url", "brave_url", "google_url", "wikipedia_url")

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]{2,8}){0,2}|simple")


class Settings(msgspec.Struct):
    """`providers`: who is asked, in this order, until one has found something; None: everybody that can be.
    `safe`: leave out what is for adults. `timeout`: seconds for each provider. `language`: of Wikipedia."""

    providers: list[Name] | None = None
    safe: bool = True
    timeout: Annotated[float, msgspec.Meta(ge=1, le=15)] = 8.0
    language: str = "en"
    searxng_url: str = ""
    brave_url: str = "https://api.search.brave.com"
    brave_key: Secret | None = None
    google_url: str = "https://www.googleapis.com"
    google_key: Secret | None = None
    google_cx: Secret | None = None
    wikipedia_url: str = ""  # "": of the language

    def lacks(self, name: Name) -> list[str]:
        """The settings that a provider needs and that are empty."""
        return [setting for setting in NEEDED[name] if not reveal(getattr(self, setting) or "")]

    @property
    def working(self) -> list[Name]:
        """The providers that can be asked, in order."""
        listed = ORDER if self.providers is None else self.providers
        return [name for name in dict.fromkeys(listed) if not self.lacks(name)]


def check(settings: Settings, config: Config) -> Iterator[str]:
    """What is wrong with the settings: a sentence each."""
    for name in settings.providers or ():
        if lacking := settings.lacks(name):
            example = " and ".join(f'"{setting}": {_example(setting)}' for setting in lacking)
            yield f'providers lists "{name}", which cannot work so: add {example}, or leave it out'
    if settings.providers == []:
        yield 'providers is empty, so that nobody would answer: write such as ["duckduckgo", "wikipedia"]'
    for setting in ADDRESSES:
        address = getattr(settings, setting)
        if address and not is_web_address(address, base=True):
            yield f'{setting} is no address: write such as "https://search.example.org"'
    if not _LANGUAGE.fullmatch(settings.language):
        yield 'language is the short name of a Wikipedia: write such as "en" or "pt"'


def _example(setting: str) -> str:
    return '"https://…"' if setting.endswith("_url") else f'env("{setting.upper()}")'
