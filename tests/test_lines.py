"""Bytes to lines: whole ones only, and none that is too long, however the bytes arrive."""

from __future__ import annotations

import pytest

from pynfo.irc.lines import LINE_LIMIT, LineBuffer


@pytest.mark.parametrize("size", [1, 1000, LINE_LIMIT, 100_000])
def test_a_line_that_is_too_long_is_left_out_however_it_arrives(size):
    stream = b"one\n" + b"x" * (2 * LINE_LIMIT) + b"\ntwo\nthr"
    buffer = LineBuffer()
    lines = [
        line for start in range(0, len(stream), size) for line in buffer.feed(stream[start : start + size])
    ]
    assert lines == [b"one", b"two"]
    assert buffer.left_out == 1
    assert buffer.feed(b"ee\n") == [b"three"]
