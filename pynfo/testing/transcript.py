"""What came in on a connection, line by line, and waiting for what a test expects next."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import overload

LINE_LIMIT = 10_000  # lines kept, and lines that nobody has waited for yet: past it the oldest go
SHOWN = 20  # lines that a failed expectation tells of
WAIT = 5.0  # seconds

Pattern = str | re.Pattern[str]


def matcher(pattern: Pattern) -> Callable[[str], bool]:
    """Whether a line is what `pattern` describes.

    A `str` is how the line begins, in whole words; `*` stands for any text and `?` for any character:
    "JOIN #a" describes "JOIN #a key", not "JOIN #ab". The colon before a last parameter makes no difference.
    Tags and source count only where the pattern begins with them ("@" and ":"). A compiled regular
    expression is searched for in the whole line.
    """
    if not isinstance(pattern, str):
        search = pattern.search
        return lambda line: search(line) is not None
    text = _without_colon(pattern)
    expression = re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")
    begins = re.compile(
        expression if text.endswith((" ", "*")) else expression + r"(?: |\Z)", re.DOTALL
    ).match
    with_tags, with_source = pattern.startswith("@"), pattern.startswith(":")

    def matches(line: str) -> bool:
        if line.startswith("@") and not with_tags:
            line = line.partition(" ")[2]
        if line.startswith(":") and not with_tags and not with_source:
            line = line.partition(" ")[2]
        return begins(_without_colon(line)) is not None

    return matches


def _without_colon(line: str) -> str:
    return line.replace(" :", " ", 1)


class Transcript(Sequence[str]):
    """The lines received, oldest first, without line ends; a list to look into, and a queue to wait on.

    `expect` works through the lines in order, each of them once, so that what one call has passed over is
    gone for the next. One task waits at a time. Bounded by `LINE_LIMIT`.
    """

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=LINE_LIMIT)
        self._unread: deque[str] = deque(maxlen=LINE_LIMIT)
        self._arrived = asyncio.Event()
        self._ended: str | None = None

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self._lines[index] if isinstance(index, int) else list(self._lines)[index]

    def __repr__(self) -> str:
        return repr(list(self._lines))

    @property
    def unread(self) -> list[str]:
        """The lines that no `expect` has come to yet."""
        return list(self._unread)

    def append(self, line: str) -> None:
        """One more line has come."""
        self._lines.append(line)
        self._unread.append(line)
        self._arrived.set()

    def end(self, reason: str) -> None:
        """Nothing more will come."""
        self._ended = reason
        self._arrived.set()

    async def expect(self, pattern: Pattern, timeout: float | None = WAIT) -> str:
        """*await* the next line that `pattern` describes (see `matcher`), and give it.

        `timeout` is in seconds, None: no limit. Raises `AssertionError`, with what came instead, after that
        time or as soon as nothing more can come.
        """
        return await self.find(matcher(pattern), repr(pattern), timeout)

    async def find(
        self, wanted: Callable[[str], bool], description: str, timeout: float | None = WAIT
    ) -> str:
        """`expect` with a function that says whether a line is the one."""
        passed: deque[str] = deque(maxlen=SHOWN)
        reason = f"not within {timeout} s"
        try:
            async with asyncio.timeout(timeout):
                while True:
                    while self._unread:
                        line = self._unread.popleft()
                        if wanted(line):
                            return line
                        passed.append(line)
                    if self._ended is not None:
                        reason = self._ended
                        break
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            pass
        came = "nothing" if not passed else "".join(f"\n    {line}" for line in passed)
        raise AssertionError(f"{description} did not come ({reason}); came instead: {came}")
