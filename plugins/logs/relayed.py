"""Whose line it is that a bot relayed, and on which network it was spoken.

Relay bots that the config names write `<nick> text`, `<nick@network> text` or `[network] <nick> text`, of
actions `* nick text`, of notices `-nick@network- text`, with colours and invisible characters in the nick so
that nobody is highlighted. Another Pynfo writes before what is late when it was said, as "[14:02]". What
anybody else writes in that form is ordinary text. RELAYMSG (IRCv3 draft "relaymsg") is marked by the server:
its nicks are `nick/network`, or made with whatever separators the capability's value lists. Of what our own
relay carried the plugin `relay` knows more of the person than their nick.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import msgspec

from pynfo.irc.events import MessageReceived
from pynfo.irc.formatting import CODE, PLAIN, style_after

NAME_LENGTH = 64  # characters of a nick or a network that a relay tells
HEAD_LENGTH = 400  # characters in which the nick must have ended, codes and all
SEPARATORS = "/"  # of RELAYMSG nicks where the server does not say

_NICK = rf"[^\s<>](?:[^<>\x00-\x1f]{{0,{2 * NAME_LENGTH}}}[^\s<>])?"
_NETWORK = rf"[^\s\[\]](?:[^\[\]\x00-\x1f]{{0,{2 * NAME_LENGTH}}}[^\s\[\]])?"
_LATE = r"(?:\[(?:[0-9]{1,2} [A-Z][a-z]{2} )?[0-9]{2}:[0-9]{2}\]\s{1,3})?"  # before what is told late
_HEAD = re.compile(
    rf"\s*{_LATE}(?:\[(?P<network>{_NETWORK})\]\s{{0,3}})?"
    rf"(?:<(?P<nick>{_NICK})>|\*{{1,3}}\s(?P<actor>[^\s<>*]+)|-(?P<notifier>[^\s<>@]+@[^\s<>@]+)-)(?:\s|\Z)"
)
_PREFIXES = "~&@%+!"  # of channel members, which some relays show before the nick
# Soft hyphen, zero-width space and joiners, direction marks, word joiner, variation selectors, BOM.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]")


class Spoken(msgspec.Struct, frozen=True):
    """Who spoke, on which network, and what. `origin` is "" where the line does not name the network."""

    nick: str
    origin: str
    text: str
    action: bool = False


def relaying_of(factory: Any) -> Any:
    """`IRelaying`; None where nobody offers it. Where the plugin `relay` is not loaded its code stays so."""
    offered = sys.modules.get("plugins.relay.interfaces")
    return None if offered is None else offered.IRelaying(factory, None)


def speaker_of(factory: Any, event: MessageReceived) -> Any:
    """The `Speaker` of a line of our own relay; None of any other line."""
    relaying = relaying_of(factory)
    return None if relaying is None else relaying.speaker_of(event)


def spoken(text: str) -> Spoken | None:
    """What the line of a relay bot says; None where it is the bot's own."""
    head = text[:HEAD_LENGTH]
    plain, ends = _plain(head)
    found = _HEAD.match(plain)
    if found is None:
        return None
    nick, _, origin = _visible(found["nick"] or found["actor"] or found["notifier"]).rpartition("@")
    if not nick:  # there is no "@", or it is that of a channel operator
        nick, origin = origin, ""
    nick = nick.lstrip(_PREFIXES) or nick
    origin = _visible(found["network"]) if found["network"] else origin
    if not nick or max(len(nick), len(origin)) > NAME_LENGTH:
        return None
    cut = ends[found.end() - 1]
    style = style_after(text[:cut])
    said = text[cut:] if style == PLAIN else style.codes() + text[cut:]
    return Spoken(nick, origin, said, action=found["actor"] is not None)


def relaymsg_nick(nick: str, separators: str | None) -> tuple[str, str]:
    """A nick of RELAYMSG as the person's and their network's, which is "" where the nick does not tell it.

    `separators` is the value of the capability.
    """
    at = max(nick.rfind(separator) for separator in separators or SEPARATORS)
    if at < 1 or at == len(nick) - 1:
        return nick, ""
    return nick[:at], nick[at + 1 :]


def _plain(text: str) -> tuple[str, list[int]]:
    """The text without codes, and for each of its characters where in `text` it ends."""
    pieces: list[str] = []
    ends: list[int] = []
    at = 0
    for found in CODE.finditer(text):
        pieces.append(text[at : found.start()])
        ends += range(at + 1, found.start() + 1)
        at = found.end()
    pieces.append(text[at:])
    ends += range(at + 1, len(text) + 1)
    return "".join(pieces), ends


def _visible(name: str) -> str:
    return _INVISIBLE.sub("", name).strip()
