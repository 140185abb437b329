"""What people say to the bot about the relay: who is on the other side, and how it goes.

Everybody in a channel may ask about the wires that it is on, in private about those of all channels they
share with the bot; pausing is for operators of one of the channels, and for admins.
"""

from __future__ import annotations

from typing import Any

from plugins.relay.appearance import shown_nick
from plugins.relay.ends import End
from plugins.relay.interfaces import IRelaying
from plugins.relay.wires import Port, Wire
from pynfo import Request, command
from pynfo.command import quoted
from pynfo.human_time import duration
from pynfo.validation import unknown

NAMED = 40  # nicks in one answer
MATCHES = 5  # people found in one answer
REFUSED = "the network refused it: "  # what the network's own words stand behind
LONG = 1.0  # seconds of waiting that are worth telling


@command
async def relay(request: Request) -> str:
    """Tell which channels this one is joined with."""
    ends = _ends(request)
    if request.channel is None:
        return "; ".join(_joined(wire) for wire in dict.fromkeys(end.wire for end in ends))
    joined, there, here = [], [], []
    for end in ends:
        for other in _others(end):
            heard_there, heard_here = end.port.sends and other.receives, other.sends and end.port.receives
            if heard_there and heard_here:
                joined.append(other.place)
            elif heard_there:
                there.append(other.place)
            elif heard_here:
                here.append(other.place)
    answers = []
    if joined:
        answers.append(f"this channel is joined with {_listed(joined)}")
    if there:
        answers.append(f"what is said here is heard in {_listed(there)}")
    if here:
        answers.append(f"what is said in {_listed(here)} is heard here")
    return "; ".join(answers)


@command("relay names")
async def relay_names(request: Request) -> str:
    """Tell who is on the other side."""
    answers = []
    for port in _far_ports(request):
        if not _is_there(request, port):
            answers.append(f"{port.place}: I am not there now")
            continue
        nicks = sorted(_nicks(request, port), key=str.lower)
        shown = " ".join(shown_nick(nick) for nick in nicks[:NAMED])
        more = f" and {len(nicks) - NAMED} more" if len(nicks) > NAMED else ""
        answers.append(f"{port.place} ({len(nicks)}): {shown}{more}")
    return "; ".join(answers)


@command("relay find")
async def relay_find(request: Request, nick: str) -> str:
    """Tell where on the other side somebody is whose nick is NICK, or has it in it.

    Example: relay find alice
    """
    wanted = nick.lower()
    found = [
        f"{shown_nick(name)} is in {port.place}"
        for port in _far_ports(request)
        for name in sorted(_nicks(request, port), key=lambda name: (name.lower() != wanted, name.lower()))
        if wanted in name.lower()
    ]
    if not found:
        return f"nobody of that name is on the other side: {quoted(nick)}"
    more = f"; and {len(found) - MATCHES} more" if len(found) > MATCHES else ""
    return "; ".join(found[:MATCHES]) + more


@command("relay status")
async def relay_status(request: Request) -> str:
    """Tell of each end of this channel's wires whether it is up, its lag, what waits, and what was lost."""
    service = _service(request)
    lines = []
    for name in dict.fromkeys(end.wire.name for end in _ends(request)):
        wire = next(wire for wire in service.wires if wire.name == name)
        state = service.guard.state(name)
        ports = "; ".join(_status(request, port) for port in wire.ports)
        lines.append(f"{name}{f' ({state})' if state else ''}: {ports}")
    return " | ".join(lines)


@command("relay pause")
async def relay_pause(request: Request, wire: str | None = None) -> str:
    """Carry nothing over this channel's wire, or over WIRE, until `relay resume`. What is said waits.

    For operators of the channel.
    """
    name, service = _ruled(request, wire), _service(request)
    if name in service.guard.paused:
        return f"{name!r} is {service.guard.state(name)} already"
    service.guard.pause(name, f"{shown_nick(request.user.nick)}@{request.network}")
    by = service.guard.paused[name]
    service.guard.tell_all(name, f"{name} is paused by {by}: what is said waits", but=_here(request))
    kept = min(end.port.hold for end in service.ends.all if end.wire.name == name and end.port.receives)
    return f"{name!r} is paused; what is said waits for `relay resume`, and is kept for {duration(kept)}"


@command("relay resume")
async def relay_resume(request: Request, wire: str | None = None) -> str:
    """Carry again over this channel's wire, or over WIRE. For operators of the channel."""
    name, service = _ruled(request, wire), _service(request)
    if not service.guard.resume(name):
        return f"{name!r} was not paused"
    service.guard.tell_all(name, f"{name} goes on", but=_here(request))
    return f"{name!r} goes on"


