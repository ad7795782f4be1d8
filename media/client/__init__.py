"""An asyncio LiveKit client that never decodes: for recorder, load tool, relay and probes.

It joins a room of this project's media node or of any LiveKit server, receives tracks as
RTP packets in order with losses marked, and publishes frames that are encoded already::

    async with await Client.connect(url, token) as client:
        async for event in client.events():
            match event:
                case TrackSubscribed(track, participant):
                    frames = depayloader_for(track.mime)
                    track.on_packet = lambda packet: store(frames.push(packet))
                case Disconnected(reason):
                    ...

* ``Client``: ``connect``, ``events``, ``leave``; state: ``room``, ``identity``, ``sid``,
  ``participants`` (by identity), ``tracks`` (by track sid); wishes: ``set_subscribed``,
  ``set_track_settings``; sending: ``publish_audio``, ``publish_video``, ``unpublish``,
  ``send_data``.
* ``RemoteTrack``: ``sid``, ``identity``, ``kind``, ``source``, ``mime``, ``clock_rate``,
  ``is_muted``, ``stats``, ``on_packet``, ``request_keyframe()``, ``wall_time_s(timestamp)``.
* ``MediaPacket``: ``ext_seq``, ``timestamp`` (unwrapped), ``marker``, ``payload``,
  ``arrived_s`` (monotonic), ``lost_before``.
* ``LocalTrack``: ``send(frame, timestamp)``, ``mute``, ``on_keyframe_request``.
* ``media.core.depayload``: ``depayloader_for(mime)`` turns packets into ``Frame`` values.

Everything runs on one event loop; ``on_packet`` is called on it and must not block. Errors:
``ConnectError`` when joining fails, ``PublishError`` when a track is refused. It speaks
signalling v1 (one connection, offered by the client) and v0 (one for each direction, for servers
that know nothing else or on wish), and sends media over UDP with host candidates; there is no
TURN, no ICE over TCP and no bandwidth estimation.
"""

from media.client.client import Client
from media.client.events import (
    DataReceived,
    Disconnected,
    Event,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    Reconnected,
    Reconnecting,
    RoomUpdated,
    SpeakersChanged,
    TrackMuted,
    TrackPublished,
    TrackSubscribed,
    TrackUnpublished,
    TrackUnsubscribed,
)
from media.client.local import LocalTrack
from media.client.publishing import PublishError
from media.client.signal import ConnectError
from media.client.tracks import MediaPacket, RemoteTrack, TrackStats
from media.core.depayload import Frame, depayloader_for

__all__ = [
    "Client",
    "ConnectError",
    "DataReceived",
    "Disconnected",
    "Event",
    "Frame",
    "LocalTrack",
    "MediaPacket",
    "ParticipantJoined",
    "ParticipantLeft",
    "ParticipantUpdated",
    "PublishError",
    "Reconnected",
    "Reconnecting",
    "RemoteTrack",
    "RoomUpdated",
    "SpeakersChanged",
    "TrackMuted",
    "TrackPublished",
    "TrackStats",
    "TrackSubscribed",
    "TrackUnpublished",
    "TrackUnsubscribed",
    "depayloader_for",
]
