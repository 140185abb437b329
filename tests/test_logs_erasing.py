"""What is redacted, forgotten or too old is gone: from every answer, and from every file."""

import asyncio

import pytest

from plugins.logs.archive import erasing
from plugins.logs.archive.database import open_archive
from plugins.logs.archive.records import Person
from plugins.logs.archive.service import Archive
from plugins.logs.interfaces import IArchive
from plugins.logs.line import ids_of
from plugins.logs.settings import ChannelSettings
from pynfo.irc.events import User
from tests.logs_archive import NOON, PLACE, archive_in, said
from tests.test_logs_archive import DAY, texts

WORD = "rhabarber"


def files_with(folder, word):
    """The files in which a word stands, in any case, also in hex."""
    needles = (word.lower().encode(), word.lower().encode().hex().encode())
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and any(needle in path.read_bytes().lower() for needle in needles)
    ]


def indexed(folder, word):
    """How many lines the index still knows with a word, whether they are there or not."""
    connection = open_archive(folder / "archive.db")
    tables = connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%'").fetchall()
    count = 0
    for (table,) in tables:
        found = connection.execute(f"SELECT count(*) FROM {table} WHERE {table} MATCH ?", (word,))
        count += found.fetchone()[0]
    connection.close()
    return count


async def filled(archive, lines=3000):
    """Enough lines that the index has several segments, from two months."""
    for number in range(lines):
        archive.append(said(f"{number} and {number * 7919 % 1000}", at=NOON + number, nick=f"n{number % 9}"))
        if number % 500 == 0:
            archive.append(said(f"before {number}", at=NOON - 40 * 86400 + number))
            await archive.flush()


async def test_the_text_of_a_redacted_line_is_nowhere(tmp_path):
    async with archive_in(tmp_path) as archive:
        archive.append(said(f"my {WORD} is http://{WORD}.test", msgid="m1", reply_to="m0", at=NOON - 1))
        await filled(archive)
        assert files_with(tmp_path, WORD)
        assert await archive.redact(network="libera", msgid="m1")
        line = (await archive.day(PLACE, DAY, 1)).lines[0]
        assert (line.text, line.redacted, line.nick, line.msgid) == ("", True, "alice", "m1")
        assert files_with(tmp_path, WORD) == []  # while the bot runs
        assert not await archive.redact(line.id)
        assert not await archive.redact(1)
        assert not await archive.redact(network="oftc", msgid="m1")
    assert indexed(tmp_path, f"text: {WORD}") == 0
    assert indexed(tmp_path, "marks: l") == 0


async def test_a_redacted_topic_is_the_topic_no_more(tmp_path):
    async with archive_in(tmp_path) as archive:
        archive.append(said(WORD, kind="topic"))
        await archive.set_topic(PLACE, WORD)
        await archive.redact((await archive.last(PLACE)).id)
        assert (await archive.channel(PLACE)).topic == ""
        assert files_with(tmp_path, WORD) == []


@pytest.mark.parametrize("how", ["redacted", "forgotten"])
async def test_a_topic_that_was_removed_is_not_learned_again_from_the_network(tmp_path, how):
    async with archive_in(tmp_path, PLACE, "libera/#other") as archive:
        archive.append(said(WORD, kind="topic", account="al"))
        await archive.set_topic(PLACE, WORD)
        await archive.set_topic("libera/#other", WORD)
        if how == "redacted":
            await archive.redact((await archive.last(PLACE)).id)
        else:
            await archive.forget("libera", Person("al"))
    async with archive_in(tmp_path, PLACE, "libera/#other") as archive:
        await archive.set_topic(PLACE, WORD)
        assert (await archive.channel(PLACE)).topic == ""
        assert (await archive.channel("libera/#other")).topic == WORD
        await archive.set_topic("libera/#other", "")
        await archive.retain()
        assert files_with(tmp_path, WORD) == []


@pytest.mark.parametrize("by_account", [True, False])
async def test_a_forgotten_person_is_nowhere(tmp_path, by_account):
    user = User("Zacharias", "z", "z.host.test", "zacc" if by_account else None)
    async with archive_in(tmp_path, PLACE, "libera/#other") as archive:
        who = {"account": user.account, "identity": archive.identity(user), "host": "z@z.host.test"}
        for number, kind in enumerate(("message", "action", "notice", "join", "topic", "nick")):
            archive.append(
                said(f"{WORD} {number}", nick="Zacharias", kind=kind, at=NOON - 60 + number, **who)
            )
        archive.append(said(WORD, nick="Zacharias", place="libera/#other", at=NOON - 40 * 86400, **who))
        archive.append(said("out", kind="kick", nick="op", target="zacharias", at=NOON - 30))
        await filled(archive)
        person = (
            Person(account="ZACC") if by_account else Person(None, ("zacharias",), archive.identity(user))
        )
        assert await archive.count("libera", person) == 7
        assert await archive.forget("libera", person) == 7
        assert [line.kind for line in (await archive.day(PLACE, DAY, 1)).lines[:1]] == ["kick"]
        assert (await archive.day(PLACE, DAY, 1)).lines[0].target == ""
        assert await archive.count("libera", person) == 0
        for word in (WORD, "zacharias", "z.host.test", "zacc"):
            assert files_with(tmp_path, word) == []
        assert (await archive.channel("libera/#other")).lines == 0
    assert indexed(tmp_path, f"text: {WORD}") == 0


