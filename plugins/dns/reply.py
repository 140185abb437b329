"""What is asked, and what comes of it: plain data, its text from outside made safe for a line already."""

from __future__ import annotations

from typing import Literal

import msgspec

Status = Literal["found", "none", "no name", "failed"]


class Question(msgspec.Struct, frozen=True):
    """A name and a record type.

    `name` is absolute, of ASCII: `xn--mnchen-3ya.example.`; `shown` is how people know it:
    `münchen.example (xn--mnchen-3ya.example)`, or an address.
    """

    name: str
    type: str
    shown: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a resolver said to one question.

    `chain`: the names that the question's is another name for (CNAME), in their order. `records`, and how
    many were `left_out` as too many, or `hidden` as internal; `ttl`: of the records, in seconds.
    `authenticated`: the resolver has validated them (AD). `problem`: why it "failed", one clause. `note`:
    Extended DNS Errors (RFC 8914). `seconds`: the time taken.
    """

    question: Question
    status: Status
    chain: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    left_out: int = 0
    hidden: int = 0
    ttl: int = 0
    authenticated: bool = False
    problem: str = ""
    note: str = ""
    seconds: float = 0.0
