"""The yardstick: the least that can be called an IRC bot on asyncio. It answers `!echo` and counts lines.

No capabilities, no state, no limits, no reconnecting. Usage: python bench/bare_bot.py PORT
"""

import asyncio
import sys


class Bot(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.partial = b""
        self.heard = 0
        transport.write(b"NICK pynfo\r\nUSER pynfo 0 * :bare\r\n")

    def data_received(self, data):
        lines = (self.partial + data).split(b"\r\n")
        self.partial = lines.pop()
        out = []
        for line in lines:
            if line.startswith(b"PING"):
                out.append(b"PONG" + line[4:] + b"\r\n")
                continue
            _source, _, rest = line.partition(b" ")
            command, _, rest = rest.partition(b" ")
            if command == b"PRIVMSG":
                target, _, text = rest.partition(b" :")
                if text.startswith(b"!echo "):
                    out.append(b"PRIVMSG " + target + b" :" + text[6:] + b"\r\n")
                elif text == b"!heard":
                    out.append(b"PRIVMSG %s :%d\r\n" % (target, self.heard))
                else:
                    self.heard += 1
            elif command == b"001":
                out.append(b"JOIN #bench\r\n")
        if out:
            self.transport.write(b"".join(out))

    def connection_lost(self, error):
        asyncio.get_running_loop().stop()


loop = asyncio.new_event_loop()
loop.run_until_complete(loop.create_connection(Bot, "127.0.0.1", int(sys.argv[1])))
loop.run_forever()
