"""The server in `pynfo.testing`: connections, registration, capabilities, hostile input, and scripts."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pynfo.irc.message import Message
from pynfo.testing import CAPABILITIES, Connection, Server
from pynfo.testing.transcript import matcher
from tests.irc_client import RawClient, raw_client, registered


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(clock=lambda: 1_700_000_000.5) as server:
        yield server


# -- registration


async def test_a_client_is_welcomed_once_it_has_said_nick_and_user(server: Server) -> None:
    client = await raw_client(server)

    client.say("NICK alice")
    assert await client.passed_over() == []
    client.say("USER al 0 * :Alice")

    assert await client.hears("001") == ":irc.test 001 alice :Welcome to the Test IRC Network alice!al@memory"
    for numeric in ("002", "003", "004", "005", "251", "422"):
        await client.hears(f"{numeric} alice")


async def test_what_the_server_says_it_supports_is_what_it_was_given() -> None:
    changes = {"NICKLEN": "5", "MONITOR": None, "UTF8ONLY": ""}
    async with Server(network="My Net", casemapping="ascii", isupport=changes) as server:
        client = await raw_client(server)
        client.say("NICK alice", "USER al 0 * :Alice")
        await client.hears("004")
        tokens = " ".join(line for line in await client.passed_over() if " 005 " in line).split()

        assert {"NICKLEN=5", "UTF8ONLY", "CASEMAPPING=ascii", r"NETWORK=My\x20Net"} <= set(tokens)
        assert not any(token.startswith("MONITOR") for token in tokens)
        client.say("NICK alice2")
        await client.hears("432 alice alice2")


async def test_a_message_of_the_day_is_told_line_by_line() -> None:
    async with Server(motd="Welcome.\nBe kind.") as server:
        client = await raw_client(server)
        client.say("NICK alice", "USER al 0 * :Alice")

        assert await client.hears("372") == ":irc.test 372 alice :- Welcome."
        assert await client.hears("372") == ":irc.test 372 alice :- Be kind."
        await client.hears("376")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("NICK", "431 *"),
        ("NICK 1st", "432 * 1st"),
        ("NICK :a b", "432 * *"),
        ("NICK " + "x" * 31, "432 *"),
        ("NICK ALICE[]", "433 * ALICE[]"),
        ("USER al", "461 * USER"),
        ("JOIN #a", "451 *"),
        ("CAP WHAT", "410 * WHAT"),
    ],
)
async def test_a_wrong_line_before_the_welcome_is_answered_by_its_numeric(
    server: Server, line: str, answer: str
) -> None:
    await server.user("alice{}")
    client = await raw_client(server)

    client.say(line)

    await client.hears(answer)


async def test_without_the_password_of_the_server_the_link_is_closed() -> None:
    async with Server(password="sesame") as server:
        wrong, right = await raw_client(server), await raw_client(server)

        wrong.say("PASS open", "NICK alice", "USER al 0 * :Alice")
        right.say("PASS sesame", "NICK bob", "USER bob 0 * :Bob")

        await wrong.hears("464")
        await wrong.hears("ERROR")
        await (await server.connection(1)).wait_closed()
        await right.hears("001")


# -- capabilities


async def test_registration_waits_for_the_end_of_the_negotiation(server: Server) -> None:
    client = await raw_client(server)

    client.say("CAP LS 302", "NICK alice", "USER al 0 * :Alice")
    assert not any(" 001 " in line for line in await client.passed_over())
    client.say("CAP END")

    await client.hears("001")


async def test_a_long_list_of_capabilities_takes_several_lines() -> None:
    offered = dict(CAPABILITIES) | {f"example.org/{'x' * 60}{number}": "value" for number in range(20)}
    async with Server(capabilities=offered) as server:
        client = await raw_client(server)

        client.say("CAP LS 302")
        lines = await client.passed_over()

        assert len(lines) > 2
        assert all(line.startswith(":irc.test CAP * LS * :") for line in lines[:-1])
        assert all(len(line.encode()) <= 510 for line in lines)
        words = [word for line in lines for word in line.partition("LS ")[2].removeprefix("* :").split()]
        assert {word.lstrip(":").partition("=")[0] for word in words} == set(offered)


async def test_an_old_client_gets_the_names_of_capabilities_without_values() -> None:
    async with Server(accounts={"alice": "secret"}) as server:
        client = await raw_client(server)

        client.say("CAP LS")

        assert "sasl=" not in await client.hears("CAP * LS")


async def test_a_request_is_granted_whole_or_not_at_all(server: Server) -> None:
    client = await raw_client(server)

    client.say(
        "CAP REQ :batch no-such-thing", "CAP LIST", "CAP REQ :batch setname", "CAP REQ -batch", "CAP LIST"
    )

    await client.hears("CAP * NAK :batch no-such-thing")
    await client.hears("CAP * LIST :")
    await client.hears("CAP * ACK :batch setname")
    await client.hears("CAP * ACK -batch")
    assert await client.hears("CAP * LIST") == ":irc.test CAP * LIST setname"


async def test_capabilities_that_come_and_go_are_told_to_those_who_ask(server: Server) -> None:
    asking, other = await raw_client(server), await registered(server, "bob")
    asking.say("CAP LS 302", "CAP REQ setname")
    await asking.hears("CAP * ACK setname")

    server.withdraw("setname")
    server.offer("sasl", "PLAIN")

    await asking.hears("CAP * DEL setname")
    await asking.hears("CAP * NEW sasl=PLAIN")
    asking.say("CAP LIST")
    assert await asking.hears("CAP * LIST") == ":irc.test CAP * LIST cap-notify"
    assert await other.passed_over() == []


# -- the link


async def test_a_ping_comes_back(server: Server) -> None:
    client = await raw_client(server)

    client.say("PING :a b")

    assert await client.hears("PONG") == ":irc.test PONG irc.test :a b"


async def test_a_client_that_quits_gets_an_error_and_is_hung_up(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    client = await registered(server, "bob")
    client.say("JOIN #a", "QUIT :Good night")

    assert await client.hears("ERROR") == "ERROR :Closing link: (bob@memory) [Quit: Good night]"
    await (await server.connection()).wait_closed()
    await alice.expect(":bob!bob@memory QUIT :Quit: Good night")
    assert server.find("bob") is None


async def test_a_client_whose_connection_breaks_is_seen_to_quit(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    client = await registered(server, "bob")
    client.say("JOIN #a")
    await alice.expect(":bob!* JOIN")
    assert client.transport is not None

    client.transport.abort()

    await alice.expect(":bob!bob@memory QUIT :Connection closed*")


async def test_no_more_connections_come_in_than_the_limit_allows(server: Server) -> None:
    server.connection_limit = 1
    client = await raw_client(server)

    with pytest.raises(ConnectionRefusedError):
        await raw_client(server)

    client.say("QUIT")
    await (await server.connection()).wait_closed()
    await raw_client(server)


async def test_a_server_that_accepts_nobody_refuses(server: Server) -> None:
    server.accepting = False

    with pytest.raises(ConnectionRefusedError):
        await server.connect(RawClient)


# -- hostile input


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0\0\0\r\n",
        b"PRIVMSG #a :\0\r\n",
        b"\xff\xfe\xfd \x80\r\n",
        b"@ :\r\n",
        b":only-a-source\r\n",
        b"\r\n\n\r\r\n",
        b":\r\n",
        b"@+\x02=1 PRIVMSG #a :hello\r\n",
        b"JOIN :#a b\r\nKICK #a : \r\nMODE #a +k :\r\nMODE #a +b :x y\r\nTOPIC : x\r\nINVITE : :\r\n",
        b"WHO : %tcuhn,:\r\nWHOIS :\r\nNAMES :\r\nMONITOR + :,a b,\r\nUSERHOST : \r\nISON :\r\nPART :\r\n",
        b"MODE #a +l 99999999999999999999\r\nMODE #a +bbbbbbbbbbbbbbbbbbbbb a b c d\r\nMODE : :\r\n",
        b"AUTHENTICATE :\r\nCAP REQ\r\nCAP LS 99999999999999999999999999\r\nCAP REQ : \r\nCAP :\r\n",
        b"CHATHISTORY LATEST #a * 1\r\nAWAY :\r\nSETNAME :\r\nPASS :\r\nUSER : : : :\r\nPING :\r\n",
    ],
)
async def test_garbage_neither_ends_the_connection_nor_the_server(server: Server, garbage: bytes) -> None:
    client = await registered(server, "bob", "message-tags", "setname")
    client.say("JOIN #a")

    client.say(garbage)

    await client.passed_over()


async def test_a_line_over_the_limit_is_refused_and_the_next_one_heard(server: Server) -> None:
    client = await registered(server, "bob")

    client.say("PING " + "x" * 505, "PING " + "y" * 506)

    await client.hears("PONG")
    await client.hears("417 bob")
    assert await client.passed_over() == []


async def test_tags_over_the_limit_are_refused(server: Server) -> None:
    client = await registered(server, "bob", "message-tags")

    client.say("@+x=" + "y" * 4100 + " PING 1")

    await client.hears("417 bob")


async def test_an_endless_line_takes_no_memory_and_is_refused_once(server: Server) -> None:
    client = await registered(server, "bob")

    client.say(b"x" * 100_000)
    await client.hears("417 bob")
    client.say(b"x" * 100_000, b"x\r\n")

    assert await client.passed_over() == []


async def test_a_client_that_does_not_read_is_thrown_out(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pynfo.testing.connection.UNREAD_LIMIT", 20_000)
    client = await registered(server, "bob")
    assert client.transport is not None
    client.transport.pause_reading()

    for _ in range(100):
        client.say("MOTD", "LUSERS", "WHOIS bob")

    await (await server.connection()).wait_closed()


# -- scripts


async def test_a_test_can_drive_every_line(server: Server) -> None:
    server.scripted = True
    client = await raw_client(server)
    connection = await server.connection(1)

    client.say("CAP LS 302", "NICK alice")
    connection.send(":irc.test CAP * LS :sasl")
    connection.send(b":irc.test NOTICE * :cut ")
    connection.send(b"in two\r\n")

    assert await connection.expect("NICK *") == "NICK alice"
    assert list(connection.received) == ["CAP LS 302", "NICK alice"]
    assert await client.hears("*") == ":irc.test CAP * LS :sasl"
    assert await client.hears("*") == ":irc.test NOTICE * :cut in two"


async def test_an_expectation_that_is_not_met_tells_what_came_instead(server: Server) -> None:
    client = await raw_client(server)
    connection = await server.connection()
    client.say("NICK alice", "USER al 0 * :Alice")
    await client.passed_over()

    with pytest.raises(AssertionError, match=r"(?s)'JOIN #a' did not come.*NICK alice.*USER al 0"):
        await connection.expect("JOIN #a", timeout=0)


async def test_an_expectation_fails_at_once_when_the_client_has_gone(server: Server) -> None:
    client = await raw_client(server)
    connection = await server.connection()
    assert client.transport is not None

    client.transport.close()

    with pytest.raises(AssertionError, match="connection is closed"):
        await connection.expect("JOIN #a", timeout=None)


@pytest.mark.parametrize(
    ("pattern", "line", "described"),
    [
        ("JOIN #a", "JOIN #a", True),
        ("JOIN #a", "JOIN #a key", True),
        ("JOIN #a", "JOIN #ab", False),
        ("JOIN #a*", "JOIN #ab", True),
        ("NICK alice?", "NICK alice_", True),
        ("PRIVMSG #a hello", "PRIVMSG #a :hello", True),
        ("PRIVMSG #a :hello", "PRIVMSG #a hello", True),
        ("PRIVMSG #a :hello", "PRIVMSG #a :hello world", True),
        ("PRIVMSG", "@label=1 PRIVMSG #a :hello", True),
        ("@label=1 PRIVMSG", "@label=1 PRIVMSG #a :hello", True),
        ("PRIVMSG", ":alice!a@b PRIVMSG #a :hello", True),
        (":bob!* PRIVMSG", ":alice!a@b PRIVMSG #a :hello", False),
        ("[x]", "[x] y", True),
        ("[x]", "x", False),
        (re.compile("h.llo$"), "PRIVMSG #a :hello", True),
        (re.compile("^h.llo"), "PRIVMSG #a :hello", False),
    ],
)
def test_a_pattern_is_the_first_words_of_a_line(
    pattern: str | re.Pattern[str], line: str, described: bool
) -> None:
    assert matcher(pattern)(line) is described


async def test_a_handler_replaces_the_answer_to_one_command(server: Server) -> None:
    seen: list[list[str]] = []

    def refuse_once(connection: Connection, message: Message) -> str | None:
        seen.append(message.params)
        if len(seen) == 1:
            return ":irc.test 437 bob #a :Unavailable"
        connection.answer(message)
        return None

    server.handle("join", refuse_once)
    client = await registered(server, "bob")

    client.say("JOIN #a", "JOIN #b")
    await client.hears("437 bob #a")
    await client.hears("JOIN #b")
    server.handle("JOIN", None)
    client.say("JOIN #c")
    await client.hears("JOIN #c")

    assert seen == [["#a"], ["#b"]]


async def test_what_a_handler_raises_is_raised_again_when_the_server_closes() -> None:
    server = Server()

    def fail(connection: Connection, message: Message) -> None:
        raise AssertionError("the bot joined")

    server.handle("JOIN", fail)
    client = await registered(server, "bob")
    client.say("JOIN #a")
    await client.passed_over()

    with pytest.raises(AssertionError, match="the bot joined"):
        await server.close()


async def test_a_frozen_connection_takes_in_everything_and_answers_nothing(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    client = await registered(server, "bob")
    client.say("JOIN #a")
    await client.hears("366")
    connection = await server.connection()

    connection.freeze()
    client.say("PING :are you there")
    alice.say("#a", "hello")

    await connection.expect("PING :are you there")
    connection.send("the first line after all of that")
    assert await client.hears("*") == "the first line after all of that"


async def test_a_connection_can_be_closed_or_reset_by_the_server(server: Server) -> None:
    closed, reset = await raw_client(server), await raw_client(server)
    first, second = await server.connection(1), await server.connection(2)

    first.send("ERROR :Closing link")
    first.close()
    second.send("ERROR :Closing link")
    second.abort()

    assert await closed.lost is None
    assert list(closed.heard) == ["ERROR :Closing link"]
    assert isinstance(await reset.lost, ConnectionResetError)
    assert list(reset.heard) == []


async def test_a_connection_that_is_waited_for_in_vain_fails_the_test(server: Server) -> None:
    with pytest.raises(AssertionError, match="0 connections came, 1 were waited for"):
        await server.connection(1, timeout=0.01)


# -- sockets


async def tcp_client(port: int, tls: ssl.SSLContext | None = None) -> RawClient:
    loop = asyncio.get_running_loop()
    hostname = "localhost" if tls else None
    _, client = await loop.create_connection(RawClient, "127.0.0.1", port, ssl=tls, server_hostname=hostname)
    return client


async def test_clients_on_a_socket_and_in_memory_talk_to_each_other(server: Server) -> None:
    port = await server.listen()
    far, near = await tcp_client(port), await registered(server, "near")
    far.say("NICK far", "USER far 0 * :Far", "JOIN #a")
    await far.hears("366")
    near.say("JOIN #a")
    await far.hears(":near!near@memory JOIN #a")

    far.say("PRIVMSG #a :hello over there")

    assert await near.hears("PRIVMSG") == ":far!far@127.0.0.1 PRIVMSG #a :hello over there"


async def test_a_socket_is_shut_when_the_server_closes() -> None:
    server = Server()
    port = await server.listen()
    client = await tcp_client(port)
    await server.connection()

    await server.close()

    with pytest.raises(AssertionError, match="connection is closed"):
        await client.heard.expect("never", timeout=None)
    with pytest.raises(OSError):
        await tcp_client(port)


async def test_a_client_that_never_reads_does_not_hold_up_the_close(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pynfo.testing.server.CLOSE_LIMIT", 0.01)
    server = Server()
    client = await tcp_client(await server.listen())
    connection = await server.connection()
    assert client.transport is not None
    client.transport.pause_reading()
    connection.send(b"x" * 7_000_000)

    await server.close()

    assert connection.closed
    client.transport.abort()


async def test_a_client_certificate_over_tls_is_known_by_its_fingerprint(
    server: Server, tls_files: tuple[Path, Path]
) -> None:
    certificate, key = tls_files
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate, key)
    ours.verify_mode = ssl.CERT_OPTIONAL
    ours.load_verify_locations(certificate)
    theirs = ssl.create_default_context(cafile=str(certificate))
    theirs.load_cert_chain(certificate, key)
    port = await server.listen(tls=ours)

    client = await tcp_client(port, theirs)
    client.say("PING 1")
    await client.hears("PONG")

    fingerprint = (await server.connection()).person.fingerprint
    assert fingerprint is not None
    assert re.fullmatch("[0-9a-f]{64}", fingerprint)
