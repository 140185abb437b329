"""What the config says of the weather: `plugins["weather"] = {"units": "metric"}`, and more."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from plugins.weather.units import Choice

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

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if name.endswith("_url"):
                _check_address(name, getattr(self, name))
        if len(self.language) != 2 or not self.language.isascii() or not self.language.islower():
            raise ValueError(f'language is a code of two letters, such as "de", not {self.language!r}')
        if not self.providers:
            raise ValueError('providers is empty: write at least one, such as ["open-meteo"]')
        if len(set(self.providers)) < len(self.providers):
            raise ValueError("providers names one twice")


def endpoint(base: str, path: str) -> str:
    """The address under `base` where a service answers that is usually found at `path`, such as "/v1/search".

    As much of the path as `base` ends with already is not added again.
    """
    base = base.rstrip("/")
    steps = path.strip("/").split("/")
    here = urlsplit(base).path.split("/")
    known = next(count for count in range(len(steps), -1, -1) if not count or here[-count:] == steps[:count])
    return "/".join([base, *steps[known:]])


def _check_address(name: str, address: str | None) -> None:
    if address is None:
        return
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        good = good and not parts.query and not parts.fragment
    except ValueError:
        good = False
    if not good:
        raise ValueError(f"{name} is no address: write such as https://weather.example, not {address!r}")