async def test_what_is_said_while_somebody_is_forgotten_is_kept_meanwhile(tmp_path, monkeypatch):
    monkeypatch.setattr(erasing, "AT_ONCE", 1)
    async with archive_in(tmp_path) as archive:
        await archive.add([said(f"{number}", at=NOON + number, account="al") for number in range(500)])
        forgetting = asyncio.create_task(archive.forget("libera", Person("al")))
        while await archive.count("libera", Person("al")) == 500:
            await asyncio.sleep(0)
        archive.append(said("hello", nick="bob", at=NOON + 1000))
        await archive.flush()
        assert not forgetting.done()
        assert (await archive.last(PLACE)).text == "hello"
        assert await forgetting == 500
        assert await texts(archive) == ["hello"]


async def test_what_was_half_forgotten_when_the_bot_died_is_forgotten_when_it_is_back(tmp_path, monkeypatch):
    monkeypatch.setattr(erasing, "AT_ONCE", 10)
    async with archive_in(tmp_path) as archive:
        await archive.add([said(WORD, at=NOON + number, account="zacc") for number in range(30)])
        steps = archive._eraser.forget("libera", Person("zacc"), NOON)
        for _ in range(2):
            await archive._write(lambda: next(steps))
        assert (await archive.channel(PLACE)).lines == 20
    async with archive_in(tmp_path) as archive:
        async with asyncio.timeout(10):
            while files_with(tmp_path, WORD) or files_with(tmp_path, "zacc"):
                await asyncio.sleep(0.01)
        assert (await archive.channel(PLACE)).lines == 0


async def test_pages_that_told_of_a_forgotten_person_being_kicked_are_made_anew(tmp_path):
    async with archive_in(tmp_path) as archive:
        archive.append(said("hello", nick="Zacharias", account="zacc", at=NOON - 86400))
        archive.append(said("out", kind="kick", nick="op", target="zacharias"))
        await archive.flush()
        before, seq = await archive.day_version(PLACE, DAY), await archive.latest(PLACE)
        assert await archive.forget("libera", Person("zacc")) == 1
        assert await archive.day_version(PLACE, DAY) != before
        changes = [(one.what, one.line and one.line.target) for one in await archive.changes(PLACE, seq)]
        assert changes == [("redacted", ""), ("removed", None)]


async def test_a_forgotten_person_is_not_among_the_people_any_more_in_any_process(tmp_path):
    async with archive_in(tmp_path) as archive, archive_in(tmp_path, read_only=True) as reader:
        archive.append(said("hello", account="al"))
        archive.append(said("hello", nick="bob"))
        await archive.flush()
        for one in (archive, reader):
            assert [talker.nick for talker in await one.people(PLACE)] == ["alice", "bob"]
        await archive.forget("libera", Person("al"))
        for one in (archive, reader):
            assert [talker.nick for talker in await one.people(PLACE)] == ["bob"]


async def test_by_nick_alone_only_this_session_of_that_nick_and_host_is_forgotten(tmp_path):
    async with archive_in(tmp_path) as archive:
        here, elsewhere = b"here", b"elsewhere"
        archive.append(said("last week", at=NOON - 7 * 86400, identity=here))
        archive.append(said("now", identity=here))
        archive.append(said("somebody else", at=NOON + 1, identity=elsewhere))
        archive.append(said("logged in", at=NOON + 2, account="al"))
        archive.append(said("another nick", at=NOON + 3, nick="bob", identity=here))
        await archive.flush()
        assert await archive.forget("libera", Person(None, ("Alice",), here, NOON - 60)) == 1
        assert await texts(archive) == ["somebody else", "logged in", "another nick"]
        assert len(await texts(archive, day=DAY.replace(day=14))) == 1
        assert await archive.forget("libera", Person()) == 0


async def test_old_files_do_not_bring_a_forgotten_person_back(tmp_path):
    async with archive_in(tmp_path, clock=lambda: NOON) as archive:
        archive.append(said("here", at=NOON - 60, account="al", nick="Alice"))
        await archive.flush()
        await archive.forget("libera", Person("al"))
        from_history = said("here", at=NOON - 60, account="al")
        from_a_file = said("here", at=NOON - 60)
        of_a_later_time = said("new words", at=NOON + 60)
        of_another = said("here", nick="bob", at=NOON - 60)
        assert await archive.add([from_history, from_a_file, of_a_later_time, of_another]) == 2
    async with archive_in(tmp_path, clock=lambda: NOON) as archive:  # known after a restart too
        assert await archive.add([from_file := said("here", at=NOON - 50)]) == 0
        assert from_file.nick == "alice"


