"""Logging in to the server in `pynfo.testing`."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from pynfo.irc.message import Message
from pynfo.irc.sasl import Authentication, Outcome
from pynfo.irc.settings import SaslSettings
from pynfo.testing import Server
from tests.irc_client import RawClient, raw_client


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(accounts={"alice": "sesame"}, clock=lambda: 1_700_000_000.5) as server:
        yield server


async def log_in(client: RawClient, settings: SaslSettings) -> Outcome:
    """Let the bot's own SASL talk to the server, until one of them gives up."""
    client.say("NICK bob", "USER bob 0 * :Bob", "CAP REQ sasl")
    await client.hears("CAP * ACK sasl")
    login = Authentication(
        lambda message: client.say(message.format()), settings, secure=True, plain_without_tls=False
    )
    outcome = login.begin(settings.mechanism or "")
    while outcome is None:
        outcome = login.receive(Message.parse((await client.heard.expect("*")).encode()))
    return outcome


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_a_password_logs_in_and_a_wrong_one_does_not(server: Server, mechanism: str) -> None:
    right = SaslSettings(mechanism=mechanism, username="alice", password="sesame")
    wrong = SaslSettings(mechanism=mechanism, username="alice", password="open")
    nobody = SaslSettings(mechanism=mechanism, username="mallory", password="sesame")

    assert await log_in(await raw_client(server), right) == Outcome(ok=True, account="alice", reason="")
    assert (await server.connection(1)).person.account == "alice"
    for settings in (wrong, nobody):
        assert not (await log_in(await raw_client(server), settings)).ok
    assert [person.account for person in server.everyone()] == ["alice", None, None]


async def test_a_certificate_logs_in() -> None:
    async with Server(certificates={"ab12": "alice"}) as server:
        known, unknown = await raw_client(server), await raw_client(server)
        (await server.connection(1)).person.fingerprint = "ab12"

        assert (await log_in(known, SaslSettings(mechanism="EXTERNAL"))).account == "alice"
        assert not (await log_in(unknown, SaslSettings(mechanism="EXTERNAL"))).ok


async def test_a_key_logs_in_and_another_key_does_not(tmp_path: Path) -> None:
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("right", "wrong")}
    for name, key in keys.items():
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / name).write_bytes(pem)
    point = keys["right"].public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    async with Server(public_keys={"alice": b64encode(point).decode()}) as server:
        outcomes = [
            await log_in(
                await raw_client(server),
                SaslSettings(
                    mechanism="ECDSA-NIST256P-CHALLENGE", username="alice", ecdsa_key=str(tmp_path / name)
                ),
            )
            for name in keys
        ]

    assert [outcome.ok for outcome in outcomes] == [True, False]


@pytest.mark.parametrize(
    ("lines", "numeric"),
    [
        (["AUTHENTICATE PLAIN"], "421"),
        (["CAP REQ sasl", "AUTHENTICATE NO-SUCH"], "908"),
        (["CAP REQ sasl", "AUTHENTICATE PLAIN", "AUTHENTICATE *"], "906"),
        (["CAP REQ sasl", "AUTHENTICATE PLAIN", "AUTHENTICATE " + "A" * 401], "905"),
        (["CAP REQ sasl", "AUTHENTICATE PLAIN", *["AUTHENTICATE " + "A" * 400] * 41], "905"),
        (["CAP REQ sasl", "AUTHENTICATE PLAIN", "AUTHENTICATE !!!!"], "904"),
        (["CAP REQ sasl", "AUTHENTICATE PLAIN", "AUTHENTICATE /w=="], "904"),
        (["CAP REQ sasl", "AUTHENTICATE SCRAM-SHA-256", "AUTHENTICATE AAAA"], "904"),
        (["CAP REQ sasl", "AUTHENTICATE PLAIN", "CAP END"], "906"),
    ],
)
async def test_a_login_that_goes_wrong_is_refused(server: Server, lines: list[str], numeric: str) -> None:
    client = await raw_client(server)

    client.say(*lines)

    await client.hears(numeric)
