"""The plugin `weather`, asked over IRC, with services that stand in for the real ones."""

# ruff: noqa: RUF001 - a span of temperatures has a dash

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from plugins.weather.asking import LIMIT
from pynfo.interfaces import IEvents
from pynfo.irc.events import NetworkDown
from pynfo.testing.bot import Bot, config_for
from tests import weather_service as at
from tests.weather_service import Services, observation, town

EDDB = observation(
    "METAR EDDB 211120Z AUTO 24012G25KT 210V270 9999 -RA BKN012 OVC020 08/06 Q1009 NOSIG",
    "Berlin Brandenburg Arpt, BB, DE",
)
KORD = observation(
    "METAR KORD 211151Z 31012KT 1 1/2SM -SN OVC025 M02/M14 A3042 RMK AO2 SLP310 T10171139",
    "Chicago O'Hare Intl, IL, US",
)


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    """With threads, so that an answer that hangs holds up no other."""
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture
def services(server: HTTPServer) -> Iterator[Services]:
    server.clear()
    services = Services(server)
    yield services
    services.release()


def running(
    tmp_path: Path, services: Services, *, account: str = "alice", **settings: Any
) -> AbstractAsyncContextManager[Bot]:
    config = config_for(tmp_path, plugins={"weather": services.settings(**settings)})
    return Bot.running(config, account=account)


@pytest.fixture
async def bot(tmp_path: Path, services: Services) -> AsyncIterator[Bot]:
    async with running(tmp_path, services) as bot:
        yield bot


# -- the weather


async def test_the_weather_of_a_place_is_one_line(bot: Bot) -> None:
    assert await bot.ask("!weather Berlin") == (
        "Berlin, DE: 12 °C (feels like 10), light rain, wind 18 km/h W, humidity 81 %; "
        "today 9–14 °C, rain 3.2 mm (80 %), sunrise 07:34, sunset 16:05; air quality good (18)"
    )


async def test_a_forecast_tells_the_days_after_today(bot: Bot) -> None:
    assert await bot.ask("!forecast Berlin") == (
        "Berlin, DE: Sun 6–11 °C, overcast; Mon -3 to 0 °C, light snow, snow 2.8 cm (70 %); "
        "Tue -4 to 3 °C, clear; Wed 1–4 °C, partly cloudy; Thu 3–8 °C, thunderstorm, rain 12 mm (90 %)"
    )


async def test_a_forecast_has_as_many_days_as_the_config_says(tmp_path: Path, services: Services) -> None:
    async with running(tmp_path, services, days=2) as bot:
        answer = await bot.ask("!forecast Berlin")
    assert "Mon" in answer
    assert "Tue" not in answer


async def test_in_the_united_states_it_is_fahrenheit_miles_and_their_air_quality(bot: Bot) -> None:
    answer = await bot.ask("!weather Springfield, Illinois")

    assert answer.startswith(
        "Springfield, Illinois, US: 54 °F (feels like 50), light rain, wind 11 mph W, humidity 81 %; "
        "today 48–57 °F, "
    )
    assert "rain 0.13 in" in answer
    assert answer.endswith("air quality moderate (57)")


async def test_in_britain_it_is_celsius_and_miles(bot: Bot) -> None:
    answer = await bot.ask("!weather London")
    assert answer.startswith("London, GB: 12 °C")
    assert "wind 11 mph" in answer


async def test_strong_gusts_are_told_and_what_feels_the_same_is_not(bot: Bot, services: Services) -> None:
    services.current |= {"wind_gusts_10m": 72.4, "apparent_temperature": 12.4}
    assert (await bot.ask("!weather Berlin")).startswith(
        "Berlin, DE: 12 °C, light rain, wind 18 km/h W (gusts 72 km/h), humidity"
    )


async def test_what_nobody_knows_is_left_out(bot: Bot, services: Services) -> None:
    services.current = {"temperature_2m": -0.4, "weather_code": None, "wind_speed_10m": None}
    services.daily |= {"sunrise": [None] * 8, "sunset": ["1970-01-01T01:00"] * 8}
    services.daily |= {"precipitation_sum": [None] * 8, "temperature_2m_max": [None] * 8}
    services.air = {"european_aqi": None, "us_aqi": None}

    assert await bot.ask("!weather Berlin") == "Berlin, DE: 0 °C; today"


