"""Lines as a log may show them: without passwords, keys, and what the settings keep secret."""

from __future__ import annotations

from pynfo.irc.settings import NetworkSettings, Secret, reveal

HIDDEN = "<hidden>"
_ALL = frozenset({"PASS", "AUTHENTICATE"})  # nothing after these is shown
_AFTER_FIRST = frozenset({"JOIN", "OPER"})  # nothing after the first parameter: keys and passwords


class ShownLines:
    """Makes lines of one network fit for a log."""

    def __init__(self, settings: NetworkSettings) -> None:
        texts = {reveal(text) for text in _secrets(settings)}
        self._secrets = sorted(texts - {""}, key=len, reverse=True)

    def sent(self, line: bytes) -> str:
        """A line of ours."""
        text = self.received(line)
        command, _, params = text.partition(" ")
        if command in _ALL:
            return f"{command} {HIDDEN}"
        if command in _AFTER_FIRST and " " in params:
            return f"{command} {params.partition(' ')[0]} {HIDDEN}"
        return text

    def received(self, line: bytes) -> str:
        """A line of the server's, which may repeat what is ours."""
        text = line.decode(errors="replace").rstrip("\r\n")
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text


def _secrets(settings: NetworkSettings) -> list[str | Secret]:
    secrets: list[str | Secret] = [channel.key for channel in settings.channels if channel.key is not None]
    if settings.password is not None:
        secrets.append(settings.password)
    if settings.sasl is not None:
        secrets.append(settings.sasl.password)
    for line in settings.on_connect:
        if isinstance(line, Secret):
            words = line.reveal().partition(" :")[2]  # a server may repeat them, after our name
            secrets += [line, words]
    return secrets
