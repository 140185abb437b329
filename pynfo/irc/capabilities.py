"""Capability negotiation: what the server offers, what we asked for, and what is in force.

Sources: IRCv3 "Client Capability Negotiation", version 302, with `cap-notify`. Bytes are the caller's: this
sends whole messages through `send` and is given every CAP line. What a capability means is not known here.

Rules: a capability is in force from its ACK until a DEL or an ACK of `-name`, never from our asking. A
rejected request of several names is asked again in halves, so that one bad name costs only itself, and few
lines where lines are paced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from pynfo.irc.message import Message

WANTED = (
    "sasl",
    "message-tags",
    "server-time",
    "batch",
    "labeled-response",
    "echo-message",
    "account-tag",
    "account-notify",
    "extended-join",
    "away-notify",
    "chghost",
    "setname",
    "multi-prefix",
    "userhost-in-names",
    "invite-notify",
    "standard-replies",
    "extended-monitor",
    "no-implicit-names",
    "draft/no-implicit-names",
    "draft/chathistory",
    "draft/event-playback",
    "draft/message-redaction",
    "draft/multiline",
    "draft/relaymsg",
    "draft/channel-rename",
    "znc.in/playback",
)
# Without the names that a JOIN brings, members are only known where something else asks for them: whoever
# does that requests these when it is ready.
ON_REQUEST = frozenset({"no-implicit-names", "draft/no-implicit-names"})

REQUEST_BYTES = 400  # of names in one REQ: its ACK, with the server's name and our nick, still fits a line
MAXIMUM_CAPABILITIES = 256
MAXIMUM_OFFER = 16_384  # characters of names and values remembered; networks of today offer about 1,000


class CapabilityChange(msgspec.Struct):
    """What one CAP line changed. `offered` came by NEW; `listed`: the answer to our LS is complete."""

    enabled: list[str] = []
    disabled: list[str] = []
    offered: list[str] = []
    listed: bool = False


class Capabilities:
    """The negotiation of one connection.

    `available` maps what the server offers to its value (`""` for none), `enabled` is what is in force.
    `sasl` is asked for only where a login is configured (`sasl=True`).
    """

    def __init__(
        self, send: Callable[[Message], None], wanted: Iterable[str] = WANTED, *, sasl: bool = False
    ) -> None:
        self.available: dict[str, str] = {}
        self.enabled: set[str] = set()
        self._send = send
        self._wanted = [name for name in wanted if name not in ON_REQUEST and (sasl or name != "sasl")]
        self._listed = False
        self._ended = False
        self._requests: list[list[str]] = []  # sent and not answered, oldest first
        self._unfinished: dict[str, list[str]] = {}  # subcommand: items of a reply whose last line is to come
        self._receivers: dict[str, Callable[[list[str]], CapabilityChange]] = {
            "LS": self._receive_ls,
            "LIST": self._receive_list,
            "ACK": self._receive_ack,
            "NAK": self._receive_nak,
            "NEW": self._receive_new,
            "DEL": self._receive_del,
        }

    @property
    def settled(self) -> bool:
        """Whether LS is complete and every request has been answered."""
        return self._listed and not self._requests

    def begin(self) -> None:
        """Ask what there is. The server holds registration back until `end`."""
        self._send(Message("CAP", ["LS", "302"]))

    def end(self) -> None:
        """Let registration go on; sent once."""
        if not self._ended:
            self._ended = True
            self._send(Message("CAP", ["END"]))

    def request(self, names: Iterable[str]) -> None:
        """Ask for those of `names` that are offered, not in force and not asked for already."""
        asked = {name for request in self._requests for name in request}
        missing = [
            name
            for name in dict.fromkeys(names)
            if name in self.available and name not in self.enabled and name not in asked
        ]
        for request in _lines(missing):
            self._ask(request)

    def receive(self, message: Message) -> CapabilityChange:
        """Take in one CAP line from the server.

        Its first parameter, a nick, is not looked at: InspIRCd 3 puts another user's there in DEL. A line
        that makes no sense changes nothing.
        """
        if len(message.params) < 2:
            return CapabilityChange()
        subcommand = message.params[1].upper()
        receiver = self._receivers.get(subcommand)
        if receiver is None:
            return CapabilityChange()
        rest = message.params[2:]
        more = len(rest) > 1 and rest[0] == "*"
        items = " ".join(rest[1:] if more else rest).split()
        before = self._unfinished.pop(subcommand, None)
        if before is not None:
            items = before + items
        if more:
            self._unfinished[subcommand] = _bounded(items)
            return CapabilityChange()
        return receiver(_bounded(items))

    def _receive_ls(self, items: list[str]) -> CapabilityChange:
        self.available = dict(map(_name_and_value, items))
        self._listed = True
        self.request(self._wanted)
        return CapabilityChange(listed=True)

    def _receive_list(self, items: list[str]) -> CapabilityChange:
        """LIST tells all that is in force, whatever we believed."""
        told = set(items)
        change = CapabilityChange(enabled=sorted(told - self.enabled), disabled=sorted(self.enabled - told))
        self.enabled = told
        return change

    def _receive_ack(self, items: list[str]) -> CapabilityChange:
        change = CapabilityChange()
        for item in items:
            name = item.removeprefix("-")
            self._answered(name)
            if name != item:
                if name in self.enabled:
                    self.enabled.discard(name)
                    change.disabled.append(name)
            elif name not in self.enabled and len(self.enabled) < MAXIMUM_CAPABILITIES:
                self.enabled.add(name)
                change.enabled.append(name)
        return change

    def _receive_nak(self, items: list[str]) -> CapabilityChange:
        """Servers answer requests in order, and some cut the list: the first name tells which it was.

        Several names cannot be the answer to a request of one: they are the rest of a split NAK.
        """
        for request in self._requests:
            if not items or (items[0] in request and (len(request) > 1 or len(items) == 1)):
                self._requests.remove(request)
                middle = len(request) // 2
                for half in filter(None, (request[:middle], request[middle:] if middle else [])):
                    self._ask(half)
                break
        return CapabilityChange()

    def _receive_new(self, items: list[str]) -> CapabilityChange:
        new = dict(map(_name_and_value, items))
        kept = _bounded([*_items(self.available), *_items(new)])
        self.available = dict(map(_name_and_value, kept))
        self.request(name for name in self._wanted if name in new)
        return CapabilityChange(offered=[name for name in new if name in self.available])

    def _receive_del(self, items: list[str]) -> CapabilityChange:
        change = CapabilityChange()
        for name in items:
            if name == "sts":  # a policy cannot be withdrawn this way (IRCv3 "Strict Transport Security")
                continue
            self.available.pop(name, None)
            if name in self.enabled:
                self.enabled.discard(name)
                change.disabled.append(name)
        return change

    def _ask(self, names: list[str]) -> None:
        self._requests.append(names)
        self._send(Message("CAP", ["REQ", " ".join(names)]))

    def _answered(self, name: str) -> None:
        for request in self._requests:
            if name in request:
                request.remove(name)
                if not request:
                    self._requests.remove(request)
                return


def _lines(names: list[str]) -> list[list[str]]:
    """Group names so that each group fits one REQ."""
    lines: list[list[str]] = []
    size = REQUEST_BYTES
    for name in names:
        size += len(name.encode()) + 1
        if size > REQUEST_BYTES:
            lines.append([])
            size = len(name.encode())
        lines[-1].append(name)
    return lines


def _bounded(items: list[str]) -> list[str]:
    """The first items of a server's list, as many as we are ready to remember."""
    room = MAXIMUM_OFFER
    for count, item in enumerate(items):
        room -= len(item)
        if room < 0 or count == MAXIMUM_CAPABILITIES:
            return items[:count]
    return items


def _name_and_value(item: str) -> tuple[str, str]:
    name, _, value = item.partition("=")
    return name, value


def _items(offer: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in offer.items()]
