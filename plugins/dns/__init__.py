"""Ask the DNS: `!dns example.org MX TXT`, `!dns 192.0.2.1`, `!dns example.org @quad9`.

Every record type that dnspython knows, several questions at once, at resolvers that the operator chose. What
is internal stays so: names of networks that are not the Internet are not asked for, and addresses in them are
not told, unless the settings allow it. DNSSEC is what the resolver says of it (its AD flag, RFC 4035 section
3.2.3).

dnspython is imported with the first question, on a thread. `typed.py` reads what people type, `names.py` and
`addresses.py` say what is internal, `servers.py` which resolvers may be asked, `nameserver.py` carries a
question to one, `asking.py` makes a `Reply` of what comes of it, `lookups.py` shares the replies of equal
questions, and `wording.py` words them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from plugins.dns.lookups import ILookups, Lookups
from plugins.dns.servers import Server, choose
from plugins.dns.servers import read as read_server
from plugins.dns.wording import failure, line
from pynfo import IScheduler, Request, Rest, command

__version__ = "1"


class Settings(msgspec.Struct):
    """`resolvers`: who is asked, in that order, such as "9.9.9.9" or "127.0.0.1:5353"; none: the system's.

    `more_resolvers`: others that people may choose, by name: {"quad9": "9.9.9.9"}. `any_resolver`: they may
    choose any public address too. `internal`: names and addresses of internal networks are told. `timeout`:
    in seconds, of a question with all its attempts.
    """

    resolvers: list[str] = []
    more_resolvers: dict[str, str] = {}
    any_resolver: bool = False
    internal: bool = False
    timeout: Annotated[float, msgspec.Meta(ge=0.1, le=15.0)] = 5.0


def check(settings: Settings, config: Any) -> Iterator[str]:
    """Resolvers that are no addresses."""
    for text in (*settings.resolvers, *settings.more_resolvers.values()):
        try:
            read_server(text)
        except ValueError as error:
            yield f"resolver {error}"
    for name in settings.more_resolvers:
        if name.split() != [name]:
            yield f"{name!r} is no name for a resolver that people can write after @: write one word"


def init(factory: Any) -> None:
    """Offer the lookups."""
    factory.register_adapter(ILookups, Lookups)


@command("dns", aliases=("dig",))
async def look_up(request: Request, question: Rest) -> str:
    """Ask the DNS for the records of a name, or for the name of an address: NAME [TYPE...] [@RESOLVER].

    Example: dns example.org MX TXT
    """
    factory = request.factory
    await IScheduler(factory).in_thread(_import_dnspython)
    from plugins.dns.typed import read

    settings = factory.settings("dns")
    try:
        typed = read(question, internal=settings.internal)
        server = None if typed.resolver is None else _chosen(settings, typed.resolver)
    except ValueError as error:
        raise request.error(f"dns: {error}") from None
    replies = await ILookups(factory).ask(typed.questions, server)
    if failed := failure(replies):
        raise request.error(f"dns: {failed}")
    return line(replies)


def _chosen(settings: Settings, resolver: str) -> Server:
    """The resolver that somebody asks for. Raises `ValueError`, with one sentence."""
    own = [read_server(text) for text in settings.resolvers]
    named = {name.lower(): read_server(text) for name, text in settings.more_resolvers.items()}
    return choose(resolver, own, named, any_public=settings.any_resolver)


def _import_dnspython() -> None:
    import plugins.dns.asking
    import plugins.dns.typed  # noqa: F401