async def test_a_dry_day_is_told_as_such(bot: Bot, services: Services) -> None:
    services.daily["precipitation_sum"][0] = 0.0
    services.daily["uv_index_max"][0] = 6.6
    assert "today 9–14 °C, dry, sunrise 07:34, sunset 16:05, UV 7;" in await bot.ask("!weather Berlin")


@pytest.mark.parametrize(("is_day", "emoji"), [(1, "☀️"), (0, "🌙")])
async def test_an_emoji_shows_the_sky_where_it_is_wanted(
    tmp_path: Path, services: Services, is_day: int, emoji: str
) -> None:
    services.current |= {"weather_code": 0, "is_day": is_day}
    async with running(tmp_path, services, emoji=True) as bot:
        assert f", {emoji} clear," in await bot.ask("!weather Berlin")
        assert "rain 3.2 mm" in await bot.ask("!weather Berlin")
        await bot.ask("!weather emoji off")
        assert emoji not in await bot.ask("!weather Berlin")


# -- warnings


async def test_norway_is_warned_by_its_meteorologists_the_worst_first(bot: Bot, services: Services) -> None:
    services.alerts = [
        {"event": "rain", "eventAwarenessName": "Rain", "riskMatrixColor": "Yellow", "severity": "Moderate"},
        {"event": "gale", "eventAwarenessName": "Gale", "riskMatrixColor": "Red", "severity": "Extreme"},
        {"event": "gale", "eventAwarenessName": "Gale", "riskMatrixColor": "Red", "severity": "Extreme"},
    ]

    assert (await bot.ask("!weather Oslo")).endswith("; warnings: Gale (red), Rain (yellow)")
    assert (await bot.ask("!forecast Oslo")).endswith("; warnings: Gale (red), Rain (yellow)")
    assert services.asked(at.MET_ALERTS) == [{"lat": "59.91", "lon": "10.75", "lang": "en"}]


async def test_the_united_states_are_warned_by_their_weather_service(bot: Bot, services: Services) -> None:
    services.alerts = [{"event": "Tornado Warning", "severity": "Extreme"}]

    assert (await bot.ask("!weather Springfield, Missouri")).endswith("; warning: Tornado Warning (extreme)")
    assert services.asked(at.US_ALERTS) == [{"point": "37.22,-93.30"}]


async def test_where_nobody_warns_nobody_is_asked(bot: Bot, services: Services) -> None:
    await bot.ask("!weather Berlin")
    assert services.asked(at.MET_ALERTS) == services.asked(at.US_ALERTS) == []


# -- which place


async def test_places_of_one_name_are_told_apart(bot: Bot) -> None:
    assert await bot.ask("!weather Springfield") == (
        "Springfield: Illinois, Missouri, Massachusetts, Wisconsin? Say which, such as "
        '"Springfield, Illinois"'
    )


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("Springfield, Missouri", "Springfield, Missouri, US:"),
        ("springfield,missouri,usa", "Springfield, Missouri, US:"),
        ("Springfield Missouri", "Springfield, Missouri, US:"),
        ("Springfield, MA", "Springfield, Massachusetts, US:"),  # the service knows abbreviations
        ("Springfield, Wisconsin", "Springfield, Wisconsin, US:"),  # of two, the larger
        ("Berlin", "Berlin, DE:"),  # far larger than the one in New Hampshire
        ("Berlin, US", "Berlin, New Hampshire, US:"),
        ("Berlin 10115", "Berlin, DE:"),
        ("10115", "Berlin, DE:"),
        ('"Berlin, Germany"', "Berlin, DE:"),
    ],
)
async def test_a_place_is_narrowed_down(bot: Bot, asked: str, told: str) -> None:
    assert (await bot.ask(f"!weather {asked}")).startswith(told)


