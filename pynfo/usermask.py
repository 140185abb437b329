"""Masks that name people: `$a:ACCOUNT`, `nick!user@host`, or a nick; on one network or everywhere.

One place decides whether a mask means a user: owners, admins and the ignore list all ask here. Wildcards are
`*` and `?`, as in IRC bans (Modern IRC, "Wildcard Expressions"); brackets are ordinary letters of a nick.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate
from functools import lru_cache

import msgspec

from pynfo.irc.events import User

MASK_LENGTH = 300  # characters: the longest nick, username and host that networks have, and room to spare

_UNSAFE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]").search
_NETWORK = re.compile(r"[^!@*?$/]+").fullmatch


class UserMask(msgspec.Struct, frozen=True):
    """Whom a mask means: those logged in as `account`, or those whose `nick!user@host` fits `hostmask`.

    Exactly one of the two is set. `network` is a network's short name, None where any network will do.
    """

    network: str | None = None
    account: str | None = None
    hostmask: str | None = None

    def matches(self, network: str, user: User, fold: Callable[[str], str]) -> bool:
        """Whether `user` of `network` is meant; `fold` folds names by that network's casemapping."""
        if self.network is not None and self.network != network:
            return False
        if self.account is not None:
            return user.account is not None and fold(user.account) == fold(self.account)
        return _pattern(fold(self.hostmask or "")).match(fold(user.mask)) is not None

    def __str__(self) -> str:
        """The mask in full, so that `parse(str(mask)) == mask`: a bare nick comes back as `nick!*@*`."""
        text = f"$a:{self.account}" if self.account is not None else self.hostmask or ""
        return f"{self.network}/{text}" if self.network is not None else text


def parse(text: str) -> UserMask:
    """Read `[network/]$a:ACCOUNT`, `[network/]nick!user@host` or `[network/]nick`.

    What a host mask leaves out is `*`: `*@host` and `nick!user` are fine. Raises `ValueError` with one
    sentence.
    """
    if not text:
        raise ValueError("a mask is empty: write $a:ACCOUNT, nick!user@host or a nick")
    if len(text) > MASK_LENGTH:
        raise ValueError(f"a mask has at most {MASK_LENGTH} characters")
    if _UNSAFE(text):
        raise ValueError(f"the mask {text[:60]!r} has a space or a control character in it")
    network: str | None
    network, slash, rest = text.partition("/")
    if not slash or not _NETWORK(network):  # a host may have slashes: *!*@user/alice
        network, rest = None, text
    if rest.startswith("$"):
        return UserMask(network=network, account=_account(rest))
    return UserMask(network=network, hostmask=_hostmask(rest))


def _account(rest: str) -> str:
    account = rest.removeprefix("$a:")
    if account == rest or not account:
        raise ValueError(f"the mask {rest[:60]!r} is not known: write $a:ACCOUNT")
    if not set("*?!@,").isdisjoint(account):
        raise ValueError(
            f"the mask {rest[:60]!r} does not name one account: write $a:ACCOUNT without wildcards"
        )
    return account


def _hostmask(rest: str) -> str:
    head, at, host = rest.partition("@")
    nick, bang, username = head.partition("!")
    if at and not bang:
        nick, username = "*", head
    if not nick or ((bang or at) and not (username and (host or not at))):
        raise ValueError(f"the mask {rest[:60]!r} has an empty part: write nick!user@host, with * for any")
    if nick[0] in "#&:" or not set("!@").isdisjoint(host) or "!" in username or "/" in nick:
        raise ValueError(f"the mask {rest[:60]!r} is not of the form nick!user@host")
    return f"{nick}!{username or '*'}@{host or '*'}"


@lru_cache(maxsize=1024)
def _pattern(hostmask: str) -> re.Pattern[str]:
    """`fnmatch` makes expressions that never backtrack far, however many stars a mask has."""
    return re.compile(translate(hostmask.replace("[", "[[]")))
