"""The web of a config file: `Http(...)` checked whole and made into `HttpSettings`."""

from __future__ import annotations

import msgspec

from pynfo import config_rules as rules
from pynfo.config_places import Place
from pynfo.config_reading import WrittenReader
from pynfo.config_terms import Http
from pynfo.validation import shown


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the web pages are served, and how much of them one reader may have.

    `port` 0 takes a free one. `public_url` is what people type where a proxy stands in front, without a slash
    at its end. `trusted_proxies` are the addresses, or networks, whose X-Forwarded-For is believed.
    `requests_per_second` and `burst` are for each address (64 bits of an IPv6 one); None: no limit.
    `in_bot` False: the bot itself does not listen, and leaves that to `pynfo web`.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str | None = None
    trusted_proxies: list[str] = []
    requests_per_second: float | None = 20.0
    burst: int = 100
    in_bot: bool = True


class HttpReader(WrittenReader):
    """Reads `http` of one file."""

    def read(self, written: object, place: Place) -> HttpSettings | None:
        """None where there is to be no web, or something is wrong."""
        if written is None:
            return None
        if not isinstance(written, Http):
            text = f"http is {shown(written)}: write Http(port=8080), or None for no web"
            self.mistakes.append(place.mistake(text))
            return None
        before = len(self.mistakes)
        place = self.place(written)
        values = self._values(written, place, HttpSettings, ("host", "port"), "setting of Http")
        self._tell_all(place, rules.broken(values, rules.HTTP_RULES))
        if values.get("public_url") is not None:
            values["public_url"] = values["public_url"].rstrip("/")
        return HttpSettings(**values) if len(self.mistakes) == before else None
