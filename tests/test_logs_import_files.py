"""Old logs as files, and what of them the archive may have."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import msgspec
import pytest

from plugins.logs.exports import as_ndjson
from plugins.logs.imports.files import LINE_LIMIT, walk
from plugins.logs.imports.importing import BATCH, Choices, Importer
from plugins.logs.imports.names import told_by
from plugins.logs.line import Line
from plugins.logs.settings import ChannelSettings, Settings
from tests.log_files import HERE, LOGS, PYNFO, read, read_batches, write


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    log = tmp_path / "#pynfo_20261121.log.gz"
    log.write_bytes(gzip.compress(b"[10:02:03] <alice> hi\n"))

    assert read(log, **HERE)[0] == ["[2026-11-21 10:02:03] <alice> hi"]


def test_of_a_packed_file_that_breaks_off_the_beginning_is_read(tmp_path: Path) -> None:
    log = tmp_path / "2026-11-21.log.gz"
    whole = gzip.compress(b"".join(b"[10:02:03] <alice> %d\n" % (number**5) for number in range(20_000)))
    log.write_bytes(whole[: len(whole) // 2])

    lines, outcome = read(log, **HERE)

    assert lines[0] == "[2026-11-21 10:02:03] <alice> 0"
    assert outcome.broken.startswith("cannot be read after line ")


def test_what_is_no_utf8_is_of_windows(tmp_path: Path) -> None:
    log = write(
        tmp_path / "2026-11-21.log",
        "\ufeff[10:02:03] <alice> grüße",
        "[10:02:04] <alice> grüße “hier”".encode("cp1252"),
        b"[10:02:05] <alice> \x81\xe9",
    )

    lines, _ = read(log, **HERE)

    assert [text[22:] for text in lines] == ["<alice> grüße", "<alice> grüße “hier”", "<alice> é"]


def test_a_line_without_an_end_is_cut(tmp_path: Path) -> None:
    log = write(
        tmp_path / "2026-11-21.log", "[10:02:03] <carol_> " + "ü" * LINE_LIMIT, "[10:02:04] <bob> next"
    )

    batches, outcome = read_batches(log, **HERE)

    assert [line.nick for line in batches[0]] == ["carol_", "bob"]
    assert set(batches[0][0].text) == {"ü"}, "no half of one at the end"
    assert len(batches[0][0].text.encode()) < LINE_LIMIT
    assert outcome.unread == 0


def test_folders_are_walked_day_by_day(tmp_path: Path) -> None:
    for name in ("b/#x.10.log", "b/#x.9.log", "a/#y.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(tmp_path / name)

    found = [
        (str(path.relative_to(tmp_path)), named) for path, named in walk([tmp_path, tmp_path / "a/#y.log"])
    ]

    assert found == [("a/#y.log", False), ("b/#x.9.log", False), ("b/#x.10.log", False), ("a/#y.log", True)]


@pytest.mark.parametrize(
    ("path", "network", "channel", "day"),
    [
        ("irclogs/libera/#pynfo.log", "libera", "#pynfo", None),
        ("irclogs/libera/2026/#pynfo.11-21.log", "libera", "#pynfo.11-21", None),
        ("irc.libera.##c.weechatlog", "libera", "##c", None),
        ("irc.libera.#pynfo.org.weechatlog.gz", "libera", "#pynfo.org", None),
        ("users/me/moddata/log/libera/#pynfo/2026-11-21.log", "libera", "#pynfo", date(2026, 11, 21)),
        ("networks/libera/moddata/log/&local/2026-11-21.log", "libera", "&local", date(2026, 11, 21)),
        ("moddata/log/alice_libera_#py_nfo_20261121.log", "libera", "#py_nfo", date(2026, 11, 21)),
        ("ChannelLogger/libera/#pynfo/#pynfo.2026-11-21.log", "libera", "#pynfo", date(2026, 11, 21)),
        ("pynfo_20261121.log", None, None, date(2026, 11, 21)),
        ("pynfo.log.21Nov2026", None, None, date(2026, 11, 21)),
        ("libera/#pynfo.2026-02-30.log", "libera", "#pynfo.2026-02-30", None),
        ("libera/alice.log", None, None, None),
    ],
)
def test_paths_tell_network_channel_and_day(
    path: str, network: str | None, channel: str | None, day: date | None
) -> None:
    told = told_by(Path("/srv", path))

    assert (told.network, told.channel, told.day) == (network, channel, day)


def test_progress_counts_the_bytes_of_a_file() -> None:
    path = LOGS / "irssi/libera/#pynfo.log"
    counted: list[int] = []

    Importer(PYNFO, Choices(), None).read(path, counted.append)

    assert sum(counted) == path.stat().st_size


# -- what the archive may have


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("oftc/#pynfo.log", "is of oftc/#pynfo, which is not kept"),
        ("libera/#other.log", "is of libera/#other, which is not kept"),
        ("libera/pynfo.log", "does not tell its channel, and may be of a private talk"),
        ("libera/alice/2026-11-21.log", "does not tell its channel, and may be of a private talk"),
    ],
)
def test_what_is_of_no_kept_channel_is_refused(tmp_path: Path, name: str, said: str) -> None:
    log = tmp_path / name
    log.parent.mkdir(parents=True)
    write(log, "--- Log opened Sat Nov 21 10:00:00 2026", "10:02 < alice> hi")

    lines, outcome = read(log)

    assert lines == []
    assert outcome.refused.startswith(said)


def test_of_ndjson_only_kept_channels_are_read_and_under_their_names_in_the_config(tmp_path: Path) -> None:
    hi = Line(network="Libera", channel="#PYNFO", time=1.0, kind="message", nick="alice", text="hi")
    other = msgspec.structs.replace(hi, channel="#other")
    (tmp_path / "any").write_bytes(as_ndjson(hi) + as_ndjson(other))

    batches, outcome = read_batches(tmp_path / "any")

    assert [line.place for line in batches[0]] == ["libera/#pynfo"]
    assert (outcome.lines, outcome.elsewhere) == (1, 1)


def test_what_is_off_the_record_is_left_out(tmp_path: Path) -> None:
    log = write(tmp_path / "2026-11-21.log", "[10:02:03] <alice> [off] psst", "[10:02:04] <alice> hi")

    assert read(log, **HERE)[0] == ["[2026-11-21 10:02:04] <alice> hi"]


def test_a_relayed_line_is_of_who_spoke(tmp_path: Path) -> None:
    settings = Settings(channels={"libera/#pynfo": ChannelSettings(relays=["Bridge"])})
    log = write(
        tmp_path / "2026-11-21.log",
        "[10:02:03] <bridge> <dave@oftc> hello over there",
        "[10:02:04] <bridge> <dave@oftc> [off] psst",
        "[10:02:05] <alice> <dave@oftc> is a nice nick",
    )

    batches, _ = read_batches(log, settings=settings, **HERE)

    assert [(line.nick, line.origin, line.text) for line in batches[0]] == [
        ("dave", "oftc", "hello over there"),
        ("alice", None, "<dave@oftc> is a nice nick"),
    ]


def test_without_events_only_talk_and_topics_and_kicks_are_read() -> None:
    settings = Settings(channels=PYNFO.channels, events=False)

    batches, _ = read_batches(LOGS / "irssi/libera/#pynfo.log", settings=settings)

    assert {line.kind for line in batches[0]} == {"message", "action", "notice", "topic", "kick"}


def test_what_would_be_removed_at_once_is_not_read(tmp_path: Path) -> None:
    settings = Settings(channels={"libera/#pynfo": ChannelSettings(keep="2 days")})
    log = write(tmp_path / "any.log", "2026-11-19T10:00:00  <alice> old", "2026-11-21T10:00:00  <alice> new")

    lines, outcome = read(log, settings=settings, **HERE)

    assert lines == ["[2026-11-21 10:00:00] <alice> new"]
    assert outcome.old == 1


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("+o bob", "+o bob"),
        ("+q bob", "+q bob"),
        ("-b+o *!*@192.0.2.7 bob", "-b+o *!*@… bob"),
        ("+k secret", "+k …"),
        ("+Wk strange@host.example secret", "+Wk … …"),
        ("+nt", "+nt"),
    ],
)
def test_modes_lose_hosts_and_keys(tmp_path: Path, written: str, kept: str) -> None:
    log = write(tmp_path / "2026-11-21.log", f"[10:02:03] *** carol sets mode: {written}")

    batches, _ = read_batches(log, **HERE)

    assert batches[0][0].text == kept


def test_lines_of_one_minute_are_in_one_batch(tmp_path: Path) -> None:
    texts = [f"10:{number // 3000:02} < alice> {number}" for number in range(BATCH * 2)]
    log = write(tmp_path / "any.log", "--- Log opened Sat Nov 21 10:00:00 2026", *texts)

    batches, _ = read_batches(log, **HERE)

    assert [len(batch) for batch in batches] == [6000, 4000]


def test_a_batch_does_not_look_at_years_of_the_archive(tmp_path: Path) -> None:
    log = write(tmp_path / "any.log", *(f"20{year}-01-01T10:00:00  <alice> hi" for year in (19, 25, 20, 21)))

    batches, _ = read_batches(log, **HERE)

    assert [len(batch) for batch in batches] == [1, 1, 1, 1]
