"""What the config says of logs: `plugins["logs"] = {"channels": {"libera/#pynfo": {}}}`, and more of each."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from pynfo.arguments import parse_duration

SHORTEST = 86400.0  # seconds

Publish = Literal["public", "unlisted", "private", "no"]


class Robots(msgspec.Struct, forbid_unknown_fields=True):
    """Who may index a published channel: search engines, and crawlers that collect text for AI."""

    search: bool = True
    ai: bool = False


class ChannelSettings(msgspec.Struct, forbid_unknown_fields=True):
    """One channel that is kept. `publish`: who may read it on the web; "no": nobody, until an operator of the
    channel says so. `keep`: for how long, such as "90 days"; None: for ever. `relays`: nicks of relay bots
    there whose lines begin with `<nick>`. `link_hours`: how long a link to a private log works."""

    publish: Publish = "no"
    keep: str | None = None
    robots: Robots = msgspec.field(default_factory=Robots)
    relays: list[str] = []
    link_hours: Annotated[int, msgspec.Meta(ge=1, le=24 * 365)] = 24

    def __post_init__(self) -> None:
        try:
            seconds = self.keep_seconds
        except ValueError:
            raise ValueError(f'keep="{self.keep}" is no length of time: write such as "90 days"') from None
        if seconds is not None and seconds < SHORTEST:
            raise ValueError(f'keep="{self.keep}" is too short a time to keep a log: write "1 day" or more')

    @property
    def keep_seconds(self) -> float | None:
        """`keep` in seconds. Raises `ValueError` where it is no duration."""
        return None if self.keep is None else parse_duration(self.keep)


class Settings(msgspec.Struct):
    """`channels`: by `network/#channel`. `keep_hosts`: whether username@host of who spoke is kept (never
    shown). `title`: what the site calls itself. `events`: whether joins, parts, quits, nick and mode changes
    are kept."""

    channels: dict[str, ChannelSettings] = {}
    keep_hosts: bool = False
    events: bool = True
    title: str = "Channel logs"
