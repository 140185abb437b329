"""What went over a wire lately, and who brought it back: see `loops.py`."""

from __future__ import annotations

import msgspec

from plugins.relay.cores import Core

CHAINS = 200  # texts that are remembered, the latest
REMEMBERED = 600.0  # seconds
AUTHORS = 16  # who brought one text back, the latest

SUSPICIOUS = 3  # returns
ANSWER = 15.0  # seconds after our copy in which a return may be caused by it
PROMPT = 2.0  # the same for who says again what they said first themselves, and for many who say the same

Author = tuple[str, str]  # place and stem of the nick


class Returns(msgspec.Struct):
    """Of one author in one chain."""

    count: int = 0
    nested: int = 0  # how many of them were deeper than all before
    slowest: float = 0.0  # the most seconds from our copy to one of them
    gap: float = 0.0  # the most seconds between two of them
    last: float = 0.0


class Chain(msgspec.Struct):
    """One text on its way around; what it looked like when it came back leads to it as well."""

    key: str
    first: tuple[str, str]  # place and nick of who said it first
    first_depth: int
    depth: int  # the greatest so far
    seen: float
    copies: int = 0
    last_copy: float = 0.0
    suspicious: int = SUSPICIOUS  # more after each test that people were held up by
    interrupted: bool = False
    returns: dict[Author, Returns] = {}

    def count_return(self, core: Core, author: Author, speaker: tuple[str, str], now: float) -> bool:
        """Count a return; False where it is none, since none of our copies can have caused it."""
        self.seen = now
        returns = self.returns.pop(author, None) or Returns()
        own = speaker == self.first and core.depth <= self.first_depth
        deeper = core.depth > self.depth
        waited = now - self.last_copy
        if returns.count >= self.copies or (waited > (PROMPT if own else ANSWER) and not deeper):
            return False
        if len(self.returns) >= AUTHORS:
            del self.returns[next(iter(self.returns))]
        self.returns[author] = returns
        returns.gap = max(returns.gap, now - returns.last if returns.count else waited)
        returns.last = now
        returns.count += 1
        returns.nested += deeper
        returns.slowest = max(returns.slowest, min(waited, ANSWER))
        self.depth = max(self.depth, core.depth)
        return True

    def is_suspicious(self, returns: Returns) -> bool:
        """Whether to look closer at somebody's return: one person may say a thing twice, many may say it."""
        if returns.count < 2:
            return False
        counts = [other.count for other in self.returns.values()]
        repeated = sum(count for count in counts if count > 1)
        return repeated >= self.suspicious or (sum(counts) >= self.suspicious and returns.slowest <= PROMPT)

    def forget(self) -> None:
        """Nobody brought it back."""
        self.returns.clear()
        self.copies = 0


class Chains:
    """The texts that went over a wire lately, by what they say."""

    def __init__(self) -> None:
        self._by_key: dict[str, Chain] = {}  # the latest last

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, core: Core) -> Chain | None:
        return self._by_key.get(core.key)

    def find(self, core: Core, author: Author, speaker: tuple[str, str], now: float) -> Chain | None:
        """The chain that a text belongs to: of the same text, or of one that it has more around."""
        chain = self._by_key.pop(core.key, None)
        if chain is None:
            chain = self._find_within(core, author, speaker, now)
        if chain is None or now - chain.seen > REMEMBERED:
            return None
        self._remember(core, chain)
        return chain

    def _find_within(self, core: Core, author: Author, speaker: tuple[str, str], now: float) -> Chain | None:
        found = None
        for key in [key for key in self._by_key if key in core.words]:
            chain = self._by_key[key]
            within = PROMPT if chain.first == speaker else ANSWER
            if not chain.copies or now - chain.last_copy > within:
                continue
            if key != chain.key:
                return chain
            if author not in chain.returns:  # else it would have what they brought back the last time in it
                found = chain
        return found

    def begin(self, core: Core, speaker: tuple[str, str], now: float) -> Chain:
        chain = Chain(core.key, first=speaker, first_depth=core.depth, depth=core.depth, seen=now)
        self._remember(core, chain)
        return chain

    def _remember(self, core: Core, chain: Chain) -> None:
        while len(self._by_key) >= CHAINS:
            del self._by_key[next(iter(self._by_key))]
        self._by_key[core.key] = chain
