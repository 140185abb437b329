"""Mode changes in files, where nobody tells which modes the server had: without hosts and channel keys."""

from __future__ import annotations

from plugins.logs.lines import HIDDEN, KEY, mode_text
from pynfo.irc.isupport import ISupport

# What the modes of most servers are; where a change does not fit them, no parameter of it is trusted.
USUAL = ISupport()
USUAL.update(["PREFIX=(Yaohv)!&@%+", "CHANMODES=beIqgXZw,k,lfjLFHJ,"])


def shown_modes(text: str) -> str:
    """`+o-b alice *!*@…` for `+o-b alice *!*@host.example`."""
    letters, *params = text.split() or [""]
    changes = USUAL.parse_modes(letters, params)
    if [change.param for change in changes if change.param is not None] == params and all(
        change.param is not None or not _needs_param(change.mode) for change in changes
    ):
        return mode_text(changes, USUAL)
    return " ".join([letters, *(HIDDEN if KEY in letters or "@" in param else param for param in params)])


def _needs_param(mode: str) -> bool:
    lists, always, _, _ = USUAL.chanmodes
    return mode in lists or mode in always or mode in USUAL.prefix
