"""What the sky does, in words and as an emoji, from the codes of the services.

Open-Meteo gives code numbers of the WMO (table 4677, those that its documentation lists), MET Norway gives
words written as one, such as `lightrainshowersandthunder_day`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NIGHT = {"☀️": "🌙", "🌤️": "🌙", "⛅": "☁️", "🌦️": "🌧️"}  # no sun by night


# No Struct: the garbage collector does not look into one, and what a module keeps would keep the module.
@dataclass(frozen=True)
class Condition:
    """`words` in lower case, without an article."""

    words: str
    emoji: str

    def by_night(self) -> Condition:
        """The same, when the sun is down."""
        return Condition(self.words, NIGHT.get(self.emoji, self.emoji))

    @property
    def is_frozen(self) -> bool:
        """Whether what falls is not all rain."""
        return "snow" in self.words or "sleet" in self.words


_WMO = {
    0: Condition("clear", "☀️"),
    1: Condition("mostly clear", "🌤️"),
    2: Condition("partly cloudy", "⛅"),
    3: Condition("overcast", "☁️"),
    45: Condition("fog", "🌫️"),
    48: Condition("rime fog", "🌫️"),
    51: Condition("light drizzle", "🌦️"),
    53: Condition("drizzle", "🌦️"),
    55: Condition("heavy drizzle", "🌧️"),
    56: Condition("light freezing drizzle", "🌧️"),
    57: Condition("freezing drizzle", "🌧️"),
    61: Condition("light rain", "🌧️"),
    63: Condition("rain", "🌧️"),
    65: Condition("heavy rain", "🌧️"),
    66: Condition("light freezing rain", "🌧️"),
    67: Condition("freezing rain", "🌧️"),
    71: Condition("light snow", "🌨️"),
    73: Condition("snow", "🌨️"),
    75: Condition("heavy snow", "❄️"),
    77: Condition("snow grains", "🌨️"),
    80: Condition("light rain showers", "🌦️"),
    81: Condition("rain showers", "🌦️"),
    82: Condition("violent rain showers", "🌧️"),
    85: Condition("light snow showers", "🌨️"),
    86: Condition("heavy snow showers", "❄️"),
    95: Condition("thunderstorm", "⛈️"),
    96: Condition("thunderstorm with hail", "⛈️"),
    99: Condition("thunderstorm with heavy hail", "⛈️"),
}

_SKY = {
    "clearsky": _WMO[0],
    "fair": _WMO[1],
    "partlycloudy": _WMO[2],
    "cloudy": Condition("cloudy", "☁️"),
    "fog": _WMO[45],
}
_FALLING = {"rain": "🌧️", "sleet": "🌨️", "snow": "🌨️"}
# The service writes "lightssleet…" and "lightssnow…" with one s too many (its list of symbols says so).
_SYMBOL = re.compile(r"(?:(light)s??|(heavy))?(rain|sleet|snow)(showers)?(andthunder)?")


def of_wmo(code: float | None, *, by_day: bool = True) -> Condition | None:
    """The condition of a WMO code; None for a code that is not in the table."""
    condition = _WMO.get(int(code)) if code is not None else None
    return condition if condition is None or by_day else condition.by_night()


def of_symbol(symbol: str) -> Condition | None:
    """The condition of one of MET Norway's symbols; None for what is none."""
    name, _, time = symbol.partition("_")
    condition = _SKY.get(name) or _falling(name)
    return condition.by_night() if condition is not None and time == "night" else condition


def _falling(name: str) -> Condition | None:
    found = _SYMBOL.fullmatch(name)
    if found is None:
        return None
    light, heavy, kind, showers, thunder = found.groups()
    words = " ".join(
        word for word in (light or heavy, kind, showers, "and thunder" if thunder else None) if word
    )
    if thunder:
        return Condition(words, "⛈️")
    return Condition(words, "🌦️" if showers and kind == "rain" and not heavy else _FALLING[kind])
