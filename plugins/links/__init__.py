"""Tell what the addresses lead to that people paste: `↳ The title (example.org)`.

Off until an operator of a channel says `!links on`, or the config does. At most one line for a message, and
none where another bot was first. Pages are asked for by the guarded fetch: strangers give the addresses.

`addresses.py` finds them, `services.py` knows the pages of YouTube, GitHub, Wikipedia and others, `page.py`
reads those that no service knows, `titles.py` chooses between the two, `watch.py` joins it to the channels.
"""

from __future__ import annotations

from typing import Any, Literal

from plugins.links.settings import Settings as Settings
from plugins.links.settings import check as check
from plugins.links.watch import ILinks as ILinks
from plugins.links.watch import Watch
from pynfo import ChannelName, ICommands, Request, command

__version__ = "1"


def init(factory: Any) -> None:
    """Listen from now on."""
    factory.register_adapter(ILinks, Watch)
    ILinks(factory)


@command
async def links(
    request: Request, channel: ChannelName | None = None, state: Literal["on", "off"] | None = None
) -> str:
    """Tell the titles of addresses that people say in this channel, or in CHANNEL (on), or do not (off).

    For operators of the channel. Example: links on
    """
    channel = channel or request.channel
    if channel is None:
        raise request.error("say it in the channel that it is for, or name the channel")
    switches = ILinks(request.factory).switches
    if state is not None:
        if ICommands(request.factory).role(request.network, request.user, channel) == "anyone":
            raise request.error(f"switching links on and off in {channel} is for its operators")
        try:
            switches.switch(request.network, channel, state == "on")
        except ValueError as error:
            raise request.error(str(error)) from None
    on = switches.is_on(request.network, channel)
    return f"titles of addresses in {channel} are {'told' if on else 'not told'}"
