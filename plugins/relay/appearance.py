"""How an utterance looks where it is carried to: as lines that say who spoke, and that nobody can forge.

What somebody says always stands behind their own *frame*, in each piece of it: `<alice@libera> …`. Nothing in
a nick or in a text reaches out of its place. What the bot says in its own name begins with "(", as no frame
does (`formats.read`). `parse` is the way back. Lengths are in bytes of UTF-8 where nothing else is said.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from string import punctuation
from time import gmtime
from unicodedata import category, normalize
from zlib import crc32

from plugins.relay.formats import NICK_SIGNS, OWN_WORDS, UNSHOWN, Format, Name, read, shape
from plugins.relay.utterance import Utterance
from plugins.relay.wires import Port
from pynfo.irc.formatting import CODE, COLOUR, RESET, clean, plain, style_after
from pynfo.irc.message import encode
from pynfo.irc.split import LEAST, split

JOINER = "\u2060"  # WORD JOINER: not seen, and keeps a nick from being its owner's
NICK_LENGTH = 64  # characters
SHORTER_NICKS = (NICK_LENGTH, 24, 8)  # the longest that are tried, until there is room for the text
CHANNEL_LENGTH = 48  # bytes
REACTION_LENGTH = 40  # characters
LINE = 400  # the room for a line of the relay's own
LATE = 60.0  # seconds: a message younger than this is not marked as late
RELAYMSG_RESERVED = "!+%@&#$:'\"?*,."  # IRCv3 draft "relaymsg": not in the nick

_FORMATS = {"message": "format", "action": "action_format", "notice": "notice_format"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LATE_MARK = r"(?:\[(?:[0-9]{1,2} [A-Z][a-z]{2} )?[0-9]{2}:[0-9]{2}\] )?"
_NICK_COLOURS = (2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13)  # those of mIRC that can be read on white and on black
_PREFIXES = "~&@%+!"
_CODES = re.compile(f"(?:{CODE.pattern})*")
_NOT_IN_NICKS = re.escape("".join(set(punctuation) - set(NICK_SIGNS)))
_FRAME_SIGNS = re.escape(NICK_SIGNS.replace("_", ""))  # no nick begins with one at the beginning of a line
_USUAL = re.compile(f"[A-Za-z0-9{re.escape(NICK_SIGNS)}]+").fullmatch
# What is not seen though its category does not say so: Default_Ignorable_Code_Point of Unicode, and a blank.
_IGNORED = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
_WIDE = {ord(sign): ord(sign) + 0xFEE0 for sign in NICK_SIGNS}  # as the fullwidth forms of Unicode
_NARROW = {wide: sign for sign, wide in _WIDE.items()}


def shown_nick(nick: str, *, joiner: bool = True, colour: bool = False) -> str:
    """A nick as the bot may say it. With a joiner nobody is pinged by it; a colour is closed behind it."""
    name = _cut(_visible(nick), NICK_LENGTH)
    return _dressed(name, nick, joiner=joiner, colour=colour)


def frame(utterance: Utterance, port: Port, *, late: str = "", joiner: bool = True) -> tuple[str, str]:
    """What stands before and after what a person says there: of a message, an action or a notice."""
    before, after, _ = _frame(
        getattr(port, _FORMATS[utterance.kind]),
        utterance.nick,
        utterance.place,
        utterance.prefix,
        port.colours,
        joiner,
        NICK_LENGTH,
    )
    return late + before, after


def pieces(
    utterance: Utterance,
    port: Port,
    room: int,
    *,
    late: str = "",
    text: str | None = None,
    opening: str = "",
    joiner: bool = True,
) -> list[str]:
    """The texts in which a person's words are said there, each with its frame and of at most `room` bytes.

    `text` is said instead of the utterance's own; `opening`, such as an `answer_mark`, comes before it. Lines
    in which nothing would be seen are left out. `ValueError` where the room is too little for any text, which
    300 bytes never are.
    """
    text = utterance.text if text is None else text
    format, place = getattr(port, _FORMATS[utterance.kind]), utterance.place
    for length in SHORTER_NICKS:
        before, after, size = _frame(
            format, utterance.nick, place, utterance.prefix, port.colours, joiner, length
        )
        limit = room - len(late) - size
        if limit >= LEAST:
            break
    else:
        raise ValueError(f"{room} bytes are too few to say who says something")
    if len(text) <= limit and text.isascii() and text.isprintable() and not opening:  # most that is said
        return [] if not text or text.isspace() else [f"{late}{before}{text}{after}"]
    lines = [line for line in map(clean, text.split("\n")) if plain(line).strip()]
    if port.formatting == "strip":
        lines = [plain(line) for line in lines]
    if lines:
        lines[0] = opening + lines[0]
    found = [piece for line in lines for piece in split(line, limit)]
    return [f"{late}{before}{piece}{_closing(piece, after)}" for piece in found]


def answer_mark(nick: str, *, joiner: bool = True) -> str:
    """What stands before an answer to `nick` where the network cannot tell it in another way."""
    return f"↪ {shown_nick(nick, joiner=joiner)}: "


def said(utterance: Utterance, port: Port, *, late: str = "", room: int = LINE) -> str:
    """The one line in which the bot tells what happened, what somebody did, or a word of its own; "" where
    there is nothing to tell. What does not fit into `room` bytes is left out."""
    nick = shown_nick(utterance.nick, colour=port.colours)
    text = " ".join(plain(clean(utterance.text.replace("\n", " "))).split())
    about = f" {shown_nick(utterance.about_nick)}" if utterance.about_nick else ""
    if utterance.kind == "reaction":
        words = text and f"{nick} reacted with {_cut(text, REACTION_LENGTH)}{about and ' to'}{about}"
    elif utterance.kind == "redaction":
        other = about if utterance.about_nick != utterance.nick else ""
        words = f"{nick} removed a message{other and ' of'}{other}"
    else:
        words = text
    whose = "relay" if utterance.kind == "told" else utterance.network
    head = f"{late}{OWN_WORDS}{whose}) "
    parts = split(words, max(room - len(encode(head)) - len("…".encode()), LEAST))
    return head + parts[0] + ("…" if len(parts) > 1 else "") if parts else ""


def late_mark(time: float, now: float) -> str:
    """When it was said, in UTC, before what was said a while ago: "[14:02] ", "[20 Nov 23:58] "."""
    if now - time < LATE:
        return ""
    then, today = gmtime(time), gmtime(now)
    day = "" if then[:3] == today[:3] else f"{then.tm_mday} {_MONTHS[then.tm_mon - 1]} "
    return f"[{day}{then.tm_hour:02}:{then.tm_min:02}] "


def relaymsg_nick(nick: str, network: str, separators: str, limit: int) -> str:
    """The nick for RELAYMSG, such as "alice/libera": at most `limit` bytes (9 or more) that servers take.

    A nick that had to be changed ends in a mark made of all of it, so that nobody gets another's by it.
    """
    separators = separators or "/"
    badge = _fitting(separators[0] + _for_relaymsg(network, separators), limit // 2 - 1)
    name, room = _for_relaymsg(nick, separators), limit - len(encode(badge))
    if name != nick or len(encode(name)) > room:
        mark = f"~{crc32(encode(nick)) & 0xFFFF:04x}"
        name = _fitting(name, room - len(mark)) + mark
    return name + badge


def parse(text: str, port: Port, networks: Collection[str]) -> tuple[str, str, str] | None:
    """Whose line of ours it is that was said at `port`: nick, network ("" where the format does not tell it)
    and text; None where it is nobody's. `networks` are those that there are. The nick is as it is shown."""
    seen = plain(text)
    for pattern, tail in _readers(port.format, port.action_format, port.notice_format, frozenset(networks)):
        found = pattern.match(seen)
        if found is None:
            continue
        end = found.end()
        rest = _before(tail, text[end:] if seen == text else _after(text, end))
        if rest is not None:
            nick = found["nick"].replace(JOINER, "").translate(_NARROW)
            return nick, found.groupdict().get("network", ""), rest
    return None


