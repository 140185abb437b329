"""What people say to the bot about the logs: where they are, who may read them, and what is to be left out.

Operators rule the log of their own channel, admins every one, and everybody rules what is kept of themselves.
Nothing here tells anybody of a log that they could not read, or how much somebody else has said.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from msgspec.structs import replace

from plugins.logs.archive.records import Person
from plugins.logs.consent import CODE_MINUTES, code_of, confirms
from plugins.logs.interfaces import ArchiveBusy, IArchive
from plugins.logs.line import Line
from plugins.logs.links import lines_named, sign
from plugins.logs.publishing import effective
from plugins.logs.recorder import IRecorder
from plugins.logs.relayed import relaying_of
from plugins.logs.sessions import ISessions
from plugins.logs.settings import ChannelSettings, Publish
from plugins.logs.site.addresses import place_path
from pynfo import ChannelName, ICommands, IWeb, Request, command
from pynfo.human_time import duration

__all__ = ["logs", "logs_forget", "logs_link", "logs_optin", "logs_optout", "logs_publish", "logs_redact"]

REDACTED_AT_ONCE = 50  # lines of a range
ERASING_LIMIT = 900.0  # seconds: the index of each month that somebody spoke in is written anew
LISTED = 5  # channels in one answer
NAMED = 3  # nicks in one answer

NOT_YOURS = "who may read the log of {0} is for the operators of {0} to say"
NOT_TO_BE_TOLD = "I know of no log of {} that I could tell you about"
NO_SUCH_LINE = "there is no such line, or none that you may remove"


class ChannelLog:
    """A channel that the config says to keep, as the asker sees it."""

    def __init__(self, request: Request, place: str, settings: ChannelSettings, said: bool | None) -> None:
        self.place = place
        self.network, _, self.channel = place.partition("/")
        self.settings = settings
        self.publish: Publish = effective(settings, said)
        self.url: str | None = IWeb(request.factory).url(place_path(place))

    @property
    def where(self) -> str:
        """Where the log is to be read, by whom: "the log of #pynfo is at https://…"."""
        if self.publish == "no":
            return f"what is said in {self.channel} is kept, but not published"
        if self.url is None:
            return f"what is said in {self.channel} is kept, but there is no web to read it on"
        if self.publish == "private":
            return f"the log of {self.channel} is for the people in it"
        hint = " (for those who know the address)" if self.publish == "unlisted" else ""
        return f"the log of {self.channel} is at {self.url}{hint}"


@command
async def logs(request: Request, channel: ChannelName | None = None) -> str:
    """Tell where the log of this channel, or of CHANNEL, is, and how to stay out of it."""
    with busy_is_told(request):
        if channel is None and request.channel is None:
            return await _logs_of_asker(request)
        kept = await _told_of(request, channel)
    text = kept.where
    if kept.publish == "private" and kept.url is not None:
        text += f": {_prefix(request)}logs link gives you a link"
    if kept.settings.keep is not None:
        text += f"; lines are kept for {kept.settings.keep}"
    return f"{text}; {_way_out(request)}"


@command("logs publish")
async def logs_publish(
    request: Request, channel: ChannelName | None = None, state: Literal["on", "off"] | None = None
) -> str:
    """Show the log of this channel on the web (on), or do not (off), whatever the config says.

    For operators of the channel. Example: logs publish on
    """
    with busy_is_told(request):
        kept = await _told_of(request, channel)
        if not rules(request, kept.place):
            raise request.error(NOT_YOURS.format(kept.channel))
        if state is not None:
            await IArchive(request.factory).set_publish(kept.place, state == "on")
            kept = await _kept(request, channel)
    return kept.where


@command("logs link", private=True)
async def logs_link(request: Request, channel: ChannelName | None = None) -> str:
    """Give you, in private, a link to the log of this channel, or of CHANNEL, that works for some time."""
    with busy_is_told(request):
        kept = await _told_of(request, channel)
    if kept.publish != "private" or kept.url is None:
        return kept.where
    if not shared_channels(request, kept.place):  # an admin is told of it, but gets no link from outside
        raise request.error(f"a link is for people who are in {kept.channel}")
    hours = kept.settings.link_hours
    token = sign(IArchive(request.factory).key, kept.place, hours)
    return f"the log of {kept.channel}, for you, for {duration(hours * 3600)}: {kept.url}?key={token}"


# -- what is kept of oneself


@command("logs optout")
async def logs_optout(request: Request) -> str:
    """Have nothing more of you kept in the logs of this network: by account, or else by nick and host."""
    person = person_of(request)
    await _opt_out(request, person, out=True)
    await _forget_sightings(request, person)
    only = "" if person.account else ": under another I would know you only with a services account"
    return (
        f"nothing that you say is kept any more in {_logs_of(request)} ({_known_as(person)}"
        f"{only}); what is there already stays until you say {_prefix(request)}logs forget me"
    )


@command("logs optin")
async def logs_optin(request: Request) -> str:
    """Have what you say kept again in the logs of this network."""
    person = person_of(request)
    await _opt_out(request, person, out=False)
    return f"what you say is kept again in {_logs_of(request)} ({_known_as(person)})"


@command("logs forget", private=True, time_limit=ERASING_LIMIT)
async def logs_forget(request: Request, who: Literal["me"], code: str | None = None) -> str:
    """Remove every line of yours from the logs of this network, once you confirm it with the CODE you get.

    Example: logs forget me
    """
    archive, person, now = IArchive(request.factory), person_of(request), time.time()
    asker, network, where = _asker(request, person), request.network, _logs_of(request)
    asked_by = [person, *before_login(request)]
    if code is None:
        with busy_is_told(request):
            count = sum([await archive.count(network, one) for one in asked_by])
        rest = "" if person.account else "; what was said before this session may be another's"
        return (
            f"{how_many(count)} of yours ({_known_as(person)}) would be removed from {where}, "
            f"which cannot be undone{rest}. To have it done say, within {CODE_MINUTES} minutes: "
            f"logs forget me {code_of(archive.key, asker, now)}"
        )
    if not confirms(archive.key, asker, code, now):
        raise request.error("that is not the code, or its time is over: say logs forget me for a new one")
    await _forget_waiting(request, *asked_by)  # first: what is carried meanwhile would be kept
    with busy_is_told(request):
        count = sum([await archive.forget(network, one) for one in asked_by])
    await _forget_sightings(request, *asked_by)
    return (
        f"removed {how_many(count)} of yours from {where}; copies that others made I cannot reach, and what "
        "you say from now on is kept unless you say logs optout"
    )


@command("logs redact", time_limit=ERASING_LIMIT)
async def logs_redact(request: Request, link: str) -> str:
    """Remove what a line of the log says: LINK is its address, or that of up to 50 lines (…#L17-L19).

    For operators of its channel, and for whoever said it.
    """
    named = lines_named(link)
    if named is None:
        raise request.error("that names no line: give me its address, which is behind its time in the log")
    archive = IArchive(request.factory)
    with busy_is_told(request):
        some = await _lines_between(request, *named)
        if not some or not (rules(request, some[0].place) or said_by_asker(request, some)):
            raise request.error(NO_SUCH_LINE)
        removed = [line for line in some if await archive.redact(line.id)]
    if not removed:
        raise request.error("there is nothing to remove in it any more")
    sightings = sightings_of(request.factory)
    if sightings is not None:
        await sightings.forget_words(some[0].network, removed)
    return f"removed what {how_many(len(removed))} said"


# -- who may what


def rules(request: Request, place: str) -> bool:
    """Whether the asker says what becomes of the log of a place."""
    role = ICommands(request.factory).role
    if role(request.network, request.user) != "anyone":
        return True
    channels = shared_channels(request, place)
    return any(role(request.network, request.user, channel) != "anyone" for channel in channels)


def shared_channels(request: Request, place: str) -> list[str]:
    """As the network calls it, the channel of a place, where the asker is in it now; else nothing."""
    shared = request.client.state.shared_channels(request.user.nick)
    return [name for name in shared if place_of(request, name) == place]


def place_of(request: Request, channel: str) -> str | None:
    """The place that a channel of the asker's network is; None where it is not kept."""
    kept = IRecorder(request.factory).places.of(request.network, channel)
    return kept.place if kept is not None else None


def said_by_asker(request: Request, lines: Sequence[Line]) -> bool:
    """Whether all of the lines are the asker's own; also where our relay carried them to."""
    fold = request.client.state.fold

    def is_of(line: Line, person: Person) -> bool:
        if person.account is not None:
            return line.account is not None and fold(line.account) == fold(person.account)
        same = not line.account and line.identity == person.identity
        return same and fold(line.nick) in map(fold, person.nicks) and line.time >= person.since

    asker = [person_of(request), *before_login(request)]
    return all(
        line.author_network == request.network and any(is_of(line, one) for one in asker) for line in lines
    )


def person_of(request: Request) -> Person:
    """Who asks, as consent knows people. Raises `CommandError` where there is nothing to know them by."""
    person: Person = ISessions(request.factory).person_of(request.network, request.user)
    if person.account is None and not person.identity:
        raise request.error("I cannot tell who you are here: log in to your services account first")
    return person


def before_login(request: Request) -> list[Person]:
    """Who asks, as they were known in this session before they logged in; nobody where they have not."""
    if request.user.account is None:
        return []
    user = replace(request.user, account=None)
    person: Person = ISessions(request.factory).person_of(request.network, user)
    return [person] if person.identity else []


@contextmanager
def busy_is_told(request: Request) -> Iterator[None]:
    """An archive that has too much to do is an answer, not a failure."""
    try:
        yield
    except ArchiveBusy as error:
        raise request.error(str(error)) from None


# -- what is meant, and what is said


async def _kept(request: Request, channel: str | None) -> ChannelLog:
    """That channel, or the one that it was asked in. Raises `CommandError` where it is not kept."""
    channel = channel or request.channel
    if channel is None:
        raise request.error("say it in the channel that it is for, or name the channel")
    place = place_of(request, channel)
    if place is None:
        raise request.error(NOT_TO_BE_TOLD.format(channel))
    info = await IArchive(request.factory).channel(place)
    settings = request.factory.settings("logs").channels[place]
    return ChannelLog(request, place, settings, info.publish if info else None)


async def _told_of(request: Request, channel: str | None) -> ChannelLog:
    """The same, where the asker may know of it: who is in it, and admins; of a public one everybody.

    What is asked in one channel about another is read by all there: then it must be public.
    """
    kept = await _kept(request, channel)
    here = request.channel is not None and place_of(request, request.channel) == kept.place
    if kept.publish == "public" or here:
        return kept
    alone = request.channel is None or request.command.private
    if alone and (shared_channels(request, kept.place) or rules(request, kept.place)):
        return kept
    raise request.error(NOT_TO_BE_TOLD.format(channel))


async def _logs_of_asker(request: Request) -> str:
    """In private: the logs of the channels that the asker is in."""
    shared = request.client.state.shared_channels(request.user.nick)
    mine = [await _kept(request, channel) for channel in shared if place_of(request, channel)]
    if not mine:
        raise request.error("I keep no log of a channel that we are both in; name another: logs #channel")
    more = f", and {len(mine) - LISTED} more" if len(mine) > LISTED else ""
    return f"{'; '.join(kept.where for kept in mine[:LISTED])}{more}; {_way_out(request)}"


def _way_out(request: Request) -> str:
    prefix = _prefix(request)
    if IArchive(request.factory).is_out(request.network, request.user):
        return f"nothing is kept of you ({prefix}logs optin changes that)"
    return f"to stay out of it begin a line with [off], or say {prefix}logs optout"


def _prefix(request: Request) -> str:
    """What stands before a command where it was asked."""
    if request.channel is None:
        return ""
    prefix: str = ICommands(request.factory).prefix(request.network, request.channel)
    return prefix


def _logs_of(request: Request) -> str:
    """The logs that the asker's lines are kept in."""
    carried = "" if relaying_of(request.factory) is None else " and of where I relay it to"
    return f"the logs of {request.network}{carried}"


def _known_as(person: Person) -> str:
    """What of a person is known: "account alice", "bob and bob2 from your host"."""
    if person.account is not None:
        return f"account {person.account}"
    return f"{' and '.join(person.nicks[-NAMED:])} from your host"


def _asker(request: Request, person: Person) -> str:
    """Who may use a code: the same account, or the same nick and host, on the same network."""
    fold = request.client.state.fold
    if person.account is not None:
        return f"{request.network}/account/{fold(person.account)}"
    return f"{request.network}/nick/{fold(request.user.nick)}/{person.identity.hex()}"


async def _lines_between(request: Request, first: int, last: int) -> Sequence[Line]:
    """The lines of a channel from one to another; none where one of them is not there."""
    found: list[Line] = await IArchive(request.factory).around(first, before=0, after=REDACTED_AT_ONCE)
    some = [line for line in found if line.id <= last]
    if len(some) > REDACTED_AT_ONCE:
        raise request.error(f"at most {REDACTED_AT_ONCE} lines are removed at once")
    return some if some and some[-1].id == last else []


def how_many(count: int) -> str:
    """How many lines, in words: "1 line", "1,200 lines"."""
    return "no line" if count == 0 else "1 line" if count == 1 else f"{count:,} lines"


def sightings_of(factory: Any) -> Any:
    """What the plugin `seen` keeps; None where it is not loaded: then not even its code is."""
    if "seen" not in factory.plugins.loaded:
        return None
    from plugins.seen import ISightings

    return ISightings(factory, None)


async def _opt_out(request: Request, person: Person, *, out: bool) -> None:
    """By account also as without it: what a network plays back may not tell the account any more."""
    with busy_is_told(request):
        for one in (person, *before_login(request)):
            await IArchive(request.factory).opt_out(request.network, one, out)


async def _forget_waiting(request: Request, *persons: Person) -> None:
    """What the relay has not carried yet is carried no more."""
    relaying = relaying_of(request.factory)
    for person in persons if relaying is not None else ():
        for nick in person.nicks or (request.user.nick,):
            await relaying.forget(request.network, replace(request.user, nick=nick, account=person.account))


async def _forget_sightings(request: Request, *persons: Person) -> None:
    sightings = sightings_of(request.factory)
    for person in persons if sightings is not None else ():
        await sightings.forget(
            request.network, account=person.account, nicks=person.nicks, since=person.since
        )
