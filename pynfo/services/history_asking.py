"""Asking a network for the history of a channel, and finding the answer among all that it says.

Sources: IRCv3 draft "chathistory", "Standard Replies", "Labeled Responses"; the module "playback" of ZNC. An
answer is known by its label; without labels, and of ZNC, by its channel: therefore one question is asked of a
channel at a time, and an answer that nobody waits for any more is waited out before the next. A ZNC that has
nothing to play back says nothing at all: then the PONG to a PING behind the question tells that it has been
dealt with.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from weakref import WeakValueDictionary

import msgspec

from pynfo.irc.batches import label_of
from pynfo.irc.casemap import fold as fold_by
from pynfo.irc.client import Client, NotConnected
from pynfo.irc.events import Event, HistoryReceived, StandardReply
from pynfo.irc.message import Message, UnsendableMessage
from pynfo.irc.pacing import Priority, QueueFull
from pynfo.irc.sender import OfConnection

CHATHISTORY = frozenset({"draft/chathistory", "chathistory"})
PLAYBACK = "znc.in/playback"  # the capability, and the type of the batch
PAGE = 500  # lines asked for at once, where the server allows it
PAGE_UNTOLD = 100  # where it does not say what it allows
AT_ONCE = 5  # questions that wait for one network's answer; more wait for their turn
ANSWER_LIMIT = 30.0  # seconds
PLAYED_LIMIT = 50_000  # lines that one question to ZNC may bring

Place = tuple[str, str]  # a network, and the folded name of a channel


class NoAnswer(Exception):
    """The server does not answer in time, or there is too much to tell. Perhaps worth a second try."""


class Refused(Exception):
    """The server has no history for us (FAIL), with its code."""


class _Question(msgspec.Struct, eq=False):
    """CHATHISTORY that waits for its answer."""

    label: str
    answer: asyncio.Future[HistoryReceived]


class Questions:
    """What is asked and not answered yet, of all networks. `clients` are the factory's, by network."""

    def __init__(self, clients: Mapping[str, Client]) -> None:
        self._clients = clients
        self._asked = 0
        self._turns: WeakValueDictionary[Place, asyncio.Lock] = WeakValueDictionary()
        self._at_once: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self._open: dict[Place, _Question] = {}
        self._played: dict[Place, list[Event]] = {}  # the answers of ZNC so far
        self._given_up: set[Place] = set()  # there an answer without a label may still come

    def place(self, network: str, channel: str) -> Place:
        """A channel, however its name is written."""
        client = self._clients.get(network)
        return network, client.state.fold(channel) if client is not None else fold_by(channel, "rfc1459")

    async def chathistory(
        self, client: Client, subcommand: str, channel: str, selector: str, limit: int = PAGE
    ) -> HistoryReceived:
        """*await* a page of at most `limit` lines. Raises `NoAnswer`, `Refused`.

        `selector` is `timestamp=…` (see `timestamp`) or `msgid=…`.
        """
        async with self._turn(client, channel) as place:
            if place in self._given_up:
                await self.dealt_with(client)
                self._given_up.discard(place)
            self._asked += 1
            label = f"history{self._asked}" if "labeled-response" in client.capabilities else ""
            most = PAGE_UNTOLD if client.isupport.chathistory is None else client.isupport.chathistory or PAGE
            params = [subcommand, channel, selector, str(min(limit, most))]
            question = _Question(label, asyncio.get_running_loop().create_future())
            self._open[place] = question
            try:
                message = Message("CHATHISTORY", params, None, {"label": label} if label else {})
                _send(client, message, Priority.BULK)
                async with asyncio.timeout(ANSWER_LIMIT):
                    return await question.answer
            except TimeoutError:
                raise NoAnswer(f"{client.name} does not answer CHATHISTORY") from None
            finally:
                del self._open[place]
                if not label and question.answer.cancelled():
                    self._given_up.add(place)

    async def play_back(self, client: Client, channel: str, since: float, until: float) -> list[Event]:
        """*await* what ZNC's buffer of a channel has between two times (UTC epoch seconds).

        Raises `NoAnswer`.
        """
        async with self._turn(client, channel) as place:
            played = self._played[place] = []
            try:
                message = Message("PRIVMSG", ["*playback", f"PLAY {channel} {since:.3f} {until:.3f}"])
                _send(client, message, Priority.CONTROL)  # as the PING, which must not overtake it
                await self.dealt_with(client)
            finally:
                del self._played[place]
            if len(played) > PLAYED_LIMIT:
                raise NoAnswer(f"there are more than {PLAYED_LIMIT:,} lines")
            return played

    async def dealt_with(self, client: Client) -> None:
        """*await* that the server has done and told all that it was asked before. Raises `NoAnswer`."""
        try:
            await client.synchronise(ANSWER_LIMIT)
        except TimeoutError:
            raise NoAnswer(f"{client.name} does not answer PING") from None
        except (NotConnected, QueueFull) as error:
            raise NoAnswer(str(error)) from error

    @asynccontextmanager
    async def _turn(self, client: Client, channel: str) -> AsyncIterator[Place]:
        """*await* that nothing else is asked of the channel, and not too much of its network."""
        place = self.place(client.name, channel)
        turn = self._turns.setdefault(place, asyncio.Lock())
        async with turn, self._at_once[client.name]:
            yield place

    # -- what the network says

    def received(self, event: HistoryReceived) -> bool:
        """History has come: whether it was asked for."""
        place, label = self.place(event.network, event.target), label_of(event.batch)
        if event.batch is not None and event.batch.type == PLAYBACK:
            played = self._played.get(place)
            if played is not None and len(played) <= PLAYED_LIMIT:
                played += event.events
            return played is not None
        question = self._open.get(place)
        if question is not None and question.label == label and not question.answer.done():
            question.answer.set_result(event)
            return True
        if place in self._given_up and not label:
            self._given_up.discard(place)
            return True
        return bool(label)  # it answers a question that was given up

    def replied(self, event: StandardReply) -> None:
        """A command was refused, perhaps one of ours."""
        if event.kind != "FAIL" or event.about.upper() != "CHATHISTORY":
            return
        label = event.message.tags.get("label", "") if event.message is not None else ""
        about = {self.place(event.network, word) for word in event.context}
        candidates = [place for place in self._waiting(event.network) if self._open[place].label == label]
        # Where neither a label nor the channel tells which it was: the one that was asked first.
        candidates.sort(key=lambda place: place not in about)
        if candidates:
            self._open[candidates[0]].answer.set_exception(Refused(event.code))

    def lost(self, network: str) -> None:
        """The connection is gone, and with it all answers."""
        for place in self._waiting(network):
            self._open[place].answer.set_exception(NoAnswer(f"the connection to {network} was lost"))
        self._given_up = {place for place in self._given_up if place[0] != network}

    def _waiting(self, network: str) -> list[Place]:
        return [place for place, one in self._open.items() if place[0] == network and not one.answer.done()]


def timestamp(when: float) -> str:
    """A selector of CHATHISTORY: UTC epoch seconds, rounded down to milliseconds."""
    moment = datetime.fromtimestamp(max(when, 0.0), UTC)
    return f"timestamp={moment.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}"


def _send(client: Client, message: Message, priority: Priority) -> None:
    """Raises `NoAnswer`."""
    if not client.up:
        raise NoAnswer(f"{client.name} is not connected")
    try:
        message.format(client.isupport.linelen)
        client.put(OfConnection(message, priority, expires=client.time() + ANSWER_LIMIT))
    except (QueueFull, UnsendableMessage) as error:
        raise NoAnswer(str(error)) from error
