"""The counting of `make relay-torture`: what it takes for a message to be lost, double or out of order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bench.torture.counting import Direction, Kill, Span, carried, count, spoken, told_gap

START = datetime(2026, 11, 21, 14, 0, tzinfo=UTC).timestamp()
AWAY = Span("ngircd", START + 10, START + 15)


def key(number, speaker="ngircd0"):
    return speaker, number


def direction(
    said, *heard, source="ngircd", target="inspircd", gaps=(), absences=(), away=(), kills=(), in_doubt=None
):
    """`said` and each of `heard`: pairs of seconds after the start, and a message's key."""
    return Direction(
        source=source,
        target=target,
        spoken={key: START + second for second, key in said},
        copies=[[(START + second, key) for second, key in observer] for observer in heard],
        gaps=set(gaps),
        absences=list(absences),
        away=list(away),
        kills=list(kills),
        in_doubt=in_doubt or {},
    )


def test_what_is_spoken_and_arrives_once_and_in_order_keeps_the_promise():
    said = [(second, key(second)) for second in range(5)]
    tally = count(direction(said, said, said))
    assert (tally.spoken, tally.arrived, tally.told, tally.kept) == (5, 5, 0, True)


def test_what_one_observer_alone_has_heard_has_arrived():
    tally = count(direction([(0, key(1)), (1, key(2))], [(0, key(1))], [(1, key(2))]))
    assert tally.arrived == 2
    assert tally.kept


def test_what_arrives_was_spoken_also_where_its_daemon_died_before_anybody_heard_it():
    tally = count(direction([], [(1, key(1))]))
    assert (tally.spoken, tally.arrived, tally.kept) == (1, 1, True)


# -- missing


def test_what_is_missing_breaks_the_promise():
    tally = count(direction([(12, key(1)), (13, key(2))], [(13, key(2))]))
    assert tally.lost == [key(1)]
    assert not tally.kept


@pytest.mark.parametrize("second", [9.0, 10.0, 15.9, 16.0])
def test_what_is_missing_while_the_bot_is_away_and_told_as_a_gap_is_no_loss(second):
    tally = count(direction([(second, key(1))], [], gaps=[AWAY], absences=[AWAY]))
    assert (tally.told, tally.lost) == (1, [])


@pytest.mark.parametrize("second", [8.9, 16.1])
def test_what_is_missing_outside_of_the_gap_is_lost(second):
    wide = Span("ngircd", START, START + 30)
    assert count(direction([(second, key(1))], [], gaps=[AWAY], absences=[wide])).lost == [key(1)]


@pytest.mark.parametrize("second", [8.9, 16.1])
def test_a_gap_that_is_told_of_a_time_when_the_bot_was_there_excuses_nothing(second):
    wide = Span("ngircd", START, START + 30)
    assert count(direction([(second, key(1))], [], gaps=[wide], absences=[AWAY])).lost == [key(1)]


def test_a_gap_of_the_other_network_excuses_nothing():
    other = Span("inspircd", AWAY.start, AWAY.end)
    assert count(direction([(12, key(1))], [], gaps=[other], absences=[AWAY])).lost == [key(1)]
    assert count(direction([(12, key(1))], [], gaps=[AWAY], absences=[other])).lost == [key(1)]


def test_what_arrives_although_it_was_spoken_while_the_bot_was_away_was_fetched():
    said = [(9, key(1)), (12, key(2)), (14.95, key(3)), (16, key(4))]
    tally = count(direction(said, said, away=[AWAY, Span("inspircd", START, START + 30)]))
    assert (tally.fetched, tally.kept) == (1, True)


# -- double


def test_what_comes_twice_breaks_the_promise():
    tally = count(direction([(1, key(1))], [(1, key(1)), (2, key(1))], [(1, key(1))]))
    assert tally.double == [key(1)]
    assert not tally.kept


