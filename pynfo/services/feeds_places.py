"""The channels that people name as outputs (`here`, `#channel`, `network/#channel`), and who rules them.

Operators rule what is announced in their own channel, admins in every one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pynfo.command import Request, quoted
from pynfo.interfaces import ICommands
from pynfo.validation import unknown

RULES_HERE = "what is announced in {0} is for the operators of {0} to say"
WHICH = "name a channel, such as {}/#channel"


def take_places(request: Request, words: Iterable[str]) -> tuple[list[str], list[str]]:
    """The places among the words, as `network/#channel`, and the other words.

    Raises `CommandError` for a place that is none, where we are not, or that the asker does not rule.
    """
    places: dict[str, None] = {}
    others = []
    for word in words:
        if (place := _named(request, word)) is None:
            others.append(word)
        else:
            places[_ruled(request, place)] = None
    return list(places), others


def here(request: Request) -> str:
    """The channel that it was asked in, where the asker rules it. Raises `CommandError`."""
    if request.channel is None:
        raise request.error(WHICH.format(request.network))
    return _ruled(request, f"{request.network}/{request.channel}")


def rules(request: Request, place: str) -> bool:
    """Whether the asker says what is announced there."""
    if is_admin(request):
        return True
    network, _, channel = place.partition("/")
    return network == request.network and request.client.state.is_operator(channel, request.user.nick)


def is_admin(request: Request) -> bool:
    """Whether the asker rules every channel."""
    return ICommands(request.factory).role(request.network, request.user) in ("admin", "owner")


def same_place(request: Request, place: str, other: str) -> bool:
    """Whether both are the same channel, however it is spelled."""
    return _folded(request, place) == _folded(request, other)


def place_in(request: Request, place: str, places: Sequence[str]) -> bool:
    """Whether a place is among others."""
    return any(same_place(request, place, other) for other in places)


def _named(request: Request, word: str) -> str | None:
    """The place that a word names; None where it names none."""
    if word.lower() == "here":
        return here(request)
    if request.client.isupport.is_channel(word):
        return f"{request.network}/{word}"
    network, slash, channel = word.partition("/")
    if not slash or not network or channel[:1] not in ("#", "&", "+", "!"):
        return None
    client = request.factory.clients.get(network)
    if client is None:
        raise request.error(unknown("network", network, request.factory.clients))
    if not client.isupport.is_channel(channel):
        raise request.error(f"{quoted(word)} is no channel")
    return word


def _ruled(request: Request, place: str) -> str:
    """The place as its network spells it."""
    network, _, name = place.partition("/")
    client = request.factory.clients[network]
    channel = client.state.channel(name) or client.session.membership.wanted.get(client.state.fold(name))
    if not rules(request, place):
        raise request.error(RULES_HERE.format(name))
    if channel is None:
        raise request.error(f"I am not in {place}")
    return f"{network}/{channel.name}"


def _folded(request: Request, place: str) -> tuple[str, str]:
    network, _, name = place.partition("/")
    client = request.factory.clients.get(network)
    return network, client.state.fold(name) if client is not None else name.lower()
