"""What the config says of links: `plugins["links"] = {"channels": ["libera/#pynfo"]}`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from pynfo.config import Config
from pynfo.validation import is_web_address, unknown

Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=86400.0)]
Limit = tuple[Annotated[int, msgspec.Meta(ge=1)], Annotated[float, msgspec.Meta(gt=0.0)]]

_BASES = ("youtube_url", "vimeo_url", "github_url", "wikipedia_url", "pypi_url")


class Settings(msgspec.Struct):
    """`channels`: `network/#channel` where titles are told until an operator there says otherwise. `wait`:
    seconds in which another bot may be first. `again`: seconds in which an address is not told again in the
    same channel. `files`: tell type and size of what is no page. `timeout`: seconds until a title is given
    up. `channel_limit`, `person_limit`: so many lines in so many seconds.

    The rest are the addresses of services; `{language}` stands for that of the article. `pypi_url` "": that
    of the plugin `pypi`, or else PyPI itself.
    """

    channels: list[str] = []
    wait: Annotated[float, msgspec.Meta(ge=0.0, le=30.0)] = 3.0
    again: Seconds = 900.0
    files: bool = False
    timeout: Annotated[float, msgspec.Meta(ge=0.1, le=30.0)] = 8.0
    channel_limit: Limit = (6, 60.0)
    person_limit: Limit = (3, 60.0)
    youtube_url: str = "https://www.youtube.com/oembed"
    vimeo_url: str = "https://vimeo.com/api/oembed.json"
    github_url: str = "https://api.github.com"
    wikipedia_url: str = "https://{language}.wikipedia.org"
    pypi_url: str = ""


def check(settings: Settings, config: Config) -> Iterator[str]:
    """What is wrong with the settings beside the rest of the config."""
    networks = [network.name for network in config.networks]
    for place in settings.channels:
        network, slash, channel = place.partition("/")
        if not slash or channel[:1] not in ("#", "&", "+", "!"):
            yield f'{place!r} is no channel: write "network/#channel"'
        elif network not in networks:
            yield f"{place}: {unknown('network', network, networks)}"
    for name in _BASES:
        address = getattr(settings, name)
        if name == "wikipedia_url":
            address = address.replace("{language}", "en")
        if address and ("{" in address or not is_web_address(address, base=True)):
            yield f'{name}: {getattr(settings, name)!r} is no address: write such as "https://mirror.example.org"'
