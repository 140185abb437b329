"""What the server says it can do: capabilities, and the tokens of 005 (RPL_ISUPPORT).

Everything here is done, too. Sources: IRCv3 specifications, Modern IRC "RPL_ISUPPORT Parameters".
"""

from __future__ import annotations

from collections.abc import Mapping

USERLEN = 18  # characters of a username
REALNAME_LIMIT = 150  # characters of a real name
AWAY_LIMIT = 200  # characters of an away message
KICK_LIMIT = 300  # characters of the reason for a kick
CHANNEL_LIMIT = 100  # channels that one person is in
LIST_LIMIT = 100  # entries in one list of a channel, such as bans
TARGET_LIMIT = 4  # people or channels that one message goes to
HISTORY_LIMIT = 100  # messages that one CHATHISTORY gives

CAPABILITIES: Mapping[str, str] = {
    "account-notify": "",
    "account-tag": "",
    "away-notify": "",
    "batch": "",
    "cap-notify": "",
    "chghost": "",
    "echo-message": "",
    "extended-join": "",
    "extended-monitor": "",
    "invite-notify": "",
    "labeled-response": "",
    "message-tags": "",
    "multi-prefix": "",
    "no-implicit-names": "",
    "server-time": "",
    "setname": "",
    "standard-replies": "",
    "userhost-in-names": "",
}

HISTORY = "draft/chathistory"  # the capabilities
RELAYMSG = "draft/relaymsg"
REDACTION = "draft/message-redaction"
MULTILINE = "draft/multiline"

# What `Server(extensions=…)` offers besides, with these values or with others.
EXTENSIONS: Mapping[str, str] = {
    RELAYMSG: "/",  # what a nick must have in it that is not a person's
    REDACTION: "",
    MULTILINE: "max-bytes=4096,max-lines=24",
}


def isupport_tokens(
    network: str, casemapping: str, *, history: bool, changes: Mapping[str, str | None]
) -> list[str]:
    """The tokens of 005, such as "CHANTYPES=#". In `changes` None takes one away, "" has no value."""
    tokens: dict[str, str | None] = {
        "AWAYLEN": str(AWAY_LIMIT),
        "BOT": "B",
        "CASEMAPPING": casemapping,
        "CHANLIMIT": f"#:{CHANNEL_LIMIT}",
        "CHANMODES": "b,k,l,imnrt",
        "CHANNELLEN": "50",
        "CHANTYPES": "#",
        "KICKLEN": str(KICK_LIMIT),
        "MAXLIST": f"b:{LIST_LIMIT}",
        "MODES": "4",
        "MONITOR": "100",
        "NAMELEN": str(REALNAME_LIMIT),
        "NETWORK": network.replace("\\", r"\x5C").replace(" ", r"\x20").replace("=", r"\x3D"),
        "NICKLEN": "30",
        "PREFIX": "(ov)@+",
        "STATUSMSG": "@+",
        "TARGMAX": f"KICK:1,NOTICE:{TARGET_LIMIT},PRIVMSG:{TARGET_LIMIT},TAGMSG:{TARGET_LIMIT},WHOIS:1",
        "TOPICLEN": "390",
        "USERLEN": str(USERLEN),
        "WHOX": "",
    }
    if history:
        tokens |= {"CHATHISTORY": str(HISTORY_LIMIT), "MSGREFTYPES": "timestamp,msgid"}
    tokens |= changes
    return [f"{name}={value}" if value else name for name, value in tokens.items() if value is not None]
