"""`IWeather`: one question of a person, put to as many services as it takes."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

from zope.interface import implementer

from plugins.weather import airports, alerts, open_meteo, places
from plugins.weather.asking import Asking
from plugins.weather.interfaces import IWeather
from plugins.weather.met_norway import MetNorway
from plugins.weather.open_meteo import OpenMeteo
from plugins.weather.report import AirQuality, Alert, Place, Report
from plugins.weather.settings import Provider
from pynfo import FetchFailed, IScheduler

log = logging.getLogger(__name__)

PROVIDERS: dict[Provider, Any] = {"open-meteo": OpenMeteo, "met-norway": MetNorway}


@implementer(IWeather)
class Weather:
    """See `IWeather`."""

    def __init__(self, factory: Any) -> None:
        settings = factory.settings("weather")
        self._scheduler = IScheduler(factory)
        self._asking = Asking(factory, settings)
        self._providers = [PROVIDERS[name](self._asking) for name in settings.providers]

    async def find(self, text: str) -> Place:
        return await places.find(self._asking, text)

    async def report(self, place: Place) -> Report:
        failures = []
        for provider in self._providers:
            try:
                report: Report = await provider.report(place)
            except FetchFailed as failure:
                failures.append(failure)
                log.info("the weather could not be had: %s", failure)
            else:
                return report
        raise failures[0]

    async def air_quality(self, place: Place) -> AirQuality | None:
        try:
            return await open_meteo.air_quality(self._asking, place)
        except FetchFailed as failure:
            log.info("the air quality could not be had: %s", failure)
            return None

    async def alerts(self, place: Place) -> list[Alert]:
        try:
            return await alerts.alerts(self._asking, place)
        except FetchFailed as failure:
            log.info("the warnings could not be had: %s", failure)
            return []

    async def airport(self, icao: str) -> airports.AirportReport | None:
        report = await airports.latest(self._asking, icao)
        await self._scheduler.in_thread(import_module, "metar.Metar")  # for who decodes it, without a wait
        return report
