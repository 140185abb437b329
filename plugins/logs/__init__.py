"""Channel logs: keeps what is said in the channels of its settings, and shows it on the web.

`recorder.py` turns what happens on IRC into lines, `history.py` fetches what was said while the bot was away,
`archive/` keeps the lines, `site/` shows them, `commands.py` is what people in the channels can say about
it, `cli.py` what the operator can. Other plugins ask for `IArchive`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plugins.logs.interfaces import ArchiveBusy as ArchiveBusy
from plugins.logs.interfaces import IArchive as IArchive
from plugins.logs.settings import Settings as Settings
from plugins.logs.site.addresses import RESERVED
from pynfo import IOperator
from pynfo.config import Config
from pynfo.validation import unknown

MATTER = "logs/archive"


def init(factory: Any) -> None:
    """Keep the configured channels from now on."""
    from plugins.logs.recorder import Recorder

    _offer_archive(factory, read_only=False)
    archive, settings = IArchive(factory), factory.settings("logs")
    Recorder(factory, archive, settings)


def pages(factory: Any) -> None:
    """Show the logs, in the bot or in a process of their own."""
    from plugins.logs.site.app import make_site
    from pynfo import IWeb

    archive = IArchive(factory, None)
    if archive is None:
        _offer_archive(factory, read_only=True)
        archive = IArchive(factory)
    web = IWeb(factory)
    web.mount("/", make_site(archive, factory.settings("logs"), key=archive.key, url=web.url))


def check(settings: Settings, config: Config) -> Iterator[str]:
    """What is wrong with the settings beside the rest of the config."""
    networks = [network.name for network in config.networks]
    for place in settings.channels:
        network, slash, channel = place.partition("/")
        if not slash or not channel:
            yield f'{place!r} is no channel: write "network/#channel"'
        elif network not in networks:
            yield f"{place}: {unknown('network', network, networks)}"
        elif network in RESERVED:
            yield f"{place}: /{network} is an address of the site: give the network another short name"


def _offer_archive(factory: Any, *, read_only: bool) -> None:
    from plugins.logs.archive.service import Archive

    def tell(problem: str | None) -> None:
        operator: Any = IOperator(factory)
        if problem is None:
            operator.settled(MATTER)
        else:
            operator.tell(MATTER, problem)

    factory.register_adapter(
        IArchive,
        lambda factory: Archive(
            factory.state_dir / "logs",
            places=factory.settings("logs").channels,
            read_only=read_only,
            tell=tell,
        ),
    )
