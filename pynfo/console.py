"""`pynfo console`: the bot in a terminal, with no network at all.

One channel on a server in this process, the bot, and you. Lines that begin with `/` are for the console
(`/help`), everything else is said in the channel. With standard input that is no terminal, each line is
answered before the next one is read, so that a console can be scripted.
"""

from __future__ import annotations

import asyncio
import getpass
import re
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TextIO

import msgspec

from pynfo.config import Config
from pynfo.irc.formatting import ansi, clean, plain
from pynfo.irc.message import Message, UnsendableMessage
from pynfo.testing.bot import CHANNEL, Bot, config_for
from pynfo.testing.puppet import Puppet

SLOWEST = 30.0  # seconds that a script waits for the answer to one line
HELP = """\
/me ACTION        say what you do
/msg NICK TEXT    speak in private; /msg alone goes on with the same person
/nick NICK        take another name
/topic TEXT       set the topic
/quit             leave
//TEXT            say a line that begins with /"""


class Screen:
    """Where lines are shown, beside a line that is being typed."""

    def __init__(self, output: TextIO, prompt: str = "") -> None:
        self.prompt = prompt
        self.typing = False  # the prompt stands there, and maybe half a line
        self._output = output
        self._colour = output.isatty()

    def show(self, line: str) -> None:
        """One line, in the reader's colours where there are any."""
        text = ansi(line) if self._colour else clean(plain(line))
        if self.typing:
            import readline

            self._output.write(f"\r\x1b[K{text}\n{self.prompt}{readline.get_line_buffer()}")
        else:
            self._output.write(text + "\n")
        self._output.flush()

    def leave(self) -> None:
        """End the line that is being typed, so that what comes next begins one of its own."""
        if self.typing:
            self._output.write("\n")
            self._output.flush()


def describe(line: str, me: str) -> str | None:
    """What a line from the server looks like to a person; None for what they need not see."""
    message = Message.parse(line.encode())
    nick = message.nick
    params = message.params
    last = params[-1] if params else ""
    match message.command:
        case "PRIVMSG" | "NOTICE":
            aside = "" if params[0].startswith(("#", "&")) else "\x1d(to you)\x1d "
            if last.startswith("\x01ACTION "):
                return f"{aside}* {nick} {last[8:].rstrip(chr(1))}"
            shown = f"<\x02{nick}\x02>" if message.command == "PRIVMSG" else f"-{nick}-"
            return f"{aside}{shown} {last}"
        case "JOIN":
            return f"\x0314— {nick} is here\x03" if nick != me else None
        case "PART" | "QUIT":
            reason = f": {last}" if len(params) > (message.command == "PART") else ""
            return f"\x0314— {nick} has left{reason}\x03"
        case "KICK":
            return f"\x0314— {params[1]} was kicked by {nick}: {last}\x03"
        case "NICK":
            return f"\x0314— {nick} is now {last}\x03"
        case "TOPIC":
            return f"\x0314— {nick} sets the topic: {last}\x03"
        case "MODE" if params[0].startswith("#"):
            return f"\x0314— {nick} sets mode {' '.join(params[1:])}\x03"
        case command if command[0] in "45" and command.isdigit():
            return f"\x0304— {' '.join(params[1:])}\x03"
    return None


class Chat:
    """A person at the terminal: what they type goes to the channel, what they hear goes to the screen."""

    def __init__(self, you: Puppet, channel: str, partner: str, screen: Screen) -> None:
        self.you = you
        self.screen = screen
        self._channel = channel
        self._partner = partner

    def type(self, line: str) -> bool:
        """Do what a typed line says. False where it says to leave."""
        try:
            return self._type(line)
        except UnsendableMessage as error:
            self.screen.show(f"\x0304— that cannot be said: {error}\x03")
        return True

    def _type(self, line: str) -> bool:
        if not line.startswith("/") or line.startswith("//"):
            if line.strip():
                self.you.say(self._channel, line.removeprefix("/") if line.startswith("//") else line)
            return True
        word, _, rest = line[1:].partition(" ")
        match word:
            case "quit" | "exit":
                return False
            case "me" if rest:
                self.you.action(self._channel, rest)
            case "msg" | "query" if rest:
                nick, _, text = rest.partition(" ")
                if text:
                    self._partner = nick
                self.you.say(self._partner, text or rest)
            case "nick" if rest:
                self.you.rename(rest.split()[0])
            case "topic" if rest:
                self.you.topic(self._channel, rest)
            case _:
                if word != "help":
                    self.screen.show(f"\x0314— /{word} is not understood so; there are:\x03")
                for explanation in HELP.splitlines():
                    self.screen.show(explanation)
        return True

    async def listen(self) -> None:
        """Show what is heard, until cancelled."""
        while True:
            line = await self.you.heard.expect(re.compile(""), None)
            shown = describe(line, self.you.nick)
            if shown is not None:
                self.screen.show(shown)


