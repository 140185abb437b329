"""`pynfo init`: a config file from the commented example, with a person's answers in it."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from pynfo import config_rules as rules
from pynfo.discovery import own_directory

EXAMPLE = "config.example.py"


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is asked for. `network` is the short name, `host` the address."""

    nick: str
    host: str
    network: str
    channel: str


# How the line begins that has each answer, and what stands there in the example.
_WRITTEN = {
    "nick": ("nick = ", '"pynfo"'),
    "host": ("host=", '"irc.libera.chat"'),
    "network": ('"libera",', '"libera"'),
    "channel": ("channels=", '"#pynfo"'),
}
_LOGGED = '"libera/#pynfo": {'  # in a comment
_RULES = {
    "nick": rules.nick,
    "host": rules.host,
    "network": rules.network_name,
    "channel": rules.channel,
}


def default_network(host: str) -> str:
    """A short name for the network of a server: `libera` for `irc.libera.chat`."""
    labels = [label for label in host.lower().split(".") if label]
    name = labels[-2] if len(labels) > 1 else "".join(labels)
    return name if rules.network_name(name) is None and not name.isdigit() else "network"


def write_config(path: Path, answers: Answers) -> None:
    """Write the config file. Raises `ValueError` for an answer that would be a mistake, and `OSError`."""
    lines = (Path(own_directory()) / EXAMPLE).read_text(encoding="utf-8").splitlines(keepends=True)
    for field, (beginning, default) in _WRITTEN.items():
        answer = getattr(answers, field)
        wrong = _RULES[field](answer)
        if wrong is not None:
            raise ValueError(f"{field}: {wrong}")
        number = next(n for n, line in enumerate(lines) if line.lstrip().startswith(beginning))
        lines[number] = lines[number].replace(default, _quoted(answer), 1)
    logged = f"{_quoted(f'{answers.network}/{answers.channel}')}: {{"
    lines = [line.replace(_LOGGED, logged, 1) for line in lines]
    # Passwords may come into it: nobody else on this machine needs to read them.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.writelines(lines)


def _quoted(text: str) -> str:
    """A Python literal in double quotes: what JSON writes is one."""
    return msgspec.json.encode(text).decode()
