"""The relay between two networks, as people on both sides see it."""

from __future__ import annotations

from pynfo.testing import Server
from tests.relay_bot import relaying


class TestTalk:
    async def test_what_people_say_is_heard_on_the_other_side(self, tmp_path):
        async with relaying(tmp_path) as bot:
            await bot.says(bot.alice, "hello")
            await bot.says(bot.bob, "hi there")
            assert bot.hears(bot.bob) == ["<alice@a> hello"]
            assert bot.hears(bot.alice) == ["<bob@b> hi there"]
