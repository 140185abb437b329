"""`pynfo demo`: a small IRC server on loopback, the bot on it, and a console in the same channel.

Any IRC client can come too, and the channel's log is on the web, on loopback as well. Where standard input is
no terminal, the demo goes on when the input has ended, until it is interrupted.
"""

from __future__ import annotations

import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

from pynfo.config import bundled_plugins
from pynfo.config_http import HttpSettings
from pynfo.console import Chat, Screen, converse, your_nick
from pynfo.interfaces import IWeb
from pynfo.testing.bot import CHANNEL, Bot, config_for
from pynfo.testing.server import Server

PORT = 6667
HTTP_PORT = 8080
NETWORK = "demo"
LOGGED = f"{NETWORK}/{CHANNEL}"
HOST = "127.0.0.1"


async def run_demo() -> int:
    """Run until the terminal's input ends, `/quit`, or `!quit`. Gives the exit code."""
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    prompt = "> " if terminal else ""
    you = your_nick()
    server = Server(name="irc.demo", network="Demo", history=100)
    with tempfile.TemporaryDirectory(prefix="pynfo-") as folder:
        config = config_for(
            Path(folder),
            owner=you,
            network=NETWORK,
            http=HttpSettings(host=HOST, port=free_or_any(HTTP_PORT)),
            plugins={**bundled_plugins(), "logs": {"channels": {LOGGED: {"publish": "public"}}}},
        )
        async with Bot.running(config, server=server, nick=you) as bot:
            port = await listen(server)
            screen = Screen(sys.stdout, prompt)
            screen.show(f"An IRC server is on {HOST}, port {port}: any IRC client can come to {bot.channel}.")
            log_url = web_url(bot, f"/{NETWORK}/{CHANNEL.removeprefix('#')}/")
            if log_url is not None:
                screen.show(f"The channel's log is on {log_url}")
            screen.show(f"You are {you}, in {bot.channel} with {config.nick}. Try !help, or /help.")
            await converse(bot, Chat(bot.user, bot.channel, config.nick, screen))
            if not terminal and not bot.factory.quitting:
                screen.show("The input has ended; the demo goes on until Ctrl-C.")
                await bot.factory.wait_quit()
    return 0


async def listen(server: Server) -> int:
    """Take connections on the usual port, or on a free one. Gives it."""
    try:
        return await server.listen(HOST, PORT)
    except OSError:
        return await server.listen(HOST, 0)


def web_url(bot: Bot, path: str) -> str | None:
    """Where the pages are; None where they could not be served, which the log has told."""
    web: Any = IWeb(bot.factory)
    url: str | None = web.url(path)
    return url


def free_or_any(port: int) -> int:
    """The port, or 0, which takes any that is free, where another program has it."""
    try:
        with socket.create_server((HOST, port)):
            return port
    except OSError:
        return 0
