"""A whole client logs in to a whole server, by each mechanism. Minutes pass at once: see `virtual_time`."""

from __future__ import annotations

import asyncio
import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pynfo.irc.events import ChannelSynced, NetworkUp, OperatorNotice
from pynfo.irc.settings import SaslSettings, Secret
from pynfo.testing import Server
from tests.client_run import in_virtual_time, running

PASSWORDS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


def password(mechanism=None, *, value="sesame", required=True):
    return SaslSettings(
        mechanism=mechanism, username="pynfo", password=Secret(value, "env PASSWORD"), required=required
    )


def account_of(run):
    return run.client.state.me.account


@pytest.mark.parametrize("mechanism", PASSWORDS)
@in_virtual_time
async def test_logs_in_with_a_password(mechanism):
    server = Server(accounts={"pynfo": "sesame"})
    async with running(server, sasl=password(mechanism), plain_without_tls=True) as run:
        await run.event(NetworkUp)
        assert account_of(run) == "pynfo"
        assert server.find("pynfo").account == "pynfo"


@pytest.mark.parametrize("mechanism", PASSWORDS)
@in_virtual_time
async def test_does_not_go_on_with_a_wrong_password_where_a_login_is_required(mechanism):
    server = Server(accounts={"pynfo": "sesame"})
    async with running(server, sasl=password(mechanism, value="wrong"), plain_without_tls=True) as run:
        notice = await run.event(OperatorNotice)
        assert notice.matter == "net/login"
        assert "wrong" not in notice.text
        await run.connections_made(2)
        assert not any(isinstance(event, NetworkUp) for event in run.seen)


@in_virtual_time
async def test_goes_on_without_a_login_that_is_not_required():
    server = Server(accounts={"pynfo": "sesame"})
    async with running(server, sasl=password(value="wrong", required=False)) as run:
        await run.event(ChannelSynced)
        assert account_of(run) is None


@in_virtual_time
async def test_takes_the_best_mechanism_that_both_know():
    server = Server(accounts={"pynfo": "sesame"}, sasl_mechanisms=["PLAIN", "SCRAM-SHA-256"])
    async with running(server, sasl=password()) as run:
        await run.event(NetworkUp)
        connection = await server.connection(1)
        assert "AUTHENTICATE SCRAM-SHA-256" in connection.received
        assert "AUTHENTICATE PLAIN" not in connection.received


@in_virtual_time
async def test_never_says_its_password_in_plain_over_a_connection_that_others_can_read():
    server = Server(accounts={"pynfo": "sesame"}, sasl_mechanisms=["PLAIN"])
    async with running(server, sasl=password()) as run:
        await run.connections_made(2)
        connection = await server.connection(1)
        said = base64.b64encode(b"pynfo\0pynfo\0sesame").decode()
        assert not any("AUTHENTICATE PLAIN" in line or said in line for line in connection.received)


@in_virtual_time
async def test_logs_in_with_its_certificate():
    server = Server(certificates={"ab" * 32: "pynfo"})

    def present(connection, message):
        connection.person.fingerprint = "ab" * 32
        connection.answer(message)

    server.handle("CAP", present)
    sasl = SaslSettings(mechanism="EXTERNAL", required=True)
    async with running(server, sasl=sasl, tls=True) as run:
        await run.event(NetworkUp)
        assert account_of(run) == "pynfo"


def test_logs_in_with_a_key(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path / "key.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    server_keys = {"pynfo": base64.b64encode(point).decode()}

    @in_virtual_time
    async def log_in():
        sasl = SaslSettings(
            mechanism="ECDSA-NIST256P-CHALLENGE", username="pynfo", ecdsa_key=str(path), required=True
        )
        async with running(Server(public_keys=server_keys), sasl=sasl) as run:
            await run.event(NetworkUp)
            assert account_of(run) == "pynfo"

    log_in()


@in_virtual_time
async def test_logs_in_again_when_logins_come_back():
    server = Server(accounts={"pynfo": "sesame"})
    async with running(server, sasl=password(required=False)) as run:
        await run.event(ChannelSynced)
        server.withdraw("sasl")
        server.log_in("pynfo", None)
        await asyncio.sleep(5)
        assert account_of(run) is None
        server.offer("sasl", "SCRAM-SHA-256")
        await asyncio.sleep(30)
        assert account_of(run) == "pynfo"


@in_virtual_time
async def test_does_not_wait_for_ever_for_a_login_service_that_is_away():
    server = Server(accounts={"pynfo": "sesame"})
    server.handle("AUTHENTICATE", lambda connection, message: None)
    async with running(server, sasl=password(required=False)) as run:
        began = run.client.time()
        await run.event(ChannelSynced)
        assert 15 <= run.client.time() - began <= 20
