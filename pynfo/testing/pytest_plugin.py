"""The `bot` fixture for the tests of plugins; pytest finds it by itself where Pynfo is installed.

    @pytest.mark.asyncio
    @pytest.mark.pynfo(plugins={"dice": {}})
    async def test_rolls(bot):
        assert "rolled" in await bot.ask("!roll")

The mark takes the fields of `pynfo.config.Config`, and `owner=True` where the person who asks owns the bot.
The plugin path has the folder that pytest runs in. It needs pytest-asyncio; with its
`asyncio_mode = "auto"` the first mark may be left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pynfo.testing.bot import Bot

try:
    import pytest_asyncio
except ImportError:
    pass
else:

    @pytest_asyncio.fixture
    async def bot(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bot]:
        """A bot in #pynfo, and alice, who talks to it: no network, no waiting."""
        from pynfo.testing.bot import Bot, config_for

        settings: dict[str, Any] = {"plugin_path": [request.config.rootpath]}
        for mark in reversed(list(request.node.iter_markers("pynfo"))):
            settings |= mark.kwargs
        owner = "alice" if settings.pop("owner", False) else ""
        async with Bot.running(config_for(tmp_path / "state", owner=owner, **settings)) as running:
            yield running


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "pynfo(**settings): the config of the bot fixture")
