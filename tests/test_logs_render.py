"""Lines as HTML, and what is told of many in few words."""

import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.logs.archive.records import MonthDays, Talker
from plugins.logs.line import KINDS, Gap
from plugins.logs.site import charts, colours
from plugins.logs.site.calendars import month_of
from plugins.logs.site.folding import Folded, fold, with_gaps
from plugins.logs.site.render import line_html, lines_html, plain_text, text_html
from pynfo.irc.formatting import COLOURS
from tests.logs_archive import NOON, said

STATIC = Path(colours.__file__).parent / "static"
# All that lines are ever made of.
TAGS = {"li", "a", "time", "span", "bdi", "em", "b", "br", "mark", "ol", "details", "summary"}
ATTRIBUTES = frozenset({"id", "class", "href", "rel", "title", "datetime", "dir"})
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    'https://example.org/"onmouseover="alert(1)',
    "https://example.org/'><script>alert(1)</script>",
    "https://example.org/<b>",
    "</li></ol></body>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "{{ 7 * 7 }}{% raw %}",
    "\x0304<b>\x03</b>\x02<i>\x02",
    "\x0304,04<script>\x16\x11</script>",
    '\x04"onload=,ff0000x',
    "<!--",
    "]]>",
    "\x00<scr\x00ipt>",
    "\uff1cscript\uff1e",
    "\ud800<script>",
]


def line(text="", **fields):
    """A line with an id, as the archive gives it."""
    made = said(text, **fields)
    made.id = round(made.time * 1_000_000)
    return made


def html(text, **fields):
    return str(line_html(line(text, **fields), parents={}))


class Reader(HTMLParser):
    """What a browser makes of it: tags with attributes, and text."""

    def __init__(self, source):
        super().__init__()
        self.tags = []
        self.text = ""
        self.open = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.text += text

    def handle_comment(self, text):
        raise AssertionError(text)


def checked(source):
    """Read HTML that may hold nothing but what lines are made of."""
    reader = Reader(source)
    assert reader.open == []
    for tag, attributes in reader.tags:
        assert tag in TAGS
        assert ATTRIBUTES.issuperset(attributes)
        assert re.match(r"(?i)#L|/L/|https?://|ftp://|ircs?://", attributes.get("href", "#L"))
    return reader


# -- what lines look like


def test_a_line_has_its_time_its_nick_and_its_text():
    line_id = round(NOON) * 1_000_000
    assert html("hello", nick="alice") == (
        f'<li id="L{line_id}" class="line message">'
        f'<a class="time" href="#L{line_id}"><time datetime="2026-11-21T12:00:00Z">12:00</time></a> '
        f'<span class="who"><bdi class="nick {colours.nick_class("alice")}">alice</bdi></span> '
        '<span class="text" dir="auto">hello</span></li>'
    )


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kind": "action", "text": "waves"}, "12:00 * alice waves"),
        ({"kind": "notice", "text": "hear"}, "12:00 alice notice hear"),
        ({"kind": "join"}, "12:00 alice joined"),
        ({"kind": "part", "text": "bye"}, "12:00 alice left (bye)"),
        ({"kind": "quit"}, "12:00 alice quit"),
        ({"kind": "kick", "target": "bob", "text": "enough"}, "12:00 alice kicked bob (enough)"),
        ({"kind": "kick", "text": "enough"}, "12:00 alice kicked somebody (enough)"),
        ({"kind": "nick", "target": "alicia"}, "12:00 alice is now alicia"),
        ({"kind": "topic", "text": "news"}, "12:00 alice set the topic: news"),
        ({"kind": "topic"}, "12:00 alice removed the topic"),
        ({"kind": "mode", "text": "+o bob"}, "12:00 alice set +o bob"),
        ({"redacted": True}, "12:00 alice message removed"),
        ({"kind": "action", "redacted": True}, "12:00 alice message removed"),
        ({"text": "hi", "origin": "oftc"}, "12:00 alice oftc hi"),
        ({"text": "one\ntwo"}, "12:00 alice onetwo"),
    ],
)
def test_each_kind_is_told_in_words(fields, told):
    assert checked(html(**({"text": ""} | fields))).text == told


