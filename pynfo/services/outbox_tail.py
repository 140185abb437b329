"""What is in doubt: lines that were given to a connection that ended before the network confirmed them.

When we are back in the channel, its history tells where it can: what of ours stands in it was said, and what
does not, though it reaches back so far, was not. Where nobody can tell, an item is said again, or with
`Item.once` given up.
"""

from __future__ import annotations

import asyncio
import logging
from time import time
from typing import TYPE_CHECKING, Any

import msgspec

from pynfo.interfaces import IHistory
from pynfo.irc.client import Client
from pynfo.irc.events import Batch, MessageReceived
from pynfo.irc.formatting import plain
from pynfo.irc.message import Message
from pynfo.irc.multiline import MULTILINE, Multiline, join
from pynfo.services.outbox_item import Item

if TYPE_CHECKING:
    from pynfo.services.outbox_port import Port
    from pynfo.services.outbox_queue import Queue

log = logging.getLogger(__name__)

SLACK = 2.0  # seconds by which clocks, and whole seconds of histories, may differ
SPOKEN = frozenset({"PRIVMSG", "NOTICE", "RELAYMSG"})
SEPARATOR = "/"  # of the nicks of RELAYMSG: no other nick has it
LIMIT = 60.0  # seconds for a network to tell
NOBODY_TELLS = "nobody can tell whether they were said"


class _Ours(msgspec.Struct):
    """A line of history that we said, under the nick that others saw. `text` is without formatting, since
    networks may take that away."""

    nick: str
    text: str
    time: float
    msgid: str | None
    used: bool = False


class Remembered:
    """What the network remembers of what we said: `lines`, and the times of which it remembers nothing."""

    def __init__(self) -> None:
        self.lines: list[_Ours] = []
        self.gaps: list[tuple[float, float]] = []

    def tells(self, when: float) -> bool:
        """Whether it remembers what was said then."""
        return not any(start <= when <= end + SLACK for start, end in self.gaps)

    def find(self, message: Message, since: float) -> _Ours | None:
        """The first line that `message` has become, said after `since`, that is not used yet."""
        if isinstance(message, Multiline):
            message = join(Batch("", MULTILINE, messages=message.lines)) or message
        if message.command not in SPOKEN:
            return None
        text = plain(message.params[-1].removeprefix("\x01ACTION ").removesuffix("\x01"))
        nick = message.params[1] if message.command == "RELAYMSG" else None
        for line in self.lines:
            is_meant = line.text == text and nick == (line.nick if SEPARATOR in line.nick else None)
            if is_meant and not line.used and line.time >= since - SLACK:
                return line
        return None


async def settle_tail(queue: Queue, port: Port, client: Client) -> None:
    """Find out what became of the tail of `port`: its items are confirmed, wait again, or are given up."""
    since = client.since
    try:
        async with asyncio.timeout(LIMIT):
            remembered = await _remember(queue, port, client)
    except TimeoutError:
        remembered = Remembered()
        remembered.gaps.append((float("-inf"), float("inf")))
    if not queue.owned or port.client is not client or client.since != since:
        return  # nobody knows how they look, or the network had no time to tell: it is asked again
    tail, port.tail = port.tail, []
    said, again, given_up = [], [], []
    for item in tail:
        _match(queue, client, item, remembered)
        if item.removed:
            said.append(item)
        elif item.once and not remembered.tells(item.written):
            given_up.append(item)
        else:
            again.append(item)
    doubtful = [item for item in again if not remembered.tells(item.written)]
    log.info(
        "%s: of %d messages in doubt %d were said, %d are said again%s",
        port.target,
        len(tail),
        len(said),
        len(again),
        f" ({len(doubtful)} of them perhaps twice)" if doubtful else "",
    )
    for item in again:
        item.written = 0.0  # if it is in doubt once more, it is from when it is written then
    port.push(again)
    if given_up:
        port.give_up(given_up, NOBODY_TELLS)


async def _remember(queue: Queue, port: Port, client: Client) -> Remembered:
    remembered = Remembered()
    history: Any = IHistory(queue.factory)
    now = history.clock(port.network)
    known = min((item.written for item in port.tail), default=now) - 2 * SLACK
    async for page in history.missed(port.network, port.name, known, now):
        for event in page.events:
            if isinstance(event, MessageReceived) and _may_be_ours(event, client):
                when = history.time_of(event)
                if event.msgid is None or not queue.is_copy(port.target, event.msgid):
                    line = _Ours(event.user.nick, plain(event.text), when, event.msgid)
                    remembered.lines.append(line)
        if page.gap is not None:
            remembered.gaps.append(page.gap)
    return remembered


def _match(queue: Queue, client: Client, item: Item, remembered: Remembered) -> None:
    """Find an item's lines in what is remembered; where all are there, it is confirmed."""
    messages = queue.render(item, client, item.written - queue.clock(client.name) + time())
    if not messages:
        return
    msgids: list[str | None] = [None] * len(messages)
    for index, message in enumerate(messages[item.said :], item.said):
        found = remembered.find(message, item.written)
        if found is None:
            return
        found.used = True
        msgids[index] = found.msgid
        item.said = index + 1
    item.removed = True
    queue.settle(item, msgids)


def _may_be_ours(event: MessageReceived, client: Client) -> bool:
    """Whether we said it: under our nick of today or any that the config allows us, or for somebody
    (RELAYMSG, of which a history may tell no more than the nick)."""
    if event.own or SEPARATOR in event.user.nick:
        return True
    fold = client.state.fold
    ours = (client.state.nick, client.settings.nick, *client.settings.alternate_nicks)
    return fold(event.user.nick) in map(fold, ours)