async def converse(bot: Bot, chat: Chat) -> None:
    """Type each line, until the last. A script waits for what comes of each."""
    scripted = not chat.screen.prompt
    lines: asyncio.Queue[str | None] = asyncio.Queue(1)
    listening = asyncio.create_task(chat.listen())
    quitting = asyncio.create_task(bot.factory.wait_quit())
    try:
        await bot.settle()  # what has happened so far is shown before the prompt
        read_lines(lines, reader(chat.screen))
        while True:
            reading = asyncio.create_task(lines.get())
            await asyncio.wait((reading, quitting), return_when=asyncio.FIRST_COMPLETED)
            if quitting.done():
                reading.cancel()
                return
            line = reading.result()
            if line is None:
                return
            if scripted:
                chat.screen.show(f"<{chat.you.nick}> {line}")
            if not chat.type(line):
                return
            if scripted:
                try:
                    async with asyncio.timeout(SLOWEST):
                        await bot.settle()
                except TimeoutError:
                    chat.screen.show(f"— nothing more came within {SLOWEST:.0f} s")
            lines.task_done()
    finally:
        quitting.cancel()
        listening.cancel()
        await asyncio.wait((quitting, listening))
        chat.screen.leave()


def read_lines(lines: asyncio.Queue[str | None], read: Callable[[], str | None]) -> threading.Thread:
    """Read lines on a thread of their own: a terminal cannot be waited for on the event loop.

    `read()` gives None at the end. The thread is a daemon: what it waits for never holds the exit up.
    """
    loop = asyncio.get_running_loop()

    async def hand_over(line: str | None) -> None:
        await lines.put(line)
        await lines.join()  # there is no prompt before the line is worked off, and none after the last

    def reading() -> None:
        line: str | None = ""
        while line is not None:
            line = read()
            try:
                asyncio.run_coroutine_threadsafe(hand_over(line), loop).result()
            except (RuntimeError, CancelledError):  # the event loop is gone, or going
                return

    thread = threading.Thread(target=reading, name="console input", daemon=True)
    thread.start()
    return thread


def reader(screen: Screen) -> Callable[[], str | None]:
    """How lines are read here: with editing and history at a terminal."""
    if screen.prompt:
        import readline  # noqa: F401 - input() uses it once it is imported

        def from_terminal() -> str | None:
            screen.typing = True
            try:
                return input(screen.prompt)
            except EOFError:
                return None
            finally:
                screen.typing = False

        return from_terminal

    def from_script() -> str | None:
        line = sys.stdin.readline()
        return line.rstrip("\r\n") if line else None

    return from_script


def your_nick() -> str:
    """Your login name, where it can be a nick."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = ""
    return name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,15}", name) and name != "root" else "you"


async def run_console(config: Config | None) -> int:
    """Talk to the bot until the input ends, `/quit`, or `!quit`. Gives the exit code."""
    prompt = "> " if sys.stdin.isatty() and sys.stdout.isatty() else ""
    you = your_nick()
    with tempfile.TemporaryDirectory(prefix="pynfo-") as folder:
        settings = console_config(config, Path(folder), you)
        async with Bot.running(settings, nick=you) as bot:
            screen = Screen(sys.stdout, prompt)
            if prompt:
                prefix = settings.command_prefix
                screen.show(f"You are {you}, in {bot.channel} with {settings.nick}. Try {prefix}help.")
            await converse(bot, Chat(bot.user, bot.channel, settings.nick, screen))
    return 0


def console_config(config: Config | None, folder: Path, you: str) -> Config:
    """The person's own config, or the default one, on a network in memory, with them as the owner.

    The console keeps its state apart from that of the bot that runs with the same config.
    """
    if config is None:
        return config_for(folder, owner=you, network="console")
    channels = [channel.name for network in config.networks for channel in network.channels]
    channel = channels[0] if channels else CHANNEL
    ours = config_for(folder, owner=you, network="console", channel=channel, nick=config.nick)
    return msgspec.structs.replace(
        config,
        networks=ours.networks,
        owners=ours.owners,
        command_limits=ours.command_limits,
        state_dir=config.state_dir / "console",
    )
