"""Channel logs: keeps what is said in the channels of its settings, and shows it on the web.

`recorder.py` turns what happens on IRC into lines, `history.py` fetches what was said while the bot was away,
`archive/` keeps the lines, `site/` shows them, `commands.py` is what people in the channels can say about
it, `command_line.py` what the operator can. Other plugins ask for `IArchive` and `ILinks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from plugins.logs.commands import logs as logs
from plugins.logs.commands import logs_forget as logs_forget
from plugins.logs.commands import logs_link as logs_link
from plugins.logs.commands import logs_optin as logs_optin
from plugins.logs.commands import logs_optout as logs_optout
from plugins.logs.commands import logs_publish as logs_publish
from plugins.logs.commands import logs_redact as logs_redact
from plugins.logs.interfaces import ArchiveBusy as ArchiveBusy
from plugins.logs.interfaces import IArchive as IArchive
from plugins.logs.interfaces import ILinks as ILinks
from plugins.logs.publishing import Links
from plugins.logs.settings import Settings as Settings
from plugins.logs.site.addresses import RESERVED
from pynfo import IOperator, IScheduler, IWeb
from pynfo import config_rules as rules
from pynfo.config import Config
from pynfo.ownership import adopt
from pynfo.validation import unknown

MATTER = "logs/archive"


async def init(factory: Any) -> None:
    """Keep the configured channels from now on."""
    from plugins.logs import absence, retention
    from plugins.logs.history import History
    from plugins.logs.recorder import Recorder

    await _offer_archive(factory, read_only=False)
    archive, settings = IArchive(factory), factory.settings("logs")
    await archive.flush()  # it knows the channels from here on
    factory.register_adapter(ILinks, Links)
    recorder = Recorder(factory, archive, settings)
    History(factory, archive, settings)
    retention.begin(factory, archive)
    absence.begin(factory, recorder.places)


async def fini(factory: Any) -> None:
    """While all is still heard: find out that nothing was missed so far."""
    from plugins.logs.history import IFilling

    filling = IFilling(factory, None)
    if filling is not None:
        await filling.hear()


async def pages(factory: Any) -> None:
    """Show the logs, in the bot or in a process of their own."""
    archive = IArchive(factory, None)
    if archive is None:
        await _offer_archive(factory, read_only=True)
        archive = IArchive(factory)
    # On a thread: to load the template engine takes longer than people in channels are to wait.
    app = await IScheduler(factory).in_thread(import_module, f"{__name__}.site.app")
    web = IWeb(factory)
    site = app.make_site(archive, factory.settings("logs"), key=archive.key, url=web.url)
    adopt(site.state.site.stop)
    web.mount("/", site)


def check(settings: Settings, config: Config) -> Iterator[str]:
    """What is wrong with the settings beside the rest of the config."""
    networks = [network.name for network in config.networks]
    folded: dict[str, str] = {}
    for place in settings.channels:
        network, slash, channel = place.partition("/")
        if not slash or not channel:
            yield f'{place!r} is no channel: write "network/#channel"'
        elif network not in networks:
            yield f"{place}: {unknown('network', network, networks)}"
        elif network in RESERVED:
            yield f"{place}: /{network} is an address of the site: give the network another short name"
        elif wrong := rules.channel(channel):
            yield f"{place}: {wrong}"
        elif folded.setdefault(place.lower(), place) != place:
            yield f"{place} and {folded[place.lower()]} are the same channel: write it once"


def __getattr__(name: str) -> Any:
    """`cli`, for `pynfo logs …`: the bot itself needs none of what it imports."""
    if name != "cli":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from plugins.logs.command_line import cli

    globals()["cli"] = cli
    return cli


async def _offer_archive(factory: Any, *, read_only: bool) -> None:
    from plugins.logs.archive.database import prepare
    from plugins.logs.archive.service import Archive

    folder = factory.state_dir / "logs"
    await IScheduler(factory).in_thread(prepare, folder)

    def tell(problem: str | None) -> None:
        operator: Any = IOperator(factory)
        if problem is None:
            operator.settled(MATTER)
        else:
            operator.tell(MATTER, problem)

    factory.register_adapter(
        IArchive,
        lambda factory: Archive(
            folder,
            places=factory.settings("logs").channels,
            read_only=read_only,
            tell=tell,
        ),
    )
