"""What of the plugin `search` needs no service: addresses, lines, settings."""

from __future__ import annotations

import pytest

from plugins.search import Settings, check
from plugins.search.addresses import LONGEST, shown
from plugins.search.results import Result, line_of, presentable
from pynfo.config import Config, env
from pynfo.irc.settings import Secret
from tests.search_services import (
    KEY,
)

# -- addresses


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://www.zope.dev/", "https://www.zope.dev/"),
        ("HTTP://Zope.Example:8080/a?b=c#d", "http://zope.example:8080/a?b=c#d"),
        ("https://de.wikipedia.org/wiki/Käse", "https://de.wikipedia.org/wiki/K%C3%A4se"),
        ("https://a.example/%E6%97%A5?q=<x>", "https://a.example/%E6%97%A5?q=%3Cx%3E"),
        ("https://[::1]:8080/", "https://[::1]:8080/"),
        ("https://münchen.example/", "https://münchen.example/"),
        ("https://xn--mnchen-3ya.example/", "https://münchen.example/"),
        ("https://日本語.jp/", "https://日本語.jp/"),
        ("https://пример.рф/", "https://пример.рф/"),
        ("https://p\u0430ypal.com/", "https://xn--pypal-4ve.com/"),  # Cyrillic a
        ("https://\u0430\u0440\u0440\u04cf\u0435.com/", "https://xn--80ak6aa92e.com/"),  # but for ".com"
    ],
)
def test_addresses_are_shown_so_that_they_are_what_they_look_like(address: str, told: str) -> None:
    assert shown(address) == told


@pytest.mark.parametrize(
    "address",
    [
        "",
        "zope.dev",
        "//zope.dev/",
        "ftp://zope.dev/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https:///path",
        "https://good.example@evil.example/",
        "https://good.example\\@evil.example/",
        "https://a b.example/",
        "https://exa%6dple.com/",
        'https://a"b.example/',
        "https://a.example/\x02bold",
        "https://a.example/\u202egpj.exe",
        "https://a.example/\nQUIT",
        "https://a.example:99999/",
        "https://[::1",
        "https://" + "ü" * 100 + ".example/",
        "https://a.example/" + "a" * LONGEST,
        "https://a.example/" + "日" * (LONGEST // 9),
    ],
)
def test_addresses_that_are_not_safe_to_paste_are_not_shown(address: str) -> None:
    assert shown(address) is None


def test_a_line_holds_the_whole_address_whatever_else_there_is() -> None:
    (result,) = presentable([Result("日" * 200, "https://a.example/" + "a" * 200, "snippet " * 90)])

    line = line_of(result, "SearXNG", 330)

    assert len(line.encode()) <= 330
    assert line.startswith("日")
    assert line.endswith(f"… — {result.address} (SearXNG)")


# -- settings


def test_the_config_is_told_of_providers_that_cannot_work() -> None:
    settings = Settings(providers=["searxng", "google", "duckduckgo"], google_cx=Secret("x"))

    assert list(check(settings, Config())) == [
        'providers lists "searxng", which cannot work so: add "searxng_url": "https://…", or leave it out',
        'providers lists "google", which cannot work so: add "google_key": env("GOOGLE_KEY"), '
        "or leave it out",
    ]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Settings(), []),
        (Settings(providers=["brave"], brave_key=Secret("x")), []),
        (
            Settings(providers=[]),
            ['providers is empty, so that nobody would answer: write such as ["duckduckgo", "wikipedia"]'],
        ),
        (
            Settings(searxng_url="searx.example.org"),
            ['searxng_url is no address: write such as "https://search.example.org"'],
        ),
        (
            Settings(language="EN/../"),
            ['language is the short name of a Wikipedia: write such as "en" or "pt"'],
        ),
    ],
)
def test_the_config_is_told_what_is_wrong(settings: Settings, told: list[str]) -> None:
    assert list(check(settings, Config())) == told


def test_only_what_has_its_key_and_its_address_is_asked() -> None:
    assert Settings().working == ["duckduckgo", "wikipedia"]
    assert Settings(providers=["google", "wikipedia", "brave"], brave_key=Secret("x")).working == [
        "wikipedia",
        "brave",
    ]


def test_a_key_from_the_environment_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAVE_KEY", KEY)

    settings = Settings(brave_key=env("BRAVE_KEY"))

    assert KEY not in repr(settings)
    assert "brave" in settings.working


def test_a_result_is_no_command_to_other_bots() -> None:
    line = line_of(Result("!op eve", "https://example.org/"), "SearXNG", 330)

    assert line == "\u2060!op eve — https://example.org/ (SearXNG)"
