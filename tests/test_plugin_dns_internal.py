"""What the plugin `dns` does not ask or tell of internal networks, and which resolvers people may choose."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.dns import Settings, check
from tests.dns_server import DnsServer
from tests.test_plugin_dns import running, server, timeless

__all__ = ["server"]


# -- what is internal


@pytest.mark.parametrize(
    "name",
    [
        "com", "fileserver", "localhost", "db.localhost", "printer.local", "vault.internal", "intranet",
        "router.home.arpa", "host.test", "x.corp", "x.lan", "a.onion", "10.in-addr.arpa",
        "1.1.168.192.in-addr.arpa", "20.172.in-addr.arpa", "_dns-sd._udp.0.1.168.192.in-addr.arpa",
        "d.f.ip6.arpa", "LOCALHOST.",
        "https://wiki.internal/",
    ],
)  # fmt: skip
async def test_names_of_internal_networks_are_not_asked_for(
    tmp_path: Path, server: DnsServer, name: str
) -> None:
    async with running(tmp_path, server) as bot:
        answer = await bot.ask(f"!dns {name} SOA")

    assert answer.endswith("is a name of an internal network: I do not ask for those")
    assert server.asked == []


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "100.64.0.1", "::1", "fe80::1", "fd00::1",
     "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "0.0.0.0", "224.0.0.251"],
)  # fmt: skip
async def test_addresses_of_internal_networks_are_not_asked_for(
    tmp_path: Path, server: DnsServer, address: str
) -> None:
    async with running(tmp_path, server) as bot:
        answer = await bot.ask(f"!dns {address}")

    assert answer.endswith("is an address of an internal network: I do not ask for those")
    assert server.asked == []


async def test_the_root_and_reverse_zones_of_the_internet_may_be_asked(
    tmp_path: Path, server: DnsServer
) -> None:
    server.add(".", "NS", "a.root-servers.net.")
    server.add("8.in-addr.arpa", "NS", "ns.example.org.")
    server.add("in-addr.arpa", "NS", "ns.example.org.")
    async with running(tmp_path, server) as bot:
        assert (await bot.ask("!dns . NS")).startswith("\u2060.: NS a.root-servers.net (")
        assert "NS ns.example.org" in await bot.ask("!dns 8.in-addr.arpa NS")
        assert "NS ns.example.org" in await bot.ask("!dns in-addr.arpa NS")


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("A", "10.0.0.5"),
        ("AAAA", "fd00::5"),
        ("HTTPS", '1 . ipv4hint="10.0.0.5"'),
        ("MX", "10 mail.corp."),
        ("SRV", "0 0 88 dc.example.internal."),
        ("PTR", "host.lan."),
    ],
)
async def test_what_leads_into_an_internal_network_is_not_told(
    tmp_path: Path, server: DnsServer, kind: str, record: str
) -> None:
    server.add("split.example.org", kind, record)
    async with running(tmp_path, server) as bot:
        answer = await bot.ask(f"!dns split.example.org {kind}")

    assert timeless(answer) == (
        f"split.example.org: {kind} 1 of an internal network, not told (TTL 300 s) · "
        "DNSSEC: not authenticated"
    )


async def test_an_alias_for_an_internal_name_is_not_told_either(tmp_path: Path, server: DnsServer) -> None:
    server.add("alias.example.org", "CNAME", "db.example.internal.")
    server.add("db.example.internal", "A", "192.0.2.5", "10.0.0.5")
    async with running(tmp_path, server) as bot:
        answer = await bot.ask("!dns alias.example.org A")

    assert answer.startswith(
        "alias.example.org → (an internal name): A 192.0.2.5, 1 of an internal network, not told (TTL 300 s)"
    )


async def test_internal_names_and_addresses_are_told_where_the_operator_says_so(
    tmp_path: Path, server: DnsServer
) -> None:
    server.add("db.internal", "A", "10.0.0.5")
    server.add("5.0.0.10.in-addr.arpa", "PTR", "db.internal.")
    async with running(tmp_path, server, internal=True) as bot:
        assert (await bot.ask("!dns db.internal A")).startswith("db.internal: A 10.0.0.5 ")
        assert (await bot.ask("!dns 10.0.0.5")).startswith("10.0.0.5: PTR db.internal ")


# -- who is asked


async def test_people_choose_among_the_resolvers_of_the_config(tmp_path: Path, server: DnsServer) -> None:
    async with DnsServer() as other:
        other.add("example.org", "A", "192.0.2.99")
        async with running(tmp_path, server, more_resolvers={"Other": other.address}) as bot:
            by_name = await bot.ask("!dns example.org A @other")
            by_address = await bot.ask(f"!dns @{other.address} example.org A")
            own = await bot.ask(f"!dns @{server.address} example.org A")
            unknown = await bot.ask("!dns example.org A @9.9.9.9")

    assert "A 192.0.2.99 " in by_name
    assert "A 192.0.2.99 " in by_address
    assert "A 192.0.2.1, " in own
    assert unknown == 'dns: "9.9.9.9" is no resolver that I may ask: choose one of @other'


@pytest.mark.parametrize(
    "chosen", ["127.0.0.1", "127.0.0.1:5353", "10.0.0.1", "9.9.9.9:99", "ns.example.net"]
)
async def test_any_resolver_is_any_public_one_on_its_usual_port(
    tmp_path: Path, server: DnsServer, chosen: str
) -> None:
    async with running(tmp_path, server, any_resolver=True) as bot:
        answer = await bot.ask(f"!dns example.org @{chosen}")

    assert answer == f'dns: "{chosen}" is no resolver that I may ask: write a public address'


def test_resolvers_that_are_no_addresses_are_mistakes_in_the_config() -> None:
    settings = Settings(
        resolvers=["127.0.0.1:5353", "[::1]:5353", "::1"], more_resolvers={"x": "ns.example", "my own": "::1"}
    )

    assert list(check(settings, None)) == [
        'resolver "ns.example" is no address: write such as 9.9.9.9, 127.0.0.1:5353 or [::1]:5353',
        "'my own' is no name for a resolver that people can write after @: write one word",
    ]
