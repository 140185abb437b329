"""What the server tells, numeric by numeric: NAMES, WHO, topics, modes, and how others see us.

Every function takes in one line for `State.apply`, which has counted its parameters, and gives its events.
That we learn something of somebody is no event: only what changes is.

Sources: RFC 2812 section 5.1; Modern IRC, "Numerics"; IRCv3 "WHOX", "multi-prefix", "userhost-in-names",
"Bot Mode", "SASL" (900 and 901).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pynfo.irc.events import Batch, ChannelSynced, Event, User
from pynfo.irc.message import MalformedMessage, Message, split_source
from pynfo.irc.state_changes import Handler, change_own_modes, changed

if TYPE_CHECKING:
    from pynfo.irc.state import State

SECRECY = {"@": "s", "*": "p"}  # symbols of 353 to channel modes (RFC 2812 section 5.1)
WHOX_TOKEN = "152"  # noqa: S105 - by which we know the answers to our own WHOX
# token, channel, username, host, nick, flags, account, realname: answers have this order, whatever is asked
WHOX_FIELDS = f"%tcuhnfar,{WHOX_TOKEN}"


def _welcome(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """001: our nick, as the server has it. A mask in its text may be of before the cloak: not read."""
    nick = message.params[0]
    if not nick:
        raise MalformedMessage("welcome to nobody")
    state.rename(state.me, nick)
    state.registered = True
    return []


def _isupport(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """005, which `ISupport` has already taken in."""
    state.refold()
    return []


def _own_modes(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """221 RPL_UMODEIS: `nick modes`."""
    state.modes.clear()
    change_own_modes(state, message.params[1])
    return []


def _away(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """301 RPL_AWAY: `nick who reason`."""
    _learn(state, message.params[1], away=True)
    return []


def _back(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """305 RPL_UNAWAY: we are back."""
    return _changed_ourselves(state, message, time, batch, away=False)


def _gone(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """306 RPL_NOWAWAY: we are away."""
    return _changed_ourselves(state, message, time, batch, away=True)


def _userhost(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """302 RPL_USERHOST: `nick :who*=+username@host …`, `*` for an IRC operator, `-` for away.

    Some servers tell us our own real host here, not the one that others see: that one is left out.
    """
    for reply in message.params[1].split(" "):
        who, equals, rest = reply.partition("=")
        username, _, host = rest[1:].partition("@")
        nick = who.removesuffix("*")
        if not equals or not username or not host:
            continue
        if state.is_me(nick):
            _learn(state, nick, away=rest[0] == "-", username=username)
        else:
            _learn(state, nick, away=rest[0] == "-", username=username, host=host)
    return []


def _whois_user(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """311 RPL_WHOISUSER: `nick who username host * realname`."""
    _, nick, username, host, _, realname = message.params[:6]
    _learn(state, nick, username=username, host=host, realname=realname)
    return []


def _channel_modes(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """324 RPL_CHANNELMODEIS: `nick channel modes [params…]`."""
    _, name, modestring, *params = message.params
    channel = state.channel(name)
    if channel is not None:
        channel.modes = {}
        channel.change_modes(state.isupport.parse_modes(modestring, params), state.isupport, state.fold)
    return []


def _no_topic(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """331 RPL_NOTOPIC: `nick channel text`."""
    channel = state.channel(message.params[1])
    if channel is not None:
        channel.topic, channel.topic_by, channel.topic_time = "", "", None
    return []


def _topic(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """332 RPL_TOPIC: `nick channel topic`."""
    channel = state.channel(message.params[1])
    if channel is not None:
        channel.topic = message.params[2]
    return []


def _topic_by(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """333 RPL_TOPICWHOTIME: `nick channel who seconds`."""
    _, name, who, seconds = message.params[:4]
    channel = state.channel(name)
    if channel is not None:
        channel.topic_by = who
        # Twelve digits reach the year 33658: more is no time.
        channel.topic_time = (
            float(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) <= 12 else None
        )
    return []


def _names(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """353 RPL_NAMREPLY: `nick [symbol] channel :@+nick[!username@host] …`, `@` for a secret channel."""
    channel = state.channel(message.params[-2])
    if channel is None:
        return []
    if (mode := SECRECY.get(message.params[-3])) is not None:
        channel.modes.setdefault(mode, None)
    isupport = state.isupport
    symbols = "".join(isupport.prefix.values())
    fold, members, users = state.fold, channel.members, state.users
    for item in message.params[-1].split(" "):
        source = item.lstrip(symbols) if symbols else item
        if not source:
            continue
        modes = isupport.prefix_modes(item[: len(item) - len(source)]) if source != item else ""
        nick, _, userhost = source.partition("!")
        key = fold(nick)
        if userhost:
            username, _, host = userhost.partition("@")
            known = users.get(key)
            if known is None:
                state.enter(channel, User(nick, username, host), modes)
                continue
            if known.username != username or known.host != host:
                state.update(known, username=username, host=host)
        if key in members:
            channel.see_member(key, modes)
        else:
            state.enter(channel, User(nick), modes)
    return []


def _all_told(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """366 RPL_ENDOFNAMES, 315 RPL_ENDOFWHO: `nick channel text`: now the members are known.

    With no-implicit-names only WHO tells who is there, and its end comes in place of that of NAMES.
    """
    channel = state.channel(message.params[1])
    if channel is None or channel.synced:
        return []
    channel.synced = True
    return [
        ChannelSynced(network=state.network, time=time, message=message, batch=batch, channel=channel.name)
    ]


def _who(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """352 RPL_WHOREPLY: `nick channel username host server who flags :hops realname`."""
    _, name, username, host, _, nick, flags, rest = message.params[:8]
    known = state.user(nick)
    account = known.account if known else None
    _see(state, name, flags, User(nick, username, host, account, rest.partition(" ")[2]))
    return []


def _whox(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """354 RPL_WHOSPCRPL, as our own query asks for it: see `WHOX_FIELDS`. Account `0` for none."""
    if message.params[1] != WHOX_TOKEN:
        return []
    if len(message.params) < 9:
        raise MalformedMessage("an answer to our WHOX that lacks fields")
    _, _, name, username, host, nick, flags, account, realname = message.params[:9]
    _see(state, name, flags, User(nick, username, host, None if account in ("0", "*") else account, realname))
    return []


def _see(state: State, name: str, flags: str, seen: User) -> None:
    """WHO shows somebody; `flags` are `H` here or `G` gone, `*`, the bot letter, prefix symbols."""
    known = state.user(seen.nick)
    channel = state.channel(name)
    bot = (known is not None and known.bot) or bool(state.isupport.bot and state.isupport.bot in flags)
    user = User(
        seen.nick, seen.username, seen.host, seen.account, seen.realname, away=flags[:1] == "G", bot=bot
    )
    if known is not None and user != known:
        state.put(user)
    if channel is None:
        return
    modes = state.isupport.prefix_modes(flags[1:])
    key = state.fold(user.nick)
    if key in channel.members:
        channel.see_member(key, modes)
    else:
        state.enter(channel, user, modes)


def _visible_host(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """396 RPL_VISIBLEHOST: `nick host text`, on some servers `nick username@host text`."""
    username, _, host = message.params[1].rpartition("@")
    return _changed_ourselves(state, message, time, batch, host=host, username=username or state.me.username)


def _logged_in(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """900 RPL_LOGGEDIN: `nick mask account text`.

    Its mask counts once we are registered: before that the username is not final, and the cloak to come.
    """
    _, mask, account = message.params[:3]
    nick, username, host = split_source(mask)
    if state.registered and state.is_me(nick) and username and host:
        return _changed_ourselves(state, message, time, batch, account=account, username=username, host=host)
    return _changed_ourselves(state, message, time, batch, account=account)


def _logged_out(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """901 RPL_LOGGEDOUT: `nick mask text`."""
    return _changed_ourselves(state, message, time, batch, account=None)


def _changed_ourselves(
    state: State, message: Message, time: float, batch: Batch | None, **fields: Any
) -> list[Event]:
    me = state.me
    return changed(state, message, time, batch, me, msgspec.structs.replace(me, **fields))


def _learn(state: State, nick: str, **fields: Any) -> None:
    known = state.user(nick)
    if known is not None:
        state.update(known, **fields)


REPLIES: dict[str, tuple[int, Handler]] = {
    "001": (1, _welcome),
    "005": (1, _isupport),
    "221": (2, _own_modes),
    "301": (2, _away),
    "302": (2, _userhost),
    "305": (1, _back),
    "306": (1, _gone),
    "311": (6, _whois_user),
    "315": (2, _all_told),
    "324": (3, _channel_modes),
    "331": (2, _no_topic),
    "332": (3, _topic),
    "333": (4, _topic_by),
    "352": (8, _who),
    "353": (3, _names),
    "354": (2, _whox),
    "366": (2, _all_told),
    "396": (2, _visible_host),
    "900": (3, _logged_in),
    "901": (2, _logged_out),
}
