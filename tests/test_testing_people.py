"""What the server in `pynfo.testing` tells of people, and its puppets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pynfo.testing import Server
from tests.irc_client import registered


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(clock=lambda: 1_700_000_000.5) as server:
        yield server


# -- people


async def test_who_tells_of_members_with_their_flags(server: Server) -> None:
    alice = await server.user("alice", account="alice", channels=["#a"])
    alice.mode("#a", "+v", "alice")
    alice.mode("alice", "+B")
    alice.away("at sea")
    bob = await registered(server, "bob")

    bob.say("WHO #a", "WHO ali*", "WHO #a %tcuhnfar,42", "WHO #a %na")

    assert await bob.hears("*") == ":irc.test 352 bob #a alice alice.test irc.test alice G@B :0 alice"
    await bob.hears("315 bob #a")
    assert await bob.hears("*") == ":irc.test 352 bob * alice alice.test irc.test alice GB :0 alice"
    await bob.hears("315 bob ali*")
    assert await bob.hears("*") == ":irc.test 354 bob 42 #a alice alice.test alice G@B alice alice"
    await bob.hears("315 bob #a")
    assert await bob.hears("*") == ":irc.test 354 bob alice alice"


async def test_whois_tells_what_there_is(server: Server) -> None:
    alice = await server.user("alice", account="alice", channels=["#a"], realname="Alice Liddell")
    alice.mode("alice", "+B")
    bob = await registered(server, "bob")

    bob.say("WHOIS ALICE", "WHOIS nobody")

    assert [line.partition("bob ")[2] for line in await bob.passed_over()] == [
        "alice alice alice.test * :Alice Liddell",
        "alice @#a",
        "alice irc.test Test",
        "alice alice :is logged in as",
        "alice :is a bot",
        "alice :End of /WHOIS list",
        "nobody :No such nick",
        "nobody :End of /WHOIS list",
    ]


async def test_a_watched_nick_is_told_of_when_it_comes_goes_and_changes(server: Server) -> None:
    await server.user("carol")
    bob = await registered(server, "bob")

    bob.say("MONITOR + Alice,carol", "MONITOR L", "MONITOR - carol")
    await bob.hears("730 bob carol!carol@carol.test")
    await bob.hears("731 bob Alice")
    await bob.hears("732 bob Alice,carol")
    await bob.hears("733")
    await bob.passed_over()
    alice = await server.user("alice")
    await bob.hears("730 bob alice!alice@alice.test")
    alice.rename("ALICE")
    assert await bob.passed_over() == []
    alice.rename("alicia")
    await bob.hears("731 bob ALICE")
    alice.rename("alice")
    await bob.hears("730 bob alice!alice@alice.test")
    alice.quit()

    await bob.hears("731 bob alice")
    assert await bob.passed_over() == []


async def test_a_list_of_watched_nicks_has_a_bound() -> None:
    async with Server(isupport={"MONITOR": "1"}) as server:
        bob = await registered(server, "bob")

        bob.say("MONITOR + a,b,c")

        await bob.hears("734 bob 1 b,c")
        await bob.hears("731 bob a")


async def test_who_is_online_can_be_asked_in_the_old_ways(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    alice.away("at sea")
    bob = await registered(server, "bob")

    bob.say("ISON nobody ALICE bob", "USERHOST alice bob nobody", "LIST")

    assert await bob.hears("303") == ":irc.test 303 bob :alice bob"
    assert await bob.hears("302") == ":irc.test 302 bob :alice=-alice@alice.test bob=+bob@memory"
    await bob.hears("322 bob #a 1")
    await bob.hears("323")


async def test_changes_of_a_person_are_told_to_those_who_asked_to_know(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    told = await registered(server, "bob", "away-notify", "account-notify", "chghost", "setname")
    other = await registered(server, "carol")
    for client in (told, other):
        client.say("JOIN #a")
        await client.hears("366")
    await other.passed_over()

    alice.away("at sea")
    alice.send("SETNAME", "Alice Liddell")
    server.log_in("alice", "alice")
    server.cloak("alice", "user/alice")
    server.log_in("alice", None)

    await told.hears(":alice!alice@alice.test AWAY :at sea")
    await told.hears(":alice!alice@alice.test SETNAME :Alice Liddell")
    await told.hears(":alice!alice@alice.test ACCOUNT alice")
    await told.hears(":alice!alice@alice.test CHGHOST alice user/alice")
    await told.hears(":alice!alice@user/alice ACCOUNT *")
    assert await other.passed_over() == []


async def test_an_extended_monitor_sees_changes_without_a_common_channel(server: Server) -> None:
    alice = await server.user("alice")
    bob = await registered(server, "bob", "extended-monitor", "away-notify")
    bob.say("MONITOR + alice")
    await bob.hears("730")

    alice.away("at sea")

    await bob.hears(":alice!alice@alice.test AWAY :at sea")


async def test_bot_mode_is_the_persons_own_to_set(server: Server) -> None:
    await server.user("alice")
    bob = await registered(server, "bob")

    bob.say("MODE bob +Bx", "MODE bob", "MODE bob -B", "MODE alice +B")

    await bob.hears("501 bob")
    await bob.hears(":bob!bob@memory MODE bob +B")
    await bob.hears("221 bob +B")
    await bob.hears(":bob!bob@memory MODE bob -B")
    await bob.hears("502 bob")


# -- puppets


async def test_a_puppet_talks_and_hears(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    bob = await registered(server, "bob")
    bob.say("JOIN #a", "PRIVMSG #a :good morning everybody", "PRIVMSG #a :\x01ACTION waves to all\x01")

    morning = await alice.hears("good morning")
    waved = await alice.hears("waves to all")
    alice.action("#a", "waves back")
    alice.notice("bob", "psst")

    assert (morning.nick, morning.params) == ("bob", ["#a", "good morning everybody"])
    assert waved.params[1] == "\x01ACTION waves to all\x01"
    await bob.hears("PRIVMSG #a :\x01ACTION waves back\x01")
    await bob.hears("NOTICE bob psst")


async def test_a_puppet_gets_the_error_of_what_it_may_not_do(server: Server) -> None:
    alice = await server.user("alice")

    alice.say("#nowhere", "hello")

    await alice.expect("401 alice #nowhere")


async def test_a_puppet_that_has_quit_is_gone_and_its_nick_free(server: Server) -> None:
    alice = await server.user("alice", channels=["#a"])
    with pytest.raises(ValueError, match="'ALICE' is no nick here, or not free"):
        await server.user("ALICE")

    alice.quit("bye")

    await server.user("ALICE")
    with pytest.raises(AssertionError, match="they have quit"):
        await alice.hears("never", timeout=None)