async def test_places_in_several_countries_are_told_with_them(bot: Bot, services: Services) -> None:
    services.towns = [
        town("Cambridge", "England", "GB United Kingdom", 145_700),
        town("Cambridge", "Massachusetts", "US United States", 110_402),
        town("Cambridge", "Ontario", "CA Canada", 120_372),
    ]
    assert await bot.ask("!weather Cambridge") == (
        'Cambridge: England (GB), Massachusetts (US), Ontario (CA)? Say which, such as "Cambridge, England"'
    )


async def test_a_town_goes_before_the_region_and_the_longer_names(bot: Bot, services: Services) -> None:
    services.towns = [
        town("New York", "New York", "US United States", 19_000_000, feature_code="ADM1", latitude=43.0),
        town("New York", "New York", "US United States", 8_175_133, latitude=40.71427),
        town("New York Mills", "Minnesota", "US United States", 30_000_000),
    ]
    assert (await bot.ask("!weather New York")).startswith("New York, US:")
    assert services.asked(at.FORECAST)[0]["latitude"] == "40.71"


async def test_a_name_in_another_language_finds_the_city(bot: Bot, services: Services) -> None:
    munich = town("Munich", "Bavaria", "DE Germany", 1_260_391)
    hamlet = town("München", "Brandenburg", "DE Germany", 120)
    services.says(at.SEARCH, at._json({"results": [munich, hamlet]}).get_data())
    assert (await bot.ask("!weather München")).startswith("Munich, Bavaria, DE:")


async def test_no_place_is_told_as_such(bot: Bot) -> None:
    assert await bot.ask("!weather Atlantis") == 'I know no place "Atlantis"'
    assert await bot.ask("!weather EDDB") == 'I know no place "EDDB"; for an airport there is metar EDDB'
    assert await bot.ask("!weather x") == "a place has 2 to 100 letters"
    assert await bot.ask(f"!weather {'Berlin ' * 20}") == "a place has 2 to 100 letters"


# -- one's own place


async def test_ones_own_place_is_told_to_oneself_alone(bot: Bot, tmp_path: Path, services: Services) -> None:
    assert await bot.ask("!weather set Berlin", private=True) == (
        "your place is Berlin, DE: !weather without a place tells of it, to you alone"
    )
    bystander = await bot.server.user("bob", channels=[bot.channel])

    bot.user.say(bot.channel, "!weather")
    answer = await bot.user.hears("Berlin, DE: *")
    bot.user.say(bot.channel, "!forecast")
    forecast = await bot.user.hears("Berlin, DE: Sun *")
    await bot.settle()

    assert answer.params[0] == forecast.params[0] == "alice"
    assert not any("Berlin" in line for line in bystander.heard)


async def test_a_place_set_in_a_channel_is_not_repeated_there(bot: Bot) -> None:
    bot.user.say(bot.channel, "!weather set Springfield, Missouri")
    assert (await bot.user.hears("your place is *")).params[0] == "alice"
    bot.user.say(bot.channel, "!weather set Springfield")
    assert (await bot.user.hears("Springfield: *")).params[0] == "alice"


async def test_who_shares_their_place_is_answered_in_the_channel(bot: Bot) -> None:
    await bot.ask("!weather set Berlin", private=True)
    assert await bot.ask("!weather share on") == (
        "the weather of your place is told where you ask: all there read it"
    )
    bot.user.say(bot.channel, "!weather")
    assert (await bot.user.hears("Berlin*")).params[0] == bot.channel

    assert await bot.ask("!weather share off") == "the weather of your place is told to you alone"
    bot.user.say(bot.channel, "!weather")
    assert (await bot.user.hears("Berlin*")).params[0] == "alice"


async def test_who_has_no_place_is_told_how_to_get_one(bot: Bot) -> None:
    assert await bot.ask("!weather") == (
        "I do not know your place: say !weather PLACE, or !weather set PLACE in private"
    )


async def test_an_account_is_known_after_a_restart_by_any_nick(tmp_path: Path, services: Services) -> None:
    async with running(tmp_path, services) as bot:
        await bot.ask("!weather set Berlin", private=True)
        await bot.ask("!weather units imperial")
    async with running(tmp_path, services) as bot:
        bot.user.rename("alice_away")
        assert (await bot.ask("!weather", private=True)).startswith("Berlin, DE: 54 °F")
        mallory = await bot.server.user("alice", account="mallory", channels=[bot.channel])
        mallory.say("pynfo", "!weather")
        await mallory.hears("I do not know your place*")


