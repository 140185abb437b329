"""How lines are indexed: which words, in which table. Whoever searches writes queries of the same words.

There is one FTS5 table for each month, without content of its own, with two columns. `text` has the words
of what was said and of topics: without formatting, in NFKC, Chinese, Japanese and Korean as overlapping
pairs of characters ("日本語" as "日本 本語 語"), the rest as `unicode61` cuts it, without accents. `marks`
has words of ours that filters are made of:

- `c12`: the channel's id
- `n616c696365`: the nick, folded, in hex; so that `n616c*` is every nick that begins with "al"
- `k2`: the kind
- `t`: somebody talks (message, notice, action)
- `l`: the text has a link
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache

from plugins.logs.line import KINDS, TALK, day_of, ids_of
from pynfo.irc.casemap import fold
from pynfo.irc.formatting import plain

WORDED = TALK | {"topic"}  # kinds whose text is indexed
LINK = re.compile(r"\bhttps?://[^\s<>\"]+", re.IGNORECASE)

CREATE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS {} USING fts5(text, marks, content='', columnsize=0, "
    "tokenize='unicode61 remove_diacritics 2')"
)

# Han, kana, Hangul, and their extensions and compatibility forms.
_CJK = (
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3040-\u30ff\u3100-\u318f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U0003134f"
)
CJK_RUN = re.compile(f"[{_CJK}]+")
_CODED = re.compile("[\x00-\x1f]").search


def table_of(line_id: int) -> str:
    """The table that a line is indexed in: `words_202611`."""
    day = day_of(line_id)
    return f"words_{day.year:04}{day.month:02}"


def ids_of_month(table: str) -> tuple[int, int]:
    """The first id that is indexed in a table, and the first of the next month."""
    year, month = int(table[-6:-2]), int(table[-2:])
    following = date(year + month // 12, month % 12 + 1, 1)
    return ids_of(date(year, month, 1))[0], ids_of(following)[0]


def words(text: str) -> str:
    """A text as it is indexed and as it is searched for, but that a search leaves out the last of a pair."""
    if _CODED(text):
        text = plain(text)
    if text.isascii():
        return text
    return CJK_RUN.sub(_pairs, unicodedata.normalize("NFKC", text))


def indexed(text: str, kind: str, nick: str, channel: int) -> tuple[str, str]:
    """The two columns of a line."""
    if kind not in WORDED:
        return "", f"{_marks(nick, channel)} k{KINDS.index(kind)}"
    mark = _marks_of_talk(nick, channel, kind)
    if "://" in text and LINK.search(text):
        mark += " l"
    return words(text), mark


def nick_mark(nick: str) -> str:
    """The mark of a nick."""
    return "n" + fold(nick, "rfc1459").encode(errors="surrogatepass").hex()


@lru_cache(8192)
def _marks(nick: str, channel: int) -> str:
    return f"c{channel} {nick_mark(nick)}"


@lru_cache(8192)
def _marks_of_talk(nick: str, channel: int, kind: str) -> str:
    talk = " t" if kind in TALK else ""
    return f"{_marks(nick, channel)} k{KINDS.index(kind)}{talk}"


def _pairs(run: re.Match[str]) -> str:
    characters = run[0]
    pairs = [characters[at : at + 2] for at in range(len(characters))]  # the last is one character
    return f" {' '.join(pairs)} "