def test_the_account_the_host_and_the_identity_are_never_shown():
    shown = html("hi", account="secret", host="user@secret.example", identity=b"secret", msgid="secret")
    assert "secret" not in shown


def test_lines_in_a_text_are_broken():
    assert "one<br>two" in html("one\ntwo")


def test_a_fetched_line_says_so():
    assert 'title="fetched afterwards"' in html("hi", fetched=True)
    assert "fetched" not in html("hi")


def test_whoever_goes_on_speaking_is_marked_unless_time_passes_or_it_is_somebody_else():
    lines = [
        line("a"),
        line("b", at=NOON + 1),
        line("c", at=NOON + 2, nick="bob"),
        line("d", at=NOON + 900, nick="bob"),
        line("e", at=NOON + 901, nick="bob", origin="oftc"),
    ]
    shown = str(lines_html(lines, parents={})).split("\n")
    assert [" again" in one for one in shown] == [False, True, False, False, False]


def test_a_line_that_was_found_leads_to_its_page_and_to_what_is_around_it():
    one = line("hi")
    shown = str(line_html(one, parents={}, shown="found"))
    assert f'href="/L/{one.id}"' in shown
    assert f'<a class="around" href="/L/{one.id}/around">' in shown


def test_lines_around_one_that_are_of_another_day_stand_under_its_date():
    midnight = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
    lines = [line("late", at=midnight - 5), line("early", at=midnight + 5)]
    shown = str(lines_html(lines, parents={}, shown="context", asked=lines[0].id))
    assert (
        shown.index("late")
        < shown.index(
            '<li class="gap day"><a href="/libera/pynfo/2026-11-22">Sunday, 22 November 2026</a></li>'
        )
        < shown.index("early")
    )
    assert 'class="gap day"' not in str(lines_html(lines[:1], parents={}, shown="context", asked=lines[0].id))


def test_lines_around_one_have_no_ids_and_mark_the_one():
    lines = [line("a"), line("b", at=NOON + 1)]
    shown = str(lines_html(lines, parents={}, shown="context", asked=lines[1].id))
    assert "id=" not in shown
    assert [" asked" in one for one in shown.split("\n")] == [False, True]


# -- answers


def test_an_answer_shows_what_it_answers_and_leads_there():
    parent = line("what is <it>?", nick="bob", msgid="m1")
    answer = line("this", at=NOON + 5, reply_to="m1")
    elsewhere = str(line_html(answer, parents={"m1": parent}))
    assert f'<a class="reply" href="/L/{parent.id}">' in elsewhere
    assert checked(elsewhere).text == "12:00 alice in reply to bob what is <it>? this"
    here = str(lines_html([parent, answer], parents={"m1": parent}))
    assert f'<a class="reply" href="#L{parent.id}">' in here


def test_of_a_long_line_that_is_answered_only_the_beginning_is_shown():
    parent = line("word " * 100, msgid="m1")
    shown = checked(str(line_html(line("this", reply_to="m1"), parents={"m1": parent}))).text
    assert "word…" in shown
    assert len(shown) < 200


def test_an_answer_to_what_was_removed_says_so():
    parent = line("", msgid="m1", redacted=True)
    assert "message removed" in str(line_html(line("this", reply_to="m1"), parents={"m1": parent}))


def test_an_answer_to_what_is_not_known_is_a_plain_line():
    assert "reply" not in html("this", reply_to="m1")


# -- links


