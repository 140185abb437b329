"""A line of a log as HTML: the one function that makes markup of what was said on IRC.

Everything that comes from outside goes through `escape`. Each line is one string, built without a template:
a page has a thousand of them. Looks are told by classes alone, since the pages allow no inline style.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Literal

import markupsafe
from markupsafe import Markup

from plugins.logs.line import Gap, Line, day_of
from plugins.logs.site.addresses import day_path
from plugins.logs.site.calendars import spoken
from plugins.logs.site.colours import classes, nick_class
from plugins.logs.site.folding import Folded
from pynfo.irc.formatting import CODE, Run, clean, parse, plain

Parents = Mapping[str, Line]
# Where a line stands: on the page of its day; among what a search found, leading to that page and to what is
# around it; or around such a line, where it has no id, since it may be on the page already.
Shown = Literal["page", "found", "context"]

EXCERPT = 120  # characters of a line that is answered
REMOVED = '<em class="removed">message removed</em>'

_LINK = re.compile(r"\b(?:https?|ftp|ircs?)://[^\s<>\"\x00-\x1f]+", re.IGNORECASE)
_CLOSING = {")": "(", "]": "[", "}": "{"}
_TRAILING = frozenset(".,;:!?'*_~`|…。、\uff0c")
# Invisible characters in a row, and accents on top of each other: a few are language, more is a prank.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff9-\ufffb]{3,}"
)
_ACCENTS = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_STYLES = ("bold", "italic", "underline", "strike", "monospace")
_MINUTES = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(1440)]  # of a day
_ADDRESSED = re.compile(r"([^\s:,]{1,40})([:,] )")


def line_html(
    line: Line,
    *,
    parents: Parents,
    highlight: re.Pattern[str] | None = None,
    shown: Shown = "page",
) -> Markup:
    """One `<li>`. `parents`: by msgid, the lines that may be answered; `highlight`: what to mark in it."""
    return Markup(_line(line, _Around(parents, highlight, shown)))  # noqa: S704 - escaped in its parts


def lines_html(
    entries: Sequence[Line | Gap | Folded],
    *,
    parents: Parents,
    highlight: re.Pattern[str] | None = None,
    shown: Shown = "page",
    asked: int = 0,
) -> Markup:
    """The lines of a page, one after another. `asked`: the id of the one that the others stand around."""
    around = _Around(parents, highlight, shown, asked)
    for entry in entries:
        if isinstance(entry, Line):
            around.here.add(entry.id)
            around.nicks.add(entry.nick)
        elif isinstance(entry, Folded):
            around.here.update(line.id for line in entry.lines)
    out = []
    before: Line | None = None
    day = day_of(asked) if asked else None
    for entry in entries:
        if day is not None and isinstance(entry, Line) and day_of(entry.id) != day:
            day = day_of(entry.id)
            out.append(_new_day(entry.place, day))
            before = None
        if isinstance(entry, Line):
            again = before is not None and shown != "found" and _goes_on(before, entry)
            out.append(_line(entry, around, again=again))
            before = entry
        else:
            out.append(_folded(entry, around) if isinstance(entry, Folded) else _gap(entry))
            before = None
    return Markup("\n".join(out))  # noqa: S704


class _Around:
    """What a line is shown with. `here`: ids of the lines on the page; `nicks`: of those who speak there."""

    def __init__(
        self, parents: Parents, highlight: re.Pattern[str] | None, shown: Shown, asked: int = 0
    ) -> None:
        self.parents = parents
        self.highlight = highlight
        self.shown = shown
        self.asked = asked
        self.here: set[int] = set()
        self.nicks: set[str] = set()

    def show(self, text: str) -> str:
        return text_html(text, self.highlight, self.nicks)


def _line(line: Line, around: _Around, *, again: bool = False) -> str:
    """`again`: whoever spoke just before goes on."""
    kind, line_id = line.kind, line.id
    who = nick_html(line.nick) + _origin(line.origin) if line.origin else nick_html(line.nick)
    if line.redacted:
        body = REMOVED if kind in _SPEAKERS else f"{who} {REMOVED}"
    elif kind == "message":
        body = around.show(line.text)
    else:
        body = _BODIES[kind](line, who, around.show)
    if line.reply_to and (parent := around.parents.get(line.reply_to)) is not None:
        body = _reply(parent, around.here if around.shown == "page" else ()) + body
    if kind in _SPEAKERS:
        name, speaker = f"line {kind}", f'<span class="who">{who}</span> '
    else:
        name, speaker = f"line event {kind}", ""
    if again:
        name += " again"
    title = ""
    if line.fetched:
        name += " fetched"
        title = ' title="fetched afterwards"'
    mark, address, more = f'id="L{line_id}" ', f"#L{line_id}", ""
    if around.shown != "page":
        address = f"/L/{line_id}"
        if around.shown == "found":
            more = f' <a class="around" href="/L/{line_id}/around">in context</a>'
        else:
            mark = ""
            if line_id == around.asked:
                name += " asked"
    when = f'<a class="time" href="{address}"{title}>{time_html(line.time)}</a>'
    text = f'<span class="text" dir="auto">{body}</span>'
    return f'<li {mark}class="{name}">{when} {speaker}{text}{more}</li>'


def _folded(folded: Folded, around: _Around) -> str:
    """Joins and parts in a row, behind one line that says how many."""
    lines = "".join(_line(line, around) for line in folded.lines)
    kind = "folded netsplit" if folded.netsplit else "folded"
    return (
        f'<li class="{kind}"><details><summary><span class="time">{time_html(folded.lines[0].time)}</span> '
        f'<span class="text">{folded.summary}</span></summary><ol class="lines">{lines}</ol></details></li>'
    )


def _gap(gap: Gap) -> str:
    """What is not known; with its dates where it goes over midnight, for how long where it is short."""
    start, end = (datetime.fromtimestamp(moment, UTC) for moment in (gap.start, gap.end))
    seconds = max(1, round(gap.end - gap.start))
    if seconds < 60:
        span = f"at {time_html(gap.start)} for {seconds} second{'s' * (seconds > 1)}"
    elif start.date() == end.date():
        span = f"from {time_html(gap.start)} to {time_html(gap.end)}"
    else:
        span = f"from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
    return f'<li class="gap"><span>no log {span}</span></li>'


def _new_day(place: str, day: date) -> str:
    """Where another day begins, among lines of several."""
    return f'<li class="gap day"><a href="{escape(day_path(place, day))}">{spoken(day)}</a></li>'


def text_html(text: str, highlight: re.Pattern[str] | None = None, nicks: Collection[str] = ()) -> str:
    """What was said, as HTML: formatting, links, and what a search found marked.

    A nick of `nicks` that it begins with, as in "alice: hello", gets its colour.
    """
    if text.isascii() and text.isprintable():
        if highlight is None and "://" not in text:
            return _addressed(text, nicks)
        return _linked(text, highlight)
    return "<br>".join(_formatted(one, highlight, nicks) for one in text.split("\n"))


def plain_text(text: str) -> str:
    """What was said in one line of plain text, for titles and excerpts; not escaped."""
    return _tamed(plain(clean(text.replace("\n", " "))))


def time_html(time: float) -> str:
    """`<time datetime="2026-11-21T14:02:03Z">14:02</time>`."""
    day, seconds = divmod(int(time), 86400)
    minutes, second = divmod(seconds, 60)
    shown = _MINUTES[minutes]
    return f'<time datetime="{_day(day)}T{shown}:{second:02}Z">{shown}</time>'


def escape(text: str) -> str:
    """Text as HTML: a plain string, since a `Markup` escapes what it is added to."""
    return str(markupsafe.escape(text))


@lru_cache(1024)
def _day(days: int) -> str:
    """A day, counted from the epoch, as in "2026-11-21"."""
    return datetime.fromtimestamp(days * 86400, UTC).date().isoformat()


@lru_cache(4096)
def nick_html(nick: str) -> str:
    """A nick in its colour."""
    return f'<bdi class="nick {nick_class(nick)}">{escape(plain_text(nick))}</bdi>'


def _origin(network: str) -> str:
    name = escape(plain_text(network))
    return f' <span class="origin" title="relayed from {name}"><bdi>{name}</bdi></span>'


def _reply(parent: Line, here: Collection[int]) -> str:
    address = f"#L{parent.id}" if parent.id in here else f"/L/{parent.id}"
    text = plain_text(parent.text)
    excerpt = escape(text if len(text) <= EXCERPT else text[:EXCERPT].rstrip() + "…")
    said = REMOVED if parent.redacted else f"<bdi>{excerpt}</bdi>"
    return (
        f'<a class="reply" href="{address}"><span class="hidden">in reply to </span>'
        f"{nick_html(parent.nick)} {said}</a> "
    )


def _goes_on(before: Line, line: Line) -> bool:
    """Whether the nick need not be shown again."""
    return (
        line.kind == "message" == before.kind
        and line.nick == before.nick
        and line.origin == before.origin
        and line.time - before.time < 300
        and not line.reply_to
    )


# -- what is told of each kind; `show` makes HTML of a text

Show = Callable[[str], str]


def _notice(line: Line, who: str, show: Show) -> str:
    return f'<span class="badge">notice</span> {show(line.text)}'


def _action(line: Line, who: str, show: Show) -> str:
    return f'<span class="star">*</span> {who} {show(line.text)}'


def _joined(line: Line, who: str, show: Show) -> str:
    return f"{who} joined"


def _left(line: Line, who: str, show: Show) -> str:
    return f"{who} left{_reason(line, show)}"


def _quit(line: Line, who: str, show: Show) -> str:
    return f"{who} quit{_reason(line, show)}"


def _kicked(line: Line, who: str, show: Show) -> str:
    whom = nick_html(line.target) if line.target else "somebody"  # who is forgotten, or opted out
    return f"{who} kicked {whom}{_reason(line, show)}"


def _renamed(line: Line, who: str, show: Show) -> str:
    return f"{who} is now {nick_html(line.target)}"


def _topic(line: Line, who: str, show: Show) -> str:
    if not line.text:
        return f"{who} removed the topic"
    return f'{who} set the topic: <bdi class="topic">{show(line.text)}</bdi>'


def _mode(line: Line, who: str, show: Show) -> str:
    return f"{who} set <bdi>{show(line.text)}</bdi>"


def _reason(line: Line, show: Show) -> str:
    return f' <span class="reason">(<bdi>{show(line.text)}</bdi>)</span>' if line.text else ""


_BODIES: dict[str, Callable[[Line, str, Show], str]] = {
    "notice": _notice,
    "action": _action,
    "join": _joined,
    "part": _left,
    "quit": _quit,
    "kick": _kicked,
    "nick": _renamed,
    "topic": _topic,
    "mode": _mode,
}
_SPEAKERS = frozenset({"message", "notice"})  # who has a column of their own


# -- text


def _formatted(text: str, highlight: re.Pattern[str] | None, nicks: Collection[str]) -> str:
    text = _tamed(clean(text))
    if CODE.search(text) is None:
        return _linked(text, highlight) if highlight or "://" in text else _addressed(text, nicks)
    return "".join(_run(run, highlight) for run in parse(text))


def _tamed(text: str) -> str:
    """Without floods of what cannot be seen."""
    if text.isascii():
        return text
    return _ACCENTS.sub(r"\1", _INVISIBLE.sub("", text))


def _run(run: Run, highlight: re.Pattern[str] | None) -> str:
    names = [style for style in _STYLES if getattr(run, style)]
    foreground, background = run.foreground, run.background
    if run.reverse and foreground is None and background is None:
        names.append("on reverse")
    elif run.reverse:
        foreground, background = background, foreground
    if colours := classes(foreground, background):
        names.append(colours)
    shown = _linked(run.text, highlight)
    return f'<span class="{" ".join(names)}">{shown}</span>' if names else shown


def _addressed(text: str, nicks: Collection[str]) -> str:
    """Plain text without links."""
    if nicks and (start := _ADDRESSED.match(text)) is not None and start[1] in nicks:
        return f"{nick_html(start[1])}{start[2]}{escape(text[start.end() :])}"
    return escape(text)


def _linked(text: str, highlight: re.Pattern[str] | None) -> str:
    if "://" not in text:
        return _marked(text, highlight)
    out = []
    end = 0
    for link in _LINK.finditer(text):
        address = _without_trailing(link[0])
        out.append(_marked(text[end : link.start()], highlight))
        out.append(
            f'<a href="{escape(address)}" rel="nofollow ugc noopener">{_marked(address, highlight)}</a>'
            if not address.endswith("://")
            else _marked(address, highlight)
        )
        end = link.start() + len(address)
    out.append(_marked(text[end:], highlight))
    return "".join(out)


def _without_trailing(address: str) -> str:
    """Without what belongs to the sentence: a full stop, a bracket that was opened before the address."""
    unopened = {
        closing: address.count(closing) - address.count(opening) for closing, opening in _CLOSING.items()
    }
    end = len(address)
    while end:
        last = address[end - 1]
        if unopened.get(last, 0) > 0:
            unopened[last] -= 1
        elif last not in _TRAILING:
            break
        end -= 1
    return address[:end]


def _marked(text: str, highlight: re.Pattern[str] | None) -> str:
    if highlight is None:
        return escape(text)
    out = []
    end = 0
    for hit in highlight.finditer(text):
        if hit.end() > hit.start():
            out.append(f"{escape(text[end : hit.start()])}<mark>{escape(hit[0])}</mark>")
            end = hit.end()
    return "".join(out) + escape(text[end:])