async def test_what_is_forgotten_is_in_no_file(tmp_path: Path, services: Services) -> None:
    async with running(tmp_path, services) as bot:
        await bot.ask("!weather set Springfield, Missouri", private=True)
        await bot.ask("!weather units metric")
        assert await bot.ask("!weather forget") == "I have forgotten your place, and what you chose"
        assert await bot.ask("!weather forget") == "I know nothing of you"
        assert (await bot.ask("!weather")).startswith("I do not know your place")
    stored = [path for path in tmp_path.rglob("state*") if path.is_file()]
    assert stored
    assert not any(b"Missouri" in path.read_bytes() for path in stored)


async def test_who_is_not_logged_in_is_known_while_they_are_seen(tmp_path: Path, services: Services) -> None:
    async with running(tmp_path, services, account="") as bot:
        assert await bot.ask("!weather set Berlin", private=True) == (
            "your place is Berlin, DE: !weather without a place tells of it, to you alone; "
            "I forget that when I see you no more, since you are not logged in to services"
        )
        bot.user.rename("alice2")
        assert (await bot.ask("!weather", private=True)).startswith("Berlin, DE")
        bot.user.part(bot.channel)
        bot.user.join(bot.channel)
        assert (await bot.ask("!weather", private=True)).startswith("I do not know your place")


async def test_after_the_network_was_lost_nobody_is_known_by_their_nick(
    tmp_path: Path, services: Services
) -> None:
    async with running(tmp_path, services, account="") as bot:
        await bot.ask("!weather set Berlin", private=True)
        IEvents(bot.factory).publish(NetworkDown(network=bot.network, time=0.0, reason="gone"))
        assert (await bot.ask("!weather", private=True)).startswith("I do not know your place")


async def test_another_with_the_nick_of_who_left_is_nobody(tmp_path: Path, services: Services) -> None:
    async with running(tmp_path, services, account="") as bot:
        bob = await bot.server.user("bob", channels=[bot.channel])
        bob.say("pynfo", "!weather set Berlin")
        await bob.hears("your place is Berlin*")
        bob.quit()
        other = await bot.server.user("bob", channels=[bot.channel])
        other.say("pynfo", "!weather")
        await other.hears("I do not know your place*")


async def test_who_is_neither_logged_in_nor_seen_is_not_remembered(
    tmp_path: Path, services: Services
) -> None:
    async with running(tmp_path, services) as bot:
        stranger = await bot.server.user("stranger")
        stranger.say("pynfo", "!weather set Berlin")
        await stranger.hears("I could not know you again: log in to services first, or come into a channel *")


async def test_only_so_many_people_are_remembered(tmp_path: Path, services: Services) -> None:
    async with running(tmp_path, services, people=1) as bot:
        await bot.ask("!weather set Berlin", private=True)
        bob = await bot.server.user("bob", account="bob", channels=[bot.channel])
        bob.say("pynfo", "!weather set Oslo")
        await bob.hears("your place is Oslo*")
        assert (await bot.ask("!weather", private=True)).startswith("I do not know your place")


async def test_people_choose_their_units(bot: Bot) -> None:
    assert await bot.ask("!weather units imperial") == "you will get imperial units"
    assert "54 °F" in await bot.ask("!weather Berlin")
    assert await bot.ask("!weather units METRIC") == "you will get metric units"
    assert "12 °C" in await bot.ask("!weather Berlin, US")
    assert await bot.ask("!weather units auto") == "you will get the units of each country"
    assert "54 °F" in await bot.ask("!weather Berlin, US")
    assert (await bot.ask("!weather units kelvin")).startswith(
        '"kelvin" is not one of auto, metric, imperial'
    )


# -- airports


