"""Run the bot from IRC: help, plugins, channels, networks, and how it is.

Channels that it is told to join or leave are remembered, and go before the config's until they are told
otherwise. What is loaded, and the nick, are as the config says again at the next start.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from plugins.admin import rooms
from plugins.admin.wording import count, describe, gather, network_line, resident_memory
from pynfo import Flag, ICommands, IEvents, IOperator, IOutbox, IScheduler, Request, Rest, command
from pynfo import __version__ as pynfo_version
from pynfo.command import quoted
from pynfo.human_time import duration
from pynfo.irc.events import JoinFailed, NetworkUp, OperatorNotice, UserJoined, UserRenamed
from pynfo.plugin import PluginError
from pynfo.services.outbox import OutboxFull, Undelivered

if TYPE_CHECKING:
    from pynfo.irc.client import Client
    from pynfo.services.command_table import Command

OUTCOME_LIMIT = 8.0  # seconds that an answer waits for the network's
PLUGIN_LIMIT = 60.0  # seconds for a plugin to change: its init alone may take 20
SAY_AGE = 15.0  # seconds after which something to be said is given up
FIXED = ("command on", "command off", "prefix", "help")  # without these nothing could be switched on again


def init(factory: Any) -> None:
    """Be in the channels that people chose; on networks that a new config brings, too."""
    entered: WeakSet[Client] = WeakSet()

    def enter(client: Client) -> None:
        if client not in entered:
            entered.add(client)
            rooms.enter(factory, client)

    for client in factory.clients.values():
        enter(client)
    IEvents(factory).subscribe(NetworkUp, lambda event: enter(factory.clients[event.network]))


# -- help


@command("help", aliases=("commands",))
async def help_(request: Request, name: Rest = "") -> str:
    """Tell what I can do; with the NAME of a command or a plugin, more about it. Example: help seen"""
    commands = ICommands(request.factory)
    prefix = commands.prefix(request.network, request.channel)
    name = " ".join(name.removeprefix(prefix).lower().split())
    if not name:
        usable = [c for c in commands.commands() if not c.hidden and c.permits(request.role)]
        return f"I know {_listed(usable, request)}. {prefix}help COMMAND tells more"
    found = commands.find(name)
    if found is not None:
        under = [c for c in commands.commands() if c.name.startswith(f"{found.name} ") and not c.hidden]
        more = f" There is more: {prefix}{_listed(under, request)}." if under else ""
        return describe(found, prefix) + more
    some = [c for c in commands.commands() if name in (c.plugin, c.name.partition(" ")[0]) and not c.hidden]
    if not some:
        raise request.error(f"there is no command {quoted(name)}: {prefix}help lists them")
    return f"{name}: {_listed(some, request)}"


def _listed(commands: list[Command], request: Request) -> str:
    """Their names, those that work here; without the ones switched off."""
    find = ICommands(request.factory).find
    place = (request.network, request.client.state.fold(request.channel)) if request.channel else None
    some = [item for item in commands if item.is_on(place)]
    return gather(item.name if find(item.name) is item else item.qualified for item in some)


@command
async def ping(request: Request) -> str:
    """Answer, to show that I am there."""
    return "pong"


# -- plugins


@command("plugin list", role="owner")
async def plugin_list(request: Request) -> str:
    """List the plugins: those that are loaded, and those that were found but are not."""
    plugins = request.factory.plugins
    found = await IScheduler(request.factory).in_thread(plugins.discover)
    idle = sorted(found.keys() - plugins.loaded.keys())
    text = f"loaded: {', '.join(sorted(plugins.loaded)) or 'none'}"
    return f"{text}; not loaded: {', '.join(idle)}" if idle else text


@command("plugin load", role="owner", time_limit=PLUGIN_LIMIT)
async def plugin_load(request: Request, name: str) -> str:
    """Load the plugin NAME until the next start; the config says what is loaded then."""
    await _change_plugin(request, "load", name)
    return f"{name} is loaded"


@command("plugin unload", role="owner", time_limit=PLUGIN_LIMIT)
async def plugin_unload(request: Request, name: str) -> str:
    """Unload the plugin NAME until the next start."""
    if name == "admin":
        raise request.error("without admin nothing could be loaded again: reload it instead")
    plugins = request.factory.plugins
    was_loaded = name in plugins.loaded
    try:
        await plugins.unload(name)
    except PluginError as error:
        if was_loaded:  # what it registered is taken back all the same
            raise request.error(f"{name} is unloaded, but its end failed: {error}") from None
        raise request.error(str(error)) from None
    return f"{name} is unloaded"


@command("plugin reload", role="owner", time_limit=PLUGIN_LIMIT)
async def plugin_reload(request: Request, name: str) -> str:
    """Load the plugin NAME anew, from its files as they are now."""
    await _change_plugin(request, "reload", name)
    return f"{name} is loaded anew"


async def _change_plugin(request: Request, change: str, name: str) -> None:
    try:
        await getattr(request.factory.plugins, change)(name)
    except PluginError as error:
        raise request.error(str(error)) from None


# -- channels


@command(role="admin")
async def join(request: Request, channel: str, key: str | None = None) -> str:
    """Join CHANNEL, or NETWORK/CHANNEL, now and at every start, until I am told to part.

    Example: join #talk
    """
    client, channel = _channel(request, channel)
    _choose(request, client, channel, key, stay=True)
    place = _place(request, client, channel)
    if client.state.channel(channel) is not None:
        return f"I am in {place}"
    if not client.up:
        client.join(channel, key)
        return f"I join {place} when {client.name} is connected"
    here = (client.name, client.state.fold(channel))

    def is_here(event: UserJoined | JoinFailed) -> bool:
        return (event.network, client.state.fold(event.channel)) == here

    def joined(event: UserJoined) -> str | None:
        return f"I am in {place}" if event.own and is_here(event) else None

    def refused(event: JoinFailed) -> str | None:
        return f"I cannot join {place} yet, and keep trying: {event.reason}" if is_here(event) else None

    outcome = await _outcome(
        request, lambda: client.join(channel, key), {UserJoined: joined, JoinFailed: refused}
    )
    return outcome or f"{client.name} has not let me into {channel} yet, and I keep trying"


@command(role="admin")
async def part(request: Request, channel: str | None = None, reason: Rest = "") -> str | None:
    """Leave CHANNEL, or this one, and stay out, also after the next start, until I am told to join.

    Example: part #talk
    """
    client, channel = _channel(request, channel or request.channel or "")
    _choose(request, client, channel, stay=False)
    was_in = client.state.channel(channel) is not None
    client.part(channel, reason)
    if client is request.client and channel == request.channel:
        return None  # there is nobody left to tell
    place = _place(request, client, channel)
    return f"I leave {place}" if was_in else f"I stay out of {place}"


@command(role="admin")
async def say(request: Request, target: str, text: Rest) -> str | None:
    """Say TEXT in a channel or to a person: TARGET is #channel or a nick, or NETWORK/#channel.

    Example: say #talk good morning
    """
    network, name = _split(request, target)
    client = _client(request, network)
    if client.isupport.is_channel(name) and client.state.channel(name) is None:
        raise request.error(f"I am not in {_place(request, client, name)}")
    try:
        await IOutbox(request.factory).say(f"{network}/{name}", text, bulk=False, max_age=SAY_AGE)
    except (LookupError, OutboxFull, Undelivered) as error:
        raise request.error(f"that could not be said: {error}") from None
    here = name == request.channel and network == request.network
    return None if here else f"said to {_place(request, client, name)}"


# -- networks


@command(role="owner")
async def nick(request: Request, nick: str, network: str | None = None) -> str:
    """Take another nick, on this network or on NETWORK, until the next start."""
    client = _client(request, network or request.network)
    longest = client.isupport.nicklen or 64
    if not nick.isprintable() or len(nick) > longest or not set(nick).isdisjoint(" !@,*?:#&/"):
        raise request.error(f"that is no nick for {client.name}: 1 to {longest} letters, no spaces")

    def renamed(event: UserRenamed) -> str | None:
        own = event.own and event.network == client.name
        return f"on {client.name} I am {event.user.nick} now" if own else None

    def refused(event: OperatorNotice) -> str | None:
        if event.matter != f"{client.name}/nick":
            return None
        reason = event.text.partition(f"not {nick}: ")[2].removeprefix("the network refuses that: ")
        return f"{nick} is not to be had on {client.name} now, and I keep trying: {reason}"

    outcome = await _outcome(
        request, lambda: client.set_nick(nick), {UserRenamed: renamed, OperatorNotice: refused}
    )
    return outcome or f"{nick} is not to be had on {client.name} now, and I keep trying"


@command(role="admin")
async def networks(request: Request) -> str:
    """Tell of every network: its server, since when it is connected, and how slow it is."""
    now = time.time()
    return "; ".join(network_line(client, now) for client in request.factory.clients.values())


@command(role="owner")
async def status(request: Request) -> str:
    """Tell how I am: version, time since start, memory, networks, plugins, what waits, and what is wrong."""
    factory = request.factory
    clients = factory.clients.values()
    parts = [
        f"Pynfo {pynfo_version}, up {duration(time.time() - factory.started)}",
        f"{resident_memory() / 2**20:.0f} MiB",
        f"on {sum(client.up for client in clients)} of {count(len(clients), 'network')}",
        f"plugins: {', '.join(sorted(factory.plugins.loaded))}",
    ]
    if queued := sum(client.queued for client in clients):
        parts.append(f"{count(queued, 'line')} to be sent")
    if stuck := IScheduler(factory).threads.stuck:
        parts.append(count(stuck, "stuck thread"))
    matters = IOperator(factory).matters()
    if not matters:
        parts.append("nothing is wrong")
    elif request.channel is not None:
        parts.append(f"{count(len(matters), 'open matter')}: ask me in private")
    else:
        parts.append(f"{count(len(matters), 'open matter')}: {' / '.join(matters.values())}")
    return "; ".join(parts)


@command(role="owner")
async def quit(request: Request, reason: Rest = "") -> str:
    """Leave every network, and end. Example: quit back in an hour"""
    request.factory.request_quit(reason)
    return "good bye"


# -- commands and the prefix, channel by channel


@command(role="operator")
async def prefix(request: Request, sign: str | None = None) -> str:
    """Tell the sign before commands in this channel, or change it to SIGN; "default" is the config's.

    Example: prefix .
    """
    if request.channel is None:
        raise request.error("a prefix is for a channel: say it there")
    commands = ICommands(request.factory)
    if sign is not None:
        try:
            commands.set_prefix(None if sign == "default" else sign, request.network, request.channel)
        except ValueError as error:
            raise request.error(str(error)) from None
    return f"commands begin with {commands.prefix(request.network, request.channel)} in {request.channel}"


@command("command on", role="operator")
async def command_on(request: Request, name: str, second: str = "", everywhere: Flag = False) -> str:
    """Switch the command NAME, or NAME SECOND, on again in this channel; admins: --everywhere."""
    return _switch(request, f"{name} {second}".strip(), on=True, everywhere=everywhere)


@command("command off", role="operator")
async def command_off(request: Request, name: str, second: str = "", everywhere: Flag = False) -> str:
    """Switch the command NAME, or NAME SECOND, off in this channel; admins: --everywhere.

    Example: command off seen
    """
    return _switch(request, f"{name} {second}".strip(), on=False, everywhere=everywhere)


def _switch(request: Request, name: str, *, on: bool, everywhere: bool) -> str:
    commands = ICommands(request.factory)
    found = commands.find(name)
    if everywhere and request.role == "operator":
        raise request.error("a channel operator switches commands in their own channel only")
    if not everywhere and request.channel is None:
        raise request.error("say it in the channel that it is for, or with --everywhere")
    if found is not None and found.plugin == "admin" and found.name in FIXED:
        raise request.error(f"{found.name} stays on: without it nothing could be changed back")
    place = (None, None) if everywhere else (request.channel, request.network)
    try:
        commands.switch(name, on, *place)
    except (LookupError, ValueError) as error:
        raise request.error(str(error)) from None
    return f"{name} is {'on' if on else 'off'} {'everywhere' if everywhere else f'in {request.channel}'}"


# -- what people mean


def _split(request: Request, target: str) -> tuple[str, str]:
    """`NETWORK/NAME`, or a name on the asker's network: a channel's name may have slashes itself."""
    network, slash, name = target.partition("/")
    if slash and name and network in request.factory.clients:
        return network, name
    return request.network, target


def _client(request: Request, network: str) -> Client:
    client: Client | None = request.factory.clients.get(network)
    if client is None:
        raise request.error(f"there is no network {quoted(network)}")
    return client


def _place(request: Request, client: Client, name: str) -> str:
    """A channel or nick as the asker would write it: with its network, where that is another one."""
    return name if client is request.client else f"{client.name}/{name}"


def _channel(request: Request, text: str) -> tuple[Client, str]:
    """The channel that is meant, written as the network writes it where we are in it."""
    network, name = _split(request, text)
    client = _client(request, network)
    if not client.isupport.is_channel(name) or not name.isprintable() or not set(name).isdisjoint(" ,"):
        raise request.error(f"{quoted(name)} is not the name of a channel" if name else "name a channel")
    known = client.state.channel(name)
    return client, known.name if known else name


def _choose(request: Request, client: Client, channel: str, key: str | None = None, *, stay: bool) -> None:
    try:
        rooms.choose(request.factory, client, channel, key, stay=stay)
    except ValueError as error:
        raise request.error(str(error)) from None


async def _outcome(
    request: Request, act: Callable[[], None], answers: Mapping[Any, Callable[[Any], str | None]]
) -> str | None:
    """Do `act`, then await the first event, by type, that has an answer; None where none came in time."""
    outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def listen(event: Any) -> None:
        text = answers[type(event)](event)
        if text is not None and not outcome.done():
            outcome.set_result(text)

    handle = IEvents(request.factory).subscribe(tuple(answers), listen)
    try:
        act()
        return await asyncio.wait_for(outcome, OUTCOME_LIMIT)
    except TimeoutError:
        return None
    finally:
        handle.cancel()
