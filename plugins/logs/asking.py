"""Asking a network for its history, and finding the answer among all that it says.

Sources: IRCv3 draft "chathistory", "Standard Replies", "Labeled Responses"; the module "playback" of ZNC. An
answer is known by its label; without labels, by its channel, of which one question is asked at a time. A
server that has nothing to play back says nothing at all: then the answer to a PING behind the question tells
that it has been dealt with.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec

from plugins.logs.places import Places
from pynfo import IEvents
from pynfo.irc.batches import label_of
from pynfo.irc.client import Client
from pynfo.irc.events import HistoryReceived, LineReceived, StandardReply
from pynfo.irc.message import Message, UnsendableMessage
from pynfo.irc.pacing import QueueFull

CHATHISTORY = frozenset({"draft/chathistory", "chathistory"})
PLAYBACK = "znc.in/playback"
PAGE = 500  # lines asked for at once, where the server allows it
PAGE_UNTOLD = 100  # where it does not say what it allows
ANSWER_LIMIT = 30.0  # seconds


class NoAnswer(Exception):
    """The server does not answer in time, or there is too much else to say. Worth a second try."""


class Refused(Exception):
    """The server has no history for us (FAIL), with its code."""


class _Question(msgspec.Struct, eq=False):
    network: str
    channel: str  # folded
    label: str
    answer: asyncio.Future[HistoryReceived]


class Questions:
    """What is asked and not answered yet, of all networks."""

    def __init__(self, factory: Any, places: Places) -> None:
        self._factory = factory
        self._places = places
        self._open: list[_Question] = []
        self._asked = 0

    async def chathistory(
        self, client: Client, subcommand: str, channel: str, selector: str, limit: int = PAGE
    ) -> HistoryReceived:
        """*await* a page of at most `limit` lines. Raises `NoAnswer`, `Refused`.

        `selector` is `timestamp=…` (see `timestamp`) or `msgid=…`.
        """
        most = PAGE_UNTOLD if client.isupport.chathistory is None else client.isupport.chathistory or PAGE
        self._asked += 1
        labelled = "labeled-response" in client.capabilities
        label = f"history{self._asked}" if labelled else ""
        params = [subcommand, channel, selector, str(min(limit, most))]
        answer: asyncio.Future[HistoryReceived] = asyncio.get_running_loop().create_future()
        question = _Question(client.name, self._places.fold(client.name, channel), label, answer)
        self._open.append(question)
        try:
            _send(client, Message("CHATHISTORY", params, None, {"label": label} if label else {}))
            async with asyncio.timeout(ANSWER_LIMIT):
                return await answer
        except TimeoutError:
            raise NoAnswer(f"{client.name} does not answer CHATHISTORY") from None
        finally:
            self._open.remove(question)

    def play_back(self, client: Client, channel: str, since: float, until: float) -> None:
        """Have ZNC play its buffer of a channel between two times (UTC epoch seconds). Raises `NoAnswer`."""
        _send(client, Message("PRIVMSG", ["*playback", f"PLAY {channel} {since:.3f} {until:.3f}"]))

    async def dealt_with(self, client: Client) -> None:
        """*await* that the server has done and told all that it was asked before. Raises `NoAnswer`."""
        self._asked += 1
        token = f"history{self._asked}"
        pong = asyncio.Event()

        def heard(event: LineReceived) -> None:
            message = event.message
            if message is not None and message.command == "PONG" and message.params[-1:] == [token]:
                pong.set()

        listening = IEvents(self._factory).subscribe(LineReceived, heard)
        try:
            _send(client, Message("PING", [token]))
            async with asyncio.timeout(ANSWER_LIMIT):
                await pong.wait()
        except TimeoutError:
            raise NoAnswer(f"{client.name} does not answer PING") from None
        finally:
            listening.cancel()

    def received(self, event: HistoryReceived) -> bool:
        """History has come: whether it was asked for."""
        channel, label = self._places.fold(event.network, event.target), label_of(event.batch)
        for question in self._open:
            if question.network == event.network and not question.answer.done():
                meant = question.label == label if question.label else question.channel == channel
                if meant and question.channel == channel:
                    question.answer.set_result(event)
                    return True
        return False

    def replied(self, event: StandardReply) -> None:
        """A command was refused, perhaps one of ours."""
        if event.kind != "FAIL" or event.about.upper() != "CHATHISTORY":
            return
        label = event.message.tags.get("label", "") if event.message is not None else ""
        about = {self._places.fold(event.network, word) for word in event.context}
        candidates = [
            question
            for question in self._open
            if question.network == event.network and not question.answer.done() and question.label == label
        ]
        # Where neither a label nor the channel tells which it was: the one that was asked first.
        candidates.sort(key=lambda question: question.channel not in about)
        if candidates:
            candidates[0].answer.set_exception(Refused(event.code))


def timestamp(when: float) -> str:
    """A selector of CHATHISTORY: UTC epoch seconds, rounded down to milliseconds."""
    moment = datetime.fromtimestamp(max(when, 0.0), UTC)
    return f"timestamp={moment.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}"


def _send(client: Client, message: Message) -> None:
    try:
        client.send(message)
    except (QueueFull, UnsendableMessage) as error:
        raise NoAnswer(str(error)) from error
