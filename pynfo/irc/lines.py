"""Bytes as they arrive, cut into lines. Sans-IO."""

from __future__ import annotations

LINE_LIMIT = 16_384  # bytes of one line with its tags, where the specifications allow 8,191 + 512


class LineBuffer:
    """Keeps the unfinished end of what arrived: `LINE_LIMIT` bytes at most."""

    def __init__(self) -> None:
        self._partial = b""
        self._skipping = False  # inside a line that is too long
        self.left_out = 0  # lines that were too long

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are whole now, without line feed."""
        lines = (self._partial + data).split(b"\n") if self._partial else data.split(b"\n")
        self._partial = lines.pop()
        if self._skipping and lines:
            lines.pop(0)
            self._skipping = False
        if self._skipping or len(self._partial) > LINE_LIMIT:
            self.left_out += not self._skipping
            self._partial = b""
            self._skipping = True
        if len(data) > LINE_LIMIT and any(len(line) > LINE_LIMIT for line in lines):
            whole = len(lines)
            lines = [line for line in lines if len(line) <= LINE_LIMIT]
            self.left_out += whole - len(lines)
        return lines
