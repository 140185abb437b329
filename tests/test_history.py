"""What was missed in a channel, as any plugin may ask for it: pages, gaps, and what time it was."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from pynfo.interfaces import IEvents, IHistory
from pynfo.irc.clocks import WRONG, Clocks
from pynfo.irc.events import ChannelRenamed, HistoryReceived, MessageReceived, NetworkUp, User, UserJoined
from pynfo.irc.message import Message
from pynfo.services.history import FUZZ, OVERLAP
from pynfo.services.history_asking import AT_ONCE
from pynfo.testing import Server
from pynfo.testing.bot import CHANNEL, NETWORK, Bot, config_for
from pynfo.testing.transcript import WAIT

NOW = 1_795_262_400.0
NEAR = 2.0  # seconds between two readings of one moment
KEPT_BY_SERVER = 2000
BUFFER = [("one", 901), ("two", 890), ("three", 501), ("four", 490)]  # seconds ago


def stamp(at):
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def told(text, at, *, nick="alice"):
    """A line as a server remembers it."""
    tags = {"time": stamp(at), "msgid": text.replace(" ", "-")}
    return Message("PRIVMSG", [CHANNEL, text], f"{nick}!{nick}@{nick}.test", tags)


def batch(*lines, kind="chathistory", tags=""):
    """History as it comes over the line."""
    yield f"{tags}:irc.test BATCH +h {kind} {CHANNEL}"
    for line in lines:
        yield f"@batch=h;time={line.tags['time']} :{line.source} PRIVMSG {CHANNEL} :{line.params[1]}"
    yield ":irc.test BATCH -h"


def tell(connection, *lines):
    for line in lines:
        connection.send(line)


def answering(*lines, kind="chathistory"):
    """A server's answer to CHATHISTORY, whatever was asked."""

    def answer(connection, message):
        label = message.tags.get("label")
        return list(batch(*lines, kind=kind, tags=f"@label={label} " if label else ""))

    return answer


@asynccontextmanager
async def bot_on(folder, *remembered, history=KEPT_BY_SERVER, prepare=lambda server: None, **options):
    """A bot without plugins, in its channel, of which the server remembers these lines."""
    server = Server(history=history, **options)
    server.channel(CHANNEL).history.extend(remembered)
    prepare(server)
    async with Bot.running(config_for(folder, plugins={}), server=server) as bot:
        bot.history = IHistory(bot.factory)
        yield bot


async def missed(bot, known, until, channel=CHANNEL):
    async with asyncio.timeout(WAIT):
        return [page async for page in bot.history.missed(NETWORK, channel, known, until)]


def texts(pages):
    return [event.text for page in pages for event in page.events]


def gaps(pages):
    return [page.gap for page in pages if page.gap]


async def until_asked(bot, count, command="CHATHISTORY"):
    """Wait for the server to have been asked so many times."""
    async with asyncio.timeout(WAIT):
        while len(asked(bot, command)) < count:
            await asyncio.sleep(0)


def asked(bot, command="CHATHISTORY"):
    lines = [text for connection in bot.server._connections.values() for text in connection.received]
    return [text for text in lines if f"{command} " in text]


# -- where the network has CHATHISTORY


async def test_what_was_missed_comes_page_by_page_and_each_page_tells_how_far_it_is_complete(tmp_path):
    now = time.time()
    said = [told(f"line {number}", now - 1000 + number) for number in range(250)]
    async with bot_on(tmp_path, *said) as bot:
        pages = await missed(bot, now - 1000, now)
    assert texts(pages) == [f"line {number}" for number in range(250)]
    assert [len(page.events) for page in pages] == [100, 100, 50, 0]
    assert [round(page.until - now, 1) for page in pages] == [-901, -801, -751, 0]
    assert gaps(pages) == []


async def test_what_the_server_has_forgotten_is_a_gap_in_the_first_page(tmp_path):
    now = time.time()
    async with bot_on(tmp_path, told("left", now - 100)) as bot:
        first, last = await missed(bot, now - 600, now)
    assert texts([first]) == ["left"]
    assert first.gap == (now - 600, pytest.approx(now - 100, abs=0.01))
    assert (last.events, last.until, last.gap) == ([], now, None)


