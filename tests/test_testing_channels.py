"""Channels of the server in `pynfo.testing`: who gets in, what changes, and who is told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pynfo.testing import Server
from tests.irc_client import registered


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(clock=lambda: 1_700_000_000.5) as server:
        yield server


async def test_joining_tells_the_members_and_gives_topic_and_names(server: Server) -> None:
    alice = await server.user("alice", account="alice", channels=["#a"])
    alice.topic("#a", "all about a")
    plain, modern = (
        await registered(server, "bob"),
        await registered(server, "carol", "extended-join", "multi-prefix"),
    )
    plain.say("JOIN #A")
    await plain.hears(":bob!bob@memory JOIN #a")
    assert await plain.hears("332") == ":irc.test 332 bob #a :all about a"
    assert await plain.hears("333") == ":irc.test 333 bob #a alice!alice@alice.test 1700000000"
    assert await plain.hears("353") == ":irc.test 353 bob = #a :@alice bob"
    await plain.hears("366 bob #a")
    server.mode("#a", "+v", "alice")

    modern.say("JOIN #a")

    await modern.hears(":carol!carol@memory JOIN #a * :carol the Tester")
    assert await modern.hears("353") == ":irc.test 353 carol = #a :@+alice bob carol"
    await plain.hears(":carol!carol@memory JOIN #a")


async def test_names_come_with_hosts_or_not_at_all_where_that_was_negotiated(server: Server) -> None:
    await server.user("alice", channels=["#a"])
    hosts = await registered(server, "bob", "userhost-in-names")
    silent = await registered(server, "carol", "no-implicit-names")

    hosts.say("JOIN #a")
    silent.say("JOIN #a")

    assert "@alice!alice@alice.test bob!bob@memory" in await hosts.hears("353")
    await silent.hears("JOIN #a")
    assert await silent.passed_over() == []
    silent.say("NAMES #a")
    await silent.hears("353")


@pytest.mark.parametrize(
    ("modes", "params", "numeric"),
    [
        ("+i", [], "473"),
        ("+k", ["key"], "475"),
        ("+l", ["1"], "471"),
        ("+b", ["bob!*@*"], "474"),
        ("+r", [], "477"),
    ],
)
async def test_a_channel_that_is_closed_is_not_joined_but_by_invitation(
    server: Server, modes: str, params: list[str], numeric: str
) -> None:
    alice = await server.user("alice", channels=["#a"])
    alice.mode("#a", modes, *params)
    bob = await registered(server, "bob")

    bob.say("JOIN #a wrong")
    await bob.hears(f"{numeric} bob #a")
    alice.send("INVITE", "bob", "#a")
    await bob.hears(":alice!alice@alice.test INVITE bob #a")
    bob.say("JOIN #a")
    await bob.hears("366 bob #a")
    if numeric != "471":
        bob.say("PART #a", "JOIN #a")
        await bob.hears(f"{numeric} bob #a")


async def test_the_right_key_opens_and_a_forward_leads_elsewhere(server: Server) -> None:
    server.mode("#secret", "+k", "sesame")
    server.channel("#closed").modes["i"] = None
    server.channel("#closed").forward = "##waiting"
    bob = await registered(server, "bob")

    bob.say("JOIN #secret,#closed sesame")

    await bob.hears("JOIN #secret")
    await bob.hears("470 bob #closed ##waiting")
    await bob.hears("JOIN ##waiting")


async def test_a_forward_into_a_channel_that_is_closed_too_leads_nowhere(server: Server) -> None:
    for name, forward in (("#a", "#b"), ("#b", "#a")):
        server.channel(name).modes["i"] = None
        server.channel(name).forward = forward
    bob = await registered(server, "bob")

    bob.say("JOIN #a")

    assert await bob.passed_over() == [":irc.test 470 bob #a #b :Forwarding to another channel"]


async def test_what_is_no_channel_or_one_too_many_is_refused(server: Server) -> None:
    server.channel_limit = 1
    bob = await registered(server, "bob")

    bob.say("JOIN a,#", "JOIN #" + "x" * 50, "JOIN #a", "JOIN #b", "PART #b", "KICK #b bob", "TOPIC #b")

    for answer in ("403 bob a", "403 bob #", "403 bob #x*", "JOIN #a", "405 bob #b", *["403 bob #b"] * 3):
        await bob.hears(answer)


async def test_a_part_is_told_and_the_last_one_ends_the_channel(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    bob = await registered(server, "bob")
    bob.say("JOIN #a", "PART #a :bye", "PRIVMSG #a :still here?")

    assert await bob.hears("PART") == ":bob!bob@memory PART #a bye"
    await alice.expect(":bob!bob@memory PART #a bye")
    await bob.hears("404 bob #a")
    alice.part("#a")
    assert server.channels == {}


async def test_only_operators_kick_change_modes_and_a_locked_topic(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    bob = await registered(server, "bob")
    bob.say("JOIN #a", "KICK #a alice", "MODE #a +m", "TOPIC #a :mine")
    for _ in range(3):
        await bob.hears("482 bob #a")

    alice.mode("#a", "+ov-t", "bob", "bob")
    bob.say("KICK #a alice :out", "KICK #a alice")

    assert await bob.hears("MODE") == ":alice!alice@alice.test MODE #a +ov-t bob bob"
    await alice.expect(":bob!bob@memory KICK #a alice out")
    await bob.hears("441 bob alice #a")


async def test_modes_are_kept_told_and_refused(server: Server) -> None:
    bob = await registered(server, "bob")
    bob.say("JOIN #a", "MODE #a", "MODE #a +klb-n key 5 mallory", "MODE #a", "MODE #a b", "MODE #a +xl many")

    assert await bob.hears("324") == ":irc.test 324 bob #a +nt"
    assert await bob.hears("329") == ":irc.test 329 bob #a 1700000000"
    await bob.hears("MODE #a +klb-n key 5 mallory!*@*")
    assert await bob.hears("324") == ":irc.test 324 bob #a +tkl key 5"
    assert await bob.hears("367") == ":irc.test 367 bob #a mallory!*@* irc.test 1700000000"
    await bob.hears("368 bob #a")
    await bob.hears("472 bob x")
    await bob.hears("696 bob #a l many")


async def test_one_line_changes_no_more_modes_than_the_server_says(server: Server) -> None:
    bob = await registered(server, "bob")

    bob.say("JOIN #a", "MODE #a +bbbbbm a b c d e")

    assert await bob.hears("MODE") == ":bob!bob@memory MODE #a +bbbb a!*@* b!*@* c!*@* d!*@*"


async def test_a_rename_is_told_to_each_neighbour_once(server: Server) -> None:
    alice = await server.user("alice", channels=["#a", "#b"])
    bob = await registered(server, "bob")
    bob.say("JOIN #a,#b", "NICK Bob", "NICK robert", "NICK alice")

    await bob.hears(":bob!bob@memory NICK Bob")
    await bob.hears(":Bob!bob@memory NICK robert")
    await bob.hears("433 robert alice")
    assert [line.partition(" ")[2] for line in alice.heard if " NICK " in line] == [
        ":bob!bob@memory NICK Bob",
        ":Bob!bob@memory NICK robert",
    ]


async def test_names_are_one_under_the_casemapping_of_the_server() -> None:
    async with Server(casemapping="ascii") as ascii_server, Server() as rfc1459_server:
        for server in (ascii_server, rfc1459_server):
            await server.user("alice[]", channels=["#a{}"])

        assert ascii_server.find("ALICE{}") is None
        assert rfc1459_server.find("ALICE{}") is not None
        assert rfc1459_server.channel("#A[]") is rfc1459_server.channel("#a{}")