async def test_an_airports_report_is_told_raw_and_decoded(bot: Bot, services: Services) -> None:
    services.metar = [EDDB, KORD]
    assert await bot.ask("!metar eddb") == (
        "METAR EDDB 211120Z AUTO 24012G25KT 210V270 9999 -RA BKN012 OVC020 08/06 Q1009 NOSIG = "
        "Berlin Brandenburg Arpt, BB, DE: 11:20 UTC, 8 °C, dew point 6, wind SSW to W 12 kt gusting 25 kt, "
        "visibility over 10 km, light rain, broken clouds 1200 ft, overcast 2000 ft, 1009 hPa"
    )


async def test_an_american_report_is_decoded_in_american_units(bot: Bot, services: Services) -> None:
    services.metar = [KORD]
    answer = await bot.ask("!metar KORD")
    assert answer.startswith("METAR KORD 211151Z 31012KT 1 1/2SM -SN OVC025 M02/M14 A3042 = Chicago O'Hare")
    assert "28 °F, dew point 7, wind NW 12 kt, visibility 1 1/2 miles, light snow" in answer
    assert answer.endswith("overcast 2500 ft, 30.42 inHg")


@pytest.mark.parametrize("body", ["", "[]"])
async def test_an_airport_without_a_report_is_told_as_such(bot: Bot, services: Services, body: str) -> None:
    services.says(at.METAR, body)
    assert await bot.ask("!metar XXXX") == "there is no report of XXXX: is it the ICAO code of an airport?"


async def test_a_service_that_has_no_page_for_an_airport_has_no_report(bot: Bot, services: Services) -> None:
    services.fails(at.METAR, 404)
    assert (await bot.ask("!metar XXXX")).startswith("there is no report of XXXX")


async def test_a_service_that_knows_only_raw_reports_will_do(bot: Bot, services: Services) -> None:
    services.says(at.METAR, "EGLL 211120Z VRB02KT CAVOK 08/06 Q1009\nEGLL 211050Z VRB02KT\n", "text/plain")
    assert (await bot.ask("!metar EGLL")).startswith(
        "EGLL 211120Z VRB02KT CAVOK 08/06 Q1009 = EGLL: 11:20 UTC, 8 °C, dew point 6, wind variable 2 kt"
    )


async def test_a_report_that_cannot_be_decoded_is_told_raw(bot: Bot, services: Services) -> None:
    services.metar = [observation("METAR EDDB NIL=", "Berlin")]
    assert await bot.ask("!metar EDDB") == "METAR EDDB NIL= (this I cannot decode)"


async def test_what_is_no_code_of_an_airport_is_not_asked_for(bot: Bot, services: Services) -> None:
    for code in ("BER", "Berlin", "1234", "ED%2"):
        assert await bot.ask(f"!metar {code}") == (
            "an airport is named by its ICAO code of four letters, such as EDDB"
        )
    assert services.asked(at.METAR) == []


# -- services that fail


async def test_when_the_first_service_fails_the_second_is_asked(bot: Bot, services: Services) -> None:
    services.fails(at.FORECAST)
    assert await bot.ask("!weather Berlin") == (
        "Berlin, DE: 8 °C, light rain showers, wind 18 km/h W, humidity 77 %; "
        "today 4–9 °C, rain 6 mm (MET Norway); air quality good (18)"
    )
    assert await bot.ask("!forecast Berlin") == (
        "Berlin, DE: Sun 3–9 °C, light rain showers, rain 12 mm; Mon 3–8 °C, light rain showers, rain 9 mm; "
        "Tue 4–8 °C, light rain showers, rain 12 mm; Wed 4–8 °C, light rain showers, rain 12 mm (MET Norway)"
    )


async def test_the_order_of_the_services_is_a_setting(tmp_path: Path, services: Services) -> None:
    async with running(tmp_path, services, providers=["met-norway"]) as bot:
        assert " (MET Norway); air quality" in await bot.ask("!weather Berlin")
    assert services.asked(at.FORECAST) == []


