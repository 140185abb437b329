"""The commands of the weather."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from plugins.weather import wording
from plugins.weather.airports import ICAO
from plugins.weather.interfaces import IPeople, IWeather
from plugins.weather.people import Choices
from plugins.weather.places import PlaceUnclear
from plugins.weather.report import Place
from plugins.weather.units import Choice, Units, units_for
from pynfo import FetchFailed, ICommands, Request, Rest, command

TIME_LIMIT = 45.0  # seconds: four services in a row may have to be waited for

Answer = Callable[[Place, Units, bool], Awaitable[str]]


@command(time_limit=TIME_LIMIT)
async def weather(request: Request, place: Rest = "") -> str | None:
    """Tell the weather of PLACE now and today; without PLACE that of your own (weather set), to you alone.

    By Open-Meteo.com, else MET Norway. Example: weather Springfield, Illinois
    """

    async def line(where: Place, units: Units, emoji: bool) -> str:
        service = IWeather(request.factory)
        report, air, alerts = await asyncio.gather(
            service.report(where), service.air_quality(where), service.alerts(where)
        )
        return wording.now(where, report, air, alerts, units, emoji=emoji)

    return await _answer(request, place, line)


@command(time_limit=TIME_LIMIT)
async def forecast(request: Request, place: Rest = "") -> str | None:
    """Tell the weather of PLACE on the next days; without PLACE that of your own (weather set), to you alone.

    By Open-Meteo.com, else MET Norway. Example: forecast Oslo
    """

    async def line(where: Place, units: Units, emoji: bool) -> str:
        service = IWeather(request.factory)
        report, alerts = await asyncio.gather(service.report(where), service.alerts(where))
        days = request.factory.settings("weather").days
        return wording.forecast(where, report, alerts, units, days=days, emoji=emoji)

    return await _answer(request, place, line)


@command(time_limit=TIME_LIMIT)
async def metar(request: Request, icao: str) -> str:
    """Tell the latest weather report of the airport ICAO, raw and decoded. Example: metar EDDB"""
    if not ICAO.fullmatch(icao):
        raise request.error("an airport is named by its ICAO code of four letters, such as EDDB")
    with _told(request):
        report = await IWeather(request.factory).airport(icao.upper())
    if report is None:
        raise request.error(f"there is no report of {icao.upper()}: is it the ICAO code of an airport?")
    return wording.airport(report, _units(request, report.country))


@command("weather set", private=True, time_limit=TIME_LIMIT)
async def weather_set(request: Request, place: Rest) -> str:
    """Remember PLACE as yours, and tell of it to you alone. Best say it to me in private.

    Example: weather set Oslo
    """
    with _told(request):
        where = await IWeather(request.factory).find(place)
    lasting = _choose(request, place=where)
    told = f"{_prefix(request)}weather without a place tells of it, to you alone"
    return f"your place is {wording.place_name(where)}: {told}{lasting}"


@command("weather forget", private=True)
async def weather_forget(request: Request) -> str:
    """Forget your place, and all that you chose of the weather. Example: weather forget"""
    known = await IPeople(request.factory).forget(request.network, request.user)
    return "I have forgotten your place, and what you chose" if known else "I know nothing of you"


@command("weather units")
async def weather_units(request: Request, units: Choice) -> str:
    """Choose your units; auto: those of the country that the weather is of. Example: weather units metric"""
    lasting = _choose(request, units=units)
    told = "the units of each country" if units == "auto" else f"{units} units"
    return f"you will get {told}{lasting}"


@command("weather emoji")
async def weather_emoji(request: Request, choice: Literal["on", "off"]) -> str:
    """Choose whether your weather has an emoji. Example: weather emoji on"""
    lasting = _choose(request, emoji=choice == "on")
    return f"your weather comes {'with' if choice == 'on' else 'without'} emoji{lasting}"


@command("weather share")
async def weather_share(request: Request, choice: Literal["on", "off"]) -> str:
    """Choose whether weather alone tells that of your place to all in a channel. Example: weather share on"""
    lasting = _choose(request, share=choice == "on")
    whom = "where you ask: all there read it" if choice == "on" else "to you alone"
    return f"the weather of your place is told {whom}{lasting}"


async def _answer(request: Request, text: str, line: Answer) -> str | None:
    """What `line` says of the place that is meant; to who asked alone where it is theirs."""
    choices: Choices = IPeople(request.factory).known(request.network, request.user)
    text = text.strip()
    where = choices.place
    if not text and where is None:
        weather = f"{_prefix(request)}weather"
        raise request.error(
            f"I do not know your place: say {weather} PLACE, or {weather} set PLACE in private"
        )
    with _told(request):
        if text or where is None:
            where = await IWeather(request.factory).find(text)
        told = await line(where, _units(request, where.country), _emoji(request))
    if text or choices.share:
        return told
    request.reply(told, private=True)
    return None


@contextmanager
def _told(request: Request) -> Iterator[None]:
    """What goes wrong inside is told in a sentence."""
    try:
        yield
    except PlaceUnclear as unclear:
        raise request.error(str(unclear)) from None
    except FetchFailed as failure:
        raise request.error(f"weather: {failure}; try again later") from failure


def _choose(request: Request, **choices: Any) -> str:
    """Change what the asker chose; the clause to add where it does not last."""
    try:
        lasting = IPeople(request.factory).choose(request.network, request.user, **choices)
    except LookupError:
        raise request.error(
            "I could not know you again: log in to services first, or come into a channel where I am"
        ) from None
    return (
        "" if lasting else "; I forget that when I see you no more, since you are not logged in to services"
    )


def _prefix(request: Request) -> str:
    prefix: str = ICommands(request.factory).prefix(request.network, request.channel)
    return prefix


def _units(request: Request, country: str) -> Units:
    choices: Choices = IPeople(request.factory).known(request.network, request.user)
    return units_for(choices.units or request.factory.settings("weather").units, country)


def _emoji(request: Request) -> bool:
    choices: Choices = IPeople(request.factory).known(request.network, request.user)
    default: bool = request.factory.settings("weather").emoji
    return default if choices.emoji is None else choices.emoji
