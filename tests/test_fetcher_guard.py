"""Addresses that strangers give: the public web is asked, and nothing else, whatever they try."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import trustme
import urllib3.util.connection

from pynfo import FetchFailed
from pynfo.services import fetcher_guard as guard
from pynfo.services.fetcher import Fetcher
from tests.fetcher_world import WAIT, Stranger, answer, fetching, says, silence, stranger

PUBLIC = "93.184.216.34"
OTHER_PUBLIC = "2606:2800:220:1::1"


class Net:
    """What names mean, one lookup after another, and where connections to public addresses end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: dict[str, list[list[str]]] = {}
        self.ends: dict[tuple[str, int], int] = {}
        self.lookups: list[str] = []
        self.connected: list[tuple[str, int]] = []
        self._getaddrinfo = guard.socket.getaddrinfo
        self._connect = urllib3.util.connection.create_connection
        monkeypatch.setattr(guard.socket, "getaddrinfo", self._look_up)
        monkeypatch.setattr(urllib3.util.connection, "create_connection", self._create_connection)

    def _look_up(self, host: Any, port: Any, *arguments: Any, **keywords: Any) -> Any:
        answers = self.names.get(host)
        if answers is None:
            return self._getaddrinfo(host, port, *arguments, **keywords)
        self.lookups.append(host)
        numbers = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            entry for number in numbers for entry in self._getaddrinfo(number, port, *arguments, **keywords)
        ]

    def _create_connection(self, address: tuple[str, int], *arguments: Any, **keywords: Any) -> Any:
        self.connected.append(address)
        if address in self.ends:
            address = ("127.0.0.1", self.ends[address])
        elif ip_address(address[0]).is_global:
            raise ConnectionRefusedError(111, "nobody is there")
        return self._connect(address, *arguments, **keywords)


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> Net:
    return Net(monkeypatch)


async def refusal(fetcher: Fetcher, url: str) -> str:
    """Why an address that a stranger gave is not asked."""
    with pytest.raises(FetchFailed) as raised:
        await asyncio.wait_for(fetcher.get(url, guarded=True), WAIT)
    assert raised.value.reason == "not allowed", raised.value
    return str(raised.value)


# -- what an address says


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://example.org", "example.org", 80),
        ("HTTPS://EXAMPLE.org:443/", "example.org", 443),
        ("http://example.org./", "example.org", 80),
        ("http://bücher.example/ü", "xn--bcher-kva.example", 80),
        ("http://\uff25xample\uff0eorg/", "example.org", 80),
        ("http://[2606:2800:220:1::1]/", "2606:2800:220:1::1", 80),
        ("http://a_b.example.org/", "a_b.example.org", 80),
        ("http://example.org/?a=b|c{d}", "example.org", 80),
    ],
)
def test_an_address_is_taken_apart_one_way(url: str, host: str, port: int) -> None:
    address = guard.parse(url, guarded=True)

    assert (address.host, address.port) == (host, port)
    assert guard.parse(address.url, guarded=True) == address


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "gopher://example.org/",
        "//example.org/",
        "http:///path",
        "http://example.org:99999/",
        "http://example.org:http/",
        "http://user@example.org/",
        "http://user:password@example.org/",
        "http://@example.org/",
        "http://example.org\\@127.0.0.1/",
        "http://example.org /",
        "http://example.org/\r\nX-Evil:1",
        "http://exa\tmple.org/",
        "http://example.org/\ud800",
        "http://example..org/",
        "http://-.org/",
        "http://" + "a" * 64 + ".org/",
        "http://example.org/" + "a" * 5000,
        "http://[::1/",
        "http://[v1.a]/",
    ],
)
def test_what_could_be_read_two_ways_is_refused(url: str) -> None:
    with pytest.raises(guard.Refused):
        guard.parse(url, guarded=True)


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0x7f.1", "017700000001", "127.1", "0177.0.0.1", "127.0.0.1.1", "1.0x7f"],
)
def test_a_number_that_is_no_plain_address_is_refused(host: str) -> None:
    with pytest.raises(guard.Refused, match="no address of a web page"):
        guard.parse(f"http://{host}/", guarded=True)


@pytest.mark.parametrize("host", ["127.0.0.1.", "①②⑦.⓪.⓪.①", "127。0。0。1", "\uff11\uff12\uff17.0.0.1"])
async def test_a_number_in_disguise_is_looked_at_without_it(tmp_path: Path, host: str) -> None:
    async with fetching(tmp_path) as fetcher:
        assert await refusal(fetcher, f"http://{host}/") == "127.0.0.1 is not at a public address"


# -- which numbers are public