def links(text):
    return [attributes["href"] for tag, attributes in checked(text_html(text)).tags if tag == "a"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see https://example.org", "https://example.org"),
        ("see https://example.org.", "https://example.org"),
        ("(https://example.org/a)", "https://example.org/a"),
        ("(see https://example.org/a_(b))", "https://example.org/a_(b)"),
        (
            "https://en.example.org/wiki/Netsplit_(IRC), they say",
            "https://en.example.org/wiki/Netsplit_(IRC)",
        ),
        ("[https://example.org/x]!", "https://example.org/x"),
        ("<https://example.org/x>", "https://example.org/x"),
        ('"https://example.org/x"', "https://example.org/x"),
        ("is it https://example.org/?q=a&b=c?", "https://example.org/?q=a&b=c"),
        ("HTTPS://EXAMPLE.ORG/", "HTTPS://EXAMPLE.ORG/"),
        ("https://例え.jp/文档 を", "https://例え.jp/文档"),
        ("ircs://irc.example.org/pynfo", "ircs://irc.example.org/pynfo"),
        ("\x02https://example.org/a\x02b", "https://example.org/a"),
        ("\x0312https://example.org/a\x03, and", "https://example.org/a"),
    ],
)
def test_addresses_become_links_without_what_belongs_to_the_sentence(text, address):
    assert links(text) == [address]


@pytest.mark.parametrize(
    "text",
    [
        "http://",
        "https://.",
        "javascript://x",
        "data://x",
        "file:///etc/passwd",
        "xhttps://a",
        "a://b",
        "://",
    ],
)
def test_nothing_else_becomes_a_link(text):
    assert links(text) == []


def test_links_tell_robots_and_browsers_not_to_trust_them():
    assert 'rel="nofollow ugc noopener"' in text_html("https://example.org")


# -- formatting


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x02b\x02", '<span class="bold">b</span>'),
        ("\x1di\x1d", '<span class="italic">i</span>'),
        ("\x1fu\x1f", '<span class="underline">u</span>'),
        ("\x1es\x1e", '<span class="strike">s</span>'),
        ("\x11m\x11", '<span class="monospace">m</span>'),
        ("\x16r\x16", '<span class="on reverse">r</span>'),
        ("\x0304c\x03", '<span class="f4">c</span>'),
        ("\x0398c", '<span class="f98">c</span>'),
        ("\x0300,01c", '<span class="on g1 x0">c</span>'),
        ("\x0301,00\x16c", '<span class="on g1 x0">c</span>'),
        ("\x0308,00c", '<span class="on g0">c</span>'),  # cannot be read: black instead
        ("\x0304,04spoiler", '<span class="on g4">spoiler</span>'),
        ("\x04ff0000c", '<span class="f4">c</span>'),
        ("\x02\x0304b\x0fplain", '<span class="bold f4">b</span>plain'),
    ],
)
def test_formatting_is_told_by_classes(text, shown):
    assert text_html(text) == shown


def test_matches_are_marked_in_words_in_runs_and_in_links():
    pattern = re.compile("pyn|é", re.IGNORECASE)
    assert text_html("a Pynfo & b", pattern) == "a <mark>Pyn</mark>fo &amp; b"
    assert text_html("\x02pyn\x02 é", pattern) == '<span class="bold"><mark>pyn</mark></span> <mark>é</mark>'
    shown = text_html("https://pyn.example.org", pattern)
    assert '<a href="https://pyn.example.org"' in shown
    assert ">https://<mark>pyn</mark>.example.org</a>" in shown


def test_a_pattern_that_finds_nothing_between_letters_marks_nothing():
    assert text_html("ab", re.compile("x*")) == "ab"


def test_somebody_who_is_spoken_to_has_their_colour():
    lines = [line("hi", nick="bob"), line("bob: hello", at=NOON + 1), line("note: <this>", at=NOON + 2)]
    shown = str(lines_html(lines, parents={}))
    assert f'<bdi class="nick {colours.nick_class("bob")}">bob</bdi>: hello' in shown
    assert "note: &lt;this&gt;" in shown


# -- what strangers say


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_is_said_is_markup(text, kind):
    one = line(text, nick=text, kind=kind, target=text, origin=text, account=text, reply_to="m")
    parent = line(text, nick=text, msgid="m")
    for pattern in (None, re.compile("script|<|&|alert")):
        checked(str(line_html(one, parents={"m": parent}, highlight=pattern)))
        checked(str(lines_html([*fold([one, one]), parent], parents={"m": parent}, highlight=pattern)))