async def test_a_line_of_just_before_what_is_known_may_come_again_and_none_of_longer_ago(tmp_path):
    now = time.time()
    said = [told("long ago", now - 640), told("known", now - 610), told("missed", now - 300)]
    async with bot_on(tmp_path, *said) as bot:
        assert texts(await missed(bot, now - 600, now)) == ["known", "missed"]


async def test_events_come_oldest_first_however_the_server_orders_them(tmp_path):
    now = time.time()
    lines = told("known", now - 601), told("second", now - 200), told("first", now - 300)
    async with bot_on(tmp_path) as bot:
        bot.server.handle("CHATHISTORY", answering(*lines))
        [page, *_] = await missed(bot, now - 600, now)
    assert texts([page]) == ["known", "first", "second"]


@pytest.mark.parametrize("labels", [True, False])
async def test_several_may_ask_for_one_channel_at_a_time_and_each_gets_its_own_answer(tmp_path, labels):
    now = time.time()
    said = [told(f"line {number}", now - 1000 + number) for number in range(300)]

    def prepare(server):
        if not labels:
            server.withdraw("labeled-response")

    async with bot_on(tmp_path, *said, prepare=prepare) as bot:
        one, other = await asyncio.gather(
            missed(bot, now - 1000, now), missed(bot, now - 800.5 + OVERLAP, now - 700.5 - FUZZ)
        )
    assert texts(one) == [f"line {number}" for number in range(300)]
    assert texts(other) == [f"line {number}" for number in range(200, 300)]
    assert gaps(one) == gaps(other) == []


async def test_an_answer_that_nobody_waits_for_any_more_is_not_taken_for_the_next(tmp_path):
    now = time.time()
    said = [told(text, now - ago) for text, ago in BUFFER]
    late = list(batch(*said[2:]))  # what the first question would have got

    def answers(connection, message):
        tell(connection, *late)
        late.clear()
        connection.answer(message)

    async with bot_on(tmp_path, *said, prepare=lambda server: server.withdraw("labeled-response")) as bot:
        bot.server.handle("CHATHISTORY", lambda connection, message: None)
        given_up = asyncio.ensure_future(missed(bot, now - 500, now))
        await until_asked(bot, 1)
        given_up.cancel()
        bot.server.handle("CHATHISTORY", answers)
        bot.server.handle("PING", answers)
        pages = await missed(bot, now - 900, now)
        assert given_up.cancelled()
    assert texts(pages) == ["one", "two", "three", "four"]
    assert gaps(pages) == []


def pong(message):
    return [f":irc.test PONG irc.test {message.params[0]}"]


async def test_a_connection_that_is_lost_meanwhile_makes_the_rest_a_gap_at_once(tmp_path):
    now = time.time()
    async with bot_on(tmp_path) as bot:
        bot.server.handle("CHATHISTORY", lambda connection, message: connection.abort())
        [page] = await missed(bot, now - 600, now)
    assert (page.events, page.until, page.gap) == ([], now, (now - 600, now))


async def test_what_takes_too_long_is_a_gap_from_where_it_had_come_to(tmp_path, monkeypatch):
    now = time.time()
    said = [told(f"line {number}", now - 1000 + number) for number in range(150)]
    async with bot_on(tmp_path, *said) as bot:
        stalls = []

        def once(connection, message):
            if stalls:
                return
            stalls.append(message)
            connection.answer(message)

        bot.server.handle("CHATHISTORY", once)
        monkeypatch.setattr("pynfo.services.history.TIME_LIMIT", 0.2)
        pages = await missed(bot, now - 1000, now)
    assert len(texts(pages)) == 100
    assert gaps(pages) == [(pages[0].until, now)]


async def test_whoever_goes_on_later_or_never_holds_up_nobody(tmp_path):
    now = time.time()
    said = [told(f"line {number}", now - 1000 + number) for number in range(250)]
    async with bot_on(tmp_path, *said, prepare=lambda server: server.withdraw("labeled-response")) as bot:
        slow = bot.history.missed(NETWORK, CHANNEL, now - 1000, now)
        await anext(slow)
        assert len(texts(await missed(bot, now - 1000, now))) == 250
        await slow.aclose()


async def test_only_so_many_questions_wait_for_one_network_at_a_time(tmp_path, monkeypatch):
    now = time.time()
    open_questions = []
    async with bot_on(tmp_path) as bot:
        bot.server.handle("CHATHISTORY", lambda connection, message: open_questions.append(message))
        waiting = [asyncio.ensure_future(missed(bot, now - 600, now, f"#{number}")) for number in range(9)]
        await until_asked(bot, AT_ONCE)
        await bot.settle()
        assert len(open_questions) == AT_ONCE
        for one in waiting:
            one.cancel()


