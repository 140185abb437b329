"""Which channels hear of each other: wires and their ports, with all that the config says of each.

A wire joins ports; what people say at a port that sends is carried to every other port of the wire that
receives.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import combinations, permutations
from typing import Any

import msgspec

from plugins.relay.formats import mistakable, read
from plugins.relay.settings import Choices, PortSettings, Settings, WireSettings
from pynfo import config_rules as rules
from pynfo.arguments import parse_duration
from pynfo.config import Config
from pynfo.irc.casemap import fold
from pynfo.irc.events import User
from pynfo.usermask import UserMask, parse
from pynfo.validation import shown, unknown

SEARCH_TIME = 0.05  # seconds: longer is not looked for a text that is ignored
DEFAULTS = Choices(
    direction="both",
    format="<{nick}@{network}> {text}",
    action_format="* {nick}@{network} {text}",
    notice_format="-{nick}@{network}- {text}",
    events=["messages", "actions", "answers", "membership"],
    formatting="keep",
    colours=False,
    ignore=[],
    ignore_text=[],
    relaymsg=True,
    hold="1 hour",
    delivery="at-least-once",
    lines_limit=8,
)

_OPPOSITE = {"both": "both", "send": "receive", "receive": "send"}

log = logging.getLogger(__name__)


class Port(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """One end of a wire. `hold` is in seconds; the rest is as in the settings."""

    place: str  # network/#channel, as the config writes it
    network: str
    channel: str
    sends: bool  # what is said there is carried
    receives: bool
    format: str
    action_format: str
    notice_format: str
    events: frozenset[str]
    formatting: str
    colours: bool
    ignore: tuple[UserMask, ...]
    ignore_text: tuple[str, ...]
    relaymsg: bool
    hold: float
    delivery: str
    lines_limit: int

    def ignores(self, user: User, fold: Callable[[str], str]) -> bool:
        """Whether nothing of `user` is carried from here; `fold` folds names of this network."""
        return any(mask.matches(self.network, user, fold) for mask in self.ignore)

    def ignores_text(self, text: str) -> bool:
        """Whether a message with this text is not carried from here. A search that takes too long has found
        nothing."""
        return any(_found(pattern, text) for pattern in self.ignore_text)


class Wire(msgspec.Struct, frozen=True, cache_hash=True):
    name: str
    ports: tuple[Port, ...]


def wires_of(settings: Settings) -> tuple[Wire, ...]:
    """The wires of settings in which `check` finds no mistake."""
    return tuple(_wire(wire) for wire in settings.wires)


def check(settings: Settings, config: Config) -> Iterator[str]:
    """What is wrong with the settings beside the rest of the config."""
    mistakes = list(_wrong_wires(settings, config))
    if not mistakes:  # else the wires cannot be made
        wires = wires_of(settings)
        mistakes += [f"wire {wire.name!r}: {text}" for wire in wires for text in _wrong_ports(wire, config)]
        mistakes += _feedback(wires)
    yield from dict.fromkeys(mistakes)  # what is said of a wire is wrong at each of its ports


def same(place: str) -> str:
    """A place as all its spellings are."""
    network, _, channel = place.partition("/")
    return f"{network}/{fold(channel, 'rfc1459')}"


def _wire(wire: WireSettings) -> Wire:
    first = wire.direction or "both"
    ports = [_port(wire, port, _OPPOSITE[first] if index else first) for index, port in enumerate(wire.ports)]
    return Wire(wire.name, tuple(ports))


def _port(wire: WireSettings, written: str | PortSettings, direction: str) -> Port:
    """`direction` is what the wire says of this port."""
    own = written if isinstance(written, PortSettings) else PortSettings(port=written)

    def chosen(name: str) -> Any:
        said = (getattr(choices, name) for choices in (own, wire, DEFAULTS))
        return next(value for value in said if value is not None)

    direction = own.direction or direction
    network, _, channel = own.port.partition("/")
    return Port(
        place=own.port,
        network=network,
        channel=channel,
        sends=direction != "receive",
        receives=direction != "send",
        format=chosen("format"),
        action_format=chosen("action_format"),
        notice_format=chosen("notice_format"),
        events=frozenset(chosen("events")),
        formatting=chosen("formatting"),
        colours=chosen("colours"),
        ignore=tuple(map(parse, chosen("ignore"))),
        ignore_text=tuple(chosen("ignore_text")),
        relaymsg=chosen("relaymsg"),
        hold=parse_duration(chosen("hold")),
        delivery=chosen("delivery"),
        lines_limit=chosen("lines_limit"),
    )


def _wrong_wires(settings: Settings, config: Config) -> Iterator[str]:
    """What keeps the wires from being made: their names, and places that are none."""
    names: set[str] = set()
    networks = [network.name for network in config.networks]
    for wire in settings.wires:
        if wire.name.lower() in names:
            yield f"there are two wires {wire.name!r}: give one another name"
        names.add(wire.name.lower())
        if len(wire.ports) < 2:
            yield f"wire {wire.name!r}: a wire has two ports or more"
        for written in wire.ports:
            place = written if isinstance(written, str) else written.port
            network, slash, channel = place.partition("/")
            if not slash or not channel:
                yield f'wire {wire.name!r}: {shown(place)} is no channel: write "network/#channel"'
            elif network not in networks:
                yield f"wire {wire.name!r}: {place}: {unknown('network', network, networks)}"
            elif wrong := rules.channel(channel):
                yield f"wire {wire.name!r}: {place}: {wrong}"


def _wrong_ports(wire: Wire, config: Config) -> Iterator[str]:
    seen: dict[str, str] = {}
    channels = {
        same(f"{network.name}/{channel.name}") for network in config.networks for channel in network.channels
    }
    for port in wire.ports:
        name = same(port.place)
        if name in seen:
            yield f"{port.place} is on it twice: write it once"
        elif name not in channels:
            yield f"{port.place} is not among the channels of {port.network}: add it there"
        seen[name] = port.place
        yield from _wrong_masks(port, config)
        yield from _wrong_formats(port)
    if not any(port.sends for port in wire.ports):
        yield 'nothing would be carried: none of its ports has the direction "send" or "both"'
    if not any(port.receives for port in wire.ports):
        yield 'nobody would hear anything: none of its ports has the direction "receive" or "both"'


def _wrong_masks(port: Port, config: Config) -> Iterator[str]:
    networks = [network.name for network in config.networks]
    for mask in port.ignore:
        if mask.network is not None and mask.network not in networks:
            yield f"ignore: {mask}: {unknown('network', mask.network, networks)}"
        elif mask.account is not None and mask.network is None and len(networks) > 1:
            yield f"ignore: {mask} is a login on one network: write such as {networks[0]}/{mask}"


def _wrong_formats(port: Port) -> Iterator[str]:
    names = ("format", "action_format", "notice_format")
    for one, other in combinations(names, 2):
        if mistakable(read(getattr(port, one)), read(getattr(port, other))):
            yield (
                f"{one} {getattr(port, one)!r} and {other} {getattr(port, other)!r} can be taken for each "
                "other: let them begin with different signs, or be alike up to what follows the names"
            )


def _feedback(wires: tuple[Wire, ...]) -> Iterator[str]:
    """Wires that carry what was said in a channel back into it by way of others."""
    told: set[frozenset[str]] = set()
    for wire in wires:
        for port, other in permutations(wire.ports, 2):
            if not (port.sends and other.receives):
                continue
            way = _way(wires, other, port, without=wire)
            if not way or frozenset((wire.name, *way)) in told:
                continue
            told.add(frozenset((wire.name, *way)))
            listed = " and ".join(map(repr, (wire.name, *way)))
            yield (
                f"wires {listed} carry what is said in {port.place} back to it: take it off one of them, or "
                'let it only "send" or only "receive" there'
            )


def _way(wires: tuple[Wire, ...], start: Port, end: Port, *, without: Wire) -> list[str]:
    """The names of the wires by which what is said at `start` comes to `end`; none where it does not."""
    ways: dict[str, list[str]] = {same(start.place): []}
    waiting = [same(start.place)]
    for place in waiting:
        for wire in wires:
            if wire is without or not any(port.sends and same(port.place) == place for port in wire.ports):
                continue
            for port in wire.ports:
                if port.receives and same(port.place) not in ways:
                    ways[same(port.place)] = [*ways[place], wire.name]
                    waiting.append(same(port.place))
    return ways.get(same(end.place), [])


def _found(pattern: str, text: str) -> bool:
    import regex

    try:
        return regex.search(pattern, text, timeout=SEARCH_TIME) is not None
    except TimeoutError:
        _tell_slow(pattern)
        return False


@lru_cache(256)
def _tell_slow(pattern: str) -> None:
    """Once for each expression."""
    log.warning("ignore_text: %s takes too long to look for: write a simpler one", shown(pattern))
