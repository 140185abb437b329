"""Words replies, all of them in one line.

`example.org: A 192.0.2.1 (TTL 300 s) · no AAAA · DNSSEC: authenticated · 12 ms`
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from plugins.dns.reply import Reply
from pynfo.text import uncommanding


def failure(replies: Sequence[Reply]) -> str:
    """One clause where no question at all could be answered, "" otherwise."""
    if any(reply.status != "failed" for reply in replies):
        return ""
    problems = list(dict.fromkeys(_problem(reply) for reply in replies))
    return f"the resolver {' and '.join(problems)}; try again later"


def line(replies: Sequence[Reply]) -> str:
    """The replies, in the order in which they were asked for."""
    names = [_of_name(list(group)) for _, group in groupby(replies, key=lambda reply: reply.question.name)]
    return uncommanding(" · ".join([*names, _dnssec(replies), _taken(replies)]))


def _of_name(replies: Sequence[Reply]) -> str:
    """What is known of one name."""
    missing = [reply for reply in replies if reply.status == "no name"]
    if missing:
        reply = missing[0]
        note = f": {reply.note}" if reply.note else ""
        if reply.question.name.endswith(".arpa.") and "arpa" not in reply.question.shown and not reply.chain:
            return f"{reply.question.shown} has no name (NXDOMAIN{note})"
        return f"{_head(reply)} does not exist (NXDOMAIN{note})"
    pieces = [
        f"{head}: {' · '.join(_of_type(reply) for reply in group)}"
        for head, group in groupby(replies, key=_head)
    ]
    return " · ".join(pieces)


def _head(reply: Reply) -> str:
    return " → ".join([reply.question.shown, *reply.chain])


def _of_type(reply: Reply) -> str:
    kind = reply.question.type
    if reply.status == "failed":
        return f"{kind}: the resolver {_problem(reply)}"
    note = f" ({reply.note})" if reply.note else ""
    if reply.status == "none":
        return f"no {kind}{note}"
    told = list(reply.records)
    if reply.left_out:
        told.append(f"and {reply.left_out} more")
    if reply.hidden:
        told.append(f"{reply.hidden} of an internal network, not told")
    return f"{kind} {', '.join(told)} (TTL {reply.ttl} s){note}"


def _problem(reply: Reply) -> str:
    return f"{reply.problem}: {reply.note}" if reply.note else reply.problem


def _dnssec(replies: Sequence[Reply]) -> str:
    states = {reply.authenticated for reply in replies if reply.status != "failed"}
    if states == {True}:
        return "DNSSEC: authenticated"
    return "DNSSEC: authenticated in part" if True in states else "DNSSEC: not authenticated"


def _taken(replies: Sequence[Reply]) -> str:
    return f"{max(reply.seconds for reply in replies) * 1000:.0f} ms"
