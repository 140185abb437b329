"""Where the log goes and how it looks: standard error, one event a line, as text or as JSON.

Names and reasons in the log come from strangers, so control characters are written as escapes: nothing in a
log line can end it, or move the cursor of whoever reads it.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import TextIO

import msgspec

FORMATS = ("text", "json")

_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
}
_ESCAPES_IN_TRACEBACK = {code: text for code, text in _ESCAPES.items() if chr(code) not in "\n\t"}


def set_up_logging(
    *, level: int = logging.INFO, log_format: str = "text", stream: TextIO | None = None
) -> None:
    """Send the log of the whole process to `stream` (standard error).

    `level` is for Pynfo and its plugins; libraries never tell more than `INFO`.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(level, logging.INFO))
    for ours in ("pynfo", "plugins"):
        logging.getLogger(ours).setLevel(level)
    logging.captureWarnings(True)


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00Z WARNING pynfo.irc.client: what happened`, and the traceback below."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage().translate(_ESCAPES)
        line = f"{_time(record.created)} {record.levelname} {record.name}: {text}"
        traceback = self._traceback(record)
        return f"{line}\n{traceback}" if traceback else line

    def _traceback(self, record: logging.LogRecord) -> str:
        parts = []
        if record.exc_info and record.exc_info[0] is not None:
            parts.append(self.formatException(record.exc_info))
        if record.stack_info:
            parts.append(record.stack_info)
        return "\n".join(parts).translate(_ESCAPES_IN_TRACEBACK)


class JsonFormatter(TextFormatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`, and `traceback` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": _time(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        traceback = self._traceback(record)
        if traceback:
            event["traceback"] = traceback
        return msgspec.json.encode(event).decode()


def _time(seconds: float) -> str:
    """UTC with milliseconds, as RFC 3339 writes it."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{int(seconds * 1000) % 1000:03}Z"
