"""Which place somebody means: "Berlin", "Springfield, Illinois", "Paris FR", "Berlin 10115", "62701"."""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import combining, normalize

import msgspec

from plugins.weather.airports import ICAO
from plugins.weather.asking import Asking
from plugins.weather.open_meteo import Found, search
from plugins.weather.report import Place
from pynfo.text import one_line

LONGEST = 100  # characters of what somebody types
LISTED = 8  # places that a question lists
FAR_MORE = 5  # times as many people make a place the one that is meant
NAME = 60  # graphemes of a name that comes from outside

_CALLED = {"uk": "gb", "usa": "us"}  # countries whose code is not what people call them


class PlaceUnclear(Exception):
    """It is no place, or one of several. The message is a sentence for who asked."""


async def find(asking: Asking, text: str) -> Place:
    """The place that is meant. Raises `PlaceUnclear`, and `FetchFailed`."""
    text = " ".join(text.replace('"', " ").split())
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or len(parts[0]) < 2 or len(text) > LONGEST:
        raise PlaceUnclear(f"a place has 2 to {LONGEST} letters")
    name, *narrower = parts
    found = _within(await search(asking, name), narrower)
    if not found and narrower:  # the service knows abbreviations too, such as IL, once it is asked by them
        found = await search(asking, ", ".join(parts))
    elif not found and " " in name:
        name, _, last = name.rpartition(" ")
        narrower = [last]
        found = _within(await search(asking, name), narrower)
    if not found:
        hint = f"; for an airport there is metar {text.upper()}" if ICAO.fullmatch(text) else ""
        raise PlaceUnclear(f'I know no place "{one_line(text, NAME)}"{hint}')
    return choose(name, found, narrowed=bool(narrower))


def choose(name: str, found: list[Found], *, narrowed: bool) -> Place:
    """The one of several that is meant by `name`. `narrowed`: more than the name was said.

    The region of the place is left out where the country tells enough. Raises `PlaceUnclear`.
    """
    places = _one_a_region(_towns(_called(name, found)))
    places.sort(key=lambda place: -(place.population or 0))
    best, *others = places
    people = best.population or 0
    if others and (not people or people < FAR_MORE * (others[0].population or 0)):
        raise PlaceUnclear(_question([place for place in found if place in places]))
    told_by_country = not narrowed and all(other.code != best.code for other in others)
    if told_by_country or _folded(best.name) in _folded(best.admin1 or ""):
        return msgspec.structs.replace(best.place, region="")
    return best.place


def _within(found: Iterable[Found], narrower: list[str]) -> list[Found]:
    """Those of the places that lie in each of the regions or countries, or have the postal code."""
    return [place for place in found if all(_is_in(place, region) for region in narrower)]


def _is_in(place: Found, region: str) -> bool:
    wanted = _folded(region)
    wanted = _CALLED.get(wanted, wanted)
    if wanted == place.code.lower() or region in (place.postcodes or ()):
        return True
    areas = (place.admin1, place.admin2, place.country, place.name)
    return len(wanted) > 2 and any(f" {wanted} " in f" {_folded(area or '')} " for area in areas)


def _called(name: str, found: list[Found]) -> list[Found]:
    """Without those whose name only begins so, where others have it, or are called so elsewhere."""
    wanted = _folded(name)

    def is_called(place: Found) -> bool:
        folded = _folded(place.name)
        return folded == wanted or not folded.startswith(wanted)

    return [place for place in found if is_called(place)] or found


def _towns(found: list[Found]) -> list[Found]:
    """Without the countries, regions and lakes, where there are towns of that name."""
    return [place for place in found if (place.feature_code or "").startswith("PPL")] or found


def _one_a_region(found: list[Found]) -> list[Found]:
    """Of several in one region only the largest: there is no name to tell them apart by."""
    largest: dict[tuple[str, str], Found] = {}
    for place in found:
        key = (place.code, place.admin1 or "")
        if key not in largest or (place.population or 0) > (largest[key].population or 0):
            largest[key] = place
    return list(largest.values())


def _question(places: list[Found]) -> str:
    """Which of them? In the order of the service."""
    name = one_line(places[0].name, NAME)
    several = len({place.code for place in places}) > 1
    regions = [one_line(place.admin1 or place.country or place.code, NAME) for place in places[:LISTED]]
    listed = [
        f"{region} ({place.code})" if several and place.code else region
        for region, place in zip(regions, places, strict=False)
    ]
    more = ", …" if len(places) > LISTED else ""
    return f'{name}: {", ".join(listed)}{more}? Say which, such as "{name}, {regions[0]}"'


def _folded(text: str) -> str:
    """For comparing names: without case, accents and punctuation. A name has an end, whoever gives it."""
    letters = (letter for letter in normalize("NFKD", text[:LONGEST].casefold()) if not combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in letters).split())
