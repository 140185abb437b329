"""Opening connections: addresses raced, certificates checked before a byte is sent, our own shown."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl

import pytest

from pynfo.irc.connect import WrongCertificate, open_connection, tls_context
from pynfo.irc.settings import NetworkSettings

LIMIT = 10  # seconds


class Ear(asyncio.Protocol):
    """A server's end: what it hears, and who is there."""

    def __init__(self, ears):
        self.heard = b""
        self.made = asyncio.Event()
        self.lost = asyncio.Event()
        ears.append(self)

    def connection_made(self, transport):
        self.transport = transport
        self.made.set()

    def data_received(self, data):
        self.heard += data

    def connection_lost(self, error):
        self.lost.set()


@pytest.fixture
async def listen():
    """Listen on loopback; gives the port, and the list of connections."""
    servers = []

    async def start(context=None):
        ears = []
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Ear(ears), "127.0.0.1", 0, ssl=context)
        servers.append(server)
        return server.sockets[0].getsockname()[1], ears

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


def server_context(tls_files, *, wants_certificate=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls_files)
    if wants_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(tls_files[0])
    return context


def fingerprint(tls_files):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(tls_files[0].read_text())).hexdigest()


async def connect(port, host="127.0.0.1", **settings):
    network = NetworkSettings(name="net", servers=[(host, port)], **settings)
    async with asyncio.timeout(LIMIT):
        return await open_connection(asyncio.Protocol, network, host, port, network.tls)


def resolve_to(monkeypatch, *addresses):
    """Have a name resolve to these addresses, in this order."""

    async def getaddrinfo(host, port, **how):
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                socket.IPPROTO_TCP,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in addresses
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


async def test_takes_the_next_address_where_the_first_refuses(listen, monkeypatch):
    port, _ = await listen()
    resolve_to(monkeypatch, "::1", "127.0.0.1")
    transport = await connect(port, "irc.test", tls=False)
    assert transport.get_extra_info("peername")[0] == "127.0.0.1"
    transport.abort()


async def test_an_address_that_does_not_answer_holds_nothing_up(listen, monkeypatch):
    port, _ = await listen()
    loop = asyncio.get_running_loop()
    resolve_to(monkeypatch, "::1", "127.0.0.1")
    sock_connect = loop.sock_connect

    async def silent(connection, address):
        if address[0] == "::1":
            await asyncio.Event().wait()
        await sock_connect(connection, address)

    monkeypatch.setattr(loop, "sock_connect", silent)
    transport = await connect(port, "irc.test", tls=False)
    assert transport.get_extra_info("peername")[0] == "127.0.0.1"
    transport.abort()


async def test_connects_from_the_address_that_the_config_names(listen):
    port, _ = await listen()
    transport = await connect(port, tls=False, bind="127.0.0.2")
    assert transport.get_extra_info("sockname")[0] == "127.0.0.2"
    transport.abort()


async def test_refuses_a_certificate_that_nobody_vouches_for(listen, tls_files):
    port, ears = await listen(server_context(tls_files))
    with pytest.raises(ssl.SSLCertVerificationError):
        await connect(port)
    assert all(ear.heard == b"" for ear in ears)


async def test_takes_any_certificate_only_where_the_config_says_so(listen, tls_files):
    port, _ = await listen(server_context(tls_files))
    transport = await connect(port, tls_verify=False)
    assert transport.get_extra_info("ssl_object").version().startswith("TLS")
    transport.abort()


async def test_a_fingerprint_stands_for_the_authorities(listen, tls_files):
    port, _ = await listen(server_context(tls_files))
    transport = await connect(port, tls_fingerprints=["0" * 64, fingerprint(tls_files)])
    assert not transport.is_closing()
    transport.abort()


async def test_a_wrong_fingerprint_ends_it_before_a_byte_is_sent(listen, tls_files):
    port, ears = await listen(server_context(tls_files))
    with pytest.raises(WrongCertificate, match=fingerprint(tls_files)):
        await connect(port, tls_fingerprints=["0" * 64])
    async with asyncio.timeout(LIMIT):
        await ears[0].lost.wait()
    assert ears[0].heard == b""


async def test_shows_its_own_certificate(listen, tls_files):
    port, ears = await listen(server_context(tls_files, wants_certificate=True))
    cert, key = map(str, tls_files)
    transport = await connect(port, tls_verify=False, client_cert=cert, client_key=key)
    async with asyncio.timeout(LIMIT):
        await ears[0].made.wait()
    shown = ears[0].transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    assert hashlib.sha256(shown).hexdigest() == fingerprint(tls_files)
    transport.abort()


def test_never_asks_for_a_passphrase_on_the_terminal(tmp_path, tls_files):
    from cryptography.hazmat.primitives import serialization

    certificate, key_file = tls_files
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"sesame"),
        )
    )
    settings = NetworkSettings(name="net", servers=[], client_cert=str(certificate), client_key=str(locked))
    with pytest.raises(ssl.SSLError):
        tls_context(settings)
