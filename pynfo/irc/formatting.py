"""mIRC formatting: parsed once into runs, rendered to plain text and to ANSI, and made safe to send.

Source: "IRC Formatting" of Modern IRC (bold, colour, hex colour, monospace, italics, strikethrough,
underline, reverse, reset).
"""

from __future__ import annotations

import re

import msgspec

BOLD, COLOUR, HEX_COLOUR, RESET = "\x02", "\x03", "\x04", "\x0f"
MONOSPACE, REVERSE, ITALIC, STRIKE, UNDERLINE = "\x11", "\x16", "\x1d", "\x1e", "\x1f"

TOGGLES = {
    BOLD: "bold",
    ITALIC: "italic",
    UNDERLINE: "underline",
    STRIKE: "strike",
    MONOSPACE: "monospace",
    REVERSE: "reverse",
}
CODE = re.compile(
    "[\x02\x0f\x11\x16\x1d\x1e\x1f]"
    "|\x03(?:([0-9]{1,2})(?:,([0-9]{1,2}))?)?"
    "|\x04(?:([0-9A-Fa-f]{6})(?:,([0-9A-Fa-f]{6}))?)?"
)
# C0, DEL and C1 controls but the formatting codes; lone surrogates; what turns a line's direction around.
_UNWANTED = re.compile(
    "[\x00\x01\x05-\x0e\x10\x12-\x15\x17-\x1c\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
_SGR = {"bold": 1, "italic": 3, "underline": 4, "reverse": 7, "strike": 9}  # ECMA-48 section 8.3.117

# The 99 colours, as red, green, blue in hex.
_PALETTE = (
    "ffffff 000000 00007f 009300 ff0000 7f0000 9c009c fc7f00 "
    "ffff00 00fc00 009393 00ffff 0000fc ff00ff 7f7f7f d2d2d2 "
    "470000 472100 474700 324700 004700 00472c 004747 002747 000047 2e0047 470047 47002a "
    "740000 743a00 747400 517400 007400 007449 007474 004074 000074 4b0074 740074 740045 "
    "b50000 b56300 b5b500 7db500 00b500 00b571 00b5b5 0063b5 0000b5 7500b5 b500b5 b5006b "
    "ff0000 ff8c00 ffff00 b2ff00 00ff00 00ffa0 00ffff 008cff 0000ff a500ff ff00ff ff0098 "
    "ff5959 ffb459 ffff71 cfff60 6fff6f 65ffc9 6dffff 59b4ff 5959ff c459ff ff66ff ff59bc "
    "ff9c9c ffd39c ffff9c e2ff9c 9cff9c 9cffdb 9cffff 9cd3ff 9c9cff dc9cff ff9cff ff94d3 "
    "000000 131313 282828 363636 4d4d4d 656565 818181 9f9f9f bcbcbc e2e2e2 ffffff"
)
COLOURS = [_PALETTE[at : at + 6] for at in range(0, len(_PALETTE), 7)]

Colour = int | str | None  # 0 to 98, "RRGGBB", or the reader's default


class Style(msgspec.Struct, frozen=True):
    """How a run of text looks."""

    bold: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False
    monospace: bool = False
    reverse: bool = False
    foreground: Colour = None
    background: Colour = None

    def codes(self) -> str:
        """The codes that open this style after a reset, whatever text follows; 29 bytes at most."""
        toggles = "".join(code for code, name in TOGGLES.items() if getattr(self, name))
        foreground, background = self.foreground, self.background
        if foreground is None and background is None:
            return toggles
        # A background is only ever set behind a foreground, which may then be of the other kind.
        if isinstance(background, str):
            colours = f"{HEX_COLOUR}{background},{background}" + _foreground(foreground)
        elif background is not None:
            colours = f"{COLOUR}{_digits(foreground)},{background:02}"
            colours += _foreground(foreground) if isinstance(foreground, str) else ""
        else:
            colours = _foreground(foreground)
        return toggles + colours


PLAIN = Style()


class Run(Style, frozen=True, kw_only=True):
    """A piece of text in one style."""

    text: str


def parse(text: str) -> list[Run]:
    """The runs of a text, none of them empty. Their texts hold no formatting codes."""
    runs = []
    style = PLAIN
    end = 0
    for found in CODE.finditer(text):
        if found.start() > end:
            runs.append(_run(text[end : found.start()], style))
        style = _apply(style, found)
        end = found.end()
    if end < len(text):
        runs.append(_run(text[end:], style))
    return runs


def style_after(text: str, style: Style = PLAIN) -> Style:
    """The style in force at the end of a text that began in `style`."""
    for found in CODE.finditer(text):
        style = _apply(style, found)
    return style


def plain(text: str) -> str:
    """The text without its formatting codes."""
    return CODE.sub("", text)


def ansi(text: str) -> str:
    """The text for a terminal, with ANSI escapes (ECMA-48), reset at its end; other controls are left out."""
    out = []
    for run in parse(clean(text)):
        codes = [str(code) for name, code in _SGR.items() if getattr(run, name)]
        codes += _ansi_colour(38, run.foreground) + _ansi_colour(48, run.background)
        out.append(f"\x1b[{';'.join(codes)}m{run.text}\x1b[0m" if codes else run.text)
    return "".join(out)


def clean(text: str) -> str:
    """The text with its formatting codes and without any other control character: safe to say.

    A tab becomes a space, so that it still stands between two words.
    """
    return text if text.isascii() and text.isprintable() else _UNWANTED.sub("", text.replace("\t", " "))


def _apply(style: Style, found: re.Match[str]) -> Style:
    code = found[0][0]
    if code == RESET:
        return PLAIN
    if code == COLOUR:
        return _coloured(style, _number(found[1]), _number(found[2]), given=found[1] is not None)
    if code == HEX_COLOUR:
        return _coloured(style, found[3], found[4], given=found[3] is not None)
    name = TOGGLES[code]
    return msgspec.structs.replace(style, **{name: not getattr(style, name)})


def _coloured(style: Style, foreground: Colour, background: Colour, *, given: bool) -> Style:
    """A colour without a background keeps the one in force; a code without any colour ends both."""
    if not given:
        return msgspec.structs.replace(style, foreground=None, background=None)
    if background is None:
        background = style.background
    return msgspec.structs.replace(
        style,
        foreground=None if foreground == 99 else foreground,
        background=None if background == 99 else background,
    )


def _run(text: str, style: Style) -> Run:
    return Run(text=text, **msgspec.structs.asdict(style))


def _number(digits: str | None) -> int | None:
    return None if digits is None else int(digits)


def _foreground(colour: Colour) -> str:
    """The code of a foreground; two bolds keep a comma that comes next from being read as a background."""
    return (HEX_COLOUR + colour if isinstance(colour, str) else COLOUR + _digits(colour)) + BOLD * 2


def _digits(colour: Colour) -> str:
    return f"{colour:02}" if isinstance(colour, int) else "99"


def _ansi_colour(target: int, colour: Colour) -> list[str]:
    """The SGR parameters for a colour of the 24-bit kind (ITU-T T.416)."""
    if colour is None:
        return []
    value = colour if isinstance(colour, str) else COLOURS[colour]
    return [str(target), "2", *(str(int(value[at : at + 2], 16)) for at in (0, 2, 4))]
