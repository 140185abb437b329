"""Pynfo's own: a JSON object for each line, as `pynfo logs export` writes them (`exports.py`)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

import msgspec

from plugins.logs.imports.readers import Reader
from plugins.logs.imports.times import Unread
from plugins.logs.line import Kind, Line

Short = Annotated[str, msgspec.Meta(max_length=512)]


class Stored(msgspec.Struct):
    """What is read of an object; anything else in it is left out."""

    time: Annotated[datetime, msgspec.Meta(tz=True)]
    network: Short
    channel: Short
    kind: Kind
    nick: Short
    text: str = ""
    account: Short | None = None
    target: Short = ""
    msgid: Short | None = None
    reply_to: Short | None = None
    origin: Short | None = None
    home: Short = ""
    redacted: bool = False


_decode = msgspec.json.Decoder(Stored).decode


class Ndjson(Reader):
    """The lines themselves tell their place, but for what the reader was given."""

    name = "ndjson"
    looks = re.compile(r'\{.*"kind"')
    file_name = ".ndjson"
    _place: tuple[str, str] | None = None  # of the first line

    def parse(self, text: str) -> list[Line]:
        try:
            stored = _decode(text)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Unread(f"it is no line of a log: {error}") from None
        if not stored.nick:
            raise Unread("it has no nick")
        place = (stored.network, stored.channel)
        self._place = self._place or place
        if self.channel and place != self._place:
            raise Unread("it is of another channel than the lines before")
        return [
            Line(
                network=self.network or stored.network,
                channel=self.channel or stored.channel,
                time=stored.time.timestamp(),
                kind=stored.kind,
                nick=_without_nul(stored.nick),
                account=stored.account,
                text="" if stored.redacted else _without_nul(stored.text),
                target=_without_nul(stored.target),
                msgid=stored.msgid,
                reply_to=stored.reply_to,
                origin=stored.origin,
                home=stored.home,
                fetched=True,
                redacted=stored.redacted,
            )
        ]


def _without_nul(text: str) -> str:
    return text.replace("\0", "\ufffd")
