"""What the config says of feeds: `plugins["feeds"] = {"feeds": {"blog": {"url": …, "outputs": […]}}}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec

from plugins.feeds.formats import DEFAULT, check_format
from pynfo.config import Config
from pynfo.validation import is_web_address, unknown

is_name = re.compile(r"[\w.-]{1,32}").fullmatch
RESERVED = frozenset({"add", "list", "remove", "format"})  # words that mean commands behind !feed

Period = Annotated[float, msgspec.Meta(gt=0, le=30 * 86400)]


class FeedSettings(msgspec.Struct, forbid_unknown_fields=True):
    """One feed. `outputs`: the channels that hear of it, `network/#channel`. `period` and `format` None: as
    for all."""

    url: str
    outputs: list[str]
    period: Period | None = None
    format: str | None = None


class Settings(msgspec.Struct):
    """`feeds`: by name. `period`: seconds between looks. `format`: how an entry is announced."""

    feeds: dict[str, FeedSettings] = {}
    period: Period = 900.0
    format: str = DEFAULT


def check(settings: Settings, config: Config) -> Iterator[str]:
    """What is wrong with the settings: a sentence each."""
    networks = [network.name for network in config.networks]
    if problem := _problem_of(settings.format):
        yield f"format: {problem}"
    for name, feed in settings.feeds.items():
        if not is_name(name) or name.lower() in RESERVED:
            yield f"{name!r} is no name for a feed: write up to 32 letters, digits, and . _ -"
        if not is_web_address(feed.url):
            yield f'{name}: url is no address: write such as "https://blog.example.org/feed.xml"'
        if feed.format is not None and (problem := _problem_of(feed.format)):
            yield f"{name}: format: {problem}"
        if not feed.outputs:
            yield f'{name}: outputs is empty: write who hears of it, such as ["{networks[0]}/#channel"]'
        for output in feed.outputs:
            network, slash, channel = output.partition("/")
            if not slash or channel[:1] not in ("#", "&", "+", "!"):
                yield f'{name}: {output!r} is no output: write such as "{networks[0]}/#channel"'
            elif network not in networks:
                yield f"{name}: {unknown('network', network, networks)}"


def _problem_of(format: str) -> str:
    try:
        check_format(format)
    except ValueError as error:
        return str(error)
    return ""
