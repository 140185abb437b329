"""Who was last seen, when, where and how, on one network. Plain data: no IRC, no clock, no storage.

People are kept in shards by their nick, and a shard is stored as one value, so that a line in a busy channel
costs one small write and not one of everybody. A shard has room for so many people; the one not seen for the
longest time is forgotten first.
"""

# Annotations are not postponed: msgspec reads them when it first needs them, and by then a reload of the
# plugin may have taken this module out of `sys.modules`.

import re
from collections.abc import Callable, Collection, Iterator
from fnmatch import translate
from typing import Any
from zlib import crc32

import msgspec

from pynfo.irc.events import User

SHARDS = 256
PLACES = 16  # sightings kept of one person: the last words and the last coming or going in each channel
TEXT_LENGTH = 300  # characters of what somebody said, and of reasons
SPOKEN = frozenset({"said", "did"})

Fold = Callable[[str], str]


class Sighting(msgspec.Struct, array_like=True, gc=False):
    """One thing that somebody did in one channel.

    `kind`: "said" or "did" (an action); "joined", "left", "quit", "kicked"; "became" (took the nick `other`),
    "was" (had the nick `other` before). `time` is in seconds since the epoch, `channel` is folded, `text` is
    what was said, or the reason; `other` is the other nick, or who kicked; `account` is the login at that
    time.
    """

    time: float
    kind: str
    channel: str
    text: str = ""
    other: str = ""
    msgid: str = ""
    account: str | None = None

    @property
    def spoken(self) -> bool:
        return self.kind in SPOKEN


class Person(msgspec.Struct, array_like=True):
    """A nick, the account last seen with it, and its sightings: for each channel at most two."""

    nick: str
    account: str | None = None
    sightings: list[Sighting] = []


Shard = dict[str, Person]  # by folded nick, the one seen least lately first


