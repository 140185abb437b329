"""Search in the archive: what is found, in which order, by whom, and in which time."""

import re
import time
import unicodedata
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.logs.archive import searching
from plugins.logs.archive.consents import Consents
from plugins.logs.archive.database import open_archive
from plugins.logs.archive.erasing import Eraser
from plugins.logs.archive.query import QueryError, parse
from plugins.logs.archive.reading import export, visible
from plugins.logs.archive.searching import counts, search
from plugins.logs.archive.words import LINK, WORDED
from plugins.logs.archive.writing import Writer
from pynfo.irc.casemap import fold
from tests.logs_archive import NOON, PLACE, said

TODAY = date(2026, 11, 21)
DAY = 86400.0
PLACES = [f"libera/#c{number}" for number in range(12)]
OVER = 0.0  # a deadline that is long over


class Searched:
    """An archive in memory, and what is found in it."""

    def __init__(self, lines=(), file=":memory:"):
        self.connection = open_archive(Path(file))
        if file == ":memory:":
            Path(file).unlink()  # made for others not to read it, though SQLite keeps nothing in it
        self.writer = Writer(self.connection)
        self.writer.insert(lines)

    def query(self, typed, places=None, **options):
        ids = visible(self.connection, self.places() if places is None else places)
        return search(self.connection, parse(typed, now=TODAY), ids, **options)

    def texts(self, typed, places=None, **options):
        return [line.text for line in self.query(typed, places, **options).lines]

    def pages(self, typed, places=None, **options):
        """The texts of each page, to the last."""
        pages, cursor = [], None
        while True:
            found = self.query(typed, places, before=cursor, **options)
            pages.append([line.text for line in found.lines])
            cursor = found.cursor
            if cursor is None:
                return pages

    def counts(self, typed, places=None, **options):
        ids = visible(self.connection, self.places() if places is None else places)
        return counts(self.connection, parse(typed, now=TODAY), ids, **options)

    def places(self):
        return [place for (place,) in self.connection.execute("SELECT network || '/' || name FROM channels")]


@pytest.fixture
def searched():
    made = []

    def make(*lines, **options):
        made.append(Searched(lines, **options))
        return made[-1]

    yield make
    for one in made:
        one.connection.close()


def months_ago(count):
    year, month = divmod(2026 * 12 + 10 - count, 12)
    return datetime(year, month + 1, 15, tzinfo=UTC).timestamp()


# -- what is found


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("ZOPE", "zope.interface is old"),
        ('"zope interface"', "zope.interface is old"),
        ("zope.interface", "the zope interface"),
        ("foo_bar", "see foo_bar()"),
        ("bar", "see foo_bar()"),
        ("inter*", "interfaces"),
        ("cafe", "CAFÉ cafe\u0301"),
        ("kᴀ̈se käse", "kᴀ̈se Kase"),
        ("ｐython", "python"),  # noqa: RUF001
        ("python", "ｐython"),  # noqa: RUF001
        ("bold", "\x02bo\x02ld \x0304,01x"),
        ("x", "\x02bo\x02ld \x0304,01x"),
        ("日本", "大日本語"),
        ("語", "日本語"),
        ("日", "日"),
        ("日", "日本語"),
        ("本語", "日本語"),
        ("日本語の本", "これは日本語の本です"),
        ("pythonの本", "pythonの本です"),
        ("日本python", "大日本python"),
        ("本pyn*", "日本pynfo"),
        ("한국", "한국어"),
        ("https://example.org/a", "go to https://example.org/a?b=c"),
        ("example.org", "go to https://example.org/a?b=c"),
        ("has:link", "go to https://example.org/a?b=c"),
    ],
)
def test_it_is_found(searched, typed, text):
    assert searched(said(text)).texts(typed) == [text]


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ('"zope interface"', "interface zope"),
        ('"zope interface"', "zope and interface"),
        ("inter", "interfaces"),
        ("foobar", "foo_bar"),
        ("日語", "日本語"),
        ("本日", "日本"),
        ("日本python", "日本語python"),
        ("pythonの本", "pythonと本"),
        ("zope -old", "zope is old"),
        ("has:link", "example.org http:// is no link"),
        ("-has:link", "https://example.org"),
    ],
)
def test_it_is_not_found(searched, typed, text):
    assert searched(said(text)).texts(typed) == []


def test_words_stand_in_any_order_and_a_minus_leaves_out(searched):
    archive = searched(said("a zope b interface"), said("interface zope"), said("zope"), said("other"))

    assert archive.texts("zope interface") == ["interface zope", "a zope b interface"]
    assert archive.texts("zope -interface") == ["zope"]
    assert archive.texts('-zope -"x y"') == ["other"]


