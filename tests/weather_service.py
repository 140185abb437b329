"""Services that tell the weather, as far as a bot sees them: their addresses, what they want and answer.

The shapes are those of Open-Meteo (geocoding, forecast and air quality), of MET Norway (Locationforecast 2.0
and MetAlerts 2.0), of the US National Weather Service (alerts) and of the Aviation Weather Center (METAR).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

SEARCH, FORECAST, AIR = "/v1/search", "/v1/forecast", "/v1/air-quality"
MET, MET_ALERTS = "/weatherapi/locationforecast/2.0/compact", "/weatherapi/metalerts/2.0/current.json"
US_ALERTS, METAR = "/alerts/active", "/api/data/metar"

URLS = ("geocoding", "forecast", "air_quality", "metar", "met_norway", "met_alerts", "us_alerts")
DAYS = [f"2026-11-{day}" for day in range(21, 29)]


def town(name: str, region: str, country: str, people: int | None, **more: Any) -> dict[str, Any]:
    """A result of Open-Meteo's search; what is None is left out, as there."""
    code, _, called = country.partition(" ")
    result = {
        "id": 2950159,
        "name": name,
        "latitude": 52.52437,
        "longitude": 13.41053,
        "elevation": 74.0,
        "feature_code": "PPL",
        "country_code": code,
        "admin1_id": 2950157,
        "timezone": "Europe/Berlin",
        "population": people,
        "country_id": 2921044,
        "country": called or None,
        "admin1": region,
    }
    return {key: value for key, value in (result | more).items() if value is not None}


BERLIN = town(
    "Berlin", "Land Berlin", "DE Germany", 3_426_354, postcodes=["10115", "10967"], feature_code="PPLC"
)
BERLIN_US = town("Berlin", "New Hampshire", "US United States", 9_367, latitude=44.47, longitude=-71.19)
SPRINGFIELD = [
    town("Springfield", "Illinois", "US United States", 114_394, latitude=39.80172, longitude=-89.64371),
    town("Springfield", "Missouri", "US United States", 169_176, latitude=37.21533, longitude=-93.29824),
    town("Springfield", "Massachusetts", "US United States", 155_929),
    town("Springfield", "Wisconsin", "US United States", None),
    town("Springfield", "Wisconsin", "US United States", 2_700),
]
OSLO = town(
    "Oslo", "Oslo", "NO Norway", 580_000, latitude=59.91273, longitude=10.74609, timezone="Europe/Oslo"
)
LONDON = town("London", "England", "GB United Kingdom", 8_961_989, latitude=51.50853, longitude=-0.12574)


