"""One meeting by script, and what everybody in it was told, as text that two servers can share.

The same steps run against any server. Sids, tokens, times, ports and addresses are left out of
the log or replaced by names in the order in which they appear, so what remains is what the server
decided. Media descriptions and what depends on timing (speakers, quality, pings) are not logged.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from livekit import rtc
from livekit.api import (
    CreateRoomRequest,
    DeleteRoomRequest,
    LiveKitAPI,
    MuteRoomTrackRequest,
    RoomParticipantIdentity,
    SendDataRequest,
    UpdateParticipantRequest,
    UpdateRoomMetadataRequest,
)
from livekit.protocol import models

from tests.conformance.conftest import Guest, token, until
from tests.conformance.servers import Server
from tests.conformance.tap import Tap
from tests.integration.media_api.receiver import KEY, SECRET

ROOM: Final = "kịch bản"
SID: Final = re.compile(r"\b(?:PA|RM|TR)_\w+")


class Log:
    """Lines that do not depend on who served."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names: dict[str, str] = {}

    def add(self, who: str, what: str) -> None:
        """Note one line; sids become names by their order."""
        self.lines.append(SID.sub(self._name, f"{who}: {what}"))

    def _name(self, match: "re.Match[str]") -> str:
        kind = match[0].partition("_")[0]
        known = sum(name.startswith(kind) for name in self._names.values())
        return self._names.setdefault(match[0], f"{kind}{known + 1}")


async def play(server: Server, tap: Tap, room: str = ROOM) -> list[str]:
    """Hold the meeting; the log of it."""
    log = Log()
    ann, bob, eve = Guest(), Guest(), Guest()
    async with LiveKitAPI(server.http, KEY, SECRET) as api:
        try:
            await _meet(log, api, tap, room, (ann, bob, eve))
        finally:
            for guest in (ann, bob, eve):
                await guest.leave()
    return log.lines


async def _meet(
    log: Log, api: LiveKitAPI, tap: Tap, room: str, guests: tuple[Guest, Guest, Guest]
) -> None:
    ann, bob, eve = guests
    made = await api.room.create_room(CreateRoomRequest(name=room, metadata="chương 1"))
    log.add("api", f"created {made.sid} {made.metadata!r} {made.num_participants}")
    await _join(log, tap, ann, "ann", room, can_update_own_metadata=True)
    await _join(log, tap, bob, "bob", room, is_single=False)
    await until(lambda: ann.sees("bob"))
    sound = await ann.make_sound()
    await until(lambda: bob.heard("track_subscribed"))
    log.add("bob", f"subscribed {_described(bob, 'ann')}")
    await _join(log, tap, eve, "eve", room, hidden=True, can_publish=False)
    await until(lambda: eve.heard("track_subscribed"))
    log.add("bob", f"sees {sorted(bob.room.remote_participants)}")
    await ann.me.set_attributes({"unit": "syt"})
    await until(lambda: bob.room.remote_participants["ann"].attributes.get("unit"))
    assert sound.track is not None
    sound.track.mute()
    await until(lambda: bob.heard("track_muted"))
    log.add("bob", f"muted {_described(bob, 'ann')}")
    sound.track.unmute()
    await until(lambda: bob.heard("track_unmuted"))
    await _by_api(log, api, room, ann, bob)
    await ann.me.unpublish_track(sound.sid)
    await until(lambda: not bob.tracks_of("ann"))
    await bob.me.publish_data(b"tam biet", destination_identities=["ann"])
    await until(lambda: (b"tam biet", "bob") in ann.data)
    await api.room.remove_participant(RoomParticipantIdentity(room=room, identity="bob"))
    ((reason,),) = await until(lambda: bob.heard("disconnected"))
    log.add("bob", f"out {rtc.DisconnectReason.Name(reason)}")
    await until(lambda: not ann.sees("bob"))
    await api.room.delete_room(DeleteRoomRequest(room=room))
    ((reason,),) = await until(lambda: ann.heard("disconnected"))
    log.add("ann", f"out {rtc.DisconnectReason.Name(reason)}")
    for who in ("ann", "bob", "eve"):
        _told(log, tap, who)


