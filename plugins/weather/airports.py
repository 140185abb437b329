"""Weather reports of airports (METAR), from the Aviation Weather Center of the US, for airports everywhere.

Source: https://aviationweather.gov/data/api/. They are decoded by the library `metar`.
"""

from __future__ import annotations

import re
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec

from plugins.weather.asking import Asking, in_shape
from plugins.weather.units import Units
from pynfo import FetchFailed

NAME = "the Aviation Weather Center"

PATH = "/api/data/metar"
MAX_AGE = 300.0  # seconds that an answer is used again
LENGTH = 500  # characters of a report that are looked at; they have 100, with remarks 250
ICAO = re.compile(r"[A-Za-z][A-Za-z0-9]{3}")
_SHORT = {
    " at ": " ",
    ", gusting to": " gusting",
    " knots": " kt",
    " feet": " ft",
    "greater than": "over",
    "less than": "under",
    ".0 ": " ",
    " inches": " inHg",
}
REMARKS = re.compile(r"\s+RMK\b.*", re.DOTALL)  # for machines and forecasters


class AirportReport(msgspec.Struct):
    """`raw` as it was sent, without its remarks. `name`: such as "Berlin Brandenburg Arpt, BB, DE", or ""."""

    icao: str
    raw: str
    name: str = ""

    @property
    def country(self) -> str:
        """The code of two letters that ends the name, or ""."""
        last = self.name.rpartition(", ")[2]
        return last if re.fullmatch("[A-Z]{2}", last) else ""


class _Observation(msgspec.Struct):
    rawOb: str = ""
    name: str | None = None


async def latest(asking: Asking, icao: str) -> AirportReport | None:
    """The latest report of an airport; None where there is none. Raises `FetchFailed`."""
    asked = {"ids": icao, "format": "json"}
    try:
        fetched = await asking.fetch(NAME, asking.settings.metar_url, PATH, asked, max_age=MAX_AGE)
    except FetchFailed as failure:
        if failure.status == HTTPStatus.NOT_FOUND:
            return None
        raise
    text = fetched.text.strip()
    if text.startswith(("[", "{")):
        found = in_shape(fetched.json(), list[_Observation], NAME)
        observation = found[0] if found else _Observation()
    else:  # a mirror may know only the raw format: one report a line
        observation = _Observation(text.partition("\n")[0])
    raw = REMARKS.sub("", " ".join(observation.rawOb[:LENGTH].split()))
    return AirportReport(icao, raw, observation.name or "") if icao in raw.split()[:3] else None


def decoded(raw: str, units: Units) -> list[str]:
    """What a report says, clause by clause, the time first; [] where it says nothing that is understood."""
    report = _parsed(raw)
    temperature, dew_point, visibility = report.temp, report.dewpt, report.vis
    clauses = [f"{report.time:%H:%M} UTC" if isinstance(report.time, datetime) else ""]
    if temperature is not None:
        clauses.append(f"{units.temperature(temperature.value('C'))} {units.degrees}")
    if dew_point is not None:
        clauses.append(f"dew point {units.temperature(dew_point.value('C'))}")
    if report.wind_speed is not None:
        clauses.append(f"wind {report.wind()}")
    if visibility is not None:
        clauses.append(f"visibility {visibility.string('SM' if units.miles else 'KM')}")
    clauses.append(_weather(report))
    clauses += [sky for sky in report.sky_conditions("\n").split("\n") if not sky.endswith("None")]
    if report.press is not None:
        clauses.append(report.press.string("IN" if units.fahrenheit else "HPA"))
    return [_short(clause) for clause in clauses if clause]


def _short(clause: str) -> str:
    """The library's words, as short as a line of IRC wants them."""
    for long, short in _SHORT.items():
        clause = clause.replace(long, short)
    return clause


def _parsed(raw: str) -> Any:
    """The library's `Metar`, as far as it understands the report."""
    import warnings

    from metar.Metar import Metar

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it does not understand, it warns of
        return Metar(raw, strict=False)


def _weather(report: Any) -> str:
    try:
        weather: str = report.present_weather()
    except KeyError:  # it takes a group such as "VA///" for weather, and has no words for it then
        return ""
    return weather
