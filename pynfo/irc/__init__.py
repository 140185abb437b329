"""The IRC protocol. Knows nothing of bots, plugins or Factory.

Everything here but `client.py` is sans-IO: bytes in, events out; no socket, no clock of its own, no await.
"""

from pynfo.irc.message import MalformedMessage, Message, UnsendableMessage

__all__ = ["MalformedMessage", "Message", "UnsendableMessage"]
