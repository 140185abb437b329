"""What a config says about the bot's own requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from pynfo.config import Config, load
from pynfo.irc.settings import reveal


def read(folder: Path, text: str) -> tuple[Config | None, list[str]]:
    """The config of a file, and its mistakes."""
    (folder / "pynfo_config.py").write_text(f"from pynfo.config import env\nnetworks = []\n{text}\n")
    loaded = load(folder / "pynfo_config.py", networks_needed=False)
    return loaded.config, [f"{mistake.line}: {mistake.text}" for mistake in loaded.mistakes]


def test_contact_proxy_and_allowed_addresses_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROXY", "http://bot:secret@127.0.0.1:3128")
    text = 'fetch_contact = "me@example.org"; fetch_proxy = env("PROXY"); fetch_allow = ["127.0.0.1", "::1"]'

    config, mistakes = read(tmp_path, text)

    assert mistakes == []
    assert config is not None
    assert config.fetch_contact == "me@example.org"
    assert reveal(config.fetch_proxy or "") == "http://bot:secret@127.0.0.1:3128"
    assert config.fetch_allow == ["127.0.0.1", "::1"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('fetch_contact = "me (at) example"', "is no contact: write such as"),
        ('fetch_contact = "me\\r\\nX-Evil: 1"', "is no contact"),
        ('fetch_proxy = "proxy.example.org"', "is no proxy: write such as"),
        ('fetch_proxy = "ftp://proxy.example.org:21"', "is no proxy"),
        ('fetch_proxy = "http://proxy.example.org"', "is no proxy"),
        ('fetch_allow = ["intranet"]', "'intranet' is no address"),
        ('fetch_allow = ["10.0.0.1/8"]', "did you mean '10.0.0.0/8'?"),
        ("fetch_allow = True", "fetch_allow must be a list"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    config, mistakes = read(tmp_path, text)

    assert config is None
    (mistake,) = mistakes
    assert mistake.startswith("3: fetch_")
    assert told in mistake


def test_the_password_of_a_proxy_is_not_told(tmp_path: Path) -> None:
    _, mistakes = read(tmp_path, 'fetch_proxy = "http://bot:secret@proxy.example.org:none"')

    assert len(mistakes) == 1
    assert "secret" not in mistakes[0]
