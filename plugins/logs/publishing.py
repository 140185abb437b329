"""Who may read a channel: what the config says, and what an operator of the channel says."""

from __future__ import annotations

from plugins.logs.settings import ChannelSettings, Publish


def effective(settings: ChannelSettings | None, said: bool | None) -> Publish:
    """`said`: an operator's `!logs publish on` (True) or `off` (False), which goes before the config's.

    A channel that the config does not keep any more (None) is not published.
    """
    if settings is None or said is False:
        return "no"
    if said and settings.publish == "no":
        return "public"
    return settings.publish
