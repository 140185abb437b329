"""The yardstick: the least that can be called an IRC bot on asyncio. It answers `!echo` and counts lines.

Streams, as the documentation of asyncio shows them; no capabilities, no state, no limits, no reconnecting.
Usage: python bench/bare_bot.py PORT
"""

import asyncio
import sys


async def main(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    def send(line):
        writer.write(line.encode() + b"\r\n")

    heard = 0
    send("NICK pynfo")
    send("USER pynfo 0 * :bare")
    while data := await reader.readline():
        line = data.decode(errors="replace").rstrip("\r\n")
        _source, _, rest = line.partition(" ") if line.startswith(":") else ("", "", line)
        command, _, rest = rest.partition(" ")
        if command == "PRIVMSG":
            target, _, text = rest.partition(" :")
            if text.startswith("!echo "):
                send(f"PRIVMSG {target} :{text[6:]}")
            elif text == "!heard":
                send(f"PRIVMSG {target} :{heard}")
            else:
                heard += 1
        elif command == "PING":
            send(f"PONG {rest}")
        elif command == "001":
            send("JOIN #bench")


asyncio.run(main(int(sys.argv[1])))
