"""What leaves a connection, when, and in which order."""

import pytest

from pynfo.irc import Message
from pynfo.irc.pacing import Outgoing, Priority, QueueFull, SendQueue, TokenBucket


def line(text="x", priority=Priority.BULK, target="#a", expires=float("inf")):
    return Outgoing(Message("PRIVMSG", [target or "server", text]), priority, target, expires)


def drain(queue, **how):
    taken = []
    while (outgoing := queue.take(**how)) is not None:
        taken.append(outgoing.message.params[1])
    return taken


class TestTokenBucket:
    def test_lets_the_burst_through_at_once_and_no_more(self):
        bucket = TokenBucket(rate=1, burst=5)
        bucket.refill(100)
        assert [bucket.take(100) for _ in range(6)] == [True] * 5 + [False]

    def test_gives_one_token_per_period(self):
        bucket = TokenBucket(rate=2, burst=1)
        bucket.refill(100)
        assert bucket.take(100)
        assert bucket.wait(100) == pytest.approx(0.5)
        assert not bucket.take(100.4)
        assert bucket.take(100.5)

    def test_after_the_wait_that_it_names_there_is_nothing_more_to_wait_for(self):
        bucket = TokenBucket(rate=10, burst=5)
        now = 1000.0
        bucket.refill(now)
        for _ in range(1000):
            now += bucket.wait(now)
            assert bucket.wait(now) == 0  # or a timer would fire without getting any further
            assert bucket.take(now)

    def test_never_holds_more_than_the_burst(self):
        bucket = TokenBucket(rate=1, burst=2)
        bucket.refill(0)
        assert [bucket.take(1000) for _ in range(3)] == [True, True, False]


class TestSendQueue:
    def test_sends_urgent_lines_first_then_control_then_answers_then_bulk(self):
        queue = SendQueue()
        for priority in reversed(Priority):
            queue.put(line(priority.name, priority))
        assert drain(queue) == ["URGENT", "CONTROL", "ANSWER", "BULK"]

    def test_gives_every_target_its_turn(self):
        queue = SendQueue()
        for number in range(3):
            queue.put(line(f"a{number}", target="#a"))
        queue.put(line("b0", target="#b"))
        assert drain(queue) == ["a0", "b0", "a1", "a2"]

    def test_keeps_the_order_for_one_target(self):
        queue = SendQueue()
        for number in range(50):
            queue.put(line(str(number)))
        assert drain(queue) == [str(number) for number in range(50)]

    def test_tells_the_sender_when_it_is_full(self):
        queue = SendQueue(limit=3)
        for target in "abc":
            queue.put(line(target=target))
        with pytest.raises(QueueFull, match="3 lines are waiting"):
            queue.put(line(target="d"))

    def test_lets_nobody_fill_it_alone(self):
        queue = SendQueue(limit=10, target_limit=2)
        queue.put(line())
        queue.put(line())
        with pytest.raises(QueueFull, match="waiting for #a"):
            queue.put(line())
        queue.put(line(target="#b"))
        assert len(queue) == 3

    def test_finds_room_for_an_urgent_line_even_when_full(self):
        queue = SendQueue(limit=1)
        queue.put(line())
        queue.put(line("PONG", Priority.URGENT, ""))
        assert drain(queue) == ["PONG", "x"]

    def test_passes_over_targets_that_must_wait(self):
        queue = SendQueue()
        queue.put(line("held", target="#held"))
        queue.put(line("free", target="#free"))
        assert drain(queue, sendable=lambda target: target == "#free") == ["free"]
        assert len(queue) == 1

    def test_gives_up_what_is_too_old(self):
        queue = SendQueue()
        queue.put(line("old", expires=10))
        queue.put(line("new", expires=20))
        assert queue.next_expiry() == 10
        assert [gone.message.params[1] for gone in queue.expire(10)] == ["old"]
        assert drain(queue) == ["new"]
        assert queue.next_expiry() is None
