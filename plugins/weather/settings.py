"""What the config says of the weather: `plugins["weather"] = {"units": "metric"}`, and more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from plugins.weather.units import Choice
from pynfo.config import Config
from pynfo.validation import is_web_address

Provider = Literal["open-meteo", "met-norway"]


class Settings(msgspec.Struct):
    """Addresses may be those of a mirror or a server of one's own: `https://weather.example` is enough, the
    service's usual path is added where it is missing. None, where it may be: nobody is asked.

    `providers`: who tells the weather, the next one where the first does not answer. `units`, `emoji`: for
    those who have not chosen. `language`: of the names of places. `days`: of a forecast. `timeout`: seconds
    that one service has. `people`: how many people's places are remembered.
    """

    geocoding_url: str = "https://geocoding-api.open-meteo.com"
    forecast_url: str = "https://api.open-meteo.com"
    air_quality_url: str | None = "https://air-quality-api.open-meteo.com"
    metar_url: str = "https://aviationweather.gov"
    met_norway_url: str = "https://api.met.no"
    met_alerts_url: str | None = "https://api.met.no"
    us_alerts_url: str | None = "https://api.weather.gov"
    providers: list[Provider] = msgspec.field(default_factory=lambda: ["open-meteo", "met-norway"])
    units: Choice = "auto"
    emoji: bool = False
    language: str = "en"
    days: Annotated[int, msgspec.Meta(ge=1, le=7)] = 5
    timeout: Annotated[float, msgspec.Meta(gt=0, le=10)] = 8.0
    people: Annotated[int, msgspec.Meta(ge=1, le=50_000)] = 10_000


def check(settings: Settings, config: Config) -> Iterator[str]:
    """What is wrong with the settings: a sentence each."""
    for name in settings.__struct_fields__:
        address = getattr(settings, name) if name.endswith("_url") else None
        if address is not None and not is_web_address(address, base=True):
            yield f'{name} is no address: write such as "https://weather.example", not {address!r}'
    language = settings.language
    if len(language) != 2 or not language.isascii() or not language.islower():
        yield f'language is a code of two letters, such as "de", not {language!r}'
    if not settings.providers:
        yield 'providers is empty: write at least one, such as ["open-meteo"]'
    if len(set(settings.providers)) < len(settings.providers):
        yield "providers names one twice"


def endpoint(base: str, path: str) -> str:
    """The address under `base` where a service answers that is usually found at `path`, such as "/v1/search".

    As much of the path as `base` ends with already is not added again.
    """
    base = base.rstrip("/")
    steps = path.strip("/").split("/")
    here = urlsplit(base).path.split("/")
    known = next(count for count in range(len(steps), -1, -1) if not count or here[-count:] == steps[:count])
    return "/".join([base, *steps[known:]])
