"""What the media engine is asked to do after a decision was stored.

A service of `conference.conduct.service` writes rows and returns acts; the shell commits, then
carries the acts out, then tells everybody. If the engine does not answer, the rows stand: rights
to publish follow from them again at the next reconciliation and at every join.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from conference.engine.client import Engine, Participant
from conference.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class AllowSources:
    """Let ``identity`` publish just ``sources`` (None = all) from now on."""

    identity: str
    sources: tuple[str, ...] | None
    has_floor: bool = False
    """Whether the engine is to forward its sound whoever else is louder."""


@dataclass(frozen=True, slots=True)
class MuteMicrophone:
    """Mute the microphone ``identity`` publishes, if any."""

    identity: str


@dataclass(frozen=True, slots=True)
class MuteAllExcept:
    """Mute every open microphone but those of ``spared``."""

    spared: frozenset[str]


@dataclass(frozen=True, slots=True)
class RemoveFromRoom:
    """Disconnect ``identity``."""

    identity: str


@dataclass(frozen=True, slots=True)
class CloseRoom:
    """Disconnect everybody and forget the room."""


Act = AllowSources | MuteMicrophone | MuteAllExcept | RemoveFromRoom | CloseRoom


def carry_out(engine: Engine, room: str, acts: Iterable[Act]) -> list[str]:
    """Do ``acts`` in order; identities that were muted come back.

    Somebody who has left meanwhile is no error. Raises EngineUnavailableError when the engine does
    not answer; acts before that stay done, and all are safe to repeat.
    """
    muted: list[str] = []
    for act in acts:
        try:
            muted += _carry_out(engine, room, act)
        except NotFoundError:
            continue
    return muted


def _carry_out(engine: Engine, room: str, act: Act) -> list[str]:
    match act:
        case AllowSources(identity, sources, has_floor):
            engine.set_publish_sources(room, identity, sources, has_floor=has_floor)
        case MuteMicrophone(identity):
            return [identity] if engine.mute_microphone(room, identity) else []
        case RemoveFromRoom(identity):
            engine.remove_participant(room, identity)
        case CloseRoom():
            engine.delete_room(room)
        case MuteAllExcept(spared):
            return _mute_all(engine, room, spared)
    return []


def _mute_all(engine: Engine, room: str, spared: frozenset[str]) -> list[str]:
    muted = []
    for participant in engine.list_participants(room):
        if participant.is_hidden or participant.identity in spared:
            continue
        if not has_open_microphone(participant):
            continue
        try:
            engine.mute_microphone(room, participant.identity)
        except NotFoundError:
            continue  # left between the list and the request
        muted.append(participant.identity)
    return muted


def has_open_microphone(participant: Participant) -> bool:
    """Whether sound of ``participant``'s microphone can reach the room now."""
    return any(track.source == "microphone" and not track.is_muted for track in participant.tracks)
