"""What a log shows of the lines of a connection: everything but secrets."""

from __future__ import annotations

import logging
from base64 import b64encode

import pytest

from pynfo.irc.events import ChannelSynced
from pynfo.irc.settings import ChannelSettings, NetworkSettings, SaslSettings, Secret
from pynfo.irc.shown_lines import ShownLines
from pynfo.testing import Server
from tests.client_run import in_virtual_time, running

SETTINGS = NetworkSettings(
    name="net",
    servers=[("irc.test", 6667)],
    password=Secret("sesame"),
    sasl=SaslSettings(username="pynfo", password=Secret("hunter2")),
    channels=[ChannelSettings("#vault", Secret("k3y"))],
    on_connect=[Secret("PRIVMSG NickServ :IDENTIFY hunter3")],
)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"PRIVMSG #a :hello\r\n", "PRIVMSG #a :hello"),
        (b"PASS sesame\r\n", "PASS <hidden>"),
        (b"AUTHENTICATE AHB5bmZvAGh1bnRlcjI=\r\n", "AUTHENTICATE <hidden>"),
        (b"JOIN #vault k3y\r\n", "JOIN #vault <hidden>"),
        (b"JOIN #by-command its-key\r\n", "JOIN #by-command <hidden>"),
        (b"JOIN #a\r\n", "JOIN #a"),
        (b"OPER root toor\r\n", "OPER root <hidden>"),
        (b"PRIVMSG NickServ :IDENTIFY hunter3\r\n", "<hidden>"),
    ],
)
def test_of_what_is_sent_secrets_are_hidden(line: bytes, shown: str) -> None:
    assert ShownLines(SETTINGS).sent(line) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b":irc.test MODE #vault +k k3y", ":irc.test MODE #vault +k <hidden>"),
        (b":pynfo!p@h PRIVMSG NickServ :IDENTIFY hunter3", ":pynfo!p@h <hidden>"),
        (b":irc.test NOTICE pynfo :\xff", ":irc.test NOTICE pynfo :\ufffd"),
    ],
)
def test_of_what_is_heard_the_secrets_of_the_config_are_hidden(line: bytes, shown: str) -> None:
    assert ShownLines(SETTINGS).received(line) == shown


def test_a_log_of_everything_has_the_lines_both_ways_and_no_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "pynfo")

    @in_virtual_time
    async def log_in_and_join() -> None:
        server = Server(accounts={"pynfo": "hunter2"}, password="sesame")
        login = SaslSettings(mechanism="PLAIN", username="pynfo", password=Secret("hunter2"))
        async with running(server, sasl=login, plain_without_tls=True, password=Secret("sesame")) as run:
            await run.event(ChannelSynced)

    log_in_and_join()

    assert "net < JOIN #pynfo" in caplog.messages
    assert any(message.startswith("net > ") and " JOIN " in message for message in caplog.messages)
    for secret in ("sesame", "hunter2", b64encode(b"\0pynfo\0hunter2").decode()):
        assert secret not in caplog.text
