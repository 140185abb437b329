"""The run: both sides speak, and one after another the daemons and the bot are killed and come back."""

import asyncio
import random
import time
from dataclasses import dataclass
from functools import partial

from bench.torture.bot import Bot
from bench.torture.counting import Direction, Kill, Span
from bench.torture.side import CHANNEL, Side
from tests.ircd import certificate, find

NETWORKS = ("inspircd", "ngircd")
ECHO_DOUBT = 2.0  # seconds before InspIRCd is killed: what it has delivered and not echoed
PONG_DOUBT = 5.0  # seconds before a kill: what ngIRCd has delivered, and no PONG has confirmed
RECOVERY = 120.0  # seconds for all to be well after a kill; the bot waits longer with each failure to connect
QUIET = 10.0  # seconds without news at the end, after which nothing more is expected
ANSWER = 2.0  # seconds for the answer to `!relay status`
SETTLE = PONG_DOUBT + 1  # seconds from one recovery to the next kill, so that their doubles are told apart
LOOK = 0.05  # seconds between two looks


class Failure(Exception):
    """The run could not be brought to its end. One sentence."""


@dataclass(frozen=True)
class Plan:
    """`messages`: how many on each side at least, `pace` of them a second; `kills`: how often each of the
    three is killed; `down`: for how many seconds it is dead then."""

    messages: int = 10_000
    pace: float = 45.0
    kills: int = 2
    seed: int = 1
    down: float = 3.0

    @property
    def limit(self):
        """Seconds that the run may take."""
        return 60 + 2 * self.messages / self.pace + 3 * self.kills * (self.down + RECOVERY + SETTLE)

    def victims(self):
        """What is killed, in order: all three in each round."""
        source = random.Random(self.seed)
        rounds = [source.sample([*NETWORKS, "bot"], 3) for _ in range(self.kills)]
        return [victim for each in rounds for victim in each]


@dataclass
class Report:
    """What a run has shown. `returns`: of each kill, after how many seconds messages flowed both ways again;
    `failure`: why it was not brought to its end."""

    plan: Plan
    began: float
    seconds: float
    directions: list[Direction]
    kills: list[Kill]
    returns: list[float]
    memory: float | None  # MiB of the bot at the end
    status: list[str]  # what it answered to `!relay status`
    other_words: list[str]  # what else it said
    failure: str | None


