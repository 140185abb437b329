"""CTCP: requests inside messages, and our answers to the few that a bot answers.

Source: the CTCP draft (draft-oakley-irc-ctcp-02). An answer goes back in a NOTICE, to the person who asked,
and a NOTICE is never answered: whoever calls this sees to both.
"""

from __future__ import annotations

import time
from collections import deque

DELIMITER = "\x01"
MAXIMUM_PING = 100  # bytes of a PING's argument that is sent back; clients use about 20


def parse(text: str) -> tuple[str, str] | None:
    """Give the command, in upper case, and its argument; None where the text is no CTCP message.

    The delimiter at the end may be missing, as the draft allows. What follows a second delimiter is dropped.
    """
    if text[:1] != DELIMITER:
        return None
    command, _, argument = text[1:].partition(DELIMITER)[0].partition(" ")
    return (command.upper(), argument) if command else None


class CtcpAnswers:
    """Our answers to CTCP requests: at most `limit` in any `period` seconds, and silence past that.

    The limit is one for all who ask, since a flood from many hands is the kind there is.
    """

    def __init__(self, version: str, source_url: str, *, limit: int = 4, period: float = 20.0) -> None:
        self._answers = {
            "VERSION": version,
            "SOURCE": source_url,
            "CLIENTINFO": "ACTION CLIENTINFO PING SOURCE TIME VERSION",
        }
        self._period = period
        self._answered: deque[float] = deque([float("-inf")] * limit, maxlen=limit)  # when, oldest first

    def answer(self, command: str, argument: str, now: float, wall: float) -> str | None:
        """Give the text of the NOTICE that answers, delimiters included; None for no answer.

        `now` is monotonic, for the limit; `wall` is seconds since the epoch, for TIME, told in UTC. Unknown
        requests get no answer, and neither does a PING whose argument is over `MAXIMUM_PING` bytes: cut, it
        would be of no use to an honest client.
        """
        answer = self._answers.get(command)
        if command == "TIME":
            answer = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(wall))
        elif command == "PING" and len(argument.encode(errors="replace")) <= MAXIMUM_PING:
            answer = argument
        if answer is None or now - self._answered[0] < self._period:
            return None
        self._answered.append(now)
        return f"{DELIMITER}{command}{answer and ' '}{answer}{DELIMITER}"