@pytest.mark.parametrize(
    "number",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "168.63.129.16",
        "172.16.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:5db8:d822::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_what_is_private_or_leads_there_is_not_public(number: str) -> None:
    assert not guard.is_public(ip_address(number))


@pytest.mark.parametrize(
    "number",
    ["1.1.1.1", PUBLIC, "100.63.255.255", "172.32.0.1", OTHER_PUBLIC, "2a00:1450::1", "2001:4860:4860::8888",
     "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"],
)  # fmt: skip
def test_the_public_internet_is_public(number: str) -> None:
    assert guard.is_public(ip_address(number))


# -- names


def test_a_name_is_looked_up_and_all_its_addresses_looked_at(net: Net) -> None:
    net.names = {"good.example": [[PUBLIC, OTHER_PUBLIC]], "bad.example": [[PUBLIC, "10.0.0.1"]]}

    good, bad = (guard.parse(f"http://{name}/", guarded=True) for name in net.names)

    assert guard.resolve(good, []) == [PUBLIC, OTHER_PUBLIC]
    with pytest.raises(guard.Refused, match=r"^bad\.example is not at a public address$"):
        guard.resolve(bad, [])
    assert guard.resolve(bad, [ip_network("10.0.0.0/8")]) == [PUBLIC, "10.0.0.1"]


@pytest.mark.parametrize("number", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fe80::1"])
async def test_a_name_of_a_private_address_is_not_asked(tmp_path: Path, net: Net, number: str) -> None:
    net.names = {"inside.example": [[number]]}
    async with fetching(tmp_path) as fetcher:
        told = await refusal(fetcher, "http://inside.example/")

    assert told == "inside.example is not at a public address"
    assert net.connected == []


@pytest.mark.parametrize("url", ["http://{}:8080/", "https://{}:80443/", "http://{}:22/", "http://{}:0/"])
async def test_only_the_ports_of_the_web_are_asked(tmp_path: Path, net: Net, url: str) -> None:
    net.names = {"good.example": [[PUBLIC]]}
    async with fetching(tmp_path) as fetcher:
        await refusal(fetcher, url.format("good.example"))

    assert net.connected == []


async def test_the_checked_address_is_connected_to_and_the_name_asked_for(tmp_path: Path, net: Net) -> None:
    async with stranger(says(answer("here"))) as server, fetching(tmp_path) as fetcher:
        net.names = {"good.example": [[PUBLIC]]}
        net.ends = {(PUBLIC, 80): server.port}
        fetched = await fetcher.get("http://Good.example/a#b", guarded=True)

    assert (fetched.text, fetched.url) == ("here", "http://good.example/a")
    assert "\r\nHost: good.example\r\n" in server.asked[0]
    assert (net.lookups, net.connected) == (["good.example"], [(PUBLIC, 80)])


async def test_a_name_that_changes_its_meaning_is_connected_to_where_it_was_checked(
    tmp_path: Path, net: Net
) -> None:
    async with stranger(silence) as inside, fetching(tmp_path) as fetcher:
        net.names = {"rebind.example": [[PUBLIC], ["127.0.0.1"]]}
        net.ends = {("127.0.0.1", 80): inside.port}
        # Nobody is at the public address, so it is asked a second time, and the name looked up again.
        assert await refusal(fetcher, "http://rebind.example/") == "rebind.example is not at a public address"

    assert net.connected == [(PUBLIC, 80)]
    assert inside.asked == []


async def test_another_address_is_tried_where_the_first_takes_no_connection(tmp_path: Path, net: Net) -> None:
    async with stranger(says(answer("here"))) as server, fetching(tmp_path) as fetcher:
        net.names = {"good.example": [[OTHER_PUBLIC, PUBLIC]]}
        net.ends = {(PUBLIC, 80): server.port}
        assert (await fetcher.get("http://good.example/", guarded=True)).text == "here"

    assert net.connected == [(OTHER_PUBLIC, 80), (PUBLIC, 80)]


async def test_the_config_opens_addresses_and_all_their_ports(tmp_path: Path) -> None:
    async with stranger(says(answer("here"))) as server:
        async with fetching(tmp_path / "closed") as fetcher:
            await refusal(fetcher, server.url())
        async with fetching(tmp_path / "open", fetch_allow=["127.0.0.1/32"]) as fetcher:
            assert (await fetcher.get(server.url(), guarded=True)).text == "here"

    assert len(server.asked) == 1


# -- redirects


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2/",
        "//127.0.0.2:{}/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://2130706434/",
        "http://user:password@127.0.0.1:{}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
    ],
)
async def test_a_redirect_to_what_is_not_public_is_not_followed(
    tmp_path: Path, net: Net, location: str
) -> None:
    async def redirect(head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(status="302 Found", Location=location.format(server.port)))

    async with (
        stranger(redirect, address="0.0.0.0") as server,
        fetching(tmp_path, fetch_allow=["127.0.0.1/32"]) as fetcher,
    ):
        await refusal(fetcher, server.url())

    assert len(server.asked) == 1
    assert net.connected == [("127.0.0.1", server.port)]


