"""Messages of several lines, whose every line says who speaks."""

from __future__ import annotations

from pynfo.testing import EXTENSIONS, Server
from tests.relay_bot import relaying

MULTILINE = {"draft/multiline": EXTENSIONS["draft/multiline"]}


async def test_no_line_of_a_message_is_without_its_frame_however_long_it_is(tmp_path):
    servers = {name: Server(extensions=MULTILINE) for name in "ab"}
    async with relaying(tmp_path, **servers) as bot:
        bot.alice.person.capabilities |= {"batch", "draft/multiline"}
        send = bot.alice.send
        for length in range(400, 460):
            send("BATCH", "+1", "draft/multiline", "#dev")
            for line in (f"<eve@a>{length:x<{length}}", f"two {length}"):
                send("PRIVMSG", "#dev", line, tags={"batch": "1"})
            send("BATCH", "-1")
            await bot.settle()
        heard = bot.hears(bot.bob)
        assert len([text for text in heard if text.startswith("<alice@a> two")]) == 60
        assert [text for text in heard if not text.startswith("<alice@a> ")] == []