async def _by_api(log: Log, api: LiveKitAPI, room: str, ann: Guest, bob: Guest) -> None:
    (sid,) = bob.tracks_of("ann")
    muted = await api.room.mute_published_track(
        MuteRoomTrackRequest(room=room, identity="ann", track_sid=sid, muted=True)
    )
    log.add("api", f"muted {muted.track.sid} {muted.track.muted}")
    await until(lambda: len(bob.heard("track_muted")) == 2)
    await api.room.update_room_metadata(UpdateRoomMetadataRequest(room=room, metadata="chương 2"))
    await until(lambda: ann.room.metadata == bob.room.metadata == "chương 2")
    kind = models.DataPacket.Kind.RELIABLE
    await api.room.send_data(SendDataRequest(room=room, data=b"thong bao", kind=kind))
    await until(lambda: (b"thong bao", None) in ann.data and (b"thong bao", None) in bob.data)
    permission = models.ParticipantPermission(can_subscribe=True, can_publish_data=True)
    changed = await api.room.update_participant(
        UpdateParticipantRequest(room=room, identity="bob", permission=permission)
    )
    log.add("api", f"bob may publish: {changed.permission.can_publish}")
    await until(lambda: not bob.me.permissions.can_publish)


async def _join(
    log: Log, tap: Tap, guest: Guest, who: str, room: str, *, is_single: bool = True, **grants: Any
) -> None:
    options = rtc.RoomOptions(single_peer_connection=is_single)
    await guest.room.connect(tap.url, token(who, room, **grants), options)
    answer = tap.responses(who, "join")[-1]
    others = sorted(one.identity for one in answer.other_participants)
    log.add(
        who,
        f"joined {answer.participant.sid} with {others}, subscriber primary "
        f"{answer.subscriber_primary}, fast publish {answer.fast_publish}",
    )
    await asyncio.sleep(0)


def _described(viewer: Guest, identity: str) -> str:
    (publication,) = viewer.tracks_of(identity).values()
    source = rtc.TrackSource.Name(publication.source)
    return f"{publication.sid} {source} {publication.muted}"


def _told(log: Log, tap: Tap, who: str) -> None:
    """What somebody heard of the others and of the room; repeats are one line."""
    for link in tap.of(who):
        last: dict[str, str] = {}
        for message in link.responses:
            kind = message.WhichOneof("message")
            if kind == "join":  # what is told again of those who were there says nothing new
                last |= dict(_update(message.join.other_participants))
            for about, text in _facts(kind, message):
                if last.get(about) != text:
                    last[about] = text
                    log.add(who, f"{about} {text}")


def _facts(kind: str | None, message: Any) -> list[tuple[str, str]]:
    describe = _FACTS.get(kind or "")
    return describe(getattr(message, str(kind))) if describe is not None else []


def _update(participants: Iterable[models.ParticipantInfo]) -> list[tuple[str, str]]:
    facts = []
    for one in participants:
        tracks = [(t.sid, models.TrackSource.Name(t.source), t.muted) for t in one.tracks]
        state = models.ParticipantInfo.State.Name(one.state)
        may = (one.permission.can_publish, one.permission.can_subscribe)
        text = f"{state} {tracks} {dict(one.attributes)} {one.metadata!r} may {may}"
        if one.disconnect_reason == models.DisconnectReason.ROOM_DELETED:
            continue  # who still hears of the others' end while all are sent away is chance
        if one.state == models.ParticipantInfo.State.DISCONNECTED:
            text = f"{state} {models.DisconnectReason.Name(one.disconnect_reason)}"
        facts.append((one.identity, text))
    return facts


_FACTS: Final[dict[str, Callable[[Any], list[tuple[str, str]]]]] = {
    "update": lambda m: _update(m.participants),
    "room_update": lambda m: [("room", f"{m.room.metadata!r}")],
    "track_published": lambda m: [("published", f"{m.track.sid} {m.track.muted}")],
    "track_unpublished": lambda m: [("unpublished", m.track_sid)],
    "track_subscribed": lambda m: [("first receiver of", m.track_sid)],
    "mute": lambda m: [("told to mute", f"{m.sid} {m.muted}")],
    "leave": lambda m: [
        ("leave", f"{models.DisconnectReason.Name(m.reason)} action {m.action}"),
    ],
}