# -- where it plays history of itself


async def test_what_came_of_itself_reaches_all_who_ask_for_it_afterwards(tmp_path):
    now = time.time()
    prepare = playing(told("known", now - 610), told("missed", now - 300))
    async with bot_on(tmp_path, history=0, prepare=prepare) as bot:
        joined = bot.history.clock(NETWORK)
        for known in (now - 600, now - 605):
            [page] = await missed(bot, known, joined)
            assert texts([page]) == ["known", "missed"]
            assert (page.until, page.gap) == (joined, None)


async def test_what_is_still_on_its_way_is_waited_for(tmp_path):
    now = time.time()
    async with bot_on(tmp_path, history=0) as bot:
        lines = list(batch(told("known", now - 610), told("missed", now - 300)))
        bot.server.handle("PING", lambda connection, message: [*lines, *pong(message)])
        assert texts(await missed(bot, now - 600, now)) == ["known", "missed"]


async def test_what_it_does_not_reach_back_to_is_a_gap(tmp_path):
    now = time.time()
    prepare = playing(told("missed", now - 300))
    async with bot_on(tmp_path, history=0, prepare=prepare) as bot:
        [page] = await missed(bot, now - 600, now)
    assert page.gap == (now - 600, pytest.approx(now - 300, abs=0.01))


async def test_of_the_time_since_we_came_it_tells_nothing(tmp_path):
    now = time.time()
    prepare = playing(told("known", now - 610), told("missed", now - 300))
    async with bot_on(tmp_path, history=0, prepare=prepare) as bot:
        pages = await missed(bot, now - 600, now + 900)
        rest = gaps(await missed(bot, now + 300, now + 900))
    assert texts(pages) == ["known", "missed"]
    assert gaps(pages) == [(pytest.approx(now, abs=NEAR), now + 900)]
    assert rest == [(now + 300, now + 900)]


async def test_what_came_the_last_time_is_not_told_again(tmp_path):
    now = time.time()
    async with bot_on(tmp_path, history=0, prepare=playing(told("known", now - 610))) as bot:
        bot.server.handle("JOIN", None)
        client = bot.factory.clients[NETWORK]
        client.part(CHANNEL)
        await bot.settle()
        client.join(CHANNEL)
        await bot.settle()
        [page] = await missed(bot, now - 600, now)
    assert (page.events, page.gap) == ([], (now - 600, now))


async def test_a_channel_keeps_what_came_when_it_is_renamed(tmp_path):
    now = time.time()
    async with bot_on(tmp_path, history=0, prepare=playing(told("known", now - 610))) as bot:
        IEvents(bot.factory).publish(
            ChannelRenamed(network=NETWORK, time=now, old_channel=CHANNEL, channel="#new", by=User("op"))
        )
        assert texts(await missed(bot, now - 600, now, "#new")) == ["known"]


async def test_too_much_that_comes_unasked_is_not_kept_and_is_a_gap(tmp_path, monkeypatch):
    now = time.time()
    monkeypatch.setattr("pynfo.services.history.UNASKED_LIMIT", 1)
    async with bot_on(tmp_path, history=0, prepare=playing(told("known", now - 610))) as bot:
        [connection] = bot.server.open_connections
        tell(connection, *batch(told("missed", now - 300)))
        [page] = await missed(bot, now - 600, now)
    assert (page.events, page.gap) == ([], (now - 600, now))


async def test_what_came_unasked_is_let_go_after_a_while(tmp_path, monkeypatch):
    now = time.time()
    async with bot_on(tmp_path, history=0, prepare=playing(told("known", now - 610))) as bot:
        await bot.history.let_go()
        assert texts(await missed(bot, now - 600, now)) == ["known"]
        monkeypatch.setattr("pynfo.services.history.UNASKED_AGE", -1.0)
        await bot.history.let_go()
        assert texts(await missed(bot, now - 600, now)) == []


