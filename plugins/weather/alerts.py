"""Official warnings, where a service gives them: MET Norway for Norway, the US National Weather Service.

Sources: https://api.met.no/weatherapi/metalerts/2.0/documentation and
https://www.weather.gov/documentation/services-web-alerts (both GeoJSON). Elsewhere nobody is asked.
"""

from __future__ import annotations

import msgspec

from plugins.weather.asking import Asking
from plugins.weather.report import Alert, Place

MAX_AGE = 300.0  # seconds that an answer is used again
TOLD = 3

NORWAY = frozenset({"NO", "SJ"})
UNITED_STATES = frozenset({"US", "PR", "GU", "VI", "AS", "MP"})

_WEIGHTS = {"extreme": 3, "red": 3, "severe": 2, "orange": 2, "moderate": 1, "yellow": 1}


class _Properties(msgspec.Struct):
    event: str | None = None
    eventAwarenessName: str | None = None  # MET Norway alone: the event as people call it
    riskMatrixColor: str | None = None  # MET Norway alone
    severity: str | None = None

    @property
    def alert(self) -> Alert:
        level = (self.riskMatrixColor or self.severity or "").lower()
        return Alert(self.eventAwarenessName or self.event or "", level, _WEIGHTS.get(level, 0))


class _Feature(msgspec.Struct):
    properties: _Properties


class _Alerts(msgspec.Struct):
    features: list[_Feature] = []


async def alerts(asking: Asking, place: Place) -> list[Alert]:
    """What a place is warned of, the worst first, each once. Raises `FetchFailed`."""
    settings = asking.settings
    latitude, longitude = place.point
    if place.country in NORWAY and settings.met_alerts_url is not None:
        name, base, path = "MET Norway", settings.met_alerts_url, "/weatherapi/metalerts/2.0/current.json"
        asked = {"lat": latitude, "lon": longitude, "lang": "en"}
    elif place.country in UNITED_STATES and settings.us_alerts_url is not None:
        name, base, path = "the National Weather Service", settings.us_alerts_url, "/alerts/active"
        asked = {"point": f"{latitude},{longitude}"}
    else:
        return []
    answer = await asking.ask(name, base, path, asked, _Alerts, max_age=MAX_AGE, besides=True)
    found = dict.fromkeys(feature.properties.alert for feature in answer.features)
    told = [alert for alert in found if alert.title]
    return sorted(told, key=lambda alert: -alert.weight)[:TOLD]
