"""What goes wrong between us and a server, in words: whatever a library raises becomes `FetchFailed`."""

from __future__ import annotations

import errno
import logging
import socket
import ssl
from collections.abc import Iterator

import requests
from urllib3 import exceptions as urllib3

from pynfo.interfaces import FetchFailed

log = logging.getLogger(__name__)

# X509_V_ERR_… of OpenSSL (x509_vfy.h)
_CERTIFICATES = {
    9: "a certificate that is not valid yet",
    10: "an expired certificate",
    18: "a certificate that it has signed itself",
    19: "a certificate of nobody we trust",
    20: "a certificate of nobody we trust",
    62: "a certificate for another name",
    64: "a certificate for another name",
}
_REFUSALS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ENETUNREACH: "there is no way to it",
    errno.EHOSTUNREACH: "there is no way to it",
    errno.ETIMEDOUT: "it does not take a connection",
}


class NoConnection(FetchFailed):
    """Not even a connection: another address of the host may have one."""


def in_words(error: BaseException, service: str) -> FetchFailed:
    """The failure that an exception of requests, urllib3 or the system means."""
    chain = list(_chain(error))

    def find(*kinds: type[BaseException]) -> BaseException | None:
        return next((one for one in chain if isinstance(one, kinds)), None)

    if find(requests.exceptions.ProxyError, urllib3.ProxyError):
        return FetchFailed(f"the proxy does not reach {service}", "refused")
    if certificate := find(ssl.SSLCertVerificationError):
        words = _CERTIFICATES.get(certificate.verify_code, "a certificate that is not valid")  # type: ignore[attr-defined]
        return FetchFailed(f"{service} has {words}", "tls")
    if find(ssl.SSLError, urllib3.SSLError, requests.exceptions.SSLError):
        return FetchFailed(f"{service} does not speak TLS as it should", "tls")
    if unknown := find(socket.gaierror):
        later = unknown.args[:1] == (socket.EAI_AGAIN,)
        words = "cannot be looked up in DNS now" if later else "is not known in DNS"
        return FetchFailed(f"{service} {words}", "dns")
    if find(urllib3.ConnectTimeoutError, requests.exceptions.ConnectTimeout) and not find(
        urllib3.NewConnectionError
    ):
        return NoConnection(f"{service} does not answer (no connection in time)", "timeout")
    if find(urllib3.NewConnectionError):
        why = next((f" ({_REFUSALS[number]})" for number in map(_errno, chain) if number in _REFUSALS), "")
        return NoConnection(f"{service} cannot be reached{why}", "refused")
    if find(urllib3.ReadTimeoutError, requests.exceptions.ReadTimeout, TimeoutError):
        return FetchFailed(f"{service} does not answer (nothing came in time)", "timeout")
    if find(urllib3.DecodeError):
        return FetchFailed(f"{service} sends something that cannot be decompressed", "broken")
    if find(urllib3.IncompleteRead):
        return FetchFailed(f"{service} ends its answer too early", "broken")
    if find(urllib3.ProtocolError, ConnectionError):
        return FetchFailed(f"{service} ends the connection without a whole answer", "broken")
    log.info("asking %s", service, exc_info=error)
    return FetchFailed(f"{service} sends something that is no HTTP", "broken")


def _errno(error: BaseException) -> int:
    return error.errno or 0 if isinstance(error, OSError) else 0


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that it came from, wherever the libraries keep it."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
