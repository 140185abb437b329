"""The yardstick of the relay: the least that can be called one. It says on the other server what it hears.

As `bare_bot.py`; what it has heard and not said is lost when it ends.
Usage: python bench/bare_relay.py PORT PORT
"""

import asyncio
import sys


async def main(*ports):
    left, right = [await asyncio.open_connection("127.0.0.1", int(port)) for port in ports]
    await asyncio.gather(carry("left", *left, right[1]), carry("right", *right, left[1]))


async def carry(network, reader, writer, there):
    writer.write(b"NICK pynfo\r\nUSER pynfo 0 * :bare\r\n")
    while data := await reader.readline():
        line = data.decode(errors="replace").rstrip("\r\n")
        source, _, rest = line.partition(" ") if line.startswith(":") else ("", "", line)
        command, _, rest = rest.partition(" ")
        if command == "PRIVMSG":
            target, _, text = rest.partition(" :")
            nick = source[1:].partition("!")[0]
            there.write(f"PRIVMSG {target} :<{nick}@{network}> {text}\r\n".encode())
        elif command == "PING":
            writer.write(f"PONG {rest}\r\n".encode())
        elif command == "001":
            writer.write(b"JOIN #bench\r\n")


asyncio.run(main(*sys.argv[1:]))
