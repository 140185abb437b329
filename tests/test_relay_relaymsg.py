"""Speaking under people's own names (RELAYMSG), where the network lets the bot, as people there see it."""

from __future__ import annotations

from pynfo.testing import EXTENSIONS, Server
from tests.relay_bot import relaying


class TestRefused:
    async def test_a_burst_that_is_refused_is_said_in_the_format_in_order(self, tmp_path):
        async with relaying(tmp_path, b=Server(extensions=EXTENSIONS)) as bot:
            for number in range(20):
                bot.alice.say("#dev", f"n{number}")
            await bot.bob.hears("*n19")
            await bot.settle()
            assert bot.hears(bot.bob) == [f"<alice@a> n{number}" for number in range(20)]
            assert bot.relay.queue.ports()["b/#dev"].lost == 0

    async def test_nothing_is_lost_where_the_refusals_come_one_by_one(self, tmp_path):
        b = Server(extensions=EXTENSIONS)
        async with relaying(tmp_path, b=b) as bot:
            held = []

            def refuse_later(connection, message):
                held.append((connection, message))

            b.handlers["RELAYMSG"] = refuse_later
            for number in range(3):
                bot.alice.say("#dev", f"n{number}")
            await bot.settle()
            for connection, message in held:
                label = message.tags["label"]
                connection.send(f"@label={label} FAIL RELAYMSG PRIVS_NEEDED #dev :You may not relay")
                await bot.settle()
            await bot.says(bot.alice, "n3")
            await bot.settle()
            assert bot.hears(bot.bob) == [f"<alice@a> n{number}" for number in range(4)]

    async def test_it_is_tried_again_when_the_bot_becomes_operator(self, tmp_path):
        async with relaying(tmp_path, b=Server(extensions=EXTENSIONS)) as bot:
            await bot.says(bot.alice, "too early")
            assert (await bot.bob.hears("*too early")).nick == "pynfo"
            bot.bob.mode("#dev", "+o", "pynfo")
            await bot.says(bot.alice, "hello")
            assert (await bot.bob.hears("hello")).nick == "alice/a"
            bot.bob.mode("#dev", "-o", "pynfo")
            await bot.says(bot.alice, "too late")
            assert (await bot.bob.hears("*too late")).nick == "pynfo"
