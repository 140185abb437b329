"""What people say to the bot about feeds: which it follows, and what is new in one.

Everybody in a channel may ask; what is followed there is for its operators, and for admins.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from itertools import chain, count
from urllib.parse import urlsplit

from plugins.feeds.formats import check_format, feed_title, newest
from plugins.feeds.settings import RESERVED, is_name
from plugins.feeds.subscriptions import ISubscriptions, Subscription
from pynfo import FetchFailed, Request, Rest, command
from pynfo.command import quoted
from pynfo.services.feeds_news import folded
from pynfo.services.feeds_places import here, is_admin, place_in, rules, same_place, take_places
from pynfo.services.feeds_reading import Feed, in_order
from pynfo.validation import unknown

TOLD = 3  # entries in one answer
ADDRESS_LENGTH = 500  # characters
NAMED = 24  # characters of a host that become a name
IN_CONFIG = "{} stands in the config: who runs the bot can change it there"


@command
async def feed(request: Request, name: str) -> str:
    """Tell the newest entries of a feed that is followed here. Example: feed blog"""
    found = _find(request, name)
    try:
        now = await ISubscriptions(request.factory).look(found)
    except FetchFailed as error:
        raise request.error(f"feeds: {error}; try again later") from None
    return newest(found.name, now, in_order(now.entries)[::-1][:TOLD], time.time())


@command("feed add")
async def feed_add(request: Request, url: str, rest: Rest = "") -> str:
    """Announce what is new at URL, an RSS or Atom feed: feed add URL [as NAME] [network/#channel].

    For operators of the channel. Example: feed add https://blog.example.org/feed.xml as blog
    """
    places, others = take_places(request, rest.split())
    if len(places) > 1:
        raise request.error("one channel at a time, please")
    place = places[0] if places else here(request)
    if others and (len(others) != 2 or others[0].lower() != "as"):
        raise request.error("write it so: feed add URL as NAME")
    url = url if "://" in url else f"https://{url}"
    if len(url) > ADDRESS_LENGTH or not re.match(r"https?://[^/]", url, re.IGNORECASE):
        raise request.error(f"{quoted(url)} is no address on the web")
    taken = [other for other in _all(request) if place_in(request, place, other.places)]
    for other in taken:
        if other.url == url:
            raise request.error(f"{place} follows that already, as {other.name}")
    name = _new_name(request, others[1] if others else _name_of(url, taken), taken)
    subscription = Subscription(name=name, url=url, places=(place,))
    try:
        found = await ISubscriptions(request.factory).add(subscription)
    except FetchFailed as error:
        raise request.error(f"feeds: {error}") from None
    except ValueError as error:
        raise request.error(str(error)) from None
    return f"following {_shown(name, found)} for {place}"


@command("feed remove")
async def feed_remove(request: Request, name: str, where: Rest = "") -> str:
    """Announce nothing more of the feed NAME here, or in WHERE (network/#channel).

    For operators of the channel. Example: feed remove blog
    """
    found = _ruled(request, name, where)
    ISubscriptions(request.factory).remove(found)
    return f"{found.name} is no longer followed for {found.places[0]}"


@command("feed format")
async def feed_format(request: Request, name: str, text: Rest = "") -> str:
    """Announce entries of the feed NAME as TEXT, with {feed} {title} {link} {author} {date} {summary} in it.

    The word default for TEXT: as other feeds. For operators of the channel.
    Example: feed format blog {author} wrote {title}: {link}
    """
    found = _ruled(request, name, "")
    if not text:
        return f"{found.name} is announced as {found.format or _default(request)}"
    format = "" if text.lower() == "default" else text
    try:
        check_format(format or _default(request))
    except ValueError as error:
        raise request.error(str(error)) from None
    ISubscriptions(request.factory).set_format(found, format)
    return f"{found.name} is announced as {format or _default(request)} from now on"


@command("feed list")
async def feed_list(request: Request) -> str:
    """List the feeds that are followed here; in private, those of the channels that you share with me.

    Example: feed list
    """
    found = _seen(request)
    if not found:
        return "no feed is followed here" if request.channel else "no feed is followed where you are"
    return "; ".join(_described(request, subscription) for subscription in found)


def _described(request: Request, subscription: Subscription) -> str:
    problem = ISubscriptions(request.factory).problem(subscription)
    broken = f", broken now: {problem}" if problem else ""
    where = "" if request.channel else f" for {folded(subscription.places)}"
    address = subscription.url
    if subscription.configured:  # it may hold what is not for everybody
        address = urlsplit(address).hostname or "?"
    return f"{subscription.name} ({address}{broken}){where}"


def _shown(name: str, found: Feed) -> str:
    """A feed after the first look: `blog ("The Blog", 12 entries)`."""
    count = len(found.entries)
    entries = "1 entry" if count == 1 else f"{count} entries"
    return f'{name} ("{feed_title(name, found)}", {entries})'


def _default(request: Request) -> str:
    text: str = request.factory.settings("feeds").format
    return text


def _all(request: Request) -> Iterable[Subscription]:
    everything: Iterable[Subscription] = ISubscriptions(request.factory).all()
    return everything


def _seen(request: Request) -> list[Subscription]:
    """The feeds that the asker may know of: of this channel; in private, of those they share with us."""
    if request.channel is not None:
        places = [f"{request.network}/{request.channel}"]
    elif is_admin(request):
        return list(_all(request))
    else:
        shared = request.client.state.shared_channels(request.user.nick)
        places = [f"{request.network}/{channel}" for channel in shared]
    return [
        subscription
        for subscription in _all(request)
        if any(place_in(request, place, places) for place in subscription.places)
    ]


def _find(request: Request, name: str) -> Subscription:
    """The feed of that name that the asker may know of. Raises the error to be told."""
    seen = _seen(request)
    for subscription in seen:
        if subscription.name.lower() == name.lower():
            return subscription
    raise request.error(unknown("feed", name[:40], [subscription.name for subscription in seen]))


def _ruled(request: Request, name: str, where: str) -> Subscription:
    """The feed of that name that the asker may change. Raises the error to be told."""
    places, others = take_places(request, where.split())
    if others:
        raise request.error(f"{quoted(others[0])} is no channel: write such as {request.network}/#channel")
    place = places[0] if places else None
    if place is None and request.channel is not None:
        place = here(request)
    found = [
        subscription
        for subscription in _all(request)
        if subscription.name.lower() == name.lower()
        and any(
            same_place(request, other, place) if place else rules(request, other)
            for other in subscription.places
        )
    ]
    if not found:
        raise request.error(
            f"no feed {quoted(name)} is followed {f'for {place}' if place else 'where you rule'}"
        )
    if len(found) > 1:
        raise request.error(f"which one: {folded(other.places[0] for other in found)}?")
    if found[0].configured:
        raise request.error(IN_CONFIG.format(found[0].name))
    return found[0]


def _new_name(request: Request, name: str, taken: Iterable[Subscription]) -> str:
    if not is_name(name) or name.lower() in RESERVED:
        raise request.error(
            f"{quoted(name)} is no name for a feed: write up to 32 letters, digits, . _ and -"
        )
    if name.lower() in {other.name.lower() for other in taken}:
        raise request.error(
            f"there is a feed {name} here already: give another name, as in feed add URL as NAME"
        )
    return name


def _name_of(url: str, taken: Iterable[Subscription]) -> str:
    """A name for a feed that was given none: that of its host, and a number where that is taken."""
    host = re.sub(r"[^\w.-]", "", urlsplit(url).hostname or "").removeprefix("www.")
    base = host[:NAMED] or "feed"
    names = {other.name.lower() for other in taken}
    numbered = (f"{base}-{number}" for number in count(2))
    return next(name for name in chain([base], numbered) if name not in names)
