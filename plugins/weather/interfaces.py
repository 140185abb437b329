"""What the plugin is made of, as interfaces: who tells the weather, and who people are."""

from __future__ import annotations

from zope.interface import Attribute

from pynfo.interfaces import Interface

# mypy: disable-error-code="no-untyped-def, misc, empty-body, type-arg"


class IProvider(Interface):
    """A service that tells the weather of a place."""

    name = Attribute("what people call it")

    async def report(place):
        """*await* the `Report` of a `Place`. Raises `FetchFailed`."""


class IWeather(Interface):
    """The weather of the world, from whichever service answers. Answers are kept for some minutes."""

    async def find(text: str):
        """*await* the `Place` that somebody means. Raises `FetchFailed`; `PlaceUnclear` where it is none, or
        one of several."""

    async def report(place):
        """*await* the `Report` of a place, of the first provider that gives one; `FetchFailed` of the first
        where none does."""

    async def air_quality(place):
        """*await* the `AirQuality`; None where nobody tells it."""

    async def alerts(place) -> list:
        """*await* the official warnings in force, as `Alert`s, the worst first; [] where there are none, or
        nobody tells them."""

    async def airport(icao: str):
        """*await* the latest `AirportReport` of an airport; None for none. Raises `FetchFailed`."""


class IPeople(Interface):
    """Where people are, and how they want to be told the weather: for them alone."""

    def known(network: str, user):
        """The `Choices` of a `User`: those of nobody where they have made none."""

    def lasting(user) -> bool:
        """Whether what a `User` chooses is kept: they are logged in to services."""

    def choose(network: str, user, **choices) -> bool:
        """Change some fields of somebody's `Choices`. False where they last only while we see them.

        Raises `LookupError` where we do not: in no channel, and not logged in.
        """

    async def forget(network: str, user) -> bool:
        """*await*: forget all of it, in every file. False where there was nothing."""
