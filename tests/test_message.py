"""One IRC line: bytes to `Message` and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynfo.irc import MalformedMessage, Message, UnsendableMessage
from pynfo.irc.message import split_source


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"PING", Message("PING")),
        (b"PING :a b\r\n", Message("PING", ["a b"])),
        (b":irc.test 001 pynfo :Welcome", Message("001", ["pynfo", "Welcome"], "irc.test")),
        (b":a!b@c PRIVMSG #x :", Message("PRIVMSG", ["#x", ""], "a!b@c")),
        (b":a!b@c PRIVMSG #x ::)", Message("PRIVMSG", ["#x", ":)"], "a!b@c")),
        (b":a!b@c PRIVMSG #x : :a", Message("PRIVMSG", ["#x", " :a"], "a!b@c")),
        (b":a!b@c  PRIVMSG   #x   one", Message("PRIVMSG", ["#x", "one"], "a!b@c")),
        (b"privmsg #x word ", Message("PRIVMSG", ["#x", "word"])),
        (b"MODE #x +k :key ", Message("MODE", ["#x", "+k", "key "])),
        (b"USER a 0 * :b:c :d", Message("USER", ["a", "0", "*", "b:c :d"])),
        (b" PING x", Message("PING", ["x"])),
        (b"  @a :s PING", Message("PING", [], "s", {"a": ""})),
        (b"@a  :s  PING  :x  y", Message("PING", ["x  y"], "s", {"a": ""})),
        (b"JOIN #x\n", Message("JOIN", ["#x"])),
        (b"NOTICE * :\x01tab\there\x01", Message("NOTICE", ["*", "\x01tab\there\x01"])),
        (b"NICK caf\xe9", Message("NICK", ["café"])),
        (b"NICK caf\xc3\xa9", Message("NICK", ["café"])),
        (b"@a=b;c PING", Message("PING", [], None, {"a": "b", "c": ""})),
        (b"@a=  :s PING", Message("PING", [], "s", {"a": ""})),
        (rb"@a=\:\s\\\r\n\b\ PING", Message("PING", [], None, {"a": "; \\\r\nb"})),
        (b"@a=1;a=2 PING", Message("PING", [], None, {"a": "2"})),
        (b"@+draft/reply=x;=y; PING", Message("PING", [], None, {"+draft/reply": "x"})),
        (b"@a=b=c PING", Message("PING", [], None, {"a": "b=c"})),
    ],
)
def test_parses(line, message):
    assert Message.parse(line) == message


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\r\n",
        b"   ",
        b":source",
        b":source ",
        b"@tag",
        b"@tag ",
        b"@t :s",
        b" :trailing",
        b":",
        b"@",
        b": PING x",
        b":source :trailing",
        b"PI-NG x",
        b"P\0ING",
        b"\xc3\xa9 x",
        b"12 x",
        b"1234 x",
        b"PRIVMSG #x :a\0b",
        b"PRIVMSG #x :a\rQUIT",
        b"PRIVMSG #x :a\nQUIT\r\n",
        b"@a=\0 PING",
    ],
)
def test_refuses_what_is_no_message(line):
    with pytest.raises(MalformedMessage):
        Message.parse(line)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (Message("PING"), b"PING\r\n"),
        (Message("PRIVMSG", ["#x", "two words"]), b"PRIVMSG #x :two words\r\n"),
        (Message("PRIVMSG", ["#x", ""]), b"PRIVMSG #x :\r\n"),
        (Message("PRIVMSG", ["#x", ":)"]), b"PRIVMSG #x ::)\r\n"),
        (Message("001", ["a"], "irc.test"), b":irc.test 001 a\r\n"),
        (Message("PING", tags={"a": "; \\\r\n", "b": ""}), rb"@a=\:\s\\\r\n;b PING" + b"\r\n"),
    ],
)
def test_formats(message, line):
    assert message.format() == line


@pytest.mark.parametrize(
    "message",
    [
        Message("PRIVMSG", ["#x", "a\r\nQUIT"]),
        Message("PRIVMSG", ["#x", "a\nQUIT"]),
        Message("PRIVMSG", ["#x", "a\0b"]),
        Message("PRIVMSG", ["#x\r\nQUIT", "b"]),
        Message("PRIVMSG", ["#x y", "b"]),
        Message("PRIVMSG", ["", "b"]),
        Message("PRIVMSG", [":x", "b"]),
        Message("PRIV MSG", ["b"]),
        Message("PRIVMSG\r\nQUIT", ["b"]),
        Message("", ["b"]),
        Message("PING", ["b"], "a b"),
        Message("PING", ["b"], ""),
        Message("PING", ["b"], "a\r\nQUIT"),
        Message("PING", tags={"a b": ""}),
        Message("PING", tags={"a;b": ""}),
        Message("PING", tags={"": "x"}),
        Message("PING", tags={"a": "\0"}),
        Message("PING", tags={"a\n": ""}),
        Message("PING", tags={"a": "x" * 4100}),
        Message("PRIVMSG", ["#x", "y" * 510]),
    ],
)
def test_refuses_to_format_what_is_not_one_line(message):
    with pytest.raises(UnsendableMessage):
        message.format()


def test_counts_bytes_against_the_limit_of_a_line():
    fits = Message("PRIVMSG", ["#x1", "é" * 249])
    too_long = Message("PRIVMSG", ["#x1", "é" * 249 + "e"])
    assert len(fits.format()) == 512
    with pytest.raises(UnsendableMessage, match="513 bytes in a line, 512 are allowed"):
        too_long.format()
    assert len(too_long.format(linelen=513)) == 513


def test_counts_tags_apart_from_the_line():
    message = Message("PRIVMSG", ["#x", "y" * 400], tags={"a": "x" * 4092})
    assert len(message.format()) == 4096 + len("PRIVMSG #x \r\n") + 400
    message.tags["a"] += "x"
    with pytest.raises(UnsendableMessage, match="4097 bytes of tags, 4096 are allowed"):
        message.format()
    assert message.format(tagslen=8191)


def test_a_lone_surrogate_is_sent_as_the_replacement_character():
    message = Message("MODE", ["#x", "+b", "nick\udc80!*@*"], tags={"a": "\ud800"})
    assert message.format() == "@a=\ufffd MODE #x +b nick\ufffd!*@*\r\n".encode()


def test_takes_a_source_apart():
    assert split_source("nick!user@host") == ("nick", "user", "host")
    assert split_source("nick@host") == ("nick", "", "host")
    assert split_source("irc.test") == ("irc.test", "", "")
    assert Message("PING", [], "nick!user@host").nick == "nick"


SAFE = st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), max_size=60)
WORD = SAFE.map(lambda text: text.replace(" ", "_")).filter(lambda text: text and text[0] != ":")
KEY = st.from_regex(r"\A\+?([a-z]{1,8}\.[a-z]{2,3}/)?[a-zA-Z0-9-]{1,10}\Z")
VALUE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)


@given(
    st.from_regex(r"\A([A-Z]{1,12}|[0-9]{3})\Z"),
    st.lists(WORD, max_size=6),
    st.none() | SAFE,
    st.none() | WORD,
    st.dictionaries(KEY, VALUE, max_size=5),
)
def test_what_is_formatted_parses_to_the_same(command, words, trailing, source, tags):
    message = Message(command, words + ([] if trailing is None else [trailing]), source, tags)
    assert Message.parse(message.format(linelen=8192)) == message


PIECES = [
    b" ",
    b":",
    b"@",
    b";",
    b"=",
    b"\\",
    b"\r",
    b"\n",
    b"\0",
    b"PING",
    b"ping",
    b"001",
    b"a",
    "é".encode(),
    b"\xe9",
]


@given(st.binary(max_size=700) | st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
def test_any_bytes_are_malformed_or_a_message_that_can_be_sent_on(line):
    try:
        message = Message.parse(line)
    except MalformedMessage:
        return
    message.tags = {}
    assert Message.parse(message.format(linelen=2000)) == message


@given(st.text(max_size=50), st.lists(st.text(max_size=50), max_size=4), st.none() | st.text(max_size=20))
def test_what_is_sent_is_always_exactly_one_line(command, params, source):
    try:
        line = Message(command, params, source).format()
    except UnsendableMessage:
        return
    assert line.endswith(b"\r\n")
    assert line.count(b"\r") == line.count(b"\n") == 1
    assert b"\0" not in line