@lru_cache(4096)
def _frame(
    format: str, nick: str, place: str, prefix: str, colours: bool, joiner: bool, length: int
) -> tuple[str, str, int]:
    """The frame, and how many bytes it takes. The nick has at most `length` characters."""
    network, _, channel = place.partition("/")
    written = read(format)
    before = ""
    for part in written.head:
        if not isinstance(part, Name):
            before += part
        elif part.field == "prefix":
            before += "".join(sign for sign in prefix if sign in _PREFIXES)
        elif part.field == "network":
            before += network
        elif part.field == "channel":
            before += _ended(_shown_channel(channel), part.stop)
        else:
            name = _cut(_visible(nick), length)
            if (
                not plain(before) and name[0] in NICK_SIGNS and name[0] != "_"
            ):  # it is never a frame's own sign
                name = name[0].translate(_WIDE) + name[1:]
            before += _dressed(_ended(name, part.stop), nick, joiner=joiner, colour=colours)
    if CODE.search(before):
        before += RESET
    return before, written.tail, len(encode(before + written.tail)) + (1 if written.tail else 0)


def _closing(piece: str, after: str) -> str:
    """What comes after a piece; its formatting does not reach it."""
    return RESET + after if after and CODE.search(piece) else after


def _shown_channel(channel: str) -> str:
    name = "_".join(clean(channel).split())
    fitting = _fitting(name, CHANNEL_LENGTH)
    return name if name == fitting else fitting + "…"


