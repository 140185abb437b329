"""The weather: `!weather Berlin` now and today, `!forecast Berlin` the next days, `!metar EDDB` for pilots.

`!weather set Berlin` remembers somebody's place, so that `!weather` alone is enough. It is where somebody
lives: what comes of it is told to them alone, unless they choose to share it.

`commands.py` has the commands, `service.py` asks the services, `places.py` finds the place that is meant,
`people.py` remembers, `wording.py` says it.
"""

from __future__ import annotations

from typing import Any

from plugins.weather.commands import (
    forecast,
    metar,
    weather,
    weather_emoji,
    weather_forget,
    weather_set,
    weather_share,
    weather_units,
)
from plugins.weather.interfaces import IPeople, IProvider, IWeather
from plugins.weather.people import People
from plugins.weather.service import Weather
from plugins.weather.settings import Settings, check

__all__ = [
    "IPeople",
    "IProvider",
    "IWeather",
    "Settings",
    "check",
    "forecast",
    "metar",
    "weather",
    "weather_emoji",
    "weather_forget",
    "weather_set",
    "weather_share",
    "weather_units",
]


def init(factory: Any) -> None:
    """Offer the weather, and remember people from now on."""
    factory.register_adapter(IWeather, Weather)
    factory.register_adapter(IPeople, People)
    IPeople(factory)
