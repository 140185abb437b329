"""MET Norway: the weather of the whole world, hour by hour, without a key; its days are put together here.

Source: https://api.met.no/weatherapi/locationforecast/2.0/documentation, with its terms of service: a
User-Agent that names who asks (the fetcher sends one), and coordinates of at most four decimals. Data: CC BY
4.0.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from itertools import groupby

import msgspec
from zope.interface import implementer

from plugins.weather.asking import Asking
from plugins.weather.conditions import Condition, of_symbol
from plugins.weather.interfaces import IProvider
from plugins.weather.report import Day, Number, Place, Report
from pynfo import FetchFailed

NAME = "MET Norway"

WEATHER_AGE = 600.0  # seconds that an answer is used again
DAYS = 8
NOON = 12
KMH = 3.6  # in one m/s


class _Details(msgspec.Struct):
    air_temperature: Number | None = None
    relative_humidity: Number | None = None
    wind_speed: Number | None = None
    wind_from_direction: Number | None = None
    precipitation_amount: Number | None = None


class _Summary(msgspec.Struct):
    symbol_code: str = ""


class _Period(msgspec.Struct):
    summary: _Summary = msgspec.field(default_factory=_Summary)
    details: _Details = msgspec.field(default_factory=_Details)


class _Data(msgspec.Struct):
    instant: _Period
    next_1_hours: _Period | None = None
    next_6_hours: _Period | None = None

    @property
    def next(self) -> _Period:
        """Up to the next step: the steps are hours first, then six of them."""
        return self.next_1_hours or self.next_6_hours or _Period()


class _Step(msgspec.Struct):
    time: datetime
    data: _Data


class _Properties(msgspec.Struct):
    timeseries: list[_Step]


class _Forecast(msgspec.Struct):
    properties: _Properties


@implementer(IProvider)
class MetNorway:
    """Tells no gusts, no sun and no feeling."""

    name = NAME

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def report(self, place: Place) -> Report:
        latitude, longitude = place.point
        answer = await self._asking.ask(
            NAME,
            self._asking.settings.met_norway_url,
            "/weatherapi/locationforecast/2.0/compact",
            {"lat": latitude, "lon": longitude},
            _Forecast,
            max_age=WEATHER_AGE,
        )
        steps = answer.properties.timeseries
        now = steps[0].data.instant.details if steps else _Details()
        if now.air_temperature is None:
            raise FetchFailed(f"{NAME} knows no weather there", "broken")
        return Report(
            NAME,
            temperature=now.air_temperature,
            days=_days(steps, _zone(place.timezone)),
            condition=of_symbol(steps[0].data.next.summary.symbol_code),
            wind=None if now.wind_speed is None else now.wind_speed * KMH,
            wind_from=now.wind_from_direction,
            humidity=now.relative_humidity,
        )


def _days(steps: Iterable[_Step], zone: tzinfo) -> list[Day]:
    local = [(step.time.astimezone(zone), step.data) for step in steps]
    days: list[Day] = []
    for date, of_day in groupby(local, key=lambda step: step[0].date()):
        hours = list(of_day)
        if days and hours[-1][0].hour < NOON:
            break  # the last day ends early: that would be the weather of a night
        temperatures = [data.instant.details.air_temperature for _, data in hours]
        known = [temperature for temperature in temperatures if temperature is not None]
        days.append(
            Day(
                date,
                condition=_at_noon(hours),
                low=min(known, default=None),
                high=max(known, default=None),
                rain=sum(data.next.details.precipitation_amount or 0.0 for _, data in hours),
            )
        )
    return days[:DAYS]


def _at_noon(hours: list[tuple[datetime, _Data]]) -> Condition | None:
    """What the sky does on a day: as around its noon, or as near to it as is known."""
    _, data = min(hours, key=lambda step: abs(step[0].hour - NOON))
    period = data.next_6_hours or data.next
    return of_symbol(period.summary.symbol_code.partition("_")[0])


def _zone(name: str) -> tzinfo:
    """The time zone of a name; UTC where there is none of that name."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # no name of a zone, or one that this machine does not know
        return UTC
