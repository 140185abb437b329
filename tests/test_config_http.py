"""`http` of a config file: what it may say, and every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pynfo.config import load
from pynfo.config_http import HttpSettings


def read(folder: Path, text: str) -> tuple[HttpSettings | None, list[str]]:
    path = folder / "config.py"
    path.write_text(f"from pynfo.config import Http\n{text}\n")
    loaded = load(path, networks_needed=False)
    mistakes = [str(mistake).removeprefix(f"{folder}/") for mistake in loaded.mistakes]
    return (loaded.config.http if loaded.config is not None else None), mistakes


@pytest.mark.parametrize("text", ["", "http = None"])
def test_there_is_no_web_where_nothing_is_said(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == (None, [])


def test_what_is_not_said_is_loopback_and_port_8080_with_a_limit(tmp_path: Path) -> None:
    http, mistakes = read(tmp_path, "http = Http()")

    assert mistakes == []
    assert http == HttpSettings()
    assert (HttpSettings().host, HttpSettings().port) == ("127.0.0.1", 8080)
    assert HttpSettings().requests_per_second is not None


def test_everything_can_be_said(tmp_path: Path) -> None:
    http, mistakes = read(
        tmp_path,
        'http = Http("::", 0, public_url="https://logs.example.org/", requests_per_second=None, burst=5,\n'
        '            trusted_proxies=["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"], in_bot=False)',
    )

    assert mistakes == []
    assert http == HttpSettings(
        host="::",
        port=0,
        public_url="https://logs.example.org",
        requests_per_second=None,
        burst=5,
        trusted_proxies=["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"],
        in_bot=False,
    )


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("http = 8080", "2: http is 8080: write Http(port=8080), or None for no web"),
        ("http = {}", "2: http is {}: write Http(port=8080), or None for no web"),
        ("http = Http(prot=80)", "2: there is no setting of Http 'prot': did you mean 'port'?"),
        ("http = Http('::', 80, 5)", "2: Http takes only host and port without a keyword: "
         "write KEYWORD=… for the rest"),
        ("http = Http(port='80')", "2: port must be a whole number, not '80'"),
        ("http = Http(\n port=65536)", "3: port: 65536 is no port: write a number from 1 to 65535, "
         "or 0 for any that is free"),
        ("http = Http(host='http://x')", "2: host: 'http://x' is no address to listen at: "
         'write such as "127.0.0.1", or "0.0.0.0" for all'),
        ("http = Http(public_url='logs.example.org')", "2: public_url: 'logs.example.org' is no address of a "
         'site: write such as "https://logs.example.org"'),
        ("http = Http(public_url='https://x:y/')", "2: public_url: 'https://x:y/' is no address of a site: "
         'write such as "https://logs.example.org"'),
        ("http = Http(public_url='https://a@x')", "2: public_url: 'https://a@x' is no address of a site: "
         'write such as "https://logs.example.org"'),
        ("http = Http(public_url='https://x/logs')", "2: public_url: the pages begin at the root of a site: "
         "write 'https://x', not 'https://x/logs'"),
        ("http = Http(public_url='https://x/?q')", "2: public_url: the pages begin at the root of a site: "
         "write 'https://x', not 'https://x/?q'"),
        ("http = Http(trusted_proxies=['::1',\n 'nginx'])", "3: trusted_proxies: 'nginx' is no address: "
         'write such as "127.0.0.1", or a network such as "10.0.0.0/8"'),
        ("http = Http(trusted_proxies=['10.0.0.1/8'])", "2: trusted_proxies: '10.0.0.1/8' is an address "
         "within a network: did you mean '10.0.0.0/8'?"),
        ("http = Http(requests_per_second=0)", "2: requests_per_second: 0 requests a second would "
         "show nobody anything: write more, or None for no limit"),
        ("http = Http(burst=0)", "2: burst: 0 is too few: write 1 or more"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_line_and_what_to_write(
    tmp_path: Path, text: str, mistake: str
) -> None:
    assert read(tmp_path, text) == (None, [f"config.py:{mistake}"])


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    _, mistakes = read(tmp_path, "http = Http(\n    port=-1,\n    burst=0,\n)\nnick = 5")

    assert [mistake.split(":")[1] for mistake in mistakes] == ["3", "4", "6"]


def test_who_forgets_the_import_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.py"
    path.write_text("http = Http()")

    told = [mistake.text for mistake in load(path, networks_needed=False).mistakes]

    assert told == ["Http is not known here: write from pynfo.config import Http"]
