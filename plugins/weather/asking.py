"""One question to one service: where it is, how long it may take, and what shape its answer must have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from plugins.weather.settings import Settings, endpoint
from pynfo import FetchFailed, IFetcher

LIMIT = 1 << 19  # bytes of an answer; ten days, hour by hour, have a tenth of it

BESIDES = 4.0  # seconds for what the weather can do without: it does not wait for longer

# Where people are is nobody's business later on: what is asked of places belongs in no cache on a disk.
HEADERS = {"Cache-Control": "no-store"}  # RFC 9111 section 5.2.1.5

Answer = TypeVar("Answer")


class Asking:
    """Asks services; `settings` say where they are. Raises `FetchFailed`, whatever a service does."""

    def __init__(self, factory: Any, settings: Settings) -> None:
        self._factory = factory
        self.settings = settings

    async def ask(
        self,
        service: str,
        base: str,
        path: str,
        params: Mapping[str, str],
        shape: type[Answer],
        *,
        max_age: float,
        besides: bool = False,
    ) -> Answer:
        """*await* the JSON that is found at `path`, as a `shape`; {} where the service has nothing to say.

        `besides`: nothing depends on it, so it has less time.
        """
        fetched = await self.fetch(service, base, path, params, max_age=max_age, besides=besides)
        return in_shape(fetched.json() if fetched.content else {}, shape, service)

    async def fetch(
        self,
        service: str,
        base: str,
        path: str,
        params: Mapping[str, str],
        *,
        max_age: float,
        besides: bool = False,
    ) -> Any:
        """*await* the `Fetched` of a `path`."""
        timeout = self.settings.timeout
        fetched = await IFetcher(self._factory).get(
            endpoint(base, path),
            params=params,
            headers=HEADERS,
            timeout=min(timeout, BESIDES) if besides else timeout,
            limit=LIMIT,
            max_age=max_age,
            service=service,
        )
        fetched.raise_for_status()
        return fetched


def in_shape(answer: object, shape: type[Answer], service: str) -> Answer:
    """A decoded answer as a `shape`. Raises `FetchFailed` where it is none."""
    try:
        return msgspec.convert(answer, shape, strict=False)
    except msgspec.ValidationError as error:
        raise FetchFailed(f"{service} answers with something that cannot be read", "broken") from error