def _here(request: Request) -> str | None:
    """The place where it was asked, which hears the answer."""
    ends = _ends(request) if request.channel is not None else []
    return ends[0].port.place if ends else None


def _service(request: Request) -> Any:
    return IRelaying(request.factory)


def _ends(request: Request) -> list[End]:
    """The ends that the asker may ask about. Raises the error to be told where there are none."""
    ends = _service(request).ends
    if request.channel is not None:
        found = list(ends.at(request.network, request.channel))
    elif request.role in ("owner", "admin"):
        found = list(ends.all)
    else:
        shared = request.client.state.shared_channels(request.user.nick)
        found = [end for channel in shared for end in ends.at(request.network, channel)]
    if not found:
        where = request.channel or "any channel that you share with me"
        raise request.error(f"nothing is relayed from or to {where}")
    return found


def _others(end: End) -> list[Port]:
    return [port for port in end.wire.ports if port is not end.port]


def _far_ports(request: Request) -> list[Port]:
    return list({port.place: port for end in _ends(request) for port in _others(end)}.values())


def _is_there(request: Request, port: Port) -> bool:
    client = request.factory.clients.get(port.network)
    return client is not None and client.up and client.state.channel(port.channel) is not None


def _nicks(request: Request, port: Port) -> list[str]:
    """Who is at a port, but for ourselves."""
    if not _is_there(request, port):
        return []
    state = request.factory.clients[port.network].state
    members = state.channel(port.channel).members
    return [state.users[key].nick for key in members if key in state.users and not state.is_me(key)]


def _joined(wire: Wire) -> str:
    """What a wire does: "a/#x and b/#y are joined", "what is said in a/#x is heard in b/#y"."""
    both = [port.place for port in wire.ports if port.sends and port.receives]
    speaking = [port.place for port in wire.ports if not port.receives]
    hearing = [port.place for port in wire.ports if not port.sends]
    answers = []
    if len(both) > 1:
        answers.append(f"{_listed(both)} are joined")
    if speaking:
        answers.append(f"what is said in {_listed(speaking)} is heard in {_listed(both + hearing)}")
    if both and hearing:
        answers.append(f"what is said in {_listed(both)} is heard in {_listed(hearing)}")
    return "; ".join(answers)


def _status(request: Request, port: Port) -> str:
    """How one end is: "oftc/#dev up, lag 0.05 s, 3 wait, the oldest for 2 minutes, 2 lost"."""
    client = request.factory.clients.get(port.network)
    if client is None or not client.up:
        parts = [f"{port.place} down"]
    elif not _is_there(request, port):
        parts = [f"{port.place} up, but I am not in it"]
    else:
        parts = [f"{port.place} up"]
        if client.lag is not None:
            parts.append(f"lag {client.lag:.2f} s")
    if port.receives:
        parts += _waiting(_service(request).queue.ports().get(port.place))
    return ", ".join(parts)


def _waiting(port: Any) -> list[str]:
    """What waits for an end, and what did not come there. None: nothing was ever to be said there."""
    if port is None or not port.queued:
        parts = ["nothing waits"]
    else:
        parts = [f"{port.queued:,} wait{'s' if port.queued == 1 else ''}"]
        if (port.oldest or 0.0) >= LONG:
            parts.append(f"the oldest for {duration(port.oldest)}")
    if port is not None and port.lost:
        parts.append(f"{port.lost:,} lost")
    if port is not None and port.noise_dropped:
        parts.append(f"{port.noise_dropped:,} joins and the like dropped")
    if port is not None and port.problem:
        parts.append(f"refused: {port.problem.removeprefix(REFUSED).rstrip('.')}")
    return parts


def _ruled(request: Request, wire: str | None) -> str:
    """The wire that the asker means, and may pause."""
    names = list(dict.fromkeys(end.wire.name for end in _ends(request)))
    if wire is None and len(names) > 1:
        raise request.error(f"which one: {_listed(names, 'or')}?")
    if wire is not None and wire not in names:
        raise request.error(unknown("wire", wire, names))
    name = wire or names[0]
    if request.role in ("owner", "admin") or any(
        request.client.state.is_operator(end.port.channel, request.user.nick)
        for end in _ends(request)
        if end.wire.name == name and end.port.network == request.network
    ):
        return name
    raise request.error("that is for operators of the channel")


def _listed(words: list[str], last: str = "and") -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