@given(st.text(), st.text())
def test_whatever_is_said_is_text(text, nick):
    shown = checked(str(line_html(line(text, nick=nick, origin=nick or None), parents={})))
    assert not set(shown.text) & set("\x00\x07\x1b\x85\u202e\u2066\ud800\x02\x03")


def test_text_that_turns_the_direction_around_and_controls_are_left_out():
    assert text_html("a\u202eb\u2066c\x07d\x1be") == "abcde"


def test_floods_of_what_cannot_be_seen_are_left_out_and_joined_emoji_stay():
    assert plain_text("a" + "\u200b" * 400 + "b") == "ab"
    assert plain_text("z" + "\u0301" * 400) == "z" + "\u0301" * 4
    assert plain_text("👩\u200d👩\u200d👧 ❤\ufe0f") == "👩\u200d👩\u200d👧 ❤\ufe0f"


def test_a_text_full_of_brackets_takes_no_time_of_its_square():
    assert links("https://example.org/" + ")" * 100_000) == ["https://example.org/"]


# -- colours


def test_a_nick_has_the_same_colour_in_any_case_and_nicks_use_all_of_them():
    assert colours.nick_class("Alice[m]") == colours.nick_class("aLICE{M}")
    assert {colours.nick_class(f"nick{number}") for number in range(500)} == {
        f"n{number}" for number in range(colours.NICKS)
    }


def test_the_palette_is_the_one_that_its_maker_makes():
    assert (STATIC / "palette.css").read_text() == "\n".join(colours.stylesheet()) + "\n"


def themed(source):
    """The colours of a sheet by class or property, light and dark."""
    found = re.findall(r"(?:\.|--)([a-z0-9-]+)(?:\{color)?:\s*light-dark\(#(\w{6}), ?#(\w{6})\)", source)
    return {name: pair for name, *pair in found}


def test_every_nick_and_every_colour_can_be_read_on_every_surface_of_both_themes():
    palette = themed((STATIC / "palette.css").read_text())
    assert len(palette) == colours.NICKS + len(COLOURS)
    for name, pair in palette.items():
        for colour, surfaces in zip(pair, (colours.LIGHT, colours.DARK), strict=True):
            for surface in surfaces:
                assert colours.contrast(colour, surface) >= colours.READABLE, (name, colour, surface)


def test_every_pair_of_colours_that_somebody_asks_for_can_be_read():
    for back, background in enumerate(COLOURS):
        assert colours.contrast(colours.on_background(background), background) >= colours.READABLE
        for front, foreground in enumerate(COLOURS):
            if "x" in colours.classes(front, back):
                assert colours.contrast(foreground, background) >= colours.READABLE


STYLE = (STATIC / "style.css").read_text()


def test_the_surfaces_of_the_sheet_are_those_that_colours_are_made_for():
    style = themed(STYLE)
    surfaces = [style[name] for name in ("paper", "raised", "tint")]
    assert tuple(light for light, _ in surfaces) == colours.LIGHT
    assert tuple(dark for _, dark in surfaces) == colours.DARK


@pytest.mark.parametrize("theme", [0, 1])
def test_all_other_text_can_be_read_in_both_themes(theme):
    style = {name: pair[theme] for name, pair in themed(STYLE).items()}
    pairs = [(text, on) for text in ("ink", "quiet", "accent") for on in ("paper", "raised", "tint")]
    pairs += [("ink", "mark"), ("on-accent", "accent"), ("paper", "ink")]
    for text, on in pairs:
        assert colours.contrast(style[text], style[on]) >= colours.READABLE, (text, on)
    for on in ("paper", "raised"):  # borders of fields and buttons: 3 (WCAG 2.2, 1.4.11)
        assert colours.contrast(style["edge"], style[on]) >= 3


@pytest.mark.parametrize("theme", [0, 1])
def test_the_days_of_the_calendar_can_be_read_on_each_of_its_shades(theme):
    style = {name: pair[theme] for name, pair in themed(STYLE).items()}
    rules = re.findall(r"\.shade(\d) \{[^}]*?\n  color: light-dark\(#(\w{6}), #(\w{6})\)", STYLE)
    assert len(rules) == 5
    for number, *pair in rules:
        assert colours.contrast(pair[theme], style[f"shade{number}"]) >= colours.READABLE, number