def test_nicks_are_found_in_any_case_by_their_beginning_and_left_out(searched):
    archive = searched(*(said(f"by {nick}", nick=nick) for nick in ("Alice", "ali[x]", "älice", "bob")))

    assert archive.texts("nick:ALICE") == ["by Alice"]
    assert archive.texts("nick:Ali{x}") == ["by ali[x]"]
    assert archive.texts("nick:ali*") == ["by ali[x]", "by Alice"]
    assert archive.texts("nick:äl*") == ["by älice"]
    assert archive.texts("nick:bob nick:alice by") == ["by bob", "by Alice"]
    assert archive.texts("by -nick:al* -nick:bob") == ["by älice"]


def test_comings_and_goings_are_found_only_where_they_are_asked_for(searched):
    kinds = ("message", "notice", "action", "join", "part", "quit", "kick", "nick", "topic", "mode")
    archive = searched(*(said(kind, kind=kind) for kind in kinds))

    assert archive.texts("nick:alice") == ["topic", "action", "notice", "message"]
    assert archive.texts("on:today") == ["topic", "action", "notice", "message"]
    assert archive.texts("-xyz -is:topic") == ["action", "notice", "message"]
    assert archive.texts("is:join is:mode") == ["mode", "join"]
    assert archive.texts("is:action action") == ["action"]
    assert archive.texts("join") == []


def test_days_bound_what_is_found(searched):
    lines = [said(f"x {when:%Y-%m-%d}", at=when.timestamp()) for when in map(datetime.fromisoformat, (
        "2025-12-31T23:59:59.999999+00:00", "2026-01-01T00:00:00+00:00", "2026-01-31T23:59:59+00:00",
        "2026-02-01T00:00:00+00:00", "2026-11-20T12:00:00+00:00", "2026-11-21T00:00:00+00:00",
    ))]  # fmt: skip
    archive = searched(*lines)

    assert archive.texts("x on:2026-01") == ["x 2026-01-31", "x 2026-01-01"]
    assert archive.texts("on:2025") == ["x 2025-12-31"]
    assert archive.texts("before:2026-01-31 x") == ["x 2026-01-01", "x 2025-12-31"]
    assert archive.texts("after:yesterday") == ["x 2026-11-21", "x 2026-11-20"]
    assert archive.texts("after:2027") == []
    assert archive.texts("on:2026-06") == []


def test_what_was_redacted_or_removed_is_not_found(searched):
    archive = searched(
        said("a secret", nick="bob"), said("a secret too", nick="bob"), said("other", nick="bob")
    )
    ids = {line.text: line.id for line in archive.query("nick:bob").lines}
    eraser = Eraser(archive.writer, Consents(b"key"))

    assert eraser.redact(ids["a secret"])
    assert sum(eraser.remove([ids["a secret too"]])) == 1

    assert archive.texts("secret") == []
    assert archive.texts("nick:bob") == ["other"]
    assert archive.counts("nick:bob").total == 1


# -- for whom


@pytest.mark.parametrize("patience", [1, 1000])
@pytest.mark.parametrize("seen", [[], PLACES[:1], PLACES[::2], PLACES[1::2], PLACES[4:], PLACES[1:], PLACES])
def test_only_channels_that_may_be_seen_are_found_and_counted(searched, monkeypatch, seen, patience):
    monkeypatch.setattr(searching, "PATIENCE", patience)
    lines = [said(f"x {place}", place=place, at=NOON + at, nick=place) for at in range(3) for place in PLACES]
    archive = searched(*lines)
    count = len(seen)

    assert {line.place for line in archive.query("x", seen).lines} == set(seen)
    assert len(archive.texts("x", seen, limit=100)) == 3 * count
    assert archive.texts("nick:libera/*", seen, limit=100) == archive.texts("x", seen, limit=100)
    assert sorted(archive.texts("x", seen, best_first=True, limit=100)) == sorted(
        archive.texts("x", seen, limit=100)
    )
    found = archive.counts("x", seen)
    assert found.total == 3 * count
    assert sorted(found.places) == sorted((place, 3) for place in seen)
    assert sorted(found.nicks) == sorted((place, 3) for place in seen)


