"""What the benchmark asks of the bot: say something back, and count what is heard."""

from pynfo import IEvents, Rest, command
from pynfo.irc.events import MessageReceived

heard = 0


def init(factory):
    IEvents(factory).subscribe(MessageReceived, count)


def count(event):
    global heard
    if not event.text.startswith("!"):
        heard += 1


@command("echo")
async def echo(request, text: Rest) -> str:
    """Say TEXT back."""
    return text


@command("heard")
async def how_many(request) -> str:
    """Tell how many lines were heard."""
    return str(heard)
