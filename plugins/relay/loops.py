"""Finds loops with other people's relays on a wire, and never takes people for one.

A foreign relay that joins two of our channels brings our lines back: "hi" goes from a to b, comes back to a
as "<pynfo> <alice@a> hi", goes to b again, and so on for ever. People also say what others said. What tells
them apart is cause and effect: a relay speaks when our copy was said, and only then. So:

- A *return* is a line with the same core as one that was carried (`cores.py`), soon after a copy of it was
  said. What somebody says again and again themselves is one only where it comes back with more around it, or
  at once.
- The third return, by one who brought it before, is held back: for several times longer than they ever took.
  If they say it again although we are silent, they are people. If not, it is said; when it comes back then,
  the same is done a second time; when it comes back again, that is no chance. Where there is reason
  to doubt, because others said the same or a test was for nothing before, it takes more such rounds.
- A line that comes back three times, each time with more heads before it, is a loop without any test.

So at most five returns are carried, and then the wire is paused: for a minute, and twice as long each time
until there was an hour of quiet. What people say is held back at most, and released in its order. Chance can
still deceive where a crowd says nothing but one word for minutes (one run of 600, in simulation).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Literal, TypeVar

import msgspec

from plugins.relay.chains import ANSWER, SUSPICIOUS, Author, Chain, Chains, Returns
from plugins.relay.cores import core_of, stem_of
from plugins.relay.gathering import CallLater

HELD = 100  # messages held back in one test; what is beyond that is carried

TESTS = 2
NESTED = 3  # returns, each deeper than all before, that prove a loop
# A test lasts for some times their longest gap, within these seconds.
SHORTEST, LONGEST, PATIENCE = 5.0, 60.0, 4.0
IN_FLIGHT, IN_FLIGHT_PATIENCE = 2.5, 1.5  # for how long, in a test, returns of earlier copies may come
SHORTEST_ANSWER, ANSWER_PATIENCE = 8.0, 3.0  # for how long an answer to what was let out is awaited
DISTURBED = 5  # times, after which a test is given up: a text that so many say is people's
DELIVERY = 60.0  # seconds in which what is let out must have been said

FIRST_PAUSE, LONGEST_PAUSE, QUIET = 60.0, 3600.0, 3600.0  # seconds

T = TypeVar("T")
Verdict = Literal["carry", "hold", "drop"]
NOBODY = ("", "")


class _Test(msgspec.Struct):
    """`silent`: no copy of ours is said. Else one was let out, and is `said` or about to be."""

    chain: Chain
    author: Author
    returns: Returns
    seconds: float  # of silence
    in_flight_until: float = 0.0
    held: list[tuple[Author, Any, bool]] = []  # each with whether it is a return of the chain
    passed: int = 0
    silent: bool = True
    said: bool = False
    disturbed: int = 0
    timer: Any = None


class LoopDetector(Generic[T]):
    """Of one wire. A message is named by whatever the caller likes: it is handed back as it came.

    `release(message)`: one that was held back is to be carried now. `drop(message)`: it is not to be carried.
    `pause(seconds, place, nick)`: a loop was found there, and the wire is to rest for so long.
    """

    def __init__(
        self,
        release: Callable[[T], None],
        drop: Callable[[T], None],
        pause: Callable[[float, str, str], None],
        call_later: CallLater,
    ) -> None:
        self._release = release
        self._drop = drop
        self._pause = pause
        self._call_later = call_later
        self._chains = Chains()
        self._tests: list[_Test] = []
        self._loopers: set[Author] = set()  # those of the last pause
        self._pause_seconds = FIRST_PAUSE
        self._paused_until = -QUIET

    def heard(self, message: T, place: str, nick: str, text: str, now: float) -> Verdict:
        """What is to be done with a message that somebody said; `now` is in seconds, of the caller's clock.

        Of one that is held back `release` or `drop` tells, within a few minutes at most.
        """
        core = core_of(text)
        author = (place, stem_of(nick))
        chain = self._chains.find(core, author, (place, nick), now)
        if chain is None:
            self._chains.begin(core, (place, nick), now)
            self._interrupt(author, now)
            return self._behind(message, author)
        test = next((test for test in self._tests if test.chain is chain), None)
        again = author in chain.returns
        caused = chain.count_return(core, author, (place, nick), now)
        returns = chain.returns[author] if caused else Returns()
        if caused and author in self._loopers and now < self._paused_until:
            return "drop"  # it was on its way
        if returns.nested >= NESTED:
            return self._found(chain, place, nick, now)
        if test is not None and (again or author == test.author):
            return self._judge(test, message, (place, nick), now, caused=caused)
        if test is None and chain.is_suspicious(returns) and self._holder(author) is None:
            return self._begin_test(chain, returns, message, author)
        return self._behind(message, author)

    def said(self, text: str, now: float) -> None:
        """A copy of a message with this text is on its way, or a line of our own about a channel.

        To be called when it is written to the connection: what it causes may be heard before it is confirmed.
        """
        core = core_of(text)
        chain = self._chains.get(core) or self._chains.begin(core, NOBODY, now)
        chain.copies += 1
        chain.last_copy = chain.seen = now
        for test in [test for test in self._tests if test.chain is chain]:
            test.in_flight_until = now + _in_flight(test.returns)
            if test.silent:
                self._disturb(test)
            elif not test.said:
                test.said = True
                self._wait(test, _within(ANSWER_PATIENCE * test.returns.slowest, SHORTEST_ANSWER, ANSWER))

    def close(self) -> None:
        """Release what is held back; no timer is left."""
        for test in list(self._tests):
            self._end(test)

    # -- tests

    def _begin_test(self, chain: Chain, returns: Returns, message: T, author: Author) -> Verdict:
        seconds = _within(PATIENCE * returns.gap, SHORTEST, LONGEST)
        test = _Test(chain, author, returns, seconds, chain.last_copy + _in_flight(returns))
        self._tests.append(test)
        self._be_silent(test)
        return self._hold(test, message, author, is_return=True)

    def _be_silent(self, test: _Test) -> None:
        test.silent, test.said = True, False
        self._wait(test, test.seconds)

    def _disturb(self, test: _Test) -> None:
        """Others said the same for the first time, which is carried: the silence begins anew."""
        test.disturbed += 1
        if test.disturbed > DISTURBED:
            test.chain.forget()
            self._end(test)
        else:
            self._wait(test, test.seconds)

    def _wait(self, test: _Test, seconds: float) -> None:
        if test.timer is not None:
            test.timer.cancel()
        test.timer = self._call_later(seconds, lambda: self._over(test))

    def _over(self, test: _Test) -> None:
        """The time of silence is over, or that for an answer to what was let out."""
        test.timer = None
        if not test.silent:
            test.chain.forget()
            self._end(test)
            return
        test.silent = False
        self._wait(test, DELIVERY)
        theirs = [held for held in test.held if held[0] == test.author]
        end = next((at for at, (_, _, is_return) in enumerate(theirs, 1) if is_return), len(theirs))
        for held in theirs[:end]:  # up to the first return
            test.held.remove(held)
            self._release(held[1])

    def _judge(
        self, test: _Test, message: T, speaker: tuple[str, str], now: float, *, caused: bool
    ) -> Verdict:
        """It was said again: by the one who is tested, or by others who keep bringing it back."""
        author = (speaker[0], stem_of(speaker[1]))
        in_flight = now <= test.in_flight_until
        if (test.silent and in_flight) or (not test.silent and author != test.author):
            return self._hold(test, message, author, is_return=True)
        if test.silent or not test.said or not caused:
            test.chain.suspicious *= 4
            test.chain.forget()
            self._end(test)
            return self._behind(message, author)
        test.passed += 1
        doubts = (test.chain.suspicious > SUSPICIOUS) + min(test.disturbed, 2)
        if test.passed >= TESTS + doubts:
            return self._found(test.chain, *speaker, now)
        self._be_silent(test)
        return self._hold(test, message, author, is_return=True)

    def _interrupt(self, author: Author, now: float) -> None:
        """Whoever goes on talking is not kept waiting; once for each text, since many talk through a relay.

        Of a long text that came back in pieces the last ones are new too.
        """
        for test in list(self._tests):
            if test.author == author and now > test.in_flight_until and not test.chain.interrupted:
                test.chain.interrupted = True
                self._end(test)

    def _hold(self, test: _Test, message: T, author: Author, *, is_return: bool) -> Verdict:
        holder = self._holder(author) or test  # what one person says stays in one row
        if len(holder.held) >= HELD:
            return "carry"
        holder.held.append((author, message, is_return and holder is test))
        return "hold"

    def _holder(self, author: Author) -> _Test | None:
        return next((test for test in self._tests if any(author == held[0] for held in test.held)), None)

    def _behind(self, message: T, author: Author) -> Verdict:
        """Carry it, but not before what is held back of the same speaker."""
        test = self._holder(author)
        return "carry" if test is None else self._hold(test, message, author, is_return=False)

    def _end(self, test: _Test, *, loop: bool = False) -> None:
        if test.timer is not None:
            test.timer.cancel()
        self._tests.remove(test)
        for _, message, is_return in test.held:
            (self._drop if loop and is_return else self._release)(message)

    def _found(self, chain: Chain, place: str, nick: str, now: float) -> Verdict:
        if now >= self._paused_until:
            quiet = now - self._paused_until >= QUIET
            self._pause_seconds = FIRST_PAUSE if quiet else min(2 * self._pause_seconds, LONGEST_PAUSE)
            self._paused_until = now + self._pause_seconds
            self._loopers.clear()
            self._pause(self._pause_seconds, place, nick)
        self._loopers.update(author for author, returns in chain.returns.items() if returns.count > 1)
        for test in [test for test in self._tests if test.chain is chain]:
            self._end(test, loop=True)
        return "drop"


def _within(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)


def _in_flight(returns: Returns) -> float:
    return max(IN_FLIGHT, IN_FLIGHT_PATIENCE * returns.slowest)
