"""What flows through the plugin: a place, and what a service says of the weather there.

Numbers are metric, whatever people are told in the end: temperatures in °C, speeds in km/h, rain in mm, snow
in cm, directions in degrees (where the wind comes from, 0 is north), humidity in %. None: nobody says it.
Texts come from outside, and are not fit for IRC before `plugins.weather.wording` has had them.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec

from plugins.weather.conditions import Condition

Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Number = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]  # any that weather is made of

GRID = (
    2  # decimals of a coordinate, about a kilometre: finer than the models, and one request for a whole town
)


class Place(msgspec.Struct, frozen=True):
    """A place on earth. `country` is its code of two letters (ISO 3166), `timezone` a name such as
    "Europe/Berlin"; "" where they are not known."""

    name: str
    latitude: Latitude
    longitude: Longitude
    region: str = ""
    country: str = ""
    timezone: str = ""

    @property
    def point(self) -> tuple[str, str]:
        """Latitude and longitude, as services are asked for them."""
        return f"{self.latitude:.{GRID}f}", f"{self.longitude:.{GRID}f}"


class Day(msgspec.Struct):
    """One day at the place; `sunrise` and `sunset` are times there, such as "07:34"."""

    date: date
    condition: Condition | None = None
    low: float | None = None
    high: float | None = None
    rain: float | None = None
    rain_chance: float | None = None  # %
    snow: float | None = None
    sunrise: str | None = None
    sunset: str | None = None
    uv: float | None = None


class Report(msgspec.Struct):
    """The weather of a place, now and on the days from today on. `service` is who says so."""

    service: str
    temperature: float
    days: list[Day]
    feels_like: float | None = None
    condition: Condition | None = None
    wind: float | None = None
    wind_from: float | None = None
    gusts: float | None = None
    humidity: float | None = None


class AirQuality(msgspec.Struct):
    """Two indices of how bad the air is: that of the European Environment Agency, and that of the US EPA."""

    european: float | None = None
    us: float | None = None


class Alert(msgspec.Struct, frozen=True):
    """An official warning. `level` is how the service grades it, such as "yellow" or "severe"."""

    title: str
    level: str
    weight: int  # 3 is the worst
