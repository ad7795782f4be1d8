"""The Server API client against the media node's own Twirp service and rooms in memory."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from livekit.protocol import models
from livekit.protocol import room as api

from conference.engine.client import Engine
from conference.errors import EngineUnavailableError, NotFoundError
from media.api.room_service import room_service
from media.core.refusals import ParticipantNotFoundError, RoomNotFoundError
from media.tokens import verify_token

KEY, SECRET = "diemcau", "a-secret-of-more-than-thirty-two-bytes"


@dataclass
class Rooms:
    """What a node keeps: enough of it for the calls the domain makes."""

    rooms: dict[str, dict[str, models.ParticipantInfo]] = field(default_factory=dict)

    async def create_room(self, request: api.CreateRoomRequest) -> models.Room:
        self.rooms.setdefault(request.name, {})
        return models.Room(name=request.name)

    async def list_rooms(self, _request: api.ListRoomsRequest) -> api.ListRoomsResponse:
        return api.ListRoomsResponse(rooms=[models.Room(name=name) for name in self.rooms])

    async def delete_room(self, request: api.DeleteRoomRequest) -> api.DeleteRoomResponse:
        if self.rooms.pop(request.room, None) is None:
            raise RoomNotFoundError("no such room")
        return api.DeleteRoomResponse()

    async def list_participants(
        self, request: api.ListParticipantsRequest
    ) -> api.ListParticipantsResponse:
        present = self.rooms.get(request.room, {})
        return api.ListParticipantsResponse(participants=present.values())

    async def get_participant(self, request: api.RoomParticipantIdentity) -> models.ParticipantInfo:
        return self._find(request.room, request.identity)

    async def remove_participant(
        self, request: api.RoomParticipantIdentity
    ) -> api.RemoveParticipantResponse:
        self._find(request.room, request.identity)
        del self.rooms[request.room][request.identity]
        return api.RemoveParticipantResponse()

    async def mute_track(self, request: api.MuteRoomTrackRequest) -> api.MuteRoomTrackResponse:
        for track in self._find(request.room, request.identity).tracks:
            if track.sid == request.track_sid:
                track.muted = request.muted
        return api.MuteRoomTrackResponse()

    async def update_participant(
        self, request: api.UpdateParticipantRequest
    ) -> models.ParticipantInfo:
        found = self._find(request.room, request.identity)
        found.permission.CopyFrom(request.permission)
        for name, text in request.attributes.items():
            found.attributes[name] = text
        return found

    def __getattr__(self, name: str) -> Any:
        return None  # calls the domain never makes

    def _find(self, room: str, identity: str) -> models.ParticipantInfo:
        try:
            return self.rooms[room][identity]
        except KeyError:
            raise ParticipantNotFoundError("no such participant") from None


@pytest.fixture
def node() -> Iterator[tuple[Rooms, str]]:
    """Rooms, and the address of their Server API, served by a thread."""
    rooms = Rooms()
    keys = {KEY: SECRET}
    service = room_service(
        rooms, lambda token: verify_token(token, keys, datetime.now(UTC).timestamp())
    )
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    address: list[str] = []

    async def serve() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/twirp/livekit.RoomService/{method}", service.handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        return runner

    def run() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(serve())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    yield rooms, address[0]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


@pytest.fixture
def engine(node: tuple[Rooms, str]) -> Engine:
    return Engine(node[1], KEY, SECRET)


def enter(rooms: Rooms, room: str, identity: str, **more: Any) -> None:
    track = models.TrackInfo(sid="TR_mic", source=models.TrackSource.MICROPHONE)
    camera = models.TrackInfo(sid="TR_cam", source=models.TrackSource.CAMERA)
    rooms.rooms.setdefault(room, {})[identity] = models.ParticipantInfo(
        identity=identity, sid="PA_1", name="Xã Đăk Pxi", joined_at=1_796_864_400,
        state=models.ParticipantInfo.State.ACTIVE, tracks=[track, camera], **more,
    )  # fmt: skip


def test_rooms_come_and_go(engine: Engine) -> None:
    engine.create_room("hop-1")
    engine.create_room("hop-1")
    assert engine.list_rooms() == ["hop-1"]
    assert engine.list_participants("hop-1") == []
    engine.delete_room("hop-1")
    assert engine.list_rooms() == []
    with pytest.raises(NotFoundError):
        engine.delete_room("hop-1")
    assert engine.list_participants("hop-1") == []


def test_a_participant_is_listed_with_tracks_and_rights(
    engine: Engine, node: tuple[Rooms, str]
) -> None:
    hidden = models.ParticipantPermission(hidden=True, can_subscribe=True)
    enter(node[0], "hop-1", "site:41")
    enter(node[0], "hop-1", "recorder:1", permission=hidden)
    listed = {one.identity: one for one in engine.list_participants("hop-1")}
    site = listed["site:41"]
    assert (site.sid, site.name, site.state) == ("PA_1", "Xã Đăk Pxi", "active")
    assert site.joined_at == datetime.fromtimestamp(1_796_864_400, UTC)
    assert [(t.sid, t.source, t.is_muted) for t in site.tracks] == [
        ("TR_mic", "microphone", False),
        ("TR_cam", "camera", False),
    ]
    assert not site.is_hidden
    assert listed["recorder:1"].is_hidden


def test_muting_leaves_the_camera_alone(engine: Engine, node: tuple[Rooms, str]) -> None:
    enter(node[0], "hop-1", "site:41")
    assert engine.mute_microphone("hop-1", "site:41")
    assert [t.is_muted for t in engine.get_participant("hop-1", "site:41").tracks] == [True, False]
    assert not engine.mute_microphone("hop-1", "site:41")


def test_sources_are_given_and_taken(engine: Engine, node: tuple[Rooms, str]) -> None:
    enter(node[0], "hop-1", "site:41")
    engine.set_publish_sources("hop-1", "site:41", ("camera",))
    assert engine.get_participant("hop-1", "site:41").publish_sources == {"camera"}
    engine.set_publish_sources("hop-1", "site:41", None)
    assert engine.get_participant("hop-1", "site:41").publish_sources is None
    engine.set_publish_sources("hop-1", "site:41", ())
    assert engine.get_participant("hop-1", "site:41").publish_sources == frozenset()


def test_the_floor_holder_is_marked_until_somebody_else_is(
    engine: Engine, node: tuple[Rooms, str]
) -> None:
    enter(node[0], "hop-1", "site:41")
    assert not engine.get_participant("hop-1", "site:41").has_floor
    engine.set_publish_sources("hop-1", "site:41", None, has_floor=True)
    (listed,) = engine.list_participants("hop-1")
    assert listed.has_floor
    engine.set_publish_sources("hop-1", "site:41", None)
    assert not engine.get_participant("hop-1", "site:41").has_floor


def test_who_has_left_is_not_found(engine: Engine, node: tuple[Rooms, str]) -> None:
    enter(node[0], "hop-1", "site:41")
    engine.remove_participant("hop-1", "site:41")
    for act in (engine.remove_participant, engine.mute_microphone, engine.get_participant):
        with pytest.raises(NotFoundError):
            act("hop-1", "site:41")


def test_an_engine_that_is_away_or_refuses_us_is_unavailable(node: tuple[Rooms, str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(EngineUnavailableError):
        Engine(f"http://127.0.0.1:{port}", KEY, SECRET, timeout_s=1).create_room("hop-1")
    wrong = Engine(node[1], KEY, "another-secret-of-thirty-two-bytes-or-so")
    with pytest.raises(EngineUnavailableError):
        wrong.list_participants("hop-1")