class Sightings:
    """The people of one network. `fold` folds names by its casemapping; about `limit` people are kept."""

    def __init__(self, limit: int, fold: Fold) -> None:
        self._fold = fold
        self._room = -(-limit // SHARDS)
        self._shards: list[Shard] = [{} for _ in range(SHARDS)]
        self.changed: set[int] = set()  # shards that are not stored as they are

    def saw(
        self,
        user: User,
        channel: str,
        kind: str,
        time: float,
        *,
        text: str = "",
        other: str = "",
        msgid: str = "",
    ) -> None:
        """Keep a sighting in place of the last one of its sort, words or movement, in that channel."""
        person = self._at_the_end(user.nick)
        person.account = user.account
        channel = self._fold(channel)
        spoken = kind in SPOKEN
        text = _cut(text)
        sightings = person.sightings
        for sighting in sightings:
            if sighting.channel == channel and (sighting.kind in SPOKEN) == spoken:
                sighting.time = time
                sighting.kind = kind
                sighting.text = text
                sighting.other = other
                sighting.msgid = msgid
                sighting.account = user.account
                return
        if len(sightings) >= PLACES:
            sightings.remove(min(sightings, key=_time))
        sightings.append(Sighting(time, kind, channel, text, other, msgid, user.account))

    def rename(self, user: User, old_nick: str, channels: list[str], time: float) -> None:
        """`user`, who has the new nick already, was `old_nick` before."""
        if self._fold(old_nick) == self._fold(user.nick):  # only upper and lower case
            if self.person(old_nick):
                self._at_the_end(user.nick)
            return
        before = msgspec.structs.replace(user, nick=old_nick)
        for channel in channels:
            self.saw(before, channel, "became", time, other=user.nick)
            self.saw(user, channel, "was", time, other=old_nick)

    def logged_in(self, nick: str, account: str | None) -> None:
        """The account of somebody has changed, who did nothing else."""
        person = self.person(nick)
        if person is not None and person.account != account:
            person.account = account
            self._touch(nick)

    def rename_channel(self, old: str, new: str) -> None:
        """What was seen in `old` moves along: another channel may take that name, with other people in it."""
        old, new = self._fold(old), self._fold(new)
        for person in self.people():
            moved = [sighting for sighting in person.sightings if sighting.channel == old]
            if not moved or old == new:
                continue
            person.sightings = [sighting for sighting in person.sightings if sighting.channel != new]
            for sighting in moved:
                sighting.channel = new
            self._touch(person.nick)

    def redact(self, msgid: str) -> None:
        """Forget the words of one message; that somebody spoke remains."""
        for person in self.people():
            for sighting in person.sightings:
                if sighting.msgid == msgid:
                    sighting.text = sighting.msgid = ""
                    self._touch(person.nick)

    def redact_words(self, nick: str, channel: str, text: str) -> None:
        """Forget these words of somebody in a channel; that they spoke remains."""
        channel, text, person = self._fold(channel), _cut(text), self.person(nick)
        for sighting in person.sightings if person else ():
            if sighting.spoken and sighting.channel == channel and sighting.text == text:
                sighting.text = sighting.msgid = ""
                self._touch(nick)

    def forget(self, account: str | None, nicks: Collection[str], since: float) -> None:
        """Forget what an account did, under whatever nick; without one, what `nicks` did from `since` on.

        That others took or had these nicks, or were kicked by them, is forgotten too.
        """
        fold = self._fold
        gone = {fold(nick) for nick in nicks}
        if account is not None:
            since = 0.0
            gone |= {fold(person.nick) for person in self.of_account(account)}

        def is_theirs(sighting: Sighting, person: Person) -> bool:
            if account is None:
                return fold(person.nick) in gone and not sighting.account
            whose = sighting.account or person.account
            return whose is not None and fold(whose) == fold(account)

        for person in list(self.people()):
            left = []
            for sighting in person.sightings:
                recent = sighting.time >= since
                if recent and sighting.other and fold(sighting.other) in gone:
                    if sighting.kind != "kicked":
                        continue
                    sighting.other = sighting.text = ""
                    self._touch(person.nick)
                if not (recent and is_theirs(sighting, person)):
                    left.append(sighting)
            if len(left) < len(person.sightings):
                self._keep(person, left)

    def _keep(self, person: Person, sightings: list[Sighting]) -> None:
        """Keep these of somebody's sightings; without any, nothing of them."""
        self._touch(person.nick)
        person.sightings = sightings
        if not sightings:
            key = self._fold(person.nick)
            del self._shards[_shard_of(key)][key]

    def person(self, nick: str) -> Person | None:
        key = self._fold(nick)
        return self._shards[_shard_of(key)].get(key)

    def people(self) -> Iterator[Person]:
        for shard in self._shards:
            yield from shard.values()

    def of_account(self, account: str) -> list[Person]:
        """Everybody last seen with that account."""
        key = self._fold(account)
        fold = self._fold
        return [person for person in self.people() if person.account and fold(person.account) == key]

    def matching(self, pattern: str) -> list[Person]:
        """Everybody whose nick fits `pattern`, with `*` and `?`; brackets are letters of a nick."""
        fits = re.compile(translate(self._fold(pattern).replace("[", "[[]"))).match
        return [person for shard in self._shards for key, person in shard.items() if fits(key)]

    def dump(self, shard: int) -> dict[str, Any]:
        """One shard as plain values."""
        plain: dict[str, Any] = msgspec.to_builtins(self._shards[shard])
        return plain

    def load(self, shard: int, plain: dict[str, Any]) -> None:
        """Take over what `dump` gave. Raises `msgspec.ValidationError`."""
        self._shards[shard] = msgspec.convert(plain, Shard)
        self._trim(self._shards[shard])

    def _at_the_end(self, nick: str) -> Person:
        """The person of that nick, made where there is none, as the one seen most lately."""
        key = self._fold(nick)
        number = _shard_of(key)
        self.changed.add(number)
        shard = self._shards[number]
        person = shard.pop(key, None)
        if person is None:
            person = Person(nick)
        person.nick = nick
        shard[key] = person
        if len(shard) > self._room:
            self._trim(shard)
        return person

    def _trim(self, shard: Shard) -> None:
        while len(shard) > self._room:
            del shard[next(iter(shard))]

    def _touch(self, nick: str) -> None:
        self.changed.add(_shard_of(self._fold(nick)))


def _shard_of(key: str) -> int:
    """The same in every process, unlike `hash`."""
    return crc32(key.encode(errors="surrogatepass")) % SHARDS


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_LENGTH else text[: TEXT_LENGTH - 1] + "…"


def _time(sighting: Sighting) -> float:
    return sighting.time
