"""How long a line of an answer may be."""

from __future__ import annotations

from pynfo import Request
from pynfo.irc.split import LEAST

MORE = 40  # bytes that a line leaves for the hint at what is left: " … (7 more: !more)"


def room_of(request: Request) -> int:
    """Bytes of one line of the answer to a request: where none is split, "more" is for the next result."""
    target = request.user.nick if request.channel is None else request.event.target
    return max(LEAST, request.client.state.room("PRIVMSG", target) - MORE)