async def test_of_who_opted_out_nothing_more_is_kept(tmp_path):
    user = User("alice", "al", "host.test", None)
    logged_in = User("bob", "b", "host.test", "bacc")
    async with archive_in(tmp_path) as archive:
        identity = archive.identity(user)
        assert archive.identity(logged_in) == b""
        await archive.opt_out("libera", Person(None, ("alice",), identity), True)
        await archive.opt_out("libera", Person("Bacc"), True)
        assert archive.is_out("libera", user)
        assert archive.is_out("libera", User("robert", "x", "y", "bacc"))
        assert not archive.is_out("oftc", user)
        assert not archive.is_out("libera", User("alice", "al", "other.test", None))
        for kind in ("message", "join", "quit"):
            archive.append(said("no", identity=identity, kind=kind))
            archive.append(said("no", nick="bob", account="bacc", kind=kind))
        assert await archive.add([said("no", identity=identity), said("no", nick="b", account="BACC")]) == 0
        archive.append(said("yes", identity=archive.identity(User("alice", "al", "other.test"))))
        await archive.flush()
        assert await texts(archive) == ["yes"]
    async with archive_in(tmp_path) as archive:
        assert archive.is_out("libera", user)
        await archive.opt_out("libera", Person(None, ("alice",), identity), False)
        assert not archive.is_out("libera", user)


async def test_lines_older_than_a_channel_keeps_them_go(tmp_path):
    kept = {
        PLACE: ChannelSettings(keep="30 days"),
        "libera/#forever": ChannelSettings(),
    }
    async with archive_in(tmp_path, settings=kept) as archive:
        for place in kept:
            archive.append(said(WORD, at=NOON - 40 * 86400, place=place))
            archive.append(said("new", place=place))
        await archive.flush()
        assert await archive.retain() == 1
        assert [line.text async for line in archive.export(PLACE)] == ["new"]
        assert [line.text async for line in archive.export("libera/#forever")] == [WORD, "new"]
        assert (await archive.calendar(PLACE)).keys() == {DAY}
        assert await archive.retain() == 0


async def test_of_who_said_nothing_that_is_kept_still_nothing_is_known(tmp_path):
    async with archive_in(tmp_path, settings={PLACE: ChannelSettings(keep="30 days")}) as archive:
        who = {"nick": "Zacharias", "identity": b"identity", "host": "z@z.host.test"}
        archive.append(said("old", at=NOON - 40 * 86400, **who))
        archive.append(said("old", at=NOON - 40 * 86400))
        archive.append(said("new"))
        assert await archive.retain() == 2
        assert [line.nick async for line in archive.export(PLACE)] == ["alice"]
        assert files_with(tmp_path, "zacharias") == files_with(tmp_path, "z.host.test") == []
        archive.append(said("back", at=NOON + 1, **who))
        await archive.flush()
        assert (await archive.last(PLACE)).nick == "Zacharias"


async def test_a_month_without_lines_has_no_index(tmp_path):
    async with archive_in(tmp_path, settings={PLACE: ChannelSettings(keep="30 days")}) as archive:
        archive.append(said(WORD, at=NOON - 40 * 86400))
        await archive.retain()
        tables = archive._writer.connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'words%'")
        assert tables.fetchall() == []
        archive.append(said(WORD, at=NOON - 40 * 86400 + 1))
        await archive.flush()
        assert (await archive.last(PLACE)).text == WORD


async def test_what_a_reader_still_holds_is_tidied_once_it_ends(tmp_path):
    async with archive_in(tmp_path) as archive:
        archive.append(said(WORD))
        await archive.flush()
        reader = open_archive(tmp_path / "archive.db", read_only=True)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM lines").fetchone()
        archive._writer.connection.execute("PRAGMA busy_timeout = 10")
        forgetting = asyncio.create_task(archive.redact((await archive.last(PLACE)).id))
        while not (await archive.last(PLACE)).redacted:
            await asyncio.sleep(0)
        reader.execute("ROLLBACK")
        assert await forgetting
        assert files_with(tmp_path, WORD) == []
        reader.close()


async def test_what_a_crash_left_untidy_is_tidied_at_the_next_start(tmp_path):
    async with archive_in(tmp_path) as archive:
        await filled(archive, 600)
        archive.append(said(WORD))
        await archive.flush()
        line = await archive.last(PLACE)
        line_id = next(one.id for one in (await archive.day(PLACE, DAY)).lines if one.text == WORD)
        await archive._write(lambda: archive._eraser.redact(line_id))  # and no further
        assert line.text != WORD
    assert files_with(tmp_path, WORD)
    async with archive_in(tmp_path) as archive:
        await archive.flush()
        assert files_with(tmp_path, WORD) == []


def test_the_archive_is_what_its_interface_says():
    from zope.interface.verify import verifyClass

    assert verifyClass(IArchive, Archive)
    assert ids_of(DAY)[0] == (NOON - 12 * 3600) * 1e6
