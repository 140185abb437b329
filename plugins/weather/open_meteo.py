"""Open-Meteo: where places are, their weather, and their air. It needs no key.

Source: https://open-meteo.com/en/docs, and its pages "Geocoding API" and "Air Quality API". Data: CC BY 4.0.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TypeVar

import msgspec
from zope.interface import implementer

from plugins.weather.asking import Asking
from plugins.weather.conditions import of_wmo
from plugins.weather.interfaces import IProvider
from plugins.weather.report import AirQuality, Day, Latitude, Longitude, Number, Place, Report

NAME = "Open-Meteo"

GEOCODING_AGE = 86_400.0  # seconds that an answer is used again
WEATHER_AGE = 600.0
FOUND = 30  # places that are looked at
DAYS = 8  # today, and as many as a forecast may have

Value = TypeVar("Value")

_CURRENT = (
    "temperature_2m,relative_humidity_2m,apparent_temperature,is_day,weather_code,"
    "wind_speed_10m,wind_direction_10m,wind_gusts_10m"
)
_DAILY = (
    "weather_code,temperature_2m_max,temperature_2m_min,sunrise,sunset,uv_index_max,"
    "precipitation_sum,snowfall_sum,precipitation_probability_max"
)


class Found(msgspec.Struct):
    """One result of a search. What is not known is left out, or null."""

    name: str
    latitude: Latitude
    longitude: Longitude
    feature_code: str | None = None  # of GeoNames: "PPL…" is a town or a village, "PCLI" a country
    country: str | None = None
    country_code: str | None = None
    admin1: str | None = None
    admin2: str | None = None
    timezone: str | None = None
    population: int | None = None
    postcodes: list[str] | None = None

    @property
    def code(self) -> str:
        """The country's code of two letters, "" where it is not known."""
        code = (self.country_code or "").upper()
        return code if len(code) == 2 and code.isascii() and code.isalpha() else ""

    @property
    def place(self) -> Place:
        return Place(
            self.name,
            self.latitude,
            self.longitude,
            self.admin1 or "",
            self.code,
            self.timezone or "",
        )


class _Search(msgspec.Struct):
    results: list[Found] = []


class _Current(msgspec.Struct):
    temperature_2m: Number
    relative_humidity_2m: Number | None = None
    apparent_temperature: Number | None = None
    is_day: int | None = None
    weather_code: Number | None = None
    wind_speed_10m: Number | None = None
    wind_direction_10m: Number | None = None
    wind_gusts_10m: Number | None = None


class _Daily(msgspec.Struct):
    """A list for each variable, with an entry for each day."""

    time: list[date] = []
    weather_code: list[Number | None] = []
    temperature_2m_max: list[Number | None] = []
    temperature_2m_min: list[Number | None] = []
    sunrise: list[str | None] = []
    sunset: list[str | None] = []
    uv_index_max: list[Number | None] = []
    precipitation_sum: list[Number | None] = []
    snowfall_sum: list[Number | None] = []
    precipitation_probability_max: list[Number | None] = []


class _Forecast(msgspec.Struct):
    current: _Current
    daily: _Daily = msgspec.field(default_factory=_Daily)


class _AirCurrent(msgspec.Struct):
    european_aqi: Number | None = None
    us_aqi: Number | None = None


class _Air(msgspec.Struct):
    current: _AirCurrent


async def search(asking: Asking, name: str) -> list[Found]:
    """The places of a name or a postal code, as the service ranks them. Raises `FetchFailed`."""
    settings = asking.settings
    answer = await asking.ask(
        NAME,
        settings.geocoding_url,
        "/v1/search",
        {"name": name, "count": str(FOUND), "language": settings.language, "format": "json"},
        _Search,
        max_age=GEOCODING_AGE,
    )
    return answer.results[:FOUND]


async def air_quality(asking: Asking, place: Place) -> AirQuality | None:
    """The air of a place; None where the config names nobody to ask. Raises `FetchFailed`."""
    url = asking.settings.air_quality_url
    if url is None:
        return None
    latitude, longitude = place.point
    asked = {
        "latitude": latitude,
        "longitude": longitude,
        "current": "european_aqi,us_aqi",
        "timezone": "auto",
    }
    answer = await asking.ask(NAME, url, "/v1/air-quality", asked, _Air, max_age=WEATHER_AGE, besides=True)
    return AirQuality(answer.current.european_aqi, answer.current.us_aqi)


@implementer(IProvider)
class OpenMeteo:
    """Asks for metric units always: so people of all countries share one answer."""

    name = NAME

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def report(self, place: Place) -> Report:
        latitude, longitude = place.point
        asked = {
            "latitude": latitude,
            "longitude": longitude,
            "current": _CURRENT,
            "daily": _DAILY,
            "timezone": "auto",
            "forecast_days": str(DAYS),
        }
        url = self._asking.settings.forecast_url
        answer = await self._asking.ask(NAME, url, "/v1/forecast", asked, _Forecast, max_age=WEATHER_AGE)
        now = answer.current
        return Report(
            NAME,
            temperature=now.temperature_2m,
            days=_days(answer.daily),
            feels_like=now.apparent_temperature,
            condition=of_wmo(now.weather_code, by_day=now.is_day != 0),
            wind=now.wind_speed_10m,
            wind_from=now.wind_direction_10m,
            gusts=now.wind_gusts_10m,
            humidity=now.relative_humidity_2m,
        )


def _days(daily: _Daily) -> list[Day]:
    return [
        Day(
            day,
            condition=of_wmo(_nth(daily.weather_code, at)),
            low=_nth(daily.temperature_2m_min, at),
            high=_nth(daily.temperature_2m_max, at),
            rain=_nth(daily.precipitation_sum, at),
            rain_chance=_nth(daily.precipitation_probability_max, at),
            snow=_nth(daily.snowfall_sum, at),
            sunrise=_time_of(_nth(daily.sunrise, at), day),
            sunset=_time_of(_nth(daily.sunset, at), day),
            uv=_nth(daily.uv_index_max, at),
        )
        for at, day in enumerate(daily.time[:DAYS])
    ]


def _nth(values: list[Value | None], at: int) -> Value | None:
    return values[at] if at < len(values) else None


def _time_of(moment: str | None, day: date) -> str | None:
    """The time of day in "2026-11-21T07:34"; None where it is of another day: the sun stays up, or down."""
    try:
        parsed = datetime.fromisoformat(moment or "")
    except ValueError:
        return None
    return f"{parsed:%H:%M}" if parsed.date() == day else None
