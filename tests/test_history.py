"""What was missed in a channel, as any plugin may ask for it: pages, gaps, and what time it was."""

from __future__ import annotations

import time

import pytest

from pynfo.irc.clocks import WRONG, Clocks
from pynfo.irc.events import MessageReceived, User
from pynfo.irc.message import Message

NOW = 1_795_262_400.0

# -- clocks


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