async def test_when_all_fail_the_first_is_named(tmp_path: Path, services: Services) -> None:
    services.hangs(at.FORECAST)
    services.fails(at.MET)
    async with running(tmp_path, services, timeout=0.2) as bot:
        assert await bot.ask("!weather Berlin") == (
            "weather: Open-Meteo does not answer (timed out after 0.2 s); try again later"
        )


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        (at.SEARCH, "<html>", "Open-Meteo answers with something that is no JSON"),
        (at.SEARCH, '{"results": [{"name": 5}]}', "Open-Meteo answers with something that cannot be read"),
        (at.SEARCH, '["x"]', "Open-Meteo answers with something that cannot be read"),
        (
            at.METAR,
            '{"error": "x"}',
            "the Aviation Weather Center answers with something that cannot be read",
        ),
    ],
)
async def test_nonsense_is_told_in_a_sentence(
    bot: Bot, services: Services, path: str, body: str, told: str
) -> None:
    services.says(path, body)
    asked = "!metar EDDB" if path == at.METAR else "!weather Berlin"
    assert await bot.ask(asked) == f"weather: {told}; try again later"


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"current": {"temperature_2m": 1e300}, "daily": {"time": []}}',
        '{"current": {"temperature_2m": 5}, "daily": {"time": ["yesterday"]}}',
        '{"error": true, "reason": "\\u0002no\\u0002"}',
    ],
)
async def test_a_forecast_that_is_none_is_had_elsewhere(bot: Bot, services: Services, body: str) -> None:
    services.says(at.FORECAST, body)
    assert " (MET Norway); air quality" in await bot.ask("!weather Berlin")


@pytest.mark.parametrize("path", [at.AIR, at.MET_ALERTS])
async def test_the_weather_does_not_wait_for_air_quality_and_warnings(
    bot: Bot, services: Services, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.weather.asking.BESIDES", 0.2)
    services.hangs(path)
    assert (await bot.ask("!weather Oslo")).startswith("Oslo, NO: 12 °C")


async def test_what_is_switched_off_is_not_asked(tmp_path: Path, services: Services) -> None:
    off: dict[str, Any] = {"air_quality_url": None, "met_alerts_url": None, "us_alerts_url": None}
    async with running(tmp_path, services, **off) as bot:
        assert "air quality" not in await bot.ask("!weather Oslo")
        await bot.ask("!weather Springfield, Illinois")
    assert [services.asked(path) for path in (at.AIR, at.MET_ALERTS, at.US_ALERTS)] == [[], [], []]


async def test_a_service_that_sends_too_much_is_not_heard_out(bot: Bot, services: Services) -> None:
    services.says(at.SEARCH, b" " * (LIMIT + 1) + b"{}")
    answer = await bot.ask("!weather Berlin")
    assert answer.startswith("weather: Open-Meteo ")
    assert answer.endswith("; try again later")


async def test_names_from_outside_cannot_colour_or_break_the_line(bot: Bot, services: Services) -> None:
    services.towns = [town("Ber\x02\x0304lin\r\nQUIT", "\u202eX" * 300, "DE Germany", 9)]
    services.says(at.SEARCH, at._json({"results": services.towns}).get_data())
    services.alerts = [{"event": "\x0f\nboom", "severity": "\x1fsevere"}]
    assert (await bot.ask("!weather Berlin")).startswith("Berlin QUIT, DE: 12 °C")


# -- few requests


async def test_ten_people_who_ask_the_same_make_one_request(bot: Bot, services: Services) -> None:
    people = [await bot.server.user(f"p{number}", channels=[bot.channel]) for number in range(10)]
    for number, person in enumerate(people):
        person.say("pynfo", "!weather units imperial" if number % 2 else "!weather units metric")
        person.say("pynfo", "!weather Berlin")
    await asyncio.gather(*(person.hears("Berlin, DE: *") for person in people))

    asked = {path: len(services.asked(path)) for path in (at.SEARCH, at.FORECAST, at.AIR)}
    assert asked == {at.SEARCH: 1, at.FORECAST: 1, at.AIR: 1}


async def test_the_services_are_asked_as_they_want_to_be(bot: Bot, services: Services) -> None:
    await bot.ask("!weather Berlin")
    search, forecast = services.asked(at.SEARCH)[0], services.asked(at.FORECAST)[0]
    assert search == {"name": "Berlin", "count": "30", "language": "en", "format": "json"}
    assert (forecast["latitude"], forecast["longitude"]) == ("52.52", "13.41")