async def test_a_subscriber_of_history_is_told_whether_somebody_had_asked_for_it(tmp_path):
    now = time.time()
    came = []
    async with bot_on(tmp_path, told("asked", now - 610)) as bot:
        IEvents(bot.factory).subscribe(
            HistoryReceived, lambda event: came.append([one.text for one in bot.history.unasked(event)])
        )
        await missed(bot, now - 600, now)
        await missed(bot, now - 600, now)
        assert came
        assert not any(came)
        [connection] = bot.server.open_connections
        lines = told("years ago", now - 86400 * 800), told("unasked", now - 10), told("to come", now + 86400)
        tell(connection, *batch(*lines))
        await bot.settle()
        assert came.pop() == ["unasked"]


@pytest.mark.parametrize("labels", [True, False])
async def test_an_answer_that_nobody_waits_for_any_more_was_asked_for_all_the_same(tmp_path, labels):
    now = time.time()
    came = []

    def prepare(server):
        if not labels:
            server.withdraw("labeled-response")

    async with bot_on(tmp_path, told("late", now - 10), prepare=prepare) as bot:
        IEvents(bot.factory).subscribe(HistoryReceived, lambda event: came.append(bot.history.unasked(event)))
        questions = []
        bot.server.handle("CHATHISTORY", lambda connection, message: questions.append((connection, message)))
        given_up = asyncio.ensure_future(missed(bot, now - 600, now))
        await until_asked(bot, 1)
        given_up.cancel()
        await bot.settle()
        for connection, message in questions:
            connection.answer(message)
        await bot.settle()
    assert came == [[]]


def playing(*lines):
    """Have the server play lines to whoever joins, behind the end of NAMES (InspIRCd's channel mode +H)."""

    def join(connection, message):
        connection.answer(message)
        tell(connection, *batch(*lines))

    return lambda server: server.handle("JOIN", join)


# -- where it is a ZNC


async def test_of_several_that_ask_a_znc_at_a_time_each_gets_its_own_answer(tmp_path):
    now = time.time()
    buffer = [told(text, now - ago) for text, ago in BUFFER]
    async with bot_on(tmp_path, history=0, prepare=znc(*buffer)) as bot:
        came = []
        IEvents(bot.factory).subscribe(HistoryReceived, lambda event: came.append(bot.history.unasked(event)))
        one, other = await asyncio.gather(missed(bot, now - 900, now - 600), missed(bot, now - 500, now))
    assert texts(one) == ["one", "two"]
    assert texts(other) == ["three", "four"]
    assert came == [[], []]
    assert gaps(one) == gaps(other) == []


async def test_what_was_played_is_there_also_when_the_next_question_is_not_answered(tmp_path, monkeypatch):
    now = time.time()
    monkeypatch.setattr("pynfo.services.history_asking.ANSWER_LIMIT", 0.1)
    async with bot_on(tmp_path, history=0, prepare=znc(told("missed", now - 300))) as bot:
        pings = []

        def once(connection, message):
            pings.append(message)
            return pong(message) if len(pings) == 1 else None

        bot.server.handle("PING", once)
        pages = await missed(bot, now - 600, now)
    assert texts(pages) == ["missed"]
    assert gaps(pages) == [(now - 600, now)]


async def test_a_buffer_that_is_too_long_is_a_gap(tmp_path, monkeypatch):
    now = time.time()
    monkeypatch.setattr("pynfo.services.history_asking.PLAYED_LIMIT", 2)
    lines = [told(f"line {number}", now - 610 + number) for number in range(3)]
    async with bot_on(tmp_path, history=0, prepare=znc(*lines)) as bot:
        [page] = await missed(bot, now - 600, now)
    assert (page.events, page.gap) == ([], (now - 600, now))


def znc(*buffer):
    """Have the server be a ZNC whose module "playback" has these lines."""

    def play(connection, message):
        _, _, since, until = message.params[1].split()
        found = [line for line in buffer if stamp(float(since)) < line.tags["time"] < stamp(float(until))]
        return list(batch(*found, kind="znc.in/playback")) if found else None

    def prepare(server):
        server.offer("znc.in/playback")
        server.handle("PRIVMSG", play)

    return prepare


# -- where there is nothing


async def test_a_network_without_history_has_one_page_with_the_gap(tmp_path):
    now = time.time()
    async with bot_on(tmp_path, history=0) as bot:
        [page] = await missed(bot, now - 600, now)
    assert (page.events, page.until, page.gap) == ([], now, (now - 600, now))


async def test_a_gap_of_a_moment_is_none(tmp_path):
    now = time.time()
    async with bot_on(tmp_path, history=0) as bot:
        [page] = await missed(bot, now - 0.4, now)
    assert (page.until, page.gap) == (now, None)


