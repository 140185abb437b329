"""The archive of channel logs: what is kept, in which order, and what it answers."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from plugins.logs.archive import readers
from plugins.logs.archive.consents import Consents
from plugins.logs.archive.database import ArchiveError, load_key, open_archive, transaction
from plugins.logs.archive.erasing import Eraser
from plugins.logs.archive.records import Person
from plugins.logs.archive.writing import CHANGES_KEPT, Writer
from plugins.logs.archive.writing_thread import BATCH, WAITING_LIMIT
from plugins.logs.interfaces import ArchiveBusy
from plugins.logs.line import KINDS, Gap
from tests.logs_archive import NOON, PLACE, archive_in, said

DAY = date(2026, 11, 21)


async def texts(archive, place=PLACE, day=DAY):
    return [line.text for line in (await archive.day(place, day)).lines]


# -- keeping


async def test_a_line_comes_back_as_it_was_kept(tmp_path):
    line = said(
        "\x02bold\x02 and 日本語",
        nick="Älice",
        account="al",
        msgid="m1",
        reply_to="m0",
        origin="oftc",
        host="al@host.test",
        identity=b"x",
        kind="kick",
        target="bob",
        at=NOON + 0.25,
    )
    async with archive_in(tmp_path) as archive:
        archive.append(line)
        await archive.flush()
        kept = await archive.last(PLACE)
    assert kept == replace(line, id=round((NOON + 0.25) * 1e6))


async def test_lines_of_the_same_moment_keep_their_order(tmp_path):
    async with archive_in(tmp_path) as archive:
        for number in range(100):
            archive.append(said(str(number)))
        await archive.flush()
        assert await texts(archive) == [str(number) for number in range(100)]
        assert {line.time for line in (await archive.day(PLACE, DAY)).lines} < {
            NOON + microsecond / 1e6 for microsecond in range(200)
        }


async def test_a_line_from_before_stands_where_its_time_is(tmp_path):
    async with archive_in(tmp_path) as archive:
        for second in (10, 30):
            archive.append(said(f"at {second}", at=NOON + second))
        await archive.flush()
        assert await archive.add([said("at 20", at=NOON + 20, fetched=True)]) == 1
        assert await texts(archive) == ["at 10", "at 20", "at 30"]


async def test_what_no_database_takes_is_replaced(tmp_path):
    async with archive_in(tmp_path) as archive:
        archive.append(said("a\udcffb\0c", nick="n\udc80", account="\udcff", msgid="\udcff"))
        await archive.flush()
        line = await archive.last(PLACE)
    assert (line.text, line.nick, line.account) == ("a?b\ufffdc", "n?", "?")


async def test_a_message_that_is_there_already_is_not_kept_again(tmp_path):
    async with archive_in(tmp_path, PLACE, "libera/#other") as archive:
        for place in (PLACE, PLACE, "libera/#other"):
            archive.append(said("once", msgid="m1", place=place))
        await archive.flush()
        archive.append(said("once", msgid="m1", at=NOON + 5))
        await archive.flush()
        assert await texts(archive) == ["once"]
        assert await texts(archive, "libera/#other") == ["once"]


@pytest.mark.parametrize("text", ["[off] secret", "\x02[NoLog]\x02 secret", " [off]secret"])
async def test_a_line_off_the_record_is_never_stored(tmp_path, text):
    async with archive_in(tmp_path) as archive:
        archive.append(said(text, kind="action"))
        await archive.add([said(text, at=NOON - 60)])
        await archive.flush()
        assert await archive.last(PLACE) is None
    assert not any(b"secret" in file.read_bytes() for file in tmp_path.iterdir())


# -- older lines, without doubles


async def test_two_tellings_of_a_line_are_one_and_two_equal_lines_are_two(tmp_path):
    told = [said("lol", at=NOON + 1), said("lol", at=NOON + 1.2), said("lol", at=NOON + 4)]
    async with archive_in(tmp_path) as archive:
        archive.append(said("\x0304lol", at=NOON + 1.4, nick="ALICE", msgid="m1"))
        await archive.flush()
        assert await archive.add(told) == 2
        assert await archive.add(told) == 0
        assert len(await texts(archive)) == 3


async def test_a_file_with_minutes_alone_is_matched_by_the_minute(tmp_path):
    minute = NOON - NOON % 60
    async with archive_in(tmp_path) as archive:
        archive.append(said("hello", at=minute + 37.5))
        await archive.flush()
        assert await archive.add([said("hello", at=minute), said("new", at=minute + 60)]) == 1
        assert await archive.add([said("hello", at=minute + 120)]) == 1


async def test_other_msgids_are_other_lines(tmp_path):
    async with archive_in(tmp_path) as archive:
        archive.append(said("lol", msgid="m1"))
        await archive.flush()
        assert await archive.add([said("lol", msgid="m1"), said("lol", msgid="m2")]) == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.sampled_from("xy"), st.booleans()), max_size=30
    )
)
def test_adding_anything_twice_adds_nothing(tmp_path_factory, rows):
    connection = open_archive(tmp_path_factory.mktemp("archive") / "archive.db")
    writer = Writer(connection)
    lines = [
        said(text, nick=nick, at=NOON + second, msgid=f"m{number}" if has_msgid else None)
        for number, (second, nick, text, has_msgid) in enumerate(rows)
    ]
    assert writer.add(lines) == len(lines)
    assert writer.add(lines) == 0
    half = lines[::2]
    assert writer.add(half) == 0
    connection.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=8), max_size=6))
def test_ids_are_unique_and_in_the_order_of_time(tmp_path_factory, batches):
    connection = open_archive(tmp_path_factory.mktemp("archive") / "archive.db")
    writer = Writer(connection)
    for batch in batches:
        ids = writer.insert(said("x", at=NOON + microseconds / 1e6) for microseconds in batch)
        assert ids == sorted(set(ids))
        assert all(abs(line_id - NOON * 1e6) <= 20 + 48 for line_id in ids)
    assert connection.execute("SELECT count(*) FROM lines").fetchone()[0] == sum(map(len, batches))
    assert connection.execute("SELECT sum(lines) FROM hours").fetchone()[0] in (sum(map(len, batches)), None)
    connection.close()


# -- days


async def test_a_day_is_paged_by_a_thousand_lines(tmp_path):
    async with archive_in(tmp_path) as archive:
        for number in range(2500):
            archive.append(said(str(number), at=NOON + number))
        await archive.flush()
        last = await archive.day(PLACE, DAY)
        first = await archive.day(PLACE, DAY, 1)
        assert (last.page, last.pages, last.count, len(last.lines)) == (3, 3, 2500, 500)
        assert [line.text for line in first.lines] == [str(number) for number in range(1000)]
        assert await archive.day(PLACE, DAY, 4) is None
        assert await archive.day(PLACE, DAY, 0) is None
        assert await archive.page_of(last.lines[0].id) == (PLACE, DAY, 3)
        assert await archive.page_of(first.lines[-1].id) == (PLACE, DAY, 1)
        assert await archive.page_of(1) is None


async def test_a_day_knows_its_neighbours_its_gaps_and_what_is_answered(tmp_path):
    async with archive_in(tmp_path) as archive:
        archive.append(said("question", at=NOON - 2 * 86400, msgid="q"))
        archive.append(said("answer", reply_to="q"))
        archive.append(said("later", at=NOON + 86400))
        gap = Gap(NOON - 86400, NOON - 50_000)
        await archive.know(PLACE, NOON, gap)
        page = await archive.day(PLACE, DAY)
        assert (page.previous, page.next) == (date(2026, 11, 19), date(2026, 11, 22))
        assert page.parents["q"].text == "question"
        assert (await archive.day(PLACE, date(2026, 11, 20))).gaps == [gap]
        assert page.gaps == []
        assert await archive.known_until(PLACE) == NOON
        assert await archive.calendar(PLACE) == {
            date(2026, 11, 19): 1,
            DAY: 1,
            date(2026, 11, 22): 1,
        }


async def test_the_version_of_a_day_changes_with_all_that_its_page_shows(tmp_path):
    async with archive_in(tmp_path) as archive:
        versions = []

        async def look():
            versions.append(await archive.day_version(PLACE, DAY))

        await look()
        archive.append(said("a"))
        await archive.flush()
        await look()
        archive.append(said("the day after", at=NOON + 86400))
        await archive.flush()
        await look()
        await archive.set_topic(PLACE, "new")
        await look()
        await archive.know(PLACE, NOON, Gap(NOON - 100, NOON - 50))
        await look()
        await archive.redact((await archive.last(PLACE)).id)
        await look()
        await archive.redact((await archive.day(PLACE, DAY)).lines[0].id)
        await look()
        await archive.set_publish(PLACE, False)
        await look()
        assert len(set(versions)) == len(versions)
        await look()
        assert versions[-1] == versions[-2]


async def test_a_channel_is_found_in_any_case_and_told_whole(tmp_path):
    async with archive_in(tmp_path, "libera/#Pynfo[]") as archive:
        archive.append(said("a", place="libera/#Pynfo[]"))
        archive.append(said("", place="libera/#Pynfo[]", kind="join"))
        await archive.flush()
        info = await archive.channel("libera/#pynfo{}")
        assert (info.place, info.lines, info.today, info.publish) == ("libera/#Pynfo[]", 2, 1, None)
        assert await archive.channel("libera/#none") is None
        assert [one.place for one in await archive.channels()] == ["libera/#Pynfo[]"]


async def test_around_people_topics_and_the_last_words(tmp_path):
    async with archive_in(tmp_path, PLACE, "libera/#other") as archive:
        for number in range(9):
            archive.append(said(f"bob: {number}", at=NOON + number, nick="alice" if number % 2 else "Alice"))
        archive.append(said("hm", nick="bob", at=NOON + 10, place="libera/#other"))
        archive.append(said("bob himself", nick="bob", at=NOON + 20))
        archive.append(said("Welcome", kind="topic", at=NOON + 21))
        archive.append(said("", kind="join", nick="carol", at=NOON + 22))
        await archive.flush()
        middle = (await archive.day(PLACE, DAY)).lines[4]
        assert [line.text[-1] for line in await archive.around(middle.id, 2, 1)] == ["2", "3", "4", "5"]
        people = await archive.people(PLACE)
        assert [(one.nick.lower(), one.lines, one.mentions) for one in people] == [
            ("alice", 9, 0),
            ("bob", 1, 9),
        ]
        assert [line.text for line in await archive.topics(PLACE)] == ["Welcome"]
        last = await archive.last_by("libera", "BOB", [PLACE, "libera/#other"])
        assert last.text == "bob himself"
        assert (await archive.last_by("libera", "bob", ["libera/#other"])).text == "hm"
        assert await archive.last_by("libera", "carol", [PLACE]) is None
        assert [line.text async for line in archive.export(PLACE, NOON + 8, NOON + 21)] == [
            "bob: 8",
            "bob himself",
        ]


# -- following


async def test_changes_come_in_the_order_of_commits(tmp_path):
    async with archive_in(tmp_path) as archive:
        start = await archive.latest(PLACE)
        archive.append(said("late", at=NOON + 60))
        await archive.flush()
        await archive.add([said("early", at=NOON)])
        page = await archive.day(PLACE, DAY)
        await archive.redact(page.lines[1].id)
        changes = await archive.changes(PLACE, start)
        assert [(change.what, change.line.text) for change in changes] == [
            ("new", ""),
            ("new", "early"),
            ("redacted", ""),
        ]
        assert await archive.changes(PLACE, changes[-1].seq) == []
        assert len(await archive.changes(PLACE, start, limit=1)) == 1
        assert await archive.changes(PLACE, changes[-1].seq + 5) is None


async def test_too_old_a_place_in_the_changes_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("plugins.logs.archive.writing.CHANGES_KEPT", 10)
    async with archive_in(tmp_path) as archive:
        for number in range(30):
            archive.append(said("x", at=NOON + number))
            await archive.flush()
        assert await archive.changes(PLACE, 1) is None
        assert len(await archive.changes(PLACE, 25)) == 5
    assert CHANGES_KEPT == 50_000


async def test_whoever_follows_is_woken_by_a_commit(tmp_path):
    async with archive_in(tmp_path) as archive:
        await archive.flush()
        seq = await archive.latest(PLACE)
        waiting = asyncio.create_task(archive.changed(seq))
        await asyncio.sleep(0)
        assert not waiting.done()
        archive.append(said("hello"))
        await asyncio.wait_for(waiting, 5)
        assert await archive.latest(PLACE) > seq


async def test_whoever_follows_is_not_woken_by_a_commit_that_is_known(tmp_path):
    async with archive_in(tmp_path) as archive:
        archive.append(said("hello"))
        await archive.flush()
        seq = await archive.latest(PLACE)
        waiting = asyncio.create_task(archive.changed(seq))
        await asyncio.sleep(0)
        archive._committed(seq)  # a look that was on its way when the line was read
        for _ in range(3):
            await asyncio.sleep(0)
        assert not waiting.done()
        archive.append(said("again"))
        await asyncio.wait_for(waiting, 5)


async def test_another_process_that_only_reads_sees_what_the_bot_writes(tmp_path):
    async with archive_in(tmp_path) as archive, archive_in(tmp_path, read_only=True) as reader:
        await archive.flush()
        waiting = asyncio.create_task(reader.changed(await reader.latest(PLACE)))
        await asyncio.sleep(0)
        archive.append(said("hello"))
        await asyncio.wait_for(waiting, 10)
        assert await texts(reader) == ["hello"]
        with pytest.raises(PermissionError):
            reader.append(said("no"))
        with pytest.raises(PermissionError):
            await reader.redact(1)


# -- when the disk or the readers cannot keep up


async def test_lines_wait_while_the_disk_is_full_and_the_operator_is_told(tmp_path):
    told = asyncio.Queue()
    async with archive_in(tmp_path, tell=told.put_nowait) as archive:
        archive.append(said("before"))
        await archive.flush()
        connection = archive._writer.connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        for number in range(200):
            archive.append(said("x" * 400, at=NOON + number + 1))
        problem = await asyncio.wait_for(told.get(), 5)
        assert "cannot be written" in problem
        assert "full" in problem
        with pytest.raises(ArchiveBusy, match="cannot be written now"):
            await archive.set_publish(PLACE, True)  # at once: nobody waits for a disk to be cleared
        assert await texts(archive) == ["before"]
        connection.execute("PRAGMA max_page_count = 1000000")
        while (news := await asyncio.wait_for(told.get(), 15)) is not None:
            assert news == problem
        assert len(await texts(archive)) == 201


async def test_what_finds_no_place_in_the_queue_is_a_gap(tmp_path):
    async with archive_in(tmp_path) as archive:
        await archive.flush()
        blocker = open_archive(tmp_path / "archive.db")
        with transaction(blocker):
            for number in range(WAITING_LIMIT + BATCH):
                archive.append(said("x", at=NOON + number))
        await archive.flush()
        page = await archive.day(PLACE, DAY)
        assert page.count == WAITING_LIMIT
        assert page.gaps == [Gap(NOON + WAITING_LIMIT, NOON + WAITING_LIMIT + BATCH - 1)]
        blocker.close()


async def test_too_many_readers_are_refused_with_a_sentence(tmp_path):
    go_on = threading.Event()
    async with archive_in(tmp_path) as archive:
        await archive.flush()
        slow = [
            asyncio.create_task(archive._readers.run(lambda connection: go_on.wait()))
            for _ in range(readers.AT_ONCE + readers.WAITING)
        ]
        await asyncio.sleep(0)
        with pytest.raises(ArchiveBusy, match="try again"):
            await archive.day(PLACE, DAY)
        go_on.set()
        await asyncio.gather(*slow)
        assert await archive.day(PLACE, DAY) is not None


async def test_an_archive_can_stop_while_it_is_read(tmp_path):
    reading, go_on = threading.Event(), threading.Event()

    def slow(connection):
        reading.set()
        go_on.wait()
        return connection.execute("SELECT count(*) FROM lines").fetchone()

    async with archive_in(tmp_path) as archive:
        answer = asyncio.create_task(archive._readers.run(slow))
        await asyncio.to_thread(reading.wait)
    go_on.set()
    assert await answer == (0,)  # a connection that was closed under it would end the process
    with pytest.raises(ArchiveBusy):
        await archive.day(PLACE, DAY)


CHILD = """
import asyncio, sys
from pathlib import Path
from plugins.logs.archive.service import Archive
from plugins.logs.settings import ChannelSettings
from tests.logs_archive import PLACE, said, NOON

