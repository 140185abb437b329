"""Tools to test plugins, and anything that speaks IRC, with no network and no waiting.

`Server` is an IRC server in this process; its puppets (`Server.user`) talk to a bot as people do, and its
connections can be driven line by line. See `pynfo.testing.server`.
"""

from pynfo.testing.channel import Channel
from pynfo.testing.connection import Connection
from pynfo.testing.memory import MemoryTransport, connect
from pynfo.testing.offers import CAPABILITIES, EXTENSIONS
from pynfo.testing.person import Person
from pynfo.testing.puppet import Puppet
from pynfo.testing.server import Server
from pynfo.testing.transcript import Transcript

__all__ = [
    "CAPABILITIES",
    "EXTENSIONS",
    "Channel",
    "Connection",
    "MemoryTransport",
    "Person",
    "Puppet",
    "Server",
    "Transcript",
    "connect",
]