async def test_a_network_that_is_not_there_raises_nothing(tmp_path):
    async with bot_on(tmp_path, history=0) as bot:
        [page] = [page async for page in bot.history.missed("gone", CHANNEL, NOW - 60, NOW)]
        [connection] = bot.server.open_connections
        bot.server.accepting = False
        connection.abort()
        await bot.settle()
        [same] = await missed(bot, NOW - 60, NOW)
    assert page.gap == same.gap == (NOW - 60, NOW)


# -- clocks


async def test_of_a_new_connection_the_clock_is_compared_anew(tmp_path):
    async with bot_on(tmp_path, clock=lambda: time.time() + 90) as bot:
        assert bot.history.clock(NETWORK) == pytest.approx(time.time() + 90, abs=NEAR)
        IEvents(bot.factory).publish(NetworkUp(network=NETWORK, time=time.time(), nick="pynfo"))
        assert bot.history.clock(NETWORK) == pytest.approx(time.time(), abs=NEAR)


async def test_whoever_hears_of_our_coming_is_told_when_that_was_however_early_they_hear(tmp_path):
    times = []
    async with bot_on(tmp_path, clock=lambda: time.time() - 7200) as bot:
        IEvents(bot.factory).subscribe(
            UserJoined, lambda event: times.append(bot.history.time_of(event)), priority=1000
        )
        IEvents(bot.factory).publish(NetworkUp(network=NETWORK, time=time.time(), nick="pynfo"))
        client = bot.factory.clients[NETWORK]
        client.part(CHANNEL)
        await bot.settle()
        client.join(CHANNEL)
        await bot.settle()
    assert times == [pytest.approx(time.time(), abs=NEAR)]


@pytest.mark.parametrize("kind", ["chathistory", "znc"])
@pytest.mark.parametrize("ahead", [-90.0, 90.0, 7200.0, -7200.0])
async def test_times_are_those_of_the_network_where_its_clock_is_about_right(tmp_path, ahead, kind):
    now = time.time()
    seen = 0.0 if abs(ahead) > WRONG else ahead
    said = told("known", now - 610 + ahead), told("missed", now - 300 + ahead)
    options = {"history": 0, "prepare": znc(*said)} if kind == "znc" else {}
    async with bot_on(tmp_path, *said, clock=lambda: time.time() + ahead, **options) as bot:
        assert bot.history.clock(NETWORK) == pytest.approx(now + seen, abs=NEAR)
        pages = await missed(bot, now - 600 + seen, now + seen)
        [_, event] = pages[0].events
        assert bot.history.time_of(event) == pytest.approx(now - 300 + seen, abs=NEAR)
    assert texts(pages) == ["known", "missed"]
    assert gaps(pages) == []


def joined(stamped):
    when = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(stamped))
    message = Message("JOIN", ["#a"], "bot!b@h", {"time": when})
    return MessageReceived(
        network="net", time=stamped, message=message, user=User("a"), target="#a", channel="#a", text="x"
    )


def test_lines_have_the_time_of_their_server_where_its_clock_is_about_right():
    clocks = Clocks(lambda: NOW)
    clocks.compare(joined(NOW - 40))
    assert clocks.time_of(joined(NOW - 39)) == NOW - 39
    assert clocks.now("net") == NOW - 40
    assert clocks.stamp("net", NOW) == NOW


@pytest.mark.parametrize("ahead", [-7200.0, 86400.0 * 365])
def test_a_clock_that_is_far_off_is_corrected(ahead):
    clocks = Clocks(lambda: NOW)
    clocks.compare(joined(NOW + ahead))
    assert clocks.time_of(joined(NOW + ahead + 5)) == NOW + 5
    assert clocks.now("net") == NOW
    assert clocks.stamp("net", NOW) == NOW + ahead


def test_what_comes_late_does_not_make_the_clock_of_its_server_slow():
    clocks = Clocks(lambda: NOW)
    clocks.compare(joined(NOW - 2))
    clocks.compare(joined(NOW - 5))
    assert clocks.now("net") == NOW - 2
    clocks.connected("net")
    clocks.compare(joined(NOW - 5))
    assert clocks.now("net") == NOW - 5


def test_no_line_is_of_the_future():
    clocks = Clocks(lambda: NOW)
    assert clocks.time_of(joined(NOW + WRONG + 10)) == NOW
