"""Who may do what: the role of a person, from the config's masks and the channel's operators."""

from __future__ import annotations

import logging
from typing import Any

from pynfo.command import Role
from pynfo.irc.events import User
from pynfo.usermask import UserMask, parse

log = logging.getLogger(__name__)


class Roles:
    """Asked anew each time: a role lasts no longer than the login, the operator status or the config line."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory
        self._read: dict[str, tuple[list[str], list[UserMask]]] = {}  # as it stood in the config, and parsed

    def role(self, network: str, user: User, channel: str | None) -> Role:
        """The highest role of `user` in `channel`, or in private where that is None."""
        client = self._factory.clients.get(network)
        if client is None:
            return "anyone"
        fold = client.state.fold
        config = self._factory.config
        if any(mask.matches(network, user, fold) for mask in self._masks("owners", config.owners)):
            return "owner"
        if any(mask.matches(network, user, fold) for mask in self._masks("admins", config.admins)):
            return "admin"
        if channel is not None and client.state.is_operator(channel, user.nick):
            return "operator"
        return "anyone"

    def _masks(self, setting: str, texts: list[str]) -> list[UserMask]:
        """Parsed once for each config."""
        known = self._read.get(setting)
        if known is not None and known[0] == texts:
            return known[1]
        masks = []
        for text in texts:
            try:
                masks.append(parse(text))
            except ValueError as error:
                log.error("config: %s: %s", setting, error)
        self._read[setting] = list(texts), masks
        return masks