@pytest.mark.parametrize(
    ("what", "first", "second", "excused"),
    [
        ("bot", 18.0, 24, True),  # in the last seconds before the kill
        ("bot", 20.5, 24, True),  # it was on its way then
        ("bot", 14.9, 24, False),  # confirmed long ago
        ("bot", 18.0, 19, False),  # both before the kill
        ("bot", 22.0, 24, False),  # both after it
        ("ngircd", 18.0, 24, False),  # that this one dies leaves nothing open
    ],
)
def test_a_copy_too_many_is_excused_by_a_kill_between_it_and_the_first(what, first, second, excused):
    kill = Kill(what, START + 20)
    heard = [(first, key(1)), (second, key(1))]
    tally = count(direction([(first, key(1))], heard, kills=[kill], in_doubt={"bot": 5.0}))
    assert tally.at_a_kill == ({0: 1} if excused else {})
    assert tally.double == ([] if excused else [key(1)])


def test_each_copy_too_many_needs_a_kill_of_its_own():
    kills = [Kill("bot", START + 20), Kill("bot", START + 60)]
    heard = [(19, key(1)), (24, key(1)), (64, key(1))]
    tally = count(direction([(19, key(1))], heard, kills=kills, in_doubt={"bot": 5.0}))
    assert tally.at_a_kill == {0: 1}
    assert tally.double == [key(1)]


def test_no_more_copies_are_excused_than_the_bot_had_written_and_not_confirmed():
    kill = Kill("bot", START + 20, {"inspircd": 1})
    heard = [(18, key(1)), (19, key(2)), (24, key(1)), (24, key(2))]
    tally = count(direction(heard, heard, kills=[kill], in_doubt={"bot": 5.0}))
    assert tally.at_a_kill == {0: 1}
    assert tally.double == [key(2)]


# -- order


def test_what_comes_after_a_higher_number_of_its_speaker_breaks_the_promise():
    heard = [(1, key(1)), (2, key(3)), (3, key(2)), (4, key(4))]
    tally = count(direction(heard, heard))
    assert tally.disordered == [key(2)]
    assert not tally.kept


def test_speakers_may_overtake_each_other_and_numbers_may_be_left_out():
    heard = [(1, key(5)), (2, key(1, "ngircd1")), (3, key(9))]
    assert count(direction(heard, heard)).kept


def test_a_second_copy_is_not_out_of_order():
    kill = Kill("bot", START + 20)
    heard = [(18, key(1)), (19, key(2)), (24, key(1)), (24, key(2)), (25, key(3))]
    tally = count(direction(heard, heard, kills=[kill], in_doubt={"bot": 5.0}))
    assert (tally.at_a_kill, tally.disordered, tally.kept) == ({0: 2}, [], True)


# -- what a line says


def test_a_message_is_known_by_its_speaker_and_number():
    assert spoken("N ngircd0 17 of what is said") == ("ngircd0", 17)
    assert spoken("good morning") is None


@pytest.mark.parametrize(
    "text",
    [
        "<ngircd0@ngircd> N ngircd0 17 of what is said",
        "<n\u2060gircd0@ngircd> N ngircd0 17 of what is said",
        "[14:02] <n\u2060gircd0@ngircd> N ngircd0 17 of what is said",
    ],
)
def test_a_carried_message_is_known_under_its_frame(text):
    assert carried(text, "ngircd") == ("ngircd0", 17)


@pytest.mark.parametrize(
    "text",
    [
        "N ngircd0 17 of what is said",
        "<ngircd1@ngircd> N ngircd0 17 under another's name",
        "<ngircd0@inspircd> N ngircd0 17 of another network",
    ],
)
def test_a_message_in_another_frame_has_not_arrived(text):
    assert carried(text, "ngircd") is None


def test_a_gap_is_told_by_the_clock():
    text = "(relay) ngircd/#torture: nothing could be carried from 14:00:10 to 14:00:15 UTC"
    assert told_gap(text, START + 16) == AWAY
    assert told_gap(f"[14:01] {text}", START + 100) == AWAY
    assert told_gap("(relay) this wire is paused", START + 16) is None


def test_a_gap_over_midnight_ends_on_the_day_after_it_began():
    midnight = datetime(2026, 11, 21, tzinfo=UTC).timestamp()
    text = "(relay) ngircd/#torture: nothing could be carried from 20 Nov 23:59:58 to 21 Nov 00:00:03 UTC"
    assert told_gap(text, midnight + 4) == Span("ngircd", midnight - 2, midnight + 3)
    assert told_gap(text, midnight + 4 - 86400 * 0.5) == Span("ngircd", midnight - 86402, midnight - 86397)
