"""What people are told, in one line each. All that comes from outside passes `one_line` here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from plugins.weather.airports import AirportReport, decoded
from plugins.weather.conditions import Condition
from plugins.weather.open_meteo import NAME as FIRST
from plugins.weather.report import AirQuality, Alert, Day, Place, Report
from plugins.weather.units import Units, compass
from pynfo.text import one_line

NAME = 60  # graphemes of a name of a place, a region or a warning
RAW = 200  # of an airport's report
STRONG = 50  # km/h from which gusts are told
FROZEN_ALIKE = 0.1  # cm of snow from which it is snow that is told

# The upper end of each step, of https://airindex.eea.europa.eu and of https://www.airnow.gov/aqi/aqi-basics/.
_EUROPEAN = ((20, "good"), (40, "fair"), (60, "moderate"), (80, "poor"), (100, "very poor"))
_US = (
    (50, "good"),
    (100, "moderate"),
    (150, "unhealthy for sensitive groups"),
    (200, "unhealthy"),
    (300, "very unhealthy"),
)


def place_name(place: Place) -> str:
    """ "Berlin, DE", or "Springfield, Illinois, US"."""
    parts = (one_line(part, NAME) for part in (place.name, place.region, place.country))
    return ", ".join(part for part in parts if part)


def now(
    place: Place, report: Report, air: AirQuality | None, alerts: list[Alert], units: Units, *, emoji: bool
) -> str:
    """The weather of a place now, and today."""
    first = f"{units.temperature(report.temperature)} {units.degrees}"
    feels = units.temperature(report.temperature if report.feels_like is None else report.feels_like)
    if feels != units.temperature(report.temperature):
        first += f" (feels like {feels})"
    clauses = [first]
    if report.condition is not None:
        clauses.append(_condition(report.condition, emoji=emoji))
    if report.wind is not None:
        clauses.append(_wind(report, report.wind, units))
    if report.humidity is not None:
        clauses.append(f"humidity {round(report.humidity)} %")
    parts = [", ".join(clauses)]
    if report.days:
        parts.append(", ".join(_today(report.days[0], units)))
    others = [_air(air, place) if air is not None else "", _alerts(alerts, emoji=emoji)]
    return _line(place, report, parts, others)


def forecast(
    place: Place, report: Report, alerts: list[Alert], units: Units, *, days: int, emoji: bool
) -> str:
    """The weather of a place on the days from tomorrow on."""
    parts = [_day(day, units, emoji=emoji) for day in report.days[1 : days + 1]]
    return _line(place, report, parts, [_alerts(alerts, emoji=emoji)])


def airport(report: AirportReport, units: Units) -> str:
    """The report of an airport, raw, and what it means."""
    raw, name = one_line(report.raw, RAW), one_line(report.name, NAME)
    clauses = decoded(report.raw, units)
    if not clauses:
        return f"{raw} (this I cannot decode)"
    return one_line(f"{raw} = {name or report.icao}: {', '.join(clauses)}", 2 * RAW + NAME)


def _line(place: Place, report: Report, parts: Iterable[str], others: Iterable[str]) -> str:
    """What the report says, with whose it is, and what others say."""
    told = "; ".join(part for part in parts if part)
    told += "" if report.service == FIRST else f" ({report.service})"
    return f"{place_name(place)}: {'; '.join(part for part in (told, *others) if part)}"


def _condition(condition: Condition, *, emoji: bool) -> str:
    return f"{condition.emoji} {condition.words}" if emoji else condition.words


def _wind(report: Report, wind: float, units: Units) -> str:
    words = f"wind {units.speed(wind)}"
    if report.wind_from is not None:
        words += f" {compass(report.wind_from)}"
    if report.gusts is not None and report.gusts >= STRONG:
        words += f" (gusts {units.speed(report.gusts)})"
    return words


def _today(day: Day, units: Units) -> Iterator[str]:
    yield f"today {units.temperatures(day.low, day.high)}".rstrip()
    falls = _falls(day, units)
    if falls:
        yield falls
    elif day.rain is not None:
        yield "dry"
    if day.sunrise is not None:
        yield f"sunrise {day.sunrise}"
    if day.sunset is not None:
        yield f"sunset {day.sunset}"
    if day.uv is not None and day.uv >= 1:
        yield f"UV {round(day.uv)}"


def _day(day: Day, units: Units, *, emoji: bool) -> str:
    first = f"{day.date:%a} {units.temperatures(day.low, day.high)}".rstrip()
    words = [first, _condition(day.condition, emoji=emoji) if day.condition else "", _falls(day, units)]
    return ", ".join(word for word in words if word)


def _falls(day: Day, units: Units) -> str:
    """ "rain 3 mm (80 %)", "snow 4 cm"; "" where it stays dry."""
    if day.snow is not None and day.snow >= FROZEN_ALIKE:
        amount = f"snow {units.snow(day.snow)}"
    else:
        falls = units.rain(day.rain or 0)
        kind = "precipitation" if day.condition is not None and day.condition.is_frozen else "rain"
        amount = f"{kind} {falls}" if falls else ""
    chance = f" ({round(day.rain_chance)} %)" if day.rain_chance is not None else ""
    return amount and amount + chance


def _air(air: AirQuality, place: Place) -> str:
    index, steps, worst = air.european, _EUROPEAN, "extremely poor"
    if place.country == "US" or index is None:
        index, steps, worst = air.us, _US, "hazardous"
    if index is None:
        return ""
    return f"air quality {next((word for end, word in steps if index <= end), worst)} ({round(index)})"


def _alerts(alerts: list[Alert], *, emoji: bool) -> str:
    told = [one_line(alert.title, NAME) + _level(alert) for alert in alerts]
    sign = "⚠️ " if emoji else ""
    return f"{sign}{'warnings' if len(told) > 1 else 'warning'}: {', '.join(told)}" if told else ""


def _level(alert: Alert) -> str:
    return f" ({one_line(alert.level, NAME)})" if alert.level else ""
