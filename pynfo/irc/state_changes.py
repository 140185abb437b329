"""What people and servers do, line by line: JOIN, PART, KICK, QUIT, NICK, MODE, TOPIC and their kin.

Every function takes in one line for `State.apply`, which has counted its parameters, and gives its events.

Sources: RFC 2812 sections 3.1 and 3.2; IRCv3 "extended-join", "account-notify", "away-notify", "chghost",
"setname", "invite-notify", draft "channel-rename".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from pynfo.irc.channel import is_mode
from pynfo.irc.events import (
    Batch,
    ChannelRenamed,
    Event,
    ModeChange,
    ModeChanged,
    TopicChanged,
    User,
    UserChanged,
    UserInvited,
    UserJoined,
    UserKicked,
    UserParted,
    UserQuit,
    UserRenamed,
)
from pynfo.irc.message import MalformedMessage, Message

if TYPE_CHECKING:
    from pynfo.irc.state import State

Handler = Callable[["State", Message, float, "Batch | None"], list[Event]]


def _join(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """`JOIN channel`, and with extended-join `JOIN channel account realname`, account `*` for none."""
    params = message.params
    user = state.user_of(message)
    own = state.is_me(user.nick)
    channel = state.open_channel(params[0]) if own else state.channel(params[0])
    if channel is None:
        return []
    if len(params) >= 3:
        account = None if params[1] == "*" else params[1]
        if user.account != account or user.realname != params[2]:
            user = state.update(user, account=account, realname=params[2])
    state.enter(channel, user)
    return [
        UserJoined(
            network=state.network,
            time=time,
            message=message,
            batch=batch,
            user=user,
            channel=channel.name,
            own=own,
        )
    ]


def _part(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """`PART channel [reason]`."""
    user = state.user_of(message)
    channel = state.channel(message.params[0])
    if channel is None:
        return []
    own = _take_out(state, channel.name, user.nick)
    return [
        UserParted(
            network=state.network,
            time=time,
            message=message,
            batch=batch,
            user=user,
            channel=channel.name,
            reason=_param(message, 1),
            own=own,
        )
    ]


def _kick(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """`KICK channel nick [reason]`."""
    by = state.user_of(message)
    name, nick = message.params[:2]
    channel = state.channel(name)
    if channel is None:
        return []
    user = state.user(nick) or User(nick)
    own = _take_out(state, channel.name, nick)
    return [
        UserKicked(
            network=state.network,
            time=time,
            message=message,
            batch=batch,
            user=user,
            channel=channel.name,
            by=by,
            reason=_param(message, 2),
            own=own,
        )
    ]


def _take_out(state: State, channel_name: str, nick: str) -> bool:
    """Take somebody out of a channel; whether it was us."""
    if state.is_me(nick):
        state.close_channel(channel_name)
        return True
    channel = state.channel(channel_name)
    if channel is not None:
        state.leave(channel, nick)
    return False


def _quit(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """`QUIT [reason]`."""
    user = state.user_of(message)
    own = state.is_me(user.nick)
    channels = state.shared_channels(user.nick)
    if own:
        for name in channels:
            state.close_channel(name)
    else:
        state.forget(user.nick)
    return [
        UserQuit(
            network=state.network,
            time=time,
            message=message,
            batch=batch,
            user=user,
            channels=channels,
            reason=_param(message, 0),
            own=own,
        )
    ]


def _nick(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """`NICK nick`, which may change only its case."""
    nick = message.params[0]
    old = state.user_of(message)
    own = state.is_me(old.nick)
    if not nick or (state.is_me(nick) and not own):
        raise MalformedMessage("somebody else gets no nick, or ours")
    if state.user(old.nick) is None:
        return []
    user = state.rename(old, nick)
    return [
        UserRenamed(
            network=state.network,
            time=time,
            message=message,
            batch=batch,
            user=user,
            old_nick=old.nick,
            channels=state.shared_channels(nick),
            own=own,
        )
    ]


def _mode(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """`MODE target modes [params…]`, of a channel or of ourselves."""
    target, modestring, *params = message.params
    by = state.user_of(message)
    channel = state.channel(target)
    if channel is not None:
        changes = state.isupport.parse_modes(modestring, params)
        channel.change_modes(changes, state.isupport, state.fold)
    elif state.is_me(target):
        changes = change_own_modes(state, modestring)
    else:
        return []
    return [
        ModeChanged(
            network=state.network,
            time=time,
            message=message,
            batch=batch,
            channel=channel.name if channel else None,
            by=by,
            changes=changes,
        )
    ]


def change_own_modes(state: State, modestring: str) -> list[ModeChange]:
    """Take in changes of our user modes. What stands after them, such as server notice masks, is left out."""
    changes = []
    adding = True
    for letter in modestring:
        if letter in "+-":
            adding = letter == "+"
        elif is_mode(letter):
            (state.modes.add if adding else state.modes.discard)(letter)
            changes.append(ModeChange(adding, letter))
    return changes


def _topic(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """`TOPIC channel topic`."""
    by = state.user_of(message)
    channel = state.channel(message.params[0])
    if channel is None:
        return []
    channel.topic, channel.topic_by, channel.topic_time = message.params[1], by.nick, time
    return [
        TopicChanged(
            network=state.network,
            time=time,
            message=message,
            batch=batch,
            channel=channel.name,
            by=by,
            topic=channel.topic,
        )
    ]


def _invite(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """`INVITE nick channel`; of others with invite-notify."""
    nick, name = message.params[:2]
    channel = state.channel(name)
    return [
        UserInvited(
            network=state.network,
            time=time,
            message=message,
            batch=batch,
            nick=nick,
            channel=channel.name if channel else name,
            by=state.user_of(message),
            own=state.is_me(nick),
        )
    ]


def _rename(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """`RENAME old-channel channel [reason]`."""
    old, new = message.params[:2]
    by = state.user_of(message)
    channel = state.channel(old)
    if channel is None:
        return []
    old = channel.name
    state.rename_channel(channel, new)
    return [
        ChannelRenamed(
            network=state.network,
            time=time,
            message=message,
            batch=batch,
            old_channel=old,
            channel=new,
            by=by,
            reason=_param(message, 2),
        )
    ]


def _account(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """`ACCOUNT account`, `*` for a log-out."""
    account = message.params[0]
    return _person(state, message, time, batch, account=None if account == "*" else account)


def _away(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """`AWAY [reason]`: without one they are back."""
    return _person(state, message, time, batch, away=_param(message, 0) != "")


def _chghost(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """`CHGHOST username host`."""
    username, host = message.params[:2]
    return _person(state, message, time, batch, username=username, host=host)


def _setname(state: State, message: Message, time: float, batch: Batch | None) -> list[Event]:
    """`SETNAME realname`."""
    return _person(state, message, time, batch, realname=message.params[0])


def _person(state: State, message: Message, time: float, batch: Batch | None, **fields: Any) -> list[Event]:
    """Whoever sent the line has changed in these fields, and perhaps in what its source and tags tell."""
    old = state.user(message.nick)
    new = state.user_of(message)
    if old is None:
        return []
    return changed(state, message, time, batch, old, msgspec.structs.replace(new, **fields))


def changed(
    state: State, message: Message, time: float, batch: Batch | None, old: User, new: User
) -> list[Event]:
    """Remember somebody known as `new`, and tell what is different from `old`."""
    state.put(new)
    if new == old:
        return []
    return [
        UserChanged(
            network=state.network,
            time=time,
            message=message,
            batch=batch,
            user=new,
            old=old,
            channels=state.shared_channels(new.nick),
        )
    ]


def _param(message: Message, index: int) -> str:
    return message.params[index] if len(message.params) > index else ""


CHANGES: dict[str, tuple[int, Handler]] = {
    "JOIN": (1, _join),
    "PART": (1, _part),
    "KICK": (2, _kick),
    "QUIT": (0, _quit),
    "NICK": (1, _nick),
    "MODE": (2, _mode),
    "TOPIC": (2, _topic),
    "INVITE": (2, _invite),
    "RENAME": (2, _rename),
    "ACCOUNT": (1, _account),
    "AWAY": (0, _away),
    "CHGHOST": (2, _chghost),
    "SETNAME": (1, _setname),
}
