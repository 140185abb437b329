"""A small run of `make relay-torture`: both daemons and the bot are killed once while both sides speak."""

from __future__ import annotations

import os

import pytest

from bench.torture.run import Plan, Run
from bench.torture.table import table
from tests.ircd import find

pytestmark = pytest.mark.ircd


@pytest.mark.skipif(
    os.environ.get("CI") != "true" and not (find("inspircd") and find("ngircd")),
    reason="inspircd and ngircd are not both installed",
)
async def test_nothing_is_lost_and_nothing_repeated_while_all_are_killed(tmp_path):
    report = await Run(Plan(messages=300, kills=1, down=2.0), tmp_path).run()
    text, kept = table(report)
    assert kept, text
    assert all(len(direction.spoken) >= 300 for direction in report.directions)
