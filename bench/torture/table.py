"""The table of a run."""

from datetime import UTC, datetime

from bench.torture.counting import EDGE, count
from bench.torture.side import CHANNEL, HISTORY, OBSERVERS, SPEAKERS

EXAMPLES = 5


def table(report):
    """The table as text, and whether all promises were kept."""
    tallies = [count(direction) for direction in report.directions]
    parts = [_head(report), _directions(report, tallies), _kills(report, tallies), _notes(report)]
    broken = [
        f"{name}, {direction.source} → {direction.target}: {_examples(keys, direction)}"
        for direction, tally in zip(report.directions, tallies, strict=True)
        for name, keys in (
            ("missing and not told", tally.lost),
            ("double away from a kill", tally.double),
            ("out of order", tally.disordered),
        )
        if keys
    ]
    if report.failure is not None:
        broken.append(f"The run failed: {report.failure}")
    parts.append("\n".join(broken) or "All promises were kept.")
    return "\n\n".join(parts), not broken


def _head(report):
    plan = report.plan
    return (
        f"{plan.messages:,} messages on each side at {plan.pace:g} a second, each daemon and the bot killed "
        f"{'once' if plan.kills == 1 else f'{plan.kills} times'} (seed {plan.seed}): {report.seconds:.0f} s"
    )


def _directions(report, tallies):
    heads = [f"{direction.source} → {direction.target}" for direction in report.directions]
    rows = [
        ("spoken", [tally.spoken for tally in tallies], False),
        ("arrived", [tally.arrived for tally in tallies], False),
        ("  fetched from history", [tally.fetched for tally in tallies], False),
        ("missing, told as a gap", [tally.told for tally in tallies], False),
        ("missing otherwise", [len(tally.lost) for tally in tallies], True),
        ("double, unconfirmed at a kill", [tally.at_a_kill.total() for tally in tallies], False),
        ("double otherwise", [len(tally.double) for tally in tallies], True),
        ("out of order", [len(tally.disordered) for tally in tallies], True),
    ]
    out = [f"{'':30}" + "".join(f"{head:>22}" for head in heads)]
    for name, values, promised in rows:
        mark = "" if not promised else "   0 ✗" if any(values) else "   0 ✓"
        out.append(f"{name:30}" + "".join(f"{value:>22,}" for value in values) + mark)
    return "\n".join(out)


def _kills(report, tallies):
    """Each kill: when, how long until messages flowed again, and, towards each network, how many messages
    were written and not confirmed, and how many of them came twice."""
    heads = "".join(f"{'→ ' + direction.target:>24}" for direction in report.directions)
    out = [
        f"{'killed':10}{'at':>7}{'flows after':>14}{heads}   told as missing",
        " " * 31 + f"{'unconfirmed  double':>24}" * len(report.directions),
    ]
    for index, kill in enumerate(report.kills):
        back = f"{report.returns[index]:.1f} s" if index < len(report.returns) else "never"
        cells = "".join(
            f"{_tail(kill, direction.target):>16}{tally.at_a_kill[index]:>8}"
            for direction, tally in zip(report.directions, tallies, strict=True)
        )
        told = ", ".join(
            f"{gap.network} {_clock(gap.start)}-{_clock(gap.end)}" for gap in _told(report, index)
        )
        out.append(f"{kill.what:10}{kill.time - report.began:>5.0f} s{back:>14}{cells}   {told or '-'}")
    return "\n".join(out)


def _told(report, index):
    """The gaps that were told between one kill and the next."""
    begin = report.kills[index].time - EDGE
    end = report.kills[index + 1].time - EDGE if index + 1 < len(report.kills) else float("inf")
    return sorted(gap for direction in report.directions for gap in direction.gaps if begin <= gap.end < end)


def _tail(kill, target):
    return "?" if kill.tails is None else kill.tails[target]


def _notes(report):
    notes = [
        f"{SPEAKERS} speakers and {OBSERVERS} observers on each side. Spoken is what they heard; a speaker "
        "whose daemon is dead waits.",
        "The bot comes back to a daemon after them, since it connects through a gate.",
        f"InspIRCd keeps {HISTORY:,} lines of {CHANNEL} (+H, maxlines raised in its config), and is told so "
        "after each start.",
        "Memory of the bot at the end: "
        + (f"{report.memory:.0f} MiB." if report.memory is not None else "it has ended."),
        *(f"!relay status: {line}" for line in report.status or ["no answer"]),
        *(f"Also said in {words}" for words in report.other_words),
    ]
    return "\n".join(notes)


def _examples(keys, direction):
    shown = []
    for key in keys[:EXAMPLES]:
        time = direction.spoken.get(key)
        shown.append(f"{key[0]} {key[1]}" + (f" of {_clock(time)}" if time is not None else ""))
    more = f" and {len(keys) - EXAMPLES:,} more" if len(keys) > EXAMPLES else ""
    return ", ".join(shown) + more


def _clock(time):
    return f"{datetime.fromtimestamp(time, UTC):%H:%M:%S}"
