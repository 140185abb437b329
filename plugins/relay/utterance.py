"""What is carried: one thing that was said or done in one channel, on its way to the others.

An `Utterance` is what waits on disk for each port. How it looks is decided when it leaves, since that depends
on the network it goes to, and on how late it is.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["message", "notice", "action", "event", "told", "reaction", "redaction"]


class Utterance(msgspec.Struct, kw_only=True, omit_defaults=True):
    """`kind`: "event" is something that happened there (`text` says what: "alice joined"), "told" are the
    bot's own words about the relay ("what was said … could not be carried")."""

    kind: Kind
    place: str  # network/#channel where it was said
    time: float  # UTC epoch seconds
    wire: str = ""
    nick: str = ""  # who said it; "" for "event" and "told"
    account: str | None = None  # their services login there
    identity: str = ""  # username@host there, for those who are not logged in
    text: str = ""  # with its formatting, as it came; of a reaction what was reacted with
    msgid: str | None = None  # of the message there
    about: str = ""  # the key of the message that it answers, reacts to or removes
    about_nick: str = ""  # who said that
    prefix: str = ""  # of a nick in the channel, such as "@"; shown where the format asks for it

    @property
    def network(self) -> str:
        return self.place.partition("/")[0]

    @property
    def channel(self) -> str:
        return self.place.partition("/")[2]


def encode(utterance: Utterance) -> bytes:
    return msgspec.msgpack.encode(utterance)


_decoder = msgspec.msgpack.Decoder(Utterance)


def decode(data: bytes) -> Utterance:
    """Raises `msgspec.DecodeError` where it is none."""
    return _decoder.decode(data)
