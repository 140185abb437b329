"""The parts of the plugin `weather` that ask nobody: settings, units, and what the sky does."""

# ruff: noqa: RUF001 - a span of temperatures has a dash

from __future__ import annotations

from pathlib import Path
from time import process_time
from typing import Any

import pytest

from plugins.weather import Settings, check
from plugins.weather.airports import decoded
from plugins.weather.conditions import of_symbol, of_wmo
from plugins.weather.open_meteo import Found
from plugins.weather.places import choose
from plugins.weather.settings import endpoint
from plugins.weather.units import IMPERIAL, METRIC, Units, compass, units_for
from pynfo.config import Config
from pynfo.validation import convert_struct


def mistakes(**settings: Any) -> list[str]:
    converted, problems = convert_struct(settings, Settings, Path())
    if isinstance(converted, Settings):
        return list(check(converted, Config()))
    return [problem.text for problem in problems]


# -- settings


def test_settings_may_be_left_out_all() -> None:
    assert mistakes() == []
    assert Settings().providers == ["open-meteo", "met-norway"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"units": "kelvin"}, "units must be one of 'auto', 'metric', 'imperial', not 'kelvin'"),
        ({"providers": ["wttr"]}, "providers[0] must be one of 'open-meteo', 'met-norway', not 'wttr'"),
        ({"providers": []}, 'providers is empty: write at least one, such as ["open-meteo"]'),
        ({"providers": ["met-norway"] * 2}, "providers names one twice"),
        ({"days": 9}, "days must be a whole number <= 7, not 9"),
        ({"language": "German"}, "language is a code of two letters, such as \"de\", not 'German'"),
        ({"emoji": "yes"}, "emoji must be True or False, not 'yes'"),
        (
            {"metar_url": "aviationweather.gov"},
            "metar_url is no address: write such as \"https://weather.example\", not 'aviationweather.gov'",
        ),
        (
            {"forecast_url": "http://x:99999/"},
            "forecast_url is no address: write such as \"https://weather.example\", not 'http://x:99999/'",
        ),
    ],
)
def test_a_mistake_in_the_settings_is_told_in_a_sentence(settings: dict[str, Any], told: str) -> None:
    assert mistakes(**settings) == [told]


def test_all_mistakes_in_the_settings_are_told_at_once() -> None:
    assert (
        len(mistakes(metar_url="here", forecast_url="https://x.example/ y", language="x", providers=[])) == 4
    )


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("https://weather.example", "https://weather.example/v1/search"),
        ("https://weather.example/", "https://weather.example/v1/search"),
        ("https://weather.example/v1", "https://weather.example/v1/search"),
        ("https://weather.example/v1/search", "https://weather.example/v1/search"),
        ("http://127.0.0.1:8080/geo", "http://127.0.0.1:8080/geo/v1/search"),
    ],
)
def test_an_address_may_have_the_usual_path_or_not(base: str, address: str) -> None:
    assert endpoint(base, "/v1/search") == address


# -- units


@pytest.mark.parametrize(
    ("choice", "country", "units"),
    [
        ("auto", "DE", METRIC),
        ("auto", "US", IMPERIAL),
        ("auto", "LR", IMPERIAL),
        ("auto", "GB", Units(miles=True)),
        ("auto", "", METRIC),
        ("metric", "US", METRIC),
        ("imperial", "DE", IMPERIAL),
    ],
)
def test_units_are_those_chosen_or_of_the_country(choice: Any, country: str, units: Units) -> None:
    assert units_for(choice, country) == units


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(8.8, 14.1, "9–14 °C"), (-3.2, 2, "-3 to 2 °C"), (4.6, 5.4, "5 °C"), (-0.4, 0.2, "0 °C"), (None, 3, "")],
)
def test_two_temperatures_are_a_span(low: float | None, high: float, told: str) -> None:
    assert METRIC.temperatures(low, high) == told


def test_small_amounts_have_a_decimal_and_nothing_is_nothing() -> None:
    assert [METRIC.rain(mm) for mm in (0, 0.04, 0.44, 3.0, 12.4)] == ["", "", "0.4 mm", "3 mm", "12 mm"]
    assert [IMPERIAL.rain(mm) for mm in (0, 3.2, 400)] == ["", "0.13 in", "16 in"]
    assert (METRIC.snow(2.84), IMPERIAL.snow(2.84)) == ("2.8 cm", "1.1 in")


def test_the_wind_comes_from_a_point_of_the_compass() -> None:
    assert [compass(degrees) for degrees in (0, 22, 23, 180, 268, 359, 360)] == [
        "N",
        "N",
        "NE",
        "S",
        "W",
        "N",
        "N",
    ]


# -- the sky


@pytest.mark.parametrize(
    ("symbol", "words", "emoji"),
    [
        ("clearsky_day", "clear", "☀️"),
        ("clearsky_night", "clear", "🌙"),
        ("fair_polartwilight", "mostly clear", "🌤️"),
        ("cloudy", "cloudy", "☁️"),
        ("heavyrain", "heavy rain", "🌧️"),
        ("lightrainshowersandthunder_day", "light rain showers and thunder", "⛈️"),
        ("lightssleetshowersandthunder_night", "light sleet showers and thunder", "⛈️"),
        ("sleet", "sleet", "🌨️"),
        ("heavysnowshowers_day", "heavy snow showers", "🌨️"),
    ],
)
def test_symbols_of_met_norway_are_words(symbol: str, words: str, emoji: str) -> None:
    condition = of_symbol(symbol)
    assert condition is not None
    assert (condition.words, condition.emoji) == (words, emoji)


def test_what_is_no_code_is_no_condition() -> None:
    assert of_symbol("") is None
    assert of_symbol("frogs_day") is None
    assert of_wmo(4) is None
    assert of_wmo(None) is None


# -- reports of airports


@pytest.mark.parametrize(
    "raw", ["", "EDDB", "METAR", "EDDB 991199Z 24012KT", "\x00" * 20, "EDDB 211120Z Q////"]
)
def test_a_report_that_is_broken_is_no_error(raw: str) -> None:
    assert [clause for clause in decoded(raw, METRIC) if "UTC" not in clause] == []


@pytest.mark.parametrize("odd", ["GIBBERISH", "VA///", "/RA/", "-++"])
def test_what_the_library_does_not_know_does_not_hide_the_rest(odd: str) -> None:
    clauses = decoded(f"EDDB 211120Z 24012KT 9999 {odd} FEW012 08/06 Q1009", METRIC)
    assert "8 °C" in clauses
    assert "1009 hPa" in clauses


def test_no_name_of_a_place_takes_long() -> None:
    endless = Found(name="Here" + "\u0316\u0301" * 20_000, latitude=1, longitude=1)
    began = process_time()
    assert choose("Here", [endless], narrowed=False).latitude == 1
    assert process_time() - began < 0.1  # seconds; a hundredth of it is enough
