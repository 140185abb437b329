"""Who may read a channel: what the config says, and what an operator of the channel says."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from plugins.logs.interfaces import IArchive, ILinks
from plugins.logs.line import Line
from plugins.logs.settings import ChannelSettings, Publish
from plugins.logs.site.addresses import line_path
from pynfo import IWeb


def effective(settings: ChannelSettings | None, said: bool | None) -> Publish:
    """`said`: an operator's `!logs publish on` (True) or `off` (False), which goes before the config's.

    A channel that the config does not keep any more (None) is not published.
    """
    if settings is None or said is False:
        return "no"
    if said and settings.publish == "no":
        return "public"
    return settings.publish


@implementer(ILinks)
class Links:
    """The addresses of lines that everybody may read."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory

    async def address_of(self, line: Line) -> str | None:
        info = await IArchive(self._factory).channel(line.place)
        settings = self._factory.settings("logs").channels.get(line.place)
        if info is None or effective(settings, info.publish) not in ("public", "unlisted"):
            return None
        url: str | None = IWeb(self._factory).url(line_path(line.id))
        return url