async def test_a_name_is_looked_up_again_for_each_redirect(tmp_path: Path, net: Net) -> None:
    async with (
        stranger(says(answer(status="302 Found", Location="/b"))) as server,
        fetching(tmp_path) as fetcher,
    ):
        net.names = {"rebind.example": [[PUBLIC], ["127.0.0.1"]]}
        net.ends = {(PUBLIC, 80): server.port, ("127.0.0.1", 80): server.port}
        assert (
            await refusal(fetcher, "http://rebind.example/a") == "rebind.example is not at a public address"
        )

    assert (len(server.asked), net.connected) == (1, [(PUBLIC, 80)])


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("http://127.0.0.2/", "127.0.0.2 is not at a public address"),
        ("http://2130706434/", "127.0.0.1 redirects to what cannot be asked"),
        ("http://user:password@example.org/", "127.0.0.1 redirects to what cannot be asked"),
    ],
)
async def test_the_trust_in_a_configured_address_ends_where_another_host_begins(
    tmp_path: Path, net: Net, location: str, told: str
) -> None:
    script = says(answer(status="302 Found", Location=location))
    async with stranger(script) as server, fetching(tmp_path) as fetcher:
        with pytest.raises(FetchFailed) as raised:
            await fetcher.get(server.url())
    assert (str(raised.value), raised.value.reason) == (told, "not allowed")

    assert net.connected == [("127.0.0.1", server.port)]


# -- TLS


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    """An authority that this machine trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


def tls(
    authority: trustme.CA, *names: str, names_asked: list[str] | None = None, **life: Any
) -> ssl.SSLContext:
    """What a server needs that is called that; `names_asked` gets those that clients ask for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **life).configure_cert(context)
    if names_asked is not None:
        context.sni_callback = lambda connection, name, context: names_asked.append(name)
    return context


async def test_the_name_of_a_certificate_is_checked_though_a_number_is_connected_to(
    tmp_path: Path, net: Net, authority: trustme.CA
) -> None:
    names_asked: list[str] = []
    context = tls(authority, "good.example", names_asked=names_asked)
    async with stranger(says(answer("here")), context) as server, fetching(tmp_path) as fetcher:
        net.names = {"good.example": [[PUBLIC]], "evil.example": [[PUBLIC]]}
        net.ends = {(PUBLIC, 443): server.port}
        assert (await fetcher.get("https://good.example/", guarded=True)).text == "here"
        with pytest.raises(FetchFailed) as raised:
            await fetcher.get("https://evil.example/", guarded=True)

    assert (str(raised.value), raised.value.reason) == (
        "evil.example has a certificate for another name",
        "tls",
    )
    assert names_asked == ["good.example", "evil.example"]
    assert len(server.asked) == 1


@pytest.mark.parametrize("guarded", [True, False])
async def test_an_expired_certificate_is_told_and_not_tried_again(
    tmp_path: Path, authority: trustme.CA, guarded: bool
) -> None:
    now = datetime.now(UTC)
    life = {"not_before": now - timedelta(days=9), "not_after": now - timedelta(days=1)}
    context = tls(authority, "127.0.0.1", **life)
    async with (
        stranger(says(answer()), context) as server,
        fetching(tmp_path, fetch_allow=["127.0.0.1/32"]) as fetcher,
    ):
        with pytest.raises(FetchFailed) as raised:
            await fetcher.get(server.url(), guarded=guarded, service="Open-Meteo")

    assert (str(raised.value), raised.value.reason) == ("Open-Meteo has an expired certificate", "tls")


async def test_a_certificate_for_another_name_is_told(tmp_path: Path, authority: trustme.CA) -> None:
    context = tls(authority, "other.example")
    async with stranger(says(answer()), context) as server, fetching(tmp_path) as fetcher:
        with pytest.raises(FetchFailed, match=r"^PyPI has a certificate for another name$"):
            await fetcher.get(server.url(), service="PyPI")


async def test_a_certificate_of_nobody_we_trust_is_told(tmp_path: Path) -> None:
    context = tls(trustme.CA(), "127.0.0.1")
    async with stranger(says(answer()), context) as server, fetching(tmp_path) as fetcher:
        with pytest.raises(FetchFailed, match=r"^PyPI has a certificate of nobody we trust$"):
            await fetcher.get(server.url(), service="PyPI")


async def test_a_redirect_from_https_to_http_is_not_followed(tmp_path: Path, authority: trustme.CA) -> None:
    async with stranger(says(answer("plain"))) as plain:
        script = says(answer(status="302 Found", Location=plain.url()))
        async with (
            stranger(script, tls(authority, "127.0.0.1")) as server,
            fetching(tmp_path, fetch_allow=["127.0.0.1/32"]) as fetcher,
        ):
            told = await refusal(fetcher, server.url())

    assert told == "127.0.0.1 redirects from https:// to http://"
    assert plain.asked == []


