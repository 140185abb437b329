"""Lines as files have them: readable text, and ndjson, which `pynfo logs import` reads back.

A line of ndjson is one JSON object with everything that is public; never an identity or a host. Times are ISO
8601 in UTC with milliseconds. Text keeps its mIRC formatting under `text`, with `plain` beside it where that
differs; in readable text, control characters and formatting are left out.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from plugins.logs.line import Line
from pynfo.irc.formatting import clean, plain

REMOVED = "message removed"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Written only where there is one.
_OPTIONAL = ("account", "target", "msgid", "reply_to", "origin", "home", "fetched")
_encode = msgspec.json.Encoder().encode


def as_dict(line: Line) -> dict[str, Any]:
    """What is public of a line, for JSON; `id` only where it is kept."""
    found: dict[str, Any] = {"id": line.id} if line.id else {}
    found["time"] = iso(line.time)
    found["network"] = line.network
    found["channel"] = line.channel
    found["kind"] = line.kind
    found["nick"] = line.nick
    for name in _OPTIONAL:
        value = getattr(line, name)
        if value:
            found[name] = value
    if line.redacted:
        found["text"] = ""
        found["redacted"] = True
        return found
    found["text"] = line.text
    bare = plain(line.text)
    if bare != line.text:
        found["plain"] = bare
    return found


def as_ndjson(line: Line) -> bytes:
    """One line of ndjson, with its line feed."""
    return _encode(as_dict(line)) + b"\n"


def as_text(line: Line) -> str:
    """`[2026-11-21 14:02:03] <alice> hi`, in UTC, safe for a terminal, without a line feed at its end.

    A message of several lines is several of these.
    """
    when = iso(line.time)
    start = f"[{when[:10]} {when[11:19]}]"
    if "\n" not in line.text:
        return f"{start} {_said(line, line.text)}"
    return "\n".join(f"{start} {_said(line, text)}" for text in line.text.split("\n"))


def iso(time: float) -> str:
    """`2026-11-21T14:02:03.456Z` for UTC epoch seconds."""
    exact = _EPOCH + timedelta(microseconds=round(time * 1_000_000))
    return f"{exact.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _said(line: Line, text: str) -> str:
    nick = _safe(f"{line.nick}@{line.origin}" if line.origin else line.nick)
    text = f"({REMOVED})" if line.redacted else _safe(text)
    target = _safe(line.target)
    reason = f" ({text})" if text and not line.redacted else f" {text}".rstrip()
    match line.kind:
        case "message":
            return f"<{nick}> {text}"
        case "notice":
            return f"-{nick}- {text}"
        case "action":
            return f"* {nick} {text}"
        case "join":
            return f"*** {nick} joined"
        case "part":
            return f"*** {nick} left{reason}"
        case "quit":
            return f"*** {nick} quit{reason}"
        case "kick":
            return f"*** {nick} kicked {target or 'somebody'}{reason}"
        case "nick":
            return f"*** {nick} is now known as {target}"
        case "topic":
            return f"*** {nick} changed the topic to: {text}" if text else f"*** {nick} removed the topic"
        case "mode":
            return f"*** {nick} set mode {text}"


def _safe(text: str) -> str:
    return clean(plain(text))
