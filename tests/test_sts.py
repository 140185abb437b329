"""Strict Transport Security: what is stored, for how long, and who is believed."""

from __future__ import annotations

import pytest

from pynfo.irc.sts import MAXIMUM_DURATION, PolicyStore, StsAction, StsValue, parse

HOST = "irc.example.org"
NOW = 1_700_000_000.0
DAY = 86_400


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("port=6697", StsValue(port=6697)),
        ("duration=2592000,port=6697,preload", StsValue(6697, 2_592_000, True)),
        ("duration=0", StsValue(duration=0)),
        ("example.org/key=1,port=6697,flag", StsValue(port=6697)),
        ("port=6697,port=1", StsValue(port=6697)),
        ("port=0,duration=60", StsValue(duration=60)),
        ("port=65536,duration=60", StsValue(duration=60)),
        ("port=6697,duration=soon", StsValue(port=6697)),
        (f"duration={'9' * 5000}", StsValue(duration=MAXIMUM_DURATION)),
        ("port=-1", None),
        ("port=٦٦٩٧", None),
        ("port", None),
        ("preload", None),
        ("", None),
    ],
)
def test_the_value_is_read_part_by_part(value: str, expected: StsValue | None) -> None:
    assert parse(value) == expected


def test_an_insecure_connection_is_upgraded_and_nothing_is_stored() -> None:
    entries: dict[str, tuple[int, float]] = {}

    action = PolicyStore(entries).received(HOST, "port=6697,duration=300", False, 6667, NOW)

    assert action == StsAction("upgrade", 6697)
    assert entries == {}


def test_a_duration_alone_does_not_upgrade_an_insecure_connection() -> None:
    assert PolicyStore({}).received(HOST, "duration=300", False, 6667, NOW) == StsAction("none")


def test_a_secure_connection_stores_the_port_it_is_on() -> None:
    store = PolicyStore({})

    action = store.received(HOST, "port=1,duration=300", True, 6697, NOW)

    assert action == StsAction("stored", 6697)
    assert store.lookup(HOST, NOW + 299) == 6697


def test_a_secure_connection_without_a_duration_binds_to_nothing() -> None:
    store = PolicyStore({})

    assert store.received(HOST, "port=6697", True, 6697, NOW) == StsAction("none")
    assert store.lookup(HOST, NOW) is None


def test_a_policy_ends_with_its_duration() -> None:
    entries: dict[str, tuple[int, float]] = {}
    store = PolicyStore(entries)
    store.received(HOST, "duration=300", True, 6697, NOW)

    assert store.lookup(HOST, NOW + 300) is None
    assert entries == {}


def test_each_value_received_sets_the_expiry_anew() -> None:
    store = PolicyStore({})
    store.received(HOST, "duration=300", True, 6697, NOW)

    store.received(HOST, "duration=60", True, 6697, NOW + 10)

    assert store.lookup(HOST, NOW + 69) == 6697
    assert store.lookup(HOST, NOW + 70) is None


def test_a_duration_of_zero_over_a_secure_connection_removes_the_policy() -> None:
    store = PolicyStore({})
    store.received(HOST, "duration=300", True, 6697, NOW)

    removed = store.received(HOST, "duration=0", True, 6697, NOW)
    again = store.received(HOST, "duration=0", True, 6697, NOW)
    store.disconnected(HOST, NOW)

    assert (removed, again) == (StsAction("removed"), StsAction("none"))
    assert store.lookup(HOST, NOW) is None


def test_nobody_on_an_insecure_connection_can_remove_or_shorten_a_policy() -> None:
    store = PolicyStore({})
    store.received(HOST, "duration=300", True, 6697, NOW)

    store.received(HOST, "duration=0", False, 6667, NOW)
    store.received(HOST, "port=1,duration=1", False, 6667, NOW)

    assert store.lookup(HOST, NOW + 299) == 6697


def test_the_duration_counts_from_the_end_of_the_connection() -> None:
    store = PolicyStore({})
    store.received(HOST, f"duration={30 * DAY}", True, 6697, NOW)

    store.disconnected(HOST, NOW + 60 * DAY)

    assert store.lookup(HOST, NOW + 89 * DAY) == 6697
    assert store.lookup(HOST, NOW + 90 * DAY) is None


def test_the_end_of_a_connection_that_told_no_policy_renews_none() -> None:
    entries = {HOST: (6697, NOW + 300)}

    PolicyStore(entries).disconnected(HOST, NOW + 100)

    assert entries == {HOST: (6697, NOW + 300)}


def test_a_policy_outlives_the_process() -> None:
    entries: dict[str, tuple[int, float]] = {}
    PolicyStore(entries).received(HOST, "duration=300", True, 6697, NOW)

    assert PolicyStore(dict(entries)).lookup(HOST, NOW + 1) == 6697


def test_a_host_is_the_same_in_any_case_and_with_the_dot_of_the_root() -> None:
    store = PolicyStore({})
    store.received("IRC.Example.org.", "duration=300", True, 6697, NOW)

    assert store.lookup("irc.EXAMPLE.org", NOW) == 6697


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "[2001:db8::1]", "fe80::1%eth0"])
def test_addresses_are_never_bound_or_upgraded(address: str) -> None:
    store = PolicyStore({})

    secure = store.received(address, "duration=300", True, 6697, NOW)
    insecure = store.received(address, "port=6697", False, 6667, NOW)

    assert (secure, insecure) == (StsAction("none"), StsAction("none"))
    assert store.lookup(address, NOW) is None