# -- proxies


class Proxy:
    """A proxy of both kinds; `asked` is what it was asked to connect to. Everything leads to `end`."""

    def __init__(self, end: Stranger) -> None:
        self.asked: list[str] = []
        self.port = 0
        self._end = end

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            first = await reader.readexactly(1)
            await (self._socks if first == b"\x05" else self._connect)(reader, writer)
            their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self._end.port)
            pipes = [_pipe(reader, their_writer), _pipe(their_reader, writer)]
            await asyncio.gather(*pipes, return_exceptions=True)
        writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append("C" + head.decode().partition("\r\n")[0])
        writer.write(b"HTTP/1.1 200 Go on\r\n\r\n")

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """RFC 1928, without a password."""
        (methods,) = await reader.readexactly(1)
        await reader.readexactly(methods)
        writer.write(b"\x05\x00")
        kind = (await reader.readexactly(4))[3]
        if kind == 3:
            (length,) = await reader.readexactly(1)
            host = (await reader.readexactly(length)).decode()
        else:
            host = str(ip_address(await reader.readexactly(4 if kind == 1 else 16)))
        port = int.from_bytes(await reader.readexactly(2))
        self.asked.append(f"{host} {port}")
        writer.write(b"\x05\x00\x00\x01" + bytes(6))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()


async def test_a_proxy_is_asked_for_the_checked_address_of_what_a_stranger_names(
    tmp_path: Path, net: Net
) -> None:
    net.names = {"good.example": [[OTHER_PUBLIC]], "inside.example": [["10.0.0.1"]]}
    async with (
        stranger(says(answer("here"))) as proxy,
        fetching(tmp_path, fetch_proxy=f"http://bot:secret@127.0.0.1:{proxy.port}") as fetcher,
    ):
        assert (await fetcher.get("http://good.example/a?b", guarded=True)).text == "here"
        assert (await fetcher.get("http://service.example/")).text == "here"
        await refusal(fetcher, "http://inside.example/")
        with pytest.raises(FetchFailed) as raised:
            await fetcher.get("http://nothing.invalid/", guarded=True)

    guarded, trusted = proxy.asked
    assert guarded.startswith(f"GET http://[{OTHER_PUBLIC}]:80/a?b HTTP/1.1\r\n")
    assert "\r\nHost: good.example\r\n" in guarded
    assert "\r\nProxy-Authorization: Basic Ym90OnNlY3JldA==\r\n" in guarded
    assert trusted.startswith("GET http://service.example/ HTTP/1.1\r\n")
    assert raised.value.reason == "dns"


@pytest.mark.parametrize(
    ("kind", "guarded", "trusted"),
    [
        ("http", f"CONNECT {PUBLIC}:443 HTTP/1.0", "CONNECT service.example:443 HTTP/1.0"),
        ("socks5h", f"{PUBLIC} 443", "service.example 443"),
    ],
)
async def test_tls_goes_through_a_proxy_with_the_name_of_its_certificate(
    tmp_path: Path, net: Net, authority: trustme.CA, kind: str, guarded: str, trusted: str
) -> None:
    net.names = {"good.example": [[PUBLIC]]}
    names_asked: list[str] = []
    context = tls(authority, "good.example", "service.example", names_asked=names_asked)
    async with stranger(says(answer("here")), context) as server:
        proxy = Proxy(server)
        listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with listener, fetching(tmp_path, fetch_proxy=f"{kind}://127.0.0.1:{port}") as fetcher:
            assert (await fetcher.get("https://good.example/", guarded=True)).text == "here"
            assert (await fetcher.get("https://service.example/")).text == "here"

    assert proxy.asked == [guarded, trusted]
    assert names_asked == ["good.example", "service.example"]


async def test_a_proxy_that_refuses_is_told_as_such(tmp_path: Path) -> None:
    async with (
        stranger(says(answer(status="403 No"))) as proxy,
        fetching(tmp_path, fetch_proxy=f"http://127.0.0.1:{proxy.port}") as fetcher,
    ):
        with pytest.raises(FetchFailed) as raised:
            await fetcher.get("https://service.example/", service="PyPI")

    assert (str(raised.value), raised.value.reason) == ("the proxy does not reach PyPI", "refused")


async def test_this_machine_is_asked_without_a_proxy(tmp_path: Path) -> None:
    async with (
        stranger(says(answer("here"))) as server,
        fetching(tmp_path, fetch_proxy="http://127.0.0.1:1") as fetcher,
    ):
        assert (await fetcher.get(server.url())).text == "here"
