"""What people say to the bot about the relay."""

from __future__ import annotations

import re

import pytest

from pynfo.testing.puppet import said
from tests.relay_bot import relaying


@pytest.fixture
async def bot(tmp_path):
    async with relaying(tmp_path) as bot:
        yield bot


async def ask(person, text, target="#dev"):
    person.say(target, text)
    return said(await person.hears("*")).replace("\u2060", "")


async def test_it_tells_what_is_joined(bot):
    assert await ask(bot.alice, "!relay") == "this channel is joined with b/#dev"
    assert await ask(bot.alice, "relay", "pynfo") == "a/#dev and b/#dev are joined"


async def test_it_tells_which_way_a_wire_goes(tmp_path):
    wire = {"name": "news", "direction": "send", "ports": ["a/#dev", "b/#dev"]}
    async with relaying(tmp_path, wires=[wire]) as bot:
        assert await ask(bot.alice, "!relay") == "what is said here is heard in b/#dev"
        bot.bob.say("#dev", "!relay")
        await bot.bob.hears("what is said in a/#dev is heard here")
        assert await ask(bot.bob, "relay", "pynfo") == "what is said in a/#dev is heard in b/#dev"


async def test_it_tells_who_is_on_the_other_side(bot):
    await bot.servers["b"].user("Carol", channels=["#dev"])
    assert await ask(bot.alice, "!relay names") == "b/#dev (2): bob Carol"


async def test_it_pings_nobody_by_telling_names(bot):
    bot.alice.say("#dev", "!relay names")
    assert "bob" not in said(await bot.alice.hears("*"))


async def test_it_finds_people_on_the_other_side(bot):
    await bot.servers["b"].user("bobby", channels=["#dev"])
    assert await ask(bot.alice, "!relay find BOB") == "bob is in b/#dev; bobby is in b/#dev"
    assert await ask(bot.alice, "!relay find eve") == 'nobody of that name is on the other side: "eve"'


async def test_it_tells_how_each_end_is(bot):
    answer = await ask(bot.alice, "!relay status")
    end = "up, (lag .* s, )?nothing waits"
    assert re.fullmatch(f"dev: a/#dev {end}; b/#dev {end}", answer)
    bot.servers["b"].accepting = False
    (await bot.servers["b"].connection(1)).abort()
    await bot.says(bot.alice, "one")
    answer = await ask(bot.alice, "!relay status")
    # The last answer, the message, and the question for the status.
    assert answer.endswith("b/#dev down, 3 wait")
    for item in bot.relay.queue.ports()["b/#dev"].waiting:
        item.time -= 150
    answer = await ask(bot.alice, "!relay status")
    assert re.search(r"b/#dev down, \d wait, the oldest for 2 minutes and 3\d seconds$", answer)


async def test_of_an_end_at_which_nothing_is_heard_it_does_not_tell_what_waits(tmp_path):
    wire = {"name": "news", "direction": "send", "ports": ["a/#dev", "b/#dev"]}
    async with relaying(tmp_path, wires=[wire]) as bot:
        answer = await ask(bot.bob, "!relay status")
        assert re.fullmatch(r"news: a/#dev up(, lag .*?)?; b/#dev up.*, nothing waits", answer)


async def test_only_operators_pause_and_resume(bot):
    carol = await bot.servers["a"].user("carol", channels=["#dev"])
    assert await ask(carol, "!relay pause") == "that is for operators of the channel"
    await bot.alice.hears("that is for operators*")
    told = "'dev' is paused; what is said waits for `relay resume`, and is kept for 1 hour"
    assert await ask(bot.alice, "!relay pause") == told
    assert "dev (paused by alice@a): " in await ask(bot.alice, "!relay status")
    assert await ask(bot.alice, "!relay pause") == "'dev' is paused by alice@a already"
    await bot.says(bot.bob, "can you hear me?")
    assert await ask(bot.alice, "!relay resume") == "'dev' goes on"
    assert said(await bot.alice.hears("*hear me*"))
    assert await ask(bot.alice, "!relay resume") == "'dev' was not paused"


async def test_a_stranger_is_told_nothing(bot):
    eve = await bot.servers["a"].user("eve")
    answer = await ask(eve, "relay names", "pynfo")
    assert answer == "nothing is relayed from or to any channel that you share with me"


async def test_in_private_people_ask_about_their_channels(bot):
    assert await ask(bot.alice, "relay names", "pynfo") == "b/#dev (1): bob"


async def test_an_unknown_wire_is_one_sentence(bot):
    assert await ask(bot.alice, "!relay pause dex") == "there is no wire 'dex': did you mean 'dev'?"


async def test_whoever_pauses_one_of_several_wires_says_which(tmp_path):
    ports = [{"port": "a/#dev", "direction": "send"}, {"port": "b/#dev", "direction": "receive"}]
    wires = [{"name": name, "ports": ports} for name in ("one", "two")]
    async with relaying(tmp_path, wires=wires) as bot:
        assert await ask(bot.alice, "!relay pause") == "which one: one or two?"


async def test_it_tells_in_the_networks_words_why_it_takes_nothing(bot):
    bot.bob.mode("#dev", "+m")
    await bot.says(bot.alice, "hello")
    answer = await ask(bot.alice, "!relay status")
    assert re.search(r"; b/#dev up, .*\d waits?, refused: Cannot send to channel$", answer)
