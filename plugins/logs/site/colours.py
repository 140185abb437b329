"""The colours of nicks and of mIRC formatting, readable on both backgrounds (WCAG 2, contrast 4.5 or more).

A nick has one of 24 classes, `n0` to `n23`, by its folded name. A foreground alone has a class `f0` to `f98`,
and is made darker or lighter for the theme. A background has `g0` to `g98`, as it is, with black or white on
it, or with the foreground that was asked for (`x0` to `x98`, as it is) where that can be read there.

`python -m plugins.logs.site.colours` prints `static/palette.css`. Colours are six hex digits.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator
from functools import lru_cache
from zlib import crc32

from pynfo.irc.casemap import fold
from pynfo.irc.formatting import COLOURS, Colour

READABLE = 4.5  # WCAG 2.2, 1.4.3 Contrast (Minimum)

# What text stands on, in `style.css`: the page, a line under the pointer, the line that was linked to.
LIGHT = ("fdfcfa", "f5f2ec", "e1f1eb")
DARK = ("181716", "23211f", "1f3a33")

NICKS = 24
# Hues (of 360) that can be told apart; each is used twice, in a strong tone and in a quiet one.
_HUES = (2, 24, 42, 70, 118, 156, 178, 198, 218, 248, 282, 324)
_STRONG, _QUIET = (0.72, 4.9), (0.42, 6.6)  # saturation, and contrast with the hardest surface


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    red, green, blue = (_linear(value) for value in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def toned(hue: float, saturation: float, ratio: float, surfaces: tuple[str, ...]) -> str:
    """The colour of a hue that comes nearest to the surfaces and still has that contrast with all of them."""
    dark_theme = luminance(surfaces[0]) < 0.2
    far, near = (1.0, 0.0) if dark_theme else (0.0, 1.0)
    for _ in range(20):
        middle = (far + near) / 2
        if _worst(_hex(hue, middle, saturation), surfaces) >= ratio:
            far = middle
        else:
            near = middle
    return _hex(hue, far, saturation)


def readable(colour: str, surfaces: tuple[str, ...]) -> str:
    """The colour itself where it can be read on the surfaces, or else one of its hue that can."""
    if _worst(colour, surfaces) >= READABLE:
        return colour
    hue, _, saturation = colorsys.rgb_to_hls(*_channels(colour))
    return toned(hue * 360, saturation, READABLE + 0.1, surfaces)


@lru_cache(4096)
def nick_class(nick: str) -> str:
    """`n0` to `n23`: the same for every spelling of a nick, on every network."""
    return f"n{crc32(fold(nick, 'rfc1459').encode(errors='surrogatepass')) % NICKS}"


@lru_cache(1024)
def classes(foreground: Colour, background: Colour) -> str:
    """The classes of text in mIRC colours; "" for the reader's own. `on` stands with every background."""
    front, back = nearest(foreground), nearest(background)
    if back is None:
        return "" if front is None else f"f{front}"
    if front is not None and contrast(COLOURS[front], COLOURS[back]) >= READABLE:
        return f"on g{back} x{front}"
    return f"on g{back}"


@lru_cache(1024)
def nearest(colour: Colour) -> int | None:
    """The palette's colour that comes nearest to one given as "RRGGBB"."""
    if not isinstance(colour, str):
        return colour
    wanted = _channels(colour)
    return min(
        range(len(COLOURS)),
        key=lambda n: sum((a - b) ** 2 for a, b in zip(_channels(COLOURS[n]), wanted, strict=True)),
    )


def nick_colours(surfaces: tuple[str, ...]) -> list[str]:
    """The colours of `n0` to `n23` on those surfaces."""
    return [toned(hue, *tone, surfaces) for tone in (_STRONG, _QUIET) for hue in _HUES]


def stylesheet() -> Iterator[str]:
    """The lines of `static/palette.css`."""
    yield "/* Made by `python -m plugins.logs.site.colours`, which says what it is. */"
    nicks = zip(nick_colours(LIGHT), nick_colours(DARK), strict=True)
    for number, (light, dark) in enumerate(nicks):
        yield f".n{number}{{color:light-dark(#{light},#{dark})}}"
    for number, colour in enumerate(COLOURS):
        yield f".f{number}{{color:light-dark(#{readable(colour, LIGHT)},#{readable(colour, DARK)})}}"
    for number, colour in enumerate(COLOURS):
        yield f".g{number}{{background:#{colour};color:#{on_background(colour)}}}"
    for number, colour in enumerate(COLOURS):
        yield f".x{number}{{color:#{colour}}}"


def on_background(colour: str) -> str:
    """Black or white, whichever can be read better there."""
    return max("000000", "ffffff", key=lambda text: contrast(text, colour))


def _worst(colour: str, surfaces: tuple[str, ...]) -> float:
    return min(contrast(colour, surface) for surface in surfaces)


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _hex(hue: float, lightness: float, saturation: float) -> str:
    channels = colorsys.hls_to_rgb(hue / 360, lightness, saturation)
    return "".join(f"{round(value * 255):02x}" for value in channels)


if __name__ == "__main__":
    print("\n".join(stylesheet()))
