"""HTTP for plugins: what it gives, and how."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from pynfo import IFetcher
from pynfo.factory import Factory
from pynfo.testing.bot import config_for


@pytest.fixture
async def factory(tmp_path: Path) -> AsyncIterator[Factory]:
    factory = Factory(config_for(tmp_path, networks=[], plugins={}))
    await factory.start()
    yield factory
    await factory.stop()


async def test_an_answer_has_status_headers_text_and_json(factory: Factory, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a", query_string={"q": "ü"}).respond_with_json({"a": 1})

    fetched = await IFetcher(factory).get(httpserver.url_for("/a"), {"q": "ü"})

    assert (fetched.status, fetched.ok, fetched.json()) == (200, True, {"a": 1})
    assert fetched.headers["Content-Type"] == "application/json"