def test_a_filter_shows_no_channel_that_may_not_be_seen(searched):
    archive = searched(said("x", place="libera/#open"), said("x", place="libera/#closed"))

    assert archive.texts("x channel:closed", ["libera/#open"]) == []
    assert archive.texts("x -channel:open", ["libera/#open"]) == []
    assert archive.query("x channel:closed", ["libera/#open"]) == archive.query(
        "x channel:absent", ["libera/#open"]
    )


def test_channels_and_networks_are_chosen(searched):
    archive = searched(*(said(place, place=place) for place in ("libera/#a", "libera/#b", "oftc/#a")))

    assert archive.texts("-x channel:a") == ["oftc/#a", "libera/#a"]
    assert archive.texts("libera channel:libera/a") == ["libera/#a"]
    assert archive.texts("network:libera") == ["libera/#b", "libera/#a"]
    assert archive.texts("-network:libera") == ["oftc/#a"]
    assert archive.texts("-channel:a -channel:c") == ["libera/#b"]


# -- pages


def test_the_newest_come_first_page_by_page(searched):
    texts = [f"x {number}" for number in range(25)]
    archive = searched(*(said(text, at=months_ago(number // 4)) for number, text in enumerate(texts)))
    newest_first = [line.text for line in archive.query("x", limit=100).lines]

    pages = archive.pages("x", limit=10)

    assert [len(page) for page in pages] == [10, 10, 5]
    assert [*chain.from_iterable(pages)] == newest_first
    assert sorted(newest_first) == sorted(texts)
    assert archive.query("x", limit=25).cursor is None


@pytest.mark.parametrize("best_first", [False, True])
def test_a_page_stays_where_it_is_when_new_lines_come(searched, best_first):
    archive = searched(*(said(f"x {number}", at=NOON + number) for number in range(10)))
    options = {"best_first": best_first, "limit": 4}
    first = archive.query("x", **options)
    before = archive.texts("x", before=first.cursor, **options)

    archive.writer.insert([said("x", at=NOON + 100), said("x x x", at=NOON + 200)])

    assert archive.texts("x", before=first.cursor, **options) == before


@pytest.mark.parametrize("best_first", [False, True])
@pytest.mark.parametrize(
    "cursor",
    ["", "n", "b", "nope", "n-1", "n1.2", "b1.2.3", "n" + "f" * 16, "n\u0661", "b0.0.0.x", "\0", "n 1"],
)
def test_a_cursor_that_is_none_is_a_mistake(searched, cursor, best_first):
    with pytest.raises(QueryError, match="search again from its first page"):
        searched(said("x")).query("x", before=cursor, best_first=best_first)


def test_a_new_month_is_found_by_a_connection_that_searched_before(searched, tmp_path):
    reader = searched(said("x old", at=months_ago(1)), file=tmp_path / "archive.db")
    assert reader.texts("x") == ["x old"]

    searched(said("x new"), file=tmp_path / "archive.db")

    assert reader.texts("x") == ["x new", "x old"]


# -- best first


def test_best_first_shows_short_lines_that_say_it_often(searched):
    texts = ["zope zope", "zope " + "and other things " * 5, "zope", "zope " + "x " * 200]
    archive = searched(*(said(text, at=NOON + at) for at, text in enumerate(texts)))

    assert archive.texts("zope", best_first=True) == ["zope zope", "zope", texts[1], texts[3]]
    assert archive.texts("nick:alice", best_first=True) == texts[::-1]


def test_best_first_goes_through_its_pages(searched, monkeypatch):
    archive = searched(*(said("x " * (1 + at % 3), at=NOON + at) for at in range(20)))

    pages = archive.pages("x", best_first=True, limit=6)

    assert [*chain.from_iterable(pages)] == archive.texts("x", best_first=True, limit=100)
    assert [len(page) for page in pages] == [6, 6, 6, 2]


def test_best_first_puts_the_newest_in_order_and_tells_from_when_they_are(searched, monkeypatch):
    monkeypatch.setattr(searching, "RANKED", 5)
    archive = searched(*(said(f"x {at}", at=NOON + at) for at in range(20)))
    first = archive.query("x", best_first=True, limit=3)
    second = archive.query("x", best_first=True, limit=3, before=first.cursor)

    assert {line.text for line in first.lines + second.lines} == {f"x {at}" for at in range(15, 20)}
    assert (first.reached, second.reached, second.cursor) == (NOON + 15, NOON + 15, None)


# -- in which time


def test_when_the_time_is_over_it_tells_what_it_found_and_goes_on_there(searched):
    archive = searched(*(said(f"x {ago}", at=months_ago(ago)) for ago in range(5)))

    found = archive.query("x", deadline=OVER)

    assert [line.text for line in found.lines] == ["x 0"]
    assert found.reached == months_ago(0)
    assert archive.query("x", before=found.cursor).lines == archive.query("x").lines[1:]


def test_a_month_without_hits_is_gone_through_when_the_time_is_over(searched):
    archive = searched(said("y"), said("x", at=months_ago(1)))

    found = archive.query("x", deadline=OVER)

    assert found.lines == []
    assert found.reached == datetime(2026, 11, 1, tzinfo=UTC).timestamp()
    assert archive.texts("x", before=found.cursor) == ["x"]


def test_that_was_all_where_the_time_is_over_at_the_end(searched):
    found = searched(said("y"), said("y", at=months_ago(1))).query("x on:2026-10", deadline=OVER)

    assert (found.lines, found.cursor, found.reached) == ([], None, None)


def test_however_little_time_there_is_the_pages_lead_to_the_end(searched):
    lines = [said(f"{'xy'[at % 2]} {at}", at=months_ago(at % 4) + at) for at in range(24)]
    archive = searched(*lines)

    pages = archive.pages("x", deadline=OVER, limit=3)

    assert [*chain.from_iterable(pages)] == archive.texts("x")
    assert archive.query("x", deadline=time.monotonic() + 60).reached is None


def test_best_first_tells_how_far_it_came_in_its_time(searched):
    archive = searched(said("x 1"), said("x 2", at=months_ago(1)))

    found = archive.query("x", best_first=True, deadline=OVER)

    assert ([line.text for line in found.lines], found.reached) == (["x 1"], NOON)


# -- counts


def test_counts_tell_channels_nicks_and_months(searched):
    archive = searched(
        said("x", nick="ALICE", at=months_ago(13)),
        said("x", nick="bob", at=months_ago(1)),
        said("x", nick="alice", place="oftc/#a", account="al"),
        said("x", nick="Alice", account="other", at=NOON + 1),
        said("y", nick="carol"),
    )

    found = archive.counts("x")

    assert (found.total, found.capped) == (4, False)
    assert found.places == [(PLACE, 3), ("oftc/#a", 1)]
    assert found.nicks == [("Alice", 3), ("bob", 1)]
    assert found.months == [("2026-11", 2), ("2026-10", 1), ("2025-10", 1)]


def test_counts_stop_at_the_newest_and_tell_so(searched, monkeypatch):
    monkeypatch.setattr(searching, "COUNTED", 3)
    archive = searched(*(said("x", at=NOON - at, nick=f"n{at}") for at in range(4)))

    assert archive.counts("x nick:n0 nick:n1 nick:n2").capped is False
    found = archive.counts("x")
    assert (found.total, found.capped) == (3, True)
    assert dict(found.nicks) == {"n0": 1, "n1": 1, "n2": 1}


def test_counts_stop_when_the_time_is_over(searched):
    archive = searched(*(said("x", at=months_ago(ago)) for ago in range(3)))

    found = archive.counts("x", deadline=OVER)

    assert (found.total, found.capped, found.months) == (1, True, [("2026-11", 1)])


def test_counts_name_the_first_twenty_of_each(searched):
    archive = searched(*(said("x", nick=f"n{at}", at=months_ago(at)) for at in range(30)))

    found = archive.counts("x")

    assert (len(found.nicks), len(found.months), found.months[0]) == (20, 20, ("2026-11", 1))
    assert found.total == 30


# -- against a plain look at every line

WORDS = [
    "zope",
    "Zope",
    "zöpe",
    "interface",
    "inter",
    "日本",
    "日本語",
    "本",
    "語",
    "x日本",
    "の本yz",
    "py",
    "python",
]
LINKS = ["https://zope.org/inter", "http://"]
SIGNS = [" ", " ", " ", ".", "_", "-", "", "! ", "\x02"]
NICKS = ["alice", "Alice", "ali[x]", "bob"]
TIMES = [months_ago(ago) + day * DAY for ago in range(3) for day in (0, 1)]
TALK = ["message", "message", "message", "action", "notice", "topic", "join", "part"]

lines_there = st.lists(
    st.builds(
        lambda pieces, nick, kind, place, at: said(
            "".join(pieces).strip() or "-", nick=nick, kind=kind, place=place, at=at
        ),
        st.lists(st.tuples(st.sampled_from(WORDS + LINKS), st.sampled_from(SIGNS)).map("".join), max_size=6),
        st.sampled_from(NICKS),
        st.sampled_from(TALK),
        st.sampled_from(PLACES),
        st.sampled_from(TIMES),
    ),
    max_size=25,
)
phrases = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
asked = st.fixed_dictionaries(
    {
        "terms": st.lists(st.tuples(phrases, st.booleans()), max_size=2),
        "without": st.lists(st.tuples(phrases, st.booleans()), max_size=1),
        "nicks": st.lists(st.sampled_from([*NICKS, "al*", "ALI*"]), max_size=2),
        "without_nicks": st.lists(st.sampled_from([*NICKS, "ali*"]), max_size=1),
        "kinds": st.lists(st.sampled_from(["action", "message", "topic"]), max_size=2),
        "link": st.sampled_from([None, True, False]),
        "channels": st.lists(st.sampled_from(["c0", "#c1", "libera/c2"]), max_size=2),
        "month": st.sampled_from([None, "2026-11", "2026-10"]),
    }
)


def typed_of(asked):
    """The query that a person would type."""
    star = {True: "*", False: ""}
    parts = [f'"{phrase}"{star[begins]}' for phrase, begins in asked["terms"]]
    parts += [f'-"{phrase}"{star[begins]}' for phrase, begins in asked["without"]]
    parts += [f"nick:{nick}" for nick in asked["nicks"]]
    parts += [f"-nick:{nick}" for nick in asked["without_nicks"]]
    parts += [f"is:{kind}" for kind in asked["kinds"]]
    parts += [f"channel:{channel}" for channel in asked["channels"]]
    parts += {None: [], True: ["has:link"], False: ["-has:link"]}[asked["link"]]
    parts += [f"on:{asked['month']}"] if asked["month"] else []
    return " ".join(parts)


CJK = re.compile("[\u3040-\u30ff\u4e00-\u9fff]+")


def pieces_of(text):
    """Words in small letters without accents, and runs of Chinese and Japanese."""
    text = unicodedata.normalize("NFD", text.replace("\x02", "")).lower()
    return re.findall(f"{CJK.pattern}|[a-z]+", "".join(one for one in text if not unicodedata.combining(one)))


def says(text, phrase, begins):
    """Whether a text has the pieces of a phrase one after the other; at its ends runs may go on."""
    said_pieces, pieces = pieces_of(text), pieces_of(phrase)
    count = len(pieces)

    def fits(at):
        for number, (there, piece) in enumerate(zip(said_pieces[at:], pieces, strict=False)):
            first, last = number == 0, number == count - 1
            is_run = bool(CJK.match(piece))
            if first and last and is_run:
                good = piece in there
            elif first and is_run:
                good = there.endswith(piece)
            elif last and (is_run or begins):
                good = there.startswith(piece)
            else:
                good = there == piece
            if not good:
                return False
        return True

    return any(fits(at) for at in range(len(said_pieces) - count + 1))


def is_asked_for(line, asked):
    def is_by(nicks):
        nick = fold(line.nick, "rfc1459")
        folded = [fold(one, "rfc1459") for one in nicks]
        return any(nick.startswith(one[:-1]) if one.endswith("*") else nick == one for one in folded)

    month = f"{datetime.fromtimestamp(line.time, UTC):%Y-%m}"
    return (
        line.kind in (asked["kinds"] or WORDED)
        and all(says(line.text, *term) for term in asked["terms"])
        and not any(says(line.text, *term) for term in asked["without"])
        and (not asked["nicks"] or is_by(asked["nicks"]))
        and not is_by(asked["without_nicks"])
        and asked["link"] in (None, LINK.search(line.text) is not None)
        and (not asked["channels"] or line.channel in {f"#{one[-2:]}" for one in asked["channels"]})
        and asked["month"] in (None, month)
    )


@settings(max_examples=150, deadline=None)
@given(
    lines=lines_there,
    many=st.lists(asked, min_size=1, max_size=4),
    seen=st.sets(st.sampled_from(PLACES)),
    patience=st.sampled_from([1, 2, 500]),
)
def test_what_is_found_is_what_a_look_at_every_line_finds(lines, many, seen, patience):
    archive = Searched(lines)
    there = [line for place in PLACES for line in export(archive.connection, place, 0, 2**62, 100)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching, "PATIENCE", patience)
        for asked in many:
            typed = typed_of(asked)
            if not typed:
                continue
            expected = sorted(line.id for line in there if line.place in seen and is_asked_for(line, asked))

            found = archive.query(typed, seen, limit=100)

            assert [line.id for line in found.lines] == expected[::-1], typed
            assert archive.counts(typed, seen).total == len(expected)
    archive.connection.close()
