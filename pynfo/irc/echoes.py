"""Which line an echo confirms, on a network that echoes but has no labels. Sans-IO.

An echo is known by its target and its text; a network may write the target's name in another case, and take
the formatting away (channel mode +c). That of RELAYMSG is a PRIVMSG of another nick with a tag that names us.
What is refused, or not echoed in time, is told as not said.

Sources: IRCv3 "echo-message", "Standard Replies", draft "relaymsg"; Modern IRC, "Numerics".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from pynfo.irc.formatting import plain
from pynfo.irc.message import Message
from pynfo.irc.pacing import Outgoing
from pynfo.irc.speech import relaying_bot
from pynfo.irc.state import State

LIMIT = 512  # lines awaited at once; past it the oldest is taken as said
ECHO_LIMIT = 60.0  # seconds for the network to confirm a line
UNCONFIRMED = "the connection was lost, or a minute passed, before the network confirmed it"
ECHOED = frozenset({"PRIVMSG", "NOTICE", "TAGMSG"})
RELAYMSG = "RELAYMSG"
# No such nick, server or channel, cannot send there, too many targets or colours, login needed, not accepted.
REFUSALS = frozenset(
    {"401", "402", "403", "404", "407", "408", "439", "477", "486", "489", "492", "494", "531", "716"}
)


class Echoes:
    """The lines that have been written and not been echoed yet, oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, Outgoing]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, line: Outgoing, now: float) -> None:
        """`line` has been written."""
        if len(self._waiting) >= LIMIT:
            self._waiting.popleft()[1].confirmed(None)
        self._waiting.append((now + ECHO_LIMIT, line))

    def hear(self, message: Message, state: State) -> None:
        """A line of the server's, which may be an echo or a refusal."""
        command, params = message.command, message.params
        line = None
        if command in ECHOED:
            bot = relaying_bot(message.tags)
            if params and "batch" not in message.tags and state.is_me(message.nick if bot is None else bot):
                line = self._take(lambda sent: _is_echo(sent, message, bot is not None, state.fold))
            if line is not None:
                line.confirmed(message.tags.get("msgid"))
            return
        if command in REFUSALS or (command == "FAIL" and params and params[0] in ECHOED):
            about = {state.fold(param) for param in params[1:-1]}
            line = self._take(lambda sent: state.fold(sent.params[0]) in about)
        elif command == "FAIL" and params and params[0] == RELAYMSG:  # which names no channel
            line = self._take(lambda sent: sent.command == RELAYMSG)
        if line is not None:
            line.failed(refusal(message))

    def expire(self, now: float) -> None:
        """Give up those whose time is over."""
        while self._waiting and self._waiting[0][0] <= now:
            self._waiting.popleft()[1].failed(UNCONFIRMED)

    def deadline(self) -> float | None:
        """When `expire` is wanted (monotonic seconds)."""
        return self._waiting[0][0] if self._waiting else None

    def close(self) -> None:
        """The connection is gone: nothing will be echoed any more."""
        self.expire(float("inf"))

    def _take(self, is_meant: Callable[[Message], bool]) -> Outgoing | None:
        for index, (_, line) in enumerate(self._waiting):
            if is_meant(line.message):
                del self._waiting[index]
                return line
        return None


def refusal(message: Message) -> str:
    """Why the network does not take a line, in one sentence; the code of a FAIL stands behind it."""
    said = message.params[-1] if message.params else message.command
    code = f" ({message.params[1]})" if message.command == "FAIL" and len(message.params) > 2 else ""
    return f"the network refused it: {said}{code}"


def _is_echo(sent: Message, message: Message, relayed: bool, fold: Callable[[str], str]) -> bool:
    command, params = sent.command, sent.params
    if relayed:
        if command != RELAYMSG or len(params) < 3:
            return False
        command, params = "PRIVMSG", [params[0], params[2]]
    if command != message.command or fold(params[0]) != fold(message.params[0]):
        return False
    return list(map(plain, params[1:])) == list(map(plain, message.params[1:]))
