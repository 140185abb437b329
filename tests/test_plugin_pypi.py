"""`!pypi NAME` tells of a package in one line, whatever the index answers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from pytest_httpserver import HTTPServer

from plugins.pypi.index import canonical
from plugins.pypi.package import describe, read_package
from pynfo import IFetcher
from pynfo.testing.bot import Bot, config_for
from tests.feeds_site import NOON
from tests.pypi_index import PackageIndex, document, vulnerability

DAY = 86400.0
RELEASES = [("2.31.0", 0), ("2.30.0", -48)]


@pytest.fixture
def index(httpserver: HTTPServer) -> PackageIndex:
    return PackageIndex(httpserver)


@pytest.fixture
async def bot(tmp_path: Path, index: PackageIndex) -> AsyncIterator[Bot]:
    async with Bot.running(config_for(tmp_path, plugins={"pypi": {"url": index.url}})) as bot:
        yield bot


def line(*releases: tuple[str, int], **more: Any) -> str:
    content = json.dumps(document("requests", releases or RELEASES, **more)).encode()
    return describe(read_package(content), NOON + 3 * DAY)


# -- the line


def test_a_package_is_one_line_with_all_that_people_ask_for() -> None:
    assert line() == (
        "requests 2.31.0, 3 days ago: What requests does | Python >=3.9 | MIT License "
        "| no known vulnerabilities | https://index.example/project/requests/"
    )


def test_known_vulnerabilities_are_told_with_what_fixes_them() -> None:
    known = [
        vulnerability("PYSEC-2023-74", "CVE-2023-32681", fixed_in=["2.31.0", "2.30.1"]),
        vulnerability("GHSA-9wx4", "CVE-2024-35195"),
    ]

    assert "| VULNERABLE: PYSEC-2023-74 (fixed in 2.31.0 and 2.30.1) and GHSA-9wx4 (no fix yet) |" in line(
        vulnerabilities=known
    )


def test_of_many_vulnerabilities_three_are_told() -> None:
    assert "PYSEC-2 (no fix yet) and 4 more |" in line(
        vulnerabilities=[vulnerability(f"PYSEC-{number}") for number in range(7)]
    )


def test_what_two_databases_tell_of_the_same_vulnerability_is_one() -> None:
    same = [vulnerability("GHSA-1", "CVE-1"), vulnerability("PYSEC-1", "CVE-1", "GHSA-1")]

    assert "VULNERABLE: GHSA-1 (no fix yet) |" in line(vulnerabilities=same)


def test_a_vulnerability_that_was_withdrawn_is_none() -> None:
    withdrawn = vulnerability("PYSEC-1", withdrawn="2023-06-01T00:00:00Z")

    assert "no known vulnerabilities" in line(vulnerabilities=[withdrawn])


def test_a_yanked_release_is_told_with_the_reason() -> None:
    assert "2.31.0, 3 days ago, YANKED (broken on Windows): " in line(
        yanked=["2.31.0"], yanked_reason="broken on Windows"
    )


def test_prereleases_are_told_apart() -> None:
    newer = line(("3.0.0rc1", 24), ("2.31.0", 0), ("2.31.0rc1", -9), version="2.31.0")
    only = line(("1.0a1", 0))

    assert "2.31.0, 3 days ago, pre-release 3.0.0rc1 2 days ago: " in newer
    assert "requests 1.0a1 (pre-release), 3 days ago: " in only


def test_a_prerelease_that_was_yanked_or_has_no_files_is_not_told() -> None:
    content = document("x", [("3.0rc1", 0), ("2.0", 0)], yanked=["3.0rc1"], version="2.0")
    content["releases"]["4.0rc1"] = []

    assert "pre-release" not in describe(read_package(json.dumps(content).encode()), NOON)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"license_expression": "Apache-2.0"}, "| Apache-2.0 |"),
        ({"classifiers": ["License :: OSI Approved :: BSD License"]}, "| BSD License |"),
        ({"classifiers": [], "license": "MIT License\n\nCopyright (c) " + "x" * 9999}, "| MIT License |"),
        ({"classifiers": None, "license": "UNKNOWN"}, "| no licence named |"),
    ],
)
def test_the_licence_is_told_by_what_is_surest(fields: dict[str, Any], told: str) -> None:
    assert told in line(**fields)


def test_what_is_not_there_is_left_out() -> None:
    bare = {"info": {"name": "x", "version": "1.0"}}

    assert describe(read_package(json.dumps(bare).encode()), NOON) == (
        "x 1.0 | no licence named | no known vulnerabilities"
    )


def test_hostile_texts_stay_one_line_of_bounded_length() -> None:
    evil = "a\r\nQUIT :\x0304b\u202e" + "c" * 5000
    told = line(
        vulnerabilities=[vulnerability(f"{number}{evil}", fixed_in=[evil] * 9) for number in range(50)],
        **dict.fromkeys(("name", "summary", "requires_python", "license_expression", "yanked_reason"), evil),
        package_url="javascript:alert(1)",
        project_url="https://index.example/a b",
    )

    assert told.isprintable()
    assert len(told) < 1500
    assert "javascript" not in told


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"info": {"name": 1, "version": []}}', b"\xff" * 10]
)
def test_what_is_no_package_is_refused(content: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, UnicodeError)):
        read_package(content)


def test_names_are_asked_for_in_their_one_spelling() -> None:
    assert canonical("Zope.Interface") == canonical("zope_interface") == "zope-interface"
    for name in ("", "-x", "a/b", "a b", "é", "x" * 101, "../../simple"):
        with pytest.raises(ValueError):
            canonical(name)


# -- on IRC


async def test_a_package_that_exists_is_told_of(bot: Bot, index: PackageIndex) -> None:
    index.put("requests", RELEASES)

    assert (await bot.ask("!pypi Requests")).startswith("requests 2.31.0, ")


async def test_a_package_that_does_not_exist_is_one_sentence(bot: Bot) -> None:
    assert await bot.ask("!pypi nosuch") == 'there is no package "nosuch" on PyPI'


async def test_what_can_be_no_name_is_not_asked_for(bot: Bot, index: PackageIndex) -> None:
    assert await bot.ask("!pypi ../etc") == '"../etc" cannot be the name of a package'
    assert index.asked == []


async def test_ten_people_who_ask_the_same_make_one_request(bot: Bot, index: PackageIndex) -> None:
    index.put("requests", RELEASES)
    people = [await bot.server.user(f"user{number}", channels=["#pynfo"]) for number in range(9)]
    for person in (bot.user, *people):
        person.say("#pynfo", "!pypi requests")
    for _ in range(10):
        await bot.user.hears("*requests 2.31.0*")

    assert index.count("/pypi/requests/json") == 1


async def test_an_index_that_is_out_of_order_is_one_clear_sentence(bot: Bot, index: PackageIndex) -> None:
    index.failing["/pypi/requests/json"] = 500

    assert await bot.ask("!pypi requests") == ("pypi: PyPI answers with an error (500); try again later")


async def test_an_answer_that_is_nonsense_is_one_clear_sentence(bot: Bot, index: PackageIndex) -> None:
    index.serve("/pypi/requests/json", "<html>hello</html>")

    assert await bot.ask("!pypi requests") == (
        "pypi: PyPI answers with something that cannot be read; try again later"
    )


async def test_megabytes_about_a_package_are_read(bot: Bot, index: PackageIndex) -> None:
    index.put("boto3", [(f"1.{number}.0", number) for number in range(6000, 0, -1)])

    assert len(index.pages["/pypi/boto3/json"]) > 2 << 20
    assert (await bot.ask("!pypi boto3")).startswith("boto3 1.6000.0")


async def test_without_a_setting_the_index_is_the_one_that_the_library_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pypi_simple import PYPI_SIMPLE_ENDPOINT

    asked = []

    async def get(url: str, **options: Any) -> Any:
        asked.append(url)
        raise AssertionError("not in a test")

    async with Bot.running(config_for(tmp_path, plugins={"pypi": {}})) as bot:
        monkeypatch.setattr(IFetcher(bot.factory), "get", get)
        await bot.ask("!pypi requests")

    parts = urlsplit(PYPI_SIMPLE_ENDPOINT)
    assert asked == [f"{parts.scheme}://{parts.netloc}/pypi/requests/json"]


def test_an_address_that_is_none_is_a_mistake_of_the_config(tmp_path: Path) -> None:
    from plugins.pypi import Settings, check

    config = config_for(tmp_path)

    assert list(check(Settings(url="mirror.example.org"), config)) == [
        'url is no address: write such as "https://mirror.example.org"'
    ]
    assert len(list(check(Settings(url="https://mirror .example.org"), config))) == 1
    assert list(check(Settings(), config)) == []


def test_advisories_are_looked_for_hourly_or_as_often_as_one_polls_in_a_trial() -> None:
    from plugins.pypi import Settings

    assert Settings().advisory_period == 3600
    assert Settings(poll=1).advisory_period == 1
    assert Settings(advisories=600).advisory_period == 600


# -- the real index


def configured_index() -> str:
    """Where the index is that pip is configured for, without its path."""
    from plugins.pypi.settings import pypi_url

    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    for setting in asked.stdout.splitlines():
        name, _, value = setting.partition("=")
        if name.rpartition(".")[2] == "index-url":
            parts = urlsplit(value.strip("'\""))
            return f"{parts.scheme}://{parts.netloc}"
    return pypi_url()


async def test_the_index_that_pip_uses_has_a_package_and_has_not_another(tmp_path: Path) -> None:
    config = config_for(tmp_path, plugins={"pypi": {"url": configured_index()}})
    async with Bot.running(config) as bot:
        there = await asyncio.wait_for(bot.ask("!pypi packaging"), 30)
        if not there.startswith("packaging "):
            pytest.skip(f"the index cannot be asked from here: {there}")

        assert " | " in there
        assert "/project/packaging/" in there
        missing = await bot.ask("!pypi no-such-package-of-pynfo-x1y2z3")
        assert missing == 'there is no package "no-such-package-of-pynfo-x1y2z3" on PyPI'
