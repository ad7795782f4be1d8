"""A media engine in memory: rooms, participants and their rights, as the Server API shows them.

Ordinary code with the methods of `conference.engine.client.Engine`; tests decide who is in a room
and may switch the engine off.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from conference.engine.client import Participant, Track
from conference.errors import EngineUnavailableError, NotFoundError


@dataclass
class FakeEngine:
    """The engine; `calls` remembers what it was asked, in order."""

    rooms: dict[str, dict[str, Participant]] = field(default_factory=dict)
    calls: list[tuple[object, ...]] = field(default_factory=list)
    is_away: bool = False
    _next: int = 0

    def enter(
        self,
        room: str,
        identity: str,
        *,
        at: datetime,
        is_hidden: bool = False,
        has_microphone: bool = True,
        has_floor: bool = False,
    ) -> Participant:
        """A client connects; one with the same identity is replaced."""
        self._next += 1
        tracks = (
            (Track(f"TR_{self._next}", "microphone", is_muted=False),) if has_microphone else ()
        )
        made = Participant(
            identity=identity, sid=f"PA_{self._next}", name=identity, state="active",
            joined_at=at, is_hidden=is_hidden, tracks=tracks, publish_sources=None,
            has_floor=has_floor,
        )  # fmt: skip
        self.rooms.setdefault(room, {})[identity] = made
        return made

    def leave(self, room: str, identity: str) -> None:
        """A client is gone."""
        del self.rooms[room][identity]

    def create_room(self, room: str) -> None:
        self._asked("create_room", room)
        self.rooms.setdefault(room, {})

    def delete_room(self, room: str) -> None:
        self._asked("delete_room", room)
        if self.rooms.pop(room, None) is None:
            raise NotFoundError

    def list_participants(self, room: str) -> list[Participant]:
        self._asked("list_participants", room)
        return list(self.rooms.get(room, {}).values())

    def get_participant(self, room: str, identity: str) -> Participant:
        self._asked("get_participant", room, identity)
        return self._find(room, identity)

    def remove_participant(self, room: str, identity: str) -> None:
        self._asked("remove_participant", room, identity)
        self._find(room, identity)
        del self.rooms[room][identity]

    def mute_microphone(self, room: str, identity: str) -> bool:
        self._asked("mute_microphone", room, identity)
        found = self._find(room, identity)
        tracks = tuple(
            replace(track, is_muted=True) if track.source == "microphone" else track
            for track in found.tracks
        )
        self.rooms[room][identity] = replace(found, tracks=tracks)
        return tracks != found.tracks

    def set_publish_sources(
        self,
        room: str,
        identity: str,
        sources: tuple[str, ...] | None,
        *,
        has_floor: bool = False,
    ) -> None:
        self._asked("set_publish_sources", room, identity, sources)
        found = self._find(room, identity)
        rights = None if sources is None else frozenset(sources)
        self.rooms[room][identity] = replace(found, publish_sources=rights, has_floor=has_floor)

    def _asked(self, *call: object) -> None:
        if self.is_away:
            raise EngineUnavailableError
        self.calls.append(call)

    def _find(self, room: str, identity: str) -> Participant:
        try:
            return self.rooms[room][identity]
        except KeyError:
            raise NotFoundError from None
