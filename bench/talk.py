"""Lines of channel logs for the benchmark, with words, nicks and channels as unevenly spread as in real ones.

Words follow Zipf's law (a few make up half of what is said, most are rare), so do the nicks of a channel and
the channels themselves; people sleep, and are busier on workdays. Once a month the busiest channel has a
meeting of 1,200 lines. The same seed gives the same lines.
"""

import random
from itertools import accumulate

from plugins.logs.line import Line

CHANNELS = 50
NICKS = 3000
WORDS = 60_000
MONTHS = 36
MONTH = 2_629_800  # seconds
END = 1_795_219_200  # 2026-11-21 00:00 UTC
START = END - MONTHS * MONTH
MEETING = 1200  # lines
CHUNK = 100_000  # lines made at once
SYLLABLES = [
    onset + nucleus + coda
    for onset in ("b", "br", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "w")
    for nucleus in ("a", "e", "i", "o", "u", "ea", "ou")
    for coda in ("", "", "n", "r", "s", "t", "l")
]
KINDS = ("message", "action", "notice", "join", "quit", "part", "nick", "topic", "mode")
KIND_WEIGHTS = (820, 20, 10, 60, 50, 15, 15, 2, 8)
# How much is said in each hour of the day, UTC.
HOURS = (4, 3, 2, 2, 2, 3, 4, 6, 8, 9, 10, 10, 10, 10, 11, 11, 11, 10, 9, 9, 9, 8, 7, 5)


def zipf(count, exponent=1.0):
    """Cumulative weights of `count` ranks."""
    return list(accumulate(1 / (rank + 1) ** exponent for rank in range(count)))


class Talk:
    """Makes lines. `vocabulary` is by rank: the most frequent word first."""

    def __init__(self, seed=1):
        self._random = random.Random(seed)
        self.vocabulary = self._words()
        self.places = [f"net{number % 3}/#channel{number:02}" for number in range(CHANNELS)]
        self._nicks = [word.capitalize()[:14] + str(number % 90) for number, word in enumerate(self._words())]
        self._word_weights = zipf(WORDS)
        self._nick_weights = zipf(200, 0.9)
        self._channel_weights = zipf(CHANNELS)

    def _words(self):
        words = {}
        while len(words) < WORDS:
            syllables = self._random.choices((1, 2, 3, 4), (1, 4, 3, 1))[0]
            words["".join(self._random.choices(SYLLABLES, k=syllables))] = None
        return list(words)

    def lines(self, count):
        """`count` lines in order of time, in lists of up to `CHUNK`."""
        meetings = MONTHS * MEETING
        chunks = max(1, round((count - meetings) / CHUNK))
        span = (END - START) / chunks
        for number in range(chunks):
            begin = START + number * span
            times = self._times(begin, span, (count - meetings) // chunks)
            lines = list(
                zip(
                    times,
                    self._random.choices(range(CHANNELS), cum_weights=self._channel_weights, k=len(times)),
                    strict=True,
                )
            )
            for month in range(MONTHS):
                meeting = START + (month + 0.5) * MONTH
                meeting -= meeting % 86400 - 15 * 3600
                if begin <= meeting < begin + span:
                    lines += [(meeting + second * 3, 0) for second in range(MEETING)]
            lines.sort()
            yield self._fill(lines)

    def _times(self, begin, span, count):
        """Times within a span, more of them in the busy hours."""
        pick = self._random
        hours = pick.choices(range(24), HOURS, k=count)
        days = max(1, int(span / 86400))
        return sorted(
            min(begin + pick.randrange(days) * 86400 + hour * 3600 + pick.random() * 3600, END - 1)
            for hour in hours
        )

    def _fill(self, lines):
        pick = self._random
        kinds = pick.choices(KINDS, KIND_WEIGHTS, k=len(lines))
        lengths = [int(pick.lognormvariate(1.9, 0.7)) + 1 for _ in lines]
        words = iter(pick.choices(self.vocabulary, cum_weights=self._word_weights, k=sum(lengths)))
        ranks = iter(pick.choices(range(200), cum_weights=self._nick_weights, k=len(lines) * 2))
        filled = []
        for (time, channel), kind, length in zip(lines, kinds, lengths, strict=True):
            first = channel * 57  # a channel has its own people, some of whom are in others too
            nick = self._nicks[(first + next(ranks)) % NICKS]
            text = " ".join([next(words) for _ in range(length)])
            if kind in ("join", "mode", "nick"):
                text = ""
            elif length % 6 == 0:
                text = f"{self._nicks[(first + next(ranks)) % NICKS]}: {text}"
            elif length % 17 == 0:
                text = f"https://{text.split()[0]}.example/{'/'.join(text.split()[1:4])} {text}"
            network, _, name = self.places[channel].partition("/")
            filled.append(
                Line(
                    network=network,
                    channel=name,
                    time=time,
                    kind=kind,
                    nick=nick,
                    text=text,
                    target=nick if kind == "nick" else "",
                )
            )
        return filled
