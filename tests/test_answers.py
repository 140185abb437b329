"""Where answers go, and how long they are."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from pynfo.command import Request, command
from pynfo.irc.events import User
from pynfo.services.answers import RESTS
from tests.command_bot import (
    BOB,
    LONG,
    Bot,
    echo,
    ping,
    without_hints,
)


@pytest_asyncio.fixture
async def bot() -> AsyncIterator[Bot]:
    async with Bot() as bot:
        yield bot


# -- where answers go


async def test_an_answer_goes_where_the_question_was_asked(bot: Bot) -> None:
    bot.offer(ping)

    assert bot.hears("!ping")[0].target == "net/#here"
    assert bot.hears("!ping", channel=None)[0].target == "net/alice"
    assert bot.hears("!ping", target="@#here", statusmsg="@")[0].target == "net/@#here"


async def test_a_private_command_answers_the_person_alone(bot: Bot) -> None:
    @command(private=True)
    async def secret(request: Request) -> str:
        return "hush"

    bot.offer(secret)

    assert bot.hears("!secret")[0].target == "net/alice"


async def test_an_answer_names_the_message_that_it_answers_where_tags_are_allowed(bot: Bot) -> None:
    bot.offer(ping)

    assert bot.hears("!ping", tags={"msgid": "x1"})[0].tags == {"+draft/reply": "x1"}
    assert bot.hears("!ping")[0].tags is None
    bot.clients["net"].capabilities.clear()
    assert bot.hears("!ping", tags={"msgid": "x1"})[0].tags is None


# -- long answers


async def test_a_long_answer_is_one_line_in_a_channel_and_more_gives_the_rest(bot: Bot) -> None:
    bot.offer(echo)

    texts = [bot.answer(f"!echo {LONG}") or ""]
    while "more: !more)" in texts[-1]:
        texts.append(bot.answer("!more") or "")

    assert without_hints(texts) == LONG
    assert len(texts) == 4
    assert texts[0].endswith(" … (3 more: !more)")
    assert all(len(text.encode()) <= 512 - 60 - len("PRIVMSG #here :\r\n") for text in texts)
    assert bot.answer("!more") == "there is no more"


async def test_a_long_answer_is_three_lines_in_private(bot: Bot) -> None:
    bot.offer(echo)

    texts = [said.text for said in bot.hears(f"echo {LONG}", channel=None)]
    rest = [said.text for said in bot.hears("more", channel=None)]

    assert len(texts) == 3
    assert texts[-1].endswith(" … (1 more: more)")
    assert without_hints(texts + rest) == LONG


async def test_more_is_for_the_person_who_asked_and_private_answers_stay_private(bot: Bot) -> None:
    bot.offer(echo)
    bot.hears(f"echo {LONG}", channel=None)

    assert bot.answer("!more", BOB) == "there is no more"
    assert {said.target for said in bot.hears("!more")} == {"net/alice"}


async def test_the_rest_is_said_where_it_was_asked_or_in_private(bot: Bot) -> None:
    bot.offer(echo)
    bot.hears(f"!echo {LONG}", target="@#here", statusmsg="@")
    assert bot.answer("!more") == "the rest is for @#here, where you asked"
    assert bot.hears("more", channel=None)[0].target == "net/alice"


async def test_lines_of_a_list_are_kept_for_more_and_so_is_what_was_replied_before(bot: Bot) -> None:
    @command
    async def both(request: Request) -> list[str]:
        request.reply("one\ntwo")
        return ["three", "four"]

    bot.offer(both)

    texts = [said.text for said in bot.hears("!both")]
    texts += [bot.answer("!more") or "", bot.answer("!more") or ""]

    assert texts == ["one … (1 more: !more)", "three … (2 more: !more)", "two … (1 more: !more)", "four"]


async def test_an_answer_without_text_is_not_said(bot: Bot) -> None:
    @command
    async def nothing(request: Request, count: int) -> str:
        return "\n \n" * count

    bot.offer(nothing)

    assert bot.answer("!nothing 0") is None
    assert bot.answer("!nothing 40") is None


async def test_an_answer_with_no_room_beside_its_channels_name_is_not_said(bot: Bot) -> None:
    bot.offer(echo)

    assert bot.answer(f"!echo {LONG}", channel="#" + "x" * 400) is None


async def test_an_answer_without_end_is_cut(bot: Bot) -> None:
    @command
    async def flood(request: Request) -> str:
        return "x" * 10_000_000

    bot.offer(flood)

    assert "more: !more" in str(bot.answer("!flood"))
    while "more: !more" in (text := str(bot.answer("!more"))):
        assert len(bot.said) < 100
    assert text.endswith("x…")


async def test_the_rest_of_answers_is_kept_for_so_many_people(bot: Bot) -> None:
    bot.offer(echo)
    for number in range(RESTS + 1):
        bot.hears(f"!echo {LONG}", User(f"user{number}", "u", "h"))

    assert bot.answer("!more", User("user0", "u", "h")) == "there is no more"
    assert bot.answer("!more", User("user1", "u", "h")) != "there is no more"