# -- comings and goings


def goings(*kinds, reason="", start=0):
    said_why = {"quit": reason, "part": reason}
    return [
        line(said_why.get(kind, ""), kind=kind, nick=f"n{at}", at=NOON + at)
        for at, kind in enumerate(kinds, start)
    ]


def summaries(lines):
    return [one.summary if isinstance(one, Folded) else one for one in fold(lines)]


def test_joins_and_parts_in_a_row_are_one_line():
    assert summaries(goings(*["join"] * 5, "part", "quit", "part")) == ["5 joined, 3 left"]
    assert summaries(goings("join", "nick", "nick")) == ["1 joined, 2 renamed"]


def test_one_alone_stays_what_it_is_and_talk_ends_a_row():
    one, talk, *two = [*goings("join"), line("hi", at=NOON + 10), *goings("part", "part", start=20)]
    assert summaries([one, talk, *two]) == [one, talk, "2 left"]


def test_a_netsplit_is_told_with_those_who_come_back():
    split = goings(*["quit"] * 43, reason="hub.example.net leaf.example.net")
    back = [line("", kind="join", nick=f"n{at}", at=NOON + 100 + at) for at in range(41)]
    assert summaries(split) == ["netsplit: 43 people left"]
    assert summaries([*split, *back]) == ["netsplit: 43 people left, 41 people came back"]
    talk = line("again?", at=NOON + 90)
    assert summaries([*split, talk, *back]) == [
        "netsplit: 43 people left",
        talk,
        "netsplit over: 41 people came back",
    ]


@pytest.mark.parametrize("reason", ["Quit: a.example b.example", "bye", "*.net", "one two", "a.b c.d e.f"])
def test_other_reasons_are_no_netsplit(reason):
    assert summaries(goings("quit", "quit", reason=reason)) == ["2 left"]


def test_a_netsplit_of_hidden_servers_counts():
    assert summaries(goings("quit", "quit", reason="*.net *.split")) == ["netsplit: 2 people left"]


def test_folded_lines_are_all_there_behind_their_sum():
    shown = str(lines_html(fold(goings("join", "join")), parents={}))
    assert "<summary>" in shown
    assert "2 joined" in shown
    assert shown.count('class="line event join"') == 2


# -- gaps


def test_gaps_stand_between_the_lines_and_end_a_row():
    first, second, third = (line("", kind="join", at=NOON + at) for at in (0, 100, 200))
    gap = Gap(NOON + 20, NOON + 80)
    entries = fold(with_gaps([first, second, third], [gap]))
    assert entries[:2] == [first, gap]
    assert entries[2].summary == "2 joined"
    assert "no log from" in str(lines_html(entries, parents={}))


def test_a_page_shows_the_gaps_that_begin_on_it():
    lines = [line("a"), line("b", at=NOON + 100)]
    gaps = [Gap(NOON - 500, NOON - 400), Gap(NOON - 50, NOON - 10), Gap(NOON + 100, NOON + 120)]
    assert with_gaps(lines, gaps, after=NOON - 100, until=NOON + 100) == [gaps[1], *lines]
    assert with_gaps(lines, gaps) == [gaps[0], gaps[1], *lines, gaps[2]]


def test_a_short_gap_tells_for_how_long_it_is():
    for seconds, told in ((5.2, "5 seconds"), (0.7, "1 second")):
        shown = str(lines_html([Gap(NOON, NOON + seconds)], parents={}))
        assert f'no log at <time datetime="2026-11-21T12:00:00Z">12:00</time> for {told}</span>' in shown


def test_a_gap_tells_its_times_and_over_midnight_its_days():
    assert checked(str(lines_html([Gap(NOON + 7320, NOON + 8220)], parents={}))).text == (
        "no log from 14:02 to 14:17"
    )
    assert checked(str(lines_html([Gap(NOON, NOON + 86400)], parents={}))).text == (
        "no log from 2026-11-21 12:00 to 2026-11-22 12:00"
    )


