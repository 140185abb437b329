"""Masks that name people."""

from __future__ import annotations

import pytest

from pynfo.irc.events import User
from pynfo.usermask import MASK_LENGTH, parse

ALICE = User("Alice", "al", "host.example", account="alice")
CLOAKED = User("bob", "~b", "user/bob")


def matches(mask: str, user: User, network: str = "libera") -> bool:
    return parse(mask).matches(network, user, str.lower)


@pytest.mark.parametrize(
    "mask",
    [
        "$a:ALICE",
        "alice",
        "alice!*@*",
        "*!*@host.example",
        "*@*.EXAMPLE",
        "al?ce!al@*",
        "alice!al",
        "libera/alice",
    ],
)
def test_a_mask_means_the_person_it_describes_whatever_the_case(mask: str) -> None:
    assert matches(mask, ALICE)


@pytest.mark.parametrize(
    "mask", ["$a:alic", "alic", "*!*@host.exampl", "oftc/alice", "oftc/$a:alice", "al@host.example.org"]
)
def test_a_mask_does_not_mean_anybody_else(mask: str) -> None:
    assert not matches(mask, ALICE)


def test_an_account_mask_never_means_a_person_who_is_not_logged_in() -> None:
    assert not matches("$a:bob", User("bob", "~b", "host"))


def test_a_slash_in_a_host_is_not_the_end_of_a_networks_name() -> None:
    assert parse("*!*@user/bob").network is None
    assert matches("*!*@user/bob", CLOAKED)
    assert matches("libera/*!*@user/bob", CLOAKED)
    assert not matches("oftc/*!*@user/bob", CLOAKED)


def test_brackets_are_letters_of_a_nick_not_a_choice_of_letters() -> None:
    assert matches("[ab]!*@*", User("[ab]", "u", "h"))
    assert not matches("[ab]!*@*", User("a", "u", "h"))


def test_a_host_that_is_not_known_does_not_satisfy_a_mask_that_names_one() -> None:
    assert not matches("*!*@trusted.example", User("alice"))
    assert matches("alice!*@*", User("alice"))


def test_names_are_folded_as_the_network_folds_them() -> None:
    rfc1459 = str.maketrans("ABC[]", "abc{}")
    assert parse("b[x]").matches("libera", User("B{x}", "u", "h"), lambda name: name.translate(rfc1459))


def test_a_mask_full_of_stars_is_decided_at_once() -> None:
    assert not matches("*a" * 100 + "!*@b", User("a" * 200, "u", "c"))


@pytest.mark.parametrize("mask", ["$a:alice", "libera/$a:alice", "*!*@user/bob", "libera/nick!*@*"])
def test_a_mask_written_in_full_comes_back_as_it_was(mask: str) -> None:
    assert str(parse(mask)) == mask


def test_equal_masks_are_one_key_however_they_were_written() -> None:
    assert {parse("alice"): 1}[parse("alice!*@*")] == 1
    assert str(parse("alice")) == "alice!*@*"


NO_MASKS = ["", "libera/", "/alice", "$a:", "$a:*", "$r:name", "#channel", "!u@h", "n!@h", "n!u@", "a!b!c@d"]
UNSAFE_MASKS = ["a b", "a\x02b", "\ud800", "a!b@c@d", "x" * (MASK_LENGTH + 1)]


@pytest.mark.parametrize("mask", NO_MASKS + UNSAFE_MASKS)
def test_what_is_no_mask_is_refused_with_one_sentence(mask: str) -> None:
    with pytest.raises(ValueError) as refusal:
        parse(mask)
    assert "\n" not in str(refusal.value)
