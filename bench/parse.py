"""`Message.parse` beside a splitter that checks nothing, over the lines a bot reads all day."""

import timeit

from pynfo.irc import Message

MIX = [
    b":alice!alice@user/alice PRIVMSG #pynfo :an ordinary line of talk, as people write it\r\n",
    b"@time=2026-01-31T12:00:00.000Z;msgid=jg2BSbdLpK3q;account=alice :alice!alice@user/alice "
    b"PRIVMSG #pynfo :an ordinary line of talk, as people write it\r\n",
    b":bob!bob@192.0.2.7 JOIN #pynfo bob :Bob\r\n",
    b":irc.example 353 pynfo = #pynfo :@alice bob carol dave eve frank grace heidi ivan judy mallory\r\n",
    b":irc.example 005 pynfo CASEMAPPING=ascii CHANTYPES=# NICKLEN=30 PREFIX=(ov)@+ MODES=4 NETWORK=Example "
    b":are supported by this server\r\n",
]


def split(line):
    """What a person writes in five minutes: no escapes, no checks, no odd lines."""
    text = line.decode().rstrip("\r\n")
    tags = {}
    source = None
    if text[0] == "@":
        head, _, text = text[1:].partition(" ")
        for item in head.split(";"):
            key, _, value = item.partition("=")
            tags[key] = value
    if text[0] == ":":
        source, _, text = text[1:].partition(" ")
    text, colon, trailing = text.partition(" :")
    params = text.split()
    if colon:
        params.append(trailing)
    return tags, source, params[0], params[1:]


def parse_ratio(repeats=7, number=4000):
    """Lines a second of both, the best of `repeats`, taken in turn."""
    best = {"splitter_per_s": 0.0, "parse_per_s": 0.0}
    for _ in range(repeats):
        for name, function in (("splitter_per_s", split), ("parse_per_s", Message.parse)):
            seconds = timeit.timeit(lambda f=function: [f(line) for line in MIX], number=number)
            best[name] = max(best[name], number * len(MIX) / seconds)
    return best
