"""Announce what is new at any RSS or Atom address: releases, blogs, commits.

`subscriptions.py` is which feeds are followed where, `formats.py` how entries look, `settings.py` the part of
the config, `commands.py` what people can say. The poller and its memory are the core's, `IFeeds`.
"""

from __future__ import annotations

from typing import Any

from plugins.feeds.commands import feed as feed
from plugins.feeds.commands import feed_add as feed_add
from plugins.feeds.commands import feed_format as feed_format
from plugins.feeds.commands import feed_list as feed_list
from plugins.feeds.commands import feed_remove as feed_remove
from plugins.feeds.settings import Settings as Settings
from plugins.feeds.settings import check as check
from plugins.feeds.subscriptions import ISubscriptions as ISubscriptions
from plugins.feeds.subscriptions import Subscriptions


def init(factory: Any) -> None:
    """Follow what is to be announced."""
    settings = factory.settings("feeds")
    factory.register_adapter(ISubscriptions, lambda factory: Subscriptions(factory, settings))
    ISubscriptions(factory)  # made now: it watches
