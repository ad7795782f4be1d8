"""The media engine's Server API, as the domain asks for it: rooms, participants, microphones.

LiveKit's ``RoomService`` over Twirp with JSON (https://docs.livekit.io/reference/server/server-apis),
so our own media node and a LiveKit cluster are asked alike. Every call is safe to repeat, carries a
short-lived token for just what it does, and takes at most a few seconds: a live meeting does not
wait for an engine that is away.

Synchronous; one `Engine` may be used by all threads of a process.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from conference.access.tokens import server_token
from conference.errors import EngineUnavailableError, NotFoundError

TOKEN_LIFE: Final = timedelta(minutes=1)
_CONNECTIONS: Final = 32
FLOOR_ATTRIBUTE: Final = "diemcau.floor"
"""Participant attribute by which the media node knows whose sound it always forwards."""
_MICROPHONE: Final = "microphone"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Track:
    """A published track."""

    sid: str
    source: str
    """camera, microphone, screen_share, screen_share_audio or unknown."""
    is_muted: bool


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody in a room, as the engine lists it."""

    identity: str
    sid: str
    name: str
    state: str
    """joining, joined, active or disconnected."""
    joined_at: datetime
    is_hidden: bool
    tracks: tuple[Track, ...]
    publish_sources: frozenset[str] | None
    """What may be published; None = everything."""
    has_floor: bool = False
    """Whether the engine knows it as the one whose sound is always forwarded."""


def utc_now() -> datetime:
    """The time, aware, UTC."""
    return datetime.now(UTC)


class Engine:
    """Asks the engine at ``api_url``; signs with ``api_key`` and ``secret``.

    Every method raises EngineUnavailableError when there is no answer, or one that is the engine's
    or the configuration's fault, and NotFoundError when the room or the participant is not there.
    """

    def __init__(
        self,
        api_url: str,
        api_key: str,
        secret: str,
        *,
        timeout_s: float = 5.0,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._url = api_url.rstrip("/")
        self._api_key = api_key
        self._secret = secret
        self._timeout_s = timeout_s
        self._clock = clock
        self._session = requests.Session()
        self._session.trust_env = False  # the engine is ours: no proxy of the environment
        retry = Retry(total=2, connect=1, read=1, backoff_factor=0.1, allowed_methods=None)
        adapter = HTTPAdapter(pool_maxsize=_CONNECTIONS, max_retries=retry)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def create_room(self, room: str) -> None:
        """Make sure that ``room`` exists."""
        self._call("CreateRoom", {"name": room})

    def delete_room(self, room: str) -> None:
        """Disconnect everybody in ``room`` and forget it."""
        self._call("DeleteRoom", {"room": room})

    def list_rooms(self) -> list[str]:
        """Names of the rooms there are now."""
        answer = self._call("ListRooms", {})
        return [str(room.get("name", "")) for room in answer.get("rooms", ())]

    def list_participants(self, room: str) -> list[Participant]:
        """Everybody in ``room``, hidden ones too; an absent room is empty."""
        answer = self._call("ListParticipants", {"room": room}, room)
        return [_participant(entry) for entry in answer.get("participants", ())]

    def get_participant(self, room: str, identity: str) -> Participant:
        """One participant of ``room``."""
        return _participant(self._call("GetParticipant", _who(room, identity), room))

    def remove_participant(self, room: str, identity: str) -> None:
        """Disconnect one participant."""
        self._call("RemoveParticipant", _who(room, identity), room)

    def mute_track(self, room: str, identity: str, track_sid: str) -> None:
        """Mute a published track; its owner may unmute it again."""
        request = {**_who(room, identity), "track_sid": track_sid, "muted": True}
        self._call("MutePublishedTrack", request, room)

    def mute_microphone(self, room: str, identity: str) -> bool:
        """Mute the microphones ``identity`` has open; whether there was one."""
        participant = self.get_participant(room, identity)
        is_open = [t for t in participant.tracks if t.source == _MICROPHONE and not t.is_muted]
        for track in is_open:
            self.mute_track(room, identity, track.sid)
        return bool(is_open)

    def set_publish_sources(
        self,
        room: str,
        identity: str,
        sources: tuple[str, ...] | None,
        *,
        has_floor: bool = False,
    ) -> None:
        """Let ``identity`` publish just ``sources`` (None = all) from now on.

        The floor holder is marked, so that our media node forwards its sound always.

        The engine drops tracks of other sources. ``canPublish`` itself stays granted, for taking
        it away would drop the camera too; only an empty ``sources`` does.
        """
        permission = {
            "can_subscribe": True,
            "can_publish": sources is None or bool(sources),
            "can_publish_data": True,
            "can_publish_sources": [source.upper() for source in sources or ()],
        }
        request = {
            **_who(room, identity),
            "permission": permission,
            "attributes": {FLOOR_ATTRIBUTE: "1" if has_floor else ""},  # empty: none
        }
        self._call("UpdateParticipant", request, room)

    def _call(self, method: str, request: Mapping[str, Any], room: str = "") -> dict[str, Any]:
        token = server_token(
            api_key=self._api_key, secret=self._secret, at=self._clock(), life=TOKEN_LIFE, room=room
        )
        url = f"{self._url}/twirp/livekit.RoomService/{method}"
        try:
            answer = self._session.post(
                url,
                json=request,
                headers={"Authorization": f"Bearer {token}"},
                timeout=self._timeout_s,
                allow_redirects=False,
            )
            document = answer.json()
        except (requests.RequestException, ValueError) as error:
            _log.warning("%s: no answer from the media engine: %s", method, error)
            raise EngineUnavailableError from error
        if not isinstance(document, dict):
            raise EngineUnavailableError
        if answer.status_code == HTTPStatus.NOT_FOUND and document.get("code") == "not_found":
            raise NotFoundError
        if answer.status_code != HTTPStatus.OK:
            _log.error("%s refused by the media engine: %s", method, document.get("msg", document))
            raise EngineUnavailableError
        return document


def _who(room: str, identity: str) -> dict[str, Any]:
    return {"room": room, "identity": identity}


def _participant(entry: Mapping[str, Any]) -> Participant:
    permission = entry.get("permission") or {}
    sources = frozenset(str(source).lower() for source in permission.get("can_publish_sources", ()))
    may_publish = bool(permission.get("can_publish", True))
    joined_ms = int(entry.get("joined_at_ms") or 0) or int(entry.get("joined_at") or 0) * 1000
    return Participant(
        identity=str(entry.get("identity", "")),
        sid=str(entry.get("sid", "")),
        name=str(entry.get("name", "")),
        state=str(entry.get("state", "")).lower(),
        joined_at=datetime.fromtimestamp(joined_ms / 1000, UTC),
        is_hidden=bool(permission.get("hidden") or permission.get("recorder")),
        tracks=tuple(
            Track(
                sid=str(track.get("sid", "")),
                source=str(track.get("source", "unknown")).lower(),
                is_muted=bool(track.get("muted")),
            )
            for track in entry.get("tracks", ())
        ),
        publish_sources=frozenset() if not may_publish else sources or None,
        has_floor=bool((entry.get("attributes") or {}).get(FLOOR_ATTRIBUTE)),
    )
