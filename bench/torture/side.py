"""One of the two networks: its daemon, the gate to it, who speaks there and who listens there.

Observers join before speakers, and both before the bot: a daemon writes to them first what it writes to all.
So they have heard what the bot was told of as said, even where the daemon is killed in between.
"""

import asyncio
import itertools
import time

from bench.torture import counting
from bench.torture.bot import NICK
from bench.torture.gate import Gate
from bench.torture.people import Person
from tests.ircd import Ircd

CHANNEL = "#torture"
SPEAKERS, OBSERVERS = 4, 3
HISTORY = 2000  # lines that InspIRCd is to keep, of those of an hour (channel mode +H)
OTHER_WORDS = 20  # lines that are kept of what else the bot says
TEXT = "N {speaker} {number} of what is said in {network}"


class Side:
    """`network` is the daemon's name, too. `other` is the network on the far side."""

    def __init__(self, network, other, folder, certificate):
        self.network = network
        self.other = other
        self.daemon = Ircd(network, folder, *certificate)
        if network == "inspircd":
            config = folder / "inspircd.conf"
            config.write_text(config.read_text().replace('maxlines="50"', f'maxlines="{HISTORY}"'))
        self.gate = Gate(self.daemon.port)
        self.spoken = {}  # (speaker, number) -> when it was heard here
        self.copies = [[] for _ in range(OBSERVERS)]  # (time, (speaker, number)) of the far side
        self.gaps = set()  # told here, of the far side
        self.other_words = []
        self.newest = ("", 0)  # of the far side, what was heard last
        self.bot_is_in = asyncio.Event()
        self.bot_came = 0.0  # when it joined last
        self.up = asyncio.Event()  # people are in the channel
        self.trouble = None  # what must not happen, and did
        self._observers = []
        self._speakers = []
        self._numbers = {f"{network}{index}": itertools.count(1) for index in range(SPEAKERS)}
        self._turns = itertools.cycle(range(SPEAKERS))
        self._on_their_way = 0  # messages that were spoken and not heard yet

    # -- the daemon's life

    async def start(self):
        """*await* that the daemon is up, all people are in the channel, and the gate is open."""
        await asyncio.to_thread(self.daemon.start)
        first = await self._person(f"{self.network}_o0", 0)  # is operator of the channel
        others = [self._person(f"{self.network}_o{index}", index) for index in range(1, OBSERVERS)]
        self._observers = [first, *await asyncio.gather(*others)]
        self._speakers = await asyncio.gather(*map(self._person, self._numbers))
        if self.network == "inspircd":
            await self._keep_history()
        self._on_their_way = 0  # what was, died with the daemon
        await self.gate.open()
        self.up.set()

    def kill(self):
        """SIGKILL. Gives when."""
        self.up.clear()
        self.bot_is_in.clear()
        self.gate.refuse()
        self.daemon.kill()
        return time.time()

    def close(self):
        self.up.clear()
        for person in self._observers + self._speakers:
            person.leave()
        self.gate.close()
        self.daemon.kill()

    async def _person(self, nick, observer=None):
        tell = (lambda *heard: None) if observer is None else lambda *heard: self._hear(observer, *heard)
        return await Person.connect(self.daemon.port, nick, CHANNEL, tell, self._left)

    def _left(self, person):
        if self.up.is_set():
            self.trouble = f"{person.nick} has lost the connection to {self.network}"

    async def _keep_history(self):
        """Have the channel remember what is said in it."""
        self._history = asyncio.Event()
        self._observers[0].send(f"MODE {CHANNEL} +H {HISTORY}:1h")
        async with asyncio.timeout(10):
            await self._history.wait()

    # -- speaking

    async def speak(self, pace, enough):
        """Speak so many messages a second, in turn, for as long as the daemon lives and until `enough()`."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not enough():
            if not self.up.is_set():
                await self.up.wait()
                due = loop.time()
            self._say_next()
            due += 1 / pace
            await asyncio.sleep(due - loop.time())

    @property
    def said(self):
        """How many messages were heard here, or will be."""
        return len(self.spoken) + self._on_their_way

    @property
    def silent(self):
        """Whether all that was spoken was heard."""
        return self._on_their_way == 0

    def ask(self, text):
        """Say something to the bot in the channel."""
        self._observers[0].say(text)

    def _say_next(self):
        speaker = self._speakers[next(self._turns)]
        number = next(self._numbers[speaker.nick])
        speaker.say(TEXT.format(speaker=speaker.nick, number=number, network=self.network))
        self._on_their_way += 1

    # -- listening

    def _hear(self, observer, now, nick, command, text):
        if command == "MODE":
            if "+H" in text:
                self._history.set()
        elif command == "JOIN":
            if nick == NICK and not self.bot_is_in.is_set():
                self.bot_came = now
                self.bot_is_in.set()
        elif nick == NICK:
            self._hear_bot(observer, now, text)
        elif (key := counting.spoken(text)) is not None and key not in self.spoken:
            self.spoken[key] = now
            self._on_their_way -= 1

    def _hear_bot(self, observer, now, text):
        if (key := counting.carried(text, self.other)) is not None:
            self.copies[observer].append((now, key))
            self.newest = key
        elif (gap := counting.told_gap(text, now)) is not None:
            self.gaps.add(gap)
        elif observer == 0 and len(self.other_words) < OTHER_WORDS:
            self.other_words.append(text)
