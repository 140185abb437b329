"""What people say to the bot about packages: what they are, and what is to be announced of them.

Everybody may look a package up; what is announced in a channel is for its operators, and for admins.
"""

from __future__ import annotations

import time

from plugins.pypi.filters import check
from plugins.pypi.index import canonical
from plugins.pypi.outputs import FIREHOSES, Output
from plugins.pypi.package import Package, describe
from plugins.pypi.watching import IPackages
from pynfo import FetchFailed, Request, Rest, command
from pynfo.command import quoted
from pynfo.services.feeds_places import here, is_admin, place_in, rules, same_place, take_places

IN_CHANNEL = 50  # outputs of one channel
PRERELEASES = ("--prereleases", "--pre")


@command
async def pypi(request: Request, name: str) -> str:
    """Tell the newest release of a Python package: its age, licence, Pythons and known vulnerabilities.

    Example: pypi requests
    """
    package = await _package(request, _canonical(request, name))
    return describe(package, time.time())


@command("pypi watch")
async def pypi_watch(request: Request, name: str, where: Rest = "") -> str:
    """Announce new releases and security advisories of a package here, or in WHERE (network/#channel …).

    With --prereleases those too. NAME newest or updates: all new packages, or the latest updates, of which
    words or /regular expressions/ behind it choose some. For operators of the channel.
    Example: pypi watch requests --prereleases
    """
    words = where.split()
    prereleases = any(word.lower() in PRERELEASES for word in words)
    places, filters = take_places(request, [word for word in words if word.lower() not in PRERELEASES])
    places = places or [here(request)]
    subject = name.lower() if name.lower() in FIREHOSES else _canonical(request, name)
    if subject not in FIREHOSES and filters:
        raise request.error(f"{quoted(filters[0])} is no channel: write such as {request.network}/#channel")
    packages = IPackages(request.factory)
    for place in places:
        there = [output for output in packages.outputs() if same_place(request, output.place, place)]
        if len(there) >= IN_CHANNEL and subject not in (output.subject for output in there):
            raise request.error(f"{place} hears of {IN_CHANNEL} packages already: unwatch one first")
    note = ""
    try:
        check(filters)
        if subject not in FIREHOSES:
            note = f"; the newest release is {(await _package(request, subject)).version}"
        prereleases = prereleases or request.factory.settings("pypi").prereleases
        for place in places:
            wanted = Output(subject=subject, place=place, prereleases=prereleases, filters=tuple(filters))
            problem = await packages.add(wanted)
            note += f"; but {problem}: it is tried again" if problem else ""
    except ValueError as error:
        raise request.error(str(error)) from None
    return f"watching {wanted} for {_listed(places)}{note}"


@command("pypi unwatch")
async def pypi_unwatch(request: Request, name: str, where: Rest = "") -> str:
    """Announce nothing of a package, newest or updates any more here, or in WHERE (network/#channel …).

    For operators of the channel. Example: pypi unwatch requests
    """
    places, others = take_places(request, where.split())
    if others:
        raise request.error(f"{quoted(others[0])} is no channel: write such as {request.network}/#channel")
    places = places or [here(request)]
    subject = name.lower() if name.lower() in FIREHOSES else _canonical(request, name)
    packages = IPackages(request.factory)
    gone = [
        output
        for output in packages.outputs()
        if output.subject == subject and place_in(request, output.place, places)
    ]
    if not gone:
        raise request.error(f"{_is(subject)} not watched for {_listed(places)}")
    for output in gone:
        packages.remove(output)
    return f"{_is(subject)} no longer watched for {_listed([output.place for output in gone])}"


@command("pypi watches")
async def pypi_watches(request: Request) -> str:
    """List what is watched for this channel; in private, for every channel that you rule.

    For operators of the channel. Example: pypi watches
    """
    outputs = IPackages(request.factory).outputs()
    if request.channel is not None:
        place = here(request)
        watched = sorted(str(output) for output in outputs if same_place(request, output.place, place))
        return f"{place} hears of {', '.join(watched)}" if watched else f"nothing is watched for {place}"
    ruled = [output for output in outputs if is_admin(request) or rules(request, output.place)]
    if not ruled:
        return "nothing is watched for a channel that you rule"
    by_place: dict[str, list[str]] = {}
    for output in ruled:
        by_place.setdefault(output.place, []).append(str(output))
    return "; ".join(f"{place}: {', '.join(sorted(watched))}" for place, watched in sorted(by_place.items()))


def _canonical(request: Request, name: str) -> str:
    try:
        return canonical(name)
    except ValueError:
        raise request.error(f"{quoted(name)} cannot be the name of a package") from None


async def _package(request: Request, name: str) -> Package:
    try:
        package: Package | None = await IPackages(request.factory).package(name)
    except FetchFailed as error:
        raise request.error(f"pypi: {error}; try again later") from None
    if package is None:
        raise request.error(f"there is no package {quoted(name)} on PyPI")
    return package


def _is(subject: str) -> str:
    """ "requests is", "latest updates are"."""
    return f"{FIREHOSES[subject]} are" if subject in FIREHOSES else f"{subject} is"


def _listed(places: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(places[:-1]), places[-1])))
