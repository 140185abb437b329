"""A bot that follows feeds, in tests: its polls come when they are told to, and nothing is waited for."""

from __future__ import annotations

from pynfo import IFeeds, IOutbox
from pynfo.irc.message import Message
from pynfo.testing.bot import Bot
from pynfo.testing.puppet import said

NEVER = 5e5  # seconds; a period that does not pass in a test
HERE = "test/#pynfo"
MARK = "that was all"


async def poll(bot: Bot) -> None:
    """What the schedule does in time, now."""
    for watch in list(IFeeds(bot.factory)._watches.values()):
        await watch.poll()


async def announced(bot: Bot) -> list[str]:
    """What was announced since the last call, or answer; a mark shows that nothing more is on its way."""
    await IOutbox(bot.factory).say(HERE, MARK, durable=True)
    await bot.user.hears(MARK)
    lines = [said(Message.parse(line.encode())) for line in bot.user.heard]
    texts = [line for line in lines if line is not None]
    marks = [index for index, text in enumerate(texts) if text == MARK]
    return texts[marks[-2] + 1 if len(marks) > 1 else 0 : marks[-1]]


async def ask(bot: Bot, text: str) -> str:
    """The answer to a command, which is not counted among the announcements."""
    answer = await bot.ask(text)
    await announced(bot)
    return answer