class Services:
    """All of them on one server, each at its usual path."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.url = server.url_for("").rstrip("/")
        self.towns = [BERLIN, BERLIN_US, *SPRINGFIELD, OSLO, LONDON]
        self.current: dict[str, Any] = {
            "time": "2026-11-21T12:15",
            "interval": 900,
            "temperature_2m": 12.3,
            "relative_humidity_2m": 81,
            "apparent_temperature": 9.8,
            "is_day": 1,
            "weather_code": 61,
            "wind_speed_10m": 18.2,
            "wind_direction_10m": 268,
            "wind_gusts_10m": 36.0,
        }
        self.daily: dict[str, list[Any]] = {
            "time": DAYS,
            "weather_code": [61, 3, 71, 0, 2, 95, 45, 80],
            "temperature_2m_max": [14.1, 11.2, 0.4, 3.0, 4.4, 7.7, 8.1, 9.0],
            "temperature_2m_min": [8.8, 6.5, -3.2, -4.1, 1.2, 3.3, 4.0, 5.0],
            "sunrise": [f"{day}T07:34" for day in DAYS],
            "sunset": [f"{day}T16:05" for day in DAYS],
            "uv_index_max": [0.75, 1.2, 1.0, 1.1, 1.0, 0.9, 0.8, 1.0],
            "precipitation_sum": [3.2, 0.0, 4.0, 0.0, 0.0, 12.4, 0.3, 1.1],
            "snowfall_sum": [0.0, 0.0, 2.8, 0.0, 0.0, 0.0, 0.0, 0.0],
            "precipitation_probability_max": [80, 5, 70, 0, None, 90, 20, 40],
        }
        self.air: dict[str, Any] = {"time": "2026-11-21T12:00", "european_aqi": 18, "us_aqi": 57}
        self.alerts: list[dict[str, Any]] = []
        self.metar: list[dict[str, Any]] = []
        self._asked: list[tuple[str, dict[str, str]]] = []
        self._held = threading.Event()
        self._broken: dict[str, Callable[[Request], Response]] = {}
        answers = {
            SEARCH: self._search,
            FORECAST: self._forecast,
            AIR: self._air,
            MET: self._met,
            MET_ALERTS: self._alerts,
            US_ALERTS: self._alerts,
            METAR: self._metar,
        }
        for path, answer in answers.items():
            server.expect_request(path).respond_with_handler(self._or_broken(path, answer))

    def settings(self, **settings: Any) -> dict[str, Any]:
        """Settings of the plugin that lead here."""
        return {f"{name}_url": self.url for name in URLS} | settings

    def asked(self, path: str) -> list[dict[str, str]]:
        """The queries that came to a path."""
        return [query for asked, query in self._asked if asked == path]

    # -- what goes wrong

    def fails(self, path: str, status: int = 500) -> None:
        self._broken[path] = lambda request: Response("no", status)

    def says(self, path: str, body: str | bytes, content_type: str = "application/json") -> None:
        self._broken[path] = lambda request: Response(body, content_type=content_type)

    def hangs(self, path: str) -> None:
        """Answers only when the test is over."""

        def wait(request: Request) -> Response:
            self._held.wait(30)
            return Response("late", 500)

        self._broken[path] = wait

    def release(self) -> None:
        self._held.set()

    def _or_broken(self, path: str, answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def respond(request: Request) -> Response:
            self._asked.append((path, request.args.to_dict()))
            return self._broken.get(path, answer)(request)

        return respond

    # -- what they answer

    def _search(self, request: Request) -> Response:
        """By name or postal code; after a comma, the abbreviation of a region is known."""
        name, _, area = (part.strip().casefold() for part in request.args["name"].partition(","))
        found = [
            town
            for town in self.towns
            if town["name"].casefold().startswith(name) or name in town.get("postcodes", [])
        ]
        if area:
            region = {"il": "Illinois", "ma": "Massachusetts"}.get(area)
            found = [town for town in found if town["admin1"] == region]
        answer: dict[str, Any] = {"generationtime_ms": 0.5}
        return _json({"results": found[: int(request.args["count"])]} | answer if found else answer)

    def _forecast(self, request: Request) -> Response:
        assert request.args["timezone"] == "auto"
        asked = set(request.args["current"].split(",")) | {"time", "interval"}
        daily = ["time", *request.args["daily"].split(",")]
        days = int(request.args["forecast_days"])
        return _json(
            {
                "latitude": float(request.args["latitude"]),
                "longitude": float(request.args["longitude"]),
                "generationtime_ms": 0.2,
                "utc_offset_seconds": 3600,
                "timezone": "Europe/Berlin",
                "timezone_abbreviation": "CET",
                "elevation": 38.0,
                "current_units": {"temperature_2m": "°C", "wind_speed_10m": "km/h"},
                "current": {key: value for key, value in self.current.items() if key in asked},
                "daily_units": {"time": "iso8601", "temperature_2m_max": "°C"},
                "daily": {key: self.daily[key][:days] for key in daily},
            }
        )

    def _air(self, request: Request) -> Response:
        assert request.args["current"] == "european_aqi,us_aqi"
        return _json({"latitude": 52.5, "longitude": 13.4, "timezone": "Europe/Berlin", "current": self.air})

    def _met(self, request: Request) -> Response:
        """Two days hour by hour, then every six hours; at 12:00 UTC it is as warm as it gets."""
        assert len(request.args["lat"].partition(".")[2]) <= 4
        start = datetime(2026, 11, 21, 11, tzinfo=UTC)
        steps = [start + timedelta(hours=hour) for hour in range(48)]
        steps += [steps[-1] + timedelta(hours=6 * step + 1) for step in range(1, 12)]
        return _json(
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [13.41, 52.52, 38]},
                "properties": {
                    "meta": {"updated_at": "2026-11-21T10:33:26Z", "units": {"wind_speed": "m/s"}},
                    "timeseries": [_met_step(time, hourly=at < 48) for at, time in enumerate(steps)],
                },
            }
        )

    def _alerts(self, request: Request) -> Response:
        features = [
            {"type": "Feature", "geometry": None, "properties": properties} for properties in self.alerts
        ]
        return _json({"type": "FeatureCollection", "features": features})

    def _metar(self, request: Request) -> Response:
        found = [report for report in self.metar if report["icaoId"] == request.args["ids"]]
        return _json(found) if found else Response("", 204)


def observation(raw: str, name: str) -> dict[str, Any]:
    """A report as the Aviation Weather Center gives it."""
    return {
        "icaoId": raw.split()[1],
        "receiptTime": "2026-11-21T11:24:03.122Z",
        "obsTime": 1795260000,
        "temp": 8,
        "dewp": 6,
        "wdir": 240,
        "wspd": 12,
        "visib": "6+",
        "altim": 1009,
        "metarType": "METAR",
        "rawOb": raw,
        "lat": 52.362,
        "lon": 13.503,
        "elev": 48,
        "name": name,
        "clouds": [{"cover": "BKN", "base": 1200}],
        "fltCat": "MVFR",
    }


def _met_step(time: datetime, *, hourly: bool) -> dict[str, Any]:
    warmth = 9.0 - abs(time.hour - 12) / 2
    data: dict[str, Any] = {
        "instant": {
            "details": {
                "air_pressure_at_sea_level": 1009.0,
                "air_temperature": warmth,
                "cloud_area_fraction": 90.0,
                "relative_humidity": 77.0,
                "wind_from_direction": 250.0,
                "wind_speed": 5.0,
            }
        }
    }
    symbol = {"symbol_code": "lightrainshowers_day" if 6 <= time.hour < 18 else "clearsky_night"}
    if hourly:
        data["next_1_hours"] = {"summary": symbol, "details": {"precipitation_amount": 0.5}}
        data["next_12_hours"] = {"summary": symbol, "details": {}}
    data["next_6_hours"] = {"summary": symbol, "details": {"precipitation_amount": 3.0}}
    return {"time": f"{time:%Y-%m-%dT%H:%M:%SZ}", "data": data}


def _json(answer: Any) -> Response:
    from json import dumps

    return Response(dumps(answer, ensure_ascii=False), content_type="application/json; charset=utf-8")
