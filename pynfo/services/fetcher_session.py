"""HTTP itself, over requests-futures: one request, its body read to a limit, on a thread of the pool.

Imported on such a thread, since requests takes a third of a second to import.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import requests
from requests_futures.sessions import FuturesSession
from urllib3.exceptions import HTTPError

CHUNK = 16 * 1024  # bytes that are decompressed at a time


class TooLarge(Exception):
    """The body is over the limit."""


class Session(FuturesSession):  # type: ignore[misc]
    """Keeps no cookies, knows nothing of the environment's proxies and passwords, follows no redirects."""

    def __init__(self, executor: Executor) -> None:
        super().__init__(executor=executor)
        self.trust_env = False

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: whoever asks follows them one by one, since each may lead to another host."""


def read(response: requests.Response, limit: int) -> bytes:
    """The body, decompressed. Raises `TooLarge`."""
    body = bytearray()
    try:
        for chunk in response.raw.stream(CHUNK, decode_content=True):
            body += chunk
            if len(body) > limit:
                raise TooLarge
    except HTTPError as error:
        raise requests.ConnectionError(error) from error
    finally:
        response.close()
    return bytes(body)


def ask(session: Session, url: str, headers: dict[str, str], limit: int, timeout: float) -> Any:
    """The future of an answer, whose `content` is read."""

    def hook(response: requests.Response, **_: Any) -> requests.Response:
        response._content = read(response, limit)
        return response

    return session.get(
        url, headers=headers, timeout=timeout, stream=True, allow_redirects=False, hooks={"response": hook}
    )
