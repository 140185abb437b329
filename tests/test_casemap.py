"""Which names are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynfo.irc.casemap import fold


@pytest.mark.parametrize(
    ("casemapping", "folded"),
    [
        ("ascii", "nick[]\\~{}|^é"),
        ("rfc1459", "nick{}|^{}|^é"),
        ("rfc1459-strict", "nick{}|~{}|^é"),
        ("never-heard-of", "nick[]\\~{}|^é"),
    ],
)
def test_folds_what_the_casemapping_says(casemapping, folded):
    assert fold("NiCk[]\\~{}|^é", casemapping) == folded


def test_only_ascii_letters_have_a_case():
    assert fold("ÉİΣ", "rfc1459") == "ÉİΣ"


@given(st.text(st.characters()), st.sampled_from(["ascii", "rfc1459", "rfc1459-strict"]))
def test_folding_twice_changes_nothing(name, casemapping):
    once = fold(name, casemapping)
    assert fold(once, casemapping) == once
    assert len(once) == len(name)
