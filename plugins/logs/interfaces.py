"""`IArchive`: the lines of the channels that are kept; `ILinks`: where they are to be read. Published by the
`logs` plugin.

A *place* is `network/#channel` as the config writes it; what is asked of a place that the archive does not
know gives nothing, or zero. What is marked *await* runs on threads of the archive's own, and raises
`ArchiveBusy` where too many wait already, the time limit is over, or nothing can be written now.
"""

from __future__ import annotations

from zope.interface import Attribute

from pynfo.interfaces import Interface

# mypy: disable-error-code="no-untyped-def, misc, empty-body, type-arg"


class ArchiveBusy(Exception):
    """The archive has too much to do to answer now, or the answer took too long. One sentence."""


class IArchive(Interface):
    key = Attribute("The secret that keys hashes of people and signs links: `bytes`")

    identity = Attribute(
        "A function of a `User`: a keyed hash of their username@host, for `Line.identity`; empty where they "
        "have an account"
    )

    # -- writing. In `pynfo web`, which only reads, these raise `PermissionError`.

    def append(line) -> None:
        """Keep a `Line` that was just said; on disk within a second. At once, on the event loop.

        Not kept where its author has opted out, its text is marked `[off]`, or its msgid is there already.
        Where 10,000 wait for a disk that is full or locked the operator is told, and it becomes a gap.
        """

    async def flush() -> None:
        """*await* until all that was appended so far is on disk."""

    async def add(lines) -> int:
        """*await*: keep older lines, from a network's history or from a file. Gives how many were new.

        A line is there already where one with its msgid is, or one of the same place, kind, nick and text
        at the same time: to the second, or to the minute where all the times given are whole minutes. Two
        equal lines in that time are two lines. Lines of people who opted out, or were forgotten and are of
        before then, are left out.
        """

    async def known_until(place) -> float:
        """*await*: up to when (UTC epoch seconds) what was said there is kept, or a gap; 0: nothing yet."""

    async def know(place, until, gap=None) -> None:
        """*await*: what was said until `until` is kept now, but for `gap` (a `Gap` or None)."""

    async def set_topic(place, topic) -> None:
        """*await*: what the topic is now: none, where it is marked `[off]`, or was redacted or forgotten."""

    async def set_publish(place, on) -> None:
        """*await*: what an operator of the channel says: True, False; None takes it back."""

    async def redact(
        line_id: int | None = None, *, network: str | None = None, msgid: str | None = None
    ) -> bool:
        """*await*: remove the text of one line, everywhere. False where there is no such line, or no text.

        By its id, or by its network and msgid.
        """

    async def opt_out(network, person, out) -> None:
        """*await*: keep nothing more of a `Person`, or (False) keep it again."""

    def is_out(network, user) -> bool:
        """Whether nothing is to be kept of a `User`. At once."""

    async def count(network, person) -> int:
        """*await*: how many lines `forget` would remove."""

    async def forget(network, person) -> int:
        """*await*: remove every line of a `Person`, everywhere; gives how many. Old files do not bring them
        back."""

    async def retain() -> int:
        """*await*: remove the lines that are older than their channel's `keep`; gives how many."""

    # -- reading

    async def channels() -> list:
        """*await*: every channel there is: `ChannelInfo`s, by place."""

    async def channel(place):
        """*await*: the `ChannelInfo` of one; None where there is none. Names are found in any case."""

    async def day(place, day, page=None):
        """*await*: the `DayPage` of a UTC date; `page` from 1, None: the last."""

    async def day_version(place, day) -> str:
        """*await*: changes whenever anything that `day` gives would change. Cheap."""

    async def page_of(line_id):
        """*await*: `(place, date, page)` of a line; None where there is none."""

    async def line(line_id):
        """*await*: one `Line`, or None."""

    async def line_of(network, msgid):
        """*await*: the `Line` of a message, or None; the first, where it stands in several channels."""

    async def around(line_id, before=5, after=5) -> list:
        """*await*: the lines around one in its channel, itself too, in order of time; [] where it is not."""

    async def last(place):
        """*await*: the newest `Line` of a place, None where there is none."""

    async def last_by(network, nick, places):
        """*await*: the newest talk `Line` of a nick in one of the places."""

    async def calendar(place) -> dict:
        """*await*: `date` to its number of talk lines, of days that have any lines."""

    async def month(place, day):
        """*await*: the `MonthDays` of the month that a date is in."""

    async def activity(place) -> list:
        """*await*: `(hour, talk)` for each hour with talk, oldest first; `hour` in hours since the epoch."""

    async def people(place, limit=50) -> list:
        """*await*: the most active `Talker`s, with how often others mention them.

        What it gives may be ten minutes old.
        """

    async def topics(place, limit=50) -> list:
        """*await*: the newest topic `Line`s, newest first."""

    async def search(query, places, *, before=None, limit=50, best_first=False):
        """*await*: the `Found` lines of a parsed `Query` in the places (the visible ones), newest first.

        `before` is the `Found.cursor` of the page before.
        """

    async def counts(query, places):
        """*await*: the `Counts` of what a query finds, of the newest 10,000."""

    def export(place, since=None, until=None):
        """An async iterator over all the `Line`s of a place, in order of time (UTC epoch seconds)."""

    # -- following

    async def latest(place) -> int:
        """*await*: the sequence number of the last change of a place."""

    async def changes(place, after, limit=500):
        """*await*: the `Change`s of a place after a sequence number, in the order of commits; None where they
        are not all known any more."""

    async def changed(after) -> None:
        """*await* a change, of any place, after a sequence number; returns after 15 seconds at the latest."""


class ILinks(Interface):
    async def address_of(line) -> str | None:
        """*await*: the address of a kept `Line` on the web, which leads to it for ever.

        None where its log is not for everybody to read (`publish` "private" or "no"), or there is no web.
        """
