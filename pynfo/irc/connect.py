"""Opening a connection: addresses raced (RFC 8305, "Happy Eyeballs"), TLS, the certificate's fingerprint."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from pynfo.irc.settings import NetworkSettings

if TYPE_CHECKING:
    import ssl

RACE_DELAY = 0.25  # seconds before the next address is tried beside the first (RFC 8305 section 5)
HANDSHAKE_LIMIT = 20.0  # seconds


class WrongCertificate(OSError):
    """The server's certificate is none of those that the config names."""


async def open_connection(
    protocol_factory: Callable[[], asyncio.Protocol],
    settings: NetworkSettings,
    host: str,
    port: int,
    tls: bool,
) -> asyncio.Transport:
    """Connect, and for TLS check the certificate, before a byte of IRC is sent.

    Raises `OSError` (`ssl.SSLCertVerificationError` and `WrongCertificate` are among them). Total time is the
    caller's to limit.
    """
    import aiohappyeyeballs

    loop = asyncio.get_running_loop()
    addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    local = None
    if settings.bind:
        local = await loop.getaddrinfo(settings.bind, 0, type=socket.SOCK_STREAM)
    context = await loop.run_in_executor(None, tls_context, settings) if tls else None
    connection = await aiohappyeyeballs.start_connection(
        addresses, local_addr_infos=local, happy_eyeballs_delay=RACE_DELAY
    )
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    try:
        transport, _ = await loop.create_connection(
            protocol_factory,
            sock=connection,
            ssl=context,
            server_hostname=host if tls else None,
            ssl_handshake_timeout=HANDSHAKE_LIMIT if tls else None,
        )
    except BaseException:
        connection.close()
        raise
    if tls and settings.tls_fingerprints:
        certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        fingerprint = hashlib.sha256(certificate or b"").hexdigest()
        if fingerprint not in settings.tls_fingerprints:
            transport.abort()
            raise WrongCertificate(
                f"the certificate of {host} has the SHA-256 fingerprint {fingerprint}, "
                "which the config does not name"
            )
    return transport


def tls_context(settings: NetworkSettings) -> ssl.SSLContext:
    """TLS 1.2 or later, verified, with our certificate where there is one.

    Where fingerprints are given, one of them must match instead, so that a self-signed certificate works.
    """
    import ssl

    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.tls_fingerprints or not settings.tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.client_cert:
        # With a passphrase at hand, even an empty one, OpenSSL does not ask for it on the terminal.
        context.load_cert_chain(settings.client_cert, settings.client_key, password="")
    return context