class Run:
    def __init__(self, plan, folder):
        self.plan = plan
        for network in NETWORKS:
            if find(network) is None:
                raise Failure(f"{network} is not installed (apt-get install {network})")
        files = certificate(folder)
        self.sides = {
            network: Side(network, other, folder / network, files)
            for network, other in zip(NETWORKS, reversed(NETWORKS), strict=True)
        }
        self._folder = folder
        self._bot = None
        self._random = random.Random(plan.seed)
        self._kills = []
        self._returns = []
        self._status = []
        self._words = None
        self._away = []  # when the bot was not in a channel
        self._absences = []  # when nobody could tell it afterwards what was said: InspIRCd remembers

    async def run(self):
        """*await* the `Report`. Whatever happens, no process is left behind."""
        began, failure = time.time(), None
        try:
            async with asyncio.timeout(self.plan.limit) as limit:
                try:
                    await self._all()
                except Failure as error:
                    failure = str(error)
            return self._report(began, failure)
        except TimeoutError:
            if not limit.expired():
                raise
            return self._report(began, f"it is not over after {self.plan.limit:.0f} s")
        finally:
            if self._bot is not None:
                self._bot.kill()
            for side in self.sides.values():
                side.close()

    async def _all(self):
        await self._start()
        await self._speak_and_kill()
        await self._until(self._all_is_quiet, "the last messages", RECOVERY)
        await self._ask_for_status()

    async def _start(self):
        for side in self.sides.values():
            await side.start()
        ports = {network: side.gate.port for network, side in self.sides.items()}
        self._bot = Bot(self._folder, CHANNEL, ports)
        self._bot.start()
        await self._until(self._bot_is_in, "the bot in both channels", RECOVERY)

    async def _speak_and_kill(self):
        """Both sides speak until they have spoken enough, and all is well after the last kill."""
        killing = asyncio.create_task(self._kill_all())

        def enough(side):
            return killing.done() and side.said >= self.plan.messages

        speaking = [
            asyncio.create_task(side.speak(self.plan.pace, partial(enough, side)))
            for side in self.sides.values()
        ]
        try:
            for ended in asyncio.as_completed([killing, *speaking]):
                await ended
        finally:
            for task in (killing, *speaking):
                task.cancel()

    async def _kill_all(self):
        victims = self.plan.victims()
        for index, victim in enumerate(victims):
            part = (index + self._random.uniform(0.6, 1.0)) / (len(victims) + 0.5)
            due = part * self.plan.messages * len(self.sides)
            await self._until(lambda due=due: self._said() >= due, "enough that is spoken", self.plan.limit)
            began = time.time()
            await (self._kill_bot() if victim == "bot" else self._kill_daemon(self.sides[victim]))
            back = time.time()
            await self._until(lambda back=back: self._flows_since(back), "messages both ways", RECOVERY)
            self._returns.append(time.time() - began)
            await asyncio.sleep(SETTLE)

    async def _kill_bot(self):
        for side in self.sides.values():
            side.bot_is_in.clear()
        self._bot.kill()
        killed = time.time()
        self._kills.append(Kill("bot", killed, self._bot.tails()))
        await asyncio.sleep(self.plan.down)
        self._bot.start()
        await self._until(self._bot_is_in, "the bot in both channels", RECOVERY)
        for side in self.sides.values():
            self._away.append(Span(side.network, killed, side.bot_came))
        self._absences.append(Span("ngircd", killed, self.sides["ngircd"].bot_came))

    async def _kill_daemon(self, side):
        killed = side.kill()
        self._kills.append(Kill(side.network, killed, self._bot.tails()))
        await asyncio.sleep(self.plan.down)
        await side.start()
        remembered_from = time.time()
        await self._until(self._bot_is_in, "the bot in both channels", RECOVERY)
        self._away.append(Span(side.network, killed, side.bot_came))
        end = remembered_from if side.network == "inspircd" else side.bot_came
        self._absences.append(Span(side.network, killed, end))

    # -- how it goes

    def _said(self):
        return sum(len(side.spoken) for side in self.sides.values())

    def _bot_is_in(self):
        return all(side.bot_is_in.is_set() for side in self.sides.values())

    def _flows_since(self, moment):
        """Whether something that was spoken after that moment has arrived, on both sides."""
        return all(self.sides[side.other].spoken.get(side.newest, 0) > moment for side in self.sides.values())

    def _all_is_quiet(self):
        """All has arrived; or nothing more does."""
        heard = [copies[-1][0] for side in self.sides.values() for copies in side.copies if copies]
        newest = max([self._ended_speaking(), *heard])
        arrived = all(
            self.sides[side.other].spoken.keys() <= {key for _, key in side.copies[0]}
            for side in self.sides.values()
        )
        return all(side.silent for side in self.sides.values()) and (arrived or time.time() > newest + QUIET)

    def _ended_speaking(self):
        return max(max(side.spoken.values()) for side in self.sides.values())

    async def _until(self, condition, what, limit):
        try:
            async with asyncio.timeout(limit):
                while not condition():
                    self._look_for_trouble()
                    await asyncio.sleep(LOOK)
        except TimeoutError as late:
            raise Failure(f"waited for {what} in vain, for {limit:.0f} s\n{self._bot.last_words()}") from late

    def _look_for_trouble(self):
        for side in self.sides.values():
            if side.trouble is not None:
                raise Failure(side.trouble)
        if self._bot is not None and self._bot.ended:
            raise Failure(f"the bot has ended:\n{self._bot.last_words()}")

    # -- the end

    async def _ask_for_status(self):
        self._words = self._other_words()
        side = self.sides["ngircd"]
        side.other_words = []
        side.ask("!relay status")
        await asyncio.sleep(ANSWER)
        self._status = side.other_words

    def _other_words(self):
        """What else the bot has said."""
        return [
            f"{side.network}/{CHANNEL}: {text}" for side in self.sides.values() for text in side.other_words
        ]

    def _report(self, began, failure):
        in_doubt = {
            "inspircd": {"inspircd": ECHO_DOUBT},
            "ngircd": {"ngircd": PONG_DOUBT, "bot": PONG_DOUBT},
        }
        directions = [
            Direction(
                source=side.other,
                target=side.network,
                spoken=self.sides[side.other].spoken,
                copies=side.copies,
                gaps=side.gaps,
                absences=self._absences,
                away=self._away,
                kills=self._kills,
                in_doubt=in_doubt[side.network],
            )
            for side in reversed(self.sides.values())
        ]
        return Report(
            plan=self.plan,
            began=began,
            seconds=time.time() - began,
            directions=directions,
            kills=self._kills,
            returns=self._returns,
            memory=self._bot.memory() if self._bot is not None and not self._bot.ended else None,
            status=self._status,
            other_words=self._other_words() if self._words is None else self._words,
            failure=failure,
        )
