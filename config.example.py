"""The config of a Pynfo bot. It is Python: what you can compute, you need not write down.

    pynfo check     tells every mistake in this file, with its line and what to write instead
    pynfo run       starts the bot; Ctrl-C stops it
    kill -HUP PID   has a running bot read this file again: only what changed is touched

Lines that begin with `#` show what else there is. Relative paths start at this file's directory. A name of
your own begins with `_`, so that a setting that is written wrong is not taken for one.
"""

from pynfo.config import Network

# from pynfo.config import Channel, Http, Network, Sasl, env, file

# -- Who the bot is

nick = "pynfo"
# alternate_nicks = ["pynfo_", "pynfo-"]  # when somebody has the nick; the bot takes it back when it is free
# username = "pynfo"
# realname = "Ask me: !help"

# -- Who may do what
#
# Owners may do everything; admins may have the bot join, part and speak. Name people by their account, which
# nobody can take from them, or by a mask of nick!username@host. With several networks, say on which one.

owners = []
# owners = ["libera/$a:alice", "*!*@trusted.example"]  # "*!*@*" is everybody: for a test network only
admins = []

# -- Commands

command_prefix = "!"  # "!help"; "pynfo: help" and private messages work as well
command_limits = {"user": (6, 30), "channel": (30, 30)}  # so many commands in so many seconds; None: no limit
# command_time_limit = 20  # seconds; a command that takes longer is stopped
# answer_bots = True  # answer other bots too, which may end in a long talk

# -- Networks

networks = [
    Network(
        "libera",  # its short name: you will see it in "libera/#pynfo"
        host="irc.libera.chat",
        # port=6697,  # with TLS; 6667 without
        # servers=[("irc.eu.libera.chat", 6697), ("irc.us.libera.chat", 6697)],  # in place of host and port
        # tls=True,
        # tls_verify=True,
        # tls_fingerprints=["SHA-256 of the server's certificate, in hexadecimal"],  # goes before tls_verify
        # client_cert="bot.pem", client_key="bot.key",
        # password=env("SERVER_PASSWORD"),  # of the server, where it wants one
        # sasl=Sasl(username="pynfo", password=env("LIBERA_PASSWORD")),  # or file("password.txt")
        # sasl=Sasl("EXTERNAL", required=True),  # by client_cert; not logged in, it does not stay
        # sasl=Sasl("ECDSA-NIST256P-CHALLENGE", username="pynfo", ecdsa_key="pynfo.pem"),
        # on_connect=["MODE pynfo +x"],  # raw IRC lines, for older services
        # join_after="cloak",  # or after the "login", or at once after "connect"
        # join_on_invite=True,
        # nick="pynfo2",  # here only; alternate_nicks, username and realname as well
        # plain_without_tls=True,  # log in by SASL PLAIN over a connection that anybody can read
        # bind="192.0.2.7",  # the address of this machine to connect from
        # messages_per_second=1, burst=5,  # None: as fast as the network lets you
        # quit_message="Pynfo goes",
        channels=["#pynfo"],
        # channels=["#pynfo", Channel("#secret", key=env("SECRET_KEY"))],
    ),
]

# -- Web pages
#
# Of plugins that have some, such as logs. Without this there is no web; docs/operating.md tells more of it.

# http = Http(
#     host="127.0.0.1",  # "0.0.0.0": whoever reaches this machine; better is a proxy with TLS in front
#     port=8080,  # 0: any that is free
#     public_url="https://logs.example.org",  # where people find the pages, if not at host and port
#     trusted_proxies=["127.0.0.1"],  # whose word about readers' addresses counts; or such as "10.0.0.0/8"
#     requests_per_second=20, burst=100,  # for each address; None: no limit
#     in_bot=True,  # False: the bot does not serve them itself: `pynfo web` does, as a process of its own
# )

# -- What the bot asks of the web, for plugins such as weather

# fetch_contact = "https://example.org/bot"  # or an e-mail address; services want to know whom to ask
# fetch_proxy = "socks5h://127.0.0.1:9050"  # or "http://proxy.example.org:3128"; or env("PROXY")
# fetch_allow = ["10.0.0.0/8"]  # not public, and yet asked for whoever names them, at any port

# -- Plugins
#
# A plugin's name, and its settings; these three where nothing is said. `pynfo plugins` tells what there is.
# Your own ones stand in plugins/ beside this file, and a plugins.tml there registers them; the README shows
# how to write one.

plugins = {
    "admin": {},  # help, and running the bot from IRC
    "ignore": {},  # keep out whom you do not want to hear
    "seen": {},  # when somebody was last there
    # "logs": {"channels": {"libera/#pynfo": {"publish": "public"}}},  # see docs/logs.md, and http above
    # "pypi": {},  # Python packages, and what is new of them; this and the next five: docs/answers.md
    # "feeds": {"feeds": {"blog": {"url": "https://blog.example.org/rss", "outputs": ["libera/#pynfo"]}}},
    # "weather": {},  # of places and airports
    # "search": {"searxng_url": "https://searx.example.org", "brave_key": env("BRAVE_KEY")},  # or {}
    # "dns": {"resolvers": ["9.9.9.9"]},  # or those of the system
    # "links": {"channels": ["libera/#pynfo"]},  # titles of the addresses that people paste
}
# plugins["relay"] = {"wires": [{"name": "dev", "ports": ["libera/#pynfo", "oftc/#pynfo"]}]}  # docs/relay.md
# plugin_path = ["/srv/pynfo-plugins"]  # more directories that have a plugins.tml

# -- Files

state_dir = "state"  # what the bot remembers; one bot at a time
