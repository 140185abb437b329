"""How the bot tells of its commands, its networks and itself: plain functions, one line each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pynfo.human_time import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pynfo.irc.client import Client
    from pynfo.services.command_table import Command


def describe(command: Command, prefix: str) -> str:
    """What a command is for: usage, docstring, other names, who may use it, and the docstring's example."""
    text, _, example = " ".join(command.help.split()).partition("Example: ")
    parts = [f"{prefix}{command.usage}: {text.strip() or 'nothing more is known of it.'}"]
    if command.aliases:
        parts.append(f"Also: {', '.join(command.aliases)}.")
    if command.role != "anyone":
        parts.append(f"For {'channel operator' if command.role == 'operator' else command.role}s.")
    if example:
        parts.append(f"Example: {prefix}{example}")
    return " ".join(parts)


def gather(names: Iterable[str]) -> str:
    """Names of commands, subcommands under their word: "help, logs [link|publish], plugin list|load".

    In brackets where the word alone is a command as well.
    """
    words: dict[str, list[str]] = {}
    for name in names:
        word, _, second = name.partition(" ")
        words.setdefault(word, []).append(second)
    told = []
    for word, seconds in words.items():
        more = "|".join(filter(None, seconds))
        told.append(word if not more else f"{word} [{more}]" if "" in seconds else f"{word} {more}")
    return ", ".join(told)


def network_line(client: Client, now: float) -> str:
    """How one network is: "libera: irc.libera.chat:6697 for 2 hours as pynfo, lag 0.05 s, 3 channels"."""
    if not client.up or client.since is None:
        return f"{client.name}: {client.status}"
    lag = "lag not measured yet" if client.lag is None else f"lag {client.lag:.2f} s"
    since = duration(now - client.since)
    channels = count(len(client.state.channels), "channel")
    return f"{client.name}: {client.server} for {since} as {client.state.nick}, {lag}, {channels}"


def count(number: int, thing: str) -> str:
    """ "1 channel", "2 channels"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def resident_memory() -> int:
    """Bytes of memory in use; where the system does not tell, the most that ever were."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