async def main():
    archive = Archive(Path(sys.argv[1]), places={PLACE: ChannelSettings()})
    for number in range(100_000):
        archive.append(said(f"number {number}", at=NOON + number))
        if number % 7 == 0:
            await archive.flush()
            print(number, flush=True)

asyncio.run(main())
"""


def test_what_was_flushed_outlives_a_kill(tmp_path):
    root = Path(__file__).parent.parent
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    with child:
        for _ in range(40):
            acknowledged = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
    acknowledged = max([acknowledged, *map(int, rest)])
    connection = open_archive(tmp_path / "archive.db")
    kept = [text for (text,) in connection.execute("SELECT text FROM lines ORDER BY id")]
    assert kept[: acknowledged + 1] == [f"number {number}" for number in range(acknowledged + 1)]
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


# -- the file


@pytest.mark.parametrize("replaced", [False, True])
async def test_nothing_is_written_into_a_file_that_is_not_there_any_more(tmp_path, replaced):
    told = []
    async with archive_in(tmp_path, tell=told.append) as archive:
        archive.append(said("before"))
        await archive.flush()
        (tmp_path / "archive.db").rename(tmp_path / "elsewhere")
        if replaced:
            (tmp_path / "archive.db").touch()
        archive.append(said("after", at=NOON + 1))
        async with asyncio.timeout(10):
            while not told:
                await asyncio.sleep(0.01)
        assert "was removed or replaced while it was open: load the plugin logs anew" in told[0]
        (tmp_path / "elsewhere").rename(tmp_path / "archive.db")
        async with asyncio.timeout(30):
            while told[-1] is not None:
                await asyncio.sleep(0.01)
        assert await texts(archive) == ["before", "after"]


async def test_only_whoever_runs_the_bot_reads_the_files(tmp_path):
    async with archive_in(tmp_path / "logs") as archive:
        archive.append(said("private"))
        await archive.flush()
        modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "logs").iterdir()}
    assert "archive.db-wal" in modes
    assert set(modes.values()) == {0}


def test_two_that_write_learn_of_each_other(tmp_path):
    consents = [Consents(b"key"), Consents(b"key")]
    one, other = (Writer(open_archive(tmp_path / "archive.db"), some, lambda: NOON) for some in consents)
    one.insert([said("a", account="al"), said("b", account="bo", nick="bob")])
    other.add([said("c", account="al", at=NOON + 1)])
    eraser = Eraser(one, consents[0])
    for _ in eraser.forget("libera", Person("al"), NOON + 60):
        pass
    eraser.opt_out("libera", Person("bo"), True, NOON + 60)

    said_before = [said("d", account="al", at=NOON + 2), said("e", account="bo", nick="bob", at=NOON + 3)]
    assert other.add(said_before) == 0
    assert other.add([said("later", account="al", at=NOON + 120)]) == 1

    found = one.connection.execute("SELECT text, nick FROM lines LEFT JOIN authors ON author = authors.id")
    assert found.fetchall() == [("b", "bob"), ("later", "alice")]
    for writer in (one, other):
        writer.connection.close()


def test_an_older_schema_is_upgraded_in_one_transaction(tmp_path):
    schema = tmp_path / "schema"
    schema.mkdir()
    real = Path("plugins/logs/archive/schema/0001.sql")
    (schema / "0001.sql").write_text((Path(__file__).parent.parent / real).read_text())
    path = tmp_path / "archive.db"
    connection = open_archive(path, schema=schema)
    Writer(connection).insert([said("old")])
    connection.close()
    (schema / "0002.sql").write_text("ALTER TABLE lines ADD COLUMN mood TEXT;\nCREATE TABLE broken (;\n")
    with pytest.raises(ArchiveError, match=r"archive\.db"):
        open_archive(path, schema=schema)
    (schema / "0002.sql").write_text(
        "ALTER TABLE lines ADD COLUMN mood TEXT;\nUPDATE lines SET mood = 'fine; and so on';\n"
    )
    connection = open_archive(path, schema=schema)
    assert connection.execute("SELECT text, mood FROM lines").fetchall() == [("old", "fine; and so on")]
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    connection.close()
    (schema / "0003.sql").write_text("CREATE TABLE more (id INTEGER PRIMARY KEY);\n")
    open_archive(path, schema=schema).close()
    with pytest.raises(ArchiveError, match=r"newer Pynfo \(schema 3, this one knows 2\)"):
        open_archive(path)


@pytest.mark.parametrize("content", [b"this is no database, it is a text" * 100, None])
def test_another_file_is_not_taken_for_an_archive(tmp_path, content):
    path = tmp_path / "archive.db"
    if content is None:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE theirs (a)")
        other.commit()
        other.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match="is no archive"):
        open_archive(path)
    if content is not None:
        assert path.read_bytes() == before


def test_the_key_is_made_once_and_is_for_the_bot_alone(tmp_path):
    key = load_key(tmp_path / "logs")
    assert len(key) == 32
    assert load_key(tmp_path / "logs") == key
    assert (tmp_path / "logs" / "key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["key"]
    (tmp_path / "logs" / "key").write_bytes(b"short")
    with pytest.raises(ArchiveError, match="is no key"):
        load_key(tmp_path / "logs")


def test_kinds_keep_the_numbers_that_archives_have_them_under():
    assert KINDS == (
        "message", "notice", "action", "join", "part", "quit", "kick", "nick", "topic", "mode",
    )  # fmt: skip


async def test_a_line_that_cannot_be_kept_does_not_hold_up_the_others(tmp_path):
    async with archive_in(tmp_path) as archive:
        archive.append(said("before"))
        archive.append(said("of no kind", at=NOON + 1, kind="nonsense"))
        archive.append(said("after", at=NOON + 2))
        await archive.flush()
        assert await texts(archive) == ["before", "after"]


async def test_a_month_tells_its_days_and_where_there_is_more(tmp_path):
    async with archive_in(tmp_path) as archive:
        for days in (-70, -21, 0, 0, 5, 40):
            archive.append(said("x", at=NOON + days * 86400))
        await archive.flush()
        month = await archive.month(PLACE, DAY)
        assert month.talk == {DAY: 2, date(2026, 11, 26): 1}
        assert (month.previous, month.next) == (date(2026, 10, 31), date(2026, 12, 31))
        before = await archive.day_version(PLACE, DAY)
        archive.append(said("nearer", at=NOON + 20 * 86400))
        await archive.flush()
        assert await archive.day_version(PLACE, DAY) != before


async def test_what_is_said_elsewhere_is_no_change_here(tmp_path):
    async with archive_in(tmp_path, PLACE, "libera/#other") as archive:
        archive.append(said("here"))
        await archive.flush()
        here = await archive.latest(PLACE)
        archive.append(said("there", place="libera/#other"))
        await archive.flush()
        assert await archive.latest(PLACE) == here
        assert await archive.changes(PLACE, here) == []


async def test_who_waits_when_the_disk_becomes_full_is_told_at_once(tmp_path):
    async with archive_in(tmp_path) as archive:
        connection = archive._writer.connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        for number in range(200):
            archive.append(said("x" * 400, at=NOON + number))
        with pytest.raises(ArchiveBusy, match="cannot be written now"):
            await asyncio.wait_for(archive.flush(), 5)
        connection.execute("PRAGMA max_page_count = 1000000")