# -- calendars and charts


def test_a_calendar_has_the_weeks_of_the_month_with_busy_days_darker():
    talk = {date(2026, 11, day): said for day, said in ((1, 0), (2, 10), (3, 300), (4, 1000))}
    month = month_of(date(2026, 11, 21), MonthDays(talk, date(2026, 10, 30), None))
    cells = [cell for week in month.weeks for cell in week if cell]
    assert len(month.weeks) == 6
    assert [cell.day.day for cell in cells] == list(range(1, 31))
    assert month.weeks[0] == [None] * 6 + [cells[0]]
    levels = [cell.level for cell in cells[:5]]
    assert levels[0] == 1
    assert levels == [*sorted(levels[:4]), 0]
    assert levels[3] == 5


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31), date(2024, 2, 29)])
def test_there_is_a_calendar_of_any_month(day):
    assert month_of(day, MonthDays({}, None, None)).weeks


def test_statistics_know_weekdays_hours_months_and_the_busiest():
    monday = int(datetime(2026, 11, 16, 14, tzinfo=UTC).timestamp()) // 3600
    september = int(datetime(2026, 9, 2, 3, tzinfo=UTC).timestamp()) // 3600
    figures = charts.statistics([(september, 5), (monday, 40), (monday + 1, 10)])
    assert (figures.busiest.weekday, figures.busiest.hour, figures.busiest.talk) == (0, 14, 40)
    assert figures.cells[2][3].talk == 5
    assert [(one.label, one.talk, one.share) for one in figures.months] == [
        ("September 2026", 5, 10),
        ("October 2026", 0, 0),
        ("November 2026", 50, 100),
    ]
    assert (figures.total, figures.days, figures.first) == (55, 2, date(2026, 9, 2))


def test_months_lead_to_their_first_day_with_talk_and_stand_in_rows_of_years():
    hours = [int(datetime(*day, 3, tzinfo=UTC).timestamp()) // 3600 for day in ((2025, 12, 24), (2026, 2, 9))]
    figures = charts.statistics([(hours[0], 5), (hours[0] + 24, 1), (hours[1], 2)])
    assert [one.day for one in figures.months] == [date(2025, 12, 24), None, date(2026, 2, 9)]
    assert [[one.label if one else "" for one in row] for row in figures.years] == [
        ["January 2026", "February 2026", *[""] * 10],
        [*[""] * 11, "December 2025"],
    ]


@pytest.mark.parametrize(("months", "marks"), [
    (2, ["Dec 2025"]),
    (7, ["Jul 2025", "Oct", "Jan 2026"]),
    (25, ["Jan 2024", "Jan 2025", "Jan 2026"]),
    (80, ["2020", "2021", "2022", "2023", "2024", "2025", "2026"]),
    (240, ["2007", "2009", "2011", "2013", "2015", "2017", "2019", "2021", "2023", "2025"]),
])  # fmt: skip
def test_the_months_of_any_time_are_shown_with_marks_that_have_room(months, marks):
    days = [date((24312 - number) // 12, (24312 - number) % 12 + 1, 5) for number in range(months)]
    hours = [int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // 3600 for day in days]
    figures = charts.statistics([(hour, 3) for hour in hours])
    assert [one.mark for one in figures.months if one.mark] == marks
    assert figures.months[-1].x + figures.width <= 348.01


def test_statistics_of_nothing_are_empty():
    figures = charts.statistics([])
    assert (figures.busiest, figures.months, figures.total, figures.first) == (None, [], 0, None)


def test_who_is_mentioned_most_comes_first_and_who_is_not_is_left_out():
    people = [Talker(nick, 10, 0.0, 0.0, mentions) for nick, mentions in (("a", 2), ("b", 0), ("c", 8))]
    assert [(one.label, one.talk, one.share) for one in charts.most_mentioned(people, 10)] == [
        ("c", 8, 100),
        ("a", 2, 25),
    ]
