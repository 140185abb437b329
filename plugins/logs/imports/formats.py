"""Every format that is read, and which one a file is of."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.logs.imports.energymech import EnergyMech
from plugins.logs.imports.hexchat import HexChat
from plugins.logs.imports.irssi import Irssi
from plugins.logs.imports.limnoria import Limnoria
from plugins.logs.imports.ndjson import Ndjson
from plugins.logs.imports.readers import Reader
from plugins.logs.imports.weechat import WeeChat
from plugins.logs.imports.znc import Znc

# In doubt the first: what Limnoria writes could be irssi's with dates, what ZNC writes energymech's.
FORMATS: dict[str, type[Reader]] = {
    reader.name: reader for reader in (Ndjson, WeeChat, HexChat, Limnoria, Znc, Irssi, EnergyMech)
}
ENOUGH = 0.5  # of the lines look like it


def recognise(lines: Sequence[str], name: str) -> type[Reader] | None:
    """The format of a file of that name that begins with these lines; None where it is none of them."""
    scores = {reader: reader.recognise(lines, name) for reader in FORMATS.values()}
    best = max(scores, key=lambda reader: scores[reader])
    return best if scores[best] >= ENOUGH else None
