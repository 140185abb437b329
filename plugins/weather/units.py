"""Numbers as people of a country read them: 12 °C or 54 °F, 18 km/h or 11 mph, 3 mm or 0.1 in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Choice = Literal["auto", "metric", "imperial"]

# Where the weather is told in °F, and where roads and winds have miles (Unicode CLDR, "Unit Preferences").
FAHRENHEIT = frozenset(
    ("US", "PR", "GU", "VI", "AS", "MP", "UM", "LR", "MM", "BS", "BZ", "KY", "PW", "FM", "MH")
)
MILES = FAHRENHEIT | {"GB", "GG", "IM", "JE"}

_DASH = "\N{EN DASH}"
_POINTS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


# No Struct: the garbage collector does not look into one, and what a module keeps would keep the module.
@dataclass(frozen=True)
class Units:
    """Which units to use; `inches` is for what falls."""

    fahrenheit: bool = False
    miles: bool = False

    @property
    def degrees(self) -> str:
        """The sign of a temperature."""
        return "°F" if self.fahrenheit else "°C"

    def temperature(self, celsius: float) -> str:
        """A whole number, without its sign: "12"."""
        return str(round(celsius * 9 / 5 + 32 if self.fahrenheit else celsius))

    def temperatures(self, low: float | None, high: float | None) -> str:
        """From low to high, such as "-3 to 2 °C"; "9 °C" where they are the same, "" where one is unknown."""
        if low is None or high is None:
            return ""
        first, last = self.temperature(low), self.temperature(high)
        if first == last:
            return f"{first} {self.degrees}"
        return f"{first}{' to ' if first[0] == '-' else _DASH}{last} {self.degrees}"

    def speed(self, kmh: float) -> str:
        """A speed: "18 km/h"."""
        return f"{round(kmh / 1.609344)} mph" if self.miles else f"{round(kmh)} km/h"

    def rain(self, mm: float) -> str:
        """How much falls: "3 mm", "0.4 mm", "0.12 in"; "" for what is too little to be told."""
        return _amount(mm / 25.4, "in", 2) if self.fahrenheit else _amount(mm, "mm", 1)

    def snow(self, cm: float) -> str:
        """How much snow falls: "4 cm", "1.6 in"; "" for what is too little to be told."""
        return _amount(cm / 2.54, "in", 1) if self.fahrenheit else _amount(cm, "cm", 1)


METRIC = Units()
IMPERIAL = Units(fahrenheit=True, miles=True)


def units_for(choice: Choice, country: str) -> Units:
    """The units of a choice; "auto": those of the country (its code of two letters)."""
    if choice == "metric":
        return METRIC
    if choice == "imperial":
        return IMPERIAL
    return Units(fahrenheit=country in FAHRENHEIT, miles=country in MILES)


def compass(degrees: float) -> str:
    """The point of the compass: "W" for 270."""
    return _POINTS[round(degrees / 45) % 8]


def _amount(value: float, unit: str, decimals: int) -> str:
    """With decimals only below 10, and none that are zero."""
    text = f"{value:.{decimals if value < 10 else 0}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "" if text == "0" else f"{text} {unit}"
