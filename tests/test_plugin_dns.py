"""The plugin `dns`, asked from a channel: what it answers when resolvers answer, fail, and misbehave."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import dns.edns
import dns.rcode
import dns.rdatatype
import pytest

from plugins.dns.lookups import ILookups
from plugins.dns.typed import read
from pynfo.testing.bot import Bot, config_for
from tests.dns_server import DnsServer, beside, failing, forged, garbage, silent

Ask = Callable[..., Awaitable[str]]


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    async with DnsServer() as server:
        server.add("example.org", "A", "192.0.2.1", "192.0.2.2")
        server.add("example.org", "AAAA", "2001:db8::1", ttl=60)
        server.add("example.org", "MX", "10 mail.example.org.", "20 mail.example.net.")
        server.add("example.org", "TXT", '"v=spf1 " "-all"')
        server.add("www.example.org", "CNAME", "web.example.org.")
        server.add("web.example.org", "CNAME", "example.org.")
        yield server


def running(tmp_path: Path, server: DnsServer, **settings: Any) -> Any:
    return Bot.running(
        config_for(tmp_path, plugins={"dns": {"resolvers": [server.address], "timeout": 1.0} | settings})
    )


def timeless(answer: str) -> str:
    """An answer without the time that it took, which it has at its end."""
    assert re.search(r" · \d+ ms$", answer), answer
    return answer.rpartition(" · ")[0]


# -- what is asked


async def test_a_name_alone_is_asked_for_its_addresses_of_both_kinds_at_once(
    tmp_path: Path, server: DnsServer
) -> None:
    async with running(tmp_path, server) as bot:
        answer = await bot.ask("!dns example.org")

    assert timeless(answer) == (
        "example.org: A 192.0.2.1, 192.0.2.2 (TTL 300 s) · AAAA 2001:db8::1 (TTL 60 s) · "
        "DNSSEC: not authenticated"
    )
    assert sorted(server.asked) == ["example.org A udp", "example.org AAAA udp"]


async def test_several_types_are_several_questions_in_any_order_and_case(
    tmp_path: Path, server: DnsServer
) -> None:
    async with running(tmp_path, server) as bot:
        answer = await bot.ask("!dig mx example.org Txt")

    assert timeless(answer) == (
        "example.org: MX 10 mail.example.org, 20 mail.example.net (TTL 300 s) · "
        'TXT "v=spf1 -all" (TTL 300 s) · DNSSEC: not authenticated'
    )


async def test_several_names_are_asked_in_one_command(tmp_path: Path, server: DnsServer) -> None:
    server.add("example.net", "MX", "0 .")
    async with running(tmp_path, server) as bot:
        answer = await bot.ask("!dns example.org example.net MX")

    assert "example.org: MX 10 mail" in answer
    assert " · example.net: MX 0 . (TTL 300 s) · DNSSEC" in answer


async def test_an_address_is_asked_for_its_name(tmp_path: Path, server: DnsServer) -> None:
    server.add("1.2.0.192.in-addr.arpa", "PTR", "www.example.org.")
    server.add("1." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa", "PTR", "six.example.org.")
    async with running(tmp_path, server) as bot:
        four = await bot.ask("!dns 192.0.2.1")
        six = await bot.ask("!dns 2001:DB8::1")

    assert timeless(four) == "192.0.2.1: PTR www.example.org (TTL 300 s) · DNSSEC: not authenticated"
    assert timeless(six) == "2001:db8::1: PTR six.example.org (TTL 300 s) · DNSSEC: not authenticated"


async def test_no_name_is_a_command_to_other_bots(tmp_path: Path, server: DnsServer) -> None:
    server.add("!op.example.org", "A", "192.0.2.7")
    async with running(tmp_path, server) as bot:
        assert (await bot.ask("!dns !op.example.org A")).startswith("\u2060!op.example.org: A 192.0.2.7")


async def test_names_of_other_scripts_are_told_both_ways(tmp_path: Path, server: DnsServer) -> None:
    server.add("xn--mnchen-3ya.example.org", "A", "192.0.2.7")
    async with running(tmp_path, server) as bot:
        written = await bot.ask("!dns münchen.example.org A")
        encoded = await bot.ask("!dns xn--mnchen-3ya.example.org A")

    assert timeless(written) == timeless(encoded)
    assert written.startswith("münchen.example.org (xn--mnchen-3ya.example.org): A 192.0.2.7 ")
    assert server.asked == ["xn--mnchen-3ya.example.org A udp"]


async def test_an_address_of_a_page_is_as_good_as_the_name_in_it(tmp_path: Path, server: DnsServer) -> None:
    async with running(tmp_path, server) as bot:
        assert "A 192.0.2.1," in await bot.ask("!dns https://example.org:8080/path A")


@pytest.mark.parametrize(
    ("kind", "record", "told"),
    [
        ("NS", "ns.example.org.", None),
        ("SOA", "ns.example.org. me.example.org. 1 7200 900 1209600 60", None),
        ("SRV", "0 5 5060 sip.example.org.", None),
        ("CAA", '0 issue "ca.example.net"', None),
        ("TLSA", "3 1 1 " + "ab" * 32, None),
        ("DS", "60485 5 2 " + "d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a", None),
        ("DNSKEY", "257 3 13 " + "A" * 86 + "==", None),
        ("SVCB", '1 svc.example.org. alpn="h2,h3" port="8443"', None),
        ("HTTPS", '1 . alpn="h2" ipv4hint="192.0.2.9"', None),
        ("NAPTR", '100 10 "S" "SIP+D2U" "" _sip._udp.example.org.', None),
        ("LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 1.00m 10000.00m 10.00m", "52 22 23.000 N 4 53 32.000 E"),
        ("SSHFP", "4 2 " + "ab" * 32, None),
        ("URI", '10 1 "https://example.org/"', None),
        ("CSYNC", "66 3 A NS AAAA", None),
        ("OPENPGPKEY", "A" * 88, None),
        ("HINFO", '"RFC8482" ""', None),
        ("TYPE65280", r"\# 2 abcd", None),
    ],
)
async def test_every_type_of_record_is_told_as_the_dns_writes_it(
    tmp_path: Path, server: DnsServer, kind: str, record: str, told: str | None
) -> None:
    server.add("typed.example.org", kind, record)
    expected = told or re.sub(r"\.(?= |$)", "", record) if "1 . " not in record else record
    async with running(tmp_path, server) as bot:
        answer = await bot.ask(f"!dns typed.example.org {kind}")

    assert answer.startswith(f"typed.example.org: {kind} {expected}"), answer


def test_every_type_that_dnspython_knows_may_be_asked_for() -> None:
    known = [kind for kind in dns.rdatatype.RdataType if kind and not dns.rdatatype.is_metatype(kind)]
    assert len(known) > 70
    for kind in known:
        name = dns.rdatatype.to_text(kind)
        assert [one.type for one in read(f"example.org {name.lower()}", internal=False).questions] == [name]


async def test_a_chain_of_aliases_is_shown(tmp_path: Path, server: DnsServer) -> None:
    async with running(tmp_path, server) as bot:
        answer = await bot.ask("!dns www.example.org")

    assert answer.startswith(
        "www.example.org → web.example.org → example.org: A 192.0.2.1, 192.0.2.2 (TTL 300 s) · AAAA 2001:"
    )


# -- what resolvers say


async def test_the_resolvers_word_on_dnssec_is_told(tmp_path: Path, server: DnsServer) -> None:
    server.authenticated = True
    async with running(tmp_path, server) as bot:
        assert timeless(await bot.ask("!dns example.org A")).endswith("· DNSSEC: authenticated")


async def test_an_address_without_a_name_is_told_as_such(tmp_path: Path, server: DnsServer) -> None:
    async with running(tmp_path, server) as bot:
        answer = timeless(await bot.ask("!dns 192.0.2.77"))

    assert answer == "192.0.2.77 has no name (NXDOMAIN) · DNSSEC: not authenticated"


async def test_a_name_that_does_not_exist_differs_from_one_without_such_records(
    tmp_path: Path, server: DnsServer
) -> None:
    server.add("gone.example.org", "CNAME", "nowhere.example.org.")
    async with running(tmp_path, server) as bot:
        missing = await bot.ask("!dns nosuch.example.org")
        empty = await bot.ask("!dns example.org SRV")
        dangling = await bot.ask("!dns gone.example.org A")

    assert timeless(missing) == "nosuch.example.org does not exist (NXDOMAIN) · DNSSEC: not authenticated"
    assert timeless(empty) == "example.org: no SRV · DNSSEC: not authenticated"
    assert dangling.startswith("gone.example.org → nowhere.example.org does not exist (NXDOMAIN)")


@pytest.mark.parametrize(
    ("answering", "told"),
    [
        (failing(dns.rcode.SERVFAIL), "could not find out (SERVFAIL)"),
        (
            failing(dns.rcode.SERVFAIL, dns.edns.EDECode.DNSSEC_BOGUS, "no \x02SIG\nhere"),
            r"could not find out (SERVFAIL): DNSSEC Bogus: no \002SIG\010here",
        ),
        (failing(dns.rcode.REFUSED), "refuses to answer (REFUSED)"),
        (failing(dns.rcode.NOTIMP), "answers with an error (NOTIMP)"),
        (garbage, "answers with something that is no answer"),
        (beside, "answers with something that is no answer"),
        (silent, "does not answer (timed out after 0.3 s)"),
        (forged, "does not answer (timed out after 0.3 s)"),
    ],
    ids=["servfail", "bogus", "refused", "notimp", "garbage", "beside", "silence", "forged"],
)
async def test_every_failure_of_a_resolver_is_one_clear_sentence(
    tmp_path: Path, server: DnsServer, answering: Any, told: str
) -> None:
    server.behave("bad.example.org", answering)
    async with running(tmp_path, server, timeout=0.3) as bot:
        answer = await bot.ask("!dns bad.example.org MX")

    assert answer == f"dns: the resolver {told}; try again later"


async def test_a_resolver_that_is_not_there_is_told_of(tmp_path: Path, server: DnsServer) -> None:
    async with DnsServer() as gone:
        pass
    async with running(tmp_path, gone) as bot:
        answer = await bot.ask("!dns example.org")

    assert answer == "dns: the resolver cannot be reached (Connection refused); try again later"


async def test_the_next_resolver_is_asked_where_one_fails(tmp_path: Path, server: DnsServer) -> None:
    async with DnsServer() as broken:
        broken.behave("example.org", failing(dns.rcode.SERVFAIL))
        async with running(tmp_path, server, resolvers=[broken.address, server.address]) as bot:
            assert "A 192.0.2.1" in await bot.ask("!dns example.org")

    assert len(broken.asked) == 2


async def test_what_could_be_found_out_is_told_where_the_rest_failed(
    tmp_path: Path, server: DnsServer
) -> None:
    server.behave("bad.example.org", failing(dns.rcode.REFUSED))
    async with running(tmp_path, server) as bot:
        answer = await bot.ask("!dns example.org bad.example.org TXT")

    assert timeless(answer) == (
        'example.org: TXT "v=spf1 -all" (TTL 300 s) · '
        "bad.example.org: TXT: the resolver refuses to answer (REFUSED) · DNSSEC: not authenticated"
    )


async def test_an_answer_that_does_not_fit_a_datagram_comes_over_tcp(
    tmp_path: Path, server: DnsServer
) -> None:
    server.add("large.example.org", "TXT", *(f'"{number:03} {"x" * 200}"' for number in range(10)))
    async with running(tmp_path, server) as bot:
        answer = await bot.ask("!dns large.example.org TXT")

    assert answer.startswith('large.example.org: TXT "000 xxx')
    assert answer.endswith(": !more)")
    assert server.asked == ["large.example.org TXT udp", "large.example.org TXT tcp"]


async def test_an_endless_answer_is_not_taken(tmp_path: Path, server: DnsServer) -> None:
    server.add("huge.example.org", "TXT", *(f'"{number:03} {"x" * 200}"' for number in range(100)))
    async with running(tmp_path, server) as bot:
        answer = await bot.ask("!dns huge.example.org TXT")

    assert answer == "dns: the resolver answers with more than I take; try again later"


async def test_of_very_many_records_some_are_told(tmp_path: Path, server: DnsServer) -> None:
    server.add("many.example.org", "A", *(f"192.0.2.{number}" for number in range(50)))
    async with running(tmp_path, server) as bot:
        first = await bot.ask("!dns many.example.org A")
        rest = await bot.ask("!more")

    assert first.startswith("many.example.org: A 192.0.2.0, 192.0.2.1, ")
    assert ", and 10 more (TTL 300 s)" in first + rest


async def test_records_are_text_of_strangers(tmp_path: Path, server: DnsServer) -> None:
    server.add("evil.example.org", "TXT", r'"\0034red\002 \013\010QUIT \226\128\174gnp\195\169"')
    async with running(tmp_path, server) as bot:
        answer = await bot.ask("!dns evil.example.org TXT")

    assert 'TXT "red QUIT gnpé" (TTL' in answer


# -- mistakes, and many at once


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("!dns MX", "dns: whose records? Write such as dns example.org MX"),
        (
            "!dns example.org AXFR",
            "dns: AXFR is no type of record: name those that you want, such as A TXT",
        ),
        ("!dns example.org any", "dns: ANY is no type of record: name those that you want, such as A TXT"),
        ("!dns example.org FOO TXT", 'dns: "FOO" is neither a type of record nor a name with a dot'),
        ("!dns a..example.org", 'dns: "a..example.org" is no name'),
        ("!dns " + "x" * 64 + ".example.org", 'dns: "' + "x" * 60 + '…" is no name'),
        ("!dns example.org a mx txt ns soa srv caa ds naptr", "dns: these are 9 questions: I ask 8 at once"),
        ("!dns", "QUESTION is missing. Usage: dns QUESTION..."),
    ],
)
async def test_a_mistake_is_answered_with_one_sentence(
    tmp_path: Path, server: DnsServer, typed: str, told: str
) -> None:
    async with running(tmp_path, server) as bot:
        assert await bot.ask(typed) == told

    assert server.asked == []


async def test_ten_people_who_ask_the_same_make_one_question(tmp_path: Path, server: DnsServer) -> None:
    async with running(tmp_path, server) as bot:
        people = [await bot.server.user(f"user{number}", channels=[bot.channel]) for number in range(10)]
        for person in people:
            person.say(bot.channel, "!dns example.org MX")
        answers = [await bot.user.hears("*MX 10 mail.example.org*") for _ in people]

    assert len(answers) == 10
    assert server.asked == ["example.org MX udp"]


async def test_a_reply_is_given_again_for_some_seconds_and_never_past_its_ttl(
    tmp_path: Path, server: DnsServer
) -> None:
    server.add("brief.example.org", "A", "192.0.2.9", ttl=5)
    async with running(tmp_path, server) as bot:
        now = 0.0
        ILookups(bot.factory)._clock = lambda: now
        await bot.ask("!dns example.org A")
        await bot.ask("!dns brief.example.org A")
        now = 4.0
        assert "A 192.0.2.1, 192.0.2.2 (TTL 296 s)" in await bot.ask("!dns example.org A")
        assert "A 192.0.2.9 (TTL 1 s)" in await bot.ask("!dns brief.example.org A")
        assert len(server.asked) == 2
        now = 6.0
        await bot.ask("!dns brief.example.org A")
        assert len(server.asked) == 3
        now = 15.0
        await bot.ask("!dns example.org A")
        assert len(server.asked) == 4


async def test_who_gives_up_does_not_take_the_answer_from_the_others(
    tmp_path: Path, server: DnsServer
) -> None:
    async with running(tmp_path, server, timeout=15.0) as bot:
        question = read("example.org A", internal=False).questions
        server.hold()
        first = asyncio.create_task(ILookups(bot.factory).ask(question))
        second = asyncio.create_task(ILookups(bot.factory).ask(question))
        await bot.settle()
        first.cancel()
        await asyncio.wait([first])
        server.release()

        assert [reply.status for reply in await second] == ["found"]


async def test_a_failure_is_not_remembered(tmp_path: Path, server: DnsServer) -> None:
    server.behave("late.example.org", failing(dns.rcode.SERVFAIL))
    async with running(tmp_path, server) as bot:
        assert "SERVFAIL" in await bot.ask("!dns late.example.org TXT")
        server.behave("late.example.org", server._answer)
        server.add("late.example.org", "TXT", '"now"')
        assert 'TXT "now"' in await bot.ask("!dns late.example.org TXT")


async def test_the_bot_answers_others_while_a_resolver_is_silent(tmp_path: Path, server: DnsServer) -> None:
    arrived = asyncio.Event()
    server.behave("slow.example.org", lambda question: arrived.set())
    async with running(tmp_path, server, timeout=15.0) as bot:
        bob = await bot.server.user("bob", channels=[bot.channel])
        bob.say(bot.channel, "!dns slow.example.org")
        await asyncio.wait_for(arrived.wait(), 5)

        bot.user.say(bot.channel, "!dns example.org")
        await bot.user.hears("*A 192.0.2.1*")
        await bot.factory.plugins.unload("dns")
        await bot.user.hears("*dns was stopped: its plugin, dns, was unloaded*")