def _visible(nick: str) -> str:
    """A nick in characters that are seen, and that nobody takes for the signs around it."""
    if _USUAL(nick):
        return nick
    name = "".join(map(_visible_character, nick))
    if category(name[:1] or " ")[0] in "MZ":  # a mark would change the sign before it
        name = UNSHOWN + name[1:]
    return name


@lru_cache(1024)
def _visible_character(character: str) -> str:
    kind = category(character)[0]
    if kind in "CZ" or _IGNORED.match(character):
        return UNSHOWN
    if character.isascii():
        return character if _USUAL(character) else UNSHOWN
    looks_like = normalize("NFKC", character)
    hides_sign = any(part.isascii() and not part.isalnum() for part in looks_like)
    return UNSHOWN if hides_sign else character


def _ended(name: str, stop: str) -> str:
    """A name without the sign that ends it."""
    return name.replace(stop, chr(_WIDE[ord(stop)]) if ord(stop) in _WIDE else UNSHOWN)


def _dressed(name: str, nick: str, *, joiner: bool, colour: bool) -> str:
    if joiner:
        end = 1 if name.isascii() else _first_grapheme(name)
        name = name[:end] + JOINER + name[end:]
    if not colour:
        return name
    number = _NICK_COLOURS[crc32(encode(nick.lower())) % len(_NICK_COLOURS)]
    return f"{COLOUR}{number:02}{name}{COLOUR}"


def _first_grapheme(name: str) -> int:
    import regex  # large, and few networks have nicks that are not ASCII

    end: int = regex.match(r"\X", name).end()
    return end


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _fitting(text: str, room: int) -> str:
    return encode(text)[: max(room, 0)].decode(errors="ignore")


def _for_relaymsg(name: str, separators: str) -> str:
    refused = RELAYMSG_RESERVED + separators + UNSHOWN
    name = "".join("_" if character in refused else character for character in _visible(name))
    return "_" + name[1:] if name[0] in "-~" else name


@lru_cache(256)
def _readers(
    message: str, action: str, notice: str, networks: frozenset[str]
) -> list[tuple[re.Pattern[str], str]]:
    """What reads lines in the formats of a port, with the tails of these.

    Where one goes on as another begins, the longer one says more, and is asked first.
    """
    formats = [read(format) for format in dict.fromkeys((message, action, notice))]
    formats.sort(key=lambda format: len(shape(format)), reverse=True)
    return [(_pattern(format, networks), format.tail) for format in formats]


def _pattern(format: Format, networks: frozenset[str]) -> re.Pattern[str]:
    """Finds the head of a format, without formatting, at the beginning of a line."""
    pattern = ""
    for part in format.head:
        if not pattern and isinstance(part, Name):
            pattern = f"(?![{_FRAME_SIGNS}])"
        if not isinstance(part, Name):
            pattern += re.escape(plain(part))
        elif part.field == "prefix":
            pattern += f"[{_PREFIXES}]*"
        elif part.field == "network":
            pattern += f"(?P<network>{'|'.join(map(re.escape, sorted(networks))) or '(?!)'})"
        elif part.field == "channel":
            pattern += rf"(?P<channel>[^\s{re.escape(part.stop)}]+)"
        else:
            pattern += rf"(?P<nick>[^\s{re.escape(part.stop)}{_NOT_IN_NICKS}]+)"
    return re.compile(_LATE_MARK + pattern)


def _after(text: str, count: int) -> str:
    """What comes after the first `count` characters that are seen, in the style that it is in."""
    at = 0
    for found in CODE.finditer(text):
        if found.start() - at >= count:
            break
        count -= found.start() - at
        at = found.end()
    at += count
    codes = _CODES.match(text, at)
    end = codes.end() if codes else at
    return style_after(text[:end]).codes() + text[end:]


def _before(tail: str, text: str) -> str | None:
    """The text without what comes after it in the format; None where that is not there."""
    for end in (RESET + tail, tail, plain(tail)):
        if text.endswith(end):
            return text.removesuffix(end) if tail else text
    return None
